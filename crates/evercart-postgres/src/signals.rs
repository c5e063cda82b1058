//! Word of changed carts, from whichever server changed them: sent after the commit, several at
//! once, and heard by whoever watches a cart here. A lost word costs a second: so often the watched
//! carts are looked at anyway.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use evercart_core::ids::UserId;
use evercart_core::signals::{CartSignals, CartWatch, CartWatchers};
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client};

use crate::Postgres;
use crate::connect::{Connected, Target, explain};

/// How often the watched carts are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Words waiting to be sent, at most. More are left to the look of the next second.
const OUTGOING_MAX: usize = 10_000;

/// Ids in one notification: 380 of the longest fit into PostgreSQL's 8000 bytes.
const IDS_A_NOTE: usize = 380;

impl CartSignals for Postgres {
    fn watch_cart(&self, user: UserId) -> CartWatch {
        self.signals.watch(user)
    }
}

pub(crate) struct Signals {
    watched: Arc<CartWatchers>,
    /// Says that somebody watches after nobody did.
    begun: Arc<Notify>,
    outgoing: mpsc::Sender<i64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Signals {
    pub(crate) fn start(target: &Target) -> Self {
        let watched = Arc::new(CartWatchers::default());
        let begun = Arc::<Notify>::default();
        let (outgoing, waiting) = mpsc::channel(OUTGOING_MAX);
        let tasks = vec![
            tokio::spawn(send(target.clone(), waiting)),
            tokio::spawn(hear(target.clone(), Arc::downgrade(&watched), Arc::clone(&begun))),
        ];
        Self { watched, begun, outgoing, tasks }
    }

    fn watch(&self, user: UserId) -> CartWatch {
        let is_first = self.watched.is_empty();
        let watch = self.watched.watch(user);
        if is_first {
            self.begun.notify_one();
        }
        watch
    }

    /// Says that a customer's cart or session was changed: here at once, elsewhere by the database.
    pub(crate) fn changed(&self, user: UserId) {
        self.watched.tell(user);
        // A full queue, or one that nobody reads any more, leaves it to the look of the next
        // second.
        let _ = self.outgoing.try_send(user.0);
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Sends what has gathered while the last notification was under way. A connection of its own,
/// outside any transaction: a NOTIFY inside them would make all commits wait for each other.
async fn send(target: Target, mut waiting: mpsc::Receiver<i64>) {
    const NOTIFY: &str = "SELECT pg_notify($1, note) FROM unnest($2::TEXT[]) AS n (note)";
    let mut client: Option<Client> = None;
    let mut users = Vec::new();
    while waiting.recv_many(&mut users, OUTGOING_MAX).await > 0 {
        let ids: Vec<_> = users.drain(..).collect::<BTreeSet<_>>().into_iter().collect();
        if client.as_ref().is_none_or(Client::is_closed) {
            // Whoever reads and writes says that the database is away.
            client = target.connect_quietly().await.ok();
        }
        let Some(connected) = &client else { continue };
        let notes: Vec<String> = ids.chunks(IDS_A_NOTE).map(note).collect();
        if let Err(error) = connected.query(NOTIFY, &[&target.schema, &notes]).await {
            tracing::debug!(error = explain(&error), "word of changed carts was not sent");
            client = None;
        }
    }
}

fn note(ids: &[i64]) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(" ")
}

fn ids_of(note: &str) -> impl Iterator<Item = i64> {
    note.split(' ').filter_map(|id| id.parse().ok())
}

/// Hears notifications, and looks at the watched carts once a second, until nobody can watch any
/// more.
async fn hear(target: Target, watched: Weak<CartWatchers>, begun: Arc<Notify>) {
    let mut heard = None;
    let mut seen = HashMap::new();
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            note = next_note(&mut heard) => match (note, watched.upgrade()) {
                (_, None) => return,
                (Some(note), Some(watched)) => {
                    ids_of(&note).for_each(|user| watched.tell(UserId(user)));
                }
                // What was said while nobody listened is not known.
                (None, Some(watched)) => {
                    heard = None;
                    watched.tell_all();
                }
            },
            // Whoever begins to watch need not wait for the second to be over.
            () = begun.notified() => look.reset_immediately(),
            _ = look.tick() => {
                let Some(watched) = watched.upgrade() else { return };
                let users: Vec<_> = watched.users().into_iter().map(|user| user.0).collect();
                if users.is_empty() {
                    // Nobody to tell: the connection is given back.
                    heard = None;
                    seen.clear();
                    continue;
                }
                if heard.is_none() {
                    heard = listen(&target).await;
                }
                let Some(listening) = &heard else { continue };
                match versions(&listening.client, &users).await {
                    Ok(found) => compare(&watched, &mut seen, found),
                    Err(error) => {
                        tracing::debug!(error = explain(&error), "the watched carts were not \
                             looked at");
                        heard = None;
                    }
                }
            }
        }
    }
}

/// A connection that listens.
struct Listening {
    client: Client,
    notes: mpsc::UnboundedReceiver<String>,
}

/// The next note; nothing if the connection is lost. Waits for ever while there is none.
async fn next_note(listening: &mut Option<Listening>) -> Option<String> {
    match listening {
        Some(listening) => listening.notes.recv().await,
        None => std::future::pending().await,
    }
}

async fn listen(target: &Target) -> Option<Listening> {
    let (client, mut connection): Connected = target.connect_listening().await.ok()?;
    // Read at once and turned into at most one entry a customer: it cannot grow beyond those who
    // are watched here.
    let (tell, notes) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(note) = message
                && tell.send(note.payload().to_owned()).is_err()
            {
                return;
            }
        }
    });
    target.settings().make(&client).await.ok()?;
    let listen = format!("LISTEN {}", target.schema);
    client.batch_execute(&listen).await.ok()?;
    Some(Listening { client, notes })
}

/// What a change of a cart, a sign-out or a block moves.
type Version = (i64, i64, bool);

/// The watched carts' versions, with their users' sessions.
async fn versions(
    client: &Client,
    users: &[i64],
) -> Result<Vec<(i64, Version)>, tokio_postgres::Error> {
    const LOOK: &str = "SELECT u.id, coalesce(c.version, 0), u.session_epoch, u.is_active FROM \
         users u \
         LEFT JOIN carts c ON c.user_id = u.id WHERE u.id = ANY ($1)";
    let rows = client.query(LOOK, &[&users]).await?;
    Ok(rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3)))).collect())
}

fn compare(watched: &CartWatchers, seen: &mut HashMap<i64, Version>, found: Vec<(i64, Version)>) {
    let before = std::mem::take(seen);
    for (user, version) in found {
        // Of one that was not looked at before, it is not known what happened since the watch
        // began.
        if before.get(&user) != Some(&version) {
            watched.tell(UserId(user));
        }
        seen.insert(user, version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_carries_every_id() {
        let ids: Vec<i64> =
            (0..i64::try_from(IDS_A_NOTE).expect("few")).map(|n| i64::MAX - n).collect();
        let note = note(&ids);
        assert!(note.len() < 8000, "PostgreSQL takes less than 8000 bytes, not {}", note.len());
        assert_eq!(ids_of(&note).collect::<Vec<_>>(), ids);
    }
}

//! Notes once a second, in the store, that it is awake and on which server's log it is, and outside
//! how far it has come.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use evercart_core::awake::{Awake, BEAT_EVERY, REMEMBERED_FOR, STRETCHES_MAX, Stretch};
use evercart_core::clock::Clock;
use evercart_core::peer::Peer;
use evercart_core::token::CLOCK_SKEW_MAX;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error, Row};

use crate::connect::{Target, explain};
use crate::db::is_read_only;
use crate::life::{Keeper, Refusal, draw};
use crate::sign_in::millis;

/// After how many looks at the same note its server is taken for gone.
const GONE_AFTER: u32 = 4;

/// The task that notes.
pub(crate) struct Heartbeat(JoinHandle<()>);

impl Heartbeat {
    /// Goes on noting that the server is awake, as long as this is there.
    pub(crate) fn start(target: Target, keeper: Arc<Keeper>, client: Client) -> Self {
        let beating = Beating { target, keeper, beats: AtomicU64::new(0) };
        Self(tokio::spawn(beating.go_on(Some(client))))
    }

    pub(crate) fn stop(&self) {
        self.0.abort();
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The present time of being awake, as it stands in the store.
#[derive(Clone, Copy)]
struct Note {
    run: i64,
    stretch: Stretch,
}

impl Note {
    async fn write(self, client: &Client, keys: Option<&str>) -> Result<(), Error> {
        const WRITE: &str = "INSERT INTO awake (run, since, until, keys) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (run) DO UPDATE SET since = excluded.since, until = excluded.until, \
             keys = excluded.keys";
        let Stretch { since, until } = self.stretch;
        client.execute(WRITE, &[&self.run, &since, &until, &keys]).await.map(drop)
    }
}

/// A note that is written, and when others were awake since the one before.
pub(crate) struct Noted {
    note: Note,
    others: Vec<Other>,
}

/// Another server's note.
struct Other {
    run: i64,
    stretch: Stretch,
    keys: Option<String>,
}

/// What is known of the servers that share the store.
#[derive(Default)]
struct Peers {
    /// This server's keys.
    keys: Option<String>,
    /// The last moment each of the others noted, and at how many looks in a row it was the same:
    /// by that, not by clocks, one is known to be gone.
    seen: HashMap<i64, (i64, u32)>,
    /// Why this server gives way to the others.
    gives_way: Option<String>,
}

impl Peers {
    /// Compares this server's keys with those of the others that go on noting.
    fn compare(&mut self, since: i64, others: &[Other]) {
        let before = std::mem::take(&mut self.seen);
        let mut awake = Vec::new();
        for Other { run, stretch, keys } in others {
            let same = match before.get(run) {
                Some((until, same)) if *until == stretch.until => same.saturating_add(1),
                Some(_) => 0,
                // It may be a note that was left behind.
                None => GONE_AFTER,
            };
            self.seen.insert(*run, (stretch.until, same));
            if let (Some(keys), true) = (keys, same < GONE_AFTER) {
                awake.push(Peer { keys: names(keys), since: stretch.since });
            }
        }
        let me = self.keys.as_deref().map(|keys| Peer { keys: names(keys), since });
        let why = me.and_then(|me| me.gives_way_to(&awake));
        if let (Some(why), None) = (&why, &self.gives_way) {
            tracing::warn!("{why}");
        }
        self.gives_way = why;
    }
}

fn names(keys: &str) -> Vec<String> {
    keys.split_whitespace().map(str::to_owned).collect()
}

/// What a server that gives tokens notes of itself.
pub(crate) struct Wakeful {
    awake: Arc<Awake>,
    clock: Arc<dyn Clock>,
    note: Mutex<Note>,
    peers: Mutex<Peers>,
}

impl Wakeful {
    fn peers(&self) -> MutexGuard<'_, Peers> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From the next note on, the others know this server's keys by these names.
    pub(crate) fn publish_keys(&self, names: &[String]) {
        self.peers().keys = Some(names.join(" "));
    }

    /// Why this server gives way to the others that share the store, if it does.
    pub(crate) fn gives_way(&self) -> Option<String> {
        self.peers().gives_way.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Note> {
        self.note.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a time of being awake, after those that are remembered.
    pub(crate) async fn begin(
        awake: Arc<Awake>,
        clock: Arc<dyn Clock>,
        client: &Client,
    ) -> Result<Self, Error> {
        const FORGET: &str = "DELETE FROM awake WHERE until < $1 OR run IN \
             (SELECT run FROM awake ORDER BY until DESC OFFSET $2)";
        const EARLIER: &str = "SELECT since, until FROM awake";
        let now = clock.now().as_millisecond();
        let forgotten =
            client.execute(FORGET, &[&(now - millis(REMEMBERED_FOR)), &STRETCHES_MAX]).await;
        unless_read_only(forgotten.map(drop))?;
        let rows = client.query(EARLIER, &[]).await?;
        let earlier = rows.iter().map(stretch_of).collect();
        let note = Note { run: draw(client).await?, stretch: Stretch::begin(now) };
        // A database that takes no writes gives nothing out that would have to be remembered.
        unless_read_only(note.write(client, None).await)?;
        awake.begin(earlier, note.stretch);
        Ok(Self { awake, clock, note: Mutex::new(note), peers: Mutex::default() })
    }

    /// Notes that the server is awake; to be kept once that is committed.
    pub(crate) async fn write(&self, client: &Client) -> Result<Noted, Error> {
        // Others go on while this one hears nothing, and their clocks are not quite its own.
        const OTHERS: &str =
            "SELECT since, until, run, keys FROM awake WHERE run <> $1 AND until >= $2";
        let before = *self.lock();
        let heard_until = before.stretch.until - millis(CLOCK_SKEW_MAX);
        let others = client.query(OTHERS, &[&before.run, &heard_until]).await?;
        let stretch = before.stretch.at(self.clock.now().as_millisecond());
        let run = match stretch.is_after(before.stretch) {
            true => draw(client).await?,
            false => before.run,
        };
        let note = Note { run, stretch };
        let keys = self.peers().keys.clone();
        note.write(client, keys.as_deref()).await?;
        let other =
            |row: &Row| Other { run: row.get(2), stretch: stretch_of(row), keys: row.get(3) };
        Ok(Noted { note, others: others.iter().map(other).collect() })
    }

    /// Takes over a note that is committed.
    pub(crate) fn keep(&self, Noted { note, others }: Noted) {
        *self.lock() = note;
        self.peers().compare(note.stretch.since, &others);
        self.awake.beat(note.stretch);
        self.awake.learn(others.into_iter().map(|other| other.stretch));
    }
}

fn unless_read_only(written: Result<(), Error>) -> Result<(), Error> {
    match written {
        Err(error) if is_read_only(&error) => Ok(()),
        other => other,
    }
}

fn stretch_of(row: &Row) -> Stretch {
    Stretch { since: row.get(0), until: row.get(1) }
}

/// Every how many notes is looked for customers whom other servers have erased.
const LISTED_EVERY: u64 = 60;

struct Beating {
    target: Target,
    keeper: Arc<Keeper>,
    beats: AtomicU64,
}

impl Beating {
    async fn go_on(self, mut client: Option<Client>) {
        let mut tick = tokio::time::interval(BEAT_EVERY.unsigned_abs());
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut complained = false;
        loop {
            tick.tick().await;
            if client.as_ref().is_none_or(Client::is_closed) {
                client = self.connect().await;
            }
            // While the database is away, those who ask for something say so.
            let Some(connected) = &client else { continue };
            match self.beat(connected).await {
                Ok(()) => complained = false,
                Err(Refusal::Sql(error)) => {
                    tracing::debug!(error = explain(&error), "a note of being awake was not made");
                    client = None;
                }
                Err(refusal) => {
                    if !std::mem::replace(&mut complained, true) {
                        tracing::error!("{refusal}: a return to older data would go unnoticed");
                    }
                }
            }
        }
    }

    async fn connect(&self) -> Option<Client> {
        let client = self.target.connect_quietly().await.ok()?;
        match self.keeper.admit(&client).await {
            Ok(()) => Some(client),
            Err(refusal) => {
                tracing::debug!("{refusal}");
                None
            }
        }
    }

    async fn beat(&self, client: &Client) -> Result<(), Refusal> {
        // Commits that a standby has before they are answered survive its promotion.
        const ADVANCE: &str = "UPDATE progress SET position = position + 1, is_synchronous = \
             current_setting('synchronous_standby_names') <> '' \
             AND current_setting('synchronous_commit') IN ('on', 'remote_apply')";
        // A connection whose server was put back beneath it, behind a pooler.
        self.keeper.admit(client).await?;
        let note = self.keeper.write_awake(client).await?;
        client.execute(ADVANCE, &[]).await?;
        self.keeper.awake(note);
        self.keeper.remember(client).await?;
        match self.beats.fetch_add(1, Ordering::Relaxed) % LISTED_EVERY {
            0 => self.keeper.listed().take_over(client).await,
            _ => Ok(()),
        }
    }
}

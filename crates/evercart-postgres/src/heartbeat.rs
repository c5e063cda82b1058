//! Notes once a second, in the store, that it is awake and on which server's log it is, and outside
//! how far it has come.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use evercart_core::awake::{Awake, BEAT_EVERY, REMEMBERED_FOR, STRETCHES_MAX, Stretch};
use evercart_core::clock::Clock;
use evercart_core::token::CLOCK_SKEW_MAX;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error, Row};

use crate::connect::{Target, explain};
use crate::db::is_read_only;
use crate::life::{Keeper, Refusal, draw};
use crate::sign_in::millis;

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
    async fn write(self, client: &Client) -> Result<(), Error> {
        const WRITE: &str = "INSERT INTO awake (run, since, until) VALUES ($1, $2, $3) \
             ON CONFLICT (run) DO UPDATE SET since = excluded.since, until = excluded.until";
        let Stretch { since, until } = self.stretch;
        client.execute(WRITE, &[&self.run, &since, &until]).await.map(drop)
    }
}

/// A note that is written, and when others were awake since the one before.
pub(crate) struct Noted {
    note: Note,
    others: Vec<Stretch>,
}

/// What a server that gives tokens notes of itself.
pub(crate) struct Wakeful {
    awake: Arc<Awake>,
    clock: Arc<dyn Clock>,
    note: Mutex<Note>,
}

impl Wakeful {
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
        unless_read_only(note.write(client).await)?;
        awake.begin(earlier, note.stretch);
        Ok(Self { awake, clock, note: Mutex::new(note) })
    }

    /// Notes that the server is awake; to be kept once that is committed.
    pub(crate) async fn write(&self, client: &Client) -> Result<Noted, Error> {
        // Others go on while this one hears nothing, and their clocks are not quite its own.
        const OTHERS: &str = "SELECT since, until FROM awake WHERE run <> $1 AND until >= $2";
        let before = *self.lock();
        let heard_until = before.stretch.until - millis(CLOCK_SKEW_MAX);
        let others = client.query(OTHERS, &[&before.run, &heard_until]).await?;
        let stretch = before.stretch.at(self.clock.now().as_millisecond());
        let run = match stretch.is_after(before.stretch) {
            true => draw(client).await?,
            false => before.run,
        };
        let note = Note { run, stretch };
        note.write(client).await?;
        Ok(Noted { note, others: others.iter().map(stretch_of).collect() })
    }

    /// Takes over a note that is committed.
    pub(crate) fn keep(&self, Noted { note, others }: Noted) {
        *self.lock() = note;
        self.awake.beat(note.stretch);
        self.awake.learn(others);
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

//! Word of changed carts. Whoever changes one here says so after the commit; other processes (an
//! operator's command) cannot. So a thread looks at the watched carts once a second, while there
//! are any.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use evercart_core::clock::Clock;
use evercart_core::ids::UserId;
use evercart_core::signals::{CartSignals, CartWatch, CartWatchers};
use rusqlite::OptionalExtension;

use crate::Sqlite;
use crate::db::{self, Db, DbError, Result};

/// How often the watched carts are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl CartSignals for Sqlite {
    fn watch_cart(&self, user: UserId) -> CartWatch {
        self.signals.watch(user)
    }
}

pub(crate) struct Signals {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    watchers: Arc<CartWatchers>,
    looking: Mutex<Looking>,
}

/// The thread that looks. Started by the first watch: most stores that are opened have none.
enum Looking {
    NotYet,
    Looks(Sender<()>, JoinHandle<()>),
    Closed,
}

impl Signals {
    pub(crate) fn new(path: &Path, clock: Arc<dyn Clock>) -> Self {
        let looking = Mutex::new(Looking::NotYet);
        Self { path: path.to_owned(), clock, watchers: Arc::default(), looking }
    }

    fn watch(&self, user: UserId) -> CartWatch {
        let watch = self.watchers.watch(user);
        let mut looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*looking, Looking::NotYet)
            && let Some((stop, thread)) = self.start()
        {
            *looking = Looking::Looks(stop, thread);
        }
        watch
    }

    /// Says that a customer's cart or session may have been changed. After the commit.
    pub(crate) fn changed(&self, user: UserId) {
        self.watchers.tell(user);
    }

    pub(crate) fn close(&self) {
        let looking = {
            let mut looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *looking, Looking::Closed)
        };
        if let Looking::Looks(stop, thread) = looking {
            drop(stop);
            let _ = thread.join();
        }
    }

    fn start(&self) -> Option<(Sender<()>, JoinHandle<()>)> {
        let opened = db::open_for_reading(&self.path);
        let connection = opened.inspect_err(
            |error| tracing::warn!(%error, "watched carts are not looked at: no connection"),
        );
        let db = Db::new(connection.ok()?, Arc::clone(&self.clock));
        let (stop, stopped) = bounded(1);
        let watchers = Arc::clone(&self.watchers);
        let started = thread::Builder::new()
            .name("evercart-watch".into())
            .spawn(move || serve(&db, &stopped, &watchers));
        let thread = started
            .inspect_err(|error| tracing::warn!(%error, "watched carts are not looked at"))
            .ok()?;
        Some((stop, thread))
    }
}

fn serve(db: &Db, stopped: &Receiver<()>, watchers: &CartWatchers) {
    let mut seen = Seen::default();
    while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
        if watchers.is_empty() {
            seen = Seen::default();
        } else if let Err(error) = seen.look(db, watchers) {
            let error = error.into_store_error();
            tracing::debug!(%error, "the watched carts were not looked at");
        }
    }
}

/// What a change of a cart, a sign-out or a block moves.
type Version = (i64, i64, bool);

/// What was found at the last look.
#[derive(Default)]
struct Seen {
    /// SQLite's own count of what others have committed.
    commits: Option<i64>,
    versions: HashMap<UserId, Version>,
}

impl Seen {
    fn look(&mut self, db: &Db, watchers: &CartWatchers) -> Result<()> {
        const COMMITS: &str = "PRAGMA data_version";
        const VERSION: &str = "SELECT coalesce(c.version, 0), u.session_epoch, u.is_active \
             FROM users u LEFT JOIN carts c ON c.user_id = u.id WHERE u.id = ?1";
        let commits = Some(db.sql(COMMITS)?.query_row([], |row| row.get(0))?);
        let users = watchers.users();
        let is_known = |user| self.versions.contains_key(user);
        if commits == self.commits && users.iter().all(is_known) {
            return Ok(());
        }
        let mut statement = db.sql(VERSION)?;
        let mut found = HashMap::with_capacity(users.len());
        for user in users {
            let version = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let version: Option<Version> =
                statement.query_row([user.0], version).optional().map_err(DbError::from)?;
            // Of one that was not looked at before, it is not known what happened since the watch
            // began.
            if version.is_none() || self.versions.get(&user) != version.as_ref() {
                watchers.tell(user);
            }
            found.extend(version.map(|version| (user, version)));
        }
        (self.commits, self.versions) = (commits, found);
        Ok(())
    }
}

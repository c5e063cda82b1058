//! Moves the log's pages into the main file in the background, so that no commit has to.
//!
//! A passive checkpoint never makes anybody wait, but under an unbroken stream of commits the log
//! never gets to start over either. So when it has grown long the writer, between two commits, does
//! the little that is left and starts it over. After an erasure it empties the log: until then what
//! was erased is in there.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rusqlite::Connection;

use crate::db;
use crate::migrate::OpenError;

/// Often enough that each checkpoint is short.
const EVERY: Duration = Duration::from_millis(200);

/// Pages in the log (64 MiB) from which on the writer starts it over.
const LOG_PAGES_LONG: i64 = 16_384;

/// How long the writer waits for readers when it starts the log over. They read for microseconds;
/// a backup reads for longer, and then the log simply stays long for now.
const WAIT_FOR_READERS_MS: i64 = 20;

/// How long other processes are waited for otherwise, as `db::open_for_writing` sets it.
const WAIT_FOR_OTHERS_MS: i64 = 10_000;

pub(crate) struct Checkpointer {
    stop: Mutex<Option<Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    log_is_long: Arc<AtomicBool>,
}

/// How long the writer lets pass before it tries again to empty the log, while somebody reads what
/// is in there: each try makes others wait.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// The writer's end of it.
pub(crate) struct Watch {
    log_is_long: Arc<AtomicBool>,
    /// Somebody was erased, and is in the log; when it may be tried next to empty it.
    empties_at: Option<Instant>,
}

impl Checkpointer {
    pub(crate) fn start(path: &Path) -> Result<Self, OpenError> {
        let connection = db::open_for_writing(path)
            .map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })?;
        let (stop, stopped) = bounded(1);
        let log_is_long = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&log_is_long);
        let log = PathBuf::from(format!("{}-wal", path.display()));
        let thread = thread::Builder::new()
            .name("evercart-checkpoint".into())
            .spawn(move || serve(&connection, &log, &stopped, &flag))
            .map_err(|source| OpenError::Thread { path: path.to_owned(), source })?;
        Ok(Self { stop: Mutex::new(Some(stop)), thread: Mutex::new(Some(thread)), log_is_long })
    }

    pub(crate) fn watch(&self) -> Watch {
        Watch { log_is_long: Arc::clone(&self.log_is_long), empties_at: None }
    }

    pub(crate) fn close(&self) {
        drop(self.stop.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Watch {
    /// Somebody was erased: the log is emptied as soon as nobody reads what is in there.
    pub(crate) fn empty_the_log(&mut self) {
        self.empties_at.get_or_insert_with(Instant::now);
    }

    pub(crate) fn after_commit(&mut self, connection: &Connection) {
        let is_long = self.log_is_long.swap(false, Ordering::Relaxed);
        let empties = self.empties_at.is_some_and(|at| at <= Instant::now());
        if !is_long && !empties {
            return;
        }
        let mode = if empties { "TRUNCATE" } else { "RESTART" };
        let started_over = connection
            .pragma_update(None, "busy_timeout", WAIT_FOR_READERS_MS)
            .and_then(|()| checkpoint(connection, mode));
        match started_over {
            Ok(Checkpointed { is_complete, .. }) if empties => {
                self.empties_at = (!is_complete).then(|| Instant::now() + BETWEEN_TRIES);
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "the log could not be started over yet"),
        }
        if let Err(error) = connection.pragma_update(None, "busy_timeout", WAIT_FOR_OTHERS_MS) {
            tracing::warn!(%error, "busy_timeout could not be set");
        }
    }

    pub(crate) fn before_close(&self, connection: &Connection) {
        if let Err(error) = checkpoint(connection, "TRUNCATE") {
            // Harmless: the log is read again at the next start.
            tracing::warn!(%error, "the log could not be emptied");
        }
    }
}

fn serve(connection: &Connection, log: &Path, stop: &Receiver<()>, log_is_long: &AtomicBool) {
    let mut seen = None;
    while stop.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        // An idle shop's disk is left alone.
        let modified = std::fs::metadata(log).and_then(|metadata| metadata.modified()).ok();
        if modified == seen {
            continue;
        }
        seen = modified;
        match checkpoint(connection, "PASSIVE") {
            Ok(Checkpointed { pages, .. }) => {
                log_is_long.store(pages > LOG_PAGES_LONG, Ordering::Relaxed)
            }
            Err(error) => tracing::warn!(%error, "a checkpoint failed"),
        }
    }
}

/// What a checkpoint came to.
struct Checkpointed {
    /// Nobody was in its way.
    is_complete: bool,
    /// Pages in the log.
    pages: i64,
}

fn checkpoint(connection: &Connection, mode: &'static str) -> rusqlite::Result<Checkpointed> {
    let sql = match mode {
        "PASSIVE" => "PRAGMA wal_checkpoint(PASSIVE)",
        "RESTART" => "PRAGMA wal_checkpoint(RESTART)",
        _ => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    connection.query_row(sql, [], |row| {
        Ok(Checkpointed { is_complete: row.get::<_, i64>(0)? == 0, pages: row.get(1)? })
    })
}

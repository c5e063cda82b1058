//! Moves the log's pages into the main file in the background, so that no commit has to.
//!
//! A passive checkpoint never makes anybody wait, but under an unbroken stream of commits the log
//! never gets to start over either. So when it has grown long the writer, between two commits, does
//! the little that is left and starts it over.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

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

/// The writer's end of it.
pub(crate) struct Watch(Arc<AtomicBool>);

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
        Watch(Arc::clone(&self.log_is_long))
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
    pub(crate) fn after_commit(&self, connection: &Connection) {
        if self.0.swap(false, Ordering::Relaxed) {
            let started_over = connection
                .pragma_update(None, "busy_timeout", WAIT_FOR_READERS_MS)
                .and_then(|()| checkpoint(connection, "RESTART"));
            if let Err(error) = started_over {
                tracing::debug!(%error, "the log could not be started over yet");
            }
            if let Err(error) = connection.pragma_update(None, "busy_timeout", WAIT_FOR_OTHERS_MS) {
                tracing::warn!(%error, "busy_timeout could not be set");
            }
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
            Ok(pages) => log_is_long.store(pages > LOG_PAGES_LONG, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "a checkpoint failed"),
        }
    }
}

/// Returns the pages in the log.
fn checkpoint(connection: &Connection, mode: &'static str) -> rusqlite::Result<i64> {
    let sql = match mode {
        "PASSIVE" => "PRAGMA wal_checkpoint(PASSIVE)",
        "RESTART" => "PRAGMA wal_checkpoint(RESTART)",
        _ => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    connection.query_row(sql, [], |row| row.get(1))
}

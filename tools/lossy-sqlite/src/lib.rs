//! A disk that keeps nothing but what was synced, for SQLite: what a database, its log or its
//! journal is told to write stays in the memory of the process until the file is synced. So a
//! process that is killed with SIGKILL loses exactly what a machine loses whose power is cut, and
//! a forgotten sync is found by killing a process. Never shipped.
//!
//! A kernel keeps what a killed process had written, synced or not: without this disk no test that
//! kills can tell a commit that was synced from one that was not.
//!
//! What it does not lose: the making, deleting and naming of files, which reach the real directory
//! at once; the shared memory of the log's index, which every start makes anew; and temporary
//! files, which nobody expects to find again. All connections of one process see the writes of all
//! others, as on a real machine. Another process sees what was synced, and finds the index of a log
//! beside it that may know of more: where a program does not sync its commits, nobody else may look
//! at its database.
#![cfg(unix)]

mod file;
mod image;
mod real;
mod vfs;

/// Makes this disk the one on which SQLite opens every database of this process from now on.
///
/// # Panics
/// If SQLite does not take it, which it does not explain.
pub fn install() {
    vfs::register();
}

//! The disk under a real SQLite in a process of its own, which is killed with SIGKILL: what was
//! synced is there afterwards, and what was not is gone.
#![cfg(unix)]

mod killed;
mod process;
mod together;

//! What the program itself promises, apart from its HTTP API: the command line, configuration,
//! files, starting and stopping.

#[path = "../backend/sqlite.rs"]
mod backend;
#[path = "../harness/mod.rs"]
mod harness;

mod backup;
mod backup_checked;
mod backups_by_itself;
mod catalogue;
mod check;
mod command_line;
mod database;
mod demo;
mod import_killed;
mod keys;
mod old_backup;
mod owner;
mod personal_data;
mod postgres;
mod postgres_backup;
mod restore_decided;
mod serve;
mod transfer;

//! What the program itself promises, apart from its HTTP API: the command line, configuration,
//! files, starting and stopping.

#[path = "../harness/mod.rs"]
mod harness;

mod backup;
mod catalogue;
mod command_line;
mod demo;
mod keys;
mod serve;

//! The SQLite adapter as its users see it: the store's contract, and what is SQLite's own.

mod files;

//! The API from outside: requests into the router, statuses and bodies out, on real SQLite stores.

#![allow(missing_docs, clippy::unwrap_used)]

mod access;
mod account;
mod answered;
mod auth;
mod bad_input;
mod cart;
mod contract;
mod crowd;
mod docs;
mod edge;
mod errors;
mod examples;
mod exposition;
mod granted;
mod logs;
mod operating;
mod orders;
mod outbox;
mod products;
mod profile;
mod schema;
mod shop;
mod storefront;
mod sweep;
mod takeover;
mod wishlist;

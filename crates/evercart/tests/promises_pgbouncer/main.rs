//! The same promises, kept by two servers over one PostgreSQL behind a PgBouncer that lends its
//! connections by session; and what a server says of poolers that lend them otherwise.
//!
//! These are the promises that a connection could break that is not a server's own: what is kept,
//! what is told to others, what happens at the same moment. The rest is asked past the pooler.

#[path = "../backend/pgbouncer.rs"]
mod backend;
#[path = "../harness/mod.rs"]
mod harness;

#[path = "../promises/cart_events.rs"]
mod cart_events;
#[path = "../promises/catalogue_rows.rs"]
mod catalogue_rows;
#[path = "../promises/codes.rs"]
mod codes;
#[path = "../promises/concurrency.rs"]
mod concurrency;
#[path = "../promises/crowd.rs"]
mod crowd;
#[path = "../promises/currency.rs"]
mod currency;
#[path = "../promises/customer.rs"]
mod customer;
#[path = "../promises/durability.rs"]
mod durability;
#[path = "../promises/durability_ledger.rs"]
mod durability_ledger;
#[path = "../promises/endpoints.rs"]
mod endpoints;
#[path = "../promises/hang_ups.rs"]
mod hang_ups;
#[path = "../promises/idempotency.rs"]
mod idempotency;
#[path = "../promises/isolation.rs"]
mod isolation;
#[path = "../promises/limits.rs"]
mod limits;
#[path = "../promises/markets.rs"]
mod markets;
#[path = "../promises/money.rs"]
mod money;
#[path = "../promises/operating.rs"]
mod operating;
#[path = "../promises/outbox.rs"]
mod outbox;
mod poolers;
#[path = "../promises/rewind.rs"]
mod rewind;
#[path = "../promises/rewind_mark.rs"]
mod rewind_mark;
#[path = "../promises/scenario_expiry.rs"]
mod scenario_expiry;
#[path = "../promises/scenario_logout.rs"]
mod scenario_logout;
#[path = "../promises/scenario_week_away.rs"]
mod scenario_week_away;
#[path = "../promises/seed_walkthrough.rs"]
mod seed_walkthrough;
#[path = "../promises/sms_receiver.rs"]
mod sms_receiver;

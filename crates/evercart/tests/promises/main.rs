//! Evercart's promises, each in a file of its own, kept or broken by the real binary over HTTP.
//! What one crate alone can show is tested there, not here.

#[path = "../backend/sqlite.rs"]
mod backend;
#[path = "../harness/mod.rs"]
mod harness;

mod account;
mod attack_codes;
mod attack_headers;
mod attack_replays;
mod attack_timing;
mod attack_tokens;
mod bad_input;
mod bad_input_codes;
mod bad_input_http;
mod cart_events;
mod catalogue_rows;
mod codes;
mod codes_budgets;
mod concurrency;
mod crowd;
mod currency;
mod customer;
mod disk_full;
mod durability;
mod durability_ledger;
mod endpoints;
mod erased;
mod etag;
mod floods;
mod forge;
mod hang_ups;
mod idempotency;
mod isolation;
mod limits;
mod markets;
mod money;
mod noticed;
mod one_server;
mod operating;
mod operating_secrets;
mod operating_tls;
mod outbox;
mod overload;
mod rewind;
mod rewind_mark;
mod rewind_transfer;
mod scenario_expiry;
mod scenario_logout;
mod scenario_week_away;
mod seed_walkthrough;
mod sms_receiver;
mod stolen_token;
mod takeover;

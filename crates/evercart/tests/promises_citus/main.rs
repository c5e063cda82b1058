//! The same promises, kept by two servers over one Citus cluster: the modules are those of the
//! tests in `promises`, and every request goes to the other server than the one before it (U4). The
//! cluster runs already, and `EVERCART_TEST_CITUS_URL` names its coordinator.
//!
//! Left out is what is true of SQLite files only, as over one PostgreSQL, and what stops the
//! database's server (`faults`): the cluster is not the tests' own.

#[path = "../backend/citus.rs"]
mod backend;
#[path = "../harness/mod.rs"]
mod harness;

#[path = "../promises/account.rs"]
mod account;
#[path = "../promises/attack_codes.rs"]
mod attack_codes;
#[path = "../promises/attack_headers.rs"]
mod attack_headers;
#[path = "../promises/attack_replays.rs"]
mod attack_replays;
#[path = "../promises/attack_timing.rs"]
mod attack_timing;
#[path = "../promises/attack_tokens.rs"]
mod attack_tokens;
#[path = "../promises/bad_input.rs"]
mod bad_input;
#[path = "../promises/bad_input_codes.rs"]
mod bad_input_codes;
#[path = "../promises/bad_input_http.rs"]
mod bad_input_http;
#[path = "../promises/cart_events.rs"]
mod cart_events;
#[path = "../promises/catalogue_rows.rs"]
mod catalogue_rows;
#[path = "../promises/codes.rs"]
mod codes;
#[path = "../promises/codes_budgets.rs"]
mod codes_budgets;
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
#[path = "../promises/erased.rs"]
mod erased;
#[path = "../promises/etag.rs"]
mod etag;
#[path = "../promises/floods.rs"]
mod floods;
#[path = "../promises/forge.rs"]
mod forge;
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
#[path = "../promises/noticed.rs"]
mod noticed;
#[path = "../promises/operating.rs"]
mod operating;
#[path = "../promises/operating_secrets.rs"]
mod operating_secrets;
#[path = "../promises/operating_tls.rs"]
mod operating_tls;
#[path = "../promises/overload.rs"]
mod overload;
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
#[path = "../promises/stolen_token.rs"]
mod stolen_token;
#[path = "../promises/takeover.rs"]
mod takeover;

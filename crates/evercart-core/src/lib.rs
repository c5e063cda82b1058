//! What the shop's rules are: identities, money, phones, tokens, codes, and the contract of the
//! [`Store`](store::Store) that keeps carts, wishlists and orders.
//!
//! No I/O, no async runtime, no clock and no randomness of its own: time comes from a
//! [`Clock`](clock::Clock), randomness from the caller. HTTP and SQL live in other crates.

pub mod account;
pub mod address;
pub mod awake;
pub mod cart;
pub mod catalogue;
pub mod check;
pub mod clock;
pub mod code;
pub mod continuity;
pub mod copy;
pub mod error;
pub mod guard;
pub mod ids;
pub mod incarnation;
pub mod limits;
pub mod mark;
pub mod market;
pub mod money;
pub mod operator;
pub mod order;
pub mod outbox;
pub mod pasted;
pub mod peer;
pub mod phone;
pub mod search;
pub mod sign_in;
pub mod signals;
pub mod sms;
pub mod store;
pub mod sweep;
pub mod text;
pub mod token;
pub mod user;
pub mod wishlist;

//! The shop's HTTP API: which request means which operation of the store, and what its outcome
//! looks like as status and JSON. The rules are the core's, the data the store's.

mod abandoned;
mod account;
mod address;
mod admission;
mod body;
mod cart;
mod catalogue;
mod client_ip;
mod code;
mod connection;
mod connections;
mod docs;
mod edge;
mod exposition;
mod extract;
mod guard;
mod guesses;
mod gzip;
mod header_list;
mod html;
mod json;
mod key_ring;
mod market;
mod metrics;
mod noticed;
mod openapi;
mod operating;
mod order;
mod origin;
mod outbox;
mod phone;
mod phone_change;
mod problem;
mod query;
mod routes;
mod sign_in;
mod storefront;
mod streams;
mod sweep;
mod tally;
mod user;
mod wishlist;

use std::sync::Arc;
use std::time::Duration;

use evercart_core::clock::Clock;
use evercart_core::code::{Code, Hasher};
use evercart_core::market::{Market, MarketName};
use evercart_core::phone::Phone;
use evercart_core::sms::SmsSender;
use evercart_core::store::Store;
use evercart_core::token::TokenKeys;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use abandoned::Abandoned;
pub use account::Exports;
pub use admission::Admission;
pub use connection::Connection;
pub use connections::{ConnectionRefused, Connections, OpenConnection};
pub use guesses::Guesses;
pub use key_ring::KeyRing;
pub use metrics::Metrics;
pub use noticed::Noticed;
pub use openapi::openapi_json;
pub use outbox::{OutboxSender, send_messages};
pub use routes::{internal_router, router};
pub use streams::Streams;
pub use sweep::sweep;

/// Everything the API needs to answer, made once by the program.
pub struct Shop {
    /// The markets in their configured order. Names are distinct.
    pub markets: Vec<ShopMarket>,
    /// The market of a request that names none; one of `markets`.
    pub default_market: Option<MarketName>,
    /// What signs and verifies tokens.
    pub keys: KeyRing,
    /// What hashes codes, phones and addresses before the store sees them.
    pub hasher: Hasher,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What delivers sign-in codes.
    pub sms: Arc<dyn SmsSender>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How often codes are sent and tried.
    pub limits: Limits,
    /// What was noticed of the shop's surroundings.
    pub noticed: Noticed,
    /// What is remembered of guessing at codes.
    pub guesses: Guesses,
    /// How long a token is good for.
    pub token_lifetime: SignedDuration,
    /// How long the former phone can stop a change of phone; zero for no hold.
    pub phone_change_hold: SignedDuration,
    /// Phones with codes of their own, accepted without being sent.
    pub test_phones: Vec<TestPhone>,
    /// A demo says its codes in the answer and limits no sending.
    pub demo: bool,
    /// Peers whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Origins whose pages may call this API from a browser; `*` for any. Empty: none.
    pub cors_origins: Vec<String>,
    /// How many requests are at work at once.
    pub admission: Arc<Admission>,
    /// The changes that run on though their clients hung up.
    pub abandoned: Arc<Abandoned>,
    /// How the sender of messages is told of new ones.
    pub outbox: OutboxSender,
    /// The connections to the public listener that are open.
    pub connections: Arc<Connections>,
    /// The streams of events that are open.
    pub streams: Arc<Streams>,
    /// The copies of everything that are being read.
    pub exports: Arc<Exports>,
    /// For how long browsers are told to come by HTTPS only; `None` if the public listener is
    /// plain.
    pub strict_transport: Option<Duration>,
    /// How long a request may take before it is answered with 503.
    pub request_timeout: Duration,
    /// The demo's pictures (SVG), by their name under `/demo/images/`.
    pub pictures: fn(&str) -> Option<&'static [u8]>,
    /// The files of the pages at `/shop`, by their path below it; beside `NAME` there may be
    /// `NAME.gz`. Without an `index.html` there is no shop to see.
    pub storefront: fn(&str) -> Option<&'static [u8]>,
}

impl Shop {
    /// Puts other keys in force, for all requests that begin from now on and for all open streams.
    pub fn replace_keys(&self, keys: TokenKeys) {
        self.keys.replace(keys);
        self.streams.wake_all();
    }

    /// The market called `name`, whatever its case.
    fn market(&self, name: &str) -> Option<usize> {
        self.markets.iter().position(|at| at.market.name.as_str().eq_ignore_ascii_case(name))
    }
}

/// A market with the store that keeps its data.
pub struct ShopMarket {
    /// What there is to know of it.
    pub market: Market,
    /// Where its data is.
    pub store: Arc<dyn Store>,
}

/// How often sign-in codes may be sent and tried.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a code is good for.
    pub code_lifetime: SignedDuration,
    /// Wrong codes before a phone has to wait.
    pub attempts_per_code: u32,
    /// The least time between two codes to one phone while the first is good.
    pub resend_after: SignedDuration,
    /// Codes to one phone in each `phone_window`.
    pub sends_per_phone: u32,
    /// See `sends_per_phone`.
    pub phone_window: SignedDuration,
    /// Codes asked for from one address in an hour.
    pub sends_per_ip_hour: u32,
    /// Codes to one country calling code in an hour.
    pub sends_per_prefix_hour: u32,
    /// Codes in one market in an hour.
    pub sends_per_market_hour: u32,
    /// Wrong codes from one address in an hour.
    pub failures_per_ip_hour: u32,
    /// Wrong codes in one market in an hour.
    pub failures_per_market_hour: u32,
}

/// A phone that signs in with fixed codes, which are never sent, and does nothing else.
#[derive(Debug, Clone)]
pub struct TestPhone {
    /// The phone.
    pub phone: Phone,
    /// Its codes.
    pub codes: Vec<Code>,
    /// The last day, in UTC; afterwards it is an ordinary phone. `None` for no end.
    pub until: Option<Date>,
}

impl TestPhone {
    /// True until the end of its last day.
    pub fn is_in_use(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|last| TimeZone::UTC.to_datetime(now).date() <= last)
    }
}

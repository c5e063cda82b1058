//! The settings: `evercart.toml`, then the environment, then flags, resolved into typed values or
//! refused with the place, what was found and what was expected.

mod backup;
mod database;
mod keys;
mod layers;
mod market;
mod print;
mod read;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use evercart_core::limits::{CustomerLimits, NO_LIMIT, ORDERS_LOOKED_AT};
use evercart_core::market::{Market, MarketName};
use evercart_http::{Limits, TestPhone};
use ipnet::IpNet;
use jiff::SignedDuration;

use crate::cli::Everywhere;
use crate::failure::Failure;
use read::Reader;

pub use backup::Backup;
pub use database::{Databases, is_url};
pub use layers::Layers;
pub use print::{defaults, effective};

/// Everything the program is told.
#[derive(Debug)]
pub struct Settings {
    /// `[server]`
    pub server: Server,
    /// `[storage]`
    pub storage: Storage,
    /// `[auth]`
    pub auth: Auth,
    /// `[limits]`
    pub limits: CustomerLimits,
    /// True if somebody set one of them: a demo has none otherwise.
    pub limits_are_wanted: bool,
    /// `[sms]`
    pub sms: Sms,
    /// `[log]`
    pub log: Log,
    /// `[backup]`; `None` if the server takes none by itself.
    pub backup: Option<Backup>,
    /// `[markets.NAME]`, those that are enabled.
    pub markets: Vec<Market>,
    /// `default_market`, one of `markets`.
    pub default_market: Option<MarketName>,
}

/// Where and how requests are taken.
#[derive(Debug)]
pub struct Server {
    /// The public listener.
    pub listen: SocketAddr,
    /// The listener for `/metrics`; `None` if off.
    pub internal_listen: Option<SocketAddr>,
    /// True if somebody asked for `internal_listen`; the default gives way when its port is taken.
    pub internal_listen_is_wanted: bool,
    /// Certificate chain and private key, PEM.
    pub tls: Option<TlsFiles>,
    /// Origins that browsers may call from.
    pub cors_origins: Vec<String>,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The most requests at work at once.
    pub requests_max: usize,
    /// The most streams of events open at once.
    pub streams_max: usize,
    /// The most connections open at once.
    pub connections_max: usize,
    /// The most connections from one address.
    pub connections_per_address_max: usize,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How long a client may take nothing of an answer.
    pub send_timeout: Duration,
    /// For how long browsers are told to come by HTTPS only.
    pub hsts_max_age: Duration,
    /// How long a stop waits for requests that run.
    pub grace: Duration,
}

/// What HTTPS needs.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate chain.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Where and how data is kept.
#[derive(Debug)]
pub struct Storage {
    /// The data directory.
    pub data: PathBuf,
    /// The file with the keys.
    pub keys: PathBuf,
    /// The file with the keys was named: it is brought here by somebody, and not made.
    pub keys_are_brought: bool,
    /// The file that says how far the data had come; `None` is in the data directory.
    pub mark_file: Option<PathBuf>,
    /// The markets that are in PostgreSQL.
    pub databases: Databases,
    /// Whom to believe that a database server is the right one; `None` is the system's list.
    pub database_ca: Option<PathBuf>,
    /// The databases are coordinators of Citus clusters, over which the markets are spread.
    pub distributed: bool,
    /// Years after which orders of erased customers are deleted; `None` keeps them.
    pub books_years: Option<usize>,
    /// The most operations in one commit; `None` is the store's own default.
    pub batch_max: Option<usize>,
    /// The most operations waiting.
    pub queue_max: usize,
    /// What reads, a market; `None` is the store's own default.
    pub readers: Option<usize>,
    /// Connections that change carts, a market.
    pub writers: usize,
    /// Connections for everything else, a market.
    pub pool: usize,
}

/// How customers sign in.
#[derive(Debug)]
pub struct Auth {
    /// How long a token is good for.
    pub token_lifetime: SignedDuration,
    /// `iss` of every token.
    pub issuer: String,
    /// How often codes may be sent and tried.
    pub limits: Limits,
    /// How long the former phone can stop a change of phone; zero for no hold.
    pub phone_change_hold: SignedDuration,
    /// Phones with fixed codes.
    pub test_phones: Vec<TestPhone>,
}

/// Who delivers messages. `Debug` hides the secrets.
#[derive(Clone)]
pub enum Sms {
    /// The log, for development.
    Log,
    /// Somebody's HTTP endpoint.
    Webhook {
        /// Where to post.
        url: String,
        /// What signs the post, decoded.
        secret: Vec<u8>,
    },
    /// Twilio's REST API.
    Twilio {
        /// Its address, without a slash at the end.
        url: String,
        /// Whose account.
        account_sid: String,
        /// The account's auth token.
        auth_token: String,
        /// The sending number or messaging service.
        from: String,
    },
}

impl fmt::Debug for Sms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sms::Log => "Log",
            Sms::Webhook { .. } => "Webhook",
            Sms::Twilio { .. } => "Twilio",
        })
    }
}

/// What is logged and how.
#[derive(Debug)]
pub struct Log {
    /// One JSON object a line instead of text for people.
    pub json: bool,
    /// A level, or directives of tracing's `EnvFilter`.
    pub level: String,
}

/// Reads file, environment and flags. `listen` is `serve`'s flag.
pub fn load(everywhere: &Everywhere, listen: Option<&str>) -> Result<(Settings, Layers), Failure> {
    let layers = Layers::read(everywhere, listen)?;
    let settings = resolve(&layers)?;
    Ok((settings, layers))
}

pub(crate) fn resolve(layers: &Layers) -> Result<Settings, Failure> {
    let read = Reader::new(layers);
    let markets = market::all(&read)?;
    Ok(Settings {
        server: server(&read)?,
        storage: storage(&read)?,
        auth: auth(&read)?,
        limits: limits(&read)?,
        limits_are_wanted: LIMITS.iter().any(|key| read.given(key)),
        sms: sms(&read)?,
        log: Log {
            json: read.choice("log.format", &["human", "json"])? == "json",
            level: read.checked(
                "log.level",
                "a level such as info, or directives such as \
                info,evercart_http=debug",
                |text| crate::telemetry::filter(text).map(|_| text.to_owned()),
            )?,
        },
        backup: backup::read(&read)?,
        default_market: market::default(&read, &markets)?,
        markets,
    })
}

const LIMITS: [&str; 5] = [
    "limits.cart_changes_per_hour",
    "limits.changes_per_hour",
    "limits.orders_per_hour",
    "limits.open_orders",
    "limits.open_pieces",
];

fn limits(read: &Reader<'_>) -> Result<CustomerLimits, Failure> {
    let most = |key, highest| match read.number(key, 0..=highest)? {
        0 => Ok(NO_LIMIT),
        most => Ok(most),
    };
    let [cart_changes, changes, orders, open_orders, open_pieces] = LIMITS;
    Ok(CustomerLimits {
        cart_changes_per_hour: most(cart_changes, 1_000_000)?,
        changes_per_hour: most(changes, 1_000_000)?,
        orders_per_hour: most(orders, ORDERS_LOOKED_AT)?,
        open_orders: most(open_orders, ORDERS_LOOKED_AT)?,
        open_pieces: most(open_pieces, 1_000_000)?,
    })
}

fn storage(read: &Reader<'_>) -> Result<Storage, Failure> {
    let count = |path, most| match read.given(path) {
        true => read.count(path, 1..=most).map(Some),
        false => Ok(None),
    };
    let data = PathBuf::from(read.text("storage.data")?);
    let keys_file = read.optional_text("storage.keys_file")?.map(PathBuf::from);
    Ok(Storage {
        keys: keys_file.clone().unwrap_or_else(|| crate::keys::path(&data)),
        keys_are_brought: keys_file.is_some(),
        data,
        mark_file: read.optional_text("storage.mark_file")?.map(PathBuf::from),
        databases: Databases::read(read)?,
        database_ca: read.optional_text("storage.database_ca")?.map(PathBuf::from),
        distributed: read.boolean("storage.distributed")?,
        books_years: count("storage.books_years", 100)?,
        batch_max: count("storage.batch_max", 65_536)?,
        queue_max: read.count("storage.queue_max", 1..=1_000_000)?,
        readers: count("storage.readers", 256)?,
        writers: read.count("storage.writers", 1..=256)?,
        pool: read.count("storage.pool", 1..=1_000)?,
    })
}

fn server(read: &Reader<'_>) -> Result<Server, Failure> {
    let address = "an address with a port such as 127.0.0.1:8080";
    let internal = "an address with a port such as 127.0.0.1:9464, or off";
    Ok(Server {
        listen: read.checked("server.listen", address, |text| text.parse().ok())?,
        internal_listen: read.checked("server.internal_listen", internal, |text| match text {
            "off" => Some(None),
            address => address.parse().ok().map(Some),
        })?,
        internal_listen_is_wanted: read.given("server.internal_listen"),
        tls: tls(read)?,
        cors_origins: read.list(
            "server.cors_origins",
            "origins such as https://shop.example, without a path, or *",
            origin,
        )?,
        trusted_proxies: read.list(
            "server.trusted_proxies",
            "addresses or networks such as 10.0.0.0/8",
            |text| text.parse().ok().or_else(|| text.parse::<IpAddr>().map(IpNet::from).ok()),
        )?,
        requests_max: read.count("server.requests_max", 1..=1_000_000)?,
        streams_max: read.count("server.streams_max", 0..=1_000_000)?,
        connections_max: read.count("server.connections_max", 1..=1_000_000)?,
        connections_per_address_max: read
            .count("server.connections_per_address_max", 1..=1_000_000)?,
        request_timeout: read.duration("server.request_timeout")?.unsigned_abs(),
        send_timeout: read.duration("server.send_timeout")?.unsigned_abs(),
        hsts_max_age: read.duration_or_none("server.hsts_max_age")?.unsigned_abs(),
        grace: read.duration("server.grace")?.unsigned_abs(),
    })
}

fn origin(text: &str) -> Option<String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_origin = host.is_some_and(|host| {
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b))
    });
    (text == "*" || is_origin).then(|| text.to_owned())
}

fn tls(read: &Reader<'_>) -> Result<Option<TlsFiles>, Failure> {
    let cert = read.optional_text("server.tls_cert")?.map(PathBuf::from);
    let key = read.optional_text("server.tls_key")?.map(PathBuf::from);
    match (cert, key) {
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
        (None, None) => Ok(None),
        (cert, _) => {
            let (set, missing) = match cert {
                Some(_) => ("server.tls_cert", "server.tls_key"),
                None => ("server.tls_key", "server.tls_cert"),
            };
            Err(read.missing(missing, &format!("a file, because {set} is set")))
        }
    }
}

fn auth(read: &Reader<'_>) -> Result<Auth, Failure> {
    let count = |key| read.number(key, 1..=1_000_000);
    let key = |name: &str| format!("auth.limits.{name}");
    Ok(Auth {
        token_lifetime: read.duration("auth.token_lifetime")?,
        issuer: read.checked("auth.issuer", "1 to 200 characters", |text| {
            (1..=200).contains(&text.len()).then(|| text.to_owned())
        })?,
        limits: Limits {
            code_lifetime: read.duration(&key("code_lifetime"))?,
            attempts_per_code: count(&key("attempts_per_code"))?,
            resend_after: read.duration_or_none(&key("resend_after"))?,
            sends_per_phone: count(&key("sends_per_phone"))?,
            phone_window: read.duration(&key("phone_window"))?,
            sends_per_ip_hour: count(&key("sends_per_ip_hour"))?,
            sends_per_prefix_hour: count(&key("sends_per_prefix_hour"))?,
            sends_per_market_hour: count(&key("sends_per_market_hour"))?,
            failures_per_ip_hour: count(&key("failures_per_ip_hour"))?,
            failures_per_market_hour: count(&key("failures_per_market_hour"))?,
        },
        phone_change_hold: read.duration_or_none("auth.phone_change_hold")?,
        test_phones: read.test_phones("auth.test_phones")?,
    })
}

fn sms(read: &Reader<'_>) -> Result<Sms, Failure> {
    let provider = read.choice("sms.provider", &["log", "webhook", "twilio"])?;
    let needed = |key: &str, what: &str| {
        let given = read.optional_text(key)?;
        given.ok_or_else(|| {
            read.missing(key, &format!("{what}, because sms.provider is {provider}"))
        })
    };
    let secret = |what: &str| {
        let given = read.secret("sms.secret")?;
        given.ok_or_else(|| {
            read.missing("sms.secret", &format!("{what}, because sms.provider is {provider}"))
        })
    };
    let url = || {
        read.optional_checked("sms.url", "a URL such as https://sms.example/send", |text| {
            let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
            (!host.is_empty()).then(|| text.trim_end_matches('/').to_owned())
        })
    };
    match provider.as_str() {
        "webhook" => Ok(Sms::Webhook {
            url: match url()? {
                Some(url) => url,
                None => needed("sms.url", "the address to post to")?,
            },
            secret: {
                let expected = "whsec_ and 24 to 64 bytes in base64, as Standard Webhooks asks for";
                let secret = secret("the signing secret")?;
                let decoded = crate::sms::webhook::decode_secret(&secret);
                decoded.ok_or_else(|| read.wrong_secret("sms.secret", expected))?
            },
        }),
        "twilio" => Ok(Sms::Twilio {
            url: url()?.unwrap_or_else(|| "https://api.twilio.com".to_owned()),
            account_sid: needed("sms.account_sid", "Twilio's account SID")?,
            auth_token: secret("Twilio's auth token")?,
            from: needed("sms.from", "the sending number or messaging service SID")?,
        }),
        _ => Ok(Sms::Log),
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

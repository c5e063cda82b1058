//! How connections to the server are made: whom to call, and over TLS or not. What they are set to
//! is `session`'s business, and what is said over them that of the other files.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use evercart_core::market::MarketName;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::{Client, Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::OpenError;
use crate::life::Keeper;
use crate::outage::Outage;
use crate::session::{self, HOT, HOT_DISTRIBUTED, PATIENT, Settings};

/// How long one attempt to connect may take. Less than a request may take.
pub(crate) const CONNECT_MAX: Duration = Duration::from_secs(5);

/// The default port of PostgreSQL.
const PORT: u16 = 5432;

/// A market's place in a server.
#[derive(Clone)]
pub(crate) struct Target {
    config: Config,
    tls: MakeRustlsConnect,
    outage: Arc<Outage>,
    /// The market's schema.
    pub(crate) schema: String,
    /// The server and database for people; without the password.
    pub(crate) place: String,
    /// The market is spread over a Citus cluster.
    pub(crate) distributed: bool,
    /// Looks at each new connection before it is used.
    pub(crate) keeper: Option<Arc<Keeper>>,
}

impl Target {
    /// Reads a URL such as `postgres://shop@db.example/shop`.
    ///
    /// TLS with a verified certificate is the rule; without `sslmode` in the URL it is left out on
    /// a Unix socket and on loopback only. `ca` is a PEM file of authorities to trust instead of
    /// the system's.
    pub(crate) fn new(
        url: &str,
        market: &MarketName,
        ca: Option<&Path>,
    ) -> Result<Self, OpenError> {
        let unusable = |why: String| OpenError::Url { why };
        let url = with_plain_user(url);
        let (url, says_mode) = with_known_mode(&url).map_err(|why| unusable(why.into()))?;
        let mut config = Config::from_str(&url).map_err(|source| unusable(explain(&source)))?;
        if config.get_hosts().is_empty() {
            return Err(unusable("it names no host".into()));
        }
        if !says_mode {
            let is_local = config.get_hosts().iter().all(is_local);
            config.ssl_mode(if is_local { SslMode::Disable } else { SslMode::Require });
        }
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => tls(RootCertStore::empty()),
            _ => tls(roots(ca)?),
        };
        // A dash is allowed in a market's name but would have to be quoted in a schema's; an
        // underscore is not allowed in a market's name, so two markets never share a schema.
        let schema = format!("evercart_{}", market.as_str().replace('-', "_"));
        let place = place(&config);
        config
            .application_name(format!("evercart {market}"))
            .connect_timeout(CONNECT_MAX)
            .keepalives_idle(Duration::from_secs(30))
            .tcp_user_timeout(Duration::from_secs(15))
            // Of several hosts, and after a failover, the one that takes writes.
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        let outage = Arc::new(Outage::of(&place));
        Ok(Self { config, tls, outage, schema, place, distributed: false, keeper: None })
    }

    /// Server, database and schema, for people.
    pub(crate) fn place(&self) -> String {
        format!("{} schema {}", self.place, self.schema)
    }

    /// What everybody knows who connects to this server.
    pub(crate) fn outage(&self) -> Arc<Outage> {
        Arc::clone(&self.outage)
    }

    /// What its connections are set to.
    pub(crate) fn settings(&self) -> Settings {
        Settings::of(&self.schema)
    }

    /// As [`Target::settings`], of those that run the hot path.
    pub(crate) fn hot_settings(&self) -> Settings {
        self.settings().and(if self.distributed { HOT_DISTRIBUTED } else { HOT })
    }

    /// What a pool of connections is told; it connects by [`Target::connect`].
    pub(crate) fn config(&self) -> Config {
        self.config.clone()
    }

    /// The first connection to a database, for a look: nothing is set, so the market's schema has
    /// to be named. Refuses a pooler that lends its connections by transaction.
    pub(crate) async fn connect_plainly(&self) -> Result<Client, ConnectError> {
        let client = drive(self.connect_in_time().await?);
        let mut other = self.clone();
        // Nobody who counts the market's connections means this one.
        other.config.application_name("evercart compares");
        let other = drive(other.connect_in_time().await?);
        in_time(session::refuse_shared(&client, &other)).await?;
        Ok(client)
    }

    /// The same for [patient work](Target::connect_patiently).
    pub(crate) async fn connect_first(&self) -> Result<Client, ConnectError> {
        let client = self.connect_plainly().await?;
        in_time(self.settings().and(PATIENT).make(&client)).await?;
        Ok(client)
    }

    /// For work that takes as long as it takes: migrations, checks, copies.
    pub(crate) async fn connect_patiently(&self) -> Result<Client, ConnectError> {
        self.connect_set(self.settings().and(PATIENT)).await
    }

    /// For notifications that are sent.
    pub(crate) async fn connect_quietly(&self) -> Result<Client, ConnectError> {
        self.connect_set(self.settings()).await
    }

    async fn connect_set(&self, settings: Settings) -> Result<Client, ConnectError> {
        let client = drive(self.connect_in_time().await?);
        in_time(settings.make(&client)).await?;
        Ok(client)
    }

    /// For the hot path, whose tasks move the bytes themselves and make the settings. Fails at once
    /// while the server is known to be away; says why.
    pub(crate) async fn connect_hot(&self) -> Result<Connected, String> {
        let connecting = async { self.connect_in_time().await.map_err(|error| error.to_string()) };
        self.outage.attempt(connecting).await
    }

    /// A connection whose driver the caller runs, to hear of notifications, and on which it makes
    /// the settings.
    pub(crate) async fn connect_listening(&self) -> Result<Connected, ConnectError> {
        self.connect_in_time().await
    }

    async fn connect_in_time(&self) -> Result<Connected, ConnectError> {
        in_time(async { self.connect().await.map_err(ConnectError::Refused) }).await
    }

    /// A connection to the server that takes writes. Where there is none, one that only reads: a
    /// role or a database can be told to. A standby is refused when the settings are made.
    pub(crate) async fn connect(&self) -> Result<Connected, tokio_postgres::Error> {
        match self.config.connect(self.tls.clone()).await {
            Err(error) if takes_no_writes(&error) => {
                let mut config = self.config.clone();
                config.target_session_attrs(TargetSessionAttrs::Any);
                config.connect(self.tls.clone()).await
            }
            outcome => outcome,
        }
    }
}

async fn in_time<T>(
    connecting: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    let outcome = tokio::time::timeout(CONNECT_MAX, connecting).await;
    outcome.unwrap_or(Err(ConnectError::Silent))
}

/// No server was found whose sessions take writes.
fn takes_no_writes(error: &tokio_postgres::Error) -> bool {
    use std::error::Error;
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    source.is_some_and(|source| source.kind() == std::io::ErrorKind::PermissionDenied)
}

type TlsStream = <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream;

/// What moves a client's bytes.
pub(crate) type Connection = tokio_postgres::Connection<Socket, TlsStream>;

/// A client and what moves its bytes.
pub(crate) type Connected = (Client, Connection);

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// The server, or the way there, said no.
    Refused(tokio_postgres::Error),
    /// Nothing was heard.
    Silent,
    /// What is said over it reaches now one, now another connection of the server; how that shows.
    Shared(String),
    /// The server follows another one.
    Standby,
}

impl std::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ConnectError::Refused(error) => f.write_str(&explain(error)),
            ConnectError::Silent => write!(f, "no answer within {} s", CONNECT_MAX.as_secs()),
            ConnectError::Shared(how) => {
                write!(f, "a pooler lends its connections by transaction: {how}")
            }
            ConnectError::Standby => {
                f.write_str("the database does not allow writes: it is a standby")
            }
        }
    }
}

/// Moves the connection's bytes until it is closed. Whoever uses the client is told of its errors.
fn drive((client, connection): Connected) -> Client {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(error = explain(&error), "a connection to the database was lost");
        }
    });
    client
}

/// An error with its causes in one line: the client's own text leaves out what the server said.
pub(crate) fn explain(error: &tokio_postgres::Error) -> String {
    use std::error::Error;
    if let Some(said) = error.as_db_error() {
        return match said.detail() {
            Some(detail) => format!("{} ({}; {detail})", said.message(), said.code().code()),
            None => format!("{} ({})", said.message(), said.code().code()),
        };
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}

/// The URL with each `@` of its user and password encoded: else what comes after the first one
/// would be taken for the server's name, and shown as such.
fn with_plain_user(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
    let Some((user, _)) = authority.rsplit_once('@') else { return url.into() };
    if !user.contains('@') {
        return url.into();
    }
    format!("{scheme}://{}{}", user.replace('@', "%40"), &rest[user.len()..]).into()
}

/// The URL with an `sslmode` that the client knows, and whether it has any. What others call
/// `verify-full` is what `require` is here.
fn with_known_mode(url: &str) -> Result<(String, bool), &'static str> {
    const BY_NAME: &str = "sslmode=";
    let Some((before, parameters)) = url.split_once('?') else {
        return Ok((url.to_owned(), url.contains(BY_NAME)));
    };
    let mut says_mode = false;
    let mut known = Vec::new();
    for parameter in parameters.split('&') {
        let mode = parameter.strip_prefix(BY_NAME);
        says_mode |= mode.is_some();
        known.push(match mode {
            Some("verify-full") => "sslmode=require",
            Some("verify-ca") => {
                return Err("sslmode=verify-ca does not look for whom the certificate is: write \
                    sslmode=verify-full, or leave it out, which means the same");
            }
            Some("prefer" | "allow") => {
                return Err(
                    "sslmode=prefer and allow send the password to whoever answers: write \
                    sslmode=verify-full, or sslmode=disable on a network that nobody else can read",
                );
            }
            _ if parameter.starts_with("sslrootcert=") => {
                return Err("sslrootcert is set elsewhere: name the file in storage.database_ca, \
                    and leave it out if the system's authorities are meant");
            }
            _ => parameter,
        });
    }
    Ok((format!("{before}?{}", known.join("&")), says_mode))
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn place(config: &Config) -> String {
    let ports = config.get_ports();
    let mut hosts = Vec::new();
    for (index, host) in config.get_hosts().iter().enumerate() {
        let port = ports.get(index).or(ports.first()).copied().unwrap_or(PORT);
        hosts.push(match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            #[cfg(unix)]
            Host::Unix(directory) => format!("{}:{port}", directory.display()),
        });
    }
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("{}/{database}", hosts.join(","))
}

fn tls(roots: RootCertStore) -> MakeRustlsConnect {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has what the default versions need")
        .with_root_certificates(roots)
        .with_no_client_auth();
    MakeRustlsConnect::new(config)
}

/// The authorities whose word on the server's certificate counts.
fn roots(ca: Option<&Path>) -> Result<RootCertStore, OpenError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca else {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        return match added {
            0 => Err(OpenError::NoAuthorities),
            _ => Ok(roots),
        };
    };
    let failed = |why: String| OpenError::Ca { path: PathBuf::from(path), why };
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        roots.add(certificate).map_err(|error| failed(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(failed("it holds no certificate".into())),
        false => Ok(roots),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::new(url, &MarketName::new("us").expect("a name"), None).expect(url)
    }

    #[test]
    fn a_market_has_a_schema_of_its_own() {
        let name = MarketName::new("us-west").expect("a name");
        let target = Target::new("postgres://shop@localhost/shop", &name, None).expect("a URL");
        assert_eq!(target.schema, "evercart_us_west");
    }

    #[test]
    fn what_is_shown_of_a_url_has_no_password() {
        let target = target("postgres://shop:secret@localhost:5433/orders");
        assert_eq!(target.place, "localhost:5433/orders");
    }

    #[test]
    fn an_at_sign_in_a_password_is_no_part_of_the_servers_name() {
        for url in ["postgres://shop:p@ss@localhost/x", "postgres://shop:p%40ss@localhost/x"] {
            let target = target(url);
            assert_eq!(target.place, "localhost:5432/x", "{url}");
            assert_eq!(target.config.get_password(), Some(&b"p@ss"[..]), "{url}");
        }
        assert_eq!(target("postgres://shop@localhost/x@y").config.get_user(), Some("shop"));
    }

    #[test]
    fn only_a_server_on_this_machine_is_called_without_tls() {
        for url in ["postgres://a@127.0.0.1/b", "postgres://a@localhost/b", "host=/run/pg user=a"] {
            assert_eq!(target(url).config.get_ssl_mode(), SslMode::Disable, "{url}");
        }
        let remote = target("postgres://a@db.example/b").config.get_ssl_mode();
        assert_eq!(remote, SslMode::Require);
        let told = target("postgres://a@db.example/b?sslmode=disable").config.get_ssl_mode();
        assert_eq!(told, SslMode::Disable);
    }

    #[test]
    fn a_verified_connection_is_asked_for_as_providers_write_it() {
        let full = target("postgres://a@db.example/b?sslmode=verify-full&connect_timeout=9");
        assert_eq!(full.config.get_ssl_mode(), SslMode::Require);
        let local = target("postgres://a@127.0.0.1/b?sslmode=verify-full");
        assert_eq!(local.config.get_ssl_mode(), SslMode::Require, "it is asked for");
        let name = MarketName::new("us").expect("a name");
        for (parameter, remedy) in [
            ("sslmode=verify-ca", "sslmode=verify-full"),
            ("sslmode=prefer", "sslmode=verify-full"),
            ("sslmode=allow", "sslmode=disable"),
            ("sslrootcert=ca.pem", "storage.database_ca"),
        ] {
            let url = format!("postgres://a:sesame@db.example/b?{parameter}");
            let error = Target::new(&url, &name, None).err().expect("refused").to_string();
            assert!(error.contains(remedy) && !error.contains("sesame"), "{error}");
        }
    }
}

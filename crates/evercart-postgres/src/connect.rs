//! How connections to the server are made: whom to call, over TLS or not, and with which settings.
//! What is said over them is the other files' business.

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

/// How long one attempt to connect may take. Less than a request may take.
pub(crate) const CONNECT_MAX: Duration = Duration::from_secs(5);

/// The longest any statement of a request may run, and the longest it waits for a lock. A request's
/// own time limit is longer, so that the database gives up first and says why.
const STATEMENT_MAX: &str = "8s";
const LOCK_WAIT_MAX: &str = "5s";

/// How long a transaction may wait for its next statement: a server of ours that hangs must not
/// keep locks.
const IDLE_IN_TRANSACTION_MAX: &str = "10s";

/// The default port of PostgreSQL.
const PORT: u16 = 5432;

/// Settings of connections that run the hot path: its joins are look-ups by key whatever the
/// planner believes of the sizes of arrays, and they are planned once.
const HOT: &str = " -c plan_cache_mode=force_generic_plan -c enable_hashjoin=off -c \
     enable_mergejoin=off \
     -c enable_seqscan=off -c enable_bitmapscan=off -c jit=off";

/// The same on a cluster: which server a call goes to is decided when it is planned, by whom it is
/// for.
const HOT_DISTRIBUTED: &str = " -c plan_cache_mode=force_custom_plan -c jit=off";

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
        let mut config =
            Config::from_str(url).map_err(|source| OpenError::Url { why: explain(&source) })?;
        if config.get_hosts().is_empty() {
            return Err(OpenError::Url { why: "it names no host".into() });
        }
        if !url.contains("sslmode=") {
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
        let earlier = config.get_options().unwrap_or_default();
        let options = format!(
            "{earlier} -c search_path={schema} -c statement_timeout={STATEMENT_MAX} \
             -c lock_timeout={LOCK_WAIT_MAX} \
             -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MAX} \
             -c default_transaction_isolation=read\\ committed -c client_min_messages=warning"
        );
        config
            .options(options)
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

    /// What the pool connects with.
    pub(crate) fn parts(&self) -> (Config, MakeRustlsConnect) {
        (self.config.clone(), self.tls.clone())
    }

    /// For work that takes as long as it takes: migrations, checks, copies.
    pub(crate) async fn connect_patiently(&self) -> Result<Client, ConnectError> {
        let mut config = self.config.clone();
        let options = config.get_options().unwrap_or_default();
        config.options(format!(
            "{options} -c statement_timeout=0 -c lock_timeout=0 \
             -c idle_in_transaction_session_timeout=0"
        ));
        self.connect_with(&config).await.map(drive)
    }

    /// For the hot path, whose tasks move the bytes themselves. Fails at once while the server is
    /// known to be away; says why.
    pub(crate) async fn connect_hot(&self) -> Result<Connected, String> {
        let mut config = self.config.clone();
        let options = config.get_options().unwrap_or_default();
        let hot = if self.distributed { HOT_DISTRIBUTED } else { HOT };
        config.options(format!("{options}{hot}"));
        let connecting =
            async { self.connect_with(&config).await.map_err(|error| error.to_string()) };
        self.outage.attempt(connecting).await
    }

    /// For notifications that are sent.
    pub(crate) async fn connect_quietly(&self) -> Result<Client, ConnectError> {
        self.connect_with(&self.config).await.map(drive)
    }

    /// A connection whose driver the caller runs, to hear of notifications.
    pub(crate) async fn connect_listening(&self) -> Result<Connected, ConnectError> {
        self.connect_with(&self.config).await
    }

    async fn connect_with(&self, config: &Config) -> Result<Connected, ConnectError> {
        match tokio::time::timeout(CONNECT_MAX, config.connect(self.tls.clone())).await {
            Ok(connected) => connected.map_err(ConnectError::Refused),
            Err(_) => Err(ConnectError::Silent),
        }
    }
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
}

impl std::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ConnectError::Refused(error) => f.write_str(&explain(error)),
            ConnectError::Silent => write!(f, "no answer within {} s", CONNECT_MAX.as_secs()),
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
    fn only_a_server_on_this_machine_is_called_without_tls() {
        for url in ["postgres://a@127.0.0.1/b", "postgres://a@localhost/b", "host=/run/pg user=a"] {
            assert_eq!(target(url).config.get_ssl_mode(), SslMode::Disable, "{url}");
        }
        let remote = target("postgres://a@db.example/b").config.get_ssl_mode();
        assert_eq!(remote, SslMode::Require);
        let told = target("postgres://a@db.example/b?sslmode=disable").config.get_ssl_mode();
        assert_eq!(told, SslMode::Disable);
    }
}

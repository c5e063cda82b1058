//! Runs the server: opens what it needs, answers, and stops without losing anything.

mod listen;
mod reload;
pub mod tls;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use axum_server::Handle;
use evercart_core::market::Market;
use evercart_core::operator::Operator;
use evercart_core::store::Store;
use evercart_http::{KeyRing, Metrics, Shop, ShopMarket};
use evercart_sqlite::{DirectoryLock, LockError, Options, Sqlite};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::config::{Settings, Sms};
use crate::failure::Failure;
use crate::keys::Keys;
use crate::{clock, demo, sms, stores};

use listen::Listener;

/// Serves until a signal ends it.
///
/// # Errors
/// It cannot start, or a listener failed.
pub fn run(settings: Settings, is_demo: bool) -> anyhow::Result<()> {
    refuse_public_demo(&settings, is_demo)?;
    // What is likeliest to be wrong comes first, before anything is written.
    let public = Listener::public(&settings.server)?;
    let internal = Listener::internal(&settings.server)?;
    let data = settings.storage.data.clone();
    stores::prepare_directory(&data)?;
    let _lock = lock(&data)?;
    let keys = Keys::load_or_create(&data, clock::system().now())?;
    let metrics = Arc::new(Metrics::new());
    let opened = open_all(&settings, &metrics, is_demo)?;
    warn_of_what_is_unsafe(&settings, &public, is_demo);

    let shop = Arc::new(shop(&settings, &keys, metrics, &opened, is_demo)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    let served = runtime.block_on(serve(&settings, shop, public, internal, is_demo));
    // Waits for nothing but what the store has queued; requests had their time in `serve`.
    runtime.shutdown_background();
    for store in &opened {
        store.close();
    }
    tracing::info!("stopped; everything is on disk");
    served
}

fn refuse_public_demo(settings: &Settings, is_demo: bool) -> anyhow::Result<()> {
    let listen = settings.server.listen;
    if is_demo && !listen.ip().is_loopback() {
        return Err(Failure::used_wrongly(format!(
            "--demo signs anybody in, so it listens on loopback only, not on {listen}"
        ))
        .hint(format!("use --listen 127.0.0.1:{}", listen.port()))
        .into());
    }
    Ok(())
}

fn lock(data: &Path) -> anyhow::Result<DirectoryLock> {
    DirectoryLock::acquire(data).map_err(|error| {
        let failure = Failure::new(error.to_string());
        match error {
            LockError::Held { .. } => {
                failure.hint("stop that one first, or choose another directory with --data")
            }
            LockError::Io { .. } => failure,
        }
        .into()
    })
}

/// Opens the markets' stores side by side: each waits for its own disk.
fn open_all(
    settings: &Settings,
    metrics: &Metrics,
    is_demo: bool,
) -> anyhow::Result<Vec<Arc<Sqlite>>> {
    let storage = &settings.storage;
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for market in &settings.markets {
            let options = Options {
                clock: clock::system(),
                gauge: metrics.writer_gauge(&market.name),
                readers: storage.readers,
                batch_max: storage.batch_max,
                queue_max: storage.queue_max,
            };
            threads.push(scope.spawn(move || open_one(&storage.data, market, options, is_demo)));
        }
        threads.into_iter().map(|thread| thread.join().expect("opening does not panic")).collect()
    })
}

fn open_one(
    data: &Path,
    market: &Market,
    options: Options,
    is_demo: bool,
) -> anyhow::Result<Arc<Sqlite>> {
    let path = stores::path(data, &market.name);
    let store = stores::open_or_create(&path, options)?;
    let runtime = crate::commands::runtime()?;
    if is_demo {
        runtime.block_on(demo::prepare(&store, market, data))?;
    } else if runtime.block_on(store.is_demo()).map_err(stores::failed)? {
        return Err(Failure::new(format!(
            "{} is a demo shop: whoever knows its phones could sign in",
            path.display()
        ))
        .hint("add --demo, or start the real shop in another directory with --data")
        .into());
    }
    Ok(Arc::new(store))
}

fn shop(
    settings: &Settings,
    keys: &Keys,
    metrics: Arc<Metrics>,
    opened: &[Arc<Sqlite>],
    is_demo: bool,
) -> anyhow::Result<Shop> {
    let clock = clock::system();
    let markets = settings.markets.iter().zip(opened);
    let mut test_phones = settings.auth.test_phones.clone();
    if is_demo {
        let (guide, codes) = demo::test_phone();
        test_phones.retain(|(phone, _)| *phone != guide);
        test_phones.push((guide, codes));
    }
    Ok(Shop {
        markets: markets
            .map(|(market, store)| ShopMarket {
                market: market.clone(),
                store: Arc::clone(store) as Arc<dyn Store>,
            })
            .collect(),
        default_market: settings.default_market.clone(),
        keys: KeyRing::new(keys.token_keys(&settings.auth.issuer)),
        hasher: keys.hasher(),
        sms: sms::sender(&settings.sms, &clock)?,
        clock,
        metrics,
        limits: settings.auth.limits.clone(),
        token_lifetime: settings.auth.token_lifetime,
        test_phones,
        demo: is_demo,
        trusted_proxies: settings.server.trusted_proxies.clone(),
        cors_origins: settings.server.cors_origins.clone(),
        request_timeout: settings.server.request_timeout,
        pictures: if is_demo { demo::picture } else { |_| None },
    })
}

fn warn_of_what_is_unsafe(settings: &Settings, public: &Listener, is_demo: bool) {
    if !public.address.ip().is_loopback() && !public.is_tls() {
        tracing::warn!(
            "{} answers plain HTTP to other machines: set server.tls_cert and server.tls_key, or \
             listen on loopback behind a proxy that does HTTPS",
            public.address
        );
    }
    if !is_demo && matches!(settings.sms, Sms::Log) {
        tracing::warn!(
            "sms.provider is log: sign-in codes are only written to this log, where whoever reads \
             it can sign in as anybody; set it to webhook or twilio"
        );
    }
}

async fn serve(
    settings: &Settings,
    shop: Arc<Shop>,
    public: Listener,
    internal: Option<Listener>,
    is_demo: bool,
) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    let tls = public.tls.clone();
    let reloading = reload::watch(settings, Arc::clone(&shop), tls)?;
    let handle = Handle::new();
    let url = public.url();
    let internal_url = internal.as_ref().map(Listener::url);
    let mut servers: Vec<JoinHandle<std::io::Result<()>>> = Vec::new();
    servers.push(public.serve(evercart_http::router(Arc::clone(&shop)), handle.clone())?);
    if let Some(internal) = internal {
        let router = evercart_http::internal_router(Arc::clone(&shop));
        servers.push(internal.serve(router, handle.clone())?);
    }
    announce(&url, internal_url.as_deref(), is_demo)?;

    let failed = tokio::select! {
        name = stop.next() => {
            tracing::info!("{name}: finishing what runs, for {:?} at most", settings.server.grace);
            None
        }
        ended = &mut servers[0] => Some(ended),
    };
    handle.graceful_shutdown(Some(settings.server.grace));
    reloading.abort();
    match failed {
        Some(ended) => ended.context("the listener ended")?.context("the listener failed"),
        None => {
            let finish = async {
                for server in servers {
                    server.await.context("a listener ended")?.context("a listener failed")?;
                }
                anyhow::Ok(())
            };
            tokio::select! {
                finished = finish => finished,
                name = stop.next() => {
                    Err(Failure::new(format!("{name} again: stopped without waiting")).into())
                }
            }
        }
    }
}

/// The lines a person or a supervisor waits for. The public one comes last: then all is ready.
fn announce(url: &str, internal_url: Option<&str>, is_demo: bool) -> anyhow::Result<()> {
    if let Some(internal_url) = internal_url {
        crate::output::print(&format!("evercart metrics on {internal_url}\n"))?;
    }
    crate::output::print(&format!("evercart listening on {url}\n"))?;
    if is_demo {
        // A closed standard error is no reason not to serve.
        let _ = std::io::stderr().write_all(demo::welcome(url).as_bytes());
    }
    Ok(())
}

/// The signals that end a server.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen() -> anyhow::Result<Self> {
        let failed = "cannot listen for signals";
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context(failed)?,
            interrupt: signal(SignalKind::interrupt()).context(failed)?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

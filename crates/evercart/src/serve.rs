//! Runs the server: opens what it needs, answers, and stops without losing anything.

mod backups;
mod books;
mod files;
mod listen;
mod reload;
pub mod tls;
mod unsafe_files;
mod watched;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum_server::Handle;
use evercart_core::limits::CustomerLimits;
use evercart_core::market::Market;
use evercart_core::sms::LANGUAGES;
use evercart_core::store::WriterGauge;
use evercart_http::{
    Abandoned, Admission, Connections, Guesses, KeyRing, Metrics, Noticed, OutboxSender, Shop,
    ShopMarket, Streams, TestPhone,
};
use evercart_sqlite::DirectoryLock;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::cli;
use crate::config::{Settings, Sms};
use crate::failure::Failure;
use crate::keys::Keys;
use crate::stores::Opened;
use crate::{clock, demo, left_behind, sms, storefront, stores};

use listen::Listener;
use watched::Watch;

/// How long a stop waits for a store that is away. What it acknowledged is kept in any case.
const CLOSE_MAX: Duration = Duration::from_secs(10);

/// Serves until a signal ends it.
///
/// # Errors
/// It cannot start, or a listener failed.
pub fn run(settings: Settings, arguments: &cli::Serve) -> anyhow::Result<()> {
    let is_demo = arguments.demo;
    refuse_public_demo(&settings, is_demo)?;
    // What is likeliest to be wrong comes first, before anything is written.
    let public = Listener::public(&settings.server)?;
    let internal = Listener::internal(&settings.server)?;
    stores::prepare_if_needed(&settings)?;
    let _lock = lock_if_needed(&settings)?;
    let metrics = Arc::new(Metrics::new());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // The stores' answers come through the queue of all workers. As rarely as a busy worker
        // looks there by itself, requests that were let in starved behind new ones (U1); looking
        // there each time costs reads a twentieth.
        .global_queue_interval(8)
        .build()
        .context("cannot start the asynchronous runtime")?;
    // In the server's own runtime: connections to a database live there.
    let opened = runtime.block_on(async {
        stores::lost::refuse_any(&settings, &arguments.create).await?;
        let opened = open_all(&settings, &metrics, arguments).await?;
        left_behind::warn(&settings).await;
        anyhow::Ok(opened)
    })?;
    // After the stores: from then on the keys say that there was a shop.
    let keys = Keys::of(&settings.storage, clock::system().now())?;
    warn_of_what_is_unsafe(&settings, &public, is_demo);
    let connections_max = files::room_for(settings.server.connections_max);
    say_which_phones_are_for_tests(&settings.auth.test_phones);
    say_which_languages_have_no_texts(&settings.markets);
    say_where_keys_are(&settings, &keys);

    let connections = Connections::new(
        connections_max,
        settings.server.connections_per_address_max,
        settings.server.trusted_proxies.clone(),
        Arc::clone(&metrics),
    );
    let shop =
        Arc::new(shop(&settings, &keys, Arc::clone(&metrics), connections, &opened, is_demo)?);
    reload::publish_keys(&shop);
    let served = runtime.block_on(async {
        // One that is being made when the server stops is left unfinished; the next start removes
        // what is left of it.
        let _backups = backups::start(&settings, &opened, &metrics);
        let years = settings.storage.books_years;
        let forgetting = years.map(|years| books::forget(&opened, years));
        let served = serve(&settings, shop, public, internal, is_demo).await;
        if let Some(forgetting) = forgetting {
            forgetting.abort();
        }
        // Waits for nothing but what the stores have queued; requests had their time in `serve`.
        for store in &opened {
            if tokio::time::timeout(CLOSE_MAX, store.close()).await.is_err() {
                tracing::warn!("{} did not close within {CLOSE_MAX:?}", store.place());
            }
        }
        served
    });
    runtime.shutdown_background();
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

/// One server has a data directory to itself, unless all it holds for it are keys.
fn lock_if_needed(settings: &Settings) -> anyhow::Result<Option<DirectoryLock>> {
    let hint = "stop that one first, or choose another directory with --data";
    stores::has_files(settings).then(|| stores::lock(&settings.storage.data, hint)).transpose()
}

/// Opens the markets' stores side by side: each waits for its own disk or server.
async fn open_all(
    settings: &Settings,
    metrics: &Metrics,
    arguments: &cli::Serve,
) -> anyhow::Result<Vec<Arc<dyn Opened>>> {
    let opening = settings.markets.iter().map(|market| {
        let gauge = metrics.writer_gauge(&market.name);
        open_one(settings, market, gauge, arguments)
    });
    futures_util::future::try_join_all(opening).await
}

async fn open_one(
    settings: &Settings,
    market: &Market,
    gauge: Arc<dyn WriterGauge>,
    arguments: &cli::Serve,
) -> anyhow::Result<Arc<dyn Opened>> {
    let is_meant = arguments.create.iter().any(|name| name == market.name.as_str());
    let limits = match arguments.demo && !settings.limits_are_wanted {
        true => CustomerLimits::NONE,
        false => settings.limits,
    };
    let storage = &settings.storage;
    let store = stores::open_to_serve(storage, &market.name, limits, gauge, is_meant).await?;
    if arguments.demo {
        demo::prepare(&*store, market).await?;
    } else if store.is_demo().await.map_err(stores::failed)? {
        return Err(Failure::new(format!(
            "{} is a demo shop: whoever knows its phones could sign in",
            store.place()
        ))
        .hint("add --demo, or start the real shop in another place with --data or --database-url")
        .into());
    }
    stores::hold_to_currency(&*store, market).await?;
    tracing::info!("market {} is in {}", market.name, store.place());
    Ok(store)
}

/// Servers that share a database must share the keys, too: else each takes the tokens and codes of
/// the others for forged.
fn say_where_keys_are(settings: &Settings, keys: &Keys) {
    let storage = &settings.storage;
    if settings.markets.iter().all(|market| stores::is_in_file(storage, &market.name)) {
        return;
    }
    let signing =
        keys.list(clock::system().now()).into_iter().find(|key| key.signs).map(|key| key.id);
    tracing::info!(
        "tokens are signed with key {} of {}: every server of this shop needs the same file",
        signing.unwrap_or_default(),
        storage.keys.display()
    );
}

fn shop(
    settings: &Settings,
    keys: &Keys,
    metrics: Arc<Metrics>,
    connections: Arc<Connections>,
    opened: &[Arc<dyn Opened>],
    is_demo: bool,
) -> anyhow::Result<Shop> {
    let clock = clock::system();
    let markets = settings.markets.iter().zip(opened);
    let mut test_phones = settings.auth.test_phones.clone();
    if is_demo {
        let guide = demo::test_phone();
        test_phones.retain(|test| test.phone != guide.phone);
        test_phones.push(guide);
    }
    Ok(Shop {
        markets: markets
            .map(|(market, store)| ShopMarket {
                market: market.clone(),
                store: Arc::clone(store) as _,
            })
            .collect(),
        default_market: settings.default_market.clone(),
        keys: KeyRing::new(keys.token_keys(&settings.auth.issuer, clock.now())),
        hasher: keys.hasher(),
        sms: sms::sender(&settings.sms, &clock)?,
        clock,
        metrics,
        limits: settings.auth.limits.clone(),
        noticed: Noticed::default(),
        guesses: Guesses::default(),
        token_lifetime: settings.auth.token_lifetime,
        phone_change_hold: settings.auth.phone_change_hold,
        test_phones,
        demo: is_demo,
        trusted_proxies: settings.server.trusted_proxies.clone(),
        cors_origins: settings.server.cors_origins.clone(),
        admission: Admission::new(settings.server.requests_max),
        abandoned: Arc::<Abandoned>::default(),
        outbox: OutboxSender::default(),
        connections,
        streams: Streams::new(settings.server.streams_max),
        exports: Arc::default(),
        strict_transport: settings.server.tls.as_ref().map(|_| settings.server.hsts_max_age),
        request_timeout: settings.server.request_timeout,
        pictures: if is_demo { demo::picture } else { |_| None },
        storefront: storefront::file,
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
    unsafe_files::warn(settings, clock::system().now());
    if !is_demo && matches!(settings.sms, Sms::Log) {
        tracing::warn!(
            "sms.provider is log: sign-in codes are only written to this log, where whoever reads \
             it can sign in as anybody; set it to webhook or twilio"
        );
    }
}

/// A fixed code signs in everybody who knows it, so each start tells the operator which there are.
fn say_which_phones_are_for_tests(phones: &[TestPhone]) {
    let now = clock::system().now();
    for test in phones {
        let phone = test.phone.masked();
        match test.until {
            None => tracing::warn!(
                phone,
                "a test phone signs in with a fixed code for ever: give it a last day, as in \
                 auth.test_phones = {{ \"+1…\" = {{ codes = [\"…\"], until = \"2027-01-31\" }} }}"
            ),
            Some(until) if test.is_in_use(now) => {
                tracing::info!(phone, %until, "a test phone signs in with a fixed code");
            }
            Some(until) => tracing::warn!(
                phone,
                %until,
                "the last day of a test phone is over, it is an ordinary phone now: remove it from \
                 auth.test_phones, or give it another day"
            ),
        }
    }
}

fn say_which_languages_have_no_texts(markets: &[Market]) {
    for market in markets {
        let without = market.languages.iter().filter(|l| !LANGUAGES.contains(&l.as_str()));
        let without: Vec<_> = without.map(String::as_str).collect();
        if !without.is_empty() {
            tracing::warn!(
                "market {} lists languages in which there are no messages ({}): customers who use \
                 them get English ones; there are {}",
                market.name,
                without.join(", "),
                LANGUAGES.join(", ")
            );
        }
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
    let mut sending = tokio::spawn(evercart_http::send_messages(Arc::clone(&shop)));
    let sweeping = tokio::spawn(evercart_http::sweep(Arc::clone(&shop)));
    let mut servers: Vec<JoinHandle<std::io::Result<()>>> = Vec::new();
    let send_timeout = settings.server.send_timeout;
    let watch = Watch { connections: Some(Arc::clone(&shop.connections)), send_timeout };
    servers.push(public.serve(evercart_http::router(Arc::clone(&shop)), watch, handle.clone())?);
    if let Some(internal) = internal {
        let router = evercart_http::internal_router(Arc::clone(&shop));
        // Whoever watches over the server gets in when it is full.
        let watch = Watch { connections: None, send_timeout };
        servers.push(internal.serve(router, watch, handle.clone())?);
    }
    announce(&url, internal_url.as_deref(), is_demo)?;

    let failed = tokio::select! {
        name = stop.next() => {
            tracing::info!("{name}: finishing what runs, for {:?} at most", settings.server.grace);
            None
        }
        ended = &mut servers[0] => Some(ended),
    };
    // They would go on for as long as their tokens are good.
    shop.streams.close();
    let grace_ends = Instant::now() + settings.server.grace;
    handle.graceful_shutdown(Some(settings.server.grace));
    reloading.abort();
    sweeping.abort();
    match failed {
        Some(ended) => ended.context("the listener ended")?.context("the listener failed"),
        None => {
            let finish = async {
                for server in servers {
                    server.await.context("a listener ended")?.context("a listener failed")?;
                }
                // The listeners do not see those whose clients hung up.
                if timeout_at(grace_ends, shop.abandoned.finished()).await.is_err() {
                    tracing::warn!("changes whose clients hung up were cut short by the stop");
                }
                shop.outbox.stop();
                if timeout_at(grace_ends, &mut sending).await.is_err() {
                    tracing::warn!("messages that are not sent yet wait for the next start");
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

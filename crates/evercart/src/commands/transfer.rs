//! `evercart transfer`: a shop moves from SQLite files into PostgreSQL. Each market's copy is one
//! transaction in which every row is read back and compared before it is kept.

use std::time::Duration;

use evercart_core::copy::{self, Copies, CopyError};
use evercart_core::market::MarketName;
use evercart_core::operator::Counts;
use evercart_postgres::{Options, Postgres};
use serde::Serialize;

use crate::cli::Transfer;
use crate::config::{Settings, is_url};
use crate::failure::Failure;
use crate::{clock, left_behind, output, stores};

/// How long connections of servers that were just stopped are waited for.
const LEAVING_MAX: Duration = Duration::from_secs(2);
const LEAVING_POLL: Duration = Duration::from_millis(50);

#[derive(Serialize)]
struct Transferred {
    market: String,
    to: String,
    rows: u64,
    users: u64,
    cart_lines: u64,
    wishes: u64,
    orders: u64,
    products: u64,
    skus: u64,
}

/// Transfers.
///
/// # Errors
/// The server runs, there is nothing to transfer, the target is not empty or cannot be reached, or
/// a copy is not the same. A market that failed is not in the target.
pub async fn run(settings: &Settings, arguments: &Transfer) -> anyhow::Result<()> {
    let storage = &settings.storage;
    if !is_url(&arguments.to) {
        return Err(Failure::used_wrongly("--to is not the URL of a PostgreSQL database")
            .hint("write it like postgres://shop:PASSWORD@db.example:5432/shop")
            .into());
    }
    let markets = markets(settings, arguments)?;
    let stop_first = "stop the server, transfer, and start it with the database";
    let _lock = stores::lock(&storage.data, stop_first)?;
    let options = stores::database_options(storage, &arguments.to);
    let mut targets = Vec::new();
    for market in &markets {
        nobody_serves(market, &options, stop_first).await?;
        targets.push(empty_target(settings, market, &arguments.to).await?);
    }
    let mut all = Vec::new();
    for (market, target) in markets.iter().zip(targets) {
        all.push(transfer(settings, market, &target).await?);
        target.close().await;
    }
    match arguments.json {
        true => output::print_json(&all),
        false => output::print(&summary(settings, &all)),
    }
}

/// The markets in the data directory, or the one that was asked for.
fn markets(settings: &Settings, arguments: &Transfer) -> anyhow::Result<Vec<MarketName>> {
    let data = &settings.storage.data;
    let present = stores::markets_with_files(data)?;
    if present.is_empty() {
        return Err(stores::no_data(&data.display().to_string()).into());
    }
    let Some(name) = &arguments.market else { return Ok(present) };
    let names = present.iter().map(MarketName::as_str).collect::<Vec<_>>().join(", ");
    match present.into_iter().find(|market| market.as_str() == name) {
        Some(market) => Ok(vec![market]),
        None => Err(Failure::used_wrongly(format!("{} has no market {name:?}", data.display()))
            .hint(format!("the markets there are: {names}"))
            .into()),
    }
}

/// Refuses to work under a running server. True if the market has a schema.
///
/// # Errors
/// Somebody is connected for this market, or nobody can tell.
pub async fn nobody_serves(
    market: &MarketName,
    options: &Options,
    hint: &str,
) -> anyhow::Result<bool> {
    let started = tokio::time::Instant::now();
    loop {
        let found = Postgres::presence(market, options).await;
        let found = found.map_err(stores::cannot_open_database)?;
        if found.connections == 0 {
            return Ok(found.is_there);
        }
        // A server that has just ended may still be on its list.
        if started.elapsed() > LEAVING_MAX {
            let place = found.place;
            return Err(Failure::new(format!("an evercart is connected to {place}"))
                .hint(hint)
                .into());
        }
        tokio::time::sleep(LEAVING_POLL).await;
    }
}

async fn empty_target(
    settings: &Settings,
    market: &MarketName,
    url: &str,
) -> anyhow::Result<Postgres> {
    let target = stores::open_database(&settings.storage, market, url).await?;
    let mut rows = target.copy_out().await.map_err(stores::failed)?;
    match copy::refuse_unless_empty(&mut *rows).await {
        Ok(()) => Ok(target),
        Err(error) => Err(explain(error, market, &target)),
    }
}

async fn transfer(
    settings: &Settings,
    market: &MarketName,
    target: &Postgres,
) -> anyhow::Result<Transferred> {
    let source = stores::open_file(&stores::file(&settings.storage.data, market))?;
    let mut rows = source.copy_out().await.map_err(stores::failed)?;
    let count = rows.count().await.map_err(stores::failed)?;
    // Each row is written, and then read back.
    let bar = output::bar("copying  ", 2 * count);
    let copied = target.copy_in(&mut *rows, &mut |done| bar.inc(done)).await;
    bar.finish_and_clear();
    let report = copied.map_err(|error| explain(error, market, target))?;
    // Without it the copy is taken for older than the files, as it is if they go on after all.
    let position = source.position().await.map_err(stores::failed)?;
    target.go_on_from(position).await.map_err(stores::failed)?;
    // What is there now is as old as this moment: it must not be gone back to unnoticed.
    source.retire(target.place()).await.map_err(stores::failed)?;
    source.close();
    let Counts { users, cart_lines, wishes, orders, products, skus } = report.counts;
    Ok(Transferred {
        market: market.to_string(),
        to: target.place(),
        rows: count,
        users,
        cart_lines,
        wishes,
        orders,
        products,
        skus,
    })
}

fn explain(error: CopyError, market: &MarketName, target: &Postgres) -> anyhow::Error {
    match error {
        CopyError::NotEmpty { .. } => {
            Failure::new(format!("there is a shop in {} already", target.place()))
                .hint("transfer into an empty database, or choose what is missing with --market")
                .into()
        }
        error => stores::not_copied(error, market, "the shop"),
    }
}

fn summary(settings: &Settings, all: &[Transferred]) -> String {
    let mut text = String::new();
    for Transferred { market, to, rows, users, cart_lines, wishes, orders, products, skus } in all {
        text.push_str(&format!(
            "{market} is in {to}: {rows} rows, each read back and compared\n  {users} customers, \
             {cart_lines} cart lines, {wishes} wishes, {orders} orders, {products} products, \
             {skus} SKUs; every promise holds\n"
        ));
    }
    let data = settings.storage.data.display();
    text.push_str(&format!(
        "\nNext, in evercart.toml (or as EVERCART_STORAGE__DATABASE_URL):\n\n  [storage]\n  \
         database_url = \"…\"  # what --to said\n\nKeep {data}/keys.json: every server needs it. \
         The files of {data} are kept, as of now, and not served again.\n"
    ));
    for Transferred { market, .. } in all {
        let file = settings.storage.data.join(format!("{market}.{}", stores::SQLITE_ENDING));
        let told = left_behind::told(&file.display().to_string(), clock::system().now());
        text.push_str(&format!("{told}\n"));
    }
    text
}

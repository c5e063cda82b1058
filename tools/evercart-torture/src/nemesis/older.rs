//! Puts older data in the place of newer, as when files are restored by hand, or a standby is
//! promoted that lags behind. What the shop gave out in between is lost: nobody may get in with it,
//! and nobody else may be given it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use evercart_throwaway_postgres::Mode;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::task::spawn_blocking;

use super::a_while;
use crate::history::{Return, Span};
use crate::world::{Database, World};

/// The files of the market that customers shop in, the log beside the database among them.
const MARKET: &str = "us.sqlite3";

/// How long files may take to be put back on a disk that has no room for a while.
const PUT_BACK_MAX: u32 = 100;
const PUT_BACK_EVERY: Duration = Duration::from_millis(100);

/// Takes a copy, lets the shop go on for a while, and puts the copy in the place of the data.
pub async fn put_back(world: &World, rng: &mut StdRng) -> String {
    let lost = a_while(rng, 1_500, 6_000);
    let returned = match &world.database {
        None => files(world, lost).await,
        Some(database) if rng.random_range(0..3) == 0 => directory(world, database, lost).await,
        Some(database) => standby(world, database, lost, rng).await,
    };
    match returned {
        Ok(Some(how)) => format!("older data put back: {how}, {} ms lost", lost.as_millis()),
        Ok(None) => "a copy was taken and not put back".to_owned(),
        Err(error) => {
            world.complain(format!("older data itself cannot be put back: {error:#}"));
            "older data not put back".to_owned()
        }
    }
}

/// Notes a return. To be called before anybody can be answered from the older data.
fn note(world: &World, copied: Span, from: u64) {
    let returned = Span { from, until: world.now() };
    world.returns.lock().expect("nobody panics with it").push(Return { copied, returned });
    world.lives.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
}

/// The files are copied and put back while the server is down. Whoever would start it or run a
/// command waits.
async fn files(world: &World, lost: Duration) -> Result<Option<String>> {
    let copies = tempfile::tempdir_in(world.program.directory())?;
    let (data, server) = (world.data(), 0);
    let copied = {
        let _alone = world.commands.write().await;
        let mut process = world.places[server].process.lock().await;
        let from = world.now();
        world.end(server, process.take());
        copy(&data, copies.path()).context("the files cannot be copied")?;
        Span { from, until: world.now() }
    };
    world.start_again(server).await;
    let lost_number = lose_number(world).await;
    world.rest(lost).await;
    if world.is_over() {
        return Ok(None);
    }
    {
        let _alone = world.commands.write().await;
        let mut process = world.places[server].process.lock().await;
        let from = world.now();
        world.end(server, process.take());
        replace(&data, copies.path()).await?;
        note(world, copied, from);
    }
    world.start_again(server).await;
    is_given_once(world, lost_number).await;
    Ok(Some("a copy of the files".to_owned()))
}

/// The market's files in a directory.
fn market_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(MARKET) {
            files.push(entry.path());
        }
    }
    Ok(files)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for file in market_files(from)? {
        let name = file.file_name().unwrap_or_default();
        fs::copy(&file, to.join(name))?;
    }
    Ok(())
}

/// Puts files in the place of others, when there is room for them.
async fn replace(data: &Path, copies: &Path) -> Result<()> {
    let mut tries = 0;
    loop {
        for file in market_files(data)? {
            fs::remove_file(file)?;
        }
        match copy(copies, data) {
            Ok(()) => return Ok(()),
            Err(error) if tries >= PUT_BACK_MAX => {
                return Err(error).context("the older files cannot be put back");
            }
            Err(_) => tokio::time::sleep(PUT_BACK_EVERY).await,
        }
        tries += 1;
    }
}

/// A standby is stopped, and takes its primary's place later. The shop's servers find out by
/// themselves, or are started again.
async fn standby(
    world: &World,
    database: &Database,
    lost: Duration,
    rng: &mut StdRng,
) -> Result<Option<String>> {
    let (standby, copied) = {
        let primary = database.server.lock().await;
        let other = Arc::clone(&primary);
        let standby = blocking(move || other.standby()).await?;
        let other = Arc::clone(&primary);
        let from = world.now();
        let cut_off = blocking(move || {
            standby.catch_up_with(&other)?;
            standby.stop(Mode::Immediate)?;
            Ok(standby)
        });
        (cut_off.await?, Span { from, until: world.now() })
    };
    let lost_number = lose_number(world).await;
    world.rest(lost).await;
    if world.is_over() {
        return Ok(None);
    }
    let is_restarted = rng.random_range(0..3) == 0;
    if is_restarted {
        kill_all(world).await;
    }
    {
        let mut primary = database.server.lock().await;
        let from = world.now();
        let other = Arc::clone(&primary);
        // Not killed: its processes that serve connections would go on for a moment, and commit
        // what the standby does not have.
        blocking(move || other.stop(Mode::Immediate)).await?;
        let promoted = blocking(move || {
            standby.start_again()?;
            standby.promote()?;
            Ok(standby)
        });
        let promoted = promoted.await?;
        note(world, copied, from);
        database.replace(&mut primary, promoted);
    }
    if is_restarted {
        start_all_again(world).await;
    }
    is_given_once(world, lost_number).await;
    let servers = if is_restarted { ", servers killed" } else { "" };
    Ok(Some(format!("a standby that lagged behind{servers}")))
}

/// The database's directory is copied and put back while the database is down. Servers are started
/// again, as whoever does that would do: they know by the mark that it was put back.
async fn directory(world: &World, database: &Database, lost: Duration) -> Result<Option<String>> {
    let (copied, files) = {
        let held = database.server.lock().await;
        let server = Arc::clone(&held);
        let from = world.now();
        let kept = blocking(move || {
            server.stop(Mode::Immediate)?;
            server.keep_files()
        });
        let files = kept.await?;
        let copied = Span { from, until: world.now() };
        let server = Arc::clone(&held);
        blocking(move || server.start_again()).await?;
        (copied, files)
    };
    let lost_number = lose_number(world).await;
    world.rest(lost).await;
    // A server writes the mark once a second; the command that was given a number has done so.
    if world.is_over() || lost_number.is_none() {
        return Ok(None);
    }
    kill_all(world).await;
    {
        let held = database.server.lock().await;
        let server = Arc::clone(&held);
        let from = world.now();
        let back = blocking(move || {
            server.stop(Mode::Immediate)?;
            server.put_files_back(&files)
        });
        back.await?;
        note(world, copied, from);
        let server = Arc::clone(&held);
        blocking(move || server.start_again()).await?;
    }
    start_all_again(world).await;
    is_given_once(world, lost_number).await;
    Ok(Some("a copy of the database's directory".to_owned()))
}

/// While the database is there: whoever starts a server again waits for that, and holds the place.
async fn kill_all(world: &World) {
    for server in 0..world.places.len() {
        world.kill(server).await;
    }
}

async fn start_all_again(world: &World) {
    for server in 0..world.places.len() {
        world.start_again(server).await;
    }
}

/// What waits for a database.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, evercart_throwaway_postgres::Error> + Send + 'static,
) -> Result<T> {
    let done = spawn_blocking(work).await.expect("no work with a database panics");
    Ok(done?)
}

/// Numbers that the shop gave to a product and its SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Numbers {
    product: u64,
    sku: u64,
}

/// Has the shop give numbers that will be lost. None if it could not just then.
async fn lose_number(world: &World) -> Option<Numbers> {
    new_product(world).await.ok()
}

/// The next product has other numbers than the one that was lost.
async fn is_given_once(world: &World, lost: Option<Numbers>) {
    let (Some(lost), Ok(given)) = (lost, new_product(world).await) else { return };
    if given.product == lost.product || given.sku == lost.sku {
        world.complain(format!(
            "G10 broken: a new product has the numbers {given:?}, and one that a return to older \
             data has lost had {lost:?}"
        ));
    }
}

/// Imports a product that brings no numbers along, and says which it was given.
async fn new_product(world: &World) -> Result<Numbers> {
    let name = format!("new-{}", world.now());
    let row = format!("{name},{name},Brand,Things,{name},1.00,5,true\r\n");
    world.import_rows(&format!("{name}.csv"), NEW_PRODUCT, &row).await?;
    let exported = world.catalogue().await?;
    let row = exported.iter().find(|row| row["sku_code"] == *name).context("it is there")?;
    let number = |field: &str| row[field].as_u64().context("a row has numbers");
    Ok(Numbers { product: number("product_id")?, sku: number("sku_id")? })
}

const NEW_PRODUCT: &str = "handle,name,brand,category,sku_code,price,stock,active\r\n";

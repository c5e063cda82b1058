//! One cell of the table: a load on a server, with what it cost the server and the disk, and what
//! else the machine was busy with.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::load::{self, Load, Requests};
use crate::machine;
use crate::requests::Adds;
use crate::server::{Client, Server};
use crate::shop::Shop;

/// What one run of a load showed.
#[derive(Clone, Copy)]
pub struct Cell {
    /// Answers in a second.
    pub per_second: f64,
    /// Half of the answers came within this.
    pub p50: Duration,
    /// All but a hundredth of them.
    pub p99: Duration,
    /// Processor time of the server for each answer.
    pub server_per_answer: Option<Duration>,
    /// Processor time of its database for each answer, where that has processes of its own.
    pub database_per_answer: Option<Duration>,
    /// The share of the machine's busy time that was neither the server's, its database's nor ours.
    pub others_share: Option<f64>,
    /// Flushes that the disks did for each answer, whoever asked for them.
    pub flushes_per_answer: Option<f64>,
    /// Commits of the server for each operation it committed, by its own count.
    pub commits_per_operation: Option<f64>,
}

/// Runs a load on a server.
///
/// # Errors
/// If an answer was not 2xx, or a connection failed.
pub fn run(server: &Server, load: Load, requests: &mut dyn Requests) -> Result<Cell> {
    let commits_before = commits(server)?;
    let mut readings = Vec::with_capacity(2);
    let outcome = load::run(load, requests, || readings.push(Reading::take(server)))?;
    let commits_after = commits(server)?;
    let answers = outcome.answered.max(1) as f64;
    let (before, after) = (readings[0], readings[1]);
    let spent = |time: fn(&Reading) -> Option<Duration>| time(&after)?.checked_sub(time(&before)?);
    let server_time = spent(|reading| reading.server);
    let database_time = spent(|reading| reading.database);
    let others_share = spent(|reading| reading.machine)
        .zip(server_time.zip(spent(|reading| reading.own)))
        .map(|(all, (server, own))| {
            let known = server + own + database_time.unwrap_or_default();
            all.saturating_sub(known).as_secs_f64() / all.as_secs_f64().max(1e-9)
        });
    let flushes = before.flushes.zip(after.flushes).map(|(before, after)| (after - before) as f64);
    let commits_per_operation = commits_before.zip(commits_after).and_then(|(before, after)| {
        let operations = after.operations - before.operations;
        (operations > 0.0).then(|| (after.commits - before.commits) / operations)
    });
    Ok(Cell {
        per_second: outcome.per_second(),
        p50: outcome.p50,
        p99: outcome.p99,
        server_per_answer: server_time.map(|time| time.div_f64(answers)),
        database_per_answer: database_time.map(|time| time.div_f64(answers)),
        others_share,
        flushes_per_answer: flushes.map(|flushes| flushes / answers),
        commits_per_operation,
    })
}

/// Checks that every add that was acknowledged is in its cart, and that all carts add up: those of
/// which it is known what was in them before.
///
/// # Errors
/// If one does not.
pub fn check_carts(shop: &Shop, server: &Server, adds: &Adds) -> Result<()> {
    let counted = shop.customers.iter().enumerate().filter(|(_, one)| one.pieces.is_some());
    let places: Vec<usize> = counted.map(|(place, _)| place).collect();
    for (place, found) in shop.pieces(server.address, &places)? {
        let expected = shop.customers[place].pieces.unwrap_or_default() + adds.added[place];
        ensure!(
            found == expected,
            "the cart of user {} has {found} pieces where {expected} were acknowledged",
            shop.customers[place].user_id
        );
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Reading {
    server: Option<Duration>,
    database: Option<Duration>,
    own: Option<Duration>,
    machine: Option<Duration>,
    flushes: Option<u64>,
}

impl Reading {
    fn take(server: &Server) -> Self {
        Self {
            server: machine::processor_time(server.pid()),
            database: server.database.and_then(machine::family_time),
            own: machine::processor_time(std::process::id()),
            machine: machine::machine_time(),
            flushes: machine::disk_flushes(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Commits {
    commits: f64,
    operations: f64,
}

fn commits(server: &Server) -> Result<Option<Commits>> {
    let ask = |address: SocketAddr| {
        let mut client = Client::connect(address)?;
        let text = String::from_utf8_lossy(client.get("/metrics", None)?).into_owned();
        read_commits(&text).context("GET /metrics has no evercart_commit_batch_size")
    };
    server.metrics.map(ask).transpose()
}

/// The writers' histogram of all markets: its count is commits, its sum operations.
fn read_commits(metrics: &str) -> Option<Commits> {
    let sum = |name: &str| {
        let mut values = metrics
            .lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
            .filter_map(|line| line.split_whitespace().next_back()?.parse::<f64>().ok());
        let first = values.next()?;
        Some(first + values.sum::<f64>())
    };
    Some(Commits {
        commits: sum("evercart_commit_batch_size_count")?,
        operations: sum("evercart_commit_batch_size_sum")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_counted_over_all_markets() {
        let metrics = "# TYPE evercart_commit_batch_size histogram\n\
            evercart_commit_batch_size_sum{market=\"us\"} 30.0\n\
            evercart_commit_batch_size_count{market=\"us\"} 4\n\
            evercart_commit_batch_size_sum{market=\"kg\"} 2.0\n\
            evercart_commit_batch_size_count{market=\"kg\"} 2\n";
        assert_eq!(read_commits(metrics), Some(Commits { commits: 6.0, operations: 32.0 }));
        assert_eq!(read_commits("evercart_requests_total 3"), None);
    }
}

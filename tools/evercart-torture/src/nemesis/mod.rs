//! Who breaks what, and when: a schedule drawn from the seed. How each does it is its own module's
//! business.

mod clients_way;
mod commands;
mod database;
mod older;
mod process;

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::disk::SmallDisk;
use crate::history::Fault;
use crate::world::{Store, World};

/// Two at the same time, this often in a hundred.
const TOGETHER_PERCENT: u32 = 35;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Nemesis {
    /// SIGKILL to a server, which is started again
    Kill,
    /// SIGSTOP to a server, and SIGCONT after a while
    Pause,
    /// The way from clients to servers delays, stalls, loses answers, half-closes, cuts
    Clients,
    /// The way from servers to the database does so
    Link,
    /// PostgreSQL is stopped as in a crash, or killed, and started again
    Database,
    /// `evercart keys rotate`
    Rotate,
    /// `evercart catalog import`
    Import,
    /// No room is left on the disk (SQLite, as root)
    Disk,
    /// Older data takes the place of newer: a copy of the files, or a standby that lags behind
    Return,
}

impl Nemesis {
    /// All that there are.
    pub const ALL: [Self; 9] = [
        Self::Kill,
        Self::Pause,
        Self::Clients,
        Self::Link,
        Self::Database,
        Self::Rotate,
        Self::Import,
        Self::Disk,
        Self::Return,
    ];

    /// How often it is chosen, compared with the others.
    fn weight(self) -> u32 {
        match self {
            Self::Kill => 10,
            Self::Pause | Self::Clients | Self::Link => 4,
            Self::Database => 2,
            Self::Rotate | Self::Import | Self::Disk | Self::Return => 1,
        }
    }

    /// Why it cannot be with this store here, if so.
    pub fn obstacle(self, store: Store) -> Option<String> {
        match (self, store) {
            (Self::Link | Self::Database, Store::Sqlite) => {
                Some("SQLite is not behind a network".to_owned())
            }
            (Self::Disk, Store::Postgres) => Some(
                "the servers write nothing but logs where PostgreSQL keeps the data".to_owned(),
            ),
            (Self::Disk, Store::Sqlite) => SmallDisk::is_possible().err(),
            _ => None,
        }
    }

    async fn strike(self, world: &World, rng: &mut StdRng) {
        let at = world.now();
        let what = match self {
            Self::Kill => process::kill(world, rng).await,
            Self::Pause => process::pause(world, rng).await,
            Self::Clients => clients_way::disturb(world, rng).await,
            Self::Link => database::disturb_link(world, rng).await,
            Self::Database => database::crash(world, rng).await,
            Self::Rotate => commands::rotate(world).await,
            Self::Import => commands::import(world, rng).await,
            Self::Disk => commands::fill_disk(world, rng).await,
            Self::Return => older::put_back(world, rng).await,
        };
        let is_crash = matches!(self, Self::Kill | Self::Database | Self::Return);
        let fault = Fault { at, until: world.now(), what, is_crash };
        world.faults.lock().expect("nobody panics with it").push(fault);
    }
}

/// Strikes until the run is over, then heals everything. A return to older data takes seconds, and
/// the other nemeses go on meanwhile.
pub async fn haunt(world: &World, nemeses: &[Nemesis], seed: u64) {
    let is_long = |nemesis: &&Nemesis| **nemesis == Nemesis::Return;
    let (long, short): (Vec<_>, Vec<_>) = nemeses.iter().partition(is_long);
    tokio::join!(strike_often(world, &short, seed), return_often(world, !long.is_empty(), !seed));
    for place in &world.places {
        place.proxy.heal();
    }
}

/// Rests as long as the last return took, and a while longer: on a busy machine customers would
/// hardly be served otherwise.
async fn return_often(world: &World, is_one: bool, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut took = Duration::ZERO;
    while is_one && !world.is_over() {
        world.rest(took + a_while(&mut rng, 2_000, 12_000)).await;
        let begun = Instant::now();
        Nemesis::Return.strike(world, &mut rng).await;
        took = begun.elapsed();
    }
}

async fn strike_often(world: &World, nemeses: &[Nemesis], seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    while !world.is_over() && !nemeses.is_empty() {
        tokio::time::sleep(Duration::from_millis(rng.random_range(20..900))).await;
        let (first, second) = (choose(nemeses, &mut rng), choose(nemeses, &mut rng));
        let mut theirs: [StdRng; 2] = std::array::from_fn(|_| StdRng::seed_from_u64(rng.random()));
        let [one, other] = &mut theirs;
        if first != second && rng.random_range(0..100) < TOGETHER_PERCENT {
            tokio::join!(first.strike(world, one), second.strike(world, other));
        } else {
            first.strike(world, one).await;
        }
    }
}

fn choose(nemeses: &[Nemesis], rng: &mut StdRng) -> Nemesis {
    let sum: u32 = nemeses.iter().map(|nemesis| nemesis.weight()).sum();
    let mut left = rng.random_range(0..sum);
    for nemesis in nemeses {
        match left.checked_sub(nemesis.weight()) {
            Some(less) => left = less,
            None => return *nemesis,
        }
    }
    nemeses[0]
}

/// A time from one to another number of milliseconds; short ones are more frequent.
fn a_while(rng: &mut StdRng, from: u64, to: u64) -> Duration {
    let part: f64 = rng.random();
    Duration::from_millis(from + ((to - from) as f64 * part * part) as u64)
}

//! A run: customers play, nemeses strike, and at the end everything is looked at.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::Signal;

use crate::customer::{Customer, Device, Scene, Shared, hears_of_changes, listen};
use crate::history::{Fault, Final, History, Meta};
use crate::nemesis::{Nemesis, haunt};
use crate::report::Progress;
use crate::world::{SCARCE, Store, World, stock};

/// Devices of a customer that play at the same time.
const DEVICES: u8 = 3;
/// Customers who play at the same time. More would only wait for each other.
const PLAYING: usize = 24;
/// Customers who look at their things at the same time when all is over.
const LOOKING: usize = 8;
/// Streams that are listened to.
const LISTENERS: u64 = 6;
/// Customers whose streams must tell of changes at the end.
const HEARING: usize = 6;
/// How long everything may take to be well again once nothing disturbs any more.
const HEAL_MAX: Duration = Duration::from_secs(120);

/// What to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program.
    pub program: std::path::PathBuf,
    /// Where the shop's data is.
    pub store: Store,
    /// Until all of these are reached: time, requests answered, servers killed.
    pub time: Duration,
    /// See `time`.
    pub operations: u64,
    /// See `time`.
    pub kills: u64,
    /// Decides what is decided.
    pub seed: u64,
    /// How long tokens live while customers play.
    pub token_life: Duration,
    /// How many customers.
    pub customers: u32,
    /// What goes wrong.
    pub nemeses: Vec<Nemesis>,
    /// What all customers are up to, if not one thing after the other.
    pub scene: Option<Scene>,
}

/// What a run was like.
pub struct Outcome {
    /// All of it.
    pub history: History,
    /// How long customers played.
    pub took: Duration,
    /// Servers killed.
    pub kills: u64,
    /// How long streams took to tell of changes, at the end.
    pub told_after: Vec<Duration>,
}

/// Runs the plan.
///
/// # Errors
/// If the world cannot be built. What is wrong with the program is in the history instead.
pub async fn run(plan: &Plan, progress: &Progress) -> Result<Outcome> {
    progress.say("starting");
    let small_disk = plan.nemeses.contains(&Nemesis::Disk);
    let world = World::build(&plan.program, plan.store, small_disk, plan.token_life).await?;
    let shared = Arc::new(Shared {
        world,
        seed: plan.seed,
        tries: Mutex::default(),
        events: Mutex::default(),
        streams: AtomicU32::new(0),
    });
    let customers: Vec<_> = (0..plan.customers).map(|n| Arc::new(Customer::new(n))).collect();
    let begun = Instant::now();
    play(&shared, &customers, plan, progress).await;
    let took = begun.elapsed();
    progress.say("healing and starting again");
    heal(&shared.world).await;
    progress.say("looking at everything");
    look(&shared, &customers).await;
    let mut told_after = Vec::new();
    for customer in customers.iter().take(HEARING) {
        told_after.append(&mut hears_of_changes(&shared, customer).await);
        // One that was not told is enough; waiting for others takes long.
        if !shared.world.complaints.lock().expect("nobody panics with it").is_empty() {
            break;
        }
    }
    look(&shared, &customers[..HEARING.min(customers.len())]).await;
    progress.say("checking the store");
    let history = close(&shared, plan).await;
    let kills = shared.world.kills.load(Ordering::Relaxed);
    Ok(Outcome { history, took, kills, told_after })
}

async fn play(shared: &Arc<Shared>, customers: &[Arc<Customer>], plan: &Plan, progress: &Progress) {
    let next = Arc::new(AtomicUsize::new(0));
    let scene = plan.scene;
    let players: Vec<_> = (0..PLAYING.min(customers.len()))
        .map(|_| {
            let (shared, customers) = (Arc::clone(shared), customers.to_vec());
            tokio::spawn(play_in_turn(shared, customers, Arc::clone(&next), scene))
        })
        .collect();
    let listeners: Vec<_> = (0..LISTENERS)
        .map(|n| {
            let rng = StdRng::seed_from_u64(plan.seed ^ ((n + 1) << 40));
            tokio::spawn(listen(Arc::clone(shared), customers.to_vec(), rng))
        })
        .collect();
    let haunting = {
        let (shared, nemeses) = (Arc::clone(shared), plan.nemeses.clone());
        let seed = plan.seed;
        tokio::spawn(async move { haunt(&shared.world, &nemeses, seed).await })
    };
    let begun = Instant::now();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    loop {
        let (answered, kills) = (count(&shared.world.answered), count(&shared.world.kills));
        progress.at(begun.elapsed(), answered, kills);
        let is_enough =
            begun.elapsed() >= plan.time && answered >= plan.operations && kills >= plan.kills;
        if is_enough {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    shared.world.is_over.store(true, Ordering::Relaxed);
    for task in players.into_iter().chain(listeners).chain([haunting]) {
        task.await.expect("no task panics");
    }
}

/// Plays with one customer after the other. Nobody is played with twice at the same time, so that
/// a device's decisions hang on nothing but the seed and the answers.
async fn play_in_turn(
    shared: Arc<Shared>,
    all: Vec<Arc<Customer>>,
    next: Arc<AtomicUsize>,
    only: Option<Scene>,
) {
    while !shared.world.is_over() {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        let customer = &all[turn % all.len()];
        let Ok(_alone) = customer.playing.try_lock() else {
            // poll: all others are being played with
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        let round = (turn / all.len()) as u64;
        let place = (u64::from(customer.number) << 32) | round;
        let mut rng = StdRng::seed_from_u64(shared.seed.rotate_left(17) ^ place);
        let (drawn, acts) = (Scene::draw(&mut rng), rng.random_range(4..16));
        let scene = only.unwrap_or(drawn);
        let devices: Vec<_> = (0..DEVICES)
            .map(|number| {
                let mut device = Device::new(&shared, customer, number, round);
                tokio::spawn(async move { device.play(scene, acts).await })
            })
            .collect();
        for device in devices {
            device.await.expect("no device panics");
        }
    }
}

/// Everything works again, on servers that were started anew.
async fn heal(world: &World) {
    for proxy in world.database.iter().flat_map(|database| &database.proxies) {
        proxy.heal();
    }
    for server in 0..world.places.len() {
        if let Some(process) = &*world.places[server].process.lock().await {
            process.signal(Signal::CONT);
        }
        let at = world.now();
        world.kill(server).await;
        world.start_again(server).await;
        let what = format!("server {server} killed and started again at the end");
        let fault = Fault { at, until: world.now(), what, is_crash: true };
        world.faults.lock().expect("nobody panics with it").push(fault);
    }
}

/// Reads everything of each customer.
async fn look(shared: &Arc<Shared>, customers: &[Arc<Customer>]) {
    let next = Arc::new(AtomicUsize::new(0));
    let until = Instant::now() + HEAL_MAX;
    let lookers: Vec<_> = (0..LOOKING)
        .map(|_| {
            let (shared, next) = (Arc::clone(shared), Arc::clone(&next));
            let customers = customers.to_vec();
            tokio::spawn(async move {
                while let Some(customer) = customers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut device = Device::that_looks(&shared, customer, until);
                    if !device.look_at_everything().await {
                        let (who, time) = (customer.number, HEAL_MAX.as_secs());
                        shared.world.complain(format!(
                            "U2 broken: customer {who} cannot read what is theirs, though \
                             nothing has been disturbed for {time} s"
                        ));
                    }
                }
            })
        })
        .collect();
    for looker in lookers {
        looker.await.expect("no looker panics");
    }
}

/// Takes the last measures, and the history.
async fn close(shared: &Arc<Shared>, plan: &Plan) -> History {
    let world = &shared.world;
    for place in &world.places {
        if let Some(process) = place.process.lock().await.take()
            && let Err(error) = process.stop()
        {
            world.complain(format!("{error:#}"));
        }
    }
    // Only now: on a disk that loses what was not synced, other processes do not see what a server
    // that runs has copied from the log into the database without a sync, as it may.
    let found = world.stock().await;
    if let Err(error) = world.run(&["check"]).await {
        world.complain(format!("G4 broken: evercart check: {error:#}"));
    }
    let take = |list: &Mutex<Vec<String>>| std::mem::take(&mut *list.lock().expect("not poisoned"));
    let stock_left = found.unwrap_or_else(|error| {
        world.complain(format!("{error:#}"));
        std::collections::BTreeMap::new()
    });
    let mut meta = Meta::new(plan.seed, plan.store.word(), plan.customers, stock());
    meta.scarce = SCARCE.collect();
    History {
        meta,
        tries: std::mem::take(&mut *shared.tries.lock().expect("not poisoned")),
        events: std::mem::take(&mut *shared.events.lock().expect("not poisoned")),
        faults: std::mem::take(&mut *world.faults.lock().expect("not poisoned")),
        returns: std::mem::take(&mut *world.returns.lock().expect("not poisoned")),
        end: Some(Final { stock: stock_left, complaints: take(&world.complaints) }),
    }
}

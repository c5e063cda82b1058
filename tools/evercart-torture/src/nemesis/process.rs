//! Servers that are killed or stopped in the middle of anything.

use rand::RngExt;
use rand::rngs::StdRng;
use rustix::process::Signal;

use super::a_while;
use crate::world::World;

/// Kills a server, mostly one, and starts it again after a while.
pub async fn kill(world: &World, rng: &mut StdRng) -> String {
    let first = rng.random_range(0..world.places.len());
    let all = world.places.len() > 1 && rng.random_range(0..4) == 0;
    let victims: Vec<_> =
        (0..world.places.len()).filter(|server| all || *server == first).collect();
    let down = a_while(rng, 0, 800);
    for server in &victims {
        world.kill(*server).await;
    }
    tokio::time::sleep(down).await;
    for server in &victims {
        world.start_again(*server).await;
    }
    let victims: Vec<_> = victims.iter().map(usize::to_string).collect();
    let victims = victims.join(" and ");
    format!("server {victims} killed, away for {} ms and its start", down.as_millis())
}

/// Stops a server for a while, as a machine does that is moved or short of memory.
pub async fn pause(world: &World, rng: &mut StdRng) -> String {
    let server = rng.random_range(0..world.places.len());
    let time = a_while(rng, 20, 2_500);
    signal(world, server, Signal::STOP).await;
    tokio::time::sleep(time).await;
    signal(world, server, Signal::CONT).await;
    format!("server {server} paused for {} ms", time.as_millis())
}

async fn signal(world: &World, server: usize, signal: Signal) {
    if let Some(process) = &*world.places[server].process.lock().await {
        process.signal(signal);
    }
}

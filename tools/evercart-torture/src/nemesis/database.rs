//! PostgreSQL goes away, or the way to it breaks.

use std::sync::Arc;

use evercart_throwaway_postgres::Mode;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::task::spawn_blocking;

use super::{a_while, clients_way};
use crate::world::World;

/// Breaks one server's way to the database for a while.
pub async fn disturb_link(world: &World, rng: &mut StdRng) -> String {
    let Some(database) = &world.database else { return "no database".to_owned() };
    let server = rng.random_range(0..database.proxies.len());
    let what = clients_way::break_for_a_while(&database.proxies[server], rng).await;
    format!("way from server {server} to the database {what}")
}

/// Stops the database as in a crash, or kills it, and starts it again.
pub async fn crash(world: &World, rng: &mut StdRng) -> String {
    let Some(database) = &world.database else { return "no database".to_owned() };
    let (down, is_killed) = (a_while(rng, 0, 1_500), rng.random_range(0..3) == 0);
    // Nobody else stops, starts or copies it meanwhile.
    let held = database.server.lock().await;
    let server = Arc::clone(&held);
    let crashed =
        spawn_blocking(
            move || {
                if is_killed { server.kill() } else { server.stop(Mode::Immediate) }
            },
        );
    let crashed = crashed.await.expect("stopping the database does not panic");
    tokio::time::sleep(down).await;
    let server = Arc::clone(&held);
    let started = spawn_blocking(move || server.start_again()).await;
    let started = started.expect("whoever stops the database holds it");
    for outcome in [crashed, started] {
        if let Err(error) = outcome {
            world.complain(format!("the database itself does not come back: {error}"));
        }
    }
    let how = if is_killed { "killed" } else { "crashed" };
    format!("database {how}, away for {} ms and its recovery", down.as_millis())
}

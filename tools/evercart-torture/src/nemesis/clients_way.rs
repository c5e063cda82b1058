//! The way between clients and servers breaks.

use rand::RngExt;
use rand::rngs::StdRng;

use super::a_while;
use crate::proxy::{Flow, Proxy};
use crate::world::World;

/// Breaks the way to one server for a while.
pub async fn disturb(world: &World, rng: &mut StdRng) -> String {
    let server = rng.random_range(0..world.places.len());
    let what = break_for_a_while(&world.places[server].proxy, rng).await;
    format!("way from clients to server {server} {what}")
}

/// Breaks a way for a while. Says how.
pub(super) async fn break_for_a_while(proxy: &Proxy, rng: &mut StdRng) -> String {
    let time = a_while(rng, 20, 1_500);
    let how = rng.random_range(0..6);
    let what = match how {
        0 => {
            proxy.cut();
            return "cut".to_owned();
        }
        1 => {
            proxy.half_close();
            return "half-closed".to_owned();
        }
        2 => {
            proxy.flow(Flow::Delay(time / 4));
            "delayed"
        }
        3 => {
            proxy.flow(Flow::Stall);
            "stalled"
        }
        4 => {
            proxy.flow(Flow::LoseAnswers);
            "without answers"
        }
        _ => {
            proxy.refuse(true);
            proxy.cut();
            "closed"
        }
    };
    tokio::time::sleep(time).await;
    if how == 4 || rng.random_range(0..3) == 0 {
        proxy.cut();
    }
    proxy.heal();
    format!("{what} for {} ms", time.as_millis())
}

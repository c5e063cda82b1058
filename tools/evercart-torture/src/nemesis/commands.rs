//! What operators do while the shop serves, and a disk without room.

use rand::RngExt;
use rand::rngs::StdRng;

use super::a_while;
use crate::world::{IMPORTED, World, row};

/// Makes another signing key. Nobody is signed out by it.
pub async fn rotate(world: &World) -> String {
    match world.run(&["keys", "rotate"]).await {
        Ok(_) => "keys rotated".to_owned(),
        Err(error) => format!("keys could not be rotated: {error:#}"),
    }
}

/// Imports other prices of what nobody buys: every cart's facts of the catalogue are read anew.
pub async fn import(world: &World, rng: &mut StdRng) -> String {
    let cents = rng.random_range(100..100_000);
    let rows: String = IMPORTED.map(|sku| row(sku, cents, 5)).collect();
    match world.import("import.csv", &rows).await {
        Ok(()) => "catalogue imported".to_owned(),
        Err(error) => format!("catalogue could not be imported: {error:#}"),
    }
}

/// Leaves no room on the disk for a while.
pub async fn fill_disk(world: &World, rng: &mut StdRng) -> String {
    let Some(disk) = &world.disk else { return "no small disk".to_owned() };
    let time = a_while(rng, 50, 1_500);
    let filled = disk.fill();
    tokio::time::sleep(time).await;
    for outcome in [filled, disk.make_room()] {
        if let Err(error) = outcome {
            world.complain(format!("the small disk is not there: {error}"));
        }
    }
    format!("disk full for {} ms", time.as_millis())
}

//! `evercart rewound`: a return to an earlier moment that nobody could notice is announced.

use crate::cli::Rewound;
use crate::config::Settings;
use crate::stores::Opened;
use crate::{output, stores};

/// Starts a new life in a market's store.
///
/// # Errors
/// There is no such store, or it failed.
pub async fn run(settings: &Settings, arguments: &Rewound) -> anyhow::Result<()> {
    let market = stores::market(settings, arguments.market.market.as_deref())?;
    let start_over = async |store: &dyn Opened| {
        let standing = store.standing().await.map_err(stores::failed)?;
        let numbers = standing.numbers.plus(i64::from(arguments.skip));
        store.start_over(standing.life.number, numbers).await.map_err(stores::failed)
    };
    let standing = stores::with_rewound(&settings.storage, &market.name, start_over).await?;
    output::print(&format!(
        "Market {} begins anew after a return: every token is dead, everybody signs in again, and \
         orders go on at #{}.\n",
        market.name,
        standing.numbers.of("order")
    ))
}

//! A market's prices stay in the currency in which they were written: amounts are stored in minor
//! units, and another name in the configuration would make each of them another price.

use evercart_core::market::Market;

use crate::failure::Failure;

use super::{Opened, failed};

/// Holds a market to the currency of the prices that it has.
///
/// # Errors
/// The configuration says another one, or nobody can tell.
pub async fn hold_to_currency(store: &dyn Opened, market: &Market) -> anyhow::Result<()> {
    let (name, configured) = (&market.name, market.currency);
    let stored = store.currency(configured).await.map_err(failed)?;
    if stored == configured {
        return Ok(());
    }
    let (stored, configured) = (stored.code(), configured.code());
    Err(Failure::new(format!(
        "the prices and orders of market {name} are in {stored}, and its configuration says \
         {configured}: every amount would be shown as another sum than was agreed"
    ))
    .hint(format!(
        "set markets.{name}.currency to {stored} again; to sell in {configured}, add a market of \
         its own"
    ))
    .into())
}

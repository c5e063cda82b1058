//! Schemas that a restore has set aside: whole copies of a market, as it was before.

use evercart_core::market::MarketName;

use crate::{OpenError, Options, Postgres};

impl Postgres {
    /// The schemas beside a market's own whose name goes on after its name and an underscore.
    ///
    /// # Errors
    /// The server cannot be reached or says no.
    pub async fn schemas_beside(
        market: &MarketName,
        options: &Options,
    ) -> Result<Vec<String>, OpenError> {
        const BESIDE: &str = "SELECT nspname::TEXT FROM pg_namespace \
             WHERE starts_with(nspname, $1) ORDER BY nspname";
        let target = options.target(market)?;
        let client =
            target.connect_patiently().await.map_err(|error| target.unreachable(&error))?;
        let found = client.query(BESIDE, &[&format!("{}_", target.schema)]).await;
        let found = found.map_err(|error| target.sql_failed(&error))?;
        Ok(found.iter().map(|row| row.get(0)).collect())
    }
}

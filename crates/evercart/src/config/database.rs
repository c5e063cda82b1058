//! Which markets are in PostgreSQL, and where. The others are in files of the data directory.

use std::collections::BTreeMap;
use std::fmt;

use evercart_core::market::MarketName;

use crate::failure::Failure;

use super::read::Reader;

/// What a URL begins with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The databases' URLs. `Debug` hides them: there may be passwords in them.
#[derive(Default)]
pub struct Databases {
    /// Of a market that nothing is said of.
    common: Option<String>,
    /// Of those that are configured, enabled or not.
    configured: BTreeMap<MarketName, String>,
}

impl Databases {
    pub(super) fn read(read: &Reader<'_>) -> Result<Self, Failure> {
        let common = url(read, "storage.database_url")?;
        let mut configured = BTreeMap::new();
        for name in read.layers().markets() {
            let own = url(read, &format!("markets.{name}.database_url"))?;
            // Whether it is a market's name at all is for whoever reads the market to say.
            if let (Some(url), Ok(name)) = (own.or(common.clone()), MarketName::new(&name)) {
                configured.insert(name, url);
            }
        }
        Ok(Self { common, configured })
    }

    /// The URL of the database that a market is in; `None` if it is in a file.
    pub fn url(&self, market: &MarketName) -> Option<&str> {
        self.configured.get(market).or(self.common.as_ref()).map(String::as_str)
    }

    /// The configured markets that are in a database, enabled or not.
    pub fn markets(&self) -> impl Iterator<Item = &MarketName> {
        self.configured.keys()
    }
}

impl fmt::Debug for Databases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.markets().map(MarketName::as_str).collect();
        write!(f, "Databases({})", names.join(", "))
    }
}

/// True if it looks like the URL of a PostgreSQL database.
pub fn is_url(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme))
}

fn url(read: &Reader<'_>, path: &str) -> Result<Option<String>, Failure> {
    let expected = "a URL such as postgres://shop@db.example/shop";
    match read.secret(path)? {
        Some(text) if !is_url(&text) => Err(read.wrong_secret(path, expected)),
        url => Ok(url),
    }
}

//! `evercart demo fill`: made-up customers with carts, wishlists and orders, for load tests.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use evercart_core::catalogue::{CatalogueRow, ProductKey};
use evercart_core::error::{Refused, StoreError};
use evercart_core::ids::{ProductId, SkuId};
use evercart_core::market::Market;
use evercart_core::operator::DemoCustomer;
use evercart_core::order::Checkout;
use evercart_core::phone::Phone;
use evercart_core::user::Session;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

use crate::cli::DemoFill;
use crate::config::Settings;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::stores::Opened;
use crate::{clock, output, stores};

use super::demo_phones::DemoPhones;

/// Customers that go in together: one commit, and one step of the bar.
const BATCH: usize = 500;

/// What each customer has.
const CART_LINES: usize = 5;
const WISHES: usize = 3;
/// Pieces a cart has of one SKU at most.
const QUANTITY_MAX: u32 = 3;
/// Fewer pieces than this, and a cart could ask for more than the orders leave.
const STOCK_MIN: i64 = 2 * QUANTITY_MAX as i64;
/// Every so many-th customer ordered once.
const ORDER_EVERY: u64 = 10;

#[derive(Serialize)]
struct Filled<'a> {
    market: &'a str,
    customers: u64,
    known_before: u64,
}

#[derive(Serialize)]
struct TokenLine<'a> {
    user_id: i64,
    access_token: &'a str,
}

/// Fills.
///
/// # Errors
/// The store is no demo, has no products, or failed; batches before that are in.
pub async fn run(settings: &Settings, arguments: &DemoFill) -> anyhow::Result<()> {
    let market = stores::market(settings, arguments.market.market.as_deref())?;
    let fill = async |store: &dyn Opened| fill_all(settings, market, store, arguments).await;
    let (customers, known_before) =
        stores::with_tokens(&settings.storage, &market.name, fill).await?;
    let market = market.name.as_str();
    if arguments.json {
        return output::print_json(&Filled { market, customers, known_before });
    }
    output::print(&format!("Added {customers} customers to {market}; {known_before} were there.\n"))
}

/// Returns how many were added, and how many were there.
async fn fill_all(
    settings: &Settings,
    market: &Market,
    store: &dyn Opened,
    arguments: &DemoFill,
) -> anyhow::Result<(u64, u64)> {
    if !store.is_demo().await.map_err(stores::failed)? {
        return Err(Failure::new(format!(
            "market {} in {} is a real shop: made-up customers go into a demo only",
            market.name,
            store.place()
        ))
        .hint("`evercart serve --demo --data DIR` makes a demo")
        .into());
    }
    stores::hold_to_currency(store, market).await?;
    let mut tokens = match &arguments.tokens {
        Some(path) => Some(Tokens::create(path, settings, market)?),
        None => None,
    };
    let rows = store.export_catalogue().await.map_err(stores::failed)?;
    let mut invented = Invented::new(market, rows, arguments.seed)?;
    let bar = output::bar("filling  ", arguments.users);
    let (mut done, mut added) = (0, 0);
    while done < arguments.users {
        let size = BATCH.min(usize::try_from(arguments.users - done).unwrap_or(BATCH));
        let customers: Vec<DemoCustomer> = (0..size).map_while(|_| invented.next()).collect();
        if customers.is_empty() {
            return Err(Failure::new(format!(
                "market {} has no more phone numbers after {done} customers",
                market.name
            ))
            .into());
        }
        done += customers.len() as u64;
        let sessions = fill(store, customers).await?;
        added += sessions.len() as u64;
        if let Some(tokens) = &mut tokens {
            tokens.write(&sessions)?;
        }
        bar.set_position(done);
    }
    bar.finish_and_clear();
    if let Some(tokens) = tokens {
        tokens.finish()?;
    }
    Ok((added, done - added))
}

/// Adds a batch; without its orders if somebody bought the last piece meanwhile.
async fn fill(store: &dyn Opened, customers: Vec<DemoCustomer>) -> anyhow::Result<Vec<Session>> {
    match store.fill_demo(customers.clone()).await {
        Err(StoreError::Refused(Refused::InsufficientStock { .. })) => {
            let without = customers
                .into_iter()
                .map(|customer| DemoCustomer { orders: Vec::new(), ..customer })
                .collect();
            store.fill_demo(without).await
        }
        other => other,
    }
    .map_err(stores::failed)
}

/// Makes customers up, always the same ones for one seed and catalogue.
struct Invented<'a> {
    market: &'a Market,
    phones: DemoPhones,
    random: StdRng,
    skus: Vec<SkuId>,
    products: Vec<ProductId>,
    /// Pieces that may still be ordered: half of what there is, so that a load test can buy, too.
    to_order: HashMap<SkuId, i64>,
    made: u64,
}

impl<'a> Invented<'a> {
    fn new(market: &'a Market, rows: Vec<CatalogueRow>, seed: u64) -> anyhow::Result<Self> {
        let mut skus = Vec::new();
        let mut products = Vec::new();
        let mut to_order = HashMap::new();
        for row in rows.iter().filter(|row| row.active && row.stock >= STOCK_MIN) {
            let (Some(sku), ProductKey::Id(product, _)) = (row.sku_id, &row.product) else {
                continue;
            };
            skus.push(sku);
            to_order.insert(sku, row.stock / 2);
            if products.last() != Some(product) {
                products.push(*product);
            }
        }
        if skus.len() < CART_LINES || products.len() < WISHES {
            return Err(Failure::new(format!(
                "market {} has too few products in stock for carts of {CART_LINES} lines",
                market.name
            ))
            .hint("import a catalogue first")
            .into());
        }
        let random = StdRng::seed_from_u64(seed);
        let phones = DemoPhones::new(market, seed);
        Ok(Self { market, phones, random, skus, products, to_order, made: 0 })
    }

    fn next(&mut self) -> Option<DemoCustomer> {
        let phone = self.phones.next()?;
        self.made += 1;
        let cart = pick(&mut self.random, &self.skus, CART_LINES);
        let mut quantity = || self.random.random_range(1..=QUANTITY_MAX);
        let cart = cart.into_iter().map(|sku| (sku, quantity())).collect();
        let wishes = pick(&mut self.random, &self.products, WISHES);
        let orders = match self.made % ORDER_EVERY {
            0 => self.order(&phone).into_iter().collect(),
            _ => Vec::new(),
        };
        let full_name = format!("Demo customer {}", self.made);
        Some(DemoCustomer { phone, full_name, cart, wishes, orders })
    }

    fn order(&mut self, phone: &Phone) -> Option<(Checkout, Vec<(SkuId, u32)>)> {
        let mut lines = Vec::new();
        for sku in pick(&mut self.random, &self.skus, 2) {
            let left = self.to_order.get_mut(&sku).filter(|left| **left > 0);
            if let Some(left) = left {
                *left -= 1;
                lines.push((sku, 1));
            }
        }
        let checkout = Checkout {
            customer_name: format!("Demo customer {}", self.made),
            customer_phone: Some(phone.as_str().to_owned()),
            customer_email: None,
            delivery_address: format!("{} Sample Street", self.made),
            delivery_city: None,
            delivery_notes: None,
            payment_method: "cash".to_owned(),
            expected_total: None,
            shipping: self.market.shipping,
            tax_rate: self.market.tax_rate,
            currency: self.market.currency,
        };
        (!lines.is_empty()).then_some((checkout, lines))
    }
}

/// `count` different ones of `from`, which has at least as many.
fn pick<T: Copy>(random: &mut StdRng, from: &[T], count: usize) -> Vec<T> {
    rand::seq::index::sample(random, from.len(), count).iter().map(|at| from[at]).collect()
}

/// The file of tokens. Whoever reads it is signed in as all of them.
struct Tokens<'a> {
    out: BufWriter<File>,
    path: &'a Path,
    settings: &'a Settings,
    market: &'a Market,
    keys: evercart_core::token::TokenKeys,
}

impl<'a> Tokens<'a> {
    fn create(path: &'a Path, settings: &'a Settings, market: &'a Market) -> anyhow::Result<Self> {
        let failed = || format!("cannot write {}", path.display());
        let now = clock::system().now();
        let keys = Keys::of(&settings.storage, now)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).with_context(failed)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // A file that was there keeps its mode when it is opened.
            file.set_permissions(std::fs::Permissions::from_mode(0o600)).with_context(failed)?;
        }
        let keys = keys.token_keys(&settings.auth.issuer, now);
        Ok(Self { out: BufWriter::new(file), path, settings, market, keys })
    }

    fn write(&mut self, sessions: &[Session]) -> anyhow::Result<()> {
        let now = clock::system().now();
        let lifetime = self.settings.auth.token_lifetime;
        for session in sessions {
            let name = &self.market.name;
            let issued = self.keys.issue(*session, name, now, lifetime, &mut rand::rng());
            let line = TokenLine { user_id: session.user_id.0, access_token: &issued.token };
            serde_json::to_writer(&mut self.out, &line)
                .map_err(Into::into)
                .and_then(|()| self.out.write_all(b"\n"))
                .with_context(|| format!("cannot write {}", self.path.display()))?;
        }
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.out.flush().with_context(|| format!("cannot write {}", self.path.display()))
    }
}

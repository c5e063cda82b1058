//! What a market sells: products, their SKUs, categories; and how a catalogue file changes them.

mod change;
mod known;
mod numbers;
pub mod plan;

use std::fmt;
use std::sync::OnceLock;

use async_trait::async_trait;

use crate::error::Result;
use crate::ids::{ProductId, SkuId};
use crate::money::Money;
use crate::order::{Listed, Page};

pub use change::{RowChange, RowChanges, RowsInMemory, StockChange};
pub use known::{Asked, Known, ProductFacts};

/// The most pieces a SKU can have.
pub const STOCK_MAX: i64 = 1_000_000_000;

/// What a cart line shows of a SKU. Stock is not among it: it changes with every order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkuFacts {
    /// The SKU.
    pub sku_id: SkuId,
    /// Its product.
    pub product_id: ProductId,
    /// The shop's own code.
    pub sku_code: String,
    /// The product's name.
    pub name: String,
    /// Size.
    pub size: Option<String>,
    /// Colour.
    pub color: Option<String>,
    /// Picture, a URL or a path on this server.
    pub image: Option<String>,
    /// The price of one piece.
    pub price: Money,
    /// The price it had before a reduction.
    pub original_price: Option<Money>,
    /// For sale.
    pub active: bool,
    /// What is shown of all this, once it has been written out.
    pub rendition: Rendition,
}

/// Room beside a value for how somebody else writes it, so that it is written once and forgotten
/// together with the value. It is no part of the value: any two are equal, and a copy is empty.
#[derive(Default)]
pub struct Rendition(OnceLock<Box<str>>);

impl Rendition {
    /// What was kept, or else what `make` makes, which is kept from then on. There is room for one:
    /// everybody who asks must mean the same.
    pub fn get_or_make(&self, make: impl FnOnce() -> String) -> &str {
        self.0.get_or_init(|| make().into_boxed_str())
    }
}

impl Clone for Rendition {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Rendition {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Rendition {}

impl fmt::Debug for Rendition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rendition")
    }
}

/// A product as a list shows it: price and picture are those of its first SKU for sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The product.
    pub id: ProductId,
    /// What it is called.
    pub name: String,
    /// Who makes it.
    pub brand: Option<String>,
    /// Where it stands in the shop.
    pub category: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Picture.
    pub image: Option<String>,
    /// The lowest price among its SKUs for sale.
    pub price: Money,
    /// That SKU's price before a reduction.
    pub original_price: Option<Money>,
    /// At least one of its SKUs is for sale and in stock.
    pub available: bool,
}

/// A SKU as the product's page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sku {
    /// What it is.
    pub facts: SkuFacts,
    /// Pieces the shop has.
    pub on_hand: i64,
}

/// A category that has products for sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// Its name, as the catalogue writes it.
    pub name: String,
    /// Products for sale in it.
    pub products: u64,
}

/// Which products to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductQuery {
    /// Words that name, brand, category or description must all begin a word with; see
    /// [`searched_words`](crate::search::searched_words).
    pub search: Option<String>,
    /// Only this category.
    pub category: Option<String>,
}

/// A SKU with its product's facts, as a whole catalogue file has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueRow {
    /// Which product.
    pub product: ProductKey,
    /// What it is called.
    pub name: String,
    /// Who makes it.
    pub brand: Option<String>,
    /// Where it stands in the shop.
    pub category: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Picture.
    pub image: Option<String>,
    /// Which SKU; without an id, the one that has `sku_code`, or a new one.
    pub sku_id: Option<SkuId>,
    /// The shop's own code, unique in the market.
    pub sku_code: String,
    /// Size.
    pub size: Option<String>,
    /// Colour.
    pub color: Option<String>,
    /// The price of one piece.
    pub price: Money,
    /// The price before a reduction.
    pub original_price: Option<Money>,
    /// Pieces the shop has.
    pub stock: i64,
    /// For sale.
    pub active: bool,
}

/// How a catalogue file names a product.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ProductKey {
    /// By its id, and the handle it is also known by, if any.
    Id(ProductId, Option<String>),
    /// By a handle (Shopify), which keeps its id from the first import on.
    Handle(String),
}

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportSummary {
    /// Products that were not there before.
    pub products_added: u64,
    /// SKUs that were not there before.
    pub skus_added: u64,
    /// SKUs that were there.
    pub skus_updated: u64,
    /// Of the SKUs added, those whose rows say nothing of stock: they have none.
    pub added_without_stock: u64,
}

/// A row that contradicts the store; its index counts from 0 in the imported rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// Which row.
    pub row: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// What became of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportOutcome {
    /// All of it is in.
    Imported(ImportSummary),
    /// Nothing of it is in: these rows contradict the store, such as a code another SKU has.
    Rejected(Vec<RowProblem>),
}

/// Called with the number of rows done so far.
pub type Progress = Box<dyn FnMut(u64) + Send>;

/// What the store does with the catalogue. Public: nothing of a customer is in it. Anybody may ask
/// for lists, a product and the categories, as often as they like: these have a bounded share of
/// what the store can do and a second's time, and are refused with
/// [`Failed::CatalogueBusy`](crate::error::Failed::CatalogueBusy) beyond. Whoever asks for
/// something else never waits for them.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// Products for sale that match, in the order of their ids.
    ///
    /// # Errors
    /// A failure.
    async fn products(&self, query: ProductQuery, page: Page) -> Result<Listed<Product>>;

    /// A product with its SKUs for sale.
    ///
    /// # Errors
    /// `NotFound`, also if nothing of it is for sale.
    async fn product(&self, id: ProductId) -> Result<(Product, Vec<Sku>)>;

    /// The categories that have products for sale, by name.
    ///
    /// # Errors
    /// A failure.
    async fn categories(&self) -> Result<Vec<Category>>;

    /// True if there are products at all, for sale or not.
    ///
    /// # Errors
    /// A failure.
    async fn has_products(&self) -> Result<bool>;

    /// Changes the catalogue by a file's rows: SKUs named are made or changed, others stay.
    /// Whoever looks finds all of it done or nothing.
    ///
    /// # Errors
    /// A failure; contradictions are an outcome.
    async fn change_catalogue(
        &self,
        rows: Box<dyn RowChanges>,
        progress: Progress,
    ) -> Result<ImportOutcome>;

    /// [`change_catalogue`](Catalogue::change_catalogue) by whole rows.
    ///
    /// # Errors
    /// A failure; contradictions are an outcome.
    async fn import_catalogue(
        &self,
        rows: Vec<CatalogueRow>,
        progress: Progress,
    ) -> Result<ImportOutcome> {
        let rows = rows.into_iter().map(RowChange::from).collect();
        self.change_catalogue(Box::new(RowsInMemory::new(rows)), progress).await
    }

    /// The whole catalogue as rows that [`import_catalogue`](Catalogue::import_catalogue) takes,
    /// by product and SKU id.
    ///
    /// # Errors
    /// A failure.
    async fn export_catalogue(&self) -> Result<Vec<CatalogueRow>>;
}

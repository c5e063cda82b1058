//! What a catalogue file says of a SKU: only what it names changes.

use crate::error::Result;
use crate::ids::SkuId;
use crate::money::Money;

use super::{CatalogueRow, ProductKey};

/// One row of a catalogue file. `None` leaves things as they are; an empty cell of a column that
/// may be empty is `Some(None)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowChange {
    /// Which product; without one, that of the SKU.
    pub product: Option<ProductKey>,
    /// Which SKU; without an id, the one that has `sku_code`, or a new one.
    pub sku_id: Option<SkuId>,
    /// The shop's own code, unique in the market.
    pub sku_code: Option<String>,
    /// What the product is called.
    pub name: Option<String>,
    /// Who makes it.
    pub brand: Option<Option<String>>,
    /// Where it stands in the shop.
    pub category: Option<Option<String>>,
    /// What it is.
    pub description: Option<Option<String>>,
    /// Picture.
    pub image: Option<Option<String>>,
    /// Size.
    pub size: Option<Option<String>>,
    /// Colour.
    pub color: Option<Option<String>>,
    /// The price of one piece.
    pub price: Option<Money>,
    /// The price before a reduction.
    pub original_price: Option<Option<Money>>,
    /// Pieces the shop has.
    pub stock: Option<StockChange>,
    /// For sale. A new SKU is, unless its row says otherwise.
    pub active: Option<bool>,
}

/// How a row changes a SKU's stock, in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StockChange {
    /// There are so many, whatever was sold meanwhile.
    To(i64),
    /// There are so many, if the stock has not moved since it was this.
    ToIfStill {
        /// Pieces from now on.
        pieces: i64,
        /// Pieces when the file was written.
        seen: i64,
    },
    /// So many came in, or went out if negative; never below 0.
    By(i64),
}

impl From<CatalogueRow> for RowChange {
    fn from(row: CatalogueRow) -> Self {
        Self {
            product: Some(row.product),
            sku_id: row.sku_id,
            sku_code: Some(row.sku_code),
            name: Some(row.name),
            brand: Some(row.brand),
            category: Some(row.category),
            description: Some(row.description),
            image: Some(row.image),
            size: Some(row.size),
            color: Some(row.color),
            price: Some(row.price),
            original_price: Some(row.original_price),
            stock: Some(StockChange::To(row.stock)),
            active: Some(row.active),
        }
    }
}

/// A catalogue file's rows, some at a time, so that nobody need hold all of them.
pub trait RowChanges: Send {
    /// Goes back to the first row.
    ///
    /// # Errors
    /// A failure: the file cannot be read again.
    fn rewind(&mut self) -> Result<()>;

    /// The next rows, at most `max`; none after the last one.
    ///
    /// # Errors
    /// A failure: the file cannot be read on.
    fn next(&mut self, max: usize) -> Result<Vec<RowChange>>;
}

/// Rows in memory.
#[derive(Debug)]
pub struct RowsInMemory {
    rows: Vec<RowChange>,
    done: usize,
}

impl RowsInMemory {
    /// These rows.
    pub fn new(rows: Vec<RowChange>) -> Self {
        Self { rows, done: 0 }
    }
}

impl RowChanges for RowsInMemory {
    fn rewind(&mut self) -> Result<()> {
        self.done = 0;
        Ok(())
    }

    fn next(&mut self, max: usize) -> Result<Vec<RowChange>> {
        let rows: Vec<_> = self.rows.iter().skip(self.done).take(max).cloned().collect();
        self.done += rows.len();
        Ok(rows)
    }
}

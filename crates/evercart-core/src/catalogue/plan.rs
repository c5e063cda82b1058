//! Works out what a catalogue file changes, some rows at a time: from what the store knows of the
//! products and SKUs that they name, and from what the rows before them said.
//!
//! Of each row only some numbers are remembered, so that a million of them fit into memory.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use crate::error::Result as StoreResult;
use crate::ids::{ProductId, SkuId};

use super::known::{Known, ProductFacts};
use super::numbers::Numbers;
use super::{
    CatalogueRow, ImportSummary, ProductKey, RowChange, RowChanges, RowProblem, StockChange,
};

/// Rows in memory at once while a planner looks through them.
const READ_AT_ONCE: usize = 1_000;

/// Problems that are kept; a file with more of them is told of these.
const PROBLEMS_MAX: usize = 10_000;

/// What a row makes of its product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductChange {
    /// It was not there.
    New(ProductFacts),
    /// Other texts or another handle.
    Changed {
        /// What it is now.
        facts: ProductFacts,
        /// It gets another handle.
        new_handle: bool,
    },
    /// Nothing, or an earlier row did it.
    Nothing,
}

/// What a row makes of its SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkuChange {
    /// It was not there; `stock` in its row is what it begins with.
    New,
    /// Something about it but its stock.
    Changed {
        /// It gets another code.
        new_code: bool,
    },
    /// Nothing but its stock, perhaps.
    Nothing,
}

/// A row that contradicts nothing.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Which row of the file, from 0.
    pub number: usize,
    /// Its product.
    pub product_id: ProductId,
    /// What becomes of it.
    pub product: ProductChange,
    /// Its SKU.
    pub sku_id: SkuId,
    /// What becomes of it.
    pub sku: SkuChange,
    /// The SKU as it is to be, but for the stock of one that was there; and what its product was
    /// before.
    pub row: CatalogueRow,
    /// What becomes of the stock of a SKU that was there.
    pub stock: Option<StockChange>,
}

/// A product as the rows so far have it.
struct Seen {
    /// Its first row.
    first: u32,
    /// What that row said of name, brand, category and description.
    said: u32,
}

/// Plans a file's rows in order.
pub struct Planner {
    products: HashMap<i64, Seen>,
    /// The row of each SKU.
    skus: HashMap<i64, u32>,
    /// Who has a handle or a code that was nobody's, by its hash.
    handles: HashMap<u64, i64>,
    codes: HashMap<u64, i64>,
    /// Handles and codes whose owners gave them up for others.
    freed_handles: HashSet<String>,
    freed_codes: HashSet<String>,
    product_numbers: Numbers,
    sku_numbers: Numbers,
    summary: ImportSummary,
    problems: Vec<RowProblem>,
    expected: usize,
    rows: u32,
    hashes: RandomState,
}

impl Planner {
    /// A planner for these rows, which are at the first one afterwards. It gives new products and
    /// SKUs numbers from these on, but none that a row brings along.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn of(next_product: i64, next_sku: i64, rows: &mut dyn RowChanges) -> StoreResult<Self> {
        let mut planner = Self::new(next_product, next_sku);
        rows.rewind()?;
        loop {
            let some = rows.next(READ_AT_ONCE)?;
            if some.is_empty() {
                break;
            }
            planner.expect(&some);
        }
        rows.rewind()?;
        Ok(planner)
    }

    fn new(next_product: i64, next_sku: i64) -> Self {
        Self {
            products: HashMap::new(),
            skus: HashMap::new(),
            handles: HashMap::new(),
            codes: HashMap::new(),
            freed_handles: HashSet::new(),
            freed_codes: HashSet::new(),
            product_numbers: Numbers::new(next_product),
            sku_numbers: Numbers::new(next_sku),
            summary: ImportSummary::default(),
            problems: Vec::new(),
            expected: 0,
            rows: 0,
            hashes: RandomState::new(),
        }
    }

    /// Notes the ids that these rows bring along, so that nothing new gets one of them.
    fn expect(&mut self, rows: &[RowChange]) {
        self.expected += rows.len();
        for row in rows {
            if let Some(ProductKey::Id(id, _)) = row.product {
                self.product_numbers.bring(id.0);
            }
            if let Some(id) = row.sku_id {
                self.sku_numbers.bring(id.0);
            }
        }
    }

    /// Plans the next rows. Those that contradict something are among the
    /// [`problems`](Self::problems).
    pub fn plan(&mut self, rows: Vec<RowChange>, known: &Known) -> Vec<Planned> {
        let mut planned = Vec::with_capacity(rows.len());
        for row in rows {
            let number = self.rows;
            self.rows += 1;
            match self.row(number, row, known) {
                Ok(row) => planned.push(row),
                Err(problem) => self.contradicts(number as usize, problem),
            }
        }
        planned
    }

    /// Notes that a row contradicts the store.
    pub fn contradicts(&mut self, row: usize, problem: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(RowProblem { row, problem });
        }
    }

    /// Rows there are to plan.
    pub fn expected(&self) -> usize {
        self.expected
    }

    /// Rows planned so far.
    pub fn rows(&self) -> u64 {
        u64::from(self.rows)
    }

    /// Rows that contradict something, so that nothing of the file may be done.
    pub fn problems(&self) -> &[RowProblem] {
        &self.problems
    }

    /// The outcome, and the problems there were.
    pub fn finish(self) -> (ImportSummary, Vec<RowProblem>) {
        (self.summary, self.problems)
    }

    /// The products that rows so far have named.
    pub fn products(&self) -> Vec<i64> {
        let mut ids: Vec<_> = self.products.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// The highest number that products have, if the counter has to be moved past it.
    pub fn highest_product(&self) -> Option<i64> {
        self.product_numbers.highest
    }

    /// The same for SKUs.
    pub fn highest_sku(&self) -> Option<i64> {
        self.sku_numbers.highest
    }

    /// True for a handle that another product had before and gave up.
    pub fn is_freed_handle(&self, handle: &str) -> bool {
        self.freed_handles.contains(handle)
    }

    /// True for a code that another SKU had before and gave up.
    pub fn is_freed_code(&self, code: &str) -> bool {
        self.freed_codes.contains(code)
    }

    fn row(&mut self, number: u32, change: RowChange, known: &Known) -> Result<Planned, String> {
        let with_code = change.sku_code.as_deref().and_then(|code| self.with_code(code, known));
        let named = match (change.sku_id, with_code) {
            (Some(id), Some(other)) if id.0 != other => {
                let code = change.sku_code.as_deref().unwrap_or_default();
                return Err(format!("sku_code {code:?} is SKU {other}'s"));
            }
            (id, with_code) => id.map(|id| id.0).or(with_code),
        };
        let before = named.and_then(|id| known.skus.get(&id));
        let product = self.product(number, &change, before, known)?;
        let id = match named {
            Some(id) => id,
            None => self.sku_numbers.take("SKU")?,
        };
        let code = change.sku_code.clone().or_else(|| before.map(|sku| sku.sku_code.clone()));
        if let Some(first) = self.skus.insert(id, number) {
            let code = code.unwrap_or_default();
            return Err(format!("SKU {id} ({code}) is in row {} already", first + 1));
        }
        self.sku(number, SkuId(id), product, change, before)
    }

    fn with_code(&self, code: &str, known: &Known) -> Option<i64> {
        let taken = self.codes.get(&self.hashes.hash_one(code)).copied();
        let known = || known.codes.get(code).copied();
        taken.or_else(|| if self.freed_codes.contains(code) { None } else { known() })
    }

    fn with_handle(&self, handle: &str, known: &Known) -> Option<i64> {
        let taken = self.handles.get(&self.hashes.hash_one(handle)).copied();
        let known = || known.handles.get(handle).copied();
        taken.or_else(|| if self.freed_handles.contains(handle) { None } else { known() })
    }

    fn product(
        &mut self,
        number: u32,
        change: &RowChange,
        before: Option<&CatalogueRow>,
        known: &Known,
    ) -> Result<(ProductId, ProductChange), String> {
        let of_sku = before.and_then(product_of);
        let (id, handle) = match &change.product {
            Some(ProductKey::Id(id, handle)) => (id.0, handle.as_deref()),
            Some(ProductKey::Handle(handle)) => {
                let id = match (self.with_handle(handle, known), of_sku) {
                    (Some(id), _) => id,
                    // The product was given another handle where the file comes from.
                    (None, Some(id)) if !self.products.contains_key(&id) => id,
                    (None, Some(id)) => return Err(two_handles(id, handle, change)),
                    (None, None) => self.product_numbers.take("product")?,
                };
                (id, Some(&**handle))
            }
            None => match of_sku {
                Some(id) => (id, None),
                None => return Err(needs(change, &["product_id"])),
            },
        };
        if let (Some(other), Some(sku)) = (of_sku.filter(|other| *other != id), before) {
            return Err(belongs(sku, other, id, &change.product));
        }
        let said = (&change.name, &change.brand, &change.category, &change.description);
        let said = self.hashes.hash_one(said) as u32;
        let known_product = known.products.get(&id);
        match self.products.entry(id) {
            Entry::Occupied(seen) => {
                let seen = seen.get();
                return match seen.said == said {
                    true => Ok((ProductId(id), ProductChange::Nothing)),
                    false => Err(differs(id, seen.first)),
                };
            }
            Entry::Vacant(first) => first.insert(Seen { first: number, said }),
        };
        let had = known_product.and_then(|facts| facts.handle.as_deref());
        let new_handle = handle.filter(|handle| had != Some(handle));
        if let Some(handle) = new_handle {
            if self.with_handle(handle, known).is_some_and(|other| other != id) {
                return Err(format!(
                    "product {id} cannot have the handle {handle:?}: another product has it"
                ));
            }
            if let Some(had) = had {
                self.freed_handles.insert(had.to_owned());
            }
            self.handles.insert(self.hashes.hash_one(handle), id);
        }
        Ok((ProductId(id), self.product_change(id, change, known_product, new_handle)?))
    }

    fn product_change(
        &mut self,
        id: i64,
        change: &RowChange,
        known: Option<&ProductFacts>,
        new_handle: Option<&str>,
    ) -> Result<ProductChange, String> {
        let new_handle = new_handle.map(str::to_owned);
        let Some(before) = known else {
            let Some(name) = change.name.clone() else { return Err(needs(change, &["name"])) };
            self.summary.products_added += 1;
            return Ok(ProductChange::New(ProductFacts {
                id: ProductId(id),
                handle: new_handle,
                name,
                brand: change.brand.clone().flatten(),
                category: change.category.clone().flatten(),
                description: change.description.clone().flatten(),
            }));
        };
        let changes_handle = new_handle.is_some();
        let facts = ProductFacts {
            id: before.id,
            handle: new_handle.or_else(|| before.handle.clone()),
            name: change.name.clone().unwrap_or_else(|| before.name.clone()),
            brand: change.brand.clone().unwrap_or_else(|| before.brand.clone()),
            category: change.category.clone().unwrap_or_else(|| before.category.clone()),
            description: change.description.clone().unwrap_or_else(|| before.description.clone()),
        };
        Ok(match facts == *before {
            true => ProductChange::Nothing,
            false => ProductChange::Changed { facts, new_handle: changes_handle },
        })
    }

    fn sku(
        &mut self,
        number: u32,
        id: SkuId,
        (product_id, product): (ProductId, ProductChange),
        change: RowChange,
        before: Option<&CatalogueRow>,
    ) -> Result<Planned, String> {
        let number = number as usize;
        let Some(before) = before else {
            let (Some(sku_code), Some(price)) = (change.sku_code.clone(), change.price) else {
                return Err(needs(&change, &["sku_code", "price"]));
            };
            let stock = match change.stock {
                Some(StockChange::To(pieces) | StockChange::ToIfStill { pieces, .. }) => pieces,
                Some(StockChange::By(pieces)) if pieces < 0 => {
                    return Err(format!("SKU {id} is new, so no {} pieces can go", -pieces));
                }
                Some(StockChange::By(pieces)) => pieces,
                None => 0,
            };
            self.summary.skus_added += 1;
            self.summary.added_without_stock += u64::from(change.stock.is_none());
            self.codes.insert(self.hashes.hash_one(sku_code.as_str()), id.0);
            let row = CatalogueRow {
                product: ProductKey::Id(product_id, None),
                name: change.name.unwrap_or_default(),
                brand: change.brand.flatten(),
                category: change.category.flatten(),
                description: change.description.flatten(),
                image: change.image.flatten(),
                sku_id: Some(id),
                sku_code,
                size: change.size.flatten(),
                color: change.color.flatten(),
                price,
                original_price: change.original_price.flatten(),
                stock,
                active: change.active.unwrap_or(true),
            };
            let sku = SkuChange::New;
            return Ok(Planned { number, product_id, product, sku_id: id, sku, row, stock: None });
        };
        self.summary.skus_updated += 1;
        let row = CatalogueRow {
            image: change.image.unwrap_or_else(|| before.image.clone()),
            sku_code: change.sku_code.unwrap_or_else(|| before.sku_code.clone()),
            size: change.size.unwrap_or_else(|| before.size.clone()),
            color: change.color.unwrap_or_else(|| before.color.clone()),
            price: change.price.unwrap_or(before.price),
            original_price: change.original_price.unwrap_or(before.original_price),
            active: change.active.unwrap_or(before.active),
            ..before.clone()
        };
        let new_code = row.sku_code != before.sku_code;
        if new_code {
            self.freed_codes.insert(before.sku_code.clone());
            self.codes.insert(self.hashes.hash_one(row.sku_code.as_str()), id.0);
        }
        let sku = match row == *before {
            true => SkuChange::Nothing,
            false => SkuChange::Changed { new_code },
        };
        // A stock that stands as it was written out was not meant to change.
        let stock = change.stock.filter(|change| match change {
            StockChange::ToIfStill { pieces, seen } => pieces != seen,
            StockChange::By(pieces) => *pieces != 0,
            StockChange::To(_) => true,
        });
        Ok(Planned { number, product_id, product, sku_id: id, sku, row, stock })
    }
}

/// What is wrong with a change of stock where there are so many pieces; `None` if it can be made.
pub fn stock_problem(sku: SkuId, change: StockChange, on_hand: i64) -> Option<String> {
    match change {
        StockChange::ToIfStill { pieces, seen } if seen != on_hand => Some(format!(
            "the stock of SKU {sku} was {seen} when the file was written and is {on_hand} now; \
             write {:+} for what came in or went out, or export again",
            pieces - seen
        )),
        StockChange::By(pieces) if on_hand + pieces < 0 => Some(format!(
            "the stock of SKU {sku} is {on_hand}, so {pieces} would leave less than none"
        )),
        StockChange::By(pieces) if on_hand + pieces > super::STOCK_MAX => Some(format!(
            "the stock of SKU {sku} is {on_hand}, so {pieces:+} would make more than {}",
            super::STOCK_MAX
        )),
        _ => None,
    }
}

fn product_of(row: &CatalogueRow) -> Option<i64> {
    match &row.product {
        ProductKey::Id(id, _) => Some(id.0),
        ProductKey::Handle(_) => None,
    }
}

/// What a row lacks whose SKU or product is not there yet.
fn needs(change: &RowChange, columns: &[&str]) -> String {
    let sku = match (change.sku_id, &change.sku_code) {
        (_, Some(code)) => format!("{code:?}"),
        (Some(id), None) => id.to_string(),
        (None, None) => "of this row".to_owned(),
    };
    let given = |column: &str| match column {
        "sku_code" => change.sku_code.is_some(),
        "price" => change.price.is_some(),
        _ => false,
    };
    let missing: Vec<_> = columns.iter().copied().filter(|column| !given(column)).collect();
    format!(
        "the SKU {sku} is not in the shop; to make it, its row needs {} as well",
        missing.join(" and ")
    )
}

fn belongs(sku: &CatalogueRow, other: i64, id: i64, key: &Option<ProductKey>) -> String {
    let sku_id = sku.sku_id.map_or(0, |id| id.0);
    let hint = match key {
        Some(ProductKey::Handle(_)) => "; a SKU stays with its product: give this one another code",
        _ => "",
    };
    format!("SKU {sku_id} belongs to product {other}, not {id}{hint}")
}

fn two_handles(id: i64, handle: &str, change: &RowChange) -> String {
    let code = change.sku_code.as_deref().unwrap_or_default();
    format!(
        "SKU {code:?} belongs to product {id}, which has another handle than {handle:?} in this \
         file: a SKU stays with its product, so give this one another code"
    )
}

fn differs(id: i64, first: u32) -> String {
    format!(
        "product {id} has another name, brand, category or description than in row {}: \
         they must be the same in all rows of a product",
        first + 1
    )
}

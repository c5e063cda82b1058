//! Puts a catalogue file's rows in, inside one transaction: what contradicts the store or the other
//! rows is collected, so that its owner sees all of it at once. It is found out row by row here,
//! from what the store knows of all that the file names; what is to be written then goes to the
//! store in large pieces.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use evercart_core::catalogue::{
    CatalogueRow, ImportOutcome, ImportSummary, ProductKey, RowProblem,
};
use evercart_core::error::Failed;
use evercart_core::ids::ID_MAX;
use tokio_postgres::Transaction;

use crate::catalogue_write;
use crate::connect::Target;
use crate::db::{DbError, Result, is_loss};

/// Called with the number of rows done so far.
pub(crate) type Tell<'a> = &'a mut (dyn FnMut(u64) + Send);

/// Imports on a connection without time limits: a large file takes long. Carts go on meanwhile.
pub(crate) async fn import(
    target: &Target,
    rows: &[CatalogueRow],
    tell: Tell<'_>,
) -> Result<ImportOutcome> {
    // Of two imports at once one waits here for the other, whatever the two name.
    const LOCK: &str = "SELECT version FROM catalogue_version FOR NO KEY UPDATE";
    let mut client = target.connect_patiently().await.map_err(|error| {
        Failed::Unavailable(format!("the catalogue cannot be imported: {error}"))
    })?;
    let transaction = client.transaction().await?;
    transaction.query_one(LOCK, &[]).await?;
    let plan = Plan::of(rows, known(&transaction, rows).await?);
    if !plan.problems.is_empty() {
        transaction.rollback().await?;
        return Ok(ImportOutcome::Rejected(plan.problems));
    }
    catalogue_write::write(&transaction, target, &plan, tell).await?;
    match transaction.commit().await {
        Ok(()) => Ok(ImportOutcome::Imported(plan.summary)),
        Err(error) if error.as_db_error().is_some() && !is_loss(&error) => Err(error.into()),
        Err(error) => Err(DbError::CommitUnknown(error)),
    }
}

/// What the store knows of the products and SKUs that a file names.
#[derive(Default)]
struct Known {
    /// Handles by product.
    products: HashMap<i64, Option<String>>,
    skus: HashMap<i64, KnownSku>,
    /// The next number of each.
    product_number: i64,
    sku_number: i64,
}

struct KnownSku {
    product: i64,
    code: String,
}

async fn known(transaction: &Transaction<'_>, rows: &[CatalogueRow]) -> Result<Known> {
    const PRODUCTS: &str = "SELECT id, handle FROM products WHERE id = ANY ($1) \
         UNION SELECT id, handle FROM products WHERE handle = ANY ($2)";
    const SKUS: &str = "SELECT id, product_id, sku_code FROM skus WHERE id = ANY ($1) \
         UNION SELECT id, product_id, sku_code FROM skus WHERE sku_code = ANY ($2)";
    const NUMBERS: &str = "SELECT p.last_value + p.is_called::int, s.last_value + s.is_called::int \
         FROM product_numbers p, sku_numbers s";
    let (mut ids, mut handles) = (Vec::new(), Vec::new());
    for row in rows {
        match &row.product {
            ProductKey::Id(id, handle) => {
                ids.push(id.0);
                handles.extend(handle.as_deref());
            }
            ProductKey::Handle(handle) => handles.push(handle),
        }
    }
    let sku_ids: Vec<_> = rows.iter().filter_map(|row| row.sku_id).map(|id| id.0).collect();
    let codes: Vec<_> = rows.iter().map(|row| &*row.sku_code).collect();
    let numbers = transaction.query_one(NUMBERS, &[]).await?;
    let products = transaction.query(PRODUCTS, &[&ids, &handles]).await?;
    let skus = transaction.query(SKUS, &[&sku_ids, &codes]).await?;
    Ok(Known {
        products: products.iter().map(|row| (row.get(0), row.get(1))).collect(),
        skus: skus
            .iter()
            .map(|row| (row.get(0), KnownSku { product: row.get(1), code: row.get(2) }))
            .collect(),
        product_number: numbers.get(0),
        sku_number: numbers.get(1),
    })
}

/// What is to be written, or why nothing is.
pub(crate) struct Plan<'a> {
    /// By id.
    pub(crate) products: BTreeMap<i64, PlannedProduct<'a>>,
    /// By product and id.
    pub(crate) skus: BTreeMap<(i64, i64), PlannedSku<'a>>,
    /// Handles and codes that are another's now, so that they must be given up before they are
    /// taken.
    pub(crate) freed_handles: HashSet<String>,
    pub(crate) freed_codes: HashSet<String>,
    pub(crate) product_numbers: Numbers,
    pub(crate) sku_numbers: Numbers,
    summary: ImportSummary,
    problems: Vec<RowProblem>,
    known: Known,
    with_handle: HashMap<String, i64>,
    with_code: HashMap<String, i64>,
    /// The last row of each SKU.
    seen: HashMap<i64, usize>,
}

pub(crate) struct PlannedProduct<'a> {
    pub(crate) row: &'a CatalogueRow,
    /// The handle it gets; `None` leaves it the one it has.
    pub(crate) new_handle: Option<&'a str>,
    pub(crate) is_new: bool,
    /// One of the file's SKUs is for sale.
    pub(crate) has_active: bool,
    /// Its first row.
    number: usize,
}

pub(crate) struct PlannedSku<'a> {
    pub(crate) row: &'a CatalogueRow,
    /// Its code is another than it was.
    pub(crate) new_code: bool,
    pub(crate) is_new: bool,
}

/// Gives out numbers, around those that a file brings along.
#[derive(Default)]
pub(crate) struct Numbers {
    next: i64,
    brought: HashSet<i64>,
    /// The highest one used, if the sequence is to be moved there.
    pub(crate) highest: Option<i64>,
}

impl Numbers {
    fn new(next: i64, brought: impl Iterator<Item = i64>) -> Self {
        let brought: HashSet<_> = brought.collect();
        let highest = brought.iter().copied().max().filter(|number| *number >= next);
        Self { next, brought, highest }
    }

    fn take(&mut self, of: &str) -> Result<i64, String> {
        while self.brought.contains(&self.next) {
            self.next += 1;
        }
        if self.next > ID_MAX {
            return Err(format!("no number is left for a new {of}: give it an id of your own"));
        }
        let number = self.next;
        self.next += 1;
        self.highest = self.highest.max(Some(number));
        Ok(number)
    }
}

impl<'a> Plan<'a> {
    fn of(rows: &'a [CatalogueRow], known: Known) -> Self {
        let products = rows.iter().filter_map(|row| match row.product {
            ProductKey::Id(id, _) => Some(id.0),
            ProductKey::Handle(_) => None,
        });
        let skus = rows.iter().filter_map(|row| row.sku_id).map(|id| id.0);
        let with_handle = |(id, handle): (&i64, &Option<String>)| Some((handle.clone()?, *id));
        let with_code = |(id, sku): (&i64, &KnownSku)| (sku.code.clone(), *id);
        let mut plan = Self {
            products: BTreeMap::new(),
            skus: BTreeMap::new(),
            freed_handles: HashSet::new(),
            freed_codes: HashSet::new(),
            product_numbers: Numbers::new(known.product_number, products),
            sku_numbers: Numbers::new(known.sku_number, skus),
            summary: ImportSummary::default(),
            problems: Vec::new(),
            with_handle: known.products.iter().filter_map(with_handle).collect(),
            with_code: known.skus.iter().map(with_code).collect(),
            seen: HashMap::new(),
            known,
        };
        for (number, row) in rows.iter().enumerate() {
            let outcome = plan.product(number, row);
            let outcome = outcome.and_then(|product| plan.sku(number, row, product));
            if let Err(problem) = outcome {
                plan.problems.push(RowProblem { row: number, problem });
            }
        }
        plan
    }

    fn product(&mut self, number: usize, row: &'a CatalogueRow) -> Result<i64, String> {
        let (id, handle) = match &row.product {
            ProductKey::Id(id, handle) => (id.0, handle.as_deref()),
            ProductKey::Handle(handle) => (self.product_with_handle(handle)?, Some(&**handle)),
        };
        let first = match self.products.entry(id) {
            Entry::Occupied(first) => {
                let first = first.get();
                let same = same_product(first.row, row);
                return if same { Ok(id) } else { Err(differs(id, first.number)) };
            }
            Entry::Vacant(first) => first,
        };
        let known = self.known.products.get(&id);
        let had = known.and_then(Option::as_deref);
        let new_handle = handle.filter(|handle| had != Some(handle));
        let is_new = known.is_none();
        first.insert(PlannedProduct { row, new_handle, is_new, has_active: false, number });
        if let Some(handle) = new_handle {
            if self.with_handle.contains_key(handle) {
                return Err(format!(
                    "product {id} cannot have the handle {handle:?}: another product has it"
                ));
            }
            if let Some(had) = had {
                self.with_handle.remove(had);
                self.freed_handles.insert(had.to_owned());
            }
            self.with_handle.insert(handle.to_owned(), id);
        }
        self.summary.products_added += u64::from(is_new);
        Ok(id)
    }

    fn product_with_handle(&mut self, handle: &str) -> Result<i64, String> {
        match self.with_handle.get(handle) {
            Some(id) => Ok(*id),
            None => self.product_numbers.take("product"),
        }
    }

    fn sku(&mut self, number: usize, row: &'a CatalogueRow, product: i64) -> Result<(), String> {
        let with_code = self.with_code.get(&row.sku_code).copied();
        let id = match (row.sku_id, with_code) {
            (Some(id), Some(other)) if id.0 != other => {
                return Err(format!("sku_code {:?} is SKU {other}'s", row.sku_code));
            }
            (Some(id), _) => id.0,
            (None, Some(id)) => id,
            (None, None) => self.sku_numbers.take("SKU")?,
        };
        if let Some(first) = self.seen.insert(id, number) {
            return Err(format!("SKU {id} ({}) is in row {} already", row.sku_code, first + 1));
        }
        let known = self.known.skus.get(&id);
        match known {
            Some(KnownSku { product: other, .. }) if *other != product => {
                return Err(format!("SKU {id} belongs to product {other}, not {product}"));
            }
            Some(_) => self.summary.skus_updated += 1,
            None => self.summary.skus_added += 1,
        }
        let had = known.map(|sku| &*sku.code);
        if let Some(had) = had.filter(|had| *had != row.sku_code) {
            self.with_code.remove(had);
            self.freed_codes.insert(had.to_owned());
        }
        let new_code = had != Some(&*row.sku_code);
        self.with_code.insert(row.sku_code.clone(), id);
        self.skus.insert((product, id), PlannedSku { row, new_code, is_new: known.is_none() });
        if row.active
            && let Some(product) = self.products.get_mut(&product)
        {
            product.has_active = true;
        }
        Ok(())
    }
}

fn same_product(a: &CatalogueRow, b: &CatalogueRow) -> bool {
    (&a.name, &a.brand, &a.category, &a.description)
        == (&b.name, &b.brand, &b.category, &b.description)
}

fn differs(id: i64, first: usize) -> String {
    format!(
        "product {id} has another name, brand, category or description than in row {}: \
         they must be the same in all rows of a product",
        first + 1
    )
}

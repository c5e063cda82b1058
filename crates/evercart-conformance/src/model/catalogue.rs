//! The model's catalogue.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use evercart_core::catalogue::plan::stock_problem;
use evercart_core::catalogue::{
    Catalogue, CatalogueRow, Category, ImportOutcome, ImportSummary, Product, ProductKey,
    ProductQuery, Progress, RowChange, RowChanges, RowProblem, Sku, StockChange,
};
use evercart_core::error::{Refused, Result};
use evercart_core::ids::{ProductId, SkuId};
use evercart_core::order::{Listed, Page};
use evercart_core::search::searched_words;

use super::order::some_of;
use super::{Model, State, cart};

#[async_trait]
impl Catalogue for Model {
    async fn products(&self, query: ProductQuery, page: Page) -> Result<Listed<Product>> {
        self.transact(|state, _| {
            let matching = state
                .for_sale()
                .filter(|product| query.category.is_none() || product.category == query.category);
            let search = query.search.as_deref().unwrap_or_default();
            Ok(some_of(matching.filter(|product| has_words(product, search)).collect(), page))
        })
    }

    async fn product(&self, id: ProductId) -> Result<(Product, Vec<Sku>)> {
        self.transact(|state, _| {
            let missing = Refused::NotFound { what: "product" };
            let product = state.for_sale().find(|product| product.id == id).ok_or(missing)?;
            let of_it = state.skus.iter().filter(|(_, row)| row.active && product_id(row) == id);
            let sku = |(sku_id, row): (&SkuId, &CatalogueRow)| Sku {
                facts: cart::facts(*sku_id, row),
                on_hand: row.stock,
            };
            Ok((product, of_it.map(sku).collect()))
        })
    }

    async fn categories(&self) -> Result<Vec<Category>> {
        self.transact(|state, _| {
            let mut counts = BTreeMap::<String, u64>::new();
            for name in state.for_sale().filter_map(|product| product.category) {
                *counts.entry(name).or_default() += 1;
            }
            Ok(counts.into_iter().map(|(name, products)| Category { name, products }).collect())
        })
    }

    async fn has_products(&self) -> Result<bool> {
        self.transact(|state, _| Ok(!state.skus.is_empty()))
    }

    async fn change_catalogue(
        &self,
        mut rows: Box<dyn RowChanges>,
        mut progress: Progress,
    ) -> Result<ImportOutcome> {
        rows.rewind()?;
        let rows = rows.next(usize::MAX)?;
        self.transact(|state, _| {
            let before = state.clone();
            let mut summary = ImportSummary::default();
            let (mut problems, mut named) = (Vec::new(), BTreeSet::new());
            for (index, row) in rows.into_iter().enumerate() {
                if let Err(problem) = state.import(row, &mut summary, &mut named) {
                    problems.push(RowProblem { row: index, problem });
                }
                progress(index as u64 + 1);
            }
            if problems.is_empty() {
                return Ok(ImportOutcome::Imported(summary));
            }
            *state = before;
            Ok(ImportOutcome::Rejected(problems))
        })
    }

    async fn export_catalogue(&self) -> Result<Vec<CatalogueRow>> {
        self.transact(|state, _| {
            let mut rows: Vec<_> = state.skus.values().cloned().collect();
            rows.sort_by_key(|row| (product_id(row), row.sku_id));
            Ok(rows)
        })
    }
}

impl State {
    pub(super) fn row(&mut self, id: SkuId) -> &mut CatalogueRow {
        self.skus.get_mut(&id).expect("SKUs are never removed")
    }

    /// A product as lists show it, for sale or not.
    pub(super) fn show_product(&self, id: ProductId) -> Option<Product> {
        let rows: Vec<_> = self.skus.values().filter(|row| product_id(row) == id).collect();
        let for_sale = rows.iter().filter(|row| row.active);
        let cheapest = for_sale.min_by_key(|row| row.price).or(rows.first())?;
        Some(Product {
            id,
            name: cheapest.name.clone(),
            brand: cheapest.brand.clone(),
            category: cheapest.category.clone(),
            description: cheapest.description.clone(),
            image: cheapest.image.clone(),
            price: cheapest.price,
            original_price: cheapest.original_price,
            available: rows.iter().any(|row| row.active && row.stock > 0),
        })
    }

    fn for_sale(&self) -> impl Iterator<Item = Product> {
        let active = self.skus.values().filter(|row| row.active);
        let mut ids: Vec<_> = active.map(product_id).collect();
        ids.sort();
        ids.dedup();
        ids.into_iter().filter_map(|id| self.show_product(id))
    }

    /// `named` are the products of the rows so far.
    fn import(
        &mut self,
        mut change: RowChange,
        summary: &mut ImportSummary,
        named: &mut BTreeSet<ProductId>,
    ) -> Result<(), String> {
        let code = change.sku_code.as_ref();
        let by_code = self.skus.values().find(|known| Some(&known.sku_code) == code);
        let by_code = by_code.and_then(|known| known.sku_id);
        let next = self.skus.keys().last().map_or(1, |last| last.0 + 1);
        let sku_id = change.sku_id.or(by_code).unwrap_or(SkuId(next));
        if let Some(owner) = by_code.filter(|owner| *owner != sku_id) {
            return Err(format!("the code {code:?} is that of SKU {owner}"));
        }
        change.product =
            change.product.map(|key| self.product_key(key, sku_id, named)).transpose()?;
        let row = self.changed(sku_id, change)?;
        let id = product_id(&row);
        named.insert(id);
        summary.products_added += u64::from(self.skus.values().all(|sku| product_id(sku) != id));
        let is_new = self.skus.insert(sku_id, row.clone()).is_none();
        summary.skus_added += u64::from(is_new);
        summary.skus_updated += u64::from(!is_new);
        for other in self.skus.values_mut().filter(|other| product_id(other) == id) {
            let CatalogueRow { product, name, brand, category, description, .. } = row.clone();
            *other = CatalogueRow { product, name, brand, category, description, ..other.clone() };
        }
        Ok(())
    }

    /// A SKU as a row makes it of what it was.
    fn changed(&self, id: SkuId, change: RowChange) -> Result<CatalogueRow, String> {
        let was = self.skus.get(&id).cloned();
        let product = change.product.or(was.as_ref().map(|row| row.product.clone()));
        let of_product = |row: &&CatalogueRow| Some(&row.product) == product.as_ref();
        let sibling = self.skus.values().find(of_product).or(was.as_ref());
        let missing = || format!("SKU {id} is new, and something is missing");
        let on_hand = was.as_ref().map_or(0, |row| row.stock);
        // A stock that stands as it was written out was not meant to change.
        let moved = change.stock.filter(
            |stock| !matches!(stock, StockChange::ToIfStill { pieces, seen } if pieces == seen),
        );
        let problem = moved.and_then(|stock| stock_problem(id, stock, on_hand));
        if let Some(problem) = problem.filter(|_| was.is_some()) {
            return Err(problem);
        }
        let stock = match if was.is_some() { moved } else { change.stock } {
            Some(StockChange::To(pieces) | StockChange::ToIfStill { pieces, .. }) => pieces,
            Some(StockChange::By(pieces)) => on_hand + pieces,
            None => on_hand,
        };
        let old = |of: fn(&CatalogueRow) -> Option<String>| was.as_ref().and_then(of);
        let of = |of: fn(&CatalogueRow) -> Option<String>| sibling.and_then(of);
        Ok(CatalogueRow {
            product: product.clone().ok_or_else(missing)?,
            name: change.name.or(sibling.map(|row| row.name.clone())).ok_or_else(missing)?,
            brand: change.brand.unwrap_or_else(|| of(|row| row.brand.clone())),
            category: change.category.unwrap_or_else(|| of(|row| row.category.clone())),
            description: change.description.unwrap_or_else(|| of(|row| row.description.clone())),
            image: change.image.unwrap_or_else(|| old(|row| row.image.clone())),
            sku_id: Some(id),
            sku_code: change
                .sku_code
                .or_else(|| old(|row| Some(row.sku_code.clone())))
                .ok_or_else(missing)?,
            size: change.size.unwrap_or_else(|| old(|row| row.size.clone())),
            color: change.color.unwrap_or_else(|| old(|row| row.color.clone())),
            price: change.price.or(was.as_ref().map(|row| row.price)).ok_or_else(missing)?,
            original_price: change
                .original_price
                .unwrap_or_else(|| was.as_ref().and_then(|row| row.original_price)),
            stock,
            active: change.active.or(was.as_ref().map(|row| row.active)).unwrap_or(true),
        })
    }

    /// The product's id with its handle, whichever of the two the file gave. A handle that no
    /// product has is a new one of the SKU's product.
    fn product_key(
        &self,
        key: ProductKey,
        sku: SkuId,
        named: &BTreeSet<ProductId>,
    ) -> Result<ProductKey, String> {
        let known = |wanted: &ProductKey| {
            self.skus.values().map(|row| &row.product).find(|known| match (known, wanted) {
                (ProductKey::Id(a, _), ProductKey::Id(b, _)) => a == b,
                (ProductKey::Id(_, Some(a)), ProductKey::Handle(b)) => a == b,
                _ => false,
            })
        };
        Ok(match (known(&key), key) {
            (Some(ProductKey::Id(id, handle)), ProductKey::Id(_, None)) => {
                ProductKey::Id(*id, handle.clone())
            }
            (Some(known), ProductKey::Handle(_)) => known.clone(),
            (None, ProductKey::Handle(handle)) if self.skus.contains_key(&sku) => {
                let id = product_id(&self.skus[&sku]);
                if named.contains(&id) {
                    return Err(format!(
                        "product {id} has another handle: give this one another code"
                    ));
                }
                ProductKey::Id(id, Some(handle))
            }
            (None, ProductKey::Handle(handle)) => {
                let last = self.skus.values().map(product_id).max();
                ProductKey::Id(ProductId(last.map_or(1, |last| last.0 + 1)), Some(handle))
            }
            (_, key) => key,
        })
    }
}

pub(super) fn product_id(row: &CatalogueRow) -> ProductId {
    match &row.product {
        ProductKey::Id(id, _) => *id,
        ProductKey::Handle(handle) => unreachable!("{handle} got its id when it was imported"),
    }
}

/// True if every word of `search` begins a word of the product's texts.
fn has_words(product: &Product, search: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let lower = text.to_lowercase();
        let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let texts = [&product.brand, &product.category, &product.description];
    let texts = texts.into_iter().flatten().chain([&product.name]);
    let there: Vec<_> = texts.flat_map(|text| words(text)).collect();
    let search = search.to_lowercase();
    let searched = searched_words(&search);
    searched.iter().all(|word| there.iter().any(|text| text.starts_with(word)))
}

//! The model's catalogue.

use std::collections::BTreeMap;

use async_trait::async_trait;
use evercart_core::catalogue::{
    Catalogue, CatalogueRow, Category, ImportOutcome, ImportSummary, Product, ProductKey,
    ProductQuery, Progress, RowProblem, Sku,
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

    async fn import_catalogue(
        &self,
        rows: Vec<CatalogueRow>,
        mut progress: Progress,
    ) -> Result<ImportOutcome> {
        self.transact(|state, _| {
            let before = state.clone();
            let mut summary = ImportSummary::default();
            let mut problems = Vec::new();
            for (index, row) in rows.into_iter().enumerate() {
                if let Err(problem) = state.import(row, &mut summary) {
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

    fn import(&mut self, mut row: CatalogueRow, summary: &mut ImportSummary) -> Result<(), String> {
        let by_code = self.skus.values().find(|known| known.sku_code == row.sku_code);
        let by_code = by_code.and_then(|known| known.sku_id);
        let next = self.skus.keys().last().map_or(1, |last| last.0 + 1);
        let sku_id = row.sku_id.or(by_code).unwrap_or(SkuId(next));
        if let Some(owner) = by_code.filter(|owner| *owner != sku_id) {
            return Err(format!("the code {} is that of SKU {owner}", row.sku_code));
        }
        row.sku_id = Some(sku_id);
        row.product = self.product_key(row.product);
        let id = product_id(&row);
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

    /// The product's id with its handle, whichever of the two the file gave.
    fn product_key(&self, key: ProductKey) -> ProductKey {
        let known = |wanted: &ProductKey| {
            self.skus.values().map(|row| &row.product).find(|known| match (known, wanted) {
                (ProductKey::Id(a, _), ProductKey::Id(b, _)) => a == b,
                (ProductKey::Id(_, Some(a)), ProductKey::Handle(b)) => a == b,
                _ => false,
            })
        };
        match (known(&key), key) {
            (Some(ProductKey::Id(id, handle)), ProductKey::Id(_, None)) => {
                ProductKey::Id(*id, handle.clone())
            }
            (Some(known), ProductKey::Handle(_)) => known.clone(),
            (None, ProductKey::Handle(handle)) => {
                let last = self.skus.values().map(product_id).max();
                ProductKey::Id(ProductId(last.map_or(1, |last| last.0 + 1)), Some(handle))
            }
            (_, key) => key,
        }
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

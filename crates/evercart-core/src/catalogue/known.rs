//! What a store is asked, and says, of the products and SKUs that rows of a file name.

use std::collections::HashMap;

use crate::ids::ProductId;

use super::{CatalogueRow, ProductKey, RowChange};

/// A product's own facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductFacts {
    /// The product.
    pub id: ProductId,
    /// What it is also known by.
    pub handle: Option<String>,
    /// What it is called.
    pub name: String,
    /// Who makes it.
    pub brand: Option<String>,
    /// Where it stands in the shop.
    pub category: Option<String>,
    /// What it is.
    pub description: Option<String>,
}

/// What the store has to be asked before rows can be planned.
#[derive(Debug, Default)]
pub struct Asked<'a> {
    /// Products by id.
    pub products: Vec<i64>,
    /// Products by handle.
    pub handles: Vec<&'a str>,
    /// SKUs by id.
    pub skus: Vec<i64>,
    /// SKUs by code.
    pub codes: Vec<&'a str>,
}

impl<'a> Asked<'a> {
    /// Of these rows.
    pub fn of(rows: &'a [RowChange]) -> Self {
        let mut asked = Self::default();
        for row in rows {
            match &row.product {
                Some(ProductKey::Id(id, handle)) => {
                    asked.products.push(id.0);
                    asked.handles.extend(handle.as_deref());
                }
                Some(ProductKey::Handle(handle)) => asked.handles.push(handle),
                None => {}
            }
            asked.skus.extend(row.sku_id.map(|id| id.0));
            asked.codes.extend(row.sku_code.as_deref());
        }
        asked
    }
}

/// What the store knows of what was [`Asked`].
#[derive(Debug, Default)]
pub struct Known {
    pub(super) products: HashMap<i64, ProductFacts>,
    pub(super) handles: HashMap<String, i64>,
    pub(super) skus: HashMap<i64, CatalogueRow>,
    pub(super) codes: HashMap<String, i64>,
}

impl Known {
    /// Adds a product.
    pub fn product(&mut self, facts: ProductFacts) {
        if let Some(handle) = &facts.handle {
            self.handles.insert(handle.clone(), facts.id.0);
        }
        self.products.insert(facts.id.0, facts);
    }

    /// Adds a SKU, and its product with it. A row without ids says nothing.
    pub fn sku(&mut self, row: CatalogueRow) {
        let (Some(id), ProductKey::Id(product, handle)) = (row.sku_id, &row.product) else {
            return;
        };
        self.product(ProductFacts {
            id: *product,
            handle: handle.clone(),
            name: row.name.clone(),
            brand: row.brand.clone(),
            category: row.category.clone(),
            description: row.description.clone(),
        });
        self.codes.insert(row.sku_code.clone(), id.0);
        self.skus.insert(id.0, row);
    }
}

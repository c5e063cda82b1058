//! Finds rows that contradict each other, and names both lines.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;

use evercart_core::catalogue::RowChange;

use super::Problem;

/// What the rows so far have named. Of each only numbers are kept: a million rows fit into memory.
#[derive(Default)]
pub(super) struct Seen {
    hashes: RandomState,
    /// Lines by the hash of a code.
    codes: HashMap<u64, u64>,
    /// Lines by SKU.
    skus: HashMap<i64, u64>,
    /// By the hash of a product's key: its first line, and what that said of the product.
    products: HashMap<u64, (u64, [u32; 4])>,
}

/// What must be the same in all rows of a product.
const OF_PRODUCT: [&str; 4] = ["name", "brand", "category", "description"];

impl Seen {
    /// Adds a row. Told are a SKU or a code that is there twice, and a product that is not the same
    /// in all of its rows.
    pub(super) fn row(&mut self, row: &RowChange, line: u64, problems: &mut Vec<Problem>) {
        let mut wrong = |column, what| {
            problems.push(Problem { line, column: Some(column), what });
        };
        if let Some(code) = &row.sku_code
            && let Some(first) = self.codes.insert(self.hashes.hash_one(code), line)
        {
            wrong("sku_code", format!("{code:?} is in line {first} already"));
        }
        if let Some(id) = row.sku_id
            && let Some(first) = self.skus.insert(id.0, line)
        {
            wrong("sku_id", format!("{id} is in line {first} already"));
        }
        let Some(product) = &row.product else { return };
        let said = [
            self.hashes.hash_one(&row.name) as u32,
            self.hashes.hash_one(&row.brand) as u32,
            self.hashes.hash_one(&row.category) as u32,
            self.hashes.hash_one(&row.description) as u32,
        ];
        match self.products.entry(self.hashes.hash_one(product)) {
            Entry::Vacant(new) => {
                new.insert((line, said));
            }
            Entry::Occupied(first) => {
                let (first_line, first) = first.get();
                let differs = (0..4).find(|column| first[*column] != said[*column]);
                if let Some(column) = differs {
                    let what = format!("differs from line {first_line}, the same product");
                    wrong(OF_PRODUCT[column], what);
                }
            }
        }
    }
}

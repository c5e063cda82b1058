//! Finds rows that contradict each other, and names both lines.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use evercart_core::catalogue::{CatalogueRow, ProductKey};

use super::Problem;

/// A SKU or a code that is there twice; a product that is not the same in all of its rows.
pub(super) fn contradictions(rows: &[CatalogueRow], lines: &[u64]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut codes = HashMap::new();
    let mut skus = HashMap::new();
    let mut products: HashMap<&ProductKey, (&CatalogueRow, u64)> = HashMap::new();
    for (row, line) in rows.iter().zip(lines.iter().copied()) {
        let mut wrong = |column, what| {
            problems.push(Problem { line, column: Some(column), what });
        };
        if let Some(first) = codes.insert(row.sku_code.as_str(), line) {
            wrong("sku_code", format!("{:?} is in line {first} already", row.sku_code));
        }
        if let Some(id) = row.sku_id
            && let Some(first) = skus.insert(id, line)
        {
            wrong("sku_id", format!("{id} is in line {first} already"));
        }
        match products.entry(&row.product) {
            Entry::Vacant(new) => {
                new.insert((row, line));
            }
            Entry::Occupied(first) => {
                let (first, first_line) = *first.get();
                if let Some(column) = difference(first, row) {
                    wrong(column, format!("differs from line {first_line}, the same product"));
                }
            }
        }
    }
    problems
}

fn difference(a: &CatalogueRow, b: &CatalogueRow) -> Option<&'static str> {
    let same = [
        ("name", a.name == b.name),
        ("brand", a.brand == b.brand),
        ("category", a.category == b.category),
        ("description", a.description == b.description),
    ];
    same.into_iter().find(|(_, same)| !same).map(|(column, _)| column)
}

//! Writes what an import found to be without contradiction: many rows a statement, only what
//! differs, and last what others may wait for, so that they do not wait long.

use evercart_core::catalogue::plan::{Planned, Planner, ProductChange, SkuChange};
use evercart_core::catalogue::{CatalogueRow, ProductFacts};
use tokio_postgres::Transaction;

use crate::catalogue_stock::{self, StockRow};
use crate::connect::Target;
use crate::db::Result;
use crate::words;

/// Products looked at in one statement.
const BATCH: usize = 10_000;

/// What is written when all rows are known to be right.
#[derive(Default)]
pub(crate) struct Later {
    handles: Vec<(i64, String)>,
    codes: Vec<(i64, String)>,
    stock: Vec<StockRow>,
}

/// Writes some rows.
pub(crate) async fn write(
    transaction: &Transaction<'_>,
    planner: &Planner,
    planned: Vec<Planned>,
    later: &mut Later,
) -> Result<()> {
    let (mut new_products, mut products) = (Vec::new(), Vec::new());
    let (mut new_skus, mut skus) = (Vec::new(), Vec::new());
    for planned in planned {
        let Planned { number, product_id, product, sku_id, sku, row, stock } = planned;
        match product {
            ProductChange::New(facts) => new_products.push(facts),
            ProductChange::Changed { facts, new_handle } => {
                if let Some(handle) = facts.handle.clone().filter(|_| new_handle) {
                    later.handles.push((facts.id.0, handle));
                }
                products.push(facts);
            }
            ProductChange::Nothing => {}
        }
        match sku {
            SkuChange::New => new_skus.push((product_id.0, sku_id.0, row)),
            SkuChange::Changed { new_code } => {
                if new_code {
                    later.codes.push((sku_id.0, row.sku_code.clone()));
                }
                skus.push((product_id.0, sku_id.0, row));
            }
            SkuChange::Nothing => {}
        }
        if let Some(change) = stock {
            later.stock.push(StockRow { sku: sku_id, change, row: number });
        }
    }
    insert_products(transaction, planner, &new_products, later).await?;
    update_products(transaction, &products).await?;
    insert_skus(transaction, planner, &new_skus, later).await?;
    update_skus(transaction, &skus).await
}

/// Writes what comes last. Rows whose stock has moved contradict the store then.
pub(crate) async fn finish(
    transaction: &Transaction<'_>,
    target: &Target,
    planner: &mut Planner,
    later: Later,
) -> Result<()> {
    const NEW_VERSION: &str = "UPDATE catalogue_version SET version = version + 1";
    for (kind, sequence, highest) in [
        ("product", "product_numbers", planner.highest_product()),
        ("sku", "sku_numbers", planner.highest_sku()),
    ] {
        let Some(highest) = highest else { continue };
        keep_ahead(transaction, sequence, highest).await?;
        if let Some(keeper) = &target.keeper {
            keeper.reserve(kind, highest + 1).await?;
        }
    }
    write_for_sale(transaction, planner).await?;
    write_handles(transaction, planner, later.handles).await?;
    write_codes(transaction, planner, later.codes).await?;
    catalogue_stock::write(transaction, target, planner, later.stock).await?;
    transaction.execute(NEW_VERSION, &[]).await?;
    Ok(())
}

/// Keeps a sequence ahead of the numbers that files bring along. Other than all the rest this is
/// not undone with the transaction: at worst it leaves a gap.
async fn keep_ahead(
    transaction: &Transaction<'_>,
    sequence: &'static str,
    highest: i64,
) -> Result<()> {
    const KEEP_AHEAD: &str = "SELECT setval($1::text::regclass, $2)";
    transaction.query_one(KEEP_AHEAD, &[&sequence, &highest]).await?;
    Ok(())
}

async fn insert_products(
    transaction: &Transaction<'_>,
    planner: &Planner,
    products: &[ProductFacts],
    later: &mut Later,
) -> Result<()> {
    const INSERT: &str = "INSERT INTO products (id, handle, for_sale, name, brand, category, \
         description, words) \
         SELECT n.id, n.handle, false, n.name, n.brand, n.category, n.description, \
         array_to_tsvector(string_to_array(n.words, ' ')) \
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], \
         $7::text[]) AS n (id, name, brand, category, description, words, handle)";
    if products.is_empty() {
        return Ok(());
    }
    let mut handles: Vec<Option<&str>> = Vec::with_capacity(products.len());
    for facts in products {
        let handle = facts.handle.as_deref();
        // A handle that is not yet free comes later.
        let freed = handle.filter(|handle| planner.is_freed_handle(handle));
        later.handles.extend(freed.map(|handle| (facts.id.0, handle.to_owned())));
        handles.push(handle.filter(|_| freed.is_none()));
    }
    let Texts { ids, names, brands, categories, descriptions, words } = Texts::of(products);
    transaction
        .execute(INSERT, &[&ids, &names, &brands, &categories, &descriptions, &words, &handles])
        .await?;
    Ok(())
}

async fn update_products(transaction: &Transaction<'_>, products: &[ProductFacts]) -> Result<()> {
    const UPDATE: &str = "UPDATE products p SET name = n.name, brand = n.brand, category = \
         n.category, \
         description = n.description, words = n.words FROM (SELECT u.id, u.name, u.brand, \
         u.category, \
         u.description, array_to_tsvector(string_to_array(u.words, ' ')) AS words \
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) \
         AS u (id, name, brand, category, description, words)) n \
         WHERE p.id = n.id AND (p.name, p.brand, p.category, p.description, p.words) \
         IS DISTINCT FROM (n.name, n.brand, n.category, n.description, n.words)";
    if products.is_empty() {
        return Ok(());
    }
    let Texts { ids, names, brands, categories, descriptions, words } = Texts::of(products);
    transaction
        .execute(UPDATE, &[&ids, &names, &brands, &categories, &descriptions, &words])
        .await?;
    Ok(())
}

/// Products' texts, an array for each column.
struct Texts<'a> {
    ids: Vec<i64>,
    names: Vec<&'a str>,
    brands: Vec<Option<&'a str>>,
    categories: Vec<Option<&'a str>>,
    descriptions: Vec<Option<&'a str>>,
    words: Vec<String>,
}

impl<'a> Texts<'a> {
    fn of(products: &'a [ProductFacts]) -> Self {
        let all = || products.iter();
        Self {
            ids: all().map(|facts| facts.id.0).collect(),
            names: all().map(|facts| &*facts.name).collect(),
            brands: all().map(|facts| facts.brand.as_deref()).collect(),
            categories: all().map(|facts| facts.category.as_deref()).collect(),
            descriptions: all().map(|facts| facts.description.as_deref()).collect(),
            words: all().map(words_of).collect(),
        }
    }
}

fn words_of(facts: &ProductFacts) -> String {
    let others = [&facts.brand, &facts.category, &facts.description];
    let others = others.into_iter().filter_map(Option::as_deref);
    words::of_texts(std::iter::once(&*facts.name).chain(others))
}

/// Product, SKU and what the SKU is to be.
type Sku = (i64, i64, CatalogueRow);

async fn insert_skus(
    transaction: &Transaction<'_>,
    planner: &Planner,
    skus: &[Sku],
    later: &mut Later,
) -> Result<()> {
    const INSERT: &str = "INSERT INTO skus (id, product_id, sku_code, size, color, image, price, \
         original_price, \
         active) SELECT n.id, n.product_id, n.sku_code, n.size, n.color, n.image, n.price, \
         n.original_price, \
         n.active FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], \
         $6::bigint[], \
         $7::boolean[], $8::bigint[], $9::text[]) \
         AS n (id, size, color, image, price, original_price, active, product_id, sku_code)";
    const STOCK: &str = "INSERT INTO stock (sku_id, on_hand) \
         SELECT n.sku_id, n.on_hand FROM unnest($1::bigint[], $2::bigint[]) AS n (sku_id, on_hand)";
    if skus.is_empty() {
        return Ok(());
    }
    let mut codes = Vec::with_capacity(skus.len());
    for (_, id, row) in skus {
        // What stands for a code until it is free: no file can bring along a control character.
        match planner.is_freed_code(&row.sku_code) {
            true => {
                later.codes.push((*id, row.sku_code.clone()));
                codes.push(format!("\u{1}{id}"));
            }
            false => codes.push(row.sku_code.clone()),
        }
    }
    let products: Vec<_> = skus.iter().map(|(product, ..)| *product).collect();
    let stock: Vec<_> = skus.iter().map(|(.., row)| row.stock).collect();
    let Facts { ids, sizes, colors, images, prices, original_prices, active } = Facts::of(skus);
    transaction
        .execute(
            INSERT,
            &[
                &ids,
                &sizes,
                &colors,
                &images,
                &prices,
                &original_prices,
                &active,
                &products,
                &codes,
            ],
        )
        .await?;
    transaction.execute(STOCK, &[&ids, &stock]).await?;
    Ok(())
}

async fn update_skus(transaction: &Transaction<'_>, skus: &[Sku]) -> Result<()> {
    const UPDATE: &str = "UPDATE skus s SET size = n.size, color = n.color, image = n.image, \
         price = n.price, \
         original_price = n.original_price, active = n.active \
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], \
         $7::boolean[]) AS n (id, size, color, image, price, original_price, active) \
         WHERE s.id = n.id AND (s.size, s.color, s.image, s.price, s.original_price, s.active) \
         IS DISTINCT FROM (n.size, n.color, n.image, n.price, n.original_price, n.active)";
    if skus.is_empty() {
        return Ok(());
    }
    let Facts { ids, sizes, colors, images, prices, original_prices, active } = Facts::of(skus);
    transaction
        .execute(UPDATE, &[&ids, &sizes, &colors, &images, &prices, &original_prices, &active])
        .await?;
    Ok(())
}

/// What SKUs are, an array for each column.
struct Facts<'a> {
    ids: Vec<i64>,
    sizes: Vec<Option<&'a str>>,
    colors: Vec<Option<&'a str>>,
    images: Vec<Option<&'a str>>,
    prices: Vec<i64>,
    original_prices: Vec<Option<i64>>,
    active: Vec<bool>,
}

impl<'a> Facts<'a> {
    fn of(skus: &'a [Sku]) -> Self {
        let rows = || skus.iter().map(|(.., row)| row);
        Self {
            ids: skus.iter().map(|(_, id, _)| *id).collect(),
            sizes: rows().map(|row| row.size.as_deref()).collect(),
            colors: rows().map(|row| row.color.as_deref()).collect(),
            images: rows().map(|row| row.image.as_deref()).collect(),
            prices: rows().map(|row| row.price.0).collect(),
            original_prices: rows().map(|row| row.original_price.map(|price| price.0)).collect(),
            active: rows().map(|row| row.active).collect(),
        }
    }
}

/// Known when all rows are in, and then still by the SKUs that the file does not name.
async fn write_for_sale(transaction: &Transaction<'_>, planner: &Planner) -> Result<()> {
    const FOR_SALE: &str = "UPDATE products p SET for_sale = NOT p.for_sale WHERE p.id = ANY ($1) \
         AND p.for_sale <> EXISTS (SELECT 1 FROM skus s WHERE s.product_id = p.id AND s.active)";
    for products in planner.products().chunks(BATCH) {
        transaction.execute(FOR_SALE, &[&products]).await?;
    }
    Ok(())
}

/// A handle is a key: what refers to its product waits while it changes. So this is late and,
/// mostly, nothing.
async fn write_handles(
    transaction: &Transaction<'_>,
    planner: &Planner,
    handles: Vec<(i64, String)>,
) -> Result<()> {
    const GIVE_UP: &str =
        "UPDATE products SET handle = NULL WHERE id = ANY ($1) AND handle IS NOT NULL";
    const SET: &str = "UPDATE products p SET handle = n.handle FROM unnest($1::bigint[], \
         $2::text[]) \
         AS n (id, handle) WHERE p.id = n.id";
    if handles.is_empty() {
        return Ok(());
    }
    let some_are_freed = handles.iter().any(|(_, handle)| planner.is_freed_handle(handle));
    let (ids, handles): (Vec<i64>, Vec<String>) = handles.into_iter().unzip();
    if some_are_freed {
        transaction.execute(GIVE_UP, &[&ids]).await?;
    }
    transaction.execute(SET, &[&ids, &handles]).await?;
    Ok(())
}

/// The same for codes, which are keys, too.
async fn write_codes(
    transaction: &Transaction<'_>,
    planner: &Planner,
    codes: Vec<(i64, String)>,
) -> Result<()> {
    const GIVE_UP: &str = "UPDATE skus SET sku_code = chr(1) || id WHERE id = ANY ($1)";
    const SET: &str = "UPDATE skus s SET sku_code = n.sku_code FROM unnest($1::bigint[], \
         $2::text[]) \
         AS n (id, sku_code) WHERE s.id = n.id";
    if codes.is_empty() {
        return Ok(());
    }
    let some_are_freed = codes.iter().any(|(_, code)| planner.is_freed_code(code));
    let (ids, codes): (Vec<i64>, Vec<String>) = codes.into_iter().unzip();
    if some_are_freed {
        transaction.execute(GIVE_UP, &[&ids]).await?;
    }
    transaction.execute(SET, &[&ids, &codes]).await?;
    Ok(())
}

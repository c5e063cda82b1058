//! Writes what an import found to be without contradiction: many rows a statement, only what
//! differs, and last what others may wait for, so that they do not wait long.

use evercart_core::catalogue::CatalogueRow;
use tokio_postgres::Transaction;

use crate::catalogue_import::{Numbers, Plan, PlannedProduct, PlannedSku, Tell};
use crate::connect::Target;
use crate::db::Result;
use crate::words;

/// SKUs a statement: few round trips, and no statement larger than some megabytes.
const BATCH: usize = 1_000;

pub(crate) async fn write(
    transaction: &Transaction<'_>,
    target: &Target,
    plan: &Plan<'_>,
    tell: Tell<'_>,
) -> Result<()> {
    const NEW_VERSION: &str = "UPDATE catalogue_version SET version = version + 1";
    for (kind, sequence, numbers) in [
        ("product", "product_numbers", &plan.product_numbers),
        ("sku", "sku_numbers", &plan.sku_numbers),
    ] {
        keep_ahead(transaction, sequence, numbers).await?;
        if let (Some(keeper), Some(highest)) = (&target.keeper, numbers.highest) {
            keeper.reserve(kind, highest + 1).await?;
        }
    }
    let skus: Vec<_> = plan.skus.iter().map(|((product, id), sku)| (*product, *id, sku)).collect();
    let products: Vec<_> = plan.products.iter().map(|(id, product)| (*id, product)).collect();
    let mut products = products.as_slice();
    let mut done = 0;
    for batch in skus.chunks(BATCH) {
        // Both are sorted by product: these are the products of this batch that were in none
        // before.
        let last = batch.last().map_or(0, |(product, ..)| *product);
        let count = products.partition_point(|(id, _)| *id <= last);
        let (of_batch, later) = products.split_at(count);
        products = later;
        write_products(transaction, plan, of_batch).await?;
        write_skus(transaction, plan, batch).await?;
        done += batch.len() as u64;
        tell(done);
    }
    write_for_sale(transaction, plan).await?;
    write_handles(transaction, plan).await?;
    write_codes(transaction, plan).await?;
    write_stock(transaction, target, &skus).await?;
    transaction.execute(NEW_VERSION, &[]).await?;
    Ok(())
}

/// Keeps a sequence ahead of the numbers that files bring along. Other than all the rest this is
/// not undone with the transaction: at worst it leaves a gap.
async fn keep_ahead(
    transaction: &Transaction<'_>,
    sequence: &'static str,
    numbers: &Numbers,
) -> Result<()> {
    const KEEP_AHEAD: &str = "SELECT setval($1::text::regclass, $2)";
    if let Some(highest) = numbers.highest {
        transaction.query_one(KEEP_AHEAD, &[&sequence, &highest]).await?;
    }
    Ok(())
}

async fn write_products(
    transaction: &Transaction<'_>,
    plan: &Plan<'_>,
    products: &[(i64, &PlannedProduct<'_>)],
) -> Result<()> {
    const INSERT: &str = "INSERT INTO products (id, handle, for_sale, name, brand, category, \
         description, words) \
         SELECT n.id, n.handle, n.for_sale, n.name, n.brand, n.category, n.description, \
         array_to_tsvector(string_to_array(n.words, ' ')) \
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], \
         $7::text[], \
         $8::boolean[]) AS n (id, name, brand, category, description, words, handle, for_sale)";
    const UPDATE: &str = "UPDATE products p SET name = n.name, brand = n.brand, category = \
         n.category, \
         description = n.description, words = n.words FROM (SELECT u.id, u.name, u.brand, \
         u.category, \
         u.description, array_to_tsvector(string_to_array(u.words, ' ')) AS words \
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) \
         AS u (id, name, brand, category, description, words)) n \
         WHERE p.id = n.id AND (p.name, p.brand, p.category, p.description, p.words) \
         IS DISTINCT FROM (n.name, n.brand, n.category, n.description, n.words)";
    let (new, known): (Vec<_>, Vec<_>) =
        products.iter().copied().partition(|(_, product)| product.is_new);
    if !new.is_empty() {
        // A handle that is not yet free comes later.
        let mut handles: Vec<Option<&str>> = Vec::with_capacity(new.len());
        for (_, product) in &new {
            handles.push(product.new_handle.filter(|h| !plan.freed_handles.contains(*h)));
        }
        let for_sale: Vec<_> = new.iter().map(|(_, product)| product.has_active).collect();
        let Texts { ids, names, brands, categories, descriptions, words } = Texts::of(&new);
        transaction
            .execute(
                INSERT,
                &[&ids, &names, &brands, &categories, &descriptions, &words, &handles, &for_sale],
            )
            .await?;
    }
    if !known.is_empty() {
        let Texts { ids, names, brands, categories, descriptions, words } = Texts::of(&known);
        transaction
            .execute(UPDATE, &[&ids, &names, &brands, &categories, &descriptions, &words])
            .await?;
    }
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
    fn of(products: &[(i64, &PlannedProduct<'a>)]) -> Self {
        let rows = || products.iter().map(|(_, product)| product.row);
        Self {
            ids: products.iter().map(|(id, _)| *id).collect(),
            names: rows().map(|row| &*row.name).collect(),
            brands: rows().map(|row| row.brand.as_deref()).collect(),
            categories: rows().map(|row| row.category.as_deref()).collect(),
            descriptions: rows().map(|row| row.description.as_deref()).collect(),
            words: rows().map(words_of).collect(),
        }
    }
}

fn words_of(row: &CatalogueRow) -> String {
    let others = [&row.brand, &row.category, &row.description];
    let others = others.into_iter().filter_map(Option::as_deref);
    words::of_texts(std::iter::once(&*row.name).chain(others))
}

type Sku<'a, 'b> = (i64, i64, &'b PlannedSku<'a>);

async fn write_skus(
    transaction: &Transaction<'_>,
    plan: &Plan<'_>,
    skus: &[Sku<'_, '_>],
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
    const UPDATE: &str = "UPDATE skus s SET size = n.size, color = n.color, image = n.image, \
         price = n.price, \
         original_price = n.original_price, active = n.active \
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], \
         $7::boolean[]) AS n (id, size, color, image, price, original_price, active) \
         WHERE s.id = n.id AND (s.size, s.color, s.image, s.price, s.original_price, s.active) \
         IS DISTINCT FROM (n.size, n.color, n.image, n.price, n.original_price, n.active)";
    let (new, known): (Vec<_>, Vec<_>) = skus.iter().copied().partition(|(.., sku)| sku.is_new);
    if !new.is_empty() {
        let products: Vec<_> = new.iter().map(|(product, ..)| *product).collect();
        let codes: Vec<_> = new.iter().map(|(_, id, sku)| first_code(plan, *id, sku)).collect();
        let Facts { ids, sizes, colors, images, prices, original_prices, active, stock } =
            Facts::of(&new);
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
    }
    if !known.is_empty() {
        let Facts { ids, sizes, colors, images, prices, original_prices, active, .. } =
            Facts::of(&known);
        transaction
            .execute(UPDATE, &[&ids, &sizes, &colors, &images, &prices, &original_prices, &active])
            .await?;
    }
    Ok(())
}

/// A new SKU's code, or what stands for it until it is free: no file can bring along a control
/// character.
fn first_code(plan: &Plan<'_>, id: i64, sku: &PlannedSku<'_>) -> String {
    match plan.freed_codes.contains(&sku.row.sku_code) {
        true => format!("\u{1}{id}"),
        false => sku.row.sku_code.clone(),
    }
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
    stock: Vec<i64>,
}

impl<'a> Facts<'a> {
    fn of(skus: &[Sku<'a, '_>]) -> Self {
        let rows = || skus.iter().map(|(.., sku)| sku.row);
        Self {
            ids: skus.iter().map(|(_, id, _)| *id).collect(),
            sizes: rows().map(|row| row.size.as_deref()).collect(),
            colors: rows().map(|row| row.color.as_deref()).collect(),
            images: rows().map(|row| row.image.as_deref()).collect(),
            prices: rows().map(|row| row.price.0).collect(),
            original_prices: rows().map(|row| row.original_price.map(|price| price.0)).collect(),
            active: rows().map(|row| row.active).collect(),
            stock: rows().map(|row| row.stock).collect(),
        }
    }
}

/// Products that were there may have SKUs that the file does not name.
async fn write_for_sale(transaction: &Transaction<'_>, plan: &Plan<'_>) -> Result<()> {
    const FOR_SALE: &str = "UPDATE products p SET for_sale = NOT p.for_sale WHERE p.id = ANY ($1) \
         AND p.for_sale <> EXISTS (SELECT 1 FROM skus s WHERE s.product_id = p.id AND s.active)";
    let known = plan.products.iter().filter(|(_, product)| !product.is_new);
    let known: Vec<_> = known.map(|(id, _)| *id).collect();
    transaction.execute(FOR_SALE, &[&known]).await?;
    Ok(())
}

/// A handle is a key: what refers to its product waits while it changes. So this is late and,
/// mostly, nothing.
async fn write_handles(transaction: &Transaction<'_>, plan: &Plan<'_>) -> Result<()> {
    const GIVE_UP: &str =
        "UPDATE products SET handle = NULL WHERE id = ANY ($1) AND handle IS NOT NULL";
    const SET: &str = "UPDATE products p SET handle = n.handle FROM unnest($1::bigint[], \
         $2::text[]) \
         AS n (id, handle) WHERE p.id = n.id";
    let freed = &plan.freed_handles;
    let (mut ids, mut handles, mut some_are_freed) = (Vec::new(), Vec::new(), false);
    for (id, product) in &plan.products {
        let Some(handle) = product.new_handle else { continue };
        let is_freed = freed.contains(handle);
        if is_freed || !product.is_new {
            ids.push(*id);
            handles.push(handle);
        }
        some_are_freed |= is_freed;
    }
    if some_are_freed {
        transaction.execute(GIVE_UP, &[&ids]).await?;
    }
    if !ids.is_empty() {
        transaction.execute(SET, &[&ids, &handles]).await?;
    }
    Ok(())
}

/// The same for codes, which are keys, too.
async fn write_codes(transaction: &Transaction<'_>, plan: &Plan<'_>) -> Result<()> {
    const GIVE_UP: &str = "UPDATE skus SET sku_code = chr(1) || id WHERE id = ANY ($1)";
    const SET: &str = "UPDATE skus s SET sku_code = n.sku_code FROM unnest($1::bigint[], \
         $2::text[]) \
         AS n (id, sku_code) WHERE s.id = n.id";
    let freed = &plan.freed_codes;
    let (mut ids, mut codes, mut some_are_freed) = (Vec::new(), Vec::new(), false);
    for ((_, id), sku) in &plan.skus {
        let is_freed = freed.contains(&sku.row.sku_code);
        if sku.new_code && (is_freed || !sku.is_new) {
            ids.push(*id);
            codes.push(&*sku.row.sku_code);
        }
        some_are_freed |= is_freed;
    }
    if some_are_freed {
        transaction.execute(GIVE_UP, &[&ids]).await?;
    }
    if !ids.is_empty() {
        transaction.execute(SET, &[&ids, &codes]).await?;
    }
    Ok(())
}

/// Last, because orders wait for it; and in the order in which orders lock it.
async fn write_stock(
    transaction: &Transaction<'_>,
    target: &Target,
    skus: &[Sku<'_, '_>],
) -> Result<()> {
    const LOCK: &str = "SELECT t.sku_id, n.on_hand FROM unnest($1::bigint[], $2::bigint[]) AS n \
         (sku_id, on_hand) \
         JOIN stock t ON t.sku_id = n.sku_id WHERE t.on_hand <> n.on_hand \
         ORDER BY t.sku_id FOR NO KEY UPDATE OF t";
    const UPDATE: &str = "UPDATE stock t SET on_hand = n.on_hand FROM unnest($1::bigint[], \
         $2::bigint[]) \
         AS n (sku_id, on_hand) WHERE t.sku_id = n.sku_id";
    // On a cluster the shards take what is theirs. They are not asked in the order of the SKUs, so
    // this may meet an order, and has another turn then.
    const SPREAD: &str = "INSERT INTO stock AS t (sku_id, on_hand) \
         SELECT n.sku_id, n.on_hand FROM unnest($1::bigint[], $2::bigint[]) AS n (sku_id, on_hand) \
         ON CONFLICT (sku_id) DO UPDATE SET on_hand = excluded.on_hand \
         WHERE t.on_hand <> excluded.on_hand";
    let known = skus.iter().filter(|(.., sku)| !sku.is_new);
    let mut known: Vec<_> = known.map(|(_, id, sku)| (*id, sku.row.stock)).collect();
    known.sort_unstable();
    for batch in known.chunks(BATCH) {
        let (ids, on_hand): (Vec<i64>, Vec<i64>) = batch.iter().copied().unzip();
        if target.distributed {
            transaction.execute(SPREAD, &[&ids, &on_hand]).await?;
            continue;
        }
        let locked = transaction.query(LOCK, &[&ids, &on_hand]).await?;
        if !locked.is_empty() {
            let (ids, on_hand): (Vec<i64>, Vec<i64>) =
                locked.iter().map(|row| (row.get::<_, i64>(0), row.get::<_, i64>(1))).unzip();
            transaction.execute(UPDATE, &[&ids, &on_hand]).await?;
        }
    }
    Ok(())
}

//! What of the catalogue is shown while an import is under way; `0012_catalogue_import.sql` says
//! where it stands. Whoever reads products or SKUs by their keys reads these views.

use rusqlite::Connection;

use crate::db::{Db, Result};

const PRODUCTS: &str = "CREATE TEMP VIEW IF NOT EXISTS shown_products AS SELECT p.id AS id, \
     iif(n.id IS NULL, p.handle, n.handle) AS handle, \
     iif(n.id IS NULL, p.name, n.name) AS name, \
     iif(n.id IS NULL, p.brand, n.brand) AS brand, \
     iif(n.id IS NULL, p.category, n.category) AS category, \
     iif(n.id IS NULL, p.description, n.description) AS description, \
     iif(n.id IS NULL, p.for_sale, n.for_sale) AS for_sale \
     FROM products p LEFT JOIN import_products n \
     ON n.id = p.id AND (SELECT state FROM import_state) = 2 \
     WHERE NOT ((SELECT state FROM import_state) = 1 \
     AND EXISTS (SELECT 1 FROM import_products h WHERE h.id = p.id AND h.is_new = 1))";

const SKUS: &str = "CREATE TEMP VIEW IF NOT EXISTS shown_skus AS SELECT s.id AS id, \
     s.product_id AS product_id, \
     iif(n.id IS NULL, s.sku_code, n.sku_code) AS sku_code, \
     iif(n.id IS NULL, s.size, n.size) AS size, \
     iif(n.id IS NULL, s.color, n.color) AS color, \
     iif(n.id IS NULL, s.image, n.image) AS image, \
     iif(n.id IS NULL, s.price, n.price) AS price, \
     iif(n.id IS NULL, s.original_price, n.original_price) AS original_price, \
     iif(n.id IS NULL, s.active, n.active) AS active \
     FROM skus s LEFT JOIN import_skus n \
     ON n.id = s.id AND (SELECT state FROM import_state) = 2 \
     WHERE NOT ((SELECT state FROM import_state) = 1 \
     AND EXISTS (SELECT 1 FROM import_new_skus h WHERE h.id = s.id))";

const STOCK: &str = "CREATE TEMP VIEW IF NOT EXISTS shown_stock AS SELECT t.sku_id AS sku_id, \
     t.on_hand AS on_hand, t.taken AS taken FROM stock t \
     WHERE NOT ((SELECT state FROM import_state) = 1 \
     AND EXISTS (SELECT 1 FROM import_new_skus h WHERE h.id = t.sku_id))";

/// Makes the views on a connection, for itself: the file has none.
pub(crate) fn make_views(connection: &Connection) -> rusqlite::Result<()> {
    [PRODUCTS, SKUS, STOCK].into_iter().try_for_each(|view| connection.execute_batch(view))
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none: products and SKUs are what their tables say.
    Settled,
    /// It is being written, and nobody sees it.
    Hidden,
    /// It is shown, and being moved into its place.
    Moving,
}

pub(crate) fn state(db: &Db) -> Result<State> {
    const STATE: &str = "SELECT state FROM import_state";
    Ok(match db.sql(STATE)?.query_row([], |row| row.get(0))? {
        0 => State::Settled,
        1 => State::Hidden,
        _ => State::Moving,
    })
}

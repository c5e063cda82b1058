//! Rows of many customers at once, column by column, as one statement takes them.

use evercart_core::catalogue::SkuFacts;
use evercart_core::error::Failed;
use evercart_core::ids::ProductId;
use evercart_core::money::Money;
use evercart_core::operator::DemoCustomer;
use evercart_core::order::Checkout;
use tokio_postgres::types::ToSql;

use crate::db::{Db, Params, Result};
use crate::sign_in::met_another;

/// Fails unless as many rows were written as there were.
pub(super) fn all_written(written: u64, rows: usize, sql: &'static str) -> Result<()> {
    match usize::try_from(written) {
        Ok(written) if written == rows => Ok(()),
        _ => {
            Err(Failed::Inconsistent(format!("{written} rows written of {rows} by: {sql}")).into())
        }
    }
}

async fn insert(db: &Db<'_>, rows: usize, sql: &'static str, columns: Params<'_>) -> Result<()> {
    if rows == 0 {
        return Ok(());
    }
    all_written(db.execute(sql, columns).await?, rows, sql)
}

/// Customers who are signed in, with their phones.
#[derive(Default)]
pub(super) struct Users<'a> {
    ids: Vec<i64>,
    phones: Vec<&'a str>,
    full_names: Vec<&'a str>,
}

impl<'a> Users<'a> {
    pub(super) fn push(&mut self, id: i64, customer: &'a DemoCustomer) {
        self.ids.push(id);
        self.phones.push(customer.phone.as_str());
        self.full_names.push(&customer.full_name);
    }

    pub(super) async fn insert(&self, db: &Db<'_>) -> Result<()> {
        const USERS: &str = "INSERT INTO users \
             (id, phone, full_name, is_active, last_login, created_at) \
             SELECT u.id, u.phone, u.full_name, true, $4, $4 \
             FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[]) AS u (id, phone, full_name)";
        const PHONES: &str = "INSERT INTO phone_numbers (phone, user_id) \
             SELECT n.phone, n.user_id FROM unnest($1::TEXT[], $2::BIGINT[]) AS n (phone, user_id) \
             ON CONFLICT (phone) DO NOTHING";
        let Self { ids, phones, full_names } = self;
        insert(db, ids.len(), USERS, &[ids, phones, full_names, &db.now()]).await?;
        let claimed = if ids.is_empty() { 0 } else { db.execute(PHONES, &[phones, ids]).await? };
        if usize::try_from(claimed) == Ok(ids.len()) { Ok(()) } else { Err(met_another()) }
    }
}

#[derive(Default)]
pub(super) struct Carts {
    users: Vec<i64>,
    versions: Vec<i64>,
    next_lines: Vec<i64>,
    emptied_by: Vec<Option<i64>>,
    emptied_versions: Vec<Option<i64>>,
}

impl Carts {
    /// `emptied` is the order that last emptied the cart, and the version it left it at.
    pub(super) fn push(
        &mut self,
        user: i64,
        version: i64,
        next_line: i64,
        emptied: Option<(i64, i64)>,
    ) {
        self.users.push(user);
        self.versions.push(version);
        self.next_lines.push(next_line);
        self.emptied_by.push(emptied.map(|(order, _)| order));
        self.emptied_versions.push(emptied.map(|(_, version)| version));
    }

    pub(super) async fn insert(&self, db: &Db<'_>) -> Result<()> {
        const CARTS: &str = "INSERT INTO carts (user_id, version, next_line, updated_at, \
             emptied_by, emptied_version, hour_began, hour_version) \
             SELECT c.user_id, c.version, c.next_line, $6, c.emptied_by, c.emptied_version, $6, 0 \
             FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[]) \
             AS c (user_id, version, next_line, emptied_by, emptied_version)";
        let Self { users, versions, next_lines, emptied_by, emptied_versions } = self;
        let rows: [&(dyn ToSql + Sync); 6] =
            [users, versions, next_lines, emptied_by, emptied_versions, &db.now()];
        insert(db, users.len(), CARTS, &rows).await
    }
}

#[derive(Default)]
pub(super) struct CartLines {
    users: Vec<i64>,
    ids: Vec<i64>,
    skus: Vec<i64>,
    quantities: Vec<i32>,
    prices: Vec<i64>,
}

impl CartLines {
    pub(super) fn push(&mut self, user: i64, id: i64, sku: &SkuFacts, quantity: i32) {
        self.users.push(user);
        self.ids.push(id);
        self.skus.push(sku.sku_id.0);
        self.quantities.push(quantity);
        self.prices.push(sku.price.0);
    }

    pub(super) async fn insert(&self, db: &Db<'_>) -> Result<()> {
        const LINES: &str = "INSERT INTO cart_items \
             (user_id, id, sku_id, quantity, price_when_added, added_at) \
             SELECT i.user_id, i.id, i.sku_id, i.quantity, i.price, $6 \
             FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::INTEGER[], $5::BIGINT[]) \
             AS i (user_id, id, sku_id, quantity, price)";
        let Self { users, ids, skus, quantities, prices } = self;
        let columns: Params<'_> = &[users, ids, skus, quantities, prices, &db.now()];
        insert(db, ids.len(), LINES, columns).await
    }
}

#[derive(Default)]
pub(super) struct Wishlists {
    users: Vec<i64>,
    next_wishes: Vec<i64>,
}

impl Wishlists {
    pub(super) fn push(&mut self, user: i64, next_wish: i64) {
        self.users.push(user);
        self.next_wishes.push(next_wish);
    }

    pub(super) async fn insert(&self, db: &Db<'_>) -> Result<()> {
        const LISTS: &str = "INSERT INTO wishlists (user_id, next_wish) \
             SELECT w.user_id, w.next_wish \
             FROM unnest($1::BIGINT[], $2::BIGINT[]) AS w (user_id, next_wish)";
        insert(db, self.users.len(), LISTS, &[&self.users, &self.next_wishes]).await
    }
}

#[derive(Default)]
pub(super) struct Wishes {
    users: Vec<i64>,
    ids: Vec<i64>,
    products: Vec<i64>,
}

impl Wishes {
    pub(super) fn push(&mut self, user: i64, id: i64, product: ProductId) {
        self.users.push(user);
        self.ids.push(id);
        self.products.push(product.0);
    }

    pub(super) async fn insert(&self, db: &Db<'_>) -> Result<()> {
        const WISHES: &str = "INSERT INTO wishlist_items (user_id, id, product_id, added_at) \
             SELECT w.user_id, w.id, w.product_id, $4 \
             FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[]) AS w (user_id, id, product_id)";
        let Self { users, ids, products } = self;
        insert(db, ids.len(), WISHES, &[users, ids, products, &db.now()]).await
    }
}

/// Orders that were just placed.
#[derive(Default)]
pub(super) struct Orders<'a> {
    users: Vec<i64>,
    ids: Vec<i64>,
    subtotals: Vec<i64>,
    shipping_costs: Vec<i64>,
    tax_amounts: Vec<i64>,
    total_amounts: Vec<i64>,
    currencies: Vec<&'a str>,
    names: Vec<&'a str>,
    phones: Vec<&'a str>,
    emails: Vec<Option<&'a str>>,
    addresses: Vec<&'a str>,
    cities: Vec<Option<&'a str>>,
    notes: Vec<Option<&'a str>>,
    payment_methods: Vec<&'a str>,
}

impl<'a> Orders<'a> {
    pub(super) fn push(
        &mut self,
        user: i64,
        id: i64,
        checkout: &'a Checkout,
        customer: &'a DemoCustomer,
        subtotal: Money,
    ) {
        let shipping_cost = checkout.shipping.cost(subtotal);
        let total = subtotal.plus(shipping_cost);
        let phone = checkout.customer_phone.as_deref();
        self.users.push(user);
        self.ids.push(id);
        self.subtotals.push(subtotal.0);
        self.shipping_costs.push(shipping_cost.0);
        self.tax_amounts.push(total.tax_included(checkout.tax_rate).0);
        self.total_amounts.push(total.0);
        self.currencies.push(checkout.currency.code());
        self.names.push(&checkout.customer_name);
        self.phones.push(phone.unwrap_or(customer.phone.as_str()));
        self.emails.push(checkout.customer_email.as_deref());
        self.addresses.push(&checkout.delivery_address);
        self.cities.push(checkout.delivery_city.as_deref());
        self.notes.push(checkout.delivery_notes.as_deref());
        self.payment_methods.push(&checkout.payment_method);
    }

    pub(super) async fn insert(&self, db: &Db<'_>) -> Result<()> {
        const ORDERS: &str = "INSERT INTO orders (user_id, id, status, subtotal, shipping_cost, \
             tax_amount, total_amount, currency, customer_name, customer_phone, customer_email, \
             delivery_address, delivery_city, delivery_notes, payment_method, order_date) \
             SELECT o.user_id, o.id, 'pending', o.subtotal, o.shipping_cost, o.tax_amount, \
             o.total_amount, o.currency, o.name, o.phone, o.email, o.address, o.city, o.notes, \
             o.payment_method, $15 FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], \
             $4::BIGINT[], $5::BIGINT[], $6::BIGINT[], $7::TEXT[], $8::TEXT[], $9::TEXT[], \
             $10::TEXT[], $11::TEXT[], $12::TEXT[], $13::TEXT[], $14::TEXT[]) \
             AS o (user_id, id, subtotal, shipping_cost, tax_amount, total_amount, currency, name, \
             phone, email, address, city, notes, payment_method)";
        const HISTORY: &str = "INSERT INTO order_history (user_id, order_id, id, status, at) \
             SELECT o.user_id, o.id, 1, 'pending', $3 \
             FROM unnest($1::BIGINT[], $2::BIGINT[]) AS o (user_id, id)";
        let columns: Params<'_> = &[
            &self.users,
            &self.ids,
            &self.subtotals,
            &self.shipping_costs,
            &self.tax_amounts,
            &self.total_amounts,
            &self.currencies,
            &self.names,
            &self.phones,
            &self.emails,
            &self.addresses,
            &self.cities,
            &self.notes,
            &self.payment_methods,
            &db.now(),
        ];
        insert(db, self.ids.len(), ORDERS, columns).await?;
        insert(db, self.ids.len(), HISTORY, &[&self.users, &self.ids, &db.now()]).await
    }
}

#[derive(Default)]
pub(super) struct OrderLines<'a> {
    users: Vec<i64>,
    orders: Vec<i64>,
    ids: Vec<i64>,
    skus: Vec<i64>,
    products: Vec<i64>,
    names: Vec<&'a str>,
    sku_codes: Vec<&'a str>,
    sizes: Vec<Option<&'a str>>,
    colors: Vec<Option<&'a str>>,
    images: Vec<Option<&'a str>>,
    prices: Vec<i64>,
    quantities: Vec<i32>,
}

impl<'a> OrderLines<'a> {
    pub(super) fn push(&mut self, key: (i64, i64, i64), sku: &'a SkuFacts, quantity: i32) {
        let (user, order, id) = key;
        self.users.push(user);
        self.orders.push(order);
        self.ids.push(id);
        self.skus.push(sku.sku_id.0);
        self.products.push(sku.product_id.0);
        self.names.push(&sku.name);
        self.sku_codes.push(&sku.sku_code);
        self.sizes.push(sku.size.as_deref());
        self.colors.push(sku.color.as_deref());
        self.images.push(sku.image.as_deref());
        self.prices.push(sku.price.0);
        self.quantities.push(quantity);
    }

    pub(super) async fn insert(&self, db: &Db<'_>) -> Result<()> {
        const LINES: &str = "INSERT INTO order_items (user_id, order_id, id, sku_id, product_id, \
             product_name, sku_code, size, color, image, unit_price, quantity) \
             SELECT i.user_id, i.order_id, i.id, i.sku_id, i.product_id, i.name, i.sku_code, \
             i.size, i.color, i.image, i.price, i.quantity \
             FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[], \
             $6::TEXT[], $7::TEXT[], $8::TEXT[], $9::TEXT[], $10::TEXT[], $11::BIGINT[], \
             $12::INTEGER[]) AS i (user_id, order_id, id, sku_id, product_id, name, sku_code, \
             size, color, image, price, quantity)";
        let columns: Params<'_> = &[
            &self.users,
            &self.orders,
            &self.ids,
            &self.skus,
            &self.products,
            &self.names,
            &self.sku_codes,
            &self.sizes,
            &self.colors,
            &self.images,
            &self.prices,
            &self.quantities,
        ];
        insert(db, self.ids.len(), LINES, columns).await
    }
}

//! Fills a demo: hundreds of made-up customers in a dozen statements. What comes out is what the
//! ordinary operations would have made of the same wishes, one after another.

use std::collections::{BTreeMap, HashMap, HashSet};

use evercart_core::cart::{LINES_MAX, QUANTITY_MAX};
use evercart_core::catalogue::SkuFacts;
use evercart_core::error::{Failed, Refused};
use evercart_core::ids::{ProductId, SkuId, UserId};
use evercart_core::incarnation::Incarnation;
use evercart_core::money::Money;
use evercart_core::operator::DemoCustomer;
use evercart_core::order::Checkout;
use evercart_core::user::Session;
use evercart_core::wishlist::WISHES_MAX;
use futures_util::future::{try_join_all, try_join3};

use super::rows::{CartLines, Carts, OrderLines, Orders, Users, Wishes, Wishlists};
use crate::db::{Db, Params, Result};
use crate::sign_in::prepare;
use crate::sku_cache::sku_facts;

/// Adds those whose phone is not known yet, or none of them.
pub(super) async fn fill(db: &Db<'_>, customers: &[DemoCustomer]) -> Result<Vec<Session>> {
    let (known, mut shelves, for_sale) = try_join3(
        known_phones(db, customers),
        shelves(db, customers),
        products_for_sale(db, customers),
    )
    .await?;
    let mut phones = known;
    let mut plans = Vec::with_capacity(customers.len());
    for customer in customers {
        if phones.insert(customer.phone.as_str().to_owned()) {
            plans.push(plan(customer, &mut shelves, &for_sale)?);
        }
    }
    let users = user_numbers(db, plans.len()).await?;
    let orders = order_numbers(db, plans.iter().map(|plan| plan.orders.len()).sum()).await?;
    write(db, &plans, &users, &orders).await?;
    // Last, because others who buy wait for it.
    take_stock(db, &plans).await?;
    let incarnation = Incarnation(db.query_one("SELECT value FROM incarnation", &[]).await?.get(0));
    let session = |id| Session { user_id: UserId(id), epoch: 0, incarnation };
    Ok(users.into_iter().map(session).collect())
}

/// A SKU with the pieces that are left of it while the customers come by.
struct Shelf {
    sku: SkuFacts,
    on_hand: i64,
}

type Shelves = HashMap<SkuId, Shelf>;

/// A made-up customer who was found possible.
struct Plan<'a> {
    customer: &'a DemoCustomer,
    orders: Vec<PlannedOrder<'a>>,
    cart: Vec<Piece>,
    wishes: Vec<ProductId>,
}

struct PlannedOrder<'a> {
    checkout: &'a Checkout,
    lines: Vec<Piece>,
    subtotal: Money,
}

/// Pieces of a SKU, as it was when they were taken.
#[derive(Clone)]
struct Piece {
    sku: SkuFacts,
    quantity: i32,
}

async fn known_phones(db: &Db<'_>, customers: &[DemoCustomer]) -> Result<HashSet<String>> {
    const KNOWN: &str = "SELECT phone FROM phone_numbers WHERE phone = ANY ($1)";
    let phones: Vec<_> = customers.iter().map(|customer| customer.phone.as_str()).collect();
    Ok(db.query(KNOWN, &[&phones]).await?.iter().map(|row| row.get(0)).collect())
}

async fn shelves(db: &Db<'_>, customers: &[DemoCustomer]) -> Result<Shelves> {
    const SKUS: &str = "SELECT s.id, s.product_id, s.sku_code, p.name, s.size, s.color, s.image, \
         s.price, s.original_price, s.active, t.on_hand FROM skus s \
         JOIN products p ON p.id = s.product_id JOIN stock t ON t.sku_id = s.id \
         WHERE s.id = ANY ($1)";
    let lists = customers.iter().flat_map(|customer| {
        customer.orders.iter().map(|(_, lines)| lines).chain([&customer.cart])
    });
    let ids: HashSet<i64> = lists.flatten().map(|(sku, _)| sku.0).collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    let rows = db.query(SKUS, &[&ids]).await?;
    let shelf = |row| Shelf { sku: sku_facts(row), on_hand: row.get(10) };
    Ok(rows.iter().map(|row| (SkuId(row.get(0)), shelf(row))).collect())
}

async fn products_for_sale(db: &Db<'_>, customers: &[DemoCustomer]) -> Result<HashSet<ProductId>> {
    const FOR_SALE: &str = "SELECT id FROM products WHERE id = ANY ($1) AND for_sale";
    let ids: HashSet<i64> = customers
        .iter()
        .flat_map(|customer| customer.wishes.iter().map(|product| product.0))
        .collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    let rows = db.query(FOR_SALE, &[&ids]).await?;
    Ok(rows.iter().map(|row| ProductId(row.get(0))).collect())
}

/// Goes through what a customer does, in its order, or says what refuses it.
fn plan<'a>(
    customer: &'a DemoCustomer,
    shelves: &mut Shelves,
    for_sale: &HashSet<ProductId>,
) -> Result<Plan<'a>> {
    let mut orders = Vec::with_capacity(customer.orders.len());
    for (checkout, lines) in &customer.orders {
        let lines = cart(shelves, lines)?;
        if lines.is_empty() {
            return Err(Refused::CartEmpty { emptied_by: None }.into());
        }
        let subtotal: Money =
            lines.iter().map(|line| line.sku.price.times(line.quantity.unsigned_abs())).sum();
        let actual = subtotal.plus(checkout.shipping.cost(subtotal));
        if let Some(expected) = checkout.expected_total
            && expected != actual
        {
            return Err(Refused::PriceChanged { expected, actual }.into());
        }
        for line in &lines {
            if let Some(shelf) = shelves.get_mut(&line.sku.sku_id) {
                shelf.on_hand -= i64::from(line.quantity);
            }
        }
        orders.push(PlannedOrder { checkout, lines, subtotal });
    }
    let cart = cart(shelves, &customer.cart)?;
    let wishes = wishes(&customer.wishes, for_sale)?;
    Ok(Plan { customer, orders, cart, wishes })
}

/// A cart with these lines, by the rules of adding to one.
fn cart(shelves: &Shelves, lines: &[(SkuId, u32)]) -> Result<Vec<Piece>> {
    let mut pieces = Vec::with_capacity(lines.len());
    let mut skus = HashSet::with_capacity(lines.len());
    for (sku_id, quantity) in lines {
        let shelf = shelves.get(sku_id).ok_or(Refused::NotFound { what: "SKU" })?;
        if !shelf.sku.active {
            return Err(Refused::SkuUnavailable { sku_id: *sku_id }.into());
        }
        let quantity = i32::try_from(*quantity)
            .ok()
            .filter(|pieces| (1..=QUANTITY_MAX.cast_signed()).contains(pieces))
            .ok_or(Refused::QuantityLimit { what: "pieces of one SKU", limit: QUANTITY_MAX })?;
        if !skus.insert(*sku_id) {
            let text = format!("a demo cart has SKU {sku_id} twice");
            return Err(Failed::Inconsistent(text).into());
        }
        pieces.push(Piece { sku: shelf.sku.clone(), quantity });
    }
    if pieces.len() > LINES_MAX as usize {
        return Err(Refused::QuantityLimit { what: "lines", limit: LINES_MAX }.into());
    }
    for piece in &pieces {
        let sku_id = piece.sku.sku_id;
        let available = shelves.get(&sku_id).map_or(0, |shelf| shelf.on_hand);
        if i64::from(piece.quantity) > available {
            return Err(Refused::InsufficientStock { sku_id, available }.into());
        }
    }
    Ok(pieces)
}

/// A wishlist with these products, each once.
fn wishes(products: &[ProductId], for_sale: &HashSet<ProductId>) -> Result<Vec<ProductId>> {
    let mut wishes = Vec::with_capacity(products.len());
    for product in products {
        if !for_sale.contains(product) {
            return Err(Refused::NotFound { what: "product" }.into());
        }
        if !wishes.contains(product) {
            wishes.push(*product);
        }
    }
    if wishes.len() > WISHES_MAX as usize {
        let limit = WISHES_MAX;
        return Err(Refused::QuantityLimit { what: "products on a wishlist", limit }.into());
    }
    Ok(wishes)
}

async fn user_numbers(db: &Db<'_>, count: usize) -> Result<Vec<i64>> {
    const NUMBERS: &str = "SELECT nextval('user_numbers') FROM generate_series(1, $1::BIGINT)";
    numbers(db, "user", NUMBERS, count).await
}

async fn order_numbers(db: &Db<'_>, count: usize) -> Result<Vec<i64>> {
    const NUMBERS: &str = "SELECT nextval('order_numbers') FROM generate_series(1, $1::BIGINT)";
    numbers(db, "order", NUMBERS, count).await
}

async fn numbers(db: &Db<'_>, kind: &str, sql: &'static str, count: usize) -> Result<Vec<i64>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let numbers: Vec<i64> = db.query(sql, &[&count]).await?.iter().map(|row| row.get(0)).collect();
    if let Some(last) = numbers.iter().max() {
        db.reserve(kind, last + 1).await?;
    }
    Ok(numbers)
}

/// Writes everything of the customers' own.
async fn write(db: &Db<'_>, plans: &[Plan<'_>], users: &[i64], orders: &[i64]) -> Result<()> {
    let mut numbers = orders.iter().copied();
    let (mut people, mut carts, mut cart_lines) =
        (Users::default(), Carts::default(), CartLines::default());
    let (mut wishlists, mut wishes) = (Wishlists::default(), Wishes::default());
    let (mut orders, mut order_lines) = (Orders::default(), OrderLines::default());
    for (plan, user) in plans.iter().zip(users.iter().copied()) {
        let customer = plan.customer;
        people.push(user, customer);
        // Each line that is put in moves the cart on, and so does emptying it with an order.
        let ordered: usize = plan.orders.iter().map(|order| order.lines.len()).sum();
        let added = ordered + plan.cart.len();
        let own: Vec<i64> = numbers.by_ref().take(plan.orders.len()).collect();
        if added > 0 {
            let emptied = own.last().map(|order| (*order, count(ordered + own.len())));
            carts.push(user, count(added + own.len()), count(added) + 1, emptied);
        }
        for (line, piece) in (count(ordered) + 1..).zip(&plan.cart) {
            cart_lines.push(user, line, &piece.sku, piece.quantity);
        }
        if !plan.wishes.is_empty() {
            wishlists.push(user, count(plan.wishes.len()) + 1);
        }
        for (wish, product) in (1..).zip(&plan.wishes) {
            wishes.push(user, wish, *product);
        }
        for (order, number) in plan.orders.iter().zip(own) {
            orders.push(user, number, order.checkout, customer, order.subtotal);
            for (line, piece) in (1..).zip(&order.lines) {
                order_lines.push((user, number, line), &piece.sku, piece.quantity);
            }
        }
    }
    people.insert(db).await?;
    carts.insert(db).await?;
    cart_lines.insert(db).await?;
    wishlists.insert(db).await?;
    wishes.insert(db).await?;
    orders.insert(db).await?;
    order_lines.insert(db).await
}

fn count(things: usize) -> i64 {
    i64::try_from(things).unwrap_or(i64::MAX)
}

/// Takes what was ordered, if nobody else has taken it since it was looked at. By SKU, as every
/// checkout does.
async fn take_stock(db: &Db<'_>, plans: &[Plan<'_>]) -> Result<()> {
    const TAKE: &str = "UPDATE stock SET on_hand = on_hand - $2, taken = taken + $2 \
         WHERE sku_id = $1 AND on_hand >= $2";
    const LEFT: &str = "SELECT on_hand FROM stock WHERE sku_id = $1";
    let mut wanted = BTreeMap::<i64, i64>::new();
    for line in plans.iter().flat_map(|plan| &plan.orders).flat_map(|order| &order.lines) {
        *wanted.entry(line.sku.sku_id.0).or_default() += i64::from(line.quantity);
    }
    prepare(db, [TAKE]).await?;
    let taken = wanted.iter().map(|(sku, pieces)| async move {
        let params: Params<'_> = &[sku, pieces];
        db.execute(TAKE, params).await
    });
    let taken = try_join_all(taken).await?;
    let Some(short) = wanted.keys().zip(taken).find(|(_, taken)| *taken != 1) else {
        return Ok(());
    };
    let left = db.query_opt(LEFT, &[short.0]).await?;
    let available = left.map_or(0, |row| row.get(0));
    Err(Refused::InsufficientStock { sku_id: SkuId(*short.0), available }.into())
}

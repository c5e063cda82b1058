//! Copies of a whole store: all of it, as of one moment, or nothing; and the customers notice none
//! of it. Cases fill a second shop from the first.

use std::sync::Arc;

use async_trait::async_trait;
use evercart_core::catalogue::ProductQuery;
use evercart_core::copy::{Copies, CopyError, ROWS_MAX, Reader, Row, TABLES, Table, Value};
use evercart_core::error::{Failed, Result};
use evercart_core::ids::OrderId;
use evercart_core::operator::CheckReport;
use evercart_core::user::ProfileChange;

use crate::Backend;
use crate::phone_change::{HOLD, change, done, stop};
use crate::shop::{
    CODE, Customer, JACKET, JACKET_M, LAMP, MUG, SCARF_RED, Shop, attempt, catalogue, checkout,
    code_request, free, keyed, page, row, signed_in,
};
use crate::survival::settled_customer;

/// How an adapter hands a store's copies to the cases.
pub trait CopyBackend: Backend {
    /// The same store. No clone of it is alive when it is reopened.
    fn copies(&self) -> Arc<dyn Copies>;
}

async fn copy<B: CopyBackend>(
    from: &mut dyn Reader,
    to: &Shop<B>,
) -> Result<CheckReport, CopyError> {
    to.backend().copies().copy_in(from, &mut |_| {}).await
}

async fn reader<B: CopyBackend>(shop: &Shop<B>) -> Box<dyn Reader> {
    shop.backend().copies().copy_out().await.unwrap()
}

/// Every row of a store.
async fn rows<B: CopyBackend>(shop: &Shop<B>) -> Vec<(&'static str, Row)> {
    let mut reader = reader(shop).await;
    let mut all = Vec::new();
    for table in TABLES {
        reader.open(table).await.unwrap();
        // Few at a time, so that a table has more than one lot.
        loop {
            let some = reader.next(3).await.unwrap();
            if some.is_empty() {
                break;
            }
            all.extend(some.into_iter().map(|row| (table.name, row)));
        }
        // The end stays the end.
        assert_eq!(reader.next(3).await.unwrap(), [[]; 0], "{table}");
    }
    assert_eq!(reader.count().await.unwrap(), all.len() as u64);
    all
}

/// Rows that a new store has of its own are left out.
async fn assert_empty<B: CopyBackend>(shop: &Shop<B>) {
    let is_seed = |name: &str| Table::named(name).is_some_and(|table| table.is_seeded);
    let found = rows(shop).await.into_iter().find(|(table, _)| !is_seed(table));
    assert_eq!(found, None);
}

/// A shop in which every table has rows.
async fn furnish<B: CopyBackend>(shop: &mut Shop<B>) -> Vec<Customer> {
    let mut customers = Vec::new();
    for _ in 0..3 {
        customers.push(settled_customer(shop).await);
    }
    shop.add_to_cart(customers[0].session, MUG, 1, keyed("k", 1)).await.unwrap();
    // A stolen account, whose owner has stopped the change.
    let (owner, new) = (&customers[1], crate::shop::phone(900));
    change(shop, owner.session, &owner.phone, &new, HOLD).await;
    done(stop(shop, &owner.phone).await);
    shop.sign_user_out(new).await.unwrap();
    shop.cancel_order(customers[0].session, OrderId(1_001), free()).await.unwrap();
    // A code on its way, an address that guessed wrong, a repeatable request.
    let newcomer = crate::shop::phone(777);
    let request = evercart_core::sign_in::CodeRequest {
        idempotency: crate::shop::key("s", 1),
        ..code_request(&newcomer, CODE)
    };
    shop.grant_code(request).await.unwrap();
    shop.sign_in(attempt(&newcomer, "999999")).await.unwrap();
    let name = "Zoë \"O'Neil\" \\ Żółć 🛒\n\tЖанар — \u{2028}".to_owned() + &"long ".repeat(30);
    let change = ProfileChange { full_name: Some(Some(name)), ..ProfileChange::default() };
    shop.change_profile(customers[2].session, change, free()).await.unwrap();
    customers
}

/// G6, G7: everything is the same to the customers, down to the session in their hands.
pub async fn a_copy_is_the_same_shop<B: CopyBackend>(shop: &mut Shop<B>) {
    let customers = furnish(shop).await;
    let mut copied = Shop::<B>::empty();
    let report = copy(&mut *reader(shop).await, &copied).await.unwrap();
    assert_eq!((report.findings, report.counts.users), (vec![], 3));
    // With the data came another life: the store is opened in it, as it is after a transfer.
    copied.reopen();
    assert_eq!(rows(shop).await, rows(&copied).await);
    for customer in [&customers[0], &customers[2]] {
        let session = customer.session;
        assert_eq!(shop.belongings(session).await, copied.belongings(session).await);
    }
    let signed_out = copied.cart(customers[1].session).await;
    assert!(signed_out.is_err(), "who was signed out is so in the copy");
    assert_eq!(shop.export_catalogue().await.unwrap(), copied.export_catalogue().await.unwrap());
    copied.assert_consistent().await;
}

/// What counts goes on counting, what is remembered is remembered, what is found is found.
pub async fn a_copied_shop_goes_on<B: CopyBackend>(shop: &mut Shop<B>) {
    let customers = furnish(shop).await;
    let mut copied = Shop::<B>::empty();
    copy(&mut *reader(shop).await, &copied).await.unwrap();
    copied.reopen();
    let me = customers[0].session;
    let again = copied.add_to_cart(me, MUG, 1, keyed("k", 1)).await.unwrap();
    assert!(again.replayed, "the key was used before the copy");
    let order = copied.checkout(me, checkout(), free()).await.unwrap().value;
    assert_eq!(order.id, OrderId(1_004));
    let user = signed_in(copied.sign_in(attempt(&crate::shop::phone(777), CODE)).await);
    let newest = customers.iter().map(|customer| customer.session.user_id).max();
    assert!(Some(user.id) > newest, "{:?} after {newest:?}", user.id);
    let query = ProductQuery { search: Some("jack".into()), category: None };
    let found = copied.products(query, page(10, 0)).await.unwrap();
    assert_eq!(found.items.iter().map(|product| product.id).collect::<Vec<_>>(), [JACKET]);
    copied.change_sku(JACKET_M, |row| row.stock = 1).await;
    assert_eq!(copied.on_hand(JACKET_M).await, 1);
    copied.assert_consistent().await;
}

/// G6: what is changed while the copy is read is not in it, or all of it would be in doubt.
pub async fn a_copy_is_of_one_moment<B: CopyBackend>(shop: &mut Shop<B>) {
    let customers = furnish(shop).await;
    let before = rows(shop).await;
    let mut reader = reader(shop).await;
    settled_customer(shop).await;
    shop.add_to_cart(customers[0].session, SCARF_RED, 1, free()).await.unwrap();
    shop.import(vec![row(LAMP, "Lamp", evercart_core::ids::SkuId(61), 100, 5)]).await;
    let copied = Shop::<B>::empty();
    copy(&mut *reader, &copied).await.unwrap();
    assert_eq!(rows(&copied).await, before);
}

/// More rows than are in memory at a time.
pub async fn a_large_table_is_copied_lot_by_lot<B: CopyBackend>(shop: &mut Shop<B>) {
    let count = ROWS_MAX as i64 + 7;
    shop.import(crate::shop::many_skus(count)).await;
    let copied = Shop::<B>::empty();
    let mut done = 0;
    let copies = copied.backend().copies();
    let copied_in = copies.copy_in(&mut *reader(shop).await, &mut |more| done += more).await;
    assert!(copied_in.unwrap().counts.skus > ROWS_MAX as u64);
    drop(copies);
    let there = rows(&copied).await;
    assert_eq!(there, rows(shop).await);
    assert_eq!(done, 2 * there.len() as u64, "each row is written and read back");
}

/// Whatever there is, it is not mixed with another shop's.
pub async fn a_shop_with_anything_in_it_is_not_copied_over<B: CopyBackend>(shop: &mut Shop<B>) {
    furnish(shop).await;
    let products = Shop::<B>::open().await;
    let demo = Shop::<B>::empty();
    assert!(demo.become_demo().await.unwrap());
    for (target, place) in [(&products, "products"), (&demo, "store_facts")] {
        let before = rows(target).await;
        match copy(&mut *reader(shop).await, target).await {
            Err(CopyError::NotEmpty { table }) => assert_eq!(table, place),
            other => panic!("was not refused: {other:?}"),
        }
        assert_eq!(rows(target).await, before);
    }
}

/// A source that does something else at one of its rows.
struct Bent<F> {
    source: Box<dyn Reader>,
    table: &'static Table,
    bend: F,
}

#[async_trait]
impl<F> Reader for Bent<F>
where
    F: FnMut(&'static Table, &mut Vec<Row>) -> Result<()> + Send,
{
    async fn count(&mut self) -> Result<u64> {
        self.source.count().await
    }

    async fn open(&mut self, table: &'static Table) -> Result<()> {
        self.table = table;
        self.source.open(table).await
    }

    async fn next(&mut self, limit: usize) -> Result<Vec<Row>> {
        let mut rows = self.source.next(limit).await?;
        if !rows.is_empty() {
            (self.bend)(self.table, &mut rows)?;
        }
        Ok(rows)
    }
}

async fn copy_bent<B: CopyBackend>(
    from: &Shop<B>,
    to: &Shop<B>,
    bend: impl FnMut(&'static Table, &mut Vec<Row>) -> Result<()> + Send,
) -> Result<CheckReport, CopyError> {
    let source = reader(from).await;
    copy(&mut Bent { source, table: &TABLES[0], bend }, to).await
}

/// Wherever the source ends, in writing and in comparing, nothing of it is in the target, which
/// then takes the next attempt.
pub async fn a_copy_that_is_cut_short_leaves_nothing<B: CopyBackend>(shop: &mut Shop<B>) {
    furnish(shop).await;
    let copied = Shop::<B>::empty();
    for cut in ["products", "carts", "audit_log"] {
        for pass in [1, 2] {
            let mut passes = 0;
            let outcome = copy_bent(shop, &copied, |table, _| {
                passes += usize::from(table.name == cut);
                match passes == pass {
                    true => Err(Failed::Unavailable("the source is gone".into()).into()),
                    false => Ok(()),
                }
            });
            let outcome = outcome.await;
            assert!(matches!(outcome, Err(CopyError::Store(_))), "{cut} {pass}: {outcome:?}");
            assert_empty(&copied).await;
        }
    }
    copy(&mut *reader(shop).await, &copied).await.unwrap();
    assert_eq!(rows(&copied).await, rows(shop).await);
}

/// A difference of one value in one row is found, and named.
pub async fn what_is_not_the_same_is_not_kept<B: CopyBackend>(shop: &mut Shop<B>) {
    furnish(shop).await;
    let copied = Shop::<B>::empty();
    for (where_, column) in [("users", 2), ("orders", 4), ("counters", 1), ("send_budget", 2)] {
        let table = Table::named(where_).unwrap();
        let mut passes = 0;
        let outcome = copy_bent(shop, &copied, |now, rows| {
            passes += usize::from(now == table);
            if now == table && passes == 2 {
                rows[0][column] = match &rows[0][column] {
                    Value::Integer(number) => Value::Integer(number + 1),
                    _ => Value::Text("somebody else".into()),
                };
            }
            Ok(())
        });
        match outcome.await {
            Err(CopyError::Differs(difference)) => {
                let text = difference.to_string();
                assert!(text.contains(where_), "{text}");
                assert!(text.contains(table.columns[column].name), "{text}");
            }
            other => panic!("{where_}: was not noticed: {other:?}"),
        }
        assert_empty(&copied).await;
    }
}

/// A source that is not sound itself: what no constraint of the schema would refuse.
pub async fn what_breaks_a_promise_is_not_kept<B: CopyBackend>(shop: &mut Shop<B>) {
    furnish(shop).await;
    let copied = Shop::<B>::empty();
    let outcome = copy_bent(shop, &copied, |table, rows| {
        if table.name == "stock" {
            rows[0][2] = Value::Integer(77);
        }
        Ok(())
    });
    match outcome.await {
        Err(CopyError::Unsound(report)) => assert!(!report.findings.is_empty()),
        other => panic!("was kept: {other:?}"),
    }
    assert_empty(&copied).await;
    // And what a constraint refuses: a line of a SKU that is not there.
    let outcome = copy_bent(shop, &copied, |table, rows| {
        if table.name == "cart_items" {
            rows[0][1] = Value::Integer(404_404);
        }
        Ok(())
    });
    assert!(matches!(outcome.await, Err(CopyError::Store(_))));
    assert_empty(&copied).await;
    copied.import(catalogue()).await;
    copied.assert_consistent().await;
}

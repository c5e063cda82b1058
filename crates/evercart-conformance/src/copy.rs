//! Copies of a whole store: all of it, as of one moment, or nothing; and the customers notice none
//! of it. Cases fill a second shop from the first.

use std::sync::Arc;

use async_trait::async_trait;
use evercart_core::account::OpenOrders;
use evercart_core::catalogue::ProductQuery;
use evercart_core::copy::{
    Copies, CopyError, Decided, ROWS_MAX, Reader, Row, TABLES, Table, Value, What, WithDecided,
};
use evercart_core::error::{Failed, Result};
use evercart_core::ids::OrderId;
use evercart_core::operator::CheckReport;
use evercart_core::user::ProfileChange;

use crate::Backend;
use crate::phone_change::{HOLD, change, done, stop};
use crate::shop::{
    CODE, Customer, JACKET, JACKET_M, LAMP, MUG, SCARF_RED, Shop, attempt, by, catalogue, checkout,
    code_request, free, keyed, page, row, signed_in,
};
use crate::survival::settled_customer;

/// How an adapter hands a store's copies to the cases.
pub trait CopyBackend: Backend {
    /// The same store. No clone of it is alive when it is reopened.
    fn copies(&self) -> Arc<dyn Copies>;
}

pub(crate) async fn copy<B: CopyBackend>(
    from: &mut dyn Reader,
    to: &Shop<B>,
) -> Result<CheckReport, CopyError> {
    to.backend().copies().copy_in(from, &mut |_| {}).await
}

pub(crate) async fn reader<B: CopyBackend>(shop: &Shop<B>) -> Box<dyn Reader> {
    shop.backend().copies().copy_out().await.unwrap()
}

/// Every row of a store.
pub(crate) async fn rows<B: CopyBackend>(shop: &Shop<B>) -> Vec<(&'static str, Row)> {
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
pub(crate) async fn furnish<B: CopyBackend>(shop: &mut Shop<B>) -> Vec<Customer> {
    let mut customers = Vec::new();
    for _ in 0..3 {
        customers.push(settled_customer(shop).await);
    }
    shop.add_to_cart(customers[0].session, MUG, 1, keyed("k", 1)).await.unwrap();
    // A stolen account, whose owner has stopped the change.
    let (owner, new) = (&customers[1], crate::shop::phone(900));
    change(shop, owner.session, &owner.phone, &new, HOLD).await;
    done(stop(shop, &owner.phone).await);
    shop.sign_user_out(new, by()).await.unwrap();
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

/// The rows of a customer, but for the keys of requests, and who is signed in since when: everybody
/// signs in again.
async fn rows_of<B: CopyBackend>(shop: &Shop<B>, user: i64) -> Vec<(&'static str, Row)> {
    let mut rows = rows(shop).await;
    rows.retain(|(name, row)| {
        let table = Table::named(name).unwrap();
        let owner = if *name == "users" { "id" } else { "user_id" };
        let place = table.columns.iter().position(|column| column.name == owner);
        place.is_some_and(|place| row[place] == Value::Integer(user)) && *name != "idempotency_keys"
    });
    for (_, row) in rows.iter_mut().filter(|(name, _)| *name == "users") {
        let columns = Table::named("users").unwrap().columns.iter();
        for (column, value) in columns.zip(row) {
            if ["session_epoch", "is_active", "last_login"].contains(&column.name) {
                *value = Value::Null;
            }
        }
    }
    rows
}

async fn decided_since<B: CopyBackend>(copy: &Shop<B>, later: &Shop<B>) -> Decided {
    let (mut copy, mut later) = (reader(copy).await, reader(later).await);
    Decided::since(&mut *copy, Some(&mut *later), &[]).await.unwrap()
}

/// G10: who goes back to a copy keeps what was decided since about who gets in, and goes back in
/// everything else.
pub async fn what_was_decided_since_a_copy_is_kept<B: CopyBackend>(shop: &mut Shop<B>) {
    let mut customers = furnish(shop).await;
    customers.push(settled_customer(shop).await);
    customers.push(settled_customer(shop).await);
    let [blocked, stolen, moved, erased, unblocked] = customers.as_slice() else { panic!() };
    shop.block_user(unblocked.phone.clone(), by()).await.unwrap();
    let mut copied = Shop::<B>::empty();
    copy(&mut *reader(shop).await, &copied).await.unwrap();
    copied.reopen();
    let as_copied = rows(&copied).await;

    shop.block_user(blocked.phone.clone(), by()).await.unwrap();
    shop.unblock_user(unblocked.phone.clone(), by()).await.unwrap();
    let new = crate::shop::phone(901);
    change(shop, moved.session, &moved.phone, &new, HOLD).await;
    let late = settled_customer(shop).await;
    shop.grant_code(code_request(&erased.phone, CODE)).await.unwrap();
    done(shop.erase(erased.session, attempt(&erased.phone, CODE), OpenOrders::Keep, free()).await);
    let taken = crate::shop::phone(900);
    let id = stolen.session.user_id;
    shop.confirm_phone_change(id, taken.clone(), by()).await.unwrap();

    let decided = decided_since(&copied, shop).await;
    let told: Vec<_> = decided.decisions.iter().map(|one| (one.user_id, &one.what)).collect();
    let of = |customer: &Customer| customer.session.user_id;
    let expected = [
        (of(blocked), &What::Blocked),
        (of(stolen), &What::ChangeOfPhone),
        (of(moved), &What::Moved { to: new.clone() }),
        (of(erased), &What::Erased),
        (of(unblocked), &What::Unblocked),
    ];
    assert_eq!(told, expected);
    assert!(decided.decisions.iter().all(|one| one.is_applied));

    let restored = Shop::<B>::empty();
    let mut source = WithDecided::new(reader(&copied).await, Arc::new(decided));
    let report = copy(&mut source, &restored).await.unwrap();
    assert_eq!((report.findings, report.counts.users), (vec![], 5));
    for customer in [blocked, stolen, moved, unblocked] {
        let id = of(customer).0;
        let access = |rows: Vec<(&'static str, Row)>| {
            let kept = ["users", "phone_numbers", "former_phones", "audit_log"];
            rows.into_iter().filter(|(name, _)| kept.contains(name)).collect::<Vec<_>>()
        };
        let (is, was) = (rows_of(&restored, id).await, rows_of(shop, id).await);
        assert_eq!(access(is), access(was), "{id}");
    }
    // An erasure leaves the same, here and there: but for who was signed in until when.
    let epoch = Table::named("users").unwrap();
    let epoch = epoch.columns.iter().position(|column| column.name == "session_epoch").unwrap();
    let (mut is, mut was) =
        (rows_of(&restored, of(erased).0).await, rows_of(shop, of(erased).0).await);
    for rows in [&mut is, &mut was] {
        let user = rows.iter_mut().find(|(name, _)| *name == "users").unwrap();
        user.1[epoch] = Value::Null;
    }
    assert_eq!(is, was);
    assert!(restored.find_user(late.phone).await.is_err(), "nobody comes who was not there");
    let belongings = |(name, _): &&(&'static str, Row)| *name == "order_items" || *name == "skus";
    let others = rows(&restored).await;
    assert!(others.iter().filter(belongings).eq(as_copied.iter().filter(belongings)));
    restored.assert_consistent().await;

    // The other way round there is nothing to take over.
    let back = decided_since(shop, &copied).await.decisions;
    assert!(back.iter().all(|one| one.what != What::Erased), "{back:?}");
}

/// G10: what came out of another life may know of decisions that hold no more: blocks and erasures
/// are kept, the rest is told.
pub async fn of_another_life_only_what_closes_is_kept<B: CopyBackend>(shop: &mut Shop<B>) {
    let (blocked, moved) = (settled_customer(shop).await, settled_customer(shop).await);
    let mut copied = Shop::<B>::empty();
    copy(&mut *reader(shop).await, &copied).await.unwrap();
    copied.reopen();
    let standing = shop.standing().await.unwrap();
    shop.start_over(standing.life.number, standing.numbers).await.unwrap();
    shop.block_user(blocked.phone.clone(), by()).await.unwrap();
    let signed_in_again = shop.sign_in_with(&moved.phone).await;
    let new = crate::shop::phone(901);
    change(shop, signed_in_again, &moved.phone, &new, HOLD).await;

    let decided = decided_since(&copied, shop).await;
    let told: Vec<_> =
        decided.decisions.iter().map(|one| (one.what.clone(), one.is_applied)).collect();
    assert_eq!(told, [(What::Blocked, true), (What::Moved { to: new }, false)]);
    let restored = Shop::<B>::empty();
    copy(&mut WithDecided::new(reader(&copied).await, Arc::new(decided)), &restored).await.unwrap();
    assert!(restored.find_user(blocked.phone).await.unwrap().user.blocked_at.is_some());
    assert_eq!(restored.find_user(moved.phone).await.unwrap().user.blocked_at, None);
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

pub(crate) async fn copy_bent<B: CopyBackend>(
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

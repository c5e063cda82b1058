//! Erasures follow the tags of the columns (S10): nothing personal is left, the check sees whatever
//! is, and who goes back to a copy brings nobody back.

use std::sync::Arc;

use evercart_core::account::OpenOrders;
use evercart_core::clock::Clock;
use evercart_core::copy::{
    CopyError, CustomerRows, Decided, Erasure, Kind, OfCustomer, Row, Table, Tag, Value, What,
    WithDecided, erased_tables, open_statuses,
};
use evercart_core::error::Refused;
use evercart_core::ids::{OrderId, UserId};
use evercart_core::operator::Finding;
use evercart_core::order::OrderEnd;

use crate::copy::{CopyBackend, copy, copy_bent, furnish, reader, rows};
use crate::phone_change::done;
use crate::shop::{CODE, Customer, Shop, attempt, by, code_request, free, keyed, refused};
use crate::survival::settled_customer;

/// What the check promises of customers who were erased.
const PROMISE: &str = "of a user who was erased nothing of their own is left";

/// A customer who is the last, has something everywhere, and one order that is open and one that is
/// not.
async fn last_customer<B: CopyBackend>(shop: &mut Shop<B>) -> Customer {
    furnish(shop).await;
    let me = settled_customer(shop).await;
    let orders = shop.orders(me.session, None, crate::shop::page(10, 0)).await.unwrap().items;
    let first = orders[0].id;
    shop.checkout(me.session, crate::shop::checkout(), free()).await.unwrap();
    shop.cancel_order(me.session, first, keyed("cancel", 1)).await.unwrap();
    me
}

async fn erase<B: CopyBackend>(shop: &Shop<B>, me: &Customer) {
    shop.grant_code(code_request(&me.phone, CODE)).await.unwrap();
    let attempt = attempt(&me.phone, CODE);
    done(shop.erase(me.session, attempt, OpenOrders::Keep, keyed("erase me", 1)).await);
}

fn value<'a>(table: &Table, row: &'a Row, name: &str) -> Option<&'a Value> {
    table.columns.iter().position(|column| column.name == name).map(|place| &row[place])
}

fn is_open(table: &Table, row: &Row) -> bool {
    let mut open = open_statuses().map(|word| Value::Text(word.to_owned()));
    table.name == "orders"
        && value(table, row, "status").is_some_and(|status| open.any(|word| word == *status))
}

/// Whatever table a row is in: personal columns are empty, and rows that the books do not need are
/// gone. Open orders keep what their delivery needs.
pub async fn nothing_personal_is_left<B: CopyBackend>(shop: &mut Shop<B>) {
    let me = last_customer(shop).await;
    let id = Value::Integer(me.session.user_id.0);
    erase(shop, &me).await;
    let mut open = 0;
    for (name, row) in rows(shop).await {
        let table = Table::named(name).unwrap();
        let owner = table.owner().and_then(|column| value(table, &row, column.name));
        if owner != Some(&id) {
            assert!(!row.contains(&Value::Text("erase me".into())), "{name}: the request's key");
            continue;
        }
        assert!(!table.goes_with_its_customer(), "{name}: {row:?}");
        let is_open = is_open(table, &row);
        open += usize::from(is_open);
        for (column, value) in table.columns.iter().zip(&row) {
            let stays = match column.tag {
                Tag::Personal => false,
                Tag::Delivery => is_open,
                Tag::Books | Tag::Technical => true,
            };
            assert!(stays || *value == column.empty(), "{name}.{}: {value:?}", column.name);
        }
    }
    assert_eq!(open, 1, "the order is still to be delivered");
}

/// Whatever the shop holds that says something of a customer is in their export.
pub async fn an_export_has_every_personal_text<B: CopyBackend>(shop: &mut Shop<B>) {
    let me = last_customer(shop).await;
    let session = me.session;
    shop.add_to_cart(session, crate::shop::MUG, 1, keyed("a key of mine", 1)).await.unwrap();
    let export = shop.export(session).await.unwrap();
    let orders = shop.export_orders(session, None).await.unwrap();
    let keys = shop.export_keys(session, None).await.unwrap();
    let told = format!("{export:?} {orders:?} {keys:?}");
    let id = Value::Integer(session.user_id.0);
    let mut seen = 0;
    for (name, row) in rows(shop).await {
        let table = Table::named(name).unwrap();
        let owner = table.owner().and_then(|column| value(table, &row, column.name));
        for (column, value) in table.columns.iter().zip(&row) {
            let is_personal = [Tag::Personal, Tag::Delivery].contains(&column.tag);
            if let Value::Text(text) = value
                && is_personal
                && owner == Some(&id)
            {
                assert!(told.contains(text.as_str()), "{name}.{} is not told", column.name);
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "only {seen}");
    assert_eq!(export.added.len(), export.cart.lines.len());
    assert!(export.added.iter().all(|line| line.added_at == shop.clock().now()));
}

/// An order on its way needs a name and an address: nobody takes them from it unasked.
pub async fn an_erasure_with_open_orders_says_so<B: CopyBackend>(shop: &mut Shop<B>) {
    let me = last_customer(shop).await;
    let before = rows(shop).await;
    shop.grant_code(code_request(&me.phone, CODE)).await.unwrap();
    let with_code = rows(shop).await;
    assert_ne!(before, with_code);
    let erase = |open_orders| {
        shop.erase(me.session, attempt(&me.phone, CODE), open_orders, keyed("erase", 1))
    };
    let orders = shop.orders(me.session, None, crate::shop::page(10, 0)).await.unwrap().items;
    let open: Vec<OrderId> =
        orders.iter().filter(|order| order.status.is_open()).map(|order| order.id).collect();
    let refusal = refused(erase(OpenOrders::Refuse).await);
    assert_eq!(refusal, Refused::OpenOrders { orders: open });
    assert_eq!(rows(shop).await, with_code, "the code is still good");
    assert!(!done(erase(OpenOrders::Keep).await).replayed);
}

/// What the delivery needs is there until the order ends, and no longer: in the same statement.
pub async fn what_a_delivery_needs_goes_when_the_order_ends<B: CopyBackend>(shop: &mut Shop<B>) {
    for end in [OrderEnd::Delivered, OrderEnd::Cancelled] {
        let me = settled_customer(shop).await;
        let order = shop.checkout(me.session, crate::shop::checkout(), free()).await.unwrap().value;
        let (before, sku) = (order.delivery_address.clone(), order.lines[0].sku_id);
        assert!(!before.is_empty());
        erase(shop, &me).await;
        let address = async |shop: &Shop<B>| {
            let orders = Table::named("orders").unwrap();
            let all = rows(shop).await;
            let is_it = |row: &Row| row[1] == Value::Integer(order.id.0);
            let (_, row) = all.iter().find(|(name, row)| *name == "orders" && is_it(row)).unwrap();
            let text = |name| match value(orders, row, name) {
                Some(Value::Text(text)) => text.clone(),
                _ => String::new(),
            };
            [text("delivery_address"), text("customer_phone"), text("payment_method")]
        };
        assert_eq!(address(shop).await[0], before, "it is still to be delivered");
        let stock = shop.on_hand(sku).await;
        let whose = shop.end_order(order.id, end, by()).await.unwrap();
        assert_eq!(whose, me.session.user_id);
        assert_eq!(address(shop).await, ["", "", ""]);
        let back = shop.on_hand(sku).await - stock;
        assert_eq!(back > 0, end == OrderEnd::Cancelled, "{end:?}: {back}");
        let again = refused(shop.end_order(order.id, end, by()).await);
        assert_eq!(again, Refused::OrderNotCancellable { status: end.status() });
        shop.assert_consistent().await;
    }
    // Of a customer who is there nothing goes.
    let me = settled_customer(shop).await;
    let order = shop.checkout(me.session, crate::shop::checkout(), free()).await.unwrap().value;
    shop.end_order(order.id, OrderEnd::Delivered, by()).await.unwrap();
    let ended = shop.order(me.session, order.id).await.unwrap();
    assert_eq!(ended.delivery_address, order.delivery_address);
    assert_eq!(ended.delivery_date, Some(shop.clock().now()));
    let none = refused(shop.end_order(OrderId(404_404), OrderEnd::Delivered, by()).await);
    assert!(matches!(none, Refused::NotFound { .. }), "{none:?}");
}

/// After a term the books need nothing of an erased customer's either; of others nothing goes.
pub async fn old_books_of_erased_customers_are_forgotten<B: CopyBackend>(shop: &mut Shop<B>) {
    let (me, other) = (last_customer(shop).await, settled_customer(shop).await);
    let all = shop.orders(me.session, None, crate::shop::page(10, 0)).await.unwrap().items;
    let open: Vec<_> = all.iter().filter(|order| order.status.is_open()).collect();
    erase(shop, &me).await;
    let theirs = shop.belongings(other.session).await;
    let later = shop.clock().now() + jiff::SignedDuration::from_hours(1);
    let before = shop.check().await.unwrap().counts.orders;
    assert_eq!(shop.forget_books(shop.clock().now()).await.unwrap(), 0, "nothing is so old");
    let ended = all.len() - open.len();
    assert_eq!(shop.forget_books(later).await.unwrap() as usize, ended);
    shop.assert_consistent().await;
    assert_eq!(shop.check().await.unwrap().counts.orders, before - ended as u64);
    shop.end_order(open[0].id, OrderEnd::Delivered, by()).await.unwrap();
    assert_eq!(shop.forget_books(later).await.unwrap(), 1);
    assert_eq!(shop.forget_books(later).await.unwrap(), 0);
    assert_eq!(shop.belongings(other.session).await, theirs);
}

/// A value that is not empty.
fn something(kind: Kind) -> Value {
    match kind {
        Kind::Integer => Value::Integer(7),
        Kind::Flag => Value::Flag(true),
        Kind::Text => Value::Text("something".into()),
        Kind::Blob => Value::Blob(vec![7; 32]),
    }
}

/// Puts a trace of an erased customer into rows on their way to a copy: what a column holds, or
/// where the whole row is to go, a row like the table's last.
struct Trace {
    table: &'static Table,
    column: Option<usize>,
    id: i64,
}

impl Trace {
    fn put(&self, table: &'static Table, rows: &mut Vec<Row>) {
        let owner = table.owner().unwrap();
        let owner = table.columns.iter().position(|column| column == owner).unwrap();
        let id = Value::Integer(self.id);
        let Some(column) = self.column else {
            let mut row = rows[rows.len() - 1].clone();
            for (column, value) in table.key_columns().iter().zip(&mut row) {
                if let (Kind::Text, Value::Text(text), "phone") = (column.kind, value, column.name)
                {
                    text.push('9');
                }
            }
            row[owner] = id;
            rows.push(row);
            return;
        };
        for row in rows.iter_mut().filter(|row| row[owner] == id && !is_open(table, row)) {
            row[column] = something(table.columns[column].kind);
            // Nobody is frozen without a former phone, nor has one without being frozen.
            for (index, other) in table.columns.iter().enumerate() {
                if table.columns[column].name.starts_with("frozen")
                    && other.name.starts_with("frozen")
                {
                    row[index] = something(other.kind);
                }
            }
        }
    }

    fn is_told_by(&self, finding: &Finding) -> bool {
        let what = self.column.map_or("the row", |column| self.table.columns[column].name);
        finding.promise == PROMISE
            && finding.found.contains(&format!("user {}: {what} of {}", self.id, self.table))
    }
}

/// One trace after the other, in every personal column and table there is.
pub async fn the_check_sees_every_trace<B: CopyBackend>(shop: &mut Shop<B>) {
    let me = last_customer(shop).await;
    erase(shop, &me).await;
    let id = me.session.user_id.0;
    let mut tried = 0;
    for table in erased_tables() {
        let columns: Vec<_> = match table.goes_with_its_customer() {
            true => vec![None],
            false => {
                let emptied = [table.emptied(Tag::Personal), table.emptied(Tag::Delivery)].concat();
                let place = |column| table.columns.iter().position(|one| one == column);
                // A user with a phone is not one who was erased.
                emptied.into_iter().filter(|one| one.name != "phone").map(place).collect()
            }
        };
        for column in columns {
            let trace = Trace { table, column, id };
            // Lines hang on a cart, wishes on a wishlist.
            let parent = match table.name {
                "cart_items" => "carts",
                "wishlist_items" => "wishlists",
                name => name,
            };
            let copied = Shop::<B>::empty();
            let outcome = copy_bent(shop, &copied, |now, rows| {
                if now == table || now.name == parent {
                    trace.put(now, rows);
                }
                Ok(())
            });
            let what = column.map_or("the row", |column| table.columns[column].name);
            match outcome.await {
                Err(CopyError::Unsound(report)) => {
                    let is_seen = report.findings.iter().any(|found| trace.is_told_by(found));
                    assert!(is_seen, "{table} {what}: {:?}", report.findings);
                }
                other => panic!("{table} {what}: was not seen: {other:?}"),
            }
            tried += 1;
        }
    }
    assert!(tried > 20, "only {tried}");
}

/// Whatever an operator does to a customer, or is shown of one, leaves who and why.
pub async fn every_act_of_an_operator_leaves_who_and_why<B: CopyBackend>(shop: &mut Shop<B>) {
    let me = settled_customer(shop).await;
    let id = me.session.user_id;
    shop.note_look(id, by()).await.unwrap();
    shop.sign_user_out(me.phone.clone(), by()).await.unwrap();
    shop.block_user(me.phone.clone(), by()).await.unwrap();
    shop.unblock_user(me.phone.clone(), by()).await.unwrap();
    let refusal = refused(shop.note_look(UserId(404_404), by()).await);
    assert!(matches!(refusal, Refused::NotFound { .. }), "{refusal:?}");
    let export = shop.export(shop.sign_in_with(&me.phone).await).await.unwrap();
    let told: Vec<_> = export.operator_actions.iter().map(|one| one.action.as_str()).collect();
    assert_eq!(told, ["show", "sign-out", "block", "unblock"]);
    assert!(export.operator_actions.iter().all(|one| one.reason.as_deref() == Some("case 17")));
    let erased = shop.erase_user(me.phone.clone(), None, OpenOrders::Keep, by()).await.unwrap();
    assert_eq!(erased, id);

    let audit = Table::named("audit_log").unwrap();
    let mut lines = Vec::new();
    for (name, row) in rows(shop).await {
        if name == "audit_log" && row[0] == Value::Integer(id.0) {
            assert_eq!(value(audit, &row, "who"), Some(&Value::Text("Anna".into())));
            assert_eq!(value(audit, &row, "reason"), Some(&Value::Text("case 17".into())));
            lines.push(value(audit, &row, "action").cloned().unwrap());
        }
    }
    let expected = ["show", "sign-out", "block", "unblock", "erase"];
    assert_eq!(lines, expected.map(|action| Value::Text(action.into())));
}

/// For a letter, a lost phone, a blocked customer: no code, and the same as with one.
pub async fn an_operator_erases_as_a_customer_does<B: CopyBackend>(shop: &mut Shop<B>) {
    let me = last_customer(shop).await;
    shop.block_user(me.phone.clone(), by()).await.unwrap();
    let before = rows(shop).await;
    let erase = |open| shop.erase_user(me.phone.clone(), None, open, by());
    let refusal = refused(erase(OpenOrders::Refuse).await);
    assert!(matches!(refusal, Refused::OpenOrders { .. }), "{refusal:?}");
    assert_eq!(rows(shop).await, before);
    let id = erase(OpenOrders::Keep).await.unwrap();
    assert_eq!(id, me.session.user_id);
    assert!(matches!(refused(erase(OpenOrders::Keep).await), Refused::NotFound { .. }));
    assert_eq!(refused(shop.cart(me.session).await), Refused::SignedOut);
    let newcomer = shop.sign_in_with(&me.phone).await;
    assert_ne!(newcomer.user_id, id);
}

/// G6: a customer who is exported and imported elsewhere is the same, down to the last byte.
pub async fn an_exported_customer_can_be_imported<B: CopyBackend>(shop: &mut Shop<B>) {
    let me = last_customer(shop).await;
    let copies = shop.backend().copies();
    let out = copies.customer_out(me.phone.clone(), by()).await.unwrap();
    drop(copies);
    let mut other = Shop::<B>::open().await;
    let put = other.backend().copies().customer_in(out.clone(), by()).await;
    put.unwrap();
    other.assert_consistent().await;
    let again = other.backend().copies().customer_out(me.phone.clone(), by()).await.unwrap();
    for ((table, before), (_, after)) in out.tables().zip(again.tables()) {
        if table.name != "audit_log" {
            assert_eq!(before, after, "{table}");
        }
    }
    match other.backend().copies().customer_in(out.clone(), by()).await {
        Err(CopyError::Taken { .. }) => {}
        other => panic!("was not refused: {other:?}"),
    }
    let read = CustomerRows::of(&mut OfCustomer::new(out.clone())).await.unwrap().unwrap();
    assert_eq!(read, out);
    // Numbers go on after theirs.
    other.reopen();
    let newcomer = other.customer().await;
    assert!(newcomer.session.user_id > me.session.user_id);
    other.add_to_cart(newcomer.session, crate::shop::MUG, 1, free()).await.unwrap();
    let order = other.checkout(newcomer.session, crate::shop::checkout(), free()).await.unwrap();
    assert!(out.orders().all(|number| order.value.id.0 > number), "{:?}", order.value.id);
    let mut whole = reader(shop).await;
    assert!(CustomerRows::of(&mut *whole).await.unwrap().is_err(), "a shop is no customer");
}

/// The list of erasures is enough, also where nothing is left of what came after a copy.
pub async fn whom_the_list_names_is_not_brought_back<B: CopyBackend>(shop: &mut Shop<B>) {
    let me = last_customer(shop).await;
    let (users, id) = (Table::named("users").unwrap(), me.session.user_id);
    let all = rows(shop).await;
    let (_, mine) =
        all.iter().find(|(name, row)| *name == "users" && row[0] == Value::Integer(id.0)).unwrap();
    let Some(Value::Integer(created_at)) = value(users, mine, "created_at") else { panic!() };
    let erasure =
        Erasure { user_id: id, created_at: *created_at, erased_at: 5, open_orders: false };
    // Another customer's of the same number, such as another shop's.
    let others = Erasure { created_at: created_at + 1, ..erasure };
    let decided = Decided::since(&mut *reader(shop).await, None, &[others]).await.unwrap();
    assert!(decided.changes_nothing() && decided.decisions.is_empty());

    let decided = Decided::since(&mut *reader(shop).await, None, &[erasure]).await.unwrap();
    let told: Vec<_> = decided.decisions.iter().map(|one| (one.user_id, &one.what)).collect();
    assert_eq!(told, [(id, &What::Erased)]);
    let mut copied = Shop::<B>::empty();
    let mut source = WithDecided::new(reader(shop).await, Arc::new(decided));
    let report = copy(&mut source, &copied).await.unwrap();
    assert_eq!(report.findings, []);
    copied.reopen();
    // Its open order was over when it was erased.
    let orders = Table::named("orders").unwrap();
    for (name, row) in rows(&copied).await {
        if name == "orders" && row[0] == Value::Integer(id.0) {
            assert_eq!(value(orders, &row, "delivery_address"), Some(&Value::Text(String::new())));
        }
    }
    let newcomer = copied.sign_in_with(&me.phone).await;
    assert_ne!(newcomer.user_id, id, "the phone's next owner is another customer");
}

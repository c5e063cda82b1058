//! Shows that the cost of a request does not depend on how many customers, orders or products there
//! are (P1): every statement a request runs is a look-up in an index. The plans are checked in.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use evercart_core::account::{Accounts, OpenOrders, PhoneChange, Proven};
use evercart_core::address::{AddressChange, AddressFields};
use evercart_core::cart::{Carts, MergeStrategy};
use evercart_core::catalogue::{Catalogue, CatalogueRow, ProductKey, ProductQuery};
use evercart_core::clock::ManualClock;
use evercart_core::code::{KeyedHash, Purpose};
use evercart_core::guard::{Guard, IdempotencyKey};
use evercart_core::ids::{LineId, ProductId, SkuId};
use evercart_core::limits::CustomerLimits;
use evercart_core::market::Shipping;
use evercart_core::money::Money;
use evercart_core::operator::{MoveBack, Operator};
use evercart_core::order::{Checkout, Items, OrderStatus, Orders, Page};
use evercart_core::outbox::{Message, MessageKind, Outbox};
use evercart_core::phone::Phone;
use evercart_core::sign_in::{
    Budget, CodeRequest, Proof, SignIn, SignInAttempt, SignInOutcome, UnsentCode,
};
use evercart_core::sweep::Sweep as _;
use evercart_core::user::{ProfileChange, Session};
use evercart_core::wishlist::Wishlists;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, StatementStatus};

use crate::{Options, Sqlite};

/// Every statement run, with the file it was run on: other tests run beside this one.
static SEEN: Mutex<BTreeSet<(String, &'static str)>> = Mutex::new(BTreeSet::new());

pub(crate) fn record(connection: &Connection, sql: &'static str) {
    let path = connection.path().unwrap_or_default().to_owned();
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert((path, sql));
}

fn seen_on(path: &Path) -> Vec<&'static str> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    seen.iter().filter(|(on, _)| Path::new(on) == path).map(|(_, sql)| *sql).collect()
}

/// Tables of at most one row a name, and statements whose work is the answer's own size.
const MAY_SCAN: [&str; 8] = [
    "SCAN import_state",
    "SCAN v",
    "SCAN catalogue_version",
    "SCAN n",
    "SCAN incarnation",
    "SCAN progress",
    "SCAN w VIRTUAL TABLE",
    "SCAN CONSTANT ROW",
];

/// Changes that may tell what they changed. Such a statement keeps a journal of its own, whose
/// memory goes back to the system at its end: that costs as much as the rest of a small commit, so
/// nothing that happens often does it.
const MAY_RETURN: [&str; 5] = [
    "INSERT INTO send_budget",
    "UPDATE users SET next_address",
    "UPDATE outbox",
    "DELETE FROM verification_codes",
    "DELETE FROM wishlist",
];

/// Not statements about data.
const STEERING: [&str; 5] = ["BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK"];

#[tokio::test]
async fn p1_every_statement_of_a_request_is_an_index_look_up() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("us.sqlite3");
    let clock = Arc::new(ManualClock::at(Timestamp::from_second(1_790_000_000).expect("in range")));
    // Looked at, and never met.
    let limits = CustomerLimits {
        cart_changes_per_hour: 1_000,
        changes_per_hour: 1_000,
        orders_per_hour: 1_000,
        open_orders: 1_000,
        open_pieces: 1_000_000,
    };
    let options = Options { limits, ..Options::new(clock) };
    let store = Sqlite::open(&path, options).expect("opens");
    fill_catalogue(&store).await;
    let preparation = seen_on(&path);
    run_every_customer_operation(&store).await;
    store.close();

    let connection = Connection::open(&path).expect("opens");
    crate::shown::make_views(&connection).expect("makes views");
    let mut statements = seen_on(&path);
    statements.retain(|sql| !preparation.contains(sql));
    assert!(statements.len() > 50, "only {} statements were seen", statements.len());
    let mut snapshot = String::new();
    let (mut scans, mut returning) = (Vec::new(), Vec::new());
    for sql in statements {
        if STEERING.iter().any(|word| sql.starts_with(word)) {
            continue;
        }
        if sql.contains("RETURNING") && !MAY_RETURN.iter().any(|begin| sql.starts_with(begin)) {
            returning.push(sql);
        }
        let plan = plan_of(&connection, sql).expect(sql);
        writeln!(snapshot, "{}", sql.split_whitespace().collect::<Vec<_>>().join(" "))
            .expect("writing to a string");
        for step in plan {
            writeln!(snapshot, "    {step}").expect("writing to a string");
            let allowed = MAY_SCAN.iter().any(|allowed| step.starts_with(allowed));
            if step.starts_with("SCAN ") && !allowed && !step.contains("USING COVERING INDEX") {
                scans.push(format!("{step} in: {sql}"));
            }
        }
        snapshot.push('\n');
    }
    assert!(returning.is_empty(), "changes that keep a journal of their own: {returning:#?}");
    assert!(scans.is_empty(), "table scans on the way of a request:\n{}", scans.join("\n"));
    compare_with_checked_in(&snapshot);
}

fn compare_with_checked_in(snapshot: &str) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plans.txt");
    #[expect(clippy::disallowed_methods, reason = "how a test is told to write its snapshot")]
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    if update {
        std::fs::write(file, snapshot).expect("the snapshot can be written");
    }
    let checked_in = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        checked_in == snapshot,
        "the query plans differ from tests/plans.txt; if that is meant, run this test again with \
         UPDATE_SNAPSHOTS=1 and look at the difference"
    );
}

/// A statement that SQLite prepares anew at every run costs four times as much.
async fn assert_cart_is_prepared_once(store: &Sqlite, session: Session) {
    let prepared_again = store
        .readers
        .read(move |db| {
            for _ in 0..10 {
                crate::cart::read(db, session)?;
            }
            Ok(db.sql(crate::cart::CART)?.get_status(StatementStatus::RePrepare))
        })
        .await
        .expect("reads");
    assert_eq!(prepared_again, 0);
}

fn plan_of(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    // Parameters stay unbound: the planner must not look at them.
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        steps.push(row.get(3)?);
    }
    Ok(steps)
}

async fn fill_catalogue(store: &Sqlite) {
    let rows = (1..=20).map(row).collect();
    store.import_catalogue(rows, Box::new(|_| {})).await.expect("imports");
}

fn row(number: i64) -> CatalogueRow {
    CatalogueRow {
        product: ProductKey::Id(ProductId(number), None),
        name: format!("Shirt {number}"),
        brand: Some("Brand".into()),
        category: Some("Clothing".into()),
        description: None,
        image: None,
        sku_id: Some(SkuId(number)),
        sku_code: format!("S-{number}"),
        size: None,
        color: None,
        price: Money(1999),
        original_price: None,
        stock: 100,
        active: true,
    }
}

async fn sign_in(store: &Sqlite) -> Session {
    let phone = Phone::from_stored("+13128059851".into());
    let request = CodeRequest {
        phone: KeyedHash([2; 32]),
        number: phone.clone(),
        claimed_by: None,
        asked_from: KeyedHash([8; 32]),
        purpose: Purpose::SignIn,
        code: KeyedHash([3; 32]),
        lifetime: SignedDuration::from_mins(10),
        resend_after: Some(SignedDuration::from_secs(60)),
        budgets: vec![budget("send_ip"), budget("send_market")],
        idempotency: Some(key("send")),
    };
    store.grant_code(request.clone()).await.expect("grants");
    let CodeRequest { phone: hash, purpose, code, budgets, .. } = request.clone();
    let unsent = UnsentCode { phone: hash, purpose, code, give_back: budgets };
    store.withdraw_code(unsent).await.expect("withdraws");
    store.grant_code(request).await.expect("grants");
    store.confirm_code(hash, key("send")).await.expect("confirms");
    store.used(budget("send_ip")).await.expect("reads");
    let attempt = SignInAttempt {
        phone,
        phone_hash: KeyedHash([2; 32]),
        purpose: Purpose::SignIn,
        proof: Proof::Code(KeyedHash([3; 32])),
        is_test_phone: false,
        attempts_max: 5,
        attempts_window: SignedDuration::from_mins(15),
        failures: vec![budget("fail_ip")],
        from: KeyedHash([8; 32]),
        idempotency: Some(key("verify")),
    };
    match store.sign_in(attempt).await.expect("signs in") {
        SignInOutcome::SignedIn { user, .. } => user.session(),
        other => panic!("the code is right: {other:?}"),
    }
}

fn budget(scope: &'static str) -> Budget {
    Budget {
        scope,
        subject: KeyedHash([1; 32]),
        limit: 5,
        reserved: 0,
        window: SignedDuration::from_hours(1),
    }
}

fn key(name: &str) -> IdempotencyKey {
    IdempotencyKey { key: name.into(), fingerprint: [9; 32] }
}

fn guard(name: &str) -> Guard {
    Guard { idempotency: Some(key(name)), expected_version: None }
}

async fn run_every_customer_operation(store: &Sqlite) {
    let session = sign_in(store).await;
    store.user(session).await.expect("user");
    let change = ProfileChange { full_name: Some(Some("Aida".into())), ..Default::default() };
    store.change_profile(session, change, guard("profile")).await.expect("profile");

    store.add_to_cart(session, SkuId(1), 2, guard("add")).await.expect("add");
    let seen = Guard { expected_version: Some(1), ..Guard::default() };
    store.add_to_cart(session, SkuId(2), 2, seen).await.expect("add");
    store.set_quantity(session, LineId(1), 3, guard("set")).await.expect("set");
    store.set_quantity(session, LineId(2), 0, guard("remove")).await.expect("remove");
    store.cart(session).await.expect("cart");
    assert_cart_is_prepared_once(store, session).await;

    store.add_wish(session, ProductId(3), guard("wish")).await.expect("wish");
    store.wishlist(session).await.expect("wishlist");
    store.move_to_cart(session, ProductId(3), SkuId(3), 1, guard("move")).await.expect("move");
    store.add_wish(session, ProductId(4), guard("wish 2")).await.expect("wish");
    store.remove_wish(session, ProductId(4), guard("unwish")).await.expect("unwish");
    store.clear_wishlist(session, guard("clear wishes")).await.expect("clear");

    order_and_cancel(store, session).await;
    change_addresses(store, session).await;

    store.add_to_cart(session, SkuId(1), 2, guard("add 2")).await.expect("add");
    let items = vec![(SkuId(1), 3), (SkuId(2), 1)];
    store.merge_into_cart(session, items, MergeStrategy::Max, guard("merge")).await.expect("merge");
    store.clear_cart(session, guard("clear")).await.expect("clear");

    let page = Page { limit: 20, offset: 0 };
    for (search, category) in [(None, None), (Some("shirt"), None), (None, Some("Clothing"))] {
        let query =
            ProductQuery { search: search.map(Into::into), category: category.map(Into::into) };
        assert_eq!(store.products(query, page).await.expect("products").total, 20);
    }
    store.product(ProductId(1)).await.expect("product");
    let session = move_and_export(store, session).await;
    store.sign_out(session, guard("out")).await.expect("out");
    erase(store).await;
    stop_and_move_back(store).await;
}

fn own_code(phone: &str) -> SignInAttempt {
    SignInAttempt {
        phone: Phone::from_stored(phone.into()),
        phone_hash: KeyedHash([4; 32]),
        purpose: Purpose::SignIn,
        proof: Proof::TestCode,
        is_test_phone: true,
        attempts_max: 5,
        attempts_window: SignedDuration::from_mins(15),
        failures: vec![budget("fail_ip")],
        from: KeyedHash([8; 32]),
        idempotency: None,
    }
}

async fn move_and_export(store: &Sqlite, session: Session) -> Session {
    let old_phone = store.user(session).await.expect("user").phone;
    store.prove_phone(session, None, guard("ask")).await.expect("asks");
    let change = || PhoneChange {
        old_phone: old_phone.clone(),
        old_phone_hash: KeyedHash([2; 32]),
        attempt: own_code("+996700123499"),
        notice: Message {
            kind: MessageKind::PhoneChanged,
            to: old_phone.clone(),
            text: "Moved".into(),
        },
        repeat_opens_for: SignedDuration::from_mins(10),
        hold: SignedDuration::from_hours(24),
    };
    let moved = store.change_phone(session, change(), guard("phone")).await.expect("moves");
    store.change_phone(session, change(), guard("phone")).await.expect("is answered again");
    let Proven::Done(moved) = moved else { panic!("the code is right") };
    let moved = moved.value.session();
    store.export(moved).await.expect("export");
    store.export_orders(moved, None).await.expect("export");
    store.export_keys(moved, None).await.expect("export");
    store.forget_old_keys(None).await.expect("sweeps");
    store.forget_what_is_over().await.expect("sweeps");
    let lease = SignedDuration::ZERO;
    let claimed = store.claim_messages(1, lease).await.expect("claims").remove(0);
    store.put_off_message(claimed.claim, lease).await.expect("puts off");
    let claimed = store.claim_messages(1, lease).await.expect("claims").remove(0);
    assert!(store.settle_message(claimed.claim).await.expect("settles"));
    store.waiting_messages().await.expect("counts");
    moved
}

/// A customer of its own comes and goes.
async fn erase(store: &Sqlite) {
    let outcome = store.sign_in(own_code("+996700123500")).await.expect("signs in");
    let SignInOutcome::SignedIn { user, .. } = outcome else { panic!("the code is right") };
    let attempt = own_code("+996700123500");
    store.erase(user.session(), attempt, OpenOrders::Keep, guard("erase")).await.expect("erases");
}

/// An account is taken over and given back; operators are not customers, and look up as quickly.
async fn stop_and_move_back(store: &Sqlite) {
    let (old, new) = ("+996700123501", "+996700123502");
    let hashed = |phone: &str, n| (Phone::from_stored(phone.into()), KeyedHash([n; 32]));
    let own = |phone, n| SignInAttempt { phone_hash: KeyedHash([n; 32]), ..own_code(phone) };
    let outcome = store.sign_in(own(old, 5)).await.expect("signs in");
    let SignInOutcome::SignedIn { user, .. } = outcome else { panic!("the code is right") };
    let change = PhoneChange {
        old_phone: user.phone.clone(),
        old_phone_hash: KeyedHash([5; 32]),
        attempt: own(new, 6),
        notice: Message {
            kind: MessageKind::PhoneChanged,
            to: user.phone.clone(),
            text: "Moved".into(),
        },
        repeat_opens_for: SignedDuration::from_mins(10),
        hold: SignedDuration::from_hours(24),
    };
    store.change_phone(user.session(), change, guard("taken")).await.expect("moves");
    store.sign_in(own(old, 5)).await.expect("is told that it moved");
    let stop = SignInAttempt {
        purpose: Purpose::StopPhoneChange,
        idempotency: Some(key("stop")),
        ..own(old, 5)
    };
    store.stop_phone_change(stop).await.expect("stops");
    store.former_customers(KeyedHash([5; 32])).await.expect("customers");
    let decision = MoveBack { user_id: user.id, from: hashed(new, 6), to: hashed(old, 5) };
    store
        .move_phone_back(decision, evercart_core::operator::By::operator("tests", None))
        .await
        .expect("moves back");
}

async fn order_and_cancel(store: &Sqlite, session: Session) {
    let checkout = || Checkout {
        customer_name: "Aida".into(),
        customer_phone: None,
        customer_email: None,
        delivery_address: "1 Main Street".into(),
        delivery_city: None,
        delivery_notes: None,
        payment_method: "cash".into(),
        expected_total: None,
        shipping: Shipping { flat: Money(999), free_from: None },
        tax_rate: 0.into(),
        currency: "USD".parse().expect("a currency"),
    };
    let order = store.checkout(session, checkout(), guard("order")).await.expect("order").value.id;
    store.checkout(session, checkout(), guard("again")).await.expect_err("the cart is empty");
    let items = Items::new(&[(SkuId(1), 1), (SkuId(2), 1)]).expect("few").expect("some");
    store.order_items(session, items, checkout(), guard("buy")).await.expect("order");
    let page = Page { limit: 20, offset: 0 };
    store.orders(session, None, page).await.expect("orders");
    store.orders(session, Some(OrderStatus::Pending), page).await.expect("orders");
    store.order(session, order).await.expect("order");
    store.cancel_order(session, order, guard("cancel")).await.expect("cancel");
}

async fn change_addresses(store: &Sqlite, session: Session) {
    let fields = AddressFields {
        title: "Home".into(),
        full_address: "1 Main Street".into(),
        ..AddressFields::default()
    };
    let first =
        store.add_address(session, fields.clone(), true, guard("a1")).await.expect("add").value;
    let second = store.add_address(session, fields, true, guard("a2")).await.expect("add").value;
    let change = AddressChange { is_default: Some(false), ..AddressChange::default() };
    store.change_address(session, second.id, change, guard("a3")).await.expect("change");
    store.addresses(session).await.expect("addresses");
    store.remove_address(session, first.id, guard("a4")).await.expect("remove");
}

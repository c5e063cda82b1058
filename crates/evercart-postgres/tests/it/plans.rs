//! P1: the cost of a request does not depend on how many customers, orders or SKUs there are. Where
//! PostgreSQL reads a table from end to end it counts that; here every operation of a customer runs
//! on a shop with thousands of each, functions included, and the counts must not move.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use evercart_conformance::Backend;
use evercart_conformance::shop::{
    CODE, SCARF, SCARF_RED, address, at_version, attempt, budget, by, catalogue, checkout,
    code_request, free, items, keyed, many_skus, page, phone, phone_change, phone_hash, signed_in,
    stop_attempt, test_attempt,
};
use evercart_core::account::{Accounts, PhoneChange, Proven};
use evercart_core::address::AddressChange;
use evercart_core::cart::{Carts, MergeStrategy};
use evercart_core::catalogue::Catalogue;
use evercart_core::clock::ManualClock;
use evercart_core::ids::{LineId, ProductId, SkuId};
use evercart_core::operator::{DemoCustomer, MoveBack, Operator};
use evercart_core::order::{OrderStatus, Orders};
use evercart_core::outbox::Outbox;
use evercart_core::sign_in::{CodeRequest, Proof, SignIn, SignInAttempt};
use evercart_core::user::{ProfileChange, Session};
use evercart_core::wishlist::Wishlists;
use evercart_postgres::Postgres;
use jiff::{SignedDuration, Timestamp};
use tokio_postgres::Client;

use crate::Database;
use crate::check::connect;

/// Enough that reading all of it is never the cheaper way.
const CUSTOMERS: u32 = 3_000;
const SKUS: i64 = 3_000;

/// Statistics arrive when a connection ends, a moment later.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tables read end to end so far, and rows looked up by index, in our schema.
const SCANS: &str = "SELECT relname::TEXT, seq_scan, coalesce(idx_scan, 0) \
     FROM pg_stat_user_tables WHERE schemaname = 'evercart_us'";

/// What lists of the catalogue count is the catalogue itself; the others have a row or a few.
const MAY_BE_READ_WHOLE: [&str; 6] =
    ["products", "catalogue_version", "schema_version", "store_facts", "incarnation", "progress"];

/// What customers of a demo have none of. An empty table is read whole, and rightly so.
const FILL_UP: &str = "SET search_path = evercart_us; \
     INSERT INTO addresses (user_id, id, title, full_address, is_default) \
     SELECT id, 1, 'Home', 'Here', true FROM users; \
     INSERT INTO idempotency_keys SELECT id, 'key', sha256('a'), 1, 1790000000000 FROM users; \
     INSERT INTO former_phones SELECT sha256(phone::BYTEA), id, '•••', 1, 1 FROM users; \
     INSERT INTO audit_log SELECT id, 1, 1, 'block' FROM users; \
     INSERT INTO outbox SELECT id, 1, 'phone_changed', phone, 'Moved', 1, 1780000000000 + id, 0 \
     FROM users; \
     INSERT INTO sign_in_keys (phone, key, fingerprint, expires_at) \
     SELECT sha256(phone::BYTEA), 'key', sha256('a'), 1790000000000 + id FROM users; \
     INSERT INTO verification_codes \
     SELECT sha256(phone::BYTEA), 'sign_in', sha256('a'), 1, 1790000000000 + id FROM users; \
     INSERT INTO send_budget \
     SELECT 'send_' || n, sha256(phone::BYTEA), 1, 1790000000000 + id \
     FROM users, generate_series(1, 20) n; ANALYZE";

async fn scans(client: &Client) -> BTreeMap<String, (i64, i64)> {
    let rows = client.query(SCANS, &[]).await.expect("reads statistics");
    rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect()
}

fn customers() -> Vec<DemoCustomer> {
    (0..CUSTOMERS)
        .map(|n| {
            let sku = |step: i64| SkuId(1_001 + (i64::from(n) * 7 + step) % SKUS);
            DemoCustomer {
                phone: phone(n + 100),
                full_name: "Demo".into(),
                cart: (0..5).map(|step| (sku(step), 1)).collect(),
                wishes: vec![ProductId(1_001 + i64::from(n) % SKUS)],
                orders: vec![(checkout(), vec![(sku(9), 1)])],
            }
        })
        .collect()
}

#[test]
fn p1_no_operation_of_a_customer_reads_a_table_from_end_to_end() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let clock = ManualClock::at(Timestamp::from_second(1_790_000_000).expect("in range"));
        let database = Database::fresh(Arc::new(clock));
        let store = &database.store;
        store.import_catalogue(catalogue(), Box::new(|_| {})).await.expect("imports");
        store.import_catalogue(many_skus(SKUS), Box::new(|_| {})).await.expect("imports");
        store.fill_demo(customers()).await.expect("fills");
        let client = connect(&database.url).await;
        client.batch_execute(FILL_UP).await.expect("looks at the tables");
        // A store of its own, so that its connections have planned nothing yet.
        let database = database.reopen();
        let before = settled(&client).await;
        run_every_operation(&database).await;
        database.store.close().await;
        let after = settled(&client).await;
        let looked_up = after["cart_items"].1 - before["cart_items"].1;
        assert!(looked_up > 0, "the statistics did not arrive");
        let read_whole: Vec<_> = after
            .iter()
            .filter(|(table, _)| !MAY_BE_READ_WHOLE.contains(&table.as_str()))
            .filter(|(table, (scans, _))| *scans > before[*table].0)
            .map(|(table, (scans, _))| format!("{table}: {} times", scans - before[table].0))
            .collect();
        assert!(read_whole.is_empty(), "read from end to end: {}", read_whole.join(", "));
    });
}

/// The statistics, once they stand still for a second.
async fn settled(client: &Client) -> BTreeMap<String, (i64, i64)> {
    let begun = Instant::now();
    let mut last = scans(client).await;
    let mut since = Instant::now();
    while since.elapsed() < Duration::from_millis(1500) {
        assert!(begun.elapsed() < PATIENCE, "the statistics do not come to rest");
        tokio::time::sleep(Duration::from_millis(50)).await; // poll: bounded above
        let now = scans(client).await;
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    last
}

async fn run_every_operation(database: &Database) {
    let store: &Postgres = &database.store;
    let (phone, new) = (phone(1), phone(2));
    let budgets = vec![budget("send_ip", "192.0.2.1", 100)];
    let request = CodeRequest { budgets, ..code_request(&phone, CODE) };
    store.grant_code(request).await.expect("a code");
    store.sign_in(attempt(&phone, "999999")).await.expect("a wrong code is an outcome");
    let me = signed_in(store.sign_in(attempt(&phone, CODE)).await).session();
    store.user(me).await.expect("a user");
    let name = ProfileChange { full_name: Some(Some("Ann".into())), ..ProfileChange::default() };
    store.change_profile(me, name, keyed("name", 1)).await.expect("changes");

    store.add_to_cart(me, SCARF_RED, 1, keyed("add", 2)).await.expect("adds");
    store.add_to_cart(me, SCARF_RED, 1, at_version(1)).await.expect("adds");
    store.set_quantity(me, LineId(1), 3, keyed("set", 3)).await.expect("sets");
    store.cart(me).await.expect("a cart");
    // Several at once are read and changed by other statements than one alone.
    let sessions = [me; 4];
    futures_util::future::join_all(sessions.map(|me| store.cart(me))).await;
    futures_util::future::join_all(sessions.map(|me| store.add_to_cart(me, SCARF_RED, 1, free())))
        .await;
    let pairs = vec![(SCARF_RED, 9), (SkuId(1_001), 1)];
    store.merge_into_cart(me, pairs, MergeStrategy::Max, keyed("merge", 7)).await.expect("merges");
    store.clear_cart(me, free()).await.expect("clears");

    store.add_wish(me, SCARF, keyed("wish", 4)).await.expect("wishes");
    store.wishlist(me).await.expect("a wishlist");
    store.move_to_cart(me, SCARF, SCARF_RED, 1, free()).await.expect("moves");
    store.add_wish(me, SCARF, free()).await.expect("wishes");
    store.remove_wish(me, SCARF, free()).await.expect("removes");
    store.clear_wishlist(me, free()).await.expect("clears");

    let order = store.checkout(me, checkout(), keyed("buy", 5)).await.expect("orders").value;
    store.checkout(me, checkout(), free()).await.expect_err("the cart is empty");
    let named = items(&[(SkuId(1_001), 1), (SCARF_RED, 1)]);
    store.order_items(me, named, checkout(), keyed("items", 5)).await.expect("orders");
    store.orders(me, None, page(20, 0)).await.expect("orders");
    store.orders(me, Some(OrderStatus::Pending), page(20, 0)).await.expect("orders");
    store.order(me, order.id).await.expect("an order");
    store.cancel_order(me, order.id, free()).await.expect("cancels");

    let home = store.add_address(me, address("Home"), true, free()).await.expect("adds").value;
    store.add_address(me, address("Office"), false, free()).await.expect("adds");
    let change = AddressChange { is_default: Some(false), ..AddressChange::default() };
    store.change_address(me, home.id, change, free()).await.expect("changes");
    store.addresses(me).await.expect("addresses");
    store.remove_address(me, home.id, free()).await.expect("removes");

    let claimed = store.claim_messages(2, SignedDuration::from_secs(1)).await.expect("claims");
    assert!(store.put_off_message(claimed[0].claim, SignedDuration::ZERO).await.expect("puts off"));
    assert!(store.settle_message(claimed[1].claim).await.expect("settles"));

    store.product(SCARF).await.expect("a product");
    store.find_user(phone.clone()).await.expect("a customer");
    let change = PhoneChange {
        attempt: test_attempt(&new),
        hold: SignedDuration::from_hours(24),
        ..phone_change(me.user_id, &phone, &new, CODE)
    };
    let moved = store.change_phone(me, change, keyed("move", 8)).await.expect("moves");
    let Proven::Done(moved) = moved else { panic!("the code is right") };
    export(store, moved.value.session()).await;
    let stop = SignInAttempt { proof: Proof::TestCode, ..stop_attempt(&phone, CODE) };
    store.stop_phone_change(stop).await.expect("stops");
    store.former_customers(phone_hash(&phone)).await.expect("customers");
    let back = MoveBack {
        user_id: me.user_id,
        from: (new.clone(), phone_hash(&new)),
        to: (phone.clone(), phone_hash(&phone)),
    };
    store.move_phone_back(back, by()).await.expect("moves back");
    let me = signed_in(store.sign_in(test_attempt(&phone)).await).session();
    store.sign_out(me, keyed("out", 6)).await.expect("signs out");
    // Old things are swept while new ones are asked for.
    database.clock.advance(SignedDuration::from_hours(72));
    store.grant_code(code_request(&phone, CODE)).await.expect("a code");
    signed_in(store.sign_in(attempt(&phone, CODE)).await);
}

async fn export(store: &Postgres, session: Session) {
    store.export(session).await.expect("exports");
    store.export_orders(session, None).await.expect("exports");
    store.export_keys(session, None).await.expect("exports");
}

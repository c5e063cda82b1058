//! Looks at a store after every part of an import, as if its process had been killed there.

use evercart_core::catalogue::{Catalogue, ProductQuery, RowsInMemory, StockChange};
use evercart_core::clock::ManualClock;
use evercart_core::copy::{Copies, TABLES};
use evercart_core::ids::SkuId;
use evercart_core::money::Money;
use evercart_core::order::Page;
use jiff::Timestamp;

use super::*;
use crate::{Options, check};

/// Products of the shop before, and SKUs of each.
const PRODUCTS: i64 = 300;
const SKUS_EACH: i64 = 4;

struct Shop {
    path: PathBuf,
    store: Sqlite,
    _directory: tempfile::TempDir,
}

fn open(path: &Path, serves: bool) -> Sqlite {
    let mut options = Options::new(Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)));
    options.gives_tokens = serves;
    options.public_read_max = Duration::from_secs(60);
    Sqlite::open(path, options).expect("opens")
}

impl Shop {
    async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("us.sqlite3");
        let shop = Self { store: open(&path, false), path, _directory: directory };
        assert!(matches!(shop.import(before()).await, ImportOutcome::Imported(_)));
        shop
    }

    async fn import(&self, rows: Vec<RowChange>) -> ImportOutcome {
        let rows = Box::new(RowsInMemory::new(rows));
        self.store.change_catalogue(rows, Box::new(|_| {})).await.expect("imports")
    }

    /// Begins an import that its caller drops as a crash would.
    async fn begin(&self) -> Import {
        let place = self.store.place();
        let begin = move || {
            let turn = file_of_turns(&place.path).map_err(no_turn)?;
            turn.lock().map_err(no_turn)?;
            Import::open(place, turn)
        };
        apart(begin).await.expect("begins")
    }

    /// What a process finds that opens the store now.
    async fn reopened(&mut self) -> Vec<String> {
        self.store.close();
        self.store = open(&self.path, false);
        self.seen().await
    }

    /// Everything that anybody can see of the catalogue, and what an operator's check finds.
    async fn seen(&self) -> Vec<String> {
        let page = Page { limit: 10_000, offset: 0 };
        let categories = self.store.categories().await.expect("categories");
        let mut queries = vec![ProductQuery::default()];
        for search in ["lamp", "vase", "maker", "thing"] {
            queries.push(ProductQuery { search: Some(search.into()), category: None });
        }
        for category in &categories {
            let category = Some(category.name.clone());
            queries.push(ProductQuery { search: None, category: category.clone() });
            queries.push(ProductQuery { search: Some("maker".into()), category });
        }
        let mut seen = vec![format!("{categories:?}")];
        for query in queries {
            let found = self.store.products(query.clone(), page).await.expect("products");
            let some = Page { limit: 7, offset: 171 };
            let part = self.store.products(query.clone(), some).await.expect("products");
            seen.push(format!("{query:?}: {found:?}, {part:?}"));
        }
        for id in [1, 2, 5, 10, PRODUCTS, 1_001, 1_100] {
            seen.push(format!("{:?}", self.store.product(ProductId(id)).await.ok()));
        }
        for id in [1, 2, 5, 1_200, 5_000, 20_001] {
            const VERSION: &str = "SELECT version FROM catalogue_version";
            let facts =
                move |db: &Db| db.sku(db.sql(VERSION)?.query_row([], |row| row.get(0))?, SkuId(id));
            seen.push(format!("{:?}", self.store.readers.read(facts).await.expect("reads")));
        }
        seen.push(format!("{:?}", self.store.export_catalogue().await.expect("exports")));
        let mut rows = self.store.copy_out().await.expect("copies");
        for table in TABLES.iter().filter(|it| ["products", "skus", "stock"].contains(&it.name)) {
            rows.open(table).await.expect("opens");
            seen.push(format!("{table}: {:?}", rows.next(10_000).await.expect("reads")));
        }
        let connection = db::open_for_reading(&self.path).expect("opens");
        let report = check::check(&connection).expect("looks");
        seen.push(format!("{:?}", report.findings));
        seen
    }

    async fn state(&self) -> State {
        self.store.readers.read(shown::state).await.expect("reads")
    }

    /// Rows that stand beside the catalogue.
    async fn left_beside(&self) -> i64 {
        const LEFT: &str = "SELECT (SELECT count(*) FROM import_products) \
             + (SELECT count(*) FROM import_skus) + (SELECT count(*) FROM import_new_skus) \
             + (SELECT count(*) FROM import_stock)";
        let count = |db: &Db| Ok(db.sql(LEFT)?.query_row([], |row| row.get(0))?);
        self.store.readers.read(count).await.expect("reads")
    }

    async fn sell(&self, sku: i64) {
        const SELL: &str =
            "UPDATE stock SET on_hand = on_hand - 1, taken = taken + 1 WHERE sku_id = ?1";
        self.store.writer.write(move |db| db.change_one(SELL, [sku])).await.expect("sells");
    }

    async fn on_hand(&self, sku: i64) -> i64 {
        const ON_HAND: &str = "SELECT on_hand FROM stock WHERE sku_id = ?1";
        let read = move |db: &Db| Ok(db.sql(ON_HAND)?.query_row([sku], |row| row.get(0))?);
        self.store.readers.read(read).await.expect("reads")
    }
}

/// Says where two differ, of which each is long.
fn assert_same(seen: &[String], expected: &[String], when: &str) {
    assert_eq!(seen.len(), expected.len(), "{when}");
    for (seen, expected) in seen.iter().zip(expected) {
        let at = seen.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b).count();
        if seen != expected {
            let begin = at.saturating_sub(300);
            let around = |text: &str| text.chars().skip(begin).take(600).collect::<String>();
            panic!(
                "{when}: {}\n{}\ninstead of\n{}",
                &seen[..60.min(seen.len())],
                around(seen),
                around(expected)
            );
        }
    }
}

fn row(product: i64, sku: i64) -> RowChange {
    RowChange {
        product: Some(ProductKey::Id(ProductId(product), Some(format!("h-{product}")))),
        name: Some(format!("Thing {product} lamp")),
        brand: Some(Some("Maker".into())),
        category: Some(Some(format!("Old {}", product % 3))),
        sku_id: Some(SkuId(sku)),
        sku_code: Some(format!("C-{sku}")),
        price: Some(Money(1_000 + sku)),
        stock: Some(StockChange::To(10)),
        active: Some(product != 10),
        ..RowChange::default()
    }
}

/// The shop as it is before. Product 10 is not for sale.
fn before() -> Vec<RowChange> {
    (1..=PRODUCTS * SKUS_EACH).map(|sku| row((sku - 1) / SKUS_EACH + 1, sku)).collect()
}

/// A file that changes, adds and takes away.
fn file() -> Vec<RowChange> {
    // The last product and SKU give up their handle and code, which the first ones take.
    let last = PRODUCTS * SKUS_EACH;
    let mut rows: Vec<_> = (last - 3..=last)
        .map(|sku| RowChange { stock: None, ..with_handle(row(PRODUCTS, sku), PRODUCTS, "h-x") })
        .collect();
    rows[3].sku_code = Some("C-x".into());
    rows.extend((1..=700).map(|sku| {
        let product = (sku - 1) / SKUS_EACH + 1;
        let mut row = renamed(row(product, sku), product);
        row.price = Some(Money(500 + sku));
        row.active = Some(product != 2);
        row.stock = match sku {
            3 => Some(StockChange::By(5)),
            4 => Some(StockChange::ToIfStill { pieces: 7, seen: 10 }),
            8 => Some(StockChange::To(0)),
            _ => None,
        };
        if product == 1 { with_handle(row, 1, &format!("h-{PRODUCTS}")) } else { row }
    }));
    rows[4].sku_code = Some(format!("C-{last}"));
    // A new SKU of an old product, the cheapest; new products; and one takes a code given up.
    let mut cheapest = renamed(row(5, 5_000), 5);
    cheapest.price = Some(Money(1));
    cheapest.image = Some(Some("/cheapest".into()));
    rows.push(cheapest);
    rows.extend((20_001..=20_400).map(|sku| row(1_001 + (sku - 20_001) / SKUS_EACH, sku)));
    rows[44].sku_code = Some("C-y".into());
    rows[1_104].sku_code = Some("C-41".into());
    rows
}

fn renamed(row: RowChange, product: i64) -> RowChange {
    let name = Some(format!("Item {product} vase"));
    RowChange { name, category: Some(Some(format!("New {}", product % 5))), ..row }
}

fn with_handle(row: RowChange, product: i64, handle: &str) -> RowChange {
    RowChange { product: Some(ProductKey::Id(ProductId(product), Some(handle.into()))), ..row }
}

/// Rows whose file cannot be read on after so many parts.
struct Until {
    rows: RowsInMemory,
    rewound: u32,
    parts: usize,
}

impl RowChanges for Until {
    fn rewind(&mut self) -> StoreResult<()> {
        self.rewound += 1;
        self.rows.rewind()
    }

    fn next(&mut self, max: usize) -> StoreResult<Vec<RowChange>> {
        // The first time all of them are only counted.
        if self.rewound == 2 {
            self.parts = match self.parts.checked_sub(1) {
                Some(left) => left,
                None => return Err(Failed::Unavailable("it cannot be read on".into()).into()),
            };
        }
        self.rows.next(max)
    }
}

/// Writes all parts of the file, or so many.
async fn write(shop: &Shop, parts: usize) -> (Import, Result<Written>) {
    let mut import = shop.begin().await;
    apart(move || {
        let rows = RowsInMemory::new(file());
        let rows = Box::new(Until { rows, rewound: 0, parts });
        let written = import.write(rows, Box::new(|_| {}));
        Ok((import, written))
    })
    .await
    .expect("does not panic")
}

/// What is seen before and after the whole of the file.
async fn expected() -> (Vec<String>, Vec<String>) {
    let shop = Shop::new().await;
    let old = shop.seen().await;
    let outcome = shop.import(file()).await;
    let ImportOutcome::Imported(summary) = outcome else { panic!("{outcome:?}") };
    assert_eq!((summary.products_added, summary.skus_added, summary.skus_updated), (100, 401, 704));
    assert_eq!((shop.state().await, shop.left_beside().await), (State::Settled, 0));
    let new = shop.seen().await;
    assert!(old.iter().zip(&new).filter(|(old, new)| old != new).count() > 10);
    (old, new)
}

#[tokio::test]
async fn nothing_is_seen_of_what_is_written_and_a_crash_leaves_nothing() {
    let (old, new) = expected().await;
    for parts in 0.. {
        let mut shop = Shop::new().await;
        let (import, written) = write(&shop, parts).await;
        let is_whole = written.is_ok();
        assert_same(&shop.seen().await, &old, &format!("{parts} parts are written"));
        drop(import);
        assert_same(&shop.reopened().await, &old, &format!("killed after {parts} parts"));
        // What is left is taken back before the next import, whatever that is.
        assert_eq!(shop.import(Vec::new()).await, ImportOutcome::Imported(Default::default()));
        assert_eq!((shop.state().await, shop.left_beside().await), (State::Settled, 0));
        assert_same(&shop.seen().await, &old, "in the end");
        assert!(matches!(shop.import(file()).await, ImportOutcome::Imported(_)));
        assert_same(&shop.seen().await, &new, "in the end");
        if is_whole {
            assert!(parts > 2);
            break;
        }
    }
}

#[tokio::test]
async fn all_is_seen_at_once_and_stays_so_while_it_is_moved() {
    let (_, new) = expected().await;
    for parts in 0.. {
        let mut shop = Shop::new().await;
        let (mut import, written) = write(&shop, usize::MAX).await;
        let outcome = shop.store.show(written.expect("writes")).await.expect("shows");
        assert!(matches!(outcome, ImportOutcome::Imported(_)), "{outcome:?}");
        let moved = move || {
            let mut more = true;
            for _ in 0..parts {
                more = import.part(parts::move_some)?;
            }
            Ok(more)
        };
        let more = apart(moved).await.expect("moves");
        assert_same(&shop.seen().await, &new, &format!("{parts} parts are moved"));
        assert_same(&shop.reopened().await, &new, &format!("killed after {parts} parts"));
        shop.import(Vec::new()).await;
        assert_eq!((shop.state().await, shop.left_beside().await), (State::Settled, 0));
        assert_same(&shop.seen().await, &new, "in the end");
        if !more {
            assert!(parts > 2);
            break;
        }
    }
}

#[tokio::test]
async fn a_sale_during_an_import_counts() {
    let (old, _) = expected().await;
    // What came in comes on top of what is left, and what was seen is no longer so.
    for (sku, is_shown) in [(3, true), (8, true), (4, false)] {
        let shop = Shop::new().await;
        let (mut import, written) = write(&shop, usize::MAX).await;
        shop.sell(sku).await;
        let outcome = shop.store.show(written.expect("writes")).await.expect("is compared");
        match outcome {
            ImportOutcome::Imported(_) => assert!(is_shown),
            ImportOutcome::Rejected(problems) => {
                assert!(!is_shown);
                assert_eq!(problems.iter().map(|problem| problem.row).collect::<Vec<_>>(), [7]);
                assert!(problems[0].problem.contains("was 10"), "{}", problems[0].problem);
            }
        }
        apart(move || import.settle(|| true)).await.expect("settles");
        assert_eq!((shop.state().await, shop.left_beside().await), (State::Settled, 0));
        let stock = [3, 4, 8].map(|sku| shop.on_hand(sku));
        let [came, seen, counted] = stock;
        let stock = (came.await, seen.await, counted.await);
        match sku {
            3 => assert_eq!(stock, (14, 7, 0)),
            8 => assert_eq!(stock, (15, 7, 0)),
            _ => {
                assert_eq!(stock, (10, 9, 10));
                assert_eq!(shop.seen().await[0], old[0]);
            }
        }
    }
}

#[tokio::test]
async fn a_server_tidies_up_after_a_crash_and_leaves_a_running_import_alone() {
    let (old, new) = expected().await;
    for is_shown in [false, true] {
        let mut shop = Shop::new().await;
        let (import, written) = write(&shop, usize::MAX).await;
        if is_shown {
            shop.store.show(written.expect("writes")).await.expect("shows");
        }
        let expected = if is_shown { &new } else { &old };
        let server = open(&shop.path, true);
        server.close();
        assert_ne!(shop.state().await, State::Settled, "whoever imports has the turn");
        assert_same(&shop.seen().await, expected, "after a crash");
        drop(import);
        shop.store.close();
        shop.store = open(&shop.path, true);
        while shop.state().await != State::Settled {
            tokio::task::yield_now().await;
        }
        assert_eq!(shop.left_beside().await, 0);
        assert_same(&shop.seen().await, expected, "after a crash");
    }
}

#[tokio::test]
async fn others_write_between_two_parts() {
    let shop = Shop::new().await;
    // Of the second part nothing can be read before somebody has sold something.
    struct Waits(RowsInMemory, u32, std::sync::mpsc::Receiver<()>);
    impl RowChanges for Waits {
        fn rewind(&mut self) -> StoreResult<()> {
            self.1 += 1;
            self.0.rewind()
        }
        fn next(&mut self, max: usize) -> StoreResult<Vec<RowChange>> {
            let rows = self.0.next(max)?;
            if self.1 == 2 && rows.len() < max && !rows.is_empty() {
                self.2.recv().expect("somebody sells");
            }
            Ok(rows)
        }
    }
    let (sold, sells) = std::sync::mpsc::channel();
    let (began, begins) = tokio::sync::oneshot::channel();
    let mut began = Some(began);
    let tell = Box::new(move |_| {
        let _ = began.take().map(|began| began.send(()));
    });
    let rows = Box::new(Waits(RowsInMemory::new(file()), 0, sells));
    let sale = async {
        begins.await.expect("begins");
        assert_eq!(shop.state().await, State::Hidden);
        shop.sell(3).await;
        sold.send(()).expect("is waited for");
    };
    let (outcome, ()) = tokio::join!(shop.store.change_catalogue(rows, tell), sale);
    let outcome = outcome.expect("imports");
    assert!(matches!(outcome, ImportOutcome::Imported(_)), "{outcome:?}");
    assert_eq!(shop.on_hand(3).await, 14);
}

#[tokio::test]
async fn a_short_file_is_one_transaction_or_nothing() {
    let shop = Shop::new().await;
    let commits = || {
        const CHANGES: &str = "SELECT version FROM catalogue_version";
        let read = |db: &Db| Ok(db.sql(CHANGES)?.query_row([], |row| row.get::<_, i64>(0))?);
        shop.store.readers.read(read)
    };
    let version = commits().await.expect("reads");
    let old = shop.seen().await;
    // Nothing is written before the writer does it: there is nothing that a crash could leave.
    let mut import = shop.begin().await;
    let (import, written) = apart(move || {
        let written = import.write(Box::new(RowsInMemory::new(short_file())), Box::new(|_| {}));
        Ok((import, written))
    })
    .await
    .expect("does not panic");
    assert_eq!((shop.state().await, shop.left_beside().await), (State::Settled, 0));
    // The stock of SKU 4 moves before it is compared.
    shop.sell(4).await;
    let outcome = shop.store.show(written.expect("plans")).await.expect("is compared");
    let ImportOutcome::Rejected(problems) = outcome else { panic!("{outcome:?}") };
    assert!(problems[0].problem.contains("was 10"), "{}", problems[0].problem);
    drop(import);
    assert_eq!((shop.state().await, shop.left_beside().await), (State::Settled, 0));
    assert_eq!(shop.seen().await[..2], old[..2]);
    assert_eq!(commits().await.expect("reads"), version);
    let mut rows = short_file();
    rows[1].stock = Some(StockChange::ToIfStill { pieces: 7, seen: 9 });
    assert!(matches!(shop.import(rows).await, ImportOutcome::Imported(_)));
    assert_eq!((shop.state().await, shop.left_beside().await), (State::Settled, 0));
    assert_eq!((shop.on_hand(4).await, shop.on_hand(20_001).await), (7, 10));
    assert_eq!(commits().await.expect("reads"), version + 1);
}

/// A file of less than a part.
fn short_file() -> Vec<RowChange> {
    let mut rows = vec![renamed(row(1, 3), 1), renamed(row(1, 4), 1), row(1_001, 20_001)];
    rows[0].stock = Some(StockChange::By(5));
    rows[1].stock = Some(StockChange::ToIfStill { pieces: 7, seen: 10 });
    rows
}

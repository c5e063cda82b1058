//! What a catalogue file changes: what it names, and nothing that was sold meanwhile.

use evercart_core::catalogue::{
    ImportOutcome, ImportSummary, ProductKey, RowChange, RowProblem, RowsInMemory, StockChange,
};
use evercart_core::error::Result;
use evercart_core::ids::SkuId;
use evercart_core::money::Money;
use evercart_core::store::Store;

use crate::Backend;
use crate::concurrency::{at_once, sorted_out};
use crate::shop::{
    JACKET_L, JACKET_M, LAMP, LAST_LAMP, MUG, PLENTY, SCARF, Shop, catalogue, checkout, free, items,
};

async fn change(store: &dyn Store, rows: Vec<RowChange>) -> Result<ImportOutcome> {
    store.change_catalogue(Box::new(RowsInMemory::new(rows)), Box::new(|_| {})).await
}

async fn changed<B: Backend>(shop: &Shop<B>, rows: Vec<RowChange>) -> ImportSummary {
    match change(&**shop, rows).await.unwrap() {
        ImportOutcome::Imported(summary) => summary,
        other => panic!("{other:?}"),
    }
}

async fn rejected<B: Backend>(shop: &Shop<B>, rows: Vec<RowChange>) -> Vec<RowProblem> {
    match change(&**shop, rows).await.unwrap() {
        ImportOutcome::Rejected(problems) => problems,
        other => panic!("{other:?}"),
    }
}

fn of(sku: SkuId) -> RowChange {
    RowChange { sku_id: Some(sku), ..RowChange::default() }
}

fn stock(sku: SkuId, stock: StockChange) -> RowChange {
    RowChange { stock: Some(stock), ..of(sku) }
}

/// A row changes what it names; what was sold meanwhile stays sold.
pub async fn what_a_row_leaves_out_stays<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.order_items(me, items(&[(MUG, 2)]), checkout(), free()).await.unwrap();
    let mut expected = shop.export_catalogue().await.unwrap();
    let by_code = RowChange {
        sku_code: Some(expected[2].sku_code.clone()),
        original_price: Some(None),
        color: Some(Some("blue".into())),
        ..RowChange::default()
    };
    let price = RowChange { price: Some(Money(12)), ..of(MUG) };
    let name = RowChange { name: Some("Lamp".into()), ..of(LAST_LAMP) };
    let summary = changed(shop, vec![price, by_code, name]).await;
    assert_eq!(summary, ImportSummary { skus_updated: 3, ..ImportSummary::default() });
    expected[2].original_price = None;
    expected[2].color = Some("blue".into());
    expected[3].name = "Lamp".into();
    expected[4].price = Money(12);
    assert_eq!(shop.export_catalogue().await.unwrap(), expected);
    assert_eq!(shop.on_hand(MUG).await, PLENTY - 2);
}

/// A SKU that is not there needs what its row leaves out, and may be sold out.
pub async fn a_new_sku_needs_its_facts<B: Backend>(shop: &mut Shop<B>) {
    let new = RowChange { sku_code: Some("BOWL".into()), ..RowChange::default() };
    let problems = rejected(shop, vec![of(MUG), new.clone()]).await;
    assert_eq!(problems.iter().map(|problem| problem.row).collect::<Vec<_>>(), [1]);
    let whole = RowChange {
        product: Some(ProductKey::Handle("bowl".into())),
        name: Some("Bowl".into()),
        price: Some(Money(500)),
        ..new
    };
    let summary = changed(shop, vec![whole]).await;
    assert_eq!((summary.products_added, summary.skus_added), (1, 1));
    let rows = shop.export_catalogue().await.unwrap();
    let bowl = rows.iter().find(|row| row.sku_code == "BOWL").unwrap();
    assert_eq!((bowl.stock, bowl.active), (0, true));
}

/// Pieces come in and go out, but never more than there are.
pub async fn stock_changes_by_pieces<B: Backend>(shop: &mut Shop<B>) {
    changed(shop, vec![stock(MUG, StockChange::By(5)), stock(LAST_LAMP, StockChange::By(-1))])
        .await;
    assert_eq!((shop.on_hand(MUG).await, shop.on_hand(LAST_LAMP).await), (PLENTY + 5, 0));
    let before = shop.export_catalogue().await.unwrap();
    let mut repriced = stock(LAST_LAMP, StockChange::By(-1));
    repriced.price = Some(Money(1));
    let problems = rejected(shop, vec![stock(MUG, StockChange::By(-3)), repriced]).await;
    assert_eq!(problems.iter().map(|problem| problem.row).collect::<Vec<_>>(), [1]);
    assert!(problems[0].problem.contains("is 0, so -1"), "{}", problems[0].problem);
    assert_eq!(shop.export_catalogue().await.unwrap(), before);
}

/// A stock is set if it is what the file saw; one that the file did not change stays as it is.
pub async fn a_stock_that_moved_is_not_set<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.order_items(me, items(&[(MUG, 2)]), checkout(), free()).await.unwrap();
    let still = |pieces, seen| StockChange::ToIfStill { pieces, seen };
    let rows = vec![stock(JACKET_M, still(7, PLENTY)), stock(MUG, still(PLENTY, PLENTY))];
    changed(shop, rows).await;
    assert_eq!((shop.on_hand(JACKET_M).await, shop.on_hand(MUG).await), (7, PLENTY - 2));
    let rows = vec![stock(JACKET_L, still(9, PLENTY)), stock(MUG, still(50, PLENTY))];
    let problems = rejected(shop, rows).await;
    assert_eq!(problems.iter().map(|problem| problem.row).collect::<Vec<_>>(), [1]);
    let told = format!("was {PLENTY} when the file was written and is {} now", PLENTY - 2);
    assert!(problems[0].problem.contains(&told), "{}", problems[0].problem);
    assert_eq!((shop.on_hand(JACKET_L).await, shop.on_hand(MUG).await), (PLENTY, PLENTY - 2));
}

/// G4: what is sold, and what comes in by several files at the same moment, adds up.
pub async fn sales_and_files_at_once_add_up<B: Backend>(shop: &mut Shop<B>) {
    let sessions: Vec<_> =
        shop.customers(12).await.iter().map(|customer| customer.session).collect();
    let answers = at_once(24, shop.store(), move |n, store| {
        let me = sessions.get(n as usize).copied();
        async move {
            let Some(me) = me else {
                let by = if n % 2 == 0 { 3 } else { -1 };
                let rows = vec![RowChange { price: Some(Money(11)), ..of(JACKET_M) }];
                let rows = [rows, vec![stock(MUG, StockChange::By(by))]].concat();
                let outcome = change(&*store, rows).await?;
                assert!(matches!(outcome, ImportOutcome::Imported(_)), "{outcome:?}");
                return Ok(by);
            };
            store.order_items(me, items(&[(MUG, 1)]), checkout(), free()).await?;
            Ok(-1)
        }
    })
    .await;
    let (moved, refusals) = sorted_out(answers);
    assert!(refusals.is_empty(), "{refusals:?}");
    assert_eq!(shop.on_hand(MUG).await, PLENTY + moved.iter().sum::<i64>());
    assert_eq!(shop.sku(JACKET_M).await.price, Money(11));
}

/// Where a file comes from, a product may get another handle; its SKUs say which one it is.
pub async fn a_product_takes_its_new_handle<B: Backend>(shop: &mut Shop<B>) {
    let handled = |handle: &str, code: &str| RowChange {
        product: Some(ProductKey::Handle(handle.into())),
        sku_code: Some(code.into()),
        name: Some("Lamp".into()),
        price: Some(Money(3_900)),
        ..RowChange::default()
    };
    changed(shop, vec![handled("lamp", "L-1"), handled("lamp", "L-2")]).await;
    let product = |rows: &[evercart_core::catalogue::CatalogueRow], code: &str| {
        rows.iter().find(|row| row.sku_code == code).unwrap().product.clone()
    };
    let before = product(&shop.export_catalogue().await.unwrap(), "L-1");
    let ProductKey::Id(id, _) = before else { panic!("{before:?}") };
    let again = vec![handled("lampada", "L-1"), handled("lampada", "L-2")];
    let summary = changed(shop, again).await;
    assert_eq!(summary, ImportSummary { skus_updated: 2, ..ImportSummary::default() });
    let rows = shop.export_catalogue().await.unwrap();
    assert_eq!(product(&rows, "L-2"), ProductKey::Id(id, Some("lampada".into())));
    // The SKUs of two products cannot be one product's.
    let split = vec![handled("lampada", "L-1"), handled("torch", "L-2")];
    let problems = rejected(shop, split).await;
    assert_eq!(problems.iter().map(|problem| problem.row).collect::<Vec<_>>(), [1]);
    assert!(problems[0].problem.contains("give this one another code"), "{problems:?}");
    assert_eq!(shop.export_catalogue().await.unwrap(), rows);
}

/// Two SKUs may change their codes at once, each to one that is free by then.
pub async fn a_code_that_was_given_up_is_free<B: Backend>(shop: &mut Shop<B>) {
    let code = |sku, code: &str| RowChange { sku_code: Some(code.into()), ..of(sku) };
    let (old, other) = (catalogue()[3].sku_code.clone(), "LAMP-B");
    let new = RowChange {
        product: Some(ProductKey::Id(SCARF, None)),
        sku_code: Some(old.clone()),
        price: Some(Money(1)),
        ..RowChange::default()
    };
    let summary = changed(shop, vec![code(LAST_LAMP, other), new]).await;
    assert_eq!((summary.skus_added, summary.skus_updated), (1, 1));
    assert_eq!(shop.sku(LAST_LAMP).await.sku_code, other);
    let rows = shop.export_catalogue().await.unwrap();
    let new = rows.iter().find(|row| row.sku_code == old).unwrap();
    assert_eq!(new.product, ProductKey::Id(SCARF, None));
    assert!(shop.product(LAMP).await.is_ok());
}

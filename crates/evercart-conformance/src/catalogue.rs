//! The catalogue: what is listed and found, and how a file changes it.

use std::sync::{Arc, Mutex};

use evercart_core::catalogue::{
    CatalogueRow, ImportOutcome, ImportSummary, ProductKey, ProductQuery,
};
use evercart_core::error::Refused;
use evercart_core::ids::{ProductId, SkuId};
use evercart_core::money::Money;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::Backend;
use crate::shop::{
    JACKET, JACKET_L, JACKET_M, LAMP, LAST_LAMP, MUG, MUGS, NO_PRODUCT, PLENTY, SCARF, SCARF_RED,
    Shop, catalogue, page, refused, row,
};

async fn listed<B: Backend>(shop: &Shop<B>, query: ProductQuery) -> Vec<ProductId> {
    let listed = shop.products(query, page(100, 0)).await.unwrap();
    assert_eq!(listed.total, listed.items.len() as u64);
    listed.items.iter().map(|product| product.id).collect()
}

async fn found<B: Backend>(shop: &Shop<B>, search: &str) -> Vec<ProductId> {
    listed(shop, ProductQuery { search: Some(search.into()), category: None }).await
}

fn imported(outcome: ImportOutcome) -> ImportSummary {
    match outcome {
        ImportOutcome::Imported(summary) => summary,
        other => panic!("{other:?}"),
    }
}

/// Products come in the order of their ids, a part at a time.
pub async fn products_are_listed_in_pages<B: Backend>(shop: &mut Shop<B>) {
    let all = listed(shop, ProductQuery::default()).await;
    assert_eq!(all, [JACKET, SCARF, LAMP, MUGS]);
    let part = shop.products(ProductQuery::default(), page(2, 1)).await.unwrap();
    assert_eq!(part.total, 4);
    assert_eq!(part.items.iter().map(|product| product.id).collect::<Vec<_>>(), [SCARF, LAMP]);
    let far = shop.products(ProductQuery::default(), page(2, u64::MAX)).await.unwrap();
    assert_eq!((far.items.len(), far.total), (0, 4));
}

/// A product shows its lowest price for sale, whatever is not for sale.
pub async fn a_product_shows_its_lowest_price_for_sale<B: Backend>(shop: &mut Shop<B>) {
    let all = shop.products(ProductQuery::default(), page(10, 0)).await.unwrap().items;
    let prices: Vec<_> = all.iter().map(|product| product.price).collect();
    assert_eq!(prices, [Money(5_999), Money(2_000), Money(12_050), Money(10)]);
    assert_eq!(all[1].original_price, Some(Money(2_500)));
    assert_eq!(all[0].original_price, None);
    shop.change_sku(JACKET_L, |row| {
        row.price = Money(4_000);
        row.original_price = Some(Money(6_499));
    })
    .await;
    let (jacket, _) = shop.product(JACKET).await.unwrap();
    assert_eq!((jacket.price, jacket.original_price), (Money(4_000), Some(Money(6_499))));
}

/// A product is available while any of its SKUs for sale is in stock.
pub async fn a_product_is_available_while_a_sku_is<B: Backend>(shop: &mut Shop<B>) {
    shop.change_sku(JACKET_M, |row| row.stock = 0).await;
    assert!(shop.product(JACKET).await.unwrap().0.available);
    shop.change_sku(JACKET_L, |row| row.stock = 0).await;
    assert!(!shop.product(JACKET).await.unwrap().0.available);
    // OLD_MUG has stock, but is not for sale.
    shop.change_sku(MUG, |row| row.stock = 0).await;
    let (mugs, _) = shop.product(MUGS).await.unwrap();
    assert!(!mugs.available);
    assert_eq!(listed(shop, ProductQuery::default()).await, [JACKET, SCARF, LAMP, MUGS]);
}

/// A product's page has its SKUs for sale, and only those.
pub async fn a_products_page_has_its_skus_for_sale<B: Backend>(shop: &mut Shop<B>) {
    let (product, mut skus) = shop.product(JACKET).await.unwrap();
    skus.sort_by_key(|sku| sku.facts.sku_id);
    assert_eq!((product.name.as_str(), product.brand.as_deref()), ("Fleece jacket", Some("North")));
    assert_eq!(product.description.as_deref(), Some("Keeps the wind out."));
    let shown: Vec<_> = skus
        .iter()
        .map(|sku| (sku.facts.sku_id, sku.facts.price, sku.facts.size.as_deref(), sku.on_hand))
        .collect();
    let expected =
        [(JACKET_M, Money(5_999), Some("M"), PLENTY), (JACKET_L, Money(6_499), Some("L"), PLENTY)];
    assert_eq!(shown, expected);
    let (_, skus) = shop.product(MUGS).await.unwrap();
    assert_eq!(skus.iter().map(|sku| sku.facts.sku_id).collect::<Vec<_>>(), [MUG]);
}

/// What is not for sale is not shown; it comes back with its SKU.
pub async fn what_is_not_for_sale_is_not_listed<B: Backend>(shop: &mut Shop<B>) {
    shop.change_sku(LAST_LAMP, |row| row.active = false).await;
    assert_eq!(listed(shop, ProductQuery::default()).await, [JACKET, SCARF, MUGS]);
    assert_eq!(found(shop, "lamp").await, []);
    for id in [LAMP, NO_PRODUCT, ProductId(0), ProductId(i64::MIN)] {
        let refusal = refused(shop.product(id).await);
        assert!(matches!(refusal, Refused::NotFound { .. }), "{id}: {refusal:?}");
    }
    shop.change_sku(LAST_LAMP, |row| row.active = true).await;
    assert_eq!(found(shop, "lamp").await, [LAMP]);
    for sku in [JACKET_M, JACKET_L, SCARF_RED, LAST_LAMP, MUG] {
        shop.change_sku(sku, |row| row.active = false).await;
    }
    assert_eq!(listed(shop, ProductQuery::default()).await, []);
    assert!(
        shop.has_products().await.unwrap(),
        "a shop that sells nothing for a while is no new one"
    );
}

/// Categories are counted by products for sale, by name.
pub async fn categories_count_their_products_for_sale<B: Backend>(shop: &mut Shop<B>) {
    let counted = async || {
        let categories = shop.categories().await.unwrap();
        categories.into_iter().map(|one| (one.name, one.products)).collect::<Vec<_>>()
    };
    let owned = |list: &[(&str, u64)]| {
        list.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<Vec<_>>()
    };
    let all = [("Kitchen", 1), ("Outdoor", 1), ("Тёплые вещи", 1)];
    assert_eq!(counted().await, owned(&all));
    shop.change_sku(LAST_LAMP, |row| row.category = Some("Kitchen".into())).await;
    shop.change_sku(SCARF_RED, |row| row.active = false).await;
    assert_eq!(counted().await, owned(&[("Kitchen", 2), ("Outdoor", 1)]));
    let query = |category: &str| ProductQuery { category: Some(category.into()), search: None };
    assert_eq!(listed(shop, query("Kitchen")).await, [LAMP, MUGS]);
    assert_eq!(listed(shop, query("Тёплые вещи")).await, []);
    assert_eq!(listed(shop, query("Kitch%")).await, []);
    let both = ProductQuery { category: Some("Kitchen".into()), search: Some("mug".into()) };
    assert_eq!(listed(shop, both).await, [MUGS]);
}

/// Every word of a search begins a word of the product, in any case and script.
pub async fn search_finds_beginnings_of_words<B: Backend>(shop: &mut Shop<B>) {
    for (search, expected) in [
        ("fleece", vec![JACKET]),
        ("FLEECE", vec![JACKET]),
        ("jack", vec![JACKET]),
        ("nor out", vec![JACKET]),
        ("wind mug", vec![]),
        ("leece", vec![]),
        ("шар", vec![SCARF]),
        ("ШАРФ", vec![SCARF]),
        ("мягкий вещи", vec![SCARF]),
        ("арф", vec![]),
        ("d", vec![LAMP]),
        ("enamel  mug ", vec![MUGS]),
        ("mug enamel", vec![MUGS]),
        ("nothing", vec![]),
    ] {
        assert_eq!(found(shop, search).await, expected, "{search:?}");
    }
}

/// A search is as much as somebody types: what comes after eight words, or 32 letters of a word, is
/// passed over.
pub async fn a_search_is_a_few_words<B: Backend>(shop: &mut Shop<B>) {
    let long = "щ".repeat(32);
    let words = format!("one two three four five six seven {long}ю");
    shop.change_sku(LAST_LAMP, |row| row.description = Some(words)).await;
    for (search, expected) in [
        ("one one one ONE on o one one one one two", vec![LAMP]),
        ("one one one ONE on o one one one one zzz", vec![]),
        ("one two three four five six seven zzz", vec![]),
        (&format!("one two three four five six seven {long} zzz"), vec![LAMP]),
        (&format!("{long}я"), vec![LAMP]),
    ] {
        assert_eq!(found(shop, search).await, expected, "{search:?}");
    }
}

/// What is found is what the catalogue says now.
pub async fn search_follows_the_catalogue<B: Backend>(shop: &mut Shop<B>) {
    shop.change_sku(LAST_LAMP, |row| row.name = "Floor light".into()).await;
    assert_eq!(found(shop, "lamp").await, []);
    assert_eq!(found(shop, "light").await, [LAMP]);
    shop.change_sku(LAST_LAMP, |row| row.description = Some("A lamp after all".into())).await;
    assert_eq!(found(shop, "lamp").await, [LAMP]);
}

/// S6: nothing a person can type breaks the search.
pub async fn odd_searches_never_fail<B: Backend>(shop: &mut Shop<B>) {
    let search = async |search: String| {
        for category in [None, Some(search.clone())] {
            let query = ProductQuery { search: Some(search.clone()), category };
            let listed = shop.products(query, page(10, 0)).await;
            assert!(listed.is_ok(), "{search:?}: {listed:?}");
        }
    };
    for text in [
        "",
        " ",
        "\"",
        "'",
        "\"\"",
        "*",
        "-",
        "--",
        "(",
        ")",
        "()",
        "^",
        ":",
        "name:mug",
        "{a b}",
        "AND",
        "OR",
        "NOT",
        "NEAR(a b)",
        "mug*",
        "\"mug",
        "mug OR",
        "NOT mug",
        "%",
        "_",
        "\\",
        "\0",
        "a\0b",
        "🧣",
        "e\u{301}",
        "\u{200d}",
        "; DROP TABLE products",
        "+mug",
        "mug -lamp",
    ] {
        search(text.to_owned()).await;
    }
    search("mug ".repeat(200)).await;
    search("m".repeat(5_000)).await;
    let mut runner = TestRunner::default();
    for _ in 0..64 {
        let text = "\\PC{0,30}".new_tree(&mut runner).unwrap().current();
        search(text).await;
    }
    assert_eq!(found(shop, "mug").await, [MUGS]);
}

/// The same file again changes nothing; what the store exports, it takes.
pub async fn importing_twice_changes_nothing<B: Backend>(shop: &mut Shop<B>) {
    let rows = catalogue();
    let before = shop.export_catalogue().await.unwrap();
    assert_eq!(before, rows);
    for again in [rows, before.clone()] {
        let summary = imported(shop.import_catalogue(again, Box::new(|_| {})).await.unwrap());
        let expected = ImportSummary {
            products_added: 0,
            skus_added: 0,
            skus_updated: 6,
            ..ImportSummary::default()
        };
        assert_eq!(summary, expected);
        assert_eq!(shop.export_catalogue().await.unwrap(), before);
    }
    // Another store makes the same of it.
    let other = Shop::<B>::empty();
    let summary = imported(other.import_catalogue(before.clone(), Box::new(|_| {})).await.unwrap());
    let expected = ImportSummary {
        products_added: 4,
        skus_added: 6,
        skus_updated: 0,
        ..ImportSummary::default()
    };
    assert_eq!(summary, expected);
    assert_eq!(other.export_catalogue().await.unwrap(), before);
}

/// An import changes what it names, and nothing else.
pub async fn importing_changes_only_what_it_names<B: Backend>(shop: &mut Shop<B>) {
    let mut expected = catalogue();
    let changed = CatalogueRow { stock: 3, price: Money(1_900), ..expected[2].clone() };
    let added = row(ProductId(99), "Bowl", SkuId(990), 700, 5);
    let rows = vec![changed.clone(), added.clone()];
    let summary = imported(shop.import_catalogue(rows, Box::new(|_| {})).await.unwrap());
    let counts = ImportSummary {
        products_added: 1,
        skus_added: 1,
        skus_updated: 1,
        ..ImportSummary::default()
    };
    assert_eq!(summary, counts);
    expected[2] = changed;
    expected.push(added);
    assert_eq!(shop.export_catalogue().await.unwrap(), expected);
}

/// A product's texts are the product's: they change for all its SKUs.
pub async fn a_products_texts_are_shared_by_its_skus<B: Backend>(shop: &mut Shop<B>) {
    shop.change_sku(JACKET_M, |row| row.name = "Windproof jacket".into()).await;
    assert_eq!(shop.sku(JACKET_L).await.name, "Windproof jacket");
    assert_eq!(shop.product(JACKET).await.unwrap().0.name, "Windproof jacket");
}

/// A row without an id means the SKU that has its code.
pub async fn a_code_names_its_sku<B: Backend>(shop: &mut Shop<B>) {
    let by_code = CatalogueRow { sku_id: None, stock: 77, ..catalogue()[0].clone() };
    let new = CatalogueRow {
        sku_id: None,
        sku_code: "JACKET-XL".into(),
        size: Some("XL".into()),
        ..catalogue()[0].clone()
    };
    for (added, updated) in [(1, 1), (0, 2)] {
        let rows = vec![by_code.clone(), new.clone()];
        let summary = imported(shop.import_catalogue(rows, Box::new(|_| {})).await.unwrap());
        let expected = ImportSummary {
            products_added: 0,
            skus_added: added,
            skus_updated: updated,
            ..ImportSummary::default()
        };
        assert_eq!(summary, expected);
    }
    assert_eq!(shop.on_hand(JACKET_M).await, 77);
    let rows = shop.export_catalogue().await.unwrap();
    let xl = rows.iter().find(|row| row.sku_code == "JACKET-XL").unwrap();
    let taken: Vec<_> = catalogue().iter().map(|row| row.sku_id).collect();
    assert!(xl.sku_id.is_some() && !taken.contains(&xl.sku_id), "{:?}", xl.sku_id);
    assert_eq!(rows.len(), 7);
}

/// A handle is a product for ever: the same ids at every import.
pub async fn a_handle_keeps_its_ids<B: Backend>(shop: &mut Shop<B>) {
    let handled = |handle: &str, code: &str| CatalogueRow {
        product: ProductKey::Handle(handle.into()),
        sku_id: None,
        sku_code: code.into(),
        ..row(ProductId(0), "Canvas tote", SkuId(0), 900, 4)
    };
    let rows = vec![handled("tote", "T-1"), handled("tote", "T-2"), handled("cap", "C-1")];
    let first = imported(shop.import_catalogue(rows.clone(), Box::new(|_| {})).await.unwrap());
    let expected = ImportSummary {
        products_added: 2,
        skus_added: 3,
        skus_updated: 0,
        ..ImportSummary::default()
    };
    assert_eq!(first, expected);
    let before = shop.export_catalogue().await.unwrap();
    let mut turned = rows;
    turned.reverse();
    let second = imported(shop.import_catalogue(turned, Box::new(|_| {})).await.unwrap());
    let expected = ImportSummary {
        products_added: 0,
        skus_added: 0,
        skus_updated: 3,
        ..ImportSummary::default()
    };
    assert_eq!(second, expected);
    assert_eq!(shop.export_catalogue().await.unwrap(), before);
    let ids: Vec<_> = before
        .iter()
        .filter_map(|row| match &row.product {
            ProductKey::Id(id, Some(handle)) => Some((handle.as_str(), *id)),
            _ => None,
        })
        .collect();
    let id_of = |wanted: &str| ids.iter().find(|(handle, _)| *handle == wanted).unwrap().1;
    assert_eq!(ids.len(), 3);
    assert_ne!(id_of("tote"), id_of("cap"));
    assert!(catalogue().iter().all(|row| row.product != ProductKey::Id(id_of("tote"), None)));
    assert_eq!(shop.product(id_of("tote")).await.unwrap().1.len(), 2);
}

/// A file that contradicts the store changes nothing, and the row is named.
pub async fn a_contradiction_rejects_the_whole_file<B: Backend>(shop: &mut Shop<B>) {
    let before = shop.export_catalogue().await.unwrap();
    let thief =
        CatalogueRow { sku_code: "SKU-42".into(), ..row(ProductId(99), "Thief", SkuId(990), 1, 1) };
    let fine = row(ProductId(98), "Fine", SkuId(980), 1, 1);
    let repriced = CatalogueRow { price: Money(1), ..catalogue()[0].clone() };
    let rows = vec![repriced, fine, thief];
    match shop.import_catalogue(rows, Box::new(|_| {})).await.unwrap() {
        ImportOutcome::Rejected(problems) => {
            assert_eq!(problems.iter().map(|problem| problem.row).collect::<Vec<_>>(), [2]);
            assert!(problems[0].problem.contains("SKU-42"), "{}", problems[0].problem);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(shop.export_catalogue().await.unwrap(), before);
    assert_eq!(found(shop, "thief").await, []);
}

/// Progress never runs ahead of the rows, nor back.
pub async fn an_import_tells_its_progress<B: Backend>(shop: &mut Shop<B>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let rows: Vec<_> =
        (2_000..3_000).map(|id| row(ProductId(id), "One of many", SkuId(id), 1, 1)).collect();
    let listener = told.clone();
    let progress = Box::new(move |done| listener.lock().unwrap().push(done));
    imported(shop.import_catalogue(rows, progress).await.unwrap());
    let told = told.lock().unwrap();
    assert!(told.is_sorted(), "{told:?}");
    assert!(told.last().is_some_and(|last| *last <= 1_000), "{:?}", told.last());
}

/// Nothing to do is no error.
pub async fn an_empty_file_changes_nothing<B: Backend>(shop: &mut Shop<B>) {
    let summary = imported(shop.import_catalogue(Vec::new(), Box::new(|_| {})).await.unwrap());
    assert_eq!(summary, ImportSummary::default());
    assert_eq!(shop.export_catalogue().await.unwrap(), catalogue());
}

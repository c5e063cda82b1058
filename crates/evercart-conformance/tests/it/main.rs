//! The suite on the model: the cases can pass, they do not contradict each other, and all are run.

use evercart_conformance::model::Model;

evercart_conformance::conformance!(model, Model);

#[test]
fn every_case_is_in_the_list() {
    let list = include_str!("../../src/cases.rs");
    let mut cases = 0;
    for (file, text) in [
        ("address", include_str!("../../src/address.rs")),
        ("cart", include_str!("../../src/cart.rs")),
        ("catalogue", include_str!("../../src/catalogue.rs")),
        ("catalogue_change", include_str!("../../src/catalogue_change.rs")),
        ("check", include_str!("../../src/check.rs")),
        ("concurrency", include_str!("../../src/concurrency.rs")),
        ("concurrent_sign_in", include_str!("../../src/concurrent_sign_in.rs")),
        ("copy", include_str!("../../src/copy.rs")),
        ("durability", include_str!("../../src/durability.rs")),
        ("erasure", include_str!("../../src/erasure.rs")),
        ("guard", include_str!("../../src/guard.rs")),
        ("isolation", include_str!("../../src/isolation.rs")),
        ("limits", include_str!("../../src/limits.rs")),
        ("operator", include_str!("../../src/operator.rs")),
        ("order", include_str!("../../src/order.rs")),
        ("order_items", include_str!("../../src/order_items.rs")),
        ("sequences", include_str!("../../src/sequences.rs")),
        ("sign_in", include_str!("../../src/sign_in.rs")),
        ("signed_out", include_str!("../../src/signed_out.rs")),
        ("survival", include_str!("../../src/survival.rs")),
        ("wishlist", include_str!("../../src/wishlist.rs")),
    ] {
        let (_, listed) = list.split_once(&format!(" {file}:\n")).expect(file);
        let (listed, _) = listed.split_once(';').expect(file);
        let listed: Vec<_> = listed.split_whitespace().collect();
        let written: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split_once('<'))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(listed, written, "{file}.rs and the list in cases.rs differ");
        cases += written.len();
    }
    assert!(cases > 100, "{cases}");
}

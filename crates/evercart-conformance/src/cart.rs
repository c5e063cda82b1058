//! Carts: lines, quantities, limits, versions, and what a customer is told of changed SKUs.

use evercart_core::cart::{
    LINES_MAX, MergeStrategy, Merged, Notice, QUANTITY_MAX, SkipReason, Skipped,
};
use evercart_core::clock::Clock;
use evercart_core::error::Refused;
use evercart_core::ids::{LineId, SkuId};
use evercart_core::money::Money;
use jiff::SignedDuration;

use crate::Backend;
use crate::shop::{
    JACKET, JACKET_L, JACKET_M, LAST_LAMP, MUG, NO_SKU, OLD_MUG, SCARF_RED, Shop, at_version, free,
    keyed, many_skus, pieces, refused,
};

/// G9: looking at a cart writes nothing, so the cart stays untouched.
pub async fn untouched_cart_is_empty_at_version_0<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    for _ in 0..3 {
        let cart = shop.cart(me).await.unwrap();
        assert_eq!((cart.user_id, cart.version, cart.updated_at), (me.user_id, 0, None));
        assert!(cart.lines.is_empty());
    }
}

/// A new line shows the SKU as the catalogue has it.
pub async fn added_line_carries_what_the_catalogue_says<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let done = shop.add_to_cart(me, JACKET_M, 2, free()).await.unwrap();
    assert!(!done.replayed);
    let cart = done.value;
    let line = &cart.lines[0];
    assert_eq!((line.id, line.quantity, line.on_hand), (LineId(1), 2, 5_000));
    assert_eq!(line.price_when_added, Money(5_999));
    let sku = &*line.sku;
    assert_eq!((sku.sku_id, sku.product_id, sku.active), (JACKET_M, JACKET, true));
    assert_eq!((sku.name.as_str(), sku.size.as_deref()), ("Fleece jacket", Some("M")));
    assert_eq!((sku.sku_code.as_str(), sku.price), ("SKU-42", Money(5_999)));
    assert_eq!((cart.total(), cart.version), (Money(11_998), 1));
    assert_eq!(cart.updated_at, Some(shop.clock().now()));
    assert_eq!(shop.cart(me).await.unwrap(), cart);
}

/// G2: one SKU, one line.
pub async fn same_sku_again_adds_to_its_line<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, JACKET_M, 2, free()).await.unwrap();
    shop.add_to_cart(me, SCARF_RED, 1, free()).await.unwrap();
    let cart = shop.add_to_cart(me, JACKET_M, 3, free()).await.unwrap().value;
    assert_eq!(pieces(&cart), [(JACKET_M, 5), (SCARF_RED, 1)]);
    assert_eq!(cart.lines.iter().map(|line| line.id.0).collect::<Vec<_>>(), [1, 2]);
}

/// Each change counts once, reads and refusals do not.
pub async fn version_counts_the_changes<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let first = shop.add_to_cart(me, JACKET_M, 2, free()).await.unwrap().value;
    shop.wait(SignedDuration::from_secs(1));
    let line = first.lines[0].id;
    let second = shop.set_quantity(me, line, 5, free()).await.unwrap().value;
    assert!(second.updated_at > first.updated_at);
    refused(shop.add_to_cart(me, OLD_MUG, 1, free()).await);
    refused(shop.set_quantity(me, LineId(9), 1, free()).await);
    assert_eq!(shop.cart(me).await.unwrap(), second);
    let third = shop.set_quantity(me, line, 0, free()).await.unwrap().value;
    let fourth = shop.add_to_cart(me, MUG, 1, free()).await.unwrap().value;
    let fifth = shop.clear_cart(me, free()).await.unwrap().value;
    let versions = [first, second, third, fourth, fifth].map(|cart| cart.version);
    assert_eq!(versions, [1, 2, 3, 4, 5]);
}

/// 0 removes the line.
pub async fn quantity_0_removes_the_line<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, JACKET_M, 2, free()).await.unwrap();
    let cart = shop.add_to_cart(me, MUG, 7, free()).await.unwrap().value;
    let cart = shop.set_quantity(me, cart.lines[0].id, 0, free()).await.unwrap().value;
    assert_eq!(pieces(&cart), [(MUG, 7)]);
    let gone = refused(shop.set_quantity(me, LineId(1), 1, free()).await);
    assert!(matches!(gone, Refused::NotFound { .. }), "{gone:?}");
}

/// A client that still shows a removed line can not hit another one with its id.
pub async fn line_ids_are_never_reused<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let cart = shop.add_to_cart(me, JACKET_M, 1, free()).await.unwrap().value;
        ids.push(cart.lines[0].id.0);
        shop.set_quantity(me, cart.lines[0].id, 0, free()).await.unwrap();
        let cart = shop.add_to_cart(me, JACKET_M, 1, free()).await.unwrap().value;
        ids.push(cart.lines[0].id.0);
        shop.clear_cart(me, free()).await.unwrap();
    }
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
}

/// The order of a cart is the order in which its lines were made.
pub async fn lines_keep_the_order_of_adding<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    for sku in [MUG, JACKET_L, SCARF_RED, JACKET_M] {
        shop.add_to_cart(me, sku, 1, free()).await.unwrap();
    }
    let cart = shop.add_to_cart(me, JACKET_L, 1, free()).await.unwrap().value;
    assert_eq!(pieces(&cart), [(MUG, 1), (JACKET_L, 2), (SCARF_RED, 1), (JACKET_M, 1)]);
}

/// S6: what is not in the catalogue, or not for sale, is not in a cart.
pub async fn unknown_and_retired_skus_are_refused<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let unknown = refused(shop.add_to_cart(me, NO_SKU, 1, free()).await);
    assert!(matches!(unknown, Refused::NotFound { .. }), "{unknown:?}");
    for sku in [SkuId(0), SkuId(-1), SkuId(i64::MAX), SkuId(i64::MIN)] {
        let unknown = refused(shop.add_to_cart(me, sku, 1, free()).await);
        assert!(matches!(unknown, Refused::NotFound { .. }), "{sku:?}: {unknown:?}");
    }
    let retired = refused(shop.add_to_cart(me, OLD_MUG, 1, free()).await);
    assert_eq!(retired, Refused::SkuUnavailable { sku_id: OLD_MUG });
    assert_eq!(shop.cart(me).await.unwrap().version, 0);
}

/// A line never grows beyond what the shop has, by whichever way.
pub async fn more_than_on_hand_is_refused_in_total<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let short = Refused::InsufficientStock { sku_id: SCARF_RED, available: 10 };
    assert_eq!(refused(shop.add_to_cart(me, SCARF_RED, 11, free()).await), short);
    let cart = shop.add_to_cart(me, SCARF_RED, 6, free()).await.unwrap().value;
    assert_eq!(refused(shop.add_to_cart(me, SCARF_RED, 5, free()).await), short);
    assert_eq!(refused(shop.set_quantity(me, cart.lines[0].id, 11, free()).await), short);
    let cart = shop.add_to_cart(me, SCARF_RED, 4, free()).await.unwrap().value;
    assert_eq!(pieces(&cart), [(SCARF_RED, 10)]);
}

/// S6: 999 pieces fit, the thousandth does not, and huge numbers do not wrap around.
pub async fn a_line_holds_at_most_999_pieces<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let too_many = |refusal| match refusal {
        Refused::QuantityLimit { limit, .. } => assert_eq!(limit, QUANTITY_MAX),
        other => panic!("{other:?}"),
    };
    too_many(refused(shop.add_to_cart(me, MUG, 1_000, free()).await));
    let cart = shop.add_to_cart(me, MUG, 999, free()).await.unwrap().value;
    too_many(refused(shop.add_to_cart(me, MUG, 1, free()).await));
    too_many(refused(shop.set_quantity(me, cart.lines[0].id, 1_000, free()).await));
    refused(shop.add_to_cart(me, MUG, u32::MAX, free()).await);
    refused(shop.set_quantity(me, cart.lines[0].id, u32::MAX, free()).await);
    assert_eq!(pieces(&shop.cart(me).await.unwrap()), [(MUG, 999)]);
}

/// S6: a hundred lines fit, and then only what is there already can grow.
pub async fn a_cart_holds_at_most_100_lines<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let rows = many_skus(i64::from(LINES_MAX) + 1);
    shop.import(rows.clone()).await;
    let skus: Vec<_> = rows.iter().filter_map(|row| row.sku_id).collect();
    for sku in &skus[..100] {
        shop.add_to_cart(me, *sku, 1, free()).await.unwrap();
    }
    match refused(shop.add_to_cart(me, skus[100], 1, free()).await) {
        Refused::QuantityLimit { limit, .. } => assert_eq!(limit, LINES_MAX),
        other => panic!("{other:?}"),
    }
    let cart = shop.add_to_cart(me, skus[99], 1, free()).await.unwrap().value;
    assert_eq!((cart.lines.len(), cart.pieces()), (100, 101));
    shop.set_quantity(me, cart.lines[0].id, 0, free()).await.unwrap();
    let cart = shop.add_to_cart(me, skus[100], 1, free()).await.unwrap().value;
    assert_eq!(cart.lines.len(), 100);
}

/// A customer can always want less, whatever became of the stock and the SKU.
pub async fn a_line_can_always_shrink<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let cart = shop.add_to_cart(me, SCARF_RED, 8, free()).await.unwrap().value;
    let line = cart.lines[0].id;
    shop.change_sku(SCARF_RED, |row| row.stock = 2).await;
    let cart = shop.set_quantity(me, line, 5, free()).await.unwrap().value;
    assert_eq!(pieces(&cart), [(SCARF_RED, 5)]);
    let refusal = refused(shop.set_quantity(me, line, 6, free()).await);
    assert_eq!(refusal, Refused::InsufficientStock { sku_id: SCARF_RED, available: 2 });
    shop.change_sku(SCARF_RED, |row| row.active = false).await;
    let cart = shop.set_quantity(me, line, 1, free()).await.unwrap().value;
    assert_eq!(pieces(&cart), [(SCARF_RED, 1)]);
    let refusal = refused(shop.set_quantity(me, line, 2, free()).await);
    assert_eq!(refusal, Refused::SkuUnavailable { sku_id: SCARF_RED });
    let cart = shop.set_quantity(me, line, 0, free()).await.unwrap().value;
    assert!(cart.lines.is_empty());
}

/// What a visitor collected joins the cart; what both have is not doubled, and merging it again
/// changes nothing more.
pub async fn merging_takes_the_larger_quantity<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 3, free()).await.unwrap();
    shop.add_to_cart(me, JACKET_M, 1, free()).await.unwrap();
    let offered = vec![(MUG, 2), (JACKET_M, 4), (SCARF_RED, 2)];
    for _ in 0..2 {
        let merge = shop.merge_into_cart(me, offered.clone(), MergeStrategy::Max, free()).await;
        let Merged { cart, skipped } = merge.unwrap().value;
        assert_eq!(pieces(&cart), [(MUG, 3), (JACKET_M, 4), (SCARF_RED, 2)]);
        // One request is one version, however many lines it changes.
        assert_eq!((skipped, cart.version), (vec![], 3));
        assert_eq!(shop.cart(me).await.unwrap(), cart);
    }
    let nothing = shop.merge_into_cart(me, vec![], MergeStrategy::Max, free()).await.unwrap();
    assert_eq!(nothing.value.cart.version, 3);
}

/// Both quantities together, if that is what is asked for.
pub async fn merging_can_add_quantities_up<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 3, free()).await.unwrap();
    let offered = vec![(MUG, 2), (SCARF_RED, 1), (MUG, 1)];
    let merge = shop.merge_into_cart(me, offered, MergeStrategy::Sum, free()).await.unwrap();
    assert_eq!(pieces(&merge.value.cart), [(MUG, 6), (SCARF_RED, 1)]);
    let stale = shop.merge_into_cart(me, vec![(MUG, 1)], MergeStrategy::Sum, at_version(1)).await;
    assert!(matches!(refused(stale), Refused::VersionConflict { expected: 1, .. }));
}

/// One item that cannot be had does not keep the others out.
pub async fn merging_takes_what_can_be_had_and_names_the_rest<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, JACKET_M, 990, free()).await.unwrap();
    let offered = vec![(NO_SKU, 1), (SCARF_RED, 11), (OLD_MUG, 1), (JACKET_M, 20), (MUG, 2)];
    let merge = shop.merge_into_cart(me, offered, MergeStrategy::Sum, free()).await.unwrap();
    let Merged { cart, skipped } = merge.value;
    assert_eq!(pieces(&cart), [(JACKET_M, 999), (SCARF_RED, 10), (MUG, 2)]);
    let skip = |sku_id, reason| Skipped { sku_id, reason };
    assert_eq!(
        skipped,
        [
            skip(NO_SKU, SkipReason::NotFound),
            skip(SCARF_RED, SkipReason::InsufficientStock),
            skip(OLD_MUG, SkipReason::SkuUnavailable),
            skip(JACKET_M, SkipReason::QuantityLimit),
        ]
    );
    // A line that holds more than there is left stays as it is.
    shop.change_sku(SCARF_RED, |row| row.stock = 4).await;
    let again = vec![(SCARF_RED, 1)];
    let merge = shop.merge_into_cart(me, again, MergeStrategy::Sum, free()).await.unwrap();
    assert_eq!(merge.value.skipped, [skip(SCARF_RED, SkipReason::InsufficientStock)]);
    assert_eq!(pieces(&merge.value.cart)[1], (SCARF_RED, 10));
}

/// A cart's hundred lines are the most, also by merging; lines that are there still grow.
pub async fn a_full_cart_takes_no_more_lines_by_merging<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.import(many_skus(101)).await;
    let sku = |n: i64| SkuId(1_001 + n);
    let offered = (0..99).map(|n| (sku(n), 1)).collect();
    shop.merge_into_cart(me, offered, MergeStrategy::Max, free()).await.unwrap();
    let offered = vec![(sku(99), 1), (sku(100), 1), (sku(0), 2)];
    let merge = shop.merge_into_cart(me, offered, MergeStrategy::Max, free()).await.unwrap();
    let Merged { cart, skipped } = merge.value;
    assert_eq!((cart.lines.len(), cart.pieces()), (100, 101));
    assert_eq!(skipped, [Skipped { sku_id: sku(100), reason: SkipReason::QuantityLimit }]);
}

/// G5: a page that is closed while it merges may merge again.
pub async fn a_repeated_merge_acts_once<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let offered = || vec![(MUG, 2), (NO_SKU, 1)];
    for replayed in [false, true] {
        let merge =
            shop.merge_into_cart(me, offered(), MergeStrategy::Sum, keyed("merge", 1)).await;
        let done = merge.unwrap();
        assert_eq!((done.replayed, done.value.cart.pieces()), (replayed, 2));
        assert_eq!(done.value.skipped.is_empty(), replayed);
    }
    let other = shop.merge_into_cart(me, offered(), MergeStrategy::Max, keyed("merge", 2)).await;
    assert_eq!(refused(other), Refused::IdempotencyKeyReused);
}

/// G9: an emptied cart is a cart at a later version, and can be filled again.
pub async fn emptying_is_a_change_not_an_end<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
    shop.add_to_cart(me, JACKET_M, 1, free()).await.unwrap();
    let cart = shop.clear_cart(me, free()).await.unwrap().value;
    assert_eq!((cart.lines.len(), cart.version), (0, 3));
    assert_eq!(cart.updated_at, Some(shop.clock().now()));
    let cart = shop.add_to_cart(me, MUG, 2, free()).await.unwrap().value;
    assert_eq!((pieces(&cart), cart.version), (vec![(MUG, 2)], 4));
}

/// A customer with nothing in the cart may empty it.
pub async fn clearing_an_empty_cart_succeeds<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let cart = shop.clear_cart(me, free()).await.unwrap().value;
    assert!(cart.lines.is_empty());
}

/// A cart shows today's price, and what it was, until the customer touches the line.
pub async fn a_new_price_is_noticed_until_the_line_is_touched<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, JACKET_M, 2, free()).await.unwrap();
    shop.add_to_cart(me, MUG, 2, free()).await.unwrap();
    shop.change_sku(JACKET_M, |row| row.price = Money(4_999)).await;
    shop.change_sku(MUG, |row| row.price = Money(20)).await;
    let cart = shop.cart(me).await.unwrap();
    let told: Vec<_> = cart.lines.iter().flat_map(|line| line.notices()).collect();
    assert_eq!(
        told,
        [
            Notice::PriceChanged { was: Money(5_999), now: Money(4_999) },
            Notice::PriceChanged { was: Money(10), now: Money(20) }
        ]
    );
    assert_eq!((cart.total(), cart.version), (Money(10_038), 2));
    shop.add_to_cart(me, JACKET_M, 1, free()).await.unwrap();
    let cart = shop.set_quantity(me, cart.lines[1].id, 1, free()).await.unwrap().value;
    assert_eq!(cart.lines[0].price_when_added, Money(4_999));
    assert_eq!(cart.lines[1].price_when_added, Money(20));
    assert!(cart.lines.iter().all(|line| line.notices().next().is_none()));
}

/// A line whose SKU ran short or was retired stays in the cart and says so.
pub async fn what_is_short_or_retired_stays_and_is_noticed<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, SCARF_RED, 5, free()).await.unwrap();
    shop.add_to_cart(me, LAST_LAMP, 1, free()).await.unwrap();
    shop.change_sku(SCARF_RED, |row| row.stock = 3).await;
    shop.change_sku(LAST_LAMP, |row| row.active = false).await;
    let cart = shop.cart(me).await.unwrap();
    assert_eq!(pieces(&cart), [(SCARF_RED, 5), (LAST_LAMP, 1)]);
    let told: Vec<_> = cart.lines.iter().flat_map(|line| line.notices()).collect();
    assert_eq!(told, [Notice::InsufficientStock { available: 3 }, Notice::Unavailable]);
}

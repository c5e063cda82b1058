//! Wishlists: a product at most once, the newest first, and the move to the cart.

use evercart_core::clock::Clock;
use evercart_core::error::Refused;
use evercart_core::ids::ProductId;
use evercart_core::money::Money;
use evercart_core::wishlist::WISHES_MAX;
use jiff::SignedDuration;

use crate::Backend;
use crate::shop::{
    JACKET, JACKET_L, JACKET_M, LAMP, LAST_LAMP, MUG, MUGS, NO_PRODUCT, NO_SKU, OLD_MUG, SCARF,
    SCARF_RED, Shop, free, many_skus, pieces, refused, wished,
};

/// What was wished last comes first, as the catalogue shows it now.
pub async fn the_newest_wish_comes_first<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let list = shop.wishlist(me).await.unwrap();
    assert_eq!((list.user_id, list.wishes.len()), (me.user_id, 0));
    for product in [JACKET, SCARF, LAMP] {
        shop.wait(SignedDuration::from_secs(1));
        shop.add_wish(me, product, free()).await.unwrap();
    }
    let list = shop.wishlist(me).await.unwrap();
    assert_eq!(wished(&list), [LAMP, SCARF, JACKET]);
    assert_eq!(list.wishes[0].added_at, shop.clock().now());
    let jacket = &list.wishes[2].product;
    assert_eq!((jacket.name.as_str(), jacket.price), ("Fleece jacket", Money(5_999)));
    assert_eq!((jacket.brand.as_deref(), jacket.available), (Some("North"), true));
}

/// Within one moment, too.
pub async fn wishes_of_one_moment_keep_their_order<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    for product in [LAMP, JACKET, SCARF, MUGS] {
        shop.add_wish(me, product, free()).await.unwrap();
    }
    assert_eq!(wished(&shop.wishlist(me).await.unwrap()), [MUGS, SCARF, JACKET, LAMP]);
}

/// G2: a product is on the list once, where it was put first.
pub async fn wishing_again_changes_nothing<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_wish(me, JACKET, free()).await.unwrap();
    let before = shop.add_wish(me, SCARF, free()).await.unwrap().value;
    shop.wait(SignedDuration::from_secs(5));
    let after = shop.add_wish(me, JACKET, free()).await.unwrap();
    assert_eq!((after.value, after.replayed), (before, false));
}

/// S6: what there is not cannot be wished for, or taken off.
pub async fn unknown_products_are_not_found<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    for product in [NO_PRODUCT, ProductId(0), ProductId(i64::MIN), ProductId(i64::MAX)] {
        for result in
            [shop.add_wish(me, product, free()).await, shop.remove_wish(me, product, free()).await]
        {
            let refusal = refused(result);
            assert!(matches!(refusal, Refused::NotFound { .. }), "{refusal:?}");
        }
    }
    let not_on_it = refused(shop.remove_wish(me, JACKET, free()).await);
    assert!(matches!(not_on_it, Refused::NotFound { .. }), "{not_on_it:?}");
}

/// One at a time, or all.
pub async fn wishes_can_be_taken_off<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    for product in [JACKET, SCARF, LAMP] {
        shop.add_wish(me, product, free()).await.unwrap();
    }
    let list = shop.remove_wish(me, SCARF, free()).await.unwrap().value;
    assert_eq!(wished(&list), [LAMP, JACKET]);
    let list = shop.add_wish(me, SCARF, free()).await.unwrap().value;
    assert_eq!(wished(&list), [SCARF, LAMP, JACKET]);
    let list = shop.clear_wishlist(me, free()).await.unwrap().value;
    assert!(list.wishes.is_empty());
    let list = shop.clear_wishlist(me, free()).await.unwrap().value;
    assert!(list.wishes.is_empty());
}

/// A wish shows the catalogue's present price and stock, and outlives the product's sale.
pub async fn a_wish_follows_the_catalogue<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_wish(me, LAMP, free()).await.unwrap();
    shop.change_sku(LAST_LAMP, |row| row.price = Money(99)).await;
    let lamp = shop.wishlist(me).await.unwrap().wishes.remove(0).product;
    assert_eq!((lamp.price, lamp.available), (Money(99), true));
    shop.change_sku(LAST_LAMP, |row| row.stock = 0).await;
    assert!(!shop.wishlist(me).await.unwrap().wishes[0].product.available);
    shop.change_sku(LAST_LAMP, |row| row.active = false).await;
    let list = shop.wishlist(me).await.unwrap();
    assert_eq!(wished(&list), [LAMP]);
    assert!(!list.wishes[0].product.available);
}

/// S6: the list has an end.
pub async fn a_wishlist_holds_at_most_250_products<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let rows = many_skus(i64::from(WISHES_MAX) + 1);
    shop.import(rows).await;
    for id in 1_001..1_001 + i64::from(WISHES_MAX) {
        shop.add_wish(me, ProductId(id), free()).await.unwrap();
    }
    let last = ProductId(1_001 + i64::from(WISHES_MAX));
    match refused(shop.add_wish(me, last, free()).await) {
        Refused::QuantityLimit { limit, .. } => assert_eq!(limit, WISHES_MAX),
        other => panic!("{other:?}"),
    }
    shop.add_wish(me, ProductId(1_001), free()).await.unwrap();
    assert_eq!(shop.wishlist(me).await.unwrap().wishes.len(), 250);
}

/// The wish becomes a line.
pub async fn moving_to_the_cart_does_both<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_wish(me, JACKET, free()).await.unwrap();
    shop.add_wish(me, SCARF, free()).await.unwrap();
    shop.add_to_cart(me, JACKET_L, 1, free()).await.unwrap();
    let cart = shop.move_to_cart(me, JACKET, JACKET_L, 2, free()).await.unwrap().value;
    assert_eq!((pieces(&cart), cart.version), (vec![(JACKET_L, 3)], 2));
    assert_eq!(shop.cart(me).await.unwrap(), cart);
    assert_eq!(wished(&shop.wishlist(me).await.unwrap()), [SCARF]);
}

/// Where the cart refuses, the wish stays; where there is no wish, the cart stays.
pub async fn moving_to_the_cart_does_both_or_neither<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    for product in [SCARF, MUGS] {
        shop.add_wish(me, product, free()).await.unwrap();
    }
    shop.add_to_cart(me, MUG, 998, free()).await.unwrap();
    let before = shop.belongings(me).await;
    let short = refused(shop.move_to_cart(me, SCARF, SCARF_RED, 11, free()).await);
    assert_eq!(short, Refused::InsufficientStock { sku_id: SCARF_RED, available: 10 });
    let retired = refused(shop.move_to_cart(me, MUGS, OLD_MUG, 1, free()).await);
    assert_eq!(retired, Refused::SkuUnavailable { sku_id: OLD_MUG });
    let too_many = refused(shop.move_to_cart(me, MUGS, MUG, 2, free()).await);
    assert!(matches!(too_many, Refused::QuantityLimit { .. }), "{too_many:?}");
    for (product, sku) in
        [(SCARF, MUG), (SCARF, NO_SKU), (JACKET, JACKET_M), (NO_PRODUCT, MUG), (LAMP, SCARF_RED)]
    {
        let refusal = refused(shop.move_to_cart(me, product, sku, 1, free()).await);
        assert!(matches!(refusal, Refused::NotFound { .. }), "{product} {sku}: {refusal:?}");
    }
    assert_eq!(shop.belongings(me).await, before);
}

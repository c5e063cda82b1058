//! Ordering items past the cart: priced, taken and guarded as a checkout, with the cart left alone.

use evercart_core::error::Refused;
use evercart_core::money::Money;
use evercart_core::order::{Checkout, OrderStatus};

use crate::Backend;
use crate::concurrency::{at_once, sorted_out};
use crate::shop::{
    JACKET_M, LAST_LAMP, MUG, NO_SKU, OLD_MUG, PLENTY, SCARF_RED, Shop, at_version, checkout, free,
    items, keyed, page, pieces, refused,
};

/// The items named are the order, and the cart is what it was.
pub async fn ordering_items_leaves_the_cart_alone<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 2, free()).await.unwrap();
    let before = shop.cart(me).await.unwrap();
    let named = items(&[(JACKET_M, 1), (SCARF_RED, 2), (JACKET_M, 1)]);
    let done = shop.order_items(me, named, checkout(), free()).await.unwrap();
    let order = done.value;
    assert_eq!((done.replayed, order.status), (false, OrderStatus::Pending));
    let lines: Vec<_> =
        order.lines.iter().map(|line| (line.id, line.sku_id, line.quantity)).collect();
    assert_eq!(lines, [(1, JACKET_M, 2), (2, SCARF_RED, 2)]);
    let jacket = &order.lines[0];
    assert_eq!((&*jacket.product_name, &*jacket.sku_code), ("Fleece jacket", "SKU-42"));
    // 2 × 59.99 + 2 × 20.00, free delivery from 100.00.
    assert_eq!((order.subtotal, order.shipping_cost), (Money(15_998), Money(0)));
    assert_eq!(shop.on_hand(SCARF_RED).await, 8);
    assert_eq!(shop.on_hand(JACKET_M).await, PLENTY - 2);
    assert_eq!(shop.cart(me).await.unwrap(), before);
    assert_eq!(shop.order(me, order.id).await.unwrap(), order);
    assert_eq!(shop.orders(me, None, page(10, 0)).await.unwrap().total, 1);
    // The cart is a matter of its own: it is ordered, or empty, as if there were no such order.
    shop.checkout(me, checkout(), free()).await.unwrap();
    shop.cancel_order(me, order.id, free()).await.unwrap();
    assert_eq!(shop.on_hand(SCARF_RED).await, 10);
    let other = shop.customer().await.session;
    shop.order_items(other, items(&[(MUG, 1)]), checkout(), free()).await.unwrap();
    let empty = Refused::CartEmpty { emptied_by: None };
    assert_eq!(refused(shop.checkout(other, checkout(), free()).await), empty);
}

/// G4: where one item cannot be had as asked, nothing is ordered and nothing is taken.
pub async fn ordering_items_is_all_or_nothing<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
    let before = shop.belongings(me).await;
    let shown = |total| Checkout { expected_total: Some(Money(total)), ..checkout() };
    let (short, retired) = (
        Refused::InsufficientStock { sku_id: SCARF_RED, available: 10 },
        Refused::SkuUnavailable { sku_id: OLD_MUG },
    );
    let repriced = Refused::PriceChanged { expected: Money(4_000), actual: Money(4_500) };
    for (pairs, form, why) in [
        (vec![(MUG, 1), (NO_SKU, 1)], checkout(), Refused::NotFound { what: "SKU" }),
        (vec![(MUG, 1), (OLD_MUG, 1)], checkout(), retired),
        (vec![(MUG, 1), (SCARF_RED, 11)], checkout(), short),
        (vec![(SCARF_RED, 2)], shown(4_000), repriced),
    ] {
        let answer = shop.order_items(me, items(&pairs), form, free()).await;
        assert_eq!(refused(answer), why, "{pairs:?}");
        assert_eq!(shop.belongings(me).await, before);
        assert_eq!(shop.on_hand(MUG).await, PLENTY);
        assert_eq!(shop.on_hand(SCARF_RED).await, 10);
    }
    shop.change_sku(SCARF_RED, |row| row.price = Money(2_200)).await;
    let pair = items(&[(SCARF_RED, 2)]);
    let order = shop.order_items(me, pair, shown(4_900), free()).await.unwrap().value;
    assert_eq!(order.lines[0].unit_price, Money(2_200));
}

/// G5: one order a key, whatever becomes of it; a version of the cart is held to if it is named.
pub async fn ordering_items_is_guarded<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
    let buy = async |quantity, guard| {
        shop.order_items(me, items(&[(SCARF_RED, quantity)]), checkout(), guard).await
    };
    let first = buy(2, keyed("buy", 1)).await.unwrap();
    let second = buy(2, keyed("buy", 1)).await.unwrap();
    assert_eq!((first.replayed, second.replayed), (false, true));
    assert_eq!(first.value, second.value);
    assert_eq!(refused(buy(3, keyed("buy", 2)).await), Refused::IdempotencyKeyReused);
    let late = Refused::VersionConflict { expected: 0, actual: 1 };
    assert_eq!(refused(buy(1, at_version(0)).await), late);
    assert_eq!(shop.on_hand(SCARF_RED).await, 8);
    buy(1, at_version(1)).await.unwrap();
    // A refusal is not remembered: the key is good for the order that is then possible.
    assert!(refused(buy(8, keyed("more", 3)).await).to_string().contains("only 7"));
    shop.change_sku(SCARF_RED, |row| row.stock = 8).await;
    assert!(!buy(8, keyed("more", 3)).await.unwrap().replayed);
    assert_eq!(pieces(&shop.cart(me).await.unwrap()), [(MUG, 1)]);
}

/// G4: what many order at once, past carts and from them, is never more than there is.
pub async fn items_ordered_at_once_are_never_oversold<B: Backend>(shop: &mut Shop<B>) {
    let sessions: Vec<_> =
        shop.customers(32).await.iter().map(|customer| customer.session).collect();
    for session in sessions.iter().step_by(2) {
        shop.add_to_cart(*session, SCARF_RED, 1, free()).await.unwrap();
    }
    // In one order and in the other, so that they would wait for each other in a circle.
    let answers = at_once(32, shop.store(), |n, store| {
        let me = sessions[n as usize];
        async move {
            match n % 4 {
                0 | 2 => store.checkout(me, checkout(), free()).await,
                1 => {
                    let named = items(&[(SCARF_RED, 1), (MUG, 1)]);
                    store.order_items(me, named, checkout(), free()).await
                }
                _ => {
                    let named = items(&[(MUG, 1), (SCARF_RED, 1)]);
                    store.order_items(me, named, checkout(), free()).await
                }
            }
        }
    })
    .await;
    let (done, refusals) = sorted_out(answers);
    assert_eq!((done.len(), refusals.len()), (10, 22));
    let short = Refused::InsufficientStock { sku_id: SCARF_RED, available: 0 };
    assert!(refusals.iter().all(|refusal| *refusal == short), "{refusals:?}");
    assert_eq!(shop.on_hand(SCARF_RED).await, 0);
    let mugs = done.iter().filter(|done| done.value.lines.len() == 2).count();
    assert_eq!(shop.on_hand(MUG).await, PLENTY - mugs as i64);
}

/// G5: sixteen repeats at once of one order of the last piece are one order, and all hear of it.
pub async fn parallel_repeats_of_ordering_items_show_one_order<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let answers = at_once(16, shop.store(), move |_, store| async move {
        store.order_items(me, items(&[(LAST_LAMP, 1)]), checkout(), keyed("buy", 1)).await
    })
    .await;
    let (done, _) = sorted_out(answers);
    assert_eq!(done.len(), 16);
    assert_eq!(done.iter().filter(|done| !done.replayed).count(), 1);
    assert!(done.iter().all(|one| one.value == done[0].value));
    assert_eq!(shop.on_hand(LAST_LAMP).await, 0);
}

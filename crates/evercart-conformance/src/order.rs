//! Orders: what a cart becomes, once; and how an order is called off.

use evercart_core::cart::MergeStrategy;
use evercart_core::clock::Clock;
use evercart_core::error::Refused;
use evercart_core::ids::OrderId;
use evercart_core::money::Money;
use evercart_core::order::{Checkout, OrderStatus};
use jiff::SignedDuration;

use crate::Backend;
use crate::shop::{
    JACKET, JACKET_L, JACKET_M, LAST_LAMP, MUG, NO_SKU, PLENTY, SCARF_RED, Shop, at_version,
    checkout, free, page, pieces, refused,
};

/// Prices, copies, numbers and the clock all stand in the order.
pub async fn checkout_turns_the_cart_into_an_order<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    shop.add_to_cart(me.session, SCARF_RED, 3, free()).await.unwrap();
    shop.add_to_cart(me.session, JACKET_M, 1, free()).await.unwrap();
    let form = Checkout { delivery_notes: Some("ring twice".into()), ..checkout() };
    let done = shop.checkout(me.session, form, free()).await.unwrap();
    let order = done.value;
    assert!(!done.replayed);
    assert_eq!((order.id, order.status), (OrderId(1_001), OrderStatus::Pending));
    // 3 × 20.00 + 59.99, free delivery from 100.00, 12 % contained.
    assert_eq!((order.subtotal, order.shipping_cost), (Money(11_999), Money(0)));
    assert_eq!((order.total_amount, order.tax_amount), (Money(11_999), Money(1_286)));
    assert_eq!((order.currency.as_str(), order.payment_method.as_str()), ("USD", "cash"));
    assert_eq!(order.customer_phone, me.phone.as_str());
    assert_eq!(order.customer_name, "A Customer");
    assert_eq!(order.customer_email.as_deref(), Some("customer@example.com"));
    assert_eq!(order.delivery_address, "1 Main Street");
    assert_eq!(order.delivery_city.as_deref(), Some("Springfield"));
    assert_eq!(order.delivery_notes.as_deref(), Some("ring twice"));
    let now = shop.clock().now();
    assert_eq!((order.order_date, order.delivery_date), (now, None));
    assert_eq!(order.history, [(OrderStatus::Pending, now)]);
    let lines: Vec<_> =
        order.lines.iter().map(|line| (line.id, line.sku_id, line.quantity)).collect();
    assert_eq!(lines, [(1, SCARF_RED, 3), (2, JACKET_M, 1)]);
    let jacket = &order.lines[1];
    assert_eq!((jacket.product_id, jacket.unit_price), (JACKET, Money(5_999)));
    assert_eq!((&*jacket.product_name, &*jacket.sku_code), ("Fleece jacket", "SKU-42"));
    assert_eq!(jacket.size.as_deref(), Some("M"));
    assert_eq!(shop.order(me.session, order.id).await.unwrap(), order);
}

/// The cart is empty afterwards, at its next version, and ready for more.
pub async fn checkout_empties_the_cart_and_takes_the_stock<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, SCARF_RED, 3, free()).await.unwrap();
    shop.checkout(me, checkout(), free()).await.unwrap();
    assert_eq!(shop.on_hand(SCARF_RED).await, 7);
    let cart = shop.cart(me).await.unwrap();
    assert_eq!((cart.lines.len(), cart.version), (0, 2));
    let cart = shop.add_to_cart(me, SCARF_RED, 1, free()).await.unwrap().value;
    assert_eq!((pieces(&cart), cart.lines[0].id.0), (vec![(SCARF_RED, 1)], 2));
}

/// An empty cart names the order that emptied it, and no other reason for its being empty.
pub async fn an_empty_cart_names_the_order_that_emptied_it<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let by = |order: Option<OrderId>| Refused::CartEmpty { emptied_by: order };
    assert_eq!(refused(shop.checkout(me, checkout(), free()).await), by(None), "never filled");
    for number in [1_001, 1_002] {
        shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
        let order = shop.checkout(me, checkout(), free()).await.unwrap().value.id;
        assert_eq!(order, OrderId(number));
        for _ in 0..2 {
            assert_eq!(refused(shop.checkout(me, checkout(), free()).await), by(Some(order)));
        }
    }
    let newest = OrderId(1_002);
    // Clearing and merging nothing into an empty cart change nothing.
    shop.clear_cart(me, free()).await.unwrap();
    shop.merge_into_cart(me, vec![(NO_SKU, 1)], MergeStrategy::Max, free()).await.unwrap();
    assert_eq!(refused(shop.checkout(me, checkout(), free()).await), by(Some(newest)));
    shop.reopen();
    assert_eq!(refused(shop.checkout(me, checkout(), free()).await), by(Some(newest)));
    // What becomes of the order is another matter: it emptied the cart.
    shop.cancel_order(me, newest, free()).await.unwrap();
    assert_eq!(refused(shop.checkout(me, checkout(), free()).await), by(Some(newest)));
    for by_hand in [true, false] {
        if by_hand {
            shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
            shop.clear_cart(me, free()).await.unwrap();
        } else {
            let items = vec![(MUG, 1), (SCARF_RED, 1)];
            shop.merge_into_cart(me, items, MergeStrategy::Max, free()).await.unwrap();
            for line in shop.cart(me).await.unwrap().lines {
                shop.set_quantity(me, line.id, 0, free()).await.unwrap();
            }
        }
        assert_eq!(refused(shop.checkout(me, checkout(), free()).await), by(None), "{by_hand}");
    }
    let other = shop.customer().await.session;
    assert_eq!(refused(shop.checkout(other, checkout(), free()).await), by(None), "anothers");
}

/// Delivery costs below the threshold; another phone may be called.
pub async fn small_orders_pay_for_delivery<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 3, free()).await.unwrap();
    let form = Checkout { customer_phone: Some("+13125550100".into()), ..checkout() };
    let order = shop.checkout(me, form, free()).await.unwrap().value;
    assert_eq!((order.subtotal, order.shipping_cost), (Money(30), Money(500)));
    assert_eq!((order.total_amount, order.tax_amount), (Money(530), Money(57)));
    assert_eq!(order.customer_phone, "+13125550100");
}

/// Every order has the next number, whoever placed it; a refused one uses none up.
pub async fn order_numbers_count_up_from_1001<B: Backend>(shop: &mut Shop<B>) {
    let (a, b) = (shop.customer().await.session, shop.customer().await.session);
    let mut numbers = Vec::new();
    for me in [a, b, b, a] {
        refused(shop.checkout(me, checkout(), free()).await);
        shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
        let wrong = Checkout { expected_total: Some(Money(1)), ..checkout() };
        refused(shop.checkout(me, wrong, free()).await);
        numbers.push(shop.checkout(me, checkout(), free()).await.unwrap().value.id.0);
    }
    assert_eq!(numbers, [1_001, 1_002, 1_003, 1_004]);
}

/// A customer pays what they were shown, or is asked again.
pub async fn a_changed_total_is_refused<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, SCARF_RED, 2, free()).await.unwrap();
    shop.change_sku(SCARF_RED, |row| row.price = Money(2_200)).await;
    let shown = |total| Checkout { expected_total: Some(Money(total)), ..checkout() };
    let before = shop.belongings(me).await;
    let refusal = refused(shop.checkout(me, shown(4_500), free()).await);
    let (expected, actual) = (Money(4_500), Money(4_900));
    assert_eq!(refusal, Refused::PriceChanged { expected, actual });
    assert_eq!(shop.belongings(me).await, before);
    assert_eq!(shop.on_hand(SCARF_RED).await, 10);
    let order = shop.checkout(me, shown(4_900), free()).await.unwrap().value;
    assert_eq!(order.lines[0].unit_price, Money(2_200));
}

/// G4: where one line cannot be had, nothing is ordered and nothing is taken.
pub async fn checkout_is_all_or_nothing<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, JACKET_M, 4, free()).await.unwrap();
    shop.add_to_cart(me, SCARF_RED, 5, free()).await.unwrap();
    shop.add_to_cart(me, MUG, 2, free()).await.unwrap();
    shop.change_sku(SCARF_RED, |row| row.stock = 4).await;
    let before = shop.belongings(me).await;
    let refusal = refused(shop.checkout(me, checkout(), free()).await);
    assert_eq!(refusal, Refused::InsufficientStock { sku_id: SCARF_RED, available: 4 });
    assert_eq!(shop.belongings(me).await, before);
    shop.change_sku(SCARF_RED, |row| (row.stock, row.active) = (10, false)).await;
    let refusal = refused(shop.checkout(me, checkout(), free()).await);
    assert_eq!(refusal, Refused::SkuUnavailable { sku_id: SCARF_RED });
    assert_eq!(shop.on_hand(JACKET_M).await, PLENTY);
    shop.change_sku(SCARF_RED, |row| row.active = true).await;
    shop.checkout(me, checkout(), free()).await.unwrap();
    assert_eq!(shop.on_hand(JACKET_M).await, PLENTY - 4);
}

/// A cart that moved on since the customer looked is not ordered.
pub async fn checkout_of_an_older_cart_is_refused<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
    shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
    let refusal = refused(shop.checkout(me, checkout(), at_version(1)).await);
    assert_eq!(refusal, Refused::VersionConflict { expected: 1, actual: 2 });
    shop.checkout(me, checkout(), at_version(2)).await.unwrap();
}

/// What was bought stays what it was, whatever the catalogue says later.
pub async fn an_order_never_changes_with_the_catalogue<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, SCARF_RED, 2, free()).await.unwrap();
    let order = shop.checkout(me, checkout(), free()).await.unwrap().value;
    shop.change_sku(SCARF_RED, |row| {
        row.name = "Another name".into();
        row.price = Money(1);
        row.color = Some("blue".into());
        row.sku_code = "ANOTHER".into();
        row.active = false;
    })
    .await;
    assert_eq!(shop.order(me, order.id).await.unwrap(), order);
    assert_eq!(shop.orders(me, None, page(10, 0)).await.unwrap().items, [order]);
}

/// The newest first, a part at a time, by status if wished.
pub async fn orders_are_listed_newest_first<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let none = shop.orders(me, None, page(10, 0)).await.unwrap();
    assert_eq!((none.items.len(), none.total), (0, 0));
    for _ in 0..5 {
        shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
        shop.checkout(me, checkout(), free()).await.unwrap();
    }
    shop.cancel_order(me, OrderId(1_002), free()).await.unwrap();
    let listed = async |status, limit, offset| {
        let listed = shop.orders(me, status, page(limit, offset)).await.unwrap();
        let ids: Vec<_> = listed.items.iter().map(|order| order.id.0).collect();
        (ids, listed.total)
    };
    assert_eq!(listed(None, 10, 0).await, (vec![1_005, 1_004, 1_003, 1_002, 1_001], 5));
    assert_eq!(listed(None, 2, 1).await, (vec![1_004, 1_003], 5));
    assert_eq!(listed(None, 2, 4).await, (vec![1_001], 5));
    assert_eq!(listed(None, 2, 5).await, (vec![], 5));
    assert_eq!(listed(Some(OrderStatus::Cancelled), 10, 0).await, (vec![1_002], 1));
    assert_eq!(listed(Some(OrderStatus::Pending), 3, 2).await, (vec![1_003, 1_001], 4));
    assert_eq!(listed(Some(OrderStatus::Shipped), 10, 0).await, (vec![], 0));
    let far = shop.orders(me, None, page(10, u64::MAX)).await.unwrap();
    assert_eq!((far.items.len(), far.total), (0, 5));
}

/// G4: cancelling puts the pieces back, once.
pub async fn cancelling_puts_the_stock_back<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, SCARF_RED, 4, free()).await.unwrap();
    shop.add_to_cart(me, JACKET_L, 1, free()).await.unwrap();
    let order = shop.checkout(me, checkout(), free()).await.unwrap().value;
    shop.wait(SignedDuration::from_mins(5));
    let cancelled = shop.cancel_order(me, order.id, free()).await.unwrap().value;
    assert_eq!(cancelled.status, OrderStatus::Cancelled);
    let now = shop.clock().now();
    let history = [(OrderStatus::Pending, order.order_date), (OrderStatus::Cancelled, now)];
    assert_eq!(cancelled.history, history);
    assert_eq!((&cancelled.lines, cancelled.total_amount), (&order.lines, order.total_amount));
    assert_eq!(shop.order(me, order.id).await.unwrap(), cancelled);
    assert_eq!(shop.on_hand(SCARF_RED).await, 10);
    let again = refused(shop.cancel_order(me, order.id, free()).await);
    assert_eq!(again, Refused::OrderNotCancellable { status: OrderStatus::Cancelled });
    assert_eq!(shop.on_hand(SCARF_RED).await, 10);
    assert_eq!(shop.on_hand(JACKET_L).await, PLENTY);
}

/// The last piece can be bought again once its order is called off.
pub async fn a_cancelled_last_piece_is_for_sale_again<B: Backend>(shop: &mut Shop<B>) {
    let (a, b) = (shop.customer().await.session, shop.customer().await.session);
    shop.add_to_cart(a, LAST_LAMP, 1, free()).await.unwrap();
    shop.add_to_cart(b, LAST_LAMP, 1, free()).await.unwrap();
    let order = shop.checkout(a, checkout(), free()).await.unwrap().value;
    let refusal = refused(shop.checkout(b, checkout(), free()).await);
    assert_eq!(refusal, Refused::InsufficientStock { sku_id: LAST_LAMP, available: 0 });
    shop.cancel_order(a, order.id, free()).await.unwrap();
    shop.checkout(b, checkout(), free()).await.unwrap();
    assert_eq!(shop.on_hand(LAST_LAMP).await, 0);
}

/// S6: what there is not is not found.
pub async fn unknown_orders_are_not_found<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    for id in [0, -1, 1_001, i64::MAX, i64::MIN] {
        for refusal in [
            refused(shop.order(me, OrderId(id)).await),
            refused(shop.cancel_order(me, OrderId(id), free()).await),
        ] {
            assert!(matches!(refusal, Refused::NotFound { .. }), "{id}: {refusal:?}");
        }
    }
}

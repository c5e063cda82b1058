//! U6 in the store: what one customer may do in an hour and have open at once. These cases run on a
//! store that was opened with [`LIMITS`]; the others on stores without any.

use evercart_core::cart::MergeStrategy;
use evercart_core::error::{Refused, Result, StoreError};
use evercart_core::limits::CustomerLimits;
use evercart_core::order::Order;
use evercart_core::user::{ProfileChange, Session};
use jiff::SignedDuration;

use crate::Backend;
use crate::concurrency::at_once;
use crate::shop::{MUG, MUGS, SCARF, Shop, address, checkout, free, items, keyed, refused};

/// What customers of these cases may do.
pub const LIMITS: CustomerLimits = CustomerLimits {
    cart_changes_per_hour: 3,
    changes_per_hour: 4,
    orders_per_hour: 2,
    open_orders: 3,
    open_pieces: 20,
};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// How long a customer is told to wait who did too much.
#[track_caller]
fn told_to_wait<T: std::fmt::Debug>(outcome: Result<T>, most: u32) -> SignedDuration {
    match outcome {
        Err(StoreError::Refused(Refused::TooMany { limit, retry_after, .. })) if limit == most => {
            assert!(retry_after > SignedDuration::ZERO);
            retry_after
        }
        other => panic!("was not one too many: {other:?}"),
    }
}

fn done<T>(outcomes: &[Result<T>]) -> usize {
    outcomes.iter().filter(|outcome| outcome.is_ok()).count()
}

/// However many come at once, by whatever way; what was done is still answered again.
pub async fn u6_changes_of_a_cart_are_limited<B: Backend>(shop: &mut Shop<B>) {
    let (me, other) = (shop.customer().await.session, shop.customer().await.session);
    let outcomes = at_once(8, shop.store(), |n, store| async move {
        store.add_to_cart(me, MUG, 1, keyed(&format!("add {n}"), 1)).await
    })
    .await;
    let most = LIMITS.cart_changes_per_hour;
    assert_eq!(done(&outcomes), most as usize);
    let cart = shop.cart(me).await.unwrap();
    assert_eq!((cart.version, cart.lines[0].quantity), (3, 3));
    let place = outcomes.iter().position(Result::is_ok).unwrap();
    let again = shop.add_to_cart(me, MUG, 1, keyed(&format!("add {place}"), 1)).await.unwrap();
    assert!(again.replayed);

    shop.wait(HOUR / 2);
    let line = cart.lines[0].id;
    told_to_wait(shop.set_quantity(me, line, 1, free()).await, most);
    told_to_wait(shop.set_quantity(me, line, 0, free()).await, most);
    told_to_wait(shop.clear_cart(me, free()).await, most);
    let merged = shop.merge_into_cart(me, vec![(MUG, 9)], MergeStrategy::Max, free()).await;
    told_to_wait(merged, most);
    shop.add_wish(me, MUGS, free()).await.unwrap();
    told_to_wait(shop.move_to_cart(me, MUGS, MUG, 1, free()).await, most);
    assert_eq!(shop.cart(me).await.unwrap(), cart, "what was refused changed nothing");
    assert_eq!(shop.wishlist(me).await.unwrap().wishes.len(), 1);
    shop.add_to_cart(other, MUG, 1, free()).await.unwrap();
    // An order is no change too many: the cart goes on from there.
    shop.checkout(me, checkout(), free()).await.unwrap();

    let rest = told_to_wait(shop.add_to_cart(me, MUG, 1, free()).await, most);
    assert_eq!(rest, HOUR / 2);
    shop.wait(rest);
    for _ in 0..most {
        shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
    }
    told_to_wait(shop.add_to_cart(me, MUG, 1, free()).await, most);
}

/// A key is kept for each change, and a disk has an end.
pub async fn u6_other_changes_are_limited<B: Backend>(shop: &mut Shop<B>) {
    let (me, other) = (shop.customer().await.session, shop.customer().await.session);
    let outcomes = at_once(8, shop.store(), |n, store| async move {
        let product = if n % 2 == 0 { MUGS } else { SCARF };
        store.add_wish(me, product, keyed(&format!("wish {n}"), 1)).await
    })
    .await;
    let most = LIMITS.changes_per_hour;
    assert_eq!(done(&outcomes), most as usize);
    told_to_wait(shop.clear_wishlist(me, free()).await, most);
    told_to_wait(shop.add_address(me, address("Home"), true, free()).await, most);
    told_to_wait(shop.change_profile(me, ProfileChange::default(), free()).await, most);
    shop.add_wish(other, MUGS, free()).await.unwrap();
    shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
    shop.wait(HOUR);
    shop.add_address(me, address("Home"), true, free()).await.unwrap();
    // Whoever did too much may always leave.
    for _ in 1..most {
        shop.add_wish(me, MUGS, free()).await.unwrap();
    }
    told_to_wait(shop.add_wish(me, MUGS, free()).await, most);
    shop.sign_out(me, free()).await.unwrap();
}

async fn buy<B: Backend>(shop: &Shop<B>, me: Session, pieces: u32) -> Result<Order> {
    let bought = shop.order_items(me, items(&[(MUG, pieces)]), checkout(), free()).await;
    bought.map(|done| done.value)
}

/// Orders of one customer do not fill the disk, and do not empty the shelf.
pub async fn u6_orders_are_limited<B: Backend>(shop: &mut Shop<B>) {
    let (me, other) = (shop.customer().await.session, shop.customer().await.session);
    let before = shop.on_hand(MUG).await;
    let outcomes = at_once(6, shop.store(), |_, store| async move {
        store.order_items(me, items(&[(MUG, 1)]), checkout(), free()).await
    })
    .await;
    assert_eq!(done(&outcomes), LIMITS.orders_per_hour as usize);
    assert_eq!(shop.on_hand(MUG).await, before - 2);
    let rest = told_to_wait(buy(shop, me, 1).await, LIMITS.orders_per_hour);
    shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
    told_to_wait(shop.checkout(me, checkout(), free()).await, LIMITS.orders_per_hour);
    assert_eq!(shop.cart(me).await.unwrap().lines.len(), 1);
    buy(shop, other, 1).await.unwrap();

    shop.wait(rest);
    told_to_wait(buy(shop, me, 19).await, LIMITS.open_pieces);
    let last = buy(shop, me, 18).await.unwrap();
    shop.wait(HOUR);
    told_to_wait(buy(shop, me, 1).await, LIMITS.open_orders);
    shop.cancel_order(me, last.id, free()).await.unwrap();
    assert_eq!(shop.on_hand(MUG).await, before - 3);
    buy(shop, me, 1).await.unwrap();
    let rest = told_to_wait(buy(shop, me, 1).await, LIMITS.open_orders);
    // A shop that confirms nothing locks nobody out for longer than a day.
    shop.wait(rest);
    buy(shop, me, 1).await.unwrap();
    assert!(refused(buy(shop, me, 20).await).to_string().contains("pieces"));
}

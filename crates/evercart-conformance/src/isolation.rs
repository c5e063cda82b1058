//! Isolation: what belongs to one customer is never seen or touched by another.

use evercart_core::address::AddressChange;
use evercart_core::error::Refused;
use evercart_core::ids::{AddressId, LineId, OrderId};
use evercart_core::user::Session;

use crate::Backend;
use crate::shop::{
    JACKET, JACKET_L, LAMP, MUG, SCARF, Shop, address, by, checkout, free, keyed, pieces, refused,
    wished,
};
use crate::signed_out::operations;
use crate::survival::{settle, settled_customer};

/// S1: somebody else's things look like things that are not there.
pub async fn anothers_things_are_not_found<B: Backend>(shop: &mut Shop<B>) {
    let owner = settled_customer(shop).await.session;
    let me = shop.customer().await.session;
    let before = shop.belongings(owner).await;
    let order = before.orders[0].id;
    let refusals = [
        refused(shop.order(me, order).await),
        refused(shop.cancel_order(me, order, free()).await),
        refused(shop.order(me, OrderId(404)).await),
        refused(shop.set_quantity(me, before.cart.lines[0].id, 9, free()).await),
        refused(shop.set_quantity(me, before.cart.lines[0].id, 0, free()).await),
        refused(shop.remove_wish(me, LAMP, free()).await),
        refused(shop.move_to_cart(me, JACKET, JACKET_L, 1, free()).await),
        refused(shop.change_address(me, AddressId(1), AddressChange::default(), free()).await),
        refused(shop.remove_address(me, AddressId(2), free()).await),
    ];
    for refusal in &refusals {
        assert!(matches!(refusal, Refused::NotFound { .. }), "{refusal:?}");
    }
    assert_eq!(refusals[0], refusals[2], "another's order must look like none at all");
    assert_eq!(shop.belongings(owner).await, before);
}

/// S1: a new customer sees nothing of the others.
pub async fn a_new_customer_has_nothing<B: Backend>(shop: &mut Shop<B>) {
    settled_customer(shop).await;
    let me = shop.customer().await.session;
    let mine = shop.belongings(me).await;
    assert_eq!((mine.cart.version, mine.cart.lines.len()), (0, 0));
    assert_eq!((mine.wishlist.wishes.len(), mine.orders.len(), mine.addresses.len()), (0, 0, 0));
    assert_eq!(mine.user.full_name, None);
}

/// S1: ids are counted per customer, and each customer's mean their own things.
pub async fn equal_ids_mean_ones_own<B: Backend>(shop: &mut Shop<B>) {
    let (a, b) = (shop.customer().await.session, shop.customer().await.session);
    for me in [a, b] {
        shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
        shop.add_address(me, address("Home"), false, free()).await.unwrap();
        for product in [SCARF, LAMP] {
            shop.add_wish(me, product, free()).await.unwrap();
        }
    }
    shop.set_quantity(a, LineId(1), 7, free()).await.unwrap();
    shop.remove_address(a, AddressId(1), free()).await.unwrap();
    shop.remove_wish(a, LAMP, free()).await.unwrap();
    let theirs = shop.belongings(b).await;
    assert_eq!((pieces(&theirs.cart), theirs.cart.version), (vec![(MUG, 1)], 1));
    assert_eq!(theirs.addresses.len(), 1);
    assert_eq!(wished(&theirs.wishlist), [LAMP, SCARF]);
    shop.clear_cart(a, free()).await.unwrap();
    shop.clear_wishlist(a, free()).await.unwrap();
    assert_eq!(shop.belongings(b).await, theirs);
}

/// G5, S1: a key is its customer's own; another's use of it neither replays nor is refused.
pub async fn idempotency_keys_are_ones_own<B: Backend>(shop: &mut Shop<B>) {
    let (a, b) = (shop.customer().await.session, shop.customer().await.session);
    shop.add_to_cart(a, MUG, 3, keyed("k", 1)).await.unwrap();
    let order = shop.checkout(a, checkout(), keyed("buy", 1)).await.unwrap().value;
    let done = shop.add_to_cart(b, MUG, 5, keyed("k", 1)).await.unwrap();
    assert_eq!((done.replayed, pieces(&done.value)), (false, vec![(MUG, 5)]));
    let done = shop.checkout(b, checkout(), keyed("buy", 2)).await.unwrap();
    assert!(!done.replayed && done.value.id != order.id);
    // A key of a sign-out is nobody else's sign-out.
    shop.sign_out(a, keyed("out", 1)).await.unwrap();
    let nobody = Session { epoch: b.epoch + 1, ..b };
    assert_eq!(refused(shop.sign_out(nobody, keyed("out", 1)).await), Refused::SignedOut);
    shop.user(b).await.unwrap();
}

/// S1, S2: one customer's sign-out and block are felt by nobody else.
pub async fn signing_out_touches_nobody_else<B: Backend>(shop: &mut Shop<B>) {
    let (a, b) = (shop.customer().await, shop.customer().await);
    shop.sign_out(a.session, free()).await.unwrap();
    shop.user(b.session).await.unwrap();
    shop.block_user(a.phone.clone(), by()).await.unwrap();
    shop.user(b.session).await.unwrap();
}

/// S1: no operation at all that one customer does changes anything another sees of their own.
pub async fn no_operation_touches_another_customer<B: Backend>(shop: &mut Shop<B>) {
    let owner = shop.customer().await.session;
    let me = shop.customer().await;
    for session in [owner, me.session] {
        settle(shop, session).await;
    }
    shop.change_sku(crate::shop::SCARF_RED, |row| row.stock = 5_000).await;
    let mut session = me.session;
    for operation in operations() {
        let before = shop.belongings(owner).await;
        let result = (operation.call)(shop.store(), session).await;
        assert!(
            result.is_ok(),
            "{} is called here so that it succeeds: {result:?}",
            operation.name
        );
        let mut after = shop.belongings(owner).await;
        // What the shop has left is the one thing that customers share.
        for (line, was) in after.cart.lines.iter_mut().zip(&before.cart.lines) {
            line.on_hand = was.on_hand;
        }
        assert_eq!(after, before, "{} touched another customer", operation.name);
        session = shop.sign_in_with(&me.phone).await;
    }
}

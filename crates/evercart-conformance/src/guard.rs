//! Guards: idempotency keys that act once, and versions that keep an outdated client from acting.

use evercart_core::address::AddressChange;
use evercart_core::error::Refused;
use evercart_core::guard::Guard;
use evercart_core::ids::{AddressId, LineId};
use evercart_core::order::OrderStatus;
use evercart_core::user::{ProfileChange, Session};
use jiff::SignedDuration;

use crate::Backend;
use crate::shop::{
    JACKET, JACKET_M, LAMP, MUG, MUGS, OLD_MUG, SCARF, SCARF_RED, Shop, address, at_version,
    checkout, free, key, keyed, pieces, refused, wished,
};

/// G5: repeating any cart mutation under its key has no second effect.
pub async fn cart_mutations_act_once_a_key<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    for replayed in [false, true, true] {
        let done = shop.add_to_cart(me, MUG, 2, keyed("add", 1)).await.unwrap();
        assert_eq!((done.replayed, pieces(&done.value)), (replayed, vec![(MUG, 2)]));
        assert_eq!(done.value.version, 1);
    }
    for replayed in [false, true] {
        let done = shop.set_quantity(me, LineId(1), 7, keyed("set", 2)).await.unwrap();
        assert_eq!((done.replayed, done.value.version), (replayed, 2));
    }
    for replayed in [false, true] {
        let done = shop.set_quantity(me, LineId(1), 0, keyed("remove", 3)).await.unwrap();
        assert_eq!((done.replayed, done.value.lines.len()), (replayed, 0));
    }
    shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
    assert!(!shop.clear_cart(me, keyed("clear", 4)).await.unwrap().replayed);
    shop.add_to_cart(me, SCARF_RED, 1, free()).await.unwrap();
    // The repeat empties nothing, and shows the cart as it is now.
    let done = shop.clear_cart(me, keyed("clear", 4)).await.unwrap();
    assert_eq!((done.replayed, pieces(&done.value)), (true, vec![(SCARF_RED, 1)]));
}

/// G5: so does repeating any wishlist mutation.
pub async fn wishlist_mutations_act_once_a_key<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    assert!(!shop.add_wish(me, LAMP, keyed("add", 1)).await.unwrap().replayed);
    assert!(!shop.remove_wish(me, LAMP, keyed("remove", 2)).await.unwrap().replayed);
    let done = shop.add_wish(me, LAMP, keyed("add", 1)).await.unwrap();
    assert!(done.replayed && done.value.wishes.is_empty());
    let done = shop.remove_wish(me, LAMP, keyed("remove", 2)).await.unwrap();
    assert!(done.replayed && done.value.wishes.is_empty());
    assert!(!shop.clear_wishlist(me, keyed("clear", 3)).await.unwrap().replayed);
    shop.add_wish(me, SCARF, free()).await.unwrap();
    let done = shop.clear_wishlist(me, keyed("clear", 3)).await.unwrap();
    assert_eq!((done.replayed, wished(&done.value)), (true, vec![SCARF]));
    for replayed in [false, true] {
        let done = shop.move_to_cart(me, SCARF, SCARF_RED, 3, keyed("move", 4)).await.unwrap();
        assert_eq!((done.replayed, pieces(&done.value)), (replayed, vec![(SCARF_RED, 3)]));
    }
}

/// G4, G5: one order, and the repeat shows what became of it.
pub async fn a_repeated_checkout_is_one_order<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, SCARF_RED, 2, free()).await.unwrap();
    let first = shop.checkout(me, checkout(), keyed("buy", 1)).await.unwrap();
    shop.add_to_cart(me, SCARF_RED, 1, free()).await.unwrap();
    let second = shop.checkout(me, checkout(), keyed("buy", 1)).await.unwrap();
    assert_eq!((first.replayed, second.replayed), (false, true));
    assert_eq!(first.value, second.value);
    assert_eq!(pieces(&shop.cart(me).await.unwrap()), [(SCARF_RED, 1)]);
    for replayed in [false, true] {
        let done = shop.cancel_order(me, first.value.id, keyed("cancel", 2)).await.unwrap();
        assert_eq!((done.replayed, done.value.status), (replayed, OrderStatus::Cancelled));
    }
    assert_eq!(shop.on_hand(SCARF_RED).await, 10);
    let third = shop.checkout(me, checkout(), keyed("buy", 1)).await.unwrap();
    assert_eq!((third.replayed, third.value.status), (true, OrderStatus::Cancelled));
}

/// G5: addresses and profile, too.
pub async fn account_mutations_act_once_a_key<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    for replayed in [false, true] {
        let done = shop.add_address(me, address("Home"), false, keyed("add", 1)).await.unwrap();
        assert_eq!((done.replayed, done.value.id), (replayed, AddressId(1)));
    }
    let renamed = |title: &str| AddressChange { title: Some(title.into()), ..Default::default() };
    let change = async |name: &str, request, title: &str| {
        let guard = if request == 0 { free() } else { keyed(name, request) };
        shop.change_address(me, AddressId(1), renamed(title), guard).await.unwrap()
    };
    assert!(!change("rename", 2, "Office").await.replayed);
    assert!(!change("", 0, "Cabin").await.replayed);
    let done = change("rename", 2, "Office").await;
    assert_eq!((done.replayed, done.value.fields.title.as_str()), (true, "Cabin"));
    assert!(!shop.remove_address(me, AddressId(1), keyed("remove", 3)).await.unwrap().replayed);
    assert!(shop.remove_address(me, AddressId(1), keyed("remove", 3)).await.unwrap().replayed);
    let named =
        |name: &str| ProfileChange { full_name: Some(Some(name.into())), ..Default::default() };
    assert!(!shop.change_profile(me, named("A"), keyed("name", 4)).await.unwrap().replayed);
    assert!(!shop.change_profile(me, named("B"), free()).await.unwrap().replayed);
    let done = shop.change_profile(me, named("A"), keyed("name", 4)).await.unwrap();
    assert_eq!((done.replayed, done.value.full_name.as_deref()), (true, Some("B")));
}

/// S2, G5: the repeat of a sign-out whose answer was lost succeeds; nothing else does.
pub async fn a_repeated_sign_out_succeeds<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    assert!(!shop.sign_out(me.session, keyed("out", 1)).await.unwrap().replayed);
    assert!(shop.sign_out(me.session, keyed("out", 1)).await.unwrap().replayed);
    for guard in [free(), keyed("another", 1)] {
        assert_eq!(refused(shop.sign_out(me.session, guard).await), Refused::SignedOut);
    }
    let session = shop.sign_in_with(&me.phone).await;
    // A late repeat of the old sign-out does not end the new session.
    let late = shop.sign_out(me.session, keyed("out", 1)).await;
    assert!(late.is_ok_and(|done| done.replayed));
    shop.user(session).await.unwrap();
}

/// A key names one request; another request under it is a mistake of the client's.
pub async fn a_key_of_another_request_is_refused<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 1, keyed("k", 1)).await.unwrap();
    let before = shop.belongings(me).await;
    let reused = Refused::IdempotencyKeyReused;
    assert_eq!(refused(shop.add_to_cart(me, MUG, 2, keyed("k", 2)).await), reused);
    assert_eq!(refused(shop.clear_cart(me, keyed("k", 3)).await), reused);
    assert_eq!(refused(shop.checkout(me, checkout(), keyed("k", 4)).await), reused);
    assert_eq!(refused(shop.add_wish(me, LAMP, keyed("k", 5)).await), reused);
    assert_eq!(refused(shop.sign_out(me, keyed("k", 6)).await), reused);
    assert_eq!(shop.belongings(me).await, before);
    // Keys are compared to the letter.
    shop.add_to_cart(me, MUG, 1, keyed("K", 2)).await.unwrap();
    shop.add_to_cart(me, MUG, 1, keyed("k ", 2)).await.unwrap();
    assert_eq!(pieces(&shop.cart(me).await.unwrap()), [(MUG, 3)]);
}

/// A refused request may be tried again under its key, once the reason is gone.
pub async fn a_refusal_is_not_remembered<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    refused(shop.add_to_cart(me, OLD_MUG, 1, keyed("add", 1)).await);
    shop.change_sku(OLD_MUG, |row| row.active = true).await;
    let done = shop.add_to_cart(me, OLD_MUG, 1, keyed("add", 1)).await.unwrap();
    assert!(!done.replayed);
    refused(shop.move_to_cart(me, MUGS, MUG, 1, keyed("move", 2)).await);
    shop.add_wish(me, MUGS, free()).await.unwrap();
    assert!(!shop.move_to_cart(me, MUGS, MUG, 1, keyed("move", 2)).await.unwrap().replayed);
    shop.change_sku(MUG, |row| row.stock = 0).await;
    refused(shop.checkout(me, checkout(), keyed("buy", 3)).await);
    shop.change_sku(MUG, |row| row.stock = 1).await;
    assert!(!shop.checkout(me, checkout(), keyed("buy", 3)).await.unwrap().replayed);
}

/// A client that saw an older cart is told, and changes nothing.
pub async fn an_outdated_version_is_refused<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_wish(me, JACKET, free()).await.unwrap();
    shop.add_to_cart(me, MUG, 1, at_version(0)).await.unwrap();
    shop.add_to_cart(me, MUG, 1, at_version(1)).await.unwrap();
    let before = shop.belongings(me).await;
    for version in [0, 1, 3, -1, i64::MAX] {
        let conflict = Refused::VersionConflict { expected: version, actual: 2 };
        let guard = || at_version(version);
        let refusals = [
            refused(shop.add_to_cart(me, MUG, 1, guard()).await),
            refused(shop.set_quantity(me, LineId(1), 5, guard()).await),
            refused(shop.set_quantity(me, LineId(1), 0, guard()).await),
            refused(shop.clear_cart(me, guard()).await),
            refused(shop.move_to_cart(me, JACKET, JACKET_M, 1, guard()).await),
        ];
        for refusal in refusals {
            assert_eq!(refusal, conflict);
        }
    }
    assert_eq!(shop.belongings(me).await, before);
    shop.set_quantity(me, LineId(1), 5, at_version(2)).await.unwrap();
    shop.move_to_cart(me, JACKET, JACKET_M, 1, at_version(3)).await.unwrap();
    let cart = shop.clear_cart(me, at_version(4)).await.unwrap().value;
    assert_eq!((cart.version, cart.lines.len()), (5, 0));
}

/// Session, then key, then version, then the rest.
pub async fn guards_are_checked_in_their_order<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let both = |request, version| Guard {
        idempotency: key("k", request),
        expected_version: Some(version),
    };
    shop.add_to_cart(me, MUG, 1, both(1, 0)).await.unwrap();
    shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
    // The replay wins over its own outdated version, a reused key over a wrong version.
    let done = shop.add_to_cart(me, MUG, 1, both(1, 0)).await.unwrap();
    assert_eq!((done.replayed, done.value.version), (true, 2));
    let refusal = refused(shop.add_to_cart(me, MUG, 1, both(2, 0)).await);
    assert_eq!(refusal, Refused::IdempotencyKeyReused);
    // The version wins over what is wrong with the request.
    let conflict = Refused::VersionConflict { expected: 1, actual: 2 };
    assert_eq!(refused(shop.add_to_cart(me, OLD_MUG, 1, at_version(1)).await), conflict);
    assert_eq!(refused(shop.set_quantity(me, LineId(9), 1, at_version(1)).await), conflict);
    // The session wins over everything.
    let stale = Session { epoch: me.epoch + 1, ..me };
    assert_eq!(refused(shop.add_to_cart(stale, MUG, 1, both(1, 0)).await), Refused::SignedOut);
    assert_eq!(refused(shop.add_to_cart(stale, MUG, 1, both(2, 9)).await), Refused::SignedOut);
}

/// G5: a key is good for 24 hours at least; what happens later, the answer says truly.
pub async fn keys_are_remembered_for_a_day<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 1, keyed("k", 1)).await.unwrap();
    shop.wait(SignedDuration::from_hours(24) - SignedDuration::from_secs(1));
    // Other work of the store does not push the key out.
    for n in 0..50 {
        shop.add_to_cart(me, SCARF_RED, 1, keyed(&format!("other {n}"), 2)).await.ok();
    }
    let done = shop.add_to_cart(me, MUG, 1, keyed("k", 1)).await.unwrap();
    assert_eq!((done.replayed, done.value.lines[0].quantity), (true, 1));
    shop.wait(SignedDuration::from_hours(48));
    let done = shop.add_to_cart(me, MUG, 1, keyed("k", 1)).await.unwrap();
    let expected = if done.replayed { 1 } else { 2 };
    assert_eq!(done.value.lines[0].quantity, expected);
}

/// S6: any printable key of up to 255 characters is a key.
pub async fn long_and_odd_keys_are_keys<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let long = "k".repeat(255);
    for (name, total) in [(long.as_str(), 1), ("'; --", 2), ("%", 3), ("_", 4), ("\"", 5)] {
        for replayed in [false, true] {
            let done = shop.add_to_cart(me, MUG, 1, keyed(name, 1)).await.unwrap();
            assert_eq!((done.replayed, done.value.pieces()), (replayed, total), "{name}");
        }
    }
}

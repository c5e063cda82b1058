//! The promises of the guide this shop comes from: whatever happens to sessions and time, the
//! customer's belongings are there, and nobody else's token opens them.

use evercart_core::clock::Clock;
use evercart_core::error::Refused;
use evercart_core::ids::OrderId;
use evercart_core::market::MarketName;
use evercart_core::token::{TokenError, TokenKey, TokenKeys};
use evercart_core::user::{ProfileChange, Session};
use jiff::SignedDuration;

use crate::Backend;
use crate::shop::{
    Belongings, Customer, JACKET_L, JACKET_M, LAMP, MUG, SCARF, SCARF_RED, Shop, address, checkout,
    free, keyed, pieces, refused,
};

/// A customer with something of everything.
pub(crate) async fn settled_customer<B: Backend>(shop: &mut Shop<B>) -> Customer {
    let me = shop.customer().await;
    settle(shop, me.session).await;
    me
}

/// Gives a customer something of everything.
pub(crate) async fn settle<B: Backend>(shop: &Shop<B>, me: Session) {
    shop.add_to_cart(me, SCARF_RED, 1, free()).await.unwrap();
    shop.checkout(me, checkout(), free()).await.unwrap();
    for (sku, quantity) in [(JACKET_M, 2), (MUG, 5), (SCARF_RED, 1)] {
        shop.add_to_cart(me, sku, quantity, free()).await.unwrap();
    }
    for product in [SCARF, LAMP] {
        shop.add_wish(me, product, free()).await.unwrap();
    }
    for title in ["Home", "Office"] {
        shop.add_address(me, address(title), false, free()).await.unwrap();
    }
    let name = ProfileChange { full_name: Some(Some("A".into())), ..ProfileChange::default() };
    shop.change_profile(me, name, free()).await.unwrap();
}

/// Compares all but what signing in itself changes.
fn assert_kept(before: &Belongings, after: &Belongings) {
    assert_eq!(before.user.id, after.user.id);
    assert_eq!(before.user.full_name, after.user.full_name);
    assert_eq!(before.cart, after.cart);
    assert_eq!(before.wishlist, after.wishlist);
    assert_eq!(before.orders, after.orders);
    assert_eq!(before.addresses, after.addresses);
}

/// The guide's first scenario: three items, log out, log in, the same three items. (G7)
pub async fn everything_survives_logout<B: Backend>(shop: &mut Shop<B>) {
    let me = settled_customer(shop).await;
    let before = shop.belongings(me.session).await;
    shop.sign_out(me.session, free()).await.unwrap();
    let again = shop.sign_in_with(&me.phone).await;
    assert_eq!(again.user_id, me.session.user_id);
    let after = shop.belongings(again).await;
    assert_eq!(pieces(&after.cart), [(JACKET_M, 2), (MUG, 5), (SCARF_RED, 1)]);
    assert_kept(&before, &after);
}

/// However often a customer comes and goes. (G7)
pub async fn everything_survives_many_logouts<B: Backend>(shop: &mut Shop<B>) {
    let me = settled_customer(shop).await;
    let before = shop.belongings(me.session).await;
    let mut session = me.session;
    for epoch in 1..=10 {
        shop.sign_out(session, free()).await.unwrap();
        session = shop.sign_in_with(&me.phone).await;
        assert_eq!(session.epoch, epoch);
    }
    assert_kept(&before, &shop.belongings(session).await);
}

/// The guide's second scenario: the token expires, which is no business of the store's.
pub async fn everything_survives_expiry<B: Backend>(shop: &mut Shop<B>) {
    let me = settled_customer(shop).await;
    let before = shop.belongings(me.session).await;
    shop.wait(SignedDuration::from_mins(31));
    let again = shop.sign_in_with(&me.phone).await;
    assert_eq!(again, me.session);
    assert_kept(&before, &shop.belongings(again).await);
}

/// The guide's third scenario: closed for a week.
pub async fn everything_survives_a_week_away<B: Backend>(shop: &mut Shop<B>) {
    come_back_after(shop, SignedDuration::from_hours(7 * 24)).await;
}

/// G8: nothing of a customer's is deleted by time.
pub async fn everything_survives_ten_years_away<B: Backend>(shop: &mut Shop<B>) {
    come_back_after(shop, SignedDuration::from_hours(10 * 365 * 24)).await;
}

async fn come_back_after<B: Backend>(shop: &mut Shop<B>, away: SignedDuration) {
    let me = settled_customer(shop).await;
    let before = shop.belongings(me.session).await;
    shop.wait(away);
    // The shop lives on meanwhile, and is restarted: whatever cleans up gets its chance to.
    shop.reopen();
    let other = shop.customer().await.session;
    for n in 0..20 {
        shop.add_to_cart(other, JACKET_L, 1, keyed(&format!("{n}"), 1)).await.unwrap();
    }
    shop.checkout(other, checkout(), free()).await.unwrap();
    shop.reopen();
    let again = shop.sign_in_with(&me.phone).await;
    assert_kept(&before, &shop.belongings(again).await);
    shop.add_to_cart(again, MUG, 1, free()).await.unwrap();
    let order = shop.checkout(again, checkout(), free()).await.unwrap().value;
    assert_eq!(order.id, OrderId(1_003));
    assert_eq!(order.order_date, shop.clock().now());
}

/// S2: a stolen token is worthless once its owner logs out, and stays so when they come back.
pub async fn a_stolen_token_dies_with_logout<B: Backend>(shop: &mut Shop<B>) {
    let me = settled_customer(shop).await;
    let stolen = me.session;
    shop.add_to_cart(stolen, MUG, 1, free()).await.unwrap();
    shop.sign_out(me.session, free()).await.unwrap();
    let session = shop.sign_in_with(&me.phone).await;
    let before = shop.belongings(session).await;
    for _ in 0..2 {
        assert_eq!(refused(shop.cart(stolen).await), Refused::SignedOut);
        assert_eq!(refused(shop.clear_cart(stolen, free()).await), Refused::SignedOut);
        assert_eq!(refused(shop.checkout(stolen, checkout(), free()).await), Refused::SignedOut);
        // It cannot even annoy the owner by signing out.
        assert_eq!(refused(shop.sign_out(stolen, free()).await), Refused::SignedOut);
        shop.reopen();
    }
    assert_eq!(shop.belongings(session).await, before);
}

/// G7: the cart hangs on the user id, so a change of the signing key does not touch it.
pub async fn everything_survives_a_change_of_key<B: Backend>(shop: &mut Shop<B>) {
    let me = settled_customer(shop).await;
    let before = shop.belongings(me.session).await;
    let market = MarketName::new("us").unwrap();
    let half_hour = SignedDuration::from_mins(30);
    let keys = |signing: &TokenKey, earlier: &[&TokenKey]| {
        let earlier = earlier.iter().map(|key| (*key).clone()).collect();
        TokenKeys::new(signing.clone(), earlier, "evercart")
    };
    let (old, new) = (TokenKey::new("old", &[1; 32]), TokenKey::new("new", &[2; 32]));
    let now = shop.clock().now();
    let issue = |keys: &TokenKeys, session| {
        keys.issue(session, &market, now, half_hour, &mut rand::rng()).token
    };
    let token = issue(&keys(&old, &[]), me.session);
    // Rotated with overlap, the customer notices nothing.
    let session = keys(&new, &[&old]).verify(&token, now).unwrap().session;
    assert_kept(&before, &shop.belongings(session).await);
    // Replaced at once, they sign in again and find everything.
    assert_eq!(keys(&new, &[]).verify(&token, now), Err(TokenError::Invalid));
    let token = issue(&keys(&new, &[]), shop.sign_in_with(&me.phone).await);
    let session = keys(&new, &[]).verify(&token, now).unwrap().session;
    assert_kept(&before, &shop.belongings(session).await);
}

/// G7: two devices are one customer with one cart.
pub async fn two_devices_share_one_cart<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    let tablet = shop.sign_in_with(&me.phone).await;
    shop.add_to_cart(me.session, MUG, 1, free()).await.unwrap();
    shop.add_to_cart(tablet, MUG, 2, free()).await.unwrap();
    assert_eq!(pieces(&shop.cart(me.session).await.unwrap()), [(MUG, 3)]);
    assert_eq!(shop.cart(tablet).await.unwrap(), shop.cart(me.session).await.unwrap());
}

/// G9: no read of any kind leaves a trace.
pub async fn reading_writes_nothing<B: Backend>(shop: &mut Shop<B>) {
    let me = settled_customer(shop).await;
    let before = (shop.belongings(me.session).await, shop.check().await.unwrap());
    shop.wait(SignedDuration::from_hours(1));
    for _ in 0..3 {
        shop.order(me.session, OrderId(1_001)).await.unwrap();
        shop.categories().await.unwrap();
        shop.find_user(me.phone.clone()).await.unwrap();
    }
    assert_eq!((shop.belongings(me.session).await, shop.check().await.unwrap()), before);
}

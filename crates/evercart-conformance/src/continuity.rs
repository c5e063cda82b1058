//! A store that was put back to an earlier moment starts a new life: nothing of before opens
//! anything, and nothing that was given out is given out again (G10).

use evercart_core::clock::Clock;
use evercart_core::error::Refused;
use evercart_core::mark::Numbers;
use evercart_core::sign_in::{CodeRequest, SignInAttempt, SignInOutcome};
use evercart_core::user::Session;
use jiff::SignedDuration;

use crate::Backend;
use crate::shop::{
    CODE, JACKET_M, Shop, attempt, budget, checkout, code_request, free, key, keyed, phone,
    phone_change, phone_code_request, refused, signed_in,
};
use crate::signed_out::assert_all_refused;

/// G10: also to a session of a life that is yet to come.
pub async fn a_new_life_closes_every_operation<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    shop.add_to_cart(me.session, JACKET_M, 2, free()).await.unwrap();
    let before = shop.belongings(me.session).await;
    let first = shop.standing().await.unwrap();
    let second = shop.start_over(first.life.number, first.numbers).await.unwrap();
    assert_eq!(second.life.number, first.life.number + 1);
    assert_ne!(second.life.incarnation, first.life.incarnation);
    assert_eq!(second.since, Some(shop.clock().now()));
    assert_all_refused(shop, me.session, &Refused::Returned).await;
    let again = shop.sign_in_with(&me.phone).await;
    assert_eq!((again.user_id, again.epoch), (me.session.user_id, me.session.epoch));
    assert_all_refused(
        shop,
        Session { incarnation: first.life.incarnation, ..again },
        &Refused::Returned,
    )
    .await;
    let after = shop.belongings(again).await;
    assert_eq!((after.cart, after.orders), (before.cart, before.orders));
}

/// G10
pub async fn a_new_life_gives_no_number_again<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    let standing = shop.standing().await.unwrap();
    let mut numbers = standing.numbers;
    numbers.set("user", numbers.of("user") + 100);
    numbers.set("order", numbers.of("order") + 200);
    // What others know may be less: numbers never go back.
    shop.start_over(standing.life.number, numbers).await.unwrap();
    let behind = shop.start_over(7, Numbers::default()).await.unwrap();
    assert_eq!(behind.life.number, 8, "a life has a higher number than any that is known");
    let new = shop.customer().await;
    assert_eq!(new.session.user_id.0, numbers.of("user"));
    let again = shop.sign_in_with(&me.phone).await;
    shop.add_to_cart(again, JACKET_M, 1, free()).await.unwrap();
    let order = shop.checkout(again, checkout(), free()).await.unwrap().value;
    assert_eq!(order.id.0, numbers.of("order"));
}

/// G10: a code of before opens nothing, and its key does not keep the customer from another.
pub async fn a_new_life_voids_codes_and_their_keys<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    let asked = |code| CodeRequest { idempotency: key("ask", 1), ..code_request(&phone, code) };
    shop.grant_code(asked(CODE)).await.unwrap();
    shop.start_over(1, Numbers::default()).await.unwrap();
    let outcome = shop.sign_in(attempt(&phone, CODE)).await.unwrap();
    assert_eq!(outcome, SignInOutcome::CodeInvalid);
    assert!(!shop.grant_code(asked("765432")).await.unwrap().replayed);
    signed_in(shop.sign_in(attempt(&phone, "765432")).await);
}

/// G10: a request that opened a session before, sent again.
pub async fn a_repeat_of_before_opens_nothing<B: Backend>(shop: &mut Shop<B>) {
    let phone_of_me = phone(1);
    shop.grant_code(code_request(&phone_of_me, CODE)).await.unwrap();
    let signing_in =
        SignInAttempt { idempotency: key("sign in", 1), ..attempt(&phone_of_me, CODE) };
    let me = signed_in(shop.sign_in(signing_in.clone()).await).session();
    let new_phone = phone(2);
    shop.grant_code(phone_code_request(me.user_id, &new_phone, CODE)).await.unwrap();
    let change = phone_change(me.user_id, &phone_of_me, &new_phone, CODE);
    shop.change_phone(me, change.clone(), keyed("move", 1)).await.unwrap();
    assert!(shop.change_phone(me, change.clone(), keyed("move", 1)).await.is_ok(), "a repeat");

    shop.start_over(1, Numbers::default()).await.unwrap();
    let moved = shop.change_phone(me, change, keyed("move", 1)).await;
    assert_eq!(refused(moved), Refused::Returned);
    let outcome = shop.sign_in(signing_in).await.unwrap();
    assert_eq!(outcome, SignInOutcome::CodeInvalid);
}

/// Everybody signs in again within the hour after a return.
pub async fn a_new_life_raises_what_everybody_shares<B: Backend>(shop: &mut Shop<B>) {
    let ask = |n, scope| CodeRequest {
        budgets: vec![budget(scope, "us", 2)],
        ..code_request(&phone(n), CODE)
    };
    for n in 0..2 {
        shop.grant_code(ask(n, "send_market")).await.unwrap();
        shop.grant_code(ask(10 + n, "send_ip")).await.unwrap();
    }
    assert!(shop.grant_code(ask(2, "send_market")).await.is_err());
    shop.start_over(1, Numbers::default()).await.unwrap();
    for n in 20..40 {
        shop.grant_code(ask(n, "send_market")).await.unwrap();
    }
    assert!(shop.grant_code(ask(40, "send_market")).await.is_err(), "ten times as many");
    assert!(shop.grant_code(ask(41, "send_ip")).await.is_err(), "an address's stays what it is");
    shop.wait(SignedDuration::from_hours(1));
    for n in 50..52 {
        shop.grant_code(ask(n, "send_market")).await.unwrap();
    }
    assert!(shop.grant_code(ask(52, "send_market")).await.is_err(), "the hour is over");
}

/// A restart is no return.
pub async fn a_life_survives_a_restart<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let before = shop.standing().await.unwrap();
    shop.reopen();
    assert_eq!(shop.standing().await.unwrap(), before);
    assert!(shop.cart(me).await.is_ok());
}

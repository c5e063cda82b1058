//! Changes of phone that meet each other: a stop, a second change, an operator's decision.

use evercart_core::account::Proven;
use evercart_core::error::Refused;
use evercart_core::sign_in::SignInOutcome;

use crate::Backend;
use crate::concurrency::at_once;
use crate::phone_change::{HOLD, code_request_now, done, moved, on_hold, stop};
use crate::shop::{CODE, Shop, attempt, by, free, phone, refused, stop_attempt, stop_code_request};

/// Whichever comes first, the account is frozen and was not moved on.
pub async fn a_stop_meets_a_second_change<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    shop.grant_code(stop_code_request(&at.owner.phone, CODE)).await.unwrap();
    let outcomes = at_once(6, shop.store(), |n, store| {
        let second = on_hold(at.thief, &at.new, &phone(901 + n), HOLD);
        let (stop, thief) = (stop_attempt(&at.owner.phone, CODE), at.thief);
        async move {
            match n {
                0 => store
                    .stop_phone_change(stop)
                    .await
                    .map(|outcome| matches!(outcome, Proven::Done(_))),
                _ => store.change_phone(thief, second, free()).await.map(|_| false),
            }
        }
    })
    .await;
    for (n, outcome) in outcomes.into_iter().enumerate() {
        match (n, outcome) {
            (0, outcome) => assert!(outcome.unwrap(), "it was stopped"),
            (_, outcome) => {
                let refusal = refused(outcome);
                let is_right = matches!(refusal, Refused::SignedOut | Refused::PhoneOnHold { .. });
                assert!(is_right, "{refusal:?}");
            }
        }
    }
    assert!(at.state(shop).await.frozen.is_some());
    shop.assert_consistent().await;
}

/// Nobody is signed in to what was decided otherwise, and nobody new is made.
pub async fn moving_back_meets_a_sign_in<B: Backend>(shop: &mut Shop<B>) {
    for is_stopped in [true, false] {
        let mut other = Shop::<B>::open().await;
        let at = moved(&mut other).await;
        if is_stopped {
            done(stop(&other, &at.owner.phone).await);
        }
        other.grant_code(code_request_now(&at.owner.phone)).await.unwrap();
        other.grant_code(code_request_now(&at.new)).await.unwrap();
        let outcomes = at_once(3, other.store(), |n, store| {
            let phone = if n == 1 { at.owner.phone.clone() } else { at.new.clone() };
            let back = at.back();
            async move {
                match n {
                    0 => store.move_phone_back(back, by()).await.map(|user| Some(user.session())),
                    _ => store.sign_in(attempt(&phone, CODE)).await.map(|outcome| match outcome {
                        SignInOutcome::SignedIn { user, .. } => Some(user.session()),
                        _ => None,
                    }),
                }
            }
        })
        .await;
        let id = at.owner.session.user_id;
        outcomes[0].as_ref().expect("it was moved back");
        if let Ok(Some(session)) = &outcomes[1] {
            assert_eq!(session.user_id, id, "the owner came after the decision");
            other.cart(*session).await.unwrap();
        }
        match &outcomes[2] {
            // Before the decision the session died with it; afterwards the phone is a newcomer's.
            Ok(Some(session)) if session.user_id == id => {
                assert!(!is_stopped, "a frozen account let somebody in");
                assert_eq!(refused(other.cart(*session).await), Refused::SignedOut);
            }
            Ok(Some(session)) => drop(other.cart(*session).await.unwrap()),
            Ok(None) => panic!("the new phone was never left by anybody"),
            Err(_) => assert!(is_stopped),
        }
        let owner = other.sign_in_with(&at.owner.phone).await;
        assert_eq!(owner.user_id, id);
        other.assert_consistent().await;
    }
    shop.assert_consistent().await;
}

/// Two operators at once do not decide twice.
pub async fn of_many_decisions_one_is_made<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    done(stop(shop, &at.owner.phone).await);
    let outcomes = at_once(6, shop.store(), |n, store| {
        let (back, id, new) = (at.back(), at.owner.session.user_id, at.new.clone());
        async move {
            match n % 2 {
                0 => store.move_phone_back(back, by()).await,
                _ => store.confirm_phone_change(id, new, by()).await,
            }
        }
    })
    .await;
    let (made, refusals): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1, "{made:?}");
    for outcome in refusals {
        let refusal = refused(outcome);
        assert!(matches!(refusal, Refused::NotFound { .. }), "{refusal:?}");
    }
    let user = made.into_iter().next().unwrap().unwrap();
    assert_eq!(shop.sign_in_with(&user.phone).await.user_id, at.owner.session.user_id);
    shop.assert_consistent().await;
}

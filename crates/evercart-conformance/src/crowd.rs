//! What a crowd, a pumper and a guesser can do to others who want to sign in.

use evercart_core::error::Refused;
use evercart_core::sign_in::{
    Budget, CodeRequest, MARKET_FAILURES, SignInAttempt, SignInOutcome, Used,
};
use jiff::SignedDuration;

use crate::Backend;
use crate::shop::{
    CODE, Customer, Shop, address_hash, attempt, budget, code_request, phone, refused, signed_in,
};

const WRONG: &str = "999999";
const HERE: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.1";

fn asked_from(address: &str, n: u32) -> CodeRequest {
    CodeRequest { asked_from: address_hash(address), ..code_request(&phone(n), CODE) }
}

/// With two wrong codes allowed for an address and three for the market.
fn tried_from(address: &str, n: u32, code: &str) -> SignInAttempt {
    SignInAttempt {
        failures: vec![budget("fail_ip", address, 2), budget(MARKET_FAILURES, "us", 3)],
        from: address_hash(address),
        ..attempt(&phone(n), code)
    }
}

/// Wrong codes for phones that nobody asked a code for.
async fn guess<B: Backend>(shop: &Shop<B>, address: &str, times: u32) {
    for n in 0..times {
        let outcome = shop.sign_in(tried_from(address, 900 + n, WRONG)).await.unwrap();
        assert_eq!(outcome, SignInOutcome::CodeInvalid);
    }
}

#[track_caller]
fn is_refused(outcome: evercart_core::error::Result<SignInOutcome>) {
    let refusal = refused(outcome);
    let Refused::TooManyAttempts { retry_after } = refusal else { panic!("{refusal:?}") };
    assert!(retry_after > SignedDuration::ZERO && retry_after <= SignedDuration::from_hours(1));
}

/// S4: who shares an address with a guesser gets in with the code they asked for from there.
pub async fn a_code_is_tried_once_from_where_it_was_asked_from<B: Backend>(shop: &mut Shop<B>) {
    for n in [1, 2] {
        shop.grant_code(asked_from(HERE, n)).await.unwrap();
    }
    shop.grant_code(asked_from(ELSEWHERE, 3)).await.unwrap();
    guess(shop, HERE, 2).await;
    signed_in(shop.sign_in(tried_from(HERE, 1, CODE)).await);
    // One guess a code is all that a guesser gets.
    let outcome = shop.sign_in(tried_from(HERE, 2, WRONG)).await.unwrap();
    assert_eq!(outcome, SignInOutcome::CodeInvalid);
    is_refused(shop.sign_in(tried_from(HERE, 2, CODE)).await);
    is_refused(shop.sign_in(tried_from(HERE, 2, WRONG)).await);
    // A code that was asked for from somewhere else is none of theirs.
    is_refused(shop.sign_in(tried_from(HERE, 3, CODE)).await);
    // The refusals took nothing, neither its first try nor an attempt.
    let outcome = shop.sign_in(attempt(&phone(3), WRONG)).await.unwrap();
    assert_eq!(outcome, SignInOutcome::CodeInvalid);
    signed_in(shop.sign_in(attempt(&phone(3), CODE)).await);
}

/// S4: a code that was tried before has no first try left, whatever it was tried from.
pub async fn a_code_that_was_tried_has_no_first_try<B: Backend>(shop: &mut Shop<B>) {
    shop.grant_code(asked_from(HERE, 1)).await.unwrap();
    let outcome = shop.sign_in(tried_from(ELSEWHERE, 1, WRONG)).await.unwrap();
    assert_eq!(outcome, SignInOutcome::CodeInvalid);
    guess(shop, HERE, 2).await;
    is_refused(shop.sign_in(tried_from(HERE, 1, CODE)).await);
    // A new code has one of its own, and the old one's address none in it.
    let request = CodeRequest { resend_after: None, ..asked_from(ELSEWHERE, 1) };
    shop.grant_code(request).await.unwrap();
    is_refused(shop.sign_in(tried_from(HERE, 1, CODE)).await);
    signed_in(shop.sign_in(tried_from(ELSEWHERE, 1, CODE)).await);
}

/// S4: 16 at once from where a code was asked from are one first try.
pub async fn parallel_first_tries_are_one<B: Backend>(shop: &mut Shop<B>) {
    shop.grant_code(asked_from(HERE, 1)).await.unwrap();
    guess(shop, HERE, 2).await;
    let tries: Vec<_> = (0..16)
        .map(|_| {
            let store = shop.store();
            tokio::spawn(async move { store.sign_in(tried_from(HERE, 1, WRONG)).await })
        })
        .collect();
    let mut compared = 0;
    for answer in tries {
        match answer.await.unwrap() {
            Ok(outcome) => {
                assert_eq!(outcome, SignInOutcome::CodeInvalid);
                compared += 1;
            }
            refusal => is_refused(refusal),
        }
    }
    assert_eq!(compared, 1);
}

/// S4: a market's wrong codes are counted over all addresses and phones; filling the count keeps
/// nobody out who asks for a code and types it in.
pub async fn a_market_full_of_wrong_codes_still_lets_customers_in<B: Backend>(shop: &mut Shop<B>) {
    shop.grant_code(asked_from(HERE, 1)).await.unwrap();
    shop.grant_code(asked_from(ELSEWHERE, 2)).await.unwrap();
    for n in 0..3 {
        guess(shop, &format!("203.0.113.{n}"), 1).await;
    }
    is_refused(shop.sign_in(tried_from("203.0.113.9", 2, CODE)).await);
    is_refused(shop.sign_in(tried_from("203.0.113.9", 950, WRONG)).await);
    signed_in(shop.sign_in(tried_from(HERE, 1, CODE)).await);
    let used = shop.used(budget(MARKET_FAILURES, "us", 3)).await.unwrap();
    assert_eq!(used.count, 3);
    shop.wait(SignedDuration::from_hours(1));
    assert_eq!(shop.used(budget(MARKET_FAILURES, "us", 3)).await.unwrap(), Used::default());
    shop.grant_code(asked_from(HERE, 3)).await.unwrap();
    signed_in(shop.sign_in(tried_from("203.0.113.9", 3, CODE)).await);
}

/// S4: a customer who asked for it with their token tries their code from any address.
pub async fn a_customers_own_code_is_tried_once_from_anywhere<B: Backend>(shop: &mut Shop<B>) {
    let Customer { phone: own, session } = shop.customer().await;
    let claimed_by = Some(session.user_id);
    let request = |n| CodeRequest { claimed_by, resend_after: None, ..asked_from(HERE, n) };
    shop.sign_out(session, crate::shop::free()).await.unwrap();
    shop.grant_code(request(1)).await.unwrap();
    // Somebody else's phone is not theirs.
    shop.grant_code(request(2)).await.unwrap();
    guess(shop, ELSEWHERE, 2).await;
    is_refused(shop.sign_in(tried_from(ELSEWHERE, 2, CODE)).await);
    assert_eq!(signed_in(shop.sign_in(tried_from(ELSEWHERE, 1, CODE)).await).phone, own);
}

/// S5: who pumps messages leaves a share of the market's for customers with a token.
pub async fn a_share_of_a_budget_is_kept_for_customers<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    let budgets = vec![Budget { reserved: 1, ..budget("send_market", "us", 4) }];
    let request = |n, claimed_by| {
        let request = CodeRequest { claimed_by, ..code_request(&phone(n), CODE) };
        CodeRequest { budgets: budgets.clone(), resend_after: None, ..request }
    };
    let claim = Some(me.session.user_id);
    let half = shop.grant_code(request(11, None)).await.unwrap().value;
    assert!(half.half_used.is_empty(), "{half:?}");
    let half = shop.grant_code(request(12, None)).await.unwrap().value;
    assert_eq!(half.half_used, ["send_market"]);
    let half = shop.grant_code(request(13, None)).await.unwrap().value;
    assert!(half.half_used.is_empty(), "it is said once");
    for refused_one in [request(1, None), request(14, claim), request(14, None)] {
        let refusal = refused(shop.grant_code(refused_one).await);
        assert!(matches!(refusal, Refused::RateLimited { .. }), "{refusal:?}");
    }
    shop.grant_code(request(1, claim)).await.unwrap();
    let refusal = refused(shop.grant_code(request(1, claim)).await);
    assert!(matches!(refusal, Refused::RateLimited { .. }), "{refusal:?}");
}

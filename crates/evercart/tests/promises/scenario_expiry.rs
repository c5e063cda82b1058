//! The guide's second scenario: a token expires, the client is told "Token expired", and after
//! signing in again the cart is the same.

use crate::customer::{Customer, SEED_PHONE, expect, problem};
use crate::harness::{Shop, wait_until};

#[test]
fn cart_survives_the_tokens_expiry() {
    let shop = Shop::demo_with(&[("EVERCART_AUTH__TOKEN_LIFETIME", "2s")]);
    let signed_in = expect(200, &shop.verify(SEED_PHONE, "123456"));
    assert_eq!(signed_in["expires_in"], 2, "{signed_in}");
    let before = Customer::with_code(&shop, SEED_PHONE, "123456");
    expect(200, &before.add(&shop, 42, 2));
    expect(200, &before.wish(&shop, 15));
    let had = before.everything(&shop);

    wait_until("the token to expire", || before.get(&shop, "/cart").status == 401);
    for answer in [before.get(&shop, "/cart"), before.add(&shop, 42, 1), before.checkout(&shop)] {
        let body = problem(401, "token_expired", &answer);
        assert_eq!(body["detail"], "Token expired");
    }

    let after = Customer::with_code(&shop, SEED_PHONE, "654321");
    assert_eq!(after.id, before.id);
    assert_eq!(after.everything(&shop), had, "what the expired token asked for had no effect");
}

#[test]
fn an_expired_token_stays_expired_after_signing_in_again() {
    let shop = Shop::demo_with(&[("EVERCART_AUTH__TOKEN_LIFETIME", "1s")]);
    let before = Customer::with_code(&shop, SEED_PHONE, "123456");
    wait_until("the token to expire", || before.get(&shop, "/cart").status == 401);
    expect(200, &shop.verify(SEED_PHONE, "654321"));
    problem(401, "token_expired", &before.get(&shop, "/cart"));
}

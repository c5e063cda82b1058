//! Who is let in: every operation of the OpenAPI document that is about a customer, with every
//! token that is not theirs. A new operation is covered the moment it is in the document.

use evercart_core::ids::UserId;
use evercart_core::market::MarketName;
use evercart_core::phone::Phone;
use evercart_core::token::{TokenKey, TokenKeys};
use evercart_core::user::Session;
use jiff::SignedDuration;

use crate::schema::operations;
use crate::shop::{ANN, BOB, EVE, MARK, TestShop};

/// S1 S2
#[tokio::test]
async fn nobody_else_gets_at_a_customers_data() {
    let shop = TestShop::open().await;
    let signed_out = shop.sign_in(ANN).await;
    shop.post("/auth/logout").token(&signed_out).send().await;
    let ann = shop.prepare().await;
    let blocked = shop.sign_in(EVE).await;
    let eve = Phone::parse(EVE, None).unwrap();
    shop.shop.markets[0]
        .store
        .block_user(eve, evercart_core::operator::By::operator("tests", None))
        .await
        .unwrap();
    let tokens = Tokens::of(&shop, &ann.token);
    let before = shop.everything(&ann.token).await;
    let mut covered = 0;
    for operation in operations().into_iter().filter(|operation| operation.needs_token()) {
        covered += 1;
        let ask = || shop.example(&operation, &ann);
        let what = format!("{} {}", operation.method, operation.path);
        for (row, request, status, code) in [
            ("no token", ask(), 401, "not_authenticated"),
            (
                "another scheme",
                ask().header("authorization", "Basic YTpi"),
                401,
                "not_authenticated",
            ),
            ("garbage", ask().token("garbage"), 401, "token_invalid"),
            ("no signature", ask().token(&tokens.unsigned), 401, "token_invalid"),
            ("another key", ask().token(&tokens.forged), 401, "token_invalid"),
            ("expired", ask().token(&tokens.expired), 401, "token_expired"),
            ("signed out", ask().token(&signed_out), 401, "signed_out"),
            ("blocked", ask().token(&blocked), 401, "user_blocked"),
            ("a user of another market", ask().token(&tokens.elsewhere), 401, "token_invalid"),
            ("a market that is gone", ask().token(&tokens.nowhere), 400, "market_unknown"),
            (
                "other market",
                ask().token(&ann.token).header("x-market", "kg"),
                400,
                "market_mismatch",
            ),
            ("no market", ask().token(&ann.token).header("x-market", "fr"), 400, "market_unknown"),
        ] {
            let answer = request.send().await;
            assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{row}: {what}");
        }
        let bob = shop.sign_in(BOB).await;
        // What he wished for earlier on would be found under the product's id.
        shop.delete("/wishlist").token(&bob).send().await;
        let answer = ask().token(&bob).send().await;
        if operation.path.contains('{') {
            assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found"), "{what}");
        } else {
            assert!(!answer.status.is_server_error(), "{what}: {}", answer.text);
        }
        assert!(!answer.text.contains(MARK), "{what}: {}", answer.text);
    }
    assert!(covered >= 25, "only {covered} operations were looked at");
    // The stock is everybody's; what Bob ordered is not in it any more.
    let after = shop.everything(&ann.token).await;
    assert_eq!(after[..5], before[..5]);
}

struct Tokens {
    unsigned: String,
    forged: String,
    expired: String,
    elsewhere: String,
    nowhere: String,
}

impl Tokens {
    fn of(shop: &TestShop, token: &str) -> Self {
        let market = |name: &str| MarketName::new(name).unwrap();
        let verified = shop.shop.keys.current().verify(token, shop.shop.clock.now()).unwrap();
        let issue = |keys: &TokenKeys, session: Session, name: &str, ago: SignedDuration| {
            let (now, lifetime) = (shop.shop.clock.now() - ago, SignedDuration::from_mins(30));
            keys.issue(session, &market(name), now, lifetime, &mut rand::rng()).token
        };
        let ours = shop.shop.keys.current();
        let theirs = TokenKeys::new(TokenKey::new("k1", &[9; 32]), vec![], "evercart");
        let none = SignedDuration::ZERO;
        let stranger = Session {
            user_id: UserId(verified.session.user_id.0 + 7),
            epoch: 0,
            ..verified.session
        };
        Self {
            unsigned: format!("{}.", token.rsplit_once('.').unwrap().0),
            forged: issue(&theirs, verified.session, "us", none),
            expired: issue(&ours, verified.session, "us", SignedDuration::from_mins(31)),
            elsewhere: issue(&ours, stranger, "kg", none),
            nowhere: issue(&ours, verified.session, "fr", none),
        }
    }
}

/// S3
#[tokio::test]
async fn a_change_of_key_signs_nobody_out() {
    let shop = TestShop::open().await;
    let before = shop.sign_in(ANN).await;
    let key = |id: &str, secret: u8| TokenKey::new(id, &[secret; 32]);
    shop.shop.replace_keys(TokenKeys::new(key("k2", 3), vec![key("k1", 1)], "evercart"));
    assert_eq!(shop.get("/cart").token(&before).send().await.status, 200);
    let after = shop.sign_in(ANN).await;
    shop.shop.replace_keys(TokenKeys::new(key("k2", 3), vec![], "evercart"));
    assert_eq!(shop.get("/cart").token(&after).send().await.status, 200);
    shop.get("/cart").token(&before).send().await.is(401, "token_invalid");
}

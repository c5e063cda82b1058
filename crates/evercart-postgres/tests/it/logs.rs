//! S10: a phone that is another customer's gets into nobody's answer, nor into the database's log.

use std::sync::Arc;

use evercart_conformance::shop::{
    CODE, attempt, code_request, free, phone, phone_change, phone_code_request, refused, signed_in,
};
use evercart_core::account::Accounts;
use evercart_core::clock::ManualClock;
use evercart_core::error::Refused;
use evercart_core::market::MarketName;
use evercart_core::operator::{DemoCustomer, Operator};
use evercart_core::sign_in::SignIn;
use evercart_postgres::{Options, Postgres};
use jiff::Timestamp;

#[tokio::test(flavor = "multi_thread")]
async fn s10_a_phone_that_is_anothers_is_not_in_the_databases_log() {
    let url = evercart_throwaway_postgres::fresh_database();
    let clock = ManualClock::at(Timestamp::from_second(1_790_000_000).expect("in range"));
    let market = MarketName::new("us").expect("a market's name");
    let store = Postgres::open(&market, Options::new(&url, Arc::new(clock))).await.expect("opens");
    // Nobody else's, in any other test on this server.
    let (owner, other) = (phone(8_765), phone(8_764));
    for phone in [&owner, &other] {
        store.grant_code(code_request(phone, CODE)).await.expect("a code");
    }
    signed_in(store.sign_in(attempt(&owner, CODE)).await);
    let me = signed_in(store.sign_in(attempt(&other, CODE)).await);

    store.grant_code(phone_code_request(me.id, &owner, CODE)).await.expect("a code");
    let change = phone_change(me.id, &other, &owner, CODE);
    let taken = refused(store.change_phone(me.session(), change, free()).await);
    assert_eq!(taken, Refused::PhoneTaken);
    store.create_demo_user(evercart_core::ids::UserId(900), owner.clone()).await.unwrap_err();
    let again = DemoCustomer {
        phone: owner.clone(),
        full_name: "A".into(),
        cart: vec![],
        wishes: vec![],
        orders: vec![],
    };
    store.fill_demo(vec![again.clone(), again]).await.expect("it is known already");

    let log = evercart_throwaway_postgres::shared().log().expect("a log");
    assert!(!log.contains(owner.as_str()), "the log names the phone");
    store.close().await;
}

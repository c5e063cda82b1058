//! A standby that lags behind takes the place of its primary under servers that go on.

use std::sync::Arc;

use evercart_conformance::shop::catalogue;
use evercart_core::catalogue::Catalogue;
use evercart_core::clock::{Clock, ManualClock};
use evercart_core::continuity::Continuity;
use evercart_core::market::MarketName;
use evercart_postgres::{Options, Postgres};
use evercart_throwaway_postgres::{Mode, Server, Settings};
use jiff::{SignedDuration, Timestamp};

async fn open(url: &str, clock: &Arc<ManualClock>) -> Postgres {
    let market = MarketName::new("us").expect("a market's name");
    let options = Options { gives_tokens: true, ..Options::new(url, Arc::clone(clock) as _) };
    Postgres::open(&market, options).await.expect("the store opens")
}

#[tokio::test(flavor = "multi_thread")]
async fn g10_a_server_that_goes_on_begins_a_new_life_on_a_promoted_standby() {
    let clock = ManualClock::at(Timestamp::from_second(1_790_000_000).expect("in range"));
    let clock = Arc::new(clock);
    let primary = Server::start(Settings::for_tests()).expect("PostgreSQL starts");
    primary.create_database("shop").expect("it is new");
    let before = open(&primary.url("shop"), &clock).await;
    before.import_catalogue(catalogue(), Box::new(|_| {})).await.expect("imports");
    before.close().await;
    let standby = primary.standby().expect("a standby");
    standby.catch_up_with(&primary).expect("it follows");
    standby.stop(Mode::Immediate).expect("it stops");

    // What this one notes, the standby does not hear of.
    let url = primary.url("shop");
    let (address, other) = (primary.address().to_string(), standby.address());
    let server = open(&url.replace(&address, &format!("{address},{other}")), &clock).await;
    let first = server.standing().await.expect("answers").life;
    primary.stop(Mode::Immediate).expect("it stops");
    standby.start_again().expect("it starts");
    standby.promote().expect("it takes over");
    clock.advance(SignedDuration::from_secs(4));
    let standing = server.standing().await.expect("it is on the standby");
    assert_eq!(standing.life.number, first.number + 1);
    let given_at = server.awake().stamp(clock.now());
    clock.advance(SignedDuration::from_secs(1));
    let next = open(&standby.url("shop"), &clock).await;
    assert!(next.awake().remembers(given_at), "{given_at} and now it is {}", clock.now());
    assert_eq!(next.standing().await.expect("answers").life, standing.life);
}

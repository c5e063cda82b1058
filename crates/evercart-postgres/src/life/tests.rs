//! What the keeper does when its disk is full, and when a new life begins.

use std::sync::atomic::{AtomicBool, Ordering};

use evercart_core::clock::{Clock, ManualClock};
use evercart_core::copy::Erasure;
use evercart_core::mark::Marked;
use evercart_core::market::MarketName;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::Options;

/// A mark on a disk that may be full.
#[derive(Default)]
struct Disk {
    is_full: AtomicBool,
    reserved: Mutex<Numbers>,
}

impl Mark for Disk {
    fn read(&self) -> Result<Option<Marked>, MarkError> {
        Ok(None)
    }

    fn advance(&self, _: Life, _: i64) -> Result<(), MarkError> {
        Ok(())
    }

    fn write(&self, _: &Progress, numbers: Numbers) -> Result<(), MarkError> {
        self.reserve(numbers)
    }

    fn reserve(&self, numbers: Numbers) -> Result<(), MarkError> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(MarkError::Unusable { place: "a disk".into(), why: "full".into() });
        }
        *self.reserved.lock().expect("whole") = numbers;
        Ok(())
    }

    fn sync(&self) -> Result<(), MarkError> {
        Ok(())
    }

    fn erasures(&self) -> Result<Vec<Erasure>, MarkError> {
        Ok(Vec::new())
    }

    fn list(&self, _: &[Erasure]) -> Result<(), MarkError> {
        Ok(())
    }
}

#[tokio::test]
async fn g10_a_number_that_could_not_be_reserved_is_not_taken_for_reserved() {
    let disk = Arc::new(Disk::default());
    let keeper = Keeper::new("here".into(), Some(disk.clone()), false).expect("readable");
    disk.is_full.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        assert!(matches!(keeper.reserve("order", 7).await, Err(Failed::Unavailable(_))));
    }
    disk.is_full.store(false, Ordering::SeqCst);
    keeper.reserve("order", 7).await.expect("there is room");
    assert_eq!(disk.reserved.lock().expect("whole").of("order"), 7 + RESERVED_AT_ONCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn g7_a_server_is_known_to_be_awake_before_it_gives_out_anything_in_a_new_life() {
    const UNTIL: &str = "SELECT max(until) FROM awake";
    let clock = ManualClock::at(Timestamp::from_second(1_790_000_000).expect("in range"));
    let clock = Arc::new(clock);
    let url = evercart_throwaway_postgres::fresh_database();
    let options = Options::new(&url, Arc::clone(&clock) as _);
    let market = MarketName::new("us").expect("a market's name");
    Postgres::migrate(&market, &options).await.expect("migrates");
    let target = options.target(&market).expect("a target");
    let client = target.connect_quietly().await.expect("connects");
    let keeper = Keeper::new("here".into(), None, true).expect("nothing to read");
    keeper.admit(&client).await.expect("it is new");
    let awake = Arc::new(Awake::always());
    let wakeful = Wakeful::begin(Arc::clone(&awake), clock.clone() as _, &client).await;
    keeper.keep_awake(wakeful.expect("notes"));

    // The note is lost, and the life is an earlier one.
    client.batch_execute("DELETE FROM awake").await.expect("deletes");
    let Remembered::Was(mut later) = keeper.known().remembered.clone() else {
        panic!("it was seen")
    };
    later.life = Life { number: later.life.number + 1, incarnation: Incarnation(1) };
    keeper.known().remembered = Remembered::Was(later);
    clock.advance(SignedDuration::from_secs(4));
    keeper.admit(&client).await.expect("a new life begins");
    let until: Option<i64> = client.query_one(UNTIL, &[]).await.expect("reads").get(0);
    assert_eq!(until, Some(clock.now().as_millisecond()));
    assert_eq!(awake.stamp(clock.now()), clock.now());
}

//! Which of several servers takes the backup that is due.

use std::sync::Arc;

use evercart_conformance::Backend;
use evercart_core::clock::ManualClock;
use evercart_core::copy::Copies;
use jiff::{SignedDuration, Timestamp};

use crate::Database;

/// U4: of two servers one takes it, and the other once that one has failed or time has passed.
#[tokio::test(flavor = "multi_thread")]
async fn one_server_takes_the_backup_that_is_due() {
    let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
    let first = Database::fresh(Arc::new(clock));
    let second = Database::open(first.url.clone(), Arc::clone(&first.clock));
    let every = SignedDuration::from_hours(1);
    let at = |minutes: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
    let (one, two) = (&first.store, &second.store);
    let claims = (one.claim_backup(at(0), every), two.claim_backup(at(1), every));
    let (is_first, is_second) = tokio::join!(claims.0, claims.1);
    let claimed = [is_first.expect("asks"), is_second.expect("asks")];
    assert_eq!(claimed.iter().filter(|claimed| **claimed).count(), 1, "{claimed:?}");
    for minutes in [2, 59] {
        assert!(!one.claim_backup(at(minutes), every).await.expect("asks"));
        assert!(!two.claim_backup(at(minutes), every).await.expect("asks"));
    }
    assert!(two.claim_backup(at(61), every).await.expect("asks"));
    assert!(!one.claim_backup(at(62), every).await.expect("asks"));
    assert!(two.claim_backup(at(61), every).await.expect("asks"), "who has it has it");
    one.give_backup_back(at(60)).await.expect("it is not the one");
    assert!(!one.claim_backup(at(62), every).await.expect("asks"));
    two.give_backup_back(at(61)).await.expect("gives back");
    assert!(one.claim_backup(at(62), every).await.expect("asks"));
}

/// A server that was started on an empty schema has claimed a backup of nothing: a shop can be
/// moved there all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_no_data() {
    let new = || Database::fresh(Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)));
    let (source, target) = (new(), new());
    let hour = SignedDuration::from_hours(1);
    assert!(target.store.claim_backup(Timestamp::UNIX_EPOCH, hour).await.expect("asks"));
    assert!(source.store.claim_backup(Timestamp::UNIX_EPOCH, hour).await.expect("asks"));
    let mut rows = source.store.copy_out().await.expect("reads");
    target.store.copy_in(&mut *rows, &mut |_| {}).await.expect("it is empty");
}

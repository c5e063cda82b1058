//! Codes asked for and tried at once: nobody waits in a circle, and no row is left behind for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use evercart_conformance::Backend;
use evercart_conformance::shop::{
    CODE, attempt, budget, code_request, phone, refused, test_attempt,
};
use evercart_core::clock::ManualClock;
use evercart_core::error::{Refused, StoreError};
use evercart_core::sign_in::{CodeRequest, SignIn, SignInAttempt};
use jiff::{SignedDuration, Timestamp};

use crate::Database;
use crate::check::connect;

fn database() -> (Database, Arc<ManualClock>) {
    let start = Timestamp::from_second(1_790_000_000).expect("in range");
    let clock = Arc::new(ManualClock::at(start));
    (Database::fresh(Arc::clone(&clock)), clock)
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_asked_for_and_tried_at_once_never_deadlock() {
    let (database, clock) = database();
    let refusals = Arc::new(AtomicU32::new(0));
    let tasks: Vec<_> = (0..6_u32)
        .map(|task| {
            let (store, clock, refusals) =
                (Arc::clone(&database.store), Arc::clone(&clock), Arc::clone(&refusals));
            tokio::spawn(async move {
                for round in 0..40 {
                    let phone = phone((task + round) % 5);
                    let mut budgets = vec![
                        budget("send_ip", &format!("192.0.2.{}", round % 3), 100_000),
                        budget("send_market", "us", 100_000),
                        budget("send_prefix", "+1", 100_000),
                    ];
                    // However the caller lists them.
                    budgets.rotate_left(task as usize % 3);
                    let request =
                        CodeRequest { budgets, resend_after: None, ..code_request(&phone, CODE) };
                    let failures =
                        vec![budget("fail_ip", &format!("192.0.2.{}", task % 2), 100_000)];
                    let code = if round % 3 == 0 { CODE } else { "999999" };
                    let attempt = SignInAttempt { failures, ..attempt(&phone, code) };
                    let granted = store.grant_code(request).await.map(|_| ());
                    let tried = store.sign_in(attempt).await.map(|_| ());
                    for answer in [granted, tried] {
                        match answer {
                            Ok(()) => {}
                            Err(StoreError::Refused(Refused::TooManyAttempts { .. })) => {
                                refusals.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(error) => panic!("{error}"),
                        }
                    }
                    // What is there is over now and then, and forgotten while others use it.
                    clock.advance(SignedDuration::from_mins(4));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("every answer is one of the trait's");
    }
    // Each connection tells what it counted when it ends.
    database.store.close().await;
    let client = connect(&database.url).await;
    let others = "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let all_ended = async {
        while client.query_one(others, &[]).await.expect("reads").get::<_, i64>(0) > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_ended).await.expect("they end");
    let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let deadlocks: i64 = client.query_one(sql, &[]).await.expect("reads").get(0);
    assert_eq!(deadlocks, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_forgotten_by_later_requests() {
    let (database, clock) = database();
    let client = connect(&database.url).await;
    let sql = "SELECT (SELECT count(*) FROM evercart_us.verification_codes), \
         (SELECT count(*) FROM evercart_us.send_budget), \
         (SELECT count(*) FROM evercart_us.sign_in_keys)";
    for n in 0..10 {
        let request = CodeRequest {
            budgets: vec![budget("send_ip", &n.to_string(), 10)],
            idempotency: evercart_conformance::shop::key("send", 1),
            ..code_request(&phone(n), CODE)
        };
        database.store.grant_code(request).await.expect("a code");
    }
    let counts = || async {
        let row = client.query_one(sql, &[]).await.expect("reads");
        (row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, i64>(2))
    };
    assert_eq!(counts().await, (10, 10, 10));
    clock.advance(SignedDuration::from_hours(49));
    for n in 10..13 {
        database.store.grant_code(code_request(&phone(n), CODE)).await.expect("a code");
    }
    assert_eq!(counts().await, (3, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_counted_when_they_were_wrong_and_only_then() {
    let (database, _) = database();
    let client = connect(&database.url).await;
    let sql = "SELECT scope, count FROM evercart_us.send_budget ORDER BY scope";
    let counts = || async {
        let rows = client.query(sql, &[]).await.expect("reads");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<(String, i32)>>()
    };
    let store = &database.store;
    store.grant_code(code_request(&phone(1), CODE)).await.expect("a code");
    for _ in 0..4 {
        store.sign_in(attempt(&phone(1), "999999")).await.expect("is an outcome");
    }
    assert_eq!(counts().await, [("fail_ip".into(), 4), ("fail_phone".into(), 4)]);
    // A refusal takes nothing.
    let guesser = SignInAttempt {
        failures: vec![budget("fail_ip", "192.0.2.1", 4)],
        ..attempt(&phone(1), CODE)
    };
    refused(store.sign_in(guesser).await);
    assert_eq!(counts().await, [("fail_ip".into(), 4), ("fail_phone".into(), 4)]);
    store.sign_in(attempt(&phone(1), CODE)).await.expect("the last attempt, and right");
    store.sign_in(test_attempt(&phone(2))).await.expect("a code of the configuration");
    assert_eq!(counts().await, [("fail_ip".into(), 4)]);
}

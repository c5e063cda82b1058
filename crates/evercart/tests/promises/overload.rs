//! U1: more requests come than the shop lets in. How long anything takes is for the bench to say.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use crate::catalogue_rows::check;
use crate::crowd::at_once;
use crate::customer::{Customer, expect, pieces, problem, retry_after, us_phone};
use crate::harness::{Answer, PATIENCE, Shop};

const CLIENTS: usize = 32;

/// Far less than the clients.
const ROOM: &str = "2";

/// What the crowd does at least, on each kind of request: so often it is accepted, and refused.
const SEEN_MIN: u32 = 20;

#[derive(Default)]
struct Seen {
    accepted: AtomicU32,
    refused: AtomicU32,
}

impl Seen {
    /// True if it was accepted; anything but that and a refusal as it should be is a failure.
    fn note(&self, answer: &Answer) -> bool {
        let is_accepted = answer.status == 200;
        if is_accepted {
            self.accepted.fetch_add(1, Ordering::SeqCst);
        } else {
            self.refused.fetch_add(1, Ordering::SeqCst);
            problem(503, "overloaded", answer);
            assert!(retry_after(answer) >= 1, "{answer}");
        }
        is_accepted
    }
}

#[test]
fn u1_beyond_its_room_the_shop_refuses_and_loses_nothing_of_what_it_accepts() {
    let shop = Shop::demo_with(&[("EVERCART_SERVER__REQUESTS_MAX", ROOM)]);
    let customers: Vec<_> =
        (1..=CLIENTS as u32).map(|n| Customer::of_demo(&shop, &us_phone(n))).collect();
    let (reads, adds) = (Seen::default(), Seen::default());
    let begun = Instant::now();
    let is_over = AtomicBool::new(false);
    let is_seen = || {
        [&reads, &adds].iter().all(|seen| {
            [&seen.accepted, &seen.refused].iter().all(|n| n.load(Ordering::SeqCst) >= SEEN_MIN)
        })
    };
    // No request waits longer than the client's own patience, or sending it panics.
    let added = at_once(CLIENTS, |index| {
        let jo = &customers[index];
        let mut added = 0;
        while !is_over.load(Ordering::SeqCst) {
            reads.note(&jo.get(&shop, "/cart"));
            added += i64::from(adds.note(&jo.add(&shop, 41, 1)));
            if is_seen() || begun.elapsed() > PATIENCE {
                is_over.store(true, Ordering::SeqCst);
            }
        }
        added
    });
    assert!(is_seen(), "the crowd was never both accepted and refused");
    // Whoever watches over the shop was never in the crowd; and now everybody is let in again.
    for path in ["/healthz", "/readyz"] {
        expect(200, &shop.get(path).send());
    }
    for (jo, added) in customers.iter().zip(added) {
        assert_eq!(pieces(&jo.cart(&shop), 41), added, "what was accepted, and nothing else");
        expect(200, &jo.add(&shop, 42, 1));
    }
    check(&shop);
}

//! S4: how long an answer takes does not tell whether a phone has an account. No time is asserted:
//! two kinds of requests are compared with each other, in turns, within one run.

use std::time::{Duration, Instant};

use crate::codes::{SmsShop, wrong};
use crate::customer::{Customer, us_phone};

/// Pairs of requests in a round.
const PAIRS: usize = 100;

/// How far the medians may be apart. One more write to disk, or one left out, is more than that.
const FACTOR: u32 = 2;

/// A round that somebody else on the machine has spoilt is repeated; what tells an account apart
/// does so in every round.
const ROUNDS: usize = 3;

/// The medians of what `known` and `unknown` take, one after the other, each as often first.
fn medians(known: &dyn Fn(), unknown: &dyn Fn()) -> [Duration; 2] {
    let mut taken = [Vec::with_capacity(PAIRS), Vec::with_capacity(PAIRS)];
    for pair in 0..PAIRS {
        for turn in 0..2 {
            let which = (pair + turn) % 2;
            let begun = Instant::now();
            [known, unknown][which]();
            taken[which].push(begun.elapsed());
        }
    }
    taken.map(|mut taken| {
        taken.sort();
        taken[PAIRS / 2]
    })
}

fn take_as_long(what: &str, known: &dyn Fn(), unknown: &dyn Fn()) {
    let mut seen = Vec::new();
    for _ in 0..ROUNDS {
        let [known, unknown] = medians(known, unknown);
        if known <= unknown * FACTOR && unknown <= known * FACTOR {
            return;
        }
        seen.push([known, unknown]);
    }
    panic!("{what}: the times tell who has an account: {seen:?}");
}

fn shop() -> (SmsShop, String, String) {
    let at = SmsShop::with_limits(&[
        ("attempts_per_code", "1000000"),
        ("failures_per_ip_hour", "1000000"),
        ("failures_per_market_hour", "1000000"),
        ("resend_after", "1ms"),
        ("sends_per_phone", "1000000"),
        ("sends_per_ip_hour", "1000000"),
        ("sends_per_prefix_hour", "1000000"),
        ("sends_per_market_hour", "1000000"),
    ]);
    let (known, unknown) = (us_phone(1), us_phone(2));
    let jo = Customer::with_code(&at.shop, &known, &at.new_code(&known));
    // With something in the account that reading it could take time for.
    for n in 1..=5 {
        let address = serde_json::json!({ "full_address": format!("{n} Main St") });
        assert_eq!(jo.post(&at.shop, "/profile/addresses", &address).status, 201);
    }
    (at, known, unknown)
}

#[test]
fn s4_the_time_a_wrong_code_takes_does_not_tell_an_account() {
    let (at, known, unknown) = shop();
    let guess = |phone: &str, code: &str| {
        let answer = at.verify(phone, code);
        assert_eq!(answer.code(), "code_invalid", "{answer}");
    };
    let nothing_sent = [&known, &unknown].map(|phone| || guess(phone, "000000"));
    take_as_long("no code was sent", &nothing_sent[0], &nothing_sent[1]);
    let codes = [&known, &unknown].map(|phone| wrong(&at.new_code(phone), 0));
    let known_guess = || guess(&known, &codes[0]);
    let unknown_guess = || guess(&unknown, &codes[1]);
    take_as_long("a wrong code", &known_guess, &unknown_guess);
}

#[test]
fn s4_the_time_that_sending_a_code_takes_does_not_tell_an_account() {
    let (at, known, unknown) = shop();
    let send = |phone: &str| {
        let mut answer = at.send_code(phone);
        while answer.code() == "rate_limited" {
            // The clocks of two servers are a millisecond apart.
            answer = at.send_code(phone);
        }
        assert_eq!(answer.status, 200, "{answer}");
    };
    take_as_long("a code is sent", &|| send(&known), &|| send(&unknown));
}

/// That the comparison can fail: a request that does more is found out.
#[test]
fn the_comparison_of_times_can_fail() {
    let (at, known, unknown) = shop();
    let guess = |phone: &str| {
        at.verify(phone, "000000");
    };
    let thrice = || (0..3).for_each(|_| guess(&known));
    let [more, less] = medians(&thrice, &|| guess(&unknown));
    assert!(more > less * FACTOR, "three requests take {more:?} where one takes {less:?}");
}

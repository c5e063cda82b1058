//! Random entering: codes asked for, guessed, withdrawn, used; sign-outs and blocks in between.

use evercart_core::error::Result;
use evercart_core::guard::Done;
use evercart_core::sign_in::{
    Budget, CodeRequest, Granted, MARKET_FAILURES, Proof, SignInAttempt, SignInOutcome, UnsentCode,
};
use evercart_core::store::Store;
use jiff::SignedDuration;
use proptest::prelude::*;

use super::{difference, reason};
use crate::Backend;
use crate::model::Model;
use crate::shop::{
    Shop, address_hash, attempt, budget, by, code_request, free, key, phone, phone_hash,
    unsent_code,
};

const PHONES: u32 = 3;
const CODES: [&str; 3] = ["000001", "000002", "000003"];

/// One thing that happens.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A code is asked for, from one of two addresses, perhaps under a key, perhaps unlimited,
    /// perhaps with the token of some phone's customer.
    Ask {
        phone: u32,
        code: usize,
        from: u32,
        key: Option<u8>,
        limited: bool,
        token: Option<u32>,
    },
    /// A code is tried.
    Try {
        phone: u32,
        code: usize,
        from: u32,
        key: Option<u8>,
        test_phone: bool,
    },
    /// A code of the configuration is used.
    TryTestCode {
        phone: u32,
        from: u32,
    },
    /// A code could not be sent.
    Withdraw {
        phone: u32,
        code: usize,
        from: u32,
    },
    /// A code that was asked for under a key was sent.
    Confirm {
        phone: u32,
        key: u8,
    },
    /// The phone's latest session is ended by its owner.
    SignOut(u32),
    Block(u32),
    Unblock(u32),
    Wait(i64),
    Reopen,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let phone = || 0..PHONES;
    let code = || 0..CODES.len();
    let from = || 0..2_u32;
    let key = || prop::option::weighted(0.2, 0..3_u8);
    let token = prop::option::weighted(0.4, phone());
    let ask = (phone(), code(), from(), key(), prop::bool::weighted(0.7), token);
    let attempt = (phone(), code(), from(), key(), prop::bool::weighted(0.1));
    // Just under and over the resend time, the lifetime of a code and the two windows.
    let wait = prop::sample::select(vec![1, 30, 59, 61, 299, 599, 601, 899, 901, 3_599, 3_601]);
    prop_oneof![
        8 => ask.prop_map(|(phone, code, from, key, limited, token)| {
            Step::Ask { phone, code, from, key, limited, token }
        }),
        14 => attempt.prop_map(|(phone, code, from, key, test_phone)| {
            Step::Try { phone, code, from, key, test_phone }
        }),
        1 => (phone(), from()).prop_map(|(phone, from)| Step::TryTestCode { phone, from }),
        2 => (phone(), code(), from())
            .prop_map(|(phone, code, from)| Step::Withdraw { phone, code, from }),
        1 => (phone(), 0..3_u8).prop_map(|(phone, key)| Step::Confirm { phone, key }),
        2 => phone().prop_map(Step::SignOut),
        1 => phone().prop_map(Step::Block),
        1 => phone().prop_map(Step::Unblock),
        4 => wait.prop_map(Step::Wait),
        1 => Just(Step::Reopen),
    ]
}

/// Plays the steps on a new store and on the model.
pub(super) async fn play<B: Backend>(steps: Vec<Step>) -> Result<(), String> {
    let mut shop = Shop::<B>::open().await;
    let model = Model::new(shop.clock().clone()).store();
    for (place, step) in steps.into_iter().enumerate() {
        let what = format!("step {place}, {step:?}");
        match step {
            Step::Reopen => shop.reopen(),
            Step::Wait(seconds) => shop.wait(SignedDuration::from_secs(seconds)),
            step => {
                let answers = [answer(&*shop, &step).await, answer(&*model, &step).await];
                difference(&what, &answers[0], &answers[1])?;
            }
        }
        let users = [users(&*shop).await, users(&*model).await];
        difference(&what, &users[0], &users[1])?;
    }
    Ok(())
}

fn budgets(from: u32) -> Vec<Budget> {
    vec![budget("send_market", "us", 9), budget("send_ip", &format!("192.0.2.{from}"), 5)]
}

async fn answer(store: &dyn Store, step: &Step) -> String {
    match step.clone() {
        Step::Ask { phone: n, code, from, key: name, limited, token } => {
            let own = phone(n);
            let mut request = code_request(&own, CODES[code]);
            request.asked_from = address_hash(&address(from));
            if let Some(owner) = token {
                let file = store.find_user(phone(owner)).await;
                request.claimed_by = file.ok().map(|file| file.user.id);
            }
            if limited {
                request.budgets = budgets(from);
            } else {
                request.resend_after = None;
            }
            // A client that repeats itself does not choose the code.
            let idempotency = name.and_then(|name| key(&format!("ask {name}"), u8::from(limited)));
            let done = store.grant_code(CodeRequest { idempotency, ..request }).await;
            let told = |done: Done<Granted>| {
                format!("replayed: {}, half used: {:?}", done.replayed, done.value.half_used)
            };
            done.map_or_else(reason, told)
        }
        Step::Try { phone: n, code, from, key: name, test_phone } => {
            let attempt = SignInAttempt {
                is_test_phone: test_phone,
                failures: failures(from),
                from: address_hash(&address(from)),
                idempotency: name.and_then(|name| key(&format!("try {name}"), code as u8)),
                ..attempt(&phone(n), CODES[code])
            };
            outcome(store.sign_in(attempt).await)
        }
        Step::TryTestCode { phone: n, from } => {
            let attempt = SignInAttempt {
                proof: Proof::TestCode,
                is_test_phone: true,
                failures: failures(from),
                from: address_hash(&address(from)),
                ..attempt(&phone(n), CODES[0])
            };
            outcome(store.sign_in(attempt).await)
        }
        Step::Withdraw { phone: n, code, from } => {
            let phone = phone(n);
            let give_back = if code == 0 { Vec::new() } else { budgets(from) };
            let unsent = UnsentCode { give_back, ..unsent_code(&phone, CODES[code]) };
            store.withdraw_code(unsent).await.map_or_else(reason, |()| "withdrawn".into())
        }
        Step::Confirm { phone: n, key: name } => {
            let key = key(&format!("ask {name}"), 1).expect("a key");
            let done = store.confirm_code(phone_hash(&phone(n)), key).await;
            done.map_or_else(reason, |()| "confirmed".into())
        }
        Step::SignOut(n) => {
            let Ok(file) = store.find_user(phone(n)).await else { return "nobody".into() };
            let done = store.sign_out(file.user.session(), free()).await;
            done.map_or_else(reason, |_| "signed out".into())
        }
        Step::Block(n) => {
            store.block_user(phone(n), by()).await.map_or_else(reason, |_| "blocked".into())
        }
        Step::Unblock(n) => {
            store.unblock_user(phone(n), by()).await.map_or_else(reason, |_| "unblocked".into())
        }
        Step::Wait(_) | Step::Reopen => unreachable!("done by the caller"),
    }
}

fn address(n: u32) -> String {
    format!("192.0.2.{n}")
}

fn failures(from: u32) -> Vec<Budget> {
    vec![budget("fail_ip", &address(from), 7), budget(MARKET_FAILURES, "us", 9)]
}

fn outcome(outcome: Result<SignInOutcome>) -> String {
    match outcome {
        Ok(SignInOutcome::SignedIn { replayed: true, .. }) => "let in once more".into(),
        Ok(SignInOutcome::SignedIn { is_new, .. }) => format!("let in, new: {is_new}"),
        Ok(SignInOutcome::CodeInvalid) => "wrong code".into(),
        Ok(SignInOutcome::PhoneMoved { until }) => format!("moved, kept until {until:?}"),
        Err(error) => reason(error),
    }
}

/// Who is known and who is in.
async fn users(store: &dyn Store) -> String {
    let mut seen = Vec::new();
    for n in 0..PHONES {
        seen.push(match store.find_user(phone(n)).await {
            Ok(file) => {
                let user = file.user;
                let (active, blocked) = (user.is_active, user.blocked_at.is_some());
                let (epoch, login) = (user.session_epoch, user.last_login);
                format!("{n}: active {active}, blocked {blocked}, epoch {epoch}, login {login:?}")
            }
            Err(error) => reason(error),
        });
    }
    seen.join("\n")
}

//! What guessers, owners and operators do to sessions at the same moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use evercart_core::error::Refused;
use evercart_core::sign_in::{CodeRequest, SignInAttempt, SignInOutcome};
use evercart_core::store::Store;
use evercart_core::user::Session;

use crate::Backend;
use crate::concurrency::{at_once, sorted_out};
use crate::shop::{
    ATTEMPTS_MAX, CODE, Customer, MUG, Shop, attempt, budget, by, code_request, free, phone,
    refused, signed_in, test_attempt,
};

/// S2: once the answer to a logout is known, nothing that starts with an older session is let in,
/// and nothing that was let in before takes effect any more.
pub async fn logout_is_a_line_no_write_crosses<B: Backend>(shop: &mut Shop<B>) {
    for round in 0..8 {
        let me = shop.customer().await;
        let race = Arc::new(Race::default());
        at_once(9, shop.store(), |n, store| {
            let (race, me) = (race.clone(), me.clone());
            async move {
                match n {
                    8 => race.sign_out(&*store, &me, 8 * (round % 4)).await,
                    n => race.use_session(&*store, me.session, n < 4).await,
                }
            }
        })
        .await;
        assert_eq!(race.late.load(Ordering::SeqCst), 0, "let in after the logout was known");
        let kept = race.kept.load(Ordering::SeqCst);
        let again = shop.sign_in_with(&me.phone).await;
        let now = shop.cart(again).await.unwrap().pieces();
        assert_eq!(now, kept, "round {round}: took effect after the logout was known");
        assert_eq!(now, race.added.load(Ordering::SeqCst), "round {round}");
        assert_eq!(refused(shop.cart(me.session).await), Refused::SignedOut);
    }
}

/// Tasks that use a session while another ends it.
#[derive(Default)]
struct Race {
    /// The answer to the logout is known.
    is_out: AtomicBool,
    /// Pieces whose adding was acknowledged.
    added: AtomicU64,
    /// Pieces that were in the cart when the answer to the logout was known.
    kept: AtomicU64,
    /// Operations that were let in although they started after that.
    late: AtomicU64,
}

impl Race {
    /// Logs out once so much was added, and comes back at once to see what is in the cart.
    async fn sign_out(&self, store: &dyn Store, me: &Customer, after: u64) {
        while self.added.load(Ordering::SeqCst) < after {
            tokio::task::yield_now().await;
        }
        store.sign_out(me.session, free()).await.unwrap();
        self.is_out.store(true, Ordering::SeqCst);
        let again = signed_in(store.sign_in(test_attempt(&me.phone)).await).session();
        self.kept.store(store.cart(again).await.unwrap().pieces(), Ordering::SeqCst);
    }

    /// Adds or looks, until it was refused three times after the logout.
    async fn use_session(&self, store: &dyn Store, session: Session, adds: bool) {
        let mut tries_after = 0;
        while tries_after < 3 {
            let was_out = self.is_out.load(Ordering::SeqCst);
            let let_in = if adds {
                let added = store.add_to_cart(session, MUG, 1, free()).await.is_ok();
                self.added.fetch_add(u64::from(added), Ordering::SeqCst);
                added
            } else {
                store.cart(session).await.is_ok()
            };
            self.late.fetch_add(u64::from(was_out && let_in), Ordering::SeqCst);
            tries_after += u32::from(was_out);
            // A store that never waits must not keep the logout from its turn.
            tokio::task::yield_now().await;
        }
    }
}

/// S2: the same with an operator's block.
pub async fn a_block_is_a_line_no_write_crosses<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    let (session, phone) = (me.session, me.phone.clone());
    let blocked = Arc::new(AtomicBool::new(false));
    let late = at_once(8, shop.store(), |n, store| {
        let (blocked, phone) = (blocked.clone(), phone.clone());
        async move {
            if n == 0 {
                store.block_user(phone, by()).await.unwrap();
                blocked.store(true, Ordering::SeqCst);
                return 0;
            }
            let (mut late, mut tries) = (0, 0);
            while tries < 3 {
                let was_blocked = blocked.load(Ordering::SeqCst);
                let let_in = store.add_to_cart(session, MUG, 1, free()).await.is_ok();
                late += u32::from(was_blocked && let_in);
                tries += u32::from(was_blocked);
                tokio::task::yield_now().await;
            }
            late
        }
    })
    .await;
    assert_eq!(late.iter().sum::<u32>(), 0, "let in after the block was known");
}

/// S4: wrong codes tried at once share the five attempts.
pub async fn parallel_guesses_share_the_attempts<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    shop.grant_code(code_request(&phone, CODE)).await.unwrap();
    let guessed = phone.clone();
    let answers = at_once(32, shop.store(), move |n, store| {
        let attempt = attempt(&guessed, &format!("9{n:05}"));
        async move { store.sign_in(attempt).await }
    })
    .await;
    let (done, refusals) = sorted_out(answers);
    assert_eq!(done, vec![SignInOutcome::CodeInvalid; ATTEMPTS_MAX as usize]);
    assert_eq!(refusals.len(), 27);
    let too_many = |refusal: &Refused| matches!(refusal, Refused::TooManyAttempts { .. });
    assert!(refusals.iter().all(too_many), "{refusals:?}");
    assert!(too_many(&refused(shop.sign_in(attempt(&phone, CODE)).await)));
}

/// S4: one code tried 32 times at once opens the door once.
pub async fn one_code_signs_in_once<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    shop.grant_code(code_request(&phone, CODE)).await.unwrap();
    let answers = at_once(32, shop.store(), move |_, store| {
        let attempt = attempt(&phone, CODE);
        async move { store.sign_in(attempt).await }
    })
    .await;
    let (done, refusals) = sorted_out(answers);
    assert_eq!(refusals, []);
    let let_in = |outcome: &&SignInOutcome| matches!(outcome, SignInOutcome::SignedIn { .. });
    assert_eq!(done.iter().filter(let_in).count(), 1);
}

/// G2: a new phone that signs in 16 times at once becomes one user.
pub async fn a_new_phone_becomes_one_user<B: Backend>(shop: &mut Shop<B>) {
    let answers = at_once(16, shop.store(), move |_, store| async move {
        store.sign_in(test_attempt(&phone(1))).await
    })
    .await;
    let (done, _) = sorted_out(answers);
    let mut users = Vec::new();
    let mut new = 0;
    for outcome in done {
        let SignInOutcome::SignedIn { user, is_new, .. } = outcome else { panic!("{outcome:?}") };
        users.push(user.id);
        new += u32::from(is_new);
    }
    users.dedup();
    assert_eq!((users.len(), new), (1, 1));
}

/// S5: a budget of 10 sends exactly 10 codes, however many ask at once.
pub async fn parallel_sends_share_the_budget<B: Backend>(shop: &mut Shop<B>) {
    let answers = at_once(32, shop.store(), |n, store| {
        let request = CodeRequest {
            budgets: vec![budget("send_market", "us", 1_000), budget("send_ip", "192.0.2.1", 10)],
            ..code_request(&phone(n), CODE)
        };
        async move { store.grant_code(request).await }
    })
    .await;
    let (done, refusals) = sorted_out(answers);
    assert_eq!((done.len(), refusals.len()), (10, 22));
    let limited = |refusal: &Refused| matches!(refusal, Refused::RateLimited { .. });
    assert!(refusals.iter().all(limited), "{refusals:?}");
}

/// S4: an address shares its wrong codes over all phones it tries at once.
pub async fn parallel_guesses_share_the_addresses_budget<B: Backend>(shop: &mut Shop<B>) {
    let answers = at_once(32, shop.store(), |n, store| {
        let failures = vec![budget("fail_ip", "192.0.2.1", 10)];
        let attempt = SignInAttempt { failures, ..attempt(&phone(n), CODE) };
        async move { store.sign_in(attempt).await }
    })
    .await;
    let (done, refusals) = sorted_out(answers);
    assert_eq!((done.len(), refusals.len()), (10, 22));
}

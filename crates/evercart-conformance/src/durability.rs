//! Durability: what was acknowledged is there after the store is closed and opened again. Whether
//! it is there after the power fails, a test that kills the program shows.

use evercart_core::error::Refused;
use evercart_core::ids::OrderId;
use evercart_core::sign_in::{CodeRequest, SignInAttempt, SignInOutcome};
use jiff::SignedDuration;

use crate::Backend;
use crate::shop::{
    ATTEMPTS_MAX, CODE, MUG, PLENTY, SCARF, Shop, attempt, budget, by, checkout, code_request,
    free, key, keyed, page, phone, refused, signed_in,
};
use crate::survival::settled_customer;
use evercart_core::catalogue::ProductQuery;

/// G1: all that a customer has, and the catalogue.
pub async fn everything_survives_a_restart<B: Backend>(shop: &mut Shop<B>) {
    let me = settled_customer(shop).await.session;
    let before = shop.belongings(me).await;
    let catalogue = shop.export_catalogue().await.unwrap();
    let counts = shop.check().await.unwrap().counts;
    for _ in 0..3 {
        shop.reopen();
        assert_eq!(shop.belongings(me).await, before);
        assert_eq!(shop.export_catalogue().await.unwrap(), catalogue);
        assert_eq!(shop.check().await.unwrap().counts, counts);
    }
    let query = ProductQuery { search: Some("шарф".into()), category: None };
    let found = shop.products(query, page(10, 0)).await.unwrap().items;
    assert_eq!(found.iter().map(|product| product.id).collect::<Vec<_>>(), [SCARF]);
}

/// G1: each single write, right after its answer.
pub async fn every_acknowledged_write_is_there<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    for n in 1..=5 {
        let cart = shop.add_to_cart(me, MUG, 1, free()).await.unwrap().value;
        shop.reopen();
        assert_eq!(shop.cart(me).await.unwrap(), cart);
        let order = shop.checkout(me, checkout(), free()).await.unwrap().value;
        shop.reopen();
        assert_eq!(shop.order(me, order.id).await.unwrap(), order);
        assert_eq!(order.id, OrderId(1_000 + n));
        let cart = shop.cart(me).await.unwrap();
        assert_eq!((cart.version, cart.lines.len()), (2 * n, 0));
    }
    assert_eq!(shop.on_hand(MUG).await, PLENTY - 5);
    shop.cancel_order(me, OrderId(1_003), free()).await.unwrap();
    shop.reopen();
    assert_eq!(shop.on_hand(MUG).await, PLENTY - 4);
}

/// Ids given out before are not given out again.
pub async fn ids_go_on_counting<B: Backend>(shop: &mut Shop<B>) {
    let first = settled_customer(shop).await.session;
    shop.clear_cart(first, free()).await.unwrap();
    let addresses = shop.addresses(first).await.unwrap();
    for address in &addresses {
        shop.remove_address(first, address.id, free()).await.unwrap();
    }
    shop.reopen();
    let line = shop.add_to_cart(first, MUG, 1, free()).await.unwrap().value.lines[0].id;
    assert_eq!(line.0, 5);
    let added = shop.add_address(first, addresses[0].fields.clone(), false, free()).await.unwrap();
    assert_eq!(added.value.id.0, 3);
    let second = shop.customer().await.session;
    assert_ne!(second.user_id, first.user_id);
}

/// G5: keys are remembered with their effects.
pub async fn idempotency_keys_survive_a_restart<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 2, keyed("add", 1)).await.unwrap();
    shop.reopen();
    let done = shop.add_to_cart(me, MUG, 2, keyed("add", 1)).await.unwrap();
    assert_eq!((done.replayed, done.value.pieces()), (true, 2));
    assert_eq!(
        refused(shop.add_to_cart(me, MUG, 2, keyed("add", 2)).await),
        Refused::IdempotencyKeyReused
    );
    let order = shop.checkout(me, checkout(), keyed("buy", 3)).await.unwrap().value;
    shop.reopen();
    let done = shop.checkout(me, checkout(), keyed("buy", 3)).await.unwrap();
    assert_eq!((done.replayed, done.value), (true, order));
    shop.sign_out(me, keyed("out", 4)).await.unwrap();
    shop.reopen();
    assert!(shop.sign_out(me, keyed("out", 4)).await.unwrap().replayed);
}

/// G5: of signing in, too.
pub async fn keys_of_signing_in_survive_a_restart<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    let request = || CodeRequest { idempotency: key("send", 1), ..code_request(&phone, CODE) };
    let enter = || SignInAttempt { idempotency: key("in", 2), ..attempt(&phone, CODE) };
    assert!(!shop.grant_code(request()).await.unwrap().replayed);
    shop.reopen();
    assert!(shop.grant_code(request()).await.unwrap().replayed);
    let first = signed_in(shop.sign_in(enter()).await);
    shop.reopen();
    let outcome = shop.sign_in(enter()).await.unwrap();
    let SignInOutcome::SignedIn { user, replayed: true, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(user.session(), first.session());
}

/// S2: a restart signs nobody in again, and nobody out.
pub async fn sessions_survive_a_restart_as_they_are<B: Backend>(shop: &mut Shop<B>) {
    let (inside, gone, back, blocked) = (
        shop.customer().await,
        shop.customer().await,
        shop.customer().await,
        shop.customer().await,
    );
    shop.sign_out(gone.session, free()).await.unwrap();
    shop.sign_out(back.session, free()).await.unwrap();
    let again = shop.sign_in_with(&back.phone).await;
    shop.block_user(blocked.phone.clone(), by()).await.unwrap();
    shop.reopen();
    shop.user(inside.session).await.unwrap();
    shop.user(again).await.unwrap();
    assert_eq!(refused(shop.user(gone.session).await), Refused::SignedOut);
    assert_eq!(refused(shop.user(back.session).await), Refused::SignedOut);
    assert_eq!(refused(shop.user(blocked.session).await), Refused::UserBlocked);
    assert!(shop.find_user(blocked.phone).await.unwrap().user.blocked_at.is_some());
}

/// S4: codes and attempts are the store's, so a restart buys no guesses.
pub async fn codes_and_attempts_survive_a_restart<B: Backend>(shop: &mut Shop<B>) {
    let (fine, guessed) = (phone(1), phone(2));
    for phone in [&fine, &guessed] {
        shop.grant_code(code_request(phone, CODE)).await.unwrap();
    }
    for _ in 0..ATTEMPTS_MAX {
        shop.reopen();
        let outcome = shop.sign_in(attempt(&guessed, "999999")).await.unwrap();
        assert_eq!(outcome, SignInOutcome::CodeInvalid);
    }
    shop.reopen();
    let refusal = refused(shop.sign_in(attempt(&guessed, CODE)).await);
    assert!(matches!(refusal, Refused::TooManyAttempts { .. }), "{refusal:?}");
    let refusal = refused(shop.grant_code(code_request(&fine, CODE)).await);
    assert!(matches!(refusal, Refused::RateLimited { .. }), "{refusal:?}");
    signed_in(shop.sign_in(attempt(&fine, CODE)).await);
    shop.reopen();
    let again = shop.sign_in(attempt(&fine, CODE)).await.unwrap();
    assert_eq!(again, SignInOutcome::CodeInvalid);
}

/// S5: budgets are the store's, so a restart refills none.
pub async fn budgets_survive_a_restart<B: Backend>(shop: &mut Shop<B>) {
    let budgets = || vec![budget("send_ip", "192.0.2.1", 2)];
    let request = |n| CodeRequest { budgets: budgets(), ..code_request(&phone(n), CODE) };
    let guess = |n| SignInAttempt {
        failures: vec![budget("fail_ip", "192.0.2.1", 2)],
        ..attempt(&phone(n), CODE)
    };
    for n in [1, 2] {
        shop.grant_code(request(n)).await.unwrap();
        assert_eq!(shop.sign_in(guess(n + 10)).await.unwrap(), SignInOutcome::CodeInvalid);
        shop.reopen();
    }
    let refusal = refused(shop.grant_code(request(3)).await);
    assert!(matches!(refusal, Refused::RateLimited { .. }), "{refusal:?}");
    let refusal = refused(shop.sign_in(guess(1)).await);
    assert!(matches!(refusal, Refused::TooManyAttempts { .. }), "{refusal:?}");
    shop.wait(SignedDuration::from_hours(1));
    shop.reopen();
    shop.grant_code(request(3)).await.unwrap();
}

/// G1: what many wrote at once and were told, is there.
pub async fn parallel_writes_survive_a_restart<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let store = shop.store();
            tokio::spawn(async move { store.add_to_cart(me, MUG, 1, free()).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    shop.reopen();
    assert_eq!(shop.cart(me).await.unwrap().pieces(), 64);
}

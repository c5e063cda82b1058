//! Accounts as a whole: another phone, a copy of everything, the end.

use evercart_core::account::{EXPORTED_ORDERS, OpenOrders, PhoneChange, Proven};
use evercart_core::error::{Refused, Result};
use evercart_core::guard::Done;
use evercart_core::sign_in::{SignInAttempt, SignInOutcome};
use evercart_core::user::User;
use jiff::SignedDuration;

use crate::Backend;
use crate::concurrency::at_once;
use crate::shop::{
    ATTEMPTS_MAX, CODE, CODE_LIFETIME, MUG, SCARF_RED, Shop, attempt, by, checkout, code_request,
    free, items, keyed, phone, phone_change, phone_code_request, refused, signed_in, test_attempt,
};
use crate::survival::settled_customer;

const WRONG: &str = "999999";

/// What was done. Fails if it was not.
#[track_caller]
fn done<T: std::fmt::Debug>(outcome: Result<Proven<T>>) -> Done<T> {
    match outcome {
        Ok(Proven::Done(done)) => done,
        other => panic!("was not done: {other:?}"),
    }
}

/// A change of phone whose new phone has a code of its own.
fn test_change(user: &User, number: u32) -> PhoneChange {
    let new = phone(number);
    PhoneChange { attempt: test_attempt(&new), ..phone_change(user.id, &user.phone, &new, CODE) }
}

/// G7: the id stays, and with it everything; every token of before is dead.
pub async fn a_new_phone_keeps_everything_and_ends_every_token<B: Backend>(shop: &mut Shop<B>) {
    let me = settled_customer(shop).await;
    let second_device = shop.sign_in_with(&me.phone).await;
    let before = shop.belongings(me.session).await;
    let (id, new) = (me.session.user_id, phone(900));
    shop.grant_code(phone_code_request(id, &new, CODE)).await.unwrap();
    let change = phone_change(id, &me.phone, &new, CODE);
    let changed = done(shop.change_phone(me.session, change, free()).await);
    assert!(!changed.replayed);
    assert_eq!((changed.value.id, &changed.value.phone), (id, &new));
    for dead in [me.session, second_device] {
        assert_eq!(refused(shop.cart(dead).await), Refused::SignedOut);
    }
    let after = shop.belongings(changed.value.session()).await;
    assert_eq!(after.user, changed.value);
    assert_eq!((&before.cart, &before.orders), (&after.cart, &after.orders));
    assert_eq!((&before.wishlist, &before.addresses), (&after.wishlist, &after.addresses));
    // The code is used up; the new phone signs in as the same customer, the old one as another.
    let again = shop.sign_in(attempt(&new, CODE)).await.unwrap();
    assert_eq!(again, SignInOutcome::CodeInvalid);
    assert_eq!(shop.sign_in_with(&new).await.user_id, id);
    let newcomer = shop.sign_in_with(&me.phone).await;
    assert_ne!(newcomer.user_id, id);
    assert_eq!(shop.cart(newcomer).await.unwrap().lines, []);
}

/// S4: bound to phone, purpose and customer.
pub async fn a_code_for_a_new_phone_is_one_customers_and_for_nothing_else<B: Backend>(
    shop: &mut Shop<B>,
) {
    let (ann, bob) = (shop.customer().await, shop.customer().await);
    let new = phone(900);
    shop.grant_code(phone_code_request(ann.session.user_id, &new, CODE)).await.unwrap();
    let bobs = phone_change(bob.session.user_id, &bob.phone, &new, CODE);
    let outcome = shop.change_phone(bob.session, bobs, free()).await.unwrap();
    assert_eq!(outcome, Proven::CodeInvalid, "Ann's code is not Bob's");
    let outcome = shop.sign_in(attempt(&new, CODE)).await.unwrap();
    assert_eq!(outcome, SignInOutcome::CodeInvalid, "nobody signs in with it");
    // And the code of a sign-in moves no account.
    let other = phone(901);
    shop.grant_code(code_request(&other, CODE)).await.unwrap();
    let change = phone_change(ann.session.user_id, &ann.phone, &other, CODE);
    let outcome = shop.change_phone(ann.session, change, free()).await.unwrap();
    assert_eq!(outcome, Proven::CodeInvalid);
    let change = phone_change(ann.session.user_id, &ann.phone, &new, CODE);
    assert_eq!(done(shop.change_phone(ann.session, change, free()).await).value.phone, new);
}

/// A phone is one customer's, by the schema.
pub async fn anothers_phone_stays_anothers<B: Backend>(shop: &mut Shop<B>) {
    let (ann, bob) = (settled_customer(shop).await, settled_customer(shop).await);
    let before = [shop.belongings(ann.session).await, shop.belongings(bob.session).await];
    let id = ann.session.user_id;
    shop.grant_code(phone_code_request(id, &bob.phone, CODE)).await.unwrap();
    let change = || phone_change(id, &ann.phone, &bob.phone, CODE);
    let wrong = PhoneChange { attempt: attempt(&bob.phone, WRONG), ..change() };
    let outcome = shop.change_phone(ann.session, wrong, free()).await.unwrap();
    assert_eq!(outcome, Proven::CodeInvalid, "without the code nobody is told that it is taken");
    let refusal = refused(shop.change_phone(ann.session, change(), keyed("take", 1)).await);
    assert_eq!(refusal, Refused::PhoneTaken);
    let after = [shop.belongings(ann.session).await, shop.belongings(bob.session).await];
    assert_eq!(before, after);
    assert_eq!(shop.sign_in_with(&bob.phone).await.user_id, bob.session.user_id);
}

/// S4: as many guesses as for signing in.
pub async fn wrong_codes_for_a_new_phone_count<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    let (id, new) = (me.session.user_id, phone(900));
    shop.grant_code(phone_code_request(id, &new, CODE)).await.unwrap();
    for _ in 0..ATTEMPTS_MAX {
        let wrong = phone_change(id, &me.phone, &new, WRONG);
        let outcome = shop.change_phone(me.session, wrong, free()).await.unwrap();
        assert_eq!(outcome, Proven::CodeInvalid);
    }
    let right = phone_change(id, &me.phone, &new, CODE);
    let refusal = refused(shop.change_phone(me.session, right, free()).await);
    assert!(matches!(refusal, Refused::TooManyAttempts { .. }), "{refusal:?}");
    assert_eq!(shop.user(me.session).await.unwrap().phone, me.phone);
}

/// G5: whoever did not hear the answer asks again, with the token that is dead now.
pub async fn a_repeated_change_of_phone_is_one_change<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    let (id, new) = (me.session.user_id, phone(900));
    shop.grant_code(phone_code_request(id, &new, CODE)).await.unwrap();
    let change = || phone_change(id, &me.phone, &new, CODE);
    let first = done(shop.change_phone(me.session, change(), keyed("move", 1)).await);
    let second = done(shop.change_phone(me.session, change(), keyed("move", 1)).await);
    assert_eq!((first.replayed, second.replayed), (false, true));
    assert_eq!(first.value, second.value);
    for guard in [free(), keyed("other", 1), keyed("move", 2)] {
        let refusal = refused(shop.change_phone(me.session, change(), guard).await);
        assert_eq!(refusal, Refused::SignedOut, "that is not the same request");
    }
    shop.wait(CODE_LIFETIME);
    let late = shop.change_phone(me.session, change(), keyed("move", 1)).await;
    assert_eq!(refused(late), Refused::SignedOut, "a used code opens for no longer than a new one");
    let session = second.value.session();
    shop.cart(session).await.unwrap();

    let next = || test_change(&second.value, 901);
    done(shop.change_phone(session, next(), keyed("again", 3)).await);
    let last = done(shop.change_phone(session, next(), keyed("again", 3)).await);
    shop.sign_out(last.value.session(), free()).await.unwrap();
    let refusal = refused(shop.change_phone(session, next(), keyed("again", 3)).await);
    assert_eq!(refusal, Refused::SignedOut, "nobody is signed in by a repeat after signing out");
}

/// One phone, many customers who show that it is theirs: one gets it, and nothing is half done.
pub async fn one_phone_goes_to_one_of_many_who_want_it<B: Backend>(shop: &mut Shop<B>) {
    let customers = shop.customers(6).await;
    let mut users = Vec::new();
    for customer in &customers {
        users.push(shop.user(customer.session).await.unwrap());
    }
    let outcomes = at_once(6, shop.store(), |n, store| {
        let (session, change) =
            (customers[n as usize].session, test_change(&users[n as usize], 900));
        async move { store.change_phone(session, change, free()).await }
    })
    .await;
    let mut owners = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(Proven::Done(done)) => owners.push(done.value.id),
            other => assert_eq!(refused(other), Refused::PhoneTaken),
        }
    }
    assert_eq!(owners.len(), 1, "{owners:?}");
    assert_eq!(shop.sign_in_with(&phone(900)).await.user_id, owners[0]);
    for customer in customers.iter().filter(|one| one.session.user_id != owners[0]) {
        assert_eq!(shop.user(customer.session).await.unwrap().phone, customer.phone);
    }
}

/// The first sign-in with a phone and a move to it at the same moment: one comes first.
pub async fn a_new_phone_meets_a_sign_in_with_it<B: Backend>(shop: &mut Shop<B>) {
    for round in 0..8 {
        let me = shop.customer().await;
        let user = shop.user(me.session).await.unwrap();
        let outcomes = at_once(2, shop.store(), |n, store| {
            let (session, change) = (me.session, test_change(&user, 900 + round));
            async move {
                match n {
                    0 => match store.change_phone(session, change, free()).await {
                        Ok(Proven::Done(done)) => Some(done.value.id),
                        other => {
                            assert_eq!(refused(other), Refused::PhoneTaken);
                            None
                        }
                    },
                    _ => Some(signed_in(store.sign_in(change.attempt).await).id),
                }
            }
        })
        .await;
        let owner = outcomes[1].expect("a sign-in with the right code succeeds");
        match outcomes[0] {
            // Whoever signed in after the move is its customer, whoever did before is another.
            Some(mover) => assert_eq!(mover, owner, "round {round}"),
            None => assert_ne!(owner, me.session.user_id, "round {round}"),
        }
    }
}

/// A code shows once that the phone is the customer's own, and no other phone does.
pub async fn a_phone_is_proven_once_a_code<B: Backend>(shop: &mut Shop<B>) {
    let (me, other) = (shop.customer().await, shop.customer().await);
    shop.grant_code(code_request(&me.phone, CODE)).await.unwrap();
    let prove =
        |attempt: SignInAttempt, key| shop.prove_phone(me.session, Some(attempt), keyed(key, 1));
    let wrong = prove(attempt(&me.phone, WRONG), "prove").await.unwrap();
    assert_eq!(wrong, Proven::CodeInvalid);
    assert!(!done(prove(attempt(&me.phone, CODE), "prove").await).replayed);
    assert!(done(prove(attempt(&me.phone, CODE), "prove").await).replayed);
    let again = prove(attempt(&me.phone, CODE), "again").await.unwrap();
    assert_eq!(again, Proven::CodeInvalid, "a code is good once");
    shop.grant_code(code_request(&other.phone, CODE)).await.unwrap();
    let anothers = prove(attempt(&other.phone, CODE), "again").await.unwrap();
    assert_eq!(anothers, Proven::CodeInvalid);
    assert_eq!(shop.sign_in(attempt(&me.phone, CODE)).await.unwrap(), SignInOutcome::CodeInvalid);
    assert!(!done(shop.prove_phone(me.session, None, keyed("none", 1)).await).replayed);
    let reused = shop.prove_phone(me.session, None, keyed("none", 2)).await;
    assert_eq!(refused(reused), Refused::IdempotencyKeyReused);
}

/// All there is, of one moment, and of nobody else.
pub async fn an_export_has_everything_and_nobody_elses<B: Backend>(shop: &mut Shop<B>) {
    settled_customer(shop).await;
    let me = settled_customer(shop).await;
    shop.sign_user_out(me.phone.clone(), by()).await.unwrap();
    let session = shop.sign_in_with(&me.phone).await;
    shop.add_to_cart(session, MUG, 1, keyed("one more", 1)).await.unwrap();
    let export = shop.export(session).await.unwrap();
    let belongings = shop.belongings(session).await;
    assert_eq!(export.user, belongings.user);
    assert_eq!((export.cart, export.wishlist), (belongings.cart, belongings.wishlist));
    assert_eq!((&export.orders, &export.addresses), (&belongings.orders, &belongings.addresses));
    assert_eq!(shop.export_orders(session, None).await.unwrap(), belongings.orders);
    let actions: Vec<_> = export.operator_actions.iter().map(|one| one.action.as_str()).collect();
    assert_eq!(actions, ["sign-out"]);
    let keys = shop.export_keys(session, None).await.unwrap();
    assert_eq!(keys.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["one more"]);
}

/// However many orders and keys there are: a page at a time, each of them once, though more come
/// in between.
pub async fn an_export_is_read_in_pages<B: Backend>(shop: &mut Shop<B>) {
    let (me, other) = (shop.customer().await.session, shop.customer().await.session);
    let buy = async |session, number: u32| {
        let guard = keyed(&format!("order {number:02}"), number as u8);
        let bought = shop.order_items(session, items(&[(MUG, 1)]), checkout(), guard).await;
        bought.unwrap().value.id
    };
    let mut placed = Vec::new();
    for number in 0..EXPORTED_ORDERS + 2 {
        placed.push(buy(me, number).await);
        buy(other, number).await;
    }
    placed.reverse();
    let first = shop.export_orders(me, None).await.unwrap();
    assert_eq!(first.len(), EXPORTED_ORDERS as usize);
    assert_eq!(shop.export(me).await.unwrap().orders, first);
    buy(me, 99).await;
    let rest = shop.export_orders(me, first.last().map(|order| order.id)).await.unwrap();
    let seen: Vec<_> = first.iter().chain(&rest).map(|order| order.id).collect();
    assert_eq!(seen, placed);
    assert!(shop.export_orders(me, rest.last().map(|order| order.id)).await.unwrap().is_empty());

    let keys = shop.export_keys(me, Some("order 03".into())).await.unwrap();
    let keys: Vec<_> = keys.iter().map(|used| used.key.as_str()).collect();
    assert_eq!((keys[0], keys[keys.len() - 1]), ("order 04", "order 99"));
    assert_eq!(keys.len(), EXPORTED_ORDERS as usize - 1);
}

/// Orders are the shop's books; all else is gone, and the phone begins anew.
pub async fn erasing_leaves_orders_without_their_customer<B: Backend>(shop: &mut Shop<B>) {
    let me = settled_customer(shop).await;
    let bystander = settled_customer(shop).await;
    let bystanders = shop.belongings(bystander.session).await;
    let before = (shop.check().await.unwrap().counts, shop.on_hand(SCARF_RED).await);
    assert!(before.0.orders >= 2);
    shop.grant_code(code_request(&me.phone, CODE)).await.unwrap();
    let erased =
        done(shop.erase(me.session, attempt(&me.phone, CODE), OpenOrders::Keep, free()).await);
    assert!(!erased.replayed);
    assert_eq!(refused(shop.cart(me.session).await), Refused::SignedOut);
    assert!(matches!(refused(shop.find_user(me.phone.clone()).await), Refused::NotFound { .. }));
    let after = (shop.check().await.unwrap().counts, shop.on_hand(SCARF_RED).await);
    assert_eq!((after.0.orders, after.0.users), (before.0.orders, before.0.users));
    assert_eq!(after.1, before.1, "what was sold stays sold");
    assert!(after.0.cart_lines < before.0.cart_lines && after.0.wishes < before.0.wishes);

    assert_eq!(shop.belongings(bystander.session).await, bystanders);

    let newcomer = shop.sign_in_with(&me.phone).await;
    assert_ne!(newcomer.user_id, me.session.user_id);
    let newcomers = shop.belongings(newcomer).await;
    assert_eq!((newcomers.cart.version, newcomers.user.full_name), (0, None));
    assert!(newcomers.orders.is_empty() && newcomers.addresses.is_empty());
    assert!(newcomers.wishlist.wishes.is_empty());
    shop.add_to_cart(newcomer, MUG, 1, free()).await.unwrap();
    shop.checkout(newcomer, checkout(), free()).await.unwrap();
}

/// A token alone erases nothing.
pub async fn erasing_needs_the_right_code<B: Backend>(shop: &mut Shop<B>) {
    let (me, other) = (settled_customer(shop).await, shop.customer().await);
    let before = shop.belongings(me.session).await;
    for phone in [&me.phone, &other.phone] {
        shop.grant_code(code_request(phone, CODE)).await.unwrap();
    }
    for attempt in [attempt(&me.phone, WRONG), attempt(&other.phone, CODE)] {
        let outcome =
            shop.erase(me.session, attempt, OpenOrders::Keep, keyed("erase", 1)).await.unwrap();
        assert_eq!(outcome, Proven::CodeInvalid);
    }
    shop.wait(CODE_LIFETIME);
    let late =
        shop.erase(me.session, attempt(&me.phone, CODE), OpenOrders::Keep, free()).await.unwrap();
    assert_eq!(late, Proven::CodeInvalid);
    assert_eq!(shop.belongings(me.session).await, before);
}

/// G5: once, however often it is asked for.
pub async fn a_repeated_erasure_succeeds<B: Backend>(shop: &mut Shop<B>) {
    let me = settled_customer(shop).await;
    shop.grant_code(code_request(&me.phone, CODE)).await.unwrap();
    let erase = |key: &'static str| {
        shop.erase(me.session, attempt(&me.phone, CODE), OpenOrders::Keep, keyed(key, 1))
    };
    assert!(!done(erase("erase").await).replayed);
    assert!(done(erase("erase").await).replayed);
    assert_eq!(refused(erase("other").await), Refused::SignedOut);
    let newcomer = shop.sign_in_with(&me.phone).await;
    shop.add_to_cart(newcomer, MUG, 1, free()).await.unwrap();
    assert!(done(erase("erase").await).replayed);
    assert_eq!(shop.cart(newcomer).await.unwrap().lines.len(), 1, "the newcomer is another");
    shop.wait(SignedDuration::from_hours(24));
    assert_eq!(refused(erase("erase").await), Refused::SignedOut);
}

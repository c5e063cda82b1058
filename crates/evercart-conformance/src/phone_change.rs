//! Changes of phone after the fact: an account that somebody took over can be stopped and given
//! back.

use evercart_core::account::{OpenOrders, PhoneChange, Proven};
use evercart_core::clock::Clock;
use evercart_core::error::{Refused, Result};
use evercart_core::guard::Done;
use evercart_core::ids::UserId;
use evercart_core::operator::{MoveBack, PhoneChangeState};
use evercart_core::phone::Phone;
use evercart_core::sign_in::{CodeRequest, SignInAttempt, SignInOutcome};
use evercart_core::user::{Session, User};
use jiff::{SignedDuration, Timestamp};

use crate::Backend;
use crate::shop::{
    ATTEMPTS_MAX, CODE, Customer, Shop, attempt, by, code_request, free, key, phone, phone_change,
    phone_code_request, phone_hash, refused, stop_attempt, stop_code_request, test_attempt,
};
use crate::survival::settled_customer;

const WRONG: &str = "999999";

/// How long the old phone can stop a change.
pub(crate) const HOLD: SignedDuration = SignedDuration::from_hours(24);

/// A customer whose account was moved to another phone.
pub(crate) struct Moved {
    /// Who, with the phone and the session of before.
    pub(crate) owner: Customer,
    /// The phone the account has now.
    pub(crate) new: Phone,
    /// The session of the one who moved it.
    pub(crate) thief: Session,
    held_until: Timestamp,
}

#[track_caller]
pub(crate) fn done<T: std::fmt::Debug>(outcome: Result<Proven<T>>) -> Done<T> {
    match outcome {
        Ok(Proven::Done(done)) => done,
        other => panic!("was not done: {other:?}"),
    }
}

pub(crate) async fn moved<B: Backend>(shop: &mut Shop<B>) -> Moved {
    let owner = settled_customer(shop).await;
    let new = phone(900);
    let user = change(shop, owner.session, &owner.phone, &new, HOLD).await;
    let held_until = shop.clock().now() + HOLD;
    Moved { owner, new, thief: user.session(), held_until }
}

pub(crate) async fn change<B: Backend>(
    shop: &Shop<B>,
    session: Session,
    old: &Phone,
    new: &Phone,
    hold: SignedDuration,
) -> User {
    let change = on_hold(session, old, new, hold);
    done(shop.change_phone(session, change, free()).await).value
}

pub(crate) fn on_hold(
    session: Session,
    old: &Phone,
    new: &Phone,
    hold: SignedDuration,
) -> PhoneChange {
    let attempt = test_attempt(new);
    PhoneChange { attempt, hold, ..phone_change(session.user_id, old, new, CODE) }
}

pub(crate) async fn stop<B: Backend>(shop: &Shop<B>, phone: &Phone) -> Result<Proven<UserId>> {
    shop.grant_code(stop_code_request(phone, CODE)).await.unwrap();
    shop.stop_phone_change(stop_attempt(phone, CODE)).await
}

impl Moved {
    pub(crate) fn back(&self) -> MoveBack {
        let with_hash = |phone: &Phone| (phone.clone(), phone_hash(phone));
        let user_id = self.owner.session.user_id;
        MoveBack { user_id, from: with_hash(&self.new), to: with_hash(&self.owner.phone) }
    }

    pub(crate) async fn state<B: Backend>(&self, shop: &Shop<B>) -> PhoneChangeState {
        shop.find_user(self.new.clone()).await.unwrap().phone_change
    }
}

async fn enter<B: Backend>(shop: &Shop<B>, phone: &Phone) -> Result<SignInOutcome> {
    shop.grant_code(code_request_now(phone)).await.unwrap();
    shop.sign_in(attempt(phone, CODE)).await
}

pub(crate) fn code_request_now(phone: &Phone) -> CodeRequest {
    CodeRequest { resend_after: None, ..code_request(phone, CODE) }
}

/// Only the right code learns of the hold, and is used up; after the hold another customer may
/// have the number.
pub async fn the_old_phone_makes_no_new_customer_during_the_hold<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    let (old, users) = (&at.owner.phone, shop.check().await.unwrap().counts.users);
    shop.grant_code(code_request_now(old)).await.unwrap();
    let wrong = shop.sign_in(attempt(old, WRONG)).await.unwrap();
    assert_eq!(wrong, SignInOutcome::CodeInvalid, "a wrong code tells nothing");
    let right = SignInAttempt { idempotency: key("enter", 1), ..attempt(old, CODE) };
    let kept = SignInOutcome::PhoneMoved { until: Some(at.held_until) };
    assert_eq!(shop.sign_in(right.clone()).await.unwrap(), kept);
    assert_eq!(shop.sign_in(right).await.unwrap(), kept, "a repeat is answered alike");
    let again = shop.sign_in(attempt(old, CODE)).await.unwrap();
    assert_eq!(again, SignInOutcome::CodeInvalid, "the code is used up");
    assert_eq!(shop.check().await.unwrap().counts.users, users);
    assert_eq!(shop.sign_in_with(&at.new).await.user_id, at.owner.session.user_id);

    shop.wait(HOLD - SignedDuration::from_millis(1));
    assert_eq!(enter(shop, old).await.unwrap(), kept);
    shop.wait(SignedDuration::from_millis(1));
    let newcomer = shop.sign_in_with(old).await;
    assert_ne!(newcomer.user_id, at.owner.session.user_id);
    shop.assert_consistent().await;
}

/// Not even with a code that was sent there.
pub async fn nobody_else_moves_to_a_phone_on_hold<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    let (other, old) = (shop.customer().await, &at.owner.phone);
    let user_id = other.session.user_id;
    shop.grant_code(phone_code_request(user_id, old, CODE)).await.unwrap();
    let to_old = |code| phone_change(user_id, &other.phone, old, code);
    let wrong = shop.change_phone(other.session, to_old(WRONG), free()).await.unwrap();
    assert_eq!(wrong, Proven::CodeInvalid);
    let right = refused(shop.change_phone(other.session, to_old(CODE), free()).await);
    assert_eq!(right, Refused::PhoneMoved { until: Some(at.held_until) });
    assert_eq!(shop.user(other.session).await.unwrap().phone, other.phone);
    shop.wait(HOLD);
    change(shop, other.session, &other.phone, old, HOLD).await;
}

/// A thief can neither hide their way nor destroy what they took.
pub async fn an_account_on_hold_is_neither_moved_nor_erased<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    let held = Refused::PhoneOnHold { until: Some(at.held_until) };
    let before = shop.belongings(at.thief).await;
    let second = || on_hold(at.thief, &at.new, &phone(901), HOLD);
    assert_eq!(refused(shop.change_phone(at.thief, second(), free()).await), held);
    assert_eq!(refused(shop.prove_phone(at.thief, None, free()).await), held);
    let erased = shop.erase(at.thief, test_attempt(&at.new), OpenOrders::Keep, free()).await;
    assert_eq!(refused(erased), held);
    assert_eq!(shop.belongings(at.thief).await, before);
    shop.wait(HOLD);
    shop.prove_phone(at.thief, None, free()).await.unwrap();
    let user = done(shop.change_phone(at.thief, second(), free()).await).value;
    shop.wait(HOLD);
    done(shop.erase(user.session(), test_attempt(&phone(901)), OpenOrders::Keep, free()).await);
}

/// What the shop's configuration can ask for.
pub async fn without_a_hold_the_old_phone_is_free_at_once<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    let none = SignedDuration::ZERO;
    let user = change(shop, me.session, &me.phone, &phone(900), none).await;
    assert_ne!(shop.sign_in_with(&me.phone).await.user_id, me.session.user_id);
    assert!(matches!(refused(stop(shop, &me.phone).await), Refused::NotFound { .. }));
    let user = change(shop, user.session(), &phone(900), &phone(901), none).await;
    done(shop.erase(user.session(), test_attempt(&phone(901)), OpenOrders::Keep, free()).await);
}

/// S9: no code of one purpose serves another.
pub async fn only_a_code_to_stop_stops_a_change<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    let old = &at.owner.phone;
    shop.grant_code(stop_code_request(old, CODE)).await.unwrap();
    let entered = shop.sign_in(attempt(old, CODE)).await.unwrap();
    assert_eq!(entered, SignInOutcome::CodeInvalid, "a code to stop signs nobody in");
    shop.stop_phone_change(stop_attempt(old, WRONG)).await.unwrap();
    shop.cart(at.thief).await.unwrap();
    shop.grant_code(stop_code_request(old, "000000")).await.unwrap();
    shop.grant_code(code_request_now(old)).await.unwrap();
    let stopped = shop.stop_phone_change(stop_attempt(old, CODE)).await.unwrap();
    assert_eq!(stopped, Proven::CodeInvalid, "a code to sign in stops nothing");
    // Nor does the phone that the account was moved to.
    assert!(matches!(refused(stop(shop, &at.new).await), Refused::NotFound { .. }));
    shop.cart(at.thief).await.unwrap();
}

/// S4: as many guesses as for signing in.
pub async fn guesses_to_stop_a_change_count<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    let old = &at.owner.phone;
    shop.grant_code(stop_code_request(old, CODE)).await.unwrap();
    for _ in 0..ATTEMPTS_MAX {
        let guess = shop.stop_phone_change(stop_attempt(old, WRONG)).await.unwrap();
        assert_eq!(guess, Proven::CodeInvalid);
    }
    let right = refused(shop.stop_phone_change(stop_attempt(old, CODE)).await);
    assert!(matches!(right, Refused::TooManyAttempts { .. }), "{right:?}");
    shop.cart(at.thief).await.unwrap();
}

/// Until an operator has decided, however long that takes.
pub async fn a_stopped_change_lets_neither_phone_in<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    let stopped = done(stop(shop, &at.owner.phone).await);
    assert_eq!((stopped.value, stopped.replayed), (at.owner.session.user_id, false));
    let users = shop.check().await.unwrap().counts.users;
    for wait in [SignedDuration::ZERO, HOLD * 10] {
        shop.wait(wait);
        assert_eq!(refused(shop.cart(at.thief).await), Refused::SignedOut);
        let to_old = enter(shop, &at.owner.phone).await.unwrap();
        assert_eq!(to_old, SignInOutcome::PhoneMoved { until: None });
        let to_new = refused(enter(shop, &at.new).await);
        assert_eq!(to_new, Refused::PhoneOnHold { until: None });
        let frozen = at.state(shop).await.frozen.expect("it is frozen");
        assert_eq!(frozen.former_phone, at.owner.phone);
    }
    assert_eq!(shop.check().await.unwrap().counts.users, users, "nobody was made");
    shop.assert_consistent().await;
}

/// G5: with a key and without.
pub async fn stopping_twice_is_stopping_once<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    let (old, id) = (&at.owner.phone, at.owner.session.user_id);
    shop.grant_code(stop_code_request(old, CODE)).await.unwrap();
    let under_key =
        |request| SignInAttempt { idempotency: key("stop", request), ..stop_attempt(old, CODE) };
    assert!(!done(shop.stop_phone_change(under_key(1)).await).replayed);
    let epoch = shop.find_user(at.new.clone()).await.unwrap().user.session_epoch;
    let again = done(shop.stop_phone_change(under_key(1)).await);
    assert_eq!((again.value, again.replayed), (id, true));
    let reused = refused(shop.stop_phone_change(under_key(2)).await);
    assert_eq!(reused, Refused::IdempotencyKeyReused);
    let another_code = done(stop(shop, old).await);
    assert_eq!((another_code.value, another_code.replayed), (id, false));
    let file = shop.find_user(at.new.clone()).await.unwrap();
    assert_eq!(file.user.session_epoch, epoch);
    shop.move_phone_back(at.back(), by()).await.unwrap();
    let late = shop.stop_phone_change(under_key(1)).await.unwrap();
    assert_eq!(late, Proven::CodeInvalid, "what was decided is not undone by a repeat");
    shop.sign_in_with(old).await;
}

/// Told only to somebody with the right code.
pub async fn there_is_nothing_to_stop_without_a_hold<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    let stranger = shop.customer().await;
    shop.wait(HOLD);
    for phone in [&at.owner.phone, &stranger.phone, &phone(77)] {
        shop.grant_code(stop_code_request(phone, CODE)).await.unwrap();
        let wrong = shop.stop_phone_change(stop_attempt(phone, WRONG)).await.unwrap();
        assert_eq!(wrong, Proven::CodeInvalid);
        let right = refused(shop.stop_phone_change(stop_attempt(phone, CODE)).await);
        assert!(matches!(right, Refused::NotFound { .. }), "{right:?}");
    }
    shop.cart(at.thief).await.unwrap();
    shop.cart(stranger.session).await.unwrap();
}

/// G7: the account is what it was, and nobody's token of before is good.
pub async fn an_account_moved_back_is_whole<B: Backend>(shop: &mut Shop<B>) {
    let owner = settled_customer(shop).await;
    let had = shop.belongings(owner.session).await;
    let user = change(shop, owner.session, &owner.phone, &phone(900), HOLD).await;
    let held_until = shop.clock().now() + HOLD;
    let at = Moved { owner, new: phone(900), thief: user.session(), held_until };
    done(stop(shop, &at.owner.phone).await);
    // An operator may well take longer than the hold.
    shop.wait(HOLD * 3);
    let user = shop.move_phone_back(at.back(), by()).await.unwrap();
    assert_eq!((user.id, &user.phone, user.is_active), (had.user.id, &at.owner.phone, false));
    for dead in [at.owner.session, at.thief, user.session()] {
        assert_eq!(refused(shop.cart(dead).await), Refused::SignedOut);
    }
    let session = shop.sign_in_with(&at.owner.phone).await;
    let has = shop.belongings(session).await;
    assert_eq!((has.cart, has.orders), (had.cart, had.orders));
    assert_eq!((has.wishlist, has.addresses), (had.wishlist, had.addresses));
    let file = shop.find_user(at.owner.phone.clone()).await.unwrap();
    assert_eq!(file.phone_change, PhoneChangeState::default());
    // The thief's phone is free, and the customer may move again.
    assert_ne!(shop.sign_in_with(&at.new).await.user_id, had.user.id);
    change(shop, session, &at.owner.phone, &phone(901), HOLD).await;
    shop.assert_consistent().await;
}

/// An owner may reach the shop before they reach the former phone.
pub async fn a_change_on_hold_can_be_moved_back_without_a_stop<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    shop.move_phone_back(at.back(), by()).await.unwrap();
    assert_eq!(refused(shop.cart(at.thief).await), Refused::SignedOut);
    let session = shop.sign_in_with(&at.owner.phone).await;
    assert_eq!(session.user_id, at.owner.session.user_id);
    let again = refused(shop.move_phone_back(at.back(), by()).await);
    assert!(matches!(again, Refused::NotFound { .. }), "{again:?}");
}

/// The one with the new phone was the owner all along.
pub async fn a_confirmed_change_stands<B: Backend>(shop: &mut Shop<B>) {
    for is_stopped in [true, false] {
        let mut other = Shop::<B>::open().await;
        let at = moved(&mut other).await;
        let id = at.owner.session.user_id;
        if is_stopped {
            done(stop(&other, &at.owner.phone).await);
        }
        let user = other.confirm_phone_change(id, at.new.clone(), by()).await.unwrap();
        assert_eq!(user.phone, at.new);
        assert_eq!(at.state(&other).await, PhoneChangeState::default());
        let session = other.sign_in_with(&at.new).await;
        assert_eq!(session.user_id, id);
        assert_ne!(other.sign_in_with(&at.owner.phone).await.user_id, id, "it is free");
        change(&other, session, &at.new, &phone(901), HOLD).await;
        other.assert_consistent().await;
    }
    shop.assert_consistent().await;
}

/// Neither for an account at rest, nor after the hold, nor for phones that are not the account's.
pub async fn there_is_nothing_to_decide_without_a_change<B: Backend>(shop: &mut Shop<B>) {
    let (at, other) = (moved(shop).await, shop.customer().await);
    let hashed = |phone: &Phone| (phone.clone(), phone_hash(phone));
    let wrong_from = MoveBack { from: hashed(&other.phone), ..at.back() };
    let wrong_to = MoveBack { to: hashed(&phone(77)), ..at.back() };
    let wrong_user = MoveBack { user_id: other.session.user_id, ..at.back() };
    for decision in [wrong_from, wrong_to, wrong_user] {
        let refusal = refused(shop.move_phone_back(decision, by()).await);
        assert!(matches!(refusal, Refused::NotFound { .. }), "{refusal:?}");
    }
    let id = at.owner.session.user_id;
    let refusals = [
        refused(shop.confirm_phone_change(other.session.user_id, other.phone.clone(), by()).await),
        refused(shop.confirm_phone_change(id, at.owner.phone.clone(), by()).await),
    ];
    shop.wait(HOLD);
    let late = [
        refused(shop.move_phone_back(at.back(), by()).await),
        refused(shop.confirm_phone_change(id, at.new.clone(), by()).await),
    ];
    for refusal in refusals.into_iter().chain(late) {
        assert!(matches!(refusal, Refused::NotFound { .. }), "{refusal:?}");
    }
    shop.cart(at.thief).await.unwrap();
    assert_eq!(shop.user(at.thief).await.unwrap().phone, at.new);
}

/// A customer who calls the shop knows the phone they had.
pub async fn a_customer_is_found_by_a_former_phone<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    let old = &at.owner.phone;
    let left_at = shop.clock().now();
    let [found] = &shop.former_customers(phone_hash(old)).await.unwrap()[..] else {
        panic!("one customer left it");
    };
    assert_eq!(found.left_at, left_at);
    assert_eq!((found.file.user.id, &found.file.user.phone), (at.owner.session.user_id, &at.new));
    assert_eq!(found.file.phone_change.held_until, Some(at.held_until));
    let [former] = &found.file.former_phones[..] else { panic!("one phone was left") };
    assert_eq!((&former.masked, former.left_at), (&old.masked(), left_at));
    assert_eq!(shop.export(at.thief).await.unwrap().former_phones, found.file.former_phones);
    assert_eq!(shop.former_customers(phone_hash(&at.new)).await.unwrap(), []);
    // The phone's next customer leaves it, too: the latest comes first.
    shop.wait(HOLD);
    let next = shop.sign_in_with(old).await;
    change(shop, next, old, &phone(901), HOLD).await;
    let found = shop.former_customers(phone_hash(old)).await.unwrap();
    let who: Vec<_> = found.iter().map(|one| one.file.user.id).collect();
    assert_eq!(who, [next.user_id, at.owner.session.user_id]);
}

/// In the order in which it happened.
pub async fn a_change_of_phone_leaves_a_line<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    done(stop(shop, &at.owner.phone).await);
    done(stop(shop, &at.owner.phone).await);
    shop.move_phone_back(at.back(), by()).await.unwrap();
    let session = shop.sign_in_with(&at.owner.phone).await;
    let user = change(shop, session, &at.owner.phone, &at.new, HOLD).await;
    shop.confirm_phone_change(user.id, at.new.clone(), by()).await.unwrap();
    let export = shop.export(user.session()).await.unwrap();
    let actions: Vec<_> = export.operator_actions.iter().map(|one| one.action.as_str()).collect();
    let all = ["change-phone", "stop-phone-change", "move-back", "change-phone", "confirm-move"];
    assert_eq!(actions, all);
}

/// S10: not even a hash is left.
pub async fn erasing_forgets_former_phones<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    shop.wait(HOLD);
    done(shop.erase(at.thief, test_attempt(&at.new), OpenOrders::Keep, free()).await);
    for phone in [&at.owner.phone, &at.new] {
        assert_eq!(shop.former_customers(phone_hash(phone)).await.unwrap(), []);
    }
    shop.assert_consistent().await;
}

/// G1: a stop that was answered holds.
pub async fn a_freeze_survives_a_restart<B: Backend>(shop: &mut Shop<B>) {
    let at = moved(shop).await;
    let held = at.state(shop).await;
    shop.reopen();
    assert_eq!(at.state(shop).await, held);
    done(stop(shop, &at.owner.phone).await);
    let frozen = at.state(shop).await;
    shop.reopen();
    assert_eq!(at.state(shop).await, frozen);
    assert_eq!(refused(enter(shop, &at.new).await), Refused::PhoneOnHold { until: None });
    shop.move_phone_back(at.back(), by()).await.unwrap();
    shop.reopen();
    assert_eq!(shop.sign_in_with(&at.owner.phone).await.user_id, at.owner.session.user_id);
}

//! What follows from a commit: written with it, handed to one at a time, kept until it is done.

use std::collections::BTreeSet;

use evercart_core::account::{OpenOrders, PhoneChange, Proven};
use evercart_core::guard::Guard;
use evercart_core::market::MarketName;
use evercart_core::outbox::{Claim, ClaimedMessage, Message, MessageKind};
use evercart_core::phone::Phone;
use evercart_core::user::{Session, User};
use jiff::SignedDuration;

use crate::Backend;
use crate::concurrency::at_once;
use crate::shop::{
    CODE, Customer, Shop, attempt, code_request, free, keyed, phone, phone_change, refused,
    test_attempt,
};

const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// Moves a customer to the phone with this number.
async fn move_to<B: Backend>(shop: &Shop<B>, session: Session, number: u32) -> User {
    let old = shop.user(session).await.unwrap().phone;
    let change = change(session, &old, number);
    match shop.change_phone(session, change, to(number)).await.unwrap() {
        Proven::Done(done) => done.value,
        Proven::CodeInvalid => panic!("a test code is right"),
    }
}

/// The key of a move to the phone with this number.
fn to(number: u32) -> Guard {
    keyed(&format!("to {number}"), 1)
}

fn change(session: Session, old: &Phone, number: u32) -> PhoneChange {
    let new = phone(number);
    PhoneChange { attempt: test_attempt(&new), ..phone_change(session.user_id, old, &new, CODE) }
}

async fn claim<B: Backend>(shop: &Shop<B>) -> Vec<ClaimedMessage> {
    shop.claim_messages(10, LEASE).await.unwrap()
}

fn claims(claimed: &[ClaimedMessage]) -> Vec<Claim> {
    claimed.iter().map(|message| message.claim).collect()
}

/// A customer who was moved away from the phone they signed in with, to number 900.
async fn moved<B: Backend>(shop: &mut Shop<B>) -> Customer {
    let me = shop.customer().await;
    let session = move_to(shop, me.session, 900).await.session();
    Customer { session, ..me }
}

/// G11: the old phone's notice is there exactly if the move is.
pub async fn a_move_leaves_its_notice_with_its_commit<B: Backend>(shop: &mut Shop<B>) {
    let (me, other) = (shop.customer().await, shop.customer().await);
    assert_eq!(claim(shop).await, []);
    let taken = PhoneChange {
        attempt: test_attempt(&other.phone),
        ..phone_change(me.session.user_id, &me.phone, &other.phone, CODE)
    };
    refused(shop.change_phone(me.session, taken, free()).await);
    let unproven = phone_change(me.session.user_id, &me.phone, &phone(900), CODE);
    let outcome = shop.change_phone(me.session, unproven, free()).await.unwrap();
    assert_eq!(outcome, Proven::CodeInvalid);
    assert_eq!(shop.waiting_messages().await.unwrap(), 0, "what did not happen has no notice");

    move_to(shop, me.session, 900).await;
    let again = change(me.session, &me.phone, 900);
    let outcome = shop.change_phone(me.session, again, to(900)).await.unwrap();
    assert!(matches!(outcome, Proven::Done(done) if done.replayed));
    assert_eq!(shop.waiting_messages().await.unwrap(), 1, "a repeat is not told again");
    let claimed = claim(shop).await;
    let [message] = claimed.as_slice() else { panic!("one message: {claimed:?}") };
    let expected = phone_change(me.session.user_id, &me.phone, &phone(900), CODE).notice;
    assert_eq!(message.message, expected);
    assert_eq!((&expected.to, expected.kind), (&me.phone, MessageKind::PhoneChanged));
    assert_eq!((message.attempts, message.claim.user_id), (1, me.session.user_id));
    assert!(shop.settle_message(message.claim).await.unwrap());
    assert_eq!(shop.waiting_messages().await.unwrap(), 0);
}

/// A server that dies with a claim keeps the message from the others for as long as the lease.
pub async fn a_claimed_message_is_nobody_elses_until_its_lease_is_over<B: Backend>(
    shop: &mut Shop<B>,
) {
    moved(shop).await;
    let first = claim(shop).await;
    assert_eq!(first.len(), 1);
    shop.wait(LEASE - SignedDuration::from_millis(1));
    assert_eq!(claim(shop).await, []);
    shop.wait(SignedDuration::from_millis(1));
    let second = claim(shop).await;
    assert_eq!((second.len(), second[0].attempts), (1, 2));
    assert_eq!(second[0].message, first[0].message);
    assert_eq!(second[0].written_at, first[0].written_at);
    assert!(second[0].claim.until > first[0].claim.until);
}

/// A server that is back after its lease neither removes nor puts off what another has claimed.
pub async fn an_outdated_claim_changes_nothing<B: Backend>(shop: &mut Shop<B>) {
    moved(shop).await;
    let outdated = claim(shop).await[0].claim;
    shop.wait(LEASE);
    let current = claim(shop).await[0].claim;
    assert!(!shop.settle_message(outdated).await.unwrap());
    assert!(!shop.put_off_message(outdated, LEASE).await.unwrap());
    assert!(shop.settle_message(current).await.unwrap());
    assert!(!shop.settle_message(current).await.unwrap());
    assert!(!shop.put_off_message(current, LEASE).await.unwrap());
    assert_eq!(shop.waiting_messages().await.unwrap(), 0);
}

/// A message that was not sent comes again, and no sooner than it was put off for.
pub async fn a_message_that_is_put_off_comes_again<B: Backend>(shop: &mut Shop<B>) {
    moved(shop).await;
    let first = claim(shop).await;
    let hour = SignedDuration::from_hours(1);
    assert!(shop.put_off_message(first[0].claim, hour).await.unwrap());
    shop.wait(hour - SignedDuration::from_millis(1));
    assert_eq!(claim(shop).await, []);
    assert_eq!(shop.waiting_messages().await.unwrap(), 1);
    shop.wait(SignedDuration::from_millis(1));
    assert_eq!(claim(shop).await[0].attempts, 2);
}

/// Two moves in a row are two notices: a thief cannot hide the first behind the second.
pub async fn every_phone_on_the_way_is_told<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    let first = move_to(shop, me.session, 900).await;
    shop.wait(SignedDuration::from_secs(1));
    move_to(shop, first.session(), 901).await;
    let one = shop.claim_messages(1, LEASE).await.unwrap();
    let rest = claim(shop).await;
    let told: Vec<_> = one.iter().chain(&rest).map(|claimed| &claimed.message.to).collect();
    assert_eq!(told, [&me.phone, &phone(900)], "the longest due comes first");
    assert_eq!((one.len(), rest.len()), (1, 1), "no more than asked for");
}

/// Nothing is sent on behalf of a customer who is no more.
pub async fn erasing_removes_what_waits<B: Backend>(shop: &mut Shop<B>) {
    let (me, other) = (moved(shop).await, shop.customer().await);
    move_to(shop, other.session, 901).await;
    let claimed = claim(shop).await;
    assert_eq!(claimed.len(), 2);
    let own = phone(900);
    shop.grant_code(code_request(&own, CODE)).await.unwrap();
    let outcome =
        shop.erase(me.session, attempt(&own, CODE), OpenOrders::Keep, free()).await.unwrap();
    assert!(matches!(outcome, Proven::Done(_)));
    assert_eq!(shop.waiting_messages().await.unwrap(), 1, "another customer's stays");
    let erased = claimed.iter().find(|one| one.claim.user_id == me.session.user_id).unwrap();
    assert!(!shop.put_off_message(erased.claim, LEASE).await.unwrap());
    shop.wait(LEASE);
    let left = claim(shop).await;
    assert_eq!((left.len(), &left[0].message.to), (1, &other.phone));
}

/// U4: of many who claim at once, each message has one.
pub async fn parallel_claims_hand_out_each_message_once<B: Backend>(shop: &mut Shop<B>) {
    for number in 0..6 {
        let me = shop.customer().await;
        move_to(shop, me.session, 900 + number).await;
    }
    let outcomes =
        at_once(8, shop.store(), |_, store| async move { store.claim_messages(4, LEASE).await })
            .await;
    let mut handed_out = Vec::new();
    for claimed in outcomes {
        handed_out.extend(claims(&claimed.unwrap()));
    }
    handed_out.extend(claims(&claim(shop).await));
    let users: BTreeSet<_> = handed_out.iter().map(|claim| claim.user_id).collect();
    assert_eq!((handed_out.len(), users.len()), (6, 6), "{handed_out:?}");
}

/// G11: what was committed is told, whatever happens to the server meanwhile.
pub async fn messages_and_claims_survive_a_restart<B: Backend>(shop: &mut Shop<B>) {
    moved(shop).await;
    shop.reopen();
    let claimed = claim(shop).await;
    assert_eq!(claimed.len(), 1);
    shop.reopen();
    assert_eq!(claim(shop).await, [], "the lease goes on");
    shop.wait(LEASE);
    let again = claim(shop).await;
    assert_eq!((again.len(), again[0].attempts), (1, 2));
    assert_eq!(again[0].message, claimed[0].message);
    assert!(shop.settle_message(again[0].claim).await.unwrap());
    shop.reopen();
    assert_eq!(shop.waiting_messages().await.unwrap(), 0);
}

/// A notice for the cases: what [`phone_change`] has the old phone told.
pub(crate) fn notice(old: &Phone, new: &Phone) -> Message {
    let market = MarketName::new("us").unwrap();
    Message::phone_changed(old, new, &market, "en")
}

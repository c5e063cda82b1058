//! Histories by hand: of each promise a good one that is explained and a bad one that is caught.

mod returns;
mod sessions;

use super::*;
use std::sync::atomic::AtomicU32;

use crate::history::{AddressSeen, CartSeen, Event, Final, Meta, OrderSeen};

const USER: u64 = 7;
/// The try that brings the first token.
const FIRST: u32 = 1;

/// A history that is written one request after the other.
struct Book {
    history: History,
    now: u64,
}

fn cart(version: u64, lines: &[(u64, u64, u32)]) -> Told {
    Told::Cart(CartSeen { user: USER, version, lines: lines.to_vec() })
}

fn refused(status: u16, code: &str) -> Told {
    Told::Refused { status, code: code.to_owned() }
}

fn order(id: u64, tag: u32, lines: &[(u64, u32)]) -> OrderSeen {
    OrderSeen { id, customer: 0, tag, is_cancelled: false, lines: lines.to_vec() }
}

fn checkout(tag: u32) -> Intent {
    Intent::Checkout { tag, expected: None }
}

/// With a code that nobody else shows, and that is never of before anything.
fn sign_in(phone: u32) -> Intent {
    static CODES: AtomicU32 = AtomicU32::new(1);
    let code = CODES.fetch_add(1, Ordering::Relaxed);
    Intent::SignIn { phone, code, since: u64::MAX }
}

fn signed_in(user: u64) -> Told {
    Told::SignedIn { user, expires_in: 43_200 }
}

fn add(sku: u64, quantity: u32) -> Intent {
    Intent::Add { sku, quantity }
}

impl Book {
    /// A customer who has just signed in.
    fn new() -> Self {
        let stock = BTreeMap::from([(1, 10), (2, 10)]);
        let mut meta = Meta::new(1, "sqlite", 1, stock);
        meta.scarce = vec![2];
        let mut book = Self { history: History::new(meta), now: 0 };
        book.sign_in();
        book
    }

    fn sign_in(&mut self) -> u32 {
        self.ask(sign_in(0), signed_in(USER)).token = None;
        self.last().id
    }

    fn last(&mut self) -> &mut Try {
        self.history.tries.last_mut().expect("there is one")
    }

    fn push(&mut self, intent: Intent, told: Option<Told>) -> &mut Try {
        let sent = self.now + 10;
        self.now = sent + 5;
        let id = u32::try_from(self.history.tries.len()).expect("few") + 1;
        self.history.tries.push(Try {
            id,
            customer: 0,
            device: 0,
            server: 0,
            token: Some(FIRST),
            key: None,
            if_match: None,
            intent,
            sent,
            answered: told.as_ref().map(|_| self.now),
            told,
            replayed: false,
            end: String::new(),
            flaws: vec![],
        });
        self.last()
    }

    fn ask(&mut self, intent: Intent, told: Told) -> &mut Try {
        self.push(intent, Some(told))
    }

    fn unanswered(&mut self, intent: Intent) -> &mut Try {
        self.push(intent, None)
    }

    fn crash(&mut self) {
        let (at, until) = (self.now + 1, self.now + 2);
        let what = "server killed".to_owned();
        self.history.faults.push(Fault { at, until, what, is_crash: true });
    }

    fn stock_at_the_end(&mut self, stock: &[(u64, i64)]) {
        let stock = stock.iter().copied().collect();
        self.history.end = Some(Final { stock, complaints: vec![] });
    }

    #[track_caller]
    fn is_good(&self) {
        let judgement = judge(&self.history, &|_, _| {});
        assert_eq!(judgement.broken, [""; 0], "{}", judgement.accounts.join("\n"));
        assert!(judgement.undecided.is_empty());
    }

    #[track_caller]
    fn breaks(&self, promise: &str) -> Judgement {
        let judgement = judge(&self.history, &|_, _| {});
        let expected = format!("{promise} broken");
        let found = judgement.broken.iter().any(|broken| broken.starts_with(&expected));
        assert!(found, "not {expected}: {:?}", judgement.broken);
        judgement
    }
}

impl Try {
    fn key(&mut self, key: u32) -> &mut Self {
        self.key = Some(key);
        self
    }

    fn again(&mut self) -> &mut Self {
        self.replayed = true;
        self
    }

    fn token(&mut self, token: u32) -> &mut Self {
        self.token = Some(token);
        self
    }

    fn token_of_nobody(&mut self) -> &mut Self {
        self.token = None;
        self
    }

    /// Begun so much earlier, so that it ran beside what is before it.
    fn earlier(&mut self, time: u64) -> &mut Self {
        self.sent -= time;
        self
    }
}

#[test]
fn g1_what_was_acknowledged_is_there_after_a_crash() {
    let mut book = Book::new();
    book.ask(add(1, 2), cart(1, &[(1, 1, 2)]));
    book.crash();
    let before = book.history.clone();
    book.ask(Intent::ReadCart, cart(1, &[(1, 1, 2)]));
    book.is_good();
    book.history = before;
    book.ask(Intent::ReadCart, cart(0, &[]));
    let judgement = book.breaks("G1");
    assert!(judgement.accounts[0].contains("<-- not explained"), "{judgement:?}");
}

#[test]
fn g1_what_was_not_acknowledged_is_there_whole_or_not_at_all() {
    let begun = || {
        let mut book = Book::new();
        book.ask(add(1, 2), cart(1, &[(1, 1, 2)]));
        book.unanswered(checkout(1));
        book.crash();
        book
    };
    let mut book = begun();
    book.ask(Intent::ReadCart, cart(2, &[]));
    book.ask(Intent::ReadOrders, Told::Orders(1, vec![order(1001, 1, &[(1, 2)])]));
    book.is_good();
    let mut book = begun();
    book.ask(Intent::ReadCart, cart(1, &[(1, 1, 2)]));
    book.ask(Intent::ReadOrders, Told::Orders(0, vec![]));
    book.is_good();
    // Half of it: the cart is empty and there is no order; or there is one and the cart is full.
    let mut book = begun();
    book.ask(Intent::ReadCart, cart(2, &[]));
    book.ask(Intent::ReadOrders, Told::Orders(0, vec![]));
    book.breaks("G4");
    let mut book = begun();
    let lines = CartSeen { user: USER, version: 1, lines: vec![(1, 1, 2)] };
    let orders = vec![order(1001, 1, &[(1, 2)])];
    book.ask(Intent::Export, Told::Everything(lines, vec![], orders));
    book.breaks("G4");
}

#[test]
fn g1_a_request_without_an_answer_may_happen_late_but_once() {
    let mut book = Book::new();
    book.unanswered(add(1, 2));
    book.ask(Intent::ReadCart, cart(0, &[]));
    book.ask(add(1, 1), cart(1, &[(1, 1, 1)]));
    book.ask(Intent::ReadCart, cart(2, &[(1, 1, 3)]));
    book.is_good();
    book.ask(Intent::ReadCart, cart(3, &[(1, 1, 5)]));
    book.breaks("G3");
}

#[test]
fn g3_nothing_is_lost_between_two_requests() {
    let mut book = Book::new();
    book.ask(add(1, 1), cart(2, &[(1, 1, 2)]));
    book.ask(add(1, 1), cart(1, &[(1, 1, 1)])).earlier(12);
    let before = book.history.clone();
    book.is_good();
    book.ask(Intent::ReadCart, cart(2, &[(1, 1, 1)]));
    book.breaks("G3");
    book.history = before;
    book.last().told = Some(cart(2, &[(1, 1, 1)]));
    book.breaks("G3");
}

#[test]
fn g3_a_quantity_that_was_set_is_not_undone_by_an_add_that_read_before() {
    let mut book = Book::new();
    book.ask(add(1, 1), cart(1, &[(1, 1, 1)]));
    book.ask(Intent::Set { line: 1, sku: 1, quantity: 5 }, cart(2, &[(1, 1, 5)]));
    book.ask(add(1, 1), cart(3, &[(1, 1, 6)])).earlier(12);
    book.is_good();
    book.last().told = Some(cart(3, &[(1, 1, 2)]));
    book.breaks("G3");
}

#[test]
fn g3_a_merge_is_summed_once() {
    let mut book = Book::new();
    book.ask(add(1, 1), cart(1, &[(1, 1, 1)]));
    book.ask(Intent::Merge { items: vec![(1, 2)], sum: true }, cart(2, &[(1, 1, 3)]));
    book.is_good();
    book.last().told = Some(cart(2, &[(1, 1, 5)]));
    book.breaks("G3");
}

#[test]
fn g3_nobody_is_refused_for_what_never_was() {
    let mut book = Book::new();
    book.ask(add(1, 1), cart(1, &[(1, 1, 1)]));
    book.unanswered(Intent::Clear);
    book.ask(checkout(1), refused(409, "cart_empty"));
    book.is_good();
    book.ask(Intent::ReadCart, cart(1, &[(1, 1, 1)]));
    book.breaks("G3");
    let mut book = Book::new();
    book.ask(add(1, 1), refused(409, "insufficient_stock"));
    book.breaks("G3");
    let mut book = Book::new();
    book.ask(add(2, 1), refused(409, "insufficient_stock"));
    book.is_good();
}

#[test]
fn g4_a_cart_becomes_one_order_and_all_of_it() {
    let mut book = Book::new();
    book.ask(add(1, 2), cart(1, &[(1, 1, 2)]));
    book.ask(checkout(1), Told::Order(order(1001, 1, &[(1, 2)])));
    book.ask(add(1, 1), cart(3, &[(2, 1, 1)]));
    let before = book.history.clone();
    book.is_good();
    // A second order of the same cart.
    book.ask(checkout(2), Told::Order(order(1002, 2, &[(1, 2)])));
    book.breaks("G4");
    // An add that came between reading and emptying, and is in neither.
    book.history = before;
    book.history.tries[2].told = Some(Told::Order(order(1001, 1, &[(1, 1)])));
    book.breaks("G4");
}

#[test]
fn g4_stock_is_kept() {
    let mut book = Book::new();
    book.ask(add(1, 2), cart(1, &[(1, 1, 2)]));
    book.ask(checkout(1), Told::Order(order(1001, 1, &[(1, 2)])));
    let empty = CartSeen { user: USER, version: 2, lines: vec![] };
    let orders = vec![order(1001, 1, &[(1, 2)])];
    book.ask(Intent::Export, Told::Everything(empty, vec![], orders));
    book.stock_at_the_end(&[(1, 8), (2, 10)]);
    book.is_good();
    book.stock_at_the_end(&[(1, 6), (2, 10)]);
    book.breaks("G4");
}

/// Eleven orders, and an export that began before an add and the cancellation of one of them: it
/// shows the cart from before both, and these orders as cancelled.
fn export_during_a_cancellation(cancelled: u64, shown: &[u64]) -> Book {
    let mut book = Book::new();
    let mut orders = Vec::new();
    for tag in 1..=11 {
        let (id, line) = (1000 + u64::from(tag), u64::from(tag));
        let sku = 1 + u64::from(tag % 2);
        book.ask(add(sku, 1), cart(2 * line - 1, &[(line, sku, 1)]));
        book.ask(checkout(tag), Told::Order(order(id, tag, &[(sku, 1)])));
        orders.push(order(id, tag, &[(sku, 1)]));
    }
    let tag = u32::try_from(cancelled - 1000).expect("a tag");
    book.ask(add(1, 1), cart(23, &[(12, 1, 1)]));
    book.ask(Intent::Cancel { order: cancelled, tag }, Told::Cancelled(cancelled));
    for order in &mut orders {
        order.is_cancelled = shown.contains(&order.id);
    }
    orders.reverse();
    let empty = CartSeen { user: USER, version: 22, lines: vec![] };
    book.ask(Intent::Export, Told::Everything(empty, vec![], orders)).earlier(32);
    book
}

#[test]
fn g4_of_an_export_only_the_newest_orders_are_of_one_moment_with_the_cart() {
    export_during_a_cancellation(1001, &[1001]).is_good();
    export_during_a_cancellation(1001, &[]).is_good();
    export_during_a_cancellation(1002, &[]).is_good();
    export_during_a_cancellation(1002, &[1002]).breaks("G4");
    // What was cancelled before the export began is cancelled in it.
    let mut book = export_during_a_cancellation(1001, &[]);
    let Some(Told::Everything(cart, wishes, orders)) = book.last().told.clone() else {
        panic!("the last is the export")
    };
    let cart = CartSeen { version: 23, lines: vec![(12, 1, 1)], ..cart };
    book.history.tries.pop();
    book.ask(Intent::Export, Told::Everything(cart, wishes, orders));
    book.breaks("G4");
}

#[test]
fn g4_an_order_number_is_one_orders() {
    let mut book = Book::new();
    book.ask(Intent::ReadOrders, Told::Orders(0, vec![]));
    book.is_good();
    let twice = vec![order(1001, 1, &[]), order(1001, 2, &[])];
    book.ask(Intent::ReadOrders, Told::Orders(2, twice));
    book.breaks("G4");
}

#[test]
fn g5_tries_with_one_key_have_one_effect() {
    let begun = || {
        let mut book = Book::new();
        book.unanswered(add(1, 2)).key(1);
        book.crash();
        book
    };
    let mut book = begun();
    book.ask(add(1, 2), cart(1, &[(1, 1, 2)])).key(1).again();
    book.ask(add(1, 2), cart(1, &[(1, 1, 2)])).key(1).again();
    book.is_good();
    let mut book = begun();
    book.ask(add(1, 2), cart(1, &[(1, 1, 2)])).key(1);
    book.is_good();
    let mut book = begun();
    book.ask(add(1, 2), cart(2, &[(1, 1, 4)])).key(1);
    book.breaks("G5");
}

#[test]
fn g5_a_repeat_is_answered_with_the_same_order() {
    let mut book = Book::new();
    book.ask(add(1, 2), cart(1, &[(1, 1, 2)]));
    book.ask(checkout(1), Told::Order(order(1001, 1, &[(1, 2)]))).key(1);
    book.ask(checkout(1), Told::Order(order(1001, 1, &[(1, 2)]))).key(1).again();
    book.is_good();
    book.ask(checkout(1), Told::Order(order(1002, 1, &[(1, 2)]))).key(1).again();
    book.breaks("G5");
}

#[test]
fn u4_streams_go_forward_and_tell_what_is() {
    let event = |version: u64, lines: &[(u64, u64, u32)]| Event {
        customer: 0,
        stream: 1,
        server: 1,
        token: FIRST,
        opened: 20,
        heard: 30,
        cart: CartSeen { user: USER, version, lines: lines.to_vec() },
        flaws: vec![],
    };
    let mut book = Book::new();
    book.ask(add(1, 2), cart(1, &[(1, 1, 2)]));
    book.history.events = vec![event(0, &[]), event(1, &[(1, 1, 2)])];
    book.is_good();
    book.history.events.push(event(0, &[]));
    book.breaks("U4");
    book.history.events = vec![event(1, &[(1, 1, 1)])];
    book.breaks("G3");
    // Told of a change that was made after the stream's token had ended.
    let mut book = Book::new();
    book.ask(add(1, 2), cart(1, &[(1, 1, 2)]));
    book.ask(checkout(1), Told::Order(order(1001, 1, &[(1, 2)])));
    book.ask(Intent::Logout, Told::SignedOut);
    let token = book.sign_in();
    // Nothing is changed by it: the order made this version.
    book.ask(Intent::Clear, cart(2, &[])).token(token);
    book.history.events = vec![event(2, &[])];
    book.is_good();
    book.ask(add(1, 2), cart(3, &[(2, 1, 2)])).token(token);
    book.history.events = vec![event(3, &[(2, 1, 2)])];
    book.breaks("S2");
}

#[test]
fn what_is_complained_of_is_broken() {
    let mut book = Book::new();
    book.stock_at_the_end(&[(1, 10), (2, 10)]);
    book.is_good();
    let complaint = "U4 broken: a stream did not tell".to_owned();
    book.history.end.as_mut().expect("set above").complaints.push(complaint);
    book.breaks("U4");
}

#[test]
fn a_long_broken_history_becomes_short() {
    let mut book = Book::new();
    for version in 1..=60 {
        let quantity = u32::try_from(version).expect("small");
        book.ask(add(1, 1), cart(version, &[(1, 1, quantity)]));
        book.ask(Intent::Wish { product: 1 }, Told::Wishes(vec![1]));
    }
    book.ask(Intent::ReadCart, cart(60, &[(1, 1, 59)]));
    for _ in 0..40 {
        book.ask(Intent::ReadWishes, Told::Wishes(vec![1]));
    }
    let judgement = book.breaks("G3");
    let lines = judgement.accounts[0].lines().count();
    assert!(lines < 8, "{}", judgement.accounts[0]);
}

#[test]
fn g1_an_address_is_kept_as_it_was_written_last() {
    let seen = |id, tag, revision| AddressSeen { id, tag, revision };
    let begun = || {
        let mut book = Book::new();
        book.ask(Intent::AddAddress { tag: 1 }, Told::Address(seen(1, 1, 0)));
        book.unanswered(Intent::AddAddress { tag: 2 });
        let change = Intent::ChangeAddress { address: 1, tag: 1, revision: 3 };
        book.ask(change, Told::Address(seen(1, 1, 3)));
        book.crash();
        book
    };
    for whole in [vec![seen(1, 1, 3)], vec![seen(1, 1, 3), seen(2, 2, 0)]] {
        let mut book = begun();
        book.ask(Intent::ReadAddresses, Told::Addresses(whole));
        book.is_good();
    }
    for broken in [vec![], vec![seen(1, 1, 0)], vec![seen(2, 2, 0)], vec![seen(1, 1, 3); 2]] {
        let mut book = begun();
        book.ask(Intent::ReadAddresses, Told::Addresses(broken));
        book.breaks("G1");
    }
    let mut book = Book::new();
    book.ask(Intent::AddAddress { tag: 1 }, Told::Address(seen(1, 1, 0)));
    let change = Intent::ChangeAddress { address: 1, tag: 1, revision: 2 };
    book.ask(change.clone(), Told::Address(seen(1, 1, 2))).key(2);
    book.ask(Intent::RemoveAddress { address: 1, tag: 1 }, Told::Removed).key(1);
    // The repeat names what is gone.
    book.ask(change, refused(404, "not_found")).key(2);
    book.ask(Intent::RemoveAddress { address: 1, tag: 1 }, Told::Removed).key(1).again();
    book.ask(Intent::ReadAddresses, Told::Addresses(vec![]));
    book.is_good();
    book.ask(Intent::ReadAddresses, Told::Addresses(vec![seen(1, 1, 0)]));
    book.breaks("G3");
}

#[test]
fn g4_nothing_is_ordered_for_another_price_than_was_shown() {
    let ask = |expected, told| {
        let mut book = Book::new();
        book.ask(add(1, 2), cart(1, &[(1, 1, 2)]));
        book.ask(Intent::Checkout { tag: 1, expected: Some(expected) }, told);
        book
    };
    let order_of = |lines: &[(u64, u32)]| order(1001, 1, lines);
    let order = || Told::Order(order_of(&[(1, 2)]));
    // Two for 1.00 each and 9.99 for delivery.
    ask(1_199, order()).is_good();
    ask(1_099, order()).breaks("G4");
    ask(1_099, refused(409, "price_changed")).is_good();
    ask(1_199, refused(409, "price_changed")).breaks("G4");
    // Delivery is free from 75.00 on.
    let mut book = Book::new();
    book.ask(add(1, 75), cart(1, &[(1, 1, 75)]));
    let told = Told::Order(order_of(&[(1, 75)]));
    book.ask(Intent::Checkout { tag: 1, expected: Some(7_500) }, told);
    book.is_good();
}

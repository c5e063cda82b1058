//! Data that was put back to an earlier moment.

use super::*;
use crate::history::{Return, Span};

impl Book {
    /// The data is copied now.
    fn copy(&mut self) -> Span {
        self.now += 10;
        Span { from: self.now - 5, until: self.now }
    }

    /// The copy takes the place of the data.
    fn put_back(&mut self, copied: Span) {
        self.now += 10;
        let returned = Span { from: self.now - 5, until: self.now };
        self.history.returns.push(Return { copied, returned });
    }
}

/// An add that is kept and one that is lost, and the token that is good after the return.
fn one_is_lost() -> (Book, u32) {
    let mut book = Book::new();
    book.ask(add(1, 2), cart(1, &[(1, 1, 2)]));
    let copied = book.copy();
    book.ask(add(1, 1), cart(2, &[(1, 1, 3)]));
    book.put_back(copied);
    let token = book.sign_in();
    (book, token)
}

#[test]
fn g10_what_was_there_before_the_copy_is_kept_and_nothing_else() {
    let (begun, token) = one_is_lost();
    let after = |told: Told| {
        let mut book = Book { history: begun.history.clone(), now: begun.now };
        book.ask(Intent::ReadCart, told).token(token);
        book
    };
    let mut book = after(cart(1, &[(1, 1, 2)]));
    book.is_good();
    // A version that was lost is made again, with other lines.
    book.ask(add(2, 1), cart(2, &[(1, 1, 2), (2, 2, 1)])).token(token);
    book.is_good();
    for wrong in [cart(2, &[(1, 1, 3)]), cart(0, &[])] {
        let judgement = after(wrong).breaks("G3");
        assert!(judgement.broken[0].ends_with("the data was put back 0 ms before"));
    }
}

#[test]
fn g10_what_was_under_way_at_the_copy_is_kept_or_lost() {
    for kept in [false, true] {
        let mut book = Book::new();
        book.ask(add(1, 1), cart(1, &[(1, 1, 1)]));
        let copied = book.copy();
        // Begun before the copy, and answered after it.
        book.ask(add(1, 1), cart(2, &[(1, 1, 2)])).earlier(20);
        book.put_back(copied);
        let token = book.sign_in();
        let is_there = if kept { cart(2, &[(1, 1, 2)]) } else { cart(1, &[(1, 1, 1)]) };
        book.ask(Intent::ReadCart, is_there).token(token);
        book.is_good();
    }
}

#[test]
fn g10_a_second_return_goes_back_to_its_own_copy() {
    let (mut book, token) = one_is_lost();
    book.ask(add(1, 5), cart(2, &[(1, 1, 7)])).token(token);
    let copied = book.copy();
    book.ask(Intent::Clear, cart(3, &[])).token(token);
    book.put_back(copied);
    let last = book.sign_in();
    book.ask(Intent::ReadCart, cart(2, &[(1, 1, 7)])).token(last);
    book.is_good();
    book.ask(Intent::ReadCart, cart(2, &[(1, 1, 7)])).token(token);
    book.breaks("G10");
}

#[test]
fn g10_no_token_of_before_a_return_is_good_after_it() {
    for is_given_after_the_copy in [false, true] {
        let mut book = Book::new();
        let copied = book.copy();
        let token = if is_given_after_the_copy { book.sign_in() } else { FIRST };
        book.put_back(copied);
        book.ask(Intent::ReadCart, refused(401, "signed_out")).token(token);
        book.ask(Intent::ReadCart, refused(401, "token_invalid")).token(token);
        book.ask(Intent::ReadCart, cart(0, &[])).token(token).earlier(46);
        book.is_good();
        book.ask(Intent::ReadCart, cart(0, &[])).token(token);
        book.breaks("G10");
    }
    // The shop knows every customer whom it has not lost.
    let mut book = Book::new();
    book.ask(Intent::Logout, Told::SignedOut);
    book.ask(Intent::ReadCart, refused(401, "token_invalid"));
    book.breaks("G7");
}

#[test]
fn g10_a_token_that_goes_on_is_named_as_what_it_is() {
    let (mut book, _) = one_is_lost();
    book.ask(add(1, 1), cart(2, &[(1, 1, 3)]));
    let judgement = book.breaks("G10");
    let found = judgement.broken.iter().filter(|broken| broken.starts_with("G10 broken")).count();
    assert_eq!(found, 2, "by the search, too: {judgement:?}");
}

#[test]
fn g10_no_code_of_before_a_return_signs_in_after_it() {
    let mut book = Book::new();
    let copied = book.copy();
    let since = book.now;
    book.put_back(copied);
    let shown = |code| Intent::SignIn { phone: 0, code, since };
    book.ask(shown(1_000_001), refused(400, "code_invalid")).token_of_nobody();
    book.ask(shown(1_000_002), signed_in(USER)).token_of_nobody().earlier(30);
    book.is_good();
    book.ask(shown(1_000_003), signed_in(USER)).token_of_nobody();
    book.breaks("G10");
}

#[test]
fn g10_an_order_that_was_lost_keeps_its_number() {
    let begun = || {
        let mut book = Book::new();
        book.ask(add(1, 2), cart(1, &[(1, 1, 2)]));
        let copied = book.copy();
        book.ask(checkout(1), Told::Order(order(1001, 1, &[(1, 2)]))).key(1);
        book.put_back(copied);
        let token = book.sign_in();
        (book, token)
    };
    // With its key it is placed once more, under another number.
    let (mut book, token) = begun();
    book.ask(checkout(1), Told::Order(order(1065, 1, &[(1, 2)]))).key(1).token(token);
    let lost = Intent::Cancel { order: 1001, tag: 1 };
    book.ask(lost, refused(404, "not_found")).token(token);
    book.is_good();
    book.ask(checkout(1), Told::Order(order(1066, 1, &[(1, 2)]))).key(1).token(token).again();
    book.breaks("G5");
    // The number is given to another one.
    let (mut book, token) = begun();
    book.ask(checkout(2), Told::Order(order(1001, 2, &[(1, 2)]))).token(token);
    book.breaks("G10");
    // It was lost, and is there.
    let (mut book, token) = begun();
    let orders = Told::Orders(1, vec![order(1001, 1, &[(1, 2)])]);
    book.ask(Intent::ReadOrders, orders).token(token);
    book.breaks("G4");
}

#[test]
fn g10_a_customer_who_was_lost_is_new_and_nobody_else_is_them() {
    let meta = Book::new().history.meta;
    let mut book = Book { history: History::new(meta), now: 0 };
    let copied = book.copy();
    book.sign_in();
    book.ask(Intent::ReadCart, cart(0, &[]));
    book.put_back(copied);
    let token = book.ask(sign_in(0), signed_in(USER + 9)).token_of_nobody().id;
    book.ask(Intent::WhoAmI, Told::Who { user: USER + 9 }).token(token);
    book.is_good();
    book.ask(sign_in(0), signed_in(USER)).token_of_nobody().customer = 1;
    book.breaks("G10");
}

#[test]
fn g10_a_stream_does_not_outlive_a_return() {
    let (mut book, token) = one_is_lost();
    book.ask(add(2, 1), cart(2, &[(1, 1, 2), (2, 2, 1)])).token(token);
    let event = |token, version, lines: &[(u64, u64, u32)], heard| Event {
        customer: 0,
        stream: token,
        server: 0,
        token,
        opened: 20,
        heard,
        cart: CartSeen { user: USER, version, lines: lines.to_vec() },
        flaws: vec![],
    };
    // What was lost may be heard late; the search does not look at streams.
    let late = book.now;
    let lost = event(FIRST, 2, &[(1, 1, 3)], late);
    book.history.events = vec![lost, event(token, 2, &[(1, 1, 2), (2, 2, 1)], late)];
    book.is_good();
    book.history.events.push(event(FIRST, 2, &[(1, 1, 2), (2, 2, 1)], late));
    book.breaks("G3");
}

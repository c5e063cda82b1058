//! Who is let in, and until when.

use super::*;

#[test]
fn g7_a_sign_in_leads_to_the_same_customer_and_cart() {
    let begun = || {
        let mut book = Book::new();
        book.ask(add(1, 2), cart(1, &[(1, 1, 2)]));
        book.ask(Intent::Logout, Told::SignedOut);
        book
    };
    let mut book = begun();
    let token = book.sign_in();
    book.ask(Intent::ReadCart, cart(1, &[(1, 1, 2)])).token(token);
    book.is_good();
    let mut book = begun();
    book.ask(sign_in(0), signed_in(USER + 1)).token_of_nobody();
    book.breaks("G7");
}

#[test]
fn g7_nobody_is_signed_out_by_others_than_themselves() {
    let mut book = Book::new();
    book.ask(Intent::ReadCart, refused(401, "signed_out"));
    book.breaks("G7");
    let mut book = Book::new();
    book.unanswered(Intent::Logout);
    book.ask(Intent::ReadCart, refused(401, "signed_out"));
    book.is_good();
}

#[test]
fn g7_a_changed_phone_leads_to_the_same_customer() {
    let mut book = Book::new();
    book.unanswered(Intent::ChangePhone { phone: 1 }).key(1);
    let change = Intent::ChangePhone { phone: 1 };
    let token = book.ask(change, signed_in(USER)).key(1).again().id;
    book.ask(Intent::ReadCart, cart(0, &[])).token(token);
    book.ask(sign_in(0), signed_in(USER + 1)).token_of_nobody();
    book.ask(sign_in(1), signed_in(USER)).token_of_nobody();
    book.is_good();
    book.ask(sign_in(0), signed_in(USER)).token_of_nobody();
    book.breaks("G7");
}

#[test]
fn s2_after_a_logout_its_tokens_are_good_for_nothing() {
    let mut book = Book::new();
    book.ask(Intent::Logout, Told::SignedOut);
    let before = book.history.clone();
    book.ask(Intent::ReadCart, refused(401, "signed_out"));
    // One that was under way beside it.
    book.ask(Intent::ReadCart, cart(0, &[])).earlier(28);
    book.is_good();
    book.history = before.clone();
    book.ask(Intent::ReadCart, cart(0, &[]));
    book.breaks("S2");
    // Nor after the next login.
    book.history = before;
    book.sign_in();
    book.ask(add(1, 1), cart(1, &[(1, 1, 1)]));
    book.breaks("S2");
}

#[test]
fn s2_an_effect_that_was_seen_late_needs_no_logout_to_be_overtaken() {
    // Both were under way; whoever saw the sign-out first cannot have seen the add after it.
    let mut book = Book::new();
    book.ask(Intent::ReadCart, refused(401, "signed_out")).earlier(1);
    book.ask(Intent::Logout, Told::SignedOut).earlier(14);
    book.is_good();
    book.ask(Intent::ReadCart, cart(0, &[])).earlier(14);
    book.breaks("S2");
}

#[test]
fn s2_a_repeated_logout_is_answered_like_the_first() {
    let mut book = Book::new();
    book.ask(Intent::Logout, Told::SignedOut).key(1);
    book.ask(Intent::Logout, Told::SignedOut).key(1).again();
    let token = book.sign_in();
    book.ask(Intent::Logout, Told::SignedOut).key(1).token(token).again();
    book.ask(Intent::ReadCart, cart(0, &[])).token(token);
    book.is_good();
    book.ask(Intent::Logout, Told::SignedOut).key(1);
    book.breaks("G5");
}

#[test]
fn s3_a_token_is_good_as_long_as_was_said() {
    let expires_in = 60;
    let at = |seconds: u64, told: Told| {
        let mut book = Book::new();
        let told_of = Told::SignedIn { user: USER, expires_in };
        let token = book.ask(sign_in(0), told_of).token_of_nobody().id;
        book.now += seconds * 1_000_000;
        book.ask(Intent::ReadCart, told).token(token);
        book
    };
    at(55, cart(0, &[])).is_good();
    at(60, cart(0, &[])).is_good();
    at(60, refused(401, "token_expired")).is_good();
    at(70, refused(401, "token_expired")).is_good();
    at(70, cart(0, &[])).breaks("S3");
    at(55, refused(401, "token_expired")).breaks("G7");
}

#[test]
fn s4_a_code_opens_once() {
    let shown = Intent::SignIn { phone: 0, code: 1_000_000, since: 0 };
    let mut book = Book::new();
    book.unanswered(shown.clone()).token_of_nobody();
    book.ask(shown.clone(), refused(400, "code_invalid")).token_of_nobody();
    book.is_good();
    let mut book = Book::new();
    book.ask(shown.clone(), signed_in(USER)).token_of_nobody();
    book.ask(shown, signed_in(USER)).token_of_nobody();
    book.breaks("S4");
}

#[test]
fn s2_a_repeated_sign_in_does_not_undo_a_logout() {
    let shown = Intent::SignIn { phone: 0, code: 1_000_000, since: 0 };
    let mut book = Book::new();
    let token = book.ask(shown.clone(), signed_in(USER)).key(1).token_of_nobody().id;
    let other = book.ask(shown.clone(), signed_in(USER)).key(1).again().token_of_nobody().id;
    book.ask(Intent::ReadCart, cart(0, &[])).token(other);
    book.ask(Intent::Logout, Told::SignedOut).token(token);
    book.ask(Intent::ReadCart, refused(401, "signed_out")).token(other);
    book.is_good();
    book.ask(shown, signed_in(USER)).key(1).again().token_of_nobody();
    book.breaks("S2");
}

#[test]
fn s2_an_add_that_hung_from_before_a_logout_is_done_before_it_or_never() {
    let begun = || {
        let mut book = Book::new();
        book.ask(Intent::Logout, Told::SignedOut);
        let token = book.sign_in();
        book.ask(Intent::ReadCart, cart(0, &[])).token(token);
        (book, token)
    };
    let (mut book, token) = begun();
    book.unanswered(add(1, 1)).earlier(58);
    book.ask(Intent::ReadCart, cart(0, &[])).token(token);
    book.is_good();
    book.ask(Intent::ReadCart, cart(1, &[(1, 1, 1)])).token(token);
    book.breaks("S2");
    // The same with its answer, in a cart that was not empty.
    let mut book = Book::new();
    book.ask(add(1, 1), cart(1, &[(1, 1, 1)]));
    book.ask(Intent::Logout, Told::SignedOut);
    let token = book.sign_in();
    book.ask(Intent::ReadCart, cart(1, &[(1, 1, 1)])).token(token);
    book.crash();
    book.ask(add(1, 1), cart(2, &[(1, 1, 2)])).earlier(58);
    book.breaks("S2");
}

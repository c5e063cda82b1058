//! Codes, attempts, budgets, sessions and the profile.

use evercart_core::clock::Clock;
use evercart_core::error::Refused;
use evercart_core::sign_in::{
    Budget, CodeRequest, SignInAttempt, SignInOutcome, UNSENT_KEY_LIFETIME, UnsentCode,
};
use evercart_core::user::ProfileChange;
use jiff::SignedDuration;

use crate::Backend;
use crate::shop::{
    ATTEMPTS_MAX, ATTEMPTS_WINDOW, CODE, CODE_LIFETIME, Shop, attempt, budget, by, code_request,
    free, key, phone, phone_hash, refused, signed_in, test_attempt, unsent_code,
};

const WRONG: &str = "999999";

/// The first accepted code makes the user.
pub async fn first_sign_in_makes_the_user<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    let missing = refused(shop.find_user(phone.clone()).await);
    assert!(matches!(missing, Refused::NotFound { .. }), "{missing:?}");
    shop.grant_code(code_request(&phone, CODE)).await.unwrap();
    let outcome = shop.sign_in(attempt(&phone, CODE)).await.unwrap();
    let SignInOutcome::SignedIn { user, is_new: true, replayed: false } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((&user.phone, user.session_epoch), (&phone, 0));
    assert!(user.is_active && user.blocked_at.is_none() && user.full_name.is_none());
    let now = shop.clock().now();
    assert_eq!((user.created_at, user.last_login), (now, Some(now)));
    assert!(user.id.0 > 0);
    assert_eq!(shop.user(user.session()).await.unwrap(), *user);
}

/// G7: a phone is a user for ever, and a second device does not disturb the first.
pub async fn second_device_is_the_same_user<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    shop.wait(SignedDuration::from_hours(1));
    shop.grant_code(code_request(&me.phone, CODE)).await.unwrap();
    let outcome = shop.sign_in(attempt(&me.phone, CODE)).await.unwrap();
    let SignInOutcome::SignedIn { user, is_new: false, replayed: false } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(user.session(), me.session);
    assert_eq!(user.last_login, Some(shop.clock().now()));
    assert_ne!(user.created_at, shop.clock().now());
    assert_eq!(shop.user(me.session).await.unwrap(), *user);
}

/// A code opens the door once.
pub async fn a_code_is_used_up_by_signing_in<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    shop.grant_code(code_request(&phone, CODE)).await.unwrap();
    signed_in(shop.sign_in(attempt(&phone, CODE)).await);
    let again = shop.sign_in(attempt(&phone, CODE)).await.unwrap();
    assert_eq!(again, SignInOutcome::CodeInvalid);
}

/// Nobody gets in without a code, with another's code, or with one that was never sent.
pub async fn only_the_code_sent_to_this_phone_opens<B: Backend>(shop: &mut Shop<B>) {
    let (mine, other) = (phone(1), phone(2));
    let outcome = shop.sign_in(attempt(&mine, CODE)).await.unwrap();
    assert_eq!(outcome, SignInOutcome::CodeInvalid);
    shop.grant_code(code_request(&mine, CODE)).await.unwrap();
    shop.grant_code(code_request(&other, "222222")).await.unwrap();
    for (phone, code) in [(&mine, "222222"), (&mine, WRONG), (&other, CODE)] {
        let outcome = shop.sign_in(attempt(phone, code)).await.unwrap();
        assert_eq!(outcome, SignInOutcome::CodeInvalid, "{code}");
    }
    assert!(shop.find_user(mine.clone()).await.is_err(), "a wrong code made a user");
    signed_in(shop.sign_in(attempt(&mine, CODE)).await);
    signed_in(shop.sign_in(attempt(&other, "222222")).await);
}

/// The newest code is the only one.
pub async fn a_new_code_ends_the_old_one<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    shop.grant_code(code_request(&phone, "111111")).await.unwrap();
    shop.wait(SignedDuration::from_secs(61));
    shop.grant_code(code_request(&phone, "222222")).await.unwrap();
    let old = shop.sign_in(attempt(&phone, "111111")).await.unwrap();
    assert_eq!(old, SignInOutcome::CodeInvalid);
    signed_in(shop.sign_in(attempt(&phone, "222222")).await);
}

/// A code is good for its lifetime and no longer.
pub async fn a_code_expires<B: Backend>(shop: &mut Shop<B>) {
    let (early, late) = (phone(1), phone(2));
    for phone in [&early, &late] {
        shop.grant_code(code_request(phone, CODE)).await.unwrap();
    }
    shop.wait(CODE_LIFETIME - SignedDuration::from_secs(1));
    signed_in(shop.sign_in(attempt(&early, CODE)).await);
    shop.wait(SignedDuration::from_secs(1));
    let outcome = shop.sign_in(attempt(&late, CODE)).await.unwrap();
    assert_eq!(outcome, SignInOutcome::CodeInvalid);
}

/// S5: a code is not sent again at once, and the answer says when it will be.
pub async fn a_resend_has_to_wait_while_a_code_is_outstanding<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    let resend_after = SignedDuration::from_secs(60);
    shop.grant_code(code_request(&phone, CODE)).await.unwrap();
    shop.wait(SignedDuration::from_secs(20));
    match refused(shop.grant_code(code_request(&phone, "222222")).await) {
        Refused::RateLimited { retry_after } => {
            assert!(retry_after > SignedDuration::ZERO && retry_after <= resend_after);
        }
        other => panic!("{other:?}"),
    }
    // The refused one did not replace the first.
    signed_in(shop.sign_in(attempt(&phone, CODE)).await);
    // And nothing is outstanding now.
    shop.grant_code(code_request(&phone, "333333")).await.unwrap();
    shop.wait(resend_after);
    shop.grant_code(code_request(&phone, "444444")).await.unwrap();
    signed_in(shop.sign_in(attempt(&phone, "444444")).await);
}

/// An outdated code makes nobody wait.
pub async fn an_expired_code_has_no_cooldown<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    let hour = Some(SignedDuration::from_hours(1));
    let request = |code| CodeRequest { resend_after: hour, ..code_request(&phone, code) };
    shop.grant_code(request("111111")).await.unwrap();
    refused(shop.grant_code(request("222222")).await);
    shop.wait(CODE_LIFETIME);
    shop.grant_code(request("333333")).await.unwrap();
    signed_in(shop.sign_in(attempt(&phone, "333333")).await);
}

/// A code that could not be sent is forgotten, without a cooldown; a newer one is not touched.
pub async fn only_the_current_code_is_withdrawn<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    let withdraw = |code| shop.withdraw_code(unsent_code(&phone, code));
    let budgets = vec![budget("send_ip", "192.0.2.1", 2)];
    let request = |code| CodeRequest { budgets: budgets.clone(), ..code_request(&phone, code) };
    shop.grant_code(request("111111")).await.unwrap();
    withdraw("111111").await.unwrap();
    let outcome = shop.sign_in(attempt(&phone, "111111")).await.unwrap();
    assert_eq!(outcome, SignInOutcome::CodeInvalid);
    shop.grant_code(request("222222")).await.unwrap();
    withdraw("111111").await.unwrap();
    signed_in(shop.sign_in(attempt(&phone, "222222")).await);
    withdraw("222222").await.unwrap();
    // Nothing was given back.
    let refusal = refused(shop.grant_code(request("333333")).await);
    assert!(matches!(refusal, Refused::RateLimited { .. }), "{refusal:?}");
}

/// G5: what was not sent did not happen, so the client's retry under its key sends.
pub async fn a_withdrawn_codes_key_sends_again<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    let request = |code| CodeRequest { idempotency: key("send", 1), ..code_request(&phone, code) };
    assert!(!shop.grant_code(request("111111")).await.unwrap().replayed);
    shop.withdraw_code(unsent_code(&phone, "111111")).await.unwrap();
    assert!(!shop.grant_code(request("222222")).await.unwrap().replayed);
    signed_in(shop.sign_in(attempt(&phone, "222222")).await);
}

/// G11: a code that was not sent is not counted, as far as its budgets know of it.
pub async fn a_withdrawn_code_gives_back_what_it_took<B: Backend>(shop: &mut Shop<B>) {
    let (narrow, wide) = (budget("send_ip", "192.0.2.1", 2), budget("send_market", "us", 3));
    let both = vec![wide.clone(), narrow.clone()];
    let request = |n, budgets: &[Budget]| {
        let request = code_request(&phone(n), CODE);
        CodeRequest { budgets: budgets.to_vec(), ..request }
    };
    let unsent = |n| UnsentCode { give_back: both.clone(), ..unsent_code(&phone(n), CODE) };
    for _ in 0..5 {
        shop.grant_code(request(1, &both)).await.unwrap();
        shop.withdraw_code(unsent(1)).await.unwrap();
        shop.withdraw_code(unsent(1)).await.unwrap();
    }
    for n in 1..=2 {
        shop.grant_code(request(n, &both)).await.unwrap();
    }
    let refusal = refused(shop.grant_code(request(3, &both)).await);
    assert!(matches!(refusal, Refused::RateLimited { .. }), "{refusal:?}");
    shop.withdraw_code(unsent(2)).await.unwrap();
    shop.grant_code(request(3, &both)).await.unwrap();
    shop.grant_code(request(4, std::slice::from_ref(&wide))).await.unwrap();
    refused(shop.grant_code(request(5, &[wide])).await);
}

/// G11: nor if time passes while it is granted and withdrawn.
pub async fn time_stands_still_for_what_is_given_back<B: Backend>(shop: &mut Shop<B>) {
    shop.clock().tick();
    a_withdrawn_code_gives_back_what_it_took(shop).await;
}

/// What was counted in a window that is over is not taken out of the next one.
pub async fn nothing_is_given_back_to_a_later_window<B: Backend>(shop: &mut Shop<B>) {
    let minute = SignedDuration::from_mins(1);
    let short = Budget { window: minute, ..budget("send_ip", "192.0.2.1", 2) };
    let request = |n| CodeRequest { budgets: vec![short.clone()], ..code_request(&phone(n), CODE) };
    shop.grant_code(request(1)).await.unwrap();
    shop.wait(minute);
    for n in 2..=3 {
        shop.grant_code(request(n)).await.unwrap();
    }
    let unsent = UnsentCode { give_back: vec![short.clone()], ..unsent_code(&phone(1), CODE) };
    shop.withdraw_code(unsent).await.unwrap();
    refused(shop.grant_code(request(4)).await);
}

/// G5, G11: until a code is known to be sent, its key is remembered for a moment only. Should the
/// server have died before, the client's retry is told of no code that nobody got.
pub async fn a_key_is_remembered_for_a_day_once_its_code_is_sent<B: Backend>(shop: &mut Shop<B>) {
    let request = |n| CodeRequest {
        idempotency: key("send", n as u8),
        resend_after: None,
        ..code_request(&phone(n), CODE)
    };
    for n in 1..=2 {
        assert!(!shop.grant_code(request(n)).await.unwrap().replayed);
        assert!(shop.grant_code(request(n)).await.unwrap().replayed, "it may be on its way");
    }
    shop.confirm_code(phone_hash(&phone(1)), key("send", 1).unwrap()).await.unwrap();
    // Of another request under that name nothing is known.
    shop.confirm_code(phone_hash(&phone(2)), key("send", 9).unwrap()).await.unwrap();
    shop.wait(UNSENT_KEY_LIFETIME);
    assert!(shop.grant_code(request(1)).await.unwrap().replayed);
    assert!(!shop.grant_code(request(2)).await.unwrap().replayed, "it was never sent");
    shop.wait(SignedDuration::from_hours(24) - UNSENT_KEY_LIFETIME - SignedDuration::from_secs(1));
    assert!(shop.grant_code(request(1)).await.unwrap().replayed);
    shop.wait(SignedDuration::from_secs(1));
    assert!(!shop.grant_code(request(1)).await.unwrap().replayed);
}

/// S5: a budget is a fixed window from its first event; a refusal takes nothing from any.
pub async fn budgets_limit_what_is_sent<B: Backend>(shop: &mut Shop<B>) {
    let narrow = budget("send_ip", "192.0.2.1", 3);
    let wide = budget("send_market", "us", 4);
    let request = |n, budgets: &[_]| {
        let request = code_request(&phone(n), CODE);
        CodeRequest { budgets: budgets.to_vec(), ..request }
    };
    for n in 1..=3 {
        shop.wait(SignedDuration::from_mins(1));
        shop.grant_code(request(n, &[wide.clone(), narrow.clone()])).await.unwrap();
    }
    for n in 4..=9 {
        match refused(shop.grant_code(request(n, &[wide.clone(), narrow.clone()])).await) {
            Refused::RateLimited { retry_after } => {
                assert!(retry_after > SignedDuration::ZERO);
                assert!(retry_after <= narrow.window - SignedDuration::from_mins(2));
            }
            other => panic!("{other:?}"),
        }
    }
    // The refusals left room in the wide one, and another subject is another matter.
    let elsewhere = budget("send_ip", "192.0.2.2", 3);
    shop.grant_code(request(10, &[wide.clone(), elsewhere.clone()])).await.unwrap();
    refused(shop.grant_code(request(11, &[wide.clone(), elsewhere])).await);
    // A window ends an hour after its first event, not after its last.
    shop.wait(SignedDuration::from_mins(58));
    shop.grant_code(request(12, &[wide, narrow])).await.unwrap();
}

/// S4: five wrong codes, then nothing is compared any more, also not the right one.
pub async fn five_wrong_codes_then_the_phone_waits<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    shop.grant_code(code_request(&me.phone, CODE)).await.unwrap();
    for _ in 0..ATTEMPTS_MAX {
        let outcome = shop.sign_in(attempt(&me.phone, WRONG)).await.unwrap();
        assert_eq!(outcome, SignInOutcome::CodeInvalid);
    }
    for refusal in [
        refused(shop.sign_in(attempt(&me.phone, WRONG)).await),
        refused(shop.sign_in(attempt(&me.phone, CODE)).await),
        refused(shop.grant_code(code_request(&me.phone, "222222")).await),
    ] {
        let Refused::TooManyAttempts { retry_after } = refusal else { panic!("{refusal:?}") };
        assert!(retry_after > SignedDuration::ZERO && retry_after <= ATTEMPTS_WINDOW);
    }
    // The devices that are in stay in: guessing signs nobody out.
    shop.user(me.session).await.unwrap();
    // Another phone is another matter.
    shop.customer().await;
    shop.wait(ATTEMPTS_WINDOW);
    shop.grant_code(code_request(&me.phone, "222222")).await.unwrap();
    signed_in(shop.sign_in(attempt(&me.phone, "222222")).await);
}

/// S4: asking for a new code buys no new guesses.
pub async fn a_resend_does_not_reset_the_attempts<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    for n in 0..ATTEMPTS_MAX {
        let request = CodeRequest { resend_after: None, ..code_request(&phone, CODE) };
        shop.grant_code(request).await.unwrap();
        let outcome = shop.sign_in(attempt(&phone, WRONG)).await.unwrap();
        assert_eq!(outcome, SignInOutcome::CodeInvalid, "attempt {n}");
    }
    let refusal = refused(shop.sign_in(attempt(&phone, CODE)).await);
    assert!(matches!(refusal, Refused::TooManyAttempts { .. }), "{refusal:?}");
}

/// A customer who mistypes now and then is not punished for it later.
pub async fn success_resets_the_attempts<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    for _ in 0..3 {
        let request = CodeRequest { resend_after: None, ..code_request(&phone, CODE) };
        shop.grant_code(request).await.unwrap();
        for _ in 0..ATTEMPTS_MAX - 1 {
            let outcome = shop.sign_in(attempt(&phone, WRONG)).await.unwrap();
            assert_eq!(outcome, SignInOutcome::CodeInvalid);
        }
        signed_in(shop.sign_in(attempt(&phone, CODE)).await);
    }
}

/// S4: nobody can lock a phone out that asked for no code.
pub async fn guesses_without_a_code_do_not_count_for_the_phone<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    for _ in 0..ATTEMPTS_MAX * 2 {
        let outcome = shop.sign_in(attempt(&phone, WRONG)).await.unwrap();
        assert_eq!(outcome, SignInOutcome::CodeInvalid);
    }
    shop.grant_code(code_request(&phone, CODE)).await.unwrap();
    signed_in(shop.sign_in(attempt(&phone, CODE)).await);
}

/// S4: one address has so many wrong codes for all phones together; right ones cost nothing.
pub async fn an_address_that_guesses_has_to_wait<B: Backend>(shop: &mut Shop<B>) {
    let from = |address, attempt| SignInAttempt {
        failures: vec![budget("fail_ip", address, 4)],
        ..attempt
    };
    for n in 1..=5 {
        shop.grant_code(code_request(&phone(n), CODE)).await.unwrap();
        signed_in(shop.sign_in(from("192.0.2.9", attempt(&phone(n), CODE))).await);
    }
    for n in 11..=14 {
        let outcome = shop.sign_in(from("192.0.2.9", attempt(&phone(n), WRONG))).await.unwrap();
        assert_eq!(outcome, SignInOutcome::CodeInvalid);
    }
    shop.grant_code(code_request(&phone(15), CODE)).await.unwrap();
    match refused(shop.sign_in(from("192.0.2.9", attempt(&phone(15), CODE))).await) {
        Refused::TooManyAttempts { retry_after } => {
            assert!(retry_after > SignedDuration::ZERO);
            assert!(retry_after <= SignedDuration::from_hours(1));
        }
        other => panic!("{other:?}"),
    }
    signed_in(shop.sign_in(from("192.0.2.8", attempt(&phone(15), CODE))).await);
    shop.wait(SignedDuration::from_hours(1));
    shop.grant_code(code_request(&phone(16), CODE)).await.unwrap();
    signed_in(shop.sign_in(from("192.0.2.9", attempt(&phone(16), CODE))).await);
}

/// A configured code needs no sent one; wrong codes for such a phone are counted all the same.
pub async fn test_phones_have_attempts_too<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    let first = signed_in(shop.sign_in(test_attempt(&phone)).await);
    let second = signed_in(shop.sign_in(test_attempt(&phone)).await);
    assert_eq!(first.session(), second.session());
    let wrong = || SignInAttempt { is_test_phone: true, ..attempt(&phone, WRONG) };
    for _ in 0..ATTEMPTS_MAX {
        assert_eq!(shop.sign_in(wrong()).await.unwrap(), SignInOutcome::CodeInvalid);
    }
    for attempt in [wrong(), test_attempt(&phone)] {
        let refusal = refused(shop.sign_in(attempt).await);
        assert!(matches!(refusal, Refused::TooManyAttempts { .. }), "{refusal:?}");
    }
    shop.wait(ATTEMPTS_WINDOW);
    signed_in(shop.sign_in(test_attempt(&phone)).await);
}

/// G5: a repeated request for a code sends nothing and takes nothing.
pub async fn a_repeated_request_for_a_code_is_one_request<B: Backend>(shop: &mut Shop<B>) {
    let request = |name, n, code| CodeRequest {
        budgets: vec![budget("send_ip", "192.0.2.1", 2)],
        idempotency: key(name, n as u8),
        ..code_request(&phone(n), code)
    };
    assert!(!shop.grant_code(request("a", 1, CODE)).await.unwrap().replayed);
    for _ in 0..3 {
        // The code was drawn anew; the one that was sent stays the right one.
        assert!(shop.grant_code(request("a", 1, "777777")).await.unwrap().replayed);
    }
    let other = CodeRequest { idempotency: key("a", 9), ..request("a", 1, CODE) };
    assert_eq!(refused(shop.grant_code(other).await), Refused::IdempotencyKeyReused);
    // The same key of another phone is another key.
    assert!(!shop.grant_code(request("a", 2, CODE)).await.unwrap().replayed);
    let refusal = refused(shop.grant_code(request("b", 3, CODE)).await);
    assert!(matches!(refusal, Refused::RateLimited { .. }), "{refusal:?}");
    signed_in(shop.sign_in(attempt(&phone(1), CODE)).await);
}

/// G5: a client that did not get the answer asks again and is let in, once more.
pub async fn a_repeated_sign_in_is_one_sign_in<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    let with_key = || SignInAttempt { idempotency: key("in", 1), ..attempt(&phone, CODE) };
    shop.grant_code(code_request(&phone, CODE)).await.unwrap();
    let first = signed_in(shop.sign_in(with_key()).await);
    shop.wait(SignedDuration::from_mins(1));
    match shop.sign_in(with_key()).await.unwrap() {
        SignInOutcome::SignedIn { user, replayed: true, .. } => {
            assert_eq!(user.session(), first.session());
        }
        other => panic!("{other:?}"),
    }
    let other = SignInAttempt { idempotency: key("in", 2), ..attempt(&phone, CODE) };
    assert_eq!(refused(shop.sign_in(other).await), Refused::IdempotencyKeyReused);
    // The key opens no longer than the code would have.
    shop.wait(CODE_LIFETIME);
    assert_eq!(shop.sign_in(with_key()).await.unwrap(), SignInOutcome::CodeInvalid);
}

/// G5: a key opens a short time, but names its one request for a day.
pub async fn a_key_of_a_sign_in_is_remembered_for_a_day<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    let under =
        |request, code| SignInAttempt { idempotency: key("in", request), ..attempt(&phone, code) };
    shop.grant_code(code_request(&phone, CODE)).await.unwrap();
    signed_in(shop.sign_in(under(1, CODE)).await);
    shop.wait(SignedDuration::from_hours(24) - SignedDuration::from_secs(1));
    assert_eq!(shop.sign_in(under(1, CODE)).await.unwrap(), SignInOutcome::CodeInvalid);
    shop.grant_code(code_request(&phone, "222222")).await.unwrap();
    let refusal = refused(shop.sign_in(under(2, "222222")).await);
    assert_eq!(refusal, Refused::IdempotencyKeyReused);
    signed_in(shop.sign_in(attempt(&phone, "222222")).await);
}

/// S2: no key opens a door that was locked after it was used.
pub async fn a_repeated_sign_in_does_not_undo_signing_out<B: Backend>(shop: &mut Shop<B>) {
    let phone = phone(1);
    let with_key = || SignInAttempt { idempotency: key("in", 1), ..attempt(&phone, CODE) };
    shop.grant_code(code_request(&phone, CODE)).await.unwrap();
    let first = signed_in(shop.sign_in(with_key()).await).session();
    shop.sign_out(first, free()).await.unwrap();
    assert_eq!(shop.sign_in(with_key()).await.unwrap(), SignInOutcome::CodeInvalid);
    let second = shop.sign_in_with(&phone).await;
    assert_eq!(shop.sign_in(with_key()).await.unwrap(), SignInOutcome::CodeInvalid);
    assert_eq!(refused(shop.user(first).await), Refused::SignedOut);
    shop.block_user(phone.clone(), by()).await.unwrap();
    let blocked = shop.sign_in(with_key()).await;
    assert!(!matches!(blocked, Ok(SignInOutcome::SignedIn { .. })), "{blocked:?}");
    assert_eq!(refused(shop.user(second).await), Refused::UserBlocked);
}

/// S2: signing out is felt by every device and shown on the user.
pub async fn signing_out_ends_every_session<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    let second_device = shop.sign_in_with(&me.phone).await;
    assert!(!shop.sign_out(me.session, free()).await.unwrap().replayed);
    for session in [me.session, second_device] {
        assert_eq!(refused(shop.cart(session).await), Refused::SignedOut);
    }
    let user = shop.find_user(me.phone.clone()).await.unwrap().user;
    assert_eq!((user.is_active, user.session_epoch), (false, 1));
    let session = shop.sign_in_with(&me.phone).await;
    assert_eq!(session.epoch, 1);
    assert!(shop.user(session).await.unwrap().is_active);
}

/// A profile changes where it was asked to, and only there.
pub async fn a_profile_changes_field_by_field<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let change = ProfileChange {
        full_name: Some(Some("Айгүл O'Neill".into())),
        email: Some(Some("a@example.com".into())),
        language: Some(Some("ky".into())),
        profile_image_url: None,
    };
    let before = shop.user(me).await.unwrap();
    let user = shop.change_profile(me, change, free()).await.unwrap().value;
    assert_eq!(user.full_name.as_deref(), Some("Айгүл O'Neill"));
    let change = ProfileChange {
        email: Some(None),
        profile_image_url: Some(Some("https://example.com/a.png".into())),
        ..ProfileChange::default()
    };
    let user = shop.change_profile(me, change, free()).await.unwrap().value;
    assert_eq!(user.email, None);
    assert_eq!(user.profile_image_url.as_deref(), Some("https://example.com/a.png"));
    assert_eq!(user.language.as_deref(), Some("ky"));
    assert_eq!(
        (user.id, &user.phone, user.created_at),
        (before.id, &before.phone, before.created_at)
    );
    let unchanged = shop.change_profile(me, ProfileChange::default(), free()).await.unwrap();
    assert_eq!(unchanged.value, user);
    assert_eq!(shop.user(me).await.unwrap(), user);
}

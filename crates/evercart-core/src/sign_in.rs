//! Signing in by phone and code, signing out, and the customer's profile.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::code::{KeyedHash, Purpose};
use crate::error::Result;
use crate::guard::{Done, Guard, IdempotencyKey};
use crate::phone::Phone;
use crate::user::{ProfileChange, Session, User};

/// A count of events with one subject in a window of time, and how many of them are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// What is counted: `send_ip`, `send_market`, `fail_ip`.
    pub scope: &'static str,
    /// For whom.
    pub subject: KeyedHash,
    /// The most events in a window.
    pub limit: u32,
    /// How long a window lasts from its first event on.
    pub window: SignedDuration,
}

/// A wish to have a code sent.
#[derive(Debug, Clone)]
pub struct CodeRequest {
    /// The phone, hashed: the store need not know it.
    pub phone: KeyedHash,
    /// What for.
    pub purpose: Purpose,
    /// The new code, hashed; it ends the old one.
    pub code: KeyedHash,
    /// How long it is good for.
    pub lifetime: SignedDuration,
    /// The least time between two sends while a code is outstanding; `None` for no such limit.
    pub resend_after: Option<SignedDuration>,
    /// All must have room; empty for no limits.
    pub budgets: Vec<Budget>,
    /// The client's name for this request.
    pub idempotency: Option<IdempotencyKey>,
}

/// What a person offers as proof of owning a phone.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A code, hashed, to be compared with the one that was sent.
    Code(KeyedHash),
    /// A code that the configuration accepts for this phone without sending one.
    TestCode,
}

/// An attempt to sign in.
#[derive(Debug, Clone)]
pub struct SignInAttempt {
    /// The phone.
    pub phone: Phone,
    /// The phone, hashed.
    pub phone_hash: KeyedHash,
    /// What for.
    pub purpose: Purpose,
    /// The proof.
    pub proof: Proof,
    /// True if the phone has codes of its own in the configuration: then a wrong code counts
    /// although none was sent.
    pub is_test_phone: bool,
    /// Wrong codes allowed before the phone has to wait; a resend does not reset the count.
    pub attempts_max: u32,
    /// How long it waits, from the first wrong code on.
    pub attempts_window: SignedDuration,
    /// Wrong codes allowed from one address.
    pub failures: Budget,
    /// The client's name for this request.
    pub idempotency: Option<IdempotencyKey>,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInOutcome {
    /// The customer is in.
    SignedIn {
        /// Who.
        user: Box<User>,
        /// True if this is their first time.
        is_new: bool,
        /// True if this very request had signed them in before.
        replayed: bool,
    },
    /// Wrong, used or outdated: one answer for all.
    CodeInvalid,
    /// The code was right and is used up, but an account was moved away from this phone and the
    /// change is on hold: nobody is let in, and no customer is made.
    PhoneMoved {
        /// When the phone makes a new customer; `None` while the shop has to decide.
        until: Option<Timestamp>,
    },
}

/// What the store does with users and their sessions.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// Records a code to be sent, if every budget has room. The old code dies, the count of wrong
    /// attempts stays. The value of a replay says that nothing is to be sent.
    ///
    /// # Errors
    /// `RateLimited`, `TooManyAttempts` while the phone has to wait, `IdempotencyKeyReused`.
    async fn grant_code(&self, request: CodeRequest) -> Result<Done<()>>;

    /// Forgets a code that could not be sent, so that the customer need not wait for the next one.
    /// What it took from the budgets stays taken.
    ///
    /// # Errors
    /// A failure.
    async fn withdraw_code(
        &self,
        phone: KeyedHash,
        purpose: Purpose,
        code: KeyedHash,
    ) -> Result<()>;

    /// Signs a customer in, making the user if the phone is new. The attempt is counted before the
    /// comparison, the code is used up, and the user is active from then on.
    ///
    /// # Errors
    /// `TooManyAttempts`, `UserBlocked`, `IdempotencyKeyReused`; `PhoneOnHold` while the account is
    /// frozen. A wrong code is an outcome.
    async fn sign_in(&self, attempt: SignInAttempt) -> Result<SignInOutcome>;

    /// Signs the customer out everywhere: every token issued so far is dead when this returns.
    ///
    /// # Errors
    /// The session's refusals; `IdempotencyKeyReused`. A repeat under the same key succeeds.
    async fn sign_out(&self, session: Session, guard: Guard) -> Result<Done<()>>;

    /// The customer.
    ///
    /// # Errors
    /// The session's refusals, or a failure.
    async fn user(&self, session: Session) -> Result<User>;

    /// Changes the profile.
    ///
    /// # Errors
    /// The session's refusals; `IdempotencyKeyReused`.
    async fn change_profile(
        &self,
        session: Session,
        change: ProfileChange,
        guard: Guard,
    ) -> Result<Done<User>>;
}

//! Signing in by phone and code, signing out, and the customer's profile.

use async_trait::async_trait;
use jiff::SignedDuration;

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

/// How long a key is remembered of a code that is not known to be sent: longer than sending takes.
/// Should the server die meanwhile, the client's retry sends a code instead of being told of one.
pub const UNSENT_KEY_LIFETIME: SignedDuration = SignedDuration::from_secs(30);

/// A code that was granted and could not be sent.
#[derive(Debug, Clone)]
pub struct UnsentCode {
    /// The phone, hashed.
    pub phone: KeyedHash,
    /// What the code was for.
    pub purpose: Purpose,
    /// The code, hashed.
    pub code: KeyedHash,
    /// The budgets that get back what the code took: those of its request, or none if the message
    /// may be on its way after all.
    pub give_back: Vec<Budget>,
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
}

/// What the store does with users and their sessions.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// Records a code to be sent, if every budget has room. The old code dies, the count of wrong
    /// attempts stays. A replay says that nothing is to be sent; a key is remembered for a day, but
    /// only for [`UNSENT_KEY_LIFETIME`] until [`confirm_code`](Self::confirm_code).
    ///
    /// # Errors
    /// `RateLimited`, `TooManyAttempts` while the phone has to wait, `IdempotencyKeyReused`.
    async fn grant_code(&self, request: CodeRequest) -> Result<Done<()>>;

    /// Notes that the code asked for under this key was sent.
    ///
    /// # Errors
    /// A failure.
    async fn confirm_code(&self, phone: KeyedHash, key: IdempotencyKey) -> Result<()>;

    /// Forgets a code that could not be sent, and its key, so that the customer need not wait for
    /// the next one, and gives back what it took from budgets whose window it was counted in.
    /// Changes nothing if another code was granted since.
    ///
    /// # Errors
    /// A failure.
    async fn withdraw_code(&self, unsent: UnsentCode) -> Result<()>;

    /// Signs a customer in, making the user if the phone is new. The attempt is counted before the
    /// comparison, the code is used up, and the user is active from then on.
    ///
    /// # Errors
    /// `TooManyAttempts`, `UserBlocked`, `IdempotencyKeyReused`. A wrong code is an outcome.
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

//! Signing in by phone and code, signing out, and the customer's profile.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::code::{KeyedHash, Purpose};
use crate::error::Result;
use crate::guard::{Done, Guard, IdempotencyKey};
use crate::ids::UserId;
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
    /// As many of those are kept for customers who ask for a code to their own phone.
    pub reserved: u32,
    /// How long a window lasts from its first event on.
    pub window: SignedDuration,
}

impl Budget {
    /// The most events, for somebody who is or is not known as the phone's customer.
    pub fn limit_for(&self, is_own_phone: bool) -> u32 {
        match is_own_phone {
            true => self.limit,
            false => self.limit.saturating_sub(self.reserved),
        }
    }

    /// True for the event, the `count`-th of its window, with which half of the limit is used.
    pub fn is_half_used_at(&self, count: u32) -> bool {
        count == self.limit.div_ceil(2)
    }
}

/// The scope of a market's wrong codes. A store may count these without making attempts wait for
/// each other, so that one market's customers sign in side by side: then there may be as many more
/// as are compared at one moment.
pub const MARKET_FAILURES: &str = "fail_market";

/// A wish to have a code sent.
#[derive(Debug, Clone)]
pub struct CodeRequest {
    /// The phone, hashed: codes are kept under it.
    pub phone: KeyedHash,
    /// The phone as customers have it.
    pub number: Phone,
    /// The user of a genuine token that came along, be it expired or signed out. Whether the phone
    /// is theirs, the store says, with the same statements whether or not there was a token.
    pub claimed_by: Option<UserId>,
    /// The address it is asked from, hashed.
    pub asked_from: KeyedHash,
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

impl CodeRequest {
    /// From where the first try of the code is compared even if wrong codes have used up what is
    /// allowed: from where it was asked, or, if customers ask for a code to their own phone, from
    /// anywhere, which the phone stands for.
    pub fn first_try_from(&self, is_own_phone: bool) -> KeyedHash {
        if is_own_phone { self.phone } else { self.asked_from }
    }
}

/// What came of a wish to have a code sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// The scopes of budgets of which this one used up the first half. Said once in a window.
    pub half_used: Vec<&'static str>,
}

/// Where a budget stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Events in this window.
    pub count: u32,
    /// How long until it starts anew.
    pub rest: SignedDuration,
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
    /// Wrong codes allowed, from the address, its wider networks, and in the market. Once one of
    /// these is used up, only the first try of a code is compared, from where it was asked from: a
    /// second one would tell right codes from wrong ones.
    pub failures: Vec<Budget>,
    /// The address it comes from, hashed.
    pub from: KeyedHash,
    /// The client's name for this request.
    pub idempotency: Option<IdempotencyKey>,
}

impl SignInAttempt {
    /// True if it is the first try of a code that was granted with this
    /// [`first_try_from`](CodeRequest::first_try_from), which a try sets to `None`.
    pub fn is_first_try(&self, first_try_from: Option<&[u8]>) -> bool {
        first_try_from.is_some_and(|from| self.from.matches(from) || self.phone_hash.matches(from))
    }
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
    /// attempts stays. A replay says that nothing is to be sent; a key is remembered for a day, but
    /// only for [`UNSENT_KEY_LIFETIME`] until [`confirm_code`](Self::confirm_code).
    ///
    /// # Errors
    /// `RateLimited`, `TooManyAttempts` while the phone has to wait, `IdempotencyKeyReused`.
    async fn grant_code(&self, request: CodeRequest) -> Result<Done<Granted>>;

    /// Where a budget stands, without counting.
    ///
    /// # Errors
    /// A failure.
    async fn used(&self, budget: Budget) -> Result<Used>;

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

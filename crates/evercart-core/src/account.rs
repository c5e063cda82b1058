//! What customers do with the account itself: move it to another phone, take a copy of everything
//! the shop holds, end it.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::address::Address;
use crate::cart::Cart;
use crate::code::KeyedHash;
use crate::error::Result;
use crate::guard::{Done, Guard};
use crate::ids::{OrderId, SkuId, UserId};
use crate::money::Money;
use crate::operator::PhoneChangeState;
use crate::order::Order;
use crate::outbox::Message;
use crate::phone::Phone;
use crate::sign_in::SignInAttempt;
use crate::user::{Session, User};
use crate::wishlist::Wishlist;

/// Since a sign-in so long ago, a customer may ask for another phone without a new code.
pub const SIGN_IN_IS_FRESH: SignedDuration = SignedDuration::from_mins(5);

/// A wish to sign in with another phone from now on.
#[derive(Debug, Clone)]
pub struct PhoneChange {
    /// The phone the customer had when they asked.
    pub old_phone: Phone,
    /// The same, hashed: whoever signs in with it at the same moment waits.
    pub old_phone_hash: KeyedHash,
    /// The new phone, with the code that was sent to it.
    pub attempt: SignInAttempt,
    /// What the old phone is told: written into the outbox in the same transaction.
    pub notice: Message,
    /// How long a repeat under the same key is answered with a session again: no longer than the
    /// code was good.
    pub repeat_opens_for: SignedDuration,
    /// How long the old phone can stop the change. Until then the old phone makes no new customer,
    /// and the account is neither moved again nor erased. Zero for no hold.
    pub hold: SignedDuration,
}

/// A phone that an account was moved away from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerPhone {
    /// The phone as it may be shown: `+1312•••9851`.
    pub masked: String,
    /// When the account left it for the last time.
    pub left_at: Timestamp,
}

/// What an erasure does where an order is still to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OpenOrders {
    /// It is refused.
    Refuse,
    /// It is done, and open orders keep what their delivery needs until they end.
    Keep,
}

/// What became of something that a code is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Proven<T> {
    /// The code was right, and it was done.
    Done(Done<T>),
    /// Wrong, used or outdated: one answer for all. Nothing was done.
    CodeInvalid,
}

/// The most orders in one page of an export. One has up to a hundred lines: as many of these as are
/// read at the same moment have to fit into memory.
pub const EXPORTED_ORDERS: u32 = 10;

/// The most idempotency keys in one page of an export.
pub const EXPORTED_KEYS: u32 = 500;

/// What the shop holds of a customer, as of one moment, but for what grows without bound: their
/// orders and idempotency keys, which are read in pages.
#[derive(Debug, Clone, PartialEq)]
pub struct UserExport {
    /// The profile.
    pub user: User,
    /// The cart.
    pub cart: Cart,
    /// The wishlist.
    pub wishlist: Wishlist,
    /// The newest orders, as [`Accounts::export_orders`] begins: of the same moment as the cart, or
    /// what was bought in between would be in both, or in neither.
    pub orders: Vec<Order>,
    /// All addresses.
    pub addresses: Vec<Address>,
    /// When the cart's lines were added, by SKU.
    pub added: Vec<AddedLine>,
    /// Messages that wait to be sent, oldest first.
    pub messages: Vec<WaitingMessage>,
    /// How far the last change of the phone can still be undone.
    pub phone_change: PhoneChangeState,
    /// The phones the account had before, oldest first.
    pub former_phones: Vec<FormerPhone>,
    /// What operators did to the account, and how its phone changed, oldest first.
    pub operator_actions: Vec<OperatorAction>,
}

/// A line of the cart as it was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedLine {
    /// Which SKU.
    pub sku_id: SkuId,
    /// Pieces.
    pub quantity: u32,
    /// What a piece cost when it was added, or changed last.
    pub price_when_added: Money,
    /// When it was added first.
    pub added_at: Timestamp,
}

/// A message that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingMessage {
    /// Where to, as it may be shown: it may be a phone the customer has left.
    pub to: String,
    /// What it says.
    pub text: String,
    /// Since when.
    pub written_at: Timestamp,
}

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorAction {
    /// `show`, `export`, `block`, `unblock`, `sign-out`, `change-phone`, `stop-phone-change`,
    /// `move-back`, `confirm-move`, `end-order`, `erase`.
    pub action: String,
    /// When.
    pub at: Timestamp,
    /// Why, if that was said.
    pub reason: Option<String>,
}

/// An idempotency key that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUsed {
    /// As the client sent it.
    pub key: String,
    /// When it was first used.
    pub at: Timestamp,
}

/// What the store does with accounts as a whole.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Lets a customer ask for another phone. Where a proof is wanted that the present one is
    /// still theirs, the code that was sent there is compared and used up, and the attempt is
    /// counted like one to sign in; a phone that is not the customer's is as good as a wrong code.
    ///
    /// # Errors
    /// The session's refusals; `PhoneOnHold` after a change, `TooManyAttempts`,
    /// `IdempotencyKeyReused`.
    async fn prove_phone(
        &self,
        session: Session,
        proof: Option<SignInAttempt>,
        guard: Guard,
    ) -> Result<Proven<()>>;

    /// Gives the account another phone, if the code that was sent there is right. The user's id and
    /// all that hangs on it stay; every token issued so far is dead, and the customer returned is
    /// signed in. The old phone is nobody's from then on, and its notice is in the outbox: it can
    /// stop the change until the hold is over, and makes a new customer afterwards.
    ///
    /// # Errors
    /// The session's refusals; `PhoneOnHold` after an earlier change, `TooManyAttempts`,
    /// `PhoneTaken` if the phone is another customer's (told only to who has shown that it is
    /// theirs), `PhoneMoved` if another account was moved away from it and that change is on hold,
    /// `IdempotencyKeyReused`. A repeat under the same key succeeds, though its session is dead.
    async fn change_phone(
        &self,
        session: Session,
        change: PhoneChange,
        guard: Guard,
    ) -> Result<Proven<User>>;

    /// Freezes the account that was moved away from a phone, if the code that was sent there to
    /// stop the change is right and the change is on hold. Every token is dead, and neither phone
    /// signs in until an operator has decided. Stopping twice is stopping once. Returns whose
    /// account it is.
    ///
    /// # Errors
    /// `TooManyAttempts`, `IdempotencyKeyReused`; `NotFound` if there is no change to stop (told
    /// only to somebody who has shown that the phone is theirs; the code stays good).
    async fn stop_phone_change(&self, attempt: SignInAttempt) -> Result<Proven<UserId>>;

    /// Everything the shop holds of the customer at one moment, but for the older orders, which
    /// [`export_orders`](Accounts::export_orders) reads, and the keys of
    /// [`export_keys`](Accounts::export_keys). Codes and counts that are kept by a phone's keyed
    /// hash are not in it: nobody can tell whose they are.
    ///
    /// # Errors
    /// The session's refusals, or a failure.
    async fn export(&self, session: Session) -> Result<UserExport>;

    /// The customer's orders, the newest first, [`EXPORTED_ORDERS`] at most: those before this one,
    /// or the first. Each page is of a moment of its own: nothing is held between two.
    ///
    /// # Errors
    /// The session's refusals, or a failure.
    async fn export_orders(&self, session: Session, before: Option<OrderId>) -> Result<Vec<Order>>;

    /// The client's own names of requests that are remembered, by name, [`EXPORTED_KEYS`] at most:
    /// those after this one, or the first. As [`export_orders`](Accounts::export_orders).
    ///
    /// # Errors
    /// The session's refusals, or a failure.
    async fn export_keys(&self, session: Session, after: Option<String>) -> Result<Vec<KeyUsed>>;

    /// Erases what is the customer's, if the code that was sent to their phone is right: whatever
    /// [`Tag`](crate::copy::Tag) says is personal. Orders stay, with their numbers, lines and
    /// amounts, for the books. Every token is dead; the phone is nobody's, and makes another
    /// customer if it signs in again. Messages of theirs that wait in the outbox are not sent any
    /// more.
    ///
    /// # Errors
    /// The session's refusals; `PhoneOnHold` after a change of phone, `TooManyAttempts`,
    /// `IdempotencyKeyReused`, and `OpenOrders`, which leaves the code good. A repeat under the
    /// same key succeeds, though its session is dead.
    async fn erase(
        &self,
        session: Session,
        attempt: SignInAttempt,
        open_orders: OpenOrders,
        guard: Guard,
    ) -> Result<Proven<()>>;
}

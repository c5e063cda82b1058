//! What the people who run the shop do: look a customer up, block, sign out, check, fill a demo.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::account::{FormerPhone, OpenOrders};
use crate::code::KeyedHash;
use crate::error::Result;
use crate::ids::{OrderId, ProductId, SkuId, UserId};
use crate::money::Currency;
use crate::order::{Checkout, OrderEnd};
use crate::phone::Phone;
use crate::user::{Session, User};

/// Who does something to a customer, and why: a line of the audit log says both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// A name by which the shop knows them.
    pub who: String,
    /// Such as a case number. It stays in the books when the customer is erased.
    pub reason: Option<String>,
}

impl By {
    /// Somebody who runs the shop.
    pub fn operator(who: &str, reason: Option<&str>) -> Self {
        Self { who: who.to_owned(), reason: reason.map(str::to_owned) }
    }

    /// The customer.
    pub fn customer() -> Self {
        Self::operator("customer", None)
    }
}

/// What an operator finds of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct UserFile {
    /// Who.
    pub user: User,
    /// Lines in the cart.
    pub cart_lines: u64,
    /// Products on the wishlist.
    pub wishes: u64,
    /// Orders placed.
    pub orders: u64,
    /// The phones the account had before, oldest first.
    pub former_phones: Vec<FormerPhone>,
    /// How far the last change of its phone can still be undone.
    pub phone_change: PhoneChangeState,
}

/// How far the last change of an account's phone can still be undone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PhoneChangeState {
    /// Until when the former phone can stop the change, if that is still to come.
    pub held_until: Option<Timestamp>,
    /// Set if the former phone has stopped the change and an operator has to decide.
    pub frozen: Option<Frozen>,
}

impl PhoneChangeState {
    /// True if an operator can move the account back or confirm the change.
    pub fn is_open(&self) -> bool {
        self.held_until.is_some() || self.frozen.is_some()
    }
}

/// A change of phone that was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// When.
    pub at: Timestamp,
    /// The phone that stopped it, and that the account can go back to.
    pub former_phone: Phone,
}

/// A customer found by a phone they have left.
#[derive(Debug, Clone, PartialEq)]
pub struct FormerCustomer {
    /// Who.
    pub file: UserFile,
    /// When they left the phone.
    pub left_at: Timestamp,
}

/// A decision that an account goes back to its former phone. It holds only for the phones the
/// operator has seen: the store hashes nothing, so it is told both.
#[derive(Debug, Clone)]
pub struct MoveBack {
    /// Whose account.
    pub user_id: UserId,
    /// The phone the account has.
    pub from: (Phone, KeyedHash),
    /// The phone it had before.
    pub to: (Phone, KeyedHash),
}

/// The most orders that are forgotten in one transaction, for which others wait.
pub const BOOKS_FORGOTTEN_AT_ONCE: u32 = 100;

/// The most customers told who have left one phone; the latest few say what there is to know.
pub const FORMER_CUSTOMERS_MAX: u32 = 10;

/// A promise of the schema that does not hold, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The promise, as a sentence.
    pub promise: &'static str,
    /// What breaks it.
    pub found: String,
}

/// What a check looked at and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// Every promise that was looked at.
    pub promises: Vec<&'static str>,
    /// What is wrong. Empty is good.
    pub findings: Vec<Finding>,
    /// Users, carts with lines, orders, for the summary.
    pub counts: Counts,
}

/// How much is in a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Customers.
    pub users: u64,
    /// Lines in all carts.
    pub cart_lines: u64,
    /// Products on all wishlists.
    pub wishes: u64,
    /// Orders.
    pub orders: u64,
    /// Products.
    pub products: u64,
    /// SKUs.
    pub skus: u64,
}

/// A made-up customer of a demo store.
#[derive(Debug, Clone)]
pub struct DemoCustomer {
    /// How they would sign in.
    pub phone: Phone,
    /// What they are called.
    pub full_name: String,
    /// What is in the cart.
    pub cart: Vec<(SkuId, u32)>,
    /// What is on the wishlist.
    pub wishes: Vec<ProductId>,
    /// What they ordered, each a list of SKUs with pieces.
    pub orders: Vec<(Checkout, Vec<(SkuId, u32)>)>,
}

/// What the store does for operators. Every change leaves a line in the audit log, in its own
/// transaction.
#[async_trait]
pub trait Operator: Send + Sync {
    /// The customer with this phone.
    ///
    /// # Errors
    /// `NotFound`.
    async fn find_user(&self, phone: Phone) -> Result<UserFile>;

    /// Ends an order: it is delivered, or cancelled before it was shipped, with its pieces back in
    /// stock. Of a customer who was erased, what the delivery needed goes in the same statement.
    /// Returns whose it is.
    ///
    /// # Errors
    /// `NotFound`; `OrderNotCancellable` if it has ended, or was to be cancelled and is shipped.
    async fn end_order(&self, id: OrderId, end: OrderEnd, by: By) -> Result<UserId>;

    /// Deletes orders of customers who were erased that were placed before this moment and have
    /// ended, with their lines and history: the books need them no longer. At most
    /// [`BOOKS_FORGOTTEN_AT_ONCE`]; returns how many.
    ///
    /// # Errors
    /// A failure.
    async fn forget_books(&self, before: Timestamp) -> Result<u32>;

    /// Leaves a line that somebody was shown what the shop knows of a customer.
    ///
    /// # Errors
    /// `NotFound`.
    async fn note_look(&self, user_id: UserId, by: By) -> Result<()>;

    /// Erases a customer as [`Accounts::erase`](crate::account::Accounts::erase) does, without a
    /// code: for a letter, a lost phone, a blocked customer. The phone's keyed hash, if known,
    /// has what was remembered of requests by it forgotten.
    ///
    /// # Errors
    /// `NotFound`; `OpenOrders`; `PhoneOnHold` while it is not settled whose the account is.
    async fn erase_user(
        &self,
        phone: Phone,
        phone_hash: Option<KeyedHash>,
        open_orders: OpenOrders,
        by: By,
    ) -> Result<UserId>;

    /// Blocks a customer: no request of theirs is let in, and signing in is refused.
    ///
    /// # Errors
    /// `NotFound`.
    async fn block_user(&self, phone: Phone, by: By) -> Result<User>;

    /// Lifts a block. The customer signs in again as usual.
    ///
    /// # Errors
    /// `NotFound`.
    async fn unblock_user(&self, phone: Phone, by: By) -> Result<User>;

    /// Signs a customer out everywhere.
    ///
    /// # Errors
    /// `NotFound`.
    async fn sign_user_out(&self, phone: Phone, by: By) -> Result<User>;

    /// The customers who have left a phone, the latest first, at most [`FORMER_CUSTOMERS_MAX`].
    ///
    /// # Errors
    /// A failure.
    async fn former_customers(&self, phone: KeyedHash) -> Result<Vec<FormerCustomer>>;

    /// Undoes a change of phone that was stopped or is on hold: the account has its former phone
    /// again, every token is dead, and neither a hold nor a freeze is left. The phone it was moved
    /// to is free.
    ///
    /// # Errors
    /// `NotFound` if the account does not have the phone `from`, or nothing is left to decide;
    /// `PhoneTaken` if the former phone is another customer's by now.
    async fn move_phone_back(&self, decision: MoveBack, by: By) -> Result<User>;

    /// Lets a change of phone stand that was stopped or is on hold: the freeze and the hold end,
    /// and the former phone is free.
    ///
    /// # Errors
    /// `NotFound` if the account does not have this phone, or nothing is left to decide.
    async fn confirm_phone_change(&self, user_id: UserId, phone: Phone, by: By) -> Result<User>;

    /// Looks for anything that breaks a promise of the schema.
    ///
    /// # Errors
    /// A failure to look.
    async fn check(&self) -> Result<CheckReport>;

    /// True if the store was ever a demo.
    ///
    /// # Errors
    /// A failure.
    async fn is_demo(&self) -> Result<bool>;

    /// Makes the store a demo for ever, if it has no customers and no catalogue.
    ///
    /// # Errors
    /// A failure. `false` if the store was in use already and is left as it is.
    async fn become_demo(&self) -> Result<bool>;

    /// The currency of the prices that are stored. A store that has a catalogue or orders and knows
    /// of none yet takes `configured`, or that of its latest order, for ever; one that has neither
    /// takes whatever is configured.
    ///
    /// # Errors
    /// A failure.
    async fn currency(&self, configured: Currency) -> Result<Currency>;

    /// Adds made-up customers, all of them or none, taking stock for their orders. A phone that is
    /// known already is left as it is. Returns the sessions, in order.
    ///
    /// # Errors
    /// `InsufficientStock`, `NotFound` for what the catalogue does not have, or a failure.
    async fn fill_demo(&self, customers: Vec<DemoCustomer>) -> Result<Vec<Session>>;

    /// True when the store can be read and its schema is this program's.
    ///
    /// # Errors
    /// Why not.
    async fn ready(&self) -> Result<()>;
}

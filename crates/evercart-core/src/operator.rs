//! What the people who run the shop do: look a customer up, block, sign out, check, fill a demo.

use async_trait::async_trait;

use crate::error::Result;
use crate::ids::{ProductId, SkuId};
use crate::order::Checkout;
use crate::phone::Phone;
use crate::user::{Session, User};

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
}

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

    /// Blocks a customer: no request of theirs is let in, and signing in is refused.
    ///
    /// # Errors
    /// `NotFound`.
    async fn block_user(&self, phone: Phone) -> Result<User>;

    /// Lifts a block. The customer signs in again as usual.
    ///
    /// # Errors
    /// `NotFound`.
    async fn unblock_user(&self, phone: Phone) -> Result<User>;

    /// Signs a customer out everywhere.
    ///
    /// # Errors
    /// `NotFound`.
    async fn sign_user_out(&self, phone: Phone) -> Result<User>;

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

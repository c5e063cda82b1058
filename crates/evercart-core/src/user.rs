//! Who a customer is to the shop, and the verified but not yet checked claim to be one.

use jiff::Timestamp;

use crate::ids::UserId;
use crate::incarnation::Incarnation;
use crate::phone::Phone;

/// What a genuine, unexpired token says: this user, as of this session epoch, in this life of the
/// store.
///
/// It is a claim until the store has compared it with the user's row, which every operation does
/// first, in its own transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Whose token it is.
    pub user_id: UserId,
    /// The user's session epoch when it was issued; signing out moves the user's on.
    pub epoch: i64,
    /// The store's life when it was issued; a return to an earlier moment starts another.
    pub incarnation: Incarnation,
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The identity.
    pub id: UserId,
    /// How the customer signs in now; may change, the id does not.
    pub phone: Phone,
    /// What to call them.
    pub full_name: Option<String>,
    /// Where to write.
    pub email: Option<String>,
    /// A picture, by URL.
    pub profile_image_url: Option<String>,
    /// BCP 47 language, if chosen.
    pub language: Option<String>,
    /// Signed in on some device (the session's flag; a block is another matter).
    pub is_active: bool,
    /// When an operator blocked them, if so.
    pub blocked_at: Option<Timestamp>,
    /// Counts sign-outs: tokens of earlier epochs are dead.
    pub session_epoch: i64,
    /// The last time a code was accepted.
    pub last_login: Option<Timestamp>,
    /// The first time.
    pub created_at: Timestamp,
    /// The life of the store that this was read in.
    pub incarnation: Incarnation,
}

impl User {
    /// The session a token issued now would carry.
    pub fn session(&self) -> Session {
        Session { user_id: self.id, epoch: self.session_epoch, incarnation: self.incarnation }
    }
}

/// What a customer changes of their profile; `None` leaves a field as it is, `Some(None)` empties
/// it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// What to call them.
    pub full_name: Option<Option<String>>,
    /// Where to write.
    pub email: Option<Option<String>>,
    /// A picture, by URL.
    pub profile_image_url: Option<Option<String>>,
    /// One of the market's languages.
    pub language: Option<Option<String>>,
}

//! What makes a repeated or outdated request harmless: the idempotency key and the expected
//! version.

use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use crate::user::Session;

/// How long a key is remembered.
pub const IDEMPOTENCY_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// The conditions under which a mutation may happen.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// Do it once, however often it is asked for.
    pub idempotency: Option<IdempotencyKey>,
    /// Do it only to this version of the cart.
    pub expected_version: Option<i64>,
}

/// A client's name for one intent, with a fingerprint of the request it was first used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// 1 to 255 printable ASCII characters, the client's choice.
    pub key: String,
    /// SHA-256 over method, path and body.
    pub fingerprint: [u8; 32],
}

impl IdempotencyKey {
    /// The request of a session, as a hash that says nothing of either: what is kept of the request
    /// by which a customer was erased.
    pub fn request_of(&self, session: Session) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(session.user_id.0.to_be_bytes());
        hash.update(session.epoch.to_be_bytes());
        hash.update(self.fingerprint);
        hash.update(self.key.as_bytes());
        hash.finalize().into()
    }
}

/// The outcome of a guarded mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    /// The resource as it is now.
    pub value: T,
    /// True if the effect had happened before, under the same idempotency key.
    pub replayed: bool,
}

impl<T> Done<T> {
    /// It happened now.
    pub fn now(value: T) -> Self {
        Self { value, replayed: false }
    }

    /// It had happened before.
    pub fn before(value: T) -> Self {
        Self { value, replayed: true }
    }
}

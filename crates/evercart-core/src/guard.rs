//! What makes a repeated or outdated request harmless: the idempotency key and the expected
//! version.

use jiff::SignedDuration;

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

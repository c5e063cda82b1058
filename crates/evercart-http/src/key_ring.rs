//! The token keys in force, replaceable while requests are served.

use std::sync::{Arc, PoisonError, RwLock};

use evercart_core::token::TokenKeys;

/// Holds the keys in force. A request takes them once and uses them to its end.
#[derive(Debug)]
pub struct KeyRing(RwLock<Arc<TokenKeys>>);

impl KeyRing {
    /// A ring with `keys` in force.
    pub fn new(keys: TokenKeys) -> Self {
        Self(RwLock::new(Arc::new(keys)))
    }

    /// The keys in force now.
    pub fn current(&self) -> Arc<TokenKeys> {
        // The guarded value is only ever swapped whole, so a panic elsewhere cannot have torn it.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other keys in force for all requests that begin from now on.
    pub(crate) fn replace(&self, keys: TokenKeys) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}

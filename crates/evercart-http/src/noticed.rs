//! What requests show of the shop's own surroundings: a proxy, or keys, that nobody told this
//! server of. Anybody can send either, so each is said once, or once in a while.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use evercart_core::token::TokenKeys;
use jiff::{SignedDuration, Timestamp};

/// How often unknown keys are told of, at most.
const KEYS_TOLD_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What was noticed and told.
#[derive(Debug, Default)]
pub struct Noticed {
    proxy: AtomicBool,
    keys: Mutex<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    told_at: Option<Timestamp>,
    /// Tokens since then.
    tokens: u64,
}

impl Noticed {
    /// `X-Forwarded-For` came from somebody who is no trusted proxy.
    pub(crate) fn unknown_proxy(&self, peer: IpAddr) {
        if !self.proxy.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "{peer} sends X-Forwarded-For and is not in server.trusted_proxies: if it is your \
                 proxy, add it there, or all its customers share the limits of one address; if it \
                 is not, the header is ignored, as it should be"
            );
        }
    }

    /// A token was refused. If all that is wrong with it is a key that is not here, another server
    /// of the shop may have signed it.
    pub(crate) fn refused(&self, token: &str, keys: &TokenKeys, now: Timestamp) {
        let Some(id) = keys.unknown_key(token, now) else { return };
        let mut noticed = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        noticed.tokens = noticed.tokens.saturating_add(1);
        let is_early = noticed
            .told_at
            .is_some_and(|told| now >= told && now.duration_since(told) < KEYS_TOLD_EVERY);
        if is_early {
            return;
        }
        let tokens = std::mem::take(&mut noticed.tokens);
        noticed.told_at = Some(now);
        tracing::warn!(
            key = id,
            tokens,
            "tokens are signed with a key that is not in this server's key file: does another \
             server of this shop have another keys.json? Else somebody makes tokens up"
        );
    }
}

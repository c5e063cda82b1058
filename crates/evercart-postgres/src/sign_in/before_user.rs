//! Idempotency keys of requests made before the user is known: by phone.

use evercart_core::code::KeyedHash;
use evercart_core::error::Refused;
use evercart_core::guard::{IDEMPOTENCY_LIFETIME, IdempotencyKey};

use super::budget::millis;
use crate::db::{Db, Result};

/// What a sign-in under a key came to.
pub(crate) struct EarlyEntry {
    pub(super) epoch: i64,
    pub(super) is_new: bool,
    /// True until the code's lifetime is over; the key is remembered longer than it opens.
    pub(super) opens: bool,
}

/// Looks up a key used before the user was known. The inner `None` is a request for a code.
pub(crate) async fn early_key(
    db: &Db<'_>,
    phone: KeyedHash,
    key: Option<&IdempotencyKey>,
) -> Result<Option<Option<EarlyEntry>>> {
    const FIND: &str = "SELECT fingerprint, epoch, is_new, expires_at > $3 FROM sign_in_keys \
         WHERE phone = $1 AND key = $2 \
         AND expires_at > CASE WHEN epoch IS NULL THEN $3 ELSE $3 - $4 END";
    let Some(key) = key else { return Ok(None) };
    let (phone, lifetime) = (phone.0.as_slice(), millis(IDEMPOTENCY_LIFETIME));
    let found = db.query_opt(FIND, &[&phone, &key.key, &db.now(), &lifetime]).await?;
    let Some(row) = found else { return Ok(None) };
    if row.get::<_, &[u8]>(0) != key.fingerprint {
        return Err(Refused::IdempotencyKeyReused.into());
    }
    let entry = |epoch| EarlyEntry { epoch, is_new: row.get(2), opens: row.get(3) };
    Ok(Some(row.get::<_, Option<i64>>(1).map(entry)))
}

/// Remembers the key of a code that was sent for as long as any other.
pub(super) async fn confirm_early(
    db: &Db<'_>,
    phone: KeyedHash,
    key: &IdempotencyKey,
) -> Result<()> {
    const CONFIRM: &str = "UPDATE sign_in_keys SET expires_at = $5 \
         WHERE phone = $1 AND key = $2 AND fingerprint = $3 AND epoch IS NULL AND expires_at > $4";
    let (phone, fingerprint) = (phone.0.as_slice(), key.fingerprint.as_slice());
    let (now, expires_at) = (db.now(), db.now() + millis(IDEMPOTENCY_LIFETIME));
    db.execute(CONFIRM, &[&phone, &key.key, &fingerprint, &now, &expires_at]).await?;
    Ok(())
}

pub(crate) async fn remember_early(
    db: &Db<'_>,
    phone: KeyedHash,
    key: Option<&IdempotencyKey>,
    entry: Option<EarlyEntry>,
    expires_at: i64,
) -> Result<()> {
    const REMEMBER: &str = "INSERT INTO sign_in_keys \
         (phone, key, fingerprint, epoch, is_new, expires_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (phone, key) DO UPDATE SET fingerprint = excluded.fingerprint, \
         epoch = excluded.epoch, is_new = excluded.is_new, expires_at = excluded.expires_at";
    let Some(key) = key else { return Ok(()) };
    let (phone, fingerprint) = (phone.0.as_slice(), key.fingerprint.as_slice());
    let epoch = entry.as_ref().map(|entry| entry.epoch);
    let is_new = entry.is_some_and(|entry| entry.is_new);
    db.change_one(REMEMBER, &[&phone, &key.key, &fingerprint, &epoch, &is_new, &expires_at]).await
}

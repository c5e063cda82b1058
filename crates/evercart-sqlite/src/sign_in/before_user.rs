//! Idempotency keys of requests made before the user is known: by phone.

use evercart_core::code::KeyedHash;
use evercart_core::error::Refused;
use evercart_core::guard::{IDEMPOTENCY_LIFETIME, IdempotencyKey};
use rusqlite::OptionalExtension;

use super::budget::millis;
use crate::db::{Db, Result};

/// What a sign-in under a key came to.
pub(crate) struct EarlyEntry {
    pub(crate) epoch: i64,
    pub(crate) is_new: bool,
    /// True until the code's lifetime is over; the key is remembered longer than it opens.
    pub(crate) opens: bool,
}

/// Looks up a key used before the user was known. The inner `None` is a request for a code.
pub(crate) fn early_key(
    db: &Db,
    phone: KeyedHash,
    key: &IdempotencyKey,
) -> Result<Option<Option<EarlyEntry>>> {
    const FIND: &str = "SELECT fingerprint, epoch, is_new, expires_at > ?3 \
         FROM sign_in_keys WHERE phone = ?1 AND key = ?2 \
         AND expires_at > CASE WHEN epoch IS NULL THEN ?3 ELSE ?3 - ?4 END";
    let found = db
        .sql(FIND)?
        .query_row((phone.0, &key.key, db.now(), millis(IDEMPOTENCY_LIFETIME)), |row| {
            let (is_new, opens) = (row.get(2)?, row.get(3)?);
            let epoch: Option<i64> = row.get(1)?;
            let entry = epoch.map(|epoch| EarlyEntry { epoch, is_new, opens });
            Ok((row.get::<_, Vec<u8>>(0)?, entry))
        })
        .optional()?;
    match found {
        None => Ok(None),
        Some((fingerprint, entry)) if fingerprint == key.fingerprint => Ok(Some(entry)),
        Some(_) => Err(Refused::IdempotencyKeyReused.into()),
    }
}

pub(crate) fn remember_early(
    db: &Db,
    phone: KeyedHash,
    key: &IdempotencyKey,
    entry: Option<EarlyEntry>,
    expires_at: i64,
) -> Result<()> {
    const REMEMBER: &str = "INSERT INTO sign_in_keys \
         (phone, key, fingerprint, epoch, is_new, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (phone, key) DO UPDATE SET fingerprint = excluded.fingerprint, \
         epoch = excluded.epoch, is_new = excluded.is_new, expires_at = excluded.expires_at";
    let epoch = entry.as_ref().map(|entry| entry.epoch);
    let is_new = entry.is_some_and(|entry| entry.is_new);
    let row = (phone.0, &key.key, key.fingerprint.as_slice(), epoch, is_new, expires_at);
    db.sql(REMEMBER)?.execute(row)?;
    Ok(())
}

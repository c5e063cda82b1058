//! Which of the servers that share a store takes the backup that is due.

use evercart_core::error::Result as StoreResult;
use jiff::{SignedDuration, Timestamp};

use crate::Postgres;

/// Leaves no claim behind in a store that is filled anew: it speaks of no data.
pub(crate) const FORGET_CLAIM: &str = "DELETE FROM store_facts WHERE name = 'backup_claimed'";

impl Postgres {
    /// Settles, for all servers, that the caller takes a backup now, and nobody else within
    /// `every`. False if another has settled it.
    ///
    /// # Errors
    /// A failure.
    pub async fn claim_backup(&self, now: Timestamp, every: SignedDuration) -> StoreResult<bool> {
        // Asked again after a lost connection, the one who has it has it.
        const CLAIM: &str = "INSERT INTO store_facts (name, value) VALUES ('backup_claimed', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value \
             WHERE store_facts.value::BIGINT <= $2 OR store_facts.value = excluded.value \
             RETURNING 1";
        let earlier = now.as_millisecond() - i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
        let now = now.as_millisecond().to_string();
        Ok(self.look(CLAIM, &[&now, &earlier]).await?.is_some())
    }

    /// Leaves a backup that was claimed then to whoever asks next.
    ///
    /// # Errors
    /// A failure.
    pub async fn give_backup_back(&self, claimed: Timestamp) -> StoreResult<()> {
        const BACK: &str = "DELETE FROM store_facts WHERE name = 'backup_claimed' AND value = $1 \
             RETURNING 1";
        self.look(BACK, &[&claimed.as_millisecond().to_string()]).await?;
        Ok(())
    }
}

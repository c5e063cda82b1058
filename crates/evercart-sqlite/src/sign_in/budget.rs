//! Events counted in windows of time: codes sent, wrong codes.

use evercart_core::error::Refused;
use evercart_core::sign_in::{Budget, Used};
use jiff::SignedDuration;
use rusqlite::OptionalExtension;

use crate::db::{Db, Result, unsigned};

/// Counts one event; the first one of a window opens it.
pub(super) fn spend(db: &Db, budget: &Budget) -> Result<Used> {
    const SPEND: &str = "INSERT INTO send_budget (scope, subject, count, ends_at) \
         VALUES (?1, ?2, 1, ?3) ON CONFLICT (scope, subject) DO UPDATE SET \
         count = CASE WHEN ends_at > ?4 THEN count + 1 ELSE 1 END, \
         ends_at = CASE WHEN ends_at > ?4 THEN ends_at ELSE excluded.ends_at END \
         RETURNING count, ends_at";
    let now = db.now();
    let row = (budget.scope, budget.subject.0, now + millis(budget.window), now);
    let (count, ends_at): (i64, i64) =
        db.sql(SPEND)?.query_row(row, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Used { count: unsigned(count), rest: duration(ends_at - now) })
}

/// Looks without counting.
pub(super) fn peek(db: &Db, budget: &Budget) -> Result<Used> {
    const PEEK: &str = "SELECT count, ends_at FROM send_budget \
         WHERE scope = ?1 AND subject = ?2 AND ends_at > ?3";
    let now = db.now();
    let found: Option<(i64, i64)> = db
        .sql(PEEK)?
        .query_row((budget.scope, budget.subject.0, now), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (count, ends_at) = found.unwrap_or((0, now));
    Ok(Used { count: unsigned(count), rest: duration(ends_at - now) })
}

/// Takes one event out of the window in which it was counted, if that is still the current one.
pub(super) fn give_back(db: &Db, budget: &Budget, counted_at: i64) -> Result<()> {
    const LAST: &str = "DELETE FROM send_budget WHERE scope = ?1 AND subject = ?2 \
         AND ends_at > ?3 AND ends_at <= ?4 AND count = 1";
    const ONE: &str = "UPDATE send_budget SET count = count - 1 WHERE scope = ?1 AND subject = ?2 \
         AND ends_at > ?3 AND ends_at <= ?4 AND count > 1";
    // A window that began later ends later.
    let ends_at_most = counted_at + millis(budget.window);
    let row = (budget.scope, budget.subject.0, db.now(), ends_at_most);
    if db.sql(LAST)?.execute(row)? == 0 {
        db.sql(ONE)?.execute(row)?;
    }
    Ok(())
}

pub(super) fn refuse_if_used_up(db: &Db, budgets: &[Budget]) -> Result<()> {
    let mut wait = None;
    for budget in budgets {
        let used = peek(db, budget)?;
        if used.count >= budget.limit {
            wait = wait.max(Some(used.rest));
        }
    }
    match wait {
        None => Ok(()),
        Some(retry_after) => Err(Refused::TooManyAttempts { retry_after }.into()),
    }
}

/// Drops a few rows that no longer count, so that these tables stay as small as their traffic. A
/// handful at each grant is more than a grant adds. Returns true if there may be more.
pub(crate) fn forget_what_is_over(db: &Db, now: i64) -> Result<bool> {
    const SWEEPS: [(usize, &str); 3] = [
        (
            16,
            "DELETE FROM send_budget WHERE (scope, subject) IN (SELECT scope, subject \
         FROM send_budget WHERE ends_at <= ?1 ORDER BY ends_at LIMIT 16)",
        ),
        (
            4,
            "DELETE FROM verification_codes WHERE (phone, purpose) IN (SELECT phone, purpose \
         FROM verification_codes WHERE expires_at <= ?1 ORDER BY expires_at LIMIT 4)",
        ),
        (
            4,
            "DELETE FROM sign_in_keys WHERE (phone, key) IN (SELECT phone, key \
         FROM sign_in_keys WHERE expires_at <= ?1 - 86400000 ORDER BY expires_at LIMIT 4)",
        ),
    ];
    let mut is_more = false;
    for (most, sweep) in SWEEPS {
        is_more |= db.sql(sweep)?.execute([now])? == most;
    }
    Ok(is_more)
}

pub(crate) fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

pub(super) fn duration(millis: i64) -> SignedDuration {
    SignedDuration::from_millis(millis)
}

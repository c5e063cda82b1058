//! Events counted in windows of time: codes sent, wrong codes. The database makes the counts, so
//! that all servers share them.

use evercart_core::error::Refused;
use evercart_core::sign_in::{Budget, Used};
use futures_util::future::{try_join_all, try_join3};
use jiff::SignedDuration;
use tokio_postgres::Row;

use super::prepare;
use crate::db::{Db, DbError, Params, Result, unsigned};

/// Counts one event.
pub(super) async fn spend(db: &Db<'_>, budget: &Budget) -> Result<Used> {
    let spent = spend_all(db, std::slice::from_ref(budget)).await?;
    Ok(spent.into_iter().next().expect("one for each budget"))
}

/// Counts one event in each; the first one of a window opens it. In one order for all, so that two
/// that share several budgets never wait for each other in a circle. The answers come in the order
/// of the budgets.
pub(super) async fn spend_all(db: &Db<'_>, budgets: &[Budget]) -> Result<Vec<Used>> {
    const SPEND: &str = "INSERT INTO send_budget AS b (scope, subject, count, ends_at) \
         VALUES ($1, $2, 1, $3) ON CONFLICT (scope, subject) DO UPDATE SET \
         count = CASE WHEN b.ends_at > $4 THEN b.count + 1 ELSE 1 END, \
         ends_at = CASE WHEN b.ends_at > $4 THEN b.ends_at ELSE excluded.ends_at END \
         RETURNING count, ends_at";
    let now = db.now();
    let mut order: Vec<_> = (0..budgets.len()).collect();
    order.sort_unstable_by_key(|place| (budgets[*place].scope, budgets[*place].subject.0));
    prepare(db, [SPEND]).await?;
    // Sent at once, in this order.
    let spent = try_join_all(order.iter().map(|place| async {
        let Budget { scope, subject, window, .. } = &budgets[*place];
        let (subject, ends_at) = (subject.0.as_slice(), now + millis(*window));
        let row = db.query_one(SPEND, &[scope, &subject, &ends_at, &now]).await?;
        Ok::<_, DbError>((*place, standing(row.get(0), row.get(1), now)))
    }));
    let mut spent = spent.await?;
    spent.sort_unstable_by_key(|(place, _)| *place);
    Ok(spent.into_iter().map(|(_, spent)| spent).collect())
}

/// Takes one event out of each window in which it was counted, if that is still the current one. In
/// the order in which they are counted.
pub(super) async fn give_back_all(db: &Db<'_>, budgets: &[Budget], counted_at: i64) -> Result<()> {
    // A count that others are changing is waited for: what follows finds the last one.
    const HOLD: &str = "SELECT 1 FROM send_budget WHERE scope = $1 AND subject = $2 FOR UPDATE";
    const LAST: &str = "DELETE FROM send_budget WHERE scope = $1 AND subject = $2 \
         AND ends_at > $3 AND ends_at <= $4 AND count = 1";
    const ONE: &str = "UPDATE send_budget SET count = count - 1 WHERE scope = $1 AND subject = $2 \
         AND ends_at > $3 AND ends_at <= $4 AND count > 1";
    let mut budgets: Vec<_> = budgets.iter().collect();
    budgets.sort_unstable_by_key(|budget| (budget.scope, budget.subject.0));
    let now = db.now();
    for budget in budgets {
        // A window that began later ends later.
        let ends_at_most = counted_at + millis(budget.window);
        let subject = budget.subject.0.as_slice();
        let params: Params<'_> = &[&budget.scope, &subject, &now, &ends_at_most];
        db.query_opt(HOLD, &params[..2]).await?;
        if db.execute(LAST, params).await? == 0 {
            db.execute(ONE, params).await?;
        }
    }
    Ok(())
}

/// Looks without counting.
pub(super) const PEEK: &str = "SELECT count, ends_at FROM send_budget \
     WHERE scope = $1 AND subject = $2 AND ends_at > $3";

/// Looks at each without counting, in the order of the budgets.
pub(super) async fn peek_all(db: &Db<'_>, budgets: &[Budget]) -> Result<Vec<Used>> {
    let now = db.now();
    try_join_all(budgets.iter().map(|budget| async move {
        let subject = budget.subject.0.as_slice();
        let found = db.query_opt(PEEK, &[&budget.scope, &subject, &now]).await?;
        Ok(standing_of(found, now))
    }))
    .await
}

/// What [`PEEK`] found.
pub(super) fn standing_of(found: Option<Row>, now: i64) -> Used {
    let (count, ends_at) = found.map_or((0, now), |row| (row.get(0), row.get(1)));
    standing(count, ends_at, now)
}

fn standing(count: i32, ends_at: i64, now: i64) -> Used {
    Used { count: unsigned(count.into()), rest: duration(ends_at - now) }
}

/// Refuses if one of the budgets has no room. `used` says where each stands.
pub(super) fn refuse_if_used_up(budgets: &[Budget], used: &[Used]) -> Result<(), Refused> {
    let full = budgets.iter().zip(used).filter(|(budget, used)| used.count >= budget.limit);
    match full.map(|(_, used)| used.rest).max() {
        None => Ok(()),
        Some(retry_after) => Err(Refused::TooManyAttempts { retry_after }),
    }
}

/// Drops a few rows that no longer count, so that these tables stay as small as their traffic. A
/// handful at each grant is more than a grant adds. What somebody else is just using is left to the
/// next one. Returns true if there may be more.
pub(crate) async fn forget_what_is_over(db: &Db<'_>) -> Result<bool> {
    const BUDGETS: &str = "DELETE FROM send_budget WHERE (scope, subject) IN \
         (SELECT scope, subject FROM send_budget WHERE ends_at <= $1 ORDER BY ends_at LIMIT 16 \
         FOR UPDATE SKIP LOCKED)";
    const CODES: &str = "DELETE FROM verification_codes WHERE (phone, purpose) IN \
         (SELECT phone, purpose FROM verification_codes WHERE expires_at <= $1 \
         ORDER BY expires_at LIMIT 4 FOR UPDATE SKIP LOCKED)";
    const KEYS: &str = "DELETE FROM sign_in_keys WHERE (phone, key) IN \
         (SELECT phone, key FROM sign_in_keys WHERE expires_at <= $1::BIGINT - 86400000 \
         ORDER BY expires_at LIMIT 4 FOR UPDATE SKIP LOCKED)";
    let now = db.now();
    let params: Params<'_> = &[&now];
    let (budgets, codes, keys) =
        try_join3(db.execute(BUDGETS, params), db.execute(CODES, params), db.execute(KEYS, params))
            .await?;
    Ok(budgets == 16 || codes == 4 || keys == 4)
}

pub(crate) fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

pub(super) fn duration(millis: i64) -> SignedDuration {
    SignedDuration::from_millis(millis)
}

//! Forgets, now and then, orders of customers who were erased that the books need no longer.

use std::sync::Arc;
use std::time::Duration;

use evercart_core::operator::BOOKS_FORGOTTEN_AT_ONCE;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use tokio::task::JoinHandle;

use crate::clock;
use crate::stores::Opened;

/// How often is looked for orders whose term is over: they were kept for years.
const EVERY: Duration = Duration::from_secs(3600);

/// The pause between two lots, in which others write.
const BETWEEN_LOTS: Duration = Duration::from_secs(1);

/// Goes on for as long as the server runs.
pub fn forget(opened: &[Arc<dyn Opened>], years: usize) -> JoinHandle<()> {
    let opened = opened.to_vec();
    tokio::spawn(async move {
        let mut due = tokio::time::interval(EVERY);
        loop {
            due.tick().await;
            for store in &opened {
                forget_in(&**store, years).await;
            }
        }
    })
}

async fn forget_in(store: &dyn Opened, years: usize) {
    let Some(before) = years_before(clock::system().now(), years) else { return };
    loop {
        match store.forget_books(before).await {
            Ok(BOOKS_FORGOTTEN_AT_ONCE) => tokio::time::sleep(BETWEEN_LOTS).await,
            Ok(0) => return,
            Ok(count) => {
                let place = store.place();
                return tracing::info!(
                    "{place}: {count} orders of customers who were erased are deleted, {years} \
                     years after they were placed"
                );
            }
            // Requests say so, and the next hour comes.
            Err(error) => return tracing::debug!(%error, "old orders were not looked for"),
        }
    }
}

fn years_before(now: Timestamp, years: usize) -> Option<Timestamp> {
    let now = Offset::UTC.to_datetime(now);
    let before = now.checked_sub(i64::try_from(years).ok()?.years()).ok()?;
    Offset::UTC.to_timestamp(before).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_years_are_ten_years() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().expect("a time");
        let before = years_before(now, 10).expect("in range");
        assert_eq!(before.to_string(), "2016-11-30T12:00:00Z");
    }
}

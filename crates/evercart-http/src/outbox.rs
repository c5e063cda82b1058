//! Sends the messages that follow from commits: what waits in a market's outbox is claimed, handed
//! to the provider and removed, or tried again later. Every server of a shop does it, so that it
//! does not matter which of them is there.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use evercart_core::outbox::{Claim, ClaimedMessage, TRIED_FOR};
use futures_util::FutureExt;
use futures_util::future::join_all;
use jiff::SignedDuration;
use tokio::sync::watch;

use crate::abandoned::log_panic;
use crate::{Shop, ShopMarket};

/// How often an outbox is looked at without being told of a message: another server may have died
/// with a claim, and what failed comes due again.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The most messages handed to the provider at once.
const AT_ONCE_MAX: u32 = 8;

/// How long the provider gets for one message. Nobody waits for the answer.
const SEND_MAX: Duration = Duration::from_secs(6);

/// How long a message is one server's: longer than sending and noting it take, so that another
/// sends it only if this one died.
const LEASE: SignedDuration = SignedDuration::from_secs(15);

/// The pause after the first failure; it doubles from failure to failure.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// The longest pause: a provider that is back after hours soon has what it missed.
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(15);

/// How the sender is told of new messages, and that the server stops.
#[derive(Debug)]
pub struct OutboxSender {
    is_stopping: watch::Sender<bool>,
}

impl Default for OutboxSender {
    fn default() -> Self {
        Self { is_stopping: watch::Sender::new(false) }
    }
}

impl OutboxSender {
    /// Has the outboxes looked at now: a message was committed.
    pub(crate) fn wake(&self) {
        self.is_stopping.send_modify(|_| ());
    }

    /// Has [`send_messages`] end after one more look at each outbox.
    pub fn stop(&self) {
        self.is_stopping.send_replace(true);
    }
}

/// Sends what waits in the outboxes of all markets until [`OutboxSender::stop`]. What cannot be
/// sent then stays for the next start, or for another server.
pub async fn send_messages(shop: Arc<Shop>) {
    let markets =
        shop.markets.iter().map(|at| serve(&shop, at, shop.outbox.is_stopping.subscribe()));
    // Side by side: a store that is away keeps no other market's messages waiting.
    join_all(markets).await;
}

async fn serve(shop: &Shop, at: &ShopMarket, mut stopping: watch::Receiver<bool>) {
    loop {
        let is_stopping = *stopping.borrow_and_update();
        send_due(shop, at).await;
        if is_stopping {
            return;
        }
        tokio::select! {
            _ = stopping.changed() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Sends all that is due, some at a time.
async fn send_due(shop: &Shop, at: &ShopMarket) {
    let market = at.market.name.as_str();
    // That the store is away is told elsewhere, and not every two seconds.
    let untold = |error| tracing::debug!(market, %error, "the outbox was not looked at");
    loop {
        let claimed = match at.store.claim_messages(AT_ONCE_MAX, LEASE).await {
            Ok(claimed) => claimed,
            Err(error) => return untold(error),
        };
        let count = claimed.len();
        join_all(claimed.iter().map(|claimed| send(shop, at, claimed))).await;
        if count < AT_ONCE_MAX as usize {
            break;
        }
    }
    match at.store.waiting_messages().await {
        Ok(waiting) => shop.metrics.messages_waiting(&at.market.name, waiting),
        Err(error) => untold(error),
    }
}

/// Sends one message, and notes what became of it.
async fn send(shop: &Shop, at: &ShopMarket, claimed: &ClaimedMessage) {
    let (name, kind) = (&at.market.name, claimed.message.kind.as_str());
    let (market, attempt) = (name.as_str(), claimed.attempts);
    let phone = claimed.message.to.masked();
    if shop.clock.now().duration_since(claimed.written_at) >= TRIED_FOR {
        tracing::error!(market, kind, phone, "a message is given up: it could not be sent in time");
        shop.metrics.message(name, kind, Outcome::GivenUp);
        return settle(at, claimed.claim).await;
    }
    match hand_over(shop, at, claimed).await {
        Ok(()) => {
            tracing::info!(market, kind, phone, attempt, "a message was sent");
            shop.metrics.message(name, kind, Outcome::Sent);
            settle(at, claimed.claim).await;
        }
        Err(error) => {
            let pause = pause_after(attempt);
            let again_in = pause.as_secs();
            tracing::warn!(market, kind, phone, attempt, again_in, error, "a message was not sent");
            shop.metrics.message(name, kind, Outcome::Failed);
            if let Err(error) = at.store.put_off_message(claimed.claim, pause).await {
                tracing::warn!(market, %error, "a message comes again after its lease");
            }
        }
    }
}

/// Hands a message to the provider, which gets so much time. A provider's mistake ends one attempt,
/// not the sending.
async fn hand_over(shop: &Shop, at: &ShopMarket, claimed: &ClaimedMessage) -> Result<(), String> {
    let sms = claimed.message.sms(&at.market.name);
    let sending = AssertUnwindSafe(shop.sms.send(&sms)).catch_unwind();
    match tokio::time::timeout(SEND_MAX, sending).await {
        Ok(Ok(sent)) => sent.map_err(|error| error.to_string()),
        Ok(Err(panic)) => {
            log_panic(&*panic);
            Err("sending panicked".into())
        }
        Err(_) => Err(format!("no answer within {} s", SEND_MAX.as_secs())),
    }
}

async fn settle(at: &ShopMarket, claim: Claim) {
    let market = at.market.name.as_str();
    match at.store.settle_message(claim).await {
        Ok(true) => {}
        Ok(false) => tracing::warn!(market, "a message took longer than its lease, or is gone"),
        Err(error) => tracing::error!(market, %error, "a message may be sent once more"),
    }
}

/// What became of an attempt to send a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Sent,
    Failed,
    GivenUp,
}

fn pause_after(attempts: u32) -> SignedDuration {
    let doubled = 2_i32.saturating_pow(attempts.saturating_sub(1).min(20));
    PAUSE_MAX.min(PAUSE.saturating_mul(doubled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let seconds = |attempts| pause_after(attempts).as_secs();
        assert_eq!([1, 2, 3, 10].map(seconds), [1, 2, 4, 512]);
        for many in [11, 20, 21, 1_000, u32::MAX] {
            assert_eq!(pause_after(many), PAUSE_MAX);
        }
    }

    #[test]
    fn a_lease_is_longer_than_sending_takes() {
        assert!(LEASE.unsigned_abs() > 2 * SEND_MAX);
    }
}

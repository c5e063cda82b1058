//! The model's outbox.

use async_trait::async_trait;
use evercart_core::account::WaitingMessage;
use evercart_core::error::Result;
use evercart_core::ids::UserId;
use evercart_core::outbox::{Claim, ClaimedMessage, Message, Outbox};
use jiff::{SignedDuration, Timestamp};

use super::{Customer, Model};

/// A message that waits.
#[derive(Clone)]
pub(super) struct Waiting {
    id: i64,
    message: Message,
    written_at: Timestamp,
    due_at: Timestamp,
    attempts: u32,
}

impl Customer {
    pub(super) fn write_down(&mut self, message: Message, now: Timestamp) {
        let id = self.outbox.iter().map(|waiting| waiting.id).max().unwrap_or(0) + 1;
        self.outbox.push(Waiting { id, message, written_at: now, due_at: now, attempts: 0 });
    }

    pub(super) fn waiting(&self) -> Vec<WaitingMessage> {
        let waiting = self.outbox.iter().map(|one| WaitingMessage {
            to: one.message.to.masked(),
            text: one.message.text.clone(),
            written_at: one.written_at,
        });
        waiting.collect()
    }

    fn place(&self, claim: Claim) -> Option<usize> {
        let is_it = |waiting: &Waiting| waiting.id == claim.id && waiting.due_at == claim.until;
        self.outbox.iter().position(is_it)
    }
}

#[async_trait]
impl Outbox for Model {
    async fn claim_messages(
        &self,
        most: u32,
        lease: SignedDuration,
    ) -> Result<Vec<ClaimedMessage>> {
        self.transact(|state, now| {
            let mut due: Vec<(UserId, &mut Waiting)> = Vec::new();
            for (id, customer) in &mut state.users {
                due.extend(customer.outbox.iter_mut().map(|waiting| (*id, waiting)));
            }
            due.retain(|(_, waiting)| waiting.due_at <= now);
            due.sort_by_key(|(_, waiting)| waiting.due_at);
            due.truncate(most as usize);
            let claimed = due.into_iter().map(|(user_id, waiting)| {
                waiting.due_at = now + lease;
                waiting.attempts += 1;
                ClaimedMessage {
                    claim: Claim { user_id, id: waiting.id, until: waiting.due_at },
                    message: waiting.message.clone(),
                    attempts: waiting.attempts,
                    written_at: waiting.written_at,
                }
            });
            Ok(claimed.collect())
        })
    }

    async fn settle_message(&self, claim: Claim) -> Result<bool> {
        self.transact(|state, _| {
            let customer = state.of(claim.user_id);
            let place = customer.place(claim);
            Ok(place.map(|place| customer.outbox.remove(place)).is_some())
        })
    }

    async fn put_off_message(&self, claim: Claim, by: SignedDuration) -> Result<bool> {
        self.transact(|state, now| {
            let customer = state.of(claim.user_id);
            let place = customer.place(claim);
            Ok(place.map(|place| customer.outbox[place].due_at = now + by).is_some())
        })
    }

    async fn waiting_messages(&self) -> Result<u64> {
        self.transact(|state, _| {
            Ok(state.users.values().map(|customer| customer.outbox.len() as u64).sum())
        })
    }
}

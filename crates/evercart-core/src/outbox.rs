//! What must follow from a commit and happens outside the store: a row written in the same
//! transaction, and done by whichever server claims it. Messages so far.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::error::Result;
use crate::ids::UserId;
use crate::market::MarketName;
use crate::phone::Phone;
use crate::sms::Sms;

/// How long a message is tried. A phone that could not be told for a day is the operator's
/// business.
pub const TRIED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// An account was moved away from this phone.
    PhoneChanged,
}

impl MessageKind {
    /// All kinds this program can send. A store hands out no others: a newer program's rows wait
    /// for a newer program.
    pub const ALL: [MessageKind; 1] = [MessageKind::PhoneChanged];

    /// The word for it in tables and for providers.
    pub fn as_str(self) -> &'static str {
        match self {
            MessageKind::PhoneChanged => "phone_changed",
        }
    }

    /// The kind with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A message that follows from a commit. Never one with a code: codes are stored as keyed hashes
/// only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub kind: MessageKind,
    /// Whom to.
    pub to: Phone,
    /// What it says, in the language known at the time of the commit.
    pub text: String,
}

impl Message {
    /// Tells a phone that an account was moved away from it; see [`Sms::phone_changed`].
    pub fn phone_changed(old: &Phone, new: &Phone, market: &MarketName, language: &str) -> Self {
        let Sms { to, text, .. } = Sms::phone_changed(old, new, market, language);
        Self { kind: MessageKind::PhoneChanged, to, text }
    }

    /// The message as a provider gets it.
    pub fn sms(&self, market: &MarketName) -> Sms {
        Sms {
            to: self.to.clone(),
            text: self.text.clone(),
            market: market.clone(),
            kind: self.kind.as_str(),
        }
    }
}

/// The right to send one message until a lease is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// From whose change it follows.
    pub user_id: UserId,
    /// Which of that customer's.
    pub id: i64,
    /// The end of the lease. It also tells this claim from any later one.
    pub until: Timestamp,
}

/// A message whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedMessage {
    /// The right to send it.
    pub claim: Claim,
    /// What to send.
    pub message: Message,
    /// How often it was claimed, this time included.
    pub attempts: u32,
    /// When the change was committed.
    pub written_at: Timestamp,
}

/// Hands out the messages that operations have written down, to the server that sends them.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Claims messages that are due, `most` at most, the longest due first. Nobody else is handed
    /// them until the lease is over, on whichever server; a claim that is neither settled nor put
    /// off by then, because its server died, is handed out again.
    ///
    /// # Errors
    /// A failure.
    async fn claim_messages(&self, most: u32, lease: SignedDuration)
    -> Result<Vec<ClaimedMessage>>;

    /// Removes a message that was sent or is given up. False if the claim is no longer the
    /// message's: its lease was over and it was claimed again, or its customer was erased.
    ///
    /// # Errors
    /// A failure.
    async fn settle_message(&self, claim: Claim) -> Result<bool>;

    /// Makes a message that was not sent due again after a while. False as for
    /// [`settle_message`](Self::settle_message).
    ///
    /// # Errors
    /// A failure.
    async fn put_off_message(&self, claim: Claim, by: SignedDuration) -> Result<bool>;

    /// How many messages wait, due or not.
    ///
    /// # Errors
    /// A failure.
    async fn waiting_messages(&self) -> Result<u64>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        for kind in MessageKind::ALL {
            assert_eq!(MessageKind::named(kind.as_str()), Some(kind));
        }
        assert_eq!(MessageKind::named("sign_in_code"), None);
    }

    #[test]
    fn a_phone_is_told_of_the_new_one_by_its_last_digits() {
        let [old, new] = ["+13128050001", "+13128050052"].map(|n| Phone::from_stored(n.into()));
        let us = MarketName::new("us").expect("a name");
        let message = Message::phone_changed(&old, &new, &us, "en");
        assert!(message.text.contains("ends in 52") && !message.text.contains(new.as_str()));
        assert_eq!(message.sms(&us), Sms::phone_changed(&old, &new, &us, "en"));
    }
}

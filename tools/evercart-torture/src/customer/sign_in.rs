//! How customers come in and change their phones: with the codes that a demo tells.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};

use super::{Device, Prepared, Token, Way};
use crate::client::{Came, Letter};
use crate::history::{Intent, Told};

/// Codes are waited for as a person would.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);
/// How often a code is shown that nobody answers.
const SHOWN_MAX: usize = 3;
/// How often a change of the phone is asked for, until it is clear what became of it.
const CONFIRMED_MAX: usize = 12;
/// Phones of one customer; others begin with other numbers.
const PHONES: u32 = 50;
/// The one to which a code is sent that is left lying until the data was put back.
const SPARE_PHONE: u32 = PHONES - 1;

/// Which phones may be the customer's: the last one they know of, and those that a change without
/// an answer may have led or may yet lead to.
#[derive(Debug, Default)]
pub struct Phones {
    pub(super) current: u32,
    candidates: Vec<u32>,
    last: u32,
    /// The life of the shop's data in which this is so; see `World::life`.
    life: u64,
    /// The customer was not found since the data was put back, by these phones.
    missed: Option<BTreeSet<u32>>,
    /// A code that was not shown, of an earlier life.
    left: Option<Code>,
}

impl Phones {
    /// After a return to older data any phone may be the customer's again. True if there was one.
    fn live(&mut self, life: u64) -> bool {
        let has_returned = life != self.life;
        if has_returned {
            self.life = life;
            self.missed = Some(BTreeSet::new());
            self.candidates = (0..=self.last).filter(|phone| *phone != self.current).collect();
        }
        has_returned
    }

    /// The phone is not the customer's. True if none is: they are lost, and new to the shop.
    fn miss(&mut self, phone: u32) -> bool {
        let Some(missed) = &mut self.missed else { return false };
        missed.insert(phone);
        let is_lost = (0..=self.last).all(|phone| missed.contains(&phone));
        if is_lost {
            (self.current, self.missed) = (0, None);
            self.candidates = (1..=self.last).collect();
        }
        is_lost
    }
}

/// A code that was sent.
#[derive(Debug)]
pub(super) struct Code {
    /// Counted per customer.
    number: u32,
    /// When it was there.
    since: u64,
    /// See `World::life`.
    life: u64,
    text: String,
}

/// The number of a customer's phone.
fn number(customer: u32, phone: u32) -> String {
    let of_all = customer * PHONES + phone;
    // Area codes from 312 on; exchanges of a kind that exists.
    format!("+1312{:03}{:04}", 300 + of_all / 10_000, of_all % 10_000)
}

impl Device {
    /// Signs in: to whichever phone is the customer's. None if the run is over before.
    pub(super) async fn sign_in(&mut self) -> Option<Token> {
        let customer = self.customer.clone();
        let mut phones = customer.phones.lock().await;
        self.show_what_was_left(&mut phones).await;
        let mut next = 0;
        while !self.must_stop() {
            if phones.live(self.shared.world.life()) {
                next = 0;
            }
            let phone = match next {
                0 => phones.current,
                other => phones.candidates[other - 1],
            };
            match self.try_to_sign_in(phone).await {
                Some((token, true)) => {
                    (phones.current, phones.missed) = (phone, None);
                    return Some(token);
                }
                // Another's, who is new: this phone is the customer's no longer, or not yet.
                Some((_, false)) => {
                    next = (next + 1) % (phones.candidates.len() + 1);
                    if phones.miss(phone) {
                        customer.known().user = None;
                        next = 0;
                    }
                    self.rest().await;
                }
                None => self.rest().await,
            }
        }
        None
    }

    /// Shows a code that was left lying, if the data was put back since, and leaves another.
    async fn show_what_was_left(&mut self, phones: &mut Phones) {
        let life = self.shared.world.life();
        if let Some(code) = phones.left.take_if(|code| code.life != life) {
            let way = self.way(None, PATIENCE);
            self.show_code(SPARE_PHONE, &code, &way).await;
        }
        if phones.left.is_none() {
            phones.left = self.code_for(SPARE_PHONE).await;
        }
    }

    /// A token for whomever the phone is; and whether that is the customer.
    async fn try_to_sign_in(&mut self, phone: u32) -> Option<(Token, bool)> {
        let code = self.code_for(phone).await?;
        let way = self.way(None, PATIENCE);
        self.show_code(phone, &code, &way).await
    }

    /// A code that was sent to the customer's `phone`th phone.
    pub(super) async fn code_for(&mut self, phone: u32) -> Option<Code> {
        let life = self.shared.world.life();
        let body = json!({"phone": number(self.customer.number, phone)});
        let text = self.code(Letter::new("POST", "/auth/send-code", Some(body))).await?;
        let number = self.customer.codes.fetch_add(1, Ordering::Relaxed);
        Some(Code { number, since: self.shared.world.now(), life, text })
    }

    /// A token for whomever the phone is, in return for the code; and whether that is the
    /// customer. Without an answer the same code is shown again, with or without a key.
    pub(super) async fn show_code(
        &mut self,
        phone: u32,
        code: &Code,
        way: &Way,
    ) -> Option<(Token, bool)> {
        let to = number(self.customer.number, phone);
        let intent = Intent::SignIn { phone, code: code.number, since: code.since };
        let body = json!({"phone": to, "verification_code": code.text});
        let is_keyed = self.chance(40);
        let prepared = self.customer.prepare_with_code(&self.shared, intent, is_keyed, body);
        for _ in 0..SHOWN_MAX {
            let life = self.shared.world.life();
            let spoken = match self.chance(10) {
                true => self.send_at_once(&prepared, way).await,
                false => self.send(&prepared, way).await,
            };
            match spoken.told {
                Some(Told::SignedIn { user, .. }) => {
                    let text = spoken.answer?.json()["access_token"].as_str()?.into();
                    if life != self.shared.world.life() {
                        return None;
                    }
                    let is_ours = self.customer.known().user == Some(user);
                    return Some((Token { id: spoken.id, user, text }, is_ours));
                }
                Some(_) => return None,
                None if self.must_stop() => return None,
                None => self.rest().await,
            }
        }
        None
    }

    /// Asks for a code, which a demo tells at once. This is not written down: it changes nothing
    /// that a customer has.
    async fn code(&mut self, letter: Letter) -> Option<String> {
        let way = self.way(None, PATIENCE);
        let address = self.shared.world.address(way.server, way.through_proxy);
        match self.connection(&way).ask(address, &letter, PATIENCE).await {
            Came::Answer(answer) => answer.json()["demo_code"].as_str().map(str::to_owned),
            Came::NotSent | Came::Nothing(_) => None,
        }
    }

    /// Changes the phone, with a fresh sign-in. What became of it is asked for until it is clear,
    /// or the token is good no longer.
    pub(super) async fn change_phone(&mut self) {
        let Some(token) = self.sign_in().await else { return };
        let customer = self.customer.clone();
        let mut phones = customer.phones.lock().await;
        let phone = phones.last + 1;
        if phone >= SPARE_PHONE {
            return;
        }
        phones.last = phone;
        let to = number(customer.number, phone);
        let ask = Letter::new("POST", "/auth/phone", Some(json!({"new_phone": to})));
        let Some(code) = self.code(ask.token(&token.text)).await else {
            self.token = Some(token);
            return;
        };
        let intent = Intent::ChangePhone { phone };
        let body = json!({"new_phone": to, "verification_code": code});
        let prepared = customer.prepare_with_code(&self.shared, intent, true, body);
        phones.candidates.push(phone);
        self.token = self.confirm(&prepared, token).await;
        if self.token.is_some() {
            phones.current = phone;
        }
    }

    async fn confirm(&mut self, prepared: &Prepared, token: Token) -> Option<Token> {
        for _ in 0..CONFIRMED_MAX {
            let patience = self.patience();
            let way = self.way(Some(token.clone()), patience);
            let spoken = self.send(prepared, &way).await;
            match (spoken.told, spoken.answer) {
                (Some(Told::SignedIn { user, .. }), Some(answer)) => {
                    let json: Value = answer.json();
                    let text = json["access_token"].as_str()?.into();
                    return Some(Token { id: spoken.id, user, text });
                }
                (Some(Told::Refused { .. }), _) => return None,
                _ if self.must_stop() => return None,
                _ => self.rest().await,
            }
        }
        None
    }

    /// Waits a little before the next attempt.
    pub(super) async fn rest(&mut self) {
        let time = self.rng.random_range(5..60) << self.failures.min(3);
        tokio::time::sleep(Duration::from_millis(time)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phone_is_another_one_and_nobody_has_the_guides() {
        let all: std::collections::BTreeSet<_> =
            (0..2_000).flat_map(|customer| (0..PHONES).map(move |n| number(customer, n))).collect();
        assert_eq!(all.len(), 2_000 * PHONES as usize);
        assert!(all.iter().all(|phone| phone.len() == "+13128059851".len()));
        assert!(!(0..2_000).any(|customer| number(customer, 0) == "+13128059851"));
    }
}

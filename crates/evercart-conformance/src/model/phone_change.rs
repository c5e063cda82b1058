//! The model's changes of phone after the fact.

use evercart_core::account::{FormerPhone, OperatorAction, Proven};
use evercart_core::code::KeyedHash;
use evercart_core::error::Refused;
use evercart_core::guard::Done;
use evercart_core::ids::UserId;
use evercart_core::operator::{By, Frozen, MoveBack, PhoneChangeState};
use evercart_core::phone::Phone;
use evercart_core::sign_in::SignInAttempt;
use jiff::{SignedDuration, Timestamp};

use super::operator::sign_out;
use super::{Customer, State};

/// A phone that an account has left.
#[derive(Clone)]
pub(super) struct Former {
    hash: KeyedHash,
    shown: FormerPhone,
    kept: Kept,
}

/// How long a phone makes no new customer.
#[derive(Clone, Copy, PartialEq)]
enum Kept {
    Until(Timestamp),
    UntilDecided,
}

const NO_CHANGE: Refused = Refused::NotFound { what: "change of phone to decide about" };

impl Customer {
    /// How far the last change of phone can still be undone.
    pub(super) fn phone_change(&self, now: Timestamp) -> PhoneChangeState {
        PhoneChangeState {
            held_until: self.held_until.filter(|end| *end > now),
            frozen: self.frozen.clone(),
        }
    }

    pub(super) fn refuse_on_hold(&self, now: Timestamp) -> Result<(), Refused> {
        match self.phone_change(now).held_until {
            None => Ok(()),
            until => Err(Refused::PhoneOnHold { until }),
        }
    }

    pub(super) fn former_phones(&self) -> Vec<FormerPhone> {
        let mut phones: Vec<_> = self.former.iter().map(|one| one.shown.clone()).collect();
        phones.sort_by(|a, b| (a.left_at, &a.masked).cmp(&(b.left_at, &b.masked)));
        phones
    }

    pub(super) fn leave(
        &mut self,
        phone: &Phone,
        hash: KeyedHash,
        hold: SignedDuration,
        now: Timestamp,
    ) {
        self.former.retain(|one| one.hash != hash);
        let shown = FormerPhone { masked: phone.masked(), left_at: now };
        self.former.push(Former { hash, shown, kept: Kept::Until(now + hold) });
    }

    pub(super) fn act(&mut self, action: &str, by: &By, at: Timestamp) {
        let (action, reason) = (action.to_owned(), by.reason.clone());
        self.actions.push(OperatorAction { action, at, reason });
    }

    /// Ends the hold and the freeze.
    fn decide(&mut self, present: &Phone, now: Timestamp) -> Result<(), Refused> {
        if self.user.phone != *present || !self.phone_change(now).is_open() {
            return Err(NO_CHANGE);
        }
        (self.held_until, self.frozen) = (None, None);
        for former in &mut self.former {
            former.kept = Kept::Until(now);
        }
        Ok(())
    }
}

impl State {
    /// Who a phone is kept for, and until when, if that is known.
    pub(super) fn kept_for(
        &self,
        phone: KeyedHash,
        now: Timestamp,
    ) -> Option<(UserId, Option<Timestamp>)> {
        let mut all = self
            .users
            .values()
            .flat_map(|customer| customer.former.iter().map(|former| (customer.user.id, former)));
        all.find_map(|(id, former)| match former.kept {
            _ if former.hash != phone => None,
            Kept::UntilDecided => Some((id, None)),
            Kept::Until(end) => (end > now).then_some((id, Some(end))),
        })
    }

    pub(super) fn stop(
        &mut self,
        attempt: SignInAttempt,
        now: Timestamp,
    ) -> Result<Proven<UserId>, Refused> {
        let kept = self.kept_for(attempt.phone_hash, now);
        if self.sign_ins.knows_key(&attempt, now)? {
            return Ok(kept.map_or(Proven::CodeInvalid, |(id, _)| Proven::Done(Done::before(id))));
        }
        if self.sign_ins.try_code(&attempt, now)?.is_none() {
            return Ok(Proven::CodeInvalid);
        }
        let Some((id, until)) = kept else {
            return Err(Refused::NotFound { what: "change of phone to stop" });
        };
        let phone = attempt.phone_hash;
        if until.is_some() {
            let customer = self.of(id);
            sign_out(&mut customer.user);
            customer.frozen = Some(Frozen { at: now, former_phone: attempt.phone.clone() });
            for former in customer.former.iter_mut().filter(|one| one.hash == phone) {
                former.kept = Kept::UntilDecided;
            }
            customer.act("stop-phone-change", &By::customer(), now);
        }
        self.sign_ins.remember_key(phone, attempt.idempotency, now, 0);
        Ok(Proven::Done(Done::now(id)))
    }

    pub(super) fn move_back(
        &mut self,
        decision: MoveBack,
        by: &By,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let MoveBack { user_id, from, to } = decision;
        if self.kept_for(to.1, now).is_none_or(|(id, _)| id != user_id) {
            return Err(NO_CHANGE);
        }
        if self.by_phone(&to.0).is_ok() {
            return Err(Refused::PhoneTaken);
        }
        let customer = self.of(user_id);
        customer.decide(&from.0, now)?;
        customer.user.phone = to.0;
        sign_out(&mut customer.user);
        customer.leave(&from.0, from.1, SignedDuration::ZERO, now);
        customer.act("move-back", by, now);
        self.sign_ins.forget_keys(from.1);
        self.sign_ins.forget_keys(to.1);
        Ok(())
    }

    pub(super) fn confirm(
        &mut self,
        id: UserId,
        present: &Phone,
        by: &By,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let customer = self.users.get_mut(&id).ok_or(NO_CHANGE)?;
        customer.decide(present, now)?;
        customer.act("confirm-move", by, now);
        Ok(())
    }

    /// Who has left a phone, and when, the latest first.
    pub(super) fn who_left(&self, phone: KeyedHash) -> Vec<(UserId, Timestamp)> {
        let mut who: Vec<_> = self
            .users
            .values()
            .flat_map(|customer| {
                let left = customer.former.iter().filter(|one| one.hash == phone);
                left.map(|one| (customer.user.id, one.shown.left_at))
            })
            .collect();
        who.sort_by_key(|(id, at)| std::cmp::Reverse((*at, *id)));
        who
    }
}

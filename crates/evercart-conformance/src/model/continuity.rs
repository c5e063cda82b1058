//! The model's lives.

use async_trait::async_trait;
use evercart_core::awake::Awake;
use evercart_core::continuity::{Continuity, Standing};
use evercart_core::error::Result;
use evercart_core::incarnation::Incarnation;
use evercart_core::mark::{Life, Numbers};

use super::Model;

#[async_trait]
impl Continuity for Model {
    fn awake(&self) -> &Awake {
        &self.awake
    }

    async fn standing(&self) -> Result<Standing> {
        self.transact(|state, _| Ok(state.standing()))
    }

    async fn start_over(&self, number: i64, numbers: Numbers) -> Result<Standing> {
        self.transact(|state, now| {
            state.life_number = state.life_number.max(number) + 1;
            // One that is drawn would be as good: nobody but this store says it.
            state.incarnation = Incarnation(state.incarnation.0 + 1);
            state.life_since = Some(now);
            state.numbers_from = state.numbers_from.max(numbers);
            for customer in state.users.values_mut() {
                customer.user.incarnation = state.incarnation;
            }
            state.sign_ins.void();
            Ok(state.standing())
        })
    }
}

impl super::State {
    fn standing(&self) -> Standing {
        let life = Life { number: self.life_number, incarnation: self.incarnation };
        let mut numbers = Numbers::default();
        numbers.set("user", self.next_user());
        numbers.set("order", self.next_order());
        Standing { life, since: self.life_since, numbers: numbers.max(self.numbers_from) }
    }

    pub(super) fn next_user(&self) -> i64 {
        let last = self.users.keys().next_back().map_or(0, |id| id.0);
        (last + 1).max(self.numbers_from.of("user"))
    }

    pub(super) fn next_order(&self) -> i64 {
        (self.last_order + 1).max(self.numbers_from.of("order"))
    }
}

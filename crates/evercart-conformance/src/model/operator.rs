//! The model's operator.

use async_trait::async_trait;
use evercart_core::account::OperatorAction;
use evercart_core::error::{Refused, Result};
use evercart_core::operator::{CheckReport, Counts, DemoCustomer, Finding, Operator, UserFile};
use evercart_core::phone::Phone;
use evercart_core::user::{Session, User};
use jiff::Timestamp;

use super::{Customer, Model, State, catalogue};

#[async_trait]
impl Operator for Model {
    async fn find_user(&self, phone: Phone) -> Result<UserFile> {
        self.transact(|state, _| {
            let customer = state.by_phone(&phone)?;
            Ok(UserFile {
                user: customer.user.clone(),
                cart_lines: customer.lines.len() as u64,
                wishes: customer.wishes.len() as u64,
                orders: customer.orders.len() as u64,
            })
        })
    }

    async fn block_user(&self, phone: Phone) -> Result<User> {
        self.transact(|state, now| {
            let user = &mut state.by_phone(&phone)?.user;
            user.blocked_at = Some(now);
            sign_out(user);
            state.audited(&phone, "block", now)
        })
    }

    async fn unblock_user(&self, phone: Phone) -> Result<User> {
        self.transact(|state, now| {
            let user = &mut state.by_phone(&phone)?.user;
            user.blocked_at = None;
            state.audited(&phone, "unblock", now)
        })
    }

    async fn sign_user_out(&self, phone: Phone) -> Result<User> {
        self.transact(|state, now| {
            let user = &mut state.by_phone(&phone)?.user;
            sign_out(user);
            state.audited(&phone, "sign-out", now)
        })
    }

    async fn check(&self) -> Result<CheckReport> {
        self.transact(|state, _| {
            const PROMISE: &str = "stock is never negative";
            let short = state.skus.values().filter(|row| row.stock < 0);
            let findings =
                short.map(|row| Finding { promise: PROMISE, found: row.sku_code.clone() });
            Ok(CheckReport {
                promises: vec![PROMISE],
                findings: findings.collect(),
                counts: state.counts(),
            })
        })
    }

    async fn is_demo(&self) -> Result<bool> {
        self.transact(|state, _| Ok(state.is_demo))
    }

    async fn become_demo(&self) -> Result<bool> {
        self.transact(|state, _| {
            state.is_demo |= state.users.is_empty() && state.skus.is_empty();
            Ok(state.is_demo)
        })
    }

    async fn fill_demo(&self, customers: Vec<DemoCustomer>) -> Result<Vec<Session>> {
        self.transact(|state, now| {
            let mut sessions = Vec::new();
            for customer in customers {
                if let Ok(known) = state.by_phone(&customer.phone) {
                    sessions.push(known.user.session());
                    continue;
                }
                let user = state.new_user(customer.phone, now);
                let id = user.id;
                state.of(id).user.full_name = Some(customer.full_name);
                for (checkout, pieces) in customer.orders {
                    state.place_order(id, checkout, &pieces, now)?;
                }
                for (sku_id, quantity) in customer.cart {
                    state.add_line(id, sku_id, quantity, now)?;
                }
                for product in customer.wishes {
                    state.add_wish(id, product, now)?;
                }
                sessions.push(user.session());
            }
            Ok(sessions)
        })
    }

    async fn ready(&self) -> Result<()> {
        Ok(())
    }
}

impl State {
    pub(super) fn by_phone(&mut self, phone: &Phone) -> Result<&mut Customer, Refused> {
        let customer = self.users.values_mut().find(|customer| customer.user.phone == *phone);
        customer.ok_or(Refused::NotFound { what: "customer with this phone" })
    }

    /// Leaves a line about what an operator did to a customer.
    fn audited(&mut self, phone: &Phone, action: &str, at: Timestamp) -> Result<User, Refused> {
        let customer = self.by_phone(phone)?;
        customer.actions.push(OperatorAction { action: action.to_owned(), at });
        Ok(customer.user.clone())
    }

    fn counts(&self) -> Counts {
        let mut products: Vec<_> = self.skus.values().map(catalogue::product_id).collect();
        products.sort();
        products.dedup();
        let sum = |of: fn(&Customer) -> usize| self.users.values().map(of).sum::<usize>() as u64;
        Counts {
            users: self.users.len() as u64,
            cart_lines: sum(|customer| customer.lines.len()),
            wishes: sum(|customer| customer.wishes.len()),
            orders: sum(|customer| customer.orders.len()),
            products: products.len() as u64,
            skus: self.skus.len() as u64,
        }
    }
}

/// Ends every session there is.
pub(super) fn sign_out(user: &mut User) {
    user.is_active = false;
    user.session_epoch += 1;
}

//! The model's operator.

use async_trait::async_trait;
use evercart_core::account::OpenOrders;
use evercart_core::code::KeyedHash;
use evercart_core::error::{Refused, Result};
use evercart_core::ids::{OrderId, UserId};
use evercart_core::money::Currency;
use evercart_core::operator::{
    By, CheckReport, Counts, DemoCustomer, FORMER_CUSTOMERS_MAX, Finding, FormerCustomer, MoveBack,
    Operator, UserFile,
};
use evercart_core::order::{Order, OrderEnd};
use evercart_core::phone::Phone;
use evercart_core::user::{Session, User};
use jiff::Timestamp;

use super::account::forget_delivery;
use super::{Customer, Model, State, catalogue};

#[async_trait]
impl Operator for Model {
    async fn find_user(&self, phone: Phone) -> Result<UserFile> {
        self.transact(|state, now| Ok(state.by_phone(&phone)?.file(now)))
    }

    async fn former_customers(&self, phone: KeyedHash) -> Result<Vec<FormerCustomer>> {
        self.transact(|state, now| {
            let who = state.who_left(phone).into_iter().take(FORMER_CUSTOMERS_MAX as usize);
            let found = who
                .map(|(id, left_at)| FormerCustomer { file: state.users[&id].file(now), left_at });
            Ok(found.collect())
        })
    }

    async fn end_order(&self, id: OrderId, end: OrderEnd, by: By) -> Result<UserId> {
        self.transact(|state, now| {
            let owns = |customer: &Customer| customer.orders.iter().any(|order| order.id == id);
            let owner = state.users.iter().find(|(_, customer)| owns(customer));
            let user = *owner.ok_or(Refused::NotFound { what: "order" })?.0;
            state.end_order(user, id, end.status(), |status| end.is_open_to(status), now)?;
            let customer = state.of(user);
            customer.act("end-order", &by, now);
            let is_erased = customer.user.phone.as_str().is_empty();
            let order = customer.orders.iter_mut().find(|order| order.id == id);
            if let Some(order) = order.filter(|_| is_erased) {
                forget_delivery(order);
            }
            Ok(user)
        })
    }

    async fn forget_books(&self, before: Timestamp) -> Result<u32> {
        self.transact(|state, _| {
            let mut count = 0;
            for customer in state.users.values_mut() {
                let had = customer.orders.len();
                let is_erased = customer.user.phone.as_str().is_empty();
                let is_old = |order: &Order| order.order_date < before && !order.status.is_open();
                customer.orders.retain(|order| !(is_erased && is_old(order)));
                count += had - customer.orders.len();
            }
            Ok(u32::try_from(count).unwrap_or(u32::MAX))
        })
    }

    async fn note_look(&self, user_id: UserId, by: By) -> Result<()> {
        self.transact(|state, now| {
            let customer = state.users.get_mut(&user_id);
            let customer = customer.ok_or(Refused::NotFound { what: "customer" })?;
            customer.act("show", &by, now);
            Ok(())
        })
    }

    async fn erase_user(
        &self,
        phone: Phone,
        phone_hash: Option<KeyedHash>,
        open_orders: OpenOrders,
        by: By,
    ) -> Result<UserId> {
        self.transact(|state, now| {
            let customer = state.by_phone(&phone)?;
            let id = customer.user.id;
            customer.refuse_on_hold(now)?;
            if customer.frozen.is_some() {
                return Err(Refused::PhoneOnHold { until: None });
            }
            state.erase(id, open_orders, &by, now)?;
            phone_hash.into_iter().for_each(|hash| state.sign_ins.forget_keys(hash));
            Ok(id)
        })
    }

    async fn move_phone_back(&self, decision: MoveBack, by: By) -> Result<User> {
        self.transact(|state, now| {
            let id = decision.user_id;
            state.move_back(decision, &by, now)?;
            Ok(state.of(id).user.clone())
        })
    }

    async fn confirm_phone_change(&self, user_id: UserId, phone: Phone, by: By) -> Result<User> {
        self.transact(|state, now| {
            state.confirm(user_id, &phone, &by, now)?;
            Ok(state.of(user_id).user.clone())
        })
    }

    async fn block_user(&self, phone: Phone, by: By) -> Result<User> {
        self.transact(|state, now| {
            let user = &mut state.by_phone(&phone)?.user;
            user.blocked_at = Some(now);
            sign_out(user);
            state.audited(&phone, "block", &by, now)
        })
    }

    async fn unblock_user(&self, phone: Phone, by: By) -> Result<User> {
        self.transact(|state, now| {
            let user = &mut state.by_phone(&phone)?.user;
            user.blocked_at = None;
            state.audited(&phone, "unblock", &by, now)
        })
    }

    async fn sign_user_out(&self, phone: Phone, by: By) -> Result<User> {
        self.transact(|state, now| {
            let user = &mut state.by_phone(&phone)?.user;
            sign_out(user);
            state.audited(&phone, "sign-out", &by, now)
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

    async fn currency(&self, configured: Currency) -> Result<Currency> {
        self.transact(|state, _| {
            let ordered = state.users.values().flat_map(|customer| &customer.orders);
            let latest = ordered.max_by_key(|order| order.id);
            let latest = latest.and_then(|order| order.currency.parse().ok());
            let is_used = latest.is_some() || !state.skus.is_empty();
            if is_used && state.currency.is_none() {
                state.currency = Some(latest.unwrap_or(configured));
            }
            Ok(state.currency.unwrap_or(configured))
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

impl Customer {
    fn file(&self, now: Timestamp) -> UserFile {
        UserFile {
            user: self.user.clone(),
            cart_lines: self.lines.len() as u64,
            wishes: self.wishes.len() as u64,
            orders: self.orders.len() as u64,
            former_phones: self.former_phones(),
            phone_change: self.phone_change(now),
        }
    }
}

impl State {
    pub(super) fn by_phone(&mut self, phone: &Phone) -> Result<&mut Customer, Refused> {
        let customer = self.users.values_mut().find(|customer| customer.user.phone == *phone);
        customer.ok_or(Refused::NotFound { what: "customer with this phone" })
    }

    /// Leaves a line about what an operator did to a customer.
    fn audited(
        &mut self,
        phone: &Phone,
        action: &str,
        by: &By,
        at: Timestamp,
    ) -> Result<User, Refused> {
        let customer = self.by_phone(phone)?;
        customer.act(action, by, at);
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

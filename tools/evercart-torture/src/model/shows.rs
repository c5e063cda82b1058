//! Whether an answer shows a state of the model.

use std::rc::Rc;

use super::{Scope, State};
use crate::history::{CartSeen, Intent, OrderSeen, Told, Try};

/// So many of the newest orders in an export are of the moment of its cart.
const OF_ONE_MOMENT: usize = 10;

impl State {
    /// True if the answer shows this state. What it tells for the first time is remembered.
    pub(super) fn shows(&mut self, one: &Try, told: &Told, scope: &Scope) -> bool {
        match (&one.intent, told) {
            (Intent::Checkout { tag, .. }, Told::Order(order)) => {
                order.tag == *tag && (!scope.orders || self.shows_order(order, scope))
            }
            (Intent::Cancel { order, .. }, Told::Cancelled(id)) => id == order,
            (Intent::Logout, Told::SignedOut)
            | (Intent::Copied | Intent::Returned, Told::Happened) => true,
            (Intent::WhoAmI, Told::Who { user }) => self.user == Some(*user),
            (Intent::SignIn { phone, .. }, Told::SignedIn { user, .. }) => {
                // The first sign-in makes the customer; another's phone is another customer.
                if *phone == self.phone {
                    self.user.get_or_insert(*user);
                }
                let own = self.user == Some(*user);
                if own {
                    self.tokens.insert(one.id);
                }
                own == (*phone == self.phone)
            }
            (Intent::ChangePhone { .. }, Told::SignedIn { user, .. }) => {
                self.tokens.insert(one.id);
                self.user == Some(*user)
            }
            (Intent::ReadCart, Told::NotModified) => {
                !scope.versions || one.if_match == Some(self.version)
            }
            (Intent::Export, Told::Everything(cart, wishes, orders)) => {
                self.shows_cart(cart, scope)
                    && self.shows_wishes(wishes, scope)
                    && self.shows_export(orders, scope)
            }
            (Intent::AddAddress { tag }, Told::Address(seen)) => {
                seen.tag == *tag && (!scope.addresses || self.addresses.shows(seen))
            }
            (Intent::ChangeAddress { address, tag, .. }, Told::Address(seen)) => {
                (seen.id, seen.tag) == (*address, *tag)
                    && (!scope.addresses || self.addresses.shows(seen))
            }
            (Intent::RemoveAddress { .. }, Told::Removed) => true,
            (Intent::ReadAddresses, Told::Addresses(seen)) => {
                !scope.addresses || self.addresses.shows_all(seen)
            }
            (Intent::ReadOrders, Told::Orders(total, orders)) => {
                self.shows_orders(*total, orders, scope)
            }
            (
                Intent::Wish { .. }
                | Intent::Unwish { .. }
                | Intent::ClearWishes
                | Intent::ReadWishes,
                Told::Wishes(wishes),
            ) => self.shows_wishes(wishes, scope),
            (intent, Told::Cart(cart)) => {
                (intent.changes_cart() || *intent == Intent::ReadCart)
                    && self.shows_cart(cart, scope)
            }
            _ => false,
        }
    }

    fn shows_cart(&mut self, cart: &CartSeen, scope: &Scope) -> bool {
        if self.user != Some(cart.user) || (scope.versions && cart.version != self.version) {
            return false;
        }
        let seen = || cart.lines.iter().filter(|(_, sku, _)| scope.has(*sku));
        if seen().count() != self.lines.len() {
            return false;
        }
        seen().all(|(line, sku, quantity)| {
            self.lines
                .get_mut(sku)
                .is_some_and(|(id, had)| *id.get_or_insert(*line) == *line && had == quantity)
        })
    }

    fn shows_wishes(&self, wishes: &[u64], scope: &Scope) -> bool {
        !scope.wishes || self.wishes.iter().eq(wishes)
    }

    fn shows_orders(&mut self, total: u64, orders: &[OrderSeen], scope: &Scope) -> bool {
        !scope.orders
            || (total == self.orders.len() as u64
                && orders.iter().all(|order| self.shows_order(order, scope)))
    }

    /// The newest orders of an export are of the same moment as its cart. The others are read while
    /// the client reads, so that they may have been called off since.
    fn shows_export(&mut self, orders: &[OrderSeen], scope: &Scope) -> bool {
        let (newest, older) = orders.split_at(orders.len().min(OF_ONE_MOMENT));
        let total = orders.len() as u64;
        self.shows_orders(total, newest, scope)
            && (!scope.orders
                || older.iter().all(|order| {
                    let now = OrderSeen { is_cancelled: self.is_cancelled(order), ..order.clone() };
                    (order.is_cancelled || !now.is_cancelled) && self.shows_order(&now, scope)
                }))
    }

    fn is_cancelled(&self, seen: &OrderSeen) -> bool {
        self.orders.get(&seen.tag).is_some_and(|order| order.is_cancelled)
    }

    fn shows_order(&mut self, seen: &OrderSeen, scope: &Scope) -> bool {
        let is_known = self.orders.get(&seen.tag).is_some_and(|order| order.id.is_some());
        if !is_known {
            let orders = Rc::make_mut(&mut self.orders);
            let Some(order) = orders.get_mut(&seen.tag) else { return false };
            order.id = Some(seen.id);
        }
        let order = &self.orders[&seen.tag];
        let lines = seen.lines.iter().filter(|(sku, _)| scope.has(*sku));
        order.id == Some(seen.id)
            && order.is_cancelled == seen.is_cancelled
            && order.lines.iter().eq(lines)
    }
}

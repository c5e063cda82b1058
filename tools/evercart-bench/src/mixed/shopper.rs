//! One device of a customer: it does what customers do, in no order, on either server, and compares
//! every answer with what was acknowledged before.

use std::sync::PoisonError;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::Shared;
use super::household::{Household, Ledger, Ticket, lines};
use crate::random::Random;
use crate::server::Client;
use crate::shop::pieces_of;

/// How often a device signs in before it gives up: each time another one signed out at once.
const SIGN_INS_MAX: usize = 1_000;

/// One device, with a connection to each server.
pub struct Shopper<'a> {
    shared: &'a Shared,
    households: Vec<&'a Household>,
    slot: usize,
    clients: [Client; 2],
    random: Random,
    /// The session that was refused last.
    refused: u64,
}

/// What came of a request.
enum Came {
    /// It was done.
    Done(Value),
    /// The session has ended; nothing was done.
    SignedOut,
    /// A rule said no; nothing was done. With the problem's code.
    Refused(String),
}

impl<'a> Shopper<'a> {
    /// Connects.
    ///
    /// # Errors
    /// If a server does not listen.
    pub fn new(
        shared: &'a Shared,
        households: Vec<&'a Household>,
        slot: usize,
        seed: u64,
    ) -> Result<Self> {
        let [one, other] = shared.servers;
        let clients = [Client::connect(one)?, Client::connect(other)?];
        Ok(Self { shared, households, slot, clients, random: Random::new(seed), refused: 0 })
    }

    /// Goes on until all have done enough.
    ///
    /// # Errors
    /// If a server does not answer, or answers nonsense.
    pub fn shop(&mut self) -> Result<()> {
        while !self.shared.is_over() {
            let household = self.households[self.random.below(self.households.len())];
            let was_let_in = match self.random.below(100) {
                0..35 => self.add(household)?,
                35..47 => self.set_quantity(household)?,
                47..54 => self.remove(household)?,
                54..74 => self.read_cart(household)?,
                74..82 => self.wish(household)?,
                82..86 => self.read_wishlist(household)?,
                86..89 => self.order(household)?,
                89..95 => self.try_an_ended_token(household)?,
                95..97 => self.log_out(household)?,
                _ => self.read_orders(household)?,
            };
            if !was_let_in {
                self.sign_in_again(household)?;
            }
        }
        Ok(())
    }

    /// Sends a request with the newest token to either server.
    fn ask(
        &mut self,
        household: &Household,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Came> {
        let server = self.random.below(2);
        self.ask_with(household, &household.ticket(), server, method, path, body)
    }

    /// The one place where it is decided whether a token was rightly let in or refused.
    fn ask_with(
        &mut self,
        household: &Household,
        ticket: &Ticket,
        server: usize,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Came> {
        let was_over = household.is_over(ticket.session);
        let body = body.map(Value::to_string);
        let client = &mut self.clients[server];
        let (status, answer) = client.ask(method, path, Some(&ticket.token), body.as_deref())?;
        let answer: Value = serde_json::from_slice(answer)
            .with_context(|| format!("{method} {path} answered {status} without JSON"))?;
        self.shared.answered();
        let tally = &self.shared.tally;
        let who = format!("{method} {path} of {} on server {server}", household.phone);
        if was_over {
            self.shared.count(&tally.ended_tokens);
            if status != 401 {
                let text = format!("{who} answered {status} to a token that had ended before");
                self.shared.violated(text);
            }
        }
        match (status, answer["code"].as_str()) {
            (200..300, _) => Ok(Came::Done(answer)),
            (401, Some("signed_out")) => {
                if !household.may_be_over(ticket.session) {
                    self.shared.violated(format!("{who} was refused though nobody had signed out"));
                } else if !was_over {
                    self.shared.count(&tally.cut_off);
                }
                self.refused = ticket.session;
                Ok(Came::SignedOut)
            }
            (409, Some(code @ ("insufficient_stock" | "cart_empty"))) => {
                Ok(Came::Refused(code.to_owned()))
            }
            _ => {
                self.shared.violated(format!("{who} answered {status}: {answer}"));
                Ok(Came::Refused("unexpected".to_owned()))
            }
        }
    }

    fn add(&mut self, household: &Household) -> Result<bool> {
        let _passing = household.cart.read().unwrap_or_else(PoisonError::into_inner);
        let mut ledger = self.ledger(household);
        let sku = ledger.skus[self.random.below(ledger.skus.len())];
        let quantity = 1 + self.random.below(2) as u64;
        let body = json!({"sku_id": sku, "quantity": quantity});
        let came = self.ask(household, "POST", "/cart/items", Some(&body))?;
        let Came::Done(cart) = came else { return Ok(self.was_let_in(&came)) };
        self.shared.count(&self.shared.tally.adds);
        let before = ledger.lines.get(&sku).copied();
        let line = lines(&cart)?.into_iter().find(|(found, ..)| *found == sku);
        let line = line.map_or(0, |(_, line, _)| line);
        let (line, had) = before.unwrap_or((line, 0));
        ledger.lines.insert(sku, (line, had + quantity));
        self.check_cart(household, &ledger, &cart)
    }

    fn set_quantity(&mut self, household: &Household) -> Result<bool> {
        let _passing = household.cart.read().unwrap_or_else(PoisonError::into_inner);
        let mut ledger = self.ledger(household);
        let Some((sku, line)) = self.some_line(&ledger) else { return Ok(true) };
        let quantity = 1 + self.random.below(4) as u64;
        let (path, body) = (format!("/cart/items/{line}"), json!({"quantity": quantity}));
        let came = self.ask(household, "PUT", &path, Some(&body))?;
        let Came::Done(cart) = came else { return Ok(self.was_let_in(&came)) };
        self.shared.count(&self.shared.tally.changes);
        ledger.lines.insert(sku, (line, quantity));
        self.check_cart(household, &ledger, &cart)
    }

    fn remove(&mut self, household: &Household) -> Result<bool> {
        let _passing = household.cart.read().unwrap_or_else(PoisonError::into_inner);
        let mut ledger = self.ledger(household);
        let Some((sku, line)) = self.some_line(&ledger) else { return Ok(true) };
        let came = self.ask(household, "DELETE", &format!("/cart/items/{line}"), None)?;
        let Came::Done(cart) = came else { return Ok(self.was_let_in(&came)) };
        self.shared.count(&self.shared.tally.changes);
        ledger.lines.remove(&sku);
        self.check_cart(household, &ledger, &cart)
    }

    fn read_cart(&mut self, household: &Household) -> Result<bool> {
        let _passing = household.cart.read().unwrap_or_else(PoisonError::into_inner);
        let ledger = self.ledger(household);
        let came = self.ask(household, "GET", "/cart", None)?;
        let Came::Done(cart) = came else { return Ok(self.was_let_in(&came)) };
        self.shared.count(&self.shared.tally.reads);
        self.check_cart(household, &ledger, &cart)
    }

    fn wish(&mut self, household: &Household) -> Result<bool> {
        let mut ledger = self.ledger(household);
        let product = ledger.products[self.random.below(ledger.products.len())];
        let is_wished = ledger.wishes.contains(&product);
        let came = if is_wished {
            self.ask(household, "DELETE", &format!("/wishlist/items/{product}"), None)?
        } else {
            let body = json!({"product_id": product});
            self.ask(household, "POST", "/wishlist/items", Some(&body))?
        };
        let Came::Done(wishlist) = came else { return Ok(self.was_let_in(&came)) };
        self.shared.count(&self.shared.tally.wishes);
        match is_wished {
            true => ledger.wishes.remove(&product),
            false => ledger.wishes.insert(product),
        };
        self.check_wishes(household, &ledger, &wishlist)
    }

    fn read_wishlist(&mut self, household: &Household) -> Result<bool> {
        let ledger = self.ledger(household);
        let came = self.ask(household, "GET", "/wishlist", None)?;
        let Came::Done(wishlist) = came else { return Ok(self.was_let_in(&came)) };
        self.shared.count(&self.shared.tally.reads);
        self.check_wishes(household, &ledger, &wishlist)
    }

    fn read_orders(&mut self, household: &Household) -> Result<bool> {
        let came = self.ask(household, "GET", "/profile/orders", None)?;
        if let Came::Done(_) = came {
            self.shared.count(&self.shared.tally.reads);
        }
        Ok(self.was_let_in(&came))
    }

    /// Orders the cart while no other device changes it, and mostly calls the order off again.
    fn order(&mut self, household: &Household) -> Result<bool> {
        let alone = household.cart.write().unwrap_or_else(PoisonError::into_inner);
        let expected = household.expected_cart();
        let body = json!({"customer_name": "Jo Miller", "payment_method": "card",
            "delivery_address": "233 S Wacker Dr, Chicago"});
        let came = self.ask(household, "POST", "/orders", Some(&body))?;
        let order = match came {
            Came::Done(order) => order,
            Came::Refused(code) if code == "cart_empty" => {
                if !expected.is_empty() {
                    let text = format!("{} has an empty cart, not {expected:?}", household.phone);
                    self.shared.violated(text);
                }
                return Ok(true);
            }
            other => return Ok(self.was_let_in(&other)),
        };
        let order = order.get("order").unwrap_or(&order);
        let ordered = lines(order)?.into_iter().map(|(sku, _, quantity)| (sku, quantity)).collect();
        if expected != ordered {
            let text = format!("an order has {ordered:?} where {expected:?} was acknowledged");
            self.shared.violated(text);
        }
        household.cart_was_ordered();
        drop(alone);
        let id = order["id"].as_u64().context("an order has an id")?;
        household.orders.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        self.shared.count(&self.shared.tally.orders);
        if self.random.chance(20) {
            return Ok(true);
        }
        let came = self.ask(household, "POST", &format!("/orders/{id}/cancel"), None)?;
        if let Came::Done(_) = came {
            self.shared.count(&self.shared.tally.cancelled);
        }
        Ok(self.was_let_in(&came))
    }

    /// An old token, on either server, to read or to change. It is refused, or it is a violation.
    fn try_an_ended_token(&mut self, household: &Household) -> Result<bool> {
        let Some(ticket) = household.ended(|tokens| self.random.below(tokens)) else {
            return Ok(true);
        };
        let server = self.random.below(2);
        if self.random.chance(50) {
            self.ask_with(household, &ticket, server, "GET", "/cart", None)?;
        } else {
            let sku = self.ledger(household).skus[0];
            let body = json!({"sku_id": sku});
            self.ask_with(household, &ticket, server, "POST", "/cart/items", Some(&body))?;
        }
        Ok(true)
    }

    /// Other devices go on with the same token meanwhile, and may sign out, too. Once it is
    /// acknowledged, both servers must refuse the token from the next request on.
    fn log_out(&mut self, household: &Household) -> Result<bool> {
        let ticket = household.ticket();
        household.logout_begins(ticket.session);
        let server = self.random.below(2);
        let came = self.ask_with(household, &ticket, server, "POST", "/auth/logout", None)?;
        let Came::Done(_) = came else { return Ok(self.was_let_in(&came)) };
        household.logout_is_done(ticket.session);
        self.shared.count(&self.shared.tally.logouts);
        self.refused = ticket.session;
        for server in [1 - server, server] {
            self.ask_with(household, &ticket, server, "GET", "/cart", None)?;
        }
        Ok(false)
    }

    /// Signs in, unless another device has done so since this one was refused: only what was
    /// refused is surely over, and while it is not, a logout under way would end the new session,
    /// too. The code is asked of one server and shown to the other.
    ///
    /// # Errors
    /// If a server does not answer, or does not let the customer in.
    pub fn sign_in_again(&mut self, household: &Household) -> Result<()> {
        let _alone = household.sign_in.lock().unwrap_or_else(PoisonError::into_inner);
        if household.ticket().session != self.refused {
            return Ok(());
        }
        let first = self.random.below(2);
        let phone = &household.phone;
        let sent = self.enter(first, "/auth/send-code", &json!({"phone": phone}))?;
        let code = sent["demo_code"].as_str().context("a demo tells the code")?;
        let body = json!({"phone": phone, "verification_code": code});
        let signed_in = self.enter(1 - first, "/auth/verify-code", &body)?;
        let token = signed_in["access_token"].as_str().context("there is a token")?;
        household.admit(token);
        self.shared.count(&self.shared.tally.sign_ins);
        Ok(())
    }

    fn enter(&mut self, server: usize, path: &str, body: &Value) -> Result<Value> {
        let client = &mut self.clients[server];
        let (status, answer) = client.ask("POST", path, None, Some(&body.to_string()))?;
        self.shared.answered();
        let text = || String::from_utf8_lossy(answer).into_owned();
        ensure!(status == 200, "POST {path} answered {status}: {}", text());
        serde_json::from_slice(answer).with_context(|| format!("POST {path} is not JSON"))
    }

    /// Compares all that the customer has, when nobody else is there.
    ///
    /// # Errors
    /// If a server does not answer.
    pub fn compare_all(&mut self, household: &Household) -> Result<()> {
        let cart = self.see(household, "/cart")?;
        pieces_of(&cart)?;
        let found = lines(&cart)?.into_iter().map(|(sku, _, quantity)| (sku, quantity)).collect();
        let (phone, expected) = (&household.phone, household.expected_cart());
        if expected != found {
            let text = format!("{phone} has {found:?} where {expected:?} was acknowledged");
            self.shared.violated(text);
        }
        let wishlist = self.see(household, "/wishlist")?;
        for ledger in &household.ledgers {
            let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            self.check_wishes(household, &ledger, &wishlist)?;
        }
        let orders = self.see(household, "/profile/orders?limit=1")?;
        let expected = household.orders.lock().unwrap_or_else(PoisonError::into_inner).len();
        if orders["total"].as_u64() != Some(expected as u64) {
            let found = &orders["total"];
            let text = format!("{phone} has {found} orders where {expected} were acknowledged");
            self.shared.violated(text);
        }
        Ok(())
    }

    fn see(&mut self, household: &Household, path: &str) -> Result<Value> {
        for _ in 0..SIGN_INS_MAX {
            match self.ask(household, "GET", path, None)? {
                Came::Done(value) => return Ok(value),
                Came::SignedOut => self.sign_in_again(household)?,
                Came::Refused(code) => bail!("GET {path} was refused: {code}"),
            }
        }
        bail!("{} is signed out again and again", household.phone)
    }

    fn ledger<'h>(&self, household: &'h Household) -> std::sync::MutexGuard<'h, Ledger> {
        household.ledgers[self.slot].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn some_line(&mut self, ledger: &Ledger) -> Option<(u64, u64)> {
        let place = self.random.below(ledger.lines.len().max(1));
        ledger.lines.iter().nth(place).map(|(sku, (line, _))| (*sku, *line))
    }

    fn was_let_in(&self, came: &Came) -> bool {
        if let Came::Refused(_) = came {
            self.shared.count(&self.shared.tally.out_of_stock);
        }
        !matches!(came, Came::SignedOut)
    }

    fn check_cart(&self, household: &Household, ledger: &Ledger, cart: &Value) -> Result<bool> {
        let sums = pieces_of(cart).err().map(|error| error.to_string());
        for wrong in [sums, ledger.difference(cart)?].into_iter().flatten() {
            self.shared.violated(format!("{}: {wrong}", household.phone));
        }
        Ok(true)
    }

    fn check_wishes(&self, household: &Household, ledger: &Ledger, list: &Value) -> Result<bool> {
        if let Some(wrong) = ledger.difference_of_wishes(list)? {
            self.shared.violated(format!("{}: {wrong}", household.phone));
        }
        Ok(true)
    }
}

//! What a customer was told, remembered outside the shop, so that after a power cut it can be
//! compared with what is there.

use serde_json::Value;

use crate::customer::{Customer, checkout_body, pieces};
use crate::harness::{Answer, Shop};

/// The SKUs that are shopped for.
pub const SKUS: [i64; 4] = [5001, 5002, 5003, 5004];

/// Where the shop shows what is recorded here.
pub const SHOWN: [&str; 2] = ["/cart", "/profile/orders?limit=100"];

/// The one request whose answer never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Nothing,
    Add(usize),
    Checkout,
    Cancel(i64),
}

/// Pieces of each of the four SKUs.
type Pieces = [i64; 4];

/// One customer's own record. Requests are sent one after the other, so at most one is in doubt.
#[derive(Debug)]
pub struct Ledger {
    pub customer: Customer,
    cart: [i64; 4],
    /// Id, pieces, cancelled.
    orders: Vec<(i64, [i64; 4], bool)>,
    pending: Pending,
    /// Requests acknowledged.
    pub acknowledged: usize,
}

impl Ledger {
    pub fn new(customer: Customer) -> Self {
        Self { customer, cart: [0; 4], orders: vec![], pending: Pending::Nothing, acknowledged: 0 }
    }

    /// Does one more thing, the `choice` deciding what. False if the server is gone.
    pub fn step(&mut self, shop: &Shop, choice: u32) -> bool {
        let sku = choice as usize % SKUS.len();
        let cancellable = self.orders.iter().rev().find(|(_, _, cancelled)| !cancelled);
        self.pending = match (choice / 16 % 8, cancellable) {
            (0, _) if self.cart != [0; 4] => Pending::Checkout,
            (1, Some((id, ..))) => Pending::Cancel(*id),
            _ => Pending::Add(sku),
        };
        match self.send(shop) {
            Some(answer) => {
                self.note(&answer);
                true
            }
            None => false,
        }
    }

    fn send(&self, shop: &Shop) -> Option<Answer> {
        let jo = &self.customer;
        let request = match self.pending {
            Pending::Nothing => return None,
            Pending::Add(sku) => jo
                .request(shop, "POST", "/cart/items")
                .json(&serde_json::json!({ "sku_id": SKUS[sku], "quantity": 1 })),
            Pending::Checkout => jo.request(shop, "POST", "/orders").json(&checkout_body()),
            Pending::Cancel(id) => jo.request(shop, "POST", &format!("/orders/{id}/cancel")),
        };
        let answer = request.try_send().ok()?;
        // A 503 says that nothing was changed or that a repeat finds out: as much in doubt.
        (answer.status != 503).then_some(answer)
    }

    fn note(&mut self, answer: &Answer) {
        match self.pending {
            Pending::Nothing => {}
            Pending::Add(sku) => {
                assert_eq!(answer.status, 200, "{answer}");
                self.cart[sku] += 1;
            }
            Pending::Checkout => {
                assert_eq!(answer.status, 201, "{answer}");
                let id = answer.json()["id"].as_i64().expect("an id");
                self.orders.push((id, self.cart, false));
                self.cart = [0; 4];
            }
            Pending::Cancel(id) => {
                assert_eq!(answer.status, 200, "{answer}");
                self.cancel(id);
            }
        }
        self.pending = Pending::Nothing;
        self.acknowledged += 1;
    }

    fn cancel(&mut self, id: i64) {
        let order = self.orders.iter_mut().find(|order| order.0 == id).expect("an order of ours");
        order.2 = true;
    }

    /// Compares the record with the shop, and takes over what became of the request in doubt,
    /// which must have happened whole or not at all.
    pub fn compare(&mut self, shop: &Shop) {
        let [cart, orders] = SHOWN.map(|path| shop.see(path, &self.customer.token));
        self.compare_with(&cart, &orders);
    }

    /// Like `compare`, with the bodies of what is [`SHOWN`].
    pub fn compare_with(&mut self, cart: &Value, orders: &Value) {
        let there = Self::read(cart, orders);
        let without = (self.cart, self.orders.clone());
        if there != without {
            self.settle(orders);
            assert_eq!(
                there,
                (self.cart, self.orders.clone()),
                "neither with nor without {:?}",
                self.pending
            );
        }
        self.pending = Pending::Nothing;
    }

    /// Takes the request in doubt as done.
    fn settle(&mut self, orders: &Value) {
        match self.pending {
            Pending::Nothing => {}
            Pending::Add(sku) => self.cart[sku] += 1,
            Pending::Checkout => {
                let id = orders["orders"][0]["id"].as_i64().unwrap_or_default();
                self.orders.push((id, self.cart, false));
                self.cart = [0; 4];
            }
            Pending::Cancel(id) => self.cancel(id),
        }
    }

    fn read(cart: &Value, orders: &Value) -> (Pieces, Vec<(i64, Pieces, bool)>) {
        let mut skus: Vec<_> =
            cart["items"].as_array().expect("lines").iter().map(|line| &line["sku_id"]).collect();
        let lines = skus.len();
        skus.dedup();
        assert_eq!(skus.len(), lines, "a line twice: {cart}");
        assert_eq!(orders["has_more"], false, "more orders than one look shows");
        let mut list: Vec<_> = orders["orders"]
            .as_array()
            .expect("orders")
            .iter()
            .map(|order| {
                let id = order["id"].as_i64().expect("an id");
                assert_adds_up(order);
                (id, SKUS.map(|sku| pieces(order, sku)), order["status"] == "cancelled")
            })
            .collect();
        list.sort_unstable();
        (SKUS.map(|sku| pieces(cart, sku)), list)
    }
}

/// The lines' totals are the subtotal; with delivery, the total. In cents, each SKU costs 1.00.
fn assert_adds_up(order: &Value) {
    let cents = |value: &Value| (value.as_f64().expect("an amount") * 100.0).round() as i64;
    let lines = order["items"].as_array().expect("lines");
    let sum: i64 = lines.iter().map(|line| cents(&line["total_price"])).sum();
    assert_eq!(cents(&order["subtotal"]), sum, "{order}");
    let total = sum + cents(&order["shipping_cost"]);
    assert_eq!(cents(&order["total_amount"]), total, "{order}");
    let pieces: i64 = lines.iter().map(|line| line["quantity"].as_i64().unwrap_or(0)).sum();
    assert_eq!(sum, pieces * 100, "{order}");
}

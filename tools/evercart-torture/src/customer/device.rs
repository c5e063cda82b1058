//! One device: it does what the scene says, one thing after the other, in the way that people and
//! bad networks do: impatiently, twice, late, with what it saw last, and with tokens that ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::mix::{Act, Scene};
use super::{Customer, Prepared, Shared, Spoken, Token, Way};
use crate::client::Connection;
use crate::history::{Intent, Told};
use crate::model::total;
use crate::world::{PLENTIFUL, SCARCE};

/// How often an intent is sent before it is given up.
const TRIES_MAX: usize = 12;
/// How long a patient client waits. Whatever is broken is mended before, mostly.
const PATIENT: Duration = Duration::from_secs(8);
/// Further products that can be moved to the cart besides those in the demo.
const PRODUCTS: usize = (PLENTIFUL.end - PLENTIFUL.start) as usize;

/// A device of a customer.
pub struct Device {
    pub(super) shared: Arc<Shared>,
    pub(super) customer: Arc<Customer>,
    pub(super) rng: StdRng,
    pub(super) token: Option<Token>,
    number: u8,
    connections: HashMap<(usize, bool), Connection>,
    /// When it stops at the latest; None: when the run is over.
    until: Option<Instant>,
    /// Requests in a row that nobody answered.
    pub(super) failures: u32,
}

impl Device {
    /// A device that goes on until the run is over.
    pub fn new(shared: &Arc<Shared>, customer: &Arc<Customer>, number: u8, round: u64) -> Self {
        let place = u64::from(customer.number) * 64 + u64::from(number) + (round << 40);
        let seed = shared.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(place);
        Self {
            shared: Arc::clone(shared),
            customer: Arc::clone(customer),
            rng: StdRng::seed_from_u64(seed),
            token: None,
            number,
            connections: HashMap::new(),
            until: None,
            failures: 0,
        }
    }

    /// A device that looks at everything when the run is over.
    pub fn that_looks(shared: &Arc<Shared>, customer: &Arc<Customer>, until: Instant) -> Self {
        Self { until: Some(until), ..Self::new(shared, customer, 63, 0) }
    }

    /// Does this many things.
    pub async fn play(&mut self, scene: Scene, acts: usize) {
        let skus = self.choice_of_skus(scene);
        for _ in 0..acts {
            if self.must_stop() {
                return;
            }
            let act = scene.act(&mut self.rng);
            self.act(act, &skus).await;
        }
    }

    /// Reads everything there is. False if there was no answer until it was too late.
    pub async fn look_at_everything(&mut self) -> bool {
        use Intent::{Export, ReadAddresses, ReadCart, ReadOrders, ReadWishes};
        for intent in [ReadCart, ReadWishes, ReadOrders, ReadAddresses, Export] {
            let prepared = self.customer.prepare(&self.shared, intent, false);
            while self.carry_out(&prepared).await.is_none_or(|told| is_refused(&told)) {
                if self.must_stop() {
                    return false;
                }
            }
        }
        true
    }

    /// Puts a piece into the cart and returns the cart's version then.
    pub async fn add_one(&mut self) -> Option<u64> {
        let intent = Intent::Add { sku: PLENTIFUL.start, quantity: 1 };
        let prepared = self.customer.prepare(&self.shared, intent, true);
        match self.carry_out(&prepared).await? {
            Told::Cart(cart) => Some(cart.version),
            _ => None,
        }
    }

    pub(super) fn must_stop(&self) -> bool {
        match self.until {
            Some(until) => Instant::now() > until,
            None => self.shared.world.is_over(),
        }
    }

    fn choice_of_skus(&mut self, scene: Scene) -> Vec<u64> {
        match scene {
            // The same one for all devices of the customer.
            Scene::Rush => vec![PLENTIFUL.start + u64::from(self.customer.number) % 8],
            Scene::Merging => PLENTIFUL.take(4).collect(),
            _ => PLENTIFUL.chain(SCARCE).collect(),
        }
    }

    async fn act(&mut self, act: Act, skus: &[u64]) {
        match act {
            Act::Logout => self.log_out().await,
            Act::LeaveAmidAdds => self.leave_amid_adds().await,
            Act::ChangePhone => self.change_phone().await,
            Act::OldToken => self.try_an_old_token().await,
            Act::Repeat => self.repeat().await,
            _ => {
                let life = self.shared.world.life();
                self.customer.known().live(life);
                let Some(intent) = self.intent(act, skus) else { return };
                let is_keyed = !intent.is_read() && self.chance(60);
                let mut prepared = self.customer.prepare(&self.shared, intent, is_keyed);
                prepared.life = life;
                self.add_condition(&mut prepared);
                self.carry_out(&prepared).await;
            }
        }
    }

    /// What the act means with what is known. None if there is nothing to do it with.
    fn intent(&mut self, act: Act, skus: &[u64]) -> Option<Intent> {
        let sku = skus[self.rng.random_range(0..skus.len())];
        let quantity = self.rng.random_range(1..4);
        let customer = self.customer.clone();
        let known = customer.known();
        let pick = |count: usize, rng: &mut StdRng| (count > 0).then(|| rng.random_range(0..count));
        Some(match act {
            Act::Add => Intent::Add { sku, quantity },
            Act::Set | Act::Remove => {
                let (line, sku, _) = known.cart[pick(known.cart.len(), &mut self.rng)?];
                match act {
                    Act::Set => Intent::Set { line, sku, quantity: self.rng.random_range(0..6) },
                    _ => Intent::Remove { line, sku },
                }
            }
            Act::Clear => Intent::Clear,
            Act::Merge => {
                let first = self.rng.random_range(0..PRODUCTS as u64 - 2);
                let mut items: Vec<_> = (first..first + 3)
                    .map(|n| (PLENTIFUL.start + n, self.rng.random_range(1..4)))
                    .collect();
                items.truncate(self.rng.random_range(1..4));
                Intent::Merge { items, sum: self.rng.random_range(0..2) == 0 }
            }
            Act::Wish => {
                let product = PLENTIFUL.start + self.rng.random_range(0..PRODUCTS as u64);
                Intent::Wish { product }
            }
            Act::Unwish | Act::Move => {
                let product = known.wishes[pick(known.wishes.len(), &mut self.rng)?];
                match act {
                    Act::Unwish => Intent::Unwish { product },
                    _ => Intent::Move { product, sku: product, quantity },
                }
            }
            Act::ClearWishes => Intent::ClearWishes,
            Act::Checkout => {
                let shown: u64 = known.cart.iter().map(|(_, _, pieces)| u64::from(*pieces)).sum();
                let expected = (self.rng.random_range(0..3) == 0).then(|| total(shown));
                Intent::Checkout { tag: customer.tag(), expected }
            }
            Act::AddAddress => Intent::AddAddress { tag: customer.tag() },
            Act::ChangeAddress | Act::RemoveAddress => {
                let (address, tag) = known.addresses[pick(known.addresses.len(), &mut self.rng)?];
                match act {
                    Act::RemoveAddress => Intent::RemoveAddress { address, tag },
                    _ => Intent::ChangeAddress { address, tag, revision: customer.tag() },
                }
            }
            Act::ReadAddresses => Intent::ReadAddresses,
            Act::Cancel => {
                let (order, tag) = known.orders[pick(known.orders.len(), &mut self.rng)?];
                Intent::Cancel { order, tag }
            }
            Act::ReadWishes => Intent::ReadWishes,
            Act::ReadOrders => Intent::ReadOrders,
            Act::Export => Intent::Export,
            Act::WhoAmI => Intent::WhoAmI,
            _ => Intent::ReadCart,
        })
    }

    /// Now and then the client says which version of the cart it means.
    fn add_condition(&mut self, prepared: &mut Prepared) {
        let header = match &prepared.intent {
            Intent::ReadCart => "if-none-match",
            Intent::Checkout { .. } => "if-match",
            intent if intent.changes_cart() => "if-match",
            _ => return,
        };
        if !self.chance(15) {
            return;
        }
        let known = self.customer.known();
        let tags = known.tags.len();
        if tags > 0 {
            // Mostly the newest, sometimes a stale one.
            let place = if self.rng.random_range(0..3) == 0 { 0 } else { tags - 1 };
            let (version, tag) = known.tags[place].clone();
            prepared.if_match = Some(version);
            prepared.letter.headers.push((header, tag));
        }
    }

    /// Sends it until there is an answer, or the client has had enough. Returns what it was told.
    async fn carry_out(&mut self, prepared: &Prepared) -> Option<Told> {
        for _ in 0..TRIES_MAX {
            let token = self.token().await?;
            if prepared.names_own() && prepared.life != self.shared.world.life() {
                return None;
            }
            let patience = self.patience();
            let way = self.way(Some(token), patience);
            let spoken = if prepared.key.is_some() && self.chance(20) {
                self.send_at_once(prepared, &way).await
            } else {
                self.send(prepared, &way).await
            };
            if spoken.is_out() {
                self.token = None;
                // With a new token, the same intent is still the same.
                if prepared.key.is_none() || self.chance(40) {
                    return spoken.told;
                }
            } else if spoken.told.is_some() {
                return spoken.told;
            } else if spoken.was_sent && prepared.key.is_none() {
                // Without a key, whoever tries again may do it twice, as some do. What is asked for
                // twice under one tag could not be told from what was made twice.
                use Intent::{AddAddress, Checkout};
                let has_tag = matches!(prepared.intent, Checkout { .. } | AddAddress { .. });
                if has_tag || self.chance(70) {
                    return None;
                }
            }
            if self.must_stop() {
                return None;
            }
            self.rest().await;
        }
        None
    }

    /// The same request two or three times at the same moment, as jumpy clients and networks do.
    pub(super) async fn send_at_once(&mut self, prepared: &Prepared, way: &Way) -> Spoken {
        let others: Vec<Way> = (0..self.rng.random_range(1..3))
            .map(|_| {
                let patience = self.patience();
                self.way(way.token.clone(), patience)
            })
            .collect();
        let (shared, customer) = (Arc::clone(&self.shared), Arc::clone(&self.customer));
        let repeats: Vec<_> = others
            .into_iter()
            .map(|way| {
                let (shared, customer) = (Arc::clone(&shared), Arc::clone(&customer));
                let prepared = prepared.clone();
                tokio::spawn(async move {
                    let mut connection = Connection::default();
                    customer.send(&shared, &mut connection, &prepared, &way).await;
                })
            })
            .collect();
        let spoken = self.send(prepared, way).await;
        for repeat in repeats {
            repeat.await.expect("sending a request does not panic");
        }
        spoken
    }

    /// An earlier intent once more, whether or not it was answered.
    async fn repeat(&mut self) {
        let prepared = {
            let known = self.customer.known();
            match known.keyed.len() {
                0 => return,
                count => known.keyed[self.rng.random_range(0..count)].clone(),
            }
        };
        self.carry_out(&prepared).await;
    }

    async fn log_out(&mut self) {
        let is_keyed = self.chance(40);
        let prepared = self.customer.prepare(&self.shared, Intent::Logout, is_keyed);
        let told = self.carry_out(&prepared).await;
        self.token = None;
        if told == Some(Told::SignedOut) && self.chance(70) {
            self.try_an_old_token().await;
            self.try_an_old_token().await;
        }
    }

    /// A token that has ended must be good for nothing, on any server.
    async fn try_an_old_token(&mut self) {
        let token = {
            let known = self.customer.known();
            match known.tokens.len() {
                0 => return,
                count => known.tokens[self.rng.random_range(0..count)].clone(),
            }
        };
        let intent = match self.rng.random_range(0..6) {
            0 => Intent::Add { sku: PLENTIFUL.start, quantity: 1 },
            1 => Intent::Export,
            2 => Intent::ReadOrders,
            3 => Intent::Wish { product: PLENTIFUL.start },
            _ => Intent::ReadCart,
        };
        let prepared = self.customer.prepare(&self.shared, intent, false);
        let patience = self.patience();
        let way = self.way(Some(token), patience);
        self.send(&prepared, &way).await;
    }

    /// The device's token; it signs in if it has none. None if the run is over.
    pub(super) async fn token(&mut self) -> Option<Token> {
        // Sometimes a family shares a device.
        if self.token.is_none() || self.chance(2) {
            let newest = self.customer.newest_token().filter(|_| self.chance(60));
            self.token = match newest {
                Some(token) => Some(token),
                None => self.sign_in().await,
            };
        }
        self.token.clone()
    }

    pub(super) async fn send(&mut self, prepared: &Prepared, way: &Way) -> Spoken {
        let (shared, customer) = (Arc::clone(&self.shared), Arc::clone(&self.customer));
        let spoken = customer.send(&shared, self.connection(way), prepared, way).await;
        self.failures = if spoken.told.is_some() { 0 } else { self.failures + 1 };
        spoken
    }

    pub(super) fn connection(&mut self, way: &Way) -> &mut Connection {
        self.connections.entry((way.server, way.through_proxy)).or_default()
    }

    /// To any server; some devices live behind a bad network.
    pub(super) fn way(&mut self, token: Option<Token>, patience: Duration) -> Way {
        let server = self.rng.random_range(0..self.shared.world.places.len());
        let through_proxy = self.until.is_none() && self.number % 3 == 2;
        Way { device: self.number, server, through_proxy, token, patience }
    }

    /// Some clients give up very soon.
    pub(super) fn patience(&mut self) -> Duration {
        let millis = match self.rng.random_range(0..10) {
            _ if self.until.is_some() => return PATIENT,
            0 => self.rng.random_range(1..30),
            1 => self.rng.random_range(30..400),
            _ => return PATIENT,
        };
        Duration::from_millis(millis)
    }

    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }
}

fn is_refused(told: &Told) -> bool {
    matches!(told, Told::Refused { .. })
}

//! A simulated customer with several devices: what they know, and how a request of theirs is sent
//! and written down. What they do next is `device`'s business.

mod device;
mod leaving;
mod listener;
mod mix;
mod sign_in;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;

use crate::client::{Answer, Came, Connection, Letter};
use crate::history::{Event, Intent, Told, Try};
use crate::wire::{self, Read, Reader};
use crate::world::World;

pub use device::Device;
pub use listener::{hears_of_changes, listen};
pub use mix::Scene;
use sign_in::Phones;

/// Intents with keys that are remembered, so that they can be repeated late.
const KEYED_MAX: usize = 6;
/// Tokens that are remembered, so that they can be tried when they have ended.
const TOKENS_MAX: usize = 8;

/// What all customers share.
pub struct Shared {
    /// What they are served by.
    pub world: World,
    /// Part of every key, so that no two runs share one.
    pub seed: u64,
    /// Every request that came to an end.
    pub tries: Mutex<Vec<Try>>,
    /// Every event.
    pub events: Mutex<Vec<Event>>,
    /// Counts streams.
    pub streams: AtomicU32,
}

/// A token, named by the try that brought it.
#[derive(Debug, Clone)]
pub struct Token {
    id: u32,
    /// Whose it is, by the shop.
    user: u64,
    text: Arc<str>,
}

/// An intent that is ready to be sent as often as one likes.
#[derive(Debug, Clone)]
pub struct Prepared {
    intent: Intent,
    key: Option<u32>,
    if_match: Option<u64>,
    letter: Letter,
    /// The life of the shop's data in which it was made ready; see [`World::life`].
    life: u64,
}

impl Prepared {
    /// True if it names something by a number that is one customer's own. After a return to older
    /// data the same customer may have something else under it.
    fn names_own(&self) -> bool {
        use Intent::{ChangeAddress, Remove, RemoveAddress, Set};
        matches!(
            self.intent,
            Set { .. } | Remove { .. } | ChangeAddress { .. } | RemoveAddress { .. }
        )
    }
}

/// How a request is sent.
#[derive(Debug, Clone)]
pub struct Way {
    device: u8,
    server: usize,
    through_proxy: bool,
    token: Option<Token>,
    patience: Duration,
}

/// What the customer's devices have seen last.
#[derive(Default)]
struct Known {
    /// Their number in the shop.
    user: Option<u64>,
    /// The life of the shop's data in which it was seen.
    life: u64,
    /// Line, SKU, quantity.
    cart: Vec<(u64, u64, u32)>,
    /// Versions with their tags, the newest last.
    tags: VecDeque<(u64, String)>,
    wishes: Vec<u64>,
    /// Numbers with their tags.
    orders: VecDeque<(u64, u32)>,
    /// Numbers with their tags.
    addresses: VecDeque<(u64, u32)>,
    tokens: VecDeque<Token>,
    keyed: VecDeque<Prepared>,
}

impl Known {
    /// After a return to older data, what is there is looked at anew.
    fn live(&mut self, life: u64) {
        if life != self.life {
            self.life = life;
            self.cart.clear();
            self.addresses.clear();
            self.keyed.retain(|prepared| !prepared.names_own());
        }
    }
}

/// A customer.
pub struct Customer {
    /// Their number in the run.
    pub number: u32,
    /// Held by whoever plays with this customer.
    pub playing: tokio::sync::Mutex<()>,
    tries: AtomicU32,
    keys: AtomicU32,
    tags: AtomicU32,
    codes: AtomicU32,
    known: Mutex<Known>,
    phones: tokio::sync::Mutex<Phones>,
}

/// What became of a request.
struct Spoken {
    /// Its try, or 0 if it was not sent.
    id: u32,
    was_sent: bool,
    told: Option<Told>,
    answer: Option<Answer>,
}

impl Spoken {
    /// Whether the token is good no longer.
    fn is_out(&self) -> bool {
        matches!(&self.told, Some(Told::Refused { code, .. })
            if matches!(code.as_str(), "signed_out" | "token_expired" | "token_invalid"))
    }
}

impl Customer {
    /// The `number`th customer, who has never been here.
    pub fn new(number: u32) -> Self {
        Self {
            number,
            playing: tokio::sync::Mutex::default(),
            tries: AtomicU32::new(1),
            keys: AtomicU32::new(1),
            tags: AtomicU32::new(1),
            codes: AtomicU32::new(1),
            known: Mutex::default(),
            phones: tokio::sync::Mutex::default(),
        }
    }

    /// The newest token, whether or not it is still good.
    pub fn newest_token(&self) -> Option<Token> {
        self.known().tokens.back().cloned()
    }

    /// A number that tells what is made or written from all else of this customer.
    fn tag(&self) -> u32 {
        self.tags.fetch_add(1, Ordering::Relaxed)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("nobody panics with it")
    }

    /// Reads what a token's owner is shown.
    fn reader(&self, token: Option<&Token>) -> Reader {
        Reader { customer: self.number, user: token.map(|token| token.user) }
    }

    /// Makes an intent ready to be sent.
    fn prepare(&self, shared: &Shared, intent: Intent, is_keyed: bool) -> Prepared {
        let mut letter = wire::letter(self.number, &intent);
        let key = is_keyed.then(|| self.keys.fetch_add(1, Ordering::Relaxed));
        if let Some(key) = key {
            let text = format!("{:x}-{}-{key}", shared.seed, self.number);
            letter = letter.header("idempotency-key", text);
        }
        let life = shared.world.life();
        let prepared = Prepared { intent, key, if_match: None, letter, life };
        if is_keyed {
            let keyed = &mut self.known().keyed;
            keyed.push_back(prepared.clone());
            keep(keyed, KEYED_MAX);
        }
        prepared
    }

    /// The same with a body that carries a code. It is not repeated late.
    fn prepare_with_code(
        &self,
        shared: &Shared,
        intent: Intent,
        is_keyed: bool,
        body: Value,
    ) -> Prepared {
        let mut prepared = self.prepare(shared, intent, is_keyed);
        prepared.letter.body = Some(body);
        if is_keyed {
            self.known().keyed.retain(|one| one.key != prepared.key);
        }
        prepared
    }

    /// Sends it, and writes down what became of it.
    async fn send(
        &self,
        shared: &Shared,
        connection: &mut Connection,
        prepared: &Prepared,
        way: &Way,
    ) -> Spoken {
        let world = &shared.world;
        let mut letter = prepared.letter.clone();
        if let Some(token) = &way.token {
            letter = letter.token(&token.text);
        }
        let address = world.address(way.server, way.through_proxy);
        let id = self.tries.fetch_add(1, Ordering::Relaxed);
        let (life, sent) = (world.life(), world.now());
        let came = connection.ask(address, &letter, way.patience).await;
        let answered = world.now();
        let (read, answer) = match came {
            Came::NotSent => {
                return Spoken { id: 0, was_sent: false, told: None, answer: None };
            }
            Came::Nothing(end) => (Read { end, ..Read::default() }, None),
            Came::Answer(answer) => {
                world.answered.fetch_add(1, Ordering::Relaxed);
                let reader = self.reader(way.token.as_ref());
                (wire::read(reader, &prepared.intent, &answer), Some(answer))
            }
        };
        let told = read.told.clone();
        if let (Some(told), Some(answer)) = (&told, &answer) {
            // What comes late is of data that is not there any more.
            if life == world.life() {
                self.learn(id, told, answer, prepared, life);
            }
        }
        let one = Try {
            id,
            customer: self.number,
            device: way.device,
            server: u8::try_from(way.server).expect("there are few servers"),
            token: way.token.as_ref().map(|token| token.id),
            key: prepared.key,
            if_match: prepared.if_match,
            intent: prepared.intent.clone(),
            sent,
            answered: told.as_ref().map(|_| answered),
            told: read.told,
            replayed: read.replayed,
            end: read.end,
            flaws: read.flaws,
        };
        shared.tries.lock().expect("nobody panics with it").push(one);
        Spoken { id, was_sent: true, told, answer }
    }

    fn learn(&self, id: u32, told: &Told, answer: &Answer, prepared: &Prepared, life: u64) {
        let known = &mut *self.known();
        known.live(life);
        match told {
            Told::Cart(cart) => {
                known.cart.clone_from(&cart.lines);
                let tag = answer.headers.get("etag").and_then(|tag| tag.to_str().ok());
                if let Some(tag) = tag {
                    known.tags.push_back((cart.version, tag.to_owned()));
                    keep(&mut known.tags, 4);
                }
            }
            Told::Wishes(wishes) => known.wishes.clone_from(wishes),
            Told::Order(order) => {
                known.cart.clear();
                known.orders.push_back((order.id, order.tag));
                keep(&mut known.orders, 5);
            }
            Told::Addresses(seen) => {
                known.addresses = seen.iter().map(|one| (one.id, one.tag)).collect();
            }
            Told::Address(seen) => {
                known.addresses.push_back((seen.id, seen.tag));
                keep(&mut known.addresses, 5);
            }
            Told::SignedIn { user, .. } => {
                let own = *known.user.get_or_insert(*user);
                let text = answer.json()["access_token"].as_str().map(Arc::from);
                if let Some(text) = text
                    && own == *user
                {
                    known.tokens.push_back(Token { id, user: own, text });
                    keep(&mut known.tokens, TOKENS_MAX);
                }
            }
            _ if matches!(prepared.intent, Intent::ClearWishes) => known.wishes.clear(),
            _ => {}
        }
    }
}

fn keep<T>(list: &mut VecDeque<T>, most: usize) {
    while list.len() > most {
        list.pop_front();
    }
}

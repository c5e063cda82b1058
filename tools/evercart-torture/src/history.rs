//! What each client sent and was told, and the file it is kept in: one JSON record a line. What to
//! make of it is the checker's business.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// The file's format. One that is older or newer is not read.
const FORMAT: u32 = 3;

/// What a request is for. Where it names something, by the number that the client knew.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Puts pieces of a SKU into the cart.
    Add { sku: u64, quantity: u32 },
    /// Sets a line to a quantity.
    Set { line: u64, sku: u64, quantity: u32 },
    /// Removes a line.
    Remove { line: u64, sku: u64 },
    /// Empties the cart.
    Clear,
    /// Takes over a visitor's cart: the larger quantity of each SKU, or the sum.
    Merge { items: Vec<(u64, u32)>, sum: bool },
    /// Wishes for a product.
    Wish { product: u64 },
    /// No longer wishes for it.
    Unwish { product: u64 },
    /// Empties the wishlist.
    ClearWishes,
    /// Moves a wish into the cart.
    Move { product: u64, sku: u64, quantity: u32 },
    /// Orders the cart. The tag is part of the recipient's name, so that the order can be told
    /// from every other. With what the client expects it to cost, in cents, or without.
    Checkout { tag: u32, expected: Option<u64> },
    /// Stores an address. The tag is part of it, as with orders.
    AddAddress { tag: u32 },
    /// Writes another `revision` into an address.
    ChangeAddress { address: u64, tag: u32, revision: u32 },
    /// Removes an address.
    RemoveAddress { address: u64, tag: u32 },
    /// Reads the addresses.
    ReadAddresses,
    /// Calls an order off.
    Cancel { order: u64, tag: u32 },
    /// Reads the cart, with `If-None-Match` if `if_match` is set.
    ReadCart,
    /// Reads the wishlist.
    ReadWishes,
    /// Reads the orders.
    ReadOrders,
    /// Reads everything as of one moment.
    Export,
    /// Asks whose token this is.
    WhoAmI,
    /// Shows the customer's `code`th code, which was there for their `phone`th phone at `since`.
    SignIn { phone: u32, code: u32, since: u64 },
    /// Confirms another phone, the customer's `phone`th.
    ChangePhone { phone: u32 },
    /// Ends all tokens.
    Logout,
    /// Asked for by nobody: the shop's data was copied.
    Copied,
    /// Asked for by nobody: the copy was put in the place of the data.
    Returned,
}

impl Intent {
    /// True if nothing is changed by it.
    pub fn is_read(&self) -> bool {
        use Intent::{Export, ReadAddresses, ReadCart, ReadOrders, ReadWishes, WhoAmI};
        matches!(self, ReadCart | ReadWishes | ReadOrders | ReadAddresses | Export | WhoAmI)
    }

    /// True if it changes the cart and is answered with the cart as it then is.
    pub fn changes_cart(&self) -> bool {
        use Intent::{Add, Clear, Merge, Move, Remove, Set};
        matches!(self, Add { .. } | Set { .. } | Remove { .. } | Clear | Merge { .. } | Move { .. })
    }
}

/// A cart as it was told.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CartSeen {
    /// Whose it said it is.
    pub user: u64,
    /// Its version.
    pub version: u64,
    /// Line, SKU and quantity, by SKU.
    pub lines: Vec<(u64, u64, u32)>,
}

/// An order as it was told.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderSeen {
    /// Its number.
    pub id: u64,
    /// From the recipient's name: the customer and the checkout.
    pub customer: u32,
    /// See [`Intent::Checkout`].
    pub tag: u32,
    /// Whether it has been called off.
    pub is_cancelled: bool,
    /// SKU and quantity, by SKU.
    pub lines: Vec<(u64, u32)>,
}

/// An address as it was told.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AddressSeen {
    /// Its number.
    pub id: u64,
    /// From what the customer calls it; see [`Intent::AddAddress`].
    pub tag: u32,
    /// What was written into it last; 0 at first.
    pub revision: u32,
}

/// An answer, as far as it says what is and what was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The cart.
    Cart(CartSeen),
    /// The cart is as the client has it.
    NotModified,
    /// The products on the wishlist, in order of their numbers.
    Wishes(Vec<u64>),
    /// The order that was placed.
    Order(OrderSeen),
    /// The order that was called off.
    Cancelled(u64),
    /// The address that was stored or changed.
    Address(AddressSeen),
    /// All addresses.
    Addresses(Vec<AddressSeen>),
    /// The address is removed.
    Removed,
    /// How many orders there are, and the newest of them.
    Orders(u64, Vec<OrderSeen>),
    /// Cart, wishlist and orders.
    Everything(CartSeen, Vec<u64>, Vec<OrderSeen>),
    /// Whose token it is.
    Who { user: u64 },
    /// A token for this user, and for how many seconds it is good.
    SignedIn { user: u64, expires_in: u64 },
    /// All tokens have ended.
    SignedOut,
    /// The data was copied, or the copy put back.
    Happened,
    /// A rule said no, and nothing was done.
    Refused { status: u16, code: String },
}

/// One request and what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Try {
    /// Counted per customer.
    pub id: u32,
    /// Whose.
    pub customer: u32,
    /// Which of the customer's devices sent it.
    pub device: u8,
    /// Which server it was sent to.
    pub server: u8,
    /// The try whose answer brought the token that it carries.
    pub token: Option<u32>,
    /// Its `Idempotency-Key`; tries of one intent share it.
    pub key: Option<u32>,
    /// The version of the cart that `If-Match` or `If-None-Match` names.
    pub if_match: Option<u64>,
    /// What it is for.
    pub intent: Intent,
    /// When the first byte may have been sent, in microseconds since the start.
    pub sent: u64,
    /// When the whole answer was there. None: no answer, or one that leaves open what was done.
    pub answered: Option<u64>,
    /// What the answer said.
    pub told: Option<Told>,
    /// Whether the answer said that it had been done before.
    #[serde(default)]
    pub replayed: bool,
    /// For people: how it ended.
    pub end: String,
    /// What in the answer itself breaks a promise.
    #[serde(default)]
    pub flaws: Vec<String>,
}

/// A cart that came on a stream of events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Whose stream.
    pub customer: u32,
    /// Counted over all streams.
    pub stream: u32,
    /// Which server.
    pub server: u8,
    /// The try whose answer brought the stream's token.
    pub token: u32,
    /// When the stream was asked for.
    pub opened: u64,
    /// When the event was there.
    pub heard: u64,
    /// The cart.
    pub cart: CartSeen,
    /// What in it breaks a promise.
    #[serde(default)]
    pub flaws: Vec<String>,
}

/// Something done to the servers, the database or the ways between.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// When it began.
    pub at: u64,
    /// When it was over.
    pub until: u64,
    /// What.
    pub what: String,
    /// True if a process ended by it: what was only in memory is gone.
    pub is_crash: bool,
}

/// From and until when something happened, in microseconds since the start.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Span {
    /// Not before this.
    pub from: u64,
    /// Not after this.
    pub until: u64,
}

/// Older data in the place of newer: what happened in between is lost.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Return {
    /// The copy has everything that was answered before, and nothing that was asked for after.
    pub copied: Span,
    /// No answer from before knows of the return, and every answer to what was sent after does.
    pub returned: Span,
}

/// What the run was about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Meta {
    /// See [`FORMAT`].
    pub format: u32,
    /// Decides everything that the clients and the faults decide.
    pub seed: u64,
    /// `sqlite` or `postgres`.
    pub store: String,
    /// How many customers.
    pub customers: u32,
    /// Pieces of each SKU at the beginning.
    pub stock: BTreeMap<u64, u64>,
    /// SKUs that run out.
    pub scarce: Vec<u64>,
}

impl Meta {
    /// The description of a run.
    pub fn new(seed: u64, store: &str, customers: u32, stock: BTreeMap<u64, u64>) -> Self {
        Self { format: FORMAT, seed, store: store.to_owned(), customers, stock, scarce: vec![] }
    }
}

/// What was found when all was over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Final {
    /// Pieces of each SKU.
    pub stock: BTreeMap<u64, i64>,
    /// What was wrong: `evercart check`, streams that were not told, answers that never came.
    pub complaints: Vec<String>,
}

/// One line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The first.
    Meta(Meta),
    /// A request.
    Try(Try),
    /// An event of a stream.
    Event(Event),
    /// A fault.
    Fault(Fault),
    /// A return to older data.
    Return(Return),
    /// The last.
    Final(Final),
}

/// A whole run.
#[derive(Debug, Clone)]
pub struct History {
    /// What it was about.
    pub meta: Meta,
    /// Every request.
    pub tries: Vec<Try>,
    /// Every event.
    pub events: Vec<Event>,
    /// Every fault.
    pub faults: Vec<Fault>,
    /// Every return to older data, in order.
    pub returns: Vec<Return>,
    /// The end.
    pub end: Option<Final>,
}

impl History {
    /// A run in which nothing has happened yet.
    pub fn new(meta: Meta) -> Self {
        Self { meta, tries: vec![], events: vec![], faults: vec![], returns: vec![], end: None }
    }

    /// Takes a record in.
    pub fn push(&mut self, record: Record) {
        match record {
            Record::Meta(meta) => self.meta = meta,
            Record::Try(one) => self.tries.push(one),
            Record::Event(event) => self.events.push(event),
            Record::Fault(fault) => self.faults.push(fault),
            Record::Return(one) => self.returns.push(one),
            Record::Final(end) => self.end = Some(end),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or is no history.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut lines = BufReader::new(file).lines().enumerate();
        let parse = |(number, line): (usize, std::io::Result<String>)| -> Result<Record> {
            let place = || format!("{}, line {}", path.display(), number + 1);
            serde_json::from_str(&line.with_context(place)?).with_context(place)
        };
        let first = lines.next().context("the history is empty")?;
        let Record::Meta(meta) = parse(first)? else {
            anyhow::bail!("{} does not begin as a history", path.display());
        };
        ensure!(meta.format == FORMAT, "a history of format {}, not {FORMAT}", meta.format);
        let mut history = Self::new(meta);
        for line in lines {
            history.push(parse(line)?);
        }
        Ok(history)
    }

    /// Writes a file.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn write(&self, path: &Path) -> Result<()> {
        let file =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut file = BufWriter::new(file);
        let mut put = |record: Record| -> Result<()> {
            serde_json::to_writer(&mut file, &record)?;
            Ok(file.write_all(b"\n")?)
        };
        put(Record::Meta(self.meta.clone()))?;
        self.tries.iter().cloned().map(Record::Try).try_for_each(&mut put)?;
        self.events.iter().cloned().map(Record::Event).try_for_each(&mut put)?;
        self.faults.iter().cloned().map(Record::Fault).try_for_each(&mut put)?;
        self.returns.iter().cloned().map(Record::Return).try_for_each(&mut put)?;
        self.end.iter().cloned().map(Record::Final).try_for_each(&mut put)?;
        Ok(file.flush()?)
    }
}

//! The filled demo shop that every cell of the run begins with: made once, in files or in a
//! PostgreSQL database, and copied for each cell, so that no cell finds what another has written.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::database::{Copied, Database};
use crate::server::{Client, Server, TOKENS_LIVE};

/// A cart holds 100 lines, five are there, and this many more may be added by one cell.
const SKUS_MAX: usize = 90;

/// Customers whose carts are counted before anything is measured, at most.
const COUNTED_MAX: usize = 20_000;

/// Customers who are asked for at the same moment while carts are counted.
const COUNTERS: usize = 8;

/// What tells the program which database its data is in.
const DATABASE_URL: &str = "EVERCART_STORAGE__DATABASE_URL";

/// A customer of the filled shop.
pub struct Customer {
    /// Their number.
    pub user_id: u64,
    /// What lets them in.
    pub token: String,
    /// Pieces in their cart at the beginning, where they were counted.
    pub pieces: Option<u64>,
}

/// The filled shop.
pub struct Shop {
    directory: TempDir,
    /// The database server with the filled database's name, if the shop is not in files.
    database: Option<(Rc<Database>, String)>,
    /// The program it belongs to.
    pub program: PathBuf,
    /// Everyone in it.
    pub customers: Vec<Customer>,
    /// SKUs of which there are plenty.
    pub skus: Vec<u64>,
}

/// A place where a server can be started: a copy of the shop, or the shop itself.
pub struct Stand {
    program: PathBuf,
    data: PathBuf,
    database: Option<(Rc<Database>, String)>,
    _copied: Option<Copied>,
    _directory: Option<TempDir>,
}

impl Stand {
    /// Its data directory.
    pub fn path(&self) -> &Path {
        &self.data
    }

    /// The database, if the shop is in one: its server and its name.
    pub fn database(&self) -> Option<(&Database, &str)> {
        self.database.as_ref().map(|(database, name)| (&**database, name.as_str()))
    }

    /// Starts a server here.
    ///
    /// # Errors
    /// If it does not start.
    pub fn serve(&self, settings: &[(&str, &str)]) -> Result<Server> {
        let Some((database, name)) = &self.database else {
            return Server::start(&self.program, &self.data, settings);
        };
        let url = database.url(name);
        let mut all = vec![(DATABASE_URL, url.as_str())];
        all.extend_from_slice(settings);
        let mut server = Server::start(&self.program, &self.data, &all)?;
        server.database = database.process();
        Ok(server)
    }

    /// Runs one of the program's commands on the data here.
    ///
    /// # Errors
    /// If it fails.
    pub fn run(&self, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--data").arg(&self.data).env(TOKENS_LIVE.0, TOKENS_LIVE.1);
        if let Some((database, name)) = &self.database {
            command.env(DATABASE_URL, database.url(name));
        }
        let name = arguments.join(" ");
        let status = command
            .current_dir(&self.data)
            .stdout(Stdio::null())
            .status()
            .with_context(|| format!("cannot run evercart {name}"))?;
        ensure!(status.success(), "evercart {name} ended with {status}");
        Ok(())
    }
}

impl Shop {
    /// Makes a demo shop without customers, in a database if one is given.
    ///
    /// # Errors
    /// If the program cannot, or an answer is wrong.
    pub fn without_customers(program: PathBuf, database: Option<&Rc<Database>>) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("evercart-bench-")
            .tempdir()
            .context("cannot make a temporary directory")?;
        fs::create_dir(directory.path().join("filled"))?;
        let database = match database {
            Some(database) => Some((Rc::clone(database), database.create()?)),
            None => None,
        };
        let (customers, skus) = (Vec::new(), Vec::new());
        let mut shop = Self { directory, database, program, customers, skus };
        // The first start makes the demo shop.
        let server = shop.original().serve(&[])?;
        shop.skus = plentiful_skus(&mut Client::connect(server.address)?)?;
        ensure!(!shop.skus.is_empty(), "the demo shop has nothing in stock");
        server.stop()?;
        copy(&shop.directory.path().join("filled"), &shop.directory.path().join("catalogue"))?;
        Ok(shop)
    }

    /// Makes a shop with `users` customers, in a database if one is given.
    ///
    /// # Errors
    /// If the program cannot, or an answer is wrong.
    pub fn fill(program: &Path, users: usize, database: Option<&Rc<Database>>) -> Result<Self> {
        let place = if database.is_some() { "PostgreSQL" } else { "files" };
        eprintln!("filling a demo shop in {place} with {users} customers");
        let begun = Instant::now();
        let mut shop = Self::without_customers(program.to_owned(), database)?;
        let tokens = shop.directory.path().join("tokens.ndjson");
        let (count, file) = (users.to_string(), tokens.to_string_lossy());
        let fill = ["demo", "fill", "--market", "us", "--users", &count, "--tokens", &file];
        shop.original().run(&fill)?;
        shop.customers = read_tokens(&tokens)?;
        ensure!(shop.customers.len() == users, "demo fill gave {} tokens", shop.customers.len());
        if let Some((database, name)) = &shop.database {
            database.settle(name)?;
        }
        eprintln!("filled in {:.0} s", begun.elapsed().as_secs_f64());
        if users <= COUNTED_MAX {
            shop.count_pieces()?;
        }
        Ok(shop)
    }

    /// A copy of the filled shop.
    ///
    /// # Errors
    /// If the disk or the database says no.
    pub fn copy(&self) -> Result<Stand> {
        self.copy_of("filled")
    }

    /// A copy with the demo catalogue and no customers, of a shop in files.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn copy_without_customers(&self) -> Result<Stand> {
        self.copy_of("catalogue")
    }

    /// The filled shop itself: what is changed stays changed.
    pub fn original(&self) -> Stand {
        Stand {
            program: self.program.clone(),
            data: self.directory.path().join("filled"),
            database: self.database.clone(),
            _copied: None,
            _directory: None,
        }
    }

    fn copy_of(&self, name: &str) -> Result<Stand> {
        let directory = tempfile::tempdir_in(self.directory.path())?;
        copy(&self.directory.path().join(name), directory.path())?;
        let copied = match &self.database {
            Some((database, name)) => Some(Copied::of(database, name)?),
            None => None,
        };
        Ok(Stand {
            program: self.program.clone(),
            data: directory.path().to_owned(),
            database: copied.as_ref().map(Copied::place),
            _copied: copied,
            _directory: Some(directory),
        })
    }

    fn count_pieces(&mut self) -> Result<()> {
        let stand = self.original();
        let server = stand.serve(&[])?;
        let everyone: Vec<usize> = (0..self.customers.len()).collect();
        for (place, pieces) in self.pieces(server.address, &everyone)? {
            self.customers[place].pieces = Some(pieces);
        }
        server.stop()
    }

    /// How many pieces these customers have in their carts, which must add up. Customers are named
    /// by their places.
    ///
    /// # Errors
    /// If an answer is wrong.
    pub fn pieces(&self, address: SocketAddr, places: &[usize]) -> Result<Vec<(usize, u64)>> {
        let share = places.len().div_ceil(COUNTERS).max(1);
        let customers = &self.customers;
        let count = |places: &[usize]| {
            let mut client = Client::connect(address)?;
            let mut pieces = |place: &usize| {
                let cart = client.get_json("/cart", Some(&customers[*place].token))?;
                Ok((*place, pieces_of(&cart)?))
            };
            places.iter().map(&mut pieces).collect::<Result<Vec<_>>>()
        };
        let counted: Result<Vec<_>> = thread::scope(|scope| {
            let threads: Vec<_> =
                places.chunks(share).map(|part| scope.spawn(move || count(part))).collect();
            let join = |thread: thread::ScopedJoinHandle<'_, _>| {
                thread.join().expect("counting returns its errors")
            };
            threads.into_iter().map(join).collect()
        });
        Ok(counted?.concat())
    }
}

/// The pieces in a cart whose sums are right.
///
/// # Errors
/// If they are not.
pub fn pieces_of(cart: &Value) -> Result<u64> {
    let lines = cart["items"].as_array().context("a cart has items")?;
    let (mut pieces, mut total) = (0, 0);
    for line in lines {
        let quantity = line["quantity"].as_u64().context("a line has a quantity")?;
        let expected = cents(&line["price"])? * quantity;
        ensure!(cents(&line["line_total"])? == expected, "a line does not add up: {line}");
        pieces += quantity;
        total += expected;
    }
    let said = cart["total_items"].as_u64().context("a cart has total_items")?;
    ensure!(said == pieces, "total_items is {said} where the lines have {pieces}");
    ensure!(cents(&cart["total_price"])? == total, "total_price does not add up: {cart}");
    Ok(pieces)
}

/// The demo's dollars have two decimals, and a demo's cart is far below what f64 holds exactly.
fn cents(amount: &Value) -> Result<u64> {
    let amount = amount.as_f64().with_context(|| format!("{amount} is not an amount"))?;
    let cents = (amount * 100.0).round();
    ensure!((cents / 100.0 - amount).abs() < 1e-6, "{amount} has parts of a cent");
    Ok(cents as u64)
}

fn plentiful_skus(client: &mut Client) -> Result<Vec<u64>> {
    let list = client.get_json("/products?limit=100", None)?;
    let products = list["products"].as_array().context("GET /products has products")?.clone();
    let mut skus = Vec::new();
    for product in products {
        let id = product["id"].as_u64().context("a product has an id")?;
        let product = client.get_json(&format!("/products/{id}"), None)?;
        let product = product.get("product").unwrap_or(&product);
        let listed = product["skus"].as_array().context("a product has skus")?;
        let plentiful = listed.iter().filter(|sku| sku["stock_status"] == "in_stock");
        skus.extend(plentiful.filter_map(|sku| sku["id"].as_u64()));
    }
    skus.truncate(SKUS_MAX);
    Ok(skus)
}

fn read_tokens(path: &Path) -> Result<Vec<Customer>> {
    let text = fs::read_to_string(path).context("demo fill wrote no tokens")?;
    let customer = |line: &str| {
        let line: Value = serde_json::from_str(line).context("a token's line is not JSON")?;
        let token = line["access_token"].as_str().context("a line has an access_token")?;
        let user_id = line["user_id"].as_u64().context("a line has a user_id")?;
        Ok(Customer { user_id, token: token.to_owned(), pieces: None })
    };
    text.lines().map(customer).collect()
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("cannot copy {}", entry.path().display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cart_that_does_not_add_up_is_found() {
        let cart = |quantity: u64, line: f64, total: f64, items: u64| {
            let line = json!({"quantity": quantity, "price": 19.99, "line_total": line});
            json!({"items": [line], "total_items": items, "total_price": total})
        };
        assert_eq!(pieces_of(&cart(3, 59.97, 59.97, 3)).expect("it adds up"), 3);
        assert!(pieces_of(&cart(3, 59.96, 59.96, 3)).is_err());
        assert!(pieces_of(&cart(3, 59.97, 59.98, 3)).is_err());
        assert!(pieces_of(&cart(3, 59.97, 59.97, 4)).is_err());
        assert!(pieces_of(&cart(3, 59.970_01, 59.97, 3)).is_err());
    }
}

//! The filled demo shop that every cell of the run begins with: made once, copied for each cell, so
//! that no cell finds what another has written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::server::{Client, Server};

/// A cart holds 100 lines, five are there, and this many more may be added by one cell.
const SKUS_MAX: usize = 90;

/// Customers' tokens outlive any run.
const TOKENS_LIVE: (&str, &str) = ("EVERCART_AUTH__TOKEN_LIFETIME", "12h");

/// A customer of the filled shop.
pub struct Customer {
    /// What lets them in.
    pub token: String,
    /// Pieces in their cart at the beginning.
    pub pieces: u64,
}

/// The filled shop.
pub struct Shop {
    directory: TempDir,
    /// The program it belongs to.
    pub program: PathBuf,
    /// Everyone in it.
    pub customers: Vec<Customer>,
    /// SKUs of which there are plenty.
    pub skus: Vec<u64>,
}

impl Shop {
    /// Makes a shop with `users` customers.
    ///
    /// # Errors
    /// If the program cannot, or an answer is wrong.
    pub fn fill(program: PathBuf, users: usize) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("evercart-bench-")
            .tempdir()
            .context("cannot make a temporary directory")?;
        let data = directory.path().join("filled");
        fs::create_dir(&data)?;
        // The first start makes the demo shop that `demo fill` asks for.
        let server = Server::start(&program, &data, &[])?;
        let skus = plentiful_skus(&mut Client::connect(server.address)?)?;
        ensure!(!skus.is_empty(), "the demo shop has nothing in stock");
        server.stop()?;
        let empty = directory.path().join("catalogue");
        copy(&data, &empty)?;
        let tokens = directory.path().join("tokens.ndjson");
        let fill = Command::new(&program)
            .args(["demo", "fill", "--market", "us", "--users", &users.to_string(), "--tokens"])
            .arg(&tokens)
            .arg("--data")
            .arg(&data)
            .env(TOKENS_LIVE.0, TOKENS_LIVE.1)
            .current_dir(&data)
            .stdout(Stdio::null())
            .status()
            .context("cannot run evercart demo fill")?;
        ensure!(fill.success(), "evercart demo fill ended with {fill}");
        let customers = read_tokens(&tokens)?;
        ensure!(customers.len() == users, "demo fill gave {} tokens", customers.len());
        let mut shop = Self { directory, program, customers, skus };
        shop.count_pieces()?;
        Ok(shop)
    }

    /// A directory with a copy of the filled shop.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn copy(&self) -> Result<TempDir> {
        self.copy_of("filled")
    }

    /// A directory with the demo catalogue and no customers.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn copy_without_customers(&self) -> Result<TempDir> {
        self.copy_of("catalogue")
    }

    fn copy_of(&self, name: &str) -> Result<TempDir> {
        let copied = tempfile::tempdir_in(self.directory.path())?;
        copy(&self.directory.path().join(name), copied.path())?;
        Ok(copied)
    }

    fn count_pieces(&mut self) -> Result<()> {
        let data = self.copy()?;
        let server = Server::start(&self.program, data.path(), &[])?;
        let mut client = Client::connect(server.address)?;
        for customer in &mut self.customers {
            let cart = client.get_json("/cart", Some(&customer.token))?;
            customer.pieces = pieces_of(&cart)?;
        }
        server.stop()
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
        Ok(Customer { token: token.to_owned(), pieces: 0 })
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

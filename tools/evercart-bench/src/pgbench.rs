//! The reference on PostgreSQL: `pgbench`, one operation a statement and one client a connection,
//! as a hand-written service would have it. Its statements are here; what they are compared with is
//! the measures' business.

use std::fs;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::database::Database;
use crate::machine;

/// A statement of the reference.
#[derive(Clone, Copy, PartialEq)]
pub enum Statement {
    /// The server's own statement for one cart. What the catalogue says is not in it, because the
    /// server keeps that in memory.
    Read,
    /// What a client needs who keeps nothing: user, cart, lines, stock, SKUs and products.
    ReadAll,
    /// The server's function for one add, which answers with the cart.
    Add,
    /// The least that adds: the user is checked, cart and line are written, nothing is read back.
    AddLean,
}

impl Statement {
    /// For the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "pgbench, our statement",
            Self::ReadAll => "pgbench, full join",
            Self::Add => "pgbench, our function",
            Self::AddLean => "pgbench, lean CTE",
        }
    }

    fn sql(self) -> &'static str {
        match self {
            Self::Read => {
                "SELECT u.id, u.is_active, u.blocked_at IS NOT NULL, u.session_epoch, \
                 (SELECT value FROM incarnation), (SELECT version FROM catalogue_version), \
                 c.version, c.updated_at, i.id, i.sku_id, i.quantity, i.price_when_added, \
                 s.on_hand FROM users u \
                 LEFT JOIN carts c ON c.user_id = u.id \
                 LEFT JOIN cart_items i ON i.user_id = u.id \
                 LEFT JOIN stock s ON s.sku_id = i.sku_id WHERE u.id = :user"
            }
            Self::ReadAll => {
                "SELECT u.id, u.is_active, u.blocked_at IS NOT NULL, u.session_epoch, c.version, \
                 c.updated_at, i.id, i.sku_id, i.quantity, i.price_when_added, s.on_hand, \
                 k.sku_code, k.size, k.color, k.image, k.price, k.original_price, k.active, p.id, \
                 p.name FROM users u LEFT JOIN carts c ON c.user_id = u.id \
                 LEFT JOIN cart_items i ON i.user_id = u.id \
                 LEFT JOIN stock s ON s.sku_id = i.sku_id LEFT JOIN skus k ON k.id = i.sku_id \
                 LEFT JOIN products p ON p.id = k.product_id WHERE u.id = :user ORDER BY i.id"
            }
            Self::Add => {
                "SELECT outcome, detail, catalogue_version, version, updated_at, line_ids, \
                 sku_ids, quantities, prices, on_hand \
                 FROM add_to_cart(:user, 0, (SELECT value FROM incarnation), :now, :sku, 1, \
                 NULL, NULL, NULL, \
                 (SELECT on_hand FROM stock WHERE sku_id = :sku), 1000000)"
            }
            Self::AddLean => {
                "WITH door AS (SELECT id FROM users WHERE id = :user AND is_active \
                 AND blocked_at IS NULL AND session_epoch = 0 FOR SHARE), \
                 cart AS (INSERT INTO carts (user_id, version, next_line, updated_at) \
                 SELECT id, 1, 2, CAST(:now AS BIGINT) FROM door \
                 ON CONFLICT (user_id) DO UPDATE SET version = carts.version + 1, \
                 next_line = carts.next_line + 1, updated_at = excluded.updated_at \
                 RETURNING user_id, next_line - 1 AS line) \
                 INSERT INTO cart_items (user_id, sku_id, id, quantity, price_when_added, \
                 added_at) SELECT c.user_id, s.id, c.line, 1, s.price, CAST(:now AS BIGINT) \
                 FROM cart c JOIN skus s ON s.id = :sku AND s.active \
                 ON CONFLICT (user_id, sku_id) DO UPDATE \
                 SET quantity = cart_items.quantity + 1, \
                 price_when_added = excluded.price_when_added"
            }
        }
    }

    fn is_add(self) -> bool {
        matches!(self, Self::Add | Self::AddLean)
    }
}

/// Whom and what the statements are about: numbers that follow each other, since that is all that
/// `pgbench` can count.
#[derive(Clone, Copy)]
pub struct Subjects {
    /// The first customer's number.
    pub first_user: u64,
    /// How many there are.
    pub users: usize,
    /// The first SKU's number.
    pub first_sku: u64,
    /// How many there are.
    pub skus: usize,
    /// Coprime to the number of customers, so that they come in no order of rows.
    pub stride: usize,
}

impl Subjects {
    /// The script of one client. Adds go through the same pairs as the load generator's, each once:
    /// client after client takes the next.
    fn script(&self, statement: Statement, clients: usize) -> String {
        let Self { first_user, users, first_sku, skus, stride } = *self;
        let sql = statement.sql();
        if !statement.is_add() {
            let last = first_user + users as u64 - 1;
            return format!("\\set user random({first_user}, {last})\n{sql};\n");
        }
        format!(
            "\\set place :done * {clients} + :client_id\n\\set done :done + 1\n\
             \\set customer (:place % {users}) * {stride} % {users}\n\
             \\set user {first_user} + :customer\n\
             \\set sku {first_sku} + (:place / {users} + :customer) % {skus}\n{sql};\n"
        )
    }
}

/// How long.
#[derive(Clone, Copy)]
pub enum Length {
    /// So many counted seconds, after one that is not counted and what it takes to connect.
    Seconds(u64),
    /// So many statements of each client.
    Each(u32),
}

/// What a run showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// Statements in a counted second.
    pub per_second: f64,
    /// What one took on average.
    pub average: Duration,
    /// Statements in all, the uncounted ones too.
    pub statements: u64,
    /// Processor time of the database for each of them, without what it took to connect.
    pub database_each: Option<Duration>,
}

/// Runs `clients` clients on a database. What adds is compared with what is there afterwards.
///
/// # Errors
/// If `pgbench` is not installed, a statement failed, or an add is not there.
pub fn run(
    (database, name): (&Database, &str),
    statement: Statement,
    subjects: &Subjects,
    clients: usize,
    length: Length,
) -> Result<Run> {
    const PIECES: &str = "SELECT coalesce(sum(quantity), 0) FROM cart_items";
    let directory = tempfile::tempdir()?;
    let script = directory.path().join("script.sql");
    fs::write(&script, subjects.script(statement, clients))?;
    let before = database.number(name, PIECES)?;
    let mut command = database.pgbench()?;
    command.args(["-M", "prepared", "-n", "-j", "2", "-D", "done=0", "-D", "now=1800000000000"]);
    command.args(["-c", &clients.to_string()]);
    let nothing = directory.path().join("nothing.sql");
    fs::write(&nothing, "SELECT 1;\n")?;
    let mut connect = database.pgbench()?;
    connect.args(["-M", "prepared", "-n", "-j", "2", "-t", "1", "-c", &clients.to_string(), "-f"]);
    let (_, connecting) = spend(database, connect.arg(&nothing).arg(name))?;
    let uncounted_s = 1 + connecting.took.as_secs() + 1;
    match length {
        Length::Seconds(seconds) => {
            command.args(["-P", "1", "-T", &(seconds + uncounted_s).to_string()]);
        }
        Length::Each(statements) => {
            command.args(["-t", &statements.to_string()]);
        }
    }
    let (output, spent) = spend(database, command.arg("-f").arg(&script).arg(name))?;
    let (said, told) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "pgbench failed: {}", told.trim());
    let mut run = read(&said, &told, uncounted_s)?;
    let both = spent.database.zip(connecting.database);
    let spent = both.map(|(spent, connecting)| spent.saturating_sub(connecting));
    run.database_each = spent.map(|spent| spent.div_f64(run.statements.max(1) as f64));
    if statement.is_add() {
        let added = database.number(name, PIECES)? - before;
        let (name, done) = (statement.name(), run.statements);
        ensure!(added == done, "{name} added {added} pieces with {done} statements");
    }
    Ok(run)
}

/// What a command needed.
struct Spent {
    /// Processor time of the database.
    database: Option<Duration>,
    took: Duration,
}

fn spend(database: &Database, command: &mut Command) -> Result<(Output, Spent)> {
    let spent = || database.process().and_then(machine::family_time);
    let (begun, before) = (Instant::now(), spent());
    let output = command.stdin(Stdio::null()).output().context("cannot run pgbench")?;
    let database = spent().zip(before).and_then(|(after, before)| after.checked_sub(before));
    Ok((output, Spent { database, took: begun.elapsed() }))
}

/// Reads what `pgbench` says at the end, and what it told in each second that is counted.
fn read(said: &str, told: &str, uncounted_s: u64) -> Result<Run> {
    let number = |head: &str| {
        let rest = said.lines().find_map(|line| line.strip_prefix(head))?;
        rest.trim_start().split([' ', '/']).next()?.parse::<f64>().ok()
    };
    let missing = || format!("pgbench said something new: {said}");
    let failed = number("number of failed transactions:").unwrap_or(0.0);
    if failed > 0.0 {
        bail!("{failed} statements of pgbench failed");
    }
    let all = number("number of transactions actually processed:").with_context(missing)?;
    let second = |line: &str| {
        let mut words = line.strip_prefix("progress: ")?.split(' ');
        let at_s = words.next()?.parse::<f64>().ok()?;
        let per_second = words.nth(1)?.parse::<f64>().ok()?;
        // A line is about the second before it.
        (at_s > uncounted_s as f64 + 0.5).then_some(())?;
        Some((per_second, words.nth(2)?.parse::<f64>().ok()?))
    };
    let seconds: Vec<_> = told.lines().filter_map(second).collect();
    let (per_second, average_ms) = if seconds.is_empty() {
        let average = number("latency average =").with_context(missing)?;
        (number("tps =").with_context(missing)?, average)
    } else {
        let mean = |pick: fn(&(f64, f64)) -> f64| {
            seconds.iter().map(pick).sum::<f64>() / seconds.len() as f64
        };
        (mean(|second| second.0), mean(|second| second.1))
    };
    let average = Duration::from_secs_f64(average_ms / 1e3);
    Ok(Run { per_second, average, statements: all as u64, database_each: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "transaction type: script.sql\nnumber of transactions actually processed: \
        4200\nnumber of failed transactions: 0 (0.000%)\nlatency average = 0.500 ms\n\
        initial connection time = 9.1 ms\ntps = 2000.5 (without initial connection time)\n";

    #[test]
    fn the_first_seconds_are_not_counted() {
        let told = "pgbench (15.14)\n\
            progress: 1.0 s, 100.0 tps, lat 9.000 ms stddev 0.1, 0 failed\n\
            progress: 2.0 s, 2000.0 tps, lat 0.400 ms stddev 0.1, 0 failed\n\
            progress: 3.0 s, 2200.0 tps, lat 0.600 ms stddev 0.1, 0 failed\n";
        let average = Duration::from_micros(500);
        let run = Run { per_second: 2100.0, average, statements: 4200, database_each: None };
        assert_eq!(read(SAID, told, 1).expect("it is pgbench's"), run);
        assert_eq!(read(SAID, "", 1).expect("it is pgbench's").per_second, 2000.5);
    }

    #[test]
    fn a_failed_statement_is_an_error() {
        assert!(read(&SAID.replace("transactions: 0", "transactions: 3"), "", 1).is_err());
        assert!(read("something else", "", 1).is_err());
    }

    #[test]
    fn a_script_names_every_customer_and_sku() {
        let subjects = Subjects { first_user: 20, users: 10, first_sku: 6, skus: 7, stride: 3 };
        let script = subjects.script(Statement::Add, 4);
        assert!(script.starts_with("\\set place :done * 4 + :client_id\n"), "{script}");
        assert!(script.contains("\\set sku 6 + (:place / 10 + :customer) % 7\n"), "{script}");
        let script = subjects.script(Statement::ReadAll, 4);
        assert!(script.starts_with("\\set user random(20, 29)\nSELECT"), "{script}");
    }
}

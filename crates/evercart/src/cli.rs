//! What can be typed: every command with its arguments, help and an example. What a command does is
//! in `commands`, what an argument means together with file and environment in `config`.

mod customers;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

pub use customers::{Audit, End, EraseUser, ExportUser, ImportUser, OneUser, Order, User};

/// A shop backend: carts, wishlists and orders that are never lost.
#[derive(Debug, Parser)]
#[command(
    name = "evercart",
    version = crate::VERSION,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Example: evercart serve --demo\n\n\
        Settings come from evercart.toml, then EVERCART_SECTION__KEY variables, then flags.\n\
        `evercart config --default` lists them all. Exit codes: 0 done, 1 failed, 2 used wrongly."
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub everywhere: Everywhere,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Where settings and data are.
#[derive(Debug, Args)]
pub struct Everywhere {
    /// The configuration file [default: evercart.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// The data directory [default: ./evercart-data]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,
    /// Keep the shop in this PostgreSQL database instead of in files, such as
    /// postgres://shop@db.example/shop. Others on this machine see a flag: a URL with a password is
    /// better set as EVERCART_STORAGE__DATABASE_URL
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub database_url: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the shop
    ///
    /// Serves every configured market over HTTP. Prints `evercart listening on http://ADDR` on
    /// standard output once it can answer. SIGTERM or SIGINT: finishes what runs, then exits with
    /// 0; a second signal exits at once. SIGHUP reads certificate and keys again.
    #[command(after_help = "Example: evercart serve --listen 127.0.0.1:8080 --demo")]
    Serve(Serve),
    /// Bring products in and out
    #[command(subcommand, after_help = "Example: evercart catalog import products.csv --market us")]
    Catalog(Catalog),
    /// Fill a demo shop
    #[command(subcommand, after_help = "Example: evercart demo fill --users 1000 --market us")]
    Demo(Demo),
    /// Look customers up, block them, sign them out
    #[command(subcommand, after_help = "Example: evercart user show +13128059851 --market us")]
    User(User),
    /// Say that an order has ended
    #[command(subcommand, after_help = "Example: evercart order end 1001 --as delivered")]
    Order(Order),
    /// The keys that sign access tokens
    #[command(subcommand, after_help = "Example: evercart keys rotate")]
    Keys(Keys),
    /// Copy all data into one file, also while serving
    ///
    /// Each market's database is copied as of one moment, the copy is checked as `check` does, and
    /// the copies are packed into one tar file with a list of their SHA-256 sums: a SQLite
    /// database as it is, one in PostgreSQL as its rows. Interrupted, it leaves nothing behind.
    /// The keys are not in it: whoever has a backup must not be able to sign customers in. Without
    /// them customers sign in again; no more is lost. Servers can do it by themselves: see
    /// `[backup]` in the configuration.
    #[command(after_help = "Example: evercart backup /backups/shop-2026-11-23.tar")]
    Backup(Backup),
    /// Put a backup's data in place; the server must not run
    ///
    /// Verifies every sum and checks every database before anything is replaced. With --force, data
    /// that is already there is moved aside, into a directory or schema whose name is printed. A
    /// backup of either database can be restored into the other.
    #[command(after_help = "Example: evercart restore /backups/shop-2026-11-23.tar")]
    Restore(Restore),
    /// Say that the data was put back to an earlier moment, such as with a whole machine
    ///
    /// `restore` does so by itself, and most other ways back are noticed at the start. Where data,
    /// keys and mark were put back together, nothing is left to compare: this ends every token that
    /// was issued before, voids codes, and passes numbers over that may have been given out since.
    /// It also lets a shop go on in files that it had been moved away from.
    #[command(after_help = "Example: evercart rewound --market us")]
    Rewound(Rewound),
    /// Verify every promise the data makes
    ///
    /// Looks at each promise of the schema and prints `ok`, or what is wrong and where. Works while
    /// the server runs. Exits with 1 if anything is wrong.
    #[command(after_help = "Example: evercart check --json")]
    Check(Check),
    /// Move a shop from SQLite files into PostgreSQL; the server must not run
    ///
    /// Copies every market of the data directory into a schema of its own, each in one transaction
    /// in which every row is read back, compared with the source and checked before it is kept.
    /// Interrupted at any moment, nothing is in the database. The files stay as they are.
    #[command(after_help = "Example: evercart transfer --to postgres://shop@db.example/shop")]
    Transfer(Transfer),
    /// Bring the databases to this version's schema
    ///
    /// `serve` does the same at its start; this is for doing it beforehand. Forward only, each step
    /// in one transaction: take a backup first, an older evercart refuses a newer schema.
    #[command(after_help = "Example: evercart migrate")]
    Migrate(Migrate),
    /// Print the effective configuration, secrets masked
    #[command(after_help = "Example: evercart config --default > evercart.toml")]
    Config(Config),
    /// Print a completion script for a shell
    #[command(after_help = "Example: evercart completions bash > \
            ~/.local/share/bash-completion/completions/evercart")]
    Completions(Completions),
}

/// `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Serve a demo: sample products, codes in the answers, loopback only
    ///
    /// Loads the sample catalogue into an empty data directory. The directory is a demo from then
    /// on: `serve` without --demo refuses it.
    #[arg(long)]
    pub demo: bool,
    /// Make this market's database anew, though something says that there was one
    ///
    /// For a market that is added to a shop, and for a shop that is meant to begin anew.
    #[arg(long, value_name = "MARKET", value_parser = NonEmptyStringValueParser::new())]
    pub create: Vec<String>,
}

/// Which market a command is about.
#[derive(Debug, Args)]
pub struct InMarket {
    /// The market, such as us [default: the configured default, or the only one]
    #[arg(long, value_name = "MARKET", value_parser = NonEmptyStringValueParser::new())]
    pub market: Option<String>,
}

/// `catalog …`.
#[derive(Debug, Subcommand)]
pub enum Catalog {
    /// Read products from a CSV, NDJSON or Shopify file; all of it or nothing
    ///
    /// One row a SKU with sku_id or sku_code and the columns that change, of product_id, handle,
    /// name, brand, category, description, image, size, color, price, original_price, stock and
    /// active. What is not in the file stays as it is. A stock of +5 or -2 is a change; with
    /// stock_seen, which an export has, a stock that moved since is not set. A Shopify product
    /// export is recognised by its header and imported as it is; a second import changes the same
    /// products. Works while the server runs.
    #[command(after_help = "Example: evercart catalog import products.csv --market us")]
    Import(CatalogImport),
    /// Write the products as a file that `import` takes
    #[command(after_help = "Example: evercart catalog export --market us --out products.csv")]
    Export(CatalogExport),
}

/// `catalog import`.
#[derive(Debug, Args)]
pub struct CatalogImport {
    /// The file; `-` reads standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Which market.
    #[command(flatten)]
    pub market: InMarket,
    /// Only say what is wrong with the file
    #[arg(long)]
    pub dry_run: bool,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
}

/// `catalog export`.
#[derive(Debug, Args)]
pub struct CatalogExport {
    /// Which market.
    #[command(flatten)]
    pub market: InMarket,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// The file's format [default: by the name of --out, else csv]
    #[arg(long, value_enum)]
    pub format: Option<RowFormat>,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// Comma-separated values, RFC 4180.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// `demo …`.
#[derive(Debug, Subcommand)]
pub enum Demo {
    /// Add made-up customers with carts, wishlists and orders, for load tests
    ///
    /// Each gets a cart of five lines and a wishlist, every tenth an order. Only into a demo shop.
    /// The same --seed makes the same customers.
    #[command(after_help = "Example: evercart demo fill --users 10000 --tokens tokens.ndjson")]
    Fill(DemoFill),
}

/// `demo fill`.
#[derive(Debug, Args)]
pub struct DemoFill {
    /// How many customers
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub users: u64,
    /// Which market.
    #[command(flatten)]
    pub market: InMarket,
    /// Write {"user_id", "access_token"} a line to this file, readable by its owner only
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub tokens: Option<PathBuf>,
    /// Where the made-up data starts from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
}

/// `keys …`.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// List the keys, without their secrets
    #[command(after_help = "Example: evercart keys list --json")]
    List(KeysList),
    /// Make a new signing key; nobody is signed out
    ///
    /// Earlier keys go on verifying the tokens they signed. At a later rotation, those that were
    /// replaced more than 24 hours before are dropped. A running server picks the change up.
    #[command(after_help = "Example: evercart keys rotate")]
    Rotate(KeysRotate),
}

/// `keys rotate`.
#[derive(Debug, Args)]
pub struct KeysRotate {
    /// How long the new key only verifies, such as 10m: time to bring the file to every server
    /// [default: 5s if a market is in PostgreSQL, else none]
    #[arg(long, value_name = "DURATION")]
    pub sign_after: Option<String>,
}

/// `keys list`.
#[derive(Debug, Args)]
pub struct KeysList {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `backup`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Backup {
    /// What else to do with a backup.
    #[command(subcommand)]
    pub action: Option<BackupAction>,
    /// The file to write
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// The same as FILE; `-` is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "file")]
    pub to: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
    /// Copy the data as it is and do not look at the copy, such as before damaged data is mended
    #[arg(long)]
    pub unchecked: bool,
}

/// `backup …`.
#[derive(Debug, Subcommand)]
pub enum BackupAction {
    /// Say whether a backup is whole and can be restored
    ///
    /// Verifies every sum, that nothing in the databases runs code, and every promise, as a restore
    /// does. Changes nothing; needs room for the unpacked data, beside the file or in TMPDIR.
    #[command(after_help = "Example: evercart backup verify /backups/shop-2026-11-23.tar")]
    Verify(BackupVerify),
}

/// `backup verify`.
#[derive(Debug, Args)]
pub struct BackupVerify {
    /// The file that `backup` wrote
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// The file that `backup` wrote
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Restore although there is data; what is there is moved aside
    #[arg(long)]
    pub force: bool,
}

/// `rewound`.
#[derive(Debug, Args)]
pub struct Rewound {
    /// Which market.
    #[command(flatten)]
    pub market: InMarket,
    /// How many customers' and orders' numbers to pass over: more than were given out in the time
    /// that is lost
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub skip: u32,
}

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `transfer`.
#[derive(Debug, Args)]
pub struct Transfer {
    /// The PostgreSQL database, which must have no data of the shop yet
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub to: String,
    /// Only this market, such as us [default: every one in the data directory]
    #[arg(long, value_name = "MARKET", value_parser = NonEmptyStringValueParser::new())]
    pub market: Option<String>,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
}

/// `migrate`.
#[derive(Debug, Args)]
pub struct Migrate {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `config`.
#[derive(Debug, Args)]
pub struct Config {
    /// Print every key with its default and meaning instead
    #[arg(long)]
    pub default: bool,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example_and_says_what_it_is_for() {
        fn visit(command: &clap::Command, path: &str) {
            for sub in command.get_subcommands() {
                let path = format!("{path} {}", sub.get_name());
                assert!(sub.get_about().is_some(), "{path} has no about");
                let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains(&format!("Example: {path}")), "{path} has no example");
                for argument in sub.get_arguments().filter(|a| !a.is_global_set()) {
                    assert!(argument.get_help().is_some(), "{path} {}", argument.get_id());
                }
                visit(sub, &path);
            }
        }
        visit(&Cli::command(), "evercart");
    }

    #[test]
    fn every_example_can_be_typed() {
        fn visit(command: &clap::Command) {
            for sub in command.get_subcommands() {
                let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
                let example = help.lines().find_map(|line| line.strip_prefix("Example: "));
                let words = example.unwrap_or_default().split(" > ").next().unwrap_or_default();
                if let Err(error) = Cli::try_parse_from(words.split(' ')) {
                    panic!("{words}: {error}");
                }
                visit(sub);
            }
        }
        visit(&Cli::command());
    }
}

//! `evercart user` and `evercart order`: what is done for, or about, one customer.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::InMarket;

/// `user …`.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Show what the shop knows of a customer; leaves a line in the audit log
    #[command(after_help = "Example: evercart user show +13128059851 --market us")]
    Show(OneUser),
    /// Block a customer: no request of theirs is let in and signing in is refused
    #[command(after_help = "Example: evercart user block +13128059851 --market us")]
    Block(OneUser),
    /// Lift a block; the customer signs in again as usual
    #[command(after_help = "Example: evercart user unblock +13128059851 --market us")]
    Unblock(OneUser),
    /// Sign a customer out on every device, such as after a lost phone
    #[command(after_help = "Example: evercart user sign-out +13128059851 --market us")]
    SignOut(OneUser),
    /// Give an account back to the phone it had before the last change
    ///
    /// Possible while the change is on hold or stopped. Signs everybody out; the phone the account
    /// was moved to is free. Takes either phone; while nobody has stopped the change, the former.
    #[command(after_help = "Example: evercart user move-back +13128059851 --market us")]
    MoveBack(OneUser),
    /// Let a change of phone stand that is on hold or stopped
    ///
    /// Ends the hold and the freeze: the customer signs in with the new phone. Takes either phone.
    #[command(after_help = "Example: evercart user confirm-move +13128059852 --market us")]
    ConfirmMove(OneUser),
    /// Erase a customer, as they can themselves: for a letter, a lost phone, a blocked customer
    ///
    /// Takes whatever is personal; orders stay for the books. Cannot be undone, and no return to
    /// older data undoes it. Refused while orders are still to be delivered, unless told otherwise.
    #[command(after_help = "Example: evercart user erase +13128059851 --market us \
            --reason case-17")]
    Erase(EraseUser),
    /// Write all that is held of a customer into a file that `user import` takes
    ///
    /// Row by row, as a backup has it, and nobody else's. The customer's own copy, for people and
    /// their programs, is `GET /auth/export`.
    #[command(after_help = "Example: evercart user export +13128059851 --market us \
            --out customer.ndjson --reason case-17")]
    Export(ExportUser),
    /// Add a customer from a file that `user export` wrote
    ///
    /// With their numbers, which must be free, and into a shop that has their SKUs. Customers who
    /// were erased are not brought back.
    #[command(after_help = "Example: evercart user import customer.ndjson --market us")]
    Import(ImportUser),
}

/// `user export`.
#[derive(Debug, Args)]
pub struct ExportUser {
    /// Whom.
    #[command(flatten)]
    pub one: OneUser,
    /// Write to this file, which must not be there yet and is readable by its owner only
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: PathBuf,
}

/// `user import`.
#[derive(Debug, Args)]
pub struct ImportUser {
    /// What `user export` wrote
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Which market.
    #[command(flatten)]
    pub market: InMarket,
    /// Why and by whom.
    #[command(flatten)]
    pub audit: Audit,
}

/// `order …`.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Say that an order was delivered, or cancel one that is not shipped
    ///
    /// Cancelling puts the pieces back into stock. Of a customer who was erased, name, phone and
    /// address go with the end of the order.
    #[command(after_help = "Example: evercart order end 1001 --as delivered --market us")]
    End(OrderEnd),
}

/// `order end`.
#[derive(Debug, Args)]
pub struct OrderEnd {
    /// The order's number, such as 1001
    pub number: i64,
    /// How it ended
    #[arg(long = "as", value_name = "END", value_enum)]
    pub end: End,
    /// Which market.
    #[command(flatten)]
    pub market: InMarket,
    /// Why and by whom.
    #[command(flatten)]
    pub audit: Audit,
}

/// How an order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum End {
    /// It arrived.
    Delivered,
    /// It is called off.
    Cancelled,
}

/// What the audit log is told.
#[derive(Debug, Args)]
pub struct Audit {
    /// Why, such as a case number: written into the audit log, and kept there
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
    /// Who, for the audit log [default: the user who runs this]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub by: Option<String>,
}

/// `user erase`.
#[derive(Debug, Args)]
pub struct EraseUser {
    /// Whom.
    #[command(flatten)]
    pub one: OneUser,
    /// Also if orders are still to be delivered: these keep what the delivery needs until they end
    #[arg(long)]
    pub even_open_orders: bool,
}

/// A customer.
#[derive(Debug, Args)]
pub struct OneUser {
    /// The customer's phone, such as +13128059851
    pub phone: String,
    /// Which market.
    #[command(flatten)]
    pub market: InMarket,
    /// Why and by whom.
    #[command(flatten)]
    pub audit: Audit,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

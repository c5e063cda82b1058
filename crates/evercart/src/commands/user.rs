//! `evercart user …`: what an operator does for, or about, one customer.

mod copy;
mod phone_change;
mod show;

use evercart_core::account::OpenOrders;
use evercart_core::code::Hasher;
use evercart_core::error::{Refused, Result as StoreResult, StoreError};
use evercart_core::market::{Market, MarketName};
use evercart_core::operator::{By, FormerCustomer, UserFile};
use evercart_core::phone::Phone;

use crate::cli::{Audit, EraseUser, OneUser, User};
use crate::config::Settings;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::stores;
use crate::stores::Opened;

/// A customer as an operator found them.
struct Found {
    file: UserFile,
    /// Set if they were found by a phone they have left.
    left: Option<Left>,
    /// Customers who had the phone before, the latest first.
    earlier: Vec<FormerCustomer>,
}

/// The phone by which a former customer of it was found.
struct Left {
    phone: Phone,
    at: jiff::Timestamp,
}

/// Does it and shows the customer as they are then.
///
/// # Errors
/// No such customer, nothing to decide, or the store failed.
pub async fn run(settings: &Settings, action: &User) -> anyhow::Result<()> {
    let one = match action {
        User::Export(arguments) => return copy::export(settings, arguments).await,
        User::Import(arguments) => return copy::import(settings, arguments).await,
        User::Erase(EraseUser { one, .. }) => {
            refuse_without_reason(&one.audit, "the customer is erased")?;
            one
        }
        User::Show(one)
        | User::Block(one)
        | User::Unblock(one)
        | User::SignOut(one)
        | User::MoveBack(one)
        | User::ConfirmMove(one) => one,
    };
    let by = by(&one.audit);
    let market = stores::market(settings, one.market.market.as_deref())?;
    let phone = phone(one, market)?;
    // Former phones are kept as hashes only. Without the key nobody is found by one.
    let hasher = Keys::load(&settings.storage.keys)?.map(|keys| keys.hasher());
    let found = stores::with(&settings.storage, &market.name, async |store| {
        let found = act(store, action, &phone, hasher.as_ref(), &by).await?;
        found.ok_or_else(|| {
            let failure = no_customer(&phone, &market.name);
            match hasher {
                Some(_) => failure.into(),
                None => failure
                    .hint("customers are not found by former phones without keys.json")
                    .into(),
            }
        })
    });
    show::show(market.name.as_str(), action, one, &found.await?)
}

async fn act(
    store: &dyn Opened,
    action: &User,
    phone: &Phone,
    hasher: Option<&Hasher>,
    by: &By,
) -> anyhow::Result<Option<Found>> {
    let acted = match action {
        User::Show(_) => return look_up(store, phone, hasher, by).await.map_err(stores::failed),
        User::MoveBack(_) => return phone_change::move_back(store, phone, hasher, by).await,
        User::ConfirmMove(_) => return phone_change::confirm(store, phone, hasher, by).await,
        User::Export(_) | User::Import(_) => return Ok(None),
        User::Erase(erase) => return self::erase(store, erase, phone, hasher, by).await,
        User::Block(_) => known(store.block_user(phone.clone(), by.clone()).await),
        User::Unblock(_) => known(store.unblock_user(phone.clone(), by.clone()).await),
        User::SignOut(_) => known(store.sign_user_out(phone.clone(), by.clone()).await),
    };
    match acted.map_err(stores::failed)? {
        None => Ok(None),
        Some(_) => find(store, phone, None).await.map_err(stores::failed),
    }
}

/// Finds a customer for somebody to see, which leaves a line in the audit log of each who is shown.
async fn look_up(
    store: &dyn Opened,
    phone: &Phone,
    hasher: Option<&Hasher>,
    by: &By,
) -> StoreResult<Option<Found>> {
    let found = find(store, phone, hasher).await?;
    for file in found.iter().flat_map(|found| {
        [&found.file].into_iter().chain(found.earlier.iter().map(|one| &one.file))
    }) {
        store.note_look(file.user.id, by.clone()).await?;
    }
    Ok(found)
}

/// Erases a customer; what is returned is how they were.
async fn erase(
    store: &dyn Opened,
    erase: &EraseUser,
    phone: &Phone,
    hasher: Option<&Hasher>,
    by: &By,
) -> anyhow::Result<Option<Found>> {
    let Some(file) = known(store.find_user(phone.clone()).await).map_err(stores::failed)? else {
        return Ok(None);
    };
    let open_orders = match erase.even_open_orders {
        true => OpenOrders::Keep,
        false => OpenOrders::Refuse,
    };
    let hash = hasher.map(|hasher| hasher.phone(phone));
    match store.erase_user(phone.clone(), hash, open_orders, by.clone()).await {
        Ok(_) => Ok(Some(Found { file, left: None, earlier: Vec::new() })),
        Err(StoreError::Refused(Refused::NotFound { .. })) => Ok(None),
        Err(StoreError::Refused(Refused::OpenOrders { orders })) => {
            let orders = orders.iter().map(|order| format!("#{order}")).collect::<Vec<_>>();
            Err(Failure::new(format!("orders are still to be delivered: {}", orders.join(", ")))
                .hint(
                    "wait until they have ended, or add --even-open-orders: they keep what their \
                     delivery needs until then",
                )
                .into())
        }
        Err(StoreError::Refused(Refused::PhoneOnHold { .. })) => {
            Err(Failure::new("the phone was changed, and whose the account is may be in doubt")
                .hint("decide first, with user move-back or user confirm-move")
                .into())
        }
        Err(error) => Err(stores::failed(error)),
    }
}

/// The customer's phone, as it was typed.
fn phone(one: &OneUser, market: &Market) -> Result<Phone, Failure> {
    Phone::parse(&one.phone, Some(&market.region))
        .map_err(|rule| Failure::used_wrongly(format!("{:?} {rule}", one.phone)))
}

fn no_customer(phone: &Phone, market: &MarketName) -> Failure {
    let phone = phone.as_str();
    Failure::new(format!("there is no customer with the phone {phone} in market {market}"))
}

/// What cannot be undone, or leaves the shop, needs a reason.
fn refuse_without_reason(audit: &Audit, what: &str) -> Result<(), Failure> {
    match audit.reason {
        Some(_) => Ok(()),
        None => Err(Failure::used_wrongly(format!("why {what} is not said"))
            .hint("add --reason, such as a case number: it stays in the audit log")),
    }
}

/// Who does it, and why: unless it is said, the user who runs this, as the system's tools tell it.
pub fn by(audit: &Audit) -> By {
    let who_runs_this = || {
        #[expect(clippy::disallowed_methods, reason = "who runs a command is no configuration")]
        let name =
            ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        name.unwrap_or_else(|| "unknown".to_owned())
    };
    let who = audit.by.clone().unwrap_or_else(who_runs_this);
    By { who, reason: audit.reason.clone() }
}

/// The customer with this phone, or else the latest who had it.
async fn find(
    store: &dyn Opened,
    phone: &Phone,
    hasher: Option<&Hasher>,
) -> StoreResult<Option<Found>> {
    let mut earlier = match hasher {
        Some(hasher) => store.former_customers(hasher.phone(phone)).await?,
        None => Vec::new(),
    };
    if let Some(file) = known(store.find_user(phone.clone()).await)? {
        earlier.retain(|one| one.file.user.id != file.user.id);
        return Ok(Some(Found { file, left: None, earlier }));
    }
    if earlier.is_empty() {
        return Ok(None);
    }
    let FormerCustomer { file, left_at } = earlier.remove(0);
    let left = Some(Left { phone: phone.clone(), at: left_at });
    Ok(Some(Found { file, left, earlier }))
}

/// What was found, `None` if there is none.
fn known<T>(result: StoreResult<T>) -> StoreResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::Refused(Refused::NotFound { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

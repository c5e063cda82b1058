//! `evercart user …`: what an operator does for, or about, one customer.

mod phone_change;
mod show;

use evercart_core::code::Hasher;
use evercart_core::error::{Refused, Result as StoreResult, StoreError};
use evercart_core::operator::{FormerCustomer, UserFile};
use evercart_core::phone::Phone;

use crate::cli::User;
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
    let (User::Show(one)
    | User::Block(one)
    | User::Unblock(one)
    | User::SignOut(one)
    | User::MoveBack(one)
    | User::ConfirmMove(one)) = action;
    let market = stores::market(settings, one.market.market.as_deref())?;
    let phone = Phone::parse(&one.phone, Some(&market.region))
        .map_err(|rule| Failure::used_wrongly(format!("{:?} {rule}", one.phone)))?;
    // Former phones are kept as hashes only. Without the key nobody is found by one.
    let hasher = Keys::load(&settings.storage.data)?.map(|keys| keys.hasher());
    let found = stores::with(&settings.storage, &market.name, async |store| {
        let found = act(store, action, &phone, hasher.as_ref()).await?;
        found.ok_or_else(|| {
            let failure = Failure::new(format!(
                "there is no customer with the phone {} in market {}",
                phone.as_str(),
                market.name
            ));
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
) -> anyhow::Result<Option<Found>> {
    let acted = match action {
        User::Show(_) => return find(store, phone, hasher).await.map_err(stores::failed),
        User::MoveBack(_) => return phone_change::move_back(store, phone, hasher).await,
        User::ConfirmMove(_) => return phone_change::confirm(store, phone, hasher).await,
        User::Block(_) => known(store.block_user(phone.clone()).await),
        User::Unblock(_) => known(store.unblock_user(phone.clone()).await),
        User::SignOut(_) => known(store.sign_user_out(phone.clone()).await),
    };
    match acted.map_err(stores::failed)? {
        None => Ok(None),
        Some(_) => find(store, phone, None).await.map_err(stores::failed),
    }
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

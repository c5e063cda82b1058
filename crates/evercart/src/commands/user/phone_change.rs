//! What an operator decides after a change of phone: whose the account is.

use evercart_core::code::Hasher;
use evercart_core::error::{Refused, StoreError};
use evercart_core::operator::{By, MoveBack};
use evercart_core::phone::Phone;

use crate::failure::Failure;
use crate::stores::{self, Opened};

use super::{Found, find};

/// Gives the account back to the phone it had before.
pub(super) async fn move_back(
    store: &dyn Opened,
    phone: &Phone,
    hasher: Option<&Hasher>,
    by: &By,
) -> anyhow::Result<Option<Found>> {
    let Some(found) = to_decide(store, phone, hasher).await? else { return Ok(None) };
    let Some(hasher) = hasher else {
        return Err(Failure::new("an account is not moved back without keys.json")
            .hint("copy the servers' keys.json into the data directory")
            .into());
    };
    let from = found.file.user.phone.clone();
    let frozen = found.file.phone_change.frozen.as_ref().map(|frozen| &frozen.former_phone);
    let to = match (frozen, &found.left) {
        (Some(phone), _) => phone.clone(),
        (None, Some(left)) => left.phone.clone(),
        (None, None) => {
            return Err(Failure::new(format!(
                "nobody has stopped the change to {}, and the shop keeps only a hash of the phone \
                 before",
                from.as_str()
            ))
            .hint("name the phone that the account is to go back to")
            .into());
        }
    };
    let hashed = |phone: &Phone| (phone.clone(), hasher.phone(phone));
    let decision = MoveBack { user_id: found.file.user.id, from: hashed(&from), to: hashed(&to) };
    store.move_phone_back(decision, by.clone()).await.map_err(|error| not_decided(error, phone))?;
    find(store, &to, None).await.map_err(stores::failed)
}

/// Lets the change stand.
pub(super) async fn confirm(
    store: &dyn Opened,
    phone: &Phone,
    hasher: Option<&Hasher>,
    by: &By,
) -> anyhow::Result<Option<Found>> {
    let Some(found) = to_decide(store, phone, hasher).await? else { return Ok(None) };
    let user = found.file.user;
    let confirmed = store.confirm_phone_change(user.id, user.phone.clone(), by.clone()).await;
    confirmed.map_err(|error| not_decided(error, phone))?;
    let confirmed = find(store, &user.phone, None).await.map_err(stores::failed)?;
    // Asked by the former phone, the present one stays masked.
    Ok(confirmed.map(|confirmed| Found { left: found.left, ..confirmed }))
}

/// The customer whose change of phone is on hold or stopped. While it is, nobody else has the
/// former phone, so there is one at most.
async fn to_decide(
    store: &dyn Opened,
    phone: &Phone,
    hasher: Option<&Hasher>,
) -> anyhow::Result<Option<Found>> {
    let found = find(store, phone, hasher).await.map_err(stores::failed)?;
    match found {
        Some(found) if !found.file.phone_change.is_open() => Err(nothing_to_decide(phone).into()),
        found => Ok(found),
    }
}

fn not_decided(error: StoreError, phone: &Phone) -> anyhow::Error {
    match error {
        StoreError::Refused(Refused::NotFound { .. }) => nothing_to_decide(phone).into(),
        StoreError::Refused(Refused::PhoneTaken) => {
            Failure::new("the former phone is another customer's by now").into()
        }
        error => stores::failed(error),
    }
}

fn nothing_to_decide(phone: &Phone) -> Failure {
    Failure::new(format!(
        "there is nothing to decide: no change of phone from or to {} is on hold or stopped",
        phone.as_str()
    ))
    .hint("a change stands once its hold is over; evercart user show tells when that is")
}

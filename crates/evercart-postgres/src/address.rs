//! Addresses' SQL. That there is at most one default is the schema's; that there is one at all is
//! kept by handing the role on.

use evercart_core::address::{ADDRESSES_MAX, Address, AddressChange, AddressFields};
use evercart_core::error::Refused;
use evercart_core::ids::{AddressId, UserId};
use futures_util::future::try_join;
use tokio_postgres::Row;

use crate::db::{Db, Result};

pub(crate) async fn list(db: &Db<'_>, user: UserId) -> Result<Vec<Address>> {
    const LIST: &str = "SELECT id, is_default, title, full_address, street, building, apartment, \
         city, \
         postal_code, country FROM addresses WHERE user_id = $1 ORDER BY is_default DESC, id";
    Ok(db.query(LIST, &[&user.0]).await?.iter().map(address).collect())
}

pub(crate) async fn get(db: &Db<'_>, user: UserId, id: AddressId) -> Result<Address> {
    const GET: &str = "SELECT id, is_default, title, full_address, street, building, apartment, \
         city, \
         postal_code, country FROM addresses WHERE user_id = $1 AND id = $2";
    let row = db.query_opt(GET, &[&user.0, &id.0]).await?;
    Ok(address(&row.ok_or(Refused::NotFound { what: "address" })?))
}

fn address(row: &Row) -> Address {
    Address {
        id: AddressId(row.get(0)),
        is_default: row.get(1),
        fields: AddressFields {
            title: row.get(2),
            full_address: row.get(3),
            street: row.get(4),
            building: row.get(5),
            apartment: row.get(6),
            city: row.get(7),
            postal_code: row.get(8),
            country: row.get(9),
        },
    }
}

pub(crate) async fn add(
    db: &Db<'_>,
    user: UserId,
    fields: &AddressFields,
    is_default: bool,
) -> Result<AddressId> {
    const COUNT: &str = "SELECT count(*) FROM addresses WHERE user_id = $1";
    const TAKE_ID: &str = "UPDATE users SET next_address = next_address + 1 WHERE id = $1 \
         RETURNING next_address - 1";
    const INSERT: &str = "INSERT INTO addresses (user_id, id, is_default, title, full_address, \
         street, \
         building, apartment, city, postal_code, country) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    // A refusal undoes the taking of the id.
    let (count, id) =
        try_join(db.query_one(COUNT, &[&user.0]), db.query_one(TAKE_ID, &[&user.0])).await?;
    let (count, id): (i64, i64) = (count.get(0), id.get(0));
    if count >= i64::from(ADDRESSES_MAX) {
        return Err(Refused::QuantityLimit { what: "addresses", limit: ADDRESSES_MAX }.into());
    }
    let is_default = is_default || count == 0;
    if is_default {
        clear_default(db, user).await?;
    }
    db.change_one(
        INSERT,
        &[
            &user.0,
            &id,
            &is_default,
            &fields.title,
            &fields.full_address,
            &fields.street,
            &fields.building,
            &fields.apartment,
            &fields.city,
            &fields.postal_code,
            &fields.country,
        ],
    )
    .await?;
    Ok(AddressId(id))
}

pub(crate) async fn change(
    db: &Db<'_>,
    user: UserId,
    id: AddressId,
    change: &AddressChange,
) -> Result<()> {
    const CHANGE: &str = "UPDATE addresses SET title = $3, full_address = $4, street = $5, \
         building = $6, \
         apartment = $7, city = $8, postal_code = $9, country = $10 WHERE user_id = $1 AND id = $2";
    let address = get(db, user, id).await?;
    let fields = change.apply(address.fields);
    db.change_one(
        CHANGE,
        &[
            &user.0,
            &id.0,
            &fields.title,
            &fields.full_address,
            &fields.street,
            &fields.building,
            &fields.apartment,
            &fields.city,
            &fields.postal_code,
            &fields.country,
        ],
    )
    .await?;
    match change.is_default {
        Some(true) => {
            clear_default(db, user).await?;
            make_default(db, user, id).await
        }
        Some(false) if address.is_default => hand_on_default(db, user, id).await,
        _ => Ok(()),
    }
}

pub(crate) async fn remove(db: &Db<'_>, user: UserId, id: AddressId) -> Result<()> {
    const REMOVE: &str = "DELETE FROM addresses WHERE user_id = $1 AND id = $2";
    let address = get(db, user, id).await?;
    if address.is_default {
        hand_on_default(db, user, id).await?;
    }
    db.change_one(REMOVE, &[&user.0, &id.0]).await
}

/// Makes the oldest other address the default; the only one keeps the role.
async fn hand_on_default(db: &Db<'_>, user: UserId, id: AddressId) -> Result<()> {
    const HEIR: &str = "SELECT min(id) FROM addresses WHERE user_id = $1 AND id <> $2";
    let heir: Option<i64> = db.query_one(HEIR, &[&user.0, &id.0]).await?.get(0);
    match heir {
        None => Ok(()),
        Some(heir) => {
            clear_default(db, user).await?;
            make_default(db, user, AddressId(heir)).await
        }
    }
}

async fn clear_default(db: &Db<'_>, user: UserId) -> Result<()> {
    const CLEAR: &str = "UPDATE addresses SET is_default = false WHERE user_id = $1 AND is_default";
    db.execute(CLEAR, &[&user.0]).await?;
    Ok(())
}

async fn make_default(db: &Db<'_>, user: UserId, id: AddressId) -> Result<()> {
    const MAKE: &str = "UPDATE addresses SET is_default = true WHERE user_id = $1 AND id = $2";
    db.change_one(MAKE, &[&user.0, &id.0]).await
}

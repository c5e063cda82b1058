//! Addresses' SQL. That there is at most one default is the schema's; that there is one at all is
//! kept by handing the role on.

use evercart_core::address::{ADDRESSES_MAX, Address, AddressChange, AddressFields};
use evercart_core::error::Refused;
use evercart_core::ids::{AddressId, UserId};
use rusqlite::{OptionalExtension, Row};

use crate::db::{Db, Result};

pub(crate) fn list(db: &Db, user: UserId) -> Result<Vec<Address>> {
    const LIST: &str = "SELECT id, is_default, title, full_address, street, building, apartment, \
         city, \
         postal_code, country FROM addresses WHERE user_id = ?1 ORDER BY is_default DESC, id";
    let mut statement = db.sql(LIST)?;
    let addresses = statement.query_map([user.0], address_row)?;
    Ok(addresses.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn get(db: &Db, user: UserId, id: AddressId) -> Result<Address> {
    const GET: &str = "SELECT id, is_default, title, full_address, street, building, apartment, \
         city, \
         postal_code, country FROM addresses WHERE user_id = ?1 AND id = ?2";
    let address = db.sql(GET)?.query_row((user.0, id.0), address_row).optional()?;
    Ok(address.ok_or(Refused::NotFound { what: "address" })?)
}

fn address_row(row: &Row<'_>) -> rusqlite::Result<Address> {
    Ok(Address {
        id: AddressId(row.get(0)?),
        is_default: row.get(1)?,
        fields: AddressFields {
            title: row.get(2)?,
            full_address: row.get(3)?,
            street: row.get(4)?,
            building: row.get(5)?,
            apartment: row.get(6)?,
            city: row.get(7)?,
            postal_code: row.get(8)?,
            country: row.get(9)?,
        },
    })
}

pub(crate) fn add(
    db: &Db,
    user: UserId,
    fields: &AddressFields,
    is_default: bool,
) -> Result<AddressId> {
    const TAKE_ID: &str = "UPDATE users SET next_address = next_address + 1 WHERE id = ?1 \
         RETURNING next_address - 1";
    const COUNT: &str = "SELECT count(*) FROM addresses WHERE user_id = ?1";
    const INSERT: &str = "INSERT INTO addresses (user_id, id, is_default, title, full_address, \
         street, \
         building, apartment, city, postal_code, country) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let count: i64 = db.sql(COUNT)?.query_row([user.0], |row| row.get(0))?;
    if count >= i64::from(ADDRESSES_MAX) {
        return Err(Refused::QuantityLimit { what: "addresses", limit: ADDRESSES_MAX }.into());
    }
    let is_default = is_default || count == 0;
    if is_default {
        clear_default(db, user)?;
    }
    let id: i64 = db.sql(TAKE_ID)?.query_row([user.0], |row| row.get(0))?;
    db.sql(INSERT)?.execute((
        user.0,
        id,
        is_default,
        &fields.title,
        &fields.full_address,
        &fields.street,
        &fields.building,
        &fields.apartment,
        &fields.city,
        &fields.postal_code,
        &fields.country,
    ))?;
    Ok(AddressId(id))
}

pub(crate) fn change(db: &Db, user: UserId, id: AddressId, change: &AddressChange) -> Result<()> {
    const CHANGE: &str = "UPDATE addresses SET title = ?3, full_address = ?4, street = ?5, \
         building = ?6, \
         apartment = ?7, city = ?8, postal_code = ?9, country = ?10 WHERE user_id = ?1 AND id = ?2";
    let address = get(db, user, id)?;
    let fields = change.apply(address.fields);
    db.change_one(
        CHANGE,
        (
            user.0,
            id.0,
            &fields.title,
            &fields.full_address,
            &fields.street,
            &fields.building,
            &fields.apartment,
            &fields.city,
            &fields.postal_code,
            &fields.country,
        ),
    )?;
    match change.is_default {
        Some(true) => {
            clear_default(db, user)?;
            make_default(db, user, id)
        }
        Some(false) if address.is_default => hand_on_default(db, user, id),
        _ => Ok(()),
    }
}

pub(crate) fn remove(db: &Db, user: UserId, id: AddressId) -> Result<()> {
    const REMOVE: &str = "DELETE FROM addresses WHERE user_id = ?1 AND id = ?2";
    let address = get(db, user, id)?;
    if address.is_default {
        hand_on_default(db, user, id)?;
    }
    db.change_one(REMOVE, (user.0, id.0))
}

/// Makes the oldest other address the default; the only one keeps the role.
fn hand_on_default(db: &Db, user: UserId, id: AddressId) -> Result<()> {
    const HEIR: &str = "SELECT min(id) FROM addresses WHERE user_id = ?1 AND id <> ?2";
    let heir: Option<i64> = db.sql(HEIR)?.query_row((user.0, id.0), |row| row.get(0))?;
    match heir {
        None => Ok(()),
        Some(heir) => {
            clear_default(db, user)?;
            make_default(db, user, AddressId(heir))
        }
    }
}

fn clear_default(db: &Db, user: UserId) -> Result<()> {
    const CLEAR: &str = "UPDATE addresses SET is_default = 0 WHERE user_id = ?1 AND is_default = 1";
    db.sql(CLEAR)?.execute([user.0])?;
    Ok(())
}

fn make_default(db: &Db, user: UserId, id: AddressId) -> Result<()> {
    const MAKE: &str = "UPDATE addresses SET is_default = 1 WHERE user_id = ?1 AND id = ?2";
    db.change_one(MAKE, (user.0, id.0))
}

//! Where orders go.

use crate::ids::AddressId;

/// The most addresses a customer keeps.
pub const ADDRESSES_MAX: u32 = 50;

/// What a customer says of an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressFields {
    /// `Home`, `Office`.
    pub title: String,
    /// The whole address in one line.
    pub full_address: String,
    /// Street.
    pub street: Option<String>,
    /// House.
    pub building: Option<String>,
    /// Flat.
    pub apartment: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country.
    pub country: Option<String>,
}

/// A stored address. Exactly one of a customer's addresses is the default, if there are any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Counted per customer.
    pub id: AddressId,
    /// What it says.
    pub fields: AddressFields,
    /// Offered first at checkout.
    pub is_default: bool,
}

/// A change of an address: `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressChange {
    /// `Home`, `Office`.
    pub title: Option<String>,
    /// The whole address in one line.
    pub full_address: Option<String>,
    /// Street.
    pub street: Option<Option<String>>,
    /// House.
    pub building: Option<Option<String>>,
    /// Flat.
    pub apartment: Option<Option<String>>,
    /// City.
    pub city: Option<Option<String>>,
    /// Postal code.
    pub postal_code: Option<Option<String>>,
    /// Country.
    pub country: Option<Option<String>>,
    /// `Some(true)` makes it the default. `Some(false)` on the default hands the role to the oldest
    /// other address; the only address stays the default.
    pub is_default: Option<bool>,
}

impl AddressChange {
    /// The fields after this change.
    pub fn apply(&self, mut fields: AddressFields) -> AddressFields {
        fn set<T: Clone>(field: &mut T, change: &Option<T>) {
            if let Some(value) = change {
                field.clone_from(value);
            }
        }
        set(&mut fields.title, &self.title);
        set(&mut fields.full_address, &self.full_address);
        set(&mut fields.street, &self.street);
        set(&mut fields.building, &self.building);
        set(&mut fields.apartment, &self.apartment);
        set(&mut fields.city, &self.city);
        set(&mut fields.postal_code, &self.postal_code);
        set(&mut fields.country, &self.country);
        fields
    }
}

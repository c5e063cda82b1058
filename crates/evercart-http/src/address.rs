//! `/profile/addresses`: where a customer's orders go.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use evercart_core::address::{Address, AddressChange, AddressFields};
use evercart_core::ids::AddressId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::{Fields, Lines};
use crate::cart::replayed;
use crate::extract::{Customer, PathId};
use crate::guard::Mutation;
use crate::json::{Audience, answer};
use crate::openapi::{
    Change, ChangeHeaders, ChangeWithBody, Missing, Read, ReadHeaders, TooMany, examples,
};
use crate::problem::Answer;

/// The most characters of an address in one line.
const FULL_ADDRESS_MAX: usize = 500;
/// The most characters of a part of an address.
const PART_MAX: usize = 120;

/// A stored address. Exactly one of a customer's addresses is the default, if there are any.
#[derive(Serialize, ToSchema)]
#[schema(as = Address, example = examples::address)]
pub(crate) struct AddressJson<'a> {
    #[schema(example = 1)]
    id: i64,
    /// What the customer calls it.
    #[schema(example = "Home")]
    title: &'a str,
    /// The whole address in one line.
    #[schema(example = "233 S Wacker Dr, Chicago, IL 60606")]
    full_address: &'a str,
    #[schema(required = true)]
    street: Option<&'a str>,
    #[schema(required = true)]
    building: Option<&'a str>,
    #[schema(required = true)]
    apartment: Option<&'a str>,
    #[schema(required = true)]
    city: Option<&'a str>,
    #[schema(required = true)]
    postal_code: Option<&'a str>,
    #[schema(required = true)]
    country: Option<&'a str>,
    /// Offered first at checkout.
    is_default: bool,
}

impl<'a> AddressJson<'a> {
    pub(crate) fn of(address: &'a Address) -> Self {
        let fields = &address.fields;
        Self {
            id: address.id.0,
            title: &fields.title,
            full_address: &fields.full_address,
            street: fields.street.as_deref(),
            building: fields.building.as_deref(),
            apartment: fields.apartment.as_deref(),
            city: fields.city.as_deref(),
            postal_code: fields.postal_code.as_deref(),
            country: fields.country.as_deref(),
            is_default: address.is_default,
        }
    }
}

/// A customer's addresses.
#[derive(Serialize, ToSchema)]
struct Addresses<'a> {
    /// The default first.
    addresses: Vec<AddressJson<'a>>,
    #[schema(example = 1)]
    total: usize,
}

macro_rules! address_bodies {
    ($($(#[$of_body:meta])* $name:ident { $(#[$of_line:meta])* $line:ty })*) => {$(
        #[derive(ToSchema)]
        $(#[$of_body])*
        #[allow(dead_code, reason = "describes a body that is read field by field")]
        struct $name {
            /// What the customer calls it.
            #[schema(example = "Home", max_length = 120)]
            title: Option<String>,
            /// The whole address in one line.
            $(#[$of_line])*
            full_address: $line,
            #[schema(max_length = 120)]
            street: Option<String>,
            #[schema(max_length = 120)]
            building: Option<String>,
            #[schema(max_length = 120)]
            apartment: Option<String>,
            #[schema(example = "Chicago", max_length = 120)]
            city: Option<String>,
            #[schema(max_length = 120)]
            postal_code: Option<String>,
            #[schema(max_length = 120)]
            country: Option<String>,
            /// Makes it the default. The first address is the default anyway.
            is_default: Option<bool>,
        }
    )*};
}

address_bodies! {
    /// A new address.
    #[schema(as = NewAddress)]
    NewAddressBody {
        #[schema(example = "233 S Wacker Dr, Chicago, IL 60606", min_length = 1, max_length = 500)]
        String
    }
    /// What to change of an address. What is left out stays and null empties.
    #[schema(as = AddressFields)]
    AddressBody {
        #[schema(example = "233 S Wacker Dr, Chicago, IL 60606", min_length = 1, max_length = 500,
                 nullable = false)]
        Option<String>
    }
}

fn read_new(fields: &mut Fields<'_>) -> (AddressFields, bool) {
    let mut part = |name| fields.optional_text(name, PART_MAX, Lines::One);
    let title = part("title").unwrap_or_default();
    let (street, building, apartment) = (part("street"), part("building"), part("apartment"));
    let (city, postal_code, country) = (part("city"), part("postal_code"), part("country"));
    let full_address = fields.text("full_address", FULL_ADDRESS_MAX);
    let is_default = fields.flag("is_default").unwrap_or(false);
    let address = AddressFields {
        title,
        full_address,
        street,
        building,
        apartment,
        city,
        postal_code,
        country,
    };
    (address, is_default)
}

fn read_change(fields: &mut Fields<'_>) -> AddressChange {
    AddressChange {
        title: fields.text_change("title", PART_MAX).map(Option::unwrap_or_default),
        full_address: fields
            .mentions("full_address")
            .then(|| fields.text("full_address", FULL_ADDRESS_MAX)),
        street: fields.text_change("street", PART_MAX),
        building: fields.text_change("building", PART_MAX),
        apartment: fields.text_change("apartment", PART_MAX),
        city: fields.text_change("city", PART_MAX),
        postal_code: fields.text_change("postal_code", PART_MAX),
        country: fields.text_change("country", PART_MAX),
        is_default: fields.flag("is_default"),
    }
}

fn written(status: StatusCode, address: &Address) -> Response {
    answer(status, Audience::Customer, &AddressJson::of(address))
}

/// The addresses
#[utoipa::path(get, path = "/profile/addresses", tag = "Addresses", security(("bearer" = [])),
    params(ReadHeaders),
    responses((status = 200, description = "The addresses", body = Addresses), Read))]
pub(crate) async fn list_addresses(customer: Customer) -> Answer {
    let addresses = customer.store().addresses(customer.session()).await?;
    let json = Addresses {
        addresses: addresses.iter().map(AddressJson::of).collect(),
        total: addresses.len(),
    };
    Ok(answer(StatusCode::OK, Audience::Customer, &json))
}

/// Add an address
#[utoipa::path(post, path = "/profile/addresses", tag = "Addresses", security(("bearer" = [])),
    params(ChangeHeaders), request_body = NewAddressBody,
    responses((status = 201, description = "The new address", body = AddressJson,
               headers(("Location" = String, description = "Where it is"))),
              ChangeWithBody, TooMany))]
pub(crate) async fn add_address(customer: Customer, request: Mutation) -> Answer {
    let (fields, is_default) = request.json(read_new)?;
    let store = customer.store();
    let done = store.add_address(customer.session(), fields, is_default, request.guard()).await?;
    let mut response = written(StatusCode::CREATED, &done.value);
    let location = format!("/profile/addresses/{}", done.value.id);
    let location = HeaderValue::try_from(location).expect("a path with a number is a header value");
    response.headers_mut().insert(header::LOCATION, location);
    Ok(replayed(done.replayed, response))
}

/// Change an address
#[utoipa::path(put, path = "/profile/addresses/{id}", tag = "Addresses", security(("bearer" = [])),
    params(ChangeHeaders, ("id" = i64, Path, description = "An address's id", example = 1)),
    request_body = AddressBody,
    responses((status = 200, description = "The address after it", body = AddressJson),
              ChangeWithBody, TooMany, Missing))]
pub(crate) async fn change_address(
    customer: Customer,
    PathId(id): PathId,
    request: Mutation,
) -> Answer {
    let change = request.json(read_change)?;
    let (store, id) = (customer.store(), AddressId(id));
    let done = store.change_address(customer.session(), id, change, request.guard()).await?;
    Ok(replayed(done.replayed, written(StatusCode::OK, &done.value)))
}

/// Change an address (as `PUT /profile/addresses/{id}`)
#[utoipa::path(patch, path = "/profile/addresses/{id}", tag = "Addresses",
    security(("bearer" = [])),
    params(ChangeHeaders, ("id" = i64, Path, description = "An address's id", example = 1)),
    request_body = AddressBody,
    responses((status = 200, description = "The address after it", body = AddressJson),
              ChangeWithBody, TooMany, Missing))]
pub(crate) async fn patch_address(customer: Customer, id: PathId, request: Mutation) -> Answer {
    change_address(customer, id, request).await
}

/// That something was done.
#[derive(Serialize, ToSchema)]
pub(crate) struct Confirmation {
    /// Always true.
    pub(crate) success: bool,
    /// For a person.
    pub(crate) message: &'static str,
}

/// Remove an address
///
/// If it was the default, the oldest other becomes it.
#[utoipa::path(delete, path = "/profile/addresses/{id}", tag = "Addresses",
    security(("bearer" = [])),
    params(ChangeHeaders, ("id" = i64, Path, description = "An address's id", example = 1)),
    responses((status = 200, description = "It is removed", body = Confirmation,
               example = json!({"success": true, "message": "The address is removed."})),
              Change, TooMany, Missing))]
pub(crate) async fn remove_address(
    customer: Customer,
    PathId(id): PathId,
    request: Mutation,
) -> Answer {
    let store = customer.store();
    let done = store.remove_address(customer.session(), AddressId(id), request.guard()).await?;
    let confirmation = Confirmation { success: true, message: "The address is removed." };
    let response = answer(StatusCode::OK, Audience::Customer, &confirmation);
    Ok(replayed(done.replayed, response))
}

//! Addresses: counted per customer, exactly one the default if there are any.

use evercart_core::address::{ADDRESSES_MAX, AddressChange, AddressFields};
use evercart_core::error::Refused;
use evercart_core::ids::AddressId;
use evercart_core::user::Session;

use crate::Backend;
use crate::shop::{Shop, address, free, refused};

/// Ids in the order they are listed, the default first.
async fn listed<B: Backend>(shop: &Shop<B>, me: Session) -> Vec<i64> {
    let addresses = shop.addresses(me).await.unwrap();
    let defaults: Vec<_> = addresses.iter().map(|address| address.is_default).collect();
    let expected: Vec<_> = (0..addresses.len()).map(|place| place == 0).collect();
    assert_eq!(defaults, expected, "the first, and no other, is the default");
    addresses.iter().map(|address| address.id.0).collect()
}

async fn add<B: Backend>(shop: &Shop<B>, me: Session, title: &str, is_default: bool) -> i64 {
    shop.add_address(me, address(title), is_default, free()).await.unwrap().value.id.0
}

/// Whatever the customer says of it.
pub async fn the_first_address_is_the_default<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    assert_eq!(listed(shop, me).await, [0; 0]);
    let first = shop.add_address(me, address("Home"), false, free()).await.unwrap().value;
    assert_eq!((first.id, first.is_default), (AddressId(1), true));
    assert_eq!(first.fields, address("Home"));
    assert_eq!(shop.addresses(me).await.unwrap(), [first]);
}

/// There is one default at any time, listed first.
pub async fn the_default_moves<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    for (title, is_default) in [("Home", false), ("Office", false), ("Cabin", true)] {
        add(shop, me, title, is_default).await;
    }
    assert_eq!(listed(shop, me).await, [3, 1, 2]);
    let default = |is_default| AddressChange { is_default, ..AddressChange::default() };
    let changed = shop.change_address(me, AddressId(2), default(Some(true)), free()).await;
    assert!(changed.unwrap().value.is_default);
    assert_eq!(listed(shop, me).await, [2, 1, 3]);
    // Given up, it goes to the oldest other; what is not the default has nothing to give up.
    let changed = shop.change_address(me, AddressId(2), default(Some(false)), free()).await;
    assert!(!changed.unwrap().value.is_default);
    assert_eq!(listed(shop, me).await, [1, 2, 3]);
    shop.change_address(me, AddressId(3), default(Some(false)), free()).await.unwrap();
    shop.change_address(me, AddressId(3), default(None), free()).await.unwrap();
    assert_eq!(listed(shop, me).await, [1, 2, 3]);
}

/// The only address stays the default.
pub async fn the_only_address_stays_the_default<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    add(shop, me, "Home", false).await;
    let change = AddressChange { is_default: Some(false), ..AddressChange::default() };
    let changed = shop.change_address(me, AddressId(1), change, free()).await.unwrap().value;
    assert!(changed.is_default);
    assert_eq!(listed(shop, me).await, [1]);
}

/// A change touches the fields it names.
pub async fn an_address_changes_field_by_field<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let fields = AddressFields {
        street: Some("Main".into()),
        building: Some("1".into()),
        apartment: Some("2".into()),
        postal_code: Some("62701".into()),
        country: Some("US".into()),
        ..address("Home")
    };
    let added = shop.add_address(me, fields.clone(), false, free()).await.unwrap().value;
    assert_eq!(added.fields, fields);
    let change = AddressChange {
        title: Some("Office".into()),
        apartment: Some(None),
        city: Some(Some("Бишкек".into())),
        ..AddressChange::default()
    };
    let expected = change.apply(fields);
    let changed = shop.change_address(me, added.id, change, free()).await.unwrap().value;
    assert_eq!(changed.fields, expected);
    assert_eq!(changed.fields.apartment, None);
    assert_eq!(shop.addresses(me).await.unwrap(), [changed]);
}

/// A removed default hands over; a removed id does not come back.
pub async fn removing_hands_the_default_to_the_oldest<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    for title in ["a", "b", "c", "d"] {
        add(shop, me, title, title == "d").await;
    }
    assert_eq!(listed(shop, me).await, [4, 1, 2, 3]);
    shop.remove_address(me, AddressId(1), free()).await.unwrap();
    assert_eq!(listed(shop, me).await, [4, 2, 3]);
    shop.remove_address(me, AddressId(4), free()).await.unwrap();
    assert_eq!(listed(shop, me).await, [2, 3]);
    assert_eq!(add(shop, me, "e", false).await, 5);
    for id in [2, 3, 5] {
        shop.remove_address(me, AddressId(id), free()).await.unwrap();
    }
    assert_eq!(listed(shop, me).await, [0; 0]);
    assert_eq!(add(shop, me, "f", false).await, 6);
    assert_eq!(listed(shop, me).await, [6]);
}

/// S6: the list has an end.
pub async fn a_customer_keeps_at_most_50_addresses<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    for _ in 0..ADDRESSES_MAX {
        add(shop, me, "One of many", false).await;
    }
    match refused(shop.add_address(me, address("One more"), true, free()).await) {
        Refused::QuantityLimit { limit, .. } => assert_eq!(limit, ADDRESSES_MAX),
        other => panic!("{other:?}"),
    }
    assert_eq!(listed(shop, me).await, (1..=50).collect::<Vec<_>>());
    shop.remove_address(me, AddressId(50), free()).await.unwrap();
    assert_eq!(add(shop, me, "One more", true).await, 51);
}

/// S6: what there is not is not found.
pub async fn unknown_addresses_are_not_found<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    add(shop, me, "Home", false).await;
    shop.remove_address(me, AddressId(1), free()).await.unwrap();
    for id in [0, 1, 2, -1, i64::MAX, i64::MIN] {
        let change = AddressChange { is_default: Some(true), ..AddressChange::default() };
        for refusal in [
            refused(shop.change_address(me, AddressId(id), change, free()).await),
            refused(shop.remove_address(me, AddressId(id), free()).await),
        ] {
            assert!(matches!(refusal, Refused::NotFound { .. }), "{id}: {refusal:?}");
        }
    }
}

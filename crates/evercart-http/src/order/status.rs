//! How far an order is, in answers and queries.

use std::borrow::Cow;

use evercart_core::order::OrderStatus;
use serde::{Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A status, written as its word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderStatusJson(pub(crate) OrderStatus);

impl Serialize for OrderStatusJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl ToSchema for OrderStatusJson {
    fn name() -> Cow<'static, str> {
        "OrderStatus".into()
    }
}

impl PartialSchema for OrderStatusJson {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("How far an order is."))
            .enum_values(Some(OrderStatus::ALL.map(OrderStatus::as_str)))
            .examples([serde_json::json!("pending")])
            .into()
    }
}

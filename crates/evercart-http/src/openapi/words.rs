//! Words that an answer chooses from, where a later version may add one. Each vocabulary is two
//! schemas: the words known today, and those or any other text, so that a generated client reads
//! a word that is newer than itself.

use std::borrow::Cow;

use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::Code;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident or $known:literal: $says:literal, $words:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                schemas.push(($known.to_owned(), known($says, $words)));
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                open($known, $says, $words)
            }
        }
    )*};
}

words! {
    /// Every code a problem can have.
    ProblemCode or "KnownProblemCode":
        "What went wrong, for programs. Never renamed.",
        Code::ALL.iter().map(|code| code.as_str());
    /// What can be said of a line.
    NoticeCode or "KnownNoticeCode":
        "What changed about a line.",
        ["price_changed", "insufficient_stock", "unavailable"].into_iter();
    /// Why a merge leaves something out.
    SkipReason or "KnownSkipReason":
        "Why a merge did not take over all that was offered. With `insufficient_stock` what there \
         is was taken over.",
        ["not_found", "sku_unavailable", "insufficient_stock", "quantity_limit"].into_iter();
}

fn known(says: &str, words: impl Iterator<Item = &'static str>) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(says))
        .enum_values(Some(words))
        .into()
}

fn open(known: &str, says: &str, mut words: impl Iterator<Item = &'static str>) -> RefOr<Schema> {
    let any = ObjectBuilder::new().schema_type(Type::String).build();
    let says = format!("{says} One of those known today, or one that a later version adds.");
    AnyOfBuilder::new()
        .item(Ref::from_schema_name(known))
        .item(any)
        .description(Some(says))
        .examples(words.next().map(serde_json::Value::from))
        .into()
}

//! Reads JSON bodies. Every wrong field is reported, each once, with what was expected and found.

mod integer;
mod json_text;
mod list;
mod taken;

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use evercart_core::ids::ID_MAX;
use evercart_core::{pasted, text};
use serde_json::value::RawValue;

use crate::problem::{Code, FieldError, Problem};
pub(crate) use integer::of_text as integer_of_text;
use json_text::{depth, describe};
pub(crate) use taken::{read, take_in};

/// The deepest nesting taken. Ours are lists of objects at most.
const DEPTH_MAX: usize = 32;

/// Refuses a body that does not say it is JSON in UTF-8, and one that is compressed.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let detail = "Send the body as it is, without Content-Encoding.";
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if value.is_some_and(is_json) {
        return Ok(());
    }
    Err(Problem::new(
        Code::UnsupportedMediaType,
        "Send the body as JSON, with Content-Type: application/json.",
    ))
}

fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    essence.eq_ignore_ascii_case("application/json")
        && parts.filter(|parameter| !parameter.is_empty()).all(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else { return false };
            let value = value.trim_matches('"');
            !name.eq_ignore_ascii_case("charset")
                || value.eq_ignore_ascii_case("utf-8")
                || value.eq_ignore_ascii_case("utf8")
        })
}

/// Reads a JSON object with `take`, which asks for each field it wants. If any of them is wrong,
/// what `take` made is dropped and all the problems are returned.
pub(crate) fn parse<T>(body: &[u8], take: impl FnOnce(&mut Fields<'_>) -> T) -> Result<T, Problem> {
    let malformed = |detail: Cow<'static, str>| Problem::new(Code::MalformedJson, detail);
    let text = std::str::from_utf8(body).map_err(|_| malformed("The body is not UTF-8.".into()))?;
    if depth(text) > DEPTH_MAX {
        return Err(malformed("The body is nested too deeply.".into()));
    }
    let raw: &RawValue = serde_json::from_str(text)
        .map_err(|error| malformed(format!("The body is not JSON: {error}.").into()))?;
    if !raw.get().starts_with('{') {
        let found = describe(raw.get());
        return Err(Problem::field("body", format!("must be a JSON object, found {found}")));
    }
    let members = serde_json::from_str(raw.get())
        .map_err(|error| malformed(format!("The body is not JSON: {error}.").into()))?;
    let mut fields = Fields { members, errors: Vec::new() };
    let value = take(&mut fields);
    if fields.errors.is_empty() { Ok(value) } else { Err(Problem::fields(fields.errors)) }
}

/// What a text field may contain besides printable characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    /// Nothing.
    One,
    /// Line breaks.
    Many,
}

/// The members of a JSON object. A method that finds its field wrong notes that and returns a
/// placeholder, which [`parse`] sees to it nobody uses.
pub(crate) struct Fields<'a> {
    members: BTreeMap<Cow<'a, str>, &'a RawValue>,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    /// Notes that a field is wrong.
    pub(crate) fn wrong(&mut self, field: &'static str, detail: impl Into<String>) {
        self.errors.push(FieldError { field: field.into(), detail: detail.into() });
    }

    /// True if the field was found wrong already, so that it is not reported twice.
    pub(crate) fn is_wrong(&self, field: &str) -> bool {
        self.errors.iter().any(|error| error.field == field)
    }

    /// The field, unless it is absent or null.
    fn given(&self, field: &str) -> Option<&'a str> {
        self.members.get(field).map(|raw| raw.get()).filter(|raw| *raw != "null")
    }

    /// True if the field is a text with something in it that can be seen.
    pub(crate) fn has_text(&self, field: &str) -> bool {
        let raw = self.given(field).unwrap_or_default();
        let text = serde_json::from_str::<Cow<'_, str>>(raw);
        text.is_ok_and(|text| !pasted::plain(&text).is_empty())
    }

    /// True if the field is there and not null.
    pub(crate) fn is_given(&self, field: &str) -> bool {
        self.given(field).is_some()
    }

    /// True if the field is there, be it null.
    pub(crate) fn mentions(&self, field: &str) -> bool {
        self.members.contains_key(field)
    }

    /// An id that must be there.
    pub(crate) fn id(&mut self, field: &'static str) -> i64 {
        self.integer(field, 1, ID_MAX, None)
    }

    /// An integer from `least` to `most`, `default` if absent. Without a default it must be there.
    /// What counts as one, [`integer::read`] says.
    pub(crate) fn integer(
        &mut self,
        field: &'static str,
        least: i64,
        most: i64,
        default: Option<i64>,
    ) -> i64 {
        // An explicit null is not an integer, whether or not the field may be left out.
        let Some(raw) = self.members.get(field).map(|raw| raw.get()) else {
            return default.unwrap_or_else(|| {
                self.wrong(field, format!("is missing: an integer from {least} to {most}"));
                least
            });
        };
        match integer::read(raw) {
            Some(value) if (least..=most).contains(&value) => value,
            read => {
                let found = read.map_or_else(|| describe(raw), |value| value.to_string().into());
                self.wrong(
                    field,
                    format!("must be an integer from {least} to {most}, found {found}"),
                );
                least
            }
        }
    }

    /// A text that must be there and not be empty.
    pub(crate) fn text(&mut self, field: &'static str, characters_max: usize) -> String {
        match self.optional_text(field, characters_max, Lines::One) {
            Some(text) => text,
            None => {
                if !self.is_wrong(field) {
                    self.wrong(
                        field,
                        format!("is missing: a text of 1 to {characters_max} characters"),
                    );
                }
                String::new()
            }
        }
    }

    /// A trimmed text, `None` if it is absent, null or empty.
    pub(crate) fn optional_text(
        &mut self,
        field: &'static str,
        characters_max: usize,
        lines: Lines,
    ) -> Option<String> {
        let raw = self.given(field)?;
        if !raw.starts_with('"') {
            let found = describe(raw);
            self.wrong(field, format!("must be a string, found {found}"));
            return None;
        }
        let Ok(text) = serde_json::from_str::<Cow<'_, str>>(raw) else {
            self.wrong(field, "must be a string of whole characters, found half of one");
            return None;
        };
        let text = text.trim();
        let length = text.chars().count();
        let allowed = |c: char| !c.is_control() || (lines == Lines::Many && "\n\r\t".contains(c));
        if length > characters_max {
            self.wrong(
                field,
                format!("must have at most {characters_max} characters, found {length}"),
            );
            None
        } else if !text.chars().all(allowed) {
            self.wrong(field, "must not contain control characters");
            None
        } else if let Some(character) = text::refused(text) {
            self.wrong(field, format!("must not contain {}", text::named(character)));
            None
        } else {
            (!text.is_empty()).then(|| text.to_owned())
        }
    }

    /// A number that a person typed or pasted, as it is, empty if it is absent, null or holds
    /// nothing that counts. Only what is left of it counts, see [`pasted`].
    pub(crate) fn pasted(&mut self, field: &'static str, characters_max: usize) -> String {
        let raw = self.given(field).unwrap_or_default();
        if let Ok(text) = serde_json::from_str::<Cow<'_, str>>(raw)
            && raw.starts_with('"')
        {
            let left = pasted::plain(&text).chars().count();
            if (1..=characters_max).contains(&left) {
                return text.into_owned();
            }
            if left > characters_max {
                self.wrong(
                    field,
                    format!("must have at most {characters_max} characters, found {left}"),
                );
                return String::new();
            }
            self.wrong(field, format!("is missing: a text of 1 to {characters_max} characters"));
            return String::new();
        }
        self.text(field, characters_max)
    }

    /// As [`optional_text`](Self::optional_text), with `read` to make something of it; its error
    /// says what is wrong.
    pub(crate) fn optional<T, E: ToString>(
        &mut self,
        field: &'static str,
        characters_max: usize,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.optional_text(field, characters_max, Lines::One)?;
        read(&text).map_err(|error| self.wrong(field, error.to_string())).ok()
    }

    /// The first of several spellings of a field that the body mentions, else the first.
    pub(crate) fn spelling(&self, spellings: &[&'static str]) -> &'static str {
        let mentioned = spellings.iter().find(|name| self.given(name).is_some());
        mentioned.or(spellings.first()).copied().unwrap_or_default()
    }

    /// A change of a text: `None` if it is not mentioned, `Some(None)` if it is emptied.
    pub(crate) fn text_change(
        &mut self,
        field: &'static str,
        characters_max: usize,
    ) -> Option<Option<String>> {
        self.mentions(field).then(|| self.optional_text(field, characters_max, Lines::One))
    }

    /// True or false, `None` if it is absent or null.
    pub(crate) fn flag(&mut self, field: &'static str) -> Option<bool> {
        match self.given(field)? {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                let found = describe(other);
                self.wrong(field, format!("must be true or false, found {found}"));
                None
            }
        }
    }

    /// A number as it was written, so that no digit is lost; `None` if it is absent or null.
    pub(crate) fn number(&mut self, field: &'static str) -> Option<&'a str> {
        let raw = self.given(field)?;
        if raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return Some(raw);
        }
        let found = describe(raw);
        self.wrong(field, format!("must be a number, found {found}"));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Form;

    fn quantity(body: &str) -> Result<i64, String> {
        parse(body.as_bytes(), |fields| fields.integer("quantity", 1, 999, Some(1)))
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_quantity_is_an_integer_in_range() {
        assert_eq!(quantity("{}"), Ok(1));
        assert_eq!(quantity("{\"quantity\": 999, \"unknown\": [{}]}"), Ok(999));
        for (right, value) in [("1.0", 1), ("\"2\"", 2), ("1e2", 100), ("\"999\"", 999)] {
            assert_eq!(quantity(&format!("{{\"quantity\": {right}}}")), Ok(value));
        }
        let told = quantity("{\"quantity\": \"1000\"}").expect_err("too many");
        assert!(told.ends_with("must be an integer from 1 to 999, found 1000"), "{told}");
        for wrong in [
            "0",
            "-1",
            "-0",
            "1000",
            "1.5",
            "\"0\"",
            "\"2.5\"",
            "\"\"",
            "\"x\"",
            "true",
            "null",
            "[]",
            "{}",
            "1e3",
            "1e400",
            "1000000000000",
            "99999999999999999999999999999999",
        ] {
            let error = quantity(&format!("{{\"quantity\": {wrong}}}")).expect_err(wrong);
            assert!(error.starts_with("validation_failed: quantity must be an integer"), "{error}");
        }
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(1000), "]".repeat(1000));
        let not_json = [
            "",
            " ",
            "{",
            "{\"a\":NaN}",
            "{\"a\":1,}",
            "{'a':1}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "nope",
            "{}{}",
            "{\"\\ud800\":1}",
            "\u{feff}{}",
            "{\"a\":\"\n\"}",
            &deep,
        ];
        for body in not_json {
            let error = quantity(body).expect_err(body);
            assert!(error.starts_with("malformed_json"), "{body:.40}: {error}");
        }
        let broken = parse(b"{\"a\":\"\xff\"}", |_| ()).expect_err("not UTF-8");
        assert_eq!(broken.code(), Code::MalformedJson);
        for body in ["[]", "1", "\"x\"", "null", "true"] {
            let error = quantity(body).expect_err(body);
            assert!(error.starts_with("validation_failed: body must be a JSON object"), "{error}");
        }
    }

    #[test]
    fn every_wrong_field_is_reported_once() {
        let problem = parse(br#"{"a": 1, "b": "\u0000", "c": "xxx", "e": "\ud800"}"#, |fields| {
            fields.text("a", 2);
            fields.text("b", 2);
            fields.text("c", 2);
            fields.text("d", 2);
            fields.text("e", 2);
            fields.optional_text("f", 2, Lines::One);
        });
        let wire = problem.expect_err("wrong").write(
            "id",
            Form::Problem,
            axum::response::Response::default(),
        );
        let body =
            futures_util::FutureExt::now_or_never(axum::body::to_bytes(wire.into_body(), 10_000));
        let body: serde_json::Value =
            serde_json::from_slice(&body.expect("ready").expect("whole")).expect("JSON");
        assert_eq!(
            body["errors"],
            serde_json::json!([
                {"field": "a", "detail": "must be a string, found 1"},
                {"field": "b", "detail": "must not contain control characters"},
                {"field": "c", "detail": "must have at most 2 characters, found 3"},
                {"field": "d", "detail": "is missing: a text of 1 to 2 characters"},
                {"field": "e", "detail": "must be a string of whole characters, found half of one"},
            ])
        );
    }

    #[test]
    fn texts_are_trimmed_and_counted_in_characters() {
        let text = |body: &str, lines| {
            parse(body.as_bytes(), |fields| fields.optional_text("t", 3, lines)).ok()
        };
        assert_eq!(text(r#"{"t":"  äöü "}"#, Lines::One), Some(Some("äöü".to_owned())));
        assert_eq!(text(r#"{"t":"  "}"#, Lines::One), Some(None));
        assert_eq!(text(r#"{"t":null}"#, Lines::One), Some(None));
        assert_eq!(text(r#"{"t":"a\nb"}"#, Lines::Many), Some(Some("a\nb".to_owned())));
        assert_eq!(text(r#"{"t":"a\nb"}"#, Lines::One), None);
    }

    #[test]
    fn only_json_in_utf_8_is_taken() {
        for good in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json;",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "",
            "text/json",
            "application/jsonx",
            "application/json; charset=latin1",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}

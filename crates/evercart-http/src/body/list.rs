//! Fields that are lists of objects, each read like a body of its own.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::Fields;
use super::json_text::describe;
use crate::problem::FieldError;

impl Fields<'_> {
    /// A list of at most `most` objects that must be there; `take` reads each. What is wrong in one
    /// is told with its place: `items[0].sku_id`.
    pub(crate) fn list<T>(
        &mut self,
        field: &'static str,
        most: usize,
        mut take: impl FnMut(&mut Fields<'_>) -> T,
    ) -> Vec<T> {
        let Some(raw) = self.members.get(field).map(|raw| raw.get()) else {
            self.wrong(field, format!("is missing: a list of at most {most}"));
            return Vec::new();
        };
        let Ok(entries) = serde_json::from_str::<Vec<&RawValue>>(raw) else {
            self.wrong(field, format!("must be a list, found {}", describe(raw)));
            return Vec::new();
        };
        if entries.len() > most {
            self.wrong(field, format!("must have at most {most} entries, found {}", entries.len()));
            return Vec::new();
        }
        let mut values = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().enumerate() {
            let members: Result<BTreeMap<Cow<'_, str>, &RawValue>, _> =
                serde_json::from_str(entry.get());
            let place = format!("{field}[{index}]");
            let Ok(members) = members else {
                let detail = format!("must be an object, found {}", describe(entry.get()));
                self.errors.push(FieldError { field: place.into(), detail });
                continue;
            };
            let mut fields = Fields { members, errors: Vec::new() };
            values.push(take(&mut fields));
            let inside = fields.errors.into_iter();
            self.errors.extend(inside.map(|FieldError { field, detail }| FieldError {
                field: format!("{place}.{field}").into(),
                detail,
            }));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    fn ids(body: &str) -> Result<Vec<i64>, String> {
        parse(body.as_bytes(), |fields| fields.list("items", 2, |one| one.id("sku_id")))
            .map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn each_entry_is_read_and_what_is_wrong_is_told_with_its_place() {
        assert_eq!(ids(r#"{"items": [{"sku_id": 1}, {"sku_id": 2}]}"#), Ok(vec![1, 2]));
        assert_eq!(ids(r#"{"items": []}"#), Ok(vec![]));
        for (body, place, said) in [
            ("{}", "\"items\"", "is missing: a list of at most 2"),
            (r#"{"items": {}}"#, "\"items\"", "must be a list, found an object"),
            (r#"{"items": null}"#, "\"items\"", "must be a list, found null"),
            (r#"{"items": [1]}"#, "\"items[0]\"", "must be an object, found 1"),
            (r#"{"items": [{"sku_id": 1}, {}]}"#, "\"items[1].sku_id\"", "is missing"),
            (r#"{"items": [{}, {}, {}]}"#, "\"items\"", "at most 2 entries, found 3"),
        ] {
            let problem = ids(body).expect_err(body);
            assert!(problem.contains(place) && problem.contains(said), "{body}: {problem}");
        }
    }
}

//! Reads newline-delimited JSON: one object a line with our own columns as its fields. Numbers keep
//! their digits.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::BufRead;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{BYTE_ORDER_MARK, COLUMNS, Reading, Source};

/// The lines of a file, one after the other.
pub(super) struct Lines {
    input: Source,
    line: Vec<u8>,
    number: u64,
    /// Bytes read so far.
    done: u64,
}

impl Lines {
    pub(super) fn begin(input: Source) -> Self {
        Self { input, line: Vec::new(), number: 0, done: 0 }
    }

    /// Reads a line. False after the last one.
    pub(super) fn next(&mut self, reading: &mut Reading<'_>) -> bool {
        self.line.clear();
        self.number += 1;
        let number = self.number;
        match self.input.read_until(b'\n', &mut self.line) {
            Ok(0) => return false,
            Ok(read) => self.done += read as u64,
            Err(error) => {
                reading.problem(number, format!("cannot be read: {error}"));
                return false;
            }
        }
        (reading.progress)(self.done);
        let line = match number {
            1 => self.line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.line),
            _ => &self.line,
        };
        if line.trim_ascii().is_empty() {
            return true;
        }
        match object(line) {
            Ok(cells) => reading
                .row(number, |column| cells.get(column).map(|text| Cow::Borrowed(text.as_str()))),
            Err(what) => reading.problem(number, what),
        }
        true
    }
}

fn object(line: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let Fields(pairs) = serde_json::from_slice(line).map_err(|error| {
        format!("is not a JSON object (column {}): {}", error.column(), reason(&error))
    })?;
    let mut fields = BTreeMap::new();
    for (name, value) in pairs {
        if fields.insert(name.clone(), value).is_some() {
            return Err(format!("the field {name:?} is there twice"));
        }
    }
    if let Some(unknown) = fields.keys().find(|name| !COLUMNS.contains(&name.as_str())) {
        return Err(format!(
            "there is no field {unknown:?}; the fields are {}",
            COLUMNS.join(", ")
        ));
    }
    let cell = |(name, value): (String, &RawValue)| match value.get() {
        "null" => Ok((name, String::new())),
        text if text.starts_with('"') => match serde_json::from_str(text) {
            Ok(text) => Ok((name, text)),
            Err(error) => Err(format!("{name}: {}", reason(&error))),
        },
        text if text.starts_with(['{', '[']) => {
            Err(format!("{name}: expected a text, a number, true, false or null"))
        }
        text => Ok((name, text.to_owned())),
    };
    fields.into_iter().map(cell).collect()
}

/// An object's fields as they stand there: a map would keep the last of two silently.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// What serde_json says, without its own count of lines: it sees only one.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

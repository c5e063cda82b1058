//! Reads one setting at a time as the type it must have, and says what is wrong if it has not.

use std::ops::RangeInclusive;

use evercart_core::code::Code;
use evercart_core::phone::Phone;
use evercart_http::TestPhone;
use jiff::SignedDuration;
use jiff::civil::Date;

use crate::failure::Failure;

use super::keys;
use super::layers::{Found, Layers, Place, Value, constant, parse};

/// The longest duration a setting takes: past it, a mistake in the unit is likelier than a wish.
const DURATION_MAX: SignedDuration = SignedDuration::from_hours(24 * 366);

/// Looks values up in the layers, then among the defaults.
pub struct Reader<'a> {
    layers: &'a Layers,
}

impl<'a> Reader<'a> {
    /// A reader of these layers.
    pub fn new(layers: &'a Layers) -> Self {
        Self { layers }
    }

    /// The layers it reads.
    pub fn layers(&self) -> &'a Layers {
        self.layers
    }

    /// True if file, environment or flags set the key.
    pub fn given(&self, path: &str) -> bool {
        self.layers.get(path).is_some_and(|found| found.place != Place::Default)
    }

    fn find(&self, path: &str) -> Option<Found> {
        let default = || {
            let value = constant(keys::find(path)?.default?);
            Some(Found { value, place: Place::Default })
        };
        self.layers.get(path).cloned().or_else(default)
    }

    /// A text.
    pub fn text(&self, path: &str) -> Result<String, Failure> {
        self.checked(path, "a text", |text| (!text.is_empty()).then(|| text.to_owned()))
    }

    /// A text, if set.
    pub fn optional_text(&self, path: &str) -> Result<Option<String>, Failure> {
        self.optional_checked(path, "a text", |text| (!text.is_empty()).then(|| text.to_owned()))
    }

    /// A secret: the text that is set, or what is in the file that `PATH_file` names. `None` if
    /// neither is set.
    pub fn secret(&self, path: &str) -> Result<Option<String>, Failure> {
        let in_file = format!("{path}_file");
        let file = self.optional_text(&in_file)?;
        let (Some(file), Some(named)) = (file, self.find(&in_file)) else {
            return self.optional_text(path);
        };
        if let Some(set) = self.find(path) {
            return Err(Failure::used_wrongly(format!(
                "both {path} ({}) and {in_file} ({}) are set",
                set.place, named.place
            ))
            .hint("leave one of them out: which one counts would be a guess"));
        }
        let wrong =
            |why: &str| Failure::used_wrongly(format!("{}: {in_file}: {file} {why}", named.place));
        let text = std::fs::read_to_string(&file)
            .map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        let text = text.trim();
        match text.is_empty() {
            true => Err(wrong("is empty, expected the secret and nothing else")),
            false => Ok(Some(text.to_owned())),
        }
    }

    /// The failure for a secret that is set and wrong.
    pub fn wrong_secret(&self, path: &str, expected: &str) -> Failure {
        let in_file = format!("{path}_file");
        match self.find(&in_file) {
            Some(named) => Failure::used_wrongly(format!(
                "{}: what is in the file of {in_file} is something else (not shown, it is a \
                 secret), expected {expected}",
                named.place
            )),
            None => self.wrong(path, expected),
        }
    }

    /// A text that `accept` makes something of.
    pub fn checked<T>(
        &self,
        path: &str,
        expected: &str,
        accept: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Failure> {
        self.optional_checked(path, expected, accept)?.ok_or_else(|| self.missing(path, expected))
    }

    /// A text that `accept` makes something of, if set.
    pub fn optional_checked<T>(
        &self,
        path: &str,
        expected: &str,
        accept: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Some(found) = self.find(path) else { return Ok(None) };
        let accepted = match &found.value {
            Value::Text(text) => accept(text.trim()),
            _ => None,
        };
        accepted.map(Some).ok_or_else(|| wrong(path, &found, expected))
    }

    /// A text or a number, which TOML lets one write either way, such as an amount of money.
    pub fn amount<T>(
        &self,
        path: &str,
        expected: &str,
        accept: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Failure> {
        let found = self.find(path).ok_or_else(|| self.missing(path, expected))?;
        let accepted = match &found.value {
            Value::Text(text) | Value::Number(text) => accept(text.trim()),
            _ => None,
        };
        accepted.ok_or_else(|| wrong(path, &found, expected))
    }

    /// One of a few words.
    pub fn choice(&self, path: &str, words: &[&str]) -> Result<String, Failure> {
        let expected = words.join(" or ");
        self.checked(path, &expected, |text| words.contains(&text).then(|| text.to_owned()))
    }

    /// `true` or `false`.
    pub fn boolean(&self, path: &str) -> Result<bool, Failure> {
        let expected = "true or false";
        let found = self.find(path).ok_or_else(|| self.missing(path, expected))?;
        match &found.value {
            Value::Boolean(yes) => Ok(*yes),
            Value::Text(text) if matches!(found.place, Place::Variable(_)) => {
                text.trim().parse().map_err(|_| wrong(path, &found, expected))
            }
            _ => Err(wrong(path, &found, expected)),
        }
    }

    /// A whole number in a range.
    pub fn number(&self, path: &str, range: RangeInclusive<u32>) -> Result<u32, Failure> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let found = self.find(path).ok_or_else(|| self.missing(path, &expected))?;
        let digits = match (&found.value, &found.place) {
            (Value::Number(digits), _) => Some(digits.as_str()),
            (Value::Text(text), Place::Variable(_)) => Some(text.trim()),
            _ => None,
        };
        let number = digits.and_then(|digits| digits.parse().ok());
        number.filter(|n| range.contains(n)).ok_or_else(|| wrong(path, &found, &expected))
    }

    /// A whole number in a range, as a size.
    pub fn count(&self, path: &str, range: RangeInclusive<u32>) -> Result<usize, Failure> {
        // A u32 fits a usize on every machine that has sockets and files.
        self.number(path, range).map(|number| number as usize)
    }

    /// A duration such as `30m`, more than nothing.
    pub fn duration(&self, path: &str) -> Result<SignedDuration, Failure> {
        self.checked(path, "a duration such as 90s, 30m or 2h, up to a year", |text| {
            let duration: SignedDuration = text.parse().ok()?;
            let in_range = duration > SignedDuration::ZERO && duration <= DURATION_MAX;
            in_range.then_some(duration)
        })
    }

    /// A duration, or `0s` for none.
    pub fn duration_or_none(&self, path: &str) -> Result<SignedDuration, Failure> {
        self.checked(path, "a duration such as 90s, 30m or 2h, up to a year, or 0s", |text| {
            let duration: SignedDuration = text.parse().ok()?;
            (SignedDuration::ZERO..=DURATION_MAX).contains(&duration).then_some(duration)
        })
    }

    /// A list of texts; in a variable, they are separated by commas.
    pub fn list<T>(
        &self,
        path: &str,
        expected: &str,
        accept: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, Failure> {
        let expected = format!("a list of {expected}");
        let found = self.find(path).ok_or_else(|| self.missing(path, &expected))?;
        let texts: Option<Vec<&str>> = match (&found.value, &found.place) {
            (Value::List(values), _) => values.iter().map(as_text).collect(),
            (Value::Text(text), Place::Variable(_)) => {
                Some(text.split(',').map(str::trim).filter(|text| !text.is_empty()).collect())
            }
            _ => None,
        };
        let accepted = texts.and_then(|texts| texts.into_iter().map(accept).collect());
        accepted.ok_or_else(|| wrong(path, &found, &expected))
    }

    /// Phones with their codes and last days; in a variable, a table as TOML writes it. A list of
    /// codes alone, as it was written before there were last days, is read, too.
    pub fn test_phones(&self, path: &str) -> Result<Vec<TestPhone>, Failure> {
        let expected = "phones with six-digit codes and a last day, \
            such as { \"+13128059851\" = { codes = [\"123456\"], until = \"2027-01-31\" } }";
        let Some(found) = self.find(path) else { return Ok(Vec::new()) };
        let table = match (&found.value, &found.place) {
            (Value::Text(text), Place::Variable(_)) => parse(text),
            (value, _) => Some(value.clone()),
        };
        let entries = match table {
            Some(Value::Table(entries)) => entries,
            _ => return Err(wrong(path, &found, expected)),
        };
        let accepted: Option<Vec<_>> =
            entries.iter().map(|(phone, value)| test_phone(phone, value)).collect();
        accepted.ok_or_else(|| wrong(path, &found, expected))
    }

    /// The failure for a key that must be there.
    pub fn missing(&self, path: &str, expected: &str) -> Failure {
        let variable = path.to_ascii_uppercase().replace('.', "__");
        Failure::used_wrongly(format!("{path} is not set, expected {expected}"))
            .hint(format!("set {path} in evercart.toml, or EVERCART_{variable}"))
    }

    /// The failure for a key with a wrong value.
    pub fn wrong(&self, path: &str, expected: &str) -> Failure {
        match self.find(path) {
            Some(found) => wrong(path, &found, expected),
            None => self.missing(path, expected),
        }
    }
}

fn test_phone(phone: &str, value: &Value) -> Option<TestPhone> {
    let phone = Phone::parse(phone, None).ok()?;
    let (codes, until) = match value {
        Value::List(codes) => (codes, None),
        Value::Table(entries) => {
            let entry = |name: &str| entries.iter().find(|(key, _)| key == name);
            let (_, Value::List(codes)) = entry("codes")? else { return None };
            let (Value::Text(until) | Value::Date(until)) = &entry("until")?.1 else { return None };
            let is_known = |key: &str| ["codes", "until"].contains(&key);
            if !entries.iter().all(|(key, _)| is_known(key)) {
                return None;
            }
            (codes, Some(until.trim().parse::<Date>().ok()?))
        }
        _ => return None,
    };
    let codes = codes.iter().map(|code| as_text(code).and_then(Code::parse));
    let codes: Vec<_> = codes.collect::<Option<_>>()?;
    (!codes.is_empty()).then_some(TestPhone { phone, codes, until })
}

fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text.trim()),
        _ => None,
    }
}

fn wrong(path: &str, found: &Found, expected: &str) -> Failure {
    let secret = keys::find(path).is_some_and(|key| key.secret);
    let value = match secret {
        true => "something else (not shown, it is a secret)".to_owned(),
        false => found.value.shown(),
    };
    Failure::used_wrongly(format!("{}: {path} is {value}, expected {expected}", found.place))
}

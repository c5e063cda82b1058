//! Gathers what file, environment and flags say, each value with the place it came from. Knows
//! which keys exist, not what their values mean.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::cli::Everywhere;
use crate::failure::Failure;

use super::keys::{self, BUILT_IN_MARKETS};

/// The file that is read if it is there and no other is named.
const DEFAULT_FILE: &str = "evercart.toml";

/// What every setting of the environment begins with.
const PREFIX: &str = "EVERCART_";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The program itself.
    Default,
    /// A line of the configuration file.
    File(PathBuf, usize),
    /// A variable of the environment.
    Variable(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Default => f.write_str("default"),
            Place::File(path, line) => write!(f, "{}:{line}", path.display()),
            Place::Variable(name) => f.write_str(name),
            Place::Flag(name) => f.write_str(name),
        }
    }
}

/// A value as it was found. Numbers keep their digits: money is never a binary float.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string of TOML, a variable or a flag.
    Text(String),
    /// A number.
    Number(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A list.
    List(Vec<Value>),
    /// A table that is a value by itself.
    Table(Vec<(String, Value)>),
    /// A date, which no setting is.
    Date(String),
}

impl Value {
    /// The value as it may be shown: without the user and password of a URL, and what comes after
    /// its question mark.
    pub fn shown(&self) -> String {
        match self {
            Value::Text(text) => Value::Text(without_secrets(text)).to_string(),
            Value::List(values) => {
                let values: Vec<_> = values.iter().map(Value::shown).collect();
                format!("[{}]", values.join(", "))
            }
            other => other.to_string(),
        }
    }
}

/// What is shown in the place of a secret.
pub const MASK: &str = "••••••";

fn without_secrets(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    // The last one: passwords hold an @ at times, and a slash.
    let (user, rest) = rest.rsplit_once('@').map_or(("", rest), |(_, rest)| ("@", rest));
    let (address, query) = rest.split_once('?').map_or((rest, ""), |(address, _)| (address, "?"));
    let mask = |sign: &str| if sign.is_empty() { "" } else { MASK };
    format!("{scheme}://{}{user}{address}{query}{}", mask(user), mask(query))
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &[Value]| {
            values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        match self {
            Value::Text(text) => write!(f, "{}", toml::Value::String(text.clone())),
            Value::Number(digits) | Value::Date(digits) => f.write_str(digits),
            Value::Boolean(yes) => write!(f, "{yes}"),
            Value::List(values) => write!(f, "[{}]", list(values)),
            Value::Table(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| format!("{} = {value}", toml::Value::String(key.clone())));
                write!(f, "{{ {} }}", entries.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What.
    pub value: Value,
    /// Where.
    pub place: Place,
}

/// All values by dotted path, later layers over earlier ones.
#[derive(Debug, Default)]
pub struct Layers(BTreeMap<String, Found>);

impl Layers {
    /// Reads every layer.
    ///
    /// # Errors
    /// The file cannot be read or is not TOML; a key nobody knows.
    pub fn read(everywhere: &Everywhere, listen: Option<&str>) -> Result<Self, Failure> {
        let mut layers = Self::built_in();
        if let Some((path, text)) = file(everywhere.config.as_deref())? {
            layers.add_file(&path, &text)?;
        }
        #[expect(clippy::disallowed_methods, reason = "this is the program's configuration")]
        layers.add_environment(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        }))?;
        let data = everywhere.data.as_ref().map(|data| data.to_string_lossy().into_owned());
        layers.add_flag("--data", "storage.data", data);
        layers.add_flag("--listen", "server.listen", listen.map(str::to_owned));
        layers.add_flag("--database-url", "storage.database_url", everywhere.database_url.clone());
        Ok(layers)
    }

    /// The markets that come configured.
    pub fn built_in() -> Self {
        let mut layers = Self::default();
        for (market, values) in BUILT_IN_MARKETS {
            for (key, value) in *values {
                let found = Found { value: constant(value), place: Place::Default };
                layers.0.insert(format!("markets.{market}.{key}"), found);
            }
        }
        layers
    }

    /// Adds a configuration file's values.
    ///
    /// # Errors
    /// Not TOML, or an unknown key.
    pub fn add_file(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        let table = DeTable::parse(text).map_err(|error| {
            let line = line_of(text, error.span().map_or(0, |span| span.start));
            Failure::used_wrongly(format!("{}:{line}: {}", path.display(), error.message()))
        })?;
        self.add_table(&Source { path, text }, "", table.get_ref())
    }

    fn add_table(
        &mut self,
        source: &Source<'_>,
        section: &str,
        table: &DeTable<'_>,
    ) -> Result<(), Failure> {
        for (key, value) in table {
            let path = match section {
                "" => key.get_ref().to_string(),
                section => format!("{section}.{}", key.get_ref()),
            };
            let place = Place::File(source.path.to_owned(), line_of(source.text, key.span().start));
            if keys::find(&path).is_some() {
                let line = line_of(source.text, value.span().start);
                let place = Place::File(source.path.to_owned(), line);
                self.0.insert(path, Found { value: simplify(value.get_ref()), place });
            } else if let (true, DeValue::Table(inner)) = (keys::is_section(&path), value.get_ref())
            {
                self.add_table(source, &path, inner)?;
            } else if keys::is_section(&path) {
                let found = simplify(value.get_ref()).shown();
                return Err(Failure::used_wrongly(format!(
                    "{place}: {path} is {found}, expected a section [{path}]"
                )));
            } else {
                return Err(unknown(&place, &path));
            }
        }
        Ok(())
    }

    /// Adds what the environment says.
    ///
    /// # Errors
    /// A variable that begins as ours do and names no key.
    pub fn add_environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(), Failure> {
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            let path = rest.to_ascii_lowercase().replace("__", ".");
            let place = Place::Variable(name.clone());
            if keys::find(&path).is_none() {
                return Err(unknown(&place, &path));
            }
            self.0.insert(path, Found { value: Value::Text(value), place });
        }
        Ok(())
    }

    fn add_flag(&mut self, flag: &'static str, path: &str, value: Option<String>) {
        if let Some(value) = value {
            let found = Found { value: Value::Text(value), place: Place::Flag(flag) };
            self.0.insert(path.to_owned(), found);
        }
    }

    /// What is set at `path`, by anybody.
    pub fn get(&self, path: &str) -> Option<&Found> {
        self.0.get(path)
    }

    /// The markets anything is said of: the built-in ones first, then the others by name.
    pub fn markets(&self) -> Vec<String> {
        let mut names: Vec<String> =
            BUILT_IN_MARKETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        for path in self.0.keys() {
            let name = path.strip_prefix("markets.").and_then(|rest| rest.split('.').next());
            if let Some(name) = name
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
        }
        names
    }
}

struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

fn file(named: Option<&Path>) -> Result<Option<(PathBuf, String)>, Failure> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some((path.to_owned(), text))),
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => Ok(None),
        Err(error) => Err(Failure::used_wrongly(format!(
            "the configuration file {} cannot be read: {error}",
            path.display()
        ))),
    }
}

fn unknown(place: &Place, path: &str) -> Failure {
    let failure = Failure::used_wrongly(format!("{place}: there is no setting {path}"));
    match (keys::nearest(path), place) {
        (Some(near), Place::Variable(_)) => {
            let variable = near.to_ascii_uppercase().replace('.', "__");
            failure.hint(format!("did you mean {PREFIX}{variable}?"))
        }
        (Some(near), _) => failure.hint(format!("did you mean {near}?")),
        (None, _) => failure.hint("`evercart config --default` prints every setting"),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

fn simplify(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => Value::Number(number.to_string()),
            Err(_) => Value::Number(integer.as_str().to_owned()),
        },
        DeValue::Float(float) => Value::Number(float.as_str().to_owned()),
        DeValue::Boolean(yes) => Value::Boolean(*yes),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(values) => {
            Value::List(values.iter().map(|value| simplify(value.get_ref())).collect())
        }
        DeValue::Table(table) => Value::Table(
            table
                .iter()
                .map(|(key, value)| (key.get_ref().to_string(), simplify(value.get_ref())))
                .collect(),
        ),
    }
}

/// A value of the key list, which a test has read before.
pub fn constant(toml: &'static str) -> Value {
    parse(toml).expect("a test reads every default and built-in value")
}

/// A value written as TOML.
pub fn parse(toml: &str) -> Option<Value> {
    DeValue::parse(toml).ok().map(|value: Spanned<DeValue<'_>>| simplify(value.get_ref()))
}

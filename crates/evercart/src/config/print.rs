//! Writes settings as TOML: the effective ones with where each comes from, or all of them with
//! what they mean.

use std::fmt::Write;

use super::keys::{BUILT_IN_MARKETS, KEYS, Key};
use super::layers::{Layers, MASK, Place, Value, constant};
use super::read::Reader;

/// The setting that is a secret in part.
const TEST_PHONES: &str = "auth.test_phones";

/// The effective configuration, each value with its place, secrets masked.
pub fn effective(layers: &Layers) -> String {
    let mut out = Output::default();
    for key in KEYS.iter().filter(|key| !key.path.contains('*')) {
        out.enter(section_of(key.path));
        out.setting(key, key.path, layers);
    }
    for market in layers.markets() {
        for key in KEYS.iter().filter(|key| key.path.contains('*')) {
            let path = key.path.replace('*', &market);
            out.enter(&format!("markets.{market}"));
            out.setting(key, &path, layers);
        }
    }
    out.text
}

/// A configuration file with every key: what it means, its default, commented out.
pub fn defaults() -> String {
    let mut out = Output::default();
    out.text.push_str(
        "# Every setting of evercart with its default. Remove the # in front of what you change.\n\
         # Each can also be set in the environment: [auth] token_lifetime is\n\
         # EVERCART_AUTH__TOKEN_LIFETIME. Durations are written like 90s, 30m or 2h.\n",
    );
    for key in KEYS.iter().filter(|key| !key.path.contains('*')) {
        out.enter(section_of(key.path));
        out.explained(key, last_of(key.path), key.default.unwrap_or(key.example));
    }
    for (index, (market, values)) in BUILT_IN_MARKETS.iter().enumerate() {
        out.enter(&format!("markets.{market}"));
        for key in KEYS.iter().filter(|key| key.path.contains('*')) {
            let last = market_key(key.path);
            let own = values.iter().find(|(name, _)| *name == last).map(|(_, value)| *value);
            let value = own.or(key.default).unwrap_or(key.example);
            match index {
                0 => out.explained(key, last, value),
                _ => out.line(&format!("# {last} = {value}")),
            }
        }
    }
    out.text
}

/// Which phones have fixed codes, and until when. The codes are secrets.
fn test_phones(read: &Reader<'_>) -> String {
    // What cannot be read was refused before anything is printed.
    let phones = read.test_phones(TEST_PHONES).unwrap_or_default();
    let entries = phones.iter().map(|test| {
        let (phone, codes) = (test.phone.masked(), vec![mask(); test.codes.len()].join(", "));
        match test.until {
            Some(until) => format!("\"{phone}\" = {{ codes = [{codes}], until = \"{until}\" }}"),
            None => format!("\"{phone}\" = [{codes}]"),
        }
    });
    format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
}

/// What stands for a secret.
fn mask() -> String {
    Value::Text(MASK.to_owned()).to_string()
}

/// `[section]` of a path without a market: all but its last part.
fn section_of(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(section, _)| section)
}

fn last_of(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// A market's key as it is written in `[markets.NAME]`: `currency`, `shipping.flat`.
fn market_key(path: &str) -> &str {
    path.splitn(3, '.').nth(2).unwrap_or(path)
}

#[derive(Default)]
struct Output {
    text: String,
    section: String,
}

impl Output {
    fn enter(&mut self, section: &str) {
        if self.section != section {
            section.clone_into(&mut self.section);
            self.line(&format!("\n[{section}]"));
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn setting(&mut self, key: &Key, path: &str, layers: &Layers) {
        let name = match path.starts_with("markets.") {
            true => market_key(path),
            false => last_of(path),
        };
        let (value, place) = match (layers.get(path), key.default) {
            (Some(found), _) => (found.value.clone(), found.place.clone()),
            (None, Some(default)) => (constant(default), Place::Default),
            // Not set and without a default: only said where somebody might look for it.
            (None, None) if key.secret || path.starts_with("markets.") => return,
            (None, None) => return self.line(&format!("# {name} is not set")),
        };
        let value = match (key.secret, &value) {
            (true, _) if path == TEST_PHONES => test_phones(&Reader::new(layers)),
            (true, _) => mask(),
            (false, value) => value.shown(),
        };
        self.line(&format!("{name} = {value} # {place}"));
    }

    fn explained(&mut self, key: &Key, name: &str, value: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "\n# {}", key.about);
        self.line(&format!("# {name} = {value}"));
    }
}

//! S6: whatever a configuration says, it is settings or a sentence that says what is wrong, and no
//! secret is in that sentence. `PROPTEST_CASES=100000` tries longer; what was interesting once is
//! in `tests/corpus/config`.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::keys::KEYS;
use super::*;

const SECRET: &str = "correct-horse-battery";

/// A configuration with something of every section.
const WHOLE: &str = r#"
default_market = "us"
[server]
listen = "127.0.0.1:9000"
cors_origins = ["https://shop.example"]
trusted_proxies = ["10.0.0.0/8", "::1"]
request_timeout = "5s"
[storage]
data = "data"
queue_max = 100
[auth]
token_lifetime = "15m"
issuer = "shop"
[auth.limits]
attempts_per_code = 3
[auth.test_phones]
"+13128059851" = ["123456"]
[sms]
provider = "webhook"
url = "https://sms.example/send"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[markets.us]
tax_rate = "0.0825"
[markets.us.shipping]
flat = 4.99
[markets.de]
country = "Germany"
region = "DE"
currency = "EUR"
phone_prefix = "+49"
languages = ["de"]
"#;

/// What files are broken with.
const PIECES: [&str; 25] = [
    "",
    "\"",
    "'",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    "\n",
    "\0",
    "#",
    "-1",
    "1e400",
    "nan",
    "99999999999999999999",
    "0s",
    "1y",
    "true",
    "1979-05-27",
    "\u{202e}",
    "\u{feff}",
    "\\u0000",
    "[markets.\"\"]",
    ".",
];

fn load_from(toml: &str, variables: &[(String, String)]) -> Result<Settings, Failure> {
    let mut layers = Layers::built_in();
    layers.add_file(Path::new("evercart.toml"), toml)?;
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    layers.add_environment(variables)?;
    resolve(&layers)
}

/// Loads it, and looks at what is said if it is refused.
fn try_to_load(toml: &str, variables: &[(String, String)]) -> bool {
    match load_from(toml, variables) {
        Ok(settings) => {
            assert!(!settings.markets.is_empty(), "a shop has a market");
            true
        }
        Err(refused) => {
            let told = crate::failure::report(&anyhow::Error::new(refused)).0;
            assert!(!told.trim().is_empty());
            assert!(!told.contains(SECRET), "a secret is told: {told}");
            false
        }
    }
}

/// `WHOLE` with one to six things broken in it.
fn broken() -> impl Strategy<Value = String> {
    let breaks = (any::<Index>(), 0_usize..12, 0_u8..3, select(PIECES.to_vec()));
    proptest::collection::vec(breaks, 1..7).prop_map(|breaks| {
        let mut letters: Vec<char> = WHOLE.chars().collect();
        for (place, length, kind, piece) in breaks {
            let from = place.index(letters.len() + 1);
            let to = (from + length).min(letters.len());
            let range = letters[from..to].to_vec();
            let new: Vec<char> = match kind {
                0 => piece.chars().collect(),
                1 => range.iter().chain(&range).copied().chain(piece.chars()).collect(),
                _ => Vec::new(),
            };
            letters.splice(from..to, new);
        }
        letters.into_iter().collect()
    })
}

/// The variable of a key, for the market `us` where it is a market's.
fn variable(path: &str) -> String {
    format!("EVERCART_{}", path.replace('*', "us").replace('.', "__").to_uppercase())
}

proptest! {
    #[test]
    fn s6_any_text_is_settings_or_refused(toml in any::<String>()) {
        try_to_load(&toml, &[]);
    }

    #[test]
    fn s6_a_broken_file_is_settings_or_refused(toml in broken()) {
        try_to_load(&toml, &[]);
    }

    #[test]
    fn s6_any_value_of_any_key_is_a_setting_or_refused(
        index: Index,
        value in "\\PC{0,12}|[0-9]{1,22}[smhdy]?|[-+.0-9e]{1,12}|[\\[{\"][^\u{0}]{0,12}",
    ) {
        let key = &KEYS[index.index(KEYS.len())];
        try_to_load("", &[(variable(key.path), value.clone())]);
        let path = key.path.replace('*', "us");
        try_to_load(&format!("{path} = {value}\n"), &[]);
        try_to_load(&format!("{path} = {value:?}\n"), &[]);
    }

    #[test]
    fn s7_no_secret_is_told_whatever_is_wrong_with_it(
        index: Index,
        before in "[ -~]{0,4}",
        behind in "[ -~]{0,4}",
    ) {
        let secrets: Vec<_> = KEYS.iter().filter(|key| key.secret).collect();
        let key = secrets[index.index(secrets.len())];
        let value = format!("{before}{SECRET}{behind}");
        try_to_load("", &[(variable(key.path), value)]);
    }
}

#[test]
fn the_file_that_is_broken_above_is_whole() {
    assert!(try_to_load(WHOLE, &[]));
}

#[test]
fn s6_the_corpus_of_configurations_is_read_as_its_names_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/config");
    let mut tried = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let content = std::fs::read_to_string(&path).expect("a file of ours");
        assert_eq!(try_to_load(&content, &[]), name.starts_with("good-"), "{name}");
        tried += 1;
    }
    assert!(tried >= 10, "{tried} files");
}

//! `evercart keys list` and `rotate`.

use jiff::SignedDuration;

use crate::cli;
use crate::config::Settings;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::{clock, output, stores};

/// Servers that share a key file look at it every second.
const SHARED_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// Past it, a mistake in the unit is likelier than a wish.
const AFTER_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Lists or rotates.
///
/// # Errors
/// The key file cannot be read or written.
pub fn run(settings: &Settings, action: &cli::Keys) -> anyhow::Result<()> {
    let file = &settings.storage.keys;
    let now = clock::system().now();
    match action {
        cli::Keys::List(arguments) => {
            let keys = Keys::load(file)?.ok_or_else(|| {
                Failure::new(format!("there are no keys in {} yet", file.display()))
                    .hint("`evercart serve` makes them at its first start")
            })?;
            if arguments.json {
                return output::print_json(&keys.list(now));
            }
            let mut text = String::from("key       made                  use\n");
            for key in keys.list(now) {
                let role = if key.signs { "signs and verifies" } else { "verifies" };
                text.push_str(&format!("{}  {:20}  {role}\n", key.id, key.created_at.to_string()));
            }
            output::print(&text)
        }
        cli::Keys::Rotate(arguments) => {
            let after = sign_after(settings, arguments)?;
            let keys = Keys::rotate(file, now, after, settings.auth.token_lifetime)?;
            let list = keys.list(now);
            let (newest, earlier) = list.split_first().expect("a rotation made one");
            let from = match after.is_zero() {
                true => "from now on".to_owned(),
                false => format!("{after:#} from now, when every server should have it"),
            };
            output::print(&format!(
                "Key {} signs {from}; earlier ones that go on verifying: {}. A running server \
                 picks it up within a second or two.\n",
                newest.id,
                earlier.len()
            ))
        }
    }
}

/// How long a new key waits. A server alone with its files has it at once.
fn sign_after(settings: &Settings, arguments: &cli::KeysRotate) -> anyhow::Result<SignedDuration> {
    let Some(text) = &arguments.sign_after else {
        let storage = &settings.storage;
        let is_alone = settings.markets.iter().all(|m| stores::is_in_file(storage, &m.name));
        return Ok(if is_alone { SignedDuration::ZERO } else { SHARED_AFTER });
    };
    let duration = text.parse::<SignedDuration>().ok().filter(|after| !after.is_negative());
    duration.filter(|after| *after <= AFTER_MAX).ok_or_else(|| {
        Failure::used_wrongly(format!("--sign-after {text:?} is not a duration of at most a day"))
            .hint("write it like 30s or 10m")
            .into()
    })
}

//! `evercart keys list` and `rotate`.

use crate::cli;
use crate::config::Settings;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::{clock, output};

/// Lists or rotates.
///
/// # Errors
/// The key file cannot be read or written.
pub fn run(settings: &Settings, action: &cli::Keys) -> anyhow::Result<()> {
    let data = &settings.storage.data;
    match action {
        cli::Keys::List(arguments) => {
            let keys = Keys::load(data)?.ok_or_else(|| {
                Failure::new(format!("there are no keys in {} yet", data.display()))
                    .hint("`evercart serve` makes them at its first start")
            })?;
            if arguments.json {
                return output::print_json(&keys.list());
            }
            let mut text = String::from("key       made                  use\n");
            for key in keys.list() {
                let role = if key.signs { "signs and verifies" } else { "verifies" };
                text.push_str(&format!("{}  {:20}  {role}\n", key.id, key.created_at.to_string()));
            }
            output::print(&text)
        }
        cli::Keys::Rotate => {
            let now = clock::system().now();
            let keys = Keys::rotate(data, now, settings.auth.token_lifetime)?;
            let list = keys.list();
            let (newest, earlier) = list.split_first().expect("a rotation made one");
            output::print(&format!(
                "Key {} signs from now on; {} earlier go on verifying. A running server picks it \
                 up within a second or two.\n",
                newest.id,
                earlier.len()
            ))
        }
    }
}

//! The key file: the keys that sign tokens and the one that hashes codes. It lives beside the
//! databases but never in them, and is readable by its owner only.
//!
//! If it is lost, customers sign in again and codes under way are void; nothing else is lost.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use evercart_core::code::Hasher;
use evercart_core::token::{TokenKey, TokenKeys};
use jiff::{SignedDuration, Timestamp};
use rand::{CryptoRng, RngExt};
use serde::{Deserialize, Serialize};

use crate::config::Storage;
use crate::failure::Failure;
use crate::private_file::{self, directory_of};
use crate::unusable::{Use, unusable};

const FILE: &str = "keys.json";

/// The format's version.
const VERSION: u32 = 1;

/// How long a replaced key goes on verifying at least. Tokens live 30 minutes by default; a day
/// leaves room for somebody who changes that.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// A token key as the file holds it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    id: String,
    secret: Secret,
    created_at: Timestamp,
    /// Until then it only verifies, so that every server has it before a token needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signs_from: Option<Timestamp>,
}

/// What is in the file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    version: u32,
    /// The newest first: it signs, or will.
    token_keys: Vec<StoredKey>,
    code_key: Secret,
}

/// 256 bits, base64 in the file.
#[derive(Clone, PartialEq, Eq)]
struct Secret([u8; 32]);

/// A key as it may be shown.
#[derive(Debug, Serialize)]
pub struct ListedKey {
    /// Its `kid`.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// True for the one that signs; the others only verify.
    pub signs: bool,
}

impl Keys {
    /// The keys of a server, made at the first run unless somebody brings them.
    ///
    /// # Errors
    /// As [`Keys::load_or_create`], or those that were to be brought are not there.
    pub fn of(storage: &Storage, now: Timestamp) -> anyhow::Result<Self> {
        if !storage.keys_are_brought {
            return Self::load_or_create(&storage.keys, now);
        }
        Self::load(&storage.keys)?.ok_or_else(|| {
            let file = storage.keys.display();
            Failure::new(format!("storage.keys_file names {file}, which is not there"))
                .hint(format!(
                    "start once without it and bring keys.json of the data directory to {file}"
                ))
                .into()
        })
    }

    /// Reads the file, making it at the first run.
    ///
    /// # Errors
    /// It cannot be read or made, others may read it, or it is damaged.
    pub fn load_or_create(file: &Path, now: Timestamp) -> anyhow::Result<Self> {
        if let Some(keys) = Self::load(file)? {
            return Ok(keys);
        }
        let _turn = take_turn(file)?;
        // Another process may have made it while this one waited for its turn.
        if let Some(keys) = Self::load(file)? {
            return Ok(keys);
        }
        let mut rng = rand::rng();
        let keys = Self {
            version: VERSION,
            token_keys: vec![StoredKey::draw(now, &mut rng)],
            code_key: Secret::draw(&mut rng),
        };
        keys.save(file)?;
        Ok(keys)
    }

    /// Reads the file; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read, others may read it, or it is damaged.
    pub fn load(path: &Path) -> anyhow::Result<Option<Self>> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(path, Use::Read, &error).into()),
        };
        refuse_if_others_can_read(path)?;
        let keys: Self = serde_json::from_slice(&text).map_err(|error| {
            damaged(path, &format!("line {}, column {}", error.line(), error.column()))
        })?;
        if keys.version != VERSION || keys.token_keys.is_empty() {
            return Err(damaged(path, "it has another version, or no keys").into());
        }
        Ok(Some(keys))
    }

    /// Makes a new key that signs after a while, and drops those that were replaced long before
    /// `now`. `lifetime` is how long tokens live: a key is kept at least as long as the last token
    /// it signed.
    ///
    /// # Errors
    /// As [`Keys::load`], or the file cannot be written.
    pub fn rotate(
        file: &Path,
        now: Timestamp,
        after: SignedDuration,
        lifetime: SignedDuration,
    ) -> anyhow::Result<Self> {
        let _turn = take_turn(file)?;
        let mut keys = Self::load(file)?.ok_or_else(|| {
            Failure::new(format!("there are no keys in {} yet", file.display()))
                .hint("`evercart serve` makes them at its first start")
        })?;
        let overlap = OVERLAP.max(lifetime);
        let mut replaced_at = now;
        keys.token_keys.retain(|key| {
            let keep = replaced_at.duration_until(now) <= overlap;
            replaced_at = key.signs_from.unwrap_or(key.created_at);
            keep
        });
        let mut key = StoredKey::draw(now, &mut rand::rng());
        key.signs_from = after.is_positive().then(|| now + after);
        keys.token_keys.insert(0, key);
        keys.save(file)?;
        Ok(keys)
    }

    /// The keys as the server uses them now.
    pub fn token_keys(&self, issuer: &str, now: Timestamp) -> TokenKeys {
        let keys = self.token_keys.iter().map(|key| TokenKey::new(&key.id, &key.secret.0));
        let mut keys: Vec<_> = keys.collect();
        let signing = keys.remove(self.signing(now));
        TokenKeys::new(signing, keys, issuer)
    }

    /// True if all keys that will sign do so already.
    pub fn is_settled(&self, now: Timestamp) -> bool {
        self.signing(now) == 0
    }

    /// The place of the key that signs: the newest whose time has come.
    fn signing(&self, now: Timestamp) -> usize {
        let has_come = |key: &StoredKey| key.signs_from.is_none_or(|from| from <= now);
        // With a clock that was set back, the oldest.
        self.token_keys.iter().position(has_come).unwrap_or(self.token_keys.len() - 1)
    }

    /// What hashes codes, phones and addresses.
    pub fn hasher(&self) -> Hasher {
        Hasher::new(&self.code_key.0)
    }

    /// The keys without their secrets.
    pub fn list(&self, now: Timestamp) -> Vec<ListedKey> {
        let signing = self.signing(now);
        let shown = |(index, key): (usize, &StoredKey)| ListedKey {
            id: key.id.clone(),
            created_at: key.created_at,
            signs: index == signing,
        };
        self.token_keys.iter().enumerate().map(shown).collect()
    }

    fn save(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(self).context("cannot write keys as JSON")?;
        text.push(b'\n');
        private_file::write(path, &text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Where the key file is, unless it was named.
pub fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// One process at a time makes or rotates keys; the kernel lets go when the handle is dropped.
fn take_turn(file: &Path) -> anyhow::Result<File> {
    let data = directory_of(file);
    let failed = || format!("cannot lock {}", data.display());
    let directory = File::open(data).with_context(failed)?;
    match directory.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => directory.lock().with_context(failed)?,
        Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
    }
    Ok(directory)
}

#[cfg(unix)]
fn is_credential(path: &Path) -> bool {
    #[expect(clippy::disallowed_methods, reason = "only systemd says where credentials are")]
    let directory = std::env::var_os("CREDENTIALS_DIRECTORY");
    directory.is_some_and(|directory| !directory.is_empty() && path.starts_with(directory))
}

#[cfg(unix)]
fn refuse_if_others_can_read(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(path)
        .with_context(|| format!("cannot read the permissions of {}", path.display()))?;
    let mode = metadata.permissions().mode() & 0o777;
    // What systemd hands over lies in a directory that only the service can enter, whatever the
    // mode says.
    if mode & 0o077 == 0 || is_credential(path) {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::new(format!(
        "the keys in {path} can be read by others (mode {mode:04o}): whoever has them can sign \
         anybody in"
    ))
    .hint(format!("run `chmod 600 {path}`, then `evercart keys rotate` if somebody may have"))
    .into())
}

#[cfg(not(unix))]
fn refuse_if_others_can_read(_path: &Path) -> anyhow::Result<()> {
    Ok(())
}

fn damaged(path: &Path, why: &str) -> Failure {
    let path = path.display();
    Failure::new(format!("the key file {path} is damaged ({why})")).hint(format!(
        "put a copy of it back, or move it away: the next start makes new keys, customers then \
         sign in again, and nothing else is lost (`mv {path} {path}.damaged`)"
    ))
}

impl StoredKey {
    fn draw(now: Timestamp, rng: &mut impl CryptoRng) -> Self {
        let id = format!("{:08x}", rng.random::<u32>());
        // Whole seconds are what tokens count in, and what a person can read.
        let created_at = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self { id, secret: Secret::draw(rng), created_at, signs_from: None }
    }
}

impl Secret {
    fn draw(rng: &mut impl CryptoRng) -> Self {
        Self(rng.random())
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("not 32 bytes in base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evercart_core::ids::UserId;
    use evercart_core::incarnation::Incarnation;
    use evercart_core::market::MarketName;
    use evercart_core::user::Session;

    const LIFETIME: SignedDuration = SignedDuration::from_mins(30);
    const NOW: SignedDuration = SignedDuration::ZERO;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + hours * 3600).expect("in range")
    }

    fn data() -> tempfile::TempDir {
        tempfile::tempdir().expect("a directory")
    }

    #[test]
    fn keys_are_made_once_and_read_back() {
        let data = data();
        assert!(Keys::load(&path(data.path())).expect("readable").is_none());
        let made = Keys::load_or_create(&path(data.path()), at(0)).expect("made");
        let read = Keys::load_or_create(&path(data.path()), at(5)).expect("read");
        assert_eq!(made.token_keys[0].id, read.token_keys[0].id);
        assert!(made.token_keys[0].secret == read.token_keys[0].secret);
        assert!(made.code_key == read.code_key);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_them() {
        use std::os::unix::fs::PermissionsExt;
        let data = data();
        Keys::load_or_create(&path(data.path()), at(0)).expect("made");
        let file = path(data.path());
        let mode = || std::fs::metadata(&file).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        Keys::rotate(&file, at(1), NOW, LIFETIME).expect("rotated");
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("ours");
        let (text, _) = crate::failure::report(&Keys::load(&file).err().expect("refused"));
        assert!(text.contains("mode 0640") && text.contains("chmod 600"), "{text}");
    }

    #[test]
    fn a_rotation_signs_nobody_out() {
        let data = data();
        let before = Keys::load_or_create(&path(data.path()), at(0)).expect("made");
        let us = MarketName::new("us").expect("us");
        let session = Session { user_id: UserId(19), epoch: 0, incarnation: Incarnation(7) };
        let token = before.token_keys("evercart", at(0)).issue(
            session,
            &us,
            at(0),
            LIFETIME,
            &mut rand::rng(),
        );
        let after = Keys::rotate(&path(data.path()), at(0), NOW, LIFETIME).expect("rotated");
        assert!(after.token_keys("evercart", at(0)).verify(&token.token, at(0)).is_ok());
        let (after, before) = (after.list(at(0)), before.list(at(0)));
        assert_ne!(after[0].id, before[0].id);
        assert!(after[0].signs && !after[1].signs);
    }

    /// U4: a token is never older than the key's arrival at the last server.
    #[test]
    fn a_key_that_waits_verifies_before_it_signs() {
        let data = data();
        Keys::load_or_create(&path(data.path()), at(0)).expect("made");
        let hour = SignedDuration::from_hours(1);
        let keys = Keys::rotate(&path(data.path()), at(1), hour, LIFETIME).expect("rotated");
        let us = MarketName::new("us").expect("us");
        let session = Session { user_id: UserId(19), epoch: 0, incarnation: Incarnation(7) };
        let issue = |hours| {
            let keys = keys.token_keys("evercart", at(hours));
            keys.issue(session, &us, at(hours), LIFETIME, &mut rand::rng()).token
        };
        let (early, late) = (issue(1), issue(2));
        assert_ne!(early.split('.').next(), late.split('.').next(), "another key signs then");
        assert!(keys.token_keys("evercart", at(1)).verify(&late, at(2)).is_ok());
        assert!(keys.token_keys("evercart", at(2)).verify(&early, at(1)).is_ok());
        assert!(!keys.is_settled(at(1)) && keys.is_settled(at(2)));
        let read = Keys::load(&path(data.path())).expect("readable").expect("there");
        assert!(read.list(at(1))[1].signs && read.list(at(2))[0].signs);
    }

    #[test]
    fn a_key_is_dropped_a_day_after_it_was_replaced() {
        let data = data();
        let first = Keys::load_or_create(&path(data.path()), at(0)).expect("made");
        Keys::rotate(&path(data.path()), at(1000), NOW, LIFETIME).expect("rotated");
        let first_id = &first.token_keys[0].id;
        let held = |keys: &Keys| keys.token_keys.iter().any(|key| &key.id == first_id);
        // Old, but replaced only 24 hours ago.
        assert!(held(&Keys::rotate(&path(data.path()), at(1024), NOW, LIFETIME).expect("rotated")));
        assert!(!held(
            &Keys::rotate(&path(data.path()), at(1025), NOW, LIFETIME).expect("rotated")
        ));
    }

    #[test]
    fn a_key_outlives_the_last_token_it_signed() {
        let data = data();
        Keys::load_or_create(&path(data.path()), at(0)).expect("made");
        let lifetime = SignedDuration::from_hours(100);
        Keys::rotate(&path(data.path()), at(1), NOW, lifetime).expect("rotated");
        let keys = Keys::rotate(&path(data.path()), at(101), NOW, lifetime).expect("rotated");
        assert_eq!(keys.list(at(102)).len(), 3);
        let keys = Keys::rotate(&path(data.path()), at(102), NOW, lifetime).expect("rotated");
        assert_eq!(keys.list(at(102)).len(), 3);
    }

    #[test]
    fn a_damaged_file_says_what_is_lost() {
        for content in [
            "",
            "{",
            "{\"version\":1}",
            "[]",
            "{\"version\":1,\"token_keys\":[],\
            \"code_key\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}",
        ] {
            let data = data();
            private_file::write(&path(data.path()), content.as_bytes()).expect("written");
            let error = Keys::load(&path(data.path())).err().expect("refused");
            let (text, _) = crate::failure::report(&error);
            assert!(text.contains("damaged") && text.contains("customers then"), "{text}");
        }
    }
}

//! Access tokens: JWTs (RFC 7519, RFC 9068's `at+jwt`) signed with HMAC-SHA-256, made and read
//! here.
//!
//! The server reads only tokens that it wrote itself, so the header is not interpreted at all: it
//! must be, byte for byte, the header that one of the keys writes. With that, `none`, another
//! algorithm, `kid` tricks, `jku`, `jwk` and `crit` (RFC 8725 sections 2 and 3) have nothing to act
//! on.

mod base64url;

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use rand::{CryptoRng, RngExt};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use thiserror::Error;

use crate::ids::{ID_MAX, UserId};
use crate::incarnation::Incarnation;
use crate::market::MarketName;
use crate::user::Session;
use base64url::decode;

/// The longest token looked at. Ours are under 500 bytes.
const TOKEN_BYTES_MAX: usize = 1024;

/// The longest name of a key that is repeated. Ours have 8 letters.
const KEY_ID_BYTES_MAX: usize = 64;

/// How far the clocks of two servers may be apart before one refuses what the other has just
/// written.
pub const CLOCK_SKEW_MAX: SignedDuration = SignedDuration::from_mins(5);

/// Who the tokens are for (`aud`).
const AUDIENCE: &str = "evercart-api";

/// A key that signs tokens. `Debug` hides the secret.
#[derive(Clone)]
pub struct TokenKey {
    /// Its name, the token's `kid`.
    id: Arc<str>,
    /// The token's first part, base64url, as this key writes it.
    header: Arc<str>,
    keyed: Hmac<Sha256>,
}

impl TokenKey {
    /// A key named `id` with a 256-bit secret (RFC 7518 section 3.2 asks for at least that).
    pub fn new(id: &str, secret: &[u8; 32]) -> Self {
        let keyed = Hmac::new_from_slice(secret)
            .expect("HMAC takes a key of any length (RFC 2104 section 2)");
        Self { id: id.into(), header: header_of(id).into(), keyed }
    }

    /// The key's name.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn sign(&self, signed_part: &str) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        mac.update(signed_part.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn verifies(&self, signed_part: &str, signature: &[u8]) -> bool {
        let mut mac = self.keyed.clone();
        mac.update(signed_part.as_bytes());
        mac.verify_slice(signature).is_ok()
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({})", self.id)
    }
}

/// The first part of a token that is signed with the key of this name.
fn header_of(id: &str) -> String {
    #[derive(Serialize)]
    struct Header<'a> {
        alg: &'a str,
        typ: &'a str,
        kid: &'a str,
    }
    let header = Header { alg: "HS256", typ: "at+jwt", kid: id };
    let header = serde_json::to_vec(&header).expect("three strings are always JSON");
    URL_SAFE_NO_PAD.encode(header)
}

/// What a token's header says of the key.
#[derive(Deserialize)]
struct Named<'a> {
    kid: &'a str,
}

/// The keys in force: the first signs, all verify, so that a rotation signs nobody out.
#[derive(Debug, Clone)]
pub struct TokenKeys {
    signing: TokenKey,
    earlier: Vec<TokenKey>,
    issuer: String,
}

impl TokenKeys {
    /// `issuer` is the `iss` of every token written and accepted.
    pub fn new(signing: TokenKey, earlier: Vec<TokenKey>, issuer: &str) -> Self {
        Self { signing, earlier, issuer: issuer.to_owned() }
    }

    /// The keys' names, the one that signs first.
    pub fn names(&self) -> Vec<String> {
        std::iter::once(&self.signing).chain(&self.earlier).map(|key| key.id.to_string()).collect()
    }

    /// Writes a token for `session` in `market`, good for `lifetime` from `now` on.
    pub fn issue(
        &self,
        session: Session,
        market: &MarketName,
        now: Timestamp,
        lifetime: SignedDuration,
        rng: &mut impl CryptoRng,
    ) -> IssuedToken {
        let issued_at = now.as_second();
        let expires_at = issued_at + lifetime.as_secs();
        // 128 random bits make two tokens of one second different.
        let jti = URL_SAFE_NO_PAD.encode(rng.random::<[u8; 16]>());
        let claims = Claims {
            user_id: session.user_id.0,
            market: market.as_str(),
            exp: expires_at,
            iat: issued_at,
            jti: &jti,
            iss: &self.issuer,
            aud: AUDIENCE,
            epoch: session.epoch,
            inc: &session.incarnation.to_string(),
            nbf: None,
        };
        let claims = serde_json::to_vec(&claims).expect("strings and integers are always JSON");
        let mut token = format!("{}.{}", self.signing.header, URL_SAFE_NO_PAD.encode(claims));
        let signature = self.signing.sign(&token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        let expires_at = Timestamp::from_second(expires_at).unwrap_or(Timestamp::MAX);
        IssuedToken { token, expires_at }
    }

    /// Reads a token: genuine, ours, unexpired, complete. Whether its user is still signed in, only
    /// the store knows.
    ///
    /// # Errors
    /// `Expired` for a genuine token past its `exp`; `Invalid` for everything else.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<VerifiedToken, TokenError> {
        let token = self.read(token, now)?;
        if token.expires_at > now { Ok(token) } else { Err(TokenError::Expired) }
    }

    /// Whose token it is, if it is genuine and ours, be it expired. It opens nothing: it only tells
    /// a customer who asks for a code from a stranger who does.
    pub fn recognize(&self, token: &str, now: Timestamp) -> Option<(UserId, MarketName)> {
        let token = self.read(token, now).ok()?;
        Some((token.session.user_id, token.market))
    }

    /// Reads a genuine token of ours, expired or not.
    fn read(&self, token: &str, now: Timestamp) -> Result<VerifiedToken, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Invalid);
        }
        let (signed_part, signature) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
        let (header, payload) = signed_part.split_once('.').ok_or(TokenError::Invalid)?;
        let key = self.key_that_writes(header).ok_or(TokenError::Invalid)?;
        let signature = decode::<33>(signature)?;
        if !key.verifies(signed_part, signature.bytes()) {
            return Err(TokenError::Invalid);
        }
        let payload = decode::<TOKEN_BYTES_MAX>(payload)?;
        let claims: Claims<'_> =
            serde_json::from_slice(payload.bytes()).map_err(|_| TokenError::Invalid)?;
        self.accept(&claims, now)
    }

    /// The name of the key by which a token says that it is signed, if it is one of ours that would
    /// be good at `now` if only the key were here. Nobody has looked at the signature.
    pub fn unknown_key(&self, token: &str, now: Timestamp) -> Option<String> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (signed_part, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed_part.split_once('.')?;
        decode::<33>(signature).ok()?;
        let read = decode::<TOKEN_BYTES_MAX>(header).ok()?;
        let Named { kid } = serde_json::from_slice(read.bytes()).ok()?;
        let is_name = (1..=KEY_ID_BYTES_MAX).contains(&kid.len())
            && kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let is_known =
            std::iter::once(&self.signing).chain(&self.earlier).any(|key| *key.id == *kid);
        // As a server of ours writes it, and nothing else.
        if !is_name || is_known || header_of(kid) != header {
            return None;
        }
        let payload = decode::<TOKEN_BYTES_MAX>(payload).ok()?;
        let claims: Claims<'_> = serde_json::from_slice(payload.bytes()).ok()?;
        let is_good = self.accept(&claims, now).is_ok_and(|token| token.expires_at > now);
        is_good.then(|| kid.to_owned())
    }

    fn key_that_writes(&self, header: &str) -> Option<&TokenKey> {
        std::iter::once(&self.signing).chain(&self.earlier).find(|key| &*key.header == header)
    }

    fn accept(&self, claims: &Claims<'_>, now: Timestamp) -> Result<VerifiedToken, TokenError> {
        let ours = claims.iss == self.issuer && claims.aud == AUDIENCE;
        let sane = (1..=ID_MAX).contains(&claims.user_id)
            && claims.epoch >= 0
            && claims.exp > claims.iat
            && !claims.jti.is_empty();
        if !ours || !sane {
            return Err(TokenError::Invalid);
        }
        let market = MarketName::new(claims.market).map_err(|_| TokenError::Invalid)?;
        let expires_at = Timestamp::from_second(claims.exp).map_err(|_| TokenError::Invalid)?;
        let incarnation = Incarnation::parse(claims.inc).ok_or(TokenError::Invalid)?;
        let session = Session { user_id: UserId(claims.user_id), epoch: claims.epoch, incarnation };
        let issued_at = Timestamp::from_second(claims.iat).map_err(|_| TokenError::Invalid)?;
        let not_before = claims.nbf.unwrap_or(claims.iat).max(claims.iat);
        if not_before > now.as_second() + CLOCK_SKEW_MAX.as_secs() {
            return Err(TokenError::Invalid);
        }
        Ok(VerifiedToken { session, market, issued_at, expires_at })
    }
}

/// A freshly written token.
#[derive(Clone)]
pub struct IssuedToken {
    /// The JWT.
    pub token: String,
    /// The end of it.
    pub expires_at: Timestamp,
}

/// What a genuine, unexpired token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Whose it is, as of which epoch.
    pub session: Session,
    /// In which market.
    pub market: MarketName,
    /// Since when: that is when its owner signed in.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

impl VerifiedToken {
    /// The token, if it is good for at most `lifetime_max`. The shop writes none for longer, so one
    /// that claims more was written by somebody else with the key, or before the shop decided so.
    ///
    /// # Errors
    /// `Invalid` if it is for longer.
    pub fn within(self, lifetime_max: SignedDuration) -> Result<Self, TokenError> {
        let is_within = self.expires_at.duration_since(self.issued_at) <= lifetime_max;
        if is_within { Ok(self) } else { Err(TokenError::Invalid) }
    }
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum TokenError {
    /// Forged, malformed, of another issuer, or of a key no longer in force.
    #[error("Invalid token")]
    Invalid,
    /// Genuine, but past its end.
    #[error("Token expired")]
    Expired,
}

#[derive(Serialize, Deserialize)]
struct Claims<'a> {
    user_id: i64,
    market: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
    iss: &'a str,
    aud: &'a str,
    epoch: i64,
    inc: &'a str,
    /// Not written, but where it is, it counts (RFC 7519 section 4.1.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
}

#[cfg(test)]
mod tests;

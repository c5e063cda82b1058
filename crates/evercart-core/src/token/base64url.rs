//! The parts of a token, decoded.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::TokenError;

/// Decoded bytes on the stack: a token costs no allocation to read.
pub(super) struct Decoded<const N: usize> {
    buffer: [u8; N],
    length: usize,
}

impl<const N: usize> Decoded<N> {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

/// Decodes unpadded base64url (RFC 4648 section 5) of at most `N` bytes.
pub(super) fn decode<const N: usize>(text: &str) -> Result<Decoded<N>, TokenError> {
    let mut buffer = [0; N];
    let length =
        URL_SAFE_NO_PAD.decode_slice(text, &mut buffer).map_err(|_| TokenError::Invalid)?;
    Ok(Decoded { buffer, length })
}

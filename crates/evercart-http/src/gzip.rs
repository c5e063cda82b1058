//! Answers compressed with gzip (RFC 1952) for clients that take that.

use std::io::Write;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::header_list;

/// How much time is spent on it.
pub(crate) enum Effort {
    /// It is sent once.
    Once,
    /// It is kept.
    Kept,
}

/// True for a client that takes gzip.
pub(crate) fn is_taken(asked: &HeaderMap) -> bool {
    let wanted = header_list::weighted(asked, &header::ACCEPT_ENCODING);
    wanted.iter().any(|coding| coding.eq_ignore_ascii_case("gzip"))
}

/// The compressed form of `plain`.
pub(crate) fn packed(plain: &[u8], effort: Effort) -> Bytes {
    let level = match effort {
        Effort::Once => Compression::fast(),
        Effort::Kept => Compression::default(),
    };
    let mut packed = GzEncoder::new(Vec::new(), level);
    let packed = packed.write_all(plain).and_then(|()| packed.finish());
    packed.expect("a vector takes everything").into()
}

/// An answer with what was made for it, compressed if the client takes that. The caller says what
/// it is, and that it varies.
pub(crate) fn answer(plain: Bytes, asked: &HeaderMap) -> Response {
    if !is_taken(asked) {
        return plain.into_response();
    }
    let coding = HeaderValue::from_static("gzip");
    ([(header::CONTENT_ENCODING, coding)], packed(&plain, Effort::Once)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_only_to_who_takes_it() {
        let takes = |value: &'static str| {
            is_taken(&HeaderMap::from_iter([(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static(value),
            )]))
        };
        assert!(takes("gzip, deflate, br") && takes("br;q=1.0, GZIP;q=0.8"));
        assert!(!takes("br") && !takes("gzip;q=0") && !takes("gzip; q=0.0") && !takes(""));
        assert!(!is_taken(&HeaderMap::new()));
    }
}

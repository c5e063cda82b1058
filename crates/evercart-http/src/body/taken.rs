//! Takes bodies in, whole and no larger than a shop's requests are.

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use crate::problem::{Code, Problem};

/// The largest body taken. The largest sensible one, an order with long notes, has 10 KiB.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// How much of a body that is too large is read and thrown away. Most clients listen only after
/// they have sent everything; one that sends more than this is cut off.
const DISCARDED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Reads the whole body, whatever is in it.
pub(crate) async fn read(request: Request) -> Result<Bytes, Problem> {
    let (parts, body) = request.into_parts();
    collect(&parts.headers, body).await
}

/// Takes the body in before anything looks at the request. An answer that goes out before the body
/// came in would close the connection behind the client's back.
pub(crate) async fn take_in(request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = collect(&parts.headers, body).await?;
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

async fn collect(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            Code::BodyTooLarge,
            format!("A body has at most {} KiB.", BODY_BYTES_MAX / 1024),
        )
    };
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let mut chunks = body.into_data_stream();
    if announced.is_some_and(|length| length > BODY_BYTES_MAX as u64) {
        if announced.is_some_and(|length| length <= DISCARDED_BYTES_MAX as u64) {
            discard(chunks).await;
        }
        return Err(too_large());
    }
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        // The client hung up or sent broken chunks: it is told, if it can still hear.
        let chunk = chunk
            .map_err(|_| Problem::new(Code::MalformedJson, "The body broke off before its end."))?;
        if first.as_ref().map_or(0, Bytes::len) + all.len() + chunk.len() > BODY_BYTES_MAX {
            discard(chunks).await;
            return Err(too_large());
        }
        // Nearly every body is one chunk, which then is not copied.
        match &first {
            None if all.is_empty() => first = Some(chunk),
            _ => {
                if let Some(head) = first.take() {
                    all.extend_from_slice(&head);
                }
                all.extend_from_slice(&chunk);
            }
        }
    }
    Ok(first.unwrap_or_else(|| all.freeze()))
}

async fn discard(mut chunks: BodyDataStream) {
    let mut left = DISCARDED_BYTES_MAX;
    while let Some(Ok(chunk)) = chunks.next().await {
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_bounded_in_one_piece_and_in_many() {
        let read_body = |body: Body| read(Request::new(body));
        let whole = "x".repeat(BODY_BYTES_MAX);
        assert_eq!(read_body(Body::from(whole.clone())).await.expect("fits").len(), whole.len());
        let over = read_body(Body::from(format!("{whole}x"))).await.expect_err("too large");
        assert_eq!(over.code(), Code::BodyTooLarge);
        let chunks = |count: usize| {
            let chunk = Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1024]));
            let chunks: Vec<_> = (0..count)
                .map(|_| {
                    chunk.as_ref().map(Clone::clone).map_err(|_| std::io::Error::other("never"))
                })
                .collect();
            Body::from_stream(futures_util::stream::iter(chunks))
        };
        assert_eq!(read_body(chunks(64)).await.expect("fits").len(), whole.len());
        let over = read_body(chunks(65)).await.expect_err("too large");
        assert_eq!(over.code(), Code::BodyTooLarge);
    }
}

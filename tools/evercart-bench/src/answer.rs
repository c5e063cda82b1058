//! The little of HTTP/1.1 that a load generator needs: where an answer ends, and its status.

use anyhow::{Context, Result, bail};

/// A whole answer at the beginning of a buffer.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Answer {
    /// As in `200`.
    pub status: u16,
    /// Where its body begins.
    pub body: usize,
    /// Where it ends.
    pub end: usize,
}

impl Answer {
    /// True if what was asked for was done.
    pub fn is_success(self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The answer at the beginning of `bytes`, once it is there whole.
///
/// # Errors
/// If it is not HTTP/1.1 with a length.
pub fn parse(bytes: &[u8]) -> Result<Option<Answer>> {
    let Some(head_bytes) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = &bytes[..head_bytes + 2];
    let body = head_bytes + 4;
    let digits = head.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let status = digits.and_then(number).context("the answer is not HTTP/1.1")?;
    let length = match length(head) {
        Some(length) => length,
        None if matches!(status, 204 | 304) => 0,
        None => bail!("the answer has no Content-Length"),
    };
    let end = body + length;
    let status = u16::try_from(status).context("the status has three digits")?;
    Ok((bytes.len() >= end).then_some(Answer { status, body, end }))
}

fn length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let line = head
        .split(|byte| *byte == b'\n')
        .find(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)))?;
    number(line[NAME.len()..].trim_ascii())
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nokHTTP/1.1 ";
        let whole = parse(bytes).expect("it is HTTP");
        assert_eq!(whole, Some(Answer { status: 200, body: 44, end: 46 }));
        for cut in [0, 20, 43, 45] {
            assert_eq!(parse(&bytes[..cut]).expect("it may become HTTP"), None, "{cut}");
        }
    }

    #[test]
    fn an_answer_without_an_end_is_an_error() {
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(parse(b"SSH-2.0\r\n\r\n").is_err());
        let unchanged = parse(b"HTTP/1.1 304 Not Modified\r\n\r\n").expect("it is HTTP");
        assert_eq!(unchanged.map(|answer| answer.status), Some(304));
    }
}

//! Files that are no catalogue file: each is called what it is, with how to make one of it.

use std::io::{BufRead as _, Read as _};
use std::path::Path;

use crate::failure::Failure;

use super::{BYTE_ORDER_MARK, Source, looks_like_ndjson, unreadable};

/// Refuses what can be told apart by its first bytes.
///
/// # Errors
/// It is empty, or something else.
pub(super) fn refuse(content: &[u8], name: &Path) -> Result<(), Failure> {
    let shown = match name == Path::new("-") {
        true => "standard input".to_owned(),
        false => name.display().to_string(),
    };
    let is = |what: &str, hint: &str| Err(Failure::new(format!("{shown} {what}")).hint(hint));
    let text = content.trim_ascii_start();
    let first_line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match content {
        _ if text.is_empty() => is(
            "is empty",
            "nothing was changed; see that what writes it has ended well. `evercart catalog \
             export` shows what a file looks like",
        ),
        [b'P', b'K', 3, 4, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => is(
            "is a spreadsheet or an archive (such as xlsx), not CSV",
            "open it and save it as \"CSV UTF-8 (comma delimited)\"",
        ),
        [0x1f, 0x8b, ..] => is(
            "is compressed with gzip",
            "unpack it on the way: `gzip -dc FILE | evercart catalog import -`",
        ),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => is("is UTF-16, not UTF-8", "save it as UTF-8"),
        _ if content.starts_with(b"%PDF") => is("is a PDF, not CSV", "export it as CSV"),
        _ if text.starts_with(b"<") => is(
            "is HTML or XML, not CSV",
            "a download that needed a sign-in often ends as such a page: look into it",
        ),
        _ if text.starts_with(b"[") => is(
            "is a JSON array; import takes CSV, or NDJSON, which has one object a line",
            "make it that: `jq -c '.[]' FILE > FILE.ndjson`",
        ),
        _ if text.starts_with(b"{") && !first_line.trim_ascii_end().ends_with(b"}") => is(
            "is JSON over several lines; import takes CSV, or NDJSON, which has one object a line",
            "make it that: `jq -c . FILE > FILE.ndjson`",
        ),
        _ => Ok(()),
    }
}

/// Refuses a table with a cell that begins with a quote and never ends: a reader takes the rest of
/// the file for that cell, and complains of anything but the quote.
///
/// # Errors
/// There is such a cell, or the file cannot be read.
pub(super) fn refuse_open_quote(mut input: Source, name: &Path) -> Result<(), Failure> {
    let begin = input.fill_buf().map_err(|error| unreadable(name, &error))?;
    let text = begin.strip_prefix(BYTE_ORDER_MARK).unwrap_or(begin);
    if looks_like_ndjson(text, name) {
        return Ok(());
    }
    let mark = begin.len() - text.len();
    input.consume(mark);
    match open_quote(input.bytes().map_while(Result::ok)) {
        None => Ok(()),
        Some(line) => Err(Failure::new(format!(
            "line {line}: a cell begins with a quote that is never closed, so the rest of the file \
             would be that cell"
        ))
        .hint("close it, or leave it out; a quote inside a quoted cell is written twice")),
    }
}

/// The line, from 1, where a cell begins with a quote that nothing closes.
fn open_quote(content: impl Iterator<Item = u8>) -> Option<u64> {
    let (mut line, mut begun) = (1, None);
    let mut is_cells_begin = true;
    let mut bytes = content.peekable();
    while let Some(byte) = bytes.next() {
        line += u64::from(byte == b'\n');
        match (begun, byte) {
            // Twice, it is a quote in the cell.
            (Some(_), b'"') if bytes.peek() == Some(&b'"') => drop(bytes.next()),
            (Some(_), b'"') => begun = None,
            (Some(_), _) => {}
            (None, b'"') if is_cells_begin => begun = Some(line),
            (None, byte) => {
                is_cells_begin = matches!(byte, b',' | b'\n' | b'\r');
                continue;
            }
        }
        is_cells_begin = false;
    }
    begun
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::report;

    #[test]
    fn what_is_no_catalogue_is_called_what_it_is() {
        for (content, expected) in [
            (&b""[..], "is empty"),
            (b" \r\n", "is empty"),
            (b"PK\x03\x04\x14\x00", "is a spreadsheet"),
            (b"\xd0\xcf\x11\xe0", "is a spreadsheet"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"\xff\xfep\0r\0", "UTF-16"),
            (b"<!doctype html>", "is HTML"),
            (b"[\n  {\"product_id\": 1}]", "is a JSON array"),
            (b"{\n  \"product_id\": 1\n}", "is JSON over several lines"),
        ] {
            let error = refuse(content, Path::new("p.csv")).expect_err(expected);
            let (text, _) = report(&error.into());
            assert!(text.starts_with("error: p.csv ") && text.contains(expected), "{text}");
            assert!(text.contains("\nhint: "), "{text}");
        }
        for content in [&b"product_id,name\n"[..], b"{\"product_id\": 1}\n{\"product_id\": 2}\n"] {
            assert!(refuse(content, Path::new("-")).is_ok());
        }
    }

    fn open_quote_in(content: &[u8]) -> Option<u64> {
        open_quote(content.iter().copied())
    }

    #[test]
    fn a_quote_that_nothing_closes_is_found_where_it_begins() {
        assert_eq!(open_quote_in(b"a,b\n1,\"x\ny\"\n2,\"open\n3,4\n5,6\n"), Some(4));
        assert_eq!(open_quote_in(b"a,\"b"), Some(1));
        for whole in [&b"a,b\n\"1\",\"say \"\"hi\"\"\"\n"[..], b"a\n5\" disk\n", b"\"\",\"\"", b""]
        {
            assert_eq!(open_quote_in(whole), None, "{}", String::from_utf8_lossy(whole));
        }
        assert_eq!(open_quote_in(b"a\n\"\"\"\n"), Some(2));
    }
}

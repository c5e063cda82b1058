//! Files that are no catalogue file: each is called what it is, with how to make one of it.

use std::path::Path;

use crate::failure::Failure;

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

/// The line, from 1, of a cell that begins with a quote and never ends: a reader takes the rest of
/// the file for that cell, and complains of anything but the quote.
pub(super) fn open_quote(content: &[u8]) -> Option<u64> {
    let (mut line, mut begun) = (1, None);
    let mut is_cells_begin = true;
    let mut bytes = content.iter().peekable();
    while let Some(byte) = bytes.next() {
        line += u64::from(*byte == b'\n');
        match (begun, byte) {
            // Twice, it is a quote in the cell.
            (Some(_), b'"') if bytes.peek() == Some(&&b'"') => drop(bytes.next()),
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

    #[test]
    fn a_quote_that_nothing_closes_is_found_where_it_begins() {
        assert_eq!(open_quote(b"a,b\n1,\"x\ny\"\n2,\"open\n3,4\n5,6\n"), Some(4));
        assert_eq!(open_quote(b"a,\"b"), Some(1));
        for whole in [&b"a,b\n\"1\",\"say \"\"hi\"\"\"\n"[..], b"a\n5\" disk\n", b"\"\",\"\"", b""]
        {
            assert_eq!(open_quote(whole), None, "{}", String::from_utf8_lossy(whole));
        }
        assert_eq!(open_quote(b"a\n\"\"\"\n"), Some(2));
    }
}

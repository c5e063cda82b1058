//! What can be told of a JSON text by looking at its characters: how deep it is nested, and of what
//! kind it is.

use std::borrow::Cow;

/// How deep the lists and objects of a JSON text are nested.
pub(super) fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Names the kind of a JSON value, and a short number itself. Texts are not repeated: they may be
/// codes or phones, and answers get logged by clients.
pub(super) fn describe(raw: &str) -> Cow<'static, str> {
    match raw.as_bytes().first() {
        Some(b'"') => "a string".into(),
        Some(b'{') => "an object".into(),
        Some(b'[') => "a list".into(),
        Some(b't') => "true".into(),
        Some(b'f') => "false".into(),
        Some(b'n') => "null".into(),
        _ if raw.len() <= 24 => raw.to_owned().into(),
        _ => "a very long number".into(),
    }
}

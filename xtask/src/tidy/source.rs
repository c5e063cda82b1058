//! Reads Rust source as words, marks, literals and comments, as far as the rules need it. There is
//! no grammar here: rustc has already seen that the file is Rust.

use std::ops::Range;

/// What a piece of source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or keyword.
    Word,
    /// The content of a string literal, escapes left as written.
    Text,
    /// One character of punctuation.
    Mark,
    /// A number, character or lifetime.
    Other,
    /// A comment with its slashes.
    Comment,
}

/// A piece of source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// As written, for `Text` without the quotes.
    pub text: String,
    /// Where it begins, from 1.
    pub line: usize,
}

/// A function or constant.
#[derive(Debug)]
pub struct Item {
    /// As declared.
    pub name: String,
    /// True for a function.
    pub is_function: bool,
    /// From its keyword to its end, as places in `Source::code`.
    pub tokens: Range<usize>,
}

/// A Rust file, taken apart.
pub struct Source {
    /// Relative to the root.
    pub path: String,
    /// As written.
    pub text: String,
    /// Everything but comments.
    pub code: Vec<Token>,
    /// The comments.
    pub comments: Vec<Token>,
    /// Functions and constants, outer before inner.
    pub items: Vec<Item>,
    tests: Vec<Range<usize>>,
}

impl Source {
    /// Takes a file apart.
    pub fn parse(path: &str, text: &str) -> Self {
        let (comments, code): (Vec<_>, Vec<_>) =
            lex(text).into_iter().partition(|token| token.kind == Kind::Comment);
        let items = items(&code);
        let tests = test_regions(&code);
        Self { path: path.to_owned(), text: text.to_owned(), code, comments, items, tests }
    }

    /// True if the whole file is for tests only.
    pub fn is_test_file(&self) -> bool {
        self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.starts_with("crates/evercart-conformance/")
    }

    /// True if the piece of code at `index` is only compiled for tests.
    pub fn is_test(&self, index: usize) -> bool {
        self.is_test_file() || self.tests.iter().any(|region| region.contains(&index))
    }

    /// The file and the innermost function or constant around the piece of code at `index`.
    pub fn subject(&self, index: usize) -> String {
        let inner = self.items.iter().rfind(|item| item.tokens.contains(&index));
        inner.map_or_else(|| self.path.clone(), |item| format!("{}::{}", self.path, item.name))
    }

    /// True if the words and marks from `index` on are these.
    pub fn reads(&self, index: usize, expected: &[&str]) -> bool {
        let found = self.code.iter().skip(index).take(expected.len());
        found.len() == expected.len()
            && found.zip(expected).all(|(token, text)| {
                matches!(token.kind, Kind::Word | Kind::Mark) && token.text == *text
            })
    }

    /// The place of the bracket that closes the one at `open`; the end of the file if none does.
    pub fn closing(&self, open: usize) -> usize {
        closing(&self.code, open)
    }
}

fn items(code: &[Token]) -> Vec<Item> {
    let mut items = Vec::new();
    for (index, token) in code.iter().enumerate() {
        let Some(name) = code.get(index + 1).filter(|next| next.kind == Kind::Word) else {
            continue;
        };
        let is_function = token.text == "fn";
        let is_constant = (token.text == "const" || token.text == "static")
            && code.get(index + 2).is_some_and(|colon| colon.text == ":");
        if token.kind != Kind::Word || !(is_function || is_constant) {
            continue;
        }
        if let Some(end) = item_end(code, index, is_function) {
            items.push(Item { name: name.text.clone(), is_function, tokens: index..end + 1 });
        }
    }
    items
}

/// Where an item ends: a `;` outside brackets or, where a body may follow, the end of that body.
/// None for a function without a body.
fn item_end(code: &[Token], start: usize, is_function: bool) -> Option<usize> {
    let mut index = start;
    while index < code.len() {
        let mark = &code[index];
        match mark.text.as_str() {
            _ if mark.kind != Kind::Mark => {}
            ";" => return (!is_function).then_some(index),
            "{" if is_function => return Some(closing(code, index)),
            "(" | "[" | "{" => index = closing(code, index),
            _ => {}
        }
        index += 1;
    }
    None
}

fn closing(code: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in code.iter().enumerate().skip(open) {
        match token.text.as_str() {
            _ if token.kind != Kind::Mark => {}
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The code under `#[cfg(test)]`, `#[test]` and their like.
fn test_regions(code: &[Token]) -> Vec<Range<usize>> {
    let mut regions = Vec::new();
    let is_mark = |index: usize, mark: &str| {
        code.get(index).is_some_and(|token| token.kind == Kind::Mark && token.text == mark)
    };
    for index in 0..code.len() {
        if !is_mark(index, "#") {
            continue;
        }
        let is_inner = is_mark(index + 1, "!");
        let open = index + 1 + usize::from(is_inner);
        if !is_mark(open, "[") {
            continue;
        }
        let close = closing(code, open);
        let words: Vec<_> = code[open..close]
            .iter()
            .filter(|token| token.kind == Kind::Word)
            .map(|token| token.text.as_str())
            .collect();
        let is_test_only = words.contains(&"test")
            && !words.contains(&"not")
            && !matches!(words.first(), Some(&("cfg_attr" | "doc")));
        if is_test_only {
            let end = if is_inner { code.len() } else { attributed_end(code, close + 1) };
            regions.push(index..end);
        }
    }
    regions
}

/// The end of the item that begins, perhaps with more attributes, at `start`.
fn attributed_end(code: &[Token], start: usize) -> usize {
    let mut index = start;
    while index < code.len() {
        let token = &code[index];
        match token.text.as_str() {
            _ if token.kind != Kind::Mark => {}
            ";" => return index + 1,
            "{" => return closing(code, index) + 1,
            "(" | "[" => index = closing(code, index),
            _ => {}
        }
        index += 1;
    }
    code.len()
}

fn lex(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: text, line: 1 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next_token() {
        tokens.push(token);
    }
    tokens
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Lexer<'a> {
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.line += taken.bytes().filter(|byte| *byte == b'\n').count();
        taken
    }

    fn next_token(&mut self) -> Option<Token> {
        let blank = self.rest.len() - self.rest.trim_start().len();
        self.take(blank);
        let line = self.line;
        let first = self.rest.chars().next()?;
        let (kind, text) = if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            (Kind::Comment, self.take(end))
        } else if self.rest.starts_with("/*") {
            let end = block_comment_bytes(self.rest);
            (Kind::Comment, self.take(end))
        } else if let Some((prefix, content, suffix)) = string_bytes(self.rest) {
            self.take(prefix);
            let text = self.take(content);
            self.take(suffix);
            (Kind::Text, text)
        } else if first.is_alphabetic() || first == '_' {
            let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            (Kind::Word, self.take(end.unwrap_or(self.rest.len())))
        } else if first.is_ascii_digit() {
            let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            (Kind::Other, self.take(end.unwrap_or(self.rest.len())))
        } else if first == '\'' {
            let end = quote_bytes(self.rest);
            (Kind::Other, self.take(end))
        } else {
            (Kind::Mark, self.take(first.len_utf8()))
        };
        Some(Token { kind, text: text.to_owned(), line })
    }
}

/// The length of a comment that may hold others.
fn block_comment_bytes(text: &str) -> usize {
    let (mut depth, mut index) = (0_usize, 0);
    let bytes = text.as_bytes();
    while index < bytes.len() {
        match bytes.get(index..index + 2) {
            Some(b"/*") => (depth, index) = (depth + 1, index + 2),
            Some(b"*/") => (depth, index) = (depth.saturating_sub(1), index + 2),
            _ => index += 1,
        }
        if depth == 0 {
            return index;
        }
    }
    text.len()
}

/// If a string literal begins here: the lengths of its opening, its content and its closing.
fn string_bytes(text: &str) -> Option<(usize, usize, usize)> {
    let quote = text.find('"').filter(|quote| *quote <= 258)?;
    let opening = text[..quote].trim_end_matches('#');
    let hashes = quote - opening.len();
    let is_raw = matches!(opening, "r" | "br" | "cr");
    if !(is_raw || hashes == 0 && matches!(opening, "" | "b" | "c")) {
        return None;
    }
    let prefix = quote + 1;
    if is_raw {
        let end = format!("\"{}", "#".repeat(hashes));
        let content = text[prefix..].find(&end).unwrap_or(text.len() - prefix);
        return Some((prefix, content, end.len().min(text.len() - prefix - content)));
    }
    let bytes = text.as_bytes();
    let mut index = prefix;
    while index < bytes.len() && bytes[index] != b'"' {
        index += if bytes[index] == b'\\' { 2 } else { 1 };
    }
    let end = index.min(bytes.len());
    Some((prefix, end - prefix, usize::from(end < bytes.len())))
}

/// The length of a character literal or a lifetime.
fn quote_bytes(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    let second = chars.next();
    if second.is_some_and(|(_, c)| c == '\\') {
        // The escaped character may itself be a quote.
        let end = text.get(3..).and_then(|rest| rest.find('\''));
        return end.map_or(text.len(), |end| end + 4);
    }
    if let Some((at, '\'')) = chars.next() {
        return at + 1;
    }
    let end = text[1..].find(|c: char| !c.is_alphanumeric() && c != '_');
    end.map_or(text.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, String)> {
        lex(text).into_iter().map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn literals_and_comments_hide_what_looks_like_code() {
        let text =
            "a /* x /* y */ z */ \"b \\\" // c\" r#\"d \" e\"# 'f' '\\'' 'g '\"' // h\nb\"i\"";
        let expected = [
            (Kind::Word, "a"),
            (Kind::Comment, "/* x /* y */ z */"),
            (Kind::Text, "b \\\" // c"),
            (Kind::Text, "d \" e"),
            (Kind::Other, "'f'"),
            (Kind::Other, "'\\''"),
            (Kind::Other, "'g"),
            (Kind::Other, "'\"'"),
            (Kind::Comment, "// h"),
            (Kind::Text, "i"),
        ];
        assert_eq!(kinds(text), expected.map(|(kind, text)| (kind, text.to_owned())));
    }

    #[test]
    fn lines_are_counted_through_literals() {
        let tokens = lex("\"a\nb\"\n/*\n*/ c");
        assert_eq!(tokens.iter().map(|token| token.line).collect::<Vec<_>>(), [1, 3, 4]);
    }

    #[test]
    fn the_innermost_item_is_the_subject() {
        let source = Source::parse(
            "a.rs",
            "const X: [u8; 2] = [1, 2]; fn f(a: [u8; 3]) -> u8 { const Y: u8 = 1; g() } fn g();",
        );
        let at = |word: &str| source.code.iter().position(|token| token.text == word);
        assert_eq!(source.subject(at("X").expect("is there")), "a.rs::X");
        assert_eq!(source.subject(at("Y").expect("is there")), "a.rs::Y");
        assert_eq!(source.subject(at("g").expect("is there")), "a.rs::f");
        assert_eq!(source.items.len(), 3);
    }

    #[test]
    fn test_code_is_told_from_the_rest() {
        let source = Source::parse(
            "crates/x/src/a.rs",
            "fn a() {} #[cfg(test)] #[allow(x)] mod tests { fn b() {} } #[cfg(not(test))] fn c() {}
             #[tokio::test] async fn d() { e(); } fn f() {}",
        );
        let tested = |word: &str| {
            source.is_test(source.code.iter().position(|t| t.text == word).expect("is there"))
        };
        assert!(tested("b") && tested("e"));
        assert!(!tested("a") && !tested("c") && !tested("f"));
        assert!(Source::parse("crates/x/tests/a.rs", "fn a() {}").is_test(0));
    }
}

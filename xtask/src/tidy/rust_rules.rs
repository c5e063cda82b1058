//! What every Rust file keeps: length, header, no `unwrap`, nothing unfinished, no sleeping tests.

use super::Breach;
use super::source::{Kind, Source};

const COLUMNS_MAX: usize = 100;
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 80;

/// What allows a test to sleep.
const POLL: &str = "// poll: ";

/// Checks one file.
pub fn check(source: &Source, breaches: &mut Vec<Breach>) {
    check_shape(source, breaches);
    check_functions(source, breaches);
    check_calls(source, breaches);
    check_comments(source, breaches);
}

fn breach(rule: &'static str, subject: String, line: usize, what: impl Into<String>) -> Breach {
    Breach { rule, subject, line, what: what.into() }
}

fn check_shape(source: &Source, breaches: &mut Vec<Breach>) {
    let path = || source.path.clone();
    if !source.text.starts_with("//!") {
        let what = "begin with `//!`: one or two sentences on what the file is for";
        breaches.push(breach("header", path(), 1, what));
    }
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        let what = format!("{lines} lines; split it by subject ({FILE_LINES_MAX} at most)");
        breaches.push(breach("file-length", path(), 0, what));
    }
    for (index, line) in source.text.lines().enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX {
            let what = format!("{columns} columns ({COLUMNS_MAX} at most)");
            breaches.push(breach("line-length", path(), index + 1, what));
        }
    }
}

fn check_functions(source: &Source, breaches: &mut Vec<Breach>) {
    for item in source.items.iter().filter(|item| item.is_function) {
        let first = source.code[item.tokens.start].line;
        let last = source.code.get(item.tokens.end - 1).map_or(first, |token| token.line);
        let lines = last - first + 1;
        if lines > FUNCTION_LINES_MAX {
            let what = format!("`{}` has {lines} lines ({FUNCTION_LINES_MAX} at most)", item.name);
            let subject = format!("{}::{}", source.path, item.name);
            breaches.push(breach("function-length", subject, first, what));
        }
    }
}

fn check_calls(source: &Source, breaches: &mut Vec<Breach>) {
    for (index, token) in source.code.iter().enumerate() {
        let mut push = |rule, what: &str| {
            breaches.push(breach(rule, source.subject(index), token.line, what));
        };
        if source.reads(index, &[".", "unwrap", "(", ")"]) && !source.is_test(index) {
            push("unwrap", "use `?`, or `expect` with the reason why it cannot happen");
        }
        if source.reads(index, &["#", "["]) && is_ignored(source, index) {
            push("ignored-test", "a test runs or is deleted");
        }
        for unfinished in ["todo", "unimplemented"] {
            if source.reads(index, &[unfinished, "!"]) {
                push("unfinished", "finish it");
            }
        }
        if is_sleep(source, index) && source.is_test(index) && !is_poll(source, token.line) {
            push("sleep", "wait for a condition; a bounded poll ends its line with `// poll: why`");
        }
    }
}

fn is_ignored(source: &Source, attribute: usize) -> bool {
    let words: Vec<_> = source.code[attribute..source.closing(attribute + 1)]
        .iter()
        .filter(|token| token.kind == Kind::Word)
        .map(|token| token.text.as_str())
        .collect();
    matches!(words.as_slice(), ["ignore", ..])
        || words.first() == Some(&"cfg_attr") && words.contains(&"ignore")
}

fn is_sleep(source: &Source, index: usize) -> bool {
    source.reads(index, &["sleep", "("])
        && !index
            .checked_sub(1)
            .is_some_and(|before| source.reads(before, &["fn"]) || source.reads(before, &["."]))
        && !source.path.starts_with("tools/")
}

fn is_poll(source: &Source, line: usize) -> bool {
    source.comments.iter().any(|comment| {
        comment.line == line
            && comment.text.strip_prefix(POLL).is_some_and(|reason| !reason.trim().is_empty())
    })
}

fn check_comments(source: &Source, breaches: &mut Vec<Breach>) {
    for comment in &source.comments {
        if let Some(word) = unfinished_word(&comment.text) {
            let what = format!("`{word}`: do it, or take the note elsewhere");
            breaches.push(breach("unfinished", source.path.clone(), comment.line, what));
        }
    }
}

/// The first word that marks something as not done.
pub fn unfinished_word(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_alphanumeric())
        .find(|word| ["TODO", "FIXME", "XXX", "HACK"].contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<(&'static str, usize)> {
        let mut breaches = Vec::new();
        check(&Source::parse(path, text), &mut breaches);
        breaches.into_iter().map(|breach| (breach.rule, breach.line)).collect()
    }

    #[test]
    fn a_tidy_file_is_left_alone() {
        let text = "//! Adds.\nfn a() { b.unwrap_or(1); \".unwrap()\"; }\n#[cfg(test)]\n\
                    mod tests {\n  #[test]\n  fn c() {\n a().unwrap();\n\
                    sleep(x); // poll: the port opens\n}}";
        assert_eq!(broken("crates/x/src/a.rs", text), []);
    }

    #[test]
    fn each_breach_is_found_in_its_line() {
        let path = "crates/x/src/a.rs";
        assert_eq!(broken(path, "fn a() {}"), [("header", 1)]);
        assert_eq!(broken(path, "//! x\nfn a() { b.unwrap(); }"), [("unwrap", 2)]);
        assert_eq!(broken(path, "//! x\n#[ignore = \"y\"]\nfn a() {}"), [("ignored-test", 2)]);
        let conditional = "//! x\n#[cfg_attr(windows, ignore)]\nfn a() {}";
        assert_eq!(broken(path, conditional), [("ignored-test", 2)]);
        let note = format!("//! x\n// TO{}: y\nfn a() {{ {}!() }}", "DO", "todo");
        assert_eq!(broken(path, &note), [("unfinished", 3), ("unfinished", 2)]);
        assert_eq!(broken(path, &format!("//! x\n//{}", "é".repeat(99))), [("line-length", 2)]);
    }

    #[test]
    fn tests_do_not_sleep() {
        let test = "//! x\n#[test]\nfn a() { std::thread::sleep(b); }";
        assert_eq!(broken("crates/x/src/a.rs", test), [("sleep", 3)]);
        assert_eq!(broken("tools/x/tests/a.rs", test), []);
        let server = "//! x\nasync fn a() { tokio::time::sleep(b).await; }";
        assert_eq!(broken("crates/x/src/a.rs", server), []);
        assert_eq!(broken("crates/x/tests/a.rs", server), [("sleep", 2)]);
        let bare = "//! x\nfn a() { sleep(b); // poll: \n}";
        assert_eq!(broken("crates/x/tests/a.rs", bare), [("sleep", 2)]);
    }

    #[test]
    fn lengths_are_bounded() {
        let function = format!("//! x\nfn a() {{\n{}}}\n", "b();\n".repeat(79));
        assert_eq!(broken("a.rs", &function), [("function-length", 2)]);
        let function = format!("//! x\nfn a() {{\n{}}}\n", "b();\n".repeat(78));
        assert_eq!(broken("a.rs", &function), []);
        let file = format!("//! x\n{}", "\n".repeat(500));
        assert_eq!(broken("a.rs", &file), [("file-length", 0)]);
    }
}

//! What every file keeps, whatever its language: no paths of somebody's machine, nothing marked as
//! unfinished; and the changelog has a place for what comes next.

use super::rust_rules::unfinished_word;
use super::source::{Kind, Source};
use super::{Breach, File};

/// Written apart, so that this file does not break its own rule.
const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("..", "/shared")];
const TEMPORARY: &str = concat!("/t", "mp/");

/// Languages whose notes of unfinished things the Rust rules do not see.
const NOTED: &[&str] = &[".sql", ".toml", ".md", ".sh", ".yml", ".yaml", ".js", ".ts", ".html"];

/// Checks one file.
pub fn check(path: &str, text: &str, breaches: &mut Vec<Breach>) {
    for (index, line) in text.lines().enumerate() {
        let mut push = |rule, what: String| {
            breaches.push(Breach { rule, subject: path.to_owned(), line: index + 1, what });
        };
        if let Some(found) = MACHINE_PATHS.iter().find(|machine| line.contains(**machine)) {
            push("machine-path", format!("`{found}` is on somebody's machine only"));
        }
        let is_noted = NOTED.iter().any(|ending| path.ends_with(ending));
        if let Some(word) = unfinished_word(line).filter(|_| is_noted) {
            push("unfinished", format!("`{word}`: do it, or take the note elsewhere"));
        }
    }
    if path.ends_with(".rs") {
        check_temporary(&Source::parse(path, text), breaches);
    }
}

/// A program asks the system where temporary files go.
fn check_temporary(source: &Source, breaches: &mut Vec<Breach>) {
    for (index, token) in source.code.iter().enumerate() {
        let is_path = token.kind == Kind::Text && token.text.contains(TEMPORARY);
        if is_path && !source.is_test(index) {
            let what = format!("`{TEMPORARY}` is not everywhere; use std::env::temp_dir");
            let subject = source.subject(index);
            breaches.push(Breach { rule: "machine-path", subject, line: token.line, what });
        }
    }
}

/// Checks that the changelog has a place for the next change.
pub fn check_changelog(files: &[File], breaches: &mut Vec<Breach>) {
    const PATH: &str = "CHANGELOG.md";
    let is_unreleased = |line: &str| {
        line.strip_prefix("## ")
            .is_some_and(|title| title.trim_start_matches('[').starts_with("Unreleased"))
    };
    let has_section =
        files.iter().any(|file| file.path == PATH && file.text.lines().any(is_unreleased));
    if !has_section {
        let what = "has no section `## Unreleased`".to_owned();
        breaches.push(Breach { rule: "changelog", subject: PATH.to_owned(), line: 0, what });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<(&'static str, usize)> {
        let mut breaches = Vec::new();
        check(path, text, &mut breaches);
        breaches.into_iter().map(|breach| (breach.rule, breach.line)).collect()
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        let note = format!("see\n{}main", MACHINE_PATHS[0]);
        assert_eq!(broken("docs/a.md", &note), [("machine-path", 2)]);
        let program = format!("const A: &str = \"{TEMPORARY}x\";");
        assert_eq!(broken("crates/x/src/a.rs", &program), [("machine-path", 1)]);
        assert_eq!(broken("crates/x/tests/a.rs", &program), []);
        assert_eq!(broken("docs/a.md", "networks/and/roots/"), []);
    }

    #[test]
    fn notes_of_unfinished_things_are_found() {
        assert_eq!(broken("a.sql", &format!("-- TO{} x", "DO")), [("unfinished", 1)]);
        assert_eq!(broken("a.md", "# To do a thing"), []);
    }

    #[test]
    fn the_changelog_has_a_place_for_the_next_change() {
        let count = |text: &str| {
            let file = File { path: "CHANGELOG.md".into(), text: text.into() };
            let mut breaches = Vec::new();
            check_changelog(&[file], &mut breaches);
            breaches.len()
        };
        assert_eq!(count("# Changelog\n\n## Unreleased\n"), 0);
        assert_eq!(count("# Changelog\n\n## [Unreleased]\n"), 0);
        assert_eq!(count("# Changelog\n\n## 0.1.0\n"), 1);
    }
}

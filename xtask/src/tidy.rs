//! The repository's own rules, as a test of the repository: what rustc and clippy cannot know.
//! This file gathers and reports; each rule is in the module of its subject.

mod allow;
mod crates;
mod rust_rules;
mod schema;
mod source;
mod sql;
mod statements;
mod text_rules;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use source::Source;

/// What is checked, for people.
pub const RULES: &str = "\
Rust files
  header           starts with `//!`: what the file is for and what it leaves to others
  line-length      at most 100 columns
  file-length      at most 500 lines
  function-length  at most 80 lines
  unwrap           no `unwrap()` outside tests; `expect` says why it cannot happen
  ignored-test     no test is skipped
  unfinished       no notes of things to be done, no todo!, no unimplemented!
  sleep            tests wait for a condition; a bounded poll says so: `// poll: what for`
Crates
  crate-uses       core uses no crate of ours, adapters and http only core, tools core at most
SQL
  sql-place        SQL is in the adapters and nowhere else
  sql-format       SQL is not put together with format! (adapters)
  sql-user         S1: a statement on a customer table has user_id in its predicate
  sql-delete       G8: nothing of a customer's is deleted without user_id, nor by time
Migrations
  schema-key       P3: a customer table's primary, unique and foreign keys begin with user_id
  schema-cascade   G8: foreign keys restrict
All files
  machine-path     no path of somebody's machine
  changelog        CHANGELOG.md has a section `Unreleased`

An exception is a line in xtask/tidy-allow.txt: the rule, the file or `file::function` or
`file::CONST` or table, and why. An exception that is not needed is itself a failure.";

/// One place where a rule is broken.
#[derive(Debug, PartialEq)]
struct Breach {
    rule: &'static str,
    /// What an exception would name.
    subject: String,
    /// 1-based; 0 where the whole file is meant.
    line: usize,
    what: String,
}

/// Checks all rules on all tracked and new files.
///
/// # Errors
/// If any rule is broken; each place is printed before.
pub fn run(root: &Path) -> Result<()> {
    let files = read_files(root)?;
    let sources: Vec<_> = files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .map(|file| Source::parse(&file.path, &file.text))
        .collect();
    let schema = schema::Schema::parse(
        files.iter().filter(|file| is_migration(&file.path)).map(|file| (&*file.path, &*file.text)),
    );
    let mut breaches = Vec::new();
    for source in &sources {
        rust_rules::check(source, &mut breaches);
        statements::check_source(source, &schema, &mut breaches);
    }
    for file in &files {
        text_rules::check(&file.path, &file.text, &mut breaches);
        if file.path.ends_with(".sql") {
            statements::check_sql(&file.path, &file.text, &schema, &mut breaches);
        }
    }
    schema.check(&mut breaches);
    text_rules::check_changelog(&files, &mut breaches);
    crates::check(root, &mut breaches)?;
    let allowed = files.iter().find(|file| file.path == allow::FILE);
    let breaches = allow::apply(breaches, allowed.map_or("", |file| &file.text));
    report(&breaches, files.len())
}

fn report(breaches: &[Breach], files: usize) -> Result<()> {
    for Breach { rule, subject, line, what } in breaches {
        let path = subject.split("::").next().unwrap_or(subject);
        let place = if *line == 0 { path.to_owned() } else { format!("{path}:{line}") };
        println!("{place}: {what} [{rule}]");
    }
    match breaches.len() {
        0 => println!("tidy: {files} files keep the rules"),
        1 => bail!("a rule is broken in the place listed above"),
        many => bail!("rules are broken in the {many} places listed above"),
    }
    Ok(())
}

/// A text file of the repository.
struct File {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

fn is_migration(path: &str) -> bool {
    path.ends_with(".sql") && path.contains("/migrations/")
}

/// Every file that git tracks or would add. Binary files are left out.
fn read_files(root: &Path) -> Result<Vec<File>> {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
        .current_dir(root)
        .output()
        .context("cannot run git, which lists the files to check")?;
    ensure!(listing.status.success(), "git cannot list the files: is this a clone?");
    let listing = String::from_utf8(listing.stdout).context("a file's name is not UTF-8")?;
    let mut files = Vec::new();
    for path in listing.split_terminator('\0') {
        match fs::read(root.join(path)) {
            Ok(bytes) => files.extend(
                String::from_utf8(bytes).ok().map(|text| File { path: path.to_owned(), text }),
            ),
            // Deleted, but still in the index.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {path}")),
        }
    }
    Ok(files)
}

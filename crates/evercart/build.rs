//! Tells the program which commit it was built from, if that can be known.
#![expect(clippy::disallowed_methods, reason = "cargo tells a build script by its environment")]

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // What is embedded from there; the macro that does it does not say so to cargo.
    println!("cargo::rerun-if-changed=storefront");
    // The log of HEAD grows with every commit, HEAD itself only changes with the branch.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    let package = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    // A packager's tarball has no git; the version then stands alone.
    let version = match git(&["rev-parse", "--short=10", "HEAD"]) {
        Some(commit) => format!("{package} ({commit})"),
        None => package,
    };
    // Not called EVERCART_…: cargo passes it on to what it runs, and there it would look like a
    // setting.
    println!("cargo::rustc-env=PROGRAM_VERSION={version}");
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

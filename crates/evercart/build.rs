//! Tells the program which commit it was built from, if that can be known, and compresses the
//! shop's pages, so that no server has to.
#![expect(clippy::disallowed_methods, reason = "cargo tells a build script by its environment")]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Kinds of files that get smaller.
const TEXTS: [&str; 5] = ["html", "js", "css", "svg", "webmanifest"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    // What is embedded from there; the macro that does it does not say so to cargo.
    println!("cargo::rerun-if-changed=storefront");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let packed = out.join("storefront");
    if packed.exists() {
        fs::remove_dir_all(&packed)?;
    }
    pack(Path::new("storefront"), &packed)?;
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
    Ok(())
}

/// Puts a compressed copy of each text file below `from` into `to`.
fn pack(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        let is_text = path.extension().is_some_and(|kind| TEXTS.iter().any(|text| kind == *text));
        if path.is_dir() {
            pack(&path, &to.join(name))?;
        } else if is_text {
            let mut packed = name;
            packed.push(".gz");
            let mut file = GzEncoder::new(File::create(to.join(packed))?, Compression::best());
            io::copy(&mut File::open(&path)?, &mut file)?;
            file.finish()?;
        }
    }
    Ok(())
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

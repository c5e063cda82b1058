//! Installs a copy of PostgreSQL below the workspace's `target/tools`, from the packages in which
//! the project embedded-postgres puts the server's programs for Node.

use std::env::consts::{ARCH, OS};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::Error;

/// The exact version of the package; it begins with PostgreSQL's own.
const VERSION: &str = "17.10.0-beta.17";

/// A link that npm, which knows none, could not carry.
#[derive(Deserialize)]
struct Link {
    /// The file, relative to the package.
    source: String,
    /// The link's place, relative to the package.
    target: String,
}

/// The directory that holds `bin`, `lib` and `share`. Several processes may ask at the same time:
/// one of them installs, the others wait.
pub fn find_or_install() -> Result<PathBuf, Error> {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/postgres");
    fs::create_dir_all(&parent).map_err(Error::at("create", &parent))?;
    let parent = parent.canonicalize().map_err(Error::at("find", &parent))?;
    let installed = parent.join(VERSION);
    let lock = parent.join("lock");
    let lock = File::create(&lock).map_err(Error::at("create", &lock))?;
    lock.lock().map_err(Error::system("lock the installation of PostgreSQL"))?;
    if !installed.is_dir() {
        install(&parent, &installed)?;
    }
    Ok(installed)
}

fn install(parent: &Path, installed: &Path) -> Result<(), Error> {
    let package = package()?;
    // Written past the test harness, which would keep it for itself while everybody waits.
    let place = installed.display();
    let _ = writeln!(io::stderr(), "installing PostgreSQL ({package}) with npm in {place}");
    let partial = parent.join("partial");
    // What an interrupted installation left.
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial).map_err(Error::at("create", &partial))?;
    let output = Command::new("npm")
        .args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"])
        .args(["--fetch-retries=1", "--fetch-timeout=60000", "--loglevel=error", "--prefix"])
        .args([partial.as_path(), Path::new(&format!("{package}@{VERSION}"))])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Error::Missing(format!("npm cannot be run: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let reason = first_lines(&said);
        return Err(Error::Missing(format!("npm cannot install {package}: {reason}")));
    }
    let package = partial.join("node_modules").join(package);
    link(&package)?;
    // A rename is all or nothing: whoever finds the directory finds it complete.
    fs::rename(package.join("native"), installed).map_err(Error::at("create", installed))?;
    fs::remove_dir_all(&partial).map_err(Error::at("remove", &partial))
}

/// What npm says first is the reason, what follows is where in npm it was noticed.
fn first_lines(said: &str) -> String {
    let lines = said.lines().map(|line| line.trim_start_matches("npm error ")).take(4);
    lines.collect::<Vec<_>>().join("; ")
}

/// The name of this machine's package.
fn package() -> Result<String, Error> {
    let os = match OS {
        "linux" => "linux",
        "macos" => "darwin",
        other => return Err(Error::Missing(format!("there is no package of it for {other}"))),
    };
    let processor = match ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => return Err(Error::Missing(format!("there is no package of it for {other}"))),
    };
    Ok(format!("@embedded-postgres/{os}-{processor}"))
}

/// Makes the links that the package only describes.
fn link(package: &Path) -> Result<(), Error> {
    let list = package.join("native/pg-symlinks.json");
    let text = match fs::read(&list) {
        Ok(text) => text,
        // A system whose libraries need no links has no list.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::at("read", &list)(error)),
    };
    let unexpected = || Error::Missing(format!("{} is not as expected", list.display()));
    let links: Vec<Link> = serde_json::from_slice(&text).map_err(|_| unexpected())?;
    for Link { source, target } in links {
        let (source, target) = (Path::new(&source), Path::new(&target));
        let is_inside = |path: &Path| path.components().all(|c| matches!(c, Component::Normal(_)));
        let name = source.file_name().ok_or_else(unexpected)?;
        if source.parent() != target.parent() || !is_inside(source) || !is_inside(target) {
            return Err(unexpected());
        }
        let target = package.join(target);
        symlink(name, &target).map_err(Error::at("link", &target))?;
    }
    Ok(())
}

/// Brings all that the server needs to where another user can reach it.
pub fn copy_tree(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir(to).map_err(Error::at("create", to))?;
    for entry in fs::read_dir(from).map_err(Error::at("read", from))? {
        let entry = entry.map_err(Error::at("read", from))?;
        // Links lead to files beside them; the files themselves are taken, under both names.
        let source = entry.path().canonicalize().map_err(Error::at("find", &entry.path()))?;
        let target = to.join(entry.file_name());
        if source.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            // A second name costs nothing, but is possible within a file system only.
            fs::hard_link(&source, &target)
                .or_else(|_| fs::copy(&source, &target).map(drop))
                .map_err(Error::at("create", &target))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package_with(list: &str) -> tempfile::TempDir {
        let package = tempfile::tempdir().unwrap();
        fs::create_dir_all(package.path().join("native/lib")).unwrap();
        fs::write(package.path().join("native/lib/libpq.so.5.17"), "code").unwrap();
        fs::write(package.path().join("native/pg-symlinks.json"), list).unwrap();
        package
    }

    #[test]
    fn links_are_made_as_the_package_describes_them() {
        let package = package_with(
            r#"[{"source":"native/lib/libpq.so.5.17","target":"native/lib/libpq.so.5"}]"#,
        );
        link(package.path()).unwrap();
        let native = package.path().join("native");
        assert_eq!(fs::read_to_string(native.join("lib/libpq.so.5")).unwrap(), "code");
        let copy = package.path().join("copy");
        copy_tree(&native, &copy).unwrap();
        fs::remove_dir_all(&native).unwrap();
        assert_eq!(fs::read_to_string(copy.join("lib/libpq.so.5")).unwrap(), "code");
    }

    #[test]
    fn no_link_leads_out_of_the_package() {
        for (source, target) in [("native/lib/../../a", "native/lib/../../b"), ("/a", "/b")] {
            let list = format!(r#"[{{"source":"{source}","target":"{target}"}}]"#);
            let package = package_with(&list);
            assert!(link(package.path()).is_err(), "{list}");
        }
    }
}

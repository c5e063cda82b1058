//! Whom a server runs as: PostgreSQL refuses root, so root lends it another user of the system.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Error;

/// Users whom systems have and who own nothing of worth; the first that exists is taken.
const CANDIDATES: &[&str] = &["postgres", "nobody"];

/// What would change how PostgreSQL's programs behave, or whom they talk to.
const VARIABLES: &[&str] = &[
    "PGAPPNAME",
    "PGCLIENTENCODING",
    "PGDATA",
    "PGDATABASE",
    "PGHOST",
    "PGHOSTADDR",
    "PGOPTIONS",
    "PGPASSFILE",
    "PGPASSWORD",
    "PGPORT",
    "PGSERVICE",
    "PGSSLMODE",
    "PGTARGETSESSIONATTRS",
    "PGTZ",
    "PGUSER",
];

/// The user that a server's processes run as.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// None: we are not root, so they are ours.
    other: Option<Other>,
}

#[derive(Debug, Clone)]
struct Other {
    name: &'static str,
    user: u32,
    group: u32,
}

impl Account {
    /// Ourselves, or somebody else if we are root.
    pub fn choose() -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { other: None });
        }
        let found = CANDIDATES
            .iter()
            .find_map(|&name| Some(Other { name, user: id("-u", name)?, group: id("-g", name)? }));
        found.map(|other| Self { other: Some(other) }).ok_or_else(|| {
            let what = "PostgreSQL refuses to run as root, and there is no user to lend it";
            Error::Missing(format!("{what}: neither of {}", CANDIDATES.join(", ")))
        })
    }

    /// A command that runs as this user, in `directory`, in a process group of its own: a Ctrl-C
    /// at the terminal is for us, and we decide what becomes of the server.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).stdin(Stdio::null()).process_group(0).env("LC_ALL", "C");
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        if let Some(other) = &self.other {
            command.uid(other.user).gid(other.group);
        }
        command
    }

    /// Makes this user the owner of a file or directory of ours.
    pub fn own(&self, path: &Path) -> Result<(), Error> {
        match &self.other {
            None => Ok(()),
            Some(other) => chown(path, Some(other.user), Some(other.group))
                .map_err(Error::at(&format!("give to `{}`", other.name), path)),
        }
    }

    /// # Errors
    /// If this user cannot come as far as `path`; the error then says to follow `remedy`.
    pub fn check_reach(&self, path: &Path, remedy: &'static str) -> Result<(), Error> {
        let Some(other) = &self.other else { return Ok(()) };
        let path = path.canonicalize().map_err(Error::at("find", path))?;
        for directory in path.ancestors() {
            let metadata = directory.metadata().map_err(Error::at("look at", directory))?;
            let mode = metadata.mode();
            let may_enter = mode & 0o001 != 0
                || metadata.gid() == other.group && mode & 0o010 != 0
                || metadata.uid() == other.user && mode & 0o100 != 0;
            if metadata.is_dir() && !may_enter {
                let directory = directory.display().to_string();
                return Err(Error::OutOfReach { account: other.name.into(), directory, remedy });
            }
        }
        Ok(())
    }
}

/// Asks the system, whose users need not be in a file.
fn id(which: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([which, name]).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

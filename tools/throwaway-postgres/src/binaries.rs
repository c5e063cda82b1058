//! Finds PostgreSQL's programs: the machine's own where there are some, else a copy that is
//! installed once below the workspace's `target/tools`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Error, npm};

/// A directory with the programs, or `npm` for the copy below `target/tools`.
pub const VARIABLE: &str = "THROWAWAY_POSTGRES_BIN";

/// The first that can be backed up with `pg_backup_start`, as a standby may need.
const VERSION_MIN: u32 = 15;

/// Where systems put versions side by side; `*` is one of them.
const PLACES: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// Where PostgreSQL's programs are.
#[derive(Debug, Clone)]
pub struct Binaries {
    directory: PathBuf,
    /// The major version.
    version: u32,
    /// For the copy below `target/tools`: the directory that holds all that belongs to it.
    tree: Option<PathBuf>,
}

impl Binaries {
    /// Looks in the directory that the environment's `THROWAWAY_POSTGRES_BIN` names and, without
    /// one, on PATH, where systems put PostgreSQL, and in `target/tools`, where it is installed
    /// with npm if it is nowhere.
    ///
    /// # Errors
    /// If there is none and it cannot be installed: the error says what would help.
    pub fn find() -> Result<Self, Error> {
        match variable(VARIABLE) {
            Some(value) if value == "npm" => Self::installed(),
            Some(value) => {
                let directory = PathBuf::from(value);
                let place = directory.display().to_string();
                Self::in_directory(directory).ok_or_else(|| {
                    Error::Missing(format!(
                        "{VARIABLE} is {place}, where there are no `initdb` and `postgres` of \
                         version {VERSION_MIN} or newer"
                    ))
                })
            }
            None => match candidates().into_iter().find_map(Self::in_directory) {
                Some(found) => Ok(found),
                None => Self::installed(),
            },
        }
    }

    /// The copy below `target/tools`, installed if it is not there.
    fn installed() -> Result<Self, Error> {
        let tree = npm::find_or_install()?;
        let found = Self::in_directory(tree.join("bin")).ok_or_else(|| {
            Error::Missing(format!("what npm installed in {} does not run here", tree.display()))
        })?;
        Ok(Self { tree: Some(tree), ..found })
    }

    fn in_directory(directory: PathBuf) -> Option<Self> {
        let is_complete = directory.join("initdb").is_file();
        let version = is_complete.then(|| version(&directory.join("postgres"))).flatten()?;
        (version >= VERSION_MIN).then_some(Self { directory, version, tree: None })
    }

    /// The same programs after their tree was copied elsewhere.
    pub(crate) fn moved_to(&self, tree: &Path) -> Self {
        Self { directory: tree.join("bin"), tree: Some(tree.to_owned()), ..self.clone() }
    }

    /// The directory with all of the copy's files, if this is the copy below `target/tools`.
    pub(crate) fn tree(&self) -> Option<&Path> {
        self.tree.as_deref()
    }

    /// The server's major version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The directory that has `initdb` and `postgres`.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Creates a database cluster.
    pub fn initdb(&self) -> PathBuf {
        self.directory.join("initdb")
    }

    /// The server.
    pub fn postgres(&self) -> PathBuf {
        self.directory.join("postgres")
    }

    /// Starts and stops servers.
    ///
    /// # Errors
    /// If it was not installed with the server.
    pub fn pg_ctl(&self) -> Result<PathBuf, Error> {
        self.extra("pg_ctl")
    }

    /// Measures a server.
    ///
    /// # Errors
    /// If it was not installed with the server; the copy from npm has none.
    pub fn pgbench(&self) -> Result<PathBuf, Error> {
        self.extra("pgbench")
    }

    /// PostgreSQL's own client.
    ///
    /// # Errors
    /// If it was not installed with the server; the copy from npm has none.
    pub fn psql(&self) -> Result<PathBuf, Error> {
        self.extra("psql")
    }

    /// Copies a server's files. Only that of the server's own version will do.
    pub(crate) fn pg_basebackup(&self) -> Option<PathBuf> {
        Some(self.directory.join("pg_basebackup")).filter(|program| program.is_file())
    }

    /// A program beside the server, or that of another version, which talks to this one as well.
    fn extra(&self, name: &'static str) -> Result<PathBuf, Error> {
        std::iter::once(self.directory.clone())
            .chain(candidates())
            .map(|directory| directory.join(name))
            .find(|program| program.is_file())
            .ok_or(Error::MissingProgram(name))
    }
}

/// Directories where the machine's own programs may be, the best first.
fn candidates() -> Vec<PathBuf> {
    let mut directories: Vec<_> = pg_config().into_iter().collect();
    directories.extend(
        variable("PATH").iter().flat_map(std::env::split_paths).filter(|path| path.is_absolute()),
    );
    directories.extend(PLACES.iter().flat_map(|place| versions(place)));
    directories
}

/// Where PATH's `pg_config` says that programs are. Debian has one without any server.
fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

/// The directories that a place with a `*` stands for, the newest version first.
fn versions(place: &str) -> Vec<PathBuf> {
    let Some((before, after)) = place.split_once('*') else { return vec![place.into()] };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or((".", before));
    let mut found: Vec<_> = std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version: String = name.strip_prefix(prefix)?.into();
            Some((newness(&version), PathBuf::from(format!("{}{after}", entry.path().display()))))
        })
        .collect();
    found.sort_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, path)| path).collect()
}

/// A version's numbers, so that 9.6 is older than 15.
fn newness(version: &str) -> Vec<u32> {
    version.split('.').filter_map(|number| number.parse().ok()).collect()
}

/// The major version of a `postgres` that can be run.
fn version(postgres: &Path) -> Option<u32> {
    let output = Command::new(postgres).arg("--version").stderr(Stdio::null()).output().ok()?;
    parse_version(&String::from_utf8(output.stdout).ok()?)
}

/// The major version of `postgres (PostgreSQL) 15.4 (Debian 15.4-1)`.
fn parse_version(line: &str) -> Option<u32> {
    let number = line.split_once("(PostgreSQL) ")?.1;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "where programs are is what the environment tells")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_servers_say() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_version("something else"), None);
    }

    #[test]
    fn the_newest_version_comes_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["9.6", "15", "16", "doc"] {
            std::fs::create_dir(parent.path().join(name)).unwrap();
        }
        let parent = parent.path().display();
        let found = versions(&format!("{parent}/*/bin"));
        let expected = ["16", "15", "9.6", "doc"].map(|name| format!("{parent}/{name}/bin"));
        assert_eq!(found, expected.map(PathBuf::from));
    }

    #[test]
    fn a_directory_without_a_server_is_passed_over() {
        assert!(Binaries::in_directory(tempfile::tempdir().unwrap().path().into()).is_none());
    }

    #[test]
    fn what_is_missing_is_said_in_a_sentence() {
        let text = Error::Missing("for a test".into()).to_string();
        assert!(text.contains("install the Debian package `postgresql`, or Node's npm"), "{text}");
        assert!(Error::MissingProgram("pgbench").to_string().contains("`pgbench`"));
    }
}

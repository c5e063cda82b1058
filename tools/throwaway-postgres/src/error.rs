//! What can go wrong, in sentences for the person whose test or command has failed.

use std::fmt;
use std::io;
use std::path::Path;

/// Why there is no server, or why it did not do as it was told.
#[derive(thiserror::Error)]
pub enum Error {
    /// There are no programs of PostgreSQL, and they could not be installed.
    #[error(
        "there is no PostgreSQL server on this machine ({0}): install the Debian package \
         `postgresql`, or Node's npm with reach to its registry, or name a directory with \
         `initdb` and `postgres` in THROWAWAY_POSTGRES_BIN"
    )]
    Missing(String),
    /// There is a server, but not a program that usually comes with it.
    #[error(
        "there is no `{0}` beside the PostgreSQL server, nor on PATH: install the Debian package \
         `postgresql`, which has it"
    )]
    MissingProgram(&'static str),
    /// There is no PgBouncer, and it could not be had.
    #[error(
        "there is no `pgbouncer` on this machine ({0}): install the package of that name, such as \
         with `apt-get install pgbouncer`"
    )]
    MissingPooler(String),
    /// The pooler ended, or did not start in time.
    #[error("PgBouncer {what}; it said:\n{log}")]
    Pooler {
        /// As in "does not listen".
        what: String,
        /// What it said.
        log: String,
    },
    /// The system did not do what was asked of it.
    #[error("cannot {what}: {source}")]
    System {
        /// As in "create the directory x".
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// The server would run as another user, who cannot get at what it needs.
    #[error(
        "PostgreSQL refuses to run as root, and `{account}`, whom it would run as, cannot enter \
         {directory}: {remedy}"
    )]
    OutOfReach {
        /// The user's name.
        account: String,
        /// The first directory on the way that is closed.
        directory: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A program of PostgreSQL's failed.
    #[error("{program} ended with {status}: {output}")]
    Program {
        /// Its name.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said.
        output: String,
    },
    /// The server ended, or did not do in time what it was told.
    #[error("the PostgreSQL server {what}; its log ends:\n{log}")]
    Server {
        /// As in "did not start within 60 s".
        what: String,
        /// The last lines of its log.
        log: String,
    },
    /// The server answered with an error, or the connection to it broke.
    #[error("PostgreSQL: {0}")]
    Query(String),
}

/// As sentences too: `unwrap` in a test shows what is to be done, not how the error is built.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// For `map_err`: what was being done when the system refused.
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }

    /// Like `system`, for what is done to a path.
    pub(crate) fn at(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        Self::system(format!("{verb} {}", path.display()))
    }
}

impl From<tokio_postgres::Error> for Error {
    /// Its own words are only "db error"; the reason is in its sources.
    fn from(error: tokio_postgres::Error) -> Self {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            text = format!("{text}: {inner}");
            source = inner.source();
        }
        Self::Query(text)
    }
}

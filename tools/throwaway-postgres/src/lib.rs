//! A real PostgreSQL server in a temporary directory, for tests, measurements and people; a proxy
//! that breaks the way to it on demand; and a PgBouncer before it. Also databases on a Citus
//! cluster, which somebody else has started. Nothing of this is ever shipped.
#![cfg(unix)]

mod account;
mod binaries;
mod citus;
mod client;
mod error;
mod files;
mod guardian;
mod npm;
mod pgbouncer;
mod place;
mod pooler;
mod proxy;
mod pump;
mod server;
mod settings;
mod standby;

use std::sync::OnceLock;

pub use binaries::Binaries;
pub use citus::{ClusterDatabase, citus_url};
pub use client::Rows;
pub use error::Error;
pub use files::Files;
pub use pooler::{Lends, Pooler};
pub use proxy::{Moment, Proxy};
pub use server::{Mode, SUPERUSER, Server};
pub use settings::Settings;

/// The one server that all tests of this process share, started by the first who asks.
///
/// # Panics
/// If there is no server to be had: the message says what to install.
pub fn shared() -> &'static Server {
    static SHARED: OnceLock<Result<Server, Error>> = OnceLock::new();
    match SHARED.get_or_init(|| Server::start(Settings::for_tests())) {
        Ok(server) => server,
        Err(error) => panic!("{error}"),
    }
}

/// The one pooler before the [`shared`] server, which lends connections by session.
///
/// # Panics
/// If there is no PgBouncer to be had: the message says what to install.
pub fn shared_pooler() -> &'static Pooler {
    static SHARED: OnceLock<Result<Pooler, Error>> = OnceLock::new();
    match SHARED.get_or_init(|| Pooler::start(shared(), Lends::BySession, &[])) {
        Ok(pooler) => pooler,
        Err(error) => panic!("{error}"),
    }
}

/// Makes an empty database in the shared server and returns its URL.
///
/// # Panics
/// If there is no server to be had: the message says what to install.
pub fn fresh_database() -> String {
    match shared().fresh_database() {
        Ok(url) => url,
        Err(error) => panic!("{error}"),
    }
}

//! Where a server or proxy is put: a port and a directory that nobody else uses.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use rand::RngExt;
use tempfile::TempDir;

use crate::Error;
use crate::account::Account;

/// Systems give none of these to whoever asks for any port, nor to outgoing connections: a server
/// that starts again finds its own still free.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
pub(crate) const PORTS_TRIED_MAX: u32 = 20;

/// A socket's path has room for 104 bytes on some systems, and `/.s.PGSQL.12345.lock` follows.
const SOCKET_DIR_BYTES_MAX: usize = 75;

/// A port on 127.0.0.1 that nobody listens on.
pub(crate) fn free_port() -> Result<u16, Error> {
    let mut rng = rand::rng();
    let mut last = None;
    for _ in 0..PORTS_TRIED_MAX {
        let port = rng.random_range(PORTS);
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = Some(error),
        }
    }
    let error = last.expect("at least one port was tried");
    Err(Error::system("find a free port")(error))
}

/// A directory that the account owns, with a path short enough for a socket in it.
pub(crate) fn temporary_directory(account: &Account) -> Result<TempDir, Error> {
    let mut parent = std::env::temp_dir();
    // A runner's own directory for temporary files can be too long for a socket's path.
    if parent.as_os_str().len() + "/evercart-pg-123456".len() > SOCKET_DIR_BYTES_MAX {
        parent = PathBuf::from("/tmp");
    }
    account.check_reach(&parent, "set TMPDIR to a directory that every user can enter")?;
    let directory = tempfile::Builder::new()
        .prefix("evercart-pg-")
        .tempdir_in(&parent)
        .map_err(Error::at("create a directory in", &parent))?;
    account.own(directory.path())?;
    Ok(directory)
}

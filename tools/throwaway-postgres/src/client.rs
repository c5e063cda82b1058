//! Statements that the crate itself has for servers: for its own over their sockets, where no
//! password is asked.

use std::path::Path;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use crate::Error;
use crate::server::SUPERUSER;

/// Rows of texts, as they come from the simple protocol.
pub type Rows = Vec<Vec<Option<String>>>;

const CONNECT_MAX: Duration = Duration::from_secs(10);

/// A connection that is waited for.
pub(crate) struct Session {
    runtime: Runtime,
    client: Client,
}

impl Session {
    /// Connects to a server of ours. Only for `apart`.
    pub fn over_socket(socket_dir: &Path, port: u16, database: &str) -> Result<Self, Error> {
        let mut config = Config::new();
        config.host_path(socket_dir).port(port).user(SUPERUSER).dbname(database);
        Self::open(config)
    }

    /// Connects. Only for `apart`: a thread that already runs a runtime may not wait for another.
    pub fn open(mut config: Config) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::system("start a runtime"))?;
        let client = runtime.block_on(async {
            let (client, connection) = config.connect_timeout(CONNECT_MAX).connect(NoTls).await?;
            // What becomes of the connection, the client's calls report.
            tokio::spawn(connection);
            Ok::<_, Error>(client)
        })?;
        Ok(Self { runtime, client })
    }

    /// Runs statements and returns the rows of all of them.
    pub fn query(&self, sql: &str) -> Result<Rows, Error> {
        let messages = self.runtime.block_on(self.client.simple_query(sql))?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            }
            _ => None,
        });
        Ok(rows.collect())
    }
}

/// Runs `work` on a thread of its own and waits for it, so that it may be called from async code.
pub(crate) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| match scope.spawn(work).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

//! What tests and people may rely on: servers and proxies as they are used.

mod proxy;
mod server;
mod standby;

use tokio_postgres::{Client, Error, NoTls};

/// Connects, and lets the connection live as long as the client.
async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

//! Databases on a Citus cluster that runs already: on each of its nodes one, which know of each
//! other as the nodes do. Starting a cluster is the business of whoever names it.

use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rand::RngExt;
use tokio_postgres::Config;

use crate::Error;
use crate::client::{Rows, Session, apart};
use crate::server::{MAINTENANCE, SUPERUSER};

/// The environment's name for the coordinator's URL.
const VARIABLE: &str = "EVERCART_TEST_CITUS_URL";

/// Shards a table: enough for each of a few workers to have some, and made in a second.
const SHARDS: u32 = 4;

/// The URL of the Citus coordinator that tests use. The database in it is one that knows its nodes.
///
/// # Panics
/// If the environment names none: the message says how.
#[expect(clippy::disallowed_methods, reason = "whoever runs these tests says where")]
pub fn citus_url() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("set {VARIABLE} to the URL of a database of a Citus coordinator that has workers")
    })
}

/// A database of its own on every node of a cluster. It goes away when this is dropped.
#[derive(Debug)]
pub struct ClusterDatabase {
    name: String,
    url: String,
    /// The coordinator first.
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    /// What the other nodes call it.
    host: String,
    port: String,
    /// How it is called from here.
    config: Config,
}

impl ClusterDatabase {
    /// Makes empty databases on all nodes of the cluster whose coordinator this is.
    ///
    /// # Errors
    /// If there is no such cluster, or a node of it is away.
    pub fn fresh(coordinator_url: &str) -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // A cluster outlives the tests, so that names must not meet those of other runs.
        let run: u32 = rand::rng().random();
        let name = format!("fresh_{run:08x}_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let url = with_database(coordinator_url, &name)?;
        let coordinator = Config::from_str(coordinator_url)?;
        let nodes = nodes(&coordinator)?;
        // From here on, what was made is dropped also where the rest cannot be made.
        let database = Self { name, url, nodes };
        database.on_each_node(MAINTENANCE, &format!("CREATE DATABASE {}", database.name))?;
        database.on_each_node(&database.name, "CREATE EXTENSION citus")?;
        database.introduce_nodes()?;
        Ok(database)
    }

    /// Its URL on the coordinator.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name, which is the same on every node.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements on the coordinator, in one of its databases, and returns their rows.
    ///
    /// # Errors
    /// If the coordinator is away or refuses.
    pub fn query(&self, database: &str, sql: &str) -> Result<Rows, Error> {
        query(&self.nodes[0].config, database, sql)
    }

    /// Nodes copy each other's roles when they meet, and those are all databases' own.
    fn introduce_nodes(&self) -> Result<(), Error> {
        static MEETING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = MEETING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sql = format!("ALTER DATABASE {} SET citus.shard_count = {SHARDS};", self.name);
        for (place, node) in self.nodes.iter().enumerate() {
            let function = if place == 0 { "citus_set_coordinator_host" } else { "citus_add_node" };
            let Node { host, port, .. } = node;
            sql.push_str(&format!("SELECT {function}('{host}', {port});"));
        }
        self.query(&self.name, &sql).map(drop)
    }

    fn on_each_node(&self, database: &str, sql: &str) -> Result<(), Error> {
        thread::scope(|scope| {
            let threads: Vec<_> = self
                .nodes
                .iter()
                .map(|node| scope.spawn(move || query(&node.config, database, sql).map(drop)))
                .collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
        })
    }
}

impl Drop for ClusterDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // What fails here is only left lying about.
        let _ = self.on_each_node(MAINTENANCE, &drop);
    }
}

/// The cluster's nodes, the coordinator first.
fn nodes(coordinator: &Config) -> Result<Vec<Node>, Error> {
    const NODES: &str = "SELECT nodename, nodeport, groupid FROM pg_dist_node WHERE isactive \
         ORDER BY groupid";
    let mut nodes: Vec<Node> = Vec::new();
    for row in query(coordinator, coordinator.get_dbname().unwrap_or(MAINTENANCE), NODES)? {
        let texts = row.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>();
        let Ok([host, port, group]) = <[String; 3]>::try_from(texts) else { continue };
        if nodes.is_empty() && group != "0" {
            let how = "the coordinator has no name: call citus_set_coordinator_host() on it";
            return Err(Error::Query(how.into()));
        }
        let mut config = coordinator.clone();
        if !nodes.is_empty() {
            config = Config::new();
            config.host(&host).port(port.parse().unwrap_or_default());
            config.user(coordinator.get_user().unwrap_or(SUPERUSER));
            config.password(coordinator.get_password().unwrap_or_default());
        }
        nodes.push(Node { host, port, config });
    }
    match nodes.len() {
        0 | 1 => Err(Error::Query("there are no workers".into())),
        _ => Ok(nodes),
    }
}

fn query(node: &Config, database: &str, sql: &str) -> Result<Rows, Error> {
    let mut config = node.clone();
    config.dbname(database);
    apart(|| Session::open(config)?.query(sql))
}

/// The URL of another database of the same server.
fn with_database(url: &str, name: &str) -> Result<String, Error> {
    let (server, rest) = url
        .split_once("://")
        .and_then(|(scheme, rest)| {
            let (place, database) = rest.split_once('/')?;
            Some((format!("{scheme}://{place}"), database))
        })
        .ok_or_else(|| Error::Query(format!("{VARIABLE} is no URL that names a database")))?;
    let options = rest.split_once('?').map_or(String::new(), |(_, options)| format!("?{options}"));
    Ok(format!("{server}/{name}{options}"))
}

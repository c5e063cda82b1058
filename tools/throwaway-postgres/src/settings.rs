//! How a server is set up.

/// How a server is set up. What is not here is as PostgreSQL has it by default, but that it
/// compiles no queries (`jit = off`) and speaks UTC.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Memory for pages, as PostgreSQL writes it: `128MB`.
    pub shared_buffers: String,
    /// Whether a commit waits until the disk has it. Without, a crash of the machine (not one of
    /// the server) may destroy the data.
    pub fsync: bool,
    /// Most connections at a time.
    pub max_connections: u16,
    /// The port on 127.0.0.1; None takes a free one.
    pub port: Option<u16>,
    /// Further settings, name and value: they win over the ones above.
    pub more: Vec<(String, String)>,
}

impl Settings {
    /// For tests: fast, because nothing needs to survive the machine.
    pub fn for_tests() -> Self {
        Self { shared_buffers: "32MB".into(), fsync: false, ..Self::for_benchmarks() }
    }

    /// For measurements: every commit reaches the disk.
    pub fn for_benchmarks() -> Self {
        Self {
            shared_buffers: "256MB".into(),
            fsync: true,
            max_connections: 200,
            port: None,
            more: Vec::new(),
        }
    }

    /// Adds a setting of PostgreSQL's.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.more.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The lines to append to `postgresql.conf`. Of a setting that is there twice, the last counts.
    pub(crate) fn lines(&self) -> String {
        let ours = [
            ("shared_buffers", self.shared_buffers.clone()),
            ("max_connections", self.max_connections.to_string()),
            ("fsync", if self.fsync { "on" } else { "off" }.into()),
            ("jit", "off".into()),
            ("timezone", "UTC".into()),
            ("log_timezone", "UTC".into()),
            // A standby that is being copied must still find what was written meanwhile.
            ("wal_keep_size", "256MB".into()),
        ];
        let ours = ours.into_iter().map(|(name, value)| (name.to_owned(), value));
        ours.chain(self.more.iter().cloned())
            .map(|(name, value)| format!("{name} = '{}'\n", value.replace('\'', "''")))
            .collect()
    }
}

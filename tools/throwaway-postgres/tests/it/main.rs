//! What tests and people may rely on: servers and proxies as they are used.

mod server;

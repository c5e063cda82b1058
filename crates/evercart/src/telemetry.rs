//! Where log lines go: standard error, as text for people or one JSON object a line.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// Starts logging.
pub fn start(log: &Log) {
    let filter = filter(&log.level).unwrap_or_else(|| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.json {
        true => lines.json().flatten_event(true).init(),
        false => lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).init(),
    }
}

/// What `log.level` lets through; `None` if it cannot be read.
pub fn filter(level: &str) -> Option<EnvFilter> {
    let known = ["error", "warn", "info", "debug", "trace", "off"];
    // EnvFilter takes any word for the name of a target, so that `verbose` would log nothing.
    let plain_word = !level.contains(['=', ',']);
    if level.is_empty() || (plain_word && !known.contains(&level)) {
        return None;
    }
    EnvFilter::try_new(level).ok()
}

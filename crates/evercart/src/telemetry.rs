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

/// The database's driver writes the parameters of every statement at level debug: phones, names.
/// No level lets them through.
const DRIVER: &str = "tokio_postgres";
const NO_PARAMETERS: &str = "tokio_postgres=warn";

/// What `log.level` lets through; `None` if it cannot be read.
pub fn filter(level: &str) -> Option<EnvFilter> {
    let known = ["error", "warn", "info", "debug", "trace", "off"];
    // EnvFilter takes any word for the name of a target, so that `verbose` would log nothing.
    let plain_word = !level.contains(['=', ',']);
    if level.is_empty() || (plain_word && !known.contains(&level)) {
        return None;
    }
    // A directive for a part of the driver would win over one for all of it.
    let others = level.split(',').filter(|one| !one.trim_start().starts_with(DRIVER));
    let filter = EnvFilter::try_new(others.collect::<Vec<_>>().join(",")).ok()?;
    Some(filter.add_directive(NO_PARAMETERS.parse().expect("a fixed directive")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_taken_and_a_typo_is_not() {
        for level in ["info", "off", "info,evercart_http=debug"] {
            assert!(filter(level).is_some(), "{level}");
        }
        for level in ["", "verbose", "evercart=loud"] {
            assert!(filter(level).is_none(), "{level}");
        }
    }

    #[test]
    fn s7_no_level_lets_the_parameters_of_statements_through() {
        for level in ["trace", "tokio_postgres=trace", "off,tokio_postgres::query=debug"] {
            let text = filter(level).expect(level).to_string();
            let of_driver = text.split(',').filter(|one| one.starts_with("tokio_postgres"));
            assert_eq!(of_driver.collect::<Vec<_>>(), ["tokio_postgres=warn"], "{level}");
        }
    }
}

//! What commands show: results on standard output, progress on standard error.

use std::io::{self, ErrorKind, Write};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

/// Prints a result. A reader that has seen enough (`| head`) is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    finish(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints a result as one line of JSON.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string(value).context("cannot write the result as JSON")?;
    print(&format!("{text}\n"))
}

/// What became of writing to standard output.
pub fn finish(written: io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// A bar on standard error that counts to `total`; shown only on a terminal.
pub fn bar(what: &'static str, total: u64) -> ProgressBar {
    // Standard error's draw target hides itself when it is no terminal.
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{prefix} {bar:40} {percent:>3} % {eta} left");
    bar.with_style(style.expect("a fixed template")).with_prefix(what)
}

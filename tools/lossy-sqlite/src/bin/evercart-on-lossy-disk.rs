//! The program as it is shipped, on a disk that keeps nothing but what was synced.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(unix)]
    evercart_lossy_sqlite::install();
    evercart::run()
}

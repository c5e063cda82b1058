//! Starts the program, which is this package's library.

use std::process::ExitCode;

fn main() -> ExitCode {
    evercart::run()
}

//! Prints the OpenAPI document, for `cargo xtask openapi` and whoever wants to pipe it somewhere.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    io::stdout().write_all(evercart_http::openapi_json().as_bytes())
}

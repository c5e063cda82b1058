//! The demo shop's pages, embedded as `cargo xtask shop` has built them. A program can be built
//! without; it then has none.

use include_dir::{Dir, include_dir};

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/storefront");

/// A file of the pages by its path below `/shop/`.
pub fn file(path: &str) -> Option<&'static [u8]> {
    FILES.get_file(path).map(include_dir::File::contents)
}

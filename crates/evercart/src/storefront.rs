//! The demo shop's pages, embedded as they are checked in: each file, and beside it a compressed
//! copy that the build script has made.

use include_dir::{Dir, include_dir};

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/storefront");
static PACKED: Dir<'static> = include_dir!("$OUT_DIR/storefront");

/// A file of the pages by its path below `/shop/`, or with `.gz` after it the compressed one.
pub fn file(path: &str) -> Option<&'static [u8]> {
    FILES.get_file(path).or_else(|| PACKED.get_file(path)).map(include_dir::File::contents)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn every_program_has_the_shop_and_each_compressed_file_is_that_file() {
        let page = file("index.html").expect("the page is checked in");
        assert!(String::from_utf8_lossy(page).contains("<div id=\"root\">"));
        let assets = PACKED.get_dir("assets").expect("the build script keeps the folders");
        let mut count = 0;
        for packed in PACKED.files().chain(assets.files()) {
            let name = packed.path().to_str().expect("the names are ASCII");
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(packed.contents())
                .read_to_end(&mut unpacked)
                .expect("it is gzip");
            let plain = file(name.strip_suffix(".gz").expect("it is a copy"));
            assert_eq!(plain, Some(&*unpacked), "{name}");
            count += 1;
        }
        assert!(count >= 3, "the page, its script and its style are compressed, found {count}");
    }
}

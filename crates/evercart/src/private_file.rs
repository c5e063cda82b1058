//! Files that only their owner can read, written as a whole or not at all. They belong to whom
//! their directory belongs, also when root writes them.

use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Writes a file.
///
/// # Errors
/// It cannot be written; what was there is still there.
pub fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let directory = directory_of(path);
    // NamedTempFile makes its files with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(content)?;
    evercart_sqlite::give_to_owner_of(directory, file.path())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}

/// Where a file is.
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

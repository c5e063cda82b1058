//! Whose the files are. Root may run any command, and what it leaves in the shop's directory has to
//! be readable for the user that the server runs as: it belongs to whom the directory belongs.

use std::io;
use std::path::Path;

/// Gives a file that this process has made to the owner and group of a directory, if they are
/// others than its own. Only root may do that; nobody else needs it.
///
/// # Errors
/// The directory cannot be looked at, or the file not be given away.
#[cfg(unix)]
pub fn give_to_owner_of(directory: &Path, file: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, lchown};
    let (whose, its) = (std::fs::metadata(directory)?, std::fs::symlink_metadata(file)?);
    if (its.uid(), its.gid()) == (whose.uid(), whose.gid()) || !is_given_by(its.uid()) {
        return Ok(());
    }
    lchown(file, Some(whose.uid()), Some(whose.gid()))
}

/// True if a process whose new files belong to this user may give them away.
#[cfg(unix)]
fn is_given_by(user: u32) -> bool {
    user == 0
}

/// Elsewhere files have no such owners.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn give_to_owner_of(_directory: &Path, _file: &Path) -> io::Result<()> {
    Ok(())
}

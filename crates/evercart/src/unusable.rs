//! Why a file or directory cannot be used, as far as its disk and its owner are to blame: the same
//! sentence wherever that is met.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::failure::Failure;
use crate::private_file::directory_of;

/// What cannot be done with it.
#[derive(Debug, Clone, Copy)]
pub enum Use {
    /// It cannot be read.
    Read,
    /// It cannot be written.
    Write,
}

/// Says why `path` cannot be used.
pub fn unusable(path: &Path, what: Use, error: &io::Error) -> Failure {
    let place = path.display();
    let done = match what {
        Use::Read => "read",
        Use::Write => "written",
    };
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => disk_full(path),
        ErrorKind::PermissionDenied => {
            let denied = denied(path, what).or_else(|| denied(directory_of(path), what));
            denied.unwrap_or_else(|| Failure::new(format!("{place} cannot be {done}: {error}")))
        }
        ErrorKind::ReadOnlyFilesystem => {
            Failure::new(format!("{place} cannot be written: its disk is mounted read-only"))
                .hint("a disk that failed is mounted so by the system: look at `dmesg` and `mount`")
        }
        _ => Failure::new(format!("{place} cannot be {done}: {error}")),
    }
}

/// Says that a disk is full.
pub fn disk_full(path: &Path) -> Failure {
    let (place, directory) = (path.display(), directory_of(path).display());
    Failure::new(format!("{place} cannot be written: the disk it is on is full")).hint(format!(
        "nothing is damaged: make room there (`df -h {directory}` shows it, `du` what takes it), \
         and start again"
    ))
}

/// The first of a database and the files beside it that this process may not use, if there is one.
pub fn denied_database(path: &Path) -> Option<Failure> {
    let beside = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let files = [path.to_owned(), beside("-wal"), beside("-shm")];
    let denied_file = files.iter().filter(|file| file.exists()).find_map(|f| denied(f, Use::Write));
    denied_file.or_else(|| denied(directory_of(path), Use::Write))
}

/// Whose it is, if that is why this process may not use it.
fn denied(path: &Path, what: Use) -> Option<Failure> {
    use std::os::unix::fs::MetadataExt;
    let (access, done) = match what {
        Use::Read => (Access::READ_OK, "read"),
        Use::Write => (Access::READ_OK | Access::WRITE_OK, "written"),
    };
    if accessat(CWD, path, access, AtFlags::EACCESS).is_ok() {
        return None;
    }
    let found = std::fs::metadata(path).ok()?;
    let (place, directory) = (path.display(), directory_of(path).display());
    let us = rustix::process::geteuid().as_raw();
    let (owner, mode) = (found.uid(), found.mode() & 0o7777);
    let who = |user: u32| if user == 0 { "root".to_owned() } else { format!("user {user}") };
    let failure = Failure::new(format!(
        "{place} cannot be {done}: it belongs to {} (mode {mode:04o}), and evercart runs as {}",
        who(owner),
        who(us)
    ));
    Some(failure.hint(match owner == us {
        true => format!("`chmod u+rwX {place}`"),
        false => format!(
            "as root: `chown -R {us}: {directory}`, if all of it is the shop's; commands of \
             evercart leave files that are the directory's owner's, so something else made this one"
        ),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::report;

    #[test]
    fn a_full_disk_is_called_that_and_not_damage() {
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            let failure = unusable(Path::new("data/us.sqlite3"), Use::Write, &kind.into());
            let (text, _) = report(&failure.into());
            let expected = "error: data/us.sqlite3 cannot be written: the disk it is on is full\n\
                hint: nothing is damaged: make room there (`df -h data` shows it";
            assert!(text.starts_with(expected), "{text}");
        }
    }

    #[test]
    fn another_error_is_told_as_it_is() {
        let error = io::Error::other("the cable is out");
        let failure = unusable(Path::new("x"), Use::Read, &error);
        assert_eq!(failure.to_string(), "x cannot be read: the cable is out");
    }
}

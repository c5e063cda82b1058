//! A directory for what is not finished yet, such as a backup that is being written. It goes away
//! when its work ends, when a signal ends it, and, after a kill or a power cut, when the next such
//! work begins beside it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

/// Signals that end a command, with the exit codes that shells give them.
const ENDED_BY: [(SignalKind, i32); 3] =
    [(SignalKind::hangup(), 129), (SignalKind::interrupt(), 130), (SignalKind::terminate(), 143)];

/// The directory.
pub struct Staging {
    directory: TempDir,
    /// Held as long as the work goes on: the kernel lets go of it however that ends.
    _lock: File,
}

impl Staging {
    /// Makes one inside `parent`, after it has removed those of works with this name that ended
    /// without being able to.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn begin(parent: &Path, name: &str) -> io::Result<Self> {
        let prefix = format!(".evercart-{name}-");
        // One at a time, so that nobody takes a directory that is just being made for a left one.
        let turn = File::open(parent)?;
        turn.lock()?;
        for left in left_in(parent, &prefix)? {
            match std::fs::remove_dir_all(&left) {
                Ok(()) => tracing::info!("removed {}: an unfinished {name}", left.display()),
                // Such as root's. It is only in the way of room.
                Err(error) => tracing::warn!(
                    "{} is of an unfinished {name} and cannot be removed: {error}",
                    left.display()
                ),
            }
        }
        let directory = tempfile::Builder::new().prefix(&prefix).tempdir_in(parent)?;
        evercart_sqlite::give_to_owner_of(parent, directory.path())?;
        let lock = File::open(directory.path())?;
        lock.lock()?;
        Ok(Self { directory, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Has a signal that ends this process remove the directory first. For commands: a server's
    /// signals are its own.
    ///
    /// # Errors
    /// No thread can be started, or signals not be listened for.
    pub fn remove_on_signal(&self) -> io::Result<()> {
        let path = self.path().to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // From here on the signals no longer end the process by themselves.
        let signals = {
            let _inside = runtime.enter();
            ENDED_BY.map(|(kind, code)| signal(kind).map(|signal| (signal, code)))
        };
        let [hang_up, interrupt, terminate] = signals;
        let (mut hang_up, mut interrupt, mut terminate) = (hang_up?, interrupt?, terminate?);
        let wait = async move {
            tokio::select! {
                _ = hang_up.0.recv() => hang_up.1,
                _ = interrupt.0.recv() => interrupt.1,
                _ = terminate.0.recv() => terminate.1,
            }
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let code = runtime.block_on(wait);
            // The work may be making a file there at this very moment: what is then left goes with
            // the next one.
            let _ = std::fs::remove_dir_all(path);
            std::process::exit(code);
        })?;
        Ok(())
    }
}

/// The directories whose work has ended.
fn left_in(parent: &Path, prefix: &str) -> io::Result<Vec<PathBuf>> {
    let mut left = Vec::new();
    for entry in std::fs::read_dir(parent)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix));
        if !is_ours || !entry.file_type()?.is_dir() {
            continue;
        }
        match File::open(entry.path()).map(|directory| directory.try_lock()) {
            Ok(Ok(())) => left.push(entry.path()),
            // Somebody works there, or it is somebody else's.
            Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) | Err(_) => {}
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_goes_and_what_is_worked_on_stays() {
        let parent = tempfile::tempdir().expect("a directory");
        let dead = parent.path().join(".evercart-backup-dead");
        std::fs::create_dir(&dead).expect("made");
        std::fs::write(dead.join("us.sqlite3"), "half").expect("written");
        let others = parent.path().join(".evercart-restore-dead");
        std::fs::create_dir(&others).expect("made");
        let first = Staging::begin(parent.path(), "backup").expect("begins");
        assert!(!dead.exists() && others.exists());
        let second = Staging::begin(parent.path(), "backup").expect("begins");
        assert!(first.path().exists() && second.path().exists());
        let path = first.path().to_owned();
        drop(first);
        assert!(!path.exists());
    }
}

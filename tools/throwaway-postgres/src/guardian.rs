//! What outlives us: a shell that waits until we are gone, however we went, and then ends the
//! server and removes its directory. A test runner drops no statics, and SIGKILL drops nothing.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Error;
use crate::account::Account;

/// Its standard input is a pipe that only we hold: its end is ours. `ended` is written before
/// `pid` is read, and `LAUNCH` does it the other way round: whichever comes second sees the first,
/// so no server can start behind its guardian's back. A process that has ended but whom nobody has
/// buried still takes signals; a server that has ended has removed `postmaster.pid`.
const WATCH: &str = r#"
trap '' HUP INT TERM
while read -r _; do :; done
: >"$1/ended"
read -r pid <"$1/pid"
if [ -n "$pid" ]; then
  kill -QUIT "$pid"
  turns=0
  while [ -e "$1/data/postmaster.pid" ] && kill -0 "$pid" && [ "$turns" -lt 200 ]; do
    turns=$((turns + 1))
    sleep 0.05
  done
  kill -KILL "$pid"
fi
turns=0
until rm -rf "$1" || [ "$turns" -ge 100 ]; do
  turns=$((turns + 1))
  sleep 0.05
done
"#;

/// Becomes the server, unless we are gone already.
const LAUNCH: &str = r#"
directory=$1
shift
echo $$ >"$directory/pid" && [ ! -e "$directory/ended" ] && exec "$@"
"#;

/// The shell that watches one directory.
#[derive(Debug)]
pub(crate) struct Guardian(Child);

impl Guardian {
    /// Watches over `directory`, as the user that owns it.
    pub fn watch(directory: &Path, account: &Account) -> Result<Self, Error> {
        // Our standard output and error must not stay open in it: whoever reads them waits for
        // their end.
        let child = account
            .command("sh", Path::new("/"))
            .args(["-c", WATCH, "evercart-throwaway-postgres"])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::system("run sh"))?;
        Ok(Self(child))
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // If it cannot be waited for it is gone, which is all that is wanted.
        let _ = self.0.wait();
    }
}

/// A command that runs `program` under the guardian of `directory`.
pub(crate) fn launch(directory: &Path, account: &Account, program: &Path) -> Command {
    let mut command = account.command("sh", directory);
    command.args(["-c", LAUNCH, "sh"]).arg(directory).arg(program);
    command
}

/// Tells the guardian that the server it would end has ended.
pub(crate) fn forget(directory: &Path) {
    // Without the file there is nothing to forget.
    let _ = std::fs::remove_file(directory.join("pid"));
}

//! Finds PgBouncer's program: the machine's own, else a copy of Debian's package that is unpacked
//! once below the workspace's `target/tools`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;

/// Where systems put it, beside the directories of PATH: one that is no administrator's has no
/// `sbin` there.
const PLACES: &[&str] =
    &["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin", "/usr/pgbouncer/bin"];

const NAME: &str = "pgbouncer";

/// The program, and where the libraries lie that came with it.
#[derive(Debug)]
pub(crate) struct Program {
    pub path: PathBuf,
    pub libraries: Option<PathBuf>,
}

/// Several processes may ask at the same time: one of them unpacks, the others wait.
pub(crate) fn find_or_unpack() -> Result<Program, Error> {
    if let Some(path) = on_this_machine() {
        return Ok(Program { path, libraries: None });
    }
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/pgbouncer");
    fs::create_dir_all(&parent).map_err(Error::at("create", &parent))?;
    let parent = parent.canonicalize().map_err(Error::at("find", &parent))?;
    let lock = parent.join("lock");
    let lock = File::create(&lock).map_err(Error::at("create", &lock))?;
    lock.lock().map_err(Error::system("lock the unpacking of PgBouncer"))?;
    let unpacked = parent.join("unpacked");
    if !unpacked.is_dir() {
        unpack(&parent, &unpacked)?;
    }
    let libraries = fs::read_dir(unpacked.join("usr/lib")).ok().and_then(|mut entries| {
        let are_libraries = |path: &PathBuf| path.to_string_lossy().ends_with("-linux-gnu");
        entries.find_map(|entry| Some(entry.ok()?.path()).filter(are_libraries))
    });
    Ok(Program { path: unpacked.join("usr/sbin").join(NAME), libraries })
}

fn on_this_machine() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "where programs are the environment tells")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(PLACES.iter().map(PathBuf::from));
    directories.map(|directory| directory.join(NAME)).find(|program| program.is_file())
}

/// Downloads the package, with those it needs and this machine lacks, and unpacks them.
fn unpack(parent: &Path, unpacked: &Path) -> Result<(), Error> {
    let partial = parent.join("partial");
    // What an interrupted attempt left.
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(partial.join("archives/partial")).map_err(Error::at("create", &partial))?;
    download(&partial).or_else(|_| {
        // The machine has no list of packages yet, or an old one.
        run(Command::new("apt-get").args(["update", "-qq"]))?;
        download(&partial)
    })?;
    let tree = partial.join("tree");
    let archives = partial.join("archives");
    for entry in fs::read_dir(&archives).map_err(Error::at("read", &archives))? {
        let package = entry.map_err(Error::at("read", &archives))?.path();
        if package.extension().is_some_and(|ending| ending == "deb") {
            run(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(&tree))?;
        }
    }
    // A rename is all or nothing: whoever finds the directory finds it complete.
    fs::rename(&tree, unpacked).map_err(Error::at("create", unpacked))?;
    fs::remove_dir_all(&partial).map_err(Error::at("remove", &partial))
}

fn download(partial: &Path) -> Result<(), Error> {
    let mut archives = std::ffi::OsString::from("Dir::Cache::archives=");
    archives.push(partial.join("archives"));
    run(Command::new("apt-get")
        .args(["install", "--yes", "-qq", "--download-only", "--no-install-recommends"])
        .args(["-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root", "-o"])
        .arg(archives)
        .arg(NAME))
}

fn run(command: &mut Command) -> Result<(), Error> {
    let missing = |why: String| Error::MissingPooler(why);
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| {
        missing(format!("{} cannot be run: {error}", command.get_program().display()))
    })?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(missing(said.lines().take(3).collect::<Vec<_>>().join("; ")))
        }
    }
}

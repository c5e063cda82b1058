//! Whose the files in the data directory are, whoever runs a command.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use crate::harness::Shop;

/// A user and a group that are nobody's.
const OTHER: (u32, u32) = (54_321, 54_322);

fn owner(path: &Path) -> (u32, u32) {
    let metadata = std::fs::symlink_metadata(path).expect("it is there");
    (metadata.uid(), metadata.gid())
}

fn all_in(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(all_in(&path));
        }
        found.push(path);
    }
    found
}

/// Root runs commands for the server's user. What they leave is that user's: keys, databases with
/// their logs, the mark, the lock, backups, and what a restore keeps aside. Whoever is not root may
/// give nothing away, and has nothing to give: the same holds.
#[test]
fn what_a_command_leaves_belongs_to_the_directorys_owner() {
    let mut shop = Shop::prepared().argument("--demo");
    let home = shop.home().to_owned();
    let expected = match chown(&home, Some(OTHER.0), Some(OTHER.1)) {
        Ok(()) => OTHER,
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied, "{error}");
            owner(&home)
        }
    };
    let assert_all = |after: &str| {
        for path in all_in(&home) {
            assert_eq!(owner(&path), expected, "{} after {after}", path.display());
        }
    };
    shop.start();
    assert_all("serve");
    shop.run_ok(&["backup", "shop.tar"]);
    shop.run_ok(&["keys", "rotate"]);
    shop.run_ok(&["check"]);
    assert_all("backup and keys rotate");
    shop.terminate();
    shop.run_ok(&["restore", "shop.tar", "--force"]);
    assert_all("restore");
    let new = home.join("made/by/restore");
    shop.run_ok(&["restore", "shop.tar", "--data", new.to_str().expect("text")]);
    assert_all("restore to a new place");
    shop.run_ok(&["rewound", "--market", "us"]);
    shop.start();
    shop.terminate();
    assert_all("a second start");
}

/// What evercart may not use it calls by its owner, and says how to give it back: here the program
/// runs as somebody who may not read what root left or, where the tests are not root's, what nobody
/// may read.
#[test]
fn a_file_of_somebody_elses_is_named_with_its_owner() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let mut shop = Shop::prepared().argument("--demo");
    let home = shop.home().to_owned();
    let is_root = chown(&home, Some(OTHER.0), Some(OTHER.1)).is_ok();
    shop.start();
    shop.terminate();
    let run = |arguments: &[&str]| {
        let mut command = shop.command();
        command.args(arguments);
        if is_root {
            command.uid(OTHER.0).gid(OTHER.1);
        }
        let output = command.output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        // What is wrong with one market is part of what `check` finds.
        String::from_utf8([output.stdout, output.stderr].concat()).expect("text")
    };
    let serve = ["serve", "--demo", "--listen", "127.0.0.1:0"];
    for (name, arguments) in [
        ("keys.json", &["keys", "list"][..]),
        ("keys.json", &serve),
        ("us.sqlite3", &serve),
        ("us.sqlite3", &["check"]),
        ("us.sqlite3-wal", &serve),
        ("evercart.mark", &serve),
        ("evercart.lock", &serve),
        (".", &serve),
        (".", &["check"]),
    ] {
        let path = shop.data().join(name);
        if !path.exists() {
            std::fs::write(&path, "").expect("made");
        }
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        let (whose, expected) = match is_root {
            true => ((0, 0), "it belongs to root (mode "),
            false => (owner(&path), "(mode 0000), and evercart runs as user "),
        };
        chown(&path, Some(whose.0), Some(whose.1)).expect("given");
        set_permissions(&path, Permissions::from_mode(if is_root { 0o600 } else { 0 }))
            .expect("set");
        let said = run(arguments);
        assert!(said.contains(expected), "{name}, {arguments:?}: {said}");
        assert!(said.contains("\nhint: "), "{name}, {arguments:?}: {said}");
        if is_root {
            chown(&path, Some(OTHER.0), Some(OTHER.1)).expect("given back");
        }
        set_permissions(&path, Permissions::from_mode(mode)).expect("set");
    }
}

/// What every user of the machine could read is said at the start.
#[test]
fn what_others_can_read_is_warned_of() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let mut shop = Shop::demo();
    assert!(!shop.stderr().contains("is open to every user"), "{}", shop.stderr());
    shop.terminate();
    set_permissions(shop.data(), Permissions::from_mode(0o755)).expect("set");
    let database = shop.data().join("us.sqlite3");
    set_permissions(database, Permissions::from_mode(0o644)).expect("set");
    shop.start();
    let said = shop.stderr();
    assert!(
        said.contains("evercart-data is open to every user of this machine (mode 0755)"),
        "{said}"
    );
    assert!(said.contains("`chmod 600 evercart-data/us.sqlite3`"), "{said}");
}

//! The backups that a server takes by itself.

use std::path::{Path, PathBuf};

use crate::harness::{Shop, wait_until};

fn backups(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// A demo that backs up as often as it can, into a directory that is there.
fn shop(keep: &str) -> (Shop, PathBuf) {
    let shop = Shop::prepared().argument("--demo");
    let directory = shop.home().join("backups");
    let config = format!(
        "[backup]\nevery = \"1s\"\nkeep = \"{keep}\"\ndirectory = \"{}\"\n",
        directory.display()
    );
    (shop.config(&config), directory)
}

#[test]
fn a_server_backs_up_and_keeps_what_it_is_told_to() {
    let (mut shop, directory) = shop("1d");
    std::fs::create_dir(&directory).expect("made");
    let old = directory.join("evercart-20200101T000000Z.tar");
    let others = directory.join("mine.tar");
    for file in [&old, &others] {
        std::fs::write(file, "x").expect("written");
    }
    shop.start();
    wait_until("two backups", || shop.counted("evercart_backups_made_total") >= 2);
    wait_until("the newest of today, and another's", || backups(&directory).len() == 2);
    assert!(!old.exists() && others.exists());
    assert_eq!(shop.counted("evercart_backups_kept"), 1);
    let last = shop.counted("evercart_backup_last_good_timestamp_seconds");
    assert!(last > 1_700_000_000, "{last}");
    shop.terminate();
    let newest = backups(&directory).into_iter().find(|path| *path != others).expect("one");
    let newest = newest.to_str().expect("text");
    shop.run_ok(&["backup", "verify", newest]);
    // Whoever finds the data damaged is told of it, though no command made it.
    std::fs::remove_file(shop.data().join("last-backup.json")).expect("removed");
    shop.write("evercart-data/us.sqlite3", "damaged");
    let said = shop.run(&["check"]).stdout;
    assert!(said.contains(&format!("The last backup known here is {newest}, of ")), "{said}");
}

/// The disk with the backups is not there: that is said and counted, and the shop goes on.
#[test]
fn a_backup_that_fails_stops_nothing() {
    let (mut shop, directory) = shop("1d");
    shop.start();
    wait_until("a failure", || shop.counted("evercart_backups_failed_total") >= 1);
    assert!(shop.stderr().contains("no backup was made, it is tried again"), "{}", shop.stderr());
    shop.see("/cart", &shop.sign_in("+13128059851"));
    std::fs::create_dir(&directory).expect("made");
    wait_until("a backup", || shop.counted("evercart_backups_made_total") >= 1);
}

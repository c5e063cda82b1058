//! What a backup is worth: it was checked, it can be verified, and it runs nothing.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::harness::Shop;

/// A demo shop with customers, stopped.
fn stopped() -> Shop {
    let mut shop = Shop::demo();
    shop.run_ok(&["demo", "fill", "--users", "20", "--market", "us"]);
    shop.terminate();
    shop
}

fn database(shop: &Shop) -> Connection {
    let database = Connection::open(shop.data().join("us.sqlite3")).expect("opens");
    database.pragma_update(None, "ignore_check_constraints", true).expect("set");
    database
}

/// What an unfinished backup would leave.
fn left(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name.starts_with('.') || name.ends_with(".tar")).collect()
}

fn refused(shop: &Shop, arguments: &[&str], part: &str) {
    let output = shop.run(arguments);
    assert_eq!(output.code, Some(1), "{arguments:?}: {}", output.stdout);
    assert!(output.stderr.contains(part), "{arguments:?}: {}", output.stderr);
}

/// A backup that cannot be relied on is worse than the message that there is none.
#[test]
fn broken_data_is_not_backed_up_unless_it_is_meant() {
    let shop = stopped();
    database(&shop).execute_batch("UPDATE stock SET on_hand = -5 WHERE sku_id = 42").expect("set");
    refused(&shop, &["backup", "shop.tar"], "no backup was made: what was copied of market us");
    refused(&shop, &["backup", "shop.tar"], "hint: `evercart check` says");
    assert_eq!(left(shop.home()), Vec::<String>::new());
    let said = shop.run_ok(&["backup", "--unchecked", "broken.tar"]);
    assert!(said.contains("It was not checked."), "{said}");
    refused(&shop, &["backup", "verify", "broken.tar"], "on_hand is -5");
    refused(&shop, &["restore", "broken.tar", "--force"], "on_hand is -5");
}

/// Damaged pages, too; they are kept as they are by whoever wants them.
#[test]
fn damaged_data_is_not_backed_up_unless_it_is_meant() {
    let shop = stopped();
    const ROOT: &str = "SELECT rootpage FROM sqlite_schema WHERE name = 'order_items'";
    let root: i64 = database(&shop).query_row(ROOT, [], |row| row.get(0)).expect("it is there");
    let path = shop.data().join("us.sqlite3");
    let mut content = std::fs::read(&path).expect("read");
    let begin = usize::try_from(root - 1).expect("small") * 4096;
    content[begin..begin + 4096].fill(0xee);
    std::fs::write(&path, content).expect("written");
    let output = shop.run(&["backup", "shop.tar"]);
    assert_eq!(output.code, Some(1), "{}", output.stdout);
    assert_eq!(left(shop.home()), Vec::<String>::new());
    shop.run_ok(&["backup", "--unchecked", "broken.tar"]);
    refused(&shop, &["backup", "verify", "broken.tar"], "table order_items");
}

#[test]
fn a_backup_can_be_verified() {
    let shop = stopped();
    shop.run_ok(&["backup", "shop.tar"]);
    let said = shop.run_ok(&["backup", "verify", "shop.tar"]);
    assert!(said.starts_with("shop.tar is whole: made by evercart "), "{said}");
    assert!(said.contains("\nus: 21 customers, "), "{said}");
    let report = shop.run_ok(&["backup", "verify", "shop.tar", "--json"]);
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["markets"][1]["users"], 21, "{report}");
    let mut content = std::fs::read(shop.home().join("shop.tar")).expect("read");
    let middle = content.len() / 2;
    content[middle] ^= 1;
    shop.write("flipped.tar", &content);
    refused(&shop, &["backup", "verify", "flipped.tar"], "SHA-256 differs");
    shop.write("short.tar", &content[..middle]);
    refused(&shop, &["backup", "verify", "short.tar"], "it is cut short");
    assert_eq!(left(shop.home()).len(), 3, "{:?}", left(shop.home()));
}

#[test]
fn a_backup_streams_to_standard_output() {
    let shop = stopped();
    let output = shop.command().args(["backup", "--to", "-"]).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("to standard output"), "{said}");
    shop.write("streamed.tar", &output.stdout);
    shop.run_ok(&["backup", "verify", "streamed.tar"]);
    let output = shop.run(&["backup"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
}

/// A backup whose reader does not read: it is under way for as long as the test wants.
fn waiting(shop: &Shop, temporary: &Path) -> std::process::Child {
    let mut child = shop
        .command()
        .args(["backup", "--to", "-"])
        .env("TMPDIR", temporary)
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut first = [0];
    child.stdout.as_mut().expect("piped").read_exact(&mut first).expect("it streams");
    assert_eq!(left(temporary).len(), 1);
    child
}

#[test]
fn a_backup_that_is_interrupted_leaves_nothing() {
    let shop = stopped();
    let temporary = shop.home().join("tmp");
    std::fs::create_dir(&temporary).expect("made");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut child = waiting(&shop, &temporary);
        let process = child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &process]).status();
        assert!(sent.expect("kill runs").success());
        assert_eq!(child.wait().expect("it ends").code(), Some(code));
        assert_eq!(left(&temporary), Vec::<String>::new(), "{signal}");
    }
    // Nobody can clean up after a kill but the next one.
    let mut child = waiting(&shop, &temporary);
    child.kill().expect("killed");
    child.wait().expect("it ends");
    assert_eq!(left(&temporary).len(), 1);
    let next = shop.command().args(["backup", "--to", "-"]).env("TMPDIR", &temporary).output();
    assert!(next.expect("runs").status.success());
    assert_eq!(left(&temporary), Vec::<String>::new());
}

/// Adds to a database in a backup, with the right sums, as somebody does who means harm.
fn tampered(shop: &Shop, from: &str, to: &str, sql: &str) {
    let archive = std::fs::File::open(shop.home().join(from)).expect("a backup");
    let mut archive = tar::Archive::new(archive);
    let mut manifest = Value::Null;
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let name = entry.path().expect("a name").display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("read");
        match name.as_str() {
            "manifest.json" => manifest = serde_json::from_slice(&content).expect("JSON"),
            "us.sqlite3" => {
                let path = shop.write("us.sqlite3", &content);
                Connection::open(&path).expect("opens").execute_batch(sql).expect(sql);
                files.push((name, std::fs::read(path).expect("read")));
            }
            _ => files.push((name, content)),
        }
    }
    let listed = manifest["databases"].as_array_mut().expect("a list");
    for ((_, content), listed) in files.iter().zip(listed) {
        let sum = Sha256::digest(content);
        let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        (listed["bytes"], listed["sha256"]) = (content.len().into(), sum.into());
    }
    let manifest = ("manifest.json".to_owned(), serde_json::to_vec(&manifest).expect("JSON"));
    let mut out = tar::Builder::new(Vec::new());
    for (name, content) in std::iter::once(&manifest).chain(&files) {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        out.append_data(&mut header, name, content.as_slice()).expect("appended");
    }
    shop.write(to, out.into_inner().expect("written"));
}

/// A trigger in a backup would run at every write of the shop that is restored from it.
#[test]
fn a_backup_that_runs_code_is_refused() {
    let shop = stopped();
    shop.run_ok(&["backup", "shop.tar"]);
    for (name, sql, part) in [
        (
            "trigger.tar",
            "CREATE TRIGGER steal AFTER UPDATE ON carts BEGIN DELETE FROM orders; END",
            "us.sqlite3 has trigger steal of carts, which evercart never makes",
        ),
        ("view.tar", "CREATE VIEW peep AS SELECT phone FROM users", "us.sqlite3 has view peep"),
    ] {
        tampered(&shop, "shop.tar", name, sql);
        refused(&shop, &["backup", "verify", name], part);
        refused(&shop, &["restore", name, "--force"], part);
    }
    database(&shop)
        .execute_batch("CREATE TRIGGER t AFTER UPDATE ON carts BEGIN SELECT 1; END")
        .expect("made");
    refused(&shop, &["backup", "other.tar"], "market us has trigger t of carts");
}

/// What is only less, or more, than evercart's schema and runs nothing is no reason to have no
/// backup: a restore makes the schema anew.
#[test]
fn a_restore_makes_a_schema_anew() {
    let shop = stopped();
    database(&shop)
        .execute_batch("DROP INDEX skus_by_product; CREATE INDEX mine ON users (email)")
        .expect("changed");
    assert_eq!(shop.run(&["check"]).code, Some(1));
    shop.run_ok(&["backup", "shop.tar"]);
    shop.run_ok(&["restore", "shop.tar", "--force"]);
    shop.run_ok(&["check"]);
}

//! U2: no room is left to write to. Reads go on, writes are refused, nothing is corrupted, and when
//! there is room again the same server writes again.
//!
//! The disk is a small file system in memory that only the server sees, in a mount namespace of its
//! own. Where this user may not make one, as in many containers, the server's files are kept from
//! growing instead, which for SQLite is another error.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::json;

use crate::customer::{Customer, expect, pieces, problem, us_phone};
use crate::harness::{Answer, Shop, wait_until};

/// Where a server may soon write no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    /// A file system of its own, made with these options of `unshare`.
    Small(&'static [&'static str]),
    /// The largest size that a file may have.
    Limited,
}

/// Room for a demo, and little more.
const MOUNT: &str = "mkdir -p evercart-data && mount -t tmpfs -o size=16m tmpfs evercart-data && \
     exec \"$@\"";

/// Growing beyond the limit is then an error and not the end of the process.
const IGNORE_THE_SIGNAL: &str = "trap '' XFSZ && exec \"$@\"";

impl Disk {
    /// A small disk, if this user may make one.
    fn small() -> Self {
        let ways: [&'static [&'static str]; 2] = [&["--mount"], &["--mount", "--map-root-user"]];
        let works = |way: &&&'static [&'static str]| {
            let mount = ["sh", "-c", "mount -t tmpfs tmpfs /tmp"];
            let tried = Command::new("unshare").args(**way).args(mount).output();
            tried.is_ok_and(|output| output.status.success())
        };
        match ways.iter().find(works) {
            Some(way) => Self::Small(way),
            None => {
                eprintln!("no file system can be mounted here: files are limited instead");
                Self::Limited
            }
        }
    }

    fn shop(self) -> Shop {
        let shop = Shop::prepared().argument("--demo");
        let mut shop = match self {
            Disk::Small(way) => {
                let wrapper = [&["unshare"], way, &["sh", "-c", MOUNT, "sh"]].concat();
                shop.started_by(&wrapper)
            }
            Disk::Limited => shop.started_by(&["sh", "-c", IGNORE_THE_SIGNAL, "sh"]),
        };
        shop.start();
        shop
    }

    /// The data directory as the server sees it.
    fn data(self, shop: &Shop) -> PathBuf {
        match self {
            Disk::Small(_) => {
                let root = PathBuf::from(format!("/proc/{}/root", shop.running().id()));
                root.join(shop.data().strip_prefix("/").expect("an absolute path"))
            }
            Disk::Limited => shop.data(),
        }
    }

    /// Leaves no room.
    fn fill(self, shop: &Shop) {
        let data = self.data(shop);
        match self {
            Disk::Small(_) => {
                let mut ballast = File::create(data.join("ballast")).expect("a file");
                while ballast.write_all(&[0; 4096]).is_ok() {}
                while ballast.write_all(&[0]).is_ok() {}
            }
            Disk::Limited => {
                let entries = fs::read_dir(data).expect("the data directory");
                let sizes = entries.map(|entry| {
                    entry.and_then(|entry| entry.metadata()).map_or(0, |file| file.len())
                });
                limit_files(shop, &format!("{}:", sizes.max().expect("files of ours")));
            }
        }
    }

    fn make_room(self, shop: &Shop) {
        match self {
            Disk::Small(_) => {
                fs::remove_file(self.data(shop).join("ballast")).expect("a file of ours");
            }
            Disk::Limited => limit_files(shop, "unlimited:"),
        }
    }

    /// Runs `evercart check` where the server runs; it must find nothing wrong.
    fn check(self, shop: &Shop) {
        let Disk::Small(way) = self else { return crate::catalogue_rows::check(shop) };
        let mut enter = Command::new("nsenter");
        enter.arg(format!("--target={}", shop.running().id())).args(["--mount", "--wd"]);
        if way.len() > 1 {
            enter.args(["--user", "--preserve-credentials"]);
        }
        run(enter.arg(env!("CARGO_BIN_EXE_evercart")).arg("check"));
    }
}

fn limit_files(shop: &Shop, bytes: &str) {
    let process = shop.running().id().to_string();
    let limit = format!("--fsize={bytes}");
    run(Command::new("prlimit").args(["--pid", &process, &limit]));
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?} cannot be run, install util-linux: {error}");
    });
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

/// Adds one piece, under a key that takes room.
fn add(shop: &Shop, jo: &Customer, number: usize) -> Answer {
    let key = format!("{number:0>200}");
    let body = json!({ "sku_id": 40 + number % 3, "quantity": 1 });
    jo.request(shop, "POST", "/cart/items").idempotency_key(&key).json(&body).send()
}

fn added(shop: &Shop, jo: &Customer) -> i64 {
    let cart = jo.cart(shop);
    (40..43).map(|sku| pieces(&cart, sku)).sum()
}

fn goes_on_reading_and_writes_again(disk: Disk) {
    let mut shop = disk.shop();
    let customers: Vec<_> = (1..=20).map(|n| Customer::of_demo(&shop, &us_phone(n))).collect();
    let jo = &customers[0];
    expect(200, &add(&shop, jo, 0));
    disk.fill(&shop);
    let mut acknowledged = vec![0_i64; customers.len()];
    acknowledged[0] = 1;
    let mut number = 0;
    let refused = loop {
        number += 1;
        assert!(number < 20_000, "the disk does not become full");
        let who = number % customers.len();
        let answer = add(&shop, &customers[who], number);
        match (answer.status, acknowledged[who]) {
            (200, _) => acknowledged[who] += 1,
            (422, 200..) => {}
            _ => break answer,
        }
    };
    problem(503, "store_unavailable", &refused);
    let see_all =
        |shop: &Shop| customers.iter().map(|customer| added(shop, customer)).collect::<Vec<_>>();
    assert_eq!(see_all(&shop), acknowledged, "reads go on, and show what was acknowledged");
    expect(200, &jo.get(&shop, "/products"));
    assert_eq!(shop.get("/healthz").send().status, 200);
    disk.check(&shop);

    disk.make_room(&shop);
    let who = number % customers.len();
    wait_until("an add where there is room", || {
        let answer = add(&shop, &customers[who], number);
        assert!([200, 503].contains(&answer.status), "{answer}");
        answer.status == 200
    });
    acknowledged[who] += 1;
    assert_eq!(see_all(&shop), acknowledged);
    expect(201, &jo.checkout(&shop));
    disk.check(&shop);
    assert_eq!(shop.terminate().code, Some(0));
}

#[test]
fn u2_a_full_disk_refuses_writes_and_nothing_else() {
    goes_on_reading_and_writes_again(Disk::small());
}

#[test]
fn u2_files_that_may_not_grow_refuse_writes_and_nothing_else() {
    goes_on_reading_and_writes_again(Disk::Limited);
}

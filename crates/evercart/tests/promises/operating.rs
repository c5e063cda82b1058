//! What an operator does to a serving shop, and what the customers notice of it: nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::backend::RESTORES_IN_PLACE;
use crate::catalogue_rows::check;
use crate::customer::{Customer, SEED_PHONE, expect, pieces, problem, us_phone};
use crate::harness::{Shop, wait_until};

/// Runs `meanwhile` while customers add to their carts, one piece after the other. Returns for each
/// how many adds were acknowledged.
fn under_load(
    shop: &Shop,
    customers: &[Customer],
    meanwhile: impl FnOnce(&[AtomicUsize]),
) -> Vec<usize> {
    let over = AtomicBool::new(false);
    let added: Vec<_> = customers.iter().map(|_| AtomicUsize::new(0)).collect();
    std::thread::scope(|scope| {
        for (customer, added) in customers.iter().zip(&added) {
            let over = &over;
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let body = json!({ "sku_id": 42, "quantity": 1 });
                    let request = customer.request(shop, "POST", "/cart/items").json(&body);
                    // A server that ends closes its connections.
                    let Ok(answer) = request.try_send() else { return };
                    match answer.code().as_str() {
                        "quantity_limit" => return,
                        _ => assert_eq!(answer.status, 200, "{answer}"),
                    }
                    added.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let stop = StopAtEnd(&over);
        wait_until("every customer to be busy", || {
            added.iter().all(|added| added.load(Ordering::SeqCst) >= 3)
        });
        meanwhile(&added);
        drop(stop);
    });
    added.into_iter().map(AtomicUsize::into_inner).collect()
}

/// Ends the load also when what happened meanwhile failed, so that the failure is seen.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn customers(shop: &Shop, count: u32) -> Vec<Customer> {
    (1..=count).map(|n| Customer::of_demo(shop, &us_phone(n))).collect()
}

fn pieces_of(shop: &Shop, customer: &Customer) -> usize {
    usize::try_from(pieces(&customer.cart(shop), 42)).expect("not negative")
}

#[test]
fn g6_a_backup_made_while_writing_has_every_write_acknowledged_before_it() {
    let shop = Shop::demo();
    let customers = customers(&shop, 4);
    expect(200, &customers[0].wish(&shop, 15));
    expect(200, &customers[0].add(&shop, 41, 1));
    let order = expect(201, &customers[0].checkout(&shop));
    let file = shop.home().join("shop.tar");
    let file = file.to_str().expect("a path in UTF-8");
    let mut before = Vec::new();
    let after = under_load(&shop, &customers, |added| {
        before = added.iter().map(|added| added.load(Ordering::SeqCst)).collect();
        shop.run_ok(&["backup", file]);
    });

    let mut elsewhere = Shop::prepared().argument("--demo");
    elsewhere.run_ok(&["restore", file]);
    check(&elsewhere);
    elsewhere.start();
    check(&elsewhere);
    for (index, customer) in customers.iter().enumerate() {
        let again = Customer::of_demo(&elsewhere, &customer.phone);
        assert_eq!(again.id, customer.id);
        let kept = pieces_of(&elsewhere, &again);
        assert!(
            (before[index]..=after[index]).contains(&kept),
            "{kept} pieces; {} were acknowledged before the backup, {} in all",
            before[index],
            after[index]
        );
    }
    let first = Customer::of_demo(&elsewhere, &customers[0].phone);
    assert_eq!(elsewhere.see("/profile/orders", &first.token)["orders"], json!([order]));
    assert_eq!(elsewhere.see("/wishlist", &first.token)["total_items"], 1);
    let again = shop.run(&["backup", file]);
    assert_eq!(again.code, Some(1), "a backup does not overwrite another: {}", again.stderr);
}

#[test]
fn g6_a_damaged_backup_is_refused_and_changes_nothing() {
    let mut shop = Shop::demo();
    let jo = Customer::with_code(&shop, SEED_PHONE, "123456");
    expect(200, &jo.add(&shop, 42, 2));
    let file = shop.home().join("shop.tar");
    let name = file.to_str().expect("a path in UTF-8");
    shop.run_ok(&["backup", name]);
    let while_serving = shop.run(&["restore", name, "--force"]);
    assert_eq!(while_serving.code, Some(1), "{}", while_serving.stderr);
    shop.terminate();
    let without_force = shop.run(&["restore", name]);
    assert_eq!(without_force.code, Some(1), "there is data: {}", without_force.stderr);
    let whole = std::fs::read(&file).expect("the backup");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [&flipped[..], &whole[..whole.len() / 2], b"", b"no tar at all"] {
        std::fs::write(&file, damaged).expect("our own file");
        let output = shop.run(&["restore", name, "--force"]);
        assert_eq!(output.code, Some(1), "{}", output.stderr);
    }
    std::fs::write(&file, &whole).expect("our own file");
    shop.start();
    assert_eq!(pieces_of(&shop, &jo), 2, "nothing was replaced");
    shop.terminate();
    if !RESTORES_IN_PLACE {
        let refused = shop.run(&["restore", name, "--force"]);
        assert!(refused.stderr.contains("is not replaced in one step"), "{}", refused.stderr);
        return;
    }
    shop.run_ok(&["restore", name, "--force"]);
    shop.start();
    let again = Customer::with_code(&shop, SEED_PHONE, "123456");
    assert_eq!(pieces_of(&shop, &again), 2);
}

#[test]
fn g6_a_catalogue_comes_out_as_it_went_in() {
    for format in ["csv", "ndjson"] {
        let shop = Shop::demo();
        let name = format!("products.{format}");
        shop.run_ok(&["catalog", "export", "--market", "kg", "--out", &name]);
        let exported = std::fs::read(shop.home().join(&name)).expect("the export");
        let other = Shop::prepared();
        other.write(&name, &exported);
        other.run_ok(&["catalog", "import", &name, "--market", "kg"]);
        let again = other.run_ok(&["catalog", "export", "--market", "kg", "--format", format]);
        assert_eq!(again, String::from_utf8(exported).expect("UTF-8"), "{format}");
    }
}

#[test]
fn s3_keys_are_rotated_under_traffic_and_nobody_is_signed_out() {
    let shop = Shop::demo();
    let customers = customers(&shop, 4);
    let key_of = |token: &str| token.split('.').next().expect("a header").to_owned();
    let added = under_load(&shop, &customers, |_| {
        for _ in 0..4 {
            let before = shop.sign_in(SEED_PHONE);
            shop.run_ok(&["keys", "rotate"]);
            wait_until("the new key to sign", || {
                let after = shop.sign_in(SEED_PHONE);
                assert_eq!(shop.get("/cart").token(&after).send().status, 200);
                key_of(&after) != key_of(&before)
            });
            assert_eq!(shop.get("/cart").token(&before).send().status, 200, "the old key's");
        }
    });
    for (customer, added) in customers.iter().zip(added) {
        assert_eq!(pieces_of(&shop, customer), added, "with the token of the first key");
    }
}

#[test]
fn an_operator_blocks_unblocks_and_signs_out_while_serving() {
    let shop = Shop::demo();
    let mut jo = Customer::of_demo(&shop, &us_phone(1));
    let other = Customer::of_demo(&shop, &us_phone(2));
    expect(200, &jo.add(&shop, 42, 2));
    let had = jo.everything(&shop);
    let user = |verb: &str| shop.run_ok(&["user", verb, &us_phone(1), "--market", "us", "--json"]);

    user("sign-out");
    problem(401, "signed_out", &jo.get(&shop, "/cart"));
    jo = Customer::of_demo(&shop, &us_phone(1));

    user("block");
    problem(401, "user_blocked", &jo.get(&shop, "/cart"));
    problem(401, "user_blocked", &jo.add(&shop, 42, 1));
    let sent =
        expect(200, &shop.post("/auth/send-code").json(&json!({ "phone": jo.phone })).send());
    let code = sent["demo_code"].as_str().expect("a demo's code").to_owned();
    problem(401, "user_blocked", &shop.verify(&jo.phone, &code));
    let shown: Value = serde_json::from_str(&user("show")).expect("JSON");
    assert!(!shown["blocked_at"].is_null(), "{shown}");
    assert_eq!(other.get(&shop, "/cart").status, 200);

    user("unblock");
    assert_eq!(jo.get(&shop, "/cart").status, 401, "the old session is over");
    jo = Customer::of_demo(&shop, &us_phone(1));
    assert_eq!(jo.everything(&shop), had, "nothing was lost");
    let nobody = shop.run(&["user", "block", &us_phone(77), "--market", "us"]);
    assert_eq!(nobody.code, Some(1), "{}", nobody.stderr);
    check(&shop);
}

#[test]
fn u3_a_stop_under_load_ends_with_0_and_loses_nothing() {
    let mut shop = Shop::demo();
    let customers = customers(&shop, 6);
    let acknowledged = under_load(&shop, &customers, |_| shop.signal("TERM"));
    let output = shop.wait();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    shop.start();
    for (customer, acknowledged) in customers.iter().zip(acknowledged) {
        let kept = pieces_of(&shop, customer);
        // The one whose answer was cut off may be there.
        assert!((acknowledged..=acknowledged + 1).contains(&kept), "{kept} of {acknowledged}");
    }
    check(&shop);
}

#[test]
fn u3_a_request_in_flight_is_finished_before_the_stop() {
    let mut shop = Shop::demo();
    let jo = Customer::with_code(&shop, SEED_PHONE, "123456");
    let address = shop.url("").replace("http://", "");
    let body = r#"{"sku_id":42,"quantity":2}"#;
    let head = format!(
        "POST /cart/items HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nExpect: \
         100-continue\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        jo.token,
        body.len()
    );
    let mut stream = TcpStream::connect(&address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
    stream.write_all(head.as_bytes()).expect("sent");
    let mut first = [0; 12];
    stream.read_exact(&mut first).expect("the server wants the body: the request runs");
    assert_eq!(&first, b"HTTP/1.1 100");
    shop.signal("TERM");
    wait_until("the server to stop listening", || TcpStream::connect(&address).is_err());
    stream.write_all(body.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer to its end");
    assert!(answer.contains("HTTP/1.1 200"), "{answer}");
    assert_eq!(shop.wait().code, Some(0));
    shop.start();
    assert_eq!(pieces_of(&shop, &jo), 2);
}

#[test]
fn an_operator_sees_that_it_is_alive_ready_and_busy() {
    let shop = Shop::demo();
    let jo = Customer::with_code(&shop, SEED_PHONE, "123456");
    expect(200, &jo.add(&shop, 42, 1));
    expect(200, &shop.post("/auth/send-code").json(&json!({ "phone": us_phone(1) })).send());
    problem(404, "not_found", &shop.get(&format!("/x{}", us_phone(1))).send());
    for path in ["/healthz", "/readyz"] {
        expect(200, &shop.get(path).send());
        for answer in shop.internal(path) {
            expect(200, &answer);
        }
    }
    problem(404, "not_found", &shop.get("/metrics").send());
    let metrics = shop.metrics();
    for (series, count) in [
        ("evercart_requests_total{method=\"POST\",route=\"/cart/items\",status=\"200\"}", 1),
        ("evercart_codes_sent_total{market=\"us\"}", 1),
        ("evercart_sign_ins_total{market=\"us\",outcome=\"signed_in\"}", 1),
    ] {
        assert_eq!(shop.counted(series), count, "{series}\n{metrics}");
    }
    for series in [
        "evercart_request_duration_seconds_bucket{",
        "evercart_commit_batch_size_count{market=\"us\"}",
        "evercart_writer_queue_depth{market=\"us\"}",
    ] {
        assert!(metrics.contains(series), "{series} is not in\n{metrics}");
    }
    for phone in [SEED_PHONE, &us_phone(1)] {
        let number = phone.trim_start_matches('+');
        assert!(!metrics.contains(number), "no label is made of what a client sends:\n{metrics}");
    }
}

#[test]
fn a_shop_that_was_a_demo_is_never_served_as_a_real_one() {
    let mut shop = Shop::demo();
    shop.terminate();
    let Err(refused) = shop.try_serve(&["serve".into()]) else {
        panic!("anybody can sign in as anybody there");
    };
    assert!(refused.0.code.is_some_and(|code| code != 0), "{refused}");
    assert!(refused.0.stderr.contains("demo"), "{refused}");
}

//! HTTPS with the operator's own certificate, replaced while serving; tried with the real `curl`.

use std::process::{Command, Output};

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::customer::SEED_PHONE;
use crate::harness::{Shop, wait_until};

/// Writes a new certificate for localhost and its key over the old ones.
fn new_certificate(shop: &Shop, copy: &str) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    shop.write("cert.pem", cert.pem());
    shop.write("key.pem", signing_key.serialize_pem());
    shop.write(copy, cert.pem());
}

fn shop() -> Shop {
    let mut shop = Shop::prepared()
        .argument("--demo")
        .config("[server]\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"\n");
    new_certificate(&shop, "first.pem");
    shop.start();
    shop
}

/// `curl` that trusts one certificate only.
fn curl(shop: &Shop, trusted: &str, arguments: &[&str], path: &str) -> Output {
    let base = shop.url("");
    let port = base.rsplit(':').next().expect("a port");
    Command::new("curl")
        .args(["-sS", "--cacert", trusted])
        .args(["--resolve", &format!("localhost:{port}:127.0.0.1")])
        .args(arguments)
        .arg(format!("https://localhost:{port}{path}"))
        .current_dir(shop.home())
        .output()
        .expect("this test needs the program curl: install it")
}

fn is_trusted(shop: &Shop, certificate: &str) -> bool {
    let output = curl(shop, certificate, &[], "/healthz");
    output.status.success() && output.stdout.starts_with(b"{\"status\":\"ok\"")
}

#[test]
fn https_works_and_a_new_certificate_is_taken_without_a_restart() {
    let shop = shop();
    assert!(shop.url("").starts_with("https://"), "{}", shop.url(""));
    assert!(is_trusted(&shop, "first.pem"));
    let body = format!("{{\"phone\":\"{SEED_PHONE}\",\"verification_code\":\"123456\"}}");
    let arguments = ["-X", "POST", "-H", "Content-Type: application/json", "-d", &body];
    let signed_in = curl(&shop, "first.pem", &arguments, "/auth/verify-code");
    let signed_in: serde_json::Value = serde_json::from_slice(&signed_in.stdout).expect("JSON");
    assert_eq!(signed_in["user"]["id"], 19, "{signed_in}");

    new_certificate(&shop, "second.pem");
    assert!(!is_trusted(&shop, "second.pem"), "not before it is told");
    shop.signal("HUP");
    wait_until("the new certificate", || is_trusted(&shop, "second.pem"));
    assert!(!is_trusted(&shop, "first.pem"));
}

#[test]
fn a_broken_certificate_does_not_replace_a_good_one() {
    let mut shop = shop();
    shop.write("cert.pem", "garbage");
    shop.signal("HUP");
    wait_until("the complaint", || shop.stderr().contains("cert.pem"));
    assert!(is_trusted(&shop, "first.pem"));
    shop.terminate();
    let refused = shop.try_start().expect_err("a shop without a certificate");
    assert!(refused.0.stderr.contains("cert.pem"), "it says which file: {refused}");
    new_certificate(&shop, "second.pem");
    let key = shop.read("key.pem");
    new_certificate(&shop, "third.pem");
    shop.write("key.pem", key);
    let refused = shop.try_start().expect_err("a key of another certificate");
    assert!(refused.0.stderr.contains("key.pem"), "{refused}");
}

#[test]
fn browsers_are_told_to_come_by_https_only_and_only_by_https() {
    let shop = shop();
    for path in ["/healthz", "/nothing", "/shop/"] {
        let answer = curl(&shop, "first.pem", &["-i"], path);
        let answer = String::from_utf8_lossy(&answer.stdout).to_lowercase();
        assert!(answer.contains("strict-transport-security: max-age=31536000\r\n"), "{answer}");
    }
    // RFC 6797 section 7.2: never over plain HTTP, such as the internal listener's.
    for answer in shop.internal("/healthz") {
        assert_eq!(answer.header("strict-transport-security"), None);
    }
    let plain = Shop::demo();
    assert_eq!(plain.get("/healthz").send().header("strict-transport-security"), None);
}

#[test]
fn plain_http_to_an_https_port_gets_nothing() {
    let shop = shop();
    let plain = shop.url("/healthz").replace("https://", "http://");
    let output = Command::new("curl").args(["-sS", &plain]).output().expect("curl");
    assert!(!output.stdout.starts_with(b"{\"status\":\"ok\""), "{output:?}");
}

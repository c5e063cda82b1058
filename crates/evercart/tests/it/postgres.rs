//! A shop in PostgreSQL from the operator's side: how it starts, or says why not.

use evercart_throwaway_postgres::{Server, Settings};

use crate::database::{fresh_database, name, query, shared, shop_in};
use crate::harness::Shop;

/// The words of a start that must fail, which hold no password.
fn refusal(shop: &mut Shop) -> String {
    let failed = shop.try_start().expect_err("it must not start");
    assert_eq!(failed.0.code, Some(1), "{failed}");
    assert!(failed.0.stderr.starts_with("error: "), "{failed}");
    assert!(!failed.0.stderr.contains(shared().password()), "{failed}");
    failed.0.stderr
}

#[test]
fn a_database_that_cannot_be_used_is_named_with_what_to_do() {
    let url = fresh_database();
    let address = shared().address().to_string();
    let elsewhere = url.replace(&address, "127.0.0.1:1");
    let missing = shared().url("nosuch");
    let wrong = shared().url_with_password(name(&url), "wrong");
    let tls = format!("{url}?sslmode=require");
    for (url, said, hint) in [
        (&elsewhere, "cannot connect to PostgreSQL at 127.0.0.1:1/", "no firewall is between"),
        (&missing, "database \"nosuch\" does not exist", "make the database first"),
        (&wrong, "password authentication failed", "user and password"),
        (&tls, "TLS", "storage.database_ca"),
    ] {
        let said_all = refusal(&mut shop_in(url));
        assert!(said_all.contains(said), "{said_all}");
        assert!(said_all.contains("\nhint: ") && said_all.contains(hint), "{said_all}");
    }
    let output = Shop::prepared().run(&["--database-url", "postgres://", "check"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("--database-url: storage.database_url"), "{}", output.stderr);
}

#[test]
fn a_standby_is_no_place_to_serve_from_and_is_said_so() {
    let primary = Server::start(Settings::for_tests()).expect("a server");
    primary.create_database("shop").expect("a database");
    let standby = primary.standby().expect("a standby");
    standby.catch_up_with(&primary).expect("it follows");
    let said = refusal(&mut shop_in(&standby.url("shop")));
    assert!(said.contains("hint: this is a standby"), "{said}");
}

/// U5.
#[test]
fn u5_a_newer_schema_is_refused_with_a_sentence() {
    let url = fresh_database();
    let mut shop = shop_in(&url);
    shop.start();
    shop.terminate();
    query(&url, "INSERT INTO evercart_us.schema_version (version) VALUES (999) RETURNING version");
    let said = refusal(&mut shop);
    assert!(said.contains("has version 999") && said.contains("start the newer"), "{said}");
}

#[test]
fn a_demo_and_a_real_shop_are_never_mixed_up() {
    let url = fresh_database();
    let mut shop = shop_in(&url);
    shop.start();
    shop.terminate();
    let output = shop.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains(" is a demo shop"), "{}", output.stderr);
    assert!(output.stderr.contains("hint: add --demo"), "{}", output.stderr);

    let real = fresh_database();
    let mut shop = Shop::prepared().variable("EVERCART_STORAGE__DATABASE_URL", &real);
    shop.write("p.csv", "product_id,name,sku_code,price,stock\n1,A,A-1,1.00,1\n");
    shop.run_ok(&["catalog", "import", "p.csv", "--market", "us"]);
    shop.start();
    shop.terminate();
    let output = shop.run(&["serve", "--demo", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("holds a real shop (market us)"), "{}", output.stderr);
}

/// One market here, one there: a file needs its directory, a database does not.
#[test]
fn each_market_may_have_a_place_of_its_own() {
    let url = fresh_database();
    let mut shop = Shop::prepared()
        .argument("--demo")
        .config(&format!("[markets.kg]\ndatabase_url = \"{url}\"\n"));
    shop.start();
    assert!(shop.data().join("us.sqlite3").exists() && !shop.data().join("kg.sqlite3").exists());
    let schemas = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'evercart%'";
    assert_eq!(query(&url, schemas), ["evercart_kg"]);
    let checked = shop.run_ok(&["check"]);
    assert!(
        checked.contains("us: 1 customers") && checked.contains("kg: 0 customers"),
        "{checked}"
    );
    shop.run_ok(&["backup", "both.tar"]);
    let Err(second) = shop.try_serve(&["serve".into(), "--demo".into()]) else {
        panic!("two servers serve one file");
    };
    assert!(second.0.stderr.contains("another evercart (process"), "{second}");
}

#[test]
fn the_keys_that_all_servers_need_are_named_at_the_start() {
    let mut shop = shop_in(&fresh_database());
    shop.start();
    let listed: Vec<serde_json::Value> =
        serde_json::from_str(&shop.run_ok(&["keys", "list", "--json"])).expect("JSON");
    let key = listed[0]["id"].as_str().expect("an id");
    let stderr = shop.stderr();
    let line = format!("tokens are signed with key {key} of evercart-data/keys.json");
    assert!(stderr.contains(&line) && stderr.contains("needs the same file"), "{stderr}");
    assert!(!stderr.contains(shared().password()), "{stderr}");
    let shown = shop.run_ok(&["config"]);
    assert!(shown.contains("database_url = ") && !shown.contains(shared().password()), "{shown}");
}

/// What runs a program for which the directory's mode counts, also if that is root's program.
#[cfg(unix)]
fn bound_by_modes(directory: &std::path::Path) -> &'static [&'static str] {
    let probe = directory.join("probe");
    match std::fs::write(&probe, "") {
        Err(_) => &[],
        Ok(()) => {
            std::fs::remove_file(probe).expect("it was just made");
            &["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        }
    }
}

/// G10: the keys may be in a place that nobody can write; the mark may not.
#[cfg(unix)]
#[test]
fn a_directory_of_keys_may_be_read_only_if_the_mark_is_elsewhere() {
    use std::os::unix::fs::PermissionsExt;
    let url = fresh_database();
    let mut first = shop_in(&url);
    first.start();
    let token = first.sign_in("+13128059851");
    first.terminate();
    let mode = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(first.data(), permissions).expect("it is ours");
    };
    mode(0o500);
    let wrapper = bound_by_modes(&first.data());
    let data = first.data();
    let data = data.to_str().expect("text");
    let again = || shop_in(&url).variable("EVERCART_STORAGE__DATA", data).started_by(wrapper);
    std::fs::remove_file(first.data().join("evercart.mark")).unwrap_or_default();
    let elsewhere = first.home().join("elsewhere.mark");
    let elsewhere = elsewhere.to_str().expect("text");
    let mut shop = again().variable("EVERCART_STORAGE__MARK_FILE", elsewhere);
    shop.start();
    shop.see("/cart", &token);
    shop.terminate();
    let said = match again().try_start() {
        Err(failed) => failed.to_string(),
        Ok(()) => panic!("it wrote its mark where it must not"),
    };
    assert!(said.contains("evercart.mark cannot be written: Permission denied"), "{said}");
    assert!(said.contains("let storage.mark_file name a file"), "{said}");
    mode(0o700);
}

//! Claims about configuration: which layer wins, and what each mistake is answered with.

use std::path::Path;

use super::keys::{BUILT_IN_MARKETS, KEYS};
use super::layers::parse;
use super::*;

/// Settings from a file's text and variables.
fn load_from(toml: &str, variables: &[(&str, &str)]) -> Result<Settings, Failure> {
    layers(toml, variables).and_then(|layers| resolve(&layers))
}

fn layers(toml: &str, variables: &[(&str, &str)]) -> Result<Layers, Failure> {
    let mut layers = Layers::built_in();
    layers.add_file(Path::new("evercart.toml"), toml)?;
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    layers.add_environment(variables)?;
    Ok(layers)
}

fn error(toml: &str) -> String {
    whole(load_from(toml, &[]))
}

fn error_of(name: &str, value: &str) -> String {
    whole(load_from("", &[(name, value)]))
}

/// Message and hint.
fn whole(result: Result<Settings, Failure>) -> String {
    let failure = result.expect_err("it must be refused");
    crate::failure::report(&anyhow::Error::new(failure)).0
}

#[test]
fn nothing_configured_is_a_whole_shop() {
    let settings = load_from("", &[]).expect("the defaults");
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.storage.data, Path::new("evercart-data"));
    assert_eq!(settings.auth.token_lifetime, SignedDuration::from_mins(30));
    assert_eq!(settings.auth.limits.sends_per_ip_hour, 30);
    assert!(matches!(settings.sms, Sms::Log));
    let names: Vec<&str> = settings.markets.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["us", "kg"]);
    let kg = &settings.markets[1];
    assert_eq!((kg.currency.code(), kg.phone_prefix.as_str()), ("KGS", "+996"));
    assert_eq!(kg.languages, ["ky", "ru"]);
    assert_eq!(kg.tax_rate.to_string(), "0.12");
    assert_eq!(kg.shipping.flat.0, 15_000);
    assert_eq!(kg.shipping.free_from.map(|m| m.0), Some(500_000));
}

#[test]
fn every_key_can_be_read_and_every_default_is_toml() {
    for key in KEYS {
        assert!(parse(key.example).is_some(), "{}: {}", key.path, key.example);
        assert!(key.default.is_none_or(|text| parse(text).is_some()), "{}", key.path);
        assert!(!key.about.is_empty(), "{}", key.path);
    }
    for (_, values) in BUILT_IN_MARKETS {
        assert!(values.iter().all(|(_, text)| parse(text).is_some()));
    }
}

#[test]
fn the_environment_wins_over_the_file_and_a_flag_over_both() {
    let toml = "[server]\nlisten = \"127.0.0.1:1\"\n[auth]\ntoken_lifetime = \"1h\"\n";
    let variables = [("EVERCART_SERVER__LISTEN", "127.0.0.1:2"), ("OTHER", "x")];
    let settings = load_from(toml, &variables).expect("fine");
    assert_eq!(settings.server.listen.port(), 2);
    assert_eq!(settings.auth.token_lifetime, SignedDuration::from_hours(1));
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_likely_one() {
    let text = error("[auth]\n\ntoken_lifetyme = \"2s\"\n");
    assert_eq!(
        text,
        "error: evercart.toml:3: there is no setting auth.token_lifetyme\n\
         hint: did you mean auth.token_lifetime?\n"
    );
    let text = error("[auth]\nsends_per_phone = 3\n");
    assert!(text.contains("did you mean auth.limits.sends_per_phone?"), "{text}");
    let text = error("[nonsense]\nx = 1\n");
    assert!(text.contains("evercart.toml:1: there is no setting nonsense"), "{text}");
    let text = error_of("EVERCART_AUTH__TOKEN_LIVETIME", "2s");
    assert!(text.contains("EVERCART_AUTH__TOKEN_LIVETIME: there is no setting"), "{text}");
    assert!(text.contains("did you mean EVERCART_AUTH__TOKEN_LIFETIME?"), "{text}");
    let text = error("[markets.us]\ncurency = \"USD\"\n");
    assert!(text.contains("did you mean markets.us.currency?"), "{text}");
}

#[test]
fn a_wrong_value_is_named_with_place_found_and_expected() {
    for (toml, part) in [
        (
            "[auth]\ntoken_lifetime = 30",
            "evercart.toml:2: auth.token_lifetime is 30, expected a duration such as",
        ),
        ("[auth]\ntoken_lifetime = \"soon\"", "is \"soon\", expected a duration"),
        ("[auth]\ntoken_lifetime = \"-5m\"", "expected a duration"),
        ("[auth]\ntoken_lifetime = \"0s\"", "expected a duration"),
        (
            "[server]\nlisten = \"localhost\"",
            "evercart.toml:2: server.listen is \"localhost\", expected an address",
        ),
        ("server = 5", "evercart.toml:1: server is 5, expected a section [server]"),
        ("[storage]\nbatch_max = 0", "expected a whole number from 1 to 65536"),
        ("[storage]\nbatch_max = \"512\"", "storage.batch_max is \"512\", expected a whole number"),
        ("[server]\ncors_origins = \"*\"", "expected a list of origins"),
        ("[server]\ncors_origins = [\"https://x/y\"]", "expected a list of origins"),
        ("[server]\ntrusted_proxies = [\"10.0.0.0/33\"]", "expected a list of addresses"),
        ("[sms]\nprovider = \"pigeon\"", "is \"pigeon\", expected log or webhook or twilio"),
        ("[log]\nformat = \"xml\"", "expected human or json"),
        ("[log]\nlevel = \"loud\"", "expected a level"),
        ("default_market = \"fr\"", "is \"fr\", expected us or kg"),
        ("[markets.us]\ncurrency = \"US$\"", "expected an ISO 4217 code"),
        ("[markets.us]\nregion = \"ZZ\"", "expected an ISO 3166-1 code"),
        ("[markets.us]\nregions = [\"US\", \"ZZ\"]", "expected a list of ISO 3166-1 codes"),
        ("[markets.us]\nregions = []", "expected at least one of ISO 3166-1 codes"),
        ("[auth.test_phones]\n\"+13128059851\" = { codes = [\"123456\"] }", "and a last day"),
        (
            "[auth.test_phones]\n\"+13128059851\" = { codes = [\"123456\"], until = \"soon\" }",
            "and a last day",
        ),
        ("[auth.test_phones]\n\"+13128059851\" = []", "expected phones with six-digit codes"),
        ("[markets.us]\nphone_prefix = \"1\"", "expected a calling code"),
        ("[markets.us]\ntax_rate = \"12%\"", "expected a part of 1"),
        ("[markets.us]\nlanguages = []", "expected at least one of"),
        (
            "[markets.us.shipping]\nflat = \"9.999\"",
            "is \"9.999\", expected an amount of USD such as 9.99",
        ),
        ("[markets.us]\nshipping = \"9.99\"", "expected a section [markets.us.shipping]"),
        ("[markets.US]\ncurrency = \"USD\"", "a market's name must be 1 to 16 lower-case"),
        ("[auth.test_phones]\n\"+1312\" = [\"123456\"]", "expected phones with six-digit codes"),
        ("[server]\ntls_cert = \"x.pem\"", "server.tls_key is not set"),
        ("x = [", "evercart.toml:1"),
        ("[server]\nlisten = 1\nlisten = 2\n", "evercart.toml:3"),
    ] {
        let text = error(toml);
        assert!(text.contains(part), "{toml}\n{text}");
    }
    let text = error_of("EVERCART_AUTH__LIMITS__SENDS_PER_PHONE", "many");
    assert!(
        text.contains(
            "EVERCART_AUTH__LIMITS__SENDS_PER_PHONE: auth.limits.sends_per_phone is \"many\""
        ),
        "{text}"
    );
}

#[test]
fn a_secret_is_not_repeated_in_an_error() {
    let toml = "[sms]\nprovider = \"webhook\"\nurl = \"https://x\"\nsecret = \"hunter2\"\n";
    let text = error(toml);
    assert!(text.contains("evercart.toml:4: sms.secret") && !text.contains("hunter2"), "{text}");
}

#[test]
fn markets_are_in_files_unless_a_database_is_said() {
    let name = |name| MarketName::new(name).expect("a name");
    let settings = load_from("", &[]).expect("fine");
    assert_eq!(settings.storage.databases.url(&name("us")), None);

    let toml = "[markets.kg]\ndatabase_url = \"postgresql://bishkek/shop\"\n";
    let settings = load_from(toml, &[]).expect("fine");
    assert_eq!(settings.storage.databases.url(&name("us")), None);
    assert_eq!(settings.storage.databases.url(&name("kg")), Some("postgresql://bishkek/shop"));

    let variables = [("EVERCART_STORAGE__DATABASE_URL", "postgres://db/shop")];
    let settings = load_from(toml, &variables).expect("fine");
    assert_eq!(settings.storage.databases.url(&name("us")), Some("postgres://db/shop"));
    assert_eq!(settings.storage.databases.url(&name("kg")), Some("postgresql://bishkek/shop"));
    let markets: Vec<_> = settings.storage.databases.markets().map(MarketName::as_str).collect();
    assert_eq!(markets, ["kg", "us"]);
    assert_eq!((settings.storage.writers, settings.storage.pool), (2, 16));
    assert!(!settings.storage.distributed);
}

#[test]
fn a_database_url_is_never_shown() {
    let secret = "hunter2:hunter2@db";
    for text in [
        error(&format!("[storage]\ndatabase_url = \"mysql://{secret}\"\n")),
        error(&format!("[markets.us]\ndatabase_url = \"{secret}\"\n")),
        error_of("EVERCART_STORAGE__DATABASE_URL", secret),
    ] {
        assert!(text.contains("database_url") && text.contains("expected a URL such"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    let variables = [("EVERCART_STORAGE__DATABASE_URL", "postgres://hunter2:hunter2@db/shop")];
    let layers = layers("", &variables).expect("fine");
    let settings = resolve(&layers).expect("fine");
    for text in [effective(&layers), format!("{settings:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(effective(&layers).contains("database_url = "), "{}", effective(&layers));
}

#[test]
fn lists_numbers_and_tables_can_be_variables() {
    let settings = load_from(
        "",
        &[
            ("EVERCART_SERVER__CORS_ORIGINS", "https://a.example, http://localhost:3000"),
            ("EVERCART_SERVER__TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.1"),
            ("EVERCART_STORAGE__BATCH_MAX", "1"),
            ("EVERCART_AUTH__TEST_PHONES", "{ \"+13128059851\" = [\"123456\"] }"),
            ("EVERCART_MARKETS__KG__ENABLED", "false"),
            ("EVERCART_SERVER__INTERNAL_LISTEN", "off"),
        ],
    )
    .expect("fine");
    assert_eq!(settings.server.cors_origins, ["https://a.example", "http://localhost:3000"]);
    assert_eq!(settings.server.trusted_proxies[1].to_string(), "192.0.2.1/32");
    assert_eq!(settings.storage.batch_max, Some(1));
    assert_eq!(settings.auth.test_phones[0].phone.as_str(), "+13128059851");
    assert_eq!(settings.markets.len(), 1);
    assert_eq!(settings.server.internal_listen, None);
}

#[test]
fn a_test_phone_has_a_last_day_in_utc() {
    let toml =
        "[auth.test_phones]\n\"+13128059851\" = { codes = [\"123456\"], until = 2027-01-31 }\n";
    for toml in [toml.to_owned(), toml.replace("2027-01-31", "\"2027-01-31\"")] {
        let settings = load_from(&toml, &[]).expect("fine");
        let test = &settings.auth.test_phones[0];
        let at = |text: &str| text.parse().expect("a time");
        assert!(test.is_in_use(at("2027-01-31T23:59:59.999Z")));
        assert!(!test.is_in_use(at("2027-02-01T00:00:00Z")));
    }
}

#[test]
fn a_market_accepts_phones_of_its_own_region_unless_others_are_named() {
    let settings = load_from("", &[]).expect("fine");
    let regions: Vec<_> = settings.markets.iter().map(|market| &*market.regions).collect();
    assert_eq!(regions, [["US"], ["KG"]]);
    let settings = load_from("[markets.us]\nregions = [\"US\", \"CA\"]\n", &[]).expect("fine");
    assert_eq!(settings.markets[0].regions, ["US", "CA"]);
}

#[test]
fn a_market_can_be_added_changed_and_removed() {
    let toml = r#"
        default_market = "de"
        [markets.us]
        tax_rate = 0.08
        shipping.free_from = "never"
        [markets.kg]
        enabled = false
        [markets.de]
        country = "Germany"
        region = "DE"
        currency = "EUR"
        phone_prefix = "+49"
        shipping = { flat = 4.90 }
    "#;
    let settings = load_from(toml, &[]).expect("fine");
    let names: Vec<&str> = settings.markets.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["us", "de"]);
    let [us, de] = settings.markets.as_slice() else { panic!("two markets") };
    assert_eq!((us.tax_rate.to_string().as_str(), us.shipping.free_from), ("0.08", None));
    assert_eq!((us.shipping.flat.0, de.shipping.flat.0), (999, 490));
    assert_eq!(settings.default_market.as_ref(), Some(&de.name));
    let text = error("[markets.de]\ncountry = \"Germany\"\n");
    assert!(text.contains("markets.de.currency is not set"), "{text}");
    let text = error("markets.us.enabled = false\nmarkets.kg.enabled = false\n");
    assert!(text.contains("every market is disabled"), "{text}");
}

#[test]
fn the_effective_configuration_names_each_place_and_no_secret() {
    let toml = "[sms]\nprovider = \"twilio\"\nsecret = \"hunter2\"\naccount_sid = \"AC1\"\n\
        from = \"+1\"\n[auth.test_phones]\n\"+13128059852\" = [\"987653\"]\n\"+13128059851\" = \
        { codes = [\"987654\"], until = \"2027-01-31\" }\n";
    let layers = layers(toml, &[("EVERCART_AUTH__TOKEN_LIFETIME", "2s")]).expect("fine");
    let text = effective(&layers);
    assert!(text.contains("provider = \"twilio\" # evercart.toml:2"), "{text}");
    assert!(text.contains("token_lifetime = \"2s\" # EVERCART_AUTH__TOKEN_LIFETIME"), "{text}");
    assert!(text.contains("listen = \"127.0.0.1:8080\" # default"), "{text}");
    assert!(text.contains("[markets.kg]\n"), "{text}");
    let phones = "test_phones = { \"+1312•••9851\" = { codes = [\"••••••\"], until = \
        \"2027-01-31\" }, \"+1312•••9852\" = [\"••••••\"] }";
    assert!(text.contains(phones), "{text}");
    for secret in ["hunter2", "987654", "987653", "13128059851"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(toml::de::DeTable::parse(&text).is_ok(), "{text}");
}

#[test]
fn the_printed_defaults_are_the_defaults() {
    let commented = defaults();
    assert!(layers(&commented, &[]).is_ok());
    // Without its # every line is a setting; those that only show an example are left out.
    let lines = commented.lines().map(|line| match line.strip_prefix("# ") {
        Some(setting) if setting.contains(" = ") && !setting.contains(": ") => setting,
        _ => line,
    });
    let examples = [
        "tls_",
        "readers",
        "batch_max",
        "books_years",
        "database_",
        "mark_file",
        "keys_file",
        "regions",
        "default_market",
        "test_phones",
        "url",
        "secret",
        "from =",
        "account_sid",
        "every =",
        "directory =",
    ];
    let text: Vec<&str> =
        lines.filter(|line| !examples.iter().any(|start| line.starts_with(start))).collect();
    let settings = load_from(&text.join("\n"), &[]).expect("the defaults can be read");
    let plain = load_from("", &[]).expect("the defaults");
    assert_eq!(
        format!("{settings:?}").replace("_wanted: true", ""),
        format!("{plain:?}").replace("_wanted: false", "")
    );
}

#[test]
fn a_secret_is_set_or_in_a_file_and_never_both() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, content: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).expect("ours");
        path.display().to_string()
    };
    let url = file("url", "postgres://shop:sesame@db.example/shop\n");
    let token = file("token", "open-sesame\n");
    let twilio = "provider = \"twilio\"\naccount_sid = \"AC1\"\nfrom = \"+13125550100\"\n";
    let toml =
        format!("[storage]\ndatabase_url_file = {url:?}\n[sms]\n{twilio}secret_file = {token:?}\n");
    let settings = load_from(&toml, &[]).expect("both are there");
    let us = evercart_core::market::MarketName::new("us").expect("a name");
    let found = settings.storage.databases.url(&us);
    assert_eq!(found, Some("postgres://shop:sesame@db.example/shop"));
    assert!(matches!(settings.sms, Sms::Twilio { auth_token, .. } if auth_token == "open-sesame"));

    let (empty, nowhere) = (file("empty", "\n"), format!("{url}x"));
    let nonsense = file("nonsense", "sesame");
    for (toml, words) in [
        (format!("[storage]\ndatabase_url_file = {nowhere:?}"), "cannot be read"),
        (format!("[storage]\ndatabase_url_file = {empty:?}"), "is empty"),
        (format!("[storage]\ndatabase_url_file = {nonsense:?}"), "expected a URL"),
        (
            format!("[storage]\ndatabase_url = \"postgres://a@b/c\"\ndatabase_url_file = {url:?}"),
            "both storage.database_url",
        ),
        (format!("[markets.us]\ndatabase_url_file = {empty:?}"), "is empty"),
        (format!("[sms]\n{twilio}secret = \"sesame\"\nsecret_file = {token:?}"), "both sms.secret"),
    ] {
        let text = error(&toml);
        assert!(text.contains(words) && !text.contains("sesame"), "{toml}: {text}");
    }
}

#[test]
fn no_password_in_a_url_is_shown() {
    for (url, shown) in [
        ("https://shop:sesame@sms.example/send", "https://••••••@sms.example/send"),
        ("https://shop:s@sa/me@sms.example/send", "https://••••••@sms.example/send"),
        ("https://sesame@sms.example", "https://••••••@sms.example"),
        ("https://sms.example/send?key=sesame", "https://sms.example/send?••••••"),
        ("https://sms.example/send", "https://sms.example/send"),
    ] {
        let toml = format!("[sms]\nurl = {url:?}\n");
        let mut layers = Layers::built_in();
        layers.add_file(Path::new("evercart.toml"), &toml).expect("a key");
        let text = effective(&layers);
        assert!(text.contains(&format!("url = \"{shown}\"")), "{text}");
        assert!(!text.contains("sesame"), "{text}");
    }
    let text = error("[sms]\nprovider = \"twilio\"\nurl = \"ftp://shop:sesame@sms.example\"");
    assert!(text.contains("••••••@sms.example") && !text.contains("sesame"), "{text}");
    let text = error("storage = \"postgres://shop:sesame@db.example/shop\"");
    assert!(text.contains("expected a section") && !text.contains("sesame"), "{text}");
}

#[test]
fn no_pause_between_codes_is_said_with_0s() {
    let settings = load_from("[auth.limits]\nresend_after = \"0s\"", &[]).expect("it is off");
    assert!(settings.auth.limits.resend_after.is_zero());
}

#[test]
fn a_customers_limits_are_numbers_and_0_is_none() {
    let plain = load_from("", &[]).expect("the defaults");
    assert_eq!((plain.limits.changes_per_hour, plain.limits_are_wanted), (500, false));
    let none = load_from("[limits]\nchanges_per_hour = 0", &[]).expect("fine");
    assert_eq!((none.limits.changes_per_hour, none.limits_are_wanted), (NO_LIMIT, true));
    assert_eq!(none.limits.orders_per_hour, plain.limits.orders_per_hour);
    let variable = ("EVERCART_LIMITS__OPEN_ORDERS", "7");
    assert_eq!(load_from("", &[variable]).expect("fine").limits.open_orders, 7);
    // More orders than that are not looked at, so such a limit would be none.
    let text = error("[limits]\nopen_orders = 1001");
    assert!(text.contains("a whole number from 0 to 1000"), "{text}");
}

//! What is typed: help, versions, wrong use, the configuration.

use crate::harness::{Output, Shop};

fn run(arguments: &[&str]) -> Output {
    Shop::prepared().run(arguments)
}

#[test]
fn help_names_every_command_and_an_example() {
    let output = run(&["--help"]);
    assert_eq!(output.code, Some(0));
    for command in [
        "serve",
        "catalog",
        "demo",
        "user",
        "order",
        "keys",
        "backup",
        "restore",
        "check",
        "transfer",
        "migrate",
        "config",
        "completions",
    ] {
        assert!(output.stdout.contains(&format!("\n  {command} ")), "{command}: {}", output.stdout);
        let help = run(&[command, "--help"]);
        assert_eq!(help.code, Some(0));
        assert!(help.stdout.contains(&format!("Example: evercart {command}")), "{}", help.stdout);
    }
}

#[test]
fn the_version_is_the_packages() {
    let output = run(&["--version"]);
    assert_eq!(output.code, Some(0));
    let expected = format!("evercart {}", env!("CARGO_PKG_VERSION"));
    assert!(output.stdout.starts_with(&expected), "{}", output.stdout);
}

#[test]
fn wrong_use_exits_with_2_and_says_so_on_standard_error() {
    for arguments in [
        &[][..],
        &["sell"],
        &["serve", "--port", "80"],
        &["user", "show"],
        &["demo", "fill", "--users", "0"],
        &["serve", "--listen", "nowhere"],
        &["catalog", "export"],
        &["catalog", "export", "--market", "fr"],
        &["user", "show", "--market", "us", "12"],
        &["--config", "missing.toml", "config"],
        &["serve", "--database-url", "mysql://x"],
        &["transfer"],
        &["transfer", "--to", "shop.sqlite3"],
        &["serve", "--demo", "--listen", "0.0.0.0:0"],
    ] {
        let output = run(arguments);
        assert_eq!(output.code, Some(2), "{arguments:?}: {}", output.stderr);
        assert!(output.stdout.is_empty(), "{arguments:?}: {}", output.stdout);
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_command_without_data_says_where_it_looked() {
    for arguments in [
        &["check"][..],
        &["migrate"],
        &["backup", "x.tar"],
        &["transfer", "--to", "postgres://nowhere/shop"],
        &["catalog", "export", "--market", "us"],
        &["user", "show", "+13128059851", "--market", "us"],
        &["demo", "fill", "--users", "1", "--market", "us"],
    ] {
        let output = run(arguments);
        assert_eq!(output.code, Some(1), "{arguments:?}: {}", output.stderr);
        assert!(
            output.stderr.contains("there is no shop data at evercart-data"),
            "{}",
            output.stderr
        );
        assert!(output.stderr.contains("\nhint: "), "{}", output.stderr);
    }
    assert_eq!(run(&["keys", "list"]).code, Some(1));
}

#[test]
fn a_wrong_setting_stops_the_start_with_its_place() {
    let shop = Shop::prepared().config("[auth]\ntoken_lifetime = \"soon\"\n");
    let output = shop.run(&["serve"]);
    assert_eq!(output.code, Some(2));
    assert_eq!(
        output.stderr,
        "error: evercart.toml:2: auth.token_lifetime is \"soon\", expected a duration such as \
         90s, 30m or 2h, up to a year\n"
    );
    assert!(!shop.data().exists(), "nothing may be written before the settings are right");
}

#[test]
fn the_effective_configuration_shows_every_layer() {
    let shop = Shop::prepared()
        .config("[server]\ngrace = \"3s\"\n")
        .variable("EVERCART_AUTH__ISSUER", "my-shop");
    let text = shop.run_ok(&["config", "--data", "elsewhere"]);
    assert!(text.contains("grace = \"3s\" # evercart.toml:2\n"), "{text}");
    assert!(text.contains("issuer = \"my-shop\" # EVERCART_AUTH__ISSUER\n"), "{text}");
    assert!(text.contains("data = \"elsewhere\" # --data\n"), "{text}");
    assert!(text.contains("queue_max = 4096 # default\n"), "{text}");
}

#[test]
fn the_default_configuration_is_one_that_can_be_used() {
    let shop = Shop::prepared();
    let text = shop.run_ok(&["config", "--default"]);
    assert!(text.contains("# token_lifetime = \"30m\""), "{text}");
    let shop = shop.config(&text);
    shop.run_ok(&["config"]);
}

#[test]
fn completions_exist_for_the_usual_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let script = Shop::prepared().run_ok(&["completions", shell]);
        assert!(script.contains("evercart") && script.contains("sign-out"), "{shell}");
    }
}

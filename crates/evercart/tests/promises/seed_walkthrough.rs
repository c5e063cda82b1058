//! The guide's own test, typed into a real shell and run by the real `curl`, word for word; and the
//! requests of its frontend examples.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::customer::{Customer, SEED_PHONE, expect, pieces};
use crate::harness::Shop;

/// "Test 1: Cart Persistence After Logout" as the guide prints it, without its comments.
const STEPS: [&str; 5] = [
    r#"curl -X POST https://api.com/auth/verify-code \
  -H "Content-Type: application/json" \
  -d '{"phone": "+13128059851", "verification_code": "123456"}'"#,
    r#"curl -X POST https://api.com/cart/items \
  -H "Authorization: Bearer eyJhbGci..." \
  -H "Content-Type: application/json" \
  -d '{"sku_id": 42, "quantity": 2}'"#,
    r#"curl -X POST https://api.com/auth/logout \
  -H "Authorization: Bearer eyJhbGci...""#,
    r#"curl -X POST https://api.com/auth/verify-code \
  -H "Content-Type: application/json" \
  -d '{"phone": "+13128059851", "verification_code": "654321"}'"#,
    r#"curl -X GET https://api.com/cart \
  -H "Authorization: Bearer NEW_TOKEN_HERE""#,
];

/// Types a command of the guide into a shell and returns what it printed.
fn type_in(shop: &Shop, command: &str) -> Value {
    let command = command.replace("https://api.com", &shop.url(""));
    let output = Command::new("sh").arg("-c").arg(&command).output().expect("a shell");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_ne!(
        output.status.code(),
        Some(127),
        "this test needs the program curl: install it, for example with `apt-get install curl` \
         or `brew install curl` ({complaint})"
    );
    assert!(output.status.success(), "{command}: {complaint}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{command} printed no JSON ({error}): {}", String::from_utf8_lossy(&output.stdout))
    })
}

/// Types a command that listens for events, and hangs up after the first. Returns what it says.
fn listen(shop: &Shop, command: &str) -> Value {
    let command = format!("exec {}", command.replace("https://api.com", &shop.url("")));
    let mut curl = Command::new("sh")
        .arg("-c")
        .arg(&command)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    let lines = BufReader::new(curl.stdout.take().expect("piped")).lines();
    let event: Vec<_> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    // It is gone already if it could not connect, which the missing event then tells.
    let _ = curl.kill();
    curl.wait().expect("ends when killed");
    let data = event.iter().find_map(|line| line.strip_prefix("data: "));
    let data = data.unwrap_or_else(|| panic!("{command} heard no event: {event:?}"));
    serde_json::from_str(data).expect("an event's data is JSON")
}

fn token(signed_in: &Value) -> String {
    signed_in["access_token"].as_str().expect("an access_token").to_owned()
}

fn assert_has_the_item(cart: &Value) {
    assert_eq!(cart["items"].as_array().map(Vec::len), Some(1), "{cart}");
    assert_eq!(
        (&cart["items"][0]["sku_id"], &cart["items"][0]["quantity"]),
        (&json!(42), &json!(2))
    );
    assert_eq!((&cart["user_id"], &cart["total_items"]), (&json!(19), &json!(2)), "{cart}");
    assert_eq!(cart["items"][0]["product_id"], 15, "{cart}");
}

#[test]
fn the_guides_own_test_passes_word_for_word() {
    let shop = Shop::demo();

    let first = type_in(&shop, STEPS[0]);
    let old_token = token(&first);
    assert_eq!(first["user"]["id"], 19, "{first}");

    let cart = type_in(&shop, &STEPS[1].replace("eyJhbGci...", &old_token));
    assert_has_the_item(&cart);

    let signed_out = type_in(&shop, &STEPS[2].replace("eyJhbGci...", &old_token));
    assert_eq!(signed_out["success"], true, "{signed_out}");

    let second = type_in(&shop, STEPS[3]);
    let new_token = token(&second);
    assert_ne!(new_token, old_token, "the guide: \"Different token!\"");
    assert_eq!(second["user"]["id"], 19, "the guide: \"Same user_id!\"");

    let cart = type_in(&shop, &STEPS[4].replace("NEW_TOKEN_HERE", &new_token));
    assert_has_the_item(&cart);
}

#[test]
fn the_guides_test_passes_a_second_time_and_after_a_restart() {
    let mut shop = Shop::demo();
    for round in 1..=2 {
        let signed_in = type_in(&shop, STEPS[0]);
        assert_eq!(signed_in["user"]["id"], 19, "{signed_in}");
        let cart = type_in(&shop, &STEPS[1].replace("eyJhbGci...", &token(&signed_in)));
        assert_eq!(pieces(&cart, 42), 2 * round, "the same sku again adds to its line");
        shop.restart();
    }
}

/// `apiRequest` of the guide's frontend: `Content-Type` and `X-Market` on every request, also on
/// those without a body.
fn api_request(shop: &Shop, token: &str, path: &str, method: &str, body: Option<Value>) -> Value {
    let request = shop.request(method, path).token(token).market("us");
    let request = match body {
        Some(body) => request.json(&body),
        None => request.header("Content-Type", "application/json"),
    };
    expect(200, &request.send())
}

#[test]
fn the_guides_frontend_requests_work_as_written() {
    let shop = Shop::demo();
    let jo = Customer::with_code(&shop, SEED_PHONE, "123456");
    let call = |path, method, body| api_request(&shop, &jo.token, path, method, body);

    let cart = call("/cart/items", "POST", Some(json!({ "sku_id": 42, "quantity": 2 })));
    assert_has_the_item(&cart);
    let wishlist = call("/wishlist/items", "POST", Some(json!({ "product_id": 15 })));
    assert_eq!(wishlist["items"][0]["product_id"], 15, "{wishlist}");
    assert_eq!(wishlist["total_items"], 1, "{wishlist}");
    let orders = call("/profile/orders", "GET", None);
    assert_eq!(orders["success"], true, "{orders}");
    assert_eq!((&orders["orders"], &orders["total"]), (&json!([]), &json!(0)), "{orders}");
    assert_eq!(orders["has_more"], false, "{orders}");
    assert_eq!(call("/auth/logout", "POST", None)["success"], true);
}

/// The commands of the API's page, one after another in one shop, as a reader types them.
#[test]
fn the_commands_of_the_api_page_work_as_written() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");
    let page = std::fs::read_to_string(page).expect("docs/api.md");
    let shop = Shop::demo();
    let (mut token, mut code) = (String::new(), String::new());
    let mut typed = 0;
    for block in page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        let commands = block.replace("\\\n", " ");
        for command in commands.lines().filter(|line| line.starts_with("curl ")) {
            let command = command
                .replace("$(uuidgen)", &format!("00f1dd3c-made-when-tapped-{typed}"))
                .replace("$TOKEN", &token)
                .replace("$CODE", &code)
                .replace("$API", "https://api.com")
                .replace(" -o evercart-export.json", "");
            let listens = command.starts_with("curl -N ");
            let answer = if listens { listen(&shop, &command) } else { type_in(&shop, &command) };
            assert!(answer.get("code").is_none(), "{command}: {answer}");
            if let Some(new) = answer["access_token"].as_str() {
                token = new.to_owned();
            }
            if let Some(new) = answer["demo_code"].as_str() {
                code = new.to_owned();
            }
            typed += 1;
        }
    }
    assert!(typed >= 15, "only {typed} commands are on the page");
}

#[test]
fn the_token_carries_what_the_guide_says_it_carries() {
    use base64::Engine;
    let shop = Shop::demo();
    let jo = Customer::with_code(&shop, SEED_PHONE, "123456");
    let payload = jo.token.split('.').nth(1).expect("a JWT has three parts");
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload);
    let claims: Value = serde_json::from_slice(&payload.expect("base64url")).expect("JSON");
    assert_eq!((&claims["user_id"], &claims["market"]), (&json!(19), &json!("us")), "{claims}");
    let lifetime = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat);
    assert_eq!(lifetime, Some(30 * 60), "{claims}");
}

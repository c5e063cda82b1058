//! G10: a return to older data lets nobody into anything, and nothing that was given after the
//! older moment is given to somebody else. Here the databases are put back while the shop is
//! stopped, and what is remembered outside of them is not; or everything is, and that is announced.

use serde_json::{Value, json};

use crate::backend::{Kept, RESTORES_IN_PLACE, SERVERS};
use crate::catalogue_rows::check;
use crate::codes::SmsShop;
use crate::customer::{Customer, expect, problem, us_phone};
use crate::harness::{Shop, wait_until};

/// What a shop gave out before the moment that it goes back to.
pub struct Given {
    /// A customer with an order and a cart.
    pub jo: Customer,
    /// All that this customer has.
    had: Value,
    /// A customer who signs out after that moment.
    ann: Customer,
    /// A phone, and a code for it that was not used.
    code: (String, String),
    pub orders: Vec<i64>,
}

impl Given {
    pub fn by(shop: &Shop) -> Self {
        let jo = Customer::of_demo(shop, &us_phone(1));
        expect(200, &jo.add(shop, 42, 2));
        let order = order(shop, &jo);
        expect(200, &jo.add(shop, 41, 3));
        expect(200, &jo.wish(shop, 15));
        let had = jo.everything(shop);
        let ann = Customer::of_demo(shop, &us_phone(2));
        let phone = us_phone(3);
        let code = code_to(shop, &phone);
        Self { jo, had, ann, code: (phone, code), orders: vec![order] }
    }
}

/// What a shop gave out after the moment that it goes back to.
pub struct Lost {
    /// A customer who was new then, with an order.
    pub kim: Customer,
    /// A phone, and a code for it that was not used.
    code: (String, String),
    pub orders: Vec<i64>,
}

impl Lost {
    pub fn by(shop: &Shop, given: &Given) -> Self {
        for server in 0..SERVERS {
            assert_eq!(given.jo.get(shop, "/cart").status, 200, "server {server}");
        }
        let kim = Customer::of_demo(shop, &us_phone(10));
        expect(200, &kim.add(shop, 42, 1));
        let orders = vec![order(shop, &kim), order(shop, &given.jo)];
        expect(200, &given.ann.request(shop, "POST", "/auth/logout").send());
        assert_closed(shop, &given.ann);
        let phone = us_phone(11);
        let code = code_to(shop, &phone);
        Self { kim, code: (phone, code), orders }
    }
}

fn code_to(shop: &Shop, phone: &str) -> String {
    let sent = expect(200, &shop.post("/auth/send-code").json(&json!({ "phone": phone })).send());
    sent["demo_code"].as_str().expect("a demo says its codes").to_owned()
}

/// Orders what is in the cart; returns the order's number.
fn order(shop: &Shop, customer: &Customer) -> i64 {
    expect(201, &customer.checkout(shop))["id"].as_i64().expect("a number")
}

/// Asserts that a token opens nothing, on any server.
pub fn assert_closed(shop: &Shop, customer: &Customer) {
    for _ in 0..SERVERS {
        for answer in [
            customer.get(shop, "/cart"),
            customer.add(shop, 42, 1),
            customer.get(shop, "/profile/orders"),
        ] {
            // Whose customer the data does not know.
            let is_unknown = answer.code() == "token_invalid";
            problem(401, if is_unknown { "token_invalid" } else { "signed_out" }, &answer);
        }
    }
}

/// Asserts that nothing of before, or of the lost time, opens anything.
pub fn assert_nobody_is_let_in(shop: &Shop, given: &Given, lost: &Lost) {
    for customer in [&given.jo, &given.ann, &lost.kim] {
        assert_closed(shop, customer);
    }
    for (phone, code) in [&given.code, &lost.code] {
        problem(400, "code_invalid", &shop.verify(phone, code));
    }
}

/// Asserts that ids and numbers of the lost time, and of before, are given to nobody else, and that
/// who was there before has everything. Returns the customer who got the next ids.
pub fn assert_nothing_is_given_again(shop: &Shop, given: &Given, lost: &Lost) -> Customer {
    let new = Customer::of_demo(shop, &us_phone(20));
    assert!(new.id > lost.kim.id, "customer {} was given again as {}", lost.kim.id, new.id);
    let jo = Customer::of_demo(shop, &given.jo.phone);
    assert_eq!(jo.id, given.jo.id);
    assert_eq!(jo.everything(shop), given.had, "what was there before is there");
    expect(200, &new.add(shop, 42, 1));
    for number in [order(shop, &new), order(shop, &jo)] {
        let earlier = given.orders.iter().chain(&lost.orders).max().expect("some orders");
        assert!(number > *earlier, "order #{earlier} was given before #{number}");
    }
    let kim = Customer::of_demo(shop, &lost.kim.phone);
    assert!(kim.id > lost.kim.id && kim.cart(shop)["items"] == json!([]), "kim begins anew");
    check(shop);
    new
}

/// A shop whose data was kept at a moment, and that goes on.
pub fn shop_with_kept_data() -> (Shop, Given, Kept) {
    let mut shop = Shop::demo();
    let given = Given::by(&shop);
    shop.terminate();
    let kept = Kept::of(&shop);
    shop.start();
    (shop, given, kept)
}

/// How often it was said that the American market was put back.
pub fn warnings(log: &str) -> usize {
    let is_one = |line: &&str| {
        let says = |place: &str| line.contains(&format!("{place} was put back to an earlier"));
        line.contains(" WARN ") && (says("us.sqlite3") || says("evercart_us"))
    };
    log.lines().filter(is_one).count()
}

#[test]
fn g10_data_that_is_put_back_lets_nobody_in_and_gives_nothing_again() {
    let (mut shop, given, kept) = shop_with_kept_data();
    assert_eq!(warnings(&shop.stderr()), 0, "a restart is no return");
    let lost = Lost::by(&shop, &given);
    shop.terminate();
    kept.put_back(&shop);
    shop.start();
    assert_nobody_is_let_in(&shop, &given, &lost);
    let new = assert_nothing_is_given_again(&shop, &given, &lost);
    assert_eq!(warnings(&shop.stderr()), 1, "{}", shop.stderr());
    shop.restart();
    assert_eq!(warnings(&shop.stderr()), 0, "it is over");
    assert_eq!(new.get(&shop, "/cart").status, 200);
    assert_closed(&shop, &lost.kim);
}

/// The second time to the same moment, at which nothing was known of the first.
#[test]
fn g10_data_that_is_put_back_twice_lets_nobody_in_and_gives_nothing_again() {
    let (mut shop, given, kept) = shop_with_kept_data();
    let first = Lost::by(&shop, &given);
    shop.terminate();
    kept.put_back(&shop);
    shop.start();
    let between = assert_nothing_is_given_again(&shop, &given, &first);
    shop.terminate();
    kept.put_back(&shop);
    shop.start();
    assert_nobody_is_let_in(&shop, &given, &first);
    assert_closed(&shop, &between);
    let new = Customer::of_demo(&shop, &us_phone(30));
    assert!(new.id > between.id, "customer {} was given again as {}", between.id, new.id);
    assert_eq!(warnings(&shop.stderr()), 1, "{}", shop.stderr());
}

/// The servers die when the new life is in the data and not in the mark yet, or just after it.
#[test]
fn g10_a_power_cut_after_a_return_neither_undoes_nor_repeats_it() {
    let (mut shop, given, kept) = shop_with_kept_data();
    let lost = Lost::by(&shop, &given);
    shop.terminate();
    kept.put_back(&shop);
    let mark = shop.data().join("evercart.mark");
    let before = std::fs::read(&mark).expect("the mark");
    shop.start();
    let jo = Customer::of_demo(&shop, &given.jo.phone);
    shop.kill();
    std::fs::write(&mark, before).expect("the mark");
    for _ in 0..2 {
        shop.start();
        assert_eq!(warnings(&shop.stderr()), 0, "{}", shop.stderr());
        assert_eq!(jo.get(&shop, "/cart").status, 200, "a token of the new life");
        shop.kill();
    }
    shop.start();
    assert_nobody_is_let_in(&shop, &given, &lost);
    assert_nothing_is_given_again(&shop, &given, &lost);
}

#[test]
fn g10_a_restored_backup_lets_nobody_in_and_gives_nothing_again() {
    if !RESTORES_IN_PLACE {
        return;
    }
    let mut shop = Shop::demo();
    let given = Given::by(&shop);
    shop.run_ok(&["backup", "shop.tar"]);
    let lost = Lost::by(&shop, &given);
    shop.terminate();
    let said = shop.run_ok(&["restore", "shop.tar", "--force"]);
    assert!(said.contains("Everybody signs in again"), "{said}");
    shop.start();
    assert_nobody_is_let_in(&shop, &given, &lost);
    assert_nothing_is_given_again(&shop, &given, &lost);
    assert_eq!(warnings(&shop.stderr()), 0, "a restore is no surprise");
}

/// Two restores of one backup, the second over what the first began.
#[test]
fn g10_a_backup_that_is_restored_twice_gives_nothing_again() {
    if !RESTORES_IN_PLACE {
        return;
    }
    let mut shop = Shop::demo();
    let given = Given::by(&shop);
    shop.run_ok(&["backup", "shop.tar"]);
    shop.terminate();
    shop.run_ok(&["restore", "shop.tar", "--force"]);
    shop.start();
    let [jo, ann] = [&given.jo, &given.ann].map(|one| Customer::of_demo(&shop, &one.phone));
    let lost = Lost::by(&shop, &Given { jo, ann, ..given });
    // What is kept aside is named by the second.
    let_seconds_pass(&shop, 1);
    shop.terminate();
    shop.run_ok(&["restore", "shop.tar", "--force"]);
    shop.start();
    assert_closed(&shop, &lost.kim);
    let new = Customer::of_demo(&shop, &us_phone(20));
    assert!(new.id > lost.kim.id, "customer {} was given again as {}", lost.kim.id, new.id);
}

/// As a machine that goes back to a snapshot: nothing is left that could know of the lost time, but
/// the times that the store remembers to have been awake.
#[test]
fn g10_a_machine_that_is_put_back_forgets_the_tokens_of_a_time_that_it_does_not_remember() {
    let mut shop = Shop::demo();
    let given = Given::by(&shop);
    shop.terminate();
    let kept = Kept::of(&shop);
    let outside = ["keys.json", "evercart.mark"].map(|name| {
        let path = shop.data().join(name);
        (path.clone(), std::fs::read(path).expect("a file of ours"))
    });
    shop.start();
    // What is given out up to two seconds after a store has noted that it is awake is taken for its
    // own, and tokens tell seconds.
    let_seconds_pass(&shop, 4);
    let lost = Lost::by(&shop, &given);
    let_seconds_pass(&shop, 2);
    shop.terminate();
    kept.put_back(&shop);
    outside.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).expect("a file of ours"));
    shop.start();
    assert_eq!(warnings(&shop.stderr()), 0, "there is nothing to see");
    assert_closed(&shop, &lost.kim);
    assert_eq!(given.jo.everything(&shop), given.had, "a token of before the moment");
    let new = Customer::of_demo(&shop, &us_phone(30));
    assert_eq!(new.id, lost.kim.id, "nothing says that it was given");
    assert_closed(&shop, &lost.kim);

    // The servers run.
    let said = shop.run_ok(&["rewound", "--market", "us"]);
    assert!(said.contains("everybody signs in again"), "{said}");
    assert_nobody_is_let_in(&shop, &given, &lost);
    assert_closed(&shop, &new);
    assert_nothing_is_given_again(&shop, &given, &lost);
    shop.restart();
    assert_eq!(warnings(&shop.stderr()), 0, "it was announced");
    assert_nobody_is_let_in(&shop, &given, &lost);
}

/// Waits until a server's clock shows that many other seconds.
pub fn let_seconds_pass(shop: &Shop, seconds: usize) {
    let mut seen = Vec::new();
    wait_until("time to pass", || {
        let answer = shop.get("/healthz").send();
        let date = answer.header("date").expect("every answer has a date").to_owned();
        if !seen.contains(&date) {
            seen.push(date);
        }
        seen.len() > seconds
    });
}

/// A customer would hear again of a move that the data does not know any more.
#[test]
fn g10_messages_that_were_not_sent_are_void_after_a_return() {
    let mut at = SmsShop::with_limits(&[("resend_after", "1ms")]);
    let (old, new) = (us_phone(1), us_phone(2));
    let code = at.new_code(&old);
    let jo = Customer::with_code(&at.shop, &old, &code);
    expect(200, &jo.post(&at.shop, "/auth/phone", &json!({ "new_phone": new })));
    let unused = at.new_code(&us_phone(3));
    at.sms.answer_with(500);
    let body = json!({ "new_phone": new, "verification_code": at.sms.code(&new) });
    expect(200, &jo.post(&at.shop, "/auth/phone/confirm", &body));
    at.shop.terminate();
    let kept = Kept::of(&at.shop);
    at.sms.answer_with(204);
    at.shop.start();
    wait_until("the old phone to be told", || at.sms.taken_texts(&old).len() == 2);
    at.shop.terminate();
    kept.put_back(&at.shop);
    at.shop.start();
    assert_eq!(warnings(&at.shop.stderr()), 1, "{}", at.shop.stderr());
    let metrics = at.shop.metrics();
    assert_eq!(at.shop.counted("evercart_messages_waiting{market=\"us\"}"), 0, "{metrics}");
    problem(400, "code_invalid", &at.verify(&us_phone(3), &unused));
    // Who signs in after it gets a code, and the one who was told hears nothing else meanwhile.
    let code = at.new_code(&new);
    expect(200, &at.verify(&new, &code));
    assert_eq!(at.sms.taken_texts(&old).len(), 2, "{:?}", at.sms.taken_texts(&old));
}

//! G10, U7: the data is not what it was, or what is remembered of it outside is gone, damaged or of
//! another shop. In doubt everybody signs in again, and nobody begins a new shop unasked.

use std::path::PathBuf;

use serde_json::json;

use crate::backend::{Kept, SERVERS, lose, lose_market};
use crate::customer::{Customer, expect, us_phone};
use crate::harness::{Shop, StartFailed};
use crate::rewind::{
    Given, Lost, assert_closed, assert_nobody_is_let_in, assert_nothing_is_given_again,
    shop_with_kept_data, warnings,
};

fn mark_of(shop: &Shop) -> PathBuf {
    shop.data().join("evercart.mark")
}

/// What a server says that does not start.
fn refusal(shop: &mut Shop) -> String {
    let StartFailed(output) = shop.try_start().expect_err("it must not start");
    assert_eq!(output.code, Some(1), "{}{}", output.stdout, output.stderr);
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    output.stderr
}

#[test]
fn g10_u7_a_lost_database_is_no_new_shop_unless_that_is_meant() {
    let mut shop = Shop::demo();
    let given = Given::by(&shop);
    shop.terminate();
    lose(&shop);
    for without in ["no-file", "evercart.mark", "keys.json"] {
        // Each of the two is witness enough.
        let (path, aside) = (shop.data().join(without), shop.home().join("aside"));
        let is_aside = std::fs::rename(&path, &aside).is_ok();
        let said = refusal(&mut shop);
        assert!(said.contains("there is no database for market"), "{said}");
        assert!(said.contains("says that there was one"), "{said}");
        assert!(said.contains("\nhint: ") && said.contains("serve --create "), "{said}");
        if is_aside {
            std::fs::rename(&aside, &path).expect("our own file");
        }
    }
    let only_one = shop.try_serve(&["serve", "--demo", "--create", "us"].map(Into::into));
    assert!(only_one.is_err_and(|failed| failed.0.stderr.contains("market kg")));

    let create = ["--create", "us", "--create", "kg"];
    let mut shop = create.iter().fold(shop, |shop, word| shop.argument(word));
    shop.start();
    assert_closed(&shop, &given.jo);
    let new = Customer::of_demo(&shop, &us_phone(20));
    assert_closed(&shop, &given.jo);
    assert!(new.id > given.jo.id + 1, "customer {} was given again as {}", given.jo.id, new.id);
    expect(200, &new.add(&shop, 42, 1));
    let number = expect(201, &new.checkout(&shop))["id"].as_i64();
    assert!(number > given.orders.iter().max().copied(), "#{number:?} was given again");
    let jo = Customer::of_demo(&shop, &given.jo.phone);
    assert_eq!(jo.cart(&shop)["items"], json!([]), "it is another shop");
}

/// As when a script has made the database again before the servers start.
#[test]
fn g10_u7_an_empty_shop_is_not_served_in_the_place_of_one() {
    let mut shop = Shop::demo();
    let given = Given::by(&shop);
    shop.terminate();
    let kept = Kept::of(&shop);
    lose(&shop);
    let mark = std::fs::read(mark_of(&shop)).expect("the mark");
    std::fs::remove_file(mark_of(&shop)).expect("the mark");
    let empty = ["serve", "--create", "us", "--create", "kg"].map(Into::into);
    let empty = shop.try_serve(&empty).unwrap_or_else(|failed| panic!("{failed}"));
    empty.signal("TERM");
    assert_eq!(empty.wait().code, Some(0));
    std::fs::write(mark_of(&shop), mark).expect("the mark");
    let said = refusal(&mut shop);
    assert!(said.contains("is empty, though there was a shop in it"), "{said}");
    assert!(said.contains("\nhint: ") && said.contains("serve --create MARKET"), "{said}");
    kept.put_back(&shop);
    shop.start();
    assert_eq!(given.jo.get(&shop, "/cart").status, 200, "nothing was lost");
}

/// A market that is there says that the other one was, too.
#[test]
fn g10_u7_one_market_says_that_the_other_was_there() {
    let mut shop = Shop::demo();
    shop.terminate();
    lose_market(&shop, "kg");
    for name in ["evercart.mark", "keys.json"] {
        std::fs::remove_file(shop.data().join(name)).expect("a file of ours");
    }
    let said = refusal(&mut shop);
    assert!(said.contains("for market kg") && said.contains("market us, which was"), "{said}");
}

#[test]
fn g10_without_a_mark_the_shop_goes_on_and_makes_one() {
    let mut shop = Shop::demo();
    let given = Given::by(&shop);
    shop.terminate();
    std::fs::remove_file(mark_of(&shop)).expect("the mark");
    shop.start();
    assert_eq!(warnings(&shop.stderr()), 0, "{}", shop.stderr());
    assert_eq!(given.jo.get(&shop, "/cart").status, 200);
    assert!(mark_of(&shop).exists());
}

/// Ways in which the American market's part of a mark is damaged.
fn damaged(mark: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    const BLOCK: usize = 512;
    let is_american = |block: &[u8]| block.starts_with(b"{\"market\":\"us\"");
    let at = BLOCK * mark.chunks(BLOCK).position(is_american).expect("the market's block");
    let over = |from: usize, bytes: &[u8]| {
        let mut mark = mark.to_vec();
        mark[at + from..at + from + bytes.len()].copy_from_slice(bytes);
        mark
    };
    vec![
        ("its facts are garbage", over(140, b"xxxxxxxx")),
        ("its position is garbage", over(20, b"xxxxxxxx")),
        ("its beginning is garbage", over(0, b"xxxxxxxx")),
        ("it is cut off in its facts", mark[..at + 300].to_vec()),
        ("it is all zeros", vec![0; mark.len()]),
    ]
}

#[test]
fn g10_with_a_damaged_mark_everybody_signs_in_again_and_it_is_mended() {
    let (mut shop, given, kept) = shop_with_kept_data();
    let lost = Lost::by(&shop, &given);
    shop.terminate();
    let mark = std::fs::read(mark_of(&shop)).expect("the mark");
    for (how, bytes) in damaged(&mark) {
        kept.put_back(&shop);
        std::fs::write(mark_of(&shop), bytes).expect("the mark");
        if let Err(failed) = shop.try_start() {
            panic!("{how}: {failed}");
        }
        // Servers that start at once may each find it damaged.
        let said = warnings(&shop.stderr());
        assert!((1..=SERVERS).contains(&said), "{how}: {}", shop.stderr());
        assert_nobody_is_let_in(&shop, &given, &lost);
        let new = assert_nothing_is_given_again(&shop, &given, &lost);
        shop.restart();
        assert_eq!(warnings(&shop.stderr()), 0, "{how}: {}", shop.stderr());
        assert_eq!(new.get(&shop, "/cart").status, 200, "{how}");
        shop.terminate();
    }
}

#[test]
fn g10_a_mark_of_another_shop_is_not_taken_for_this_ones() {
    let mut other = Shop::demo();
    let _more = Given::by(&other);
    other.terminate();
    let mut shop = Shop::demo();
    let given = Given::by(&shop);
    shop.terminate();
    std::fs::copy(mark_of(&other), mark_of(&shop)).expect("the mark");
    shop.start();
    assert_eq!(warnings(&shop.stderr()), 1, "{}", shop.stderr());
    assert_closed(&shop, &given.jo);
    let jo = Customer::of_demo(&shop, &given.jo.phone);
    shop.restart();
    assert_eq!(warnings(&shop.stderr()), 0, "{}", shop.stderr());
    assert_eq!(jo.get(&shop, "/cart").status, 200);
}

#[test]
fn g10_a_mark_that_cannot_be_written_is_told_at_the_start() {
    // Root may write everywhere, but not in a file as if it were a directory, or the reverse.
    for place in ["nowhere/evercart.mark", "a-file/evercart.mark", "."] {
        let shop = Shop::prepared().argument("--demo");
        shop.write("a-file", "");
        let mut shop = shop.variable("EVERCART_STORAGE__MARK_FILE", place);
        let said = refusal(&mut shop);
        assert!(said.contains(place) && said.contains("cannot be "), "{said}");
        assert!(said.contains("\nhint: let storage.mark_file name a file"), "{said}");
    }
}

/// The mark is where the operator has put it: away from the data.
#[test]
fn g10_a_mark_on_another_disk_knows_of_a_directory_that_is_put_back_as_a_whole() {
    let shop = Shop::prepared().argument("--demo");
    let mark = shop.home().join("elsewhere.mark");
    let mark = mark.to_str().expect("a path in UTF-8").to_owned();
    let mut shop = shop.variable("EVERCART_STORAGE__MARK_FILE", &mark);
    shop.start();
    let given = Given::by(&shop);
    shop.terminate();
    let (kept, keys) = (Kept::of(&shop), shop.data().join("keys.json"));
    let keys_then = std::fs::read(&keys).expect("the keys");
    shop.start();
    let lost = Lost::by(&shop, &given);
    shop.terminate();
    kept.put_back(&shop);
    std::fs::write(&keys, keys_then).expect("the keys");
    assert!(!mark_of(&shop).exists(), "there is one mark");
    shop.start();
    assert_eq!(warnings(&shop.stderr()), 1, "{}", shop.stderr());
    assert_nobody_is_let_in(&shop, &given, &lost);
    assert_nothing_is_given_again(&shop, &given, &lost);
}

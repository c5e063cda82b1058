//! U4: servers that share a database and do not share the keys say so: the one that came later, or
//! that is outnumbered, is not ready.

use crate::backend::Place;
use crate::customer::us_phone;
use crate::faults::all_ready;
use crate::harness::{Shop, wait_until};

#[test]
fn u4_a_server_with_other_keys_than_the_rest_is_not_ready_until_it_has_theirs() {
    let url = evercart_throwaway_postgres::fresh_database();
    let mut shop = Shop::prepared_at(Place::at(url.clone())).argument("--demo");
    shop.start();
    let token = shop.sign_in(&us_phone(1));
    // As many servers, so that age decides.
    let mut apart = Shop::prepared_at(Place::at(url)).argument("--demo");
    apart.start();
    wait_until("the newcomers to give way", || all_ready(&apart, false));
    assert!(all_ready(&shop, true), "those that were there are right: {}", shop.stderr());
    let said = apart.stderr();
    for words in ["bring the same keys.json to all of them", "servers that share the store"] {
        assert!(said.contains(words), "{words:?} is missing in: {said}");
    }
    assert_eq!(apart.get("/cart").token(&token).send().status, 401);

    let keys = std::fs::read(shop.data().join("keys.json")).expect("the keys");
    std::fs::write(apart.data().join("keys.json"), keys).expect("ours");
    wait_until("all to be ready", || all_ready(&apart, true) && all_ready(&shop, true));
    wait_until("the token to be taken", || apart.get("/cart").token(&token).send().status == 200);
}

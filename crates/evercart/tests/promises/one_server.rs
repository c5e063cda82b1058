//! What is claimed of a shop in SQLite files: one server has its data directory to itself.

use crate::harness::Shop;

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let shop = Shop::demo();
    let Err(refused) = shop.try_serve(&["serve".into(), "--demo".into()]) else {
        panic!("two servers serve one directory");
    };
    assert_eq!(refused.0.code, Some(1), "{refused}");
    let process = shop.running().id().to_string();
    assert!(refused.0.stderr.contains(&process), "it says who has it: {refused}");
    assert_eq!(shop.get("/healthz").send().status, 200);
}

//! A standby shows what its primary has, takes no writes, and can take its primary's place.

use evercart_throwaway_postgres::{Server, Settings};

use crate::connect;

#[tokio::test]
async fn a_standby_reads_and_writes_only_when_promoted() {
    let primary = Server::start(Settings::for_tests()).unwrap();
    primary.create_database("shop").unwrap();
    primary.query("shop", "CREATE TABLE carts (id int)").unwrap();
    let standby = primary.standby().unwrap();
    assert_ne!(standby.port(), primary.port());

    primary.query("shop", "INSERT INTO carts VALUES (7)").unwrap();
    standby.catch_up_with(&primary).unwrap();
    let client = connect(&standby.url("shop")).await.unwrap();
    let row = client.query_one("SELECT id FROM carts", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 7);
    let insert = "INSERT INTO carts VALUES (8)";
    let error = client.batch_execute(insert).await.unwrap_err();
    assert_eq!(error.code().map(|code| code.code()), Some("25006"), "{error}");

    primary.kill().unwrap();
    standby.promote().unwrap();
    client.batch_execute(insert).await.unwrap();
    assert!(standby.promote().is_err(), "it is no standby any more");
}

#[tokio::test]
async fn a_standby_that_is_cut_off_lacks_what_comes_later() {
    let primary = Server::start(Settings::for_tests()).unwrap();
    primary.query("postgres", "CREATE TABLE carts AS SELECT 7 AS id").unwrap();
    let standby = primary.standby().unwrap();
    standby.catch_up_with(&primary).unwrap();
    standby.cut_off().unwrap();
    primary.query("postgres", "INSERT INTO carts VALUES (8)").unwrap();
    primary.kill().unwrap();
    standby.promote().unwrap();
    let rows = standby.query("postgres", "SELECT id FROM carts").unwrap();
    assert_eq!(rows, [[Some("7".to_owned())]]);
}

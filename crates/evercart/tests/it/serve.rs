//! Starting, refusing to start, and stopping.

use crate::harness::Shop;

#[test]
fn it_runs() {
    let shop = Shop::demo();
    let token = shop.sign_in("+13128059851");
    println!("{}", shop.see("/cart", &token));
    println!("{}", shop.internal("/metrics").send());
    println!("{}", shop.running().stderr());
}

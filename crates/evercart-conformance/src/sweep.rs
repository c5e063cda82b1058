//! What is kept for a term is swept once it is over, whosever it was, and nothing else is.

use std::collections::BTreeMap;

use evercart_core::account::{EXPORTED_KEYS, OpenOrders};
use evercart_core::copy::Value;
use evercart_core::guard::IDEMPOTENCY_LIFETIME;
use evercart_core::sweep::SWEPT_AT_ONCE;
use jiff::SignedDuration;

use crate::Backend;
use crate::copy::{CopyBackend, rows};
use crate::phone_change::done;
use crate::shop::{CODE, MUGS, SCARF, Shop, attempt, budget, code_request, free, keyed, phone};

/// Looks at all keys. Returns in how many steps.
async fn sweep_keys<B: Backend>(shop: &Shop<B>) -> usize {
    let (mut place, mut steps) = (None, 0);
    loop {
        place = shop.forget_old_keys(place).await.unwrap();
        steps += 1;
        if place.is_none() {
            return steps;
        }
    }
}

/// Keys do not pile up: a sweep forgets those past their day, a step at a time, and no others.
pub async fn old_keys_are_swept_in_steps<B: Backend>(shop: &mut Shop<B>) {
    let (me, other) = (shop.customer().await.session, shop.customer().await.session);
    let wish = async |session, name: String| {
        shop.add_wish(session, MUGS, keyed(&name, 1)).await.unwrap();
    };
    for number in 0..SWEPT_AT_ONCE {
        wish(me, format!("old {number}")).await;
    }
    wish(other, "old".into()).await;
    shop.wait(SignedDuration::from_hours(23));
    wish(me, "young".into()).await;
    wish(me, "old 7".into()).await;
    assert!(sweep_keys(shop).await > 1);
    let count = async |session| shop.export_keys(session, None).await.unwrap().len();
    assert_eq!(count(me).await, EXPORTED_KEYS as usize, "none is past its day");
    shop.wait(SignedDuration::from_hours(1));
    sweep_keys(shop).await;
    let left = shop.export_keys(me, None).await.unwrap();
    assert_eq!(left.iter().map(|used| used.key.as_str()).collect::<Vec<_>>(), ["young"]);
    assert_eq!(count(other).await, 0);
    assert!(shop.add_wish(me, MUGS, keyed("young", 1)).await.unwrap().replayed);
    assert!(!shop.add_wish(me, MUGS, keyed("old 1", 2)).await.unwrap().replayed);
    assert_eq!(sweep_keys(shop).await, 1);
}

/// The tables whose rows have a term, with how many rows there are that it has.
async fn termed<B: CopyBackend>(shop: &Shop<B>) -> BTreeMap<&'static str, usize> {
    let tables = ["idempotency_keys", "sign_in_keys", "verification_codes", "send_budget"];
    let mut counts: BTreeMap<_, _> = tables.map(|table| (table, 0)).into();
    counts.insert("erasures", 0);
    for (table, row) in rows(shop).await {
        let has_term = table != "erasures" || matches!(row.last(), Some(Value::Blob(_)));
        if let Some(count) = counts.get_mut(table).filter(|_| has_term) {
            *count += 1;
        }
    }
    counts
}

/// Of customers who stay, who have left and who were erased.
pub async fn what_is_past_its_term_is_swept<B: CopyBackend>(shop: &mut Shop<B>) {
    const ERASE: &str = "the key of an erasure";
    let (stays, leaves, erased) =
        (shop.customer().await, shop.customer().await, shop.customer().await);
    for (customer, product) in [(&stays, MUGS), (&leaves, SCARF), (&erased, MUGS)] {
        shop.add_wish(customer.session, product, keyed("wish", 1)).await.unwrap();
    }
    shop.sign_out(leaves.session, keyed("sign out", 1)).await.unwrap();
    shop.grant_code(code_request(&erased.phone, CODE)).await.unwrap();
    let proof = attempt(&erased.phone, CODE);
    done(shop.erase(erased.session, proof, OpenOrders::Keep, keyed(ERASE, 1)).await);
    for n in 90..100 {
        let mut unused = code_request(&phone(n), CODE);
        unused.idempotency = keyed("send", 1).idempotency;
        unused.budgets = vec![budget("send_ip", "192.0.2.1", 100)];
        shop.grant_code(unused).await.unwrap();
    }
    let before = termed(shop).await;
    assert!(before.values().all(|count| *count > 0), "there is something of each: {before:?}");
    assert_eq!((before["idempotency_keys"], before["erasures"]), (3, 1));
    let has_key = |(_, row): &(&str, Vec<Value>)| row.contains(&Value::Text(ERASE.into()));
    assert!(!rows(shop).await.iter().any(has_key), "of an erasure's key only a hash is kept");

    shop.forget_what_is_over().await.unwrap();
    sweep_keys(shop).await;
    assert_eq!(termed(shop).await, before, "nothing is past its term");
    let again = attempt(&erased.phone, CODE);
    let again = done(shop.erase(erased.session, again, OpenOrders::Keep, keyed(ERASE, 1)).await);
    assert!(again.replayed);

    let kept = everything_else(shop).await;
    shop.wait(2 * IDEMPOTENCY_LIFETIME);
    assert!(shop.forget_what_is_over().await.unwrap(), "a step takes a few");
    while shop.forget_what_is_over().await.unwrap() {}
    sweep_keys(shop).await;
    let after = termed(shop).await;
    assert!(after.values().all(|count| *count == 0), "all of it is past its term: {after:?}");
    assert_eq!(everything_else(shop).await, kept);
    let wish = shop.add_wish(stays.session, MUGS, free()).await.unwrap().value;
    assert_eq!(wish.wishes.len(), 1);
    shop.assert_consistent().await;
}

/// The rows that have no term, and of the others nothing.
async fn everything_else<B: CopyBackend>(shop: &Shop<B>) -> Vec<(&'static str, Vec<Value>)> {
    let terms = termed(shop).await;
    let all = rows(shop).await.into_iter();
    all.filter(|(table, _)| !terms.contains_key(table) && *table != "awake").collect()
}

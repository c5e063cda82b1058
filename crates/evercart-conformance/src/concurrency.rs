//! Concurrency: what many do at the same moment comes out as if they had done it in some order.
//! Sign-ins and sign-outs at the same moment have a file of their own.

use std::future::Future;
use std::sync::Arc;

use evercart_core::error::{Refused, Result, StoreError};
use evercart_core::ids::SkuId;
use evercart_core::money::Money;
use evercart_core::order::OrderStatus;
use evercart_core::store::Store;
use tokio::sync::Barrier;

use crate::Backend;
use crate::shop::{
    JACKET, JACKET_M, LAST_LAMP, MUG, PLENTY, SCARF_RED, Shop, address, at_version, checkout, free,
    keyed, many_skus, page, pieces,
};

/// Calls `act` `count` times at once, each in a task of its own; answers in the order of the calls.
pub(crate) async fn at_once<T, F>(
    count: u32,
    store: Arc<dyn Store>,
    act: impl Fn(u32, Arc<dyn Store>) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(count as usize));
    let tasks: Vec<_> = (0..count)
        .map(|n| {
            let (act, start) = (act(n, store.clone()), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                act.await
            })
        })
        .collect();
    drop(store);
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("a task of this case panicked"));
    }
    answers
}

/// Splits answers into what was done and why the rest was refused.
pub(crate) fn sorted_out<T: std::fmt::Debug>(answers: Vec<Result<T>>) -> (Vec<T>, Vec<Refused>) {
    let (mut done, mut refusals) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Ok(value) => done.push(value),
            Err(StoreError::Refused(refusal)) => refusals.push(refusal),
            Err(failed) => panic!("{failed}"),
        }
    }
    (done, refusals)
}

/// G3: 64 parallel adds of one SKU are 64 pieces.
pub async fn parallel_adds_all_count<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let answers = at_once(64, shop.store(), move |_, store| async move {
        store.add_to_cart(me, MUG, 1, free()).await
    })
    .await;
    let (done, _) = sorted_out(answers);
    let mut versions: Vec<_> = done.iter().map(|done| done.value.version).collect();
    versions.sort();
    // Each answer was the cart right after its own add.
    assert_eq!(versions, (1..=64).collect::<Vec<_>>());
    assert!(done.iter().all(|done| done.value.pieces() == done.value.version as u64));
    let cart = shop.cart(me).await.unwrap();
    assert_eq!((pieces(&cart), cart.version), (vec![(MUG, 64)], 64));
}

/// G2: 64 parallel first adds of different SKUs make one cart with 64 lines.
pub async fn parallel_first_adds_make_one_cart<B: Backend>(shop: &mut Shop<B>) {
    shop.import(many_skus(64)).await;
    let me = shop.customer().await.session;
    let answers = at_once(64, shop.store(), move |n, store| async move {
        store.add_to_cart(me, SkuId(1_001 + i64::from(n)), 1, free()).await
    })
    .await;
    assert_eq!(sorted_out(answers).0.len(), 64);
    let cart = shop.cart(me).await.unwrap();
    assert_eq!((cart.lines.len(), cart.pieces(), cart.version), (64, 64, 64));
    let ids: Vec<_> = cart.lines.iter().map(|line| line.id.0).collect();
    assert_eq!(ids, (1..=64).collect::<Vec<_>>());
}

/// G2: a product wished 32 times at once is on the list once.
pub async fn parallel_wishes_make_one<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let answers = at_once(32, shop.store(), move |_, store| async move {
        store.add_wish(me, JACKET, free()).await
    })
    .await;
    assert_eq!(sorted_out(answers).0.len(), 32);
    assert_eq!(shop.wishlist(me).await.unwrap().wishes.len(), 1);
}

/// A wish moved 16 times at once is moved once.
pub async fn parallel_moves_to_the_cart_move_once<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_wish(me, JACKET, free()).await.unwrap();
    let answers = at_once(16, shop.store(), move |_, store| async move {
        store.move_to_cart(me, JACKET, JACKET_M, 1, free()).await
    })
    .await;
    assert_eq!(sorted_out(answers).0.len(), 1);
    assert_eq!(pieces(&shop.cart(me).await.unwrap()), [(JACKET_M, 1)]);
}

/// Sixteen first addresses at once, one default.
pub async fn parallel_first_addresses_have_one_default<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let answers = at_once(16, shop.store(), move |n, store| async move {
        store.add_address(me, address("Home"), n % 2 == 0, free()).await
    })
    .await;
    assert_eq!(sorted_out(answers).0.len(), 16);
    let addresses = shop.addresses(me).await.unwrap();
    assert_eq!(addresses.iter().filter(|address| address.is_default).count(), 1);
    let mut ids: Vec<_> = addresses.iter().map(|address| address.id.0).collect();
    ids.sort();
    assert_eq!(ids, (1..=16).collect::<Vec<_>>());
}

/// Of 32 changes to one version of a cart, one happens.
pub async fn one_version_changes_once<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
    let answers = at_once(32, shop.store(), move |n, store| async move {
        store.add_to_cart(me, MUG, n + 1, at_version(1)).await
    })
    .await;
    let (done, refusals) = sorted_out(answers);
    assert_eq!((done.len(), refusals.len()), (1, 31));
    let conflict = Refused::VersionConflict { expected: 1, actual: 2 };
    assert!(refusals.iter().all(|refusal| *refusal == conflict), "{refusals:?}");
    assert_eq!(shop.cart(me).await.unwrap(), done[0].value);
}

/// G5: 32 repeats at once of one request act once, and all are answered.
pub async fn parallel_repeats_act_once<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    let answers = at_once(32, shop.store(), move |_, store| async move {
        store.add_to_cart(me, MUG, 1, keyed("k", 1)).await
    })
    .await;
    let (done, _) = sorted_out(answers);
    assert_eq!(done.iter().filter(|done| !done.replayed).count(), 1);
    assert!(done.iter().all(|done| pieces(&done.value) == [(MUG, 1)]));
    assert_eq!(done.len(), 32);
}

/// G4: of two, or eight, checkouts of one cart one becomes an order.
pub async fn parallel_checkouts_make_one_order<B: Backend>(shop: &mut Shop<B>) {
    for (round, count) in [2, 8, 2, 2].into_iter().enumerate() {
        let me = shop.customer().await.session;
        shop.add_to_cart(me, SCARF_RED, 2, free()).await.unwrap();
        let answers = at_once(count, shop.store(), move |_, store| async move {
            store.checkout(me, checkout(), free()).await
        })
        .await;
        let (done, refusals) = sorted_out(answers);
        assert_eq!(done.len(), 1, "round {round}");
        // Each of the others is told which order it was.
        let late = Refused::CartEmpty { emptied_by: Some(done[0].value.id) };
        assert!(refusals.iter().all(|refusal| *refusal == late), "{refusals:?}");
        let orders = shop.orders(me, None, page(10, 0)).await.unwrap();
        assert_eq!(orders.items, [done[0].value.clone()]);
        assert_eq!(shop.on_hand(SCARF_RED).await, 10 - 2 * (round as i64 + 1));
    }
}

/// G4, G5: under one key all are told of the same one order.
pub async fn parallel_repeats_of_a_checkout_show_one_order<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, SCARF_RED, 2, free()).await.unwrap();
    let answers = at_once(16, shop.store(), move |_, store| async move {
        store.checkout(me, checkout(), keyed("buy", 1)).await
    })
    .await;
    let (done, _) = sorted_out(answers);
    assert_eq!(done.len(), 16);
    assert_eq!(done.iter().filter(|done| !done.replayed).count(), 1);
    assert!(done.iter().all(|one| one.value == done[0].value));
    assert_eq!(shop.on_hand(SCARF_RED).await, 8);
}

/// Orders placed at once have numbers of their own, without gaps.
pub async fn parallel_orders_have_their_own_numbers<B: Backend>(shop: &mut Shop<B>) {
    let sessions: Vec<_> =
        shop.customers(32).await.iter().map(|customer| customer.session).collect();
    for session in &sessions {
        shop.add_to_cart(*session, MUG, 1, free()).await.unwrap();
    }
    let answers = at_once(32, shop.store(), move |n, store| {
        let me = sessions[n as usize];
        async move { store.checkout(me, checkout(), free()).await }
    })
    .await;
    let (done, _) = sorted_out(answers);
    let mut numbers: Vec<_> = done.iter().map(|done| done.value.id.0).collect();
    numbers.sort();
    assert_eq!(numbers, (1_001..=1_032).collect::<Vec<_>>());
    assert_eq!(shop.on_hand(MUG).await, PLENTY - 32);
}

/// G4: the last piece, wanted by 32, is sold once.
pub async fn the_last_piece_is_sold_once<B: Backend>(shop: &mut Shop<B>) {
    let sessions: Vec<_> =
        shop.customers(32).await.iter().map(|customer| customer.session).collect();
    for session in &sessions {
        shop.add_to_cart(*session, LAST_LAMP, 1, free()).await.unwrap();
    }
    let answers = at_once(32, shop.store(), |n, store| {
        let me = sessions[n as usize];
        async move { store.checkout(me, checkout(), free()).await }
    })
    .await;
    let (done, refusals) = sorted_out(answers);
    assert_eq!((done.len(), refusals.len()), (1, 31));
    let short = Refused::InsufficientStock { sku_id: LAST_LAMP, available: 0 };
    assert!(refusals.iter().all(|refusal| *refusal == short), "{refusals:?}");
    assert_eq!(shop.on_hand(LAST_LAMP).await, 0);
    // Those who came too late still have it in their carts.
    let mut carts_with_it = 0;
    for session in sessions {
        carts_with_it += shop.cart(session).await.unwrap().lines.len();
    }
    assert_eq!(carts_with_it, 31);
}

/// G4: an order called off 8 times at once gives its pieces back once.
pub async fn parallel_cancels_put_the_stock_back_once<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, SCARF_RED, 3, free()).await.unwrap();
    let order = shop.checkout(me, checkout(), free()).await.unwrap().value.id;
    let answers = at_once(8, shop.store(), move |_, store| async move {
        store.cancel_order(me, order, free()).await
    })
    .await;
    let (done, refusals) = sorted_out(answers);
    assert_eq!(done.len(), 1);
    let late = Refused::OrderNotCancellable { status: OrderStatus::Cancelled };
    assert!(refusals.iter().all(|refusal| *refusal == late), "{refusals:?}");
    assert_eq!(shop.on_hand(SCARF_RED).await, 10);
}

/// G4: what is added while the cart is being ordered is in an order or in the cart, never nowhere.
pub async fn adds_during_checkouts_are_never_lost<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 1, free()).await.unwrap();
    // Every eighth orders, the others add.
    let answers = at_once(64, shop.store(), move |n, store| async move {
        if n % 8 == 7 {
            match store.checkout(me, checkout(), free()).await {
                Ok(_) | Err(StoreError::Refused(Refused::CartEmpty { .. })) => Ok(0),
                Err(other) => Err(other),
            }
        } else {
            store.add_to_cart(me, MUG, 1, free()).await.map(|_| 1_u64)
        }
    })
    .await;
    let acknowledged = 1 + sorted_out(answers).0.into_iter().sum::<u64>();
    assert_eq!(acknowledged, 57);
    let orders = shop.orders(me, None, page(100, 0)).await.unwrap().items;
    let ordered: u64 =
        orders.iter().flat_map(|order| &order.lines).map(|line| u64::from(line.quantity)).sum();
    assert_eq!(ordered + shop.cart(me).await.unwrap().pieces(), acknowledged);
    assert_eq!(shop.on_hand(MUG).await, PLENTY - ordered as i64);
    assert!(!orders.is_empty());
}

/// G4: a price that changes during checkouts is in each order either the old or the new one.
pub async fn an_order_has_one_price_while_prices_change<B: Backend>(shop: &mut Shop<B>) {
    let sessions: Vec<_> =
        shop.customers(16).await.iter().map(|customer| customer.session).collect();
    for session in &sessions {
        shop.add_to_cart(*session, MUG, 3, free()).await.unwrap();
        shop.add_to_cart(*session, SCARF_RED, 1, free()).await.unwrap();
    }
    shop.change_sku(SCARF_RED, |row| row.stock = 100).await;
    let mut rows = [shop.sku(MUG).await, shop.sku(SCARF_RED).await];
    for row in &mut rows {
        row.price = Money(row.price.0 * 10);
    }
    let answers = at_once(17, shop.store(), move |n, store| {
        let (me, rows) = (sessions.get(n as usize).copied(), rows.to_vec());
        async move {
            match me {
                Some(me) => Ok(Some(store.checkout(me, checkout(), free()).await?.value)),
                None => store.import_catalogue(rows, Box::new(|_| {})).await.map(|_| None),
            }
        }
    })
    .await;
    for order in sorted_out(answers).0.into_iter().flatten() {
        let prices: Vec<_> = order.lines.iter().map(|line| line.unit_price.0).collect();
        assert!([[10, 2_000], [100, 20_000]].iter().any(|one| *prices == *one), "{prices:?}");
        let subtotal: Money = order.lines.iter().map(|l| l.unit_price.times(l.quantity)).sum();
        assert_eq!(order.subtotal, subtotal);
    }
}

/// All kinds of work at once leave everything adding up.
pub async fn mixed_work_adds_up<B: Backend>(shop: &mut Shop<B>) {
    let sessions: Vec<_> =
        shop.customers(8).await.iter().map(|customer| customer.session).collect();
    let answers = at_once(32, shop.store(), |n, store| {
        let me = sessions[n as usize % 8];
        async move {
            let mut ordered = 0_i64;
            for round in 0..6_u32 {
                store.add_to_cart(me, MUG, 1 + (n + round) % 3, free()).await?;
                store.add_wish(me, JACKET, free()).await?;
                match store.checkout(me, checkout(), free()).await {
                    Ok(done) => {
                        let quantity = |order: &evercart_core::order::Order| {
                            order.lines.iter().map(|line| i64::from(line.quantity)).sum::<i64>()
                        };
                        if round % 2 == 0 {
                            store.cancel_order(me, done.value.id, free()).await?;
                        } else {
                            ordered += quantity(&done.value);
                        }
                    }
                    Err(StoreError::Refused(Refused::CartEmpty { .. })) => {}
                    Err(other) => return Err(other),
                }
                store.cart(me).await?;
            }
            Ok(ordered)
        }
    })
    .await;
    let ordered: i64 = sorted_out(answers).0.into_iter().sum();
    assert_eq!(shop.on_hand(MUG).await, PLENTY - ordered);
    let mut held = 0;
    for session in sessions {
        let orders = shop.orders(session, None, page(100, 0)).await.unwrap().items;
        let kept = orders.iter().filter(|order| order.status.holds_stock());
        held += kept.flat_map(|order| &order.lines).map(|l| i64::from(l.quantity)).sum::<i64>();
    }
    assert_eq!(held, ordered);
}

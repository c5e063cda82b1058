//! What must be true of a whole run, beyond what one customer's order of events can show.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::history::{CartSeen, Event, Fault, History, Intent, OrderSeen, Told, Try};
use crate::returns::{self, Line};

/// In microseconds, in which a history counts.
const SECOND: u64 = 1_000_000;

/// Everything that is wrong, as sentences that begin with the promise.
pub fn check(history: &History) -> Vec<String> {
    let mut wrong = Vec::new();
    for one in &history.tries {
        wrong.extend(one.flaws.iter().map(|flaw| format!("{flaw} ({})", name(one))));
    }
    for event in &history.events {
        wrong.extend(event.flaws.iter().map(|flaw| format!("{flaw} (stream {})", event.stream)));
    }
    let mut by_customer: BTreeMap<u32, (Vec<&Try>, Vec<&Event>)> = BTreeMap::new();
    for one in &history.tries {
        by_customer.entry(one.customer).or_default().0.push(one);
    }
    for event in &history.events {
        by_customer.entry(event.customer).or_default().1.push(event);
    }
    let lines = Line::all(&history.returns);
    for (tries, events) in by_customer.values() {
        ended_tokens(tries, &mut wrong);
        expired_tokens(tries, &mut wrong);
        codes(tries, &mut wrong);
        returns::opens_nothing(tries, &history.returns, &mut wrong);
        let tokens: HashMap<u32, &Try> = tries.iter().map(|one| (one.id, *one)).collect();
        for line in &lines {
            let tries: Vec<_> = tries.iter().copied().filter(|one| line.has(one)).collect();
            let events: Vec<_> =
                events.iter().copied().filter(|event| line.tells(event, &tokens)).collect();
            one_resource_a_key(&tries, &mut wrong);
            one_cart_a_version(&tries, &events, &history.faults, &mut wrong);
            streams(&tries, &events, &mut wrong);
        }
    }
    order_numbers(history, &lines, &mut wrong);
    returns::user_numbers(history, &mut wrong);
    stock(history, &mut wrong);
    // What was kept is on every line.
    let mut said = HashSet::new();
    wrong.retain(|sentence| said.insert(sentence.clone()));
    if let Some(end) = &history.end {
        wrong.extend(end.complaints.iter().cloned());
    }
    wrong
}

/// A request, for people.
pub fn name(one: &Try) -> String {
    format!("customer {}, request {}", one.customer, one.id)
}

/// When tokens ended for certain: (issued before, over from). A logout, or a change of the phone,
/// that was not merely repeated.
fn ends<'a>(tries: &[&'a Try]) -> Vec<(&'a Try, u64, u64)> {
    let end = |one: &&'a Try| {
        let is_end = matches!(
            (&one.intent, &one.told),
            (Intent::Logout, Some(Told::SignedOut))
                | (Intent::ChangePhone { .. }, Some(Told::SignedIn { .. }))
        );
        (is_end && !one.replayed).then_some((*one, one.sent, one.answered?))
    };
    tries.iter().filter_map(end).collect()
}

/// S2: a token that was there before a logout is good for nothing after its answer.
fn ended_tokens(tries: &[&Try], wrong: &mut Vec<String>) {
    let issued: HashMap<u32, u64> =
        tries.iter().filter_map(|one| Some((one.id, one.answered?))).collect();
    let ends = ends(tries);
    for one in tries {
        let let_in = !matches!(one.told, None | Some(Told::Refused { .. }));
        let Some(token) = one.token.filter(|_| let_in) else { continue };
        let Some(issued) = issued.get(&token) else { continue };
        // A repeat of what ended the token tells nothing and changes nothing.
        let is_repeat =
            one.replayed && matches!(one.intent, Intent::Logout | Intent::ChangePhone { .. });
        let end = ends
            .iter()
            .find(|(end, sent, over)| issued < sent && *over < one.sent && end.id != one.id);
        if let Some((end, ..)) = end.filter(|_| !is_repeat) {
            wrong.push(format!(
                "S2 broken: {}: {:?} was let in with a token that had ended with request {}",
                name(one),
                one.intent,
                end.id
            ));
        }
    }
}

/// A token is good as long as was said, and no longer. Its end is a whole second.
fn expired_tokens(tries: &[&Try], wrong: &mut Vec<String>) {
    let issued: HashMap<u32, (u64, u64, u64)> = tries
        .iter()
        .filter_map(|one| match one.told {
            Some(Told::SignedIn { expires_in, .. }) => {
                Some((one.id, (one.sent, one.answered?, expires_in * SECOND)))
            }
            _ => None,
        })
        .collect();
    for one in tries {
        let Some((asked, answered, life)) = one.token.and_then(|token| issued.get(&token)) else {
            continue;
        };
        let is_too_early = one.answered.is_some_and(|at| at + 2 * SECOND < asked + life);
        match &one.told {
            Some(Told::Refused { code, .. }) if code == "token_expired" => {
                if is_too_early {
                    let name = name(one);
                    wrong.push(format!("G7 broken: {name}: the token had not expired yet"));
                }
            }
            None | Some(Told::Refused { .. }) => {}
            Some(_) if one.sent > answered + life + SECOND => wrong.push(format!(
                "S3 broken: {}: {:?} was let in with a token that had expired",
                name(one),
                one.intent
            )),
            Some(_) => {}
        }
    }
}

/// S4: a code opens once. S2: nor does repeating a sign-in open what was ended after it.
fn codes(tries: &[&Try], wrong: &mut Vec<String>) {
    let sign_ins = || {
        tries.iter().filter_map(|one| match (&one.intent, &one.told) {
            (Intent::SignIn { code, .. }, Some(Told::SignedIn { .. })) => Some((*code, *one)),
            _ => None,
        })
    };
    let mut opened: HashMap<u32, &Try> = HashMap::new();
    for (code, one) in sign_ins().filter(|(_, one)| !one.replayed) {
        if let Some(first) = opened.insert(code, one) {
            let name = name(one);
            wrong.push(format!("S4 broken: {name}: its code had opened with {}", first.id));
        }
    }
    let ends = ends(tries);
    for (code, one) in sign_ins().filter(|(_, one)| one.replayed) {
        let Some(first) = opened.get(&code).and_then(|first| first.answered) else { continue };
        let end = ends.iter().find(|(_, sent, over)| first < *sent && *over < one.sent);
        if let Some((end, ..)) = end {
            let name = name(one);
            wrong.push(format!("S2 broken: {name}: request {} had ended that sign-in", end.id));
        }
    }
}

/// G5: every answer under one key names the same order.
fn one_resource_a_key(tries: &[&Try], wrong: &mut Vec<String>) {
    let mut orders: HashMap<u32, (u64, u32)> = HashMap::new();
    for one in tries {
        let (Some(key), Some(Told::Order(order))) = (one.key, &one.told) else { continue };
        let (first, id) = *orders.entry(key).or_insert((order.id, one.id));
        if first != order.id {
            wrong.push(format!(
                "G5 broken: {}: a repeat was answered with order {}, request {id} with {first}",
                name(one),
                order.id
            ));
        }
    }
}

/// One version of a cart has one content, whoever is told of it. One that was told and is made
/// again after a crash was lost.
fn one_cart_a_version(
    tries: &[&Try],
    events: &[&Event],
    faults: &[Fault],
    wrong: &mut Vec<String>,
) {
    let told = tries.iter().filter_map(|one| match &one.told {
        Some(Told::Cart(cart) | Told::Everything(cart, ..)) => {
            Some((cart, one.answered.unwrap_or(one.sent), name(one)))
        }
        _ => None,
    });
    let heard = events.iter().map(|event| {
        let place = format!("stream {} of customer {}", event.stream, event.customer);
        (&event.cart, event.heard, place)
    });
    let mut known: HashMap<u64, (&CartSeen, u64, String)> = HashMap::new();
    for (cart, at, place) in told.chain(heard) {
        let (first, then, first_place) =
            known.entry(cart.version).or_insert_with(|| (cart, at, place.clone()));
        if *first != cart {
            let (from, to) = (at.min(*then), at.max(*then));
            let crashed =
                faults.iter().any(|fault| fault.is_crash && fault.until > from && fault.at < to);
            let promise = if crashed { "G1" } else { "G3" };
            wrong.push(format!(
                "{promise} broken: {place}: version {} of the cart has other lines than in \
                 {first_place}: {:?} and {:?}",
                cart.version, cart.lines, first.lines
            ));
            return;
        }
    }
}

fn streams(tries: &[&Try], events: &[&Event], wrong: &mut Vec<String>) {
    let mut last: HashMap<u32, u64> = HashMap::new();
    let issued: HashMap<u32, u64> =
        tries.iter().filter_map(|one| Some((one.id, one.answered?))).collect();
    // A version that is past one shown to a request that was sent after the end was made after it.
    let versions_since = |over: u64| {
        tries.iter().filter(move |one| one.sent > over).filter_map(|one| match &one.told {
            Some(Told::Cart(cart) | Told::Everything(cart, ..)) => Some(cart.version),
            _ => None,
        })
    };
    let ends: Vec<_> = ends(tries)
        .into_iter()
        .filter_map(|(end, sent, over)| Some((end.id, sent, versions_since(over).min()?)))
        .collect();
    for event in events {
        let version = event.cart.version;
        let before = last.insert(event.stream, version);
        if before.is_some_and(|before| before > version) {
            wrong.push(format!(
                "U4 broken: stream {} of customer {} told version {version} after {before:?}",
                event.stream, event.customer
            ));
        }
        let Some(issued) = issued.get(&event.token) else { continue };
        let end = ends.iter().find(|(_, sent, least)| issued < sent && *least < version);
        if let Some((end, ..)) = end {
            wrong.push(format!(
                "S2 broken: stream {} of customer {} told of version {version}, made after its \
                 token had ended with request {end}",
                event.stream, event.customer
            ));
        }
    }
}

/// Everything that was ever told of orders.
fn orders(one: &Try) -> &[OrderSeen] {
    match &one.told {
        Some(Told::Order(order)) => std::slice::from_ref(order),
        Some(Told::Orders(_, orders) | Told::Everything(_, _, orders)) => orders,
        _ => &[],
    }
}

/// G4: a number is one order's, and a checkout has one number. G10: the number is that order's even
/// if it was lost.
fn order_numbers(history: &History, lines: &[Line], wrong: &mut Vec<String>) {
    let mut owners: HashMap<u64, ((u32, u32), &Try)> = HashMap::new();
    for one in &history.tries {
        for order in orders(one) {
            let checkout = (order.customer, order.tag);
            let (owner, first) = *owners.entry(order.id).or_insert((checkout, one));
            if owner != checkout {
                let promise = returns::promise(first, one, &history.returns);
                wrong.push(format!(
                    "{promise} broken: {}: order {} is of checkout {checkout:?}, and was told to \
                     be of {owner:?}",
                    name(one),
                    order.id
                ));
                return;
            }
        }
    }
    for line in lines {
        let mut numbers: HashMap<(u32, u32), u64> = HashMap::new();
        for one in history.tries.iter().filter(|one| line.has(one)) {
            for order in orders(one) {
                let checkout = (order.customer, order.tag);
                let number = *numbers.entry(checkout).or_insert(order.id);
                if number != order.id {
                    wrong.push(format!(
                        "G4 broken: {}: checkout {checkout:?} is order {}, and was order {number}",
                        name(one),
                        order.id
                    ));
                    return;
                }
            }
        }
    }
}

/// G4: what has been taken from the stock is what orders hold that were not called off.
fn stock(history: &History, wrong: &mut Vec<String>) {
    let Some(end) = &history.end else { return };
    let mut last: HashMap<u32, &Try> = HashMap::new();
    for one in &history.tries {
        let is_look = matches!(one.told, Some(Told::Everything(..)));
        let newest = last.get(&one.customer).is_none_or(|last| last.answered < one.answered);
        if is_look && newest {
            last.insert(one.customer, one);
        }
    }
    if last.len() < history.meta.customers as usize || end.stock.is_empty() {
        // Nobody has looked at the end, which is complained of elsewhere.
        return;
    }
    let mut left: BTreeMap<u64, i64> =
        history.meta.stock.iter().map(|(sku, pieces)| (*sku, *pieces as i64)).collect();
    for order in last.values().flat_map(|one| orders(one)).filter(|order| !order.is_cancelled) {
        for (sku, quantity) in &order.lines {
            *left.entry(*sku).or_default() -= i64::from(*quantity);
        }
    }
    for (sku, expected) in left {
        let found = end.stock.get(&sku).copied().unwrap_or_default();
        if found != expected || found < 0 {
            wrong.push(format!(
                "G4 broken: {found} pieces of SKU {sku} are left where the orders leave {expected}"
            ));
        }
    }
}

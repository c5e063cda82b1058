//! The judgement of a history: every customer by the search, everything together by the
//! invariants, and the shortest account of what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::history::{Fault, History, Intent, Return, Told, Try};
use crate::invariants;
use crate::linear::{STEPS_MAX, Verdict, search, search_from};
use crate::model::Scope;
use crate::returns;
use crate::shrink::{Short, shrink};

/// Customers whose histories are shown, at most.
const SHOWN_MAX: usize = 2;
/// After so many broken histories the rest is not looked at: it takes long, and says no more.
const BROKEN_MAX: usize = 8;

/// What came out.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Sentences that name the promise.
    pub broken: Vec<String>,
    /// Accounts of single customers.
    pub accounts: Vec<String>,
    /// Customers about whom the search could not decide.
    pub undecided: Vec<u32>,
    /// Customers who were not looked at, because enough was broken.
    pub not_judged: usize,
}

/// Judges a history, and tells how many of how many customers are done.
pub fn judge(history: &History, tell: &(dyn Fn(usize, usize) + Sync)) -> Judgement {
    let mut judgement = Judgement { broken: invariants::check(history), ..Judgement::default() };
    let mut customers: BTreeMap<u32, Vec<&Try>> = BTreeMap::new();
    for one in &history.tries {
        customers.entry(one.customer).or_default().push(one);
    }
    let scope = Scope::whole(history.meta.scarce.iter().copied());
    let customers: Vec<_> = customers.into_iter().collect();
    let (found, judged) = search_all(&customers, &history.returns, &scope, tell);
    judgement.not_judged = customers.len() - judged;
    let mut shown = 0;
    for (place, verdict) in found {
        let (customer, tries) = &customers[place];
        let tries = &returns::among(tries, &history.returns);
        let Verdict::Broken(furthest) = verdict else {
            judgement.undecided.push(*customer);
            continue;
        };
        if shown == SHOWN_MAX {
            judgement.broken.push(format!(
                "as broken: customer {customer}: the answer to request {}, {:?}, is not explained",
                tries[furthest].id, tries[furthest].intent
            ));
            continue;
        }
        shown += 1;
        let short = shrink(tries, &scope, furthest);
        let stuck = &short.tries[short.stuck];
        let may_be_out = tries.iter().any(|one| {
            let is_end = matches!(
                one.intent,
                Intent::Logout | Intent::ChangePhone { .. } | Intent::Returned
            );
            is_end && Some(one.sent) < stuck.answered
        });
        judgement.broken.push(promise(&short, stuck, may_be_out, history));
        judgement.accounts.push(account(&short, &history.faults));
    }
    judgement
}

/// Every customer's history that is not explained, by its place; and how many were judged.
fn search_all(
    customers: &[(u32, Vec<&Try>)],
    returns: &[Return],
    scope: &Scope,
    tell: &(dyn Fn(usize, usize) + Sync),
) -> (Vec<(usize, Verdict)>, usize) {
    let (next, judged) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let found = Mutex::new(Vec::new());
    let lock = || found.lock().expect("nobody panics with it");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|all| {
        for _ in 0..threads {
            all.spawn(|| {
                while lock().len() < BROKEN_MAX {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some((_, tries)) = customers.get(place) else { return };
                    // One customer's at a time, so that a long history is not in memory twice.
                    let tries = returns::among(tries, returns);
                    let verdict = search(&tries, scope, STEPS_MAX);
                    tell(judged.fetch_add(1, Ordering::Relaxed) + 1, customers.len());
                    if verdict != Verdict::Explained {
                        lock().push((place, verdict));
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().expect("nobody panicked with it");
    found.sort_unstable_by_key(|(place, _)| *place);
    (found, judged.into_inner())
}

/// Which promise it is: the one that explains everything if it is not held.
fn promise(short: &Short, stuck: &Try, may_be_out: bool, history: &History) -> String {
    let tries = &short.tries;
    let without = |change: fn(&mut Scope)| {
        let mut scope = short.scope.clone();
        change(&mut scope);
        let mut start = short.start.clone();
        start.narrow(&scope);
        search_from(&start, &short.before, &scope, STEPS_MAX / 8) == Verdict::Explained
    };
    let what = format!(
        "customer {}: no order of events explains the answer to request {}, {:?}",
        stuck.customer, stuck.id, stuck.intent
    );
    let is_unknown = stuck_is_refused(stuck, "token_invalid");
    if is_unknown || (stuck_is_refused(stuck, "signed_out") && !may_be_out) {
        return format!("G7 broken: {what}: it was refused though nobody had signed out");
    }
    let is_issue = |one: &&Try| one.customer == stuck.customer && Some(one.id) == stuck.token;
    let issued = history.tries.iter().find(is_issue).and_then(|one| one.answered);
    if issued.is_some_and(|issued| returns::is_outdated(stuck, issued, &history.returns)) {
        return format!("G10 broken: {what}: its token is of before a return to older data");
    }
    if matches!(stuck.told, Some(Told::SignedIn { .. })) {
        return format!("G7 broken: {what}: it leads to the wrong customer");
    }
    if without(|scope| scope.sessions = false) {
        return format!("S2 broken: {what}, but that a token went on after a logout");
    }
    if without(|scope| scope.keys = false) {
        return format!("G5 broken: {what}, but that a repeat had another effect");
    }
    if without(|scope| scope.orders = false) || is_about_orders(stuck) {
        return format!("G4 broken: {what}; without the orders, the rest is explained");
    }
    let first = tries.iter().map(|one| one.sent).min().unwrap_or_default();
    let last = stuck.answered.unwrap_or(u64::MAX);
    let crash = |fault: &Fault| fault.is_crash && fault.until > first && fault.at < last;
    let returned = history.returns.iter().rev().find(|one| one.returned.until < last);
    let returned = returned.map_or(String::new(), |one| {
        format!("; the data was put back {} ms before", (last - one.returned.until) / 1_000)
    });
    match history.faults.iter().any(crash) {
        true => format!("G1 broken: {what}; a crash was in between{returned}"),
        false => format!("G3 broken: {what}; no crash was in between{returned}"),
    }
}

fn stuck_is_refused(stuck: &Try, expected: &str) -> bool {
    matches!(&stuck.told, Some(Told::Refused { code, .. }) if code == expected)
}

fn is_about_orders(one: &Try) -> bool {
    matches!(one.intent, Intent::Checkout { .. } | Intent::Cancel { .. } | Intent::ReadOrders)
}

/// What happened, for people.
fn account(short: &Short, faults: &[Fault]) -> String {
    let mut lines: Vec<(u64, String)> = Vec::new();
    let customer = short.tries.first().map_or(0, |one| one.customer);
    let (first, last) = short.tries.iter().fold((u64::MAX, 0), |(first, last), one| {
        (first.min(one.sent), last.max(one.answered.unwrap_or(one.sent)))
    });
    for (place, one) in short.tries.iter().enumerate() {
        let mark = if place == short.stuck { "  <-- not explained" } else { "" };
        lines.push((one.sent, format!("{}{mark}", line(one))));
    }
    for fault in faults.iter().filter(|fault| fault.until > first && fault.at < last) {
        let (from, to) = (ms(fault.at), ms(fault.until));
        lines.push((fault.at, format!("{from:>9} – {to:>9}  *** {}", fault.what)));
    }
    lines.sort();
    let count = |known: bool| short.tries.iter().filter(|one| one.told.is_some() == known).count();
    let (asked, silent, of_all) = (count(true), count(false), short.of_all);
    let lines: BTreeSet<_> = lines.into_iter().collect();
    let lines: Vec<_> = lines.into_iter().map(|(_, line)| line).collect();
    format!(
        "customer {customer}, {asked} answers (and {silent} requests without) of {of_all}; \
         looked at: {}\nbefore: {}\n{}",
        short.looked_at,
        short.start,
        lines.join("\n")
    )
}

fn ms(micros: u64) -> String {
    format!("{}.{:03}", micros / 1_000, micros % 1_000)
}

fn line(one: &Try) -> String {
    let answered = one.answered.map_or("-".to_owned(), ms);
    if returns::is_happening(one) {
        return format!("{:>9} – {answered:>9}  *** the data: {:?}", ms(one.sent), one.intent);
    }
    let told = match &one.told {
        None => format!("no answer ({})", one.end),
        Some(told) => format!("{told:?}"),
    };
    let key = one.key.map(|key| format!(" key {key}")).unwrap_or_default();
    let token = one.token.map(|token| format!(" token {token}")).unwrap_or_default();
    let version = one.if_match.map(|version| format!(" if {version}")).unwrap_or_default();
    let again = if one.replayed { " (again)" } else { "" };
    format!(
        "{:>9} – {answered:>9}  #{} device {} server {}{token}{key}{version} {:?} -> {told}{again}",
        ms(one.sent),
        one.id,
        one.device,
        one.server,
        one.intent
    )
}

#[cfg(test)]
mod tests;

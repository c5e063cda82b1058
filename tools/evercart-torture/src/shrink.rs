//! Makes a history that cannot be explained short. Each step only takes knowledge away: fewer
//! answers, fewer things looked at. What still cannot be explained then is what is wrong.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::history::{Intent, Told, Try};
use crate::linear::{Verdict, search_from, waist};
use crate::model::{Scope, State};
use crate::returns::is_happening;

/// Steps of each search. One that takes more is no use here.
const STEPS_MAX: usize = 60_000;
/// Steps of the search for a moment to begin with.
const STEPS_FULL_MAX: usize = 400_000;
/// How long it is tried at most.
const TIME_MAX: Duration = Duration::from_secs(25);

/// A short history.
#[derive(Debug)]
pub struct Short {
    /// In the order in which they were sent.
    pub tries: Vec<Try>,
    /// The same before any were left out: only these tell which promise would have to be given up
    /// for everything to be explained.
    pub before: Vec<Try>,
    /// The place of the request whose answer is not explained.
    pub stuck: usize,
    /// How many requests there were.
    pub of_all: usize,
    /// What was so before.
    pub start: State,
    /// What still had to be looked at.
    pub scope: Scope,
    /// The same, for people.
    pub looked_at: String,
}

struct Shrinker {
    start: State,
    scope: Scope,
    tries: Vec<Try>,
    begun: Instant,
}

/// Shortens it. `furthest` is the place of the request whose answer was not explained.
pub fn shrink(tries: &[Try], scope: &Scope, furthest: usize) -> Short {
    let mut sorted = tries.to_vec();
    sorted.sort_by_key(|one| (one.sent, one.id));
    let begun = Instant::now();
    let mut shrinker =
        Shrinker { start: State::default(), scope: scope.clone(), tries: sorted, begun };
    shrinker.cut_off_after(tries[furthest].answered.unwrap_or(u64::MAX));
    if let Some((start, rest)) = waist(&shrinker.tries, scope, STEPS_FULL_MAX) {
        (shrinker.start, shrinker.tries) = (start, rest);
    }
    shrinker.look_at_less();
    let before = shrinker.tries.clone();
    shrinker.drop_tries();
    shrinker.drop_unused_tokens();
    shrinker.finish(before, tries.len())
}

impl Shrinker {
    fn search(&self, tries: &[Try], scope: &Scope, steps_max: usize) -> Verdict {
        let mut start = self.start.clone();
        start.narrow(scope);
        search_from(&start, tries, scope, steps_max)
    }

    /// True if it is still broken with these. The search must be sure of it.
    fn is_broken(&self, tries: &[Try], scope: &Scope) -> bool {
        self.stuck(tries, scope).is_some()
    }

    /// The request whose answer is not explained, if that is sure.
    fn stuck(&self, tries: &[Try], scope: &Scope) -> Option<u32> {
        if self.begun.elapsed() > TIME_MAX {
            return None;
        }
        match self.search(tries, scope, STEPS_MAX) {
            Verdict::Broken(place) => Some(tries[place].id),
            _ => None,
        }
    }

    /// Answers that came later than the broken one cannot mend it, and what was sent later did not
    /// cause it.
    fn cut_off_after(&mut self, end: u64) {
        let cut = |end: u64, tries: &[Try]| -> Vec<Try> {
            let sent_before = tries.iter().filter(|one| one.sent <= end);
            sent_before
                .map(|one| if one.answered > Some(end) { silent(one) } else { one.clone() })
                .collect()
        };
        // The end of the search is not always the end of the trouble: look for the first answer
        // with which it is broken.
        let mut ends: Vec<u64> = self.tries.iter().filter_map(|one| one.answered).collect();
        ends.sort_unstable();
        let upto = ends.partition_point(|other| *other <= end);
        let (mut least, mut most) = (0, upto.min(ends.len().saturating_sub(1)));
        if !self.is_broken(&cut(ends[most], &self.tries), &self.scope) {
            return;
        }
        while least < most {
            let middle = least.midpoint(most);
            if self.is_broken(&cut(ends[middle], &self.tries), &self.scope) {
                most = middle;
            } else {
                least = middle + 1;
            }
        }
        self.tries = cut(ends[most], &self.tries);
    }

    fn look_at_less(&mut self) {
        for change in [
            (|scope: &mut Scope| scope.wishes = false) as fn(&mut Scope),
            |scope| scope.orders = false,
            |scope| scope.addresses = false,
            |scope| scope.versions = false,
            |scope| scope.sessions = false,
        ] {
            let mut scope = self.scope.clone();
            change(&mut scope);
            if self.is_broken(&self.tries, &scope) {
                self.scope = scope;
            }
        }
        // Single SKUs can be looked at where an order's lines and versions are not.
        if !self.scope.orders && !self.scope.versions {
            let all: BTreeSet<u64> = self.tries.iter().flat_map(skus).collect();
            let one = all.into_iter().map(|sku| Some(BTreeSet::from([sku])));
            for skus in one.chain([Some(BTreeSet::new())]) {
                let scope = Scope { skus, ..self.scope.clone() };
                if self.is_broken(&self.tries, &scope) {
                    self.scope = scope;
                    return;
                }
            }
        }
    }

    /// An answer is not needed if all is still broken without it; and then it is not needed either
    /// that the request was sent: whether or not it happened, nothing explains the rest. It stays,
    /// without its answer, if another answer would be in want of an explanation without it.
    fn drop_tries(&mut self) {
        let Some(stuck) = self.stuck(&self.tries, &self.scope) else { return };
        let mut size = self.tries.len().div_ceil(2);
        while size > 0 {
            let mut from = 0;
            while from < self.tries.len() {
                let to = (from + size).min(self.tries.len());
                let part = from..to;
                let is_in = |place: usize, one: &Try| {
                    let is_needed = brings_token(one) || is_happening(one);
                    part.contains(&place) && one.told.is_some() && !is_needed
                };
                let places = || self.tries.iter().enumerate();
                let weaken = |(place, one): (usize, &Try)| {
                    if is_in(place, one) { silent(one) } else { one.clone() }
                };
                let weaker: Vec<Try> = places().map(weaken).collect();
                let any = places().any(|(place, one)| is_in(place, one));
                if !any || !self.is_broken(&weaker, &self.scope) {
                    from = to;
                } else {
                    let kept =
                        |(place, one): (usize, &Try)| (!is_in(place, one)).then(|| one.clone());
                    let kept: Vec<Try> = places().filter_map(kept).collect();
                    let is_same = self.stuck(&kept, &self.scope) == Some(stuck);
                    if is_same || size == 1 {
                        self.tries = if is_same { kept } else { weaker };
                    } else {
                        from = to;
                    }
                }
                if self.begun.elapsed() > TIME_MAX {
                    return;
                }
            }
            size /= 2;
        }
    }

    /// Signing in does nothing but bring a token, and the first time a customer.
    fn drop_unused_tokens(&mut self) {
        let used: BTreeSet<u32> = self.tries.iter().filter_map(|one| one.token).collect();
        let mut is_first = true;
        let kept = self.tries.iter().filter(|one| {
            let is_sign_in = matches!(one.intent, Intent::SignIn { .. }) && one.told.is_some();
            !is_sign_in || used.contains(&one.id) || std::mem::take(&mut is_first)
        });
        let kept: Vec<Try> = kept.cloned().collect();
        if self.is_broken(&kept, &self.scope) {
            self.tries = kept;
        }
    }

    fn finish(mut self, before: Vec<Try>, of_all: usize) -> Short {
        let stuck = match self.search(&self.tries, &self.scope, STEPS_MAX) {
            Verdict::Broken(place) => self.tries[place].id,
            _ => self.tries.last().map_or(0, |one| one.id),
        };
        // Requests without answers that could not matter here are left out of the account.
        let scope = self.scope.clone();
        self.tries.retain(|one| one.told.is_some() || matters(one, &scope));
        let stuck = self.tries.iter().position(|one| one.id == stuck).unwrap_or(0);
        let mut looked_at = vec!["the cart".to_owned()];
        if let Some(skus) = &scope.skus {
            looked_at = skus.iter().map(|sku| format!("SKU {sku}")).collect();
        }
        for (is_in, what) in [
            (scope.versions, "versions"),
            (scope.wishes, "the wishlist"),
            (scope.orders, "orders"),
            (scope.addresses, "addresses"),
            (scope.sessions, "sign-outs"),
            (scope.keys, "keys"),
        ] {
            if is_in {
                looked_at.push(what.to_owned());
            }
        }
        Short {
            tries: self.tries,
            before,
            stuck,
            of_all,
            looked_at: looked_at.join(", "),
            scope,
            start: self.start,
        }
    }
}

/// The same without its answer.
fn silent(one: &Try) -> Try {
    Try { answered: None, told: None, replayed: false, ..one.clone() }
}

/// What later requests need in order to be let in.
fn brings_token(one: &Try) -> bool {
    matches!(one.intent, Intent::SignIn { .. } | Intent::ChangePhone { .. })
}

fn skus(one: &Try) -> Vec<u64> {
    let mut skus = match &one.intent {
        Intent::Add { sku, .. }
        | Intent::Set { sku, .. }
        | Intent::Remove { sku, .. }
        | Intent::Move { sku, .. } => vec![*sku],
        Intent::Merge { items, .. } => items.iter().map(|(sku, _)| *sku).collect(),
        _ => vec![],
    };
    if let Some(Told::Cart(cart)) = &one.told {
        skus.extend(cart.lines.iter().map(|(_, sku, _)| *sku));
    }
    skus
}

fn matters(one: &Try, scope: &Scope) -> bool {
    match &one.intent {
        Intent::Wish { .. } | Intent::Unwish { .. } | Intent::ClearWishes => scope.wishes,
        Intent::Cancel { .. } => scope.orders,
        Intent::AddAddress { .. } | Intent::ChangeAddress { .. } | Intent::RemoveAddress { .. } => {
            scope.addresses
        }
        Intent::SignIn { .. } | Intent::Copied | Intent::Returned => false,
        intent if intent.is_read() => false,
        _ => match &scope.skus {
            Some(looked_at) => {
                let own = skus(one);
                own.is_empty() || own.iter().any(|sku| looked_at.contains(sku))
            }
            None => true,
        },
    }
}

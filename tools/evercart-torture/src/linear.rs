//! Whether what one customer was told can have happened one after the other: a search after Wing
//! and Gong with the memory of Lowe. A request without an answer may have happened at any later
//! moment, or never.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::history::{Intent, Told, Try};
use crate::model::{Scope, State};
use crate::returns::is_happening;

/// Steps of the search for one customer. More are needed only where very many requests have no
/// answer.
pub const STEPS_MAX: usize = 400_000;

/// What became of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// There is an order of events that explains every answer.
    Explained,
    /// There is none. The request (by its place among those given) is the one whose answer could
    /// not be explained where the search came furthest.
    Broken(usize),
    /// The search was given up.
    Undecided,
}

/// A request in the search.
struct Op<'a> {
    one: &'a Try,
    place: usize,
    sent: u64,
    /// `u64::MAX` if there was no answer.
    answered: u64,
    /// The version of the cart in the answer, `u64::MAX` if there is none in it, or if it may be
    /// from before or after a return to older data.
    version: u64,
}

impl Op<'_> {
    /// True if versions begin again with it.
    fn is_return(&self) -> bool {
        self.one.intent == Intent::Returned
    }
}

/// Where the search is: what has happened so far, and what that led to.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Place {
    /// Every answered request before this has happened.
    low: u32,
    /// Answered ones from there on that have happened, too.
    ahead: Vec<u32>,
    /// Unanswered ones that have happened.
    unanswered: Vec<u32>,
    state: Rc<State>,
}

/// Looks for an order of events, from the very beginning.
pub fn search(tries: &[Try], scope: &Scope, steps_max: usize) -> Verdict {
    search_from(&State::default(), tries, scope, steps_max)
}

/// Looks for an order of events that begins with this state.
pub fn search_from(start: &State, tries: &[Try], scope: &Scope, steps_max: usize) -> Verdict {
    Search::new(tries, scope).run(start, steps_max)
}

/// The last moment of a broken history at which nothing was under way and only one state could be:
/// that state, and the requests that matter from then on. None if there is no such moment.
pub fn waist(tries: &[Try], scope: &Scope, steps_max: usize) -> Option<(State, Vec<Try>)> {
    let mut search = Search::new(tries, scope);
    if !matches!(search.run(&State::default(), steps_max), Verdict::Broken(_)) {
        return None;
    }
    let mut ends = 0;
    let mut moments: HashMap<u32, Vec<&Place>> = HashMap::new();
    for (at, op) in search.answered.iter().enumerate() {
        if op.sent > ends {
            moments.insert(u32::try_from(at).ok()?, vec![]);
        }
        ends = ends.max(op.answered);
    }
    for place in search.seen.iter().filter(|place| place.ahead.is_empty()) {
        if let Some(places) = moments.get_mut(&place.low) {
            places.push(place);
        }
    }
    let only = moments.into_values().filter(|places| places.len() == 1).flatten();
    let place = only.max_by_key(|place| place.low)?;
    let answered = search.answered[place.low as usize..].iter();
    let silent = search.unanswered.iter().enumerate();
    let silent = silent.filter(|(at, _)| !place.unanswered.contains(&(*at as u32)));
    let mut rest: Vec<_> =
        answered.chain(silent.map(|(_, op)| op)).map(|op| op.one.clone()).collect();
    rest.sort_by_key(|one| (one.sent, one.id));
    Some((State::clone(&place.state), rest))
}

struct Search<'a> {
    scope: &'a Scope,
    /// By the time they were sent.
    answered: Vec<Op<'a>>,
    unanswered: Vec<Op<'a>>,
    /// The least version in the answers from here on, up to the next return to older data.
    version_min: Vec<u64>,
    seen: HashSet<Place>,
    /// Most answered requests that could be explained, and what could not be then.
    furthest: (usize, usize),
}

impl<'a> Search<'a> {
    fn new(tries: &'a [Try], scope: &'a Scope) -> Self {
        let returns: Vec<_> = tries.iter().filter(|one| one.intent == Intent::Returned).collect();
        let op = |(place, one): (usize, &'a Try)| {
            let answered = one.answered.filter(|_| one.told.is_some()).unwrap_or(u64::MAX);
            let is_beside = |other: &&Try| {
                one.sent <= other.answered.unwrap_or(u64::MAX) && answered >= other.sent
            };
            let version = match returns.iter().any(is_beside) {
                false => one.told.as_ref().map_or(u64::MAX, version),
                true => u64::MAX,
            };
            Op { one, place, sent: one.sent, answered, version }
        };
        let ops = tries.iter().enumerate().map(op);
        let (mut answered, mut unanswered): (Vec<_>, Vec<_>) =
            ops.partition(|op| op.answered != u64::MAX);
        // Without an answer, neither tells or changes anything that matters.
        unanswered.retain(|op| {
            !op.one.intent.is_read() && !matches!(op.one.intent, Intent::SignIn { .. })
        });
        answered.sort_by_key(|op| (op.sent, op.answered));
        unanswered.sort_by_key(|op| op.sent);
        let mut version_min: Vec<_> = answered.iter().map(|op| op.version).collect();
        version_min.push(u64::MAX);
        for at in (0..answered.len()).rev() {
            if !answered[at].is_return() {
                version_min[at] = version_min[at].min(version_min[at + 1]);
            }
        }
        let furthest = (0, answered.first().map_or(0, |op| op.place));
        Self { scope, answered, unanswered, version_min, seen: HashSet::new(), furthest }
    }

    fn run(&mut self, start: &State, steps_max: usize) -> Verdict {
        let first =
            Place { low: 0, ahead: vec![], unanswered: vec![], state: Rc::new(start.clone()) };
        let mut open = vec![first];
        let mut steps = 0;
        while let Some(place) = open.pop() {
            if place.low as usize == self.answered.len() {
                return Verdict::Explained;
            }
            if !self.seen.insert(place.clone()) {
                continue;
            }
            steps += 1;
            if steps > steps_max {
                return Verdict::Undecided;
            }
            // The last is tried first.
            self.next(&place, &mut open);
        }
        Verdict::Broken(self.furthest.1)
    }

    /// Pushes all places that can be reached by one more request.
    fn next(&mut self, place: &Place, open: &mut Vec<Place>) {
        let (low, ahead) = (place.low as usize, &place.ahead);
        // Whatever was sent after another's answer happened after it.
        let (mut until, mut window, mut first) = (u64::MAX, low, low);
        while window < self.answered.len() && self.answered[window].sent <= until {
            let op = &self.answered[window];
            if !ahead.contains(&(window as u32)) && op.answered < until {
                (until, first) = (op.answered, window);
            }
            window += 1;
        }
        let done = low + ahead.len();
        if done >= self.furthest.0 {
            self.furthest = (done, self.answered[first].place);
        }
        let waiting = || (low..window).filter(|at| !ahead.contains(&(*at as u32)));
        // A version that is past what an answer is still to tell is never come back from, but by a
        // return to older data.
        let later = match waiting().any(|at| self.answered[at].is_return()) {
            false => self.version_min[window],
            true => u64::MAX,
        };
        let version_max = waiting().map(|at| self.answered[at].version).fold(later, u64::min);
        let mut in_order: Vec<_> =
            waiting().filter(|at| self.answered[*at].sent <= until).collect();
        in_order.sort_by_key(|at| std::cmp::Reverse(self.answered[*at].answered));
        let mut further = Vec::new();
        for at in in_order {
            let Some(state) = place.state.answered(self.answered[at].one, self.scope) else {
                continue;
            };
            if only_tells(self.answered[at].one) && state == *place.state {
                // It may as well happen at once: nothing becomes impossible by it.
                open.push(self.after(place, at as u32, Rc::clone(&place.state)));
                return;
            }
            if state.version <= version_max || !self.scope.versions {
                further.push(self.after(place, at as u32, Rc::new(state)));
            }
        }
        self.unanswered(place, until, version_max, open);
        open.append(&mut further);
    }

    /// Pushes the places that are reached by a request without an answer.
    fn unanswered(&self, place: &Place, until: u64, version_max: u64, open: &mut Vec<Place>) {
        let mut tried: Vec<&Try> = Vec::new();
        for (at, op) in self.unanswered.iter().enumerate().rev() {
            let is_done = place.unanswered.contains(&(at as u32));
            if is_done || op.sent > until || tried.iter().any(|one| are_alike(one, op.one)) {
                continue;
            }
            let Some(state) = place.state.unanswered(op.one, self.scope) else { continue };
            tried.push(op.one);
            if state.version <= version_max || !self.scope.versions {
                let mut unanswered = place.unanswered.clone();
                unanswered.push(at as u32);
                unanswered.sort_unstable();
                open.push(Place { unanswered, state: Rc::new(state), ..place.clone() });
            }
        }
    }

    fn after(&self, place: &Place, at: u32, state: Rc<State>) -> Place {
        let (mut low, mut ahead) = (place.low, place.ahead.clone());
        ahead.push(at);
        ahead.sort_unstable();
        while ahead.first() == Some(&low) {
            ahead.remove(0);
            low += 1;
        }
        let mut unanswered = place.unanswered.clone();
        let op = &self.answered[at as usize];
        if op.is_return() {
            // With the tokens of before it, nothing more comes of them: which of them have happened
            // makes no difference any more.
            unanswered.retain(|other| {
                let other = &self.unanswered[*other as usize];
                other.sent >= op.sent || is_happening(other.one)
            });
        }
        Place { low, ahead, unanswered, state }
    }
}

/// True if the request had no effect, whenever it happened.
fn only_tells(one: &Try) -> bool {
    one.intent.is_read() || one.replayed || matches!(one.told, Some(Told::Refused { .. }))
}

/// True if it makes no difference which of the two has happened.
fn are_alike(one: &Try, other: &Try) -> bool {
    one.intent == other.intent
        && one.key == other.key
        && one.token == other.token
        && one.if_match == other.if_match
}

fn version(told: &Told) -> u64 {
    match told {
        Told::Cart(cart) | Told::Everything(cart, ..) => cart.version,
        _ => u64::MAX,
    }
}

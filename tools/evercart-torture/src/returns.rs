//! What returns to older data mean for what was told: what came after a copy is lost, nobody from
//! before a return is let in after it, and nothing that was given is given to somebody else (G10).

use std::collections::HashMap;

use crate::history::{Event, History, Intent, Return, Span, Told, Try};
use crate::invariants::name;

/// What can have been seen of one and the same data: everything up to a return, but what was lost
/// by earlier ones. What may be of either side is of neither.
#[derive(Debug)]
pub struct Line(Vec<Span>);

impl Line {
    /// Every line: one that ends with each return, and the one that goes on to the end.
    pub fn all(returns: &[Return]) -> Vec<Self> {
        let mut kept = Vec::new();
        let mut from = 0;
        let mut lines = Vec::new();
        for one in returns {
            let mut line = kept.clone();
            line.push(Span { from, until: one.returned.from });
            lines.push(Self(line));
            kept.push(Span { from, until: one.copied.from });
            from = one.returned.until;
        }
        kept.push(Span { from, until: u64::MAX });
        lines.push(Self(kept));
        lines
    }

    /// True if the request was asked and answered on it.
    pub fn has(&self, one: &Try) -> bool {
        let within = |span: &Span| span.from <= one.sent && one.answered <= Some(span.until);
        one.answered.is_some() && self.0.iter().any(within)
    }

    /// True if the event was told on it. A stream does not outlive the return that ends the line on
    /// which it was let in, so that whatever it tells later is still of that line.
    pub fn tells(&self, event: &Event, tokens: &HashMap<u32, &Try>) -> bool {
        let Some((last, kept)) = self.0.split_last() else { return false };
        let is_let_in = |one: &&Try| last.from <= one.sent && one.answered <= Some(last.until);
        tokens.get(&event.token).is_some_and(is_let_in)
            || kept.iter().any(|span| span.from <= event.opened && event.heard <= span.until)
    }
}

/// A customer's requests, and among them what happened to the data.
pub fn among(tries: &[&Try], returns: &[Return]) -> Vec<Try> {
    let mut all: Vec<Try> = tries.iter().copied().cloned().collect();
    let Some(customer) = all.first().map(|one| one.customer) else { return all };
    let happenings = returns
        .iter()
        .flat_map(|one| [(Intent::Copied, one.copied), (Intent::Returned, one.returned)]);
    // Numbered from above, where no request is.
    let numbers = (0..=u32::MAX).rev();
    all.extend(happenings.zip(numbers).map(|((intent, span), id)| Try {
        id,
        customer,
        device: 0,
        server: 0,
        token: None,
        key: None,
        if_match: None,
        intent,
        sent: span.from,
        answered: Some(span.until),
        told: Some(Told::Happened),
        replayed: false,
        end: String::new(),
        flaws: vec![],
    }));
    all
}

/// True if this is nobody's request.
pub fn is_happening(one: &Try) -> bool {
    matches!(one.intent, Intent::Copied | Intent::Returned)
}

/// True if something that was there at `since` is from before a return that was over when the
/// request was sent.
pub fn is_outdated(one: &Try, since: u64, returns: &[Return]) -> bool {
    returns.iter().any(|other| since < other.returned.from && other.returned.until < one.sent)
}

/// True if the answer let its customer in.
fn is_let_in(one: &Try) -> bool {
    !matches!(one.told, None | Some(Told::Refused { .. }))
}

/// A token, or a code, of before a return opens nothing after it.
pub fn opens_nothing(tries: &[&Try], returns: &[Return], wrong: &mut Vec<String>) {
    let issued: HashMap<u32, u64> =
        tries.iter().filter_map(|one| Some((one.id, one.answered?))).collect();
    for one in tries.iter().filter(|one| is_let_in(one)) {
        let name = name(one);
        let token = one.token.and_then(|token| issued.get(&token));
        if token.is_some_and(|issued| is_outdated(one, *issued, returns)) {
            wrong.push(format!(
                "G10 broken: {name}: {:?} was let in with a token of before a return to older data",
                one.intent
            ));
        }
        if let Intent::SignIn { since, .. } = one.intent
            && is_outdated(one, since, returns)
        {
            wrong.push(format!(
                "G10 broken: {name}: a code of before a return to older data signed in after it"
            ));
        }
    }
}

/// A customer's number is nobody else's, whether or not that customer was lost.
pub fn user_numbers(history: &History, wrong: &mut Vec<String>) {
    let mut owners: HashMap<u64, &Try> = HashMap::new();
    for one in &history.tries {
        let Some(Told::SignedIn { user, .. }) = one.told else { continue };
        let first = *owners.entry(user).or_insert(one);
        if first.customer != one.customer {
            let promise = promise(first, one, &history.returns);
            wrong.push(format!(
                "{promise} broken: {}: user {user} was customer {}, as request {} was told",
                name(one),
                first.customer,
                first.id
            ));
            return;
        }
    }
}

/// Which promise is broken if what two requests were told of is the same: that of returns if there
/// was one in between.
pub fn promise(one: &Try, other: &Try, returns: &[Return]) -> &'static str {
    let (first, last) = (one.sent.min(other.sent), one.answered.max(other.answered));
    let is_between =
        |other: &Return| first < other.returned.until && Some(other.returned.from) < last;
    if returns.iter().any(is_between) { "G10" } else { "G4" }
}

//! What is shown: how far a run is, what it was like, and what broke.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::history::{History, Told};
use crate::judge::Judgement;
use crate::run::{Outcome, Plan};

/// How often progress is told where there is no terminal.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Violations that are shown; all are counted.
const SENTENCES_MAX: usize = 20;
/// Some carry a whole answer.
const SENTENCE_CHARS_MAX: usize = 600;

/// A line that moves, or where there is no terminal, a line now and then.
pub struct Progress {
    bar: ProgressBar,
    store: &'static str,
    told: std::sync::Mutex<Option<u64>>,
}

impl Progress {
    /// For a run on this store.
    pub fn new(store: &'static str) -> Self {
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {msg}").expect("a template of ours");
        bar.set_style(style);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, store, told: std::sync::Mutex::default() }
    }

    /// What is going on.
    pub fn say(&self, what: &str) {
        self.show(format!("{}: {what}", self.store), true);
    }

    /// How far the customers are.
    pub fn at(&self, time: Duration, answered: u64, kills: u64) {
        let interval = time.as_secs() / TOLD_EVERY.as_secs();
        let mut told = self.told.lock().expect("nobody panics with it");
        let is_due = *told != Some(interval);
        *told = Some(interval);
        let rate = answered as f64 / time.as_secs_f64().max(0.001);
        let (store, seconds) = (self.store, time.as_secs());
        let text = format!("{store}: {seconds} s, {answered} answers ({rate:.0}/s), {kills} kills");
        self.show(text, is_due);
    }

    /// How far the judgement is.
    pub fn judged(&self, judged: usize, of_all: usize) {
        let is_due = judged == of_all || judged.is_multiple_of(of_all.div_ceil(10));
        self.show(format!("{}: judged {judged} of {of_all} customers", self.store), is_due);
    }

    fn show(&self, text: String, is_due: bool) {
        if self.bar.is_hidden() && is_due {
            eprintln!("{text}");
        }
        self.bar.set_message(text);
    }

    /// Does what prints something else.
    pub fn beside(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// It is over.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// What a run was like.
pub fn summary(plan: &Plan, outcome: &Outcome) -> String {
    let history = &outcome.history;
    let answered = history.tries.iter().filter(|one| one.answered.is_some()).count();
    let sent = history.tries.len();
    let rate = answered as f64 / outcome.took.as_secs_f64();
    let mut text = format!(
        "{} seed {}: {} customers, {sent} requests in {} s, {answered} answered ({rate:.0}/s), {} \
         without an answer, {} events, {} kills\n",
        plan.store.word(),
        plan.seed,
        plan.customers,
        outcome.took.as_secs(),
        sent - answered,
        history.events.len(),
        outcome.kills,
    );
    text.push_str(&format!("  faults: {}\n", counts(faults(history))));
    text.push_str(&format!("  requests: {}\n", counts(intents(history))));
    text.push_str(&format!("  ends: {}\n", counts(ends(history))));
    if let Some(longest) = outcome.told_after.iter().max() {
        let count = outcome.told_after.len();
        text.push_str(&format!(
            "  streams at the end told {count} changes, the slowest after {} ms\n",
            longest.as_millis()
        ));
    }
    text
}

/// What is wrong, if anything.
pub fn verdict(history: &History, judgement: &Judgement) -> String {
    let mut text = String::new();
    for account in &judgement.accounts {
        text.push_str(&format!("{account}\n\n"));
    }
    for broken in judgement.broken.iter().take(SENTENCES_MAX) {
        let short: String = broken.chars().take(SENTENCE_CHARS_MAX).collect();
        text.push_str(&format!("{short}\n"));
    }
    if let Some(more) = judgement.broken.len().checked_sub(SENTENCES_MAX + 1) {
        text.push_str(&format!("and {} more\n", more + 1));
    }
    let undecided = &judgement.undecided;
    if !undecided.is_empty() {
        text.push_str(&format!(
            "not decided, since too many requests were without answers: customers {undecided:?}\n"
        ));
    }
    if judgement.not_judged > 0 {
        let rest = judgement.not_judged;
        text.push_str(&format!("enough is broken; {rest} more customers were not looked at\n"));
    }
    let (store, seed) = (&history.meta.store, history.meta.seed);
    match judgement.broken.len() {
        0 => text.push_str(&format!("{store} seed {seed}: nothing was lost\n")),
        many => text.push_str(&format!("{store} seed {seed}: {many} violations\n")),
    }
    text
}

fn counts(all: impl Iterator<Item = String>) -> String {
    let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
    for name in all {
        *by_name.entry(name).or_default() += 1;
    }
    let texts: Vec<_> = by_name.iter().map(|(name, count)| format!("{count} {name}")).collect();
    texts.join(", ")
}

/// Words of a fault that do not tell of what kind it is.
const SMALL: [&str; 4] = ["for", "ms", "server", "and"];

/// Without numbers, so that those of a kind are counted together.
fn faults(history: &History) -> impl Iterator<Item = String> {
    let kind = |what: &str| {
        let what = what.split([',', ':']).next().unwrap_or_default();
        let words = what.split(' ').filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
        let words: Vec<_> = words.filter(|word| !SMALL.contains(word)).collect();
        words.join(" ")
    };
    history.faults.iter().map(move |fault| kind(&fault.what))
}

fn intents(history: &History) -> impl Iterator<Item = String> {
    history.tries.iter().map(|one| {
        let text = format!("{:?}", one.intent);
        text.split(' ').next().unwrap_or_default().to_owned()
    })
}

fn ends(history: &History) -> impl Iterator<Item = String> {
    history.tries.iter().map(|one| match &one.told {
        Some(Told::Refused { code, .. }) => code.clone(),
        Some(_) if one.replayed => "done before".to_owned(),
        Some(_) => "done".to_owned(),
        None if one.end.starts_with("gave up") => "given up".to_owned(),
        None => one.end.clone(),
    })
}

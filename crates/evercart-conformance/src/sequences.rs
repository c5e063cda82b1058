//! Random sequences of what several customers, guessers and operators do, on the store and on the
//! model: each answer and all that can be seen afterwards must be the same. A failure is made
//! smaller before it is shown, with the seed that leads to it.

mod entering;
mod shopping;

use std::fmt::Debug;

use evercart_core::error::{Refused, StoreError};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::RngExt;

use crate::Backend;
use crate::shop::Shop;

/// Set to the seed that a failure printed, the same sequences are tried again.
const SEED_VARIABLE: &str = "EVERCART_CONFORMANCE_SEED";
/// Sequences tried in a run.
const SEQUENCES: u32 = 32;
/// Steps of the longest one.
const STEPS_MAX: usize = 60;
/// How often a failing sequence is run again to make it smaller.
const SHRINKS_MAX: u32 = 300;

/// Carts, wishlists, orders, addresses, profiles, sessions, the catalogue, keys, versions, time.
pub async fn shopping_agrees_with_the_model<B: Backend>(_: &mut Shop<B>) {
    let steps = proptest::collection::vec(shopping::step(), 1..STEPS_MAX);
    compare(steps, async |steps| shopping::play::<B>(steps).await).await;
}

/// Codes, attempts, budgets, keys, sign-outs, blocks, time.
pub async fn entering_agrees_with_the_model<B: Backend>(_: &mut Shop<B>) {
    let steps = proptest::collection::vec(entering::step(), 1..STEPS_MAX);
    compare(steps, async |steps| entering::play::<B>(steps).await).await;
}

/// Plays random sequences until one does not agree.
async fn compare<S: Debug>(
    strategy: impl Strategy<Value = Vec<S>>,
    play: impl AsyncFn(Vec<S>) -> Result<(), String>,
) {
    let seed = seed();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..SEQUENCES {
        let mut tree = strategy.new_tree(&mut runner).expect("nothing is filtered out");
        if let Err(difference) = play(tree.current()).await {
            let (steps, difference) = smallest(&mut tree, difference, &play).await;
            panic!("{difference}\nafter {steps:#?}\nagain with {SEED_VARIABLE}={seed}");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a seed to repeat is no configuration")]
fn seed() -> u64 {
    match std::env::var(SEED_VARIABLE) {
        Ok(text) => text.parse().expect("the seed is a number as it was printed"),
        Err(_) => rand::rng().random(),
    }
}

/// The smallest sequence found that still does not agree.
async fn smallest<S: Debug>(
    tree: &mut impl ValueTree<Value = Vec<S>>,
    difference: String,
    play: &impl AsyncFn(Vec<S>) -> Result<(), String>,
) -> (Vec<S>, String) {
    let mut found = (tree.current(), difference);
    let mut simpler = tree.simplify();
    for _ in 0..SHRINKS_MAX {
        if !simpler {
            break;
        }
        simpler = match play(tree.current()).await {
            Err(difference) => {
                found = (tree.current(), difference);
                tree.simplify()
            }
            Ok(()) => tree.complicate(),
        };
    }
    found
}

/// What both sides must say alike: texts for a person and waiting times may differ.
fn reason(error: StoreError) -> String {
    match error {
        StoreError::Refused(Refused::NotFound { .. }) => "NotFound".into(),
        StoreError::Refused(Refused::QuantityLimit { limit, .. }) => format!("limit {limit}"),
        StoreError::Refused(Refused::RateLimited { .. } | Refused::TooManyAttempts { .. }) => {
            "has to wait".into()
        }
        StoreError::Refused(refusal) => format!("{refusal:?}"),
        StoreError::Failed(failed) => format!("FAILED: {failed}"),
    }
}

/// Shows the first lines in which two texts differ.
fn difference(what: &str, store: &str, model: &str) -> Result<(), String> {
    if store == model {
        return Ok(());
    }
    let mut lines = store.lines().zip(model.lines()).filter(|(store, model)| store != model);
    let (in_store, in_model) = lines.next().unwrap_or(("(its end)", "(its end)"));
    Err(format!(
        "{what}: store and model differ first in\nstore: {in_store}\nmodel: {in_model}\n\n\
         store: {store}\n\nmodel: {model}"
    ))
}

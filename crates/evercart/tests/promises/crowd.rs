//! Many requests at the same moment.

use std::sync::Barrier;

/// Runs `act` on `count` threads that start together, and returns what each came to, in order.
pub fn at_once<T: Send>(count: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(count);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|index| {
                let (start, act) = (&start, &act);
                scope.spawn(move || {
                    start.wait();
                    act(index)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no request panics")).collect()
    })
}

/// How many of `items` fulfil `condition`.
pub fn count<T>(items: &[T], condition: impl Fn(&T) -> bool) -> usize {
    items.iter().filter(|item| condition(item)).count()
}

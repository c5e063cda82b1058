//! The exports that are being read: one at a time for each customer, and a few in all, so that
//! what they hold in memory is bounded however slowly their clients read.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use evercart_core::ids::UserId;

/// The most at once on one server. Each holds up to ten orders and the network's own buffers, less
/// than a megabyte, and asks the store for the next ten only when those are on their way.
const AT_ONCE_MAX: usize = 32;

/// The exports of a server that are being read.
#[derive(Debug, Default)]
pub struct Exports(Mutex<HashSet<(usize, UserId)>>);

/// Why no export is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTurn {
    /// The customer is reading one.
    OneIsRead,
    /// Others are reading as many as the server sends at once.
    Full,
}

impl Exports {
    /// Begins one of a customer of a market, until the turn is dropped.
    pub(crate) fn begin(self: &Arc<Self>, market: usize, user: UserId) -> Result<Turn, NoTurn> {
        let customer = (market, user);
        let mut read = self.lock();
        if read.contains(&customer) {
            return Err(NoTurn::OneIsRead);
        }
        if read.len() >= AT_ONCE_MAX {
            return Err(NoTurn::Full);
        }
        read.insert(customer);
        Ok(Turn { exports: Arc::clone(self), customer })
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<(usize, UserId)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An export that is being read.
#[derive(Debug)]
pub(crate) struct Turn {
    exports: Arc<Exports>,
    customer: (usize, UserId),
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.exports.lock().remove(&self.customer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_has_one_turn_and_a_server_a_few() {
        let exports = Arc::new(Exports::default());
        let begin = |market, user| exports.begin(market, UserId(user));
        let first = begin(0, 1).expect("a turn");
        assert_eq!(begin(0, 1).expect_err("one is read"), NoTurn::OneIsRead);
        let mut turns = vec![begin(1, 1).expect("another market, another customer")];
        turns.extend((2..32).map(|user| begin(0, user).expect("a turn")));
        assert_eq!(begin(0, 99).expect_err("full"), NoTurn::Full);
        drop(first);
        begin(0, 1).expect("a turn again");
    }
}

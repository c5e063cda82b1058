//! The numbers of products and SKUs that a file makes.

use std::collections::HashSet;

use crate::ids::ID_MAX;

/// Gives out numbers, around those that a file brings along.
pub(super) struct Numbers {
    first: i64,
    next: i64,
    brought: HashSet<i64>,
    /// The highest one used, if the counter has to be moved past it.
    pub(super) highest: Option<i64>,
}

impl Numbers {
    pub(super) fn new(next: i64) -> Self {
        Self { first: next, next, brought: HashSet::new(), highest: None }
    }

    /// Numbers below the next one are never given out, so they need no remembering.
    pub(super) fn bring(&mut self, number: i64) {
        if number >= self.first {
            self.brought.insert(number);
            self.highest = self.highest.max(Some(number));
        }
    }

    pub(super) fn take(&mut self, of: &str) -> Result<i64, String> {
        while self.brought.contains(&self.next) {
            self.next += 1;
        }
        if self.next > ID_MAX {
            return Err(format!("no number is left for a new {of}: give it an id of your own"));
        }
        let number = self.next;
        self.next += 1;
        self.highest = self.highest.max(Some(number));
        Ok(number)
    }
}

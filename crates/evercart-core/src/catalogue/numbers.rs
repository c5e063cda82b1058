//! The numbers of products and SKUs that a file makes.

use crate::ids::ID_MAX;

/// Gives out numbers, around those that a file brings along.
pub(super) struct Numbers {
    first: i64,
    next: i64,
    /// In order once the first number was given out.
    brought: Vec<i64>,
    /// How many of them are behind the next number.
    passed: Option<usize>,
    /// The highest one used, if the counter has to be moved past it.
    pub(super) highest: Option<i64>,
}

impl Numbers {
    pub(super) fn new(next: i64) -> Self {
        Self { first: next, next, brought: Vec::new(), passed: None, highest: None }
    }

    /// Numbers below the next one are never given out, so they need no remembering.
    pub(super) fn bring(&mut self, number: i64) {
        if number >= self.first {
            // A product's rows stand together, mostly.
            if self.brought.last() != Some(&number) {
                self.brought.push(number);
            }
            self.highest = self.highest.max(Some(number));
        }
    }

    pub(super) fn take(&mut self, of: &str) -> Result<i64, String> {
        let mut passed = self.passed.unwrap_or_else(|| {
            self.brought.sort_unstable();
            0
        });
        while let Some(brought) = self.brought.get(passed).filter(|it| **it <= self.next) {
            self.next = self.next.max(*brought + 1);
            passed += 1;
        }
        self.passed = Some(passed);
        if self.next > ID_MAX {
            return Err(format!("no number is left for a new {of}: give it an id of your own"));
        }
        let number = self.next;
        self.next += 1;
        self.highest = self.highest.max(Some(number));
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_around_those_that_are_brought_along() {
        let mut numbers = Numbers::new(5);
        [8, 3, 6, 6, 5, 8, 10].into_iter().for_each(|number| numbers.bring(number));
        let taken: Vec<_> = (0..4).map(|_| numbers.take("SKU").expect("there are")).collect();
        assert_eq!(taken, [7, 9, 11, 12]);
        assert_eq!(numbers.highest, Some(12));
        let mut last = Numbers::new(ID_MAX);
        last.bring(ID_MAX);
        assert!(last.take("SKU").is_err());
    }
}

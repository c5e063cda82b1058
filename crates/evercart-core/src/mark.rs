//! How far a store had come, written down outside of it, and what follows when the store is found
//! behind that: it was put back to an earlier moment (G10).

use std::fmt;

use thiserror::Error;

use crate::copy::Erasure;
use crate::incarnation::Incarnation;

/// Ids of a kind that are reserved outside at a time, before the first of them is used. A disk's
/// sync each; what is left of a block is used after a restart, unless the store was put back.
pub const RESERVED_AT_ONCE: i64 = 64;

/// How many ids are passed over besides, where other servers may have given out more than this one
/// knows of. They tell each other nothing but through the database; what a server saw there is at
/// most a second old, so this is enough unless it was cut off while others went on, for longer than
/// it takes to give out this many.
pub const PASSED_OVER: i64 = 10_000;

/// The numbers that are counted, by their names in the store.
pub const NUMBERS: [&str; 4] = ["user", "order", "product", "sku"];

/// For each of [`NUMBERS`] the first that was certainly not given out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers(pub [i64; 4]);

impl Numbers {
    /// Of one kind, by its name.
    pub fn of(&self, name: &str) -> i64 {
        let place = NUMBERS.iter().position(|known| *known == name);
        place.map_or(0, |place| self.0[place])
    }

    /// Sets one kind.
    pub fn set(&mut self, name: &str, next: i64) {
        if let Some(place) = NUMBERS.iter().position(|known| *known == name) {
            self.0[place] = next;
        }
    }

    /// The larger of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        let mut larger = self;
        for (one, two) in larger.0.iter_mut().zip(other.0) {
            *one = (*one).max(two);
        }
        larger
    }

    /// True if there was any number that `others` have not come to.
    pub fn are_past(self, others: Self) -> bool {
        self.0.iter().zip(others.0).any(|(number, other)| *number > other)
    }

    /// Each that much further.
    #[must_use]
    pub fn plus(self, more: i64) -> Self {
        Self(self.0.map(|number| number.saturating_add(more)))
    }
}

/// A store's life and its place in the order of lives: each return starts one with a higher number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// Counted from 1.
    pub number: i64,
    /// What tokens carry.
    pub incarnation: Incarnation,
}

/// Where a database server stands in its own history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// PostgreSQL's system identifier: another one is another server's data.
    pub system: String,
    /// PostgreSQL's timeline: it moves on with every promotion and point-in-time recovery.
    pub timeline: i64,
    /// Bytes of log that were on disk.
    pub log: i64,
}

/// What is known of a store's progress: read in the store, or remembered outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The life.
    pub life: Life,
    /// A count that moves on with what the store keeps. Outside it is never ahead of the disk.
    pub position: i64,
    /// Of a database server, where it stands.
    pub lineage: Option<Lineage>,
}

/// What a store that is opened turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// What it was, and no less.
    Continues,
    /// Somebody else has already started a new life in it.
    Adopted,
    /// It was put back to an earlier moment.
    Returned(Return),
}

/// How it is known that a store was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Return {
    /// It is behind what it had kept.
    Behind {
        /// How far it had come.
        kept: i64,
        /// How far it is.
        found: i64,
    },
    /// It is of an earlier life, or of another one.
    OtherLife,
    /// It is on another server's data.
    OtherServer,
    /// Its server has less log than it had.
    LessLog,
    /// Its server began another timeline, which may have left out the last commits.
    OtherTimeline {
        /// The one it was on.
        from: i64,
        /// The one it is on.
        to: i64,
    },
    /// What was remembered outside cannot be read.
    Unreadable,
}

impl fmt::Display for Return {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Return::Behind { kept, found } => {
                write!(f, "it had kept {kept} commits and has {found}")
            }
            Return::OtherLife => f.write_str("it is from before, or of another shop"),
            Return::OtherServer => f.write_str("its database server is another one"),
            Return::LessLog => f.write_str("its database server has less log than it had"),
            Return::OtherTimeline { from, to } => write!(
                f,
                "its database server went from timeline {from} to {to} (a promotion or a recovery) \
                 and had no synchronous standby"
            ),
            Return::Unreadable => f.write_str("what was remembered of it outside is damaged"),
        }
    }
}

/// Compares what was remembered, which must have been read first, with what is found.
pub fn compare(remembered: &Progress, found: &Progress) -> Verdict {
    let (was, is) = (remembered.life, found.life);
    if is.number > was.number {
        return Verdict::Adopted;
    }
    if is != was {
        return Verdict::Returned(Return::OtherLife);
    }
    match (&remembered.lineage, &found.lineage) {
        (Some(was), Some(is)) if was.system != is.system => {
            return Verdict::Returned(Return::OtherServer);
        }
        (Some(was), Some(is)) if was.timeline == is.timeline && is.log < was.log => {
            return Verdict::Returned(Return::LessLog);
        }
        // Back to a file, which is as old as the move away from it.
        (Some(_), None) => return Verdict::Returned(Return::OtherServer),
        // A move to a server goes on counting there.
        _ => {}
    }
    if found.position < remembered.position {
        let (kept, found) = (remembered.position, found.position);
        return Verdict::Returned(Return::Behind { kept, found });
    }
    Verdict::Continues
}

/// What a mark holds of one market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// How far the store had come.
    pub progress: Progress,
    /// What may have been given out.
    pub numbers: Numbers,
}

/// How far a store had come, as it is remembered outside of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Remembered {
    /// Nothing: it is new, or so is the mark.
    #[default]
    Nothing,
    /// This.
    Was(Progress),
    /// Something that cannot be read.
    Unreadable,
}

impl Remembered {
    /// Reads a mark, with the numbers it has reserved. Before the store is read: what is found
    /// there must not be older.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn of(mark: Option<&dyn Mark>) -> Result<(Self, Numbers), MarkError> {
        match mark.map(Mark::read).transpose() {
            Ok(None | Some(None)) => Ok((Self::Nothing, Numbers::default())),
            Ok(Some(Some(Marked { progress, numbers }))) => Ok((Self::Was(progress), numbers)),
            Err(MarkError::Damaged { .. }) => Ok((Self::Unreadable, Numbers::default())),
            Err(error) => Err(error),
        }
    }

    /// What a store with this progress is.
    pub fn verdict(&self, found: &Progress) -> Verdict {
        match self {
            Self::Nothing => Verdict::Continues,
            Self::Was(progress) => compare(progress, found),
            Self::Unreadable => Verdict::Returned(Return::Unreadable),
        }
    }

    /// True if a store without customers and products cannot be what was there: numbers were given
    /// out, of which `reserved` are remembered, that it, with `found`, never came to.
    pub fn speaks_against_empty(&self, reserved: Numbers, found: Numbers) -> bool {
        match self {
            Self::Nothing => false,
            Self::Was(_) => reserved.are_past(found),
            Self::Unreadable => true,
        }
    }

    /// The number of the life it was in; 0 if that is not known.
    pub fn life_number(&self) -> i64 {
        match self {
            Self::Was(progress) => progress.life.number,
            Self::Nothing | Self::Unreadable => 0,
        }
    }
}

/// What is remembered of a store outside of it. Several processes may share one: a running server
/// and an operator's command.
pub trait Mark: Send + Sync {
    /// What was remembered; `None` if nothing ever was.
    ///
    /// # Errors
    /// It cannot be read, or it is damaged.
    fn read(&self) -> Result<Option<Marked>, MarkError>;

    /// Notes a position that is on disk in the store. Cheap: a crash of the machine may lose it,
    /// the end of the process does not.
    ///
    /// # Errors
    /// It cannot be written.
    fn advance(&self, life: Life, position: i64) -> Result<(), MarkError>;

    /// Replaces all but the numbers, which only grow. What that changes is on disk when it returns;
    /// where it changes nothing but the position, this is [`advance`](Self::advance).
    ///
    /// # Errors
    /// It cannot be written.
    fn write(&self, progress: &Progress, numbers: Numbers) -> Result<(), MarkError>;

    /// Reserves numbers up to these. On disk when it returns.
    ///
    /// # Errors
    /// It cannot be written.
    fn reserve(&self, numbers: Numbers) -> Result<(), MarkError>;

    /// Brings what [`advance`](Self::advance) noted to disk.
    ///
    /// # Errors
    /// It cannot be written.
    fn sync(&self) -> Result<(), MarkError>;

    /// Who was erased, as far as it was listed: no return to older data brings them back.
    ///
    /// # Errors
    /// It cannot be read.
    fn erasures(&self) -> Result<Vec<Erasure>, MarkError>;

    /// Adds to the list. On disk when it returns. Twice is once.
    ///
    /// # Errors
    /// It cannot be written.
    fn list(&self, erasures: &[Erasure]) -> Result<(), MarkError>;
}

/// A mark could not be used.
#[derive(Debug, Error)]
pub enum MarkError {
    /// It is there and says nothing that can be understood.
    #[error("{place} is damaged")]
    Damaged {
        /// Which file.
        place: String,
    },
    /// It cannot be read or written.
    #[error("{place} cannot be used: {why}")]
    Unusable {
        /// Which file.
        place: String,
        /// Why.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(number: i64, incarnation: i64, position: i64) -> Progress {
        let life = Life { number, incarnation: Incarnation(incarnation) };
        Progress { life, position, lineage: None }
    }

    #[test]
    fn a_store_is_put_back_if_it_is_behind_or_of_another_life() {
        let was = progress(2, 7, 100);
        assert_eq!(compare(&was, &progress(2, 7, 100)), Verdict::Continues);
        assert_eq!(compare(&was, &progress(2, 7, 900)), Verdict::Continues);
        assert_eq!(compare(&was, &progress(3, 9, 1)), Verdict::Adopted);
        let behind = Verdict::Returned(Return::Behind { kept: 100, found: 99 });
        assert_eq!(compare(&was, &progress(2, 7, 99)), behind);
        for (number, incarnation) in [(1, 7), (1, 3), (2, 8)] {
            let verdict = compare(&was, &progress(number, incarnation, 900));
            assert_eq!(verdict, Verdict::Returned(Return::OtherLife));
        }
    }

    #[test]
    fn a_server_is_put_back_if_it_is_another_or_has_less_log() {
        let on = |system: &str, timeline, log| {
            let lineage = Lineage { system: system.into(), timeline, log };
            Progress { lineage: Some(lineage), ..progress(1, 7, 100) }
        };
        let was = on("a", 1, 5000);
        assert_eq!(compare(&was, &on("a", 1, 5000)), Verdict::Continues);
        assert_eq!(compare(&was, &on("a", 1, 4999)), Verdict::Returned(Return::LessLog));
        assert_eq!(compare(&was, &on("b", 1, 9000)), Verdict::Returned(Return::OtherServer));
        let in_a_file = progress(1, 7, 900);
        assert_eq!(compare(&was, &in_a_file), Verdict::Returned(Return::OtherServer));
        let moved = Progress { position: 900, ..was.clone() };
        assert_eq!(compare(&in_a_file, &moved), Verdict::Continues, "a move to a server");
        let went_on = Verdict::Returned(Return::Behind { kept: 900, found: 100 });
        assert_eq!(compare(&in_a_file, &was), went_on, "after a copy to the server");
        // Whether another timeline is a return, the store itself remembers: it is on every server.
        assert_eq!(compare(&was, &on("a", 2, 4000)), Verdict::Continues);
    }

    #[test]
    fn an_empty_store_is_what_was_there_if_nothing_was_given_out() {
        let (new, used) = (Numbers([1, 1001, 1, 1]), Numbers([66, 1001, 1, 1]));
        let was = Remembered::Was(progress(1, 7, 100));
        assert!(!was.speaks_against_empty(new, new));
        assert!(was.speaks_against_empty(used, new));
        assert!(!Remembered::Nothing.speaks_against_empty(Numbers::default(), new));
        assert!(Remembered::Unreadable.speaks_against_empty(Numbers::default(), new));
    }

    #[test]
    fn numbers_only_grow() {
        let mut one = Numbers([2, 1001, 5, 5]);
        one.set("order", 1010);
        let both = one.max(Numbers([9, 1005, 1, 7]));
        assert_eq!(both, Numbers([9, 1010, 5, 7]));
        assert_eq!((both.of("user"), both.of("unknown")), (9, 0));
        assert_eq!(both.plus(1).of("sku"), 8);
    }
}

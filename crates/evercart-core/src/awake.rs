//! When a store was awake. Whatever a store gave out was given while it was awake, and it remembers
//! when that was. A token of a time that it does not remember comes from a future that was lost
//! with a whole machine: data, keys and mark put back together, so that nothing is left to compare.

use std::sync::{PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};

/// How often a store that serves notes that it is awake.
pub const BEAT_EVERY: SignedDuration = SignedDuration::from_secs(1);

/// How long after its last note a store may still have given something out. Tokens are stamped so
/// that they never lie later than this.
pub const BEAT_LASTS: SignedDuration = SignedDuration::from_secs(2);

/// A silence after which a store does not claim to have been awake all the time: its machine slept,
/// or was put back to an earlier moment with all its memory.
pub const SILENCE_MAX: SignedDuration = SignedDuration::from_secs(5);

/// How long a store remembers when it was awake: longer than any token lives.
pub const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(400 * 24);

/// The times remembered at most; servers that start anew every second must not fill the store.
pub const STRETCHES_MAX: i64 = 10_000;

/// A time, both ends in it, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// When it began.
    pub since: i64,
    /// The last moment that was noted.
    pub until: i64,
}

impl Stretch {
    /// A stretch that begins now.
    pub fn begin(now: i64) -> Self {
        Self { since: now, until: now }
    }

    /// The stretch that is noted at `now`: this one gone on, or a new one after a silence.
    #[must_use]
    pub fn at(self, now: i64) -> Self {
        let silence = SILENCE_MAX.as_secs() * 1000;
        if now > self.until.saturating_add(silence) {
            return Self::begin(now);
        }
        // With a clock that was set back the stretch grows at its beginning.
        Self { since: self.since.min(now), until: self.until.max(now) }
    }

    /// This one and another as one, if they have a moment in common.
    fn joined(self, other: Self) -> Option<Self> {
        let meet = self.since <= other.until && other.since <= self.until;
        let (since, until) = (self.since.min(other.since), self.until.max(other.until));
        meet.then_some(Self { since, until })
    }

    /// True if this follows another after a silence.
    pub fn is_after(self, before: Self) -> bool {
        self.since > before.until
    }

    /// True if it is time to note it again.
    pub fn is_due(self, now: i64) -> bool {
        now < self.since || now >= self.until.saturating_add(BEAT_EVERY.as_secs() * 1000)
    }
}

/// The times in which a store was awake, as far as anything given out then may still be good.
#[derive(Debug)]
pub struct Awake(RwLock<Times>);

#[derive(Debug)]
struct Times {
    /// Before the present stretch, in no order.
    earlier: Vec<Stretch>,
    /// The present one; `None` for a store that keeps no notes.
    now: Option<Stretch>,
}

impl Awake {
    /// For a store that keeps no notes, such as that of a command: it remembers everything.
    pub fn always() -> Self {
        Self(RwLock::new(Times { earlier: Vec::new(), now: None }))
    }

    /// Begins to keep notes.
    pub fn begin(&self, earlier: Vec<Stretch>, now: Stretch) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Times { earlier, now: Some(now) };
    }

    /// Takes over a note that is on disk.
    pub fn beat(&self, now: Stretch) {
        let mut times = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = times.now.replace(now)
            && now.is_after(before)
        {
            times.earlier.push(before);
        }
    }

    /// Takes over when others were awake that share the store, as it says at this moment.
    pub fn learn(&self, others: impl IntoIterator<Item = Stretch>) {
        let mut times = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for other in others {
            let known =
                times.earlier.iter_mut().find_map(|known| Some((known.joined(other)?, known)));
            match known {
                Some((joined, known)) => *known = joined,
                None => times.earlier.push(other),
            }
        }
    }

    /// True if what was stamped with this moment can have been given out by this store.
    pub fn remembers(&self, stamp: Timestamp) -> bool {
        let times = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(now) = times.now else { return true };
        // A stamp has whole seconds: it may be up to a second before the moment it stands for.
        let latest = stamp.as_second().saturating_mul(1000).saturating_add(999);
        let earliest = stamp.as_second().saturating_mul(1000);
        let lasts = BEAT_LASTS.as_secs() * 1000;
        let holds = |stretch: &Stretch| {
            latest >= stretch.since && earliest <= stretch.until.saturating_add(lasts)
        };
        // The present stretch goes on: a server whose clock is ahead may have noted more.
        latest >= now.since || times.earlier.iter().any(holds)
    }

    /// The moment to stamp something with that is given out at `now`: not later than what will be
    /// remembered if the store dies at once.
    pub fn stamp(&self, now: Timestamp) -> Timestamp {
        let times = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(stretch) = times.now else { return now };
        let latest = Timestamp::from_millisecond(stretch.until).unwrap_or(now) + BEAT_LASTS;
        now.min(latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("in range")
    }

    fn stretch(since: i64, until: i64) -> Stretch {
        Stretch { since: since * 1000, until: until * 1000 }
    }

    #[test]
    fn a_lost_time_is_not_remembered() {
        let awake = Awake::always();
        assert!(awake.remembers(at(5)));
        awake.begin(vec![stretch(10, 20)], stretch(100, 101));
        let remembered = [10, 20, 22, 100, 101, 5000].map(|second| awake.remembers(at(second)));
        assert_eq!(remembered, [true; 6]);
        let lost = [0, 8, 23, 50, 98].map(|second| awake.remembers(at(second)));
        assert_eq!(lost, [false; 5]);
    }

    #[test]
    fn a_stamp_of_whole_seconds_belongs_to_the_moment_it_stands_for() {
        let awake = Awake::always();
        awake.begin(Vec::new(), Stretch { since: 100_900, until: 100_900 });
        assert!(awake.remembers(at(100)), "given out at 100.95");
        assert!(!awake.remembers(at(99)));
    }

    #[test]
    fn what_is_given_out_is_remembered_though_the_store_dies_at_once() {
        let awake = Awake::always();
        assert_eq!(awake.stamp(at(7)), at(7));
        awake.begin(Vec::new(), stretch(100, 101));
        assert_eq!(awake.stamp(at(101)), at(101));
        assert_eq!(awake.stamp(at(900)), at(103), "notes were not to be had for long");
        let after = Awake::always();
        after.begin(vec![stretch(100, 101)], stretch(901, 901));
        assert!(after.remembers(awake.stamp(at(900))));
    }

    #[test]
    fn a_clock_that_is_set_back_leaves_nobody_out() {
        let awake = Awake::always();
        awake.begin(Vec::new(), stretch(100, 101));
        let back = stretch(100, 101).at(40_000);
        assert!(stretch(100, 101).is_due(40_000));
        assert_eq!(back, stretch(40, 101));
        awake.beat(back);
        assert!(awake.remembers(at(40)));
    }

    #[test]
    fn what_others_gave_out_in_a_silence_is_remembered() {
        let awake = Awake::always();
        awake.begin(vec![stretch(10, 20)], stretch(100, 101));
        awake.beat(stretch(500, 500));
        for until in [480, 490, 499] {
            awake.learn([stretch(200, until), stretch(15, 25)]);
        }
        let remembered =
            [10, 25, 101, 200, 350, 499, 500].map(|second| awake.remembers(at(second)));
        assert_eq!(remembered, [true; 7]);
        let lost = [0, 50, 150].map(|second| awake.remembers(at(second)));
        assert_eq!(lost, [false; 3]);
        assert_eq!(awake.0.read().expect("whole").earlier.len(), 3, "as many as there are");
    }

    #[test]
    fn a_silence_ends_a_stretch() {
        let awake = Awake::always();
        awake.begin(Vec::new(), stretch(100, 101));
        assert_eq!(stretch(100, 101).at(102_000), stretch(100, 102));
        awake.beat(stretch(100, 102));
        let after = stretch(100, 102).at(500_000);
        assert_eq!(after, stretch(500, 500));
        awake.beat(after);
        assert!(awake.remembers(at(102)) && awake.remembers(at(500)));
        assert!(!awake.remembers(at(300)));
    }
}

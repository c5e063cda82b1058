//! `[backup]`: the backups that a server takes by itself.

use std::path::PathBuf;
use std::time::Duration;

use crate::failure::Failure;

use super::read::Reader;

/// What a server backs up by itself, and which of its backups it keeps.
#[derive(Debug, Clone)]
pub struct Backup {
    /// How long after one the next is due.
    pub every: Duration,
    /// Which are kept.
    pub keep: Keep,
    /// Where they are.
    pub directory: PathBuf,
}

/// For each length of time, in seconds, of how many such times the newest backup is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep(pub Vec<(i64, usize)>);

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

impl Keep {
    /// Reads such as `24h,7d,4w`.
    pub fn parse(text: &str) -> Option<Self> {
        let rule = |part: &str| {
            let part = part.trim();
            let (count, unit) = part.split_at_checked(part.len().checked_sub(1)?)?;
            let seconds = match unit {
                "h" => HOUR,
                "d" => DAY,
                "w" => 7 * DAY,
                _ => return None,
            };
            let count = count.parse().ok().filter(|count| (1..=10_000).contains(count))?;
            Some((seconds, count))
        };
        text.split(',').map(rule).collect::<Option<_>>().map(Self)
    }

    /// Which of these moments, in seconds since 1970 and the newest first, are kept: the newest,
    /// and of the last hours, days and weeks that have any, the newest of each. A server that stood
    /// still for a month loses none by that.
    pub fn kept(&self, moments: &[i64]) -> Vec<bool> {
        let mut kept: Vec<bool> = moments.iter().enumerate().map(|(nth, _)| nth == 0).collect();
        for (length, count) in &self.0 {
            let mut periods = Vec::new();
            for (moment, kept) in moments.iter().zip(&mut kept) {
                // Weeks begin on Monday; 1970 began on a Thursday.
                let period = (moment + 3 * DAY).div_euclid(*length);
                if periods.last() == Some(&period) {
                    continue;
                }
                if periods.len() == *count {
                    break;
                }
                periods.push(period);
                *kept = true;
            }
        }
        kept
    }
}

pub(super) fn read(read: &Reader<'_>) -> Result<Option<Backup>, Failure> {
    let keep = read.checked(
        "backup.keep",
        "how many hours', days' and weeks' newest to keep, such as 24h,7d,4w",
        Keep::parse,
    )?;
    let directory = read.optional_text("backup.directory")?.map(PathBuf::from);
    if !read.given("backup.every") {
        return Ok(None);
    }
    let every = read.duration("backup.every")?.unsigned_abs();
    let directory = directory.ok_or_else(|| {
        read.missing("backup.directory", "a directory, because backup.every is set")
    })?;
    Ok(Some(Backup { every, keep, directory }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read() {
        let keep = Keep::parse("24h, 7d,4w").expect("rules");
        assert_eq!(keep, Keep(vec![(HOUR, 24), (DAY, 7), (7 * DAY, 4)]));
        for wrong in ["", "24", "h", "0h", "24m", "24h,", "-1d", "1h2d", "é"] {
            assert_eq!(Keep::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_newest_of_each_time_is_kept() {
        let monday = 4 * DAY;
        // Every half hour for ten days, the newest at Wednesday, 10:30.
        let newest = monday + 100 * 7 * DAY + 2 * DAY + 10 * HOUR + HOUR / 2;
        let moments: Vec<i64> = (0..480).map(|n| newest - n * HOUR / 2).collect();
        let kept = Keep::parse("3h,2d,2w").expect("rules").kept(&moments);
        let kept: Vec<i64> =
            moments.iter().zip(kept).filter(|(_, kept)| *kept).map(|(at, _)| newest - at).collect();
        // Of three hours, of yesterday (its 23:30), and of last week (Sunday, 23:30).
        let yesterday = 11 * HOUR;
        let last_week = 2 * DAY + 11 * HOUR;
        assert_eq!(kept, [0, HOUR, 2 * HOUR, yesterday, last_week]);
    }

    #[test]
    fn time_that_passed_without_a_backup_removes_none() {
        let moments = [1_000 * DAY, 900 * DAY, 800 * DAY, 700 * DAY];
        let kept = Keep::parse("3d").expect("rules").kept(&moments);
        assert_eq!(kept, [true, true, true, false]);
        assert_eq!(Keep::parse("1h").expect("rules").kept(&[]), Vec::<bool>::new());
    }
}

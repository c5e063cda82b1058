//! Which processors the measured servers have and which the generator: apart, where a load is more
//! than can be answered. On the same ones, the generator would take from the server what it asks
//! it for.

use anyhow::{Context, Result, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The processors that this program may use, in two parts.
pub struct Halves {
    all: CpuSet,
    servers: CpuSet,
    generator: CpuSet,
}

impl Halves {
    /// Gives the servers the first half. What this thread starts from now on stays there.
    ///
    /// # Errors
    /// If there is one processor only, or the system says no.
    pub fn split() -> Result<Self> {
        let all = sched_getaffinity(None).context("cannot tell which processors there are")?;
        let usable: Vec<_> = (0..CpuSet::MAX_CPU).filter(|number| all.is_set(*number)).collect();
        ensure!(
            usable.len() > 1,
            "there is one processor: server and generator need one of their own each"
        );
        let set = |numbers: &[usize]| {
            let mut set = CpuSet::new();
            numbers.iter().for_each(|number| set.set(*number));
            set
        };
        let (first, second) = usable.split_at(usable.len().div_ceil(2));
        let halves = Self { all, servers: set(first), generator: set(second) };
        halves.take(&halves.servers)?;
        Ok(halves)
    }

    /// Runs something of the generator's on its own half.
    ///
    /// # Errors
    /// What it returns, or if the system says no.
    pub fn generate<T>(&self, run: impl FnOnce() -> Result<T>) -> Result<T> {
        self.take(&self.generator)?;
        let outcome = run();
        self.take(&self.servers)?;
        outcome
    }

    fn take(&self, set: &CpuSet) -> Result<()> {
        sched_setaffinity(None, set).context("cannot choose processors")
    }
}

impl Drop for Halves {
    fn drop(&mut self) {
        // What comes after is measured all the same, only slower, and says on how many processors.
        let _ = self.take(&self.all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_have_no_processor_in_common_and_everything_is_given_back() {
        let before = sched_getaffinity(None).expect("this system tells");
        if before.count() < 2 {
            assert!(Halves::split().is_err());
            return;
        }
        let halves = Halves::split().expect("there are two");
        let servers = sched_getaffinity(None).expect("this system tells");
        let generator = halves
            .generate(|| sched_getaffinity(None).context("this system tells"))
            .expect("nothing fails");
        let both = |number: &usize| servers.is_set(*number) && generator.is_set(*number);
        assert_eq!((0..CpuSet::MAX_CPU).find(both), None);
        assert_eq!(servers.count() + generator.count(), before.count());
        drop(halves);
        assert!(sched_getaffinity(None).expect("this system tells") == before);
    }
}

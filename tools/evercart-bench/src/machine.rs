//! What the operating system knows of the run: processor time, memory, flushes of the disk. On
//! systems without /proc and /sys it knows nothing, and the run goes on without.

use std::fs;
use std::time::Duration;

/// The kernel counts processor time in hundredths of a second, whatever its own clock does.
const TICK: Duration = Duration::from_millis(10);

/// Memory of a process.
#[derive(Clone, Copy)]
pub struct Memory {
    /// All pages in memory, those of the program's file among them.
    pub resident_bytes: u64,
    /// Only those no file stands behind.
    pub anonymous_bytes: u64,
}

/// What a process has used so far.
pub fn processor_time(pid: u32) -> Option<Duration> {
    Stat::of(pid).map(|stat| TICK * stat.ticks(11..13))
}

/// What a process and its children, ended ones too, have used so far: a database serves each
/// connection with a process of its own.
pub fn family_time(parent: u32) -> Option<Duration> {
    let mut ticks = Stat::of(parent)?.ticks(11..15);
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let child = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let stat = child.and_then(Stat::of).filter(|stat| stat.parent() == Some(parent));
        ticks += stat.map_or(0, |stat| stat.ticks(11..13));
    }
    Some(TICK * ticks)
}

/// The process that started this one.
pub fn parent(pid: u32) -> Option<u32> {
    Stat::of(pid)?.parent()
}

/// What the kernel says of a process, from its state on.
struct Stat(String);

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in brackets may hold anything; the numbers come after it.
        stat.rsplit_once(')').map(|(_, numbers)| Self(numbers.to_owned()))
    }

    fn parent(&self) -> Option<u32> {
        self.0.split_whitespace().nth(1)?.parse().ok()
    }

    fn ticks(&self, fields: std::ops::Range<usize>) -> u32 {
        let numbers = self.0.split_whitespace().skip(fields.start).take(fields.len());
        numbers.filter_map(|number| number.parse::<u32>().ok()).sum()
    }
}

/// What all processes together have used so far.
pub fn machine_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let mut fields = stat.lines().next()?.split_whitespace().skip(1);
    let mut take = || fields.next()?.parse::<u32>().ok();
    let (user, nice, system) = (take()?, take()?, take()?);
    let (_idle, _waiting) = (take()?, take()?);
    let (interrupts, soft_interrupts) = (take()?, take()?);
    Some(TICK * (user + nice + system + interrupts + soft_interrupts))
}

/// The memory of a process now.
pub fn memory(pid: u32) -> Option<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    Some(Memory { resident_bytes: kib("VmRSS:")? << 10, anonymous_bytes: kib("RssAnon:")? << 10 })
}

/// Flushes that all disks of the machine have done so far, whoever asked for them.
pub fn disk_flushes() -> Option<u64> {
    let mut flushes = None;
    for disk in fs::read_dir("/sys/block").ok()?.flatten() {
        let stat = fs::read_to_string(disk.path().join("stat")).unwrap_or_default();
        let field = stat.split_whitespace().nth(15).and_then(|field| field.parse::<u64>().ok());
        flushes = flushes.or(field.map(|_| 0)).map(|sum: u64| sum + field.unwrap_or(0));
    }
    flushes
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_time() {
        let own = std::process::id();
        let memory = memory(own).expect("Linux tells");
        assert!(memory.resident_bytes > memory.anonymous_bytes);
        assert!(memory.anonymous_bytes > 0);
        let (mine, all) = (processor_time(own), machine_time());
        assert!(mine.expect("Linux tells") <= all.expect("Linux tells"));
        assert!(processor_time(u32::MAX).is_none());
        assert!(family_time(own) >= processor_time(own));
        assert!(parent(own).is_some());
    }
}

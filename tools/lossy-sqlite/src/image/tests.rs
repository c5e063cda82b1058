//! Random writes, cuts and syncs against a plain vector of bytes.

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

/// A disk in memory that counts its syncs.
#[derive(Default, Clone)]
struct Bytes {
    bytes: Vec<u8>,
    syncs: usize,
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("a small file")
}

/// The bytes from there on, with zeros past the end.
fn window(bytes: &[u8], buffer: &mut [u8], offset: u64) {
    let from = place(offset).min(bytes.len());
    let found = (bytes.len() - from).min(buffer.len());
    buffer.fill(0);
    buffer[..found].copy_from_slice(&bytes[from..from + found]);
}

fn put(target: &mut Vec<u8>, bytes: &[u8], offset: u64) {
    let end = place(offset) + bytes.len();
    if target.len() < end {
        target.resize(end, 0);
    }
    target[place(offset)..end].copy_from_slice(bytes);
}

impl Disk for Bytes {
    type Error = Infallible;

    fn len(&mut self) -> Result<u64, Infallible> {
        Ok(self.bytes.len() as u64)
    }

    fn read(&mut self, buffer: &mut [u8], offset: u64) -> Result<(), Infallible> {
        window(&self.bytes, buffer, offset);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], offset: u64) -> Result<(), Infallible> {
        put(&mut self.bytes, bytes, offset);
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> Result<(), Infallible> {
        self.bytes.resize(place(len), 0);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Infallible> {
        self.syncs += 1;
        Ok(())
    }
}

#[derive(Debug, Clone)]
enum Step {
    Write { offset: u64, len: usize },
    SetLen(u64),
    Read { offset: u64, len: usize },
    Sync,
    PowerCut,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let offset = 0_u64..20_000;
    let step = prop_oneof![
        6 => (offset.clone(), 1_usize..9_000).prop_map(|(offset, len)| Step::Write { offset, len }),
        2 => offset.clone().prop_map(Step::SetLen),
        4 => (offset, 1_usize..9_000).prop_map(|(offset, len)| Step::Read { offset, len }),
        2 => Just(Step::Sync),
        1 => Just(Step::PowerCut),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #[test]
    fn who_reads_sees_every_write_and_a_power_cut_leaves_what_was_synced(steps in steps()) {
        let (mut disk, mut image) = (Bytes::default(), Image::default());
        let (mut seen, mut synced) = (Vec::new(), Vec::new());
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Write { offset, len } => {
                    let byte = u8::try_from(number + 1).expect("few steps");
                    let bytes = vec![byte; len];
                    let Ok(()) = image.write(&mut disk, &bytes, offset);
                    put(&mut seen, &bytes, offset);
                }
                Step::SetLen(len) => {
                    let Ok(()) = image.set_len(&mut disk, len);
                    seen.resize(place(len), 0);
                }
                Step::Read { offset, len } => {
                    let (mut found, mut expected) = (vec![0xaa; len], vec![0; len]);
                    let Ok(is_whole) = image.read(&mut disk, &mut found, offset);
                    window(&seen, &mut expected, offset);
                    prop_assert!(found == expected, "step {number} reads something else");
                    prop_assert_eq!(is_whole, place(offset) + len <= seen.len());
                }
                Step::Sync => {
                    let syncs = disk.syncs;
                    let Ok(()) = image.sync(&mut disk);
                    prop_assert_eq!(disk.syncs, syncs + 1);
                    synced.clone_from(&seen);
                }
                Step::PowerCut => {
                    image = Image::default();
                    seen.clone_from(&synced);
                }
            }
            prop_assert!(disk.bytes == synced, "step {number} leaves something else on the disk");
            let Ok(len) = image.len(&mut disk);
            prop_assert_eq!(place(len), seen.len());
        }
    }
}

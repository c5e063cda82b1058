//! One file as its process sees it: what is on the disk, and over it what was written since the
//! last sync. Knows nothing of SQLite.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is kept in memory is kept in pieces of this size.
const BLOCK_BYTES: usize = 4096;
const BLOCK: u64 = BLOCK_BYTES as u64;

/// The real file beneath.
pub(crate) trait Disk {
    /// Why it could not be done.
    type Error;
    /// How long it is.
    fn len(&mut self) -> Result<u64, Self::Error>;
    /// Fills the buffer from there on, with zeros past the end.
    fn read(&mut self, buffer: &mut [u8], offset: u64) -> Result<(), Self::Error>;
    /// Writes all of it there.
    fn write(&mut self, bytes: &[u8], offset: u64) -> Result<(), Self::Error>;
    /// Cuts it off, or fills it up with zeros, to this length.
    fn set_len(&mut self, len: u64) -> Result<(), Self::Error>;
    /// Makes all that was written durable.
    fn sync(&mut self) -> Result<(), Self::Error>;
}

/// What all who have one file open in this process share.
#[derive(Default)]
pub(crate) struct Image(Mutex<Option<Unsynced>>);

/// What the disk would lose now.
struct Unsynced {
    /// How long the file is for who reads it.
    len: u64,
    /// How much of what is on the disk still counts: the file may have been cut off and have grown
    /// again since.
    valid: u64,
    blocks: BTreeMap<u64, Box<[u8; BLOCK_BYTES]>>,
}

impl Image {
    /// How long the file is, if that is not what the disk says.
    pub(crate) fn unsynced_len(&self) -> Option<u64> {
        self.lock().as_ref().map(|unsynced| unsynced.len)
    }

    /// How long the file is.
    pub(crate) fn len<D: Disk>(&self, disk: &mut D) -> Result<u64, D::Error> {
        match &*self.lock() {
            Some(unsynced) => Ok(unsynced.len),
            None => disk.len(),
        }
    }

    /// Fills the buffer, with zeros past the end. False if it reaches past the end.
    pub(crate) fn read<D: Disk>(
        &self,
        disk: &mut D,
        buffer: &mut [u8],
        offset: u64,
    ) -> Result<bool, D::Error> {
        let guard = self.lock();
        let end = offset + buffer.len() as u64;
        let Some(unsynced) = &*guard else {
            disk.read(buffer, offset)?;
            return Ok(end <= disk.len()?);
        };
        for (number, inside, part) in blocks_of(offset, buffer.len()) {
            let target = &mut buffer[part.clone()];
            match unsynced.blocks.get(&number) {
                Some(block) => target.copy_from_slice(&block[inside..inside + part.len()]),
                None => {
                    let from = offset + part.start as u64;
                    disk.read(target, from)?;
                    unsynced.blank_invalid(target, from);
                }
            }
        }
        Ok(end <= unsynced.len)
    }

    /// Writes into memory.
    pub(crate) fn write<D: Disk>(
        &self,
        disk: &mut D,
        bytes: &[u8],
        offset: u64,
    ) -> Result<(), D::Error> {
        let mut guard = self.lock();
        let unsynced = begin(&mut guard, disk)?;
        for (number, inside, part) in blocks_of(offset, bytes.len()) {
            let source = &bytes[part];
            let valid = unsynced.valid;
            let block = match unsynced.blocks.entry(number) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let mut block = Box::new([0; BLOCK_BYTES]);
                    disk.read(&mut *block, number * BLOCK)?;
                    blank_from(&mut *block, number * BLOCK, valid);
                    entry.insert(block)
                }
            };
            block[inside..inside + source.len()].copy_from_slice(source);
        }
        unsynced.len = unsynced.len.max(offset + bytes.len() as u64);
        Ok(())
    }

    /// Cuts the file off, or fills it up with zeros, in memory.
    pub(crate) fn set_len<D: Disk>(&self, disk: &mut D, len: u64) -> Result<(), D::Error> {
        let mut guard = self.lock();
        let unsynced = begin(&mut guard, disk)?;
        unsynced.len = len;
        unsynced.valid = unsynced.valid.min(len);
        unsynced.blocks.retain(|number, block| {
            blank_from(&mut **block, number * BLOCK, len);
            number * BLOCK < len
        });
        Ok(())
    }

    /// Writes to the disk what is in memory, and syncs it.
    pub(crate) fn sync<D: Disk>(&self, disk: &mut D) -> Result<(), D::Error> {
        let mut guard = self.lock();
        if let Some(unsynced) = &*guard {
            if unsynced.valid < disk.len()? {
                disk.set_len(unsynced.valid)?;
            }
            for (number, block) in &unsynced.blocks {
                let start = number * BLOCK;
                let used = usize::try_from(unsynced.len - start).unwrap_or(usize::MAX);
                disk.write(&block[..used.min(BLOCK_BYTES)], start)?;
            }
            if disk.len()? != unsynced.len {
                disk.set_len(unsynced.len)?;
            }
        }
        disk.sync()?;
        *guard = None;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Unsynced>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unsynced {
    fn blank_invalid(&self, read: &mut [u8], offset: u64) {
        blank_from(read, offset, self.valid);
    }
}

fn begin<'a, D: Disk>(
    guard: &'a mut MutexGuard<'_, Option<Unsynced>>,
    disk: &mut D,
) -> Result<&'a mut Unsynced, D::Error> {
    let unsynced = match guard.take() {
        Some(unsynced) => unsynced,
        None => {
            let len = disk.len()?;
            Unsynced { len, valid: len, blocks: BTreeMap::new() }
        }
    };
    Ok(guard.insert(unsynced))
}

/// Puts zeros over what of these bytes, which begin at `offset`, lies at `end` or past it.
fn blank_from(bytes: &mut [u8], offset: u64, end: u64) {
    let kept = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
    let kept = kept.min(bytes.len());
    bytes[kept..].fill(0);
}

/// The blocks that so many bytes from there on lie in: each one's number, where in it they begin,
/// and which of the bytes they are.
fn blocks_of(
    offset: u64,
    len: usize,
) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let place = offset + done as u64;
        let inside = usize::try_from(place % BLOCK).expect("less than a block");
        let part = done..len.min(done + BLOCK_BYTES - inside);
        done = part.end;
        Some((place / BLOCK, inside, part))
    })
}

#[cfg(test)]
mod tests;

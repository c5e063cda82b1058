//! A customer's addresses: one that was stored is there until it is removed, with what was written
//! into it last.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::Code;
use crate::history::AddressSeen;

/// The most addresses of a customer.
const ADDRESSES_MAX: usize = 50;

/// The addresses, by tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Addresses(Rc<BTreeMap<u32, Address>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Address {
    /// Not known before it was told.
    id: Option<u64>,
    revision: u32,
}

impl Addresses {
    pub(super) fn has(&self, tag: u32) -> bool {
        self.0.contains_key(&tag)
    }

    pub(super) fn add(&mut self, tag: u32) -> Result<(), Code> {
        if self.0.len() >= ADDRESSES_MAX {
            return Err("quantity_limit");
        }
        Rc::make_mut(&mut self.0).insert(tag, Address { id: None, revision: 0 });
        Ok(())
    }

    pub(super) fn change(&mut self, id: u64, tag: u32, revision: u32) -> Result<(), Code> {
        let address = Rc::make_mut(&mut self.0).get_mut(&tag).ok_or("not_found")?;
        if *address.id.get_or_insert(id) != id {
            return Err("not_found");
        }
        address.revision = revision;
        Ok(())
    }

    pub(super) fn remove(&mut self, id: u64, tag: u32) -> Result<(), Code> {
        match self.0.get(&tag) {
            Some(address) if address.id.is_none_or(|known| known == id) => {
                Rc::make_mut(&mut self.0).remove(&tag);
                Ok(())
            }
            _ => Err("not_found"),
        }
    }

    /// True if this is one of them. Its number is remembered.
    pub(super) fn shows(&mut self, seen: &AddressSeen) -> bool {
        match self.0.get(&seen.tag) {
            Some(address) if address.id.is_none_or(|known| known == seen.id) => {}
            _ => return false,
        }
        if self.0[&seen.tag].id.is_none() {
            let address = Rc::make_mut(&mut self.0).get_mut(&seen.tag);
            address.expect("it was there above").id = Some(seen.id);
        }
        self.0[&seen.tag].revision == seen.revision
    }

    /// True if these are all of them.
    pub(super) fn shows_all(&mut self, seen: &[AddressSeen]) -> bool {
        let tags: BTreeSet<_> = seen.iter().map(|one| one.tag).collect();
        tags.len() == self.0.len()
            && seen.len() == tags.len()
            && seen.iter().all(|one| self.shows(one))
    }
}

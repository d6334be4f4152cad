//! [`Ahead`]: the names and assets of what is about to be laid down, spelled, hashed and looked at beforehand.
//!
//! Transactions are checked before the first of them is laid down, and what the check had to spell, hash and find is kept
//! until then. Of a block, all holders, purses and last legs are looked at one kind after the other: so the processor
//! has many reads of memory under way, and does not wait for each. What is proposed is confirmed when its turn comes.

use super::purses::Purses;
use super::rows::{LEGS, PAYEE_NEXT};
use super::spelling::{Spelling, spell};
use crate::DeedError;
use crate::column::{Growing, Rows as _};
use crate::holders::Holders;
use crate::names::check_name;
use crate::run::fingerprint;

/// A spelled name: where its bytes are, and its fingerprint.
#[derive(Clone, Copy, Debug)]
struct Name {
    start: usize,
    end: usize,
    fingerprint: u64,
}

/// What was seen when transactions were checked, in the order in which they are laid down.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    bytes: Vec<u8>,
    /// Of each transaction: the names of its legs' ends that have any, then its own.
    names: Vec<Name>,
    /// Of each leg.
    assets: Vec<u32>,
    /// Of each end that has a name: its fingerprint and its leg's asset.
    ends: Vec<(u64, u32)>,
    scratch: Vec<u64>,
    next_name: usize,
    next_asset: usize,
}

impl Ahead {
    /// Forgets all, before the next check.
    pub(super) fn begin(&mut self) {
        self.bytes.clear();
        self.names.clear();
        self.assets.clear();
        self.ends.clear();
        (self.next_name, self.next_asset) = (0, 0);
    }

    pub(super) fn push_asset(&mut self, asset: u32) {
        self.assets.push(asset);
    }

    pub(super) fn push_holder(&mut self, spelling: Option<Spelling>, name: &str, asset: u32) -> Result<(), DeedError> {
        let (_, fingerprint) = self.push_name(spelling, name)?;
        self.ends.push((fingerprint, asset));
        Ok(())
    }

    /// Takes a name in, and gives it as it is spelled, with its fingerprint.
    pub(super) fn push_name(&mut self, spelling: Option<Spelling>, name: &str) -> Result<(&[u8], u64), DeedError> {
        let spelled = spell(spelling, name);
        let spelled = spelled.as_bytes();
        check_name(spelled)?;
        let start = self.bytes.len();
        self.bytes.extend_from_slice(spelled);
        let fingerprint = fingerprint(spelled);
        self.names.push(Name { start, end: self.bytes.len(), fingerprint });
        Ok((&self.bytes[start..], fingerprint))
    }

    /// The next leg's asset.
    #[inline]
    pub(super) fn next_asset(&mut self) -> u32 {
        self.next_asset += 1;
        self.assets[self.next_asset - 1]
    }

    /// The next name and its fingerprint.
    #[inline]
    pub(super) fn next_name(&mut self) -> (&[u8], u64) {
        let Name { start, end, fingerprint } = self.names[self.next_name];
        self.next_name += 1;
        (&self.bytes[start..end], fingerprint)
    }

    /// Looks at what the ends that were taken in will ask for.
    pub(super) fn look(&mut self, columns: &[Growing], holders: &Holders, purses: &Purses) {
        let fingerprints: Vec<u64> = self.ends.iter().map(|(fingerprint, _)| *fingerprint).collect();
        let mut touched = holders.touch(columns, &fingerprints, &mut self.scratch);
        self.scratch.clear();
        for (fingerprint, asset) in &self.ends {
            let holder = holders.candidate(*fingerprint);
            self.scratch.extend(holder.and_then(|holder| purses.tail((holder, *asset))));
        }
        let legs = &columns[LEGS];
        for leg in self.scratch.iter().filter(|leg| **leg < legs.rows()) {
            touched ^= legs.words_from::<1>(*leg, PAYEE_NEXT)[0];
        }
        std::hint::black_box(touched);
    }
}

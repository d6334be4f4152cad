//! [`Holders`]: the writer's holders: found by name, or added.
//!
//! Most outputs go to holders seen lately, or never before. The former are in a cache, the latter are kept from asking
//! every run by the look-up's filter. Names are always compared: fingerprints can be made to collide.

use crate::BookError;
use crate::column::{Growing, Rows as _};
use crate::lookup::Index;
use crate::names::{HOLDER_NAMES, HOLDERS, append_name, holder_is, name_bytes};
use crate::numbers::NONE;
use crate::recent::Recent;

/// The writer's holders.
#[derive(Debug)]
pub(crate) struct Holders {
    pub(crate) index: Index,
    recent: Recent,
}

impl Holders {
    pub(crate) fn new(index: Index) -> Self {
        Self { index, recent: Recent::default() }
    }

    /// The holder of this name, which has this fingerprint.
    /// The number of a name, if it has one.
    pub(crate) fn find(&self, columns: &[Growing], name: &[u8], fingerprint: u64) -> Option<u64> {
        self.index.find(fingerprint, |holder| holder_is(columns, holder, name))
    }

    pub(crate) fn find_or_add(
        &mut self,
        columns: &mut [Growing],
        name: &[u8],
        fingerprint: u64,
    ) -> Result<u64, BookError> {
        if let Some(holder) = self.recent.find(fingerprint, |holder| holder_is(columns, holder, name)) {
            return Ok(holder);
        }
        self.index.keep_ready();
        let found = self.index.find(fingerprint, |holder| holder_is(columns, holder, name));
        let holder = match found {
            Some(holder) => holder,
            None => {
                let reference = append_name(&mut columns[HOLDER_NAMES], name)?;
                let holder = columns[HOLDERS].append([reference, NONE])?;
                self.index.push(fingerprint);
                holder
            }
        };
        self.recent.insert(fingerprint, holder);
        Ok(holder)
    }

    /// Touches what [`Holders::find_or_add`] will look at, for many names at once, so that they need not be waited for
    /// one by one. What it gives back is of no use but to be sure that it was done.
    pub(crate) fn touch(&self, columns: &[Growing], fingerprints: &[u64], candidates: &mut Vec<u64>) -> u64 {
        let candidate = |fingerprint: &u64| self.recent.candidate(*fingerprint).unwrap_or(NONE);
        candidates.clear();
        candidates.extend(fingerprints.iter().map(candidate));
        let misses = fingerprints.iter().zip(candidates.iter()).filter(|(_, candidate)| **candidate == NONE);
        let mut touched = misses.fold(0, |sum: u64, (fingerprint, _)| sum ^ self.index.touch(*fingerprint));
        for candidate in candidates.iter_mut().filter(|candidate| **candidate != NONE) {
            [*candidate] = columns[HOLDERS].words_from::<1>(*candidate, 0);
        }
        for reference in candidates.iter().filter(|reference| **reference != NONE) {
            touched ^= name_bytes(&columns[HOLDER_NAMES], *reference).first().map_or(0, |byte| u64::from(*byte));
        }
        touched
    }

    /// A holder that may have the name with this fingerprint.
    pub(crate) fn candidate(&self, fingerprint: u64) -> Option<u64> {
        self.recent.candidate(fingerprint)
    }

    /// After an undo, remembered holders may be gone.
    pub(crate) fn forget(&mut self) {
        self.recent.clear();
    }
}

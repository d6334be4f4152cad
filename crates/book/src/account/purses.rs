//! [`Purses`]: what the writer of an account ledger remembers of purses, and what a leg does to them.
//!
//! A purse that pays tells its waiting legs where the money went next, and gets an opening balance where it lacks
//! money. What is remembered can always be read again from the columns; it is forgotten when it grows too large.

use money::Amount;
use rustc_hash::FxHashMap;

use super::crowds::Crowds;
use super::rows::{
    LEGS, LegRow, OPENINGS, OpeningRow, PAYEE_NEXT, PAYER_NEXT, PURSE_TAILS, PURSES, PurseRow, TAIL_LEG, TAIL_OPENING,
    WIDE,
};
use crate::BookError;
use crate::column::{Growing, Rows as _};
use crate::names::{HOLDER_TAIL, HOLDERS};
use crate::numbers::{NONE, NONE_40};
use crate::store::Store;

/// How many purses the writer remembers between batches: some 32 MiB. A batch adds those that it touches.
const PURSES_MAX: usize = 1 << 18;
/// How many waiting legs are told between looks at how many changes the batch holds.
const STRIDE: u64 = 1 << 16;

/// What the writer remembers of a purse.
#[derive(Clone, Copy, Debug)]
struct State {
    purse: u64,
    /// Balance relative to the opening.
    held: i128,
    opening: u128,
    tail: u64,
    tail_opening: u64,
    dirty: bool,
}

/// A purse as a leg finds it: the leg before, and what it held relative to its opening.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) previous: u64,
    pub(super) held: i128,
}

/// A purse as nobody has touched it.
pub(super) const UNTOUCHED: Found = Found { previous: NONE_40, held: 0 };

/// Why a purse cannot take part in a leg.
pub(super) enum Refused {
    /// It would hold, or would have to have held, more than fits.
    Overflow,
    /// The book failed.
    Book(BookError),
}

impl From<BookError> for Refused {
    fn from(error: BookError) -> Self {
        Self::Book(error)
    }
}

/// A holder and an asset: what a purse is of.
pub(super) type Key = (u64, u32);

#[derive(Debug, Default)]
pub(super) struct Purses {
    states: FxHashMap<Key, State>,
    pub(super) crowds: Crowds,
}

impl Purses {
    pub(super) fn forget(&mut self) {
        self.states.clear();
        self.crowds.forget();
    }

    /// Forgets what stands in the columns as well.
    #[cfg(test)]
    pub(super) fn forget_states(&mut self) {
        self.states.clear();
    }

    /// The last leg of a purse that is at hand.
    pub(super) fn tail(&self, key: Key) -> Option<u64> {
        self.states.get(&key).map(|state| state.tail)
    }

    /// The purse of a holder and an asset, made if there is none; it is then at hand for a leg.
    pub(super) fn find_or_add(&mut self, columns: &mut [Growing], key: Key) -> Result<u64, BookError> {
        if let Some(state) = self.states.get(&key) {
            return Ok(state.purse);
        }
        let state = match self.crowds.find(columns, key) {
            Some(purse) => load(columns, purse),
            None => {
                let state = add(columns, key)?;
                self.crowds.add(key, state.purse);
                state
            }
        };
        self.states.insert(key, state);
        Ok(state.purse)
    }

    /// What the purse of a holder and an asset holds, its opening balance included; `None` if there is no such purse.
    pub(super) fn balance(&mut self, columns: &[Growing], key: Key) -> Option<u128> {
        let state = match self.states.get(&key) {
            Some(state) => *state,
            None => load(columns, self.crowds.find(columns, key)?),
        };
        Some(u128::try_from(state.opening.cast_signed() + state.held).expect("an opening is what was lacking"))
    }

    /// The purse pays in the leg that is written next, which belongs to transaction `seq`.
    pub(super) fn pay(&mut self, store: &mut Store, key: Key, seq: u64, amount: Amount) -> Result<Found, Refused> {
        let leg = store.columns[LEGS].rows();
        let state = self.states.get_mut(&key).expect("a purse is found before its leg");
        let found = Found { previous: state.tail, held: state.held };
        link_waiting(store, state.purse, state.tail, seq)?;
        state.held -= amount.units().cast_signed();
        state.tail = leg;
        state.dirty = true;
        let lacking = u128::try_from(-state.held).unwrap_or(0);
        if lacking > state.opening {
            let row = OpeningRow { total: lacking, purse: state.purse, leg, previous: state.tail_opening };
            state.tail_opening = store.columns[OPENINGS].append(row.words())?;
            state.opening = lacking;
        }
        state.check().map(|()| found)
    }

    /// The purse is paid in the leg that is written next; by itself, if `paying` is how that leg found it as payer.
    pub(super) fn receive(
        &mut self,
        store: &Store,
        key: Key,
        amount: Amount,
        paying: Option<Found>,
    ) -> Result<Found, Refused> {
        let state = self.states.get_mut(&key).expect("a purse is found before its leg");
        let found = Found { previous: paying.map_or(state.tail, |payer| payer.previous), held: state.held };
        state.held += amount.units().cast_signed();
        state.tail = store.columns[LEGS].rows();
        state.dirty = true;
        state.check().map(|()| found)
    }

    /// Before a commit: the tails go to their column.
    pub(super) fn settle(&mut self, columns: &mut [Growing]) {
        let tails = &mut columns[PURSE_TAILS];
        for state in self.states.values_mut() {
            if std::mem::take(&mut state.dirty) {
                tails.set_word(state.purse, TAIL_LEG, if state.tail == NONE_40 { NONE } else { state.tail });
                if tails.word(state.purse, TAIL_OPENING) != state.tail_opening {
                    tails.set_word(state.purse, TAIL_OPENING, state.tail_opening);
                }
            }
        }
        if self.states.len() >= PURSES_MAX {
            self.states.clear();
        }
    }
}

impl State {
    fn check(&self) -> Result<(), Refused> {
        let most = Amount::MAX.units();
        let fits = self.opening <= most && self.held <= most.cast_signed() - self.opening.cast_signed();
        if fits { Ok(()) } else { Err(Refused::Overflow) }
    }
}

fn add(columns: &mut [Growing], (holder, asset): Key) -> Result<State, BookError> {
    let previous = columns[HOLDERS].word(holder, HOLDER_TAIL);
    let purse = columns[PURSES].append(PurseRow { holder, asset, previous }.words())?;
    columns[PURSE_TAILS].append([NONE, NONE])?;
    columns[HOLDERS].set_word(holder, HOLDER_TAIL, purse);
    Ok(State { purse, held: 0, opening: 0, tail: NONE_40, tail_opening: NONE, dirty: true })
}

fn load(columns: &[Growing], purse: u64) -> State {
    let tail = columns[PURSE_TAILS].word(purse, TAIL_LEG);
    let tail_opening = columns[PURSE_TAILS].word(purse, TAIL_OPENING);
    let held = if tail == NONE { 0 } else { LegRow(columns[LEGS].words(tail)).held_after(purse, &columns[WIDE]) };
    let opening = if tail_opening == NONE { 0 } else { OpeningRow::of(columns[OPENINGS].words(tail_opening)).total };
    State { purse, held, opening, tail: tail & NONE_40, tail_opening, dirty: false }
}

/// Tells the purse's legs since its last payment, and that payment, that it pays now.
fn link_waiting(store: &mut Store, purse: u64, mut leg: u64, seq: u64) -> Result<(), BookError> {
    let mut told = 0;
    while leg != NONE_40 {
        let legs = &mut store.columns[LEGS];
        let row = LegRow(legs.words(leg));
        if row.is_paid(purse) {
            legs.set_word(leg, PAYEE_NEXT, seq);
        }
        if row.pays(purse) {
            legs.set_word(leg, PAYER_NEXT, seq);
            break;
        }
        match row.previous_of(purse) {
            Some(before) if before < leg => leg = before,
            _ => break,
        }
        told += 1;
        if u64::is_multiple_of(told, STRIDE) {
            store.relieve()?;
        }
    }
    Ok(())
}

//! The columns of an account ledger, and how a leg lies in its 64 bytes. The layout is in `docs/book.md`.

use ledger::{End, PurseId};

use crate::column::{Rows, Spec};
use crate::names::{ASSET_NAMES_SPEC, ASSETS_SPEC, HOLDER_NAMES_SPEC, HOLDERS_SPEC};
use crate::numbers::{NONE, NONE_40};

pub(crate) const TRANSACTIONS: usize = 4;
pub(crate) const TRANSACTION_NAMES: usize = 5;
pub(crate) const LEGS: usize = 6;
pub(crate) const WIDE: usize = 7;
pub(crate) const PURSES: usize = 8;
pub(crate) const PURSE_TAILS: usize = 9;
pub(crate) const OPENINGS: usize = 10;
pub(crate) const BLOCKS: usize = 11;
pub(crate) const EVENTS: usize = 12;
pub(crate) const EVENT_BYTES: usize = 13;
pub(crate) const GAPS: usize = 14;

pub(crate) const SPECS: [Spec; 15] = [
    HOLDERS_SPEC,
    HOLDER_NAMES_SPEC,
    ASSETS_SPEC,
    ASSET_NAMES_SPEC,
    Spec::new("transactions", 24),
    Spec::new("transaction-names", 1),
    Spec::new("legs", 64),
    Spec::new("wide", 16),
    Spec::new("purses", 16),
    Spec::new("purse-tails", 16),
    Spec::new("openings", 40),
    Spec::optional("blocks", 64),
    Spec::optional("events", 24),
    Spec::optional("event-bytes", 1),
    Spec::optional("gaps", 16),
];
pub(crate) const TRANSACTIONS_LOOKUP: &str = "transactions-by-name";
pub(crate) const ASSETS_LOOKUP: &str = "assets-by-name";
pub(crate) const BLOCKS_LOOKUP: &str = "blocks-by-hash";

/// Words of a row of `purse-tails`: the last leg, and the last entry of the openings log.
pub(crate) const TAIL_LEG: usize = 0;
pub(crate) const TAIL_OPENING: usize = 1;
/// Words of a leg that name the next payment of its purses.
pub(crate) const PAYER_NEXT: usize = 3;
pub(crate) const PAYEE_NEXT: usize = 4;

/// Ends that are no purse.
const OUTSIDE: u64 = NONE_40;
const FEE: u64 = NONE_40 - 1;
const DRIFT: u64 = NONE_40 - 2;
/// Flags: the field is a row of `wide`.
const WIDE_AMOUNT: u64 = 1;
const WIDE_PAYER: u64 = 2;
const WIDE_PAYEE: u64 = 4;

/// A row of `transactions`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransactionRow {
    pub(crate) name: u64,
    pub(crate) time: i64,
    pub(crate) first_leg: u64,
    pub(crate) legs: u64,
}

impl TransactionRow {
    pub(crate) fn words(self) -> [u64; 3] {
        [self.name, self.time.cast_unsigned(), self.first_leg | self.legs << 40]
    }

    #[inline]
    pub(crate) fn of([name, time, legs]: [u64; 3]) -> Self {
        Self { name, time: time.cast_signed(), first_leg: legs & NONE_40, legs: legs >> 40 }
    }
}

/// A row of `purses`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PurseRow {
    pub(crate) holder: u64,
    pub(crate) asset: u32,
    /// The holder's purse before this one, or none.
    pub(crate) previous: u64,
}

impl PurseRow {
    pub(crate) fn words(self) -> [u64; 2] {
        [self.holder | u64::from(self.asset) << 40, self.previous]
    }

    #[inline]
    pub(crate) fn of([first, previous]: [u64; 2]) -> Self {
        Self { holder: first & NONE_40, asset: low_half(first >> 40), previous }
    }
}

/// A row of the openings log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpeningRow {
    pub(crate) total: u128,
    pub(crate) purse: u64,
    pub(crate) leg: u64,
    /// The purse's entry before this one, or none.
    pub(crate) previous: u64,
}

impl OpeningRow {
    pub(crate) fn words(self) -> [u64; 5] {
        let [low, high] = halves(self.total);
        [low, high, self.purse, self.leg, self.previous]
    }

    #[inline]
    pub(crate) fn of([low, high, purse, leg, previous]: [u64; 5]) -> Self {
        Self { total: whole(low, high), purse, leg, previous }
    }
}

/// A row of `legs`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LegRow(pub(crate) [u64; 8]);

impl LegRow {
    /// A leg with narrow numbers of nothing and without links.
    pub(crate) fn new(payer: End, payee: End, asset: u32, previous: [u64; 2]) -> Self {
        let [payer_previous, payee_previous] = previous.map(|row| row & NONE_40);
        let (asset_low, asset_high) = (u64::from(asset & 0xffff), u64::from(asset >> 16));
        let ends = end_bits(payer) | asset_low << 40;
        let middle = end_bits(payee) | payer_previous << 40;
        let last = payer_previous >> 24 | payee_previous << 16 | asset_high << 56;
        Self([0, 0, 0, NONE, NONE, ends, middle, last])
    }

    /// Sets a number that fits its field.
    pub(crate) fn set_narrow(&mut self, field: Field, bits: u64) {
        self.0[field as usize] = bits;
    }

    /// Sets a number that stands in a row of `wide`.
    pub(crate) fn set_wide(&mut self, field: Field, row: u64) {
        self.0[field as usize] = row;
        self.0[5] |= field.flag() << 56;
    }

    #[inline]
    fn payer_bits(&self) -> u64 {
        self.0[5] & NONE_40
    }

    #[inline]
    fn payee_bits(&self) -> u64 {
        self.0[6] & NONE_40
    }

    #[inline]
    pub(crate) fn payer(&self) -> End {
        end_of(self.payer_bits())
    }

    #[inline]
    pub(crate) fn payee(&self) -> End {
        end_of(self.payee_bits())
    }

    #[inline]
    pub(crate) fn asset(&self) -> u32 {
        low_half(self.0[5] >> 40 & 0xffff | self.0[7] >> 56 << 16)
    }

    #[inline]
    pub(crate) fn pays(&self, purse: u64) -> bool {
        self.payer_bits() == purse
    }

    #[inline]
    pub(crate) fn is_paid(&self, purse: u64) -> bool {
        self.payee_bits() == purse
    }

    pub(crate) fn payer_previous(&self) -> u64 {
        self.0[6] >> 40 | (self.0[7] & 0xffff) << 24
    }

    pub(crate) fn payee_previous(&self) -> u64 {
        self.0[7] >> 16 & NONE_40
    }

    /// The purse's leg before this one, if this one touches it.
    pub(crate) fn previous_of(&self, purse: u64) -> Option<u64> {
        if self.pays(purse) { Some(self.payer_previous()) } else { self.is_paid(purse).then(|| self.payee_previous()) }
    }

    #[inline]
    fn is_wide(&self, field: Field) -> bool {
        self.0[5] >> 56 & field.flag() != 0
    }

    /// The first row of `wide` that the leg has.
    pub(crate) fn first_wide(&self) -> Option<u64> {
        [Field::Amount, Field::PayerBefore, Field::PayeeBefore]
            .into_iter()
            .filter(|field| self.is_wide(*field))
            .map(|field| self.0[field as usize])
            .min()
    }

    #[inline]
    pub(crate) fn amount<C: Rows>(&self, wide: &C) -> u128 {
        let bits = self.0[0];
        if self.is_wide(Field::Amount) { wide_at(wide, bits) } else { u128::from(bits) }
    }

    #[inline]
    pub(crate) fn before<C: Rows>(&self, field: Field, wide: &C) -> i128 {
        let bits = self.0[field as usize];
        if self.is_wide(field) { wide_at(wide, bits).cast_signed() } else { i128::from(bits.cast_signed()) }
    }

    /// What the purse held, relative to its opening balance, just before this leg.
    pub(crate) fn held_before<C: Rows>(&self, purse: u64, wide: &C) -> i128 {
        self.before(if self.pays(purse) { Field::PayerBefore } else { Field::PayeeBefore }, wide)
    }

    /// What the purse holds, relative to its opening balance, just after this leg.
    pub(crate) fn held_after<C: Rows>(&self, purse: u64, wide: &C) -> i128 {
        let amount = self.amount(wide).cast_signed();
        // A leg from a purse to itself leaves it as it was.
        let out = if self.pays(purse) { amount } else { 0 };
        let into = if self.is_paid(purse) { amount } else { 0 };
        self.held_before(purse, wide) - out + into
    }
}

/// A leg's numbers, at their words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Amount = 0,
    PayerBefore = 1,
    PayeeBefore = 2,
}

impl Field {
    const fn flag(self) -> u64 {
        match self {
            Self::Amount => WIDE_AMOUNT,
            Self::PayerBefore => WIDE_PAYER,
            Self::PayeeBefore => WIDE_PAYEE,
        }
    }
}

pub(crate) fn halves(number: u128) -> [u64; 2] {
    let low = u64::try_from(number & u128::from(u64::MAX)).expect("masked to 64 bits");
    let high = u64::try_from(number >> 64).expect("64 bits are left");
    [low, high]
}

fn whole(low: u64, high: u64) -> u128 {
    u128::from(low) | u128::from(high) << 64
}

#[cold]
fn wide_at<C: Rows>(wide: &C, row: u64) -> u128 {
    let [low, high] = wide.words::<2>(row);
    whole(low, high)
}

/// The low 32 bits.
#[inline]
pub(super) fn low_half(word: u64) -> u32 {
    u32::try_from(word & 0xffff_ffff).expect("masked to 32 bits")
}

#[inline]
fn end_of(bits: u64) -> End {
    match bits {
        OUTSIDE => End::Outside,
        FEE => End::Fee,
        DRIFT => End::Drift,
        purse => End::Purse(PurseId(purse)),
    }
}

fn end_bits(end: End) -> u64 {
    match end {
        End::Purse(purse) => purse.0,
        End::Fee => FEE,
        End::Drift => DRIFT,
        End::Outside | End::Pot => OUTSIDE,
    }
}

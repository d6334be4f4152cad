//! [`AccountLedger`]: one commit of an account ledger, as everybody downstream reads it.
//!
//! A transaction is one row and its legs, read straight from the map: no allocation, no parsing. What a later batch
//! has linked already is hidden: a link to a transaction past this commit is none.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

use ledger::{AssetId, End, HolderId, Kind, Ledger, LedgerId, Leg, Purse, PurseId, Seq, Stamp, Time};
use money::{Amount, Asset};

use super::AccountWriter;
use super::assets::{Assets, asset_fingerprint};
use super::openings::{Opening, Openings};
use super::rows::{
    ASSETS_LOOKUP, BLOCKS, BLOCKS_LOOKUP, Field, LEGS, LegRow, OPENINGS, OpeningRow, PAYEE_NEXT, PAYER_NEXT,
    PURSE_TAILS, PURSES, PurseRow, SPECS, TAIL_LEG, TAIL_OPENING, TRANSACTION_NAMES, TRANSACTIONS, TRANSACTIONS_LOOKUP,
    TransactionRow, WIDE,
};
use super::spelling::{self, Spelled, spell};
use crate::BookError;
use crate::column::{Column, Rows as _, partition_point};
use crate::manifest::Source;
use crate::names::{
    ASSETS, HOLDER_TAIL, HOLDERS, HOLDERS_LOOKUP, asset_name, find_holder, holder_name, name_bytes, settled_chain,
    settled_tail,
};
use crate::numbers::NONE_40;
use crate::run::fingerprint;
use crate::snapshot::{LookupSpec, Snapshot};

const LOOKUPS: [LookupSpec; 4] =
    [(HOLDERS_LOOKUP, HOLDERS), (TRANSACTIONS_LOOKUP, TRANSACTIONS), (BLOCKS_LOOKUP, BLOCKS), (ASSETS_LOOKUP, ASSETS)];

/// How many legs of a transaction are looked through for a purse before its chain is walked from the end.
const SCANNED_MAX: u64 = 4_096;

/// An account ledger, open for reading.
#[derive(Debug)]
pub struct AccountLedger {
    id: LedgerId,
    pub(super) snapshot: Snapshot,
    assets: Assets,
    pub(super) end: u64,
    legs: u64,
    has_openings: bool,
    openings: OnceLock<Openings>,
    /// The block that was asked for last.
    pub(super) near_block: AtomicU64,
}

impl AccountLedger {
    pub(crate) fn open(folder: &Path, id: &LedgerId) -> Result<Self, BookError> {
        let repair = || AccountWriter::open(folder, id).map(|_| ());
        let snapshot = Snapshot::open(folder, id, &SPECS, &LOOKUPS, repair)?;
        let assets = Assets::new(snapshot.columns[ASSETS].rows())?;
        let rows = |column: usize| snapshot.columns[column].rows();
        let (end, legs, has_openings) = (rows(TRANSACTIONS), rows(LEGS), rows(OPENINGS) > 0);
        Ok(Self {
            id: id.clone(),
            snapshot,
            assets,
            end,
            legs,
            has_openings,
            openings: OnceLock::new(),
            near_block: AtomicU64::new(0),
        })
    }

    /// The sources that were taken in, wholly or in part.
    pub fn sources(&self) -> &[Source] {
        &self.snapshot.sources
    }

    /// How many legs there are.
    pub fn legs(&self) -> u64 {
        self.legs
    }

    #[inline]
    pub(super) fn column(&self, column: usize) -> &Column {
        &self.snapshot.columns[column]
    }

    #[inline]
    fn row(&self, seq: Seq) -> TransactionRow {
        TransactionRow::of(self.column(TRANSACTIONS).words(seq.0))
    }

    #[inline]
    fn leg(&self, leg: u64) -> Leg {
        let row = LegRow(self.column(LEGS).words(leg));
        let wide = self.column(WIDE);
        let (payer, payee) = (row.payer(), row.payee());
        Leg {
            payer,
            payee,
            asset: AssetId(row.asset()),
            amount: Amount::new(row.amount(wide)),
            payer_before: self.before(payer, row.before(Field::PayerBefore, wide)),
            payee_before: self.before(payee, row.before(Field::PayeeBefore, wide)),
            payer_next: self.next(row.0[PAYER_NEXT]),
            payee_next: self.next(row.0[PAYEE_NEXT]),
        }
    }

    #[inline]
    fn next(&self, link: u64) -> Option<Seq> {
        (link < self.end).then_some(Seq(link))
    }

    #[inline]
    fn before(&self, end: End, held: i128) -> Amount {
        match end {
            End::Purse(purse) => to_amount(held, self.opening_units(purse)),
            _ => Amount::ZERO,
        }
    }

    #[inline]
    fn opening_units(&self, purse: PurseId) -> u128 {
        if !self.has_openings {
            return 0;
        }
        let gather = || Openings::gather(self.column(OPENINGS), self.column(PURSES).rows());
        match self.openings.get_or_init(gather).of(purse.0) {
            Opening::Total(total) => total,
            Opening::Logged => self.logged_opening(purse),
        }
    }

    /// The purse's newest entry of this commit in the log.
    pub(crate) fn logged_opening(&self, purse: PurseId) -> u128 {
        let log = self.column(OPENINGS);
        let tail = settled_tail(
            log.rows(),
            || self.column(PURSE_TAILS).word(purse.0, TAIL_OPENING),
            |row| {
                log.words_anywhere(row).map(OpeningRow::of).filter(|row| row.purse == purse.0).map(|row| row.previous)
            },
        );
        tail.map_or(0, |row| OpeningRow::of(log.words(row)).total)
    }

    /// The purse's last leg before leg `limit`, which is the first of transaction `before` or the end.
    fn last_touch(&self, purse: PurseId, before: Seq, limit: u64) -> Option<u64> {
        // Whoever walks a purse backwards stands on a transaction that touches it.
        if before.0 < self.end {
            let row = self.row(before);
            let touching = (row.first_leg..row.first_leg + row.legs.min(SCANNED_MAX))
                .find_map(|leg| LegRow(self.column(LEGS).words(leg)).previous_of(purse.0));
            if let Some(previous) = touching {
                return (previous != NONE_40).then_some(previous);
            }
        }
        let legs = self.column(LEGS);
        settled_tail(
            limit,
            || self.column(PURSE_TAILS).word(purse.0, TAIL_LEG),
            |leg| legs.words_anywhere(leg).and_then(|words| LegRow(words).previous_of(purse.0)),
        )
    }

    fn limit(&self, before: Seq) -> u64 {
        if before.0 < self.end { self.row(before).first_leg } else { self.legs }
    }

    /// A name as it would lie in a column.
    fn spell<'a>(&self, name: &'a str) -> Spelled<'a> {
        spell(self.snapshot.spelling, name)
    }

    fn read_name(&self, bytes: &[u8]) -> String {
        spelling::read(self.snapshot.spelling, bytes)
    }

    fn name_of(&self, seq: u64) -> &[u8] {
        name_bytes(self.column(TRANSACTION_NAMES), self.row(Seq(seq)).name)
    }
}

fn to_amount(held: i128, opening: u128) -> Amount {
    // Both stay below 2^126 and an opening covers every deficit; a damaged file shows as nothing.
    Amount::new(u128::try_from(held.saturating_add_unsigned(opening)).unwrap_or(0))
}

impl Ledger for AccountLedger {
    fn id(&self) -> &LedgerId {
        &self.id
    }

    fn kind(&self) -> Kind {
        Kind::Account
    }

    fn end(&self) -> Seq {
        Seq(self.end)
    }

    #[inline]
    fn transaction(&self, seq: Seq, legs: &mut Vec<Leg>) {
        legs.clear();
        let row = self.row(seq);
        legs.extend((row.first_leg..row.first_leg + row.legs).map(|leg| self.leg(leg)));
    }

    fn stamp(&self, seq: Seq) -> Stamp {
        Stamp { time: Time::from_micros(self.row(seq).time), height: self.height_of(seq) }
    }

    fn seq_at(&self, time: Time) -> Seq {
        Seq(partition_point(self.end, |seq| self.row(Seq(seq)).time < time.micros()))
    }

    fn purse(&self, purse: PurseId) -> Purse {
        let row = PurseRow::of(self.column(PURSES).words(purse.0));
        Purse { holder: HolderId(row.holder), asset: AssetId(row.asset) }
    }

    fn opening(&self, purse: PurseId) -> Amount {
        Amount::new(self.opening_units(purse))
    }

    fn balance(&self, purse: PurseId, before: Seq) -> Amount {
        let held = self
            .last_touch(purse, before, self.limit(before))
            .map_or(0, |leg| LegRow(self.column(LEGS).words(leg)).held_after(purse.0, self.column(WIDE)));
        to_amount(held, self.opening_units(purse))
    }

    fn previous(&self, purse: PurseId, before: Seq) -> Option<Seq> {
        let leg = self.last_touch(purse, before, self.limit(before))?;
        let later = partition_point(self.end, |seq| self.row(Seq(seq)).first_leg <= leg);
        later.checked_sub(1).map(Seq)
    }

    fn purses(&self, holder: HolderId) -> Vec<PurseId> {
        let purses = self.column(PURSES);
        let row = |at: u64| purses.words_anywhere(at).map(PurseRow::of).map(|row| (row.holder, row.previous));
        let tail = || self.column(HOLDERS).word(holder.0, HOLDER_TAIL);
        settled_chain(holder.0, purses.rows(), tail, row).into_iter().map(PurseId).collect()
    }

    fn assets(&self) -> u32 {
        self.assets.len()
    }

    fn asset(&self, asset: AssetId) -> &Asset {
        self.assets.get(&self.snapshot.columns, asset)
    }

    fn find_asset(&self, symbol: &str) -> Option<AssetId> {
        let columns = &self.snapshot.columns;
        let is_it = |asset| asset_name(columns, asset) == symbol.as_bytes();
        let key = fingerprint(symbol.as_bytes());
        let found = self.snapshot.lookups[3].find(key, |asset| asset_fingerprint(columns, asset), is_it)?;
        u32::try_from(found).ok().map(AssetId)
    }

    fn transaction_name(&self, seq: Seq) -> String {
        self.read_name(self.name_of(seq.0))
    }

    fn find_transaction(&self, name: &str) -> Option<Seq> {
        let name = self.spell(name);
        let key = fingerprint(name.as_bytes());
        let is_it = |seq| self.name_of(seq) == name.as_bytes();
        self.snapshot.lookups[1].find(key, |seq| fingerprint(self.name_of(seq)), is_it).map(Seq)
    }

    fn holder_name(&self, holder: HolderId) -> String {
        self.read_name(holder_name(&self.snapshot.columns, holder.0))
    }

    fn find_holder(&self, name: &str) -> Option<HolderId> {
        find_holder(&self.snapshot.columns, &self.snapshot.lookups[0], self.spell(name).as_bytes())
    }

    fn purse_name(&self, purse: PurseId) -> String {
        let row = self.purse(purse);
        format!("{}/{}", self.holder_name(row.holder), self.asset(row.asset).symbol)
    }

    fn find_output(&self, _transaction: &str, _vout: u32) -> Option<PurseId> {
        None
    }
}

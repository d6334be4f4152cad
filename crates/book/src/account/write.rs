//! [`AccountWriter`]: takes transactions in order and lays them down as legs.
//!
//! Each leg knows what its purses held before it, relative to their opening balances, and which leg of each purse came
//! before; what a leg does to its purses stands in [`super::purses`].
//!
//! It does not decode or sort anything: whoever calls hands in checked values, oldest first.

use std::path::Path;

use ledger::{AccountTransaction, End, Kind, LedgerId, LegKind, PurseId, Seq, Time};
use money::{Amount, Asset};

use super::ahead::Ahead;
use super::assets::AssetNames;
use super::block_rows::block_hash;
use super::purses::{Key, Purses, Refused, UNTOUCHED};
use super::rows::{
    BLOCKS, BLOCKS_LOOKUP, Field, LEGS, LegRow, SPECS, TRANSACTION_NAMES, TRANSACTIONS, TRANSACTIONS_LOOKUP,
    TransactionRow, WIDE, halves,
};
use super::spelling::{self, Spelling, spell};
use crate::column::{Growing, Rows as _};
use crate::holders::Holders;
use crate::lookup::Index;
use crate::manifest::Source;
use crate::names::{
    ASSETS, ASSETS_MAX, Declared, HOLDERS, HOLDERS_LOOKUP, append_asset, append_name, asset_at, check_name,
    holder_fingerprint, holder_name, name_bytes,
};
use crate::run::fingerprint;
use crate::store::{BATCH_ROWS, Store};
use crate::{BookError, DeedError};

/// A transaction keeps its number of legs in 24 bits.
const LEGS_MAX: usize = (1 << 24) - 1;

/// One end of a leg, and where its purse is remembered.
#[derive(Clone, Copy, Debug)]
struct Named {
    end: End,
    key: Option<Key>,
}

const FEE: Named = Named { end: End::Fee, key: None };

/// An account ledger, open for writing. What is pushed becomes part of the ledger with [`AccountWriter::commit`].
#[derive(Debug)]
pub struct AccountWriter {
    pub(crate) store: Store,
    pub(super) holders: Holders,
    pub(super) names: Index,
    pub(super) hashes: Index,
    pub(super) assets: AssetNames,
    spelling: Option<Spelling>,
    pub(super) purses: Purses,
    pub(super) ahead: Ahead,
    last_time: Option<Time>,
    source: Option<usize>,
}

impl AccountWriter {
    pub(crate) fn open(folder: &Path, ledger: &LedgerId) -> Result<Self, BookError> {
        let store = Store::open(folder, ledger, Kind::Account, &SPECS)?;
        let (columns, spelling) = (&store.columns, store.spelling());
        let holders = Index::open(folder, HOLDERS_LOOKUP, columns[HOLDERS].rows(), &|holder| {
            holder_fingerprint(columns, holder)
        })?;
        let names = Index::open(folder, TRANSACTIONS_LOOKUP, columns[TRANSACTIONS].rows(), &|seq| {
            transaction_fingerprint(columns, seq)
        })?;
        let hashes = Index::open(folder, BLOCKS_LOOKUP, columns[BLOCKS].rows(), &|block| {
            fingerprint(&block_hash(columns, block))
        })?;
        let assets = AssetNames::open(folder, columns)?;
        [&holders, &names, &hashes, &assets.index].into_iter().try_for_each(Index::tidy)?;
        let mut writer = Self {
            store,
            holders: Holders::new(holders),
            names,
            hashes,
            assets,
            spelling,
            purses: Purses::default(),
            ahead: Ahead::default(),
            last_time: None,
            source: None,
        };
        writer.remember();
        Ok(writer)
    }

    /// Reads what the writer keeps in memory, at opening and after an undo.
    pub(super) fn remember(&mut self) {
        self.assets.forget();
        self.purses.forget();
        self.source = None;
        let end = self.end().0;
        self.last_time = end.checked_sub(1).map(|last| Time::from_micros(self.row(last).time));
    }

    /// The ledger's name.
    pub fn id(&self) -> &LedgerId {
        self.store.ledger()
    }

    /// How many transactions there are, those of the batch included.
    pub fn end(&self) -> Seq {
        Seq(self.store.columns[TRANSACTIONS].rows())
    }

    /// How many transactions are committed.
    pub fn committed(&self) -> Seq {
        Seq(self.store.columns[TRANSACTIONS].committed_rows())
    }

    /// The time of the last transaction, those of the batch included.
    pub fn last_time(&self) -> Option<Time> {
        self.last_time
    }

    /// How many assets there are, those of the batch included.
    pub fn assets(&self) -> u64 {
        self.store.columns[ASSETS].rows()
    }

    /// The asset of a number, in the order in which they were made known.
    pub fn asset(&self, number: u64) -> Option<Asset> {
        (number < self.assets()).then(|| asset_at(&self.store.columns, number))
    }

    /// What a holder has of an asset after all that was pushed, its opening balance included; `None` if the ledger has
    /// never seen them together.
    pub fn balance(&mut self, holder: &str, asset: &str) -> Option<Amount> {
        let asset = self.assets.find(&self.store.columns, asset)?;
        let name = spell(self.spelling, holder);
        let holder = self.holders.find(&self.store.columns, name.as_bytes(), fingerprint(name.as_bytes()))?;
        self.purses.balance(&self.store.columns, (holder, asset)).map(Amount::new)
    }

    /// Whether a transaction of that id is there, those of the batch included.
    pub fn contains(&self, transaction: &str) -> bool {
        self.find(spell(self.spelling, transaction).as_bytes()).is_some()
    }

    fn find(&self, name: &[u8]) -> Option<u64> {
        let columns = &self.store.columns;
        self.names.find(fingerprint(name), |seq| transaction_name(columns, seq) == name)
    }

    fn row(&self, seq: u64) -> TransactionRow {
        TransactionRow::of(self.store.columns[TRANSACTIONS].words(seq))
    }

    /// The sources that were taken in so far, wholly or in part.
    pub fn sources(&self) -> &[Source] {
        self.store.sources()
    }

    /// Says which source the next transactions come from, and tells how far it was taken in before: that many of its
    /// transactions are to be skipped.
    ///
    /// `digest` identifies the source: the SHA-256 of its bytes and of the options that shape how it is read.
    pub fn begin_source(&mut self, digest: [u8; 32]) -> Source {
        let digest = ledger::hex::text(&digest);
        let sources = self.store.sources_mut();
        let at = sources.iter().position(|source| source.digest == digest).unwrap_or_else(|| {
            sources.push(Source { digest, taken: Vec::new(), done: false });
            sources.len() - 1
        });
        self.source = Some(at);
        self.store.sources()[at].clone()
    }

    /// Says that all of the current source was pushed; the next commit records it.
    pub fn finish_source(&mut self) {
        if let Some(at) = self.source.take() {
            self.store.sources_mut()[at].done = true;
        }
    }

    /// Makes an asset known. Known already with the same scale is fine.
    pub fn declare_asset(&mut self, asset: &Asset) -> Result<(), BookError> {
        self.store.check()?;
        if let Some(at) = self.assets.find(&self.store.columns, &asset.symbol) {
            let has = asset_at(&self.store.columns, u64::from(at)).scale;
            if has == asset.scale {
                return Ok(());
            }
            return Err(DeedError::ScaleChanged { symbol: asset.symbol.clone(), has, asked: asset.scale }.into());
        }
        check_name(asset.symbol.as_bytes())?;
        if self.assets() >= ASSETS_MAX {
            return Err(DeedError::TooManyAssets.into());
        }
        let declared = Declared { transactions: self.end().0, blocks: self.blocks() };
        append_asset(&mut self.store.columns, asset, declared)?;
        self.assets.push(&asset.symbol);
        Ok(())
    }

    /// Whether the batch is as large as it should grow: commit then. Memory is bounded if the caller does.
    pub fn is_full(&self) -> bool {
        let legs = &self.store.columns[LEGS];
        legs.rows() - legs.committed_rows() >= BATCH_ROWS || self.store.is_full()
    }

    /// Appends a transaction to the batch. What a payer lacks becomes its opening balance.
    ///
    /// After an error nothing of the batch can be committed any more, except that an error of what was checked before
    /// anything was written ([`BookError::Deed`] but for [`DeedError::PurseOverflow`]) leaves the batch as it was.
    pub fn push(&mut self, transaction: &AccountTransaction) -> Result<Seq, BookError> {
        self.store.check()?;
        if self.blocks() > 0 {
            return Err(DeedError::RowAmongBlocks { transaction: transaction.name.clone() }.into());
        }
        self.ahead.begin();
        self.check(transaction, self.last_time)?;
        let result = self.lay_down(transaction);
        if result.is_err() {
            self.store.fail();
        }
        result
    }

    /// Whether a transaction fits that comes right after `last`. What was seen for it is kept until it is laid down.
    pub(super) fn check(&mut self, transaction: &AccountTransaction, last: Option<Time>) -> Result<(), DeedError> {
        let (spelling, name) = (self.spelling, || transaction.name.clone());
        if let Some(last) = last
            && transaction.time < last
        {
            return Err(DeedError::TimeBackwards { transaction: name(), time: transaction.time, last });
        }
        // A leg may bring a second one for its fee.
        if transaction.legs.len() > LEGS_MAX / 2 {
            return Err(DeedError::TooManyLegs { transaction: name() });
        }
        for leg in &transaction.legs {
            let Some(asset) = self.assets.find(&self.store.columns, &leg.asset) else {
                return Err(DeedError::UnknownAsset { transaction: name(), symbol: leg.asset.clone() });
            };
            self.ahead.push_asset(asset);
            for holder in [&leg.from, &leg.to].into_iter().flatten() {
                self.ahead.push_holder(spelling, holder, asset)?;
            }
            for (amount, what) in [(leg.amount, "an amount"), (leg.fee, "a fee")] {
                if amount > Amount::MAX {
                    return Err(DeedError::TooLarge { transaction: name(), what, allowed_bits: 126 });
                }
            }
        }
        let columns = &self.store.columns;
        let (spelled, key) = self.ahead.push_name(spelling, &transaction.name)?;
        if self.names.find(key, |seq| transaction_name(columns, seq) == spelled).is_some() {
            return Err(DeedError::Duplicate { transaction: name() });
        }
        Ok(())
    }

    /// Lays down the transaction that was checked next.
    pub(super) fn lay_down(&mut self, transaction: &AccountTransaction) -> Result<Seq, BookError> {
        let seq = self.end();
        let first_leg = self.store.columns[LEGS].rows();
        for leg in &transaction.legs {
            let asset = self.ahead.next_asset();
            let payer = self.end_of(leg.from.is_some(), asset, leg.kind)?;
            let payee = self.end_of(leg.to.is_some(), asset, leg.kind)?;
            self.move_value(seq, payer, payee, asset, leg.amount, &transaction.name)?;
            if !leg.fee.is_zero() {
                self.move_value(seq, payer, FEE, asset, leg.fee, &transaction.name)?;
            }
        }
        let (spelled, key) = self.ahead.next_name();
        let columns = &mut self.store.columns;
        let name = append_name(&mut columns[TRANSACTION_NAMES], spelled)?;
        let legs = columns[LEGS].rows() - first_leg;
        let row = TransactionRow { name, time: transaction.time.micros(), first_leg, legs };
        columns[TRANSACTIONS].append(row.words())?;
        self.names.push(key);
        self.last_time = Some(transaction.time);
        self.record(seq.0);
        self.store.relieve()?;
        Ok(seq)
    }

    /// Books the transaction to the current source.
    fn record(&mut self, seq: u64) {
        let Some(at) = self.source else { return };
        let taken = &mut self.store.sources_mut()[at].taken;
        match taken.last_mut() {
            Some([_, until]) if *until == seq => *until += 1,
            _ => taken.push([seq, seq + 1]),
        }
    }

    fn end_of(&mut self, has_name: bool, asset: u32, kind: LegKind) -> Result<Named, BookError> {
        if !has_name {
            return Ok(Named { end: End::unnamed(kind), key: None });
        }
        let (name, fingerprint) = self.ahead.next_name();
        let key = (self.holders.find_or_add(&mut self.store.columns, name, fingerprint)?, asset);
        let purse = self.purses.find_or_add(&mut self.store.columns, key)?;
        Ok(Named { end: End::Purse(PurseId(purse)), key: Some(key) })
    }

    fn move_value(
        &mut self,
        seq: Seq,
        payer: Named,
        payee: Named,
        asset: u32,
        amount: Amount,
        transaction: &str,
    ) -> Result<(), BookError> {
        let (mut paying, mut paid) = (UNTOUCHED, UNTOUCHED);
        if let Some(key) = payer.key {
            let found = self.purses.pay(&mut self.store, key, seq.0, amount);
            paying = found.map_err(|refused| self.explain(refused, key, transaction))?;
        }
        if let Some(key) = payee.key {
            let itself = (payer.key == payee.key).then_some(paying);
            let found = self.purses.receive(&self.store, key, amount, itself);
            paid = found.map_err(|refused| self.explain(refused, key, transaction))?;
        }
        let mut row = LegRow::new(payer.end, payee.end, asset, [paying.previous, paid.previous]);
        self.set_amount(&mut row, amount.units())?;
        self.set_before(&mut row, Field::PayerBefore, paying.held)?;
        self.set_before(&mut row, Field::PayeeBefore, paid.held)?;
        self.store.columns[LEGS].append(row.0)?;
        Ok(())
    }

    fn explain(&self, refused: Refused, (holder, asset): Key, transaction: &str) -> BookError {
        match refused {
            Refused::Book(error) => error,
            Refused::Overflow => {
                let symbol = asset_at(&self.store.columns, u64::from(asset)).symbol;
                let holder = spelling::read(self.spelling, holder_name(&self.store.columns, holder));
                let purse = format!("{holder}/{symbol}");
                DeedError::PurseOverflow { transaction: transaction.to_owned(), purse }.into()
            }
        }
    }

    fn set_amount(&mut self, row: &mut LegRow, amount: u128) -> Result<(), BookError> {
        match u64::try_from(amount) {
            Ok(bits) => row.set_narrow(Field::Amount, bits),
            Err(_) => row.set_wide(Field::Amount, self.store.columns[WIDE].append(halves(amount))?),
        }
        Ok(())
    }

    fn set_before(&mut self, row: &mut LegRow, field: Field, held: i128) -> Result<(), BookError> {
        match i64::try_from(held) {
            Ok(bits) => row.set_narrow(field, bits.cast_unsigned()),
            Err(_) => row.set_wide(field, self.store.columns[WIDE].append(halves(held.cast_unsigned()))?),
        }
        Ok(())
    }

    /// How many purses of holders that have many are remembered.
    #[cfg(test)]
    pub(super) fn crowds_max(&mut self, purses: usize) {
        self.purses.crowds.purses_max = purses;
    }

    /// Forgets the purses at hand, as a large batch does when it is committed.
    #[cfg(test)]
    pub(super) fn forget_purses(&mut self) {
        self.purses.forget_states();
    }

    /// Makes the batch part of the ledger. After an error the ledger is as it was at the last commit.
    pub fn commit(&mut self) -> Result<(), BookError> {
        self.store.check()?;
        self.purses.settle(&mut self.store.columns);
        self.store.commit(&mut [&mut self.holders.index, &mut self.names, &mut self.hashes, &mut self.assets.index])
    }

    /// The id of a transaction.
    pub fn transaction_name(&self, seq: Seq) -> String {
        spelling::read(self.spelling, transaction_name(&self.store.columns, seq.0))
    }
}

fn transaction_name(columns: &[Growing], seq: u64) -> &[u8] {
    let row = TransactionRow::of(columns[TRANSACTIONS].words(seq));
    name_bytes(&columns[TRANSACTION_NAMES], row.name)
}

/// The fingerprint of a transaction's id.
pub(super) fn transaction_fingerprint(columns: &[Growing], seq: u64) -> u64 {
    fingerprint(transaction_name(columns, seq))
}

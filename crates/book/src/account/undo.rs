//! Taking back the last transactions of an account ledger, or the last blocks of one that is a chain, so that it is as if they had never been pushed.
//!
//! Everything that a transaction left can be found from its legs: purses and holders that it was the first to name, link
//! words that it set, deficits that it logged. Memory stays bounded however much is taken back.

use ledger::Seq;

use super::AccountWriter;
use super::assets::asset_fingerprint;
use super::block_rows::{BlockRow, EventRow, block_hash, gaps_from};
use super::rows::{
    BLOCKS, EVENT_BYTES, EVENTS, GAPS, LEGS, LegRow, OPENINGS, OpeningRow, PAYEE_NEXT, PAYER_NEXT, PURSE_TAILS, PURSES,
    PurseRow, TAIL_LEG, TAIL_OPENING, TRANSACTION_NAMES, TRANSACTIONS, TransactionRow, WIDE,
};
use super::write::transaction_fingerprint;
use crate::BookError;
use crate::column::{Growing, Rows as _, partition_point};
use crate::manifest::shorten_sources;
use crate::names::{
    ASSET_NAMES, ASSETS, Declared, HOLDER_NAMES, HOLDER_TAIL, HOLDERS, assets_before, holder_fingerprint, name_start,
};
use crate::numbers::{NONE, NONE_40};
use crate::run::fingerprint;

/// How many waiting legs are changed between looks at how many changes are held in memory.
const STRIDE: u64 = 1 << 16;

/// How many rows of each column stay.
struct Keep {
    blocks: u64,
    transactions: u64,
    transaction_names: u64,
    legs: u64,
    wide: u64,
    purses: u64,
    openings: u64,
    holders: u64,
}

impl Keep {
    /// How many events, bytes of theirs, and rows of gaps.
    fn of_blocks(&self, columns: &[Growing]) -> [u64; 3] {
        let [blocks, events, bytes] = [BLOCKS, EVENTS, EVENT_BYTES].map(|column| &columns[column]);
        let is_cut = self.blocks < blocks.rows();
        let kept = if is_cut { BlockRow::of(blocks.words(self.blocks)).first_event } else { events.rows() };
        let is_cut = kept < events.rows();
        let kept_bytes = if is_cut { EventRow::of(events.words(kept)).start } else { bytes.rows() };
        [kept, kept_bytes, gaps_from(&columns[GAPS], self.blocks)]
    }
}

impl AccountWriter {
    /// Takes back the last `count` committed transactions, for good. Nobody may read the ledger meanwhile.
    ///
    /// Sources forget what was taken back; assets that were declared only then go too. A ledger that is a chain refuses:
    /// see [`AccountWriter::undo_blocks`].
    pub fn undo(&mut self, count: u64) -> Result<(), BookError> {
        if self.blocks() > 0 {
            return Err(BookError::HasBlocks(self.id().clone()));
        }
        let Some((transactions, _alone)) = self.store.begin_undo(count, self.end().0)? else { return Ok(()) };
        let result = self.take_back(transactions, 0);
        if result.is_err() {
            self.store.fail();
        }
        result
    }

    /// Takes back the last `count` blocks, for good, with their events and the assets that were declared for them. What
    /// is not committed is committed first. Nobody may read the ledger meanwhile.
    ///
    /// What the chain said of being settled holds no longer for what is taken back.
    pub fn undo_blocks(&mut self, count: u64) -> Result<(), BookError> {
        self.commit()?;
        let Some((blocks, _alone)) = self.store.begin_undo(count, self.blocks())? else { return Ok(()) };
        let first = BlockRow::of(self.store.columns[BLOCKS].words(blocks)).first_transaction;
        let tip = blocks.checked_sub(1).map(|last| BlockRow::of(self.store.columns[BLOCKS].words(last)).height);
        let heads = self.store.heads();
        self.store.set_heads(heads.cut(tip));
        let result = self.take_back(first, blocks);
        if result.is_err() {
            self.store.fail();
        }
        result
    }

    fn take_back(&mut self, transactions: u64, blocks: u64) -> Result<(), BookError> {
        let columns = &self.store.columns;
        let rows = |column: usize| columns[column].rows();
        let has_some = transactions < rows(TRANSACTIONS);
        let first = has_some.then(|| TransactionRow::of(columns[TRANSACTIONS].words(transactions)));
        let legs = first.map_or(rows(LEGS), |first| first.first_leg);
        let mut keep = Keep {
            blocks,
            transactions,
            transaction_names: first.map_or(rows(TRANSACTION_NAMES), |first| name_start(first.name)),
            legs,
            wide: rows(WIDE),
            purses: rows(PURSES),
            openings: self.openings_before(legs),
            holders: rows(HOLDERS),
        };
        self.find_first_named(&mut keep);
        self.unlink_legs(&keep)?;
        self.unlink_openings(&keep)?;
        self.unlink_purses(&mut keep)?;
        self.cut(&keep)
    }

    fn openings_before(&self, leg: u64) -> u64 {
        let log = &self.store.columns[OPENINGS];
        partition_point(log.rows(), |row| OpeningRow::of(log.words(row)).leg < leg)
    }

    /// The first purse and the first wide number that only the undone legs know. Both were appended in leg order.
    fn find_first_named(&self, keep: &mut Keep) {
        let legs = &self.store.columns[LEGS];
        for leg in keep.legs..legs.rows() {
            let row = LegRow(legs.words(leg));
            if let Some(wide) = row.first_wide() {
                keep.wide = keep.wide.min(wide);
            }
            for (end, previous) in [(row.payer(), row.payer_previous()), (row.payee(), row.payee_previous())] {
                if let Some(purse) = end.purse()
                    && previous == NONE_40
                {
                    keep.purses = keep.purses.min(purse.0);
                }
            }
        }
    }

    /// Gives each purse that stays its last kept leg, and lets its waiting legs wait again.
    fn unlink_legs(&mut self, keep: &Keep) -> Result<(), BookError> {
        for leg in keep.legs..self.store.columns[LEGS].rows() {
            let row = LegRow(self.store.columns[LEGS].words(leg));
            for (end, previous) in [(row.payer(), row.payer_previous()), (row.payee(), row.payee_previous())] {
                let Some(purse) = end.purse().filter(|purse| purse.0 < keep.purses) else { continue };
                if previous < keep.legs {
                    self.store.columns[PURSE_TAILS].set_word(purse.0, TAIL_LEG, previous);
                    self.let_wait(purse.0, previous, keep.transactions)?;
                    self.store.relieve()?;
                }
            }
        }
        Ok(())
    }

    fn let_wait(&mut self, purse: u64, mut leg: u64, end: u64) -> Result<(), BookError> {
        for step in 1u64.. {
            let legs = &mut self.store.columns[LEGS];
            let row = LegRow(legs.words(leg));
            let link = if row.pays(purse) { PAYER_NEXT } else { PAYEE_NEXT };
            let next = legs.word(leg, link);
            if next == NONE || next < end {
                break;
            }
            if row.is_paid(purse) {
                legs.set_word(leg, PAYEE_NEXT, NONE);
            }
            if row.pays(purse) {
                legs.set_word(leg, PAYER_NEXT, NONE);
                break;
            }
            match row.previous_of(purse) {
                Some(before) if before < leg => leg = before,
                _ => break,
            }
            if step.is_multiple_of(STRIDE) {
                self.store.relieve()?;
            }
        }
        Ok(())
    }

    fn unlink_openings(&mut self, keep: &Keep) -> Result<(), BookError> {
        for entry in keep.openings..self.store.columns[OPENINGS].rows() {
            let row = OpeningRow::of(self.store.columns[OPENINGS].words(entry));
            if row.purse < keep.purses && (row.previous < keep.openings || row.previous == NONE) {
                self.store.columns[PURSE_TAILS].set_word(row.purse, TAIL_OPENING, row.previous);
                self.store.relieve()?;
            }
        }
        Ok(())
    }

    /// Gives each holder that stays its last kept purse, and finds the first holder that does not stay.
    fn unlink_purses(&mut self, keep: &mut Keep) -> Result<(), BookError> {
        for purse in keep.purses..self.store.columns[PURSES].rows() {
            let row = PurseRow::of(self.store.columns[PURSES].words(purse));
            if row.previous == NONE {
                keep.holders = keep.holders.min(row.holder);
            } else if row.previous < keep.purses {
                self.store.columns[HOLDERS].set_word(row.holder, HOLDER_TAIL, row.previous);
                self.store.relieve()?;
            }
        }
        Ok(())
    }

    fn cut(&mut self, keep: &Keep) -> Result<(), BookError> {
        let columns = &self.store.columns;
        let declared = Declared { transactions: keep.transactions, blocks: keep.blocks };
        let (assets, asset_names) = assets_before(columns, declared, columns[BLOCKS].rows() > 0);
        let [events, event_bytes, gaps] = keep.of_blocks(columns);
        let holder_names = if keep.holders < columns[HOLDERS].rows() {
            name_start(columns[HOLDERS].words::<2>(keep.holders)[0])
        } else {
            columns[HOLDER_NAMES].rows()
        };
        let mut rows: Vec<u64> = columns.iter().map(crate::column::Rows::rows).collect();
        for (column, kept) in [
            (HOLDERS, keep.holders),
            (HOLDER_NAMES, holder_names),
            (ASSETS, assets),
            (ASSET_NAMES, asset_names),
            (TRANSACTIONS, keep.transactions),
            (TRANSACTION_NAMES, keep.transaction_names),
            (LEGS, keep.legs),
            (WIDE, keep.wide),
            (PURSES, keep.purses),
            (PURSE_TAILS, keep.purses),
            (OPENINGS, keep.openings),
            (BLOCKS, keep.blocks),
            (EVENTS, events),
            (EVENT_BYTES, event_bytes),
            (GAPS, gaps),
        ] {
            rows[column] = kept;
        }
        shorten_sources(self.store.sources_mut(), keep.transactions);
        let (holders, transactions, blocks) = (keep.holders, keep.transactions, keep.blocks);
        let mut indexes = [&mut self.holders.index, &mut self.names, &mut self.hashes, &mut self.assets.index];
        self.store.commit_shorter(&rows, &mut indexes, |columns, indexes| {
            indexes[0].reset(holders, &|holder| holder_fingerprint(columns, holder))?;
            indexes[1].reset(transactions, &|seq| transaction_fingerprint(columns, seq))?;
            indexes[2].reset(blocks, &|block| fingerprint(&block_hash(columns, block)))?;
            indexes[3].reset(assets, &|asset| asset_fingerprint(columns, asset))
        })?;
        self.holders.forget();
        self.remember();
        debug_assert_eq!(self.end(), Seq(keep.transactions));
        Ok(())
    }
}

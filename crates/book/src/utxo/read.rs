//! [`UtxoLedger`]: one commit of a UTXO ledger, as everybody downstream reads it.
//!
//! A transaction is one row, its inputs a list of output numbers, its outputs a stretch of rows; the legs (coins into
//! the pot, pot to outputs, rest to the fee) are made from them on the way out.

use std::path::Path;

use ledger::{
    AssetId, End, HolderId, Kind, Ledger, LedgerId, Leg, Lock, Network, Outpoint, Purse, PurseId, Seq, Stamp, Time,
    txid_bytes, txid_text,
};
use money::{Amount, Asset};

use super::UtxoWriter;
use super::rows::{
    BLOCKS, BlockRow, FOREIGN, FOREIGN_AT, ForeignRow, INPUTS, LOOKUPS, OUTPUTS, OutputRow, SPECS, TRANSACTIONS,
    TXIDS_AT, TransactionRow, input_at, key_fingerprint, link, outpoint, outpoint_fingerprint, txid,
};
use crate::BookError;
use crate::chain::Tip;
use crate::column::{Column, Rows as _, partition_point};
use crate::names::{HOLDER_TAIL, HOLDERS, read_assets, settled_chain, settled_tail};
use crate::numbers::NONE_40;
use crate::run::fingerprint;
use crate::snapshot::Snapshot;

/// A UTXO ledger, open for reading.
#[derive(Debug)]
pub struct UtxoLedger {
    id: LedgerId,
    pub(super) snapshot: Snapshot,
    assets: Vec<Asset>,
    pub(super) end: u64,
}

/// A leg of the one asset without balances or links.
const fn bare(payer: End, payee: End, amount: Amount) -> Leg {
    Leg {
        payer,
        payee,
        asset: AssetId(0),
        amount,
        payer_before: Amount::ZERO,
        payee_before: Amount::ZERO,
        payer_next: None,
        payee_next: None,
    }
}

impl UtxoLedger {
    pub(crate) fn open(folder: &Path, id: &LedgerId) -> Result<Self, BookError> {
        let repair = || UtxoWriter::open(folder, id, None).map(|_| ());
        let snapshot = Snapshot::open(folder, id, &SPECS, &LOOKUPS, repair)?;
        let assets = read_assets(&snapshot.columns)?;
        let end = snapshot.columns[TRANSACTIONS].rows();
        Ok(Self { id: id.clone(), snapshot, assets, end })
    }

    /// How many blocks there are.
    pub fn blocks(&self) -> u64 {
        self.column(BLOCKS).rows()
    }

    /// How many outputs there are, those from before the first block included.
    pub fn outputs(&self) -> u64 {
        self.column(OUTPUTS).rows()
    }

    /// The last block.
    pub fn tip(&self) -> Option<Tip> {
        let last = self.block_row(self.blocks().checked_sub(1)?);
        Some(Tip { height: last.height, hash: last.hash, time: Time::from_micros(last.time) })
    }

    /// Whether a purse's value was inferred because no source told it, as it can be for outputs from before the first block.
    pub fn is_inferred(&self, purse: PurseId) -> bool {
        self.output(purse.0).is_inferred
    }

    #[inline]
    pub(super) fn column(&self, column: usize) -> &Column {
        &self.snapshot.columns[column]
    }

    #[inline]
    pub(super) fn row(&self, seq: Seq) -> TransactionRow {
        TransactionRow::of(self.column(TRANSACTIONS).words(seq.0))
    }

    #[inline]
    pub(super) fn output(&self, output: u64) -> OutputRow {
        OutputRow::of(self.column(OUTPUTS).words(output))
    }

    pub(super) fn block_row(&self, row: u64) -> BlockRow {
        BlockRow::of(self.column(BLOCKS).words(row))
    }

    pub(super) fn find(&self, lookup: usize, key: u64, is_it: impl FnMut(u64) -> bool) -> Option<u64> {
        let columns = &self.snapshot.columns;
        self.snapshot.lookups[lookup].find(key, |number| key_fingerprint(columns, lookup, number), is_it)
    }

    pub(super) fn seq_of(&self, id: &[u8; 32]) -> Option<u64> {
        self.find(TXIDS_AT, fingerprint(id), |seq| txid(&self.snapshot.columns, seq) == *id)
    }

    pub(super) fn spender(&self, row: &OutputRow) -> Option<u64> {
        link(row.spent_by, self.end)
    }

    /// A holder's last output in this commit.
    pub(super) fn last_output(&self, holder: HolderId) -> Option<u64> {
        let outputs = self.column(OUTPUTS);
        let earlier = |at| outputs.words_anywhere(at).map(OutputRow::of).filter(|row| row.holder == holder.0);
        let tail = || self.column(HOLDERS).word(holder.0, HOLDER_TAIL);
        settled_tail(outputs.rows(), tail, |at| earlier(at).map(|row| row.previous))
    }
}

impl Ledger for UtxoLedger {
    fn id(&self) -> &LedgerId {
        &self.id
    }

    fn kind(&self) -> Kind {
        Kind::Utxo
    }

    fn end(&self) -> Seq {
        Seq(self.end)
    }

    #[inline]
    fn transaction(&self, seq: Seq, legs: &mut Vec<Leg>) {
        legs.clear();
        let row = self.row(seq);
        if row.inputs > 0 {
            legs.extend((row.first_input..row.first_input + row.inputs).map(|input| {
                let output = input_at(self.column(INPUTS), input);
                let amount = Amount::new(u128::from(self.output(output).value));
                Leg { payer_before: amount, ..bare(End::Purse(PurseId(output)), End::Pot, amount) }
            }));
        } else {
            let outputs = row.first_output..row.first_output + row.outputs;
            let sum: u128 = outputs.map(|output| u128::from(self.output(output).value)).sum();
            legs.push(bare(End::Outside, End::Pot, Amount::new(sum)));
        }
        legs.extend((row.first_output..row.first_output + row.outputs).map(|output| {
            let made = self.output(output);
            let leg = bare(End::Pot, End::Purse(PurseId(output)), Amount::new(u128::from(made.value)));
            Leg { payee_next: self.spender(&made).map(Seq), ..leg }
        }));
        if row.inputs > 0 {
            legs.push(bare(End::Pot, End::Fee, Amount::new(u128::from(row.fee))));
        }
    }

    fn stamp(&self, seq: Seq) -> Stamp {
        let block = self.block_row(self.row(seq).block);
        Stamp { time: Time::from_micros(block.time), height: Some(block.height) }
    }

    fn seq_at(&self, time: Time) -> Seq {
        let block = partition_point(self.blocks(), |block| self.block_row(block).time_max < time.micros());
        if block < self.blocks() { Seq(self.block_row(block).first_transaction) } else { self.end() }
    }

    fn purse(&self, purse: PurseId) -> Purse {
        Purse { holder: HolderId(self.output(purse.0).holder), asset: AssetId(0) }
    }

    fn opening(&self, purse: PurseId) -> Amount {
        let row = self.output(purse.0);
        if row.is_foreign() { Amount::new(u128::from(row.value)) } else { Amount::ZERO }
    }

    fn balance(&self, purse: PurseId, before: Seq) -> Amount {
        let row = self.output(purse.0);
        let is_made = row.is_foreign() || row.made_by < before.0;
        let is_spent = self.spender(&row).is_some_and(|spender| spender < before.0);
        if is_made && !is_spent { Amount::new(u128::from(row.value)) } else { Amount::ZERO }
    }

    fn previous(&self, purse: PurseId, before: Seq) -> Option<Seq> {
        let row = self.output(purse.0);
        let spender = self.spender(&row).filter(|spender| *spender < before.0);
        let maker = Some(row.made_by).filter(|maker| *maker < before.0 && *maker != NONE_40);
        spender.or(maker).map(Seq)
    }

    fn purses(&self, holder: HolderId) -> Vec<PurseId> {
        let outputs = self.column(OUTPUTS);
        let row = |at: u64| outputs.words_anywhere(at).map(OutputRow::of).map(|row| (row.holder, row.previous));
        let tail = || self.column(HOLDERS).word(holder.0, HOLDER_TAIL);
        settled_chain(holder.0, outputs.rows(), tail, row).into_iter().map(PurseId).collect()
    }

    fn assets(&self) -> u32 {
        u32::try_from(self.assets.len()).expect("at most 65,536, checked at opening")
    }

    fn asset(&self, asset: AssetId) -> &Asset {
        &self.assets[asset.0 as usize]
    }

    fn transaction_name(&self, seq: Seq) -> String {
        txid_text(&txid(&self.snapshot.columns, seq.0))
    }

    fn find_transaction(&self, name: &str) -> Option<Seq> {
        self.find_txid(&txid_bytes(name)?)
    }

    fn holder_name(&self, holder: HolderId) -> String {
        self.lock(holder).name(Network::of(&self.id))
    }

    fn find_holder(&self, name: &str) -> Option<HolderId> {
        self.find_lock(&Lock::of_name(Network::of(&self.id), name))
    }

    fn purse_name(&self, purse: PurseId) -> String {
        let Outpoint { txid, vout } = outpoint(&self.snapshot.columns, purse.0);
        format!("{}:{vout}", txid_text(&txid))
    }

    fn find_output(&self, transaction: &str, vout: u32) -> Option<PurseId> {
        let outpoint = Outpoint { txid: txid_bytes(transaction)?, vout };
        if let Some(maker) = self.seq_of(&outpoint.txid) {
            let row = self.row(Seq(maker));
            return (u64::from(vout) < row.outputs).then(|| PurseId(row.first_output + u64::from(vout)));
        }
        let foreign = self.column(FOREIGN);
        let row = |at| ForeignRow::of(foreign.words(at));
        let key = outpoint_fingerprint(&outpoint);
        self.find(FOREIGN_AT, key, |at| row(at).outpoint == outpoint).map(|at| PurseId(row(at).output))
    }
}

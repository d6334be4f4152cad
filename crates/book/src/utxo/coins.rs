//! [`ledger::Coins`] of a UTXO ledger: each answer is a read or two of a column.

use ledger::{Coin, Coins, HolderId, Lock, Network, PurseId, Seq};

use super::UtxoLedger;
use super::rows::{INPUTS, OUTPUTS, input_at};
use crate::column::Rows as _;
use crate::numbers::NONE_40;

impl UtxoLedger {
    #[inline]
    fn coin_at(&self, output: u64) -> Coin {
        let row = self.output(output);
        Coin { purse: PurseId(output), holder: HolderId(row.holder), value: row.value }
    }
}

impl Coins for UtxoLedger {
    fn network(&self) -> &'static Network {
        Network::of(ledger::Ledger::id(self))
    }

    fn transactions(&self) -> u64 {
        self.end
    }

    fn holders(&self) -> u64 {
        Self::holders(self)
    }

    fn purse_count(&self) -> u64 {
        self.column(OUTPUTS).rows()
    }

    #[inline]
    fn spent(&self, seq: Seq, into: &mut Vec<Coin>) {
        into.clear();
        let (row, inputs) = (self.row(seq), self.column(INPUTS));
        into.extend((row.first_input..row.first_input + row.inputs).map(|input| self.coin_at(input_at(inputs, input))));
    }

    #[inline]
    fn made(&self, seq: Seq, into: &mut Vec<Coin>) {
        into.clear();
        let row = self.row(seq);
        into.extend((row.first_output..row.first_output + row.outputs).map(|output| self.coin_at(output)));
    }

    #[inline]
    fn coin(&self, purse: PurseId) -> Coin {
        self.coin_at(purse.0)
    }

    #[inline]
    fn made_by(&self, purse: PurseId) -> Option<Seq> {
        Self::made_by(self, purse)
    }

    #[inline]
    fn spent_by(&self, purse: PurseId) -> Option<Seq> {
        Self::spent_by(self, purse)
    }

    fn last_purse(&self, holder: HolderId) -> Option<PurseId> {
        self.last_output(holder).map(PurseId)
    }

    #[inline]
    fn purse_before(&self, purse: PurseId) -> Option<PurseId> {
        let previous = self.output(purse.0).previous;
        Some(previous).filter(|previous| *previous < purse.0 && *previous != NONE_40).map(PurseId)
    }

    fn lock(&self, holder: HolderId) -> Lock {
        Self::lock(self, holder)
    }

    fn find_lock(&self, lock: &Lock) -> Option<HolderId> {
        Self::find_lock(self, lock)
    }
}

//! Finding what a transaction's inputs spend, and checking that the ledger can hold the transaction.
//!
//! An input of which neither the ledger nor the source knows the output spends a *foreign* output, one from before the
//! first block. The first such input of unknown value is taken to bring whatever the outputs and the stated fee lack,
//! any further one nothing; those values are marked as inferred. This is the rule of `ledger::memory`.

use ledger::memory::UNKNOWN_HOLDER;
use ledger::{Lock, Network, Outpoint, UtxoInput, UtxoTransaction, txid_text};
use money::Amount;

use super::ahead::InputAhead;
use super::live::Live;
use super::rows::outpoint_fingerprint;
use super::rows::{ENDS_MAX, FOREIGN, ForeignRow, OUTPUTS, OutputRow, SPENT_BY, TRANSACTIONS, TransactionRow, txid};
use crate::column::{Growing, Rows as _};
use crate::lookup::Index;
use crate::names::{check_name, holder_is, holder_name};
use crate::numbers::NONE;
use crate::{BookError, DeedError};

/// The two coinbases that occur twice on the main chain, and the heights of their second occurrence, which made the
/// outputs of the first unspendable for ever. Source: BIP 30.
const REPEATED: [(u64, &str); 2] = [
    (91_842, "d5d27987d2a3dfc724e359870c6644b40e497bdc0589a033220fe15429d88599"),
    (91_880, "e3bf3d07d4b0375638d5f1db5255fe07ba2c4cb067cd81b84ee974b6585fb468"),
];

/// What an input spends.
#[derive(Clone, Debug)]
pub(super) enum Spent {
    /// An output that has its number; the transaction that made it, if that is in the ledger and the output counts as
    /// one that can be spent.
    Known { output: u64, maker: Option<u64> },
    /// An output from before the first block, which gets its number now.
    Foreign { value: u64, holder: Lock, is_inferred: bool },
}

/// What a transaction's sums come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolved {
    pub(super) fee: u64,
    /// The transaction of the same id, whose outputs nobody can spend any more.
    pub(super) replaced: Option<u64>,
}

/// Buffers for one transaction at a time.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    /// What each input spends, in order.
    pub(super) spent: Vec<Spent>,
    seen: Vec<Outpoint>,
}

/// The ledger so far.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) columns: &'a [Growing],
    pub(super) txids: &'a Index,
    pub(super) foreign: &'a Index,
    pub(super) live: &'a Live,
    pub(super) network: &'a Network,
    /// Of the transaction's block.
    pub(super) height: u64,
}

/// The ledger so far, as a transaction is looked up in it.
struct Known<'a> {
    facts: Facts<'a>,
    transaction: &'a UtxoTransaction,
}

impl Resolver {
    pub(super) fn resolve(
        &mut self,
        facts: Facts<'_>,
        transaction: &UtxoTransaction,
        fingerprint: u64,
        ahead: &[InputAhead],
    ) -> Result<Resolved, BookError> {
        let known = Known { facts, transaction };
        let replaced = known.check_new(fingerprint)?;
        self.check_inputs_differ(transaction)?;
        let outputs = known.sum_outputs()?;
        self.spent.clear();
        let mut inputs = 0u128;
        for (input, ahead) in transaction.inputs.iter().zip(ahead) {
            let (spent, value) = known.find(input, *ahead)?;
            inputs += u128::from(value);
            self.spent.push(spent);
        }
        inputs += self.infer(transaction, inputs, outputs)?;
        let fee = if transaction.inputs.is_empty() { 0 } else { known.fee(inputs, outputs)? };
        Ok(Resolved { fee, replaced })
    }

    fn check_inputs_differ(&mut self, transaction: &UtxoTransaction) -> Result<(), DeedError> {
        if transaction.inputs.len() < 2 {
            return Ok(());
        }
        self.seen.clear();
        self.seen.extend(transaction.inputs.iter().map(|input| input.outpoint));
        self.seen.sort_unstable();
        match self.seen.windows(2).find(|pair| pair[0] == pair[1]) {
            None => Ok(()),
            Some(pair) => {
                let name = txid_text(&transaction.txid);
                Err(DeedError::SpentTwice { output: outpoint_text(&pair[0]), transaction: name.clone(), first: name })
            }
        }
    }

    /// Gives the first input of unknown value what is missing, and returns it.
    fn infer(&mut self, transaction: &UtxoTransaction, inputs: u128, outputs: u128) -> Result<u128, DeedError> {
        let stated = transaction.fee.map_or(0, Amount::units);
        let missing = outputs.saturating_add(stated).saturating_sub(inputs);
        for spent in &mut self.spent {
            if let Spent::Foreign { value, is_inferred: true, .. } = spent {
                *value = u64::try_from(missing).map_err(|_| DeedError::TooLarge {
                    transaction: txid_text(&transaction.txid),
                    what: "what an unknown input must bring",
                    allowed_bits: 64,
                })?;
                return Ok(missing);
            }
        }
        Ok(0)
    }
}

impl Known<'_> {
    fn name(&self) -> String {
        txid_text(&self.transaction.txid)
    }

    /// The transaction with an id that has something left to spend.
    fn find_live(&self, id: &[u8; 32], fingerprint: u64) -> Option<u64> {
        self.facts.live.find(fingerprint, |seq| txid(self.facts.columns, seq) == *id)
    }

    fn find_transaction(&self, id: &[u8; 32], fingerprint: u64) -> Option<u64> {
        let Facts { columns, txids, .. } = self.facts;
        self.find_live(id, fingerprint).or_else(|| txids.find(fingerprint, |seq| txid(columns, seq) == *id))
    }

    /// The earlier transaction of the same id, if it has something left to spend: then there must be no second (BIP 30).
    fn find_duplicate(&self, fingerprint: u64) -> Option<u64> {
        let Facts { columns, live, .. } = self.facts;
        if live.is_complete() {
            return self.find_live(&self.transaction.txid, fingerprint);
        }
        self.find_transaction(&self.transaction.txid, fingerprint).filter(|seq| {
            let row = TransactionRow::of(columns[TRANSACTIONS].words(*seq));
            (row.first_output..row.first_output + row.outputs).any(|output| is_left(columns, output))
        })
    }

    fn find_foreign(&self, outpoint: &Outpoint) -> Option<u64> {
        let rows = &self.facts.columns[FOREIGN];
        if rows.rows() == 0 {
            return None;
        }
        let row = |at| ForeignRow::of(rows.words(at));
        self.facts
            .foreign
            .find(outpoint_fingerprint(outpoint), |at| row(at).outpoint == *outpoint)
            .map(|at| row(at).output)
    }

    fn check_new(&self, fingerprint: u64) -> Result<Option<u64>, DeedError> {
        let transaction = self.transaction;
        if transaction.inputs.len() > ENDS_MAX || transaction.outputs.len() > ENDS_MAX {
            return Err(DeedError::TooManyLegs { transaction: self.name() });
        }
        let duplicate = self.find_duplicate(fingerprint);
        if duplicate.is_some() && !REPEATED.contains(&(self.facts.height, &self.name())) {
            return Err(DeedError::Duplicate { transaction: self.name() });
        }
        let spent_before = |outpoint: &Outpoint| Err(DeedError::SpentBeforeMade { output: outpoint_text(outpoint) });
        if let Some(own) = transaction.inputs.iter().find(|input| input.outpoint.txid == transaction.txid) {
            return spent_before(&own.outpoint);
        }
        if self.facts.columns[FOREIGN].rows() == 0 {
            return Ok(duplicate);
        }
        for vout in (0u32..).take(transaction.outputs.len()) {
            let outpoint = Outpoint { txid: transaction.txid, vout };
            if self.find_foreign(&outpoint).is_some() {
                return spent_before(&outpoint);
            }
        }
        Ok(duplicate)
    }

    fn sum_outputs(&self) -> Result<u128, DeedError> {
        let mut sum = 0u128;
        for output in &self.transaction.outputs {
            check_name(output.holder.as_bytes())?;
            sum += u128::from(self.narrow(output.amount, "an output")?);
        }
        self.narrow(Amount::new(sum), "the sum of the outputs")?;
        Ok(sum)
    }

    fn narrow(&self, amount: Amount, what: &'static str) -> Result<u64, DeedError> {
        let narrow = u64::try_from(amount.units());
        narrow.map_err(|_| DeedError::TooLarge { transaction: self.name(), what, allowed_bits: 64 })
    }

    /// What an input spends, and its value as far as it is known.
    fn find(&self, input: &UtxoInput, ahead: InputAhead) -> Result<(Spent, u64), DeedError> {
        let found = match ahead.output {
            NONE => self.find_output(&input.outpoint, ahead.fingerprint)?,
            output => Some(output),
        };
        if let Some(output) = found {
            let row = OutputRow::of(self.facts.columns[OUTPUTS].words(output));
            self.check_unspent(&input.outpoint, output)?;
            self.check_prevout(input, &row)?;
            let maker = (!row.is_foreign() && !row.is_unspendable).then_some(row.made_by);
            return Ok((Spent::Known { output, maker }, row.value));
        }
        let Some(spent) = &input.spent else {
            let unknown = Spent::Foreign { value: 0, holder: UNKNOWN_HOLDER.into(), is_inferred: true };
            return Ok((unknown, 0));
        };
        check_name(spent.holder.as_bytes())?;
        let value = self.narrow(spent.amount, "an input")?;
        Ok((Spent::Foreign { value, holder: spent.holder.clone(), is_inferred: false }, value))
    }

    fn find_output(&self, outpoint: &Outpoint, fingerprint: u64) -> Result<Option<u64>, DeedError> {
        let Some(maker) = self.find_transaction(&outpoint.txid, fingerprint) else {
            return Ok(self.find_foreign(outpoint));
        };
        let row = TransactionRow::of(self.facts.columns[TRANSACTIONS].words(maker));
        if u64::from(outpoint.vout) < row.outputs {
            return Ok(Some(row.first_output + u64::from(outpoint.vout)));
        }
        let output = outpoint_text(outpoint);
        Err(DeedError::NoOutput { output, transaction: self.name(), has: row.outputs })
    }

    fn check_unspent(&self, outpoint: &Outpoint, output: u64) -> Result<(), DeedError> {
        match self.facts.columns[OUTPUTS].word(output, SPENT_BY) {
            NONE => Ok(()),
            first => Err(DeedError::SpentTwice {
                output: outpoint_text(outpoint),
                transaction: self.name(),
                first: txid_text(&txid(self.facts.columns, first)),
            }),
        }
    }

    fn check_prevout(&self, input: &UtxoInput, row: &OutputRow) -> Result<(), DeedError> {
        let Some(says) = &input.spent else { return Ok(()) };
        let columns = self.facts.columns;
        if says.amount.units() == u128::from(row.value) && holder_is(columns, row.holder, says.holder.as_bytes()) {
            return Ok(());
        }
        let holder = Lock::from_bytes(holder_name(columns, row.holder));
        let text = |value: u128, holder: &Lock| format!("{value} base units of {}", holder.name(self.facts.network));
        Err(DeedError::PrevoutContradicts {
            output: outpoint_text(&input.outpoint),
            says: text(says.amount.units(), &says.holder),
            has: text(u128::from(row.value), &holder),
        })
    }

    fn fee(&self, inputs: u128, outputs: u128) -> Result<u64, DeedError> {
        self.narrow(Amount::new(inputs), "the sum of the inputs")?;
        let Some(sums) = inputs.checked_sub(outputs) else {
            return Err(DeedError::InputsBelowOutputs { transaction: self.name(), inputs, outputs });
        };
        match self.transaction.fee.map(Amount::units) {
            Some(stated) if stated != sums => Err(DeedError::FeeContradicts { transaction: self.name(), stated, sums }),
            _ => Ok(u64::try_from(sums).expect("it is at most the sum of the inputs, which was checked")),
        }
    }
}

/// Whether somebody can still spend an output.
pub(super) fn is_left(columns: &[Growing], output: u64) -> bool {
    columns[OUTPUTS].word(output, SPENT_BY) == NONE && !OutputRow::of(columns[OUTPUTS].words(output)).is_unspendable
}

fn outpoint_text(outpoint: &Outpoint) -> String {
    format!("{}:{}", txid_text(&outpoint.txid), outpoint.vout)
}

//! [`Life`]: ordinary life on a scale chain: how many inputs and outputs, how much, to whom, with which fee.
//!
//! Responsible for statistics; their sources and figures stand in `docs/exercise.md`. It writes transactions into a
//! [`Draft`] and neither blocks nor files. Inputs are drawn at random: that two stand together says nothing about who
//! owns what.

use std::io;
use std::path::Path;

use crate::blockfiles::undo::{Spent, compact_size, spent};
use crate::dice::Dice;
use crate::scale::block::Draft;
use crate::scale::coins::{Coin, Coins};
use crate::scale::locks::{ANCHOR, DATA, Locks, SCRIPT_BYTES_MAX, SERVICES, on_curve};
use crate::scale::txids::Txids;

/// Outputs below are not made on purpose.
const DUST_SATS: u64 = 330;
/// Payments are larger where there is enough.
const PAYMENT_SATS: u64 = 5_000;
/// A payment is at least this many times halved what there is: else a few would soon have everything.
const PAYMENT_BITS: u32 = 7;
/// What an anchor holds.
const ANCHOR_SATS: u64 = 240;
/// The most inputs of a transaction, those included that are added because the first hold too little.
const INPUTS_MAX: usize = 160;
/// The highest fee rate: sats for each byte.
const FEE_RATE_MAX: u64 = 4;
/// Services that mine: their locks get the coinbases.
pub const MINERS: u32 = 8;

/// An output to be made.
#[derive(Clone, Copy, Debug)]
struct Pay {
    lock: u32,
    value_sats: u64,
}

/// What happened at one service's address.
#[derive(Clone, Copy, Debug, Default)]
pub struct Purse {
    pub outputs: u64,
    pub spent: u64,
    pub received_sats: u64,
    pub spent_sats: u64,
}

/// Counts for the manifest.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub inputs: u64,
    pub outputs: u64,
    pub services: [Purse; SERVICES as usize],
    pub addresses: u64,
}

/// The population and its coins.
pub struct Life {
    pub dice: Dice,
    pub locks: Locks,
    pub coins: Coins,
    pub txids: Txids,
    pub counts: Counts,
    /// The next lock that nobody has used.
    fresh: u32,
    spent: Vec<Coin>,
    pays: Vec<Pay>,
    plain: Vec<u8>,
    witness: Vec<u8>,
    undo: Vec<u8>,
    script: Vec<u8>,
}

impl Life {
    pub fn new(seed: u64, transactions: u64, spool: &Path) -> io::Result<Self> {
        Ok(Self {
            dice: Dice::new(seed, "scale"),
            locks: Locks::new(seed),
            coins: Coins::new(transactions),
            txids: Txids::new(transactions, spool)?,
            counts: Counts::default(),
            fresh: SERVICES,
            spent: Vec::new(),
            pays: Vec::new(),
            plain: Vec::new(),
            witness: Vec::new(),
            undo: Vec::new(),
            script: Vec::new(),
        })
    }

    /// A lock that nobody has used before.
    pub fn fresh_lock(&mut self) -> u32 {
        let lock = self.fresh;
        self.fresh += 1;
        self.counts.addresses += u64::from(self.locks.kind(lock).has_address());
        lock
    }

    /// Adds a transaction to `draft`, a block of `height`. `None`: there is no coin to spend.
    pub fn transact(&mut self, height: u32, draft: &mut Draft) -> io::Result<Option<[u8; 32]>> {
        let wanted = inputs_wanted(&mut self.dice);
        self.spent.clear();
        while self.spent.len() < wanted
            && let Some(coin) = self.coins.take(&mut self.dice)
        {
            self.spent.push(coin);
        }
        if self.spent.is_empty() {
            return Ok(None);
        }
        let fee_sats = self.arrange();
        self.serialise(height)?;
        let txid = draft.add(&self.plain, &self.witness, &self.undo, fee_sats);
        let transaction = self.txids.push(txid)?;
        for at in 0..self.pays.len() {
            let Pay { lock, value_sats } = self.pays[at];
            self.make(Coin { value_sats, transaction, lock, height, vout: vout(at), coinbase: false });
        }
        self.counts.inputs += self.spent.len() as u64;
        Ok(Some(txid))
    }

    /// Books an output, and puts it away if it can ever be spent.
    pub fn make(&mut self, coin: Coin) {
        self.counts.outputs += 1;
        if let Some(purse) = self.counts.services.get_mut(coin.lock as usize) {
            self.counts.addresses += u64::from(purse.outputs == 0);
            purse.outputs += 1;
            purse.received_sats += coin.value_sats;
        }
        if coin.lock != DATA {
            self.coins.put(coin, &mut self.dice);
        }
    }

    /// Decides on the outputs. Says what is left as a fee.
    fn arrange(&mut self) -> u64 {
        let dice = &mut self.dice;
        let mut count = outputs_wanted(dice);
        let rate = dice.between(1, FEE_RATE_MAX);
        let mut total: u64 = self.spent.iter().map(|coin| coin.value_sats).sum();
        let bytes = |inputs: usize, outputs: u64| 11 + inputs as u64 * 136 + outputs * 33;
        // Too little for what was planned: first pay fewer, then spend more.
        while count > 1 && total < bytes(self.spent.len(), count) * rate + count * DUST_SATS * 2 {
            count -= count.div_ceil(3);
        }
        let mut fee = bytes(self.spent.len(), count) * rate;
        while total < fee + DUST_SATS && self.spent.len() < INPUTS_MAX {
            let Some(coin) = self.coins.take(&mut self.dice) else { break };
            total += coin.value_sats;
            self.spent.push(coin);
            fee = bytes(self.spent.len(), count) * rate;
        }
        if total < fee + DUST_SATS {
            // The last coins of a poor start: the miner takes them for nothing.
            fee = 0;
        }
        self.pays.clear();
        let mut left = total - fee;
        for remaining in (1..count).rev() {
            // Those who pay many pay each a part; who pays one pays up to all there is.
            let most = if remaining == 1 { left - DUST_SATS } else { left / (remaining + 1) * 2 };
            let most = most.min(left - remaining * DUST_SATS).max(DUST_SATS);
            let mut value_sats = self.dice.log_between((most >> PAYMENT_BITS).max(PAYMENT_SATS).min(most), most);
            if value_sats > 100_000 && self.dice.percent(25) {
                value_sats -= value_sats % 10_000;
            }
            let lock = self.receiver();
            self.pays.push(Pay { lock, value_sats });
            left -= value_sats;
        }
        left -= self.extras(left);
        let lock = if self.dice.percent(12) { self.spent[0].lock } else { self.receiver() };
        let lock = if lock == ANCHOR { 0 } else { lock };
        self.pays.push(Pay { lock, value_sats: left });
        let last = self.pays.len() - 1;
        let change = self.dice.index(last + 1);
        self.pays.swap(last, change);
        fee
    }

    /// Now and then, an output with data or an anchor; says what it takes out of `left`.
    fn extras(&mut self, left: u64) -> u64 {
        match self.dice.below(1000) {
            0..40 => {
                self.pays.push(Pay { lock: DATA, value_sats: 0 });
                0
            }
            40..44 if left > 4 * DUST_SATS => {
                self.pays.push(Pay { lock: ANCHOR, value_sats: ANCHOR_SATS });
                ANCHOR_SATS
            }
            _ => 0,
        }
    }

    /// Who gets an output: somebody new, or a lock that was used before.
    fn receiver(&mut self) -> u32 {
        let lock = match self.dice.below(1000) {
            // The busiest service, then the others, each half as busy as the one before.
            0..35 => Some(0),
            35..100 => Some(1 + self.dice.word().trailing_zeros().min(SERVICES - 2)),
            // Somebody who was paid lately.
            100..330 => self.coins.recent_lock(&mut self.dice),
            // Somebody who was ever paid.
            330..390 => u32::try_from(self.dice.below(u64::from(self.fresh))).ok(),
            _ => None,
        };
        match lock {
            Some(lock) if lock != ANCHOR => lock,
            _ => self.fresh_lock(),
        }
    }

    /// Writes the transaction without witness, its witness stacks (none at all where all are empty) and its undo data.
    fn serialise(&mut self, height: u32) -> io::Result<()> {
        let Self { dice, plain, witness, undo, script, .. } = self;
        plain.clear();
        witness.clear();
        undo.clear();
        let version: u32 = if dice.percent(85) { 2 } else { 1 };
        plain.extend_from_slice(&version.to_le_bytes());
        compact_size(plain, self.spent.len() as u64);
        compact_size(undo, self.spent.len() as u64);
        let mut any_witness = false;
        let sequence: u32 = if dice.percent(70) { 0xffff_fffd } else { 0xffff_fffe };
        for coin in &self.spent {
            plain.extend_from_slice(&self.txids.get(coin.transaction)?);
            plain.extend_from_slice(&u32::from(coin.vout).to_le_bytes());
            script.clear();
            any_witness |= self.locks.unlock(coin.lock, dice, script, witness);
            compact_size(plain, script.len() as u64);
            plain.extend_from_slice(script);
            plain.extend_from_slice(&sequence.to_le_bytes());
            script.clear();
            self.locks.script(coin.lock, dice, script);
            let Coin { height, coinbase, value_sats, .. } = *coin;
            spent(undo, Spent { height, coinbase, value_sats, script }, on_curve);
            if let Some(purse) = self.counts.services.get_mut(coin.lock as usize) {
                purse.spent += 1;
                purse.spent_sats += value_sats;
            }
        }
        if !any_witness {
            witness.clear();
        }
        compact_size(plain, self.pays.len() as u64);
        for pay in &self.pays {
            plain.extend_from_slice(&pay.value_sats.to_le_bytes());
            script.clear();
            self.locks.script(pay.lock, dice, script);
            debug_assert!(script.len() <= SCRIPT_BYTES_MAX);
            plain.push(script.len().to_le_bytes()[0]);
            plain.extend_from_slice(script);
        }
        // Some wallets say that a transaction may not be mined before now.
        let lock_time = if dice.percent(30) { height - 1 } else { 0 };
        plain.extend_from_slice(&lock_time.to_le_bytes());
        Ok(())
    }
}

/// An output's number within its transaction.
pub fn vout(at: usize) -> u16 {
    u16::try_from(at).expect("no transaction here has as many outputs")
}

fn inputs_wanted(dice: &mut Dice) -> usize {
    let (low, high) = match dice.below(1000) {
        0..715 => return 1,
        715..895 => return 2,
        895..948 => return 3,
        948..990 => (4, 10),
        990..999 => (11, 40),
        _ => (41, 150),
    };
    usize::try_from(dice.between(low, high)).expect("at most INPUTS_MAX")
}

fn outputs_wanted(dice: &mut Dice) -> u64 {
    let (low, high) = match dice.below(1000) {
        0..215 => return 1,
        215..920 => return 2,
        920..967 => return 3,
        967..985 => (4, 10),
        985..999 => (11, 40),
        _ => (41, 200),
    };
    dice.between(low, high)
}

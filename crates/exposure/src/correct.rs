//! What a changed tag or cluster changes: the transactions that spend the holder's coins, and those downstream of them as
//! far as anything really becomes another.
//!
//! Haircut is linear in its labels, and a difference of labels could be pushed downstream. We mix anew instead, with the very
//! code that streams, because shares are rounded: a difference of rounded shares is not the rounded difference, and errors
//! of many corrections would add up. So a corrected chain is, record for record, what a fresh one would be. A transaction is
//! mixed again at most once in a correction: all that it spends was made before it.

use ledger::{Coins, HolderId, Seq};

use crate::category::{Facts, risks};
use crate::mix::Standing;
use crate::pool::Full;
use crate::stream::Exposure;

/// What a correction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// How many transactions were mixed again.
    pub mixed: u64,
    /// How many came out other than they were.
    pub changed: u64,
    /// The first of these.
    pub first: Option<Seq>,
}

/// The transactions still to be mixed again: a bit for each of the chain. A walk over the bits is in the chain's order,
/// names none twice, and is cheaper than a heap when much has changed.
struct Due {
    words: Vec<u64>,
    end: u64,
    /// No word before this one has a bit.
    at: usize,
}

impl Due {
    fn new(end: Seq) -> Self {
        let words = usize::try_from(end.0.div_ceil(64)).expect("as many transactions are in memory");
        Self { words: vec![0; words], end: end.0, at: words }
    }

    fn put(&mut self, seq: Seq) {
        if seq.0 < self.end {
            let word = usize::try_from(seq.0 / 64).expect("as many transactions are in memory");
            self.words[word] |= 1 << (seq.0 % 64);
            self.at = self.at.min(word);
        }
    }

    fn take_first(&mut self) -> Option<Seq> {
        self.at += self.words[self.at..].iter().position(|word| *word != 0)?;
        let word = &mut self.words[self.at];
        let bit = word.trailing_zeros();
        *word &= *word - 1;
        Some(Seq(self.at as u64 * 64 + u64::from(bit)))
    }
}

impl Exposure {
    /// Sets right what follows from holders whose category, or whose resetting of poison, is now another. The facts are
    /// those after the change.
    pub fn correct<C, F>(&mut self, coins: &C, facts: &F, holders: &[HolderId]) -> Result<Correction, Full>
    where
        C: Coins + ?Sized,
        F: Facts + ?Sized,
    {
        let mut due = Due::new(self.end());
        for holder in holders.iter().filter(|holder| holder.0 < coins.holders()) {
            let mut purse = coins.last_purse(*holder);
            while let Some(own) = purse {
                if let Some(spender) = coins.spent_by(own) {
                    due.put(spender);
                }
                purse = coins.purse_before(own);
            }
        }
        self.remix(coins, facts, due)
    }

    /// Sets right what follows from transactions that are now taken for joins, or no longer are.
    pub fn correct_joins<C, F>(&mut self, coins: &C, facts: &F, joins: &[Seq]) -> Result<Correction, Full>
    where
        C: Coins + ?Sized,
        F: Facts + ?Sized,
    {
        let mut due = Due::new(self.end());
        for join in joins {
            due.put(*join);
        }
        self.remix(coins, facts, due)
    }

    fn remix<C, F>(&mut self, coins: &C, facts: &F, mut due: Due) -> Result<Correction, Full>
    where
        C: Coins + ?Sized,
        F: Facts + ?Sized,
    {
        let risks = risks(facts);
        let (mut report, mut made) = (Correction::default(), Vec::new());
        while let Some(seq) = due.take_first() {
            let at = usize::try_from(seq.0).expect("as many transactions are in memory");
            let (old, new) = (self.ids[at], self.remixed(coins, facts, risks, seq)?);
            report.mixed += 1;
            if self.pool.record_rows(old) == self.pool.record_rows(new) {
                continue;
            }
            self.ids[at] = new;
            self.changed.push(seq.0);
            report.changed += 1;
            report.first = report.first.or(Some(seq));
            coins.made(seq, &mut made);
            for coin in &made {
                // What a custodian spends is the same, whatever it was given.
                if let Some(spender) = coins.spent_by(coin.purse)
                    && !Standing::of(facts, coin.holder).resets()
                {
                    due.put(spender);
                }
            }
        }
        Ok(report)
    }
}

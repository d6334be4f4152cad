//! What is read of a chain: [`Chain`] brings its coins, its verdicts and the tagged services together, and [`Payment`]
//! is what one transaction says about who belongs together.

use std::collections::BTreeMap;

use ledger::{Coin, Coins, HolderId, Seq};

use crate::Verdict;
use crate::keys::Nobody;
use crate::partition::narrow;

/// The verdicts on a chain's transactions.
pub trait Verdicts {
    /// The verdict on a transaction.
    fn verdict(&self, seq: Seq) -> Verdict;
}

impl Verdicts for [Verdict] {
    fn verdict(&self, seq: Seq) -> Verdict {
        self[usize::try_from(seq.0).expect("what fits in memory fits its index")]
    }
}

impl Verdicts for Vec<Verdict> {
    fn verdict(&self, seq: Seq) -> Verdict {
        self.as_slice().verdict(seq)
    }
}

/// Which holders are tagged as a service's, and whose: two distinct numbers must not share a cluster.
pub trait Services {
    /// All of them, ascending by holder, each once.
    fn tagged(&self) -> Vec<(HolderId, u32)>;
}

/// Nobody is tagged.
impl Services for () {
    fn tagged(&self) -> Vec<(HolderId, u32)> {
        Vec::new()
    }
}

impl Services for BTreeMap<HolderId, u32> {
    fn tagged(&self) -> Vec<(HolderId, u32)> {
        self.iter().map(|(holder, service)| (*holder, *service)).collect()
    }
}

/// A chain with its verdicts and its tagged services: all that clusters rest on, but for rulings.
pub struct Chain<'a, C: ?Sized> {
    /// The chain.
    pub coins: &'a C,
    /// What is made of its transactions.
    pub verdicts: &'a dyn Verdicts,
    /// Who is known to be a service.
    pub services: &'a dyn Services,
}

/// What one transaction says: who pays, if the payers are one party, and which other holder its change goes to. Holders
/// that are nobody are left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Payment {
    /// Distinct payers, the oldest first; empty where they are not taken for one party.
    pub payers: Vec<u32>,
    /// The holder of the change, where that is no payer.
    pub change: Option<u32>,
    coins: Vec<Coin>,
}

impl Payment {
    /// Reads a transaction.
    pub fn read<C: Coins + ?Sized>(&mut self, chain: &Chain<'_, C>, nobody: &Nobody, seq: Seq) {
        let verdict = chain.verdicts.verdict(seq);
        self.change = None;
        self.payers.clear();
        if !verdict.joins_inputs() {
            return;
        }
        chain.coins.spent(seq, &mut self.coins);
        self.payers.extend(self.coins.iter().map(|coin| narrow(coin.holder)).filter(|holder| !nobody.has(*holder)));
        if self.payers.len() > 1 {
            self.payers.sort_unstable();
            self.payers.dedup();
        }
        if let Some(change) = verdict.change.filter(|_| !self.payers.is_empty()) {
            chain.coins.made(seq, &mut self.coins);
            let holder = self.coins.get(usize::from(change.output)).map(|coin| narrow(coin.holder));
            self.change = holder.filter(|holder| !nobody.has(*holder) && self.payers.binary_search(holder).is_err());
        }
    }

    /// Whether it says that two holders belong together.
    pub fn co_spends(&self) -> bool {
        self.payers.len() > 1
    }

    /// Everybody whom it may tie together.
    pub fn ends(&self) -> impl Iterator<Item = u32> + '_ {
        self.payers.iter().copied().chain(self.change)
    }
}

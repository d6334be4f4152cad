//! [`Measured`]: how often each rule is right, on a chain whose truth is known: who owned what, and what each transaction was
//! made as.
//!
//! It counts and compares; where the truth comes from (an exercise, a court's exhibits, seized wallets) is the caller's
//! business, and so is what it is called. Figures and their meaning: `docs/methods`.

use std::collections::BTreeMap;

use ledger::{Coin, Coins, HolderId, Seq};

use crate::{Layer, Member, Score, Share, Verdict};

/// Where the bands of stated probability begin, in thousandths: a band is judged by how often it was right.
pub const BANDS_PERMILLE: [u16; 5] = [0, 900, 950, 975, 990];

/// What is known about a chain.
pub trait Truth {
    /// Whose a holder is; the same number for all that one owner has.
    fn owner(&self, holder: HolderId) -> Option<u64>;
    /// What a transaction was made as.
    fn made_as(&self, seq: Seq) -> Option<Made<'_>>;
}

/// What a transaction was made as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made<'a> {
    /// The truth's word for it.
    pub kind: &'a str,
    /// Whether several owners pay.
    pub is_join: bool,
    /// The outputs that are the payer's own, where one owner pays.
    pub change: &'a [u32],
}

/// What one kind of transaction was taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many there are with inputs.
    pub transactions: u64,
    /// Of them, taken for joins.
    pub joins: u64,
    /// Of the rest, with inputs left apart out of doubt.
    pub doubtful: u64,
    /// Of the rest, those whose inputs are of two holders or more, so that a co-spend says something.
    pub united: u64,
    /// Of these, those whose inputs are of two owners or more.
    pub wrongly: u64,
    /// Whether it is a join by the truth.
    pub is_join: bool,
}

/// Figures on one chain.
#[derive(Clone, Debug)]
pub struct Measured {
    /// By kind, in order of its word.
    pub kinds: BTreeMap<String, Taken>,
    /// Of the transactions taken for joins, those that several owners paid for.
    pub join_precision: Share,
    /// Of the transactions that several owners paid for, those taken for joins or left apart.
    pub join_recall: Share,
    /// Of the co-spends applied, those of one owner.
    pub co_spend: Share,
    /// Of the outputs called change, those that are the payer's: in all, then by band of stated probability.
    pub change: [Share; 1 + BANDS_PERMILLE.len()],
    /// Of the single payers' transactions with change and more, those whose change was found.
    pub change_recall: Share,
    /// Each layer's partition.
    pub layers: Vec<(Layer, Score)>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    good: u64,
    of: u64,
}

impl Count {
    fn add(&mut self, is_good: bool) {
        self.of += 1;
        self.good += u64::from(is_good);
    }

    fn share(self) -> Share {
        Share::of_trials(self.good, self.of)
    }
}

#[derive(Default)]
struct Counts {
    kinds: BTreeMap<String, Taken>,
    change: [Count; 1 + BANDS_PERMILLE.len()],
    change_recall: Count,
}

/// A partition, holder by holder: the oldest member of its cluster.
pub type ClusterOf<'a> = &'a dyn Fn(HolderId) -> HolderId;

/// Holds verdicts and partitions against the truth.
pub fn measure<C: Coins + ?Sized>(
    coins: &C,
    truth: &dyn Truth,
    verdict: &dyn Fn(Seq) -> Verdict,
    partitions: &[(Layer, ClusterOf<'_>)],
) -> Measured {
    let mut counts = Counts::default();
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for seq in (0..coins.transactions()).map(Seq) {
        coins.spent(seq, &mut inputs);
        if inputs.is_empty() {
            continue;
        }
        let Some(made) = truth.made_as(seq) else { continue };
        coins.made(seq, &mut outputs);
        counts.add(truth, made, verdict(seq), &inputs, &outputs);
    }
    let layers = partitions.iter().map(|(layer, cluster)| (*layer, score(coins, truth, *cluster))).collect();
    counts.measured(layers)
}

/// What each holder ever received, its owner and its cluster.
fn score<C: Coins + ?Sized>(coins: &C, truth: &dyn Truth, cluster: ClusterOf<'_>) -> Score {
    let mut received = vec![0u64; usize::try_from(coins.holders()).unwrap_or_default()];
    for purse in (0..coins.purse_count()).map(ledger::PurseId) {
        let coin = coins.coin(purse);
        let so_far = usize::try_from(coin.holder.0).ok().and_then(|at| received.get_mut(at));
        if let Some(so_far) = so_far {
            *so_far = so_far.saturating_add(coin.value);
        }
    }
    let members = (0u64..).map(HolderId).zip(received).filter_map(|(holder, value)| {
        let owner = truth.owner(holder)?;
        Some(Member { cluster: cluster(holder).0, owner, value })
    });
    Score::of(members.collect())
}

impl Counts {
    fn add(&mut self, truth: &dyn Truth, made: Made<'_>, verdict: Verdict, inputs: &[Coin], outputs: &[Coin]) {
        let taken = self.kinds.entry(made.kind.to_owned()).or_default();
        taken.transactions += 1;
        taken.is_join = made.is_join;
        if verdict.join.is_some() {
            taken.joins += 1;
        } else if verdict.is_doubtful {
            taken.doubtful += 1;
        } else if inputs.iter().any(|input| input.holder != inputs[0].holder) {
            taken.united += 1;
            let first = truth.owner(inputs[0].holder);
            taken.wrongly += u64::from(inputs.iter().any(|input| truth.owner(input.holder) != first));
        }
        if made.is_join {
            return;
        }
        let payer = truth.owner(inputs[0].holder);
        let is_own =
            |output: u16| outputs.get(usize::from(output)).is_some_and(|coin| truth.owner(coin.holder) == payer);
        let has_change = !made.change.is_empty() && made.change.len() < outputs.len();
        if let Some(change) = verdict.change {
            let good = is_own(change.output);
            let band = BANDS_PERMILLE.iter().rposition(|from| change.permille >= *from).unwrap_or_default();
            self.change[0].add(good);
            self.change[1 + band].add(good);
            if has_change {
                self.change_recall.add(good);
            }
        } else if has_change {
            self.change_recall.add(false);
        }
    }

    fn measured(self, layers: Vec<(Layer, Score)>) -> Measured {
        let sum = |of: fn(&Taken) -> u64, is_join: Option<bool>| -> u64 {
            self.kinds.values().filter(|taken| is_join.is_none_or(|is| taken.is_join == is)).map(of).sum()
        };
        let (found, real) = (sum(|taken| taken.joins, Some(true)), sum(|taken| taken.transactions, Some(true)));
        let apart = found + sum(|taken| taken.doubtful, Some(true));
        let united = sum(|taken| taken.united, None);
        Measured {
            join_precision: Share::of_trials(found, sum(|taken| taken.joins, None)),
            join_recall: Share::of_trials(apart, real),
            co_spend: Share::of_trials(united - sum(|taken| taken.wrongly, None), united),
            change: self.change.map(Count::share),
            change_recall: self.change_recall.share(),
            layers,
            kinds: self.kinds,
        }
    }
}

#[cfg(test)]
mod tests {
    use ledger::memory::MemoryLedger;
    use ledger::{Kind, LedgerId, Outpoint, Time, UtxoBlock, UtxoInput, UtxoOutput, UtxoTransaction};
    use money::{Amount, Asset};

    use super::*;
    use crate::{Change, Join, Partition};

    fn output(holder: &str, sats: u128) -> UtxoOutput {
        UtxoOutput { amount: Amount::new(sats), holder: holder.into() }
    }

    fn transaction(nth: u8, inputs: &[(u8, u32)], outputs: &[(&str, u128)]) -> UtxoTransaction {
        let inputs = inputs
            .iter()
            .map(|(of, vout)| UtxoInput { outpoint: Outpoint { txid: [*of; 32], vout: *vout }, spent: None });
        let outputs = outputs.iter().map(|(holder, sats)| output(holder, *sats)).collect();
        UtxoTransaction { txid: [nth; 32], inputs: inputs.collect(), outputs, fee: None }
    }

    /// Alice has a1, a2, a3; Bob b1, b2. One payment with change, one join that is seen, one that is not.
    fn chain() -> MemoryLedger {
        let coin = Asset { symbol: "BTC".into(), scale: 8 };
        let mut chain = MemoryLedger::new(LedgerId::parse("bitcoin").unwrap(), Kind::Utxo, vec![coin]);
        let transactions = vec![
            transaction(1, &[], &[("a1", 50), ("a2", 60), ("b1", 70)]),
            transaction(2, &[(1, 0), (1, 1)], &[("b2", 30), ("a3", 80)]),
            transaction(3, &[(2, 1), (1, 2)], &[("a3", 75), ("b1", 75)]),
            transaction(4, &[(3, 0), (3, 1)], &[("a1", 75), ("b2", 75)]),
        ];
        let time = Time::parse("2024-01-01").unwrap();
        chain.push_block(&UtxoBlock { height: 0, hash: [9; 32], previous: None, time, transactions });
        chain
    }

    struct Known<'a>(&'a MemoryLedger);

    impl Truth for Known<'_> {
        fn owner(&self, holder: HolderId) -> Option<u64> {
            let name = ledger::Ledger::holder_name(self.0, holder);
            Some(u64::from(name.starts_with('b')))
        }

        fn made_as(&self, seq: Seq) -> Option<Made<'_>> {
            let (kind, is_join, change): (_, _, &[u32]) = match seq.0 {
                1 => ("pay", false, &[1]),
                2 | 3 => ("join", true, &[]),
                _ => return None,
            };
            Some(Made { kind, is_join, change })
        }
    }

    #[test]
    fn what_is_right_and_what_is_wrong_is_counted() {
        let chain = chain();
        let verdict = |seq: Seq| match seq.0 {
            1 => Verdict { change: Some(Change { output: 1, permille: 960, votes: 0 }), ..Verdict::default() },
            2 => Verdict { join: Some(Join::EqualOutputs), ..Verdict::default() },
            _ => Verdict::default(),
        };
        let find = |name: &str| ledger::Ledger::find_holder(&chain, name).unwrap();
        let mut partition = Partition::new();
        partition.grow(Coins::holders(&chain)).unwrap();
        partition.unite(find("a1"), find("a2"));
        partition.unite(find("a3"), find("b1"));
        let found = measure(&chain, &Known(&chain), &verdict, &[(Layer::CoSpend, &|holder| partition.cluster(holder))]);
        let joins = Taken { transactions: 2, joins: 1, united: 1, wrongly: 1, is_join: true, ..Taken::default() };
        assert_eq!(found.kinds["join"], joins);
        assert_eq!((found.join_precision.of, found.join_recall.of, found.co_spend.of), (1, 2, 2));
        assert!((found.join_recall.share - 0.5).abs() < 1e-12 && (found.co_spend.share - 0.5).abs() < 1e-12);
        assert_eq!(found.change.map(|share| share.of), [1, 0, 0, 1, 0, 0]);
        assert!(found.change[0].share > 0.99 && found.change_recall.of == 1);
        let (_, score) = found.layers[0];
        assert_eq!((score.pair_precision.of, score.pair_recall.of, score.mixed_clusters), (2, 4, 1));
    }
}

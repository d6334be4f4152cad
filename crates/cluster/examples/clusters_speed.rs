//! How long clusters take on a made-up chain in memory: all at once, block by block, a thousand random retractions and
//! restorations, and explanations. `cargo run --release -p cluster --example clusters_speed [HOLDERS]`
//!
//! Wallets of very different sizes pay each other; an exchange with one address that is paid again and again sweeps its
//! customers' deposits. A whale and a very long chain of change are the hard cases. It measures machinery and memory, not how good heuristics are, and reads no book: a book's
//! pages come on top.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cluster::{Active, Chain, Change, Clusters, Edge, Layer, Verdict};
use ledger::network::NETWORKS;
use ledger::{Coin, Coins, HolderId, Lock, Network, PurseId, Seq};

const NONE: u32 = u32::MAX;
const VALUE: u64 = 10_000;
const WHALE: usize = 1;
const PEELER: usize = 2;

/// A chain in flat arrays.
#[derive(Default)]
struct Made {
    first_input: Vec<u32>,
    first_output: Vec<u32>,
    inputs: Vec<u32>,
    holder: Vec<u32>,
    maker: Vec<u32>,
    spender: Vec<u32>,
    before: Vec<u32>,
    last: Vec<u32>,
    verdicts: Vec<Verdict>,
    /// The peeler's payments.
    peels: Vec<u32>,
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).expect("the example stays below 2^32")
}

impl Made {
    fn new_holder(&mut self) -> u32 {
        self.last.push(NONE);
        narrow(self.last.len() - 1)
    }

    fn pay(&mut self, inputs: &[u32], outputs: &[u32], change: Option<u16>) -> Vec<u32> {
        let seq = narrow(self.verdicts.len());
        self.first_input.push(narrow(self.inputs.len()));
        self.first_output.push(narrow(self.holder.len()));
        for input in inputs {
            self.inputs.push(*input);
            self.spender[*input as usize] = seq;
        }
        let change = change.map(|output| Change { output, permille: 900, votes: 0 });
        self.verdicts.push(Verdict { join: None, is_doubtful: false, change });
        let made = outputs.iter().map(|holder| {
            let purse = narrow(self.holder.len());
            self.holder.push(*holder);
            self.maker.push(seq);
            self.spender.push(NONE);
            self.before.push(std::mem::replace(&mut self.last[*holder as usize], purse));
            purse
        });
        made.collect()
    }

    /// Wallet 0 is the exchange, wallet 1 a whale that makes a third of all payments, wallet 2 peels one coin off at a
    /// time, all the way; the others are drawn so that few are busy.
    fn grow(holders: usize, dice: &mut Dice) -> Self {
        let mut made = Self::default();
        let wallets = holders / 12;
        let mut purses: Vec<Vec<u32>> = vec![Vec::new(); wallets];
        let hot = made.new_holder();
        let mut used: Vec<u32> = Vec::new();
        while made.last.len() < holders {
            let rank = (dice.below(1 << 20) * dice.below(1 << 20)) >> 20;
            let payer = match dice.below(12) {
                0..4 => WHALE,
                4 => PEELER,
                _ => 3 + usize::try_from((rank * (wallets as u64 - 3)) >> 20).expect("a wallet's number"),
            };
            let spends = if payer == PEELER { 1 } else { 1 + dice.below(3) }.min(purses[payer].len() as u64);
            let inputs: Vec<u32> = (0..spends)
                .map(|_| {
                    let at = dice.below(purses[payer].len() as u64);
                    purses[payer].swap_remove(usize::try_from(at).expect("a place"))
                })
                .collect();
            let payee = match dice.below(12) {
                0 | 1 => 0,
                2..6 => WHALE,
                _ => 3 + usize::try_from(dice.below(wallets as u64 - 3)).expect("a wallet's number"),
            };
            // The whale uses its addresses again and again.
            let mut outputs = [payee, payer].map(|wallet| {
                let again = wallet == WHALE && !used.is_empty() && dice.below(2) == 0;
                if again { used[at(dice.below(used.len() as u64))] } else { made.new_holder() }
            });
            if outputs[0] == outputs[1] {
                outputs[1] = made.new_holder();
            }
            used.extend((payer == WHALE).then_some(outputs[1]));
            let change = (!inputs.is_empty() && (payer == PEELER || dice.below(2) == 0)).then_some(1);
            if payer == PEELER {
                made.peels.push(narrow(made.verdicts.len()));
            }
            let new = made.pay(&inputs, &outputs, change);
            purses[payee].push(new[0]);
            purses[payer].push(new[1]);
            if purses[0].len() > 8 {
                let mut sweep = std::mem::take(&mut purses[0]);
                sweep.extend(Some(made.last[hot as usize]).filter(|last| *last != NONE));
                made.pay(&sweep, &[hot], None);
            }
        }
        made.first_input.push(narrow(made.inputs.len()));
        made.first_output.push(narrow(made.holder.len()));
        made
    }
}

impl Coins for Made {
    fn network(&self) -> &'static Network {
        &NETWORKS[0]
    }

    fn transactions(&self) -> u64 {
        self.verdicts.len() as u64
    }

    fn holders(&self) -> u64 {
        self.last.len() as u64
    }

    fn purse_count(&self) -> u64 {
        self.holder.len() as u64
    }

    fn spent(&self, seq: Seq, into: &mut Vec<Coin>) {
        into.clear();
        let (from, to) = (self.first_input[at(seq.0)], self.first_input[at(seq.0) + 1]);
        into.extend(self.inputs[from as usize..to as usize].iter().map(|purse| self.coin(PurseId(u64::from(*purse)))));
    }

    fn made(&self, seq: Seq, into: &mut Vec<Coin>) {
        into.clear();
        into.extend(
            (self.first_output[at(seq.0)]..self.first_output[at(seq.0) + 1])
                .map(|purse| self.coin(PurseId(u64::from(purse)))),
        );
    }

    fn coin(&self, purse: PurseId) -> Coin {
        Coin { purse, holder: HolderId(u64::from(self.holder[at(purse.0)])), value: VALUE }
    }

    fn made_by(&self, purse: PurseId) -> Option<Seq> {
        Some(Seq(u64::from(self.maker[at(purse.0)])))
    }

    fn spent_by(&self, purse: PurseId) -> Option<Seq> {
        Some(self.spender[at(purse.0)]).filter(|seq| *seq != NONE).map(|seq| Seq(u64::from(seq)))
    }

    fn last_purse(&self, holder: HolderId) -> Option<PurseId> {
        Some(self.last[at(holder.0)]).filter(|purse| *purse != NONE).map(|purse| PurseId(u64::from(purse)))
    }

    fn purse_before(&self, purse: PurseId) -> Option<PurseId> {
        Some(self.before[at(purse.0)]).filter(|purse| *purse != NONE).map(|purse| PurseId(u64::from(purse)))
    }

    fn lock(&self, holder: HolderId) -> Lock {
        let mut dice = Dice(holder.0 << 8);
        let mut script = vec![0, 20];
        while script.len() < 22 {
            script.extend(dice.below(u64::MAX).to_le_bytes());
        }
        Lock::of_script(&script[..22])
    }

    fn find_lock(&self, _: &Lock) -> Option<HolderId> {
        None
    }
}

fn at(number: u64) -> usize {
    usize::try_from(number).expect("the example stays below 2^32")
}

fn line(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let part = |of: usize| times[(times.len() - 1) * of / 1_000];
    println!("{what}: p50 {:?}, p95 {:?}, p99 {:?}, most {:?}", part(500), part(950), part(990), part(1_000));
}

fn toggles(clusters: &mut Clusters, chain: &Chain<'_, Made>, edges: &[Edge], what: &str) {
    let mut rules = Active::default();
    for off in [true, false] {
        let mut times = Vec::new();
        for edge in edges {
            rules.set(*edge, off);
            let new = rules.clone();
            let start = Instant::now();
            clusters.rule(chain, new);
            times.push(start.elapsed());
        }
        line(&format!("{} {} {what}", if off { "retract" } else { "restore" }, edges.len()), &mut times);
    }
}

fn main() {
    let holders = std::env::args().nth(1).map_or(10_000_000, |text| text.parse().expect("a number of holders"));
    let mut dice = Dice(4);
    let coins = Made::grow(holders, &mut dice);
    println!("{} holders, {} transactions, {} outputs", coins.holders(), coins.transactions(), coins.purse_count());
    let services = BTreeMap::from([(HolderId(0), 1)]);
    let chain = Chain { coins: &coins, verdicts: &coins.verdicts, services: &services };
    let mut clusters = Clusters::new();
    let start = Instant::now();
    let end = coins.transactions();
    clusters.advance(&chain, Seq(end - 30_000)).expect("few enough holders");
    println!("all but 30,000 transactions: {:?}", start.elapsed());
    let mut times = Vec::new();
    for block in 1..=10 {
        let start = Instant::now();
        clusters.advance(&chain, Seq(end - 30_000 + 3_000 * block)).expect("few enough holders");
        times.push(start.elapsed());
    }
    line("a block of 3,000 transactions", &mut times);
    for layer in Layer::ALL {
        let partition = clusters.partition(layer);
        let largest = partition.columns()[2].iter().max();
        println!("{}: {} clusters, the largest of {largest:?}", layer.as_str(), partition.clusters());
        clusters.take_changes(layer);
    }
    let mut some = |kind: fn(Seq) -> Edge, is_it: &dyn Fn(u64) -> bool| -> Vec<Edge> {
        let mut edges = Vec::new();
        while edges.len() < 1_000 {
            let seq = dice.below(end);
            if is_it(seq) {
                edges.push(kind(Seq(seq)));
            }
        }
        edges
    };
    let inputs = |seq: u64| coins.first_input[at(seq) + 1] - coins.first_input[at(seq)];
    let co_spends = some(Edge::CoSpend, &|seq| inputs(seq) > 1);
    let sweeps = some(Edge::CoSpend, &|seq| inputs(seq) > 8);
    let changes = some(Edge::Change, &|seq| coins.verdicts[at(seq)].change.is_some());
    toggles(&mut clusters, &chain, &co_spends, "co-spends");
    toggles(&mut clusters, &chain, &sweeps, "sweeps of an exchange");
    toggles(&mut clusters, &chain, &changes, "changes");
    let peels: Vec<Edge> =
        (0..20).map(|nth| Edge::Change(Seq(u64::from(coins.peels[coins.peels.len() * nth / 20])))).collect();
    toggles(&mut clusters, &chain, &peels, "links of one long chain");
    let mut times = Vec::new();
    let mut longest = 0;
    for _ in 0..200 {
        let one = HolderId(dice.below(coins.holders()));
        let size = clusters.partition(Layer::Change).size(one);
        let other = clusters.partition(Layer::Change).members(one).nth(at(dice.below(size.min(10_000))));
        let start = Instant::now();
        let way = clusters.explain(&chain, one, other.expect("a member"), Layer::Change);
        times.push(start.elapsed());
        longest = longest.max(way.map_or(0, |way| way.len()));
    }
    line(&format!("explain 200 pairs, the longest of {longest} steps"), &mut times);
    let mut clean = Clusters::new();
    clean.advance(&chain, Seq(end)).expect("few enough holders");
    let same = Layer::ALL.into_iter().all(|layer| clean.partition(layer) == clusters.partition(layer));
    println!("equal to a clean run: {same}");
    let start = Instant::now();
    clusters.undo_to(&chain, Seq(end - 3_000));
    println!("a block taken back: {:?}", start.elapsed());
}

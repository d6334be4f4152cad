//! [`Clusters`]: both layers of clusters of a chain, kept up as it grows, as rulings and tags change, and as it is cut.
//!
//! Everything here is a pure function of the chain, its verdicts, the tagged services and the rulings: evidence is
//! taken in chain order (of one transaction: wraps of the holders that appear, then the co-spend, then the change),
//! and what would put two services into one cluster is quarantined. Each layer for itself: on the higher one a co-spend
//! may be quarantined that the lower one takes, since change had tied its inputs to services. Change counts where the payers
//! are one party: with its transaction's co-spend retracted or quarantined, nobody knows whose change it would be.
//!
//! Growing is here; [`crate::retract`] does the rest, and everything it does must give what growing from nothing gives.

use std::collections::BTreeMap;

use ledger::{Coins, HolderId, Seq};

use crate::evidence::{Chain, Payment};
use crate::journal::Journal;
use crate::keys::Nobody;
use crate::partition::{PartitionError, narrow};
use crate::sheet::{Mark, Open, Problem, Sheet};
use crate::wraps::{Wrap, Wraps};
use crate::{Active, Edge, Layer, Partition};

/// A batch counts as large, and is taken in bulk, if it has one transaction for so many holders.
const BULK_PART: u64 = 16;

/// Both layers of clusters. See the module's text.
#[derive(Clone, Debug)]
pub struct Clusters {
    pub(crate) sheets: [Sheet; 2],
    pub(crate) wraps: Wraps,
    pub(crate) rules: Active,
    /// The tagged services as they were last taken.
    pub(crate) services: BTreeMap<u32, u32>,
    /// How many transactions were taken.
    pub(crate) done: u64,
    pub(crate) journal: Journal,
}

impl Default for Clusters {
    fn default() -> Self {
        Self::new()
    }
}

/// What clusters are made of again after they were kept; see [`Clusters::parts`].
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// How many transactions were taken.
    pub done: u64,
    /// Labels, layer by layer.
    pub labels: [Vec<u32>; 2],
    /// A tag for each holder, see [`Wraps`].
    pub tags: Vec<u32>,
    /// Wraps, by the younger holder.
    pub wraps: Vec<Wrap>,
    /// Quarantined edges, as [`Clusters::problems`] gave them.
    pub problems: Vec<Problem>,
    /// The rulings that were applied.
    pub rules: Active,
    /// The tagged services that were applied.
    pub services: BTreeMap<HolderId, u32>,
    /// Recent edges, see [`Journal`]. Without it a reorganisation costs a full run.
    pub journal: Journal,
}

/// How many holders there are before a transaction.
pub(crate) fn holders_before<C: Coins + ?Sized>(coins: &C, until: u64) -> u64 {
    if until >= coins.transactions() {
        return coins.holders();
    }
    let mut found = Vec::new();
    for seq in (0..until).rev().map(Seq) {
        coins.spent(seq, &mut found);
        // Outputs from before the first block appear where they are spent.
        found.retain(|coin| coins.made_by(coin.purse).is_none());
        let mut new = std::mem::take(&mut found);
        coins.made(seq, &mut found);
        new.append(&mut found);
        new.retain(|coin| coins.purse_before(coin.purse).is_none());
        if let Some(HolderId(youngest)) = new.iter().map(|coin| coin.holder).max() {
            return youngest + 1;
        }
    }
    0
}

impl Clusters {
    /// Of a chain of which nothing was taken yet.
    pub fn new() -> Self {
        Self {
            sheets: Layer::ALL.map(Sheet::new),
            wraps: Wraps::default(),
            rules: Active::default(),
            services: BTreeMap::new(),
            done: 0,
            journal: Journal::default(),
        }
    }

    /// How many transactions were taken.
    pub fn done(&self) -> Seq {
        Seq(self.done)
    }

    /// A layer's partition.
    pub fn partition(&self, layer: Layer) -> &Partition {
        &self.sheets[layer as usize].partition
    }

    /// A layer's partition, to take its changes.
    pub fn take_changes(&mut self, layer: Layer) -> crate::Changes {
        self.sheets[layer as usize].partition.take_changes()
    }

    /// The wraps and tags.
    pub fn wraps(&self) -> &Wraps {
        &self.wraps
    }

    /// The rulings that were applied.
    pub fn rules(&self) -> &Active {
        &self.rules
    }

    /// The edges of the newest transactions.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The tagged services that were applied.
    pub fn services(&self) -> BTreeMap<HolderId, u32> {
        self.services.iter().map(|(holder, service)| (HolderId(u64::from(*holder)), *service)).collect()
    }

    /// All quarantined edges, layer by layer, in the order of [`Edge`].
    pub fn problems(&self) -> Vec<Problem> {
        let of_sheet = |sheet: &Sheet| {
            let layer = sheet.layer;
            let problem = move |(edge, held): (&Edge, &crate::sheet::Held)| Problem {
                seq: Seq(held.seq),
                edge: *edge,
                layer,
                conflict: held.conflict,
            };
            sheet.quarantine.iter().map(problem).collect::<Vec<_>>()
        };
        self.sheets.iter().flat_map(of_sheet).collect()
    }

    /// Whether an edge stands on a layer: not retracted, not quarantined.
    pub fn stands(&self, edge: Edge, layer: Layer) -> bool {
        layer.has(edge.heuristic())
            && !self.rules.is_off(edge)
            && !self.sheets[layer as usize].quarantine.contains_key(&edge)
    }

    /// What they are made of, to be kept.
    pub fn parts(&self) -> Parts {
        Parts {
            done: self.done,
            labels: Layer::ALL.map(|layer| self.partition(layer).columns()[0].to_vec()),
            tags: self.wraps.tags().to_vec(),
            wraps: self.wraps.edges().to_vec(),
            problems: self.problems(),
            rules: self.rules.clone(),
            services: self.services(),
            journal: self.journal.clone(),
        }
    }

    /// Makes them again of what was kept. The chain must hold at least the transactions that were taken.
    pub fn of_parts<C: Coins + ?Sized>(chain: &Chain<'_, C>, parts: Parts) -> Result<Self, PartitionError> {
        let mut clusters = Self::new();
        for (sheet, labels) in clusters.sheets.iter_mut().zip(parts.labels) {
            sheet.partition = Partition::of_labels(labels)?;
        }
        clusters.wraps = Wraps::of_parts(parts.tags, parts.wraps);
        clusters.rules = parts.rules;
        clusters.done = parts.done;
        clusters.journal = parts.journal;
        clusters.services = parts.services.iter().map(|(holder, service)| (narrow(*holder), *service)).collect();
        let (nobody, mut payment) = (Nobody::of(chain.coins), Payment::default());
        for problem in parts.problems {
            let ends = match problem.edge {
                Edge::Wrap(younger) => {
                    clusters.wraps.of(younger).map_or(Vec::new(), |wrap| vec![wrap.oldest, wrap.younger])
                }
                Edge::CoSpend(seq) | Edge::Change(seq) => {
                    payment.read(chain, &nobody, seq);
                    payment.ends().collect()
                }
            };
            let held = crate::sheet::Held { seq: problem.seq.0, conflict: problem.conflict, ends };
            clusters.sheets[problem.layer as usize].quarantine.insert(problem.edge, held);
        }
        let marks: Vec<(u32, Mark)> = clusters.each_mark().collect();
        for sheet in &mut clusters.sheets {
            for (holder, mark) in &marks {
                sheet.marks.add(sheet.partition.label[crate::partition::at(*holder)], *mark);
            }
        }
        Ok(clusters)
    }

    /// Who is marked, and how.
    pub(crate) fn each_mark(&self) -> impl Iterator<Item = (u32, Mark)> + '_ {
        let holders = self.partition(Layer::CoSpend).holders();
        let services = self.services.iter().map(|(holder, service)| (*holder, (0, *service)));
        let apart = (1u32..).zip(self.rules.apart());
        let sides = apart.flat_map(|(group, (one, other))| [(*one, (group, 0)), (*other, (group, 1))]);
        services.chain(sides.filter(move |(holder, _)| u64::from(*holder) < holders))
    }

    /// Takes the chain's transactions from where it stands up to `until`, and the services as they are tagged now.
    /// Gives the edges that were quarantined in this.
    pub fn advance<C: Coins + ?Sized>(
        &mut self,
        chain: &Chain<'_, C>,
        until: Seq,
    ) -> Result<Vec<Problem>, PartitionError> {
        self.retag(chain);
        let (from, until) = (self.done, until.0.min(chain.coins.transactions()));
        if until <= from {
            return Ok(Vec::new());
        }
        let holders = holders_before(chain.coins, until);
        for sheet in &mut self.sheets {
            sheet.partition.grow(holders)?;
        }
        let place = self.wraps.grow(chain.coins, u32::try_from(holders).expect("a partition has as many"));
        // Tags and rulings of holders that appear only now.
        self.retag(chain);
        if !self.rules.apart().is_empty() {
            for layer in Layer::ALL {
                self.mark_all(layer);
            }
        }
        self.take(chain, from..until, place);
        self.done = until;
        let mut problems = self.problems();
        problems.retain(|problem| problem.seq.0 >= from);
        Ok(problems)
    }

    fn take<C: Coins + ?Sized>(&mut self, chain: &Chain<'_, C>, range: std::ops::Range<u64>, place: usize) {
        let Self { sheets, wraps, rules, journal, .. } = self;
        let in_bulk = range.end - range.start > sheets[0].partition.holders() / BULK_PART;
        let mut open: Vec<Open<'_>> = sheets.iter_mut().map(|sheet| sheet.open(in_bulk)).collect();
        let nobody = Nobody::of(chain.coins);
        let (mut payment, mut coins) = (Payment::default(), Vec::new());
        let mut appearing = wraps.edges_from(place).iter_mut().peekable();
        journal.begin(range.clone());
        for seq in range {
            if appearing.peek().is_some() {
                let youngest = youngest(chain.coins, Seq(seq), &mut coins);
                while let Some(wrap) = appearing.next_if(|wrap| Some(wrap.younger) <= youngest) {
                    wrap.seq = seq;
                    for open in &mut open {
                        open.take_wrap(rules, *wrap);
                    }
                }
            }
            payment.read(chain, &nobody, Seq(seq));
            journal.add(seq, &payment);
            for open in &mut open {
                open.take(rules, seq, &payment);
            }
        }
        journal.prune();
        for open in open {
            open.close();
        }
    }
}

/// The youngest holder that a transaction touches.
fn youngest<C: Coins + ?Sized>(coins: &C, seq: Seq, found: &mut Vec<ledger::Coin>) -> Option<u32> {
    coins.spent(seq, found);
    let spent = found.iter().map(|coin| coin.holder).max();
    coins.made(seq, found);
    found.iter().map(|coin| coin.holder).max().max(spent).map(narrow)
}

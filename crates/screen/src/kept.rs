//! [`KeptChain`]: what is kept of a chain in the book, as a screening asks for it.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use book::{Book, UtxoLedger};
use cluster::{Active, Edge, Layer, Verdict};
use exposure::{Category, Vector, Vectors};
use know::{Stops, exposure_is_risk};
use ledger::{Coins, HolderId, Ledger, LedgerId, PurseId, Seq, UtxoTransaction, txid_text};
use money::Amount;
use upkeep::{Kept, Known};

use crate::chain::{Facts, Pending};
use crate::finding::{self, Exposure, Tagged, Versions};
use crate::joined::Joined;
use crate::origins::Origins;
use crate::tags::Said;

/// How many quarantined edges are looked at.
const QUARANTINED_MAX: usize = 10_000;
/// How many of them are named for one cluster.
const NAMED_MAX: usize = 5;

/// What is kept of a chain.
pub struct KeptChain<'a> {
    ledger: &'a UtxoLedger,
    kept: Kept,
    active: Active,
    stops: Stops,
    quarantined: OnceCell<BTreeMap<HolderId, Vec<Edge>>>,
    entities: RefCell<BTreeMap<HolderId, String>>,
}

impl<'a> KeptChain<'a> {
    /// What is kept of this chain; `None` where nothing is.
    pub fn open(book: &Book, id: &LedgerId, ledger: &'a UtxoLedger) -> Result<Option<Self>, String> {
        let Some(kept) = Kept::open(book, id).map_err(|error| error.to_string())? else { return Ok(None) };
        let rulings = kept.rulings().map_err(|error| error.to_string())?;
        let active = rulings.resolve(ledger).active;
        let (quarantined, entities) = Default::default();
        Ok(Some(Self {
            ledger,
            kept,
            active,
            stops: upkeep::stops(book).map_err(|error| error.to_string())?,
            quarantined,
            entities,
        }))
    }

    /// Why what is kept is not up to the ledger and these tags, in words; nothing where it is.
    pub fn lags(&self, tags: &str) -> Option<String> {
        let as_of = self.kept.as_of();
        let tip = self.ledger.tip().map(|tip| txid_text(&tip.hash));
        if as_of.block.as_ref().map(|block| &block.hash) != tip.as_ref() || !as_of.is_whole() {
            let at = as_of.block.as_ref().map_or("nothing".to_owned(), |block| format!("block {}", block.height));
            return Some(format!("clusters and exposure are as of {at}, behind the ledger"));
        }
        (as_of.tags != tags).then(|| "clusters and exposure are of other tags than the book has now".to_owned())
    }

    fn tagged_of(&self, known: Known) -> Tagged {
        let stop = known.stop.map(know::StopKind::as_str);
        let said = Said { category: known.category, stop, entity: &known.entity, risks: &known.risks };
        let more = known.claims_in_all.saturating_sub(known.claims.len() as u64);
        let mut tagged = said.tagged(self.stops.rules(), known.confidence, known.claims);
        tagged.claims_more += more;
        tagged
    }

    /// What a holder is called: by its own tag, else by its cluster's, which is read once: a service has many addresses.
    fn entity(&self, holder: HolderId) -> String {
        if let Some(known) = self.kept.direct(holder).ok().flatten() {
            return known.entity;
        }
        let cluster = self.kept.cluster(holder, Layer::CoSpend);
        if let Some(entity) = self.entities.borrow().get(&cluster) {
            return entity.clone();
        }
        let first = self.kept.inherited(holder).ok().and_then(|all| all.from.into_iter().next());
        let entity = first.map(|(_, known)| known.entity).unwrap_or_default();
        self.entities.borrow_mut().insert(cluster, entity.clone());
        entity
    }

    /// The quarantined edges by the clusters that they would tie to others.
    fn quarantined_edges(&self) -> Result<&BTreeMap<HolderId, Vec<Edge>>, String> {
        if self.quarantined.get().is_none() {
            let problems = self.kept.problems().map_err(|error| error.to_string())?;
            let mut by_cluster: BTreeMap<HolderId, Vec<Edge>> = BTreeMap::new();
            let mut spent = Vec::new();
            let of_tags = problems.into_iter().filter(|problem| problem.layer == Layer::CoSpend);
            for problem in of_tags.take(QUARANTINED_MAX) {
                self.ledger.spent(problem.seq, &mut spent);
                let ends = match problem.edge {
                    Edge::Wrap(holder) => vec![holder],
                    Edge::CoSpend(_) | Edge::Change(_) => crate::chain::holders(&spent),
                };
                let clusters: BTreeSet<HolderId> =
                    ends.into_iter().map(|holder| self.kept.cluster(holder, Layer::CoSpend)).collect();
                for cluster in clusters {
                    by_cluster.entry(cluster).or_default().push(problem.edge);
                }
            }
            let _ = self.quarantined.set(by_cluster);
        }
        Ok(self.quarantined.get().expect("it was set just now, or before"))
    }

    fn with_origins<T>(&self, run: impl FnOnce(&Origins<'_, UtxoLedger, Self, Self>) -> T) -> T {
        let entity = |holder| self.entity(holder);
        run(&Origins { ledger: self.ledger, facts: self, vectors: self, entity: &entity })
    }
}

impl exposure::Facts for KeptChain<'_> {
    fn category(&self, holder: HolderId) -> Option<Category> {
        self.kept.category(holder)
    }

    fn resets_poison(&self, holder: HolderId) -> bool {
        self.kept.resets_poison(holder)
    }

    fn is_join(&self, seq: Seq) -> bool {
        self.kept.verdict(seq).join.is_some()
    }

    fn is_risk(&self, category: Category) -> bool {
        exposure_is_risk(category.0)
    }
}

impl Vectors for KeptChain<'_> {
    fn vector(&self, seq: Seq) -> Vector {
        self.kept.vector(seq)
    }
}

impl Facts for KeptChain<'_> {
    fn tagged(&self, holder: HolderId) -> Result<Option<Tagged>, String> {
        let known = self.kept.direct(holder).map_err(|error| error.to_string())?;
        Ok(known.map(|known| self.tagged_of(known)))
    }

    fn inherited(&self, holder: HolderId, limit: usize) -> Result<(Vec<(HolderId, Tagged)>, u64), String> {
        let inherited = self.kept.inherited(holder).map_err(|error| error.to_string())?;
        let cut = inherited.from.len().saturating_sub(limit) as u64;
        let from = inherited.from.into_iter().take(limit).map(|(holder, known)| (holder, self.tagged_of(known)));
        Ok((from.collect(), inherited.more + cut))
    }

    fn quarantined(&self, holder: HolderId) -> Result<Vec<String>, String> {
        let edges = self.quarantined_edges()?.get(&self.kept.cluster(holder, Layer::CoSpend));
        let edges = edges.into_iter().flatten().take(NAMED_MAX);
        let text = |edge: &Edge| format!("{} would join what cannot be one; it is quarantined", edge.name(self.ledger));
        Ok(edges.map(text).collect())
    }

    fn cluster(&self, holder: HolderId, layer: Layer) -> (HolderId, u64) {
        (self.kept.cluster(holder, layer), self.kept.cluster_size(holder, layer))
    }

    fn path(&self, from: HolderId, to: HolderId) -> Vec<finding::Edge> {
        let verdict = |seq| self.kept.verdict(seq);
        let cluster = |holder| self.kept.cluster(holder, Layer::CoSpend);
        let joined = Joined { coins: self.ledger, verdict: &verdict, active: &self.active, cluster: &cluster };
        let name = |holder| Ledger::holder_name(self.ledger, holder);
        let way = joined.way(from, to).into_iter();
        way.map(|(from, to, edge)| finding::Edge { name: edge.name(self.ledger), from: name(from), to: name(to) })
            .collect()
    }

    fn verdict(&self, seq: Seq) -> Verdict {
        self.kept.verdict(seq)
    }

    fn exposure(&self, holder: HolderId) -> (Exposure, Vec<String>) {
        let first_out = |purse: PurseId| self.kept.first_out(self.ledger, purse);
        self.with_origins(|origins| origins.holder(holder, &first_out))
    }

    fn exposure_of(&self, seq: Seq) -> (Exposure, Vec<String>) {
        self.with_origins(|origins| origins.transaction(seq))
    }

    fn pending(&self, transaction: &UtxoTransaction, fee: Amount) -> Pending {
        self.with_origins(|origins| crate::pending::pending(self.ledger, origins, transaction, fee))
    }

    fn versions(&self) -> Versions {
        let as_of = self.kept.as_of();
        let [verdicts, clusters, exposure] = as_of.methods;
        let methods = [("verdicts", verdicts), ("clusters", clusters), ("exposure", exposure)];
        let last = self.ledger.transactions().min(as_of.judged).checked_sub(1);
        let rules = ("tag-rules".to_owned(), as_of.tag_rules.clone());
        Versions {
            height: as_of.block.as_ref().map(|block| block.height),
            block: as_of.block.as_ref().map(|block| block.hash.clone()),
            time: last.map(|last| self.ledger.stamp(Seq(last)).time),
            transactions: as_of.judged,
            tags: as_of.tags.clone(),
            rulings: as_of.rulings.clone(),
            methods: methods.map(|(name, of)| (name.to_owned(), of.to_string())).into_iter().chain([rules]).collect(),
        }
    }
}

//! [`Kept`]: what is kept of a ledger, as it is read. Opening it reads a manifest; an answer about one holder reads a few pages.

use std::collections::{BTreeMap, HashSet};

use book::{Annex, Book, BookError, UtxoLedger, partition_point};
use cluster::{Clusters, Layer, Problem, Rulings, Verdict};
use exposure::{Category, Record, Vector, Vectors};
use ledger::{Coins, HolderId, LedgerId, PurseId, Seq};

use crate::kinds::{INHERITED_ON, Kind, kind_of};
use crate::spec::{CLUSTERS, MEMBERS, RULINGS, SPEC, STANDINGS, VECTOR_IDS, VECTORS, VERDICTS, tables, u32_at, u64_at};
use crate::standings::{self, Known, Row};
use crate::{AsOf, UpkeepError, clustering};

/// How many tagged members of a cluster are read for an answer.
pub const INHERITED_READ_MAX: usize = 1_000;
/// How many of them are given.
pub const INHERITED_MAX: usize = 50;

/// What is kept of a ledger: verdicts, clusters, standings and exposure of one commit.
#[derive(Debug)]
pub struct Kept {
    annex: Annex,
    as_of: AsOf,
    ledger: LedgerId,
}

/// Tags of a holder that come from other members of its co-spend cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    /// Who they speak of, and what they say; first one of each entity, the oldest holder first, then the others.
    pub from: Vec<(HolderId, Known)>,
    /// How many more tagged members there are.
    pub more: u64,
}

impl Kept {
    /// Opens what is kept of a ledger; `None` where nothing is, or another version kept it.
    pub fn open(book: &Book, ledger: &LedgerId) -> Result<Option<Self>, UpkeepError> {
        let Some(annex) = book.annex(ledger, &SPEC)? else { return Ok(None) };
        let as_of = serde_json::from_str(annex.note()).map_err(|error| {
            let path = book.kept_folder(ledger).join(SPEC.name);
            BookError::DamagedAnnex { path, what: format!("its manifest does not say what it is up to ({error})") }
        })?;
        Ok(Some(Self { annex, as_of, ledger: ledger.clone() }))
    }

    /// What it is up to.
    pub const fn as_of(&self) -> &AsOf {
        &self.as_of
    }

    /// The names of the exposure categories, by number.
    pub const fn categories() -> &'static [&'static str] {
        &know::EXPOSURE_CATEGORIES
    }

    /// The verdict on a transaction; of one that has none yet, the empty one.
    pub fn verdict(&self, seq: Seq) -> Verdict {
        clustering::verdict_of(self.annex.row(VERDICTS, seq.0))
    }

    /// The oldest member of a holder's cluster; itself where the clusters do not know it yet.
    pub fn cluster(&self, holder: HolderId, layer: Layer) -> HolderId {
        let [labels, _, _] = tables(layer);
        self.number(labels, holder).map_or(holder, |label| HolderId(u64::from(label)))
    }

    /// How many members a holder's cluster has.
    pub fn cluster_size(&self, holder: HolderId, layer: Layer) -> u64 {
        let [_, _, sizes] = tables(layer);
        self.number(sizes, self.cluster(holder, layer)).map_or(1, |size| u64::from(size).max(1))
    }

    /// Members of a holder's cluster, the oldest first and at most `limit`, the rest in no order that means anything.
    pub fn members(&self, holder: HolderId, layer: Layer, limit: usize) -> Vec<HolderId> {
        let [_, next, _] = tables(layer);
        let oldest = self.cluster(holder, layer);
        let after = |member: &HolderId| {
            let next = self.number(next, *member).map(|next| HolderId(u64::from(next)));
            next.filter(|next| *next != oldest)
        };
        std::iter::successors(Some(oldest), after).take(limit).collect()
    }

    fn number(&self, table: usize, holder: HolderId) -> Option<u32> {
        u32::try_from(holder.0).ok().and_then(|holder| self.annex.entry(table, holder))
    }

    /// What the tags say of a holder itself.
    pub fn direct(&self, holder: HolderId) -> Result<Option<Known>, UpkeepError> {
        let Some(row) = standings::find(&self.annex, holder) else { return Ok(None) };
        standings::known(&self.annex, row).map(Some).ok_or_else(|| self.damaged(holder))
    }

    fn damaged(&self, holder: HolderId) -> UpkeepError {
        let what = format!("what the tags say of holder {} cannot be read", holder.0);
        BookError::DamagedAnnex { path: format!("kept/{}/{}", self.ledger, SPEC.name).into(), what }.into()
    }

    /// What the tags say of the other members of a holder's co-spend cluster.
    pub fn inherited(&self, holder: HolderId) -> Result<Inherited, UpkeepError> {
        let label = self.cluster(holder, INHERITED_ON).0;
        let pair = |at| self.annex.row(MEMBERS, at).map(|row| (u64::from(u32_at(row, 0)), u64::from(u32_at(row, 4))));
        let rows = self.annex.rows(MEMBERS);
        let first = partition_point(rows, |at| pair(at).is_some_and(|(cluster, _)| cluster < label));
        let end = partition_point(rows, |at| pair(at).is_some_and(|(cluster, _)| cluster <= label));
        let (mut firsts, mut others) = (Vec::new(), Vec::new());
        let mut entities = HashSet::new();
        for (_, member) in (first..end).take(INHERITED_READ_MAX).filter_map(pair) {
            if member == holder.0 {
                continue;
            }
            let member = HolderId(member);
            let known = self.direct(member)?.ok_or_else(|| self.damaged(member))?;
            let is_new = entities.insert(known.key.clone());
            if is_new { &mut firsts } else { &mut others }.push((member, known));
            if firsts.len() == INHERITED_MAX {
                break;
            }
        }
        let is_in = standings::find(&self.annex, holder).is_some();
        firsts.append(&mut others);
        firsts.truncate(INHERITED_MAX);
        let more = end.saturating_sub(first).saturating_sub(firsts.len() as u64 + u64::from(is_in));
        Ok(Inherited { from: firsts, more })
    }

    /// The exposure category of a holder: its own, else its co-spend cluster's.
    pub fn category(&self, holder: HolderId) -> Option<Category> {
        self.kind(holder).category()
    }

    /// Whether what a holder pays has no history before it: it is a custodian by its own tags, or its co-spend cluster is.
    pub fn resets_poison(&self, holder: HolderId) -> bool {
        self.kind(holder).is_custodian()
    }

    fn kind(&self, holder: HolderId) -> Kind {
        let own = standings::find(&self.annex, holder).and_then(Kind::of_row);
        own.unwrap_or_else(|| self.cluster_kind(holder))
    }

    /// The exposure category of a holder's co-spend cluster: the worst risk of any tagged member, else the heaviest tag's.
    pub fn cluster_category(&self, holder: HolderId) -> Option<Category> {
        self.cluster_kind(holder).category()
    }

    fn cluster_kind(&self, holder: HolderId) -> Kind {
        let label = self.cluster(holder, INHERITED_ON).0;
        let row = |at| self.annex.row(CLUSTERS, at);
        let is_before = |at| row(at).is_some_and(|row| u64::from(u32_at(row, 0)) < label);
        let found = row(partition_point(self.annex.rows(CLUSTERS), is_before));
        found.filter(|row| u64::from(u32_at(row, 0)) == label).map(kind_of).unwrap_or_default()
    }

    /// The rulings that were applied.
    pub fn rulings(&self) -> Result<Rulings, UpkeepError> {
        clustering::parse_rulings(&self.annex.blob(RULINGS)?)
    }

    /// Evidence that is quarantined because it would put together what cannot be one.
    pub fn problems(&self) -> Result<Vec<Problem>, UpkeepError> {
        clustering::State::read(&self.annex)?.problems()
    }

    /// The services of which problems give the numbers: all of them, by number.
    pub fn services(&self) -> Result<BTreeMap<u32, String>, UpkeepError> {
        let rows = (0..self.annex.rows(STANDINGS)).filter_map(|at| self.annex.row(STANDINGS, at)).map(Row::of);
        let mut services = BTreeMap::new();
        for row in rows {
            if let Some(number) = row.service.filter(|number| !services.contains_key(number)) {
                let holder = HolderId(row.holder.into());
                let known = standings::known(&self.annex, row).ok_or_else(|| self.damaged(holder))?;
                services.insert(number, known.entity);
            }
        }
        Ok(services)
    }

    /// The clusters, to be asked for evidence. This reads all of them; `coins` must be the ledger of this commit or longer.
    pub fn clusters(&self, coins: &UtxoLedger) -> Result<Clusters, UpkeepError> {
        let rows: Vec<Row> =
            (0..self.annex.rows(STANDINGS)).filter_map(|at| self.annex.row(STANDINGS, at)).map(Row::of).collect();
        clustering::load(&self.annex, coins, self, &rows, &self.rulings()?, u64::MAX)
    }

    /// What is kept about a transaction's money; of one that has no vector yet, money of unknown origin.
    pub fn record(&self, seq: Seq) -> Record {
        let id = u32::try_from(seq.0).ok().and_then(|seq| self.annex.entry(VECTOR_IDS, seq));
        let unit = || Record { vector: Vector::unit(exposure::UNKNOWN), ..Record::default() };
        let row = |row| self.annex.row(VECTORS, row).map_or(0, |row| u64_at(row, 0));
        id.map_or_else(unit, |id| Record::read(id, row))
    }

    /// How much of an output is tainted if taint leaves first, by category; only risks, and only what is above 0.
    pub fn first_out<C: Coins + ?Sized>(&self, coins: &C, purse: PurseId) -> Vec<(Category, u64)> {
        let maker = coins.made_by(purse);
        maker.map_or_else(Vec::new, |maker| self.record(maker).first_out(coins, maker, coins.coin(purse)))
    }
}

impl cluster::Verdicts for Kept {
    fn verdict(&self, seq: Seq) -> Verdict {
        Self::verdict(self, seq)
    }
}

impl Vectors for Kept {
    fn vector(&self, seq: Seq) -> Vector {
        self.record(seq).vector
    }
}

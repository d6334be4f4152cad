//! [`Kinds`]: the exposure category of every holder, by its own tags or by those of its co-spend cluster, a byte each.
//!
//! A holder's own category goes first. Else its cluster's: the worst risk of any tagged member, because what pays from
//! there is in that hand; without a risk that of the heaviest tag, the higher number between equals.

use std::collections::BTreeMap;

use cluster::Layer;
use exposure::{Category, Facts};
use know::exposure_is_risk;
use ledger::{HolderId, Seq};

use crate::spec::{CLUSTER_BYTES, MEMBER_BYTES};
use crate::standings::Row;

/// Tags are inherited on this layer only.
pub(crate) const INHERITED_ON: Layer = Layer::CoSpend;
/// A byte: the category plus one; 0 for none.
const CUSTODIAN: u8 = 1 << 7;

/// The kind of a holder, or of a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kind(u8);

impl Kind {
    fn new(category: u8, is_custodian: bool) -> Self {
        Self((category + 1) | if is_custodian { CUSTODIAN } else { 0 })
    }

    pub(crate) fn of_row(row: Row) -> Option<Self> {
        row.category.map(|category| Self::new(category, row.is_custodian()))
    }

    pub(crate) fn category(self) -> Option<Category> {
        (self.0 & !CUSTODIAN).checked_sub(1).map(Category)
    }

    pub(crate) const fn is_custodian(self) -> bool {
        self.0 & CUSTODIAN != 0
    }
}

/// What the tagged members of a cluster make of it.
#[derive(Clone, Copy, Debug, Default)]
struct Settled {
    risk: Option<u8>,
    plain: Option<(u8, u8)>,
}

impl Settled {
    fn add(&mut self, row: Row) {
        match row.category {
            Some(category) if exposure_is_risk(category) => self.risk = self.risk.max(Some(category)),
            Some(category) => self.plain = self.plain.max(Some((row.confidence, category))),
            None => {}
        }
    }

    fn category(self) -> Option<u8> {
        self.risk.or(self.plain.map(|(_, category)| category))
    }
}

/// The tagged clusters, by label: what each is, and who in it is tagged.
#[derive(Debug, Default)]
pub(crate) struct Tagged {
    clusters: BTreeMap<u32, Kind>,
    members: Vec<(u32, u32)>,
}

impl Tagged {
    /// Holders that are not in the clusters yet are each alone.
    pub(crate) fn new(rows: &[Row], labels: &[u32]) -> Self {
        let label = |holder: u32| labels.get(holder as usize).copied().unwrap_or(holder);
        let mut settled: BTreeMap<u32, Settled> = BTreeMap::new();
        for row in rows {
            settled.entry(label(row.holder)).or_default().add(*row);
        }
        let mut clusters: BTreeMap<u32, Kind> = BTreeMap::new();
        for row in rows {
            let label = label(row.holder);
            let category = settled[&label].category();
            if let Some(category) = category.filter(|category| row.category == Some(*category)) {
                let kind = clusters.entry(label).or_insert(Kind::new(category, false));
                kind.0 |= if row.is_custodian() { CUSTODIAN } else { 0 };
            }
        }
        let mut members: Vec<(u32, u32)> = rows.iter().map(|row| (label(row.holder), row.holder)).collect();
        members.sort_unstable();
        Self { clusters, members }
    }

    /// Rows of clusters: label, kind.
    pub(crate) fn cluster_rows(&self) -> Vec<u8> {
        let row = |(label, kind): (&u32, &Kind)| -> [u8; CLUSTER_BYTES] {
            let [a, b, c, d] = label.to_le_bytes();
            [a, b, c, d, kind.0, 0, 0, 0]
        };
        self.clusters.iter().flat_map(row).collect()
    }

    /// Rows of members: label, holder.
    pub(crate) fn member_rows(&self) -> Vec<u8> {
        let row = |(label, holder): &(u32, u32)| -> [u8; MEMBER_BYTES] {
            (u64::from(*label) | u64::from(*holder) << 32).to_le_bytes()
        };
        self.members.iter().flat_map(row).collect()
    }
}

/// The kind in a row of clusters; none where the row is damaged.
pub(crate) fn kind_of(row: &[u8]) -> Kind {
    let byte = row.get(4).copied().unwrap_or_default();
    let is_known = usize::from(byte & !CUSTODIAN) <= know::EXPOSURE_CATEGORIES.len();
    Kind(if is_known { byte } else { 0 })
}

/// The kind of every holder.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    of: Vec<Kind>,
}

impl Kinds {
    pub(crate) fn new(rows: &[Row], tagged: &Tagged, labels: &[u32], holders: u64) -> Self {
        let holders = usize::try_from(holders).expect("as many labels are in memory");
        let mut of = vec![Kind::default(); holders];
        if rows.is_empty() {
            return Self { of };
        }
        for (label, kind) in &tagged.clusters {
            if let Some(at) = of.get_mut(*label as usize) {
                *at = *kind;
            }
        }
        // A label is never above its holder, so from the youngest on every label still has its cluster's kind.
        for at in (0..holders.min(labels.len())).rev() {
            of[at] = of[labels[at] as usize];
        }
        for row in rows {
            if let (Some(kind), Some(at)) = (Kind::of_row(*row), of.get_mut(row.holder as usize)) {
                *at = kind;
            }
        }
        Self { of }
    }

    /// The holders of both whose kind differs.
    pub(crate) fn differing(&self, other: &Self) -> impl Iterator<Item = u32> {
        (0u32..).zip(self.of.iter().zip(&other.of)).filter(|(_, (one, other))| one != other).map(|(holder, _)| holder)
    }

    pub(crate) fn truncate(&mut self, holders: u64) {
        self.of.truncate(usize::try_from(holders).unwrap_or(usize::MAX));
    }

    fn of(&self, holder: HolderId) -> Kind {
        usize::try_from(holder.0).ok().and_then(|at| self.of.get(at)).copied().unwrap_or_default()
    }
}

/// What exposure is mixed by.
pub(crate) struct MixedBy<'a, V> {
    pub(crate) kinds: &'a Kinds,
    /// The verdicts.
    pub(crate) verdicts: &'a V,
}

impl<V: cluster::Verdicts> Facts for MixedBy<'_, V> {
    fn category(&self, holder: HolderId) -> Option<Category> {
        self.kinds.of(holder).category()
    }

    fn resets_poison(&self, holder: HolderId) -> bool {
        self.kinds.of(holder).is_custodian()
    }

    fn is_join(&self, seq: Seq) -> bool {
        self.verdicts.verdict(seq).join.is_some()
    }

    fn is_risk(&self, category: Category) -> bool {
        exposure_is_risk(category.0)
    }
}

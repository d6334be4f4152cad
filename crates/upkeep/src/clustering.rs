//! [`Clustering`]: the clusters in memory while an update works, made of what is kept and kept again.
//!
//! What clusters are, and how they change, is the room `cluster`'s. Here its parts are laid out in tables and columns: labels,
//! circles of members and sizes of both layers; wraps and the tags by which they are found; the journal of the newest
//! evidence; and a blob with what is quarantined.

use std::collections::BTreeMap;

use book::{Annex, AnnexWriter, BookError, UtxoLedger, partition_point};
use cluster::{
    Chain, Changes, Clusters, Conflict, Edge, Journal, Layer, Parts, Problem, Rulings, Tie, VERDICT_BYTES, Verdict,
    Verdicts, Wrap,
};
use ledger::{HolderId, Seq};
use serde::{Deserialize, Serialize};

use crate::UpkeepError;
use crate::spec::{CLUSTER_STATE, TIE_BYTES, TIES, VERDICTS, WRAP_BYTES, WRAP_TAGS, WRAPS, tables, u32_at, u64_at};
use crate::standings::Row;
use crate::tags::unfit;

/// The journal is written anew when it has this many rows more than twice what counts.
const TIES_SPARE_MAX: u64 = 1 << 16;

/// The verdicts as the writer has them.
pub(crate) struct Judged<'a>(pub(crate) &'a AnnexWriter);

impl Verdicts for Judged<'_> {
    fn verdict(&self, seq: Seq) -> Verdict {
        verdict_of(self.0.row(VERDICTS, seq.0))
    }
}

/// A verdict that is not there is the empty one.
pub(crate) fn verdict_of(row: Option<&[u8]>) -> Verdict {
    let bytes: Option<[u8; VERDICT_BYTES]> = row.and_then(|row| row.try_into().ok());
    bytes.map(Verdict::of_bytes).unwrap_or_default()
}

/// An annex, whoever has it open.
pub(crate) trait Shelf {
    fn load(&self, table: usize) -> Vec<u32>;
    fn rows(&self, column: usize) -> u64;
    fn row(&self, column: usize, row: u64) -> Option<&[u8]>;
    fn blob(&self, blob: usize) -> Result<Vec<u8>, BookError>;
}

macro_rules! shelf {
    ($annex:ty) => {
        impl Shelf for $annex {
            fn load(&self, table: usize) -> Vec<u32> {
                <$annex>::load(self, table)
            }
            fn rows(&self, column: usize) -> u64 {
                <$annex>::rows(self, column)
            }
            fn row(&self, column: usize, row: u64) -> Option<&[u8]> {
                <$annex>::row(self, column, row)
            }
            fn blob(&self, blob: usize) -> Result<Vec<u8>, BookError> {
                <$annex>::blob(self, blob)
            }
        }
    };
}
shelf!(Annex);
shelf!(AnnexWriter);

/// What stands in the blob.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    done: u64,
    journal_from: u64,
    problems: Vec<KeptProblem>,
}

/// A quarantined edge: transaction, heuristic and its number, layer, kind of conflict and its two numbers.
#[derive(Serialize, Deserialize)]
struct KeptProblem(u64, String, u64, String, String, u64, u64);

impl KeptProblem {
    fn new(problem: &Problem) -> Self {
        let edge = match problem.edge {
            Edge::Wrap(holder) => holder.0,
            Edge::CoSpend(seq) | Edge::Change(seq) => seq.0,
        };
        let (kind, one, other) = match problem.conflict {
            Conflict::Services(one, other) => ("services", one.into(), other.into()),
            Conflict::Apart(one, other) => ("apart", one.0, other.0),
        };
        let heuristic = problem.edge.heuristic().as_str().to_owned();
        Self(problem.seq.0, heuristic, edge, problem.layer.as_str().to_owned(), kind.to_owned(), one, other)
    }

    fn problem(&self) -> Option<Problem> {
        let Self(seq, heuristic, edge, layer, kind, one, other) = self;
        let edge = match heuristic.as_str() {
            "wrap" => Edge::Wrap(HolderId(*edge)),
            "co-spend" => Edge::CoSpend(Seq(*edge)),
            "change" => Edge::Change(Seq(*edge)),
            _ => return None,
        };
        let conflict = match kind.as_str() {
            "services" => Conflict::Services(u32::try_from(*one).ok()?, u32::try_from(*other).ok()?),
            "apart" => Conflict::Apart(HolderId(*one), HolderId(*other)),
            _ => return None,
        };
        let layer = Layer::ALL.into_iter().find(|known| known.as_str() == layer)?;
        Some(Problem { seq: Seq(*seq), edge, layer, conflict })
    }
}

impl State {
    pub(crate) fn read(shelf: &impl Shelf) -> Result<Self, UpkeepError> {
        let bytes = shelf.blob(CLUSTER_STATE)?;
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_slice(&bytes).map_err(|error| unfit(&format!("what is kept of clusters is damaged ({error})")))
    }

    pub(crate) fn problems(&self) -> Result<Vec<Problem>, UpkeepError> {
        let problems: Option<_> = self.problems.iter().map(KeptProblem::problem).collect();
        problems.ok_or_else(|| unfit("a quarantined edge cannot be read"))
    }
}

/// The services among holders of whom tags speak.
pub(crate) fn services(rows: &[Row]) -> BTreeMap<HolderId, u32> {
    rows.iter().filter_map(|row| Some((HolderId(row.holder.into()), row.service?))).collect()
}

/// The rulings in a file.
pub(crate) fn parse_rulings(bytes: &[u8]) -> Result<Rulings, UpkeepError> {
    let fault = |what: String| UpkeepError::Fault(format!("{}: {what}", crate::RULINGS_FILE));
    let text = std::str::from_utf8(bytes).map_err(|_| fault("it is not UTF-8".to_owned()))?;
    Rulings::parse(text).map_err(|error| fault(error.to_string()))
}

/// Makes clusters of what is kept. `until` is how many of the chain's transactions are still those that were taken;
/// `rulings` are those that were applied.
pub(crate) fn load(
    shelf: &impl Shelf,
    coins: &UtxoLedger,
    verdicts: &dyn Verdicts,
    rows: &[Row],
    rulings: &Rulings,
    until: u64,
) -> Result<Clusters, UpkeepError> {
    let state = State::read(shelf)?;
    let labels = Layer::ALL.map(|layer| shelf.load(tables(layer)[0]));
    let holders = labels[0].len() as u64;
    if labels[1].len() as u64 != holders {
        return Err(unfit("the two layers of clusters have other lengths"));
    }
    let wraps: Vec<Wrap> = (0..shelf.rows(WRAPS)).filter_map(|at| shelf.row(WRAPS, at)).map(wrap).collect();
    let tags = shelf.load(WRAP_TAGS);
    let is_sound = |wrap: &Wrap| wrap.oldest < wrap.younger && u64::from(wrap.younger) < holders;
    if tags.len() as u64 != holders || !wraps.iter().all(is_sound) {
        return Err(unfit("wraps are of holders that there are not"));
    }
    let ties: Vec<Tie> = (0..shelf.rows(TIES)).filter_map(|at| shelf.row(TIES, at)).map(tie).collect();
    let ties: Vec<Tie> = ties.into_iter().skip_while(|tie| tie.seq < state.journal_from).collect();
    let is_sound = |tie: &Tie| u64::from(tie.one.max(tie.other)) < holders;
    if !ties.is_sorted_by_key(|tie| tie.seq) || !ties.iter().all(is_sound) {
        return Err(unfit("the journal of clusters is damaged"));
    }
    let mut problems = state.problems()?;
    // Those of transactions that the chain no longer has go when these are taken back.
    problems.retain(|problem| problem.seq.0 < until);
    let mut services = services(rows);
    services.retain(|holder, _| holder.0 < holders);
    let parts = Parts {
        done: state.done,
        labels,
        tags,
        wraps,
        problems,
        rules: rulings.resolve(coins).active,
        services: services.clone(),
        journal: Journal { from: state.journal_from, ties },
    };
    let chain = Chain { coins, verdicts, services: &services };
    Clusters::of_parts(&chain, parts).map_err(|error| unfit(&error.to_string()))
}

fn wrap(row: &[u8]) -> Wrap {
    Wrap { younger: u32_at(row, 0), oldest: u32_at(row, 4), seq: u64_at(row, 8) }
}

fn wrap_row(wrap: &Wrap) -> [u8; WRAP_BYTES] {
    let mut row = [0; WRAP_BYTES];
    row[..4].copy_from_slice(&wrap.younger.to_le_bytes());
    row[4..8].copy_from_slice(&wrap.oldest.to_le_bytes());
    row[8..].copy_from_slice(&wrap.seq.to_le_bytes());
    row
}

fn tie(row: &[u8]) -> Tie {
    Tie { seq: u64_at(row, 0), one: u32_at(row, 8), other: u32_at(row, 12) }
}

fn tie_row(tie: &Tie) -> [u8; TIE_BYTES] {
    let mut row = [0; TIE_BYTES];
    row[..8].copy_from_slice(&tie.seq.to_le_bytes());
    row[8..12].copy_from_slice(&tie.one.to_le_bytes());
    row[12..].copy_from_slice(&tie.other.to_le_bytes());
    row
}

/// The clusters, in memory while an update works.
pub(crate) struct Clustering {
    clusters: Clusters,
}

impl Clustering {
    /// The version of how clusters are made.
    pub(crate) const VERSION: u32 = 1;

    /// Takes up what is kept, and sets right the circles of members: in memory they begin in order of age.
    pub(crate) fn load(
        writer: &mut AnnexWriter,
        coins: &UtxoLedger,
        rows: &[Row],
        rulings: &Rulings,
        until: u64,
    ) -> Result<Self, UpkeepError> {
        let clusters = load(writer, coins, &Judged(writer), rows, rulings, until)?;
        for layer in Layer::ALL {
            let [_, next, sizes] = tables(layer);
            let [_, next_now, sizes_now] = clusters.partition(layer).columns();
            for (table, now) in [(next, next_now), (sizes, sizes_now)] {
                let kept = writer.load(table);
                if kept.len() != now.len() {
                    return Err(unfit("clusters have other lengths than their members"));
                }
                for (entry, (kept, now)) in (0..).zip(kept.iter().zip(now)) {
                    if kept != now {
                        writer.set(table, entry, *now);
                    }
                }
            }
        }
        Ok(Self { clusters })
    }

    pub(crate) fn done(&self) -> u64 {
        self.clusters.done().0
    }

    pub(crate) fn holders(&self) -> u64 {
        self.clusters.partition(Layer::CoSpend).holders()
    }

    pub(crate) fn labels(&self, layer: Layer) -> &[u32] {
        self.clusters.partition(layer).columns()[0]
    }

    /// Takes back all transactions from one on. False if everything had to be built anew for it.
    pub(crate) fn undo(&mut self, coins: &UtxoLedger, writer: &mut AnnexWriter, until: u64) -> bool {
        let services = self.clusters.services();
        let chain = Chain { coins, verdicts: &Judged(writer), services: &services };
        let is_quick = self.clusters.undo_to(&chain, Seq(until));
        writer.truncate_table(WRAP_TAGS, self.clusters.wraps().tags().len() as u64);
        writer.truncate(WRAPS, self.clusters.wraps().edges().len() as u64);
        let rows = writer.rows(TIES);
        let is_before = |at| writer.row(TIES, at).is_some_and(|row| tie(row).seq < until);
        let left = partition_point(rows, is_before);
        writer.truncate(TIES, left);
        is_quick
    }

    /// Applies rulings and tags as they are now.
    pub(crate) fn rule(&mut self, coins: &UtxoLedger, writer: &AnnexWriter, rows: &[Row], rulings: &Rulings) {
        let services = services(rows);
        let chain = Chain { coins, verdicts: &Judged(writer), services: &services };
        self.clusters.retag(&chain);
        self.clusters.rule(&chain, rulings.resolve(coins).active);
    }

    pub(crate) fn advance(
        &mut self,
        coins: &UtxoLedger,
        writer: &AnnexWriter,
        rows: &[Row],
        until: u64,
    ) -> Result<(), UpkeepError> {
        let services = services(rows);
        let chain = Chain { coins, verdicts: &Judged(writer), services: &services };
        let taken = self.clusters.advance(&chain, Seq(until));
        taken.map(|_| ()).map_err(|error| UpkeepError::TooMany(error.to_string()))
    }

    /// Tells the annex what has changed.
    pub(crate) fn keep(&mut self, writer: &mut AnnexWriter) -> Result<(), BookError> {
        for layer in Layer::ALL {
            let changes = self.clusters.take_changes(layer);
            for (table, values) in tables(layer).into_iter().zip(self.clusters.partition(layer).columns()) {
                keep_table(writer, table, values, &changes)?;
            }
        }
        let wraps = self.clusters.wraps();
        keep_table(writer, WRAP_TAGS, wraps.tags(), &Changes::Entries(Vec::new()))?;
        let kept = usize::try_from(writer.rows(WRAPS)).expect("no more than there were in memory");
        let new: Vec<u8> = wraps.edges().iter().skip(kept).flat_map(wrap_row).collect();
        writer.append(WRAPS, &new)?;
        self.keep_ties(writer)?;
        let state = State {
            done: self.done(),
            journal_from: self.clusters.journal().from,
            problems: self.clusters.problems().iter().map(KeptProblem::new).collect(),
        };
        writer.put(CLUSTER_STATE, serde_json::to_vec(&state).expect("plain fields become JSON"));
        Ok(())
    }

    /// Appends the journal's new ties; old ones that count no more stay until they are many.
    fn keep_ties(&self, writer: &mut AnnexWriter) -> Result<(), BookError> {
        let journal = self.clusters.journal();
        let last = writer.rows(TIES).checked_sub(1).and_then(|last| writer.row(TIES, last)).map(|row| tie(row).seq);
        let new = journal.ties.partition_point(|tie| Some(tie.seq) <= last);
        let rows: Vec<u8> = journal.ties[new..].iter().flat_map(tie_row).collect();
        writer.append(TIES, &rows)?;
        let is_before = |at| writer.row(TIES, at).is_some_and(|row| tie(row).seq < journal.from);
        let (all, ties) = (writer.rows(TIES), journal.ties.len() as u64);
        let spare = partition_point(all, is_before);
        // After everything was built anew the journal may reach back further than what is kept of it.
        if all - spare != ties || spare > ties + TIES_SPARE_MAX {
            writer.truncate(TIES, 0);
            let rows: Vec<u8> = journal.ties.iter().flat_map(tie_row).collect();
            writer.append(TIES, &rows)?;
        }
        Ok(())
    }
}

/// Brings a table to what an array says, of which these entries changed since it was last kept.
fn keep_table(writer: &mut AnnexWriter, table: usize, values: &[u32], changes: &Changes) -> Result<(), BookError> {
    match changes {
        Changes::Entries(changed) => {
            writer.truncate_table(table, values.len() as u64);
            let kept = writer.entries(table);
            for entry in changed.iter().take_while(|entry| u64::from(**entry) < kept) {
                writer.set(table, *entry, values[*entry as usize]);
            }
            let kept = usize::try_from(kept).expect("no longer than the array");
            writer.extend(table, values[kept..].iter().copied())
        }
        Changes::Everything => {
            writer.truncate_table(table, 0);
            writer.extend(table, values.iter().copied())
        }
    }
}

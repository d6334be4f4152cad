//! Standings as they are kept: what the tags say of each holder, so that one holder's answer reads a few pages.
//!
//! The claims themselves are kept with the standing, so that a reader has the tags of its commit whatever becomes of the
//! book's list. What a tag means is `know`'s; here it is laid out in rows and read back.

use std::collections::{BTreeMap, BTreeSet};

use book::{Annex, AnnexWriter, BookError, partition_point};
use know::{Claim, Standing, Standings, StopKind};
use ledger::HolderId;
use serde::{Deserialize, Serialize};

use crate::spec::{STANDING_BYTES, STANDINGS, TEXTS, u32_at, u64_at};

/// How many claims are kept of one holder; the rest are counted.
pub const CLAIMS_KEPT_MAX: usize = 1_000;
/// No category, no stop.
const NONE: u8 = u8::MAX;
/// No service.
const NOBODY: u32 = u32::MAX;

/// What the tags say of a holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Under which exposure category its money is counted: a place in [`know::EXPOSURE_CATEGORIES`].
    pub category: Option<u8>,
    /// What a trace does there.
    pub stop: Option<StopKind>,
    /// Who it is.
    pub entity: String,
    /// What tells this entity from others.
    pub key: String,
    /// The risks, in order.
    pub risks: BTreeSet<String>,
    /// The heaviest claim's weight, 0 to 100.
    pub confidence: u8,
    /// The claims, at most [`CLAIMS_KEPT_MAX`] of them.
    pub claims: Vec<Claim>,
    /// How many claims there are.
    pub claims_in_all: u64,
}

/// A standing's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) holder: u32,
    pub(crate) category: Option<u8>,
    pub(crate) stop: Option<StopKind>,
    pub(crate) confidence: u8,
    /// The number of the service that it is, if it is one.
    pub(crate) service: Option<u32>,
    text_len: u32,
    text: u64,
}

impl Row {
    pub(crate) fn of(row: &[u8]) -> Self {
        let byte = |at: usize| row.get(at).copied().unwrap_or(NONE);
        Self {
            holder: u32_at(row, 0),
            category: Some(byte(4)).filter(|category| usize::from(*category) < know::EXPOSURE_CATEGORIES.len()),
            stop: StopKind::ALL.get(usize::from(byte(5))).copied(),
            confidence: byte(6),
            service: Some(u32_at(row, 8)).filter(|service| *service != NOBODY),
            text_len: u32_at(row, 12),
            text: u64_at(row, 16),
        }
    }

    fn bytes(self) -> [u8; STANDING_BYTES] {
        let mut row = [0; STANDING_BYTES];
        row[..4].copy_from_slice(&self.holder.to_le_bytes());
        row[4] = self.category.unwrap_or(NONE);
        let stop = self.stop.and_then(|stop| StopKind::ALL.iter().position(|kind| *kind == stop));
        row[5] = stop.and_then(|at| u8::try_from(at).ok()).unwrap_or(NONE);
        row[6] = self.confidence;
        row[8..12].copy_from_slice(&self.service.unwrap_or(NOBODY).to_le_bytes());
        row[12..16].copy_from_slice(&self.text_len.to_le_bytes());
        row[16..].copy_from_slice(&self.text.to_le_bytes());
        row
    }

    /// Whether its customers' money is mixed out of sight.
    pub(crate) fn is_custodian(self) -> bool {
        self.stop == Some(StopKind::Service)
    }
}

/// The first line of a standing's text; the claims follow as `know` writes them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    entity: String,
    key: String,
    risks: BTreeSet<String>,
    claims: u64,
}

fn text(standing: &Standing, claims: &[Claim]) -> Vec<u8> {
    let head = Head {
        entity: standing.entity.clone(),
        key: standing.key.clone(),
        risks: standing.risks.clone(),
        claims: standing.claims.len() as u64,
    };
    let mut text = serde_json::to_vec(&head).expect("texts are always JSON");
    text.push(b'\n');
    let kept: Vec<Claim> = standing.claims.iter().take(CLAIMS_KEPT_MAX).map(|at| claims[*at].clone()).collect();
    text.extend_from_slice(know::to_ndjson(&kept).as_bytes());
    text
}

/// Whose tags must not be in one cluster: custodians, mixers and bridges. A conduit is nobody.
fn is_service(standing: &Standing) -> bool {
    matches!(standing.stop, Some(StopKind::Service | StopKind::Mixer | StopKind::Bridge))
}

/// Replaces the kept standings.
pub(crate) fn write(writer: &mut AnnexWriter, standings: &Standings, claims: &[Claim]) -> Result<(), BookError> {
    let services: BTreeSet<&str> = standings
        .holders
        .values()
        .filter(|standing| is_service(standing))
        .map(|standing| standing.key.as_str())
        .collect();
    let numbers: BTreeMap<&str, u32> = services.into_iter().zip(0..).collect();
    writer.truncate(STANDINGS, 0);
    writer.truncate(TEXTS, 0);
    for (holder, standing) in &standings.holders {
        let text = text(standing, claims);
        let row = Row {
            holder: u32::try_from(holder.0).expect("holders are counted before tags are read"),
            category: standing.category,
            stop: standing.stop,
            confidence: standing.confidence,
            service: numbers.get(standing.key.as_str()).copied().filter(|_| is_service(standing)),
            text_len: u32::try_from(text.len()).expect("a thousand claims, each of limited length"),
            text: writer.rows(TEXTS),
        };
        writer.append(TEXTS, &text)?;
        writer.append(STANDINGS, &row.bytes())?;
    }
    Ok(())
}

/// All rows, as the writer has them.
pub(crate) fn rows(writer: &AnnexWriter) -> Vec<Row> {
    (0..writer.rows(STANDINGS)).filter_map(|at| writer.row(STANDINGS, at)).map(Row::of).collect()
}

/// Forgets what is said of holders from this one on. Says whether anything was.
pub(crate) fn forget_from(writer: &mut AnnexWriter, holder: u64) -> bool {
    let rows = writer.rows(STANDINGS);
    let is_before = |at| writer.row(STANDINGS, at).is_some_and(|row| u64::from(Row::of(row).holder) < holder);
    let kept = partition_point(rows, is_before);
    writer.truncate(STANDINGS, kept);
    kept < rows
}

/// The row of a holder.
pub(crate) fn find(annex: &Annex, holder: HolderId) -> Option<Row> {
    let row = |at| annex.row(STANDINGS, at).map(Row::of);
    let is_before = |at| row(at).is_some_and(|row| u64::from(row.holder) < holder.0);
    let at = partition_point(annex.rows(STANDINGS), is_before);
    row(at).filter(|row| u64::from(row.holder) == holder.0)
}

/// What is known of a holder with that row; `None` where the text is damaged.
pub(crate) fn known(annex: &Annex, row: Row) -> Option<Known> {
    let text = annex.stretch(TEXTS, row.text, u64::from(row.text_len))?;
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let head: Head = serde_json::from_slice(&text[..end]).ok()?;
    // The list's own head, then a claim a line; read without the buffers that a file takes.
    let lines = text[end + 1..].split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty());
    let claims = lines.map(|line| know::from_line(line).ok()).collect::<Option<_>>()?;
    Some(Known {
        category: row.category,
        stop: row.stop,
        entity: head.entity,
        key: head.key,
        risks: head.risks,
        confidence: row.confidence,
        claims,
        claims_in_all: head.claims,
    })
}

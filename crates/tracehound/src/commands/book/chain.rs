//! What `book status` says of an account ledger that is a chain: its blocks, up to where they are settled, and of which
//! something is not known.

use std::fmt::Write as _;
use std::io::{self, Write};

use book::{AccountLedger, GapRun, Heads};
use serde_json::{Value, json};

use super::{GAPS_LISTED, GAPS_LISTED_JSON};
use crate::output::text::grouped;
use crate::showing::missing;

/// How far a chain of accounts goes.
pub struct ChainStatus {
    first: u64,
    pub tip: u64,
    blocks: u64,
    heads: Heads,
    events: u64,
    gaps: Vec<GapRun>,
    /// How many stretches there are in all.
    gaps_in_all: usize,
}

impl ChainStatus {
    /// Of a ledger that has blocks.
    pub fn of(ledger: &AccountLedger) -> Option<Self> {
        let gaps: Vec<GapRun> = ledger.gap_runs().take(GAPS_LISTED_JSON).collect();
        let gaps_in_all = if gaps.len() < GAPS_LISTED_JSON { gaps.len() } else { ledger.gap_runs().count() };
        Some(Self {
            first: ledger.first_height()?,
            tip: ledger.tip()?.height,
            blocks: ledger.blocks(),
            heads: ledger.heads(),
            events: ledger.events_kept(),
            gaps,
            gaps_in_all,
        })
    }

    pub fn json(&self) -> Value {
        let gaps: Vec<_> =
            self.gaps.iter().map(|run| json!({"from": run.from, "to": run.to, "unknown": missing(run.gaps)})).collect();
        json!({
            "first": self.first, "blocks": self.blocks, "safe": self.heads.safe, "finalized": self.heads.finalized,
            "events": self.events, "gaps": gaps, "gaps_in_all": self.gaps_in_all,
        })
    }

    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut line = format!("  blocks {} to {}", self.first, self.tip);
        for (word, height) in [("safe", self.heads.safe), ("finalized", self.heads.finalized)] {
            if let Some(height) = height {
                let _ = write!(line, ", {word} to {height}");
            }
        }
        writeln!(out, "{line}; {} events kept", grouped(&self.events.to_string()))?;
        for run in self.gaps.iter().take(GAPS_LISTED) {
            let blocks = if run.from == run.to { run.from.to_string() } else { format!("{} to {}", run.from, run.to) };
            writeln!(out, "  no {} of {blocks}", missing(run.gaps).join(", no "))?;
        }
        let more = self.gaps_in_all.saturating_sub(GAPS_LISTED);
        if more > 0 {
            writeln!(out, "  … and {} more such stretches", grouped(&more.to_string()))?;
        }
        Ok(())
    }
}

//! Why a screening says something else than it did: which transaction came, which edge joined, which block went.

use book::{BookLedger, UtxoLedger};
use ledger::address::canonical;
use ledger::{HolderId, Ledger, Seq, txid_bytes};

use crate::chain::Facts;
use crate::finding::{Finding, Subject};
use crate::flows::MOVEMENTS_MAX;
use crate::remember::Remembered;
use crate::screener::{Screener, Source};
use crate::{Answer, Change};

/// How many transactions or edges are named.
const NAMED_MAX: usize = 5;

impl Screener<'_> {
    /// What happened to the subject between two screenings, as far as the book tells.
    pub fn causes(&self, before: &Remembered, now: &Answer) -> Vec<Change> {
        let Some(finding) = now.finding() else { return Vec::new() };
        let ledger = finding.ledger.as_ref();
        let source = self.sources().iter().find(|source| ledger == Some(source.opened.as_ledger().id()));
        let Some(source) = source.filter(|_| before.ledger.is_some()) else { return Vec::new() };
        let holder = match &finding.subject {
            Subject::Address(name) => source.opened.as_ledger().find_holder(name),
            Subject::Transaction { .. } => None,
        };
        let mut causes = Vec::new();
        if let BookLedger::Utxo(chain) = source.opened {
            causes.extend(replaced(before, chain));
            if let Some(holder) = holder {
                causes.extend(new_transactions(before, chain, holder));
                causes.extend(edges(before, finding, source, holder));
            }
        }
        causes
    }
}

/// The block that the earlier screening ended with, if it is in the chain no more.
fn replaced(before: &Remembered, chain: &UtxoLedger) -> Option<Change> {
    let hash = before.as_of.block.as_deref()?;
    let is_there = txid_bytes(hash).is_some_and(|hash| chain.find_block(&hash).is_some());
    let height = before.as_of.height.unwrap_or_default();
    (!is_there).then(|| Change::new("reorg", format!("block {height} {hash} is not in the chain any more")))
}

fn new_transactions(before: &Remembered, chain: &UtxoLedger, holder: HolderId) -> Option<Change> {
    let mut new: Vec<Seq> = Vec::new();
    let end = before.as_of.transactions;
    for purse in chain.purses_newest_first(holder).take(MOVEMENTS_MAX) {
        let moved = [chain.made_by(purse), chain.spent_by(purse)];
        new.extend(moved.into_iter().flatten().filter(|seq| seq.0 >= end));
    }
    new.sort_unstable();
    new.dedup();
    let named: Vec<String> = new.iter().take(NAMED_MAX).map(|seq| chain.transaction_name(*seq)).collect();
    let more = new.len() - named.len();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!named.is_empty()).then(|| Change::new("transaction", format!("{}{rest}", named.join(", "))))
}

/// What joins the subject to the cluster that it was not in before.
fn edges(before: &Remembered, finding: &Finding, source: &Source<'_>, holder: HolderId) -> Option<Change> {
    let facts: &dyn Facts = source.facts.as_deref()?;
    let (had, has) = (before.cluster.as_ref()?, finding.cluster.as_ref()?);
    if had.oldest == has.oldest {
        return None;
    }
    let ledger = source.opened.as_ledger();
    let find = |name: &str| {
        canonical(ledger.id(), name).ok().and_then(|name| ledger.find_holder(&name)).or(ledger.find_holder(name))
    };
    let path = facts.path(find(&had.oldest).unwrap_or(holder), find(&has.oldest)?);
    let names: Vec<&str> = path.iter().take(NAMED_MAX).map(|edge| edge.name.as_str()).collect();
    let text = if names.is_empty() {
        format!("no evidence joins it to {} any more", had.oldest)
    } else {
        format!("{} and {} are joined by {}", had.oldest, has.oldest, names.join(", "))
    };
    Some(Change::new("cluster", text))
}

//! The sentences of [`super::resolve`]'s errors: what the ledger does hold, so that the reader sees what to correct.

use std::collections::BTreeMap;

use decode::fault::quoted;
use ledger::{AssetId, HolderId, Ledger, Leg, Seq, Time};
use money::Amount;

use super::Resolver;
use crate::model::Stolen;

/// How many assets or payees a message lists.
const LISTED_MAX: usize = 8;

/// Which assets there are.
pub(super) fn assets(ledger: &dyn Ledger) -> String {
    let named = (0..ledger.assets()).map(|id| ledger.asset(AssetId(id)).symbol.clone());
    match ledger.assets() {
        0 => "it is empty; ingest it first".to_owned(),
        _ => format!("it holds {}; names are case-sensitive", listed(named)),
    }
}

/// How far the ledger reaches, and what else may be wrong with a name.
pub(super) fn until(ledger: &dyn Ledger) -> String {
    match ledger.end() {
        Seq(0) => "the ledger is empty; ingest it first".to_owned(),
        Seq(count) => {
            let last = ledger.stamp(Seq(count - 1)).time;
            format!(
                "the ledger holds {count} transactions up to {last}: is it ingested far enough? names are case-sensitive"
            )
        }
    }
}

/// The window in words.
pub(super) fn window(from: Option<Time>, until: Option<Time>) -> String {
    match (from, until) {
        (None, None) => String::new(),
        (Some(from), None) => format!(" from {from} on"),
        (None, Some(until)) => format!(" before {until}"),
        (Some(from), Some(until)) => format!(" from {from} until {until}"),
    }
}

/// The first few, and how many more.
fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(LISTED_MAX);
    names.truncate(LISTED_MAX);
    let named = names.join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

impl Resolver<'_> {
    /// An amount with its asset.
    pub(super) fn text(&self, amount: Amount) -> String {
        let asset = self.ledger.asset(self.asset);
        format!("{} {}", asset.text(amount), asset.symbol)
    }

    /// Who was paid in the asset by these legs, and how much.
    pub(super) fn paid(&self, legs: &[Leg]) -> String {
        let mut order: Vec<HolderId> = Vec::new();
        let mut sums: BTreeMap<HolderId, Amount> = BTreeMap::new();
        for leg in legs.iter().filter(|leg| leg.asset == self.asset) {
            let Some(purse) = leg.payee.purse() else { continue };
            let holder = self.holder(purse);
            let sum = sums.entry(holder).or_insert_with(|| {
                order.push(holder);
                Amount::ZERO
            });
            *sum = sum.checked_add(leg.amount).unwrap_or(Amount::MAX);
        }
        if order.is_empty() {
            return format!("it paid nobody in {}", self.ledger.asset(self.asset).symbol);
        }
        let named =
            order.iter().map(|holder| format!("{} {}", self.ledger.holder_name(*holder), self.text(sums[holder])));
        format!("it paid {}", listed(named))
    }

    /// That a start claims more than was moved.
    pub(super) fn claims_more(&self, stolen: &Stolen, claimed: Amount, moved: Amount) -> String {
        let (claimed, moved) = (self.text(claimed), self.text(moved));
        match stolen {
            Stolen::Transaction { to, .. } => {
                let to = quoted(to.as_deref().unwrap_or_default());
                format!("the start claims {claimed}, but the transaction brought {moved} to {to}")
            }
            Stolen::Output { txid, vout, .. } => {
                format!("the start claims {claimed}, but output {txid}:{vout} holds {moved}")
            }
            Stolen::Address { address, from, until, .. } => {
                let window = window(*from, *until);
                format!("the start claims {claimed}, but {moved} reached {}{window}", quoted(address))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_cut_and_say_so() {
        assert_eq!(listed((0..3).map(|n| n.to_string())), "0, 1, 2");
        assert_eq!(listed((0..11).map(|n| n.to_string())), "0, 1, 2, 3, 4, 5, 6, 7 and 3 more");
    }
}

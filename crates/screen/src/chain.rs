//! Findings on chains of outputs: tags, direct and inherited, clusters, exposure, and the dates of all that.
//!
//! What is kept of a chain comes through [`Facts`]; the chain itself is read output by output.

use std::collections::BTreeSet;

use cluster::{Layer, Verdict};
use ledger::{Coin, Coins, HolderId, Ledger, PurseId, Seq, Time, UtxoTransaction, txid_text};
use money::Amount;

use crate::finding::{Bond, Cluster, Edge, Exposure, Finding, Inherited, Seen, Subject, Tagged, Versions};
use crate::flows::{INHERITED_MAX, MOVEMENTS_MAX};
use crate::tags::Tags;

/// For how many tagged members of a cluster the evidence is looked for: each search takes its time.
const PATHS_MAX: usize = 3;

/// What is kept of a chain, as far as a screening asks. An error is of the book: what is kept there cannot be read.
pub trait Facts {
    /// What the tags say of a holder itself.
    fn tagged(&self, holder: HolderId) -> Result<Option<Tagged>, String>;
    /// Other tagged members of its co-spend cluster, at most `limit` of them; and how many more there are.
    fn inherited(&self, holder: HolderId, limit: usize) -> Result<(Vec<(HolderId, Tagged)>, u64), String>;
    /// Evidence that would tie its cluster to another and is not applied, in words.
    fn quarantined(&self, holder: HolderId) -> Result<Vec<String>, String>;
    /// The oldest member of a holder's cluster, and the cluster's size.
    fn cluster(&self, holder: HolderId, layer: Layer) -> (HolderId, u64);
    /// The evidence that two holders are one; nothing where none was found within the limits.
    fn path(&self, from: HolderId, to: HolderId) -> Vec<Edge>;
    /// What the clusterer makes of a transaction.
    fn verdict(&self, seq: Seq) -> Verdict;
    /// Where a holder's money came from and went to.
    fn exposure(&self, holder: HolderId) -> (Exposure, Vec<String>);
    /// Where a transaction's money came from and went to.
    fn exposure_of(&self, seq: Seq) -> (Exposure, Vec<String>);
    /// The same of a transaction that no block has confirmed, with its fee.
    fn pending(&self, transaction: &UtxoTransaction, fee: Amount) -> Pending;
    /// What all of it is as of.
    fn versions(&self) -> Versions;
}

/// What is known of a transaction that no block has confirmed.
pub struct Pending {
    /// What the clusterer makes of it.
    pub verdict: Verdict,
    /// Where its money came from, and whom it pays.
    pub exposure: Exposure,
    /// Who pays, and who is paid, as far as the chain knows them.
    pub parties: Vec<(HolderId, Bond)>,
    /// What is not known.
    pub notes: Vec<String>,
}

/// A chain with what is kept of it.
pub(crate) struct Chain<'a, L: ?Sized> {
    pub(crate) ledger: &'a L,
    pub(crate) facts: &'a dyn Facts,
    pub(crate) tags: &'a Tags<'a>,
}

/// What one walk along a holder's outputs tells.
#[derive(Default)]
struct Walked {
    received: Vec<(Time, Amount)>,
    transactions: BTreeSet<Seq>,
    is_cut: bool,
}

impl<L: Ledger + Coins + ?Sized> Chain<'_, L> {
    /// What is known of a holder.
    pub(crate) fn holder(&self, holder: HolderId) -> Result<Finding, String> {
        let name = |holder| Ledger::holder_name(self.ledger, holder);
        let mut finding = Finding::empty(Subject::Address(name(holder)), Some(self.ledger.id().clone()));
        finding.versions = self.facts.versions();
        finding.tags = self.facts.tagged(holder)?.into_iter().collect();
        let (inherited, more) = self.facts.inherited(holder, INHERITED_MAX)?;
        finding.inherited_more = more;
        let each = inherited.into_iter().enumerate().map(|(at, (other, tagged))| Inherited {
            holder: name(other),
            by: Bond::Cluster(if at < PATHS_MAX { self.facts.path(holder, other) } else { Vec::new() }),
            tagged,
        });
        finding.inherited = each.collect();
        let (oldest, size) = self.facts.cluster(holder, Layer::CoSpend);
        let (lead, lead_size) = self.facts.cluster(holder, Layer::Change);
        let cluster = |oldest, size, layer: Layer| Some(Cluster { oldest: name(oldest), size, layer: layer.as_str() });
        finding.cluster = cluster(oldest, size, Layer::CoSpend);
        finding.lead = if lead_size == size { None } else { cluster(lead, lead_size, Layer::Change) };
        let (exposure, notes) = self.facts.exposure(holder);
        let walked = self.walk(holder);
        finding.listings = crate::flows::listings(&finding.tags, &exposure.asset, || walked.received.iter().copied());
        finding.exposure = vec![exposure];
        finding.notes = notes;
        finding.notes.extend(self.facts.quarantined(holder)?);
        if walked.is_cut {
            finding.notes.push(format!("its dates are of its latest {MOVEMENTS_MAX} outputs"));
        }
        finding.seen = self.seen(&walked.transactions);
        finding.conflicts = self.conflicts(&finding);
        Ok(finding)
    }

    /// What is known of a transaction.
    pub(crate) fn transaction(&self, seq: Seq) -> Result<Finding, String> {
        let verdict = self.facts.verdict(seq);
        let subject = Subject::Transaction {
            tx: self.ledger.transaction_name(seq),
            is_confirmed: true,
            join: verdict.join.map(cluster::Join::as_str),
            is_doubtful: verdict.is_doubtful,
        };
        let mut finding = Finding::empty(subject, Some(self.ledger.id().clone()));
        finding.versions = self.facts.versions();
        let mut coins = Vec::new();
        let mut parties = Vec::new();
        self.ledger.spent(seq, &mut coins);
        parties.extend(holders(&coins).into_iter().map(|holder| (holder, Bond::Input)));
        self.ledger.made(seq, &mut coins);
        parties.extend(holders(&coins).into_iter().map(|holder| (holder, Bond::Output)));
        let (exposure, notes) = self.facts.exposure_of(seq);
        (finding.exposure, finding.notes) = (vec![exposure], notes);
        self.parties(&mut finding, parties)?;
        finding.seen = self.seen(&BTreeSet::from([seq]));
        Ok(finding)
    }

    /// What is known of a transaction that no block has confirmed.
    pub(crate) fn pending(&self, transaction: &UtxoTransaction, fee: Amount) -> Result<Finding, String> {
        let Pending { verdict, exposure, parties, notes } = self.facts.pending(transaction, fee);
        let subject = Subject::Transaction {
            tx: txid_text(&transaction.txid),
            is_confirmed: false,
            join: verdict.join.map(cluster::Join::as_str),
            is_doubtful: verdict.is_doubtful,
        };
        let mut finding = Finding::empty(subject, Some(self.ledger.id().clone()));
        (finding.exposure, finding.notes) = (vec![exposure], notes);
        finding.versions = self.facts.versions();
        self.parties(&mut finding, parties)?;
        Ok(finding)
    }

    /// The tags of those who pay and are paid.
    pub(crate) fn parties(&self, finding: &mut Finding, parties: Vec<(HolderId, Bond)>) -> Result<(), String> {
        for (holder, by) in parties {
            let Some(tagged) = self.facts.tagged(holder)? else { continue };
            if finding.inherited.len() >= INHERITED_MAX {
                finding.inherited_more += 1;
                continue;
            }
            finding.inherited.push(Inherited { holder: Ledger::holder_name(self.ledger, holder), by, tagged });
        }
        finding.conflicts = self.conflicts(finding);
        Ok(())
    }

    fn walk(&self, holder: HolderId) -> Walked {
        let mut walked = Walked::default();
        let mut next: Option<PurseId> = self.ledger.last_purse(holder);
        for _ in 0..MOVEMENTS_MAX {
            let Some(purse) = next else { return walked };
            if let Some(seq) = self.ledger.made_by(purse) {
                let value = u128::from(self.ledger.coin(purse).value);
                let received = Amount::new(value - self.own_part(holder, seq, value));
                if !received.is_zero() {
                    walked.received.push((self.ledger.stamp(seq).time, received));
                }
                walked.transactions.insert(seq);
            }
            walked.transactions.extend(self.ledger.spent_by(purse));
            next = self.ledger.purse_before(purse);
        }
        walked.is_cut = next.is_some();
        walked
    }

    /// How much of an output a holder paid itself: by the same rule as exposure, so that both add up to the same sum.
    fn own_part(&self, holder: HolderId, maker: Seq, value: u128) -> u128 {
        let mut spent = Vec::new();
        self.ledger.spent(maker, &mut spent);
        let of = |is_own: bool| -> u128 {
            spent.iter().filter(|coin| !is_own || coin.holder == holder).map(|coin| u128::from(coin.value)).sum()
        };
        let (own, total) = (of(true), of(false));
        if own == 0 || self.facts.verdict(maker).join.is_some() { 0 } else { value * own / total }
    }

    fn seen(&self, transactions: &BTreeSet<Seq>) -> Option<Seen> {
        let time = |seq: &Seq| self.ledger.stamp(*seq).time;
        let (first, last) = (transactions.first().map(time)?, transactions.last().map(time)?);
        Some(Seen { first, last, transactions: transactions.len() as u64 })
    }

    fn conflicts(&self, finding: &Finding) -> Vec<String> {
        let own = finding.tags.iter().map(|tagged| (finding.subject.name(), tagged));
        let others = finding.inherited.iter().map(|inherited| (inherited.holder.as_str(), &inherited.tagged));
        own.chain(others).flat_map(|(holder, tagged)| self.tags.conflicts(holder, tagged)).collect()
    }
}

/// The holders of some coins, each once, in order of their numbers.
pub(crate) fn holders(coins: &[Coin]) -> Vec<HolderId> {
    let all: BTreeSet<HolderId> = coins.iter().map(|coin| coin.holder).collect();
    all.into_iter().collect()
}

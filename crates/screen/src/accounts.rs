//! Findings on account ledgers: tags, and what moved between a holder and its direct counterparties.
//!
//! What lies behind those is not kept for accounts, and no clusters are; a finding says so.

use std::collections::{BTreeMap, BTreeSet};

use know::Standings;
use ledger::{AssetId, End, HolderId, Ledger, Leg, PurseId, Seq};
use money::Amount;

use crate::finding::{Bond, Exposure, Finding, Flow, Inherited, Listing, Proof, Seen, Slice, Subject, Tagged};
use crate::flows::{Counted, INHERITED_MAX, MOVEMENTS_MAX, hop};
use crate::tags::Tags;
use crate::{CategorySet, Direction};

/// Said of every account.
const NOT_KEPT: &str =
    "on a ledger of accounts only direct counterparties are counted: indirect exposure and clusters are not kept";

/// What is known of the holders of one account ledger.
pub(crate) struct Accounts<'a> {
    pub(crate) ledger: &'a dyn Ledger,
    pub(crate) standings: &'a Standings,
    pub(crate) tags: &'a Tags<'a>,
}

/// One movement of the subject's.
struct Moved {
    seq: Seq,
    asset: AssetId,
    direction: Direction,
    other: Option<HolderId>,
    amount: Amount,
}

impl Accounts<'_> {
    fn tagged(&self, holder: HolderId) -> Result<Option<Tagged>, String> {
        let claims = self.tags.claims()?;
        Ok(self.standings.holders.get(&holder).map(|standing| self.tags.tagged(standing, claims)))
    }

    /// What is known of a holder.
    pub(crate) fn holder(&self, holder: HolderId) -> Result<Finding, String> {
        let purses: BTreeSet<PurseId> = self.ledger.purses(holder).into_iter().collect();
        let (moves, is_whole) = self.moves(&purses);
        let mut finding = self.counted(Subject::Address(self.ledger.holder_name(holder)), &moves)?;
        finding.tags = self.tagged(holder)?.into_iter().collect();
        finding.listings = self.listings(&finding.tags, &moves);
        if !is_whole {
            finding.notes.push(format!("only its latest {MOVEMENTS_MAX} movements of an asset were looked at"));
        }
        finding.notes.push(NOT_KEPT.to_owned());
        let own = finding.tags.iter().map(|tagged| self.tags.conflicts(finding.subject.name(), tagged));
        finding.conflicts = own.flatten().collect();
        Ok(finding)
    }

    /// The tags of a holder and nothing else: of a chain of which nothing is kept.
    pub(crate) fn bare(&self, holder: HolderId) -> Result<Finding, String> {
        let subject = Subject::Address(self.ledger.holder_name(holder));
        let mut finding = Finding::empty(subject, Some(self.ledger.id().clone()));
        finding.tags = self.tagged(holder)?.into_iter().collect();
        Ok(finding)
    }

    /// A transaction of such a chain.
    pub(crate) fn bare_transaction(&self, seq: Seq) -> Finding {
        let tx = self.ledger.transaction_name(seq);
        let subject = Subject::Transaction { tx, is_confirmed: true, join: None, is_doubtful: false };
        Finding::empty(subject, Some(self.ledger.id().clone()))
    }

    /// What is known of a transaction: who pays in it, and who is paid.
    pub(crate) fn transaction(&self, seq: Seq) -> Result<Finding, String> {
        let mut legs = Vec::new();
        self.ledger.transaction(seq, &mut legs);
        let holder = |end: End| end.purse().map(|purse| self.ledger.purse(purse).holder);
        let sides = |leg: &Leg| {
            let moved =
                |direction, end| Moved { seq, asset: leg.asset, direction, other: holder(end), amount: leg.amount };
            [moved(Direction::Received, leg.payer), moved(Direction::Sent, leg.payee)]
        };
        let moves: Vec<Moved> = legs.iter().filter(|leg| leg.payee != End::Fee).flat_map(sides).collect();
        let tx = self.ledger.transaction_name(seq);
        let subject = Subject::Transaction { tx, is_confirmed: true, join: None, is_doubtful: false };
        let mut finding = self.counted(subject, &moves)?;
        for inherited in &mut finding.inherited {
            if let Bond::Counterparty(direction) = inherited.by {
                inherited.by = if direction == Direction::Received { Bond::Input } else { Bond::Output };
            }
        }
        finding.notes.push(NOT_KEPT.to_owned());
        Ok(finding)
    }

    /// Every movement of some purses, the latest of each; whether these are all.
    fn moves(&self, purses: &BTreeSet<PurseId>) -> (Vec<Moved>, bool) {
        let (mut touched, mut is_whole) = (BTreeSet::new(), true);
        for purse in purses {
            let mut before = self.ledger.end();
            let mut steps = 0;
            while let Some(seq) = self.ledger.previous(*purse, before) {
                if steps >= MOVEMENTS_MAX {
                    is_whole = false;
                    break;
                }
                steps += 1;
                touched.insert(seq);
                before = seq;
            }
        }
        let (mut moves, mut legs) = (Vec::new(), Vec::new());
        let own = |end: End| end.purse().is_some_and(|purse| purses.contains(&purse));
        for seq in touched {
            self.ledger.transaction(seq, &mut legs);
            for leg in legs.iter().filter(|leg| leg.payee != End::Fee) {
                let (direction, end) = match (own(leg.payer), own(leg.payee)) {
                    (false, true) => (Direction::Received, leg.payer),
                    (true, false) => (Direction::Sent, leg.payee),
                    // To itself, or of others.
                    _ => continue,
                };
                let other = end.purse().map(|purse| self.ledger.purse(purse).holder);
                moves.push(Moved { seq, asset: leg.asset, direction, other, amount: leg.amount });
            }
        }
        (moves, is_whole)
    }

    /// The movements by asset, direction and category.
    fn counted(&self, subject: Subject, moves: &[Moved]) -> Result<Finding, String> {
        let own = if let Subject::Address(name) = &subject { name.clone() } else { String::new() };
        let mut finding = Finding::empty(subject, Some(self.ledger.id().clone()));
        let mut counted: BTreeMap<(AssetId, Direction), Counted> = BTreeMap::new();
        let mut others: BTreeMap<(Direction, HolderId), Amount> = BTreeMap::new();
        for moved in moves {
            let standing = moved.other.and_then(|other| self.standings.holders.get(&other));
            let category = standing.and_then(|standing| standing.category);
            let to = counted.entry((moved.asset, moved.direction)).or_default();
            to.add(category.unwrap_or_default(), standing.map(|standing| standing.entity.as_str()), moved.amount);
            if let (Some(other), Some(_)) = (moved.other, standing) {
                *others.entry((moved.direction, other)).or_default() += moved.amount;
                if let Some(category) = category {
                    to.prove(category, || self.proof(moved, other, &own));
                }
            }
        }
        let assets: BTreeSet<AssetId> = counted.keys().map(|(asset, _)| *asset).collect();
        for asset in assets {
            let mut flow = |direction| counted.remove(&(asset, direction)).map(Counted::flow).unwrap_or_default();
            finding.exposure.push(Exposure {
                asset: self.ledger.asset(asset).clone(),
                has_indirect: false,
                received: flow(Direction::Received),
                sent: flow(Direction::Sent),
                poison: CategorySet::default(),
                first_out: Vec::new(),
            });
        }
        finding.inherited_more = others.len().saturating_sub(INHERITED_MAX) as u64;
        for (direction, other) in others.into_keys().take(INHERITED_MAX) {
            if let Some(tagged) = self.tagged(other)? {
                let holder = self.ledger.holder_name(other);
                finding.inherited.push(Inherited { holder, by: Bond::Counterparty(direction), tagged });
            }
        }
        let times = moves.iter().map(|moved| self.ledger.stamp(moved.seq).time);
        let transactions: BTreeSet<Seq> = moves.iter().map(|moved| moved.seq).collect();
        if let (Some(first), Some(last)) = (times.clone().min(), times.max()) {
            finding.seen = Some(Seen { first, last, transactions: transactions.len() as u64 });
        }
        finding.versions.transactions = self.ledger.end().0;
        finding.versions.time = self.ledger.end().0.checked_sub(1).map(|last| self.ledger.stamp(Seq(last)).time);
        Ok(finding)
    }

    /// The payment itself.
    fn proof(&self, moved: &Moved, other: HolderId, own: &str) -> Proof {
        let entity = self.standings.holders.get(&other).map(|standing| standing.entity.clone()).unwrap_or_default();
        let holder = self.ledger.holder_name(other);
        let to = if moved.direction == Direction::Sent { holder.clone() } else { own.to_owned() };
        Proof { holder, entity, hops: vec![hop(self.ledger, moved.seq, to, moved.amount)] }
    }

    /// How much came in before and after the date of each tag.
    fn listings(&self, tags: &[Tagged], moves: &[Moved]) -> Vec<Listing> {
        let assets: BTreeSet<AssetId> = moves.iter().map(|moved| moved.asset).collect();
        let mut listings = Vec::new();
        for asset in assets {
            let received = || {
                let own = moves.iter().filter(|moved| moved.asset == asset && moved.direction == Direction::Received);
                own.map(|moved| (self.ledger.stamp(moved.seq).time, moved.amount))
            };
            listings.extend(crate::flows::listings(tags, self.ledger.asset(asset), received));
        }
        listings
    }
}

impl Flow {
    /// A flow of which everything is known by its categories.
    pub(crate) fn of(categories: Vec<Slice>, movements: u64) -> Self {
        let touched =
            categories.iter().fold(CategorySet::default(), |set, slice| set.with(CategorySet::one(slice.category)));
        Self {
            total: categories.iter().map(|slice| slice.direct + slice.indirect).sum(),
            categories,
            truncated: Amount::ZERO,
            touched,
            movements: (movements, movements),
        }
    }
}

//! Where a chain's money came from and went to, in the words of a finding: what `exposure` answers, with names and proofs.
//!
//! Seen from one address: what it paid to itself is neither received nor sent, so that churning coin dilutes nothing.
//! What its cluster paid it is money like any other.

use std::collections::BTreeMap;

use exposure::{Category, Inquiry, Limits, MINED, Nearest, Own, Proof as Proves, Split, UNKNOWN, Vector, Vectors};
use ledger::{AssetId, Coin, Coins, HolderId, Ledger, PurseId, Seq};
use money::Amount;

use crate::finding::{Exposure, Flow, Hop, Proof, Slice};
use crate::flows::{hop, largest};
use crate::{CategorySet, Direction};

/// How many outputs of a holder are looked at, the newest of them.
pub const OUTPUTS_MAX: usize = 10_000;
/// How far downstream is followed, and how far a path is looked for.
const LIMITS: Limits = Limits { transactions: 1_000, ends: 10_000 };
/// How many holders are named for each category, the largest first.
const HOLDERS_NAMED_MAX: usize = 20;

/// Who pays and is paid, by category: amounts by holder.
type Parties = BTreeMap<(Category, HolderId), u128>;

/// Whether a transaction is in the chain.
#[derive(Clone, Copy)]
enum Kind {
    Confirmed(Seq),
    /// It is not: what its inputs are worth that the chain has, and the others.
    Pending {
        known: u128,
        missing: u128,
    },
}

impl Kind {
    /// How much of an output comes from inputs that are known.
    fn known(self, value: u64) -> u64 {
        match self {
            Self::Confirmed(_) | Self::Pending { missing: 0, .. } => value,
            Self::Pending { known, missing } => {
                let share = u128::from(value).saturating_mul(known) / known.saturating_add(missing);
                u64::try_from(share).unwrap_or(value).min(value)
            }
        }
    }
}

/// A chain, what is known of its holders, and who they are.
pub struct Origins<'a, L: ?Sized, F: ?Sized, V: ?Sized> {
    /// The chain.
    pub ledger: &'a L,
    /// What is known of its holders and transactions.
    pub facts: &'a F,
    /// Its transactions' vectors.
    pub vectors: &'a V,
    /// What a holder with a category is called.
    pub entity: &'a dyn Fn(HolderId) -> String,
}

impl<L, F, V> Origins<'_, L, F, V>
where
    L: Ledger + Coins + ?Sized,
    F: exposure::Facts + ?Sized,
    V: Vectors + ?Sized,
{
    fn inquiry(&self) -> Inquiry<'_, L, F, V> {
        Inquiry::new(self.ledger, self.facts, self.vectors).within(LIMITS)
    }

    /// Of a holder. `first_out` says what of an output is tainted where taint leaves first.
    pub fn holder(
        &self,
        holder: HolderId,
        first_out: &dyn Fn(PurseId) -> Vec<(Category, u64)>,
    ) -> (Exposure, Vec<String>) {
        let mut notes = Vec::new();
        let older = |purse: &PurseId| self.ledger.purse_before(*purse);
        let mut purses: Vec<PurseId> =
            std::iter::successors(self.ledger.last_purse(holder), older).take(OUTPUTS_MAX + 1).collect();
        if purses.len() > OUTPUTS_MAX {
            purses.truncate(OUTPUTS_MAX);
            notes.push(format!("exposure is that of its latest {OUTPUTS_MAX} outputs"));
        }
        purses.reverse();
        let received = self.received(holder, &purses);
        let sent = self.sent(holder, &purses, &mut notes);
        let mut tainted: BTreeMap<Category, u128> = BTreeMap::new();
        for purse in purses.iter().filter(|purse| self.ledger.spent_by(**purse).is_none()) {
            for (category, amount) in first_out(*purse) {
                *tainted.entry(category).or_default() += u128::from(amount);
            }
        }
        let exposure = Exposure {
            asset: self.ledger.asset(AssetId(0)).clone(),
            has_indirect: true,
            poison: risky(self.facts, received.touched),
            received,
            sent,
            first_out: tainted.into_iter().map(|(category, amount)| (category.0, Amount::new(amount))).collect(),
        };
        (exposure, notes)
    }

    fn received(&self, holder: HolderId, purses: &[PurseId]) -> Flow {
        let (inquiry, is_own) = (self.inquiry(), |other| other == holder);
        let mut parties = Parties::new();
        let received =
            inquiry.received(purses.iter().copied(), Own::Apart, &is_own, &mut |_, from, category, amount| {
                *parties.entry((category, from)).or_default() += amount;
            });
        let makers = purses.iter().filter_map(|purse| self.ledger.made_by(*purse));
        let touched = makers.fold(0, |touched, maker| touched | self.vectors.vector(maker).poison);
        let prove = |categories| {
            let way = exposure::Direction::Backward;
            inquiry.nearest_paths(purses.iter().copied(), categories, way, Proves::Share, &is_own)
        };
        let total = received.amount - received.split.own;
        self.flow(total, &received.split, CategorySet(touched), &parties, received.purses, Direction::Received, &prove)
    }

    fn sent(&self, holder: HolderId, purses: &[PurseId], notes: &mut Vec<String>) -> Flow {
        let (inquiry, is_own) = (self.inquiry(), |other| other == holder);
        let mut parties = Parties::new();
        let mut sent = inquiry.sent(purses.iter().copied(), &is_own, &mut |_, to, category, amount| {
            *parties.entry((category, to)).or_default() += amount;
        });
        if sent.cut > 0 {
            let asset = self.ledger.asset(AssetId(0));
            let cut = crate::say::sum(Amount::new(sent.cut), asset);
            let visited = sent.visited;
            notes.push(format!("{cut} of what it sent was not followed to its end ({visited} transactions were)"));
        }
        // With holders of whom nothing is known, with miners, or not followed: all of it is nobody's that has a name.
        sent.split.indirect[usize::from(UNKNOWN.0)] += sent.unspent + sent.fees + sent.cut;
        let prove = |categories| {
            let way = exposure::Direction::Forward;
            inquiry.nearest_paths(purses.iter().copied(), categories, way, Proves::Share, &is_own)
        };
        let total = sent.amount - sent.split.own;
        let touched = touched_by(&sent.split);
        self.flow(total, &sent.split, touched, &parties, sent.purses, Direction::Sent, &prove)
    }

    /// Of a transaction in the chain: where what it makes came from, and whom it pays.
    pub fn transaction(&self, seq: Seq) -> (Exposure, Vec<String>) {
        let (mut spent, mut made) = (Vec::new(), Vec::new());
        self.ledger.spent(seq, &mut spent);
        self.ledger.made(seq, &mut made);
        let made: Vec<(HolderId, u64)> = made.iter().map(|coin| (coin.holder, coin.value)).collect();
        let is_join = self.facts.is_join(seq);
        let vector = self.vectors.vector(seq);
        let exposure = self.of_ends(&spent, &made, is_join, vector, Kind::Confirmed(seq));
        (exposure, Vec::new())
    }

    /// Of a transaction that no block has confirmed: what it spends, and whom it pays. Of inputs worth `missing` the chain
    /// knows nothing.
    pub fn unconfirmed(&self, spent: &[Coin], made: &[(HolderId, u64)], is_join: bool, missing: u128) -> Exposure {
        let vector = self.inquiry().vector_of(spent, is_join);
        let known: u128 = spent.iter().map(|coin| u128::from(coin.value)).sum();
        self.of_ends(spent, made, is_join, vector, Kind::Pending { known, missing })
    }

    fn of_ends(&self, spent: &[Coin], made: &[(HolderId, u64)], is_join: bool, vector: Vector, kind: Kind) -> Exposure {
        let inquiry = self.inquiry();
        let (mut split, mut payers, mut payees) = (Split::default(), Parties::new(), Parties::new());
        let origins = match kind {
            Kind::Confirmed(seq) => inquiry.origins(seq, Own::Apart, &|_| false),
            Kind::Pending { .. } => inquiry.origins_of(spent, is_join, Own::Apart, &|_| false),
        };
        let mut paid = Split::default();
        let mut total = 0;
        for (holder, value) in made {
            total += u128::from(*value);
            let known = kind.known(*value);
            split.indirect[usize::from(UNKNOWN.0)] += u128::from(*value - known);
            if known > 0 {
                split.add(&origins.split(known));
            }
            for (from, category, amount) in origins.payers(known) {
                *payers.entry((category, from)).or_default() += amount;
            }
            let category = self.facts.category(*holder).unwrap_or(UNKNOWN);
            if let Some(direct) = category.index().and_then(|index| paid.direct.get_mut(index)) {
                *direct += u128::from(*value);
            }
            if category != UNKNOWN {
                *payees.entry((category, *holder)).or_default() += u128::from(*value);
            }
        }
        let backward = |categories: u16| {
            let way = exposure::Direction::Backward;
            match kind {
                Kind::Confirmed(seq) => {
                    let each = CategorySet(categories).numbers().map(Category);
                    each.map(|category| (category, inquiry.nearest_path_of(seq, category, way, Proves::Share)))
                        .collect()
                }
                Kind::Pending { .. } => {
                    let purses = spent.iter().map(|coin| coin.purse);
                    inquiry.nearest_paths(purses, categories, way, Proves::Share, &|_| false)
                }
            }
        };
        let touched = CategorySet(vector.poison);
        let ends = (spent.len() as u64, made.len() as u64);
        Exposure {
            asset: self.ledger.asset(AssetId(0)).clone(),
            has_indirect: true,
            poison: risky(self.facts, touched),
            received: self.flow(total, &split, touched, &payers, ends.0, Direction::Received, &backward),
            // Whom a transaction pays is plain to see; no path is needed to prove it.
            sent: self.flow(total, &paid, touched_by(&paid), &payees, ends.1, Direction::Sent, &|_| BTreeMap::new()),
            first_out: Vec::new(),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they are the parts of one answer, put together in one place")]
    fn flow(
        &self,
        total: u128,
        split: &Split,
        touched: CategorySet,
        parties: &Parties,
        movements: u64,
        direction: Direction,
        prove: &dyn Fn(u16) -> BTreeMap<Category, Nearest>,
    ) -> Flow {
        let is_named = |category: &Category| {
            let is_direct = split.direct[usize::from(category.0)] > 0;
            ![UNKNOWN, MINED].contains(category) && (self.facts.is_risk(*category) || is_direct)
        };
        let some = || Category::all().filter(|category| split.of(*category) > 0);
        // One search for all of them: it costs what the costliest of them does.
        let mut nearest = match some().filter(is_named).map(Category::bit).sum() {
            0 => BTreeMap::new(),
            named => prove(named),
        };
        let slice = |category: Category| {
            let at = usize::from(category.0);
            let nearest = nearest.remove(&category).and_then(|nearest| self.proof(nearest, direction));
            Slice {
                category: category.0,
                direct: Amount::new(split.direct[at]),
                indirect: Amount::new(split.indirect[at]),
                entities: self.entities(parties, category),
                nearest,
            }
        };
        Flow {
            total: Amount::new(total),
            categories: some().map(slice).collect(),
            truncated: Amount::new(split.truncated),
            touched,
            movements: (movements, movements),
        }
    }

    fn entities(&self, parties: &Parties, category: Category) -> Vec<(String, Amount)> {
        let own = parties.range((category, HolderId(0))..=(category, HolderId(u64::MAX)));
        let mut holders: Vec<(HolderId, u128)> = own.map(|((_, holder), amount)| (*holder, *amount)).collect();
        holders.sort_by_key(|(holder, amount)| (std::cmp::Reverse(*amount), *holder));
        let mut entities: BTreeMap<String, Amount> = BTreeMap::new();
        for (holder, amount) in holders.into_iter().take(HOLDERS_NAMED_MAX) {
            *entities.entry((self.entity)(holder)).or_default() += Amount::new(amount);
        }
        largest(entities)
    }

    /// A path in the order of time, whichever way it was found.
    fn proof(&self, nearest: Nearest, direction: Direction) -> Option<Proof> {
        let Nearest::Found(path) = nearest else { return None };
        let name = |holder| Ledger::holder_name(self.ledger, holder);
        let end = path.hops.last().and_then(|hop| hop.coin).map(|coin| coin.holder);
        // Each hop's coin is the far side's: what it spends on the way back, what it makes on the way on.
        let mut paid: Vec<Option<Coin>> = path.hops.iter().map(|hop| hop.coin).collect();
        if direction == Direction::Received {
            paid.insert(0, path.start.map(|purse| self.ledger.coin(purse)));
        }
        let mut hops: Vec<Hop> = path
            .hops
            .iter()
            .zip(paid)
            .map(|(step, coin)| {
                let (to, amount) = coin.map_or_else(Default::default, |coin| (name(coin.holder), coin.value));
                hop(self.ledger, step.seq, to, Amount::new(u128::from(amount)))
            })
            .collect();
        if direction == Direction::Received {
            hops.reverse();
        }
        let holder = end.map(name).unwrap_or_default();
        Some(Proof { holder, entity: end.map(self.entity).unwrap_or_default(), hops })
    }
}

/// The categories that there is something of.
fn touched_by(split: &Split) -> CategorySet {
    let some = Category::all().filter(|category| split.of(*category) > 0);
    some.fold(CategorySet::default(), |set, category| set.with(CategorySet::one(category.0)))
}

/// The risks of a set.
fn risky(facts: &(impl exposure::Facts + ?Sized), set: CategorySet) -> CategorySet {
    let risks = set.numbers().filter(|number| facts.is_risk(Category(*number)));
    risks.fold(CategorySet::default(), |set, number| set.with(CategorySet::one(number)))
}

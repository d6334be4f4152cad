//! Services that no tag names, told by how they move money: low-grade claims, each with its score and its evidence.
//!
//! * A **hot wallet** is one holder into which many sweeps pay: transactions that collect the coins of several holders into
//!   one or two outputs. Its **deposit addresses** are the swept holders that never spent otherwise. (For account ledgers:
//!   Victor, *Address Clustering Heuristics for Ethereum*, FC 2020; here restated for outputs.)
//! * A **batch payer** is a cluster that pays many holders at once, and does so often.
//! * A **pool** is a batch payer that coinbases pay.
//!
//! What breaks them: a merchant's sweep looks like an exchange's; a wallet that consolidates into one reused address is
//! a small hot wallet, which is why thresholds ask for many holders; payroll is a batch payer too. Clusters are those of
//! the co-spend layer as they stand, so a join that was overlooked is a service here.

use std::collections::BTreeMap;

use ledger::{Coin, Coins, HolderId, Seq};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::evidence::{Chain, Payment};
use crate::keys::Nobody;
use crate::partition::{at, narrow};
use crate::{Clusters, Layer};

/// The method's name, for whoever writes a claim of a detection.
pub const DETECTION_METHOD: &str = "movement";

/// Its version; another one may detect other services.
pub const DETECTION_VERSION: u32 = 2;

/// A sweep collects from so many holders at least.
pub const SWEEP_HOLDERS_MIN: usize = 3;
/// A sweep has so many outputs at most.
pub const SWEEP_OUTPUTS_MAX: usize = 2;
/// So many sweeps into one holder make it a hot wallet.
pub const SWEEPS_MIN: u64 = 3;
/// So many deposit addresses make it one.
pub const DEPOSITS_MIN: u64 = 50;
/// And so many for each sweep: who gathers small change often has few.
pub const DEPOSITS_EACH_SWEEP_MIN: u64 = 9;
/// Of what is swept, so much must never have been spent otherwise, in thousandths.
pub const DEPOSIT_SHARE_MIN_PERMILLE: u32 = 800;
/// A holder with more outputs than this is no deposit address.
pub const DEPOSIT_OUTPUTS_MAX: usize = 1_000;
/// A batch pays so many different holders at least.
pub const BATCH_HOLDERS_MIN: usize = 10;
/// So many batches make a batch payer.
pub const BATCHES_MIN: u64 = 5;
/// So many coinbases make a batch payer a pool.
pub const POOL_COINBASES_MIN: u64 = 6;
/// So many transactions are named as evidence.
pub const DETECTION_EVIDENCE_MAX: usize = 5;
/// So many detections are given at most; deposit addresses are left out first.
pub const DETECTIONS_MAX: usize = 10_000_000;

/// What a service looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceKind {
    /// Collects what its customers deposit.
    HotWallet,
    /// Mines, and shares what it mines out.
    Pool,
    /// Pays many at once, often.
    BatchPayer,
    /// Is paid by a customer and swept by a service.
    Deposit,
}

impl ServiceKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HotWallet => "hot-wallet",
            Self::Pool => "pool",
            Self::BatchPayer => "batch-payer",
            Self::Deposit => "deposit",
        }
    }
}

/// A service that was told by how it moves money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detection {
    /// What it looks like.
    pub kind: ServiceKind,
    /// Who: of batch payers and pools the oldest member of the cluster, else the holder itself.
    pub holder: HolderId,
    /// Of a deposit address, the hot wallet that sweeps it.
    pub of: Option<HolderId>,
    /// In thousandths: of a hot wallet and its deposit addresses, how many of the swept holders never spent otherwise; of
    /// the others, how many of the cluster's payments are batches.
    pub score_permille: u32,
    /// How many sweeps, batches or, for a pool, coinbases were seen.
    pub count: u64,
    /// The first of them.
    pub evidence: Vec<Seq>,
}

/// How often something was seen, and where first.
#[derive(Clone, Debug, Default)]
struct Sightings {
    count: u64,
    first: Vec<Seq>,
}

impl Sightings {
    fn add(&mut self, seq: Seq) {
        self.count += 1;
        if self.first.len() < DETECTION_EVIDENCE_MAX {
            self.first.push(seq);
        }
    }
}

/// What one pass over a chain sees.
#[derive(Default)]
struct Seen {
    /// By the swept-into holder: its sweeps, all of them.
    sweeps: BTreeMap<u32, Vec<Seq>>,
    /// By cluster.
    batches: BTreeMap<u32, Sightings>,
    coinbases: BTreeMap<u32, Sightings>,
    /// How many payments each cluster made; by label.
    payments: FxHashMap<u32, u64>,
    holders: FxHashSet<HolderId>,
}

impl Clusters {
    /// Services that show in how they move money; by kind, then by holder.
    pub fn detect<C: Coins + ?Sized>(&self, chain: &Chain<'_, C>) -> Vec<Detection> {
        let nobody = Nobody::of(chain.coins);
        let mut seen = Seen::default();
        let (mut payment, mut spent, mut made) = (Payment::default(), Vec::new(), Vec::new());
        for seq in (0..self.done().0).map(Seq) {
            chain.coins.spent(seq, &mut spent);
            chain.coins.made(seq, &mut made);
            made.retain(|coin| !nobody.has(narrow(coin.holder)));
            if spent.is_empty() {
                self.see_coinbase(&mut seen, seq, &made);
            } else {
                payment.read(chain, &nobody, seq);
                self.see_payment(&mut seen, seq, &payment.payers, &made);
            }
        }
        let mut found = payers(&seen);
        for (hub, sweeps) in &seen.sweeps {
            if sweeps.len() as u64 >= SWEEPS_MIN {
                found.extend(hot_wallet(chain, &nobody, (*hub, sweeps), self.done(), &mut payment));
            }
        }
        found.sort_by_key(|detection| (detection.kind, detection.holder));
        found.truncate(DETECTIONS_MAX);
        found
    }

    fn cluster_of(&self, holder: u32) -> u32 {
        self.partition(Layer::CoSpend).label[at(holder)]
    }

    fn see_coinbase(&self, seen: &mut Seen, seq: Seq, made: &[Coin]) {
        // One that pays several at once is of a pool that pays in its blocks: nobody of them is the pool.
        if let [first, rest @ ..] = made
            && rest.iter().all(|coin| coin.holder == first.holder || coin.value == 0)
        {
            seen.coinbases.entry(self.cluster_of(narrow(first.holder))).or_default().add(seq);
        }
    }

    fn see_payment(&self, seen: &mut Seen, seq: Seq, payers: &[u32], made: &[Coin]) {
        let Some(payer) = payers.first().map(|payer| self.cluster_of(*payer)) else { return };
        *seen.payments.entry(payer).or_default() += 1;
        if payers.len() >= SWEEP_HOLDERS_MIN && made.len() <= SWEEP_OUTPUTS_MAX {
            // The larger output; of two that are equal, the first.
            if let Some(most) = made.iter().rev().max_by_key(|coin| coin.value) {
                seen.sweeps.entry(narrow(most.holder)).or_default().push(seq);
            }
        }
        if made.len() >= BATCH_HOLDERS_MIN {
            seen.holders.clear();
            seen.holders.extend(made.iter().map(|coin| coin.holder));
            if seen.holders.len() >= BATCH_HOLDERS_MIN {
                seen.batches.entry(payer).or_default().add(seq);
            }
        }
    }
}

/// Batch payers and pools.
fn payers(seen: &Seen) -> Vec<Detection> {
    let often = seen.batches.iter().filter(|(_, batches)| batches.count >= BATCHES_MIN);
    let detection = |(cluster, batches): (&u32, &Sightings)| {
        let payments = seen.payments.get(cluster).copied().unwrap_or(1);
        let mined = seen.coinbases.get(cluster).filter(|mined| mined.count >= POOL_COINBASES_MIN);
        let (kind, seen) = mined.map_or((ServiceKind::BatchPayer, batches), |mined| (ServiceKind::Pool, mined));
        Detection {
            kind,
            holder: HolderId(u64::from(*cluster)),
            of: None,
            score_permille: permille(batches.count, payments),
            count: seen.count,
            evidence: seen.first.clone(),
        }
    };
    often.map(detection).collect()
}

fn permille(part: u64, whole: u64) -> u32 {
    u32::try_from(part * 1_000 / whole.max(1)).unwrap_or(1_000).min(1_000)
}

/// A hot wallet with its deposit addresses, if it has enough of them.
fn hot_wallet<C: Coins + ?Sized>(
    chain: &Chain<'_, C>,
    nobody: &Nobody,
    (hub, sweeps): (u32, &[Seq]),
    done: Seq,
    payment: &mut Payment,
) -> Vec<Detection> {
    let into_hub: FxHashSet<Seq> = sweeps.iter().copied().collect();
    let mut swept: Vec<u32> = Vec::new();
    for seq in sweeps {
        payment.read(chain, nobody, *seq);
        swept.extend(payment.payers.iter().filter(|payer| **payer != hub));
    }
    swept.sort_unstable();
    swept.dedup();
    let mut deposits = Vec::new();
    for holder in &swept {
        if let Some(evidence) = only_swept(chain.coins, done, *holder, &into_hub) {
            deposits.push((*holder, evidence));
        }
    }
    let score_permille = permille(deposits.len() as u64, swept.len() as u64);
    let least = DEPOSITS_MIN.max(sweeps.len() as u64 * DEPOSITS_EACH_SWEEP_MIN);
    if (deposits.len() as u64) < least || score_permille < DEPOSIT_SHARE_MIN_PERMILLE {
        return Vec::new();
    }
    let hub = HolderId(u64::from(hub));
    let evidence = sweeps.iter().copied().take(DETECTION_EVIDENCE_MAX).collect();
    let count = sweeps.len() as u64;
    let mut found =
        vec![Detection { kind: ServiceKind::HotWallet, holder: hub, of: None, score_permille, count, evidence }];
    found.extend(deposits.into_iter().map(|(holder, seen)| Detection {
        kind: ServiceKind::Deposit,
        holder: HolderId(u64::from(holder)),
        of: Some(hub),
        score_permille,
        count: seen.count,
        evidence: seen.first,
    }));
    found
}

/// The sweeps that a holder's coins went into; `None` if one went elsewhere.
fn only_swept<C: Coins + ?Sized>(coins: &C, done: Seq, holder: u32, into_hub: &FxHashSet<Seq>) -> Option<Sightings> {
    let mut spends = Vec::new();
    let mut purse = coins.last_purse(HolderId(u64::from(holder)));
    for _ in 0..DEPOSIT_OUTPUTS_MAX {
        let Some(here) = purse else { break };
        spends.extend(coins.spent_by(here).filter(|seq| *seq < done));
        purse = coins.purse_before(here);
    }
    if purse.is_some() || !spends.iter().all(|seq| into_hub.contains(seq)) {
        return None;
    }
    spends.sort_unstable();
    spends.dedup();
    let mut seen = Sightings::default();
    for seq in spends {
        seen.add(seq);
    }
    Some(seen)
}

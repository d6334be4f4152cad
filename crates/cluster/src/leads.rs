//! How often services told by how they move money ([`Detection`]) are services, where the truth is known.
//!
//! It compares and counts; whose a holder is and what for is the caller's to know ([`Duties`]). Figures: `docs/methods/services.md`.

use std::collections::BTreeSet;

use ledger::HolderId;

use crate::{Detection, ServiceKind, Share};

/// What a service has a holder for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Customers pay to it.
    Deposit,
    /// The service pays out of it.
    Hot,
    /// A miner's rewards go to it.
    Pool,
    /// Anything else of a service's.
    Other,
}

/// Who knows which holders are services', and what for.
pub trait Duties {
    /// The number of a holder's owner, and what it is for if the owner is a service; `None` where nothing is known.
    fn duty(&self, holder: HolderId) -> Option<(u64, Option<Duty>)>;
}

/// How often one kind of detection is right.
#[derive(Clone, Copy, Debug)]
pub struct Leads {
    /// What was told; `None` for hot wallets, pools and batch payers together.
    pub kind: Option<ServiceKind>,
    /// How many are right.
    pub right: u64,
    /// How many are wrong.
    pub wrong: u64,
    /// Of those told, the right ones.
    pub precision: Share,
    /// Of what there is to tell, what was told: of deposit addresses by address, of the others by service.
    pub recall: Share,
}

/// Holds detections against the truth about so many holders: each kind, then the services of any kind.
pub fn judge_leads(found: &[Detection], holders: u64, truth: &dyn Duties) -> Vec<Leads> {
    let kinds = [ServiceKind::HotWallet, ServiceKind::Pool, ServiceKind::BatchPayer, ServiceKind::Deposit];
    kinds.into_iter().map(Some).chain([None]).map(|kind| judge(found, holders, truth, kind)).collect()
}

fn judge(found: &[Detection], holders: u64, truth: &dyn Duties, kind: Option<ServiceKind>) -> Leads {
    let by_address = kind == Some(ServiceKind::Deposit);
    let counted = |holder: HolderId, owner: u64| if by_address { holder.0 } else { owner };
    let (mut right, mut wrong, mut told) = (0, 0, BTreeSet::new());
    let is_asked = |one: &&Detection| kind.map_or(one.kind != ServiceKind::Deposit, |kind| one.kind == kind);
    for one in found.iter().filter(is_asked) {
        let Some((owner, duty)) = truth.duty(one.holder) else { continue };
        if is_right(one, owner, duty, truth) {
            right += 1;
            told.insert(counted(one.holder, owner));
        } else {
            wrong += 1;
        }
    }
    let mut there = BTreeSet::new();
    for holder in (0..holders).map(HolderId) {
        if let Some((owner, Some(duty))) = truth.duty(holder)
            && is_there(kind, duty)
        {
            there.insert(counted(holder, owner));
        }
    }
    let precision = Share::of_trials(right, right + wrong);
    let recall = Share::of_trials(told.intersection(&there).count() as u64, there.len() as u64);
    Leads { kind, right, wrong, precision, recall }
}

/// Whether a detection is right: a service's, for what it was told to be, and a deposit address the hot wallet's owner's.
fn is_right(one: &Detection, owner: u64, duty: Option<Duty>, truth: &dyn Duties) -> bool {
    let Some(duty) = duty else { return false };
    match one.kind {
        ServiceKind::HotWallet => duty == Duty::Hot,
        // A cluster is named by its oldest member, which may be for anything.
        ServiceKind::BatchPayer | ServiceKind::Pool => true,
        ServiceKind::Deposit => {
            let of = one.of.and_then(|hub| truth.duty(hub)).map(|(owner, _)| owner);
            duty == Duty::Deposit && of == Some(owner)
        }
    }
}

/// Whether a holder makes its owner one that is to be told.
fn is_there(kind: Option<ServiceKind>, duty: Duty) -> bool {
    match kind {
        Some(ServiceKind::Deposit) => duty == Duty::Deposit,
        Some(ServiceKind::Pool) => duty == Duty::Pool,
        Some(ServiceKind::HotWallet | ServiceKind::BatchPayer) => duty == Duty::Hot,
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Owner 1 is a service with a hot wallet (1) and deposits (2, 3); owner 2 one with a pool (4); owner 3 a wallet (5).
    struct Town;

    impl Duties for Town {
        fn duty(&self, holder: HolderId) -> Option<(u64, Option<Duty>)> {
            match holder.0 {
                1 => Some((1, Some(Duty::Hot))),
                2 | 3 => Some((1, Some(Duty::Deposit))),
                4 => Some((2, Some(Duty::Pool))),
                5 => Some((3, None)),
                _ => None,
            }
        }
    }

    fn told(kind: ServiceKind, holder: u64, of: Option<u64>) -> Detection {
        let evidence = Vec::new();
        Detection { kind, holder: HolderId(holder), of: of.map(HolderId), score_permille: 1_000, count: 1, evidence }
    }

    #[test]
    fn leads_are_right_or_wrong_by_kind() {
        let found = [
            told(ServiceKind::HotWallet, 1, None),
            told(ServiceKind::HotWallet, 5, None),
            told(ServiceKind::HotWallet, 9, None),
            told(ServiceKind::BatchPayer, 2, None),
            told(ServiceKind::BatchPayer, 5, None),
            told(ServiceKind::Deposit, 2, Some(1)),
            told(ServiceKind::Deposit, 3, Some(5)),
            told(ServiceKind::Deposit, 5, Some(1)),
        ];
        let rows: Vec<_> = judge_leads(&found, 10, &Town)
            .into_iter()
            .map(|row| (row.kind, row.right, row.wrong, row.recall.share, row.recall.of))
            .collect();
        assert_eq!(
            rows,
            [
                (Some(ServiceKind::HotWallet), 1, 1, 1.0, 1),
                (Some(ServiceKind::Pool), 0, 0, 0.0, 1),
                (Some(ServiceKind::BatchPayer), 1, 1, 1.0, 1),
                (Some(ServiceKind::Deposit), 1, 2, 0.5, 2),
                (None, 2, 2, 0.5, 2),
            ]
        );
    }
}

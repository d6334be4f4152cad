//! [`Plan`]: everything that a run of the exercise depends on. The same plan gives the same bytes.
//!
//! It is sizes and a seed, nothing about where the files go.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The most wallets, and the most accounts of each kind: what keeps memory constant.
pub const WALLETS_MAX: u32 = 20_000;
/// The fewest with which people still find somebody to pay.
pub const WALLETS_MIN: u32 = 24;
/// The most ordinary transactions of one ledger.
pub const TRANSACTIONS_MAX: u64 = 1_000_000_000;
/// The most coins that the first fan-out makes.
pub const FAN_OUT_MAX: u32 = 2_000;
/// The longest peel chain.
pub const PEEL_HOPS_MAX: u32 = 1_000_000;
/// The most hops over all peel chains: truth keeps a step for each, in memory.
pub const PEEL_STEPS_MAX: u64 = 2_000_000;
/// The most other people in one join.
pub const JOINERS_MAX: u32 = 50;
/// The most joins that one coin goes through.
pub const JOIN_ROUNDS_MAX: u32 = 20;
/// The most tainted legs that a spreading theft may ask for.
pub const SPREAD_LEGS_MAX: u64 = 200_000_000;

/// Sizes and a seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Where all chance comes from.
    pub seed: u64,
    /// Ordinary transactions on the UTXO ledger; the heist comes on top.
    pub chain_transactions: u64,
    /// Ordinary transactions on the token ledger; 0 leaves the ledger out.
    pub token_transactions: u64,
    /// Ordinary transactions of the bank; 0 leaves it out.
    pub bank_transactions: u64,
    /// How many people there are, on each ledger.
    pub wallets: u32,
    /// Into how many coins the stolen outputs are split first.
    pub fan_out: u32,
    /// Hops of each peel chain; one coin in four goes down one.
    pub peel_hops: u32,
    /// Other people in each equal-output join.
    pub joiners: u32,
    /// Joins that a coin goes through, one after the other; one coin in four does.
    pub join_rounds: u32,
    /// Instead of laundering, pay the loot to ordinary people and go on until this many legs are tainted.
    pub spread_legs: Option<u64>,
}

/// Why a plan cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    what: &'static str,
    has: u64,
    least: u64,
    most: u64,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the plan's {} is {}; choose from {} to {}", self.what, self.has, self.least, self.most)
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// The demo: big enough to be interesting, small enough to be traced in seconds.
    pub fn demo() -> Self {
        Self {
            seed: 2024,
            chain_transactions: 20_000,
            token_transactions: 7_000,
            bank_transactions: 3_000,
            wallets: 1_000,
            fan_out: 24,
            peel_hops: 40,
            joiners: 7,
            join_rounds: 3,
            spread_legs: None,
        }
    }

    /// About `transactions` over all ledgers (from about a hundred), with a heist to match.
    pub fn scaled(transactions: u64) -> Self {
        let small = transactions < 5_000;
        let heist = if small { 30 } else { 600 };
        let ordinary = transactions.saturating_sub(heist).max(30);
        Self {
            chain_transactions: ordinary * 6 / 10,
            token_transactions: ordinary * 3 / 10,
            bank_transactions: ordinary / 10,
            wallets: wallets_for(transactions / 25),
            fan_out: if small { 4 } else { 24 },
            peel_hops: if small { 6 } else { 40 },
            join_rounds: if small { 1 } else { 3 },
            joiners: if small { 4 } else { 7 },
            ..Self::demo()
        }
    }

    /// One peel chain of `hops` hops in ordinary traffic of twice its length, on the UTXO ledger alone.
    pub fn peel(hops: u32) -> Self {
        Self {
            chain_transactions: u64::from(hops) * 2,
            token_transactions: 0,
            bank_transactions: 0,
            wallets: wallets_for(u64::from(hops) / 10),
            fan_out: 1,
            peel_hops: hops,
            ..Self::demo()
        }
    }

    /// A theft paid straight into ordinary life, which goes on until about `legs` legs are tainted; UTXO ledger alone.
    pub fn cone(legs: u64) -> Self {
        Self {
            chain_transactions: 1_000.max(legs / 500),
            token_transactions: 0,
            bank_transactions: 0,
            wallets: wallets_for(legs / 50),
            fan_out: u32::try_from((legs / 1_000).clamp(8, 400)).expect("at most 400"),
            spread_legs: Some(legs),
            ..Self::demo()
        }
    }

    /// A number that tells plans apart, those of the same seed too.
    pub(crate) fn mark(&self) -> u32 {
        let text = serde_json::to_vec(self).expect("a plan is plain numbers");
        let digest = Sha256::digest(text);
        u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]])
    }

    /// Whether it can be carried out.
    pub fn check(&self) -> Result<(), PlanError> {
        let range = |what, has, least, most| {
            if (least..=most).contains(&has) { Ok(()) } else { Err(PlanError { what, has, least, most }) }
        };
        range("chain_transactions", self.chain_transactions, 10, TRANSACTIONS_MAX)?;
        range("token_transactions", self.token_transactions, 0, TRANSACTIONS_MAX)?;
        range("bank_transactions", self.bank_transactions, 0, TRANSACTIONS_MAX)?;
        range("wallets", self.wallets.into(), WALLETS_MIN.into(), WALLETS_MAX.into())?;
        range("fan_out", self.fan_out.into(), 1, FAN_OUT_MAX.into())?;
        range("peel_hops", self.peel_hops.into(), 1, PEEL_HOPS_MAX.into())?;
        let chains = u64::from(self.fan_out.div_ceil(4));
        range("hops over all peel chains", chains * u64::from(self.peel_hops), 1, PEEL_STEPS_MAX)?;
        range("joiners", self.joiners.into(), 2, JOINERS_MAX.into())?;
        range("join_rounds", self.join_rounds.into(), 0, JOIN_ROUNDS_MAX.into())?;
        range("spread_legs", self.spread_legs.unwrap_or(1), 1, SPREAD_LEGS_MAX)
    }
}

fn wallets_for(wanted: u64) -> u32 {
    let bounded = wanted.clamp(WALLETS_MIN.into(), WALLETS_MAX.into());
    u32::try_from(bounded).expect("at most WALLETS_MAX")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_made_plans_can_be_carried_out_and_impossible_ones_say_why() {
        for plan in
            [Plan::demo(), Plan::scaled(100), Plan::scaled(10_000_000), Plan::peel(10_000), Plan::cone(1_000_000)]
        {
            assert_eq!(plan.check(), Ok(()), "{plan:?}");
        }
        let crowded = Plan { wallets: 1_000_000, ..Plan::demo() };
        let said = crowded.check().map_err(|error| error.to_string());
        assert_eq!(said, Err("the plan's wallets is 1000000; choose from 24 to 20000".to_owned()));
        assert!(Plan { fan_out: 2_000, peel_hops: 1_000_000, ..Plan::demo() }.check().is_err());
    }
}

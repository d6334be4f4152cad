//! What Ethereum's miners got for a block, before stakers took over: for nodes whose traces do not say it.
//!
//! The miner of an uncle got a part too, but a block names its uncles by hash only. Sources: the Ethereum yellow paper,
//! 11.3; EIP-649, EIP-1234, EIP-3675.

use ruint::aliases::U256;

/// From which height on a block was worth how many ether. The last one is the first that stakers made.
const ERAS: [(u64, u64); 4] = [(1, 5), (4_370_000, 3), (7_280_000, 2), (15_537_394, 0)];

const WEI: u64 = 1_000_000_000_000_000_000;

/// What the miner of a block on Ethereum got, with a thirty-second more for each uncle that the block names.
pub fn of_miner(height: u64, uncles: usize) -> U256 {
    let ether = ERAS.iter().rev().find(|(from, _)| height >= *from).map_or(0, |(_, ether)| *ether);
    let wei = ether * WEI;
    // The rules allow two uncles; a block that names more is not believed.
    U256::from(wei + wei / 32 * uncles.min(2) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_era_has_its_reward() {
        let finney = |height, uncles| of_miner(height, uncles) / U256::from(WEI / 1_000_000);
        let cases = [
            (0, 0, 0),
            (1, 0, 5_000_000),
            (4_369_999, 1, 5_156_250),
            (4_370_000, 2, 3_187_500),
            (7_280_000, 0, 2_000_000),
            (15_537_393, 1, 2_062_500),
            (15_537_394, 0, 0),
        ];
        for (height, uncles, want) in cases {
            assert_eq!(finney(height, uncles), U256::from(want), "block {height} with {uncles} uncles");
        }
    }
}

//! An EVM chain's follower, killed at random instants while the chain grows and turns: the same command goes on, and the
//! book comes out as one made from nothing, byte for byte.
//!
//! When the kills strike is drawn from a seed; what they strike depends on the machine, what must hold does not. A
//! number in `TRACEHOUND_KILL_SEED` makes other rounds of it.

mod common;
mod evm;

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use common::{Desk, assert_same};
use evm::contracts::Arg::{Address, Units};
use evm::stage::{COIN, Stage};

/// Other rounds than those that are always run.
const SEED_VARIABLE: &str = "TRACEHOUND_KILL_SEED";
/// How often it is killed.
const KILLS: u64 = 25;
/// The longest life before a kill.
const LIFE_MAX_MICROS: u64 = 180_000;
/// The most blocks that come while it is dead, and the deepest turn.
const BLOCKS_MAX: u64 = 12;
const REORG_MAX: u64 = 20;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

/// Blocks with something in them, and now and then a turn.
fn go_on(stage: &Stage, dice: &mut Dice) {
    for _ in 0..=dice.below(BLOCKS_MAX) {
        let amount = u128::from(dice.below(1_000_000) + 1);
        let path = [Address("pool one"), Address("usd"), Address("pool two"), Address("alice")];
        stage.act("alice", "router", "swapCoin(address,address,address,address)", amount, &path);
        stage.act("maker", "usd", "mint(address,uint256)", 0, &[Address(&format!("payee {amount}")), Units(amount)]);
        stage.node.mine();
    }
    if dice.below(3) == 0 {
        stage.node.reorg(dice.below(REORG_MAX) + 1, &[]);
        stage.node.mine();
    }
}

#[test]
fn killed_at_random_it_comes_out_as_one_made_from_nothing() {
    let seed = std::env::var(SEED_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(0x5eed_0005);
    eprintln!("{SEED_VARIABLE}={seed}");
    let mut dice = Dice(seed);
    let mut stage = Stage::new(1);
    stage.market();
    stage.fund(&["alice"], 1_000 * COIN);
    stage.node.mine_more(40);
    let desk = Desk::new();
    let line = format!("ingest ethereum --rpc {}", stage.node.url());
    let mut lives = 0;
    for _ in 0..KILLS {
        let mut command = desk.command(&line);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
        // Half of the kills strike while the chain moves, half of them the catching up.
        if dice.below(2) == 0 {
            go_on(&stage, &mut dice);
        }
        sleep(Duration::from_micros(dice.below(LIFE_MAX_MICROS)));
        lives += u32::from(child.try_wait().expect("the child is ours").is_none());
        let _ = child.kill();
        child.wait().expect("the child is ours");
        go_on(&stage, &mut dice);
        // A reader sees a whole book, or none yet.
        let ran = desk.run("book status --json");
        assert!(ran.code == Some(0) || ran.code == Some(5), "{}", ran.stderr);
    }
    assert_eq!(u64::from(lives), KILLS, "a follower ended by itself");
    desk.run(&format!("{line} --once")).done();
    let fresh = Desk::new();
    fresh.run(&format!("{line} --once")).done();
    assert_same(&desk.path("book/ledgers"), &fresh.path("book/ledgers"));
}

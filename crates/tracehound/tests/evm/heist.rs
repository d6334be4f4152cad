//! A heist on two live chains, with figures that a person can check: 100 coins are stolen at home; some are swapped
//! through two pools, some in the company of a flash loan, some go through calls of which one fails, some over a bridge
//! to the far chain and partly back, some into a mixer, some through a purse that holds clean coins too.
//!
//! The thief begins with nothing, so that all of what he has is stolen and every policy says the same of it; two mules
//! hold as much of their own as they get, and there the policies part.

use super::contracts::Arg::{Address, Units, Word};
use super::stage::{COIN, Stage};

/// The chains' ids: coins of both are ETH.
pub const HOME: u64 = 1;
pub const FAR: u64 = 42_161;
/// What was stolen, and where it went, in coins.
pub const LOOT: u128 = 100 * COIN;
pub const SWAPPED: u128 = 10 * COIN;
pub const LENT: u128 = 20 * COIN;
pub const CALLED: u128 = 5 * COIN;
pub const BRIDGED: u128 = 8 * COIN;
pub const MIXED: u128 = 2 * COIN;
pub const CARRIED: u128 = 10 * COIN;
/// What the mule at home pays on, of 20 coins of which 10 are loot; the far mule sends back 3 of 16, of which 8 are.
pub const PASSED: u128 = 5 * COIN;
pub const RETURNED: u128 = 3 * COIN;
/// What the bridge pays out at home for it.
pub const PAID_BACK: u128 = RETURNED - COIN / 100;
/// The mules' own coins.
pub const MULE_OWN: u128 = 10 * COIN;
pub const FAR_MULE_OWN: u128 = 8 * COIN;

/// What happened.
pub struct Heist {
    pub home: Stage,
    pub far: Stage,
    /// The theft's transaction.
    pub theft: String,
    /// What the thief's transactions cost in all, and what the mules' payments cost each.
    pub thief_fees: u128,
    pub mule_fee: u128,
    pub far_mule_fee: u128,
    /// The bridge's transactions: (from, to) on the way out and on the way back.
    pub out: (String, String),
    pub back: (String, String),
}

/// Plays it.
pub fn heist() -> Heist {
    let (home, far) = (scene(HOME, true), scene(FAR, false));
    home.fund(&["victim"], LOOT + COIN);
    home.fund(&["mule"], MULE_OWN);
    far.fund(&["far mule"], FAR_MULE_OWN);
    let theft = home.pay("victim", "thief", LOOT);
    home.done(&[&theft]);

    let path = [Address("pool one"), Address("usd"), Address("pool two"), Address("thief")];
    let note = |digit: &str| digit.repeat(64);
    let acts = [
        home.act("thief", "router", "swapCoin(address,address,address,address)", SWAPPED, &path),
        home.act(
            "thief",
            "borrower",
            "trade(address,uint256,address,address)",
            LENT,
            &[Address("lender"), Units(700 * COIN), Address("pool one"), Address("usd")],
        ),
        home.act(
            "thief",
            "outer",
            "pay(address,address,address)",
            CALLED,
            &[Address("faulty"), Address("nobody"), Address("payee")],
        ),
        home.act("thief", "mixer", "deposit(bytes32)", COIN, &[Word(&note("1"))]),
        home.act("thief", "mixer", "deposit(bytes32)", COIN, &[Word(&note("2"))]),
        home.pay("thief", "mule", CARRIED),
    ];
    home.done(&acts.each_ref().map(String::as_str));
    let fails = home.act("thief", "outer", "fail(address)", 3 * COIN, &[Address("payee")]);
    let over = send(&home, "thief", "far mule", BRIDGED, FAR);
    let pass = home.pay("mule", "x", PASSED);
    home.done(&[&over, &pass]);
    assert!(!home.node.succeeded(&fails));

    let arrived = relay(&home, &far, &over, "thief", "far mule", BRIDGED);
    let back_over = send(&far, "far mule", "returner", RETURNED, HOME);
    far.done(&[&back_over]);
    let returned = relay(&far, &home, &back_over, "far mule", "returner", PAID_BACK);
    // Both chains go on for a while.
    home.node.mine_more(4);
    far.node.mine_more(4);

    let thief_fees = acts.iter().chain([&fails, &over]).map(|act| home.node.fee(act)).sum();
    Heist {
        thief_fees,
        mule_fee: home.node.fee(&pass),
        far_mule_fee: far.node.fee(&back_over),
        out: (over, arrived),
        back: (back_over, returned),
        home,
        far,
        theft,
    }
}

/// A chain with a bridge that can pay 200 coins, and the market and the traps where they are wanted.
fn scene(chain: u64, whole: bool) -> Stage {
    let mut stage = Stage::new(chain);
    if whole {
        stage.market();
        for (name, contract) in [("faulty", "Faulty"), ("outer", "Outer")] {
            stage.place(name, contract, &[]);
        }
        stage.place("mixer", "Mixer", &[Units(COIN)]);
    } else {
        // So that no two contracts have the same address on both chains.
        stage.fund(&["nobody in particular"], 1);
        stage.place("weth", "WrappedNative", &[]);
    }
    stage.fund(&["maker"], 1_000 * COIN);
    let weth = stage.address("weth");
    stage.place("bridge", "Bridge", &[Address(&weth)]);
    stage.done(&[
        &stage.act("maker", "weth", "deposit()", 200 * COIN - 1, &[]),
        &stage.pay("maker", "weth", 1),
        &stage.act("maker", "weth", "transfer(address,uint256)", 0, &[Address("bridge"), Units(200 * COIN)]),
    ]);
    stage
}

/// Sends coins over the bridge; waits for the next block.
fn send(stage: &Stage, from: &str, to: &str, wei: u128, chain: u64) -> String {
    let arguments = [Address(to), Units(chain.into()), Units(1)];
    stage.act(from, "bridge", "sendNative(address,uint64,uint64)", wei, &arguments)
}

/// Pays on one chain what was sent on another, some blocks later. The transaction's hash.
fn relay(source: &Stage, target: &Stage, sent: &str, from: &str, to: &str, wei: u128) -> String {
    // The first word of what the bridge logged is the transfer's id.
    let id = source.logged(sent, "bridge")[2..66].to_owned();
    let (ahead, behind) = (source.node.tip().0, target.node.tip().0);
    target.node.mine_more(ahead.saturating_sub(behind) + 3);
    let chain = Units(source.node.chain().into());
    let arguments = [Address(from), Address(to), Units(wei), chain, Word(&id)];
    let paid = target.act("maker", "bridge", "relayNative(address,address,uint256,uint64,bytes32)", 0, &arguments);
    target.done(&[&paid]);
    paid
}

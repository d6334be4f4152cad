//! The play in which every trait of the contracts comes up once, in blocks that hold several transactions each.

use super::contracts::Arg::{Address, Text, Units, Word};
use super::stage::{COIN, DOLLAR, Stage};

const TRANSFER: &str = "transfer(address,uint256)";
const MINT: &str = "mint(address,uint256)";
const APPROVE: &str = "approve(address,uint256)";
/// 2^255: more than the books can hold of one thing.
const BEYOND: &str = "8000000000000000000000000000000000000000000000000000000000000000";
/// People with coins of their own.
const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dora"];

/// A chain on which all of it has happened.
pub fn whole(chain: u64) -> Stage {
    let mut stage = Stage::new(chain);
    stage.market();
    build(&mut stage);
    stage.fund(&PEOPLE, 100 * COIN);
    stage.fund(&["mallory", super::anvil::PRODUCER], COIN);
    market(&stage);
    calls(&mut stage);
    tokens(&stage);
    pieces(&stage);
    crossings(&stage);
    oddities(&stage);
    stage
}

/// Everybody who appears, by name, and their addresses.
pub fn everybody(stage: &Stage) -> Vec<(String, String)> {
    let people = ["maker", "mallory", "collector", "heir", "nobody", "erin", "fay", "relayer", "gina", "thor vault"];
    let people = PEOPLE.into_iter().chain(people).map(|name| (name.to_owned(), stage.address(name)));
    people.chain(stage.places().map(|(name, at)| (name.to_owned(), at.to_owned()))).collect()
}

fn build(stage: &mut Stage) {
    let [weth, usd] = ["weth", "usd"].map(|name| stage.address(name));
    let collector = stage.address("collector");
    for (name, contract) in [
        ("rebasing", "RebasingToken"),
        ("huge", "HugeToken"),
        ("pieces", "Pieces"),
        ("kinds", "Kinds"),
        ("faulty", "Faulty"),
        ("outer", "Outer"),
        ("splitter", "Splitter"),
        ("nest", "Nest"),
        ("library", "Library"),
        ("proxy", "Proxy"),
        ("thor", "ThorRouter"),
    ] {
        stage.place(name, contract, &[]);
    }
    stage.place("honest tax", "HonestTaxToken", &[Address(&collector)]);
    stage.place("silent tax", "SilentTaxToken", &[Address(&collector)]);
    stage.place("false usd", "Token", &[Text("Dollar"), Text("USD"), Units(6)]);
    stage.place("vault", "Vault", &[Address(&usd)]);
    stage.place("bridge", "Bridge", &[Address(&weth)]);
    stage.place("mixer", "Mixer", &[Units(COIN)]);
}

#[track_caller]
fn done(stage: &Stage, transactions: &[String]) -> u64 {
    stage.done(&transactions.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Swaps through two pools and back, a flash loan, liquidity, a vault.
fn market(stage: &Stage) {
    let swap = "swapCoin(address,address,address,address)";
    let path = |to| [Address("pool one"), Address("usd"), Address("pool two"), Address(to)];
    done(
        stage,
        &[
            stage.act("alice", "router", swap, 7 * COIN + 7, &path("alice")),
            // Somebody else gets what was swapped: a payment and a swap at once.
            stage.act("bob", "router", swap, 3 * COIN, &path("carol")),
        ],
    );
    let gold = stage.holds("gold", "alice", stage.node.tip().0);
    let back =
        [Address("gold"), Units(gold / 2), Address("pool two"), Address("usd"), Address("pool one"), Address("alice")];
    let swap_back = "swapForCoin(address,uint256,address,address,address,address)";
    let trade = "trade(address,uint256,address,address)";
    done(
        stage,
        &[
            stage.act("alice", "gold", APPROVE, 0, &[Address("router"), Units(gold / 2)]),
            stage.act("alice", "router", swap_back, 0, &back),
            stage.act(
                "bob",
                "borrower",
                trade,
                5 * COIN,
                &[Address("lender"), Units(800 * COIN), Address("pool one"), Address("usd")],
            ),
        ],
    );
    let usd = stage.holds("usd", "bob", stage.node.tip().0);
    done(
        stage,
        &[
            stage.act("bob", "usd", APPROVE, 0, &[Address("vault"), Units(usd)]),
            stage.act("bob", "vault", "deposit(uint256)", 0, &[Units(usd)]),
            stage.act("maker", "usd", MINT, 0, &[Address("vault"), Units(100 * DOLLAR)]),
            stage.act("maker", "pool one", "leave(uint256)", 0, &[Units(10 * COIN)]),
        ],
    );
    done(stage, &[stage.act("bob", "vault", "redeem(uint256)", 0, &[Units(usd / 3)])]);
}

/// Coins inside of calls: failing subtrees, contracts that are made and that end, another's code.
fn calls(stage: &mut Stage) {
    let fails = stage.act("alice", "outer", "fail(address)", 2 * COIN, &[Address("dora")]);
    let hatch = stage.act("bob", "nest", "hatch()", COIN / 4, &[]);
    let salt = &"5a".repeat(32);
    done(
        stage,
        &[
            stage.act(
                "alice",
                "outer",
                "pay(address,address,address)",
                COIN,
                &[Address("faulty"), Address("nobody"), Address("carol")],
            ),
            stage.act(
                "alice",
                "splitter",
                "split(address,address,uint256)",
                COIN,
                &[Address("carol"), Address("dora"), Units(COIN / 3)],
            ),
            hatch.clone(),
            stage.act("bob", "nest", "hatchAt(bytes32)", COIN / 8, &[Word(salt)]),
            stage.act("bob", "nest", "day(address)", COIN / 16, &[Address("carol")]),
            stage.act("bob", "nest", "night()", COIN / 32, &[]),
            stage.pay("carol", "proxy", COIN / 2),
            stage.act(
                "carol",
                "proxy",
                "send(address,address,uint256)",
                0,
                &[Address("library"), Address("dora"), Units(COIN / 3)],
            ),
        ],
    );
    assert!(!stage.node.succeeded(&fails));
    let child = stage.logged(&hatch, "nest").replace(&"0".repeat(24), "");
    let end = stage.contracts.call("Mayfly", "end(address)", &[Address(&stage.address("heir"))]);
    let ended = stage.node.send(&stage.address("bob"), Some(&child), 0, &end);
    done(stage, &[ended]);
    assert_eq!(stage.holds("", "heir", stage.node.tip().0), COIN / 4);
    assert_eq!(stage.holds("", "nobody", stage.node.tip().0), 0);
}

/// Tokens that take a tax, that change all balances at once, that bear another's symbol.
fn tokens(stage: &Stage) {
    done(
        stage,
        &[
            stage.act("maker", "honest tax", MINT, 0, &[Address("alice"), Units(1_000 * COIN)]),
            stage.act("maker", "silent tax", MINT, 0, &[Address("alice"), Units(1_000 * COIN)]),
            stage.act("maker", "rebasing", MINT, 0, &[Address("alice"), Units(600 * COIN)]),
            stage.act("maker", "rebasing", MINT, 0, &[Address("bob"), Units(400 * COIN)]),
            stage.act("maker", "false usd", MINT, 0, &[Address("alice"), Units(9_999 * DOLLAR)]),
            stage.act("maker", "usd", MINT, 0, &[Address("alice"), Units(5_000 * DOLLAR)]),
        ],
    );
    done(
        stage,
        &[
            stage.act("alice", "honest tax", TRANSFER, 0, &[Address("bob"), Units(500 * COIN)]),
            stage.act("alice", "silent tax", TRANSFER, 0, &[Address("bob"), Units(500 * COIN)]),
            stage.act("bob", "silent tax", TRANSFER, 0, &[Address("carol"), Units(100 * COIN)]),
            stage.act("bob", "rebasing", TRANSFER, 0, &[Address("carol"), Units(100 * COIN)]),
            stage.act("alice", "usd", TRANSFER, 0, &[Address("bob"), Units(50 * DOLLAR)]),
            stage.act("alice", "usd", "burn(uint256)", 0, &[Units(7 * DOLLAR)]),
        ],
    );
    // Up by a tenth, then a payment in the new units, then down by a third.
    done(
        stage,
        &[
            stage.act("maker", "rebasing", "rebase(uint256)", 0, &[Units(1_100 * COIN)]),
            stage.act("carol", "rebasing", TRANSFER, 0, &[Address("dora"), Units(10 * COIN)]),
        ],
    );
    done(stage, &[stage.act("maker", "rebasing", "rebase(uint256)", 0, &[Units(733 * COIN)])]);
}

/// What is counted in pieces.
fn pieces(stage: &Stage) {
    done(
        stage,
        &[
            stage.act("alice", "pieces", MINT, 0, &[Address("alice"), Units(1)]),
            stage.act("alice", "pieces", MINT, 0, &[Address("alice"), Units(77)]),
            stage.act(
                "alice",
                "pieces",
                "transferFrom(address,address,uint256)",
                0,
                &[Address("alice"), Address("bob"), Units(77)],
            ),
            stage.act("alice", "kinds", "mint(address,uint256,uint256)", 0, &[Address("bob"), Units(1), Units(10)]),
            stage.act("alice", "kinds", "mint(address,uint256,uint256)", 0, &[Address("bob"), Units(2), Units(20)]),
            stage.act(
                "bob",
                "kinds",
                "moveTwo(address,uint256,uint256,uint256)",
                0,
                &[Address("carol"), Units(1), Units(2), Units(4)],
            ),
        ],
    );
}

/// A bridge in both directions, a mixer, a router with memos.
fn crossings(stage: &Stage) {
    let (note, source) = ("c0".repeat(32), "50".repeat(32));
    let far = Units(56);
    done(
        stage,
        &[
            stage.act(
                "alice",
                "bridge",
                "sendNative(address,uint64,uint64)",
                4 * COIN,
                &[Address("alice"), far, Units(1)],
            ),
            stage.act("alice", "usd", APPROVE, 0, &[Address("bridge"), Units(1_000 * DOLLAR)]),
            stage.act(
                "alice",
                "bridge",
                "send(address,address,uint256,uint64,uint64)",
                0,
                &[Address("alice"), Address("usd"), Units(1_000 * DOLLAR), far, Units(2)],
            ),
            stage.act("carol", "mixer", "deposit(bytes32)", COIN, &[Word(&note)]),
            stage.act(
                "dora",
                "thor",
                "depositWithExpiry(address,address,uint256,string,uint256)",
                2 * COIN,
                &[
                    Address("thor vault"),
                    Address("0x0000000000000000000000000000000000000000"),
                    Units(0),
                    Text("=:BTC.BTC:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
                    Units(u128::from(u32::MAX)),
                ],
            ),
        ],
    );
    done(
        stage,
        &[
            stage.act(
                "maker",
                "bridge",
                "relayNative(address,address,uint256,uint64,bytes32)",
                0,
                &[Address("erin"), Address("erin"), Units(COIN), far, Word(&source)],
            ),
            stage.act(
                "maker",
                "mixer",
                "withdraw(bytes32,address,address,uint256)",
                0,
                &[Word(&note), Address("fay"), Address("relayer"), Units(COIN / 100)],
            ),
            stage.act(
                "thor vault",
                "thor",
                "transferOut(address,address,uint256,string)",
                COIN,
                &[
                    Address("gina"),
                    Address("0x0000000000000000000000000000000000000000"),
                    Units(0),
                    Text("OUT:27B9DA7EB3EF3F2D4AF0C4BA0A9E6E4A1C2F0B6F1B0A3C3A4F7D4E1A9C0B8D21"),
                ],
            ),
        ],
    );
}

/// What is allowed and means little: payments to oneself and of nothing, a producer who spends, an amount beyond all, blocks
/// without transactions.
fn oddities(stage: &Stage) {
    done(
        stage,
        &[
            stage.pay("alice", "alice", COIN),
            stage.pay("alice", "bob", 0),
            stage.act("alice", "usd", TRANSFER, 0, &[Address("alice"), Units(DOLLAR)]),
            stage.act(
                "mallory",
                "usd",
                "transferFrom(address,address,uint256)",
                0,
                &[Address("alice"), Address("mallory"), Units(0)],
            ),
            stage.pay(super::anvil::PRODUCER, "dora", 1),
            stage.act("maker", "huge", MINT, 0, &[Address("alice"), Units(5)]),
            stage.act("maker", "huge", MINT, 0, &[Address("bob"), Word(BEYOND)]),
        ],
    );
    stage.node.mine_more(3);
    done(stage, &[stage.pay("alice", "bob", 1)]);
}

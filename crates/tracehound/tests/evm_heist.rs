//! A heist on two live chains, traced: swaps, a flash loan, failing calls, a mixer, a bridge there and back. The account of
//! the loot is what a person works out by hand, under every policy, to the last unit.

mod common;
mod evm;

use std::collections::BTreeMap;

use common::{Desk, POLICIES, assert_closes, decimal, list, text};
use evm::heist::{
    BRIDGED, CALLED, CARRIED, FAR, FAR_MULE_OWN, HOME, Heist, LENT, LOOT, MIXED, MULE_OWN, PASSED, RETURNED, SWAPPED,
    heist,
};
use evm::stage::tokens_table;
use serde_json::Value;

/// Where loot is: the ledger, the kind of end, the holder or nobody, the asset.
type Place = (String, String, String, String);

/// The bridge of the stages in a user's own words: its contracts, and which fields of its events mean what.
fn registry(heist: &Heist) -> String {
    format!(
        "protocol: stage-bridge\ntitle: The bridge of two stages\nversion: 1\nsources: [the contracts of the tests]\n\
         pairing: key\nfee: up to 5%\ncontracts:\n\
         - {{ledger: 'eip155:{HOME}', address: '{}', name: Bridge, role: bridge}}\n\
         - {{ledger: 'eip155:{FAR}', address: '{}', name: Bridge, role: bridge}}\n\
         events:\n\
         - signature: Send(bytes32 transferId, address sender, address receiver, address token, uint256 amount, \
         uint64 dstChainId, uint64 nonce, uint32 maxSlippage)\n  direction: deposit\n  token: token\n  amount: amount\n  \
         sender: sender\n  recipient: receiver\n  other: dstChainId\n  key: transferId\n\
         - signature: Relay(bytes32 transferId, address sender, address receiver, address token, uint256 amount, \
         uint64 srcChainId, bytes32 srcTransferId)\n  direction: withdrawal\n  token: token\n  amount: amount\n  \
         sender: sender\n  recipient: receiver\n  other: srcChainId\n  key: srcTransferId\n",
        heist.home.address("bridge"),
        heist.far.address("bridge")
    )
}

fn incident(heist: &Heist) -> String {
    format!(
        "incident: stage-heist\ntitle: A heist on stage\nvictim: {{name: Victim, kind: person}}\noccurred: 2023-11-14\n\
         status: taken\nlosses:\n- ledger: eip155:{HOME}\n  asset: ETH\n  amount: \"100\"\n  stolen:\n  \
         - {{tx: \"{}\", to: \"{}\"}}\n",
        heist.theft,
        heist.home.address("thief")
    )
}

/// Both chains in a book, with what a user says of them, and the links that follow.
fn ingested(heist: &Heist) -> Desk {
    let desk = Desk::new();
    desk.write("stage.yaml", registry(heist));
    desk.write("tokens.csv", tokens_table(&[&heist.home, &heist.far]));
    desk.write("heist.yaml", incident(heist));
    let mixer = format!("address,label,category,source\n{},Mixer,mixer,tests\n", heist.home.address("mixer"));
    desk.write("stops.csv", format!("{mixer}{},Bridge,bridge,tests\n", heist.home.address("bridge")));
    desk.write("mixer.csv", mixer);
    for stage in [&heist.home, &heist.far] {
        let line = format!("ingest ethereum --rpc {} --once --tokens tokens.csv --events all", stage.node.url());
        desk.run(&line).done();
    }
    desk
}

/// Units of 18 decimals.
fn units(value: &Value) -> i128 {
    let (digits, scale) = decimal(text(value));
    digits * 10_i128.pow(18 - scale)
}

/// Where a result says that loot is, by its origin.
fn places(result: &Value) -> BTreeMap<Place, i128> {
    let mut places = BTreeMap::new();
    for row in list(&result["terminals"]) {
        let name = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        // A fee is nobody's.
        let holder = if row["kind"] == "fee" { String::new() } else { name("holder") };
        *places.entry((name("ledger"), name("kind"), holder, name("asset"))).or_default() +=
            units(&row["origin_amount"]);
    }
    places.retain(|_, origin| *origin != 0);
    places
}

/// Of a purse that holds `own` clean coins and then gets `loot`, and pays `pays` and then a fee: how much of each is loot,
/// and how much is left.
fn mule(policy: &str, own: u128, loot: u128, pays: u128, fee: u128) -> [u128; 3] {
    let (paid, of_fee) = match policy {
        "haircut" => {
            let paid = pays * loot / (own + loot);
            // The shares are equal halves; what half of an odd fee is, is rounded to the even.
            let half = fee / 2;
            (paid, if fee % 2 == 1 && half % 2 == 1 { half + 1 } else { half })
        }
        // What came first goes first, and that is clean; what is clean goes first.
        "fifo" | "taint-last-out" => (0, 0),
        _ => (pays, fee),
    };
    [paid, of_fee, loot - paid - of_fee]
}

/// The account of the loot, by hand: with the bridge's links known, or with the bridge tagged and what lies behind it not
/// known.
fn expected(policy: &str, heist: &Heist, linked: bool) -> BTreeMap<Place, i128> {
    let (home, far) = (&heist.home, &heist.far);
    let [passed, mule_fee, mule_left] = mule(policy, MULE_OWN, CARRIED, PASSED, heist.mule_fee);
    let [returned, far_fee, far_left] = mule(policy, FAR_MULE_OWN, BRIDGED, RETURNED, heist.far_mule_fee);
    let kept = LOOT - SWAPPED - LENT - CALLED - BRIDGED - MIXED - CARRIED - heist.thief_fees;
    // The bridge wraps what it is given and keeps that.
    let unlinked = if linked { 0 } else { BRIDGED };
    let [returned, far_fee, far_left] = [returned, far_fee, far_left].map(|there| if linked { there } else { 0 });
    let rows = [
        (home, "bridge", "bridge", home.asset("weth"), unlinked),
        (home, "balance", "thief", "ETH".to_owned(), kept),
        (home, "balance", "thief", home.asset("gold"), SWAPPED),
        (home, "balance", "thief", home.asset("usd"), LENT),
        (home, "balance", "payee", "ETH".to_owned(), CALLED),
        (home, "mixer", "mixer", "ETH".to_owned(), MIXED),
        (home, "balance", "x", "ETH".to_owned(), passed),
        (home, "balance", "mule", "ETH".to_owned(), mule_left),
        (home, "fee", "", "ETH".to_owned(), heist.thief_fees + mule_fee),
        (home, "balance", "returner", "ETH".to_owned(), returned),
        (far, "balance", "far mule", "ETH".to_owned(), far_left),
        (far, "fee", "", "ETH".to_owned(), far_fee),
    ];
    let mut places = BTreeMap::new();
    for (stage, kind, holder, asset, origin) in rows {
        let holder = if holder.is_empty() { String::new() } else { stage.address(holder) };
        let origin = i128::try_from(origin).expect("a loot is small");
        *places.entry((stage.node.ledger(), kind.to_owned(), holder, asset)).or_default() += origin;
    }
    places.retain(|_, origin| *origin != 0);
    assert_eq!(places.values().sum::<i128>(), i128::try_from(LOOT).expect("a loot is small"));
    places
}

/// Holds a trace under every policy against the account by hand.
#[track_caller]
fn assert_is_expected(desk: &Desk, heist: &Heist, tags: &str, linked: bool) {
    let results =
        desk.run(&format!("trace heist.yaml --tags {tags} --policy all --json --no-edges")).done().json_lines();
    assert_eq!(results.len(), POLICIES.len());
    for result in &results {
        let policy = text(&result["policy"]);
        if policy != "poison" {
            // To the last unit, wherever it is.
            assert_eq!(places(result).values().sum::<i128>(), i128::try_from(LOOT).expect("a loot is small"));
        }
        let (is, want) = (places(result), expected(policy, heist, linked));
        if policy == "poison" {
            // It flags and does not account: what it flags is where any policy puts something.
            let flagged: Vec<&Place> = is.keys().collect();
            let all = expected("lifo", heist, linked).into_keys().chain(want.into_keys());
            let all: std::collections::BTreeSet<Place> = all.collect();
            assert_eq!(flagged, all.iter().collect::<Vec<_>>());
        } else {
            assert_eq!(is, want, "{policy}: {:#}", result["problems"]);
        }
    }
}

#[test]
fn the_account_of_the_loot_ends_at_a_bridge_that_is_only_tagged() {
    let heist = heist();
    let desk = ingested(&heist);
    assert_is_expected(&desk, &heist, "stops.csv", false);
}

#[test]
fn the_account_of_the_loot_goes_on_over_the_bridges_links_and_back() {
    let heist = heist();
    let desk = ingested(&heist);
    desk.run("links find --registry stage.yaml").done();
    assert_is_expected(&desk, &heist, "mixer.csv", true);
}

#[test]
fn the_bridges_links_are_found_by_data_alone_and_without_it_the_trace_ends_there() {
    let heist = heist();
    let desk = ingested(&heist);
    // Without the registry's file nobody knows that contract: what went in lies there.
    desk.run("links find").done();
    let line = "trace heist.yaml --tags mixer.csv --json --no-edges";
    let result = desk.run(line).done().json_lines().remove(0);
    assert_closes(&result);
    assert!(places(&result).keys().all(|(ledger, ..)| *ledger == heist.home.node.ledger()));
    // With it, both ways are pairs by their keys.
    let links = desk.run("links find --registry stage.yaml --json").done().json_lines();
    let pairs: Vec<(&str, &str)> =
        links.iter().map(|link| (text(&link["from"]["tx"]), text(&link["to"]["tx"]))).collect();
    for (from, to) in [&heist.out, &heist.back] {
        assert!(pairs.contains(&(from.as_str(), to.as_str())), "{links:#?}");
    }
    assert_eq!(pairs.len(), 2);
    assert!(links.iter().all(|link| link["class"] == "deterministic"), "{links:#?}");
    let result = desk.run(line).done().json_lines().remove(0);
    assert!(places(&result).keys().any(|(ledger, ..)| *ledger == heist.far.node.ledger()));
}

//! Thefts and blocks that really happened, from the command line: what is known of them comes out to the last unit.
//!
//! The data lies beside the repository; where it does not, these tests say so and pass.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use common::{Desk, POLICIES, assert_closes, assert_within_bounds, data, list, mainnet, sum, text};
use serde_json::Value;

/// The trace of a line under every policy, each of which closes.
#[track_caller]
fn traces(desk: &Desk, line: &str) -> Vec<Value> {
    let results = desk.run(&format!("trace {line} --policy all --json --no-edges")).done().json_lines();
    let policies: BTreeSet<&str> = results.iter().map(|result| text(&result["policy"])).collect();
    assert_eq!(policies, BTreeSet::from(POLICIES));
    for result in &results {
        assert_closes(result);
        assert_within_bounds(result);
    }
    results
}

fn bitfinex() -> Option<Desk> {
    let path = data("bitcoin/bitfinex-2016/bitfinex_tx_dataset.csv")?;
    let desk = Desk::new();
    let flags = "--ledger table:bitfinex --column tx=txid --set time=2016-08-02 --set asset=BTC";
    let ran = desk.run(&format!("ingest table '{}' {flags}", path.display())).done();
    assert!(ran.stderr.ends_with(": 2,072 transactions into table:bitfinex\n"), "{}", ran.stderr);
    let mut incident = String::from(
        "incident: bitfinex-2016\ntitle: Bitfinex\nvictim: {name: Bitfinex, kind: exchange}\noccurred: 2016-08-02\n\
         status: taken\nlosses:\n- ledger: table:bitfinex\n  asset: BTC\n  amount: \"119756.62032288\"\n  stolen:\n",
    );
    let mut rows = csv::Reader::from_path(path).unwrap();
    for row in rows.records() {
        let row = row.unwrap();
        let _ = writeln!(incident, "  - {{tx: \"{}\", to: \"{}\"}}", &row[0], &row[2]);
    }
    desk.write("bitfinex.yaml", incident);
    Some(desk)
}

#[test]
fn bitfinex_2016() {
    let Some(desk) = bitfinex() else { return };
    let check = desk.run("incidents check bitfinex.yaml").done().stdout;
    assert!(check.contains("bitfinex-2016: 119,756.62032288 BTC on table:bitfinex (account)\n"), "{check}");
    assert!(check.ends_with("table:bitfinex: traces start at 2,072 places\n"), "no problems: {check}");
    for result in traces(&desk, "bitfinex.yaml --envelope") {
        assert_eq!(text(&result["loot"][0]["amount"]), "119756.62032288");
        let terminals = list(&result["terminals"]);
        assert_eq!(terminals.len(), 2_072, "nothing has moved since");
        for row in terminals {
            assert_eq!((&row["low"], &row["high"], &row["hops"]), (&row["amount"], &row["amount"], &Value::from(0)));
        }
    }
    // One satoshi more than moved is refused.
    desk.write("more.yaml", desk.read("bitfinex.yaml").replace("119756.62032288", "119756.62032289"));
    let said = desk.refused("trace more.yaml", 2);
    assert!(said.contains("119756.62032289 BTC, but its starts bring only 119756.62032288 BTC"), "{said}");
}

/// The account that the bridge was emptied into.
const THIEF: &str = "0x098b716b8aaf21512996dc57eb0615e2383e2f96";

#[test]
fn ronin_2022() {
    let Some(path) = data("ethereum/ronin-2022/LazarusTabularTxs1322519.csv") else { return };
    let desk = Desk::new();
    let theft = "0xc28fad5e8d5e0ce6a2eaf67b6687be5d58113e16be590824d6cfa1a94467d0b7";
    // The theft itself is not among the rows. Its time is rounded down to before the first of them.
    desk.write(
        "theft.csv",
        format!(
            "tx,time,from,to,asset,amount\n{theft},2022-03-23T13:00:00Z,0x1a2a1c938ce3ec39b6d47113c7955baa9dd454f2,\
             0x098B716B8Aaf21512996dC57EB0615e2383E2f96,ETH,173600\n"
        ),
    );
    desk.run("ingest table theft.csv --ledger ethereum").done();
    let flags = "--ledger ethereum --column tx=#row --column time=block_time --column amount=total_eth \
                 --set asset=ETH --scientific";
    desk.run(&format!("ingest table '{}' {flags}", path.display())).done();
    desk.write(
        "ronin.yaml",
        format!(
            "incident: ronin-2022\ntitle: Ronin bridge\nvictim: {{name: Ronin Network, kind: bridge, country: VN}}\n\
             occurred: 2022-03-23\ndiscovered: 2022-03-29\nstatus: taken\nlosses:\n- ledger: eip155:1\n  asset: ETH\n  \
             amount: \"173600\"\n  stolen:\n  - {{tx: \"{theft}\", to: \"{THIEF}\"}}\n"
        ),
    );
    outgoing_transfers(&desk);
    dust_senders_are_left_alone(&desk, &path);
    labels_and_dust(&desk);
}

/// 37 transactions leave the account. Seven of them move nothing (they call contracts) and so are no hops.
fn outgoing_transfers(desk: &Desk) {
    let edges = desk.run("trace ronin.yaml --policy poison --csv=edges").done().csv();
    let out: Vec<_> = edges.iter().filter(|edge| edge["from"] == THIEF && edge["step"] == "transfer").collect();
    let moving = out.iter().filter(|edge| edge["amount"] != "0").count();
    assert_eq!(moving, 30, "{} hops in all", out.len());
    assert_eq!(sum(out.iter().map(|edge| edge["amount"].as_str())), "182163.95603");
}

/// Hundreds sent dust to the account. None of them received loot, so none of them is anywhere in the answer.
fn dust_senders_are_left_alone(desk: &Desk, path: &std::path::Path) {
    let (mut senders, mut receivers, mut sent) = (BTreeSet::new(), BTreeSet::new(), 0);
    for row in csv::Reader::from_path(path).unwrap().records() {
        let row = row.unwrap();
        let end = |at: usize| row[at].replace("\\x", "0x").to_ascii_lowercase();
        if end(2) == THIEF {
            senders.insert(end(1));
            sent += 1;
        }
        if &row[3] != "0.0" {
            receivers.insert(end(2));
        }
    }
    assert_eq!(sent, 324);
    let innocent: Vec<_> = senders.difference(&receivers).collect();
    assert!(innocent.len() > 100, "{} senders who never received anything", innocent.len());
    for result in traces(desk, "ronin.yaml") {
        assert_eq!(text(&result["loot"][0]["amount"]), "173600");
        let holders: BTreeSet<&str> =
            list(&result["terminals"]).iter().filter_map(|row| row["holder"].as_str()).collect();
        assert!(holders.len() > 1);
        for sender in &senders {
            let policy = text(&result["policy"]);
            assert!(!holders.contains(sender.as_str()) || receivers.contains(sender), "{policy} flags {sender}");
        }
    }
}

/// Below this many ETH a movement is not followed.
const DUST: &str = "0.01";

/// The thief's wallets are sanctioned and tagged as a theft's: risks, and no stops, so the money is followed through them
/// as without labels. Dust of which a part is loot ends as truncated, and only that.
fn labels_and_dust(desk: &Desk) {
    let packs = ["ofac.yaml", "ronin_bridge.yaml", "lazarus2.yaml"].map(|name| data(&format!("tags/packs/{name}")));
    let [Some(ofac), Some(ronin), Some(lazarus)] = packs else { return };
    let tags = format!("--tags '{}' --tags '{}' --tags '{}'", ofac.display(), ronin.display(), lazarus.display());
    let plain = traces(desk, "ronin.yaml");
    let tagged = traces(desk, &format!("ronin.yaml {tags}"));
    let places = |result: &Value| -> Vec<(String, String, String)> {
        let place =
            |row: &Value| ["holder", "kind", "origin_amount"].map(|field| row[field].as_str().unwrap_or("").into());
        list(&result["terminals"]).iter().map(|row| place(row).into()).collect()
    };
    for (plain, tagged) in plain.iter().zip(&tagged) {
        assert_eq!(places(plain), places(tagged), "{}", plain["policy"]);
    }
    for result in traces(desk, &format!("ronin.yaml {tags} --dust ETH={DUST}")) {
        assert_eq!(text(&result["loot"][0]["amount"]), "173600");
    }
    let edges = desk.run(&format!("trace ronin.yaml {tags} --dust ETH={DUST} --csv=edges")).done().csv();
    let (mut followed, mut cut) = (0, 0);
    for edge in edges.iter().filter(|edge| edge["step"] == "transfer") {
        let is_dust = edge["amount"].parse::<f64>().unwrap() < DUST.parse::<f64>().unwrap();
        assert_eq!(edge["end"] == "truncated: below-dust", is_dust, "{edge:?}");
        *(if is_dust { &mut cut } else { &mut followed }) += 1;
    }
    assert!(followed > 30, "{followed} followed, {cut} cut");
}

/// An incident whose loot is many outputs of a chain.
fn outputs_incident(id: &str, ledger: &str, outputs: &[(String, u32)]) -> String {
    let mut incident = format!("incident: {id}\nlosses:\n- ledger: {ledger}\n  asset: BTC\n  stolen:\n");
    for (txid, vout) in outputs {
        let _ = writeln!(incident, "  - output: \"{txid}:{vout}\"");
    }
    incident
}

#[test]
fn mainnet_block_367891() {
    let Some(folder) = data("bitcoin/mainnet-block-367891") else { return };
    let block = mainnet::block(&folder, 367_891);
    assert_eq!((block.transactions.len(), block.inputs, block.fees_sats), (420, 20_817, 14_001_930));
    let desk = Desk::new();
    desk.write("block.ndjson", &block.line);
    desk.run("ingest utxo-blocks block.ndjson").done();
    let status = desk.run("book status").done().stdout;
    assert!(status.contains(": utxo, 420 transactions until 2015-08-01T"), "{status}");
    assert!(status.contains(", block 367891; BTC\n"), "{status}");

    // Many thefts, of which each takes every seventh output of the block that holds anything.
    let mut outputs = vec![Vec::new(); 7];
    for (at, (txid, values)) in block.transactions.iter().enumerate() {
        for (vout, value) in (0u32..).zip(values).filter(|(_, value)| **value > 0) {
            outputs[(at + vout as usize) % 7].push((txid.clone(), vout, *value));
        }
    }
    let mut all = Vec::new();
    for (number, outputs) in outputs.iter().enumerate() {
        let stolen: u64 = outputs.iter().map(|(_, _, value)| value).sum();
        let named: Vec<_> = outputs.iter().map(|(txid, vout, _)| (txid.clone(), *vout)).collect();
        let file = format!("theft-{number}.yaml");
        desk.write(&file, outputs_incident(&format!("theft-{number}"), "bitcoin", &named));
        for result in traces(&desk, &format!("{file} --envelope")) {
            // Loot that is stolen again within the block counts once, and is said.
            let (stolen, traced) = (sum([mainnet::bitcoins(stolen).as_str()]), text(&result["loot"][0]["amount"]));
            let again = format!("{traced} of {stolen} BTC is traced");
            let is_said = list(&result["problems"]).iter().any(|problem| text(&problem["text"]).contains(&again));
            assert!(traced == stolen || is_said, "{traced} of {stolen}: {}", result["problems"]);
        }
        all.push(file);
    }
    let together = traces(&desk, &all.join(" "));
    assert_eq!(list(&together[0]["loot"]).len(), 7);
    let all = desk.run(&format!("trace {} --json --no-edges --envelope", all.join(" "))).done();
    assert_closes(&all.json_lines()[0]);
}

/// Under poison a theft of everything that the block's first payments took in flags all of their fees.
#[test]
fn fees_inside_the_block_are_accounted_for() {
    let Some(folder) = data("bitcoin/mainnet-block-367891") else { return };
    let block = mainnet::block(&folder, 367_891);
    let desk = Desk::new();
    desk.write("block.ndjson", &block.line);
    desk.run("ingest utxo-blocks block.ndjson").done();
    // Every output that is spent within the block: its fees are hops of the trace.
    let value: Value = serde_json::from_str(&block.line).unwrap();
    let own: BTreeSet<&str> = block.transactions.iter().map(|(txid, _)| txid.as_str()).collect();
    let mut inside = Vec::new();
    for tx in list(&value["tx"]) {
        for input in list(&tx["vin"]).iter().filter(|input| input["txid"].is_string()) {
            if own.contains(text(&input["txid"])) {
                let vout = u32::try_from(input["vout"].as_u64().unwrap()).unwrap();
                inside.push((text(&input["txid"]).to_owned(), vout));
            }
        }
    }
    assert!(!inside.is_empty(), "the block spends outputs of its own");
    desk.write("inside.yaml", outputs_incident("inside", "bitcoin", &inside));
    for result in traces(&desk, "inside.yaml --envelope") {
        let moved = list(&result["terminals"]).iter().filter(|row| row["hops"] != 0).count();
        assert!(moved > 0, "{}", result["policy"]);
    }
}

#[test]
fn a_regtest_node_s_whole_chain() {
    let Some(path) = data("bitcoin/regtest-node-29.5/ground-truth-getblock3.jsonl.gz") else { return };
    let desk = Desk::new();
    let ran = desk.run(&format!("ingest utxo-blocks '{}' --ledger bitcoin-regtest", path.display())).done();
    let want = ": 315 blocks with 6,391 transactions into bip122:0f9188f13cb7b2c71f2a335e3a4fc328\n";
    assert!(ran.stderr.ends_with(want), "{}", ran.stderr);

    let mut lines = String::new();
    std::io::Read::read_to_string(
        &mut flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()),
        &mut lines,
    )
    .unwrap();
    let blocks: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Coinbases from the whole chain, and a fan-out or join of many equal outputs.
    let wide = blocks.iter().flat_map(|block| list(&block["tx"])).max_by_key(|tx| list(&tx["vin"]).len()).unwrap();
    let coinbases = blocks.iter().step_by(45).map(|block| &block["tx"][0]);
    for (number, tx) in coinbases.chain([wide]).enumerate() {
        let file = format!("theft-{number}.yaml");
        let outputs = [(text(&tx["txid"]).to_owned(), 0)];
        desk.write(&file, outputs_incident(&format!("theft-{number}"), "bitcoin-regtest", &outputs));
        for result in traces(&desk, &file) {
            assert!(list(&result["problems"]).is_empty(), "{}: {}", tx["txid"], result["problems"]);
        }
        let ran = desk.run(&format!("trace {file} --envelope --json --no-edges")).done();
        assert_closes(&ran.json_lines()[0]);
    }
}

//! UTXO blocks as Bitcoin Core prints them: what is read, and one clear line for each kind of bad input.

use std::fmt::Write as _;
use std::io::Read as _;

use decode::utxo_blocks::BlockReader;
use ledger::{LedgerId, Lock, Network, UtxoBlock, txid_text};
use money::Amount;
use proptest::prelude::*;

fn id(digit: char) -> String {
    digit.to_string().repeat(64)
}

/// A block of a coinbase and one payment with a change output.
fn block() -> String {
    let coinbase = format!(
        r#"{{"txid":"{}","vin":[{{"coinbase":"00","sequence":1}}],"vout":[{{"value":50.00000000,"n":0,"scriptPubKey":{{"asm":"0","hex":"0014751e76e8199196d454941c45d1b3a323f1433bd6","address":"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080","type":"w"}}}}]}}"#,
        id('a')
    );
    let payment = format!(
        r#"{{"txid":"{}","vin":[{{"txid":"{}","vout":3,"scriptSig":{{"asm":"","hex":""}},"prevout":{{"generated":true,"height":1,"value":0.00001000,"scriptPubKey":{{"hex":"51"}}}},"sequence":1}}],"vout":[{{"value":5.46e-06,"n":0,"scriptPubKey":{{"hex":"6A"}}}},{{"value":0.0,"n":1,"scriptPubKey":{{"hex":"{}"}}}}],"fee":0.00000454}}"#,
        id('b'),
        id('c'),
        "51".repeat(101)
    );
    format!(
        r#"{{"hash":"{}","confirmations":-1,"height":7,"time":1700000000,"difficulty":4.6e-10,"nTx":2,"previousblockhash":"{}","tx":[{coinbase},{payment}]}}"#,
        id('d'),
        id('e')
    )
}

fn read(bytes: &[u8], ledger: &str) -> String {
    let reader = BlockReader::new(bytes, LedgerId::parse(ledger).unwrap(), 8);
    let lines = reader.map(|block| match block {
        Ok(line) => shown(&line.block),
        Err(error) => error.to_string(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// As printed for the regression-test network.
fn name(holder: &Lock) -> String {
    holder.name(Network::of(&LedgerId::parse("bitcoin-regtest").unwrap()))
}

fn shown(block: &UtxoBlock) -> String {
    let mut text = format!("{} {}", block.height, block.time);
    for tx in &block.transactions {
        write!(text, "\n {}", &txid_text(&tx.txid)[..4]).unwrap();
        for input in &tx.inputs {
            let spent =
                input.spent.as_ref().map(|s| format!("={} {}", s.amount.units(), name(&s.holder))).unwrap_or_default();
            write!(text, " <{}:{}{spent}", &txid_text(&input.outpoint.txid)[..4], input.outpoint.vout).unwrap();
        }
        for output in &tx.outputs {
            write!(text, " >{} {}", output.amount.units(), name(&output.holder).chars().take(20).collect::<String>())
                .unwrap();
        }
        if let Some(fee) = tx.fee {
            write!(text, " fee {}", fee.units()).unwrap();
        }
    }
    text
}

#[test]
fn a_block_is_read_with_exact_values_and_a_holder_for_every_script() {
    let want = "7 2023-11-14T22:13:20Z\n aaaa >5000000000 bcrt1qw508d6qejxtdg4\n bbbb <cccc:3=1000 script:51 >546 script:6a >0 scripthash:e5253a9b3 fee 454";
    let got = read(block().as_bytes(), "bitcoin-regtest");
    assert_eq!(got, want);
    assert_eq!(read(format!("\u{feff}\r\n{}\r\n", block()).as_bytes(), "bitcoin-regtest"), got);
    let old_node =
        block().replace(r#""address":"bcrt1"#, r#""addresses":["bcrt1"#).replace(r#"t080","type""#, r#"t080"],"type""#);
    assert_eq!(read(old_node.as_bytes(), "bitcoin-regtest"), got);
}

#[test]
fn what_is_wrong_is_named_with_its_place_in_the_block() {
    let again = "get the block from the node again";
    let cases = [
        (block().replace("5.46e-06", "-1"), "1:tx[1].vout[0].value: \"-1\": the amount is negative; swap payer and payee instead".to_owned()),
        (block().replace("5.46e-06", "5.4e-09"), "1:tx[1].vout[0].value: \"5.4e-09\": the amount has 10 decimals, 8 are allowed here".to_owned()),
        (block().replace("5.46e-06", "1e30"), "1:tx[1].vout[0].value: \"1e30\": the amount is larger than 2^126 base units, the most that a purse can hold".to_owned()),
        (block().replace("5.46e-06", "999999999999"), "1:tx[1].vout[0].value: \"999999999999\": more than 2^64 base units, which no coin has".to_owned()),
        (block().replace("5.46e-06", "5.47e-06"), format!("1:tx[1].fee: the fee is 454 base units, inputs less outputs 453; {again}")),
        (block().replace("5.46e-06", "1"), format!("1:tx[1].vout: the outputs are worth 100000000 base units, the inputs 1000; {again}")),
        (block().replace("\"n\":1", "\"n\":2"), "1:tx[1].vout[1].n: the output's index is 2, its place is 1; give all outputs in order".to_owned()),
        (block().replace(&id('c'), &id('x')), format!("1:tx[1].vin[0].txid: \"{}\" is not 64 hexadecimal digits; {again}", id('x'))),
        (block().replace(&id('c'), &"+1".repeat(32)), format!("1:tx[1].vin[0].txid: \"{}\" is not 64 hexadecimal digits; {again}", "+1".repeat(32))),
        (block().replace(&id('d'), "ab"), format!("1:hash: \"ab\" is not 64 hexadecimal digits; {again}")),
        (block().replace("\"nTx\":2", "\"nTx\":3"), format!("1:nTx: the block says it has 3 transactions, 2 are here; {again}")),
        (block().replace("\"height\":7", "\"height\":0"), format!("1:previousblockhash: a block at height 0 has a parent; {again}")),
        (block().replace("previousblockhash", "previous"), format!("1:previousblockhash: the block at height 7 names no parent; {again}")),
        (block().replace("\"coinbase\"", "\"coin\""), format!("1:tx[0].vin: the first transaction, and no other, must have one coinbase input and nothing else; {again}")),
        (block().replace("\"vout\":3", "\"vout\":null"), format!("1:tx[1].vin[0].txid: the input does not say which output it spends; {again}")),
        (block().replace("kygt080", "kygt081"), format!("1:tx[0].vout[0].scriptPubKey.address: \"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081\": the Bech32 checksum is wrong: a character was mistyped or lost; {again}")),
        (block().replace("d6\",\"addr", "d7\",\"addr"), format!("1:tx[0].vout[0].scriptPubKey.address: \"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\" is not the address of its script; {again}")),
        (block().replace("\"6A\"", "\"6\""), format!("1:tx[1].vout[0].scriptPubKey.hex: \"6\" is not hexadecimal; {again}")),
        (block().replace("\"hex\":\"6A\"", ""), format!("1:tx[1].vout[0].scriptPubKey: neither an address nor a hex script; {again}")),
        (String::new(), "the file is empty; give one block a line, as getblock HASH 3 prints it".to_owned()),
        ("[1]\n".to_owned(), "1: \"[1]\" does not begin a block; give one JSON object a line, as getblock HASH 3 prints it".to_owned()),
    ];
    for (text, want) in cases {
        assert_eq!(read(text.as_bytes(), "bitcoin-regtest"), want, "{text}");
    }
    let mainnet = read(
        block()
            .replace("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb")
            .as_bytes(),
        "bitcoin",
    );
    assert!(
        mainnet.starts_with("1:tx[0].vout[0].scriptPubKey.address: \"1A1z") && mainnet.contains("checksum"),
        "{mainnet}"
    );
}

#[test]
fn json_that_is_no_block_says_what_to_ask_for() {
    let cases = [
        (block()[..200].to_owned(), "the file ends inside this line: get it again in full"),
        (format!("{}\n", &block()[..200]), "each block must stand on one line (jq -c . makes it so)"),
        (
            r#"{"hash":"","height":1,"time":1,"tx":["aa"]}"#.to_owned(),
            "ask the node with verbosity 2 or 3: getblock HASH 3",
        ),
        (r#"{"hash":"","height":-1}"#.to_owned(), "give blocks as getblock HASH 3 prints them"),
        (format!("{{\"x\":{}", "[".repeat(100_000)), "the file ends inside this line: get it again in full"),
    ];
    for (text, help) in cases {
        let got = read(text.as_bytes(), "bitcoin-regtest");
        assert!(got.starts_with("1:") && got.ends_with(help) && got.contains("not the expected JSON"), "{got}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn damaged_blocks_never_panic(at in 0usize..1500, byte in any::<u8>(), cut in 0usize..1500) {
        let mut bytes = block().into_bytes();
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        let _ = read(&bytes, "bitcoin");
        bytes.truncate(cut);
        let _ = read(&bytes, "bitcoin-regtest");
    }
}

#[test]
fn a_real_nodes_chain_is_read_whole() {
    let path = format!(
        "{}/../../../shared/data/bitcoin/regtest-node-29.5/ground-truth-getblock3.jsonl.gz",
        env!("CARGO_MANIFEST_DIR")
    );
    let Ok(file) = std::fs::File::open(&path) else { return eprintln!("SKIPPED: {path} is missing") };
    let reader = flate2::read::GzDecoder::new(file);
    let ledger = LedgerId::parse("bitcoin-regtest").unwrap();
    let blocks: Vec<_> = BlockReader::new(reader.take(1 << 30), ledger, 8).map(|block| block.unwrap().block).collect();
    let txs: Vec<_> = blocks.iter().flat_map(|block| &block.transactions).collect();
    assert_eq!((blocks.len(), txs.len()), (315, 6391));
    assert_eq!(txs.iter().map(|tx| tx.inputs.len()).sum::<usize>(), 12_932);
    assert!(txs.iter().flat_map(|tx| &tx.inputs).all(|input| input.spent.is_some()));
    assert!(blocks.windows(2).all(|pair| pair[1].previous == Some(pair[0].hash)));
    for block in &blocks {
        let fees: Amount = block.transactions.iter().filter_map(|tx| tx.fee).sum();
        let claimed: Amount = block.transactions[0].outputs.iter().map(|output| output.amount).sum();
        // Regtest halves its subsidy every 150 blocks. A miner may claim less than is due, and here some do.
        let subsidy = Amount::new(5_000_000_000 >> (block.height / 150));
        assert!(claimed <= subsidy + fees, "height {}", block.height);
    }
}

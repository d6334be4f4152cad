//! Blocks that do not fit together or onto the book, and files that are none: one line, exit code 2, nothing kept.

mod common;

use common::{Desk, town};
use expect_test::{Expect, expect};

#[test]
fn files_that_are_none() {
    let desk = town::ingested();
    std::fs::create_dir(desk.path("folder")).unwrap();
    desk.write("latin1.csv", b"tx,time,from,to,asset,amount\na,2024-01-01,caf\xe9,y,EUR,1\n");
    desk.write("utf16.csv", b"\xff\xfet\0x\0");
    desk.write("photo.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    desk.write("cut.csv.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]);
    desk.write("empty", "");
    let check = |line: &str, want: Expect| want.assert_eq(&desk.refused(line, 2));
    check(
        "ingest table folder",
        expect![[r#"
        folder: it is a folder; name a file
    "#]],
    );
    check(
        "ingest table nowhere.csv",
        expect![[r#"
        nowhere.csv: there is no such file; check the path
    "#]],
    );
    check(
        "ingest table latin1.csv",
        expect![[r#"
        latin1.csv:2:17: not UTF-8 (byte 0xe9); save the file as UTF-8
    "#]],
    );
    check(
        "ingest table utf16.csv",
        expect![[r#"
        utf16.csv:1: the file is UTF-16; save it as UTF-8 (CSV UTF-8 in Excel)
    "#]],
    );
    check(
        "ingest table photo.csv",
        expect![[r#"
        photo.csv:1:1: not UTF-8 (byte 0x89); save the file as UTF-8
    "#]],
    );
    check(
        "ingest table cut.csv.gz",
        expect![[r#"
        cut.csv.gz: the gzip data is cut off; get the file again in full
    "#]],
    );
    check(
        "ingest utxo-blocks folder --ledger bip122:746f776e000000000000000000000000",
        expect![[r#"
        folder: it is a folder; name a file
    "#]],
    );
    check(
        "ingest utxo-blocks nowhere --ledger bip122:746f776e000000000000000000000000",
        expect![[r#"
            nowhere: there is no such file; check the path
        "#]],
    );
    check(
        "ingest utxo-blocks empty --ledger bip122:746f776e000000000000000000000000",
        expect![[r#"
            empty: the file is empty; give one block a line, as getblock HASH 3 prints it
        "#]],
    );
    check(
        "ingest utxo-blocks bank.csv --ledger bip122:746f776e000000000000000000000000",
        expect![[r#"
            bank.csv:1: "tx,time,from,to,asset,amount,ledger,fee," does not begin a block; give one JSON object a line, as getblock HASH 3 prints it
        "#]],
    );
    check(
        "ingest table bank.csv --column ledger=asset --ledger bip122:746f776e000000000000000000000000",
        expect![[r#"
            bank.csv:2:asset: "EUR" is not a ledger id; write bitcoin, ethereum, a CAIP-2 id such as eip155:1, bank:BIC or table:NAME
        "#]],
    );
    check(
        "ingest utxo-blocks chain.ndjson --ledger bank:TOWNXXPP",
        expect![[r#"
            chain.ndjson: ledger bank:TOWNXXPP holds accounts, so this source does not belong into it; choose another ledger id
        "#]],
    );
    for line in ["incidents check", "trace", "tags import", "trace vault.yaml --tags"] {
        for file in ["folder", "nowhere", "empty", "utf16.csv"] {
            desk.refused(&format!("{line} {file}"), 2);
        }
    }
    check(
        "trace folder",
        expect![[r#"
        folder: this is a folder; give an incident file
    "#]],
    );
    check(
        "trace nowhere",
        expect![[r#"
        nowhere: there is no such file; check the path
    "#]],
    );
    check(
        "trace empty",
        expect![[r#"
        empty: the file is empty; give a YAML file with content
    "#]],
    );
    check(
        "trace utf16.csv",
        expect![[r#"
        utf16.csv:1: the file is UTF-16; save it as UTF-8 (CSV UTF-8 in Excel)
    "#]],
    );
    check(
        "tags import nowhere",
        expect![[r#"
        nowhere: there is no such file; check the path
    "#]],
    );
    check(
        "tags import empty",
        expect![[r#"
            empty:1: there is no column address; start with a header such as address,label
        "#]],
    );
}

#[test]
fn blocks_that_do_not_fit() {
    let chain = town::chain();
    let check = |lines: &[String], want: Expect| {
        let desk = Desk::new();
        desk.write("b.ndjson", lines.concat());
        want.assert_eq(
            &desk.refused("ingest utxo-blocks b.ndjson --ledger bip122:746f776e000000000000000000000000", 2),
        );
    };
    let part = |range: std::ops::Range<usize>| chain[range].to_vec();
    let with = |at: usize, from: &str, to: &str| {
        let mut lines = chain.clone();
        assert!(lines[at].contains(from));
        lines[at] = lines[at].replace(from, to);
        lines
    };
    // The height goes back, leaves a gap, or the parent is another.
    check(
        &[part(0..3), part(1..2)].concat(),
        expect![[r#"
            b.ndjson:4:height: block 1 comes after block 2 of line 3; give blocks in order of height, without gaps
        "#]],
    );
    check(
        &[part(0..2), part(3..5)].concat(),
        expect![[r#"
            b.ndjson:3:height: block 3 comes after block 1 of line 2; give blocks in order of height, without gaps
        "#]],
    );
    check(
        &with(2, &town::id("ba1"), &town::id("bb1")),
        expect![[r#"
            b.ndjson:3:previousblockhash: block 2 names the parent 0000000000000000000000000000000000000000000000000000000000000bb1, the block before it in line 2 is 0000000000000000000000000000000000000000000000000000000000000ba1; give the blocks of one chain, without stale ones
        "#]],
    );
    // An output that is spent twice, does not exist, or does not suffice.
    check(
        &with(
            3,
            &format!(r#"{{"txid":"{}","vout":1}}"#, town::id("a1")),
            &format!(r#"{{"txid":"{}","vout":0}}"#, town::id("a1")),
        ),
        expect![[r#"
            b.ndjson:4: transaction 00000000000000000000000000000000000000000000000000000000000000d2 spends output 00000000000000000000000000000000000000000000000000000000000000a1:0, which 00000000000000000000000000000000000000000000000000000000000000d1 has spent already; nothing of this run was kept
        "#]],
    );
    check(
        &with(2, "\"vout\":0", "\"vout\":7"),
        expect![[r#"
            b.ndjson:3: transaction 00000000000000000000000000000000000000000000000000000000000000d1 spends output 00000000000000000000000000000000000000000000000000000000000000a1:7, but that transaction has 2 outputs; nothing of this run was kept
        "#]],
    );
    check(
        &with(2, "6.0", "6.1"),
        expect![[r#"
            b.ndjson:3: transaction 00000000000000000000000000000000000000000000000000000000000000d1 pays out 610000000 base units and takes in only 600000000; nothing of this run was kept
        "#]],
    );
    check(
        &with(2, "6.0", "-6.0"),
        expect![[r#"
            b.ndjson:3:tx[1].vout[0].value: "-6.0": the amount is negative; swap payer and payee instead
        "#]],
    );
    check(
        &with(2, "6.0", "0.000000001"),
        expect![[r#"
            b.ndjson:3:tx[1].vout[0].value: "0.000000001": the amount has 9 decimals, 8 are allowed here
        "#]],
    );
    check(
        &with(2, &town::id("d1"), &town::id("a1")),
        expect![[r#"
            b.ndjson:3: transaction 00000000000000000000000000000000000000000000000000000000000000a1 is already in the ledger; nothing of this run was kept
        "#]],
    );
    check(
        &with(4, "\"n\":1", "\"n\":2"),
        expect![[r#"
            b.ndjson:5:tx[1].vout[1].n: the output's index is 2, its place is 1; give all outputs in order
        "#]],
    );
    check(
        &with(4, &town::id("d3"), "d3"),
        expect![[r#"
            b.ndjson:5:tx[1].txid: "d3" is not 64 hexadecimal digits; get the block from the node again
        "#]],
    );
    check(
        &[part(0..4), vec![chain[4][..200].to_owned()]].concat(),
        expect![[r#"
            b.ndjson:5:200: not the expected JSON: EOF while parsing a string; the file ends inside this line: get it again in full
        "#]],
    );
    check(
        &["{\"height\":0}\n".to_owned()],
        expect![[r#"
            b.ndjson:1:12: not the expected JSON: missing field `hash`; give blocks as getblock HASH 3 prints them
        "#]],
    );

    // On top of a book.
    let desk = town::ingested();
    let check = |line: String, want: Expect| {
        desk.write("more.ndjson", line);
        want.assert_eq(
            &desk.refused("ingest utxo-blocks more.ndjson --ledger bip122:746f776e000000000000000000000000", 2),
        );
    };
    check(
        town::block(7, "a", "ba6", &[]),
        expect![[r#"
            more.ndjson:1:height: the first block has height 7, the ledger ends at height 4; give blocks from height 5 on
        "#]],
    );
    check(
        town::block(3, "b", "ba2", &[]),
        expect![[r#"
            more.ndjson:1:height: block 3 is 0000000000000000000000000000000000000000000000000000000000000bb3, the ledger holds 0000000000000000000000000000000000000000000000000000000000000ba3 at that height; take back 2 blocks with undo first, if this is the better chain
        "#]],
    );
    check(
        town::block(5, "b", "bb4", &[]),
        expect![[r#"
            more.ndjson:1:height: block 5 names the parent 0000000000000000000000000000000000000000000000000000000000000bb4, the ledger's last block is 0000000000000000000000000000000000000000000000000000000000000ba4; take back 1 block or more with undo first, and give the blocks of one chain from there
        "#]],
    );
    check(
        town::block(5, "a", "ba4", &[("e1", &[("d1", 0)], &[("thief", "6.0")])]),
        expect![[r#"
            more.ndjson:1: transaction 00000000000000000000000000000000000000000000000000000000000000e1 spends output 00000000000000000000000000000000000000000000000000000000000000d1:0, which 00000000000000000000000000000000000000000000000000000000000000d2 has spent already; nothing of this run was kept
        "#]],
    );
    check(
        town::block(5, "a", "ba4", &[("d3", &[("ca1", 0)], &[("thief", "10.0")])]),
        expect![[r#"
            more.ndjson:1: transaction 00000000000000000000000000000000000000000000000000000000000000d3 is already in the ledger; nothing of this run was kept
        "#]],
    );
}

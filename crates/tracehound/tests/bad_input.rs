//! Bad input gets one clear line with file, line, column and what to do, the right exit code, and nothing half-ingested.
//!
//! `Desk::refused` holds all of that: one line, the code, and a book that is byte for byte what it was before (or no
//! ledger at all where there was none). The lines are snapshots; update them with `UPDATE_EXPECT=1` and read them.
//! Blocks and files that are none are in `bad_blocks.rs`, incidents and tags in `bad_case.rs`.

mod common;

use common::{Desk, town};
use expect_test::{Expect, expect};

const HEADER: &str = "tx,time,from,to,asset,amount\n";

/// Tables that are refused, as bytes, on the ledger `on`; each as the first thing in a book and on top of one.
#[track_caller]
fn check_table(name: &str, on: &str, bytes: impl AsRef<[u8]>, want: &Expect) {
    let line = format!("ingest table {name} --ledger {on}");
    let empty = Desk::new();
    empty.write(name, &bytes);
    let said = empty.refused(&line, 2);
    want.assert_eq(&said);
    let full = town::ingested();
    full.write(name, &bytes);
    assert_eq!(full.refused(&line, 2), said, "the same on top of a book");
}

fn rows(rows: &str) -> String {
    format!("{HEADER}{rows}")
}

#[test]
fn malformed_and_cut_off_csv() {
    let check = |bytes: &str, want: Expect| check_table("t.csv", "table:t", bytes, &want);
    check(
        "",
        expect![[r#"
        t.csv: the file is empty; give a table with a header and rows
    "#]],
    );
    check(
        "\n\n",
        expect![[r#"
        t.csv: the file is empty; give a table with a header and rows
    "#]],
    );
    check(
        "tx,time,from,to,asset,amount\n",
        expect![[r#"
            t.csv:1: the file has a header and no rows; give a table with rows
        "#]],
    );
    check(
        "tx,time,from,to,asset\na,2024-01-01,x,y,EUR\n",
        expect![[r#"
            t.csv:1: there is no column "amount" (found: "tx", "time", "from", "to", "asset"); try --column amount=NAME
        "#]],
    );
    check(
        "tx,time,from,to,asset,amount,amount\n",
        expect![[r#"
        t.csv:1: two columns are named "amount"; rename one
    "#]],
    );
    check(
        &rows("a,2024-01-01,x,y,EUR,1\nb,2024-01-01,x,y,EU"),
        expect![[r#"
            t.csv:3:20: this row has 5 fields, the header has 6; the file ends inside this line: get it again in full
        "#]],
    );
    check(
        &rows("a,2024-01-01,x,y,EUR,1,2\n"),
        expect![[r#"
            t.csv:2:24: this row has 7 fields, the header has 6; put fields that contain the delimiter in quotes
        "#]],
    );
    check(
        &rows("a,2024-01-01,x,y,EUR,1\nb,2024-01-01,\"x,y,EUR,1\n"),
        expect![[r#"
            t.csv:3:14: this quote is never closed; close it
        "#]],
    );
    check(
        &rows("a,2024-01-01,x,y,,1\n"),
        expect![[r#"
        t.csv:2:asset: the asset is empty; every row needs one
    "#]],
    );
    check(
        &rows(",2024-01-01,x,y,EUR,1\n"),
        expect![[r#"
        t.csv:2:tx: the tx is empty; every row needs one
    "#]],
    );
    check(
        &rows("a,yesterday,x,y,EUR,1\n"),
        expect![[r#"
            t.csv:2:time: "yesterday" is not a time; write RFC 3339, such as 2022-03-23T13:29:00Z or 2022-03-23
        "#]],
    );
    check(
        &rows("a,2024-02-30,x,y,EUR,1\n"),
        expect![[r#"
            t.csv:2:time: "2024-02-30" is not a time; write RFC 3339, such as 2022-03-23T13:29:00Z or 2022-03-23
        "#]],
    );
    check(
        &rows("a,2024-01-01,,,EUR,1\n"),
        expect![[r#"
            t.csv:2:from: from and to are both empty; name a payer, a payee, or both (empty is outside the ledger)
        "#]],
    );
}

#[test]
fn what_spreadsheets_do_to_a_table_is_fine() {
    let status = |bytes: Vec<u8>| {
        let desk = Desk::new();
        desk.write("t.csv", bytes);
        desk.run("ingest table t.csv").done();
        let loot = town::BANK_HEIST.replace("bank:TOWNXXPP", "table:t").replace("mallory", "\"mallory, the 2nd\"");
        desk.write("vault.yaml", loot);
        desk.run("trace vault.yaml --csv=edges").done().stdout
    };
    let plain = rows(
        "open,2024-01-01,,vault,EUR,1000.00\nheist,2024-01-02,vault,\"mallory, the 2nd\",EUR,300.00\n\
         pay,2024-01-03,\"mallory, the 2nd\",\"Joe \"\"the Mule\"\"\",EUR,100.00\n",
    );
    let want = status(plain.clone().into_bytes());
    assert!(want.contains(r#","Joe ""the Mule""","#), "{want}");
    let crlf = plain.replace('\n', "\r\n");
    let bom = format!("\u{feff}{plain}");
    let both = format!("\u{feff}{crlf}\r\n");
    let semicolons = plain.replace(',', ";").replace("mallory; the", "mallory, the");
    let everything_quoted = plain.replace("EUR", "\"EUR\"").replace("2024-01-02", "\"2024-01-02\"");
    let no_end = plain.trim_end().to_owned();
    for variant in [crlf, bom, both, semicolons, everything_quoted, no_end] {
        assert_eq!(status(variant.clone().into_bytes()), want, "{variant}");
    }
}

#[test]
fn malformed_and_cut_off_ndjson() {
    let good = r#"{"tx":"a","time":"2024-01-01","from":"x","to":"y","asset":"EUR","amount":"1"}"#;
    let check = |bytes: &str, want: Expect| check_table("t.ndjson", "table:t", bytes, &want);
    check(
        &format!("{good}\n{}", &good[..50]),
        expect![[r#"
            t.ndjson:2:50: not the expected JSON: EOF while parsing a value; the file ends inside this line: get it again in full
        "#]],
    );
    check(
        &format!("{good}\n[1]\n"),
        expect![[r#"
            t.ndjson:2: not the expected JSON: invalid type: sequence, expected an object
        "#]],
    );
    check(
        &good.replace("\"1\"", "1e3"),
        expect![[r#"
            t.ndjson:1:amount: "1e3": the amount is in scientific notation; write all its digits (1e-05 is 0.00001); or pass --scientific to read such amounts exactly
        "#]],
    );
    check(
        &good.replace("\"1\"", "null"),
        expect![[r#"
        t.ndjson:1:amount: "": the amount is empty
    "#]],
    );
    check(
        &good.replace("\"y\"", "[[[[[[]]]]]]"),
        expect![[r#"
            t.ndjson:1:to: "[[[[[[]]]]]]" is not a text or number; write a plain value
        "#]],
    );
    check(
        &good.replace(",\"asset\":\"EUR\"", ""),
        expect![[r#"
            t.ndjson:1: there is no column "asset" (found: "tx", "time", "from", "to", "amount"); try --set asset=BTC
        "#]],
    );
    check(
        &good.replace("\"asset\"", "\"tx\""),
        expect![[r#"
            t.ndjson:1:60: not the expected JSON: the key "tx" stands here twice
        "#]],
    );
}

#[test]
fn amounts_that_are_none() {
    let check = |amount: &str, want: Expect| {
        let row = format!("ok,2024-01-01,x,y,EUR,1\na,2024-01-01,x,y,EUR,{amount}\n");
        check_table("t.csv", "table:t", rows(&row), &want);
    };
    check(
        "1234567890123456789012345678901234567890",
        expect![[r#"
            t.csv:3:amount: "1234567890123456789012345678901234567890": the amount is larger than 2^126 base units, the most that a purse can hold
        "#]],
    );
    check(
        "0.0000000000000000000000000000000000000001",
        expect![[r#"
            t.csv:3:amount: "0.0000000000000000000000000000000000000001": the amount has 40 decimals, 36 are allowed here
        "#]],
    );
    check(
        "-1",
        expect![[r#"
        t.csv:3:amount: "-1": the amount is negative; swap payer and payee instead
    "#]],
    );
    check(
        "NaN",
        expect![[r#"
        t.csv:3:amount: "NaN": the amount is not a plain decimal number such as 12.50
    "#]],
    );
    check(
        "inf",
        expect![[r#"
        t.csv:3:amount: "inf": the amount is not a plain decimal number such as 12.50
    "#]],
    );
    check(
        "1e-05",
        expect![[r#"
            t.csv:3:amount: "1e-05": the amount is in scientific notation; write all its digits (1e-05 is 0.00001); or pass --scientific to read such amounts exactly
        "#]],
    );
    check(
        "1E5",
        expect![[r#"
            t.csv:3:amount: "1E5": the amount is in scientific notation; write all its digits (1e-05 is 0.00001); or pass --scientific to read such amounts exactly
        "#]],
    );
    check(
        "\"1,000\"",
        expect![[r#"
            t.csv:3:amount: "1,000": the amount is not a plain decimal number such as 12.50; use a point for decimals and nothing for thousands
        "#]],
    );
    check(
        "1.000.000",
        expect![[r#"
            t.csv:3:amount: "1.000.000": the amount is not a plain decimal number such as 12.50
        "#]],
    );
    check(
        "0x10",
        expect![[r#"
        t.csv:3:amount: "0x10": the amount is not a plain decimal number such as 12.50
    "#]],
    );
    check(
        "€5",
        expect![[r#"
        t.csv:3:amount: "€5": the amount is not a plain decimal number such as 12.50
    "#]],
    );
    check(
        "",
        expect![[r#"
        t.csv:3:amount: "": the amount is empty
    "#]],
    );
    check(
        "１",
        expect![[r#"
        t.csv:3:amount: "１": the amount is not a plain decimal number such as 12.50
    "#]],
    );
}

#[test]
fn ids_that_come_twice_and_time_that_runs_backwards() {
    check_table(
        "t.csv",
        "table:t",
        rows("a,2024-01-01,x,y,EUR,1\na,2024-01-02,y,z,EUR,1\n"),
        &expect![[r#"
            t.csv:3:time: transaction "a" is of 2024-01-02T00:00:00Z here and of 2024-01-01T00:00:00Z in line 2; rows of one transaction have one time; give other transactions other ids
        "#]],
    );
    check_table(
        "t.csv",
        "table:t",
        rows("a,2024-01-01,x,y,EUR,1\nb,2024-01-02,x,y,EUR,1\na,2024-01-03,y,z,EUR,1\n"),
        &expect![[r#"
            t.csv:4:time: transaction "a" is of 2024-01-03T00:00:00Z here and of 2024-01-01T00:00:00Z in line 2; rows of one transaction have one time; give other transactions other ids
        "#]],
    );
    let desk = town::ingested();
    let check = |bytes: String, want: Expect| {
        desk.write("more.csv", bytes);
        want.assert_eq(&desk.refused("ingest table more.csv --ledger bank:TOWNXXPP", 2));
    };
    check(
        rows("new,2024-02-01,x,y,EUR,1\nheist,2024-02-02,y,z,EUR,1\n"),
        expect![[r#"
            more.csv:3:tx: transaction "heist" is already in ledger bank:TOWNXXPP, from another source; leave out what both sources have, or use a ledger of its own
        "#]],
    );
    check(
        rows("new,2024-02-01,x,y,EUR,1\nold,2024-01-01,y,z,EUR,1\n"),
        expect![[r#"
            more.csv:3:time: time runs backwards: transaction "old" is of 2024-01-01T00:00:00Z, the last one in ledger bank:TOWNXXPP of 2024-01-09T06:00:00Z; ingest sources oldest first, or into a ledger of their own
        "#]],
    );
    check(
        rows("new,2024-02-01,x,y,EUR,1.005\n"),
        expect![[r#"
            more.csv:2:amount: 3 decimals, the book keeps "EUR" with 2; correct the amount, or ingest everything anew with a larger --scale
        "#]],
    );
}

#[test]
fn addresses_with_a_wrong_checksum() {
    let to = |address: &str| rows(&format!("ok,2024-01-01,,{address},X,1\n"));
    let check = |ledger: &str, address: &str, want: Expect| check_table("t.csv", ledger, to(address), &want);
    // The genesis block's address with its last letter changed; the examples of BIP 173 and EIP-55, damaged.
    check(
        "bitcoin",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        expect![[r#"
            t.csv:2:to: "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb": the Base58 checksum is wrong: a character was mistyped or lost; check it against its source
        "#]],
    );
    check(
        "bitcoin",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        expect![[r#"
            t.csv:2:to: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5": the Bech32 checksum is wrong: a character was mistyped or lost; check it against its source
        "#]],
    );
    check(
        "bitcoin",
        "bc1qw508d6qejxtdg4y5r3zarvary0C5xw7kv8f3t4",
        expect![[r#"
            t.csv:2:to: "bc1qw508d6qejxtdg4y5r3zarvary0C5xw7kv8f3t4": the Bech32 checksum is wrong: a character was mistyped or lost; check it against its source
        "#]],
    );
    check(
        "bitcoin",
        "alice",
        expect![[r#"
            t.csv:2:to: "alice": this is not a Base58 or Bech32 address; check it against its source
        "#]],
    );
    check(
        "ethereum",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD".replace('D', "d").replace("5aAe", "5AAe").as_str(),
        expect![[r#"
            t.csv:2:to: "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed": the EIP-55 checksum is wrong: a character was mistyped or lost; check it against its source
        "#]],
    );
    check(
        "ethereum",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae",
        expect![[r#"
            t.csv:2:to: "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae": this is not an address of 40 hexadecimal digits after 0x; check it against its source
        "#]],
    );
    check(
        "table:t",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        expect![[r#"
            t.csv:2:to: "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb": the Base58 checksum is wrong: a character was mistyped or lost; check it against its source
        "#]],
    );
    check(
        "table:t",
        "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        expect![[r#"
            t.csv:2:to: "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed": the EIP-55 checksum is wrong: a character was mistyped or lost; check it against its source
        "#]],
    );
}

#[test]
fn two_files_of_which_the_second_is_bad_keep_the_first() {
    let desk = town::desk();
    desk.write("bad.csv", rows("a,2024-01-01,x,y,EUR,-1\n"));
    let ran = desk.run("ingest table bank.csv bad.csv");
    assert_eq!(ran.code, Some(2));
    expect![[r#"
        bank.csv: 7 transactions into bank:TOWNXXPP
        error: bad.csv:2:amount: "-1": the amount is negative; swap payer and payee instead
    "#]]
    .assert_eq(&ran.stderr);
    let status = desk.run("book status").done().stdout;
    assert!(status.starts_with("bank:TOWNXXPP: account, 7 transactions") && status.lines().count() == 2, "{status}");
}

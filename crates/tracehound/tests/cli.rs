//! The whole command line, as a user sees it: what is typed, what is printed where, and how it ends.
//!
//! Snapshots are updated in place with `UPDATE_EXPECT=1 cargo test --release -p tracehound --test cli`; read the
//! difference before you commit it. Refusals of bad input are in `bad_input.rs`, help is in `help.rs`, the demo and exercises
//! are in `demo.rs`.

mod common;

use std::fmt::Write as _;
use std::io::Write as _;

use common::{Desk, files, shown, town};
use expect_test::expect;

#[test]
fn a_table_goes_in_once() {
    let desk = town::desk();
    expect![[r#"
        exit 0
        --- err
        bank.csv: 7 transactions into bank:TOWNXXPP
    "#]]
    .assert_eq(&desk.shows("ingest table bank.csv"));
    // Again: nothing to do.
    expect![[r#"
        exit 0
        --- err
        bank.csv: 0 transactions into bank:TOWNXXPP, 7 were there already
    "#]]
    .assert_eq(&desk.shows("ingest table bank.csv"));
    expect![[r#"
        exit 0
        --- out
        bank:TOWNXXPP: account, 7 transactions until 2024-01-09T06:00:00Z; EUR
        1,560 bytes in book
    "#]]
    .assert_eq(&desk.shows("book status"));
    expect![[r#"
        exit 0
        --- out
        {"bytes":1560,"ledgers":[{"assets":["EUR"],"height":null,"kind":"account","ledger":"bank:TOWNXXPP","time":"2024-01-09T06:00:00Z","transactions":7}],"schema":"tracehound/book-status/1"}
    "#]].assert_eq(&desk.shows("book status --json"));
}

#[test]
fn the_same_table_in_every_wrapping_makes_the_same_transactions() {
    let status = |desk: &Desk| {
        let status = desk.run("book status").done().stdout;
        status.lines().next().expect("a ledger").to_owned()
    };
    let csv = town::desk();
    csv.run("ingest table bank.csv").done();
    let want = status(&csv);

    let desk = Desk::new();
    let keys = "tx,time,from,to,asset,amount,ledger,fee,memo".split(',');
    let mut rows = csv::Reader::from_reader(town::BANK.as_bytes());
    let mut lines = String::new();
    for row in rows.records() {
        let row = row.unwrap();
        let fields = keys.clone().zip(row.iter()).map(|(key, value)| (key.to_owned(), value.into()));
        let _ = writeln!(lines, "{}", serde_json::Value::Object(fields.collect()));
    }
    desk.write("bank.ndjson", lines);
    expect![[r#"
        exit 0
        --- err
        bank.ndjson: 7 transactions into bank:TOWNXXPP
    "#]]
    .assert_eq(&desk.shows("ingest table bank.ndjson"));
    assert_eq!(status(&desk), want);

    let desk = Desk::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(town::BANK.as_bytes()).unwrap();
    desk.write("bank.csv.gz", packed.finish().unwrap());
    expect![[r#"
        exit 0
        --- err
        bank.csv.gz: 7 transactions into bank:TOWNXXPP
    "#]]
    .assert_eq(&desk.shows("ingest table bank.csv.gz"));
    assert_eq!(status(&desk), want);

    let desk = Desk::new();
    let ran = desk.run_with("ingest table -", town::BANK.as_bytes());
    expect![[r#"
        exit 0
        --- err
        -: 7 transactions into bank:TOWNXXPP
    "#]]
    .assert_eq(&shown(&ran));
    assert_eq!(status(&desk), want);
}

#[test]
fn a_download_with_headers_of_its_own_is_told_what_they_mean() {
    let desk = Desk::new();
    desk.write("download.csv", "txid,sender,receiver,eth\nignored,a,b,1e-05\nignored,b,c,2.5\n");
    let flags = "--column tx=#row --column from=sender --column to=receiver --column amount=eth \
                 --set time=2022-03-23 --set asset=ETH --scale ETH=18";
    let line = |more: &str| format!("ingest table download.csv {flags} {more}");
    expect![[r#"
        exit 2
        --- err
        error: download.csv:2:eth: "1e-05": the amount is in scientific notation; write all its digits (1e-05 is 0.00001); or pass --scientific to read such amounts exactly
    "#]].assert_eq(&desk.shows(&line("")));
    expect![[r#"
        exit 0
        --- err
        download.csv: 2 transactions into table:download
    "#]]
    .assert_eq(&desk.shows(&line("--scientific")));
    expect![[r#"
        exit 0
        --- out
        table:download: account, 2 transactions until 2022-03-23T00:00:00Z; ETH
        885 bytes in book
    "#]]
    .assert_eq(&desk.shows("book status"));

    // A second one of the same name is another ledger where one says so; several files go in one after the other.
    desk.write("a.csv", "tx,time,from,to,asset,amount\n1,2024-01-01,,x,EUR,1\n");
    desk.write("b.csv", "tx,time,from,to,asset,amount\n2,2024-01-02,x,y,EUR,1");
    expect![[r#"
        exit 0
        --- out
        {"file":"a.csv","ledgers":[{"already_there":0,"ledger":"table:both","transactions":1}],"rows":1,"schema":"tracehound/ingest/1"}
        {"file":"b.csv","ledgers":[{"already_there":0,"ledger":"table:both","transactions":1}],"rows":1,"schema":"tracehound/ingest/1"}
        --- err
        b.csv: line 2, the last one, has no line end: if the file was cut off there, its last field is short
    "#]].assert_eq(&desk.shows("ingest table a.csv b.csv --ledger table:both --json"));
    expect![[r#"
        exit 0
        --- out
        {"file":"a.csv","ledgers":[{"already_there":1,"ledger":"table:both","transactions":0}],"rows":1,"schema":"tracehound/ingest/1"}
    "#]].assert_eq(&desk.shows("ingest table a.csv --ledger table:both --json"));
    expect![[r#"
        exit 2
        --- err
        error: --scale EUR: write it as NAME=VALUE
    "#]]
    .assert_eq(&desk.shows("ingest table a.csv --scale EUR"));
    expect![[r#"
        exit 2
        --- err
        error: --scale EUR=99: decimals are a number from 0 to 36
    "#]]
    .assert_eq(&desk.shows("ingest table a.csv --scale EUR=99"));
    expect![[r#"
        exit 2
        --- err
        error: --set nonsense: "nonsense" is not FIELD=VALUE; write it like asset=BTC
    "#]]
    .assert_eq(&desk.shows("ingest table a.csv --set nonsense"));
    expect![[r#"
        exit 2
        --- err
        error: --column colour=x: "colour" is no field of a ledger table; known: tx, time, from, to, asset, amount, fee, memo, ledger
    "#]].assert_eq(&desk.shows("ingest table a.csv --column colour=x"));
    expect![[r#"
        exit 0
        --- err
        a.csv: 1 transaction into bank:nonsense
    "#]]
    .assert_eq(&desk.shows("ingest table a.csv --ledger bank:nonsense"));
}

#[test]
fn blocks_go_in_are_undone_and_go_in_again() {
    let desk = town::desk();
    let line = "ingest utxo-blocks chain.ndjson --ledger bip122:746f776e000000000000000000000000";
    expect![[r#"
        exit 0
        --- err
        chain.ndjson: 5 blocks with 9 transactions into bip122:746f776e000000000000000000000000
    "#]]
    .assert_eq(&desk.shows(line));
    expect![[r#"
        exit 0
        --- out
        {"already_there":5,"blocks":0,"file":"chain.ndjson","ledger":"bip122:746f776e000000000000000000000000","schema":"tracehound/ingest/1","transactions":0}
    "#]].assert_eq(&desk.shows(&format!("{line} --json")));
    expect![[r#"
        exit 0
        --- out
        bip122:746f776e000000000000000000000000: utxo, 9 transactions until 2024-01-01T04:00:00Z, block 4; BTC
        1,842 bytes in book
    "#]]
    .assert_eq(&desk.shows("book status"));
    let whole = files(&desk.path("book"));
    expect![[r#"
        exit 0
        --- err
        bip122:746f776e000000000000000000000000: the latest 2 blocks are undone
    "#]]
    .assert_eq(&desk.shows("book undo --ledger bip122:746f776e000000000000000000000000 2"));
    expect![[r#"
        exit 0
        --- out
        bip122:746f776e000000000000000000000000: utxo, 5 transactions until 2024-01-01T02:00:00Z, block 2; BTC
        1,154 bytes in book
    "#]]
    .assert_eq(&desk.shows("book status"));
    expect![[r#"
        exit 0
        --- err
        chain.ndjson: 2 blocks with 4 transactions into bip122:746f776e000000000000000000000000, 3 were there already
    "#]]
    .assert_eq(&desk.shows(line));
    assert!(files(&desk.path("book")) == whole, "the same bytes as before");
    expect![[r#"
        exit 2
        --- err
        error: cannot take back 6: the ledger has 5
    "#]]
    .assert_eq(&desk.shows("book undo --ledger bip122:746f776e000000000000000000000000 6"));
    expect![[r#"
        exit 5
        --- err
        error: the book holds no ledger bank:TOWNXXPP; ingest it first
    "#]]
    .assert_eq(&desk.shows("book undo --ledger bank:TOWNXXPP 1"));
    expect![[r#"
        exit 2
        --- err
        error: --scale: decimals are a number from 0 to 36
    "#]]
    .assert_eq(
        &desk.shows("ingest utxo-blocks chain.ndjson --ledger bip122:746f776e000000000000000000000000 --scale 99"),
    );
}

#[test]
fn transactions_of_an_account_ledger_are_undone_too() {
    let desk = town::desk();
    desk.run("ingest table bank.csv").done();
    expect![[r#"
        exit 0
        --- err
        bank:TOWNXXPP: the latest 5 transactions are undone
    "#]]
    .assert_eq(&desk.shows("book undo --ledger bank:TOWNXXPP 5"));
    expect![[r#"
        exit 0
        --- out
        bank:TOWNXXPP: account, 2 transactions until 2024-01-01T12:00:00Z; EUR
        879 bytes in book
    "#]]
    .assert_eq(&desk.shows("book status"));
    expect![[r#"
        exit 0
        --- err
        bank.csv: 5 transactions into bank:TOWNXXPP, 2 were there already
    "#]]
    .assert_eq(&desk.shows("ingest table bank.csv"));
}

#[test]
fn a_book_that_is_not_there() {
    let desk = town::desk();
    expect![[r#"
        exit 5
        --- err
        error: there is no book in book; ingest something first, or say --book
    "#]]
    .assert_eq(&desk.shows("book status"));
    expect![[r#"
        exit 5
        --- err
        error: there is no book in book; ingest something first, or say --book
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml"));
    expect![[r#"
        exit 5
        --- err
        error: there is no book in book; ingest something first, or say --book
    "#]]
    .assert_eq(&desk.shows("incidents check vault.yaml"));
    expect![[r#"
        exit 5
        --- err
        error: there is no book in book; ingest something first, or say --book
    "#]]
    .assert_eq(&desk.shows("tags list"));
    expect![[r#"
        exit 5
        --- err
        error: there is no book in elsewhere; ingest something first, or say --book
    "#]]
    .assert_eq(&desk.shows("book undo --ledger bitcoin 1 --book elsewhere"));
    assert!(!desk.path("book").exists());
    desk.run("ingest utxo-blocks chain.ndjson --ledger bip122:746f776e000000000000000000000000").done();
    expect![[r#"
        exit 5
        --- err
        error: the book has no ledger bank:TOWNXXPP (it has bip122:746f776e000000000000000000000000); ingest it first
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml"));
}

#[test]
fn tags_say_who_is_who() {
    let desk = town::desk();
    expect![[r#"
        exit 0
        --- err
        2 tags read, 2 of them new; the book has 2
    "#]]
    .assert_eq(&desk.shows("tags import tags.csv"));
    expect![[r#"
        exit 0
        --- err
        2 tags read, 0 of them new; the book has 2
    "#]]
    .assert_eq(&desk.shows("tags import tags.csv"));
    expect![[r#"
        exit 0
        --- out
        tags: 2 tags
    "#]]
    .assert_eq(&desk.shows("tags list"));
    expect![[r#"
        exit 0
        --- out
        kiosk: Corner Kiosk (exchange); pack tags 8a9050b0, confidence service_data, https://example.org/kiosk
    "#]]
    .assert_eq(&desk.shows("tags list kiosk"));
    expect![[r#"
        exit 0
        --- err
        no tag says anything about this address
    "#]]
    .assert_eq(&desk.shows("tags list nobody"));
    expect![[r#"
        exit 0
        --- out
        {"schema":"tracehound/tags/2"}
        {"address":"bcrt1qykseg6pm9c9pmuw498gr5g2e4k9st9x8uska9y","label":"Night Market","categories":["exchange"],"confidence":"web_crawl","pack":"tags","pack_hash":"8a9050b0a65eeee526c84adb56ddd7a64155012a5bdacb90c4f0ef000b18e4ff"}
        {"address":"kiosk","label":"Corner Kiosk","categories":["exchange"],"source":"https://example.org/kiosk","confidence":"service_data","pack":"tags","pack_hash":"8a9050b0a65eeee526c84adb56ddd7a64155012a5bdacb90c4f0ef000b18e4ff"}
    "#]].assert_eq(&desk.shows("tags list --json"));
    desk.write("pack.yaml", "title: Pack\ncreator: me\ncurrency: EUR\ntags:\n- {address: shop, label: Shop, category: exchange}\n- {label: Nobody}\n");
    expect![[r#"
        exit 0
        --- err
        warning: pack.yaml:6:3: the tag has no address; add `address: …` here or in the header
        1 tag read, 1 of them new; the book has 3
        1 tag could not be read, and left out
    "#]]
    .assert_eq(&desk.shows("tags import pack.yaml"));
    expect![[r#"
        exit 0
        --- out
        pack: 1 tag
        tags: 2 tags
    "#]]
    .assert_eq(&desk.shows("tags list"));
}

#[test]
fn incidents_are_checked_against_the_book() {
    let desk = town::ingested();
    expect![[r#"
        exit 0
        --- out
        vault.yaml: vault (The vault of Town Bank), 1 loss
        purse.yaml: purse (The purse of a merchant), 1 loss
        vault: 300 EUR on bank:TOWNXXPP (account)
        bank:TOWNXXPP: traces start at 1 place
        purse: 6 BTC on bip122:746f776e000000000000000000000000 (utxo)
        bip122:746f776e000000000000000000000000: traces start at 1 place
    "#]]
    .assert_eq(&desk.shows("incidents check vault.yaml purse.yaml"));
    desk.write("less.yaml", town::BANK_HEIST.replace("\"300\"", "\"299.5\""));
    expect![[r#"
        exit 0
        --- out
        less.yaml: vault (The vault of Town Bank), 1 loss
        vault: 300 EUR on bank:TOWNXXPP (account)
        bank:TOWNXXPP: traces start at 1 place
        loss-differs at less.yaml:9: the loss says 299.5 EUR, its starts bring 300 EUR; what they bring is traced
    "#]]
    .assert_eq(&desk.shows("incidents check less.yaml"));
    expect![[r#"
        exit 2
        --- err
        error: vault.yaml: incident vault is already in vault.yaml; give each incident once
    "#]]
    .assert_eq(&desk.shows("incidents check vault.yaml vault.yaml"));
}

#[test]
fn usage_errors() {
    let desk = town::ingested();
    expect![[r#"
        exit 2
        --- err
        error: the following required arguments were not provided:
          <INCIDENT.yaml>...

        Usage: tracehound trace --book <DIR> <INCIDENT.yaml>...

        For more information, try '--help'.
    "#]]
    .assert_eq(&desk.shows("trace"));
    expect![[r#"
        exit 2
        --- err
        error: unrecognized subcommand 'follow'

        Usage: tracehound [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]]
    .assert_eq(&desk.shows("follow vault.yaml"));
    expect![[r#"
        exit 2
        --- err
        error: the argument '--json' cannot be used with '--csv[=<WHAT>]'

        Usage: tracehound trace --json --book <DIR> <INCIDENT.yaml>...

        For more information, try '--help'.
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml --json --csv"));
    expect![[r#"
        exit 2
        --- err
        error: the following required arguments were not provided:
          --json

        Usage: tracehound trace --json --no-edges --book <DIR> <INCIDENT.yaml>...

        For more information, try '--help'.
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml --no-edges"));
    expect![[r#"
        exit 2
        --- err
        error: invalid value 'honest' for '--policy <POLICY>'
          [possible values: haircut, fifo, lifo, taint-first-out, taint-last-out, tiho, poison, all]

        For more information, try '--help'.
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml --policy honest"));
    expect![[r#"
        exit 2
        --- err
        error: invalid value '101' for '--min-confidence <PERCENT>': 101 is not in 0..=100

        For more information, try '--help'.
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml --min-confidence 101"));
    expect![[r#"
        exit 2
        --- err
        error: --until yesterday: the time is not RFC 3339, such as 2022-03-23T13:29:00Z or 2022-03-23
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml --until yesterday"));
    expect![[r#"
        exit 2
        --- err
        error: --dust EUR: write it as NAME=VALUE
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml --dust EUR"));
    expect![[r#"
        exit 2
        --- err
        error: --dust EUR=0.001: the amount has 3 decimals, 2 are allowed here
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml --dust EUR=0.001"));
    expect![[r#"
        exit 2
        --- err
        error: --dust: no ledger of this case has an asset XMR
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml --dust XMR=1"));
    expect![[r#"
        exit 2
        --- err
        error: --min-share 1.5: write a share between 0 and 1, such as 0.001
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml --min-share 1.5"));
    expect![[r#"
        exit 2
        --- err
        error: the argument '--envelope' cannot be used with '--min-share <SHARE>'

        Usage: tracehound trace --envelope --book <DIR> <INCIDENT.yaml>...

        For more information, try '--help'.
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml --envelope --min-share 0.5"));
}

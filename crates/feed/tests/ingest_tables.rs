//! Tables into the book: all of a file or nothing, in the order of transactions, once.

mod common;

use std::collections::BTreeMap;
use std::io::Write as _;

use common::{Desk, data, ingest};
use feed::{FeedError, Kind, ingest_table};
use ledger::LedgerId;
use proptest::prelude::*;

const HEADER: &str = "tx,time,from,to,asset,amount,fee\n";

fn table(rows: &str) -> String {
    format!("{HEADER}{}\n", rows.trim().replace(' ', ""))
}

#[test]
fn rows_of_one_id_are_one_transaction_and_fees_are_legs() {
    let desk = Desk::new();
    let rows = "a,2024-01-01,,x,EUR,10.50,\na,2024-01-01,x,y,EUR,3,0.25\nb,2024-01-02,y,,EUR,1,\n";
    assert_eq!(desk.outcome("t.csv", table(rows)), "table:t +2");
    let want = "a 2024-01-01T00:00:00Z | Outside>x 10.5 EUR | x>y 3 EUR | x>Fee 0.25 EUR\nb 2024-01-02T00:00:00Z | y>Outside 1 EUR\n";
    assert_eq!(desk.dump("table:t"), want);
    assert_eq!(desk.outcome("t.csv", table(rows)), "already there");
    assert_eq!(desk.outcome("renamed.csv", table(rows)), "already there");
    assert_eq!(desk.dump("table:t"), want);
}

#[test]
fn rows_out_of_order_are_brought_into_it() {
    let desk = Desk::new();
    let rows = "late,2024-01-03,x,y,EUR,1,\nearly,2024-01-01,,x,EUR,10,\nlate,2024-01-03,y,z,EUR,1,\nsame,2024-01-01,x,q,EUR,2,\n";
    assert_eq!(desk.outcome("t.csv", table(rows)), "table:t +3");
    let want = "early 2024-01-01T00:00:00Z | Outside>x 10 EUR\nsame 2024-01-01T00:00:00Z | x>q 2 EUR\n\
                late 2024-01-03T00:00:00Z | x>y 1 EUR | y>z 1 EUR\n";
    assert_eq!(desk.dump("table:t"), want);
}

#[test]
fn one_table_may_fill_several_ledgers() {
    let desk = Desk::new();
    let text = "ledger,tx,time,from,to,asset,amount\ntable:a,1,2024-01-02,,x,EUR,1\ntable:b,1,2024-01-01,,x,EUR,2.5\ntable:a,2,2024-01-03,x,,EUR,1\n";
    assert_eq!(desk.outcome("t.csv", text), "table:a +2, table:b +1");
    assert_eq!(desk.dump("table:b"), "1 2024-01-01T00:00:00Z | Outside>x 2.5 EUR\n");
    assert_eq!(desk.outcome("t.csv", text), "already there");
}

#[test]
fn bad_input_is_one_line_and_leaves_nothing_behind() {
    let good = "a,2024-01-01,,x,EUR,1,\n";
    let cases = [
        (
            table("a,2024-01-01,,x,EUR,1,\nb,2024-01-02,x,y,EUR,-1,"),
            "t.csv:3:amount: \"-1\": the amount is negative; swap payer and payee instead",
        ),
        (
            table("a,2024-01-01,,x,EUR,1,\na,2024-01-02,x,y,EUR,1,"),
            "t.csv:3:time: transaction \"a\" is of 2024-01-02T00:00:00Z here and of 2024-01-01T00:00:00Z in line 2; rows of one transaction have one time; give other transactions other ids",
        ),
        (
            table("a,2024-01-01,,x,EUR,1,\nb,2024-01-02,x,y,EUR,1,\na,2024-01-03,x,y,EUR,1,"),
            "t.csv:4:time: transaction \"a\" is of 2024-01-03T00:00:00Z here and of 2024-01-01T00:00:00Z in line 2; rows of one transaction have one time; give other transactions other ids",
        ),
        (
            table("a,2024-01-01,,x,EUR,1.000000000000000000000000000000000001,\nb,2024-01-02,,x,EUR,100,"),
            "t.csv:3:amount: the amount is larger than 2^126 base units, the most that a purse can hold (\"EUR\" has 36 decimals in this table); look for an amount with too many decimals elsewhere, or state --scale",
        ),
        (
            table(
                "a,2024-01-01,,x,EUR,80000000000000000000000000000000000000,\nb,2024-01-02,,x,EUR,80000000000000000000000000000000000000,",
            ),
            "t.csv:3: transaction b takes the balance of x/EUR past 2^126 base units; nothing of this run was kept",
        ),
        (
            format!("{HEADER}{good}b,2024-01-02,x"),
            "t.csv:3:15: this row has 3 fields, the header has 7; the file ends inside this line: get it again in full",
        ),
        (String::new(), "t.csv: the file is empty; give a table with a header and rows"),
        (HEADER.to_owned(), "t.csv:1: the file has a header and no rows; give a table with rows"),
    ];
    for (text, want) in cases {
        let desk = Desk::new();
        assert_eq!(desk.outcome("t.csv", &text), want, "{text}");
        assert_eq!(desk.book.ledgers().unwrap(), [], "{want}");
        // What failed leaves the way free for what is right.
        assert_eq!(desk.outcome("t.csv", table(good)), "table:t +1");
    }
}

#[test]
fn what_the_ledger_holds_already_is_respected() {
    let desk = Desk::new();
    assert_eq!(desk.outcome("one.csv", table("a,2024-01-01,,x,EUR,1.25,\nb,2024-01-03,x,y,EUR,1,")), "table:t +2");
    let before = desk.dump("table:t");
    let cases = [
        (
            "c,2024-01-04,x,y,EUR,1,\na,2024-01-01,,x,EUR,1.25,",
            "two.csv:3:tx: transaction \"a\" is already in ledger table:t, from another source; leave out what both sources have, or use a ledger of its own",
        ),
        (
            "c,2024-01-02,x,y,EUR,1,",
            "two.csv:2:time: time runs backwards: transaction \"c\" is of 2024-01-02T00:00:00Z, the last one in ledger table:t of 2024-01-03T00:00:00Z; ingest sources oldest first, or into a ledger of their own",
        ),
        (
            "c,2024-01-04,x,y,EUR,0.125,",
            "two.csv:2:amount: 3 decimals, the book keeps \"EUR\" with 2; correct the amount, or ingest everything anew with a larger --scale",
        ),
        (
            "c,2024-01-04,x,y,EUR,90000000000000000000000000000000000000,",
            "two.csv:2:amount: \"90000000000000000000000000000000000000\": the amount is larger than 2^126 base units, the most that a purse can hold",
        ),
        (
            "c,2024-01-04,x,y,EUR,8000000000000000000000000000000000000,",
            "two.csv:2:amount: the amount is larger than 2^126 base units, the most that a purse can hold (\"EUR\" has 2 decimals in this table); look for an amount with too many decimals elsewhere, or state --scale",
        ),
    ];
    for (rows, want) in cases {
        assert_eq!(desk.outcome("two.csv", table(rows)), want);
        assert_eq!(desk.dump("table:t"), before);
    }
    // More zeros are no more decimals, and the same instant is not backwards.
    assert_eq!(desk.outcome("two.csv", table("c,2024-01-03,x,y,EUR,0.10000,")), "table:t +1");
}

#[test]
fn scales_come_from_the_chain_the_user_or_the_rows() {
    let scale_of = |mappings: &[&str], ledger: &str, row: &str| {
        let desk = Desk::new();
        let path = desk.file("t.csv", table(row));
        let mut ingest = ingest(mappings);
        ingest.options.set_default(&format!("ledger={ledger}")).unwrap();
        if let Err(error) = ingest_table(&desk.book, &path, &ingest, &mut ()) {
            return desk.bare(&error);
        }
        let open = desk.book.ledger(&LedgerId::parse(ledger).unwrap()).unwrap();
        open.as_ledger().asset(ledger::AssetId(0)).scale.to_string()
    };
    assert_eq!(scale_of(&[], "table:t", "a,2024-01-01,,x,EUR,1.500,0"), "3");
    assert_eq!(scale_of(&[], "bitcoin", "a,2024-01-01,,script:51,BTC,1.5,"), "8");
    assert_eq!(scale_of(&[], "bitcoin", "a,2024-01-01,,script:51,BTC,1.5000000000000,"), "8");
    assert_eq!(scale_of(&[], "bitcoin", "a,2024-01-01,,script:51,BTC,0.00000000001,"), "11");
    assert_eq!(scale_of(&["scale EUR=6"], "table:t", "a,2024-01-01,,x,EUR,1.5,"), "6");
    assert_eq!(scale_of(&["scale EUR=1"], "table:t", "a,2024-01-01,,x,EUR,1.50,"), "1");
    assert_eq!(
        scale_of(&["scale EUR=1"], "table:t", "a,2024-01-01,,x,EUR,1.55,"),
        "t.csv:2:amount: 2 decimals, --scale states 1 for \"EUR\"; correct the amount or the scale"
    );
}

#[test]
fn sources_that_cannot_be_read_say_why() {
    let desk = Desk::new();
    let say = |path: &std::path::Path| {
        let error = ingest_table(&desk.book, path, &ingest(&[]), &mut ()).unwrap_err();
        assert_eq!(error.kind(), Kind::BadInput);
        desk.bare(&error)
    };
    std::fs::create_dir(desk.folder.path().join("sub")).unwrap();
    assert_eq!(say(&desk.folder.path().join("sub")), "sub: it is a folder; name a file");
    assert_eq!(say(&desk.folder.path().join("none.csv")), "none.csv: there is no such file; check the path");
    assert_eq!(
        say(&desk.file("x.csv", [0xff, 0xfe, 0x41, 0])),
        "x.csv:1: the file is UTF-16; save it as UTF-8 (CSV UTF-8 in Excel)"
    );
    let packed = gzip(table("a,2024-01-01,,x,EUR,1,").as_bytes());
    assert_eq!(
        say(&desk.file("cut.gz", &packed[..packed.len() - 9])),
        "cut.gz: the gzip data is cut off; get the file again in full"
    );
    let mut damaged = packed.clone();
    damaged[packed.len() - 6] ^= 1;
    assert!(say(&desk.file("bad.gz", &damaged)).starts_with("bad.gz: the gzip data is damaged"));
    assert_eq!(desk.book.ledgers().unwrap(), []);
    assert_eq!(desk.outcome("good.gz", &packed), "table:t +1");
    assert_eq!(desk.outcome("good.csv", table("a,2024-01-01,,x,EUR,1,")), "already there");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_spool_folder_that_does_not_work_is_named() {
    let desk = Desk::new();
    let path = desk.file("t.csv", table("b,2024-01-02,,x,EUR,1,\na,2024-01-01,,x,EUR,1,"));
    let mut ingest = ingest(&[]);
    ingest.run_bytes_max = 1;
    ingest.spool = desk.folder.path().join("nowhere");
    let error = ingest_table(&desk.book, &path, &ingest, &mut ()).unwrap_err();
    assert_eq!(error.kind(), Kind::System);
    assert!(desk.bare(&error).starts_with("nowhere: cannot use it for temporary files"), "{error}");
}

#[test]
fn a_file_that_changes_between_the_readings_leaves_nothing_behind() {
    let desk = Desk::new();
    let rows: String = (0..20_000).map(|at| format!("t{at},2024-01-01,,x,EUR,1,\n")).collect::<Vec<_>>().concat();
    let path = desk.file("t.csv", format!("{HEADER}{rows}"));
    let mut changed = false;
    let mut change = |step: feed::Step| {
        if step.phase == feed::Phase::Checking && !changed {
            changed = true;
            std::fs::write(&path, format!("{HEADER}{}", rows.replace(",1,", ",2,"))).unwrap();
        }
    };
    let error: FeedError = ingest_table(&desk.book, &path, &ingest(&[]), &mut change).unwrap_err();
    assert_eq!(desk.bare(&error), "t.csv: it changed while it was being read; nothing was kept, run it again");
    assert_eq!(desk.book.ledgers().unwrap(), []);
}

/// Some transactions at times of their own, each with its rows.
fn transactions() -> impl Strategy<Value = Vec<(String, Vec<String>)>> {
    let leg = (0u8..4, 0u8..4, 1u32..1000);
    proptest::collection::vec(proptest::collection::vec(leg, 1..4), 1..20).prop_map(|transactions| {
        let rows = |at: usize, legs: Vec<(u8, u8, u32)>| {
            let row = |(from, to, amount): (u8, u8, u32)| {
                format!("t{at},2024-01-01T00:{at:02}:00Z,h{from},h{to},EUR,{}.{:02},\n", amount / 100, amount % 100)
            };
            (format!("t{at}"), legs.into_iter().map(row).collect())
        };
        transactions.into_iter().enumerate().map(|(at, legs)| rows(at, legs)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]

    #[test]
    fn shuffled_rows_make_the_same_ledger(
        transactions in transactions(),
        picks in proptest::collection::vec(0usize..20, 60),
        run_bytes_max in prop_oneof![Just(1usize), Just(300), Just(1 << 20)],
    ) {
        let sorted: String = transactions.iter().flat_map(|(_, rows)| rows.clone()).collect();
        // Any interleaving that keeps the rows of each transaction in their order.
        let mut waiting: BTreeMap<usize, std::collections::VecDeque<String>> =
            transactions.iter().enumerate().map(|(at, (_, rows))| (at, rows.iter().cloned().collect())).collect();
        let mut shuffled = String::new();
        let mut picks = picks.into_iter().cycle();
        while !waiting.is_empty() {
            let pick = picks.next().unwrap() % waiting.len();
            let at = *waiting.keys().nth(pick).unwrap();
            let rows = waiting.get_mut(&at).unwrap();
            shuffled += &rows.pop_front().unwrap();
            if rows.is_empty() {
                waiting.remove(&at);
            }
        }
        let ordered = Desk::new();
        ordered.table("t.csv", format!("{HEADER}{sorted}")).unwrap();
        let mixed = Desk::new();
        let path = mixed.file("t.csv", format!("{HEADER}{shuffled}"));
        let mut ingest = ingest(&[]);
        ingest.run_bytes_max = run_bytes_max;
        ingest_table(&mixed.book, &path, &ingest, &mut ()).unwrap();
        prop_assert_eq!(mixed.dump("table:t"), ordered.dump("table:t"));
        prop_assert!(ingest_table(&mixed.book, &path, &ingest, &mut ()).unwrap().was_already_there());
    }
}

/// Every file of a book, by its path within.
fn files(folder: &std::path::Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(path).unwrap());
            }
        }
    }
    files
}

/// More rows than one batch of the book holds; every second pair out of order where asked.
fn many_rows(swapped: bool) -> String {
    let row = |at: u32| {
        let (day, hour, minute, second) = (1 + at / 86_400, at / 3600 % 24, at / 60 % 60, at % 60);
        format!("t{at},2024-01-{day:02}T{hour:02}:{minute:02}:{second:02}Z,h{},h{},EUR,1,\n", at % 7, at % 11)
    };
    let pairs = (0..140_000)
        .flat_map(|pair| if swapped && pair % 2 == 1 { [2 * pair + 1, 2 * pair] } else { [2 * pair, 2 * pair + 1] });
    HEADER.to_owned() + &pairs.map(row).collect::<Vec<_>>().concat()
}

#[test]
fn a_run_that_was_cut_short_is_resumed_and_ends_in_the_same_bytes() {
    for swapped in [false, true] {
        let text = many_rows(swapped);
        let whole = Desk::new();
        let report = whole.table("t.csv", &text).unwrap();
        assert_eq!(report.was_in_order, !swapped);
        let cut = Desk::new();
        let path = cut.file("t.csv", &text);
        let stopped = std::panic::catch_unwind(|| {
            let mut stop = |step: feed::Step| {
                assert!(step.phase != feed::Phase::Filling || step.items < 270_000, "as if killed");
            };
            let _ = ingest_table(&cut.book, &path, &ingest(&[]), &mut stop);
        });
        assert!(stopped.is_err());
        let id = LedgerId::parse("table:t").unwrap();
        let half = cut.book.ledger(&id).unwrap().as_ledger().end().0;
        assert!(half > 0 && half < report.rows, "some, but not all, were committed: {half}");
        let resumed = ingest_table(&cut.book, &path, &ingest(&[]), &mut ()).unwrap();
        assert_eq!((resumed.ledgers[0].already_there, resumed.ledgers[0].added), (half, report.rows - half));
        assert!(files(cut.book.folder()) == files(whole.book.folder()), "the books differ, swapped: {swapped}");
    }
}

#[test]
fn what_only_the_book_finds_takes_back_what_was_committed() {
    let big = "80000000000000000000000000000000000000";
    let text = format!("{}y,2099-01-01,,x,EUR,{big},\nz,2099-01-02,,x,EUR,{big},\n", many_rows(false));
    let desk = Desk::new();
    assert_eq!(
        desk.outcome("t.csv", text),
        "t.csv:280003: transaction z takes the balance of x/EUR past 2^126 base units; nothing of this run was kept"
    );
    assert_eq!(desk.dump("table:t"), "");
    assert_eq!(desk.outcome("t.csv", table("a,1998-01-01,,x,EUR,1.5,")), "table:t +1");
}

#[test]
fn bitfinex_2016_goes_in_to_the_last_satoshi() {
    let Some(path) = data("bitcoin/bitfinex-2016/bitfinex_tx_dataset.csv") else { return };
    let desk = Desk::new();
    let mappings = ["column tx=txid", "default asset=BTC", "default time=2016-08-02", "default ledger=bitcoin"];
    let report = ingest_table(&desk.book, &path, &ingest(&mappings), &mut ()).unwrap();
    assert_eq!((report.rows, report.ledgers[0].added, report.was_in_order), (2072, 2072, true));
    let open = desk.book.ledger(&LedgerId::parse("bitcoin").unwrap()).unwrap();
    let ledger = open.as_ledger();
    let mut legs = Vec::new();
    let mut total = money::Amount::ZERO;
    for seq in (0..ledger.end().0).map(ledger::Seq) {
        ledger.transaction(seq, &mut legs);
        total += legs.iter().map(|leg| leg.amount).sum();
    }
    assert_eq!(ledger.asset(ledger::AssetId(0)).text(total), "119756.62032288");
}

#[test]
fn ronin_2022_is_sorted_and_its_outgoing_transfers_add_up() {
    let Some(path) = data("ethereum/ronin-2022/LazarusTabularTxs1322519.csv") else { return };
    let desk = Desk::new();
    let mappings = [
        "column tx=#row",
        "column time=block_time",
        "column amount=total_eth",
        "default asset=ETH",
        "default ledger=ethereum",
        "scientific",
    ];
    let report = ingest_table(&desk.book, &path, &ingest(&mappings), &mut ()).unwrap();
    assert_eq!((report.rows, report.ledgers[0].added, report.was_in_order), (436, 436, false));
    let open = desk.book.ledger(&LedgerId::parse("ethereum").unwrap()).unwrap();
    let ledger = open.as_ledger();
    let times: Vec<_> = (0..ledger.end().0).map(|seq| ledger.stamp(ledger::Seq(seq)).time).collect();
    assert!(times.is_sorted());
    assert_eq!(ledger.asset(ledger::AssetId(0)).scale, 18);
}

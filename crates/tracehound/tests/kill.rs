//! Killed at any instant the book opens at its last commit, and the same command again ends in the same bytes.
//!
//! The instants are pseudo-random, spread over the time that the undisturbed command takes; which of them fall into a
//! commit depends on the machine, what must hold does not.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Desk, assert_closes, assert_same, town};
use expect_test::expect;

/// How many transactions the exercise has, over all its ledgers.
const TRANSACTIONS: u64 = 40_000;
/// Into how many files a ledger is cut; each is killed several times.
const PARTS: usize = 7;
const KILLS_PER_PART: usize = 4;
/// Rows of a table, and outputs of a chain, that take several commits.
const MANY: u32 = 600_000;
const KILLS_OF_MANY: usize = 6;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    /// Up to a little more than `most`, so that some runs end undisturbed.
    fn delay(&mut self, most: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        most * u32::try_from(self.0 % 1_100).expect("it is small") / 1_000
    }
}

fn start(desk: &Desk, line: &str) -> Child {
    desk.command(line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts")
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(status.expect("there is a kill command").success());
}

/// Runs a line and kills it after a while, unless it is done by then.
fn kill(desk: &Desk, line: &str, after: Duration) {
    let mut child = start(desk, line);
    std::thread::sleep(after);
    // What has ended already cannot be killed any more.
    let _ = child.kill();
    let output = child.wait_with_output().expect("the binary ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code().is_none_or(|code| code == 0), "{line}: {said}");
}

/// How many transactions the book holds; none where there is no book or ledger yet.
fn transactions(desk: &Desk) -> u64 {
    let ran = desk.run("book status --json");
    if ran.code == Some(5) {
        assert!(ran.stderr.contains("no book in") || ran.stderr.contains("is not a book"), "{}", ran.stderr);
        return 0;
    }
    let status = ran.done().json_lines().remove(0);
    common::list(&status["ledgers"]).iter().map(|ledger| ledger["transactions"].as_u64().unwrap()).sum()
}

/// What the book holds can be traced, whatever happened to its writer.
fn check(desk: &Desk, incident: &str, least: u64) -> u64 {
    let count = transactions(desk);
    assert!(count >= least, "what was committed is kept: {count} of {least}");
    if count > 0 {
        let ran = desk.run(&format!("trace {incident} --json --no-edges")).done();
        assert_closes(&ran.json_lines()[0]);
    }
    count
}

/// Cuts a text file into parts that can be ingested one after the other, as `NAME.N`; gives their names.
fn cut(desk: &Desk, name: &str, header: bool, same: impl Fn(&str) -> String) -> Vec<String> {
    let text = desk.read(name);
    let (head, body) = if header { text.split_once('\n').unwrap() } else { ("", text.as_str()) };
    let mut parts = vec![String::new(); PARTS];
    let lines: Vec<&str> = body.lines().collect();
    let (mut part, mut last) = (0, String::new());
    for (at, line) in lines.iter().enumerate() {
        let key = same(line);
        if at >= (part + 1) * lines.len() / PARTS && key != last {
            part += 1;
        }
        last = key;
        parts[part] += line;
        parts[part].push('\n');
    }
    let head = if header { format!("{head}\n") } else { String::new() };
    (0..)
        .zip(parts)
        .map(|(number, part)| {
            let name = format!("{}.{number}", Path::new(name).file_name().unwrap().to_str().unwrap());
            desk.write(&name, head.clone() + &part);
            name
        })
        .collect()
}

/// Ingests files one after the other on two desks, on one of them killed again and again; the books are the same.
fn kill_and_compare(desk: &Desk, files: &[String], line: impl Fn(&str) -> String, incident: &str, kills: usize) {
    let calm = Desk::new();
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut least = 0;
    for file in files {
        let path = desk.path(file).display().to_string();
        let begun = Instant::now();
        calm.run(&line(&path)).done();
        let calm_time = begun.elapsed();
        for _ in 0..kills {
            kill(desk, &line(&path), dice.delay(calm_time));
            least = check(desk, incident, least);
        }
        desk.run(&line(&path)).done();
    }
    assert_same(&desk.path("book"), &calm.path("book"));
}

/// An incident that starts with the first transaction of a chain, so that every committed state can be traced.
fn first_coinbase(desk: &Desk, chain: &str, ledger: &str) {
    let text = desk.read(chain);
    let block: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let output = format!("{}:0", common::text(&block["tx"][0]["txid"]));
    let losses = format!("losses:\n- {{ledger: '{ledger}', asset: BTC, stolen: [{{output: '{output}'}}]}}\n");
    desk.write("first.yaml", format!("incident: first\n{losses}"));
}

#[test]
fn blocks_that_come_in_day_by_day() {
    let desk = Desk::new();
    let ledgers = desk.exercise("ex", &format!("--transactions {TRANSACTIONS}"));
    let ledger = &ledgers["chain.ndjson"];
    first_coinbase(&desk, "ex/chain.ndjson", ledger);
    let parts = cut(&desk, "ex/chain.ndjson", false, str::to_owned);
    let line = |file: &str| format!("ingest utxo-blocks '{file}' --ledger {ledger}");
    kill_and_compare(&desk, &parts, line, "first.yaml", KILLS_PER_PART);
    // The whole chain at once makes the same book.
    let whole = Desk::new();
    whole.run(&line(&desk.path("ex/chain.ndjson").display().to_string())).done();
    assert_same(&desk.path("book"), &whole.path("book"));
}

#[test]
fn tables_that_come_in_day_by_day() {
    let desk = Desk::new();
    desk.exercise("ex", &format!("--transactions {TRANSACTIONS}"));
    let rows = desk.read("ex/tokens.csv");
    let first: Vec<&str> = rows.lines().nth(1).unwrap().split(',').collect();
    let [tx, _, _, to, asset, _, ledger, ..] = first[..] else { panic!("a row has more columns") };
    let stolen = format!("[{{tx: '{tx}', to: '{to}'}}]");
    desk.write(
        "first.yaml",
        format!("incident: first\nlosses:\n- {{ledger: '{ledger}', asset: {asset}, stolen: {stolen}}}\n"),
    );
    let parts = cut(&desk, "ex/tokens.csv", true, |line| line.split(',').next().unwrap().to_owned());
    kill_and_compare(&desk, &parts, |file| format!("ingest table '{file}'"), "first.yaml", KILLS_PER_PART);
}

#[test]
fn a_table_that_takes_several_commits() {
    let desk = Desk::new();
    let row = |at: u32| {
        let (minute, second) = (at / 60_000, at / 1_000 % 60);
        format!("t{at},2024-01-01T00:{minute:02}:{second:02}Z,payer-{},payee-{},EUR,1\n", at % 101, at % 103)
    };
    let rows: String = std::iter::once("tx,time,from,to,asset,amount\n".to_owned()).chain((0..MANY).map(row)).collect();
    desk.write("many.csv", rows);
    let stolen = "losses:\n- {ledger: 'table:t', asset: EUR, stolen: [{tx: t1, to: payee-1}]}\n";
    desk.write("first.yaml", format!("incident: first\n{stolen}"));
    let line = |file: &str| format!("ingest table '{file}' --ledger table:t");
    kill_and_compare(&desk, &["many.csv".to_owned()], line, "first.yaml --until 2024-01-01T00:00:01Z", KILLS_OF_MANY);
}

#[test]
fn a_chain_that_takes_several_commits() {
    let desk = Desk::new();
    desk.write("many.ndjson", wide_chain(0..MANY / 20_000));
    first_coinbase(&desk, "many.ndjson", "bip122:746f776e000000000000000000000000");
    let line = |file: &str| format!("ingest utxo-blocks '{file}' --ledger bip122:746f776e000000000000000000000000");
    kill_and_compare(&desk, &["many.ndjson".to_owned()], line, "first.yaml", KILLS_OF_MANY);
}

/// Blocks whose coinbase of 10 is paid on to twenty thousand outputs in the next.
fn wide_chain(heights: std::ops::Range<u32>) -> String {
    let pays: Vec<_> = std::iter::repeat_n(("crowd", "0.0001"), 20_000).collect();
    let block = |height: u32| {
        let parent = format!("ba{}", u64::from(height).saturating_sub(1));
        if height == 0 {
            return town::block(0, "a", "", &[]);
        }
        let spent = format!("ca{}", height - 1);
        let txid = format!("e{height}");
        town::block(height.into(), "a", &parent, &[(&txid, &[(&spent, 0)], &pays)])
    };
    heights.map(block).collect()
}

#[test]
fn one_writer_at_a_time_and_readers_meanwhile() {
    let desk = town::ingested();
    let before = desk.run("trace purse.yaml --policy all").done().stdout;
    let status = desk.run("book status").done().stdout;
    let lock = desk.path("book/ledgers").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let lock = lock.into_iter().find(|path| path.to_string_lossy().contains("bip122")).unwrap().join("writer.lock");
    let more: Vec<String> = (5..12).map(crowded).collect();
    desk.write("more.ndjson", more.concat());
    desk.write("next.ndjson", town::block(5, "a", "ba4", &[]));
    let writer =
        stopped_with(&desk, "ingest utxo-blocks more.ndjson --ledger bip122:746f776e000000000000000000000000", &lock);
    expect![[r#"
        exit 1
        --- err
        error: ledger bip122:746f776e000000000000000000000000 is being written by another process; wait for it to end
    "#]]
    .assert_eq(&desk.shows("ingest utxo-blocks next.ndjson --ledger bip122:746f776e000000000000000000000000"));
    expect![[r#"
        exit 1
        --- err
        error: ledger bip122:746f776e000000000000000000000000 is being written by another process; wait for it to end
    "#]]
    .assert_eq(&desk.shows("book undo --ledger bip122:746f776e000000000000000000000000 1"));
    // Readers see the last commit, and other ledgers can be written.
    assert_eq!(desk.run("trace purse.yaml --policy all").done().stdout, before);
    let now = desk.run("book status").done().stdout;
    assert_eq!(now.lines().take(2).collect::<Vec<_>>(), status.lines().take(2).collect::<Vec<_>>());
    desk.write("other.csv", "tx,time,from,to,asset,amount\na,2024-01-01,,x,EUR,1\n");
    desk.run("ingest table other.csv").done();
    desk.run("tags import tags.csv").done();
    signal(&writer, "CONT");
    let output = writer.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    desk.run("ingest utxo-blocks more.ndjson --ledger bip122:746f776e000000000000000000000000").done();
}

/// A block that keeps a writer busy for a while.
fn crowded(height: u64) -> String {
    let pays: Vec<_> = std::iter::repeat_n(("crowd", "0.0001"), 20_000).collect();
    let (parent, spent, txid) = (format!("ba{}", height - 1), format!("ca{}", height - 2), format!("e{height}"));
    town::block(height, "a", &parent, &[(&txid, &[(&spent, 0)], &pays)])
}

/// A writer that is stopped while it holds its ledger's lock.
fn stopped_with(desk: &Desk, line: &str, lock: &Path) -> Child {
    for _ in 0..200 {
        let mut writer = start(desk, line);
        while writer.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
            signal(&writer, "STOP");
            let file = std::fs::File::open(lock).expect("the ledger has a lock");
            if file.try_lock().is_err() {
                return writer;
            }
            drop(file);
            signal(&writer, "CONT");
        }
        writer.wait().unwrap();
        desk.run("book undo --ledger bip122:746f776e000000000000000000000000 7").done();
    }
    panic!("the writer was never seen at work");
}

#[test]
fn an_interrupt_keeps_what_was_committed() {
    let desk = Desk::new();
    desk.write("many.ndjson", wide_chain(0..10));
    let line = "ingest utxo-blocks many.ndjson --ledger bip122:746f776e000000000000000000000000";
    let mut codes = BTreeMap::new();
    for _ in 0..20 {
        let mut child = start(&desk, line);
        // The book is made after the program has begun to listen for interrupts.
        while !desk.path("book/book").exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        signal(&child, "INT");
        let output = child.wait_with_output().unwrap();
        let code = output.status.code().expect("the interrupt is heard");
        if code == 6 {
            let said = String::from_utf8(output.stderr).unwrap();
            let want = "error: interrupted; what was committed is kept: run the same command again to go on\n";
            assert_eq!(said, want);
        }
        *codes.entry(code).or_insert(0) += 1;
        std::fs::remove_dir_all(desk.path("book")).unwrap();
    }
    assert!(codes.contains_key(&6) && codes.keys().all(|code| [0, 6].contains(code)), "{codes:?}");
    let mut child = start(&desk, line);
    std::thread::sleep(Duration::from_millis(40));
    signal(&child, "INT");
    child.wait().unwrap();
    desk.run(line).done();
    let calm = Desk::new();
    calm.write("many.ndjson", wide_chain(0..10));
    calm.run(line).done();
    assert_same(&desk.path("book"), &calm.path("book"));
}

#[test]
fn undone_and_done_again_is_as_never_undone() {
    let desk = Desk::new();
    let ledgers = desk.exercise("ex", "--transactions 6000");
    let (chain, tokens) = (&ledgers["chain.ndjson"], &ledgers["tokens.csv"]);
    let fill = |desk: &Desk, file: &str| {
        let blocks = format!("ingest utxo-blocks {file} --ledger {chain}");
        desk.run(if file == "ex/tokens.csv" { "ingest table ex/tokens.csv" } else { &blocks }).done();
    };
    fill(&desk, "ex/chain.ndjson");
    fill(&desk, "ex/tokens.csv");
    let lines: Vec<String> = desk.read("ex/chain.ndjson").lines().map(|line| format!("{line}\n")).collect();
    let blocks = lines.len();
    let whole = common::files(&desk.path("book"));
    for undone in [1, 2, 100, blocks - 1, blocks] {
        desk.run(&format!("book undo --ledger {chain} {undone}")).done();
        // What is left is what a fresh ingest of the blocks before makes.
        if undone < blocks {
            let fresh = Desk::new();
            fresh.write("chain.ndjson", lines[..blocks - undone].concat());
            fresh.run(&format!("ingest utxo-blocks chain.ndjson --ledger {chain}")).done();
            let own = |desk: &Desk| -> BTreeMap<_, _> {
                let mut files = common::files(&desk.path("book"));
                files.retain(|name, _| name.to_string_lossy().contains("bip122"));
                files
            };
            assert!(own(&fresh) == own(&desk), "{undone} blocks undone");
        }
        fill(&desk, "ex/chain.ndjson");
        assert!(common::files(&desk.path("book")) == whole, "{undone} blocks");
    }
    let count = transactions(&desk);
    for undone in [1, 2, 700] {
        desk.run(&format!("book undo --ledger {tokens} {undone}")).done();
        assert_eq!(transactions(&desk), count - undone);
        fill(&desk, "ex/tokens.csv");
        assert!(common::files(&desk.path("book")) == whole, "{undone} transactions");
    }
}

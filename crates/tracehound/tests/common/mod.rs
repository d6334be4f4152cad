//! What the end-to-end tests share: a desk (a temporary folder with a book in it), the binary run on it, and what it
//! said. Nothing here calls the rooms: these tests see what a user sees.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod blocks;
pub mod follow;
pub mod kept;
pub mod mainnet;
pub mod node;
pub mod town;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The binary under test.
pub const TRACEHOUND: &str = env!("CARGO_BIN_EXE_tracehound");

/// A temporary folder, in which commands run; the book is `book` in it.
pub struct Desk {
    folder: tempfile::TempDir,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Stops the test unless the command succeeded.
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// Every line of standard output as JSON.
    pub fn json_lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }

    /// Standard output as CSV: the records, each by the header's names.
    pub fn csv(&self) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_reader(self.stdout.as_bytes());
        reader.deserialize().map(|record| record.expect("each line is a record")).collect()
    }
}

impl Desk {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("a file can be written");
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("the file is there")
    }

    /// The command of a line as one would type it after `tracehound`, in this folder and with nothing of the tester's
    /// own surroundings.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(TRACEHOUND);
        command.args(words(line)).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("TRACEHOUND_BOOK", "book").env("HOME", self.folder.path());
        command
    }

    pub fn run(&self, line: &str) -> Ran {
        self.finish(self.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()), &[])
    }

    /// The same with something on standard input.
    pub fn run_with(&self, line: &str, input: &[u8]) -> Ran {
        let mut command = self.command(line);
        self.finish(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()), input)
    }

    pub fn finish(&self, command: &mut Command, input: &[u8]) -> Ran {
        let mut child = command.spawn().expect("the binary starts");
        if let Some(mut pipe) = child.stdin.take() {
            // A program that refuses its input early need not read it.
            let _ = pipe.write_all(input);
        }
        let output = child.wait_with_output().expect("the binary ends");
        let folder = self.folder.path().display().to_string();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is said is UTF-8").replace(&folder, "[DIR]");
        let ran = Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!ran.stderr.contains("panicked"), "no panics, ever: {}", ran.stderr);
        ran
    }

    /// The whole of what a command line does, for a snapshot.
    pub fn shows(&self, line: &str) -> String {
        shown(&self.run(line))
    }

    /// Runs a line that must refuse its input: the exit code, one line that says why, and a book (or no book) that is
    /// byte for byte what it was. Gives the line, with its end but without `error: `.
    #[track_caller]
    pub fn refused(&self, line: &str, code: i32) -> String {
        let before = files(&self.path("book"));
        let ran = self.run(line);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "tracehound {line}: {}", ran.stderr);
        let mut after = files(&self.path("book"));
        let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        if before.is_empty() {
            // A book, and empty files for a ledger, may be made before the input turns out bad; a ledger may not.
            let nothing = |(name, bytes): (&PathBuf, &Vec<u8>)| name == Path::new("book") || bytes.is_empty();
            assert!(after.iter().all(nothing), "left behind: {:?}", names(&after));
            assert!(after.is_empty() || self.run("book status --json").stdout.contains("\"ledgers\":[]"));
        } else {
            after.retain(|name, bytes| before.contains_key(name) || !bytes.is_empty());
            assert!(before == after, "tracehound {line} changed the book: {:?} {:?}", names(&before), names(&after));
        }
        let said = ran.stderr.strip_suffix('\n').unwrap_or_else(|| panic!("no whole line: {:?}", ran.stderr));
        assert!(!said.contains('\n'), "tracehound {line} says more than one line: {said}");
        let said = said.strip_prefix("error: ").unwrap_or_else(|| panic!("not an error: {said:?}"));
        // With its end, as snapshots of several lines keep their shape when the code is formatted.
        format!("{said}\n")
    }

    /// Writes the exercise of a plan into `name` and gives the ledgers' names by file.
    pub fn exercise(&self, name: &str, flags: &str) -> BTreeMap<String, String> {
        let ran = self.run(&format!("exercise {name} --json {flags}")).done();
        let manifest: Value = serde_json::from_str(&ran.stdout).expect("the manifest is JSON");
        let ledgers = manifest["ledgers"].as_array().expect("it lists ledgers");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        ledgers.iter().map(|ledger| (text(&ledger["file"]), text(&ledger["ledger"]))).collect()
    }

    /// The demo's exercise in `ex`, ingested, with its tags: what `tracehound demo` makes.
    pub fn demo() -> Self {
        let desk = Self::new();
        let ledgers = desk.exercise("ex", "");
        desk.run(&format!("ingest utxo-blocks ex/chain.ndjson --ledger {}", ledgers["chain.ndjson"])).done();
        desk.run("ingest table ex/tokens.csv ex/bank.csv").done();
        desk.run("tags import ex/tags.yaml").done();
        desk
    }
}

/// Exit code, standard output and standard error, as far as there is any.
pub fn shown(ran: &Ran) -> String {
    let code = ran.code.map_or_else(|| "by a signal".to_owned(), |code| code.to_string());
    let mut text = format!("exit {code}\n");
    for (name, part) in [("out", &ran.stdout), ("err", &ran.stderr)] {
        if !part.is_empty() {
            let _ = write!(text, "--- {name}\n{part}");
            if !part.ends_with('\n') {
                text.push_str("(no line end)\n");
            }
        }
    }
    text
}

/// A line's words as a shell would tell them: blanks between, quotes around.
pub fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut open, mut quote) = (String::new(), false, None);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(end), _) if letter == end => quote = None,
            (None, '\'' | '"') => (quote, open) = (Some(letter), true),
            (None, ' ') => {
                if open {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            _ => {
                word.push(letter);
                open = true;
            }
        }
    }
    assert!(quote.is_none(), "an open quote in {line}");
    if open {
        words.push(word);
    }
    words
}

/// Every file of a folder, by its path within; none where there is no folder.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&inner) else { continue };
        for entry in entries {
            let path = entry.expect("a folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).expect("a file of the book can be read");
                files.insert(path.strip_prefix(folder).expect("it is inside").to_owned(), bytes);
            }
        }
    }
    files
}

/// Stops the test where two folders differ, and says in which files.
#[track_caller]
pub fn assert_same(one: &Path, other: &Path) {
    let (left, right) = (files(one), files(other));
    let names: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    let differs: Vec<_> = names.into_iter().filter(|name| left.get(*name) != right.get(*name)).collect();
    assert!(differs.is_empty() && !left.is_empty(), "{} files, of which differ: {differs:?}", left.len());
}

/// A data set beside the repository, or a loud word that it is not there.
pub fn data(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is missing", path.display());
    None
}

/// Every policy, the conserving ones first.
pub const POLICIES: [&str; 7] = ["haircut", "fifo", "lifo", "taint-first-out", "taint-last-out", "tiho", "poison"];

/// An exact decimal as (digits, decimals): sums of money without floats.
pub fn decimal(text: &str) -> (i128, u32) {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}").parse().unwrap_or_else(|_| panic!("{text:?} is no amount"));
    (digits, u32::try_from(fraction.len()).expect("an amount is short"))
}

/// The sum of exact decimals, without zeros at the end.
pub fn sum<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    const SCALE: u32 = 18;
    let units = |(digits, scale): (i128, u32)| digits * 10i128.pow(SCALE - scale);
    let total: i128 = texts.into_iter().map(|text| units(decimal(text))).sum();
    let text = format!("{:0>1$}", total, SCALE as usize + 1);
    let (whole, fraction) = text.split_at(text.len() - SCALE as usize);
    format!("{whole}.{fraction}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Holds each result of a trace against its own loot: under every conserving policy, for each incident, ledger and
/// asset, the origins of the terminals add up to what was stolen.
#[track_caller]
pub fn assert_closes(result: &Value) {
    let policy = text(&result["policy"]);
    if policy == "poison" {
        return;
    }
    let terminals = result["terminals"].as_array().expect("a list of terminals");
    for loot in result["loot"].as_array().expect("a list of loot") {
        let own = terminals.iter().filter(|row| {
            row["incident"] == loot["incident"]
                && row["ledger"] == loot["ledger"]
                && row["origin_asset"] == loot["asset"]
        });
        let sum = sum(own.map(|row| text(&row["origin_amount"])));
        assert_eq!(sum, self::sum([text(&loot["amount"])]), "{policy}: {loot}");
    }
}

/// Holds what a conserving policy puts at each place against the bounds there, where there are any.
#[track_caller]
pub fn assert_within_bounds(result: &Value) {
    let units = |value: &Value| {
        let (digits, scale) = decimal(text(value));
        digits * 10i128.pow(18 - scale)
    };
    if text(&result["policy"]) == "poison" {
        return;
    }
    for row in list(&result["terminals"]).iter().filter(|row| row["low"].is_string()) {
        let [low, origin, high] = ["low", "origin_amount", "high"].map(|key| units(&row[key]));
        assert!(low <= origin && origin <= high, "{}: {row}", result["policy"]);
    }
}

/// A JSON text.
#[track_caller]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// A list of a JSON document.
#[track_caller]
pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}"))
}

//! Annexes against plain vectors: random steps, readers that stay at their commit, crashes between any two steps, and
//! files that were tampered with.

use std::fs;
use std::path::Path;

use ledger::LedgerId;
use proptest::prelude::*;

use super::{Annex, AnnexSpec, AnnexWriter};
use crate::BookError;

const SPEC: AnnexSpec =
    AnnexSpec { name: "try", version: 3, columns: &[("pairs", 2), ("wide", 72)], tables: &["labels"], blobs: &["map"] };

fn ledger() -> LedgerId {
    LedgerId::parse("bitcoin").unwrap()
}

/// What an annex must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Model {
    pairs: Vec<[u8; 2]>,
    wide: Vec<[u8; 72]>,
    labels: Vec<u32>,
    map: Vec<u8>,
    note: String,
}

#[derive(Clone, Debug)]
enum Step {
    Append(u16),
    Extend(u16),
    Set(Vec<(u32, u32)>),
    Cut(u16),
    CutTable(u16),
    Put(Vec<u8>),
    Commit,
    /// The writer is dropped with what it was told since its last commit.
    Drop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..300u16).prop_map(Step::Append),
        3 => (0..3000u16).prop_map(Step::Extend),
        3 => prop::collection::vec((any::<u32>(), any::<u32>()), 0..200).prop_map(Step::Set),
        1 => any::<u16>().prop_map(Step::Cut),
        1 => any::<u16>().prop_map(Step::CutTable),
        1 => prop::collection::vec(any::<u8>(), 0..50).prop_map(Step::Put),
        4 => Just(Step::Commit),
        1 => Just(Step::Drop),
    ]
}

impl Model {
    fn take(&mut self, writer: &mut AnnexWriter, step: &Step, round: u32) {
        match step {
            Step::Append(count) => {
                for at in 0..*count {
                    let pair = [at.to_le_bytes()[0], round.to_le_bytes()[0]];
                    self.pairs.push(pair);
                    self.wide.push([pair[0] ^ pair[1]; 72]);
                    writer.append(0, &pair).unwrap();
                    writer.append(1, &[pair[0] ^ pair[1]; 72]).unwrap();
                }
            }
            Step::Extend(count) => {
                let new = (0..u32::from(*count)).map(|at| at * 1000 + round);
                self.labels.extend(new.clone());
                writer.extend(0, new).unwrap();
            }
            Step::Set(changes) => {
                let entries = u32::try_from(self.labels.len()).unwrap();
                for (entry, value) in changes.iter().filter(|_| entries > 0) {
                    let entry = entry % entries;
                    self.labels[entry as usize] = *value;
                    writer.set(0, entry, *value);
                }
            }
            Step::Cut(to) => {
                let rows = usize::from(*to) % (self.pairs.len() + 1);
                self.pairs.truncate(rows);
                self.wide.truncate(rows);
                writer.truncate(0, rows as u64);
                writer.truncate(1, rows as u64);
            }
            Step::CutTable(to) => {
                let entries = usize::from(*to) % (self.labels.len() + 1);
                self.labels.truncate(entries);
                writer.truncate_table(0, entries as u64);
            }
            Step::Put(bytes) => {
                self.map.clone_from(bytes);
                writer.put(0, bytes.clone());
            }
            Step::Commit => {
                self.note = format!("round {round}");
                writer.commit(&self.note).unwrap();
            }
            Step::Drop => unreachable!("the caller does it"),
        }
    }

    fn check_writer(&self, writer: &AnnexWriter) {
        assert_eq!(writer.load(0), self.labels);
        assert_eq!(writer.rows(1), self.wide.len() as u64);
        assert_eq!(writer.blob(0).unwrap(), self.map);
        for (at, label) in (0u32..).zip(&self.labels).step_by(97) {
            assert_eq!(writer.entry(0, at), Some(*label));
        }
        for (at, pair) in (0u64..).zip(&self.pairs).step_by(31) {
            assert_eq!(writer.row(0, at), Some(&pair[..]));
        }
    }

    fn check(&self, annex: &Annex) {
        assert_eq!(annex.note(), self.note);
        assert_eq!((annex.rows(0), annex.rows(1)), (self.pairs.len() as u64, self.wide.len() as u64));
        assert!((0u64..).zip(&self.pairs).all(|(at, pair)| annex.row(0, at) == Some(pair)));
        assert!((0u64..).zip(&self.wide).all(|(at, wide)| annex.row(1, at) == Some(wide)));
        let batch = self.pairs.chunk_by(|one, next| one[1] == next[1] && one[0] < next[0]);
        let mut row = 0u64;
        for batch in batch {
            assert_eq!(annex.stretch(0, row, batch.len() as u64), Some(batch.as_flattened()), "appended at once");
            row += batch.len() as u64;
        }
        assert_eq!(annex.stretch(0, row, 1), None);
        assert_eq!(annex.entries(0), self.labels.len() as u64);
        assert!((0u32..).zip(&self.labels).all(|(at, label)| annex.entry(0, at) == Some(*label)));
        assert_eq!(annex.load(0), self.labels);
        let end = u32::try_from(self.labels.len()).unwrap();
        assert_eq!((annex.row(0, annex.rows(0)), annex.entry(0, end)), (None, None));
        assert_eq!(annex.blob(0).unwrap(), self.map);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn an_annex_holds_what_its_commits_said(steps in prop::collection::vec(step(), 1..60)) {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("try");
        let mut writer = AnnexWriter::open(&folder, &ledger(), &SPEC).unwrap();
        let (mut model, mut committed) = (Model::default(), Model::default());
        let mut readers = Vec::new();
        for (round, step) in (0..).zip(&steps) {
            if matches!(step, Step::Drop) {
                drop(writer);
                writer = AnnexWriter::open(&folder, &ledger(), &SPEC).unwrap();
                model = committed.clone();
            } else {
                model.take(&mut writer, step, round);
            }
            model.check_writer(&writer);
            if matches!(step, Step::Commit) {
                committed = model.clone();
                if readers.len() < 4 {
                    readers.push((Annex::open(&folder, &ledger(), &SPEC).unwrap().unwrap(), committed.clone()));
                }
            }
        }
        for (reader, model) in &readers {
            model.check(reader);
        }
        if let Some(annex) = Annex::open(&folder, &ledger(), &SPEC).unwrap() {
            committed.check(&annex);
        } else {
            assert_eq!(committed, Model::default());
        }
    }
}

/// A commit writes its files, then the manifest. A crash leaves any of the files, whole or torn, and the old manifest.
#[test]
fn whatever_a_crash_leaves_the_last_commit_is_there() {
    let scratch = tempfile::tempdir().unwrap();
    let (folder, crashed) = (scratch.path().join("try"), scratch.path().join("crashed"));
    let mut writer = AnnexWriter::open(&folder, &ledger(), &SPEC).unwrap();
    let mut model = Model::default();
    for round in 0..24u32 {
        let before = model.clone();
        copy(&folder, &crashed);
        let cut = Step::Cut(u16::try_from(round).unwrap() * 37);
        let changes = (0..500).map(|at| (at * 7 + round, at)).collect();
        for step in [Step::Append(90), cut, Step::Extend(4000), Step::Set(changes), Step::Append(5), Step::Commit] {
            model.take(&mut writer, &step, round);
        }
        // All that the commit wrote, but for the manifest; every third file is torn.
        for (at, entry) in fs::read_dir(&folder).unwrap().enumerate() {
            let entry = entry.unwrap();
            if entry.file_name() == "manifest" || entry.file_name() == "writer.lock" {
                continue;
            }
            let mut bytes = fs::read(entry.path()).unwrap();
            let old = fs::metadata(crashed.join(entry.file_name())).map_or(0, |meta| meta.len());
            if at % 3 == 0 {
                bytes.truncate((bytes.len() / 2).max(usize::try_from(old).unwrap()));
            }
            fs::write(crashed.join(entry.file_name()), bytes).unwrap();
        }
        fs::write(crashed.join("manifest.new"), b"{\"torn").unwrap();
        match Annex::open(&crashed, &ledger(), &SPEC).unwrap() {
            Some(annex) => before.check(&annex),
            None => assert_eq!(round, 0),
        }
        let mut again = AnnexWriter::open(&crashed, &ledger(), &SPEC).unwrap();
        before.check_writer(&again);
        let mut after = before.clone();
        for step in [Step::Append(3), Step::Extend(3), Step::Set(vec![(1, 1), (2, 2)]), Step::Commit] {
            after.take(&mut again, &step, round);
        }
        after.check(&Annex::open(&crashed, &ledger(), &SPEC).unwrap().unwrap());
        drop(again);
        fs::remove_dir_all(&crashed).unwrap();
    }
    let files = fs::read_dir(&folder).unwrap().count();
    assert!(files < 40, "{files} files: they are merged as they grow");
}

#[test]
fn tampered_files_are_refused_with_what_to_do() {
    let scratch = tempfile::tempdir().unwrap();
    let (folder, bad) = (scratch.path().join("try"), scratch.path().join("bad"));
    let mut writer = AnnexWriter::open(&folder, &ledger(), &SPEC).unwrap();
    let mut model = Model::default();
    let changes = vec![(1, 1), (5, 5)];
    for step in
        [Step::Append(9), Step::Extend(50), Step::Put(vec![1, 2, 3]), Step::Commit, Step::Set(changes), Step::Commit]
    {
        model.take(&mut writer, &step, 1);
    }
    drop(writer);
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 7, "a manifest, a lock, two columns, a table, its changes and a blob: {names:?}");
    for name in names.iter().filter(|name| *name != "writer.lock") {
        for damage in ["cut", "gone", "flipped"] {
            copy(&folder, &bad);
            let path = bad.join(name);
            let mut bytes = fs::read(&path).unwrap();
            match damage {
                "cut" => fs::write(&path, &bytes[..bytes.len() - 1]).unwrap(),
                "gone" => fs::remove_file(&path).unwrap(),
                _ => {
                    bytes[1] ^= 1;
                    fs::write(&path, bytes).unwrap();
                }
            }
            let read = Annex::open(&bad, &ledger(), &SPEC);
            let is_small = name == "manifest" || name.to_str().unwrap().starts_with("map.");
            let error = match read {
                Ok(None) => {
                    assert!(name == "manifest" && damage == "gone");
                    None
                }
                // A bit of a column is not noticed, as in a ledger; one of a blob is when it is read.
                Ok(Some(annex)) => annex.blob(0).err(),
                Err(error) => Some(error),
            };
            let must_fail =
                damage == "cut" || (damage == "gone" && name != "manifest") || (is_small && damage == "flipped");
            assert_eq!(error.is_some(), must_fail, "{name:?} {damage}: {error:?}");
            if let Some(error) = error {
                assert!(matches!(error, BookError::DamagedAnnex { .. }), "{error}");
                assert!(error.to_string().contains("delete its folder"), "{error}");
            }
            AnnexWriter::remove(&bad).unwrap();
            assert!(Annex::open(&bad, &ledger(), &SPEC).unwrap().is_none());
            AnnexWriter::open(&bad, &ledger(), &SPEC).unwrap().commit("anew").unwrap();
            fs::remove_dir_all(&bad).unwrap();
        }
    }
}

#[test]
fn one_writes_and_other_versions_count_as_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("try");
    let mut writer = AnnexWriter::open(&folder, &ledger(), &SPEC).unwrap();
    writer.append(0, &[1, 2]).unwrap();
    writer.commit("first").unwrap();
    let second = AnnexWriter::open(&folder, &ledger(), &SPEC);
    assert!(matches!(second, Err(BookError::LockedAnnex { .. })));
    drop(writer);
    let newer = AnnexSpec { version: 4, ..SPEC };
    assert!(Annex::open(&folder, &ledger(), &newer).unwrap().is_none());
    let mut writer = AnnexWriter::open(&folder, &ledger(), &newer).unwrap();
    assert_eq!((writer.rows(0), writer.note()), (0, ""));
    assert_eq!(Annex::open(&folder, &ledger(), &SPEC).unwrap().unwrap().note(), "first", "until the first commit");
    writer.commit("anew").unwrap();
    assert!(Annex::open(&folder, &ledger(), &SPEC).unwrap().is_none());
    assert_eq!(Annex::open(&folder, &ledger(), &newer).unwrap().unwrap().note(), "anew");
    let other = LedgerId::parse("bitcoin-regtest").unwrap();
    assert!(matches!(Annex::open(&folder, &other, &newer), Err(BookError::DamagedAnnex { .. })));
}

//! When not the input is to blame: a full disk, a lock, a reader that has gone. Exit code 1 and one line, or success.

mod common;

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::{Desk, assert_same, files, town};
use expect_test::expect;

/// A small file system of its own, unmounted in every case.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Nothing where this machine does not let us: not Linux, not root, or in a sandbox.
    fn mount(desk: &Desk, name: &str, kib: u32) -> Option<Self> {
        let path = desk.path(name);
        std::fs::create_dir(&path).unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"]).arg(&path).output();
        if mount.is_ok_and(|mount| mount.status.success()) {
            return Some(Self(path));
        }
        eprintln!("SKIPPED: a full disk needs the right to mount a small one");
        None
    }

    fn grow(&self, kib: u32) {
        let remount = Command::new("mount").args(["-o", &format!("remount,size={kib}k")]).arg(&self.0).status();
        assert!(remount.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a test that failed may have left a file open.
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking(), "the disk stays mounted");
    }
}

/// One line on standard error, exit code 1, nothing on standard output.
#[track_caller]
fn fails(desk: &Desk, line: &str, input: &[u8]) -> String {
    let ran = desk.run_with(line, input);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.lines().count()), (Some(1), "", 1), "{}", ran.stderr);
    ran.stderr
}

fn rows(count: u32) -> String {
    let row = |at: u32| format!("t{at},2024-01-01,payer-{},payee-{},EUR,1.25\n", at % 997, at % 1009);
    std::iter::once("tx,time,from,to,asset,amount\n".to_owned()).chain((0..count).map(row)).collect()
}

#[test]
fn a_full_disk_under_the_book() {
    let desk = town::desk();
    let Some(disk) = SmallDisk::mount(&desk, "disk", 600) else { return };
    desk.write("many.csv", rows(20_000));
    desk.run("ingest table bank.csv --book disk/book").done();
    let before = files(&desk.path("disk/book"));
    let said = fails(&desk, "ingest table many.csv --book disk/book", b"");
    // Which of the files it is that does not fit is chance: they are written at the same time.
    let file = said.strip_prefix("error: cannot write disk/book/ledgers/table+many/");
    let what = file.and_then(|rest| rest.split_once(": ")).map(|(_, what)| what);
    assert_eq!(what, Some("the disk is full; free some space and run it again\n"), "{said}");
    // What was there works, and is what it was.
    let after = files(&desk.path("disk/book"));
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    desk.run("book status --book disk/book").done();
    desk.run("trace vault.yaml --book disk/book").done();
    // With more room the same command goes on, and ends in the same bytes.
    disk.grow(32_000);
    desk.run("ingest table many.csv --book disk/book").done();
    desk.run("ingest table bank.csv many.csv").done();
    assert_same(&desk.path("disk/book"), &desk.path("book"));
}

#[test]
fn a_disk_so_full_that_nothing_fits() {
    let desk = town::desk();
    let Some(disk) = SmallDisk::mount(&desk, "disk", 64) else { return };
    desk.run("ingest table bank.csv --book disk/book").done();
    let before = files(&desk.path("disk/book"));
    let space = std::fs::OpenOptions::new().create(true).append(true).open(disk.0.join("filler"));
    let mut space = space.unwrap();
    while std::io::Write::write_all(&mut space, &[0; 4096]).is_ok() {}
    for line in
        ["ingest utxo-blocks chain.ndjson --ledger bip122:746f776e000000000000000000000000", "tags import tags.csv"]
    {
        let said = fails(&desk, &format!("{line} --book disk/book"), b"");
        assert!(said.contains("disk/book"), "{said}");
    }
    let said = fails(&desk, "exercise disk/ex --peel 5", b"");
    assert!(said.starts_with("error: disk/ex"), "{said}");
    let after = files(&desk.path("disk/book"));
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    desk.run("trace vault.yaml --book disk/book").done();
}

#[test]
fn a_full_disk_under_the_temporary_files() {
    let desk = town::desk();
    let Some(disk) = SmallDisk::mount(&desk, "disk", 64) else { return };
    let mut command = desk.command("ingest table - --ledger table:t");
    command.env("TMPDIR", &disk.0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = desk.finish(&mut command, rows(20_000).as_bytes());
    assert_eq!(ran.code, Some(1));
    expect![[r#"
        error: [DIR]/disk: the disk is full; free some space, or point TMPDIR elsewhere
    "#]]
    .assert_eq(&ran.stderr);
    desk.run("ingest table bank.csv").done();
}

#[test]
fn a_full_disk_under_standard_output() {
    let desk = town::ingested();
    if !std::path::Path::new("/dev/full").exists() {
        eprintln!("SKIPPED: there is no /dev/full here");
        return;
    }
    for line in [
        "trace vault.yaml",
        "trace vault.yaml --json",
        "trace vault.yaml --csv",
        "trace vault.yaml --csv=edges",
        "trace vault.yaml --policy all",
        "book status",
        "tags list",
        "incidents check vault.yaml",
        "completions bash",
        "exercise ex --peel 9 --json",
        "ingest table bank.csv --json",
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = desk.finish(desk.command(line).stdout(full).stderr(Stdio::piped()), &[]);
        assert_eq!(ran.code, Some(1), "{line}: {}", ran.stderr);
        let said = ran.stderr.lines().last().unwrap_or_default();
        assert!(said.starts_with("error: cannot write the result: No space left"), "{line}: {}", ran.stderr);
    }
}

#[test]
fn a_reader_that_has_gone_is_success() {
    let desk = Desk::demo();
    let incident = "ex/incident-harbour-heist.yaml";
    for line in [
        format!("trace {incident}"),
        format!("trace {incident} --json"),
        format!("trace {incident} --csv"),
        format!("trace {incident} --csv=edges --policy all"),
        "tags list --json".to_owned(),
        "completions zsh".to_owned(),
        "help".to_owned(),
        "trace --help".to_owned(),
        "book status".to_owned(),
    ] {
        // Gone before the first byte, and gone after some.
        for bytes in [0, 100] {
            let mut command = desk.command(&line);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut out = child.stdout.take().unwrap();
            out.read_exact(&mut vec![0; bytes]).unwrap();
            drop(out);
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{line}");
        }
    }
}

#[test]
fn a_file_in_the_place_of_the_book() {
    let desk = town::desk();
    desk.write("book", "not a folder");
    expect![[r#"
        exit 2
        --- err
        error: book is not a book: name a folder that an ingest has made
    "#]]
    .assert_eq(&desk.shows("ingest table bank.csv"));
    expect![[r#"
        exit 5
        --- err
        error: book is not a book: name a folder that an ingest has made
    "#]]
    .assert_eq(&desk.shows("book status"));
    std::fs::create_dir(desk.path("photos")).unwrap();
    desk.write("photos/one.jpg", "x");
    expect![[r#"
        exit 2
        --- err
        error: photos is not a book: name a folder that an ingest has made
    "#]]
    .assert_eq(&desk.shows("ingest table bank.csv --book photos"));
    expect![[r#"
        exit 5
        --- err
        error: photos is not a book: name a folder that an ingest has made
    "#]]
    .assert_eq(&desk.shows("book status --book photos"));
}

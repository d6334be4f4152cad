//! What a book's kept clusters and exposure answer, held against those of the same book where nothing was kept before.

use std::fmt::Write as _;
use std::path::Path;

use super::{Desk, files};

/// The folder of the kept ledger's annex; the rulings are beside it, and are the user's.
const ANNEX: &str = "holders";
/// More members than any cluster here has: the first few are in no order that the commands promise.
const TOP: &str = "--top 1000000";

/// Everything that is told of these addresses, on what is kept as it is.
pub fn answers(desk: &Desk, addresses: &[String]) -> String {
    let mut told = String::new();
    for address in addresses {
        let ran = desk.run(&format!("clusters show {address} --as-kept --json {TOP}"));
        // Or the chain does not have it (any more, or yet).
        assert!(ran.code == Some(0) || ran.stderr.contains("never held anything"), "{}", ran.stderr);
        told.push_str(&ran.stdout);
    }
    told.push_str(&desk.run("clusters problems --as-kept --json").done().stdout);
    desk.write("asked.txt", addresses.join("\n"));
    let ran = desk.run("screen --file asked.txt --as-kept --json");
    assert!(matches!(ran.code, Some(0 | 3 | 4 | 5)), "{:?}: {}", ran.code, ran.stderr);
    assert!(!ran.stdout.contains("\"status\":\"stale\""), "it is behind: {}", ran.stdout);
    let _ = writeln!(told, "exit {:?}", ran.code);
    told + &ran.stdout
}

/// A desk with a copy of the book in which nothing is kept.
pub fn bare(desk: &Desk) -> Desk {
    let bare = Desk::new();
    for (name, bytes) in files(&desk.path("book")) {
        if name.parent().and_then(Path::file_name).is_some_and(|folder| folder == ANNEX) {
            continue;
        }
        put(&bare.path("book").join(name), &bytes);
    }
    bare
}

/// Writes a file, and makes its folder.
pub fn put(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("the desk can be written");
    std::fs::write(path, bytes).expect("the desk can be written");
}

/// What is kept answers as what is made from nothing does. Gives the answers.
#[track_caller]
pub fn assert_is_as_made_anew(desk: &Desk, addresses: &[String]) -> String {
    let anew = bare(desk);
    anew.run("clusters update").done();
    let (is, want) = (answers(desk, addresses), answers(&anew, addresses));
    let differs = is.lines().zip(want.lines()).find(|(is, want)| is != want);
    assert!(is == want, "what is kept differs from what is made anew: {differs:#?}");
    is
}

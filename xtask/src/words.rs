//! Looks through every tracked file for what must not be committed: unfinished work, tests that are switched off,
//! marks of a merge, paths of one machine, hosts of package registries.
//!
//! What is meant to be there stands in `.ci/words-allow`, one `PATH: TEXT` a line: TEXT may then stand in PATH. An
//! entry that allows nothing any more is an error, so that the list cannot rot.

use std::fs;

use crate::runner::Outcome;
use crate::workplace::{Workplace, is_rust};

/// Where the exceptions stand.
const ALLOW_FILE: &str = ".ci/words-allow";
/// Hits printed before the rest is only counted.
const SHOWN_MAX: usize = 50;

/// Unfinished or switched off: in Rust only. Written in halves, so that this file does not hold them.
const UNFINISHED: &[&str] =
    &[concat!("to", "do!("), concat!("unimple", "mented!("), concat!("#[ig", "nore"), concat!("db", "g!(")];
/// Marks that a merge leaves at the start of a line.
const MERGE_MARKS: &[&str] = &[concat!("<<<", "<<<< "), concat!(">>>", ">>>> "), concat!("|||", "|||| ")];
/// Folders at the root of some machine.
const MACHINE_FOLDERS: &[&str] = &[
    concat!("/", "work/"),
    concat!("/", "tmp/"),
    concat!("/", "root/"),
    concat!("/", "home/"),
    concat!("/", "Users/"),
];
/// Hosts of package registries and their mirrors.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("deb.debian", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("repo.maven", ".apache"),
    concat!("artifact", "ory"),
];
/// The one name with a registry's host in it that Cargo.lock and deny.toml must spell: cargo's id of its registry.
const REGISTRY_ID: &str = concat!("rust-lang/crates", ".io-index");

/// Fails where a tracked file holds one of these and [`ALLOW_FILE`] does not allow it.
pub fn check(workplace: &Workplace) -> Result<Outcome, String> {
    let list = fs::read_to_string(workplace.root.join(ALLOW_FILE)).unwrap_or_default();
    let mut allowed = Allowed::read(&list)?;
    let mut hits = Vec::new();
    let files = workplace.tracked_files()?;
    for path in files.iter().filter(|path| *path != ALLOW_FILE) {
        // A file that is deleted and not yet committed is still tracked; a picture is not text.
        let Ok(text) = fs::read_to_string(workplace.root.join(path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            let line = allowed.cut(path, line);
            if let Some(what) = offence(path, &line) {
                hits.push(format!("{path}:{}: {what}: {}", number + 1, line.trim()));
            }
        }
    }
    hits.extend(allowed.idle().map(|entry| format!("{ALLOW_FILE}: {entry:?} allows nothing any more; take it out")));
    for hit in hits.iter().take(SHOWN_MAX) {
        println!("{hit}");
    }
    if hits.is_empty() {
        Ok(Outcome::Passed(format!("{} files", files.len())))
    } else {
        Err(format!("{} lines should not be committed (exceptions go into {ALLOW_FILE})", hits.len()))
    }
}

/// What is wrong with a line, if anything.
fn offence(path: &str, line: &str) -> Option<&'static str> {
    if is_rust(path) && UNFINISHED.iter().any(|word| line.contains(word)) {
        return Some("unfinished or switched off");
    }
    if MERGE_MARKS.iter().any(|mark| line.starts_with(mark)) {
        return Some("a mark that a merge left");
    }
    if MACHINE_FOLDERS.iter().any(|folder| line.match_indices(folder).any(|(at, _)| is_absolute(line, at))) {
        return Some("a path of one machine");
    }
    let line = line.replace(REGISTRY_ID, "");
    REGISTRY_HOSTS.iter().any(|host| line.contains(host)).then_some("a package registry's host")
}

/// Whether the slash at `at` begins a path: no folder, variable, wildcard or host stands right before it.
fn is_absolute(line: &str, at: usize) -> bool {
    line[..at].chars().next_back().is_none_or(|before| !(before.is_alphanumeric() || "._-~*/}>)]".contains(before)))
}

/// The exceptions, and which of them were needed.
struct Allowed<'a> {
    entries: Vec<(&'a str, &'a str, bool)>,
}

impl<'a> Allowed<'a> {
    fn read(list: &'a str) -> Result<Self, String> {
        let lines = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let entries = lines.map(|line| {
            let (path, text) =
                line.split_once(": ").ok_or_else(|| format!("{ALLOW_FILE}: {line:?} is not PATH: TEXT"))?;
            Ok((path, text, false))
        });
        Ok(Self { entries: entries.collect::<Result<_, String>>()? })
    }

    /// The line without what is allowed in this file.
    fn cut(&mut self, path: &str, line: &str) -> String {
        let mut left = line.to_owned();
        for (allowed_path, text, needed) in &mut self.entries {
            if *allowed_path == path && left.contains(*text) {
                *needed = true;
                left = left.replace(*text, "");
            }
        }
        left
    }

    fn idle(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|(_, _, needed)| !needed).map(|(path, _, _)| *path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_committed_is_found_and_what_only_looks_like_it_is_not() {
        let bad = [
            format!("    {}\"later\")", UNFINISHED[0]),
            format!("    {}]", UNFINISHED[2]),
            format!("{}HEAD", MERGE_MARKS[0]),
            format!("open(\"{}x\")", MACHINE_FOLDERS[0]),
            format!("{}x", MACHINE_FOLDERS[1]),
            format!("https://static.{}/x", REGISTRY_HOSTS[0]),
        ];
        for line in &bad {
            assert!(offence("a.rs", line).is_some(), "{line}");
        }
        let good = [
            format!("https://example.org{}x", MACHINE_FOLDERS[3]),
            format!("$DIR{} and ..{}", MACHINE_FOLDERS[1], MACHINE_FOLDERS[0]),
            format!("source = \"registry+https://github.com/{REGISTRY_ID}\""),
            "=======".to_owned(),
            "a homework/ folder".to_owned(),
        ];
        for line in &good {
            assert_eq!(offence("a.rs", line), None, "{line}");
        }
        assert_eq!(offence("a.md", &bad[0]), None, "a document may speak of it");
    }

    #[test]
    fn an_exception_holds_for_its_own_file_and_must_be_needed() {
        let path = MACHINE_FOLDERS[1];
        let list = format!("# why\n\na.md: {path}book\nb.md: {path}x\n");
        let mut allowed = Allowed::read(&list).unwrap();
        assert_eq!(offence("a.md", &allowed.cut("a.md", &format!("in {path}book"))), None);
        assert!(offence("c.md", &allowed.cut("c.md", &format!("in {path}book"))).is_some());
        assert_eq!(allowed.idle().collect::<Vec<_>>(), ["b.md"]);
        assert!(Allowed::read("nonsense").is_err());
    }
}

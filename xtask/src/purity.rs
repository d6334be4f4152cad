//! Scans the pure rooms for files, sockets, clocks and chance: the same input must give the same bytes.
//!
//! A scan of words, not a proof: a crate that a room depends on could still read a clock, so outside crates that are
//! there for such things are forbidden by name as well. Tests may read files.

use std::fs;

use crate::source::{code_only, is_word, line_of, without_tests, words};
use crate::workplace::{Workplace, is_test_file, rust_files};

/// Parts of the standard library that reach outside of the program.
const STD_FORBIDDEN: &[&str] = &["fs", "net", "env", "process", "os"];
/// Names that read a clock, or an order that changes from run to run, wherever they come from.
const NAMES_FORBIDDEN: &[&str] = &["SystemTime", "Instant", "RandomState"];
/// Ways to ask a time library what time it is.
const CALLS_FORBIDDEN: &[&str] = &["Timestamp::now", "Zoned::now"];
/// Outside crates that exist to read the world.
const CRATES_FORBIDDEN: &[&str] = &["rand", "getrandom", "fastrand", "tempfile", "memmap2", "tokio", "ureq", "reqwest"];

/// Every breach in a room's sources and dependencies, one line each.
pub fn scan(workplace: &Workplace, room: &str) -> Result<Vec<String>, String> {
    let mut wrong = Vec::new();
    let package = workplace.packages().iter().find(|package| package["name"] == room);
    let package = package.ok_or_else(|| format!("the pure room {room} is no crate of the workspace"))?;
    for dependency in package["dependencies"].as_array().map_or(&[][..], Vec::as_slice) {
        let name = dependency["name"].as_str().unwrap_or_default();
        if dependency["kind"] != "dev" && CRATES_FORBIDDEN.contains(&name) {
            wrong.push(format!("{room} is pure and depends on {name}"));
        }
    }
    let folder = workplace.root.join("crates").join(room).join("src");
    for path in rust_files(&folder)?.into_iter().filter(|path| !is_test_file(path, &folder)) {
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let shown = path.strip_prefix(&workplace.root).unwrap_or(&path);
        for (line, what) in breaches(&text) {
            wrong.push(format!("{}:{line}: {room} is pure and uses {what}", shown.display()));
        }
    }
    Ok(wrong)
}

/// The line and name of everything that a pure room must not use.
fn breaches(text: &str) -> Vec<(usize, String)> {
    let code = without_tests(&code_only(text));
    let mut found = Vec::new();
    for at in words(&code, "std") {
        let Some(rest) = code[at + 3..].strip_prefix("::") else { continue };
        for part in first_names(rest).into_iter().filter(|part| STD_FORBIDDEN.contains(part)) {
            found.push((line_of(&code, at), format!("std::{part}")));
        }
    }
    for name in NAMES_FORBIDDEN.iter().chain(CALLS_FORBIDDEN) {
        found.extend(words(&code, name).map(|at| (line_of(&code, at), (*name).to_owned())));
    }
    found.sort();
    found
}

/// `a` of `a::b`; `a` and `c` of `{a::{b}, c}`.
fn first_names(rest: &str) -> Vec<&str> {
    let Some(group) = rest.strip_prefix('{') else { return vec![leading_word(rest)] };
    let (mut names, mut depth, mut start) = (Vec::new(), 0usize, 0);
    for (at, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' | b',' if depth == 0 => {
                names.push(leading_word(group[start..at].trim_start()));
                start = at + 1;
                if byte == b'}' {
                    break;
                }
            }
            b'}' => depth -= 1,
            _ => {}
        }
    }
    names
}

fn leading_word(text: &str) -> &str {
    &text[..text.bytes().take_while(|byte| is_word(*byte)).count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_reads_the_world_is_found_however_it_is_named() {
        let cases: &[(&str, &[&str])] = &[
            ("use std::fs;", &["std::fs"]),
            ("use std::{fmt::{self, Write}, fs::File, net};", &["std::fs", "std::net"]),
            ("let t = std::time::SystemTime::UNIX_EPOCH;", &["SystemTime"]),
            ("let t = Instant::now();", &["Instant"]),
            ("let t = jiff::Timestamp::now();", &["Timestamp::now"]),
            ("use std::{fmt, io::Read};", &[]),
            ("// std::fs\nlet x = \"std::fs Instant\"; let instantly = Timestamp::from_second(1);", &[]),
            ("fn a() {}\n#[cfg(test)]\nmod tests { use std::fs; }", &[]),
            ("#[cfg(test)]\nmod tests { use std::fs; }\nuse std::net;", &["std::net"]),
        ];
        for (text, want) in cases {
            let got: Vec<String> = breaches(text).into_iter().map(|(_, what)| what).collect();
            assert_eq!(got, *want, "{text}");
        }
        assert_eq!(breaches("\n\nuse std::fs;")[0].0, 3);
    }
}

//! Every transcript in README.md is run, in order, in one folder, and prints what it says there.
//!
//! A transcript is a fenced block marked `console`: lines that begin with `$ ` are commands, what follows is their output
//! on the terminal (both streams). A line `…` stands for any lines, or none.

mod common;

use std::io::{Read as _, Seek as _};
use std::path::Path;

use common::Desk;

/// A command of the README and what it is said to print.
struct Transcript {
    line: usize,
    command: String,
    output: Vec<String>,
}

fn transcripts(text: &str) -> Vec<Transcript> {
    let mut found: Vec<Transcript> = Vec::new();
    let mut inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with("```") {
            inside = line.trim_end() == "```console";
            continue;
        }
        match line.strip_prefix("$ ") {
            _ if !inside => {}
            Some(command) => {
                found.push(Transcript { line: number, command: command.to_owned(), output: Vec::new() });
            }
            None => {
                let transcript = found.last_mut().expect("a transcript begins with a command");
                transcript.output.push(line.to_owned());
            }
        }
    }
    found
}

/// Whether lines are what was wanted, where `…` stands for any.
fn fits(want: &[String], lines: &[&str]) -> bool {
    match want {
        [] => lines.is_empty(),
        [any, rest @ ..] if any.trim() == "…" => (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..])),
        [first, rest @ ..] => lines.first().is_some_and(|line| line == first) && fits(rest, &lines[1..]),
    }
}

/// What stands after `tracehound` in a command of the README.
fn arguments(transcript: &Transcript) -> &str {
    let command = transcript.command.as_str();
    command
        .strip_prefix("cargo run --release -- ")
        .or_else(|| command.strip_prefix("tracehound "))
        .unwrap_or_else(|| panic!("README.md:{}: not a command of tracehound: {command}", transcript.line))
}

#[test]
fn every_transcript_is_what_happens() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(readme).expect("there is a README");
    let transcripts = transcripts(&text);
    assert!(transcripts.len() >= 3, "the README shows what it does");
    let desk = Desk::new();
    for transcript in &transcripts {
        let mut screen = tempfile::tempfile().expect("a temporary file can be made");
        let mut command = desk.command(arguments(transcript));
        command.env_remove("TRACEHOUND_BOOK").stdout(screen.try_clone().unwrap()).stderr(screen.try_clone().unwrap());
        let status = command.status().expect("the binary starts");
        let mut shown = String::new();
        screen.rewind().unwrap();
        screen.read_to_string(&mut shown).unwrap();
        // A command that is refused says so, and a screening that finds something ends with a code of its own.
        let is_other =
            |line: &String| ["error: ", "REVIEW ", "HIT ", "UNKNOWN "].iter().any(|word| line.starts_with(word));
        let is_success = !transcript.output.iter().any(is_other);
        assert_eq!(status.success(), is_success, "README.md:{}: {shown}", transcript.line);
        let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
        assert!(
            fits(&transcript.output, &lines),
            "README.md:{}: `{}` prints something else than {:?}:\n{shown}",
            transcript.line,
            transcript.command,
            transcript.output.iter().find(|want| want.trim() != "…" && !lines.contains(&want.as_str()))
        );
    }
}

#[test]
fn an_ellipsis_stands_for_any_lines_and_nothing_else_does() {
    let check = |want: &str, lines: &str, fitting: bool| {
        let want: Vec<String> = want.lines().map(str::to_owned).collect();
        assert_eq!(fits(&want, &lines.lines().collect::<Vec<_>>()), fitting, "{want:?} {lines:?}");
    };
    check("a\n…\nd", "a\nb\nc\nd", true);
    check("a\n…\nd", "a\nd", true);
    check("…", "", true);
    check("a\n…\nc\n…", "a\nb\nc", true);
    check("a\n…\nd", "a\nb\nc", false);
    check("a", "a\nb", false);
    check("a\nb", "a", false);
    check("  … and 3 more", "x", false);
}

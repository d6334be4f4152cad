//! Builds the fuzz targets with coverage instrumentation and runs each for a while, on the stable compiler.
//!
//! libFuzzer needs LLVM's sancov pass and nothing that is unstable: its flags are ordinary `-C passes` and `-C llvm-args`.
//! (cargo-fuzz sets the same ones and adds a sanitizer, which a stable compiler does not have; this project denies
//! `unsafe`, so the sanitizer would mostly watch the standard library.) What a target holds is written in its own file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use crate::runner::Outcome;
use crate::workplace::{Workplace, run};

/// The pass that counts edges and reports comparisons to libFuzzer, and `cfg(fuzzing)` for whoever asks.
const RUSTFLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0 --cfg fuzzing";
/// What to do after a fuzzed room got another dependency.
const REFRESH_LOCK: &str = "cargo update --workspace --manifest-path fuzz/Cargo.toml";
/// The limits of one input: a decoder that needs more than this for so little is at fault.
const INPUT_BYTES_MAX: u32 = 16 * 1024;
const INPUT_SECONDS_MAX: u32 = 5;
/// The limit of a whole run, the fuzzer's own corpus and tables included.
const MEMORY_MIB_MAX: u32 = 1024;
/// Lines of a failed target's log that are shown.
const LOG_LINES_SHOWN: usize = 40;

/// Where a run keeps its things.
struct Folders {
    programs: PathBuf,
    corpus: PathBuf,
    findings: PathBuf,
    seeds: PathBuf,
}

/// Builds all targets, then runs them, as many at a time as there are cores.
pub fn check(workplace: &Workplace) -> Result<Outcome, String> {
    let targets = targets(&workplace.root.join("fuzz").join("fuzz_targets"))?;
    let host = host(workplace)?;
    let build = workplace.target.join("fuzz");
    // `--target` keeps the instrumentation away from build scripts and macros, even where it names this machine.
    let mut command =
        workplace.cargo(&["build", "--release", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target", &host]);
    run(command.arg("--target-dir").arg(&build).env("RUSTFLAGS", RUSTFLAGS))
        .map_err(|failure| format!("{failure} (a lock file that is behind: {REFRESH_LOCK})"))?;
    let folders = Folders {
        programs: build.join(&host).join("release"),
        corpus: build.join("corpus"),
        findings: build.join("findings"),
        seeds: workplace.root.join("fuzz").join("seeds"),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{} targets, {} s each, {cores} at a time", targets.len(), workplace.fuzz_seconds);
    let open = Mutex::new(targets.iter());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(target) = next(&open) {
                    if let Err(failure) = fuzz_one(workplace, &folders, target) {
                        failures.lock().expect("no thread panics while it holds this lock").push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("all threads have ended");
    if failures.is_empty() {
        Ok(Outcome::Passed(format!("{} targets", targets.len())))
    } else {
        Err(failures.join("; "))
    }
}

fn next<'a>(open: &Mutex<std::slice::Iter<'a, String>>) -> Option<&'a String> {
    open.lock().expect("no thread panics while it holds this lock").next()
}

/// The names of the files in the folder of targets, sorted.
fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let path = entry.map_err(|e| format!("{}: {e}", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    if names.is_empty() { Err(format!("{}: there is no fuzz target", folder.display())) } else { Ok(names) }
}

/// The triple of this machine, as rustc names it.
fn host(workplace: &Workplace) -> Result<String, String> {
    let output = workplace.command("rustc", &["-vV"]).output().map_err(|e| format!("cannot run rustc: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc -vV names no host".to_owned())
}

fn fuzz_one(workplace: &Workplace, folders: &Folders, target: &str) -> Result<(), String> {
    let began = Instant::now();
    let corpus = folders.corpus.join(target);
    let findings = folders.findings.join(target);
    for folder in [&corpus, &findings] {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let log_path = findings.join("log.txt");
    let log = File::create(&log_path).map_err(|e| format!("{}: {e}", log_path.display()))?;
    let mut command = Command::new(folders.programs.join(target));
    command
        .arg(&corpus)
        .args(Some(folders.seeds.join(target)).filter(|seeds| seeds.is_dir()))
        .arg(format!("-max_total_time={}", workplace.fuzz_seconds))
        .arg(format!("-seed={}", workplace.fuzz_seed))
        .arg(format!("-max_len={INPUT_BYTES_MAX}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .arg("-print_final_stats=1")
        .current_dir(&workplace.root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    let status = command.status().map_err(|e| format!("cannot run the target {target}: {e}"))?;
    let log = String::from_utf8_lossy(&fs::read(&log_path).unwrap_or_default()).into_owned();
    let seconds = began.elapsed().as_secs_f64();
    if status.success() {
        println!("{target:<12} {seconds:>5.1} s  {}", figures(&log));
        return Ok(());
    }
    println!("{target:<12} {seconds:>5.1} s  FAILED ({status})");
    let lines: Vec<&str> = log.lines().collect();
    for line in &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..] {
        println!("  {line}");
    }
    println!(
        "  the input is in {0}; run it again with {1} {0}/FILE",
        findings.display(),
        folders.programs.join(target).display()
    );
    Err(format!("{target}: {status}"))
}

/// `1234 runs, 56 edges covered, 12 MiB` out of libFuzzer's log.
fn figures(log: &str) -> String {
    let stat = |name: &str| {
        log.lines()
            .rev()
            .find_map(|line| line.strip_prefix(name))
            .map_or("?", |rest| rest.trim_start_matches(':').trim())
    };
    let covered = log
        .lines()
        .rev()
        .find_map(|line| line.split_once(" cov: "))
        .map_or("?", |(_, rest)| rest.split_whitespace().next().unwrap_or("?"));
    format!(
        "{} runs, {covered} edges covered, {} MiB",
        stat("stat::number_of_executed_units"),
        stat("stat::peak_rss_mb")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_from_the_end_of_the_log() {
        let log = "#2 INITED cov: 9 ft: 9\n#8 NEW    cov: 12 ft: 30 corp: 2/2b\nDone 77 runs\n\
            stat::number_of_executed_units: 77\nstat::peak_rss_mb:              28\n";
        assert_eq!(figures(log), "77 runs, 12 edges covered, 28 MiB");
        assert_eq!(figures("killed"), "? runs, ? edges covered, ? MiB");
    }
}

//! Where the tasks work: the root of the repository, its target folder, its packages, and how a command is run there.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Folders opened in the search for sources; more means that the search went astray.
const FOLDERS_MAX: usize = 256;

/// The repository that this `xtask` belongs to.
pub struct Workplace {
    /// The folder with the workspace's Cargo.toml.
    pub root: PathBuf,
    /// Where cargo puts what it builds.
    pub target: PathBuf,
    /// What `cargo metadata --no-deps` says of the workspace.
    pub metadata: Value,
    /// Seconds for each fuzz target.
    pub fuzz_seconds: u32,
    /// The fuzzer's seed; 0 lets it choose one.
    pub fuzz_seed: u32,
}

impl Workplace {
    /// Finds the repository and asks cargo about it.
    pub fn open(fuzz_seconds: u32, fuzz_seed: u32) -> Result<Self, String> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).parent().ok_or("xtask has no parent folder")?.to_path_buf();
        let metadata = metadata(&root.join("Cargo.toml"))?;
        let target = metadata["target_directory"].as_str().ok_or("cargo metadata names no target_directory")?.into();
        Ok(Self { root, target, metadata, fuzz_seconds, fuzz_seed })
    }

    /// The packages of the workspace, as `cargo metadata` prints them.
    pub fn packages(&self) -> &[Value] {
        self.metadata["packages"].as_array().map_or(&[], Vec::as_slice)
    }

    /// A cargo command in the repository's root.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo_program());
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// Any other command in the repository's root.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// The workspaces that stand beside the main one: those of `fuzz` and `bench` that are there.
    pub fn side_manifests(&self) -> Vec<String> {
        let sides = ["fuzz/Cargo.toml", "bench/Cargo.toml"];
        sides.iter().filter(|path| self.root.join(path).is_file()).map(|path| (*path).to_owned()).collect()
    }

    /// The files that git tracks, as paths from the root.
    pub fn tracked_files(&self) -> Result<Vec<String>, String> {
        let output = self.command("git", &["ls-files", "-z"]).output().map_err(|e| format!("cannot run git: {e}"))?;
        if !output.status.success() {
            return Err(format!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        let names = String::from_utf8(output.stdout).map_err(|_| "a tracked file's name is not UTF-8".to_owned())?;
        Ok(names.split_terminator('\0').map(str::to_owned).collect())
    }
}

/// What cargo says of the workspace of a manifest, without its outside crates.
pub fn metadata(manifest: &Path) -> Result<Value, String> {
    let output = Command::new(cargo_program())
        .args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"])
        .arg(manifest)
        .output()
        .map_err(|e| format!("cannot run cargo: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))
}

fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Prints a command, runs it with its output as it comes, and fails when it does.
pub fn run(command: &mut Command) -> Result<(), String> {
    let line = say(command);
    let status = command.stdin(Stdio::null()).status().map_err(|e| format!("cannot run {line}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("{line}: {status}")) }
}

/// Prints a command as a person would type it, and returns that line.
pub fn say(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    let line = std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ");
    println!("$ {line}");
    line
}

/// The Rust files below a folder, in the order of their paths, those that a build left in a `target` aside.
pub fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let (mut files, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    for _ in 0..FOLDERS_MAX {
        let Some(next) = open.pop() else {
            files.sort();
            return Ok(files);
        };
        for entry in fs::read_dir(&next).map_err(|e| format!("{}: {e}", next.display()))? {
            let path = entry.map_err(|e| format!("{}: {e}", next.display()))?.path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    Err(format!("{}: more than {FOLDERS_MAX} folders", folder.display()))
}

/// Whether a path names a Rust file.
pub fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// Whether a source file below `folder` is compiled for tests, benchmarks or examples only.
pub fn is_test_file(path: &Path, folder: &Path) -> bool {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    let mut parts = inside.iter().filter_map(|part| part.to_str());
    parts.any(|part| matches!(part, "tests" | "tests.rs" | "benches" | "examples"))
}

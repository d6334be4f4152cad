//! Fills the git-ignored folder `.components` with what tests run against and cargo cannot bring: a Bitcoin node, a
//! second reader of its block files as an oracle, and an EVM node.
//!
//! Nothing is installed for the machine and nothing needs root. The node is Debian's own package with the libraries
//! that it was built for, fetched by the machine's `apt-get` under a configuration of its own and checked by Debian's
//! signatures; the oracle is a wheel whose hash stands here; the EVM node is a package whose hash stands in the lock file
//! beside the tests that use it. Where they are downloaded from is the machine's affair.
//! What a folder was filled by is written into it, so that a change of this file fills it anew.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::runner::Outcome;
use crate::workplace::{Workplace, run};

/// Names the node to take instead of any other; the tests read it too.
const NODE_VARIABLE: &str = "BITCOIND_EXE";
/// What helps where the package cannot be had.
const NODE_HELP: &str = "set BITCOIND_EXE to a bitcoind (Bitcoin Core or Knots, 29 or later)";
/// Debian's suites: the package is in the backports, its libraries in the release itself.
const SUITES: &[&str] = &["trixie", "trixie-backports"];
/// What Debian signs these suites with.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// The node, and every library that it loads.
const PACKAGES: &[&str] = &[
    "bitcoin-knots",
    "libc6",
    "libstdc++6",
    "libgcc-s1",
    "libevent-core-2.1-7t64",
    "libevent-extra-2.1-7t64",
    "libevent-pthreads-2.1-7t64",
    "libsqlite3-0",
    "libzmq5",
    "libsodium23",
    "libnorm1t64",
    "libpgm-5.3-0t64",
    "libbsd0",
    "libmd0",
    "libgssapi-krb5-2",
    "libkrb5-3",
    "libk5crypto3",
    "libkrb5support0",
    "libcom-err2",
    "libkeyutils1",
    "libssl3t64",
];
/// The programs that get a launcher.
const PROGRAMS: &[&str] = &["bitcoind", "bitcoin-cli"];
/// The oracle: Bitcoin Core's own kernel library behind Python. One hash for each Python, 3.10 to 3.13, on x86-64.
const ORACLE: &str = "py-bitcoinkernel==0.1.0a5 \
    --hash=sha256:ca067dfd24d5ab8367002fe358c66f4b45912c2d3c10a2f2a5a36a0b359141c4 \
    --hash=sha256:590a4ad64b7d9153da07b205c340e2cecde3aa18965fa4f3825748e78c21a555 \
    --hash=sha256:557b5d0ec2f8e1c3a04418dbae33ff68dc67e36bed5ba722b10c7ec4135d0c0f \
    --hash=sha256:75fcc53dfd743defbc09dc341d0f6d182f97bcbc9bf01a7efa71cc9494f88740\n";
/// Names the EVM node to take instead of any other; the tests read it too.
const CHAIN_VARIABLE: &str = "ANVIL_EXE";
/// What helps where the package cannot be had.
const CHAIN_HELP: &str = "set ANVIL_EXE to an anvil (Foundry 1.7 or later)";
/// The program on `PATH`, and where its package puts it.
const CHAIN_PROGRAM: &str = "anvil";
const CHAIN_PATH: &str = "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
/// What npm is asked for, and what exactly that is.
const CHAIN_MANIFEST: &str = include_str!("../../crates/tracehound/tests/evm/package.json");
const CHAIN_LOCK: &str = include_str!("../../crates/tracehound/tests/evm/package-lock.json");
/// Mirrors of the machine's configuration that are tried.
const MIRRORS_MAX: usize = 4;
/// The file in a component's folder that says what filled it.
const RECIPE: &str = "recipe";

/// Gets what is not there yet; quick when all is.
pub fn fill(workplace: &Workplace) -> Result<Outcome, String> {
    let folder = workplace.root.join(".components");
    let node = node(&folder)?;
    println!("node: {node}");
    let oracle = oracle(&folder)?;
    println!("oracle: {oracle}");
    let chain = chain(&folder)?;
    println!("EVM node: {chain}");
    Ok(Outcome::Passed(format!("{node}; {oracle}; {chain}")))
}

/// The node that tests will find: named, on `PATH`, or in our folder.
fn node(folder: &Path) -> Result<String, String> {
    if let Some(named) = std::env::var_os(NODE_VARIABLE) {
        let version = version(Path::new(&named))
            .ok_or_else(|| format!("{NODE_VARIABLE} names {}, which does not run", named.display()))?;
        return Ok(format!("{version}, from {NODE_VARIABLE}, nothing downloaded"));
    }
    if let Some(version) = version(Path::new(PROGRAMS[0])) {
        return Ok(format!("{version}, from PATH, nothing downloaded"));
    }
    let (home, recipe) = (folder.join("bitcoin-knots"), format!("{SUITES:?} {PACKAGES:?}\n{}", launcher("")));
    let launcher = home.join(PROGRAMS[0]);
    if !is_filled(&home, &recipe) || version(&launcher).is_none() {
        fill_one(&home, &recipe, unpack_node).map_err(|why| format!("no bitcoind: {why}; {NODE_HELP}"))?;
    }
    version(&launcher).ok_or_else(|| format!("{} does not run; {NODE_HELP}", launcher.display()))
}

/// The first line of `--version`, if the program runs.
fn version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}

fn oracle(folder: &Path) -> Result<String, String> {
    let home = folder.join("pbk");
    if !is_filled(&home, ORACLE) || !is_importable(&home) {
        let help = "it needs Linux on x86-64 and python3 (3.10 to 3.13) with pip";
        fill_one(&home, ORACLE, unpack_oracle).map_err(|why| format!("no py-bitcoinkernel: {why}; {help}"))?;
        if !is_importable(&home) {
            return Err(format!("{}: python3 cannot import pbk from here; {help}", home.display()));
        }
    }
    Ok(ORACLE.split_whitespace().next().unwrap_or_default().replace("==", " "))
}

/// The EVM node that tests will find: named, on `PATH`, or in our folder.
fn chain(folder: &Path) -> Result<String, String> {
    if let Some(named) = std::env::var_os(CHAIN_VARIABLE) {
        let version = version(Path::new(&named))
            .ok_or_else(|| format!("{CHAIN_VARIABLE} names {}, which does not run", named.display()))?;
        return Ok(format!("{version}, from {CHAIN_VARIABLE}, nothing downloaded"));
    }
    if let Some(version) = version(Path::new(CHAIN_PROGRAM)) {
        return Ok(format!("{version}, from PATH, nothing downloaded"));
    }
    let (home, recipe) = (folder.join("anvil"), format!("{CHAIN_MANIFEST}{CHAIN_LOCK}"));
    let program = home.join(CHAIN_PATH);
    if !is_filled(&home, &recipe) || version(&program).is_none() {
        fill_one(&home, &recipe, unpack_chain).map_err(|why| format!("no anvil: {why}; {CHAIN_HELP}"))?;
    }
    version(&program).ok_or_else(|| format!("{} does not run; {CHAIN_HELP}", program.display()))
}

/// Lets npm fetch the EVM node without the compiler beside it; it refuses a package whose hash is another, and runs
/// nothing of what it fetches.
fn unpack_chain(_work: &Path, whole: &Path) -> Result<(), String> {
    write(&whole.join("package.json"), CHAIN_MANIFEST)?;
    write(&whole.join("package-lock.json"), CHAIN_LOCK)?;
    let mut npm = Command::new("npm");
    npm.args(["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    run(npm.current_dir(whole))
}

fn is_importable(home: &Path) -> bool {
    let mut python = Command::new("python3");
    python.args(["-c", "import pbk"]).env("PYTHONPATH", home).stdin(Stdio::null());
    python.output().is_ok_and(|output| output.status.success())
}

fn is_filled(home: &Path, recipe: &str) -> bool {
    fs::read_to_string(home.join(RECIPE)).is_ok_and(|text| text == recipe)
}

/// Fills a folder beside the final one and renames it at the end, so that `home` is either whole or not there.
fn fill_one(home: &Path, recipe: &str, unpack: fn(&Path, &Path) -> Result<(), String>) -> Result<(), String> {
    let name = home.file_name().unwrap_or_default().to_string_lossy();
    let scratch = home.with_file_name(format!("{name}.filling-{}", std::process::id()));
    let result = fill_scratch(home, &scratch, recipe, unpack);
    // What is left is never read; failing to tidy up is no failure.
    let _ = fs::remove_dir_all(&scratch);
    result
}

fn fill_scratch(
    home: &Path,
    scratch: &Path,
    recipe: &str,
    unpack: fn(&Path, &Path) -> Result<(), String>,
) -> Result<(), String> {
    let (work, whole) = (scratch.join("work"), scratch.join("whole"));
    make(&work)?;
    make(&whole)?;
    unpack(&work, &whole)?;
    write(&whole.join(RECIPE), recipe)?;
    // A running node keeps the files that it has open; its folder is moved away first and deleted with the rest.
    let _ = fs::rename(home, scratch.join("old"));
    match fs::rename(&whole, home) {
        // Another run that was here at the same time was quicker.
        Err(_) if is_filled(home, recipe) => Ok(()),
        result => result.map_err(|e| format!("{}: {e}", home.display())),
    }
}

/// Downloads and unpacks the node's packages, and writes a launcher for each program.
fn unpack_node(work: &Path, whole: &Path) -> Result<(), String> {
    if !Path::new(KEYRING).is_file() {
        return Err(format!("this machine has no {KEYRING}, so it is not Debian, or lacks debian-archive-keyring"));
    }
    let apt = Apt::new(work)?;
    apt.update()?;
    let packages = work.join("packages");
    make(&packages)?;
    run(apt.get(&["download"]).args(PACKAGES).current_dir(&packages))?;
    let files = names(&packages)?;
    if files.len() != PACKAGES.len() {
        return Err(format!("apt-get left {} files for {} packages", files.len(), PACKAGES.len()));
    }
    let root = whole.join("root");
    for file in files {
        run(Command::new("dpkg-deb").args(["-x", &file]).arg(&root).current_dir(&packages))?;
    }
    let loader = loader(&root)?;
    for program in PROGRAMS {
        let path = whole.join(program);
        write(&path, &launcher(&loader).replace("PROGRAM", program))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

/// A shell script that becomes the program (`exec`), with the libraries beside it, whatever the machine has.
fn launcher(loader: &str) -> String {
    format!(
        "#!/bin/sh\n# Starts a program with the libraries that came with it; the process id stays the same.\n\
         root=$(dirname -- \"$(readlink -f -- \"$0\")\")/root\n\
         loader=$root/{loader}\n\
         exec \"$loader\" --library-path \"$(dirname -- \"$loader\")\" \"$root/usr/bin/PROGRAM\" \"$@\"\n"
    )
}

/// Where the dynamic loader lies in the unpacked tree; its place depends on the processor.
fn loader(root: &Path) -> Result<String, String> {
    let libraries = root.join("usr/lib");
    for folder in names(&libraries)?.iter().filter(|name| name.ends_with("-linux-gnu")) {
        let files = names(&libraries.join(folder))?;
        if let Some(file) = files.iter().find(|name| name.starts_with("ld-linux")) {
            return Ok(format!("usr/lib/{folder}/{file}"));
        }
    }
    Err(format!("{}: there is no ld-linux in the packages", libraries.display()))
}

/// The machine's `apt-get` with lists, cache and sources of its own and none of the machine's packages, so that it needs
/// no root and changes nothing. The machine's proxies and certificates stay in force.
struct Apt {
    folder: PathBuf,
    mirrors: Vec<String>,
}

impl Apt {
    fn new(work: &Path) -> Result<Self, String> {
        let format = ["indextargets", "--format", "$(REPO_URI) $(RELEASE)"];
        let output = Command::new("apt-get").args(format).stdin(Stdio::null()).output();
        let output = output.map_err(|e| format!("cannot run apt-get, so this is not Debian: {e}"))?;
        let mirrors = mirrors(&String::from_utf8_lossy(&output.stdout));
        if mirrors.is_empty() {
            return Err("apt-get indextargets names no mirror: the machine has no package sources".to_owned());
        }
        let folder = work.join("apt");
        for part in ["lists/partial", "cache/archives/partial", "none"] {
            make(&folder.join(part))?;
        }
        Ok(Self { folder, mirrors })
    }

    fn get(&self, arguments: &[&str]) -> Command {
        let mut options = String::new();
        for (key, value) in [
            ("State", "."),
            ("State::Lists", "lists"),
            ("Cache", "cache"),
            ("Etc::SourceList", "sources.list"),
            ("Etc::SourceParts", "none"),
            ("Etc::PreferencesParts", "none"),
        ] {
            let _ = writeln!(options, "Dir::{key} \"{}\";", self.folder.join(value).display());
        }
        // No package of the machine is known; a mirror that fails is an error; we are no `_apt` to hand the work to.
        options.push_str(
            "Dir::State::status \"/dev/null\";\nAPT::Update::Error-Mode \"any\";\nAPT::Sandbox::User \"\";\n",
        );
        let configuration = self.folder.join("apt.conf");
        // Where it cannot be written, apt-get says that it cannot be read.
        let _ = fs::write(&configuration, options);
        let mut command = Command::new("apt-get");
        command.args(["--quiet", "--quiet"]).args(arguments).env("APT_CONFIG", configuration);
        command
    }

    /// Fetches the lists from the first of the machine's mirrors that has these suites.
    fn update(&self) -> Result<(), String> {
        let mut last = String::new();
        for mirror in self.mirrors.iter().take(MIRRORS_MAX) {
            let mut sources = String::new();
            for suite in SUITES {
                let _ = writeln!(sources, "deb [signed-by={KEYRING} target=Packages] {mirror} {suite} main");
            }
            write(&self.folder.join("sources.list"), &sources)?;
            match run(&mut self.get(&["update"])) {
                Ok(()) => return Ok(()),
                Err(why) => last = why,
            }
        }
        Err(format!("no mirror of this machine's configuration gives {}: {last}", SUITES.join(" and ")))
    }
}

/// The mirrors in `URI SUITE` lines, in their order, each once; those of security updates hold no other suites.
fn mirrors(lines: &str) -> Vec<String> {
    let mut mirrors = Vec::new();
    for line in lines.lines() {
        let Some((mirror, suite)) = line.trim().split_once(' ') else { continue };
        if !suite.contains("security") && !mirrors.iter().any(|known| known == mirror) {
            mirrors.push(mirror.to_owned());
        }
    }
    mirrors
}

/// Lets pip fetch the oracle, which it refuses if the hash is another.
fn unpack_oracle(work: &Path, whole: &Path) -> Result<(), String> {
    write(&work.join("requirements.txt"), ORACLE)?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"]);
    pip.args(["--requirement", "requirements.txt", "--target"]).arg(whole);
    run(pip.current_dir(work).env("PIP_ROOT_USER_ACTION", "ignore").env("PIP_DISABLE_PIP_VERSION_CHECK", "1"))
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>, String> {
    let problem = |e| format!("{}: {e}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(problem)? {
        names.push(entry.map_err(problem)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn make(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mirror_is_tried_once_and_security_mirrors_never() {
        let lines = "http://a.example/ bookworm\nhttp://s.example/ bookworm-security\nhttp://a.example/ bookworm-updates\n\
            http://b.example/ stable\n\n";
        assert_eq!(mirrors(lines), ["http://a.example/", "http://b.example/"]);
        assert!(mirrors("").is_empty());
    }

    #[test]
    fn a_folder_is_whole_or_not_there() {
        let place = std::env::temp_dir().join(format!("xtask-components-{}", std::process::id()));
        let home = place.join("thing");
        let half = |_: &Path, whole: &Path| {
            write(&whole.join("half"), "")?;
            Err("no network".to_owned())
        };
        let full = |_: &Path, whole: &Path| write(&whole.join("program"), "");
        assert_eq!(fill_one(&home, "1", half), Err("no network".to_owned()));
        assert!(!home.exists());
        fill_one(&home, "1", full).unwrap();
        assert!(is_filled(&home, "1") && !is_filled(&home, "2") && home.join("program").is_file());
        // What is there stays when a refill fails.
        assert!(fill_one(&home, "2", half).is_err());
        assert!(is_filled(&home, "1"));
        fill_one(&home, "2", full).unwrap();
        assert!(is_filled(&home, "2"));
        assert_eq!(names(&place).unwrap(), ["thing"], "nothing is left beside it");
        fs::remove_dir_all(place).unwrap();
    }
}

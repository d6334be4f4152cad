//! Updates of clusters and exposure that are killed or interrupted at random instants, while the chain grows, turns, and is
//! tagged: readers always find a commit, the same command again goes on, and what is kept in the end is what is made from
//! nothing.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Desk, kept, text};
use serde_json::Value;

/// The transactions of the chain, and how it comes.
const WORLD: &str = "exercise w --wallets 2000 --transactions 40000";
const PARTS: usize = 5;
/// The part with which tags come, and the one that takes blocks back and adds none.
const PART_TAGGED: usize = 2;
const PART_UNDONE: usize = 4;
/// How many blocks it takes back.
const TURN: usize = 40;
const KILLS_A_PART: u32 = 6;
/// Kills that must have struck a running program.
const STRUCK_MIN: u32 = 10;
/// The longest time from the first byte of a commit to a kill that aims at it.
const COMMIT_MAX: Duration = Duration::from_millis(40);
/// One address of so many is asked about.
const ASKED_OF: usize = 700;
/// How often an interrupt is tried that came too late.
const TRIES_MAX: u32 = 5;
/// How long between two looks.
const LOOK: Duration = Duration::from_micros(300);
/// Numbers that look random and are the same each time begin with it.
const SEED: u64 = 0x5eed_0041;

/// A part of a time, the next of a random row.
fn part_of(time: Duration, dice: &mut u64) -> Duration {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    time * u32::try_from((*dice >> 11) % 1_000).expect("it is small") / 1_000
}

/// The exercise's chain, its ledger, and some of its addresses.
struct World {
    desk: Desk,
    blocks: Vec<String>,
    ledger: String,
    asked: Vec<String>,
}

impl World {
    fn new() -> Self {
        let desk = Desk::new();
        desk.run(WORLD).done();
        let manifest: Value = serde_json::from_str(&desk.read("w/manifest.json")).expect("the manifest is JSON");
        let blocks = desk.read("w/chain.ndjson").split_inclusive('\n').map(str::to_owned).collect();
        let owners = desk.read("w/owners.csv");
        let addresses = owners.lines().skip(1).filter_map(|line| line.split(',').next()).map(str::to_owned);
        let asked = addresses.step_by(ASKED_OF).collect();
        Self { desk, blocks, ledger: text(&manifest["ledger"]).to_owned(), asked }
    }

    fn ingest(&self, blocks: usize) {
        self.desk.write("part.ndjson", self.blocks[..blocks].concat());
        self.desk.run(&format!("ingest utxo-blocks part.ndjson --ledger {}", self.ledger)).done();
    }

    fn undo(&self, blocks: usize) {
        self.desk.run(&format!("book undo --ledger {} {blocks}", self.ledger)).done();
    }

    fn start(&self, line: &str) -> Child {
        self.desk.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    }

    fn kept_folder(&self) -> PathBuf {
        self.desk.path("book/kept")
    }

    /// The height that what is kept is up to; none where nothing is kept. A reader never finds anything else.
    #[track_caller]
    fn height(&self) -> Option<u64> {
        let ran = self.desk.run(&format!("clusters show {} --as-kept --json", self.asked[0]));
        if ran.code == Some(5) {
            assert!(["nothing is kept of", "no book in"].iter().any(|why| ran.stderr.contains(why)), "{}", ran.stderr);
            return None;
        }
        ran.done().json_lines()[0]["as_of"]["height"].as_u64()
    }
}

/// The files of a folder and how long they are.
fn sizes(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            // A writer may take a file away meanwhile.
            let Ok(about) = entry.metadata() else { continue };
            if about.is_dir() {
                folders.push(entry.path());
            } else {
                found.insert(entry.path(), about.len());
            }
        }
    }
    found
}

/// Waits until something is so, or a process has ended.
fn wait_until(child: &mut Child, is_so: impl Fn() -> bool) {
    while child.try_wait().expect("the child is ours").is_none() && !is_so() {
        sleep(LOOK);
    }
}

/// What the kills did.
#[derive(Debug, Default)]
struct Kills {
    struck: u32,
    /// Those of the struck that left files of a commit that was not one yet.
    torn: u32,
}

/// Kills an update again and again, and lets it end. Readers find what was kept before or what is kept after it.
fn kill_updates(world: &World, dice: &mut u64, kills: &mut Kills) {
    let (line, folder) = ("clusters update", world.kept_folder());
    let (before, had) = (world.height(), common::files(&folder));
    let restore = || {
        // Nothing has it open.
        let _ = std::fs::remove_dir_all(&folder);
        for (name, bytes) in &had {
            kept::put(&folder.join(name), bytes);
        }
    };
    let begun = Instant::now();
    world.desk.run(line).done();
    let (calm_time, after) = (begun.elapsed(), world.height());
    restore();
    for kill in 0..KILLS_A_PART {
        let is_aimed = kill % 2 == 1;
        let mut child = world.start(line);
        if is_aimed {
            let had = sizes(&folder);
            wait_until(&mut child, || sizes(&folder).iter().any(|(path, len)| *len > 0 && had.get(path) != Some(len)));
        }
        sleep(part_of(if is_aimed { COMMIT_MAX } else { calm_time }, dice));
        // What has ended already cannot be killed any more.
        let _ = child.kill();
        let is_struck = child.wait().expect("the child is ours").code().is_none();
        let now = world.height();
        let more = sizes(&folder).into_iter().filter(|(path, len)| {
            let name = path.strip_prefix(&folder).expect("it is inside");
            had.get(name).map_or(*len > 0, |had| had.len() as u64 != *len)
        });
        let is_torn = is_struck && now == before && more.count() > 0;
        eprintln!("  kill {kill}: struck {is_struck}, torn {is_torn}, kept to {now:?}");
        assert!(now == before || now == after, "kept to {now:?}, which is neither {before:?} nor {after:?}");
        kills.struck += u32::from(is_struck);
        kills.torn += u32::from(is_torn);
        if !is_struck {
            restore();
        }
    }
    let ran = world.desk.run(line).done();
    assert!(!ran.stderr.contains("anew"), "what was kept is lost: {}", ran.stderr);
    kept::assert_is_as_made_anew(&world.desk, &world.asked);
}

#[test]
fn updates_that_are_killed_while_the_chain_grows_turns_and_is_tagged() {
    let (world, mut dice, mut kills) = (World::new(), SEED, Kills::default());
    for part in 1..=PARTS {
        eprintln!("part {part}");
        match part {
            PART_UNDONE => world.undo(TURN),
            _ => world.ingest(world.blocks.len() * part / PARTS),
        }
        if part == PART_TAGGED {
            world.desk.run("tags import w/tags.yaml").done();
        }
        kill_updates(&world, &mut dice, &mut kills);
    }
    eprintln!("{kills:?}");
    assert!(kills.struck >= STRUCK_MIN && kills.torn > 0, "{kills:?} of {}", KILLS_A_PART * 5);
}

#[test]
fn an_interrupt_ends_an_update_and_the_next_goes_on() {
    let world = World::new();
    world.ingest(world.blocks.len());
    world.desk.run("tags import w/tags.yaml").done();
    for line in ["clusters update".to_owned(), format!("screen {}", world.asked[1])] {
        let is_interrupted = (0..TRIES_MAX).any(|_| {
            // Nobody else is there who could have it open.
            let _ = std::fs::remove_dir_all(world.kept_folder());
            let mut command = world.desk.command(&line);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
            wait_until(&mut child, || world.kept_folder().exists());
            let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status();
            let was_there = killed.expect("there is a kill command").success();
            let ran = child.wait_with_output().expect("the child is ours");
            let said = String::from_utf8(ran.stderr).expect("what is said is UTF-8");
            eprintln!("{line}: {:?}, {said}", ran.status.code());
            if ran.status.code() == Some(6) {
                let what =
                    "error: interrupted; what is done of clusters and exposure is kept, and the next update goes on\n";
                assert_eq!((said.as_str(), ran.stdout.as_slice()), (what, &b""[..]));
                return true;
            }
            assert!(ran.status.code() == Some(0) || !was_there, "{:?}: {said}", ran.status);
            false
        });
        assert!(is_interrupted, "every interrupt came too late");
        assert!(world.height().is_some(), "it leaves a commit");
        world.desk.run("clusters update").done();
        kept::assert_is_as_made_anew(&world.desk, &world.asked);
    }
}

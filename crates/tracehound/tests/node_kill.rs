//! A followed node and its follower, killed at random instants, each and both: the book goes on from where it was, and
//! comes out as a fresh ingest of the node's chain makes it, byte for byte.
//!
//! What a user would do after a power cut is all that happens here: the same commands again. When the kills strike is
//! drawn from a seed and printed; what they strike depends on the machine, what must hold does not. A number in
//! `TRACEHOUND_KILL_SEED` makes other rounds of it. The quiet life of a follower is `node_follow.rs`;
//! block files are `blocks_kill.rs`.

mod common;

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use common::node::Node;
use common::node::coins::{Coin, Loom, MINER_SCRIPT};
use common::{Desk, assert_same};
use serde_json::{Value, json};

/// The longest that anything is waited for.
const WAIT_MAX: Duration = Duration::from_mins(2);
/// Coins that anybody may spend, below every reorganisation.
const OPEN_COINS: u64 = 24;
/// The longest time from what a kill aims at to the kill.
const LIFE_MAX: Duration = Duration::from_millis(350);
/// The same where a certain moment is aimed at.
const AIMED_MAX: Duration = Duration::from_millis(40);
/// What the node does in a round, if nobody stops it.
const ACTIONS_MAX: usize = 40;
/// The deepest ordinary reorganisation, and the one that comes once.
const REORG_MAX: u64 = 8;
const REORG_DEEP: u64 = 100;
/// Rounds between two looks at the whole book.
const ROUNDS_A_CHECK: u32 = 5;
/// Blocks that a round may have mined unseen.
const UNSEEN_MAX: u64 = 12;
/// Other rounds than those that are always run.
const SEED_VARIABLE: &str = "TRACEHOUND_KILL_SEED";
/// The ledger's name.
const LEDGER: &str = "bitcoin-regtest";

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    fn time(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(most.as_micros()).expect("it is short")))
    }
}

/// A test's own seed, or another one for each number in the variable.
fn seed(own: u64) -> u64 {
    let more: u64 = std::env::var(SEED_VARIABLE).map_or(0, |text| text.parse().expect("a number"));
    own ^ more << 16
}

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Follower,
    Node,
    Both,
}

/// From which moment on the time to the kill runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// The follower starts, and catches up.
    Start,
    /// Something happens.
    Anything,
    /// The chain turns.
    Reorg,
}

/// A kill that is to come.
struct Kill {
    trigger: Sender<()>,
    is_done: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Kill {
    /// Kills these, all children of ours, so long after the trigger is pulled or at the latest when this is dropped.
    fn after(time: Duration, victims: Vec<u32>) -> Self {
        let (trigger, pulled) = channel();
        let is_done = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&is_done);
        let thread = thread::spawn(move || {
            // Whoever drops the trigger without pulling it wants the kill at once.
            if pulled.recv_timeout(WAIT_MAX).is_ok() {
                sleep(time);
            }
            let mut kill = Command::new("kill");
            kill.arg("-9").args(victims.iter().map(u32::to_string)).stderr(Stdio::null());
            kill.status().expect("there is a kill command");
            done.store(true, Ordering::Relaxed);
        });
        Self { trigger, is_done, thread }
    }

    fn pull(&self) {
        // It may be over already.
        let _ = self.trigger.send(());
    }

    fn is_done(&self) -> bool {
        self.is_done.load(Ordering::Relaxed)
    }

    fn wait(self) {
        drop(self.trigger);
        self.thread.join().expect("a thread that only kills");
    }
}

/// A live node, a book that follows it, and the dice that say what happens to them.
struct Chase {
    node: Node,
    desk: Desk,
    follower: Option<Child>,
    dice: Dice,
    coins: Vec<Coin>,
    loom: Option<Loom>,
    scripts: u64,
    /// The highest that the chain may ever have been.
    highest: u64,
    /// Blocks with woven transactions; reorganisations.
    woven: u64,
    turned: u64,
    /// Followers that died in the middle of a commit.
    torn: u64,
}

impl Chase {
    fn begin(seed: u64) -> Self {
        let mut node = Node::start();
        let coins = node.open_coins(OPEN_COINS);
        node.wallet();
        node.every_kind(&coins[0]);
        // So many that no reorganisation, with the kills between, reaches down to the coins.
        node.mine(REORG_DEEP);
        node.flush();
        let highest = node.tip().0;
        let (coins, desk, dice) = (coins[1..].to_vec(), Desk::new(), Dice(seed));
        Self { node, desk, follower: None, dice, coins, loom: None, scripts: 0, highest, woven: 0, turned: 0, torn: 0 }
    }

    fn reach(&self) -> String {
        format!("--rpc {} --rpc-cookie {}", self.node.rpc_url(), self.node.cookie_path().display())
    }

    // ---- the follower

    fn said_path(&self) -> PathBuf {
        self.desk.path("said")
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.said_path()).unwrap_or_default()
    }

    /// Starts it, unless it lives.
    fn follow(&mut self) {
        if self.follower.is_none() {
            let said = File::create(self.said_path()).expect("the desk can be written");
            let mut command = self.desk.command(&format!("ingest bitcoin {}", self.reach()));
            self.follower = Some(command.stdout(Stdio::null()).stderr(said).spawn().expect("the program starts"));
        }
    }

    /// It never ends by itself.
    #[track_caller]
    fn check_follower(&mut self) {
        if let Some(child) = &mut self.follower
            && let Some(status) = child.try_wait().expect("the child is ours")
        {
            panic!("the follower ended by itself ({status}): {}", self.said());
        }
    }

    /// Ends it, and holds what a reader sees before a writer has been there against what it sees after.
    #[track_caller]
    fn bury_follower(&mut self) {
        let Some(mut child) = self.follower.take() else { return };
        // It may be dead by now.
        let _ = child.kill();
        let status = child.wait().expect("the child is ours");
        let said = self.said();
        assert!(
            status.code().is_none() && !said.contains("panicked"),
            "the follower ended by itself ({status}): {said}"
        );
        if self.status().is_none() {
            return;
        }
        self.torn += u64::from(self.has_journal());
        let look = || {
            // A node that went away in the first catch-up leaves a book that has not come to the coins yet.
            let seen = self.desk.run(&self.everything());
            assert!(matches!(seen.code, Some(0 | 5)), "{}", seen.stderr);
            (seen.stdout, seen.stderr, self.status())
        };
        let before = look();
        // It opens the ledger for writing, which clears away what a killed writer left, and takes nothing back.
        self.desk.run(&format!("book undo --ledger {LEDGER} 0")).done();
        let after = look();
        let differs = before.0.lines().zip(after.0.lines()).find(|(before, after)| before != after);
        assert!(before == after, "a reader of a killed writer's book sees what is not there: {differs:#?}");
    }

    fn has_journal(&self) -> bool {
        let ledgers = std::fs::read_dir(self.desk.path("book/ledgers")).expect("the book has a ledger");
        ledgers.into_iter().any(|ledger| ledger.expect("it can be listed").path().join("journal").exists())
    }

    /// A command that shows much: a holder's whole history, who spends the open coins, the last block.
    fn everything(&self) -> String {
        let coins: Vec<String> = self.coins.iter().map(|coin| common::node::coins::id_text(&coin.id)).collect();
        format!("show --all --json {} script:51 bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", coins.join(" "))
    }

    /// The book's height and last block, if it has any.
    fn status(&self) -> Option<u64> {
        let ran = self.desk.run("book status --json");
        if ran.code == Some(5) {
            assert!(ran.stderr.contains("no book in") || ran.stderr.contains("is not a book"), "{}", ran.stderr);
            return None;
        }
        let status = ran.done().json_lines().remove(0);
        common::list(&status["ledgers"]).first().map(|ledger| ledger["height"].as_u64().expect("a chain has heights"))
    }

    // ---- the node

    fn height(&self) -> Result<u64, String> {
        self.node.try_rpc("getblockcount", &json!([])).map(|height| height.as_u64().expect("a height"))
    }

    fn mine(&self, blocks: u64, script: &str) -> Result<(), String> {
        self.node.try_rpc("generatetodescriptor", &json!([blocks, format!("raw({script})")])).map(|_| ())
    }

    fn reorg(&mut self, depth: u64) -> Result<(), String> {
        let first = self.height()? + 1 - depth;
        let dropped = self.node.try_rpc("getblockhash", &json!([first]))?;
        self.node.try_rpc("invalidateblock", &json!([dropped]))?;
        self.scripts += 1;
        self.mine(depth + 1, &format!("0014{:040x}", 0xfeed_0000_0000 + self.scripts))?;
        self.turned += 1;
        Ok(())
    }

    /// Mines a block of payments of every kind. After a reorganisation or a kill the loom's coins may be gone; then it
    /// begins again with one that is there.
    fn weave(&mut self, transactions: usize) -> Result<(), String> {
        for _ in 0..2 {
            if self.loom.is_none() {
                let first = usize::try_from(self.dice.below(self.coins.len() as u64)).expect("it is small");
                let all = (0..self.coins.len()).map(|at| &self.coins[(first + at) % self.coins.len()]);
                for coin in all.cloned().collect::<Vec<_>>() {
                    let id = common::node::coins::id_text(&coin.id);
                    if !self.node.try_rpc("gettxout", &json!([id, 0, false]))?.is_null() {
                        self.loom = Some(Loom::new(vec![coin], self.dice.below(u64::MAX)));
                        break;
                    }
                }
            }
            let Some(loom) = &mut self.loom else { break };
            let woven: Vec<String> =
                loom.weave(transactions).iter().map(common::node::coins::Transaction::hex).collect();
            let answer = self.node.try_rpc("generateblock", &json!([format!("raw({MINER_SCRIPT})"), woven]));
            if answer.is_ok() {
                self.woven += 1;
                return Ok(());
            }
            self.loom = None;
        }
        // Every coin is spent, or the node is gone.
        self.mine(1, MINER_SCRIPT)
    }

    /// One thing that a chain does.
    fn act(&mut self) -> Result<(), String> {
        match self.dice.below(8) {
            0..=3 => {
                let transactions = usize::try_from(self.dice.below(30)).expect("it is small");
                self.weave(transactions)?;
            }
            4 | 5 => {
                let blocks = 1 + self.dice.below(4);
                self.mine(blocks, MINER_SCRIPT)?;
            }
            6 => {
                let depth = 1 + self.dice.below(REORG_MAX);
                self.reorg(depth)?;
            }
            _ => sleep(self.dice.time(Duration::from_millis(30))),
        }
        Ok(())
    }

    // ---- together

    /// Lets both live for a while, kills, and starts again what was killed.
    fn round(&mut self, victim: Victim, aim: Aim, deep: bool) {
        let time = self.dice.time(if aim == Aim::Anything { LIFE_MAX } else { AIMED_MAX });
        eprintln!("  {victim:?}, {time:?} after {aim:?}{}", if deep { ", 100 deep" } else { "" });
        if aim == Aim::Start {
            self.bury_follower();
            // What a follower finds that was away: a block, many blocks, another chain.
            for _ in 0..self.dice.below(8) {
                self.act().expect("the node lives");
            }
        }
        self.follow();
        let follower = self.follower.as_ref().expect("it was started").id();
        let kill = Kill::after(
            time,
            match victim {
                Victim::Follower => vec![follower],
                Victim::Node => vec![self.node.id()],
                Victim::Both if self.dice.below(2) == 0 => vec![follower, self.node.id()],
                Victim::Both => vec![self.node.id(), follower],
            },
        );
        if aim != Aim::Reorg {
            kill.pull();
        }
        // The node's answers fail when it is killed.
        let _ = self.live(&kill, aim, deep);
        kill.wait();
        if victim != Victim::Node {
            self.bury_follower();
        }
        if victim != Victim::Follower {
            self.node.kill();
            self.node.restart();
            self.loom = None;
        }
        self.check_follower();
    }

    fn live(&mut self, kill: &Kill, aim: Aim, deep: bool) -> Result<(), String> {
        if self.dice.below(3) == 0 {
            self.node.try_rpc("gettxoutsetinfo", &json!(["none"]))?;
        }
        for at in 0..ACTIONS_MAX {
            if kill.is_done() {
                break;
            }
            self.highest = self.highest.max(self.height()?);
            if at == 3 && (aim == Aim::Reorg || deep) {
                kill.pull();
                let depth = if deep { REORG_DEEP } else { 1 + self.dice.below(REORG_MAX) };
                self.highest += 1;
                self.reorg(depth)?;
            } else {
                self.act()?;
            }
        }
        Ok(())
    }

    /// The book catches up, by the follower that lives or by another command, and is as a fresh ingest makes it.
    #[track_caller]
    fn check(&mut self) {
        if self.dice.below(4) > 0 {
            self.act().expect("the node lives");
        }
        if self.dice.below(2) == 0 {
            self.follow();
            self.wait_for_tip();
            self.bury_follower();
        } else {
            self.bury_follower();
            self.desk.run(&format!("ingest bitcoin {} --once", self.reach())).done();
        }
        self.highest = self.highest.max(self.node.tip().0);
        let fresh = Desk::new();
        fresh.run(&format!("ingest bitcoin {} --once", self.reach())).done();
        assert_same(&self.desk.path("book"), &fresh.path("book"));
    }

    #[track_caller]
    fn wait_for_tip(&mut self) {
        let (height, hash) = self.node.tip();
        let begun = Instant::now();
        loop {
            if self.status() == Some(height) && self.desk.run(&format!("show {hash}")).code == Some(0) {
                return;
            }
            self.check_follower();
            let said = || self.said();
            assert!(begun.elapsed() < WAIT_MAX, "the book does not come to {hash} at {height}: {}", said());
            sleep(Duration::from_millis(30));
        }
    }

    /// The last look: the book is also what the node's own files make, where its dead blocks lie among the others.
    #[track_caller]
    fn end(mut self) {
        self.check();
        let lost = self.highest.saturating_sub(self.node.tip().0);
        self.node.mine(lost + UNSEEN_MAX);
        self.desk.run(&format!("ingest bitcoin {} --once", self.reach())).done();
        let (height, _) = self.node.tip();
        self.node.stop();
        let files = Desk::new();
        let ran = files.run(&format!("ingest bitcoin --blocks {}", self.node.blocks_dir().display()));
        eprintln!("{}", ran.stderr);
        ran.done();
        assert_same(&self.desk.path("book"), &files.path("book"));
        assert!(self.woven > 0 && self.turned > 0, "{} blocks woven, {} reorganisations", self.woven, self.turned);
        let Self { woven, turned, torn, .. } = self;
        eprintln!("{height} blocks, {woven} woven, {turned} reorganisations, {torn} followers killed in a commit");
    }
}

/// Rounds with one kind of victim, a look at the book after every few.
fn chase(victim: Victim, seed: u64, rounds: u32, aims: &[Aim]) {
    let (begun, seed) = (Instant::now(), self::seed(seed));
    let mut chase = Chase::begin(seed);
    for round in 0..rounds {
        eprintln!("seed {seed:#x}, round {round}");
        let aim = aims[usize::try_from(chase.dice.below(aims.len() as u64)).expect("it is small")];
        chase.round(victim, aim, round == rounds / 2);
        if round % ROUNDS_A_CHECK == ROUNDS_A_CHECK - 1 {
            chase.check();
        }
    }
    chase.end();
    eprintln!("{rounds} rounds in {:?}", begun.elapsed());
}

#[test]
fn a_follower_that_is_killed() {
    chase(Victim::Follower, 0x5eed_0001, 40, &[Aim::Start, Aim::Anything, Aim::Reorg, Aim::Reorg]);
}

#[test]
fn a_node_that_is_killed() {
    chase(Victim::Node, 0x5eed_0002, 18, &[Aim::Anything, Aim::Reorg]);
}

#[test]
fn a_node_and_its_follower_that_are_killed_together() {
    chase(Victim::Both, 0x5eed_0003, 18, &[Aim::Start, Aim::Anything, Aim::Reorg]);
}

#[test]
fn readers_beside_a_follower_that_is_killed() {
    const ROUNDS: u32 = 10;
    let seed = seed(0x5eed_0004);
    let mut chase = Chase::begin(seed);
    chase.desk.run(&format!("ingest bitcoin {} --once", chase.reach())).done();
    let coin = common::node::coins::id_text(&chase.coins[0].id);
    let stolen = format!("[{{output: '{coin}:0'}}]");
    let losses = format!("losses:\n- {{ledger: {LEDGER}, asset: BTC, stolen: {stolen}}}\n");
    chase.desk.write("first.yaml", format!("incident: first\n{losses}"));
    let commands = [chase.everything(), "trace first.yaml --json --no-edges".to_owned(), "book status".to_owned()];
    let (mut readers, mut read) = (Readers::start(&chase.desk, &commands), 0);
    for round in 0..ROUNDS {
        eprintln!("seed {seed:#x}, round {round}");
        let aim = [Aim::Anything, Aim::Reorg][usize::try_from(chase.dice.below(2)).expect("it is small")];
        chase.round(Victim::Follower, aim, false);
        if round % ROUNDS_A_CHECK == ROUNDS_A_CHECK - 1 {
            // The whole way with readers in it: each turn of the chain waits for an instant between them.
            chase.follow();
            chase.wait_for_tip();
            read += readers.stop();
            chase.check();
            readers = Readers::start(&chase.desk, &commands);
        }
    }
    read += readers.stop();
    assert!(read > 0, "nobody read");
    chase.end();
}

/// Commands that read a book, one after the other, until they are stopped.
struct Readers {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Readers {
    fn start(desk: &Desk, commands: &[String]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut runs: Vec<Command> = commands.iter().map(|line| desk.command(line)).collect();
        let asked = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut read = 0;
            while !asked.load(Ordering::Relaxed) {
                for run in &mut runs {
                    let output = run.output().expect("the program starts");
                    let said = String::from_utf8_lossy(&output.stderr).into_owned();
                    let is_in_the_way = ["are being taken back right now", "is being written by another process"];
                    match output.status.code() {
                        Some(0) => read += 1,
                        Some(1) => assert!(is_in_the_way.iter().any(|why| said.contains(why)), "{said}"),
                        code => panic!("a reader ended with {code:?}: {said}"),
                    }
                    if let Ok(result) = serde_json::from_slice::<Value>(&output.stdout)
                        && result["loot"].is_array()
                    {
                        common::assert_closes(&result);
                    }
                }
            }
            read
        });
        Self { stop, thread: Some(thread) }
    }

    /// How often something was read.
    fn stop(&mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map_or(0, |thread| thread.join().expect("no reader sees a broken book"))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

//! A small chain that grows and turns, tags that come and go, and the comparison of what is kept with what is made anew.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};

use book::{Book, BookLedger, UtxoLedger};
use cluster::{Heuristic, Layer, Order, Ruling, Target};
use know::{Claim, Scope};
use ledger::{
    Coins as _, HolderId, Ledger as _, LedgerId, Lock, Outpoint, PurseId, Seq, Time, UtxoBlock, UtxoInput, UtxoOutput,
    UtxoTransaction,
};
use money::{Amount, Asset};
use upkeep::{Keeper, Kept, Pace, Report, Step};

/// Keys that hold outputs; each has two locks.
const KEYS: u64 = 40;

/// A small generator of pseudo-random numbers (`SplitMix64`), so that a seed names a chain for ever.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    pub fn pick<T>(&mut self, of: &mut Vec<T>) -> T {
        let at = usize::try_from(self.below(of.len() as u64)).unwrap();
        of.swap_remove(at)
    }
}

pub fn chain() -> LedgerId {
    LedgerId::parse("bitcoin-regtest").unwrap()
}

/// A book, and the chain that was put into it.
pub struct World {
    pub dice: Dice,
    folder: tempfile::TempDir,
    blocks: Vec<UtxoBlock>,
    /// After each block, what can be spent.
    unspent: Vec<Vec<(Outpoint, u128)>>,
    ids: u64,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Book::create(folder.path().join("book")).unwrap();
        Self { dice: Dice::new(seed), folder, blocks: Vec::new(), unspent: Vec::new(), ids: seed << 32 }
    }

    pub fn book(&self) -> Book {
        Book::open(self.folder.path().join("book")).unwrap()
    }

    pub fn blocks(&self) -> u64 {
        self.blocks.len() as u64
    }

    pub fn ledger(&self) -> UtxoLedger {
        let BookLedger::Utxo(ledger) = self.book().ledger(&chain()).unwrap() else { panic!("a chain of outputs") };
        ledger
    }

    /// Where the annex lies.
    pub fn annex(&self) -> PathBuf {
        self.book().kept_folder(&chain()).join("holders")
    }

    /// More blocks.
    pub fn grow(&mut self, blocks: u64) {
        let mut writer = self.writer();
        for _ in 0..blocks {
            let block = self.block();
            writer.push_block(&block).unwrap();
            self.blocks.push(block);
        }
        writer.commit().unwrap();
    }

    /// Fewer blocks.
    pub fn undo(&mut self, blocks: u64) {
        let left = usize::try_from(self.blocks() - blocks).unwrap();
        self.writer().undo(blocks).unwrap();
        self.blocks.truncate(left);
        self.unspent.truncate(left);
    }

    fn writer(&self) -> book::UtxoWriter {
        self.book().utxo_writer(&chain(), &Asset { symbol: "BTC".into(), scale: 8 }).unwrap()
    }

    fn id(&mut self) -> [u8; 32] {
        self.ids += 1;
        let mut dice = Dice::new(self.ids);
        let mut id = [7; 32];
        id[..8].copy_from_slice(&dice.next().to_le_bytes());
        id[8..16].copy_from_slice(&self.ids.to_le_bytes());
        id
    }

    fn block(&mut self) -> UtxoBlock {
        let hash = self.id();
        let height = self.blocks();
        let mut unspent = self.unspent.last().cloned().unwrap_or_default();
        let mut transactions = vec![self.transaction(Vec::new(), 5_000_000, false, &mut unspent)];
        for _ in 0..self.dice.below(5) {
            let mut inputs = Vec::new();
            let (mut value, is_join) = (0, self.dice.one_in(8));
            for _ in 0..if is_join { 6 } else { 1 + self.dice.below(3) } {
                if unspent.is_empty() || self.dice.one_in(9) {
                    let (amount, holder) = (u128::from(self.dice.below(90_000)), self.lock());
                    let outpoint = Outpoint { txid: self.id(), vout: 3 };
                    let spent = Some(UtxoOutput { amount: Amount::new(amount), holder });
                    inputs.push(UtxoInput { outpoint, spent });
                    value += amount;
                } else {
                    let (outpoint, amount) = self.dice.pick(&mut unspent);
                    inputs.push(UtxoInput { outpoint, spent: None });
                    value += amount;
                }
            }
            transactions.push(self.transaction(inputs, value, is_join, &mut unspent));
        }
        self.unspent.push(unspent);
        let previous = self.blocks.last().map(|block| block.hash);
        let time = Time::from_micros(i64::try_from(height).unwrap() * 600_000_000);
        UtxoBlock { height, hash, previous, time, transactions }
    }

    fn transaction(
        &mut self,
        inputs: Vec<UtxoInput>,
        value: u128,
        is_join: bool,
        unspent: &mut Vec<(Outpoint, u128)>,
    ) -> UtxoTransaction {
        let txid = self.id();
        let (mut left, mut outputs) = (value, Vec::new());
        for vout in 0..if is_join { 6 } else { 1 + self.dice.below(3) } {
            let amount = if is_join { value / 6 } else { left * u128::from(self.dice.below(100)) / 100 };
            left -= amount;
            unspent.push((Outpoint { txid, vout: u32::try_from(vout).unwrap() }, amount));
            outputs.push(UtxoOutput { amount: Amount::new(amount), holder: self.lock() });
        }
        UtxoTransaction { txid, inputs, outputs, fee: None }
    }

    fn lock(&mut self) -> Lock {
        let key = if self.dice.one_in(3) { self.dice.below(KEYS * 20) } else { self.dice.below(KEYS) };
        lock(key, self.dice.one_in(3))
    }

    /// Replaces the book's tags by others.
    pub fn retag(&mut self) {
        let network = ledger::Network::of(&chain());
        let mut claims = Vec::new();
        for _ in 0..self.dice.below(25) {
            let key = self.dice.below(KEYS * 2);
            let address = lock(key, self.dice.one_in(3)).name(network);
            let label = format!("entity {}", self.dice.below(6));
            let mut claim = Claim::new(address, label, "pack");
            claim.scope = Scope::Ledger(chain());
            let words = ["exchange", "mixing_service", "gambling", "ransomware", "sanction", "nonsense", "scam"];
            let word = words[usize::try_from(self.dice.below(7)).unwrap()];
            if word == "sanction" {
                claim.abuse = Some(word.into());
            } else {
                claim.add_category(word);
            }
            claims.push(claim);
        }
        self.write_tags(&know::merged(Vec::new(), claims));
    }

    /// Rules on something, or takes a ruling back.
    pub fn rule(&mut self) {
        let network = ledger::Network::of(&chain());
        let block = usize::try_from(self.dice.below(self.blocks())).unwrap();
        let transactions = &self.blocks[block].transactions;
        let at = usize::try_from(self.dice.below(transactions.len() as u64)).unwrap();
        let txid = ledger::txid_text(&transactions[at].txid);
        let [one, other] = [0, 1].map(|_| lock(self.dice.below(KEYS), self.dice.one_in(2)).name(network));
        let off = self.dice.one_in(2);
        let target = match self.dice.below(12) {
            0 => Target::Heuristic(Heuristic::ALL[usize::try_from(self.dice.below(3)).unwrap()]),
            1..3 => Target::Wrap(one),
            3 => Target::Transaction(txid),
            4 => Target::Change(txid),
            5..8 if one != other => Target::Pair(one, other),
            _ => Target::CoSpend(txid),
        };
        let order = match (&target, off) {
            (Target::Pair(..), true) => Order::CannotLink,
            (Target::Pair(..), false) => Order::MayLink,
            (_, true) => Order::Retract,
            (_, false) => Order::Restore,
        };
        let (date, by, reason) = ("2024-01-01".to_owned(), "somebody".to_owned(), "a test".to_owned());
        let ruling = Ruling { order, target, date, by, reason };
        let folder = self.book().kept_folder(&chain());
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(upkeep::RULINGS_FILE);
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, text + &ruling.line() + "\n").unwrap();
    }

    pub fn write_tags(&self, claims: &[Claim]) {
        let path = self.book().folder().join(upkeep::TAGS_FILE);
        fs::write(path, know::to_ndjson(claims)).unwrap();
    }

    /// Brings up what is kept, in small steps, and to the end.
    pub fn bring_up(&self) -> Report {
        let report = upkeep::bring_up_at(&self.book(), &chain(), SMALL, &mut |_| true).unwrap();
        assert!(!report.is_interrupted);
        report
    }

    /// Brings it up for so many steps.
    pub fn bring_up_for(&self, mut steps: u64) -> Report {
        let progress = &mut |_: Step| {
            steps = steps.saturating_sub(1);
            steps > 0
        };
        upkeep::bring_up_at(&self.book(), &chain(), SMALL, progress).unwrap()
    }

    /// The same as [`Self::bring_up_for`] by one who keeps in memory what it did.
    pub fn bring_up_by(&self, keeper: &mut Keeper, mut steps: u64) -> Report {
        let progress = &mut |_: Step| {
            steps = steps.saturating_sub(1);
            steps > 0
        };
        keeper.bring_up(&self.book(), progress).unwrap()
    }

    pub fn kept(&self) -> Kept {
        Kept::open(&self.book(), &chain()).unwrap().expect("something is kept")
    }

    /// The same book without anything kept, but for what the user ruled; then brought up at once.
    pub fn anew(&self) -> (tempfile::TempDir, Kept) {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("book");
        copy(self.book().folder(), &to);
        let book = Book::open(&to).unwrap();
        let _ = fs::remove_dir_all(book.kept_folder(&chain()).join("holders"));
        upkeep::bring_up(&book, &chain(), &mut |_| true).unwrap();
        let kept = Kept::open(&book, &chain()).unwrap().unwrap();
        (folder, kept)
    }
}

/// Steps of a few transactions.
pub const SMALL: Pace = Pace { step_transactions: 3, commit_transactions: 10 };

fn lock(key: u64, is_old: bool) -> Lock {
    let mut hash = [0; 20];
    hash[..8].copy_from_slice(&Dice::new(key).next().to_le_bytes());
    let (before, after): (&[u8], &[u8]) = if is_old { (&[0x76, 0xa9, 0x14], &[0x88, 0xac]) } else { (&[0, 20], &[]) };
    Lock::of_script(&[before, &hash, after].concat())
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Asks both everything.
pub fn compare(ledger: &UtxoLedger, one: &Kept, other: &Kept) {
    assert_eq!(one.as_of(), other.as_of());
    assert!(one.as_of().is_whole());
    assert_eq!(one.rulings().unwrap(), other.rulings().unwrap());
    assert_eq!(one.problems().unwrap(), other.problems().unwrap());
    assert_eq!(one.services().unwrap(), other.services().unwrap());
    assert_eq!(one.as_of().judged, ledger.end().0);
    for holder in (0..ledger.holders()).map(HolderId) {
        for layer in Layer::ALL {
            assert_eq!(one.cluster(holder, layer), other.cluster(holder, layer), "{holder:?} {layer:?}");
            let size = one.cluster_size(holder, layer);
            assert_eq!(size, other.cluster_size(holder, layer));
            let [mut members, mut others] = [one, other].map(|kept| kept.members(holder, layer, 10_000));
            assert_eq!((members.len() as u64, members[0]), (size, one.cluster(holder, layer)));
            members.sort_unstable();
            others.sort_unstable();
            assert_eq!(members, others);
            assert_eq!(one.members(holder, layer, 2).len() as u64, size.min(2));
        }
        assert_eq!(one.direct(holder).unwrap(), other.direct(holder).unwrap(), "{holder:?}");
        assert_eq!(one.inherited(holder).unwrap(), other.inherited(holder).unwrap(), "{holder:?}");
        assert_eq!(one.category(holder), other.category(holder), "{holder:?}");
    }
    for seq in (0..ledger.end().0).map(Seq) {
        assert_eq!(one.verdict(seq), other.verdict(seq), "{seq:?}");
        assert_eq!(one.record(seq), other.record(seq), "{seq:?}");
    }
    for purse in (0..ledger.purse_count()).map(PurseId) {
        assert_eq!(one.first_out(ledger, purse), other.first_out(ledger, purse));
    }
}

/// Asks everything, whatever the answers are.
pub fn ask(ledger: &UtxoLedger, kept: &Kept) {
    let _ = (kept.rulings(), kept.problems(), kept.services());
    for holder in (0..ledger.holders() + 2).map(HolderId) {
        for layer in Layer::ALL {
            let _ = (kept.cluster_size(holder, layer), kept.members(holder, layer, 100).len());
        }
        let _ = (kept.direct(holder), kept.inherited(holder), kept.category(holder));
    }
    for seq in (0..ledger.end().0 + 2).map(Seq) {
        let _ = (kept.verdict(seq), kept.record(seq));
    }
    for purse in (0..ledger.purse_count()).map(PurseId) {
        let _ = kept.first_out(ledger, purse);
    }
}

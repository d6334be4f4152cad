//! Random ledgers from a seed, the comparison of a ledger with the model, and the bytes of a folder.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ledger::memory::MemoryLedger;
use ledger::{
    AccountBlock, AccountLeg, AccountTransaction, AssetId, BlockEvent, Contracts, Event, Gaps, HolderId, Kind, Ledger,
    LedgerId, LegKind, Outpoint, PurseId, Seq, Time, UtxoBlock, UtxoInput, UtxoOutput, UtxoTransaction,
};
use money::{Amount, Asset};

/// A small generator of pseudo-random numbers (`SplitMix64`), so that a seed names a ledger for ever.
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

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

pub fn table() -> LedgerId {
    LedgerId::parse("table:random").expect("a good id")
}

pub fn chain() -> LedgerId {
    LedgerId::parse("bitcoin-regtest").expect("a known alias")
}

pub fn evm() -> LedgerId {
    LedgerId::parse("eip155:31337").expect("a good id")
}

pub fn btc() -> Asset {
    Asset { symbol: "BTC".into(), scale: 8 }
}

/// Three assets; the last has numbers that need more than 64 bits.
pub fn assets() -> Vec<Asset> {
    [("EUR", 2), ("BTC", 8), ("ETH", 18)].map(|(symbol, scale)| Asset { symbol: symbol.into(), scale }).to_vec()
}

/// Transactions with self transfers, several legs of a purse, outside ends, fees, deficits and wide amounts.
pub fn account_transactions(seed: u64, count: u64, holders: u64) -> Vec<AccountTransaction> {
    let mut dice = Dice::new(seed);
    let mut time = 1_000_000;
    (0..count)
        .map(|number| {
            time += i64::try_from(dice.below(3)).expect("small") * 1_000_000;
            let legs = if dice.one_in(20) { dice.below(9) } else { 1 + dice.below(2) };
            let legs = (0..legs).map(|_| account_leg(&mut dice, holders)).collect();
            AccountTransaction { name: format!("t{number:x}"), time: Time::from_micros(time), legs }
        })
        .collect()
}

fn account_leg(dice: &mut Dice, holders: u64) -> AccountLeg {
    let holder = |dice: &mut Dice| {
        // A few holders are in most movements, as in life.
        let which = if dice.one_in(2) { dice.below(3.min(holders)) } else { dice.below(holders) };
        (!dice.one_in(8)).then(|| format!("holder-{which}"))
    };
    let from = holder(dice);
    let to = if dice.one_in(10) { from.clone() } else { holder(dice) };
    let asset = dice.below(3);
    let amount = match asset {
        2 => u128::from(dice.next()) * u128::from(dice.below(1 << 20)),
        _ => u128::from(dice.below(1_000)),
    };
    let fee = if dice.one_in(4) { u128::from(dice.below(5)) } else { 0 };
    AccountLeg {
        from,
        to,
        asset: assets()[usize::try_from(asset).expect("small")].symbol.clone(),
        amount: Amount::new(amount),
        fee: Amount::new(fee),
        kind: LegKind::Transfer,
    }
}

/// Blocks of an account ledger: empty ones, movements of all kinds, events with and without topics, and gaps that come and go.
pub fn account_blocks(seed: u64, count: u64, size: u64, holders: u64) -> Vec<AccountBlock> {
    let mut dice = Dice::new(seed);
    let mut previous = None;
    let first = dice.below(3) * 1_000;
    let mut gaps = Gaps::default();
    (0..count)
        .map(|number| {
            let height = first + number;
            let hash = id(4, number, seed);
            let time = Time::from_micros(i64::try_from(height * 12).expect("small") * 1_000_000);
            let transactions = if dice.one_in(4) { 0 } else { dice.below(size + 1) };
            let mut transactions: Vec<_> = (0..transactions)
                .map(|at| chain_transaction(&mut dice, id(5, height * 100_000 + at, seed), time, holders))
                .collect();
            if dice.one_in(2) {
                let leg = AccountLeg { kind: LegKind::Drift, ..account_leg(&mut dice, holders) };
                transactions.push(AccountTransaction { name: format!("drift:{height}"), time, legs: vec![leg] });
            }
            if dice.one_in(3) {
                gaps = Gaps { traces: dice.one_in(2), receipts: dice.one_in(4), logs: dice.one_in(4) };
            }
            let events = events(&mut dice, transactions.len());
            AccountBlock { height, hash, previous: previous.replace(hash), time, transactions, events, gaps }
        })
        .collect()
}

fn chain_transaction(dice: &mut Dice, id: [u8; 32], time: Time, holders: u64) -> AccountTransaction {
    let legs = (0..dice.below(4))
        .map(|_| {
            let kind =
                [LegKind::Transfer, LegKind::Fee, LegKind::Drift][usize::try_from(dice.below(3)).expect("small")];
            let mut leg = AccountLeg { kind, ..account_leg(dice, holders) };
            // Holders as such chains have them, and a few others.
            for name in [&mut leg.from, &mut leg.to].into_iter().flatten() {
                let number = name.trim_start_matches("holder-").parse::<u64>().expect("a number");
                if number % 5 > 0 {
                    *name = format!("0x{:040x}", u128::from(number) << 60);
                }
            }
            leg
        })
        .collect();
    AccountTransaction { name: format!("0x{}", ledger::hex::text(&id)), time, legs }
}

fn events(dice: &mut Dice, transactions: usize) -> Vec<BlockEvent> {
    let mut index = 0;
    let mut events = Vec::new();
    for transaction in 0..u32::try_from(transactions).expect("small") {
        for _ in 0..dice.below(3) {
            index += 1 + u32::from(dice.one_in(3));
            let topics = (0..dice.below(5)).map(|_| id(6, dice.next(), 0)).collect();
            let data = (0..dice.below(70)).map(|at| u8::try_from(at).expect("small")).collect();
            let mut contract = [7; 20];
            contract[..8].copy_from_slice(&dice.below(9).to_le_bytes());
            events.push(BlockEvent { transaction, event: Event { index, contract, topics, data } });
        }
    }
    events
}

/// The assets that a block needs, in the order of their legs.
pub fn assets_of(block: &AccountBlock) -> Vec<Asset> {
    let legs = block.transactions.iter().flat_map(|transaction| &transaction.legs);
    let known = assets();
    legs.map(|leg| known.iter().find(|asset| asset.symbol == leg.asset).expect("one of them").clone()).collect()
}

/// Blocks with coinbases, foreign outputs with and without stated values, empty blocks, and times that step back.
pub fn utxo_blocks(seed: u64, count: u64, transactions: u64) -> Vec<UtxoBlock> {
    let mut dice = Dice::new(seed);
    let mut unspent: Vec<(Outpoint, u128)> = Vec::new();
    let mut previous = None;
    let first = dice.below(5) * 1_000;
    (0..count)
        .map(|number| {
            let hash = id(1, number, seed);
            let time = i64::try_from(number * 600 + dice.below(2_000)).expect("small") * 1_000_000;
            let mut made = Vec::new();
            if !dice.one_in(10) {
                for at in 0..=dice.below(transactions + 1) {
                    made.push(utxo_transaction(&mut dice, id(2, number * 100_000 + at, seed), at == 0, &mut unspent));
                }
            }
            let block =
                UtxoBlock { height: first + number, hash, previous, time: Time::from_micros(time), transactions: made };
            previous = Some(hash);
            block
        })
        .collect()
}

fn id(kind: u8, number: u64, seed: u64) -> [u8; 32] {
    let mut dice = Dice::new(number ^ seed.rotate_left(32));
    let mut id = [kind; 32];
    for chunk in id[..24].chunks_exact_mut(8) {
        chunk.copy_from_slice(&dice.next().to_le_bytes());
    }
    id
}

fn utxo_transaction(
    dice: &mut Dice,
    txid: [u8; 32],
    is_coinbase: bool,
    unspent: &mut Vec<(Outpoint, u128)>,
) -> UtxoTransaction {
    let mut inputs = Vec::new();
    let (mut known, mut is_complete) = (0u128, true);
    while !is_coinbase && (inputs.is_empty() || dice.one_in(3)) {
        if !unspent.is_empty() && !dice.one_in(6) {
            let at = usize::try_from(dice.below(unspent.len() as u64)).expect("small");
            let (outpoint, amount) = unspent.swap_remove(at);
            known += amount;
            inputs.push(UtxoInput { outpoint, spent: None });
        } else {
            let outpoint = Outpoint { txid: id(3, dice.next(), 0), vout: u32::try_from(dice.below(3)).expect("small") };
            let amount = u128::from(dice.below(10_000));
            let is_told = dice.one_in(2);
            is_complete &= is_told;
            known += if is_told { amount } else { 0 };
            let spent = is_told.then(|| UtxoOutput { amount: Amount::new(amount), holder: holder(dice).into() });
            inputs.push(UtxoInput { outpoint, spent });
        }
    }
    let mut left = if is_coinbase { 5_000_000 } else { known };
    let mut outputs = Vec::new();
    for vout in 0..=u32::try_from(dice.below(4)).expect("small") {
        let amount = if dice.one_in(10) { 0 } else { left * u128::from(dice.below(100)) / 100 };
        left -= amount;
        unspent.push((Outpoint { txid, vout }, amount));
        outputs.push(UtxoOutput { amount: Amount::new(amount), holder: holder(dice).into() });
    }
    // Where an input is unknown, a stated fee tells what it must have brought.
    let fee = match (is_coinbase, is_complete) {
        (true, _) => None,
        (false, true) => dice.one_in(2).then(|| Amount::new(left)),
        (false, false) => dice.one_in(2).then(|| Amount::new(left + u128::from(dice.below(1_000)))),
    };
    UtxoTransaction { txid, inputs, outputs, fee }
}

fn holder(dice: &mut Dice) -> String {
    let which = if dice.one_in(2) { dice.below(4) } else { dice.below(200) };
    // Some begin with OP_RETURN. That they are spent all the same is what a careless test chain may do.
    if which % 8 == 3 { format!("script:6a{which:04x}") } else { format!("script:{which:04x}") }
}

pub fn account_model(transactions: &[AccountTransaction]) -> MemoryLedger {
    let mut model = MemoryLedger::new(table(), Kind::Account, assets());
    for transaction in transactions {
        model.push(transaction);
    }
    model
}

pub fn blocks_model(blocks: &[AccountBlock]) -> MemoryLedger {
    let mut assets: Vec<Asset> = Vec::new();
    for asset in blocks.iter().flat_map(assets_of) {
        if !assets.contains(&asset) {
            assets.push(asset);
        }
    }
    let mut model = MemoryLedger::new(evm(), Kind::Account, assets);
    for block in blocks {
        model.push_account_block(block);
    }
    model
}

/// Asks both for events of stretches, and for the gaps of all transactions.
pub fn compare_contracts(ledger: &dyn Contracts, model: &dyn Contracts, dice: &mut Dice) {
    let end = model.end().0;
    let all = |ledger: &dyn Contracts, from, until| {
        let mut found = Vec::new();
        ledger.events(Seq(from), Seq(until), &mut |seq, event| found.push((seq, event.clone())));
        found
    };
    for _ in 0..20 {
        let (from, until) = (dice.below(end + 2), dice.below(end + 2));
        assert_eq!(all(ledger, from, until), all(model, from, until), "events of {from}..{until}");
    }
    assert_eq!(all(ledger, 0, u64::MAX), all(model, 0, u64::MAX));
    for seq in (0..end).map(Seq) {
        assert_eq!(ledger.gaps(seq), model.gaps(seq), "{seq:?}");
    }
}

pub fn utxo_model(blocks: &[UtxoBlock]) -> MemoryLedger {
    let mut model = MemoryLedger::new(chain(), Kind::Utxo, vec![btc()]);
    for block in blocks {
        model.push_block(block);
    }
    model
}

/// Asks both ledgers everything. `outputs` are outpoints and names to look for besides those that are there.
pub fn compare(ledger: &dyn Ledger, model: &dyn Ledger, dice: &mut Dice) {
    assert_eq!((ledger.id(), ledger.kind(), ledger.end()), (model.id(), model.kind(), model.end()));
    assert_eq!(ledger.assets(), model.assets());
    for asset in (0..model.assets()).map(AssetId) {
        assert_eq!(ledger.asset(asset), model.asset(asset));
        assert_eq!(ledger.find_asset(&model.asset(asset).symbol), Some(asset));
    }
    let (mut legs, mut want) = (Vec::new(), Vec::new());
    let mut ends = std::collections::BTreeSet::new();
    for seq in (0..model.end().0).map(Seq) {
        ledger.transaction(seq, &mut legs);
        model.transaction(seq, &mut want);
        assert_eq!(legs, want, "{seq:?}");
        assert_eq!(ledger.stamp(seq), model.stamp(seq));
        let name = model.transaction_name(seq);
        assert_eq!(ledger.transaction_name(seq), name);
        assert_eq!(ledger.find_transaction(&name), Some(seq));
        ends.extend(want.iter().flat_map(|leg| [leg.payer.purse(), leg.payee.purse()]).flatten());
        if dice.one_in(8) {
            let time = model.stamp(seq).time.micros();
            for time in [time - 1, time, time + 1].map(Time::from_micros) {
                assert_eq!(ledger.seq_at(time), model.seq_at(time), "{time}");
            }
        }
    }
    let mut holders = std::collections::BTreeSet::new();
    for purse in ends {
        holders.insert(model.purse(purse).holder);
        compare_purse(ledger, model, purse, dice);
    }
    for holder in holders {
        compare_holder(ledger, model, holder);
    }
    for none in ["", "nobody", "t", &"0".repeat(64)] {
        assert_eq!(ledger.find_transaction(none), None);
        assert_eq!(ledger.find_holder(none), None);
        assert_eq!(ledger.find_output(none, 0), None);
    }
}

fn compare_purse(ledger: &dyn Ledger, model: &dyn Ledger, purse: PurseId, dice: &mut Dice) {
    assert_eq!(ledger.purse(purse), model.purse(purse));
    assert_eq!(ledger.opening(purse), model.opening(purse));
    let name = model.purse_name(purse);
    assert_eq!(ledger.purse_name(purse), name);
    if let (Kind::Utxo, Some((txid, vout))) = (model.kind(), name.split_once(':')) {
        let vout = vout.parse().expect("a number");
        assert_eq!(ledger.find_output(txid, vout), Some(purse));
        assert_eq!(ledger.find_output(txid, vout + 1_000), None);
    }
    let end = model.end().0;
    let mut at: Vec<u64> = (0..4).map(|_| dice.below(end + 1)).collect();
    at.extend([0, end]);
    // Walk back as a backward trace does.
    let mut before = Seq(end);
    while let Some(previous) = model.previous(purse, before) {
        at.extend([previous.0, previous.0 + 1]);
        before = previous;
        if at.len() > 40 {
            break;
        }
    }
    for seq in at.into_iter().map(Seq) {
        assert_eq!(ledger.previous(purse, seq), model.previous(purse, seq), "{purse:?} before {seq:?}");
        assert_eq!(ledger.balance(purse, seq), model.balance(purse, seq), "{purse:?} before {seq:?}");
    }
}

fn compare_holder(ledger: &dyn Ledger, model: &dyn Ledger, holder: HolderId) {
    let name = model.holder_name(holder);
    assert_eq!(ledger.holder_name(holder), name);
    assert_eq!(ledger.find_holder(&name), Some(holder));
    assert_eq!(ledger.purses(holder), model.purses(holder), "{name}");
}

/// Every file of a folder and what is in it.
pub fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            found.extend(bytes(&path).into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            found.insert(name, fs::read(&path).expect("a file"));
        }
    }
    found
}

/// Asserts that two folders hold the same files with the same bytes, and says which differ.
pub fn assert_same_bytes(left: &Path, right: &Path, what: &str) {
    let (left, right) = (bytes(left), bytes(right));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&left), names(&right), "{what}: the files");
    for (name, bytes) in &left {
        let other = &right[name];
        let differ = bytes.iter().zip(other).position(|(a, b)| a != b);
        assert!(
            bytes == other,
            "{what}: {name} differs, {} and {} bytes, first at {differ:?}",
            bytes.len(),
            other.len()
        );
    }
}

//! Measures the book: fills a ledger with made-up movements, then reads it in order, at random, and along a chain.
//!
//! `cargo run --release -p book --example measure -- account 5000000 FOLDER` (or `utxo`). It prints what it did to
//! standard output; the folder is left for a closer look. `evm` is the same movements as `account`, in blocks.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use book::{AccountWriter, Book, BookError, BookLedger};
use ledger::{
    AccountBlock, AccountLeg, AccountTransaction, Gaps, Ledger, LedgerId, Leg, LegKind, Outpoint, Seq, Time, UtxoBlock,
    UtxoInput, UtxoOutput, UtxoTransaction, txid_text,
};
use money::{Amount, Asset};

/// Transactions in a block of the made-up chain.
const BLOCK_TRANSACTIONS: u64 = 2_000;

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, count, folder] = arguments.as_slice() else {
        return Err("usage: measure account|evm|utxo TRANSACTIONS FOLDER".into());
    };
    let count: u64 = count.parse()?;
    let book = Book::create(folder)?;
    let id = LedgerId::parse(match kind.as_str() {
        "utxo" => "bitcoin-regtest",
        "evm" => "eip155:31337",
        _ => "table:measure",
    })?;
    let before = cpu_seconds();
    if kind == "utxo" {
        make_blocks(count, |_| Ok(()))?
    } else {
        make_transactions(count, |_| Ok(()))?
    };
    let making = cpu_seconds() - before;
    let (start, before) = (Instant::now(), cpu_seconds());
    let legs = if kind == "utxo" { fill_blocks(&book, &id, count)? } else { fill_accounts(&book, &id, count)? };
    let (elapsed, seconds) = (start.elapsed().as_secs_f64(), cpu_seconds() - before - making);
    let bytes = size(Path::new(folder))?;
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    let (legs_f, bytes_f) = (legs as f64, bytes as f64);
    println!(
        "filled: {count} transactions, {legs} legs; {elapsed:.1} s, {seconds:.1} s on the processor (less \
         {making:.1} s for making the input): {:.2} M legs/s, {:.0} MB/s of book a processor second; {:.1} bytes a leg",
        legs_f / seconds / 1e6,
        bytes_f / seconds / 1e6,
        bytes_f / legs_f
    );
    memory();
    let start = Instant::now();
    let open = book.ledger(&id)?;
    println!("opened in {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
    for name in [txid_text(&[7; 32]), "nobody".to_owned()] {
        let start = Instant::now();
        let found = (open.as_ledger().find_transaction(&name), open.as_ledger().find_holder(&name));
        assert_eq!(found, (None, None));
        println!("two first look-ups in vain: {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
    }
    match open {
        BookLedger::Account(ledger) => read(&ledger),
        BookLedger::Utxo(ledger) => read(&ledger),
    }
    Ok(())
}

fn fill_accounts(book: &Book, id: &LedgerId, count: u64) -> Result<u64, Box<dyn Error>> {
    let mut writer = book.account_writer(id)?;
    writer.declare_asset(&Asset { symbol: "EUR".into(), scale: 2 })?;
    if id.namespace() == "eip155" {
        return fill_evm(&mut writer, count);
    }
    let legs = make_transactions(count, |transaction| {
        writer.push(transaction)?;
        if writer.is_full() { writer.commit() } else { Ok(()) }
    })?;
    writer.commit()?;
    Ok(legs)
}

/// The same, in blocks of 200.
fn fill_evm(writer: &mut AccountWriter, count: u64) -> Result<u64, Box<dyn Error>> {
    let mut block = AccountBlock {
        height: 0,
        hash: [0; 32],
        previous: None,
        time: Time::from_micros(0),
        transactions: Vec::new(),
        events: Vec::new(),
        gaps: Gaps::default(),
    };
    let push = |writer: &mut AccountWriter, block: &mut AccountBlock| {
        block.hash[..8].copy_from_slice(&block.height.to_le_bytes());
        writer.push_block(block)?;
        block.transactions.clear();
        block.height += 1;
        block.previous = Some(block.hash);
        if writer.is_full() { writer.commit() } else { Ok(()) }
    };
    let legs = make_transactions(count, |transaction| {
        block.transactions.push(transaction.clone());
        if block.transactions.len() == 200 { push(writer, &mut block) } else { Ok(()) }
    })?;
    push(writer, &mut block)?;
    writer.commit()?;
    Ok(legs)
}

fn make_transactions(
    count: u64,
    mut take: impl FnMut(&AccountTransaction) -> Result<(), BookError>,
) -> Result<u64, Box<dyn Error>> {
    let (mut dice, mut legs) = (Dice(1), 0);
    let holders = (count / 4).max(10);
    for number in 0..count {
        let mut leg = || AccountLeg {
            from: Some(holder(&mut dice, holders)),
            to: Some(holder(&mut dice, holders)),
            asset: "EUR".into(),
            amount: Amount::new(u128::from(dice.below(100_000))),
            fee: Amount::ZERO,
            kind: LegKind::Transfer,
        };
        let transaction = AccountTransaction {
            name: format!("0x{number:064x}"),
            time: Time::from_micros(i64::try_from(number)? * 1_000_000),
            legs: vec![leg(), leg()],
        };
        legs += 2;
        take(&transaction)?;
    }
    Ok(legs)
}

/// One holder in ten movements is one of a few large ones.
fn holder(dice: &mut Dice, holders: u64) -> String {
    let which = if dice.below(10) == 0 { dice.below(20) } else { dice.below(holders) };
    holder_named(which)
}

fn holder_named(which: u64) -> String {
    format!("0x{:040x}", which.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn fill_blocks(book: &Book, id: &LedgerId, count: u64) -> Result<u64, Box<dyn Error>> {
    let mut writer = book.utxo_writer(id, &Asset { symbol: "BTC".into(), scale: 8 })?;
    let legs = make_blocks(count, |block| {
        writer.push_block(block)?;
        if writer.is_full() { writer.commit() } else { Ok(()) }
    })?;
    writer.commit()?;
    Ok(legs)
}

fn make_blocks(count: u64, mut take: impl FnMut(&UtxoBlock) -> Result<(), BookError>) -> Result<u64, Box<dyn Error>> {
    let (mut dice, mut legs, mut made) = (Dice(1), 0, 0);
    let mut unspent: Vec<(Outpoint, u128)> = Vec::new();
    let mut previous = None;
    for height in 0u64.. {
        if made >= count {
            break;
        }
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&height.to_le_bytes());
        let transactions = (0..BLOCK_TRANSACTIONS)
            .map(|at| {
                made += 1;
                let transaction = transaction(&mut dice, made, at == 0, &mut unspent);
                legs += (transaction.inputs.len() + transaction.outputs.len() + 1) as u64;
                transaction
            })
            .collect();
        let time = Time::from_micros(i64::try_from(height)? * 600_000_000);
        take(&UtxoBlock { height, hash, previous, time, transactions })?;
        previous = Some(hash);
    }
    Ok(legs)
}

fn transaction(
    dice: &mut Dice,
    number: u64,
    is_coinbase: bool,
    unspent: &mut Vec<(Outpoint, u128)>,
) -> UtxoTransaction {
    let mut txid = [0; 32];
    for (at, chunk) in (0..).zip(txid.chunks_exact_mut(8)) {
        chunk.copy_from_slice(&Dice(number * 4 + at).next().to_le_bytes());
    }
    let mut value = if is_coinbase { 5_000_000_000 } else { 0 };
    let mut inputs = Vec::new();
    while !is_coinbase && inputs.len() < 2 && !unspent.is_empty() {
        let at = usize::try_from(dice.below(unspent.len() as u64)).expect("small");
        let (outpoint, amount) = unspent.swap_remove(at);
        value += amount;
        inputs.push(UtxoInput { outpoint, spent: None });
    }
    if inputs.is_empty() {
        value = 5_000_000_000;
    }
    let outputs = (0..2u32)
        .map(|vout| {
            unspent.push((Outpoint { txid, vout }, value / 2));
            UtxoOutput { amount: Amount::new(value / 2), holder: holder(dice, 1 + number / 2).into() }
        })
        .collect();
    UtxoTransaction { txid, inputs, outputs, fee: None }
}

fn read<L: Ledger>(ledger: &L) {
    let end = ledger.end().0;
    let mut legs: Vec<Leg> = Vec::new();
    let mut time = |what: &str, count: u64, next: &mut dyn FnMut(u64, &[Leg]) -> Seq| {
        let (mut at, mut read) = (Seq(0), 0usize);
        let start = Instant::now();
        for step in 0..count {
            ledger.transaction(at, &mut legs);
            read += legs.len();
            at = next(step, &legs);
        }
        #[allow(clippy::cast_precision_loss, reason = "figures for people")]
        let nanos = start.elapsed().as_nanos() as f64 / count as f64;
        println!("{what}: {nanos:.0} ns a transaction ({read} legs)");
    };
    time("in order, first", end, &mut |step, _| Seq((step + 1) % end));
    time("in order, again", end, &mut |step, _| Seq((step + 1) % end));
    let mut dice = Dice(7);
    time("at random", 1_000_000, &mut |_, _| Seq(dice.below(end)));
    let near = end.min(10_000);
    time("at random in a warm stretch", 1_000_000, &mut |_, _| Seq(dice.below(near)));
    time("along the money", 1_000_000, &mut |_, legs| {
        let next = legs.iter().find_map(|leg| leg.payee_next);
        next.unwrap_or_else(|| Seq(dice.below(end)))
    });
    let start = Instant::now();
    let names = 200_000;
    for _ in 0..names {
        let seq = Seq(dice.below(end));
        assert_eq!(ledger.find_transaction(&ledger.transaction_name(seq)), Some(seq));
    }
    println!("name to number: {:.0} ns (with making the name)", start.elapsed().as_secs_f64() * 1e9 / f64::from(names));
    let start = Instant::now();
    let purses = ledger.find_holder(&holder_named(7)).map_or(0, |holder| ledger.purses(holder).len());
    println!("a busy holder's {purses} purses: {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    assert_eq!(ledger.find_transaction(&txid_text(&[7; 32])), None);
    println!("a name that is not there: {} ns", start.elapsed().as_nanos());
}

/// Processor time of this process so far, user and system, where the system tells it (Linux, in hundredths).
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// The most memory that this process had so far, and what it has now of its own and of mapped files, where the system
/// tells it.
fn memory() {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or(" unknown").trim();
    println!("memory: {} at most; now {} of its own, {} of files", line("VmHWM:"), line("RssAnon:"), line("RssFile:"));
}

fn size(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        bytes += if meta.is_dir() { size(&entry.path())? } else { meta.len() };
    }
    Ok(bytes)
}

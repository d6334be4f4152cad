//! The obvious checker: reads the files of an exercise back and holds every rule against them, with plain maps and no
//! code of the crate's own except its public types.

use std::collections::{BTreeMap, BTreeSet};

use exercise::{Exact, Loss, Papers, Place, PlaceKind, Plan, Sinks};
use ledger::{LedgerId, Time};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// An exercise in memory.
pub struct Made {
    pub plan: Plan,
    pub chain: String,
    pub tokens: String,
    pub bank: String,
    pub papers: Papers,
}

pub fn make(plan: &Plan) -> Made {
    let (mut chain, mut tokens, mut bank) = (Vec::new(), Vec::new(), Vec::new());
    let sinks = Sinks { chain: &mut chain, tokens: &mut tokens, bank: &mut bank };
    let papers = exercise::stream(plan, sinks).expect("memory takes every byte");
    let text = |bytes| String::from_utf8(bytes).expect("files are text");
    Made { plan: plan.clone(), chain: text(chain), tokens: text(tokens), bank: text(bank), papers }
}

#[derive(Deserialize)]
struct Block {
    hash: String,
    height: u64,
    merkleroot: String,
    time: i64,
    nonce: u32,
    bits: String,
    #[serde(rename = "nTx")]
    count: usize,
    previousblockhash: Option<String>,
    tx: Vec<Tx>,
}

#[derive(Deserialize)]
struct Tx {
    txid: String,
    vin: Vec<Vin>,
    vout: Vec<Vout>,
    fee: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Vin {
    coinbase: Option<String>,
    txid: Option<String>,
    vout: Option<u32>,
}

#[derive(Deserialize)]
struct Vout {
    value: Box<RawValue>,
    n: u32,
    #[serde(rename = "scriptPubKey")]
    script: Script,
}

#[derive(Deserialize)]
struct Script {
    hex: String,
    address: String,
}

/// What a ledger holds in the end, and who was ever paid what.
#[derive(Default)]
pub struct Held {
    /// By (holder, asset).
    pub balances: BTreeMap<(String, String), u128>,
    pub received: BTreeMap<(String, String), u128>,
    pub transactions: BTreeSet<String>,
    /// By `txid:vout` or `tx>payee>asset`.
    pub payments: BTreeMap<String, u128>,
    /// Holders that any stolen unit could have reached, by hand-over alone.
    pub reached: BTreeSet<String>,
    pub tainted_legs: u64,
}

fn units(text: &str, scale: u8) -> u128 {
    let exact = Exact::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(exact.scale, scale, "{text:?} shows all decimals");
    exact.amount.units()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}

fn reversed(hex: &str) -> Vec<u8> {
    bytes(hex).into_iter().rev().collect()
}

fn sha256d(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(Sha256::digest(bytes)).to_vec()
}

fn compact(count: usize) -> Vec<u8> {
    if count < 0xfd {
        vec![u8::try_from(count).unwrap()]
    } else {
        [&[0xfd], &u16::try_from(count).unwrap().to_le_bytes()[..]].concat()
    }
}

/// A transaction's id from what its line shows, in Bitcoin's serialisation without signatures.
fn txid(tx: &Tx) -> Vec<u8> {
    let mut raw = 2u32.to_le_bytes().to_vec();
    raw.extend(compact(tx.vin.len()));
    for input in &tx.vin {
        if let Some(script) = &input.coinbase {
            let script = bytes(script);
            raw.extend([0; 32]);
            raw.extend(u32::MAX.to_le_bytes());
            raw.extend(compact(script.len()));
            raw.extend(script);
        } else {
            raw.extend(reversed(input.txid.as_ref().expect("an input names what it spends")));
            raw.extend(input.vout.expect("an input names what it spends").to_le_bytes());
            raw.push(0);
        }
        raw.extend(u32::MAX.to_le_bytes());
    }
    raw.extend(compact(tx.vout.len()));
    for output in &tx.vout {
        raw.extend(u64::try_from(units(output.value.get(), 8)).unwrap().to_le_bytes());
        let script = bytes(&output.script.hex);
        raw.extend(compact(script.len()));
        raw.extend(script);
    }
    raw.extend(0u32.to_le_bytes());
    sha256d(&raw)
}

fn merkle(mut row: Vec<Vec<u8>>) -> Vec<u8> {
    while row.len() > 1 {
        if row.len() % 2 == 1 {
            row.push(row[row.len() - 1].clone());
        }
        row = row.chunks(2).map(|pair| sha256d(&pair.concat())).collect();
    }
    row.remove(0)
}

/// The block's Merkle root and hash are those of what it shows.
fn check_header(block: &Block, ids: &[Vec<u8>]) {
    let root = reversed(&block.merkleroot);
    assert_eq!(merkle(ids.to_vec()), root, "block {}", block.height);
    let parent = block.previousblockhash.as_deref().map_or(vec![0; 32], reversed);
    let time = u32::try_from(block.time).unwrap().to_le_bytes();
    let bits = u32::from_str_radix(&block.bits, 16).unwrap().to_le_bytes();
    let header = [&4u32.to_le_bytes()[..], &parent, &root, &time, &bits, &block.nonce.to_le_bytes()].concat();
    assert_eq!(sha256d(&header), reversed(&block.hash), "block {}", block.height);
    // The target begins like this, and zeros follow.
    assert!(block.hash.as_str() < "7fffff", "block {} proves no work", block.height);
}

/// Replays `chain.ndjson`: ids, links, sums, single spends, fees, addresses.
pub fn replay_chain(made: &Made, stolen: &BTreeSet<String>) -> Held {
    let ledger = LedgerId::parse(&made.papers.summary.ledgers[0].ledger).expect("a CAIP-2 id");
    let mut unspent: BTreeMap<String, (u128, String, bool)> = BTreeMap::new();
    let mut held = Held::default();
    let mut previous: Option<(String, i64)> = None;
    for (height, line) in (0u64..).zip(made.chain.lines()) {
        let block: Block = serde_json::from_str(line).expect("one block a line");
        assert_eq!(block.height, height);
        assert_eq!(block.count, block.tx.len());
        assert_eq!(block.previousblockhash.as_ref(), previous.as_ref().map(|(hash, _)| hash));
        if height == 0 {
            assert_eq!(ledger.reference(), &block.hash[..32], "the ledger is named after its genesis");
        }
        assert!(previous.as_ref().is_none_or(|(_, time)| *time < block.time), "block {height}: time moves on");
        let ids: Vec<Vec<u8>> = block.tx.iter().map(txid).collect();
        check_header(&block, &ids);

        let mut fees = 0;
        let mut coinbase = 0;
        for (at, (tx, id)) in block.tx.iter().zip(&ids).enumerate() {
            assert_eq!(reversed(&tx.txid), *id, "block {height}, transaction {at}");
            assert!(held.transactions.insert(tx.txid.clone()), "ids are unique");
            let (mut paid_in, mut tainted_inputs) = (0, 0);
            for input in tx.vin.iter().filter(|input| input.coinbase.is_none()) {
                let outpoint = format!("{}:{}", input.txid.as_ref().unwrap(), input.vout.unwrap());
                let (value, _, tainted) = unspent.remove(&outpoint).expect("inputs are unspent outputs");
                paid_in += value;
                tainted_inputs += u64::from(tainted);
            }
            assert_eq!(tx.vin.iter().any(|input| input.coinbase.is_some()), at == 0, "the coinbase comes first");
            let mut paid_out = 0;
            for (n, output) in (0u32..).zip(&tx.vout) {
                assert_eq!(output.n, n);
                let value = units(output.value.get(), 8);
                let address = &output.script.address;
                assert_eq!(ledger::address::canonical(&ledger, address).as_ref(), Ok(address));
                assert!(value > 0);
                paid_out += value;
                let outpoint = format!("{}:{n}", tx.txid);
                let tainted = tainted_inputs > 0 || stolen.contains(&outpoint);
                if tainted {
                    held.reached.insert(address.clone());
                }
                *held.received.entry((address.clone(), "BTC".into())).or_default() += value;
                held.payments.insert(outpoint.clone(), value);
                unspent.insert(outpoint, (value, address.clone(), tainted));
            }
            if at == 0 {
                coinbase = paid_out;
            } else {
                let fee = units(tx.fee.as_ref().expect("fees are stated").get(), 8);
                assert_eq!(paid_in, paid_out + fee, "block {height}, transaction {at}");
                fees += fee;
                if tainted_inputs > 0 {
                    held.tainted_legs += tainted_inputs + tx.vout.len() as u64 + u64::from(fee > 0);
                }
            }
        }
        if block.tx.len() > 1 {
            assert_eq!(coinbase, fees + 312_500_000, "block {height}: subsidy and fees");
        }
        previous = Some((block.hash, block.time));
    }
    for (value, address, _) in unspent.into_values() {
        *held.balances.entry((address, "BTC".into())).or_default() += value;
    }
    held
}

/// Replays a ledger table: form, order, atomic transactions, no overdraft.
pub fn replay_table(text: &str, ledger: &str, assets: &[(&str, u8)], robbers: &BTreeSet<String>) -> Held {
    let id = LedgerId::parse(ledger).expect("a ledger id");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("tx,time,from,to,asset,amount,ledger,fee,memo"));
    let mut held = Held::default();
    let mut last = (String::new(), String::new());
    for (number, line) in lines.enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        let [tx, time, from, to, asset, amount, on, fee, _memo] = fields[..] else { panic!("line {number}: {line}") };
        assert_eq!(on, ledger);
        if last.0 == tx {
            assert_eq!(last.1, time, "one transaction, one time");
        } else {
            assert!(held.transactions.insert(tx.to_owned()), "{tx} comes in one piece");
            let earlier = if last.1.is_empty() { None } else { Some(Time::parse(&last.1).unwrap()) };
            assert!(earlier.is_none_or(|earlier| earlier <= Time::parse(time).unwrap()), "line {number}");
            last = (tx.to_owned(), time.to_owned());
        }
        let (_, scale) = assets.iter().find(|(symbol, _)| *symbol == asset).expect("a known asset");
        let amount = units(amount, *scale);
        assert!(amount > 0, "line {number}: {line}");
        let fee = if fee.is_empty() { 0 } else { units(fee, *scale) };
        if !from.is_empty() {
            assert_eq!(ledger::address::canonical(&id, from).as_deref(), Ok(from));
            let balance = held.balances.entry((from.to_owned(), asset.to_owned())).or_default();
            *balance = balance.checked_sub(amount + fee).unwrap_or_else(|| panic!("line {number} overdraws: {line}"));
        }
        if !to.is_empty() {
            assert_eq!(ledger::address::canonical(&id, to).as_deref(), Ok(to));
            *held.balances.entry((to.to_owned(), asset.to_owned())).or_default() += amount;
            *held.received.entry((to.to_owned(), asset.to_owned())).or_default() += amount;
            *held.payments.entry(format!("{tx}>{to}>{asset}")).or_default() += amount;
            if held.reached.contains(from) || robbers.contains(&format!("{tx}>{to}")) {
                held.reached.insert(to.to_owned());
            }
        }
    }
    held
}

/// What an incident file says is stolen: outputs, and payments as `tx>payee`, with amounts.
fn starts(made: &Made) -> (BTreeSet<String>, BTreeMap<String, String>) {
    let (mut outputs, mut payments) = (BTreeSet::new(), BTreeMap::new());
    let quoted = |line: &str| line.split('"').nth(1).expect("a quoted text").to_owned();
    for (_, yaml) in &made.papers.incidents {
        let lines: Vec<&str> = yaml.lines().map(str::trim).collect();
        for at in 0..lines.len() {
            if lines[at].starts_with("- output:") {
                assert!(outputs.insert(quoted(lines[at])), "each output once");
            } else if lines[at].starts_with("- tx:") {
                assert!(lines[at + 1].starts_with("to:") && lines[at + 2].starts_with("amount:"));
                let key = format!("{}>{}", quoted(lines[at]), quoted(lines[at + 1]));
                payments.insert(key, quoted(lines[at + 2]));
            }
        }
    }
    (outputs, payments)
}

/// Holds every rule against an exercise and returns how many places the truth has.
pub fn check(made: &Made) -> usize {
    let (outputs, payments) = starts(made);
    let robbers: BTreeSet<String> = payments.keys().cloned().collect();
    let mut ledgers = BTreeMap::new();
    let summaries = &made.papers.summary.ledgers;
    let chain = replay_chain(made, &outputs);
    assert_eq!(chain.tainted_legs, summaries[0].tainted_legs);
    ledgers.insert(summaries[0].ledger.clone(), chain);
    if made.plan.token_transactions > 0 {
        let id = "table:harbour-tokens";
        ledgers.insert(id.to_owned(), replay_table(&made.tokens, id, &[("ETHX", 18), ("USDX", 6)], &robbers));
    }
    if made.plan.bank_transactions > 0 {
        let id = "bank:EXRCFRPP";
        ledgers.insert(id.to_owned(), replay_table(&made.bank, id, &[("EUR", 2)], &robbers));
    }
    for summary in summaries {
        assert_eq!(ledgers[&summary.ledger].transactions.len() as u64, summary.transactions, "{}", summary.ledger);
    }

    let mut places = 0;
    for incident in &made.papers.truth.incidents {
        for step in &incident.steps {
            assert!(ledgers[&step.ledger].transactions.contains(&step.transaction), "{step:?}");
            assert!(step.loot.amount <= step.amount.amount, "{step:?}");
        }
        for loss in &incident.losses {
            let held = &ledgers[&loss.ledger];
            let started = started(loss, held, &outputs, &payments);
            assert!(started > 0);
            assert_eq!(started, loss.amount.amount.units(), "the starts bring the loss");
            let sum: u128 = loss.places.iter().map(|place| place.origin_amount.amount.units()).sum();
            assert_eq!(sum, started, "the account of the loot closes");
            for place in &loss.places {
                check_place(made, held, place);
                places += 1;
            }
        }
    }
    places
}

/// How much the incident file's starts bring of a loss, each held against what moved.
fn started(loss: &Loss, held: &Held, outputs: &BTreeSet<String>, payments: &BTreeMap<String, String>) -> u128 {
    if loss.asset == "BTC" {
        return outputs.iter().map(|output| held.payments[output]).sum();
    }
    let on_ledger = payments.iter().filter(|(key, _)| held.transactions.contains(key.split('>').next().unwrap()));
    let amounts = on_ledger.map(|(key, amount)| {
        let amount = units(amount, loss.amount.scale);
        assert_eq!(held.payments[&format!("{key}>{}", loss.asset)], amount, "an incident claims what moved");
        amount
    });
    amounts.sum()
}

/// A place holds, or received, what it is said to; is tagged as it should be; and could be reached.
fn check_place(made: &Made, held: &Held, place: &Place) {
    let Some(holder) = &place.holder else {
        assert!(matches!(place.kind, PlaceKind::Fee | PlaceKind::Unknown), "{place:?}");
        return;
    };
    let key = (holder.clone(), place.asset.clone());
    let amount = place.amount.amount.units();
    let tagged = made.papers.tags.contains(&format!("address: \"{holder}\""));
    let still_there = place.kind == PlaceKind::Balance && made.plan.spread_legs.is_none();
    let had = if still_there { held.balances.get(&key) } else { held.received.get(&key) };
    assert!(had.is_some_and(|had| *had >= amount), "{place:?}");
    assert_eq!(tagged, place.kind != PlaceKind::Balance, "{place:?}");
    assert!(!matches!(place.kind, PlaceKind::Fee | PlaceKind::Unknown), "{place:?}");
    assert!(held.reached.contains(holder), "no stolen unit can have reached {place:?}");
}

//! [`read`]: what bridges wrote, from data outside of any ledger: decoded deposits, logs, receipts, calldata.
//!
//! The forms are those of the published bridge data (`sample.json`, a list of decoded events; `input.csv`, calldata in a
//! table) and of JSON-RPC (logs, receipts, one answer or a list of them, or one to a line). Each item is read by itself:
//! one that cannot be is named by its place and left out. It knows nothing of what a transaction moved, and pairs nothing.

use std::collections::BTreeMap;

use decode::Fault;
use decode::fault::quoted;
use ledger::{LedgerId, Time, address, hex};
use money::Amount;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::registry::{Called, Log, Reading, Registry, chains, guess};
use crate::{Crossing, Direction};

/// The largest input.
pub const BYTES_MAX: u64 = 1 << 30;
/// The most items of an input.
const ITEMS_MAX: usize = 10_000_000;
/// What stands for a ledger that nobody named.
pub const UNKNOWN_LEDGER: &str = "table:unknown";

/// What an input tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// In order of the input.
    pub crossings: Vec<Crossing>,
    /// Calls that are known and tell of no amount themselves, by their place.
    pub bare: Vec<(u64, String)>,
    /// Items that should be crossings and could not be read, by their place (a line, or a number from 1).
    pub refused: Vec<(u64, String)>,
    /// Items that are of no bridge that is known.
    pub other: u64,
}

/// Reads an input of any of the forms. `ledger` is whose data it is, where it does not say so itself.
pub fn read(bytes: &[u8], registry: &Registry, ledger: Option<&LedgerId>) -> Result<Outside, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::whole("not UTF-8 text", "give JSON or CSV"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let unknown = LedgerId::parse(UNKNOWN_LEDGER).expect("the placeholder is an id");
    let mut reader = Reader { registry, ledger: ledger.unwrap_or(&unknown), out: Outside::default() };
    match text.trim_start().as_bytes().first() {
        None => return Err(Fault::whole("the file is empty", "give JSON or CSV")),
        Some(b'[' | b'{') => reader.json(text)?,
        Some(_) => reader.calldata(text)?,
    }
    Ok(reader.out)
}

/// A decoded event of the published data.
#[derive(Deserialize)]
struct Decoded<'a> {
    event: String,
    bridge: String,
    #[serde(borrow)]
    args: BTreeMap<String, &'a RawValue>,
    txhash: Option<String>,
    timestamp: Option<i64>,
}

/// A log of JSON-RPC.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RpcLog {
    address: String,
    topics: Vec<String>,
    data: String,
    transaction_hash: Option<String>,
    log_index: Option<String>,
    block_timestamp: Option<String>,
}

/// What may stand around items.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    /// As our own recordings have it.
    #[serde(borrow, rename = "answer")]
    recorded: Option<&'a RawValue>,
    #[serde(borrow)]
    logs: Option<&'a RawValue>,
}

/// How deep answers, lists and receipts may stand in one another.
const DEPTH_MAX: u32 = 6;

struct Reader<'a> {
    registry: &'a Registry,
    ledger: &'a LedgerId,
    out: Outside,
}

/// The bytes of `0x…`.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    hex::bytes(text.strip_prefix("0x")?)
}

fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    bytes_of(text)?.try_into().ok()
}

fn quantity(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// A log whose bytes were read.
struct Part {
    item: u64,
    index: u32,
    contract: [u8; 20],
    topics: Vec<[u8; 32]>,
    data: Vec<u8>,
}

impl Part {
    /// Where it has no index, its place in the input stands for it.
    fn of(item: u64, log: &RpcLog) -> Option<Self> {
        let topics: Vec<[u8; 32]> = log.topics.iter().map(|topic| fixed(topic)).collect::<Option<_>>()?;
        let index = log.log_index.as_deref().and_then(quantity).unwrap_or(item);
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let part = Self { item, index, contract: fixed(&log.address)?, topics, data: bytes_of(&log.data)? };
        Some(part).filter(|part| part.topics.len() <= 4)
    }

    fn log(&self) -> Log<'_> {
        Log { index: self.index, contract: self.contract, topics: &self.topics, data: &self.data }
    }
}

impl Reader<'_> {
    /// One document, or one to a line.
    fn json(&mut self, text: &str) -> Result<(), Fault> {
        let documents = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let mut logs = Vec::new();
        let mut item = 0;
        for document in documents {
            let document = document.map_err(|error| {
                let what = error.to_string();
                let what = what.split(" at line ").next().unwrap_or_default().to_owned();
                let fault = Fault::line(error.line() as u64, format!("not the expected JSON: {what}"), "");
                fault.at((error.column() as u64).max(1))
            })?;
            self.value(document.get(), &mut item, &mut logs, 0)?;
        }
        self.logs(&logs);
        Ok(())
    }

    fn value(&mut self, text: &str, item: &mut u64, logs: &mut Vec<(u64, RpcLog)>, depth: u32) -> Result<(), Fault> {
        if depth > DEPTH_MAX {
            return Err(Fault::whole(format!("lists nest deeper than {DEPTH_MAX} levels"), "give logs or receipts"));
        }
        if text.starts_with('[') {
            let items: Vec<&RawValue> =
                serde_json::from_str(text).map_err(|error| Fault::whole(format!("not a list: {error}"), ""))?;
            return items.into_iter().try_for_each(|inner| self.value(inner.get(), item, logs, depth + 1));
        }
        if text.starts_with('{')
            && let Ok(answer) = serde_json::from_str::<Answer<'_>>(text)
            && let Some(inner) = answer.result.or(answer.recorded).or(answer.logs)
        {
            return self.value(inner.get(), item, logs, depth + 1);
        }
        *item += 1;
        if *item > ITEMS_MAX as u64 {
            return Err(Fault::whole(format!("more than {ITEMS_MAX} items"), "split the file"));
        }
        if let Ok(log) = serde_json::from_str::<RpcLog>(text) {
            logs.push((*item, log));
        } else if let Ok(decoded) = serde_json::from_str::<Decoded<'_>>(text) {
            match self.decoded(&decoded) {
                Ok(crossing) => self.out.crossings.push(crossing),
                Err(what) => self.out.refused.push((*item, what)),
            }
        } else if text != "null" {
            self.out.refused.push((*item, format!("neither a log nor a decoded event: {}", quoted(text))));
        }
        Ok(())
    }

    fn decoded(&self, decoded: &Decoded<'_>) -> Result<Crossing, String> {
        let direction = match decoded.event.to_ascii_lowercase().as_str() {
            "deposit" => Direction::Deposit,
            "withdraw" | "withdrawal" => Direction::Withdrawal,
            "refund" => Direction::Refund,
            other => return Err(format!("{} is no deposit or withdrawal", quoted(other))),
        };
        let argument = |name: &str| {
            let raw = decoded.args.get(name)?.get();
            Some(serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned())).filter(|text| text != "null")
        };
        let named = |name: &str| match argument(name) {
            Some(text) => {
                chains::named(&text).map(Some).ok_or_else(|| format!("{} is no chain that is known", quoted(&text)))
            }
            None => Ok(None),
        };
        let is_deposit = direction == Direction::Deposit;
        let (here, there) = if is_deposit { ("srcChain", "dstChain") } else { ("dstChain", "srcChain") };
        // The other side may be a ledger that nobody here has a name for.
        let (here, there) = (named(here)?, named(there).unwrap_or_default());
        let ledger = here.unwrap_or_else(|| self.ledger.clone());
        let units = argument("amount").ok_or("there is no amount")?;
        let number = Some(&units).filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        let units = number
            .and_then(|text| text.parse().ok())
            .filter(|units| *units <= Amount::MAX.units())
            .ok_or_else(|| format!("{} is no amount that can be held", quoted(&units)))?;
        // An address of the ledger itself must be one; of the other side it stays as it was written where it is none.
        let holder = |name: &str, on: Option<&LedgerId>| match (argument(name), on) {
            (Some(text), Some(on)) => match address::canonical(on, &text) {
                Ok(address) => Ok(Some(address)),
                Err(error) if *on == ledger => Err(format!("{}: {error}", quoted(&text))),
                Err(_) => Ok(Some(text)),
            },
            (text, _) => Ok(text),
        };
        let asset = argument(if is_deposit { "asset_s" } else { "asset_d" }).or_else(|| argument("asset"));
        let token = match asset {
            Some(text) if ledger.namespace() == "eip155" && text.starts_with("0x") => {
                let token =
                    address::canonical(&ledger, &text).map_err(|error| format!("{}: {error}", quoted(&text)))?;
                let is_native = token.trim_start_matches("0x").bytes().all(|b| b == b'0' || b == b'e');
                Some(format!("{ledger}/erc20:{token}")).filter(|_| !is_native)
            }
            other => other,
        };
        let (payer, payee) = if is_deposit { (Some(&ledger), there.as_ref()) } else { (there.as_ref(), Some(&ledger)) };
        let protocol = self.registry.called(&decoded.bridge);
        Ok(Crossing {
            direction,
            tx: decoded.txhash.as_deref().unwrap_or_default().to_ascii_lowercase(),
            index: None,
            time: decoded.timestamp.and_then(Time::from_seconds),
            protocol: protocol.map_or_else(|| guess::slug(&decoded.bridge), |protocol| protocol.name.clone()),
            contract: String::new(),
            token,
            units,
            fee_units: None,
            sender: holder("sender", payer)?,
            recipient: holder("receiver", payee)?,
            key: None,
            other_tx: None,
            other: there,
            ledger,
        })
    }

    /// Logs by their transactions, in the order of the input.
    fn logs(&mut self, logs: &[(u64, RpcLog)]) {
        for one in logs.chunk_by(|(_, a), (_, b)| a.transaction_hash == b.transaction_hash) {
            let mut parts: Vec<Part> = Vec::with_capacity(one.len());
            for (item, log) in one {
                match Part::of(*item, log) {
                    Some(part) => parts.push(part),
                    None => {
                        let what = "the log's address, topics or data are no hexadecimal".to_owned();
                        self.out.refused.push((*item, what));
                    }
                }
            }
            let views: Vec<Log<'_>> = parts.iter().map(Part::log).collect();
            let first = one.first().map(|(_, log)| log);
            let time = first.and_then(|log| quantity(log.block_timestamp.as_deref()?));
            let reading = Reading {
                registry: self.registry,
                ledger: self.ledger,
                tx: &first.and_then(|log| log.transaction_hash.as_deref()).unwrap_or_default().to_ascii_lowercase(),
                time: time.and_then(|seconds| Time::from_seconds(i64::try_from(seconds).ok()?)),
                native: None,
                moved: &[],
            };
            let (crossings, refusals) = reading.logs(&views);
            self.out.other += (views.len() - (crossings.len() + refusals.len()).min(views.len())) as u64;
            for refusal in refusals {
                let at = parts.iter().find(|part| Some(part.index) == refusal.index);
                self.out.refused.push((at.map_or(0, |part| part.item), refusal.what));
            }
            self.out.crossings.extend(crossings);
        }
    }

    /// A table in which a cell of each row is the calldata of a call.
    fn calldata(&mut self, text: &str) -> Result<(), Fault> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
        for (place, record) in reader.records().enumerate() {
            let record = record.map_err(|error| {
                let line = error.position().map_or(0, csv::Position::line);
                Fault::line(line, "not a table", "give CSV, or JSON")
            })?;
            let line = record.position().map_or(0, csv::Position::line);
            if place >= ITEMS_MAX {
                return Err(Fault::line(line, format!("more than {ITEMS_MAX} rows"), "split the table"));
            }
            let calls = |cell: &&str| cell.starts_with("0x") && cell.len() >= 10;
            let Some(cell) = record.iter().map(str::trim).filter(calls).max_by_key(|cell| cell.len()) else {
                if place > 0 {
                    self.out.refused.push((line, "no cell of this row is calldata".to_owned()));
                }
                continue;
            };
            self.call(line, place, cell);
        }
        Ok(())
    }

    fn call(&mut self, line: u64, place: usize, cell: &str) {
        let Some(bytes) = bytes_of(cell) else {
            self.out.refused.push((line, "the calldata is no hexadecimal".to_owned()));
            return;
        };
        let reading =
            Reading { registry: self.registry, ledger: self.ledger, tx: "", time: None, native: None, moved: &[] };
        match reading.call(None, &bytes) {
            Ok(Some(Called { crossing: Some(mut crossing), .. })) => {
                // Its row, the header apart: calldata has no other place.
                crossing.index = u32::try_from(place.saturating_sub(1)).ok();
                self.out.crossings.push(crossing);
            }
            Ok(Some(Called { crossing: None, text })) => self.out.bare.push((line, text)),
            Ok(None) => self.out.other += 1,
            Err(refusal) => self.out.refused.push((line, refusal.what)),
        }
    }
}

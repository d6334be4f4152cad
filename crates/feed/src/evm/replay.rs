//! [`Replay`]: recorded JSON-RPC answers as a [`Source`]: a folder of files that hold answers one by one, in arrays or
//! line by line, bare or beside what was asked. Bare ones are told apart by their shape.
//!
//! Only where each answer lies is kept in memory. Packed files are unpacked once, into a temporary file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::means::{BLOCK, GETH, LOGS, PARITY, RECEIPTS};
use super::options::EvmOptions;
use super::shape::{Shape, shape};
use super::source::{Answer, NodeHeads, Place, Question, Raw, RawLogs, RawTraces, Source, quantity};
use crate::error::FeedError;
use crate::input::{Input, temporary};
use crate::wire::NodeError;

/// The most files in a folder of recordings.
pub const REPLAY_FILES_MAX: usize = 10_000_000;
/// The longest file of recordings, unpacked: it is looked at as a whole.
pub const REPLAY_FILE_BYTES_MAX: u64 = 4 << 30;

/// Where an answer lies.
#[derive(Clone, Copy, Debug)]
struct Spot {
    /// Which file; the one past the last is the unpacked ones'.
    file: usize,
    start: u64,
    bytes: usize,
}

/// What is recorded of a block.
#[derive(Clone, Copy, Debug, Default)]
struct Spots {
    head: Option<([u8; 32], [u8; 32])>,
    transactions: usize,
    block: Option<Spot>,
    receipts: Option<Spot>,
    logs: Option<Spot>,
    parity: Option<Spot>,
    geth: Option<Spot>,
}

/// A folder of recorded answers.
pub(crate) struct Replay {
    folder: PathBuf,
    files: Vec<PathBuf>,
    unpacked: Mutex<File>,
    unpacked_bytes: u64,
    blocks: BTreeMap<u64, Spots>,
    calls: BTreeMap<(String, String), Spot>,
    /// Geth's traces do not name their block: the hash of their first transaction does.
    loose_traces: Vec<(String, Spot)>,
    first_transactions: BTreeMap<String, u64>,
    chain: Option<u64>,
    chain_in_blocks: Option<u64>,
}

/// One recorded value: an answer, perhaps with what was asked beside it.
#[derive(Deserialize)]
struct Recorded<'a> {
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    answer: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
}

/// An answer's frame.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<Refusal<'a>>,
}

#[derive(Deserialize)]
struct Refusal<'a> {
    code: i64,
    #[serde(borrow, default)]
    message: Cow<'a, str>,
}

impl Replay {
    /// Looks through a folder.
    pub fn open(folder: &Path) -> Result<Self, FeedError> {
        let files = files(folder)?;
        let unpacked = temporary(&std::env::temp_dir())?;
        let mut replay = Self {
            folder: folder.to_owned(),
            files,
            unpacked: Mutex::new(unpacked),
            unpacked_bytes: 0,
            blocks: BTreeMap::new(),
            calls: BTreeMap::new(),
            loose_traces: Vec::new(),
            first_transactions: BTreeMap::new(),
            chain: None,
            chain_in_blocks: None,
        };
        for file in 0..replay.files.len() {
            replay.index(file)?;
        }
        for (transaction, spot) in std::mem::take(&mut replay.loose_traces) {
            if let Some(height) = replay.first_transactions.get(&transaction) {
                replay.blocks.entry(*height).or_default().geth = Some(spot);
            }
        }
        if replay.blocks.values().all(|spots| spots.block.is_none()) {
            let what =
                "there is no recorded block in it; give a folder with answers of eth_getBlockByNumber".to_owned();
            return Err(FeedError::Source { file: folder.display().to_string(), what });
        }
        Ok(replay)
    }

    /// The number of the chain: as it was recorded, or as the user says, or as the blocks' transactions state it.
    pub fn chain(&self, options: &EvmOptions) -> Result<u64, NodeError> {
        let number = self.chain.or(options.chain).or(self.chain_in_blocks);
        number.ok_or_else(|| {
            let what = "no answer says which chain it is of; say it with --ledger eip155:NUMBER".to_owned();
            NodeError::Chain { node: self.name(), what }
        })
    }

    fn index(&mut self, file: usize) -> Result<(), FeedError> {
        let name = self.files[file].display().to_string();
        let failed = |what: String| FeedError::Source { file: name.clone(), what };
        let input = Input::open(&self.files[file], &std::env::temp_dir(), &mut ())?;
        let mut text = String::new();
        let mut reading = input.read()?.take(REPLAY_FILE_BYTES_MAX + 1);
        reading.read_to_string(&mut text).map_err(|error| failed(format!("cannot be read: {error}")))?;
        if text.len() as u64 > REPLAY_FILE_BYTES_MAX {
            return Err(failed(format!("longer than the {REPLAY_FILE_BYTES_MAX} bytes that a recording may have")));
        }
        let (place, base) = if input.is_packed() {
            let mut unpacked = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
            unpacked.write_all(text.as_bytes()).map_err(|error| failed(format!("cannot be unpacked: {error}")))?;
            let base = self.unpacked_bytes;
            self.unpacked_bytes += text.len() as u64;
            (self.files.len(), base)
        } else {
            (file, 0)
        };
        let mut values = serde_json::Deserializer::from_str(&text).into_iter::<&RawValue>();
        loop {
            match values.next() {
                None => return Ok(()),
                Some(Err(error)) => {
                    return Err(failed(format!(
                        "{error}: this is no recorded answer, or it is cut off; record it again"
                    )));
                }
                Some(Ok(value)) => {
                    let json = value.get();
                    // Several answers to several questions stand in an array.
                    let many: Vec<&RawValue> = if json.starts_with('[') {
                        serde_json::from_str(json).unwrap_or_default()
                    } else {
                        vec![value]
                    };
                    for one in many {
                        let start = base + (one.get().as_ptr() as usize - text.as_ptr() as usize) as u64;
                        self.take(one.get(), Spot { file: place, start, bytes: one.get().len() });
                    }
                }
            }
        }
    }

    /// Notes where an answer lies; what is none that is wanted is passed over.
    fn take(&mut self, json: &str, spot: Spot) {
        let Ok(recorded) = serde_json::from_str::<Recorded<'_>>(json) else { return };
        let asked = recorded.method.as_deref().unwrap_or_default();
        let frame = recorded.answer.map_or(json, RawValue::get);
        let offset = (frame.as_ptr() as usize - json.as_ptr() as usize) as u64;
        let spot = Spot { start: spot.start + offset, bytes: frame.len(), ..spot };
        let params = recorded.params.map(RawValue::get).unwrap_or_default();
        let result = match recorded.answer {
            None => recorded.result,
            Some(answer) => serde_json::from_str::<Frame<'_>>(answer.get()).ok().and_then(|frame| frame.result),
        };
        if matches!(asked, "eth_call" | "eth_getBalance") {
            self.calls.insert((asked.to_owned(), compact(params)), spot);
            return;
        }
        let Some(result) = result else { return };
        if asked == "eth_chainId" {
            self.chain = serde_json::from_str::<Cow<'_, str>>(result.get()).ok().and_then(|text| quantity(&text));
            return;
        }
        // An empty list could be of anything: what was asked tells.
        let asked_height = || {
            let params: Vec<serde_json::Value> = serde_json::from_str(params).ok()?;
            let first = params.first()?;
            let text = first.as_str().or_else(|| first.get("fromBlock")?.as_str())?;
            quantity(text)
        };
        match shape(result.get()) {
            Shape::Block(block) => {
                self.chain_in_blocks = self.chain_in_blocks.or(block.chain);
                if let Some(transaction) = block.first_transaction {
                    self.first_transactions.insert(transaction, block.height);
                }
                let spots = self.blocks.entry(block.height).or_default();
                let head = Some((block.hash, block.parent));
                // Some recordings have a block again without its transactions, with what was filtered out of it.
                if spots.head != head || block.transactions >= spots.transactions {
                    (spots.head, spots.transactions, spots.block) = (head, block.transactions, Some(spot));
                }
            }
            Shape::Receipts(height) => self.blocks.entry(height).or_default().receipts = Some(spot),
            Shape::Logs(height) => self.blocks.entry(height).or_default().logs = Some(spot),
            Shape::Parity(height) => self.blocks.entry(height).or_default().parity = Some(spot),
            Shape::Geth(transaction) => self.loose_traces.push((transaction, spot)),
            Shape::Empty => {
                if let Some(height) = asked_height() {
                    let spots = self.blocks.entry(height).or_default();
                    match asked {
                        RECEIPTS => spots.receipts = Some(spot),
                        LOGS => spots.logs = Some(spot),
                        PARITY => spots.parity = Some(spot),
                        GETH => spots.geth = Some(spot),
                        _ => {}
                    }
                }
            }
            Shape::Other => {}
        }
    }

    /// The text of an answer's frame.
    fn text(&self, spot: Spot) -> Result<String, NodeError> {
        let name = self.files.get(spot.file).unwrap_or(&self.folder).display().to_string();
        let read = || {
            let mut bytes = vec![0; spot.bytes];
            match self.files.get(spot.file) {
                Some(path) => {
                    let mut file = File::open(path)?;
                    file.seek(SeekFrom::Start(spot.start))?;
                    file.read_exact(&mut bytes)?;
                }
                None => {
                    let mut file = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
                    file.seek(SeekFrom::Start(spot.start))?;
                    file.read_exact(&mut bytes)?;
                }
            }
            String::from_utf8(bytes).map_err(std::io::Error::other)
        };
        read().map_err(|error| NodeError::Address {
            given: name,
            what: format!("has changed, or cannot be read: {error}"),
        })
    }

    /// An answer; a refusal that was recorded is one.
    fn answer(&self, asked: &str, spot: Spot) -> Result<Answer, NodeError> {
        let text = self.text(spot)?;
        let strange = |what: String| NodeError::Answer { node: self.name(), asked: asked.to_owned(), what };
        let frame: Frame<'_> = serde_json::from_str(&text).map_err(|error| strange(error.to_string()))?;
        if let Some(Refusal { code, message }) = frame.error {
            let (asked, says) = (asked.to_owned(), message.into_owned());
            return Ok(Err(NodeError::Rpc { node: self.name(), asked, code, says }));
        }
        Ok(Ok(frame.result.map_or("null", RawValue::get).to_owned()))
    }

    fn missing(&self, height: u64) -> NodeError {
        let what = "the recording does not have it".to_owned();
        NodeError::Block { node: self.name(), height, hash: String::new(), what }
    }
}

impl Source for Replay {
    fn name(&self) -> String {
        self.folder.display().to_string()
    }

    fn is_live(&self) -> bool {
        false
    }

    fn heads(&self) -> Result<NodeHeads, NodeError> {
        let last = self.blocks.iter().rev().find_map(|(height, spots)| Some((*height, spots.head?.0)));
        let (height, hash) = last.ok_or_else(|| self.missing(0))?;
        Ok(NodeHeads { latest: Place { height, hash }, safe: None, finalized: None })
    }

    fn hash(&self, height: u64) -> Result<Option<[u8; 32]>, NodeError> {
        let head = |height: u64| self.blocks.get(&height).and_then(|spots| spots.head);
        let of_next = || height.checked_add(1).and_then(head).map(|(_, parent)| parent);
        Ok(head(height).map(|(hash, _)| hash).or_else(of_next))
    }

    fn raw(&self, height: u64) -> Result<Raw, NodeError> {
        let spots = self.blocks.get(&height).copied().unwrap_or_default();
        let text = |asked: &str, spot: Option<Spot>| match spot.map(|spot| self.answer(asked, spot)).transpose()? {
            None | Some(Err(_)) => Ok::<_, NodeError>(None),
            Some(Ok(json)) => Ok(Some(json)),
        };
        let block = text(BLOCK, spots.block)?.ok_or_else(|| self.missing(height))?;
        let logs = match text(RECEIPTS, spots.receipts)? {
            Some(json) => RawLogs::Receipts(json),
            None => text(LOGS, spots.logs)?.map_or(RawLogs::None, RawLogs::Logs),
        };
        let traces = match text(PARITY, spots.parity)? {
            Some(json) => RawTraces::Parity(json),
            None => text(GETH, spots.geth)?.map_or(RawTraces::None, RawTraces::Geth),
        };
        Ok(Raw { block, logs, traces, notes: Vec::new() })
    }

    fn ask(&self, questions: &[Question]) -> Result<Vec<Answer>, NodeError> {
        let one =
            |Question { method, params }: &Question| match self.calls.get(&((*method).to_owned(), compact(params))) {
                Some(spot) => self.answer(method, *spot),
                // Nobody asked then.
                None => {
                    let (asked, says) = ((*method).to_owned(), "it was not recorded".to_owned());
                    Ok(Err(NodeError::Rpc { node: self.name(), asked, code: 0, says }))
                }
            };
        questions.iter().map(one).collect()
    }

    fn first(&self) -> Option<u64> {
        self.blocks.iter().find(|(_, spots)| spots.block.is_some()).map(|(height, _)| *height)
    }

    fn meet_again(&self) -> Result<(), NodeError> {
        Ok(())
    }
}

/// JSON without the white space that people put in, and with the keys in one order.
fn compact(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json).map_or_else(|_| json.to_owned(), |value| value.to_string())
}

/// The files of a folder that may hold answers, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, FeedError> {
    let failed = |what: String| FeedError::Source { file: folder.display().to_string(), what };
    let read = |folder: &Path| std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>();
    let entries = read(folder).map_err(|error| failed(format!("this is no folder that can be read: {error}")))?;
    if entries.len() > REPLAY_FILES_MAX {
        return Err(failed(format!("there are more than {REPLAY_FILES_MAX} files in it")));
    }
    let mut files: Vec<PathBuf> =
        entries.into_iter().map(|entry| entry.path()).filter(|path| is_answers(path)).collect();
    files.sort_unstable();
    if files.is_empty() {
        return Err(failed("there is no *.json or *.ndjson file in it".to_owned()));
    }
    Ok(files)
}

fn is_answers(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    !name.starts_with('.') && [".json", ".ndjson", ".jsonl"].iter().any(|end| name.ends_with(end))
}

//! [`EvmNode`]: an EVM node over JSON-RPC as a [`Source`]: questions in batches where it takes them, in the pace that
//! it bears, by the best way that it offers. What its answers mean is `evm`'s to say.
//!
//! Sources: the execution API specification (`eth_…`), the documentation of Erigon and Nethermind (`trace_block`),
//! and of Geth (`debug_traceBlockByNumber`, `callTracer`).

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use super::means::{BLOCK, LOGS, Means, Probe, RECEIPT, RECEIPTS, ReceiptsBy, Refusal, TracesBy, refusal};
use super::options::{EvmOptions, WantedTraces};
use super::pace::Pace;
use super::source::{Answer, NodeHeads, Place, Question, Raw, RawLogs, RawTraces, Source, hash_bytes, quantity};
use crate::wire::{Dialect, Form, Login, NodeAddress, NodeError, Rpc};

/// Where an EVM node listens by default; providers put a key into the path.
pub const EVM_FORM: Form = Form { port: 8545, has_path: true };

/// How EVM nodes and their providers are spoken with.
const DIALECT: Dialect = Dialect {
    kind: "an EVM node",
    refused: "is the node running, with its HTTP API open?",
    forbidden: "; see its allowed hosts, or the key in the address",
    users: "",
    login: "give http://USER:PASSWORD@HOST, or a token in TRACEHOUND_RPC_TOKEN",
    starting: None,
    // "Limit exceeded" (EIP-1474), and what providers say as HTTP does.
    busy: &[-32005, 429],
};

/// How often a question is asked again that the node finds too much, and how long it waits at first and at most.
const BUSY_TRIES_MAX: u32 = 6;
const BUSY_TIME: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(20)];
/// How often a question is asked again where a connection broke.
const CUT_TRIES_MAX: u32 = 3;
/// How often a question is asked in all that the node answers with an error of its own inside.
const DOUBTFUL_TRIES_MAX: u32 = 3;
/// "Method not found".
const CODE_NO_METHOD: i64 = -32601;
/// How many questions go into one request.
const BATCH_MAX: usize = 100;
/// The longest answer about a header, a contract or a balance, times the questions in a request.
const SMALL_BYTES_MAX: u64 = 16 << 20;

/// An EVM node.
pub(crate) struct EvmNode {
    rpc: Rpc,
    chain: u64,
    pace: Pace,
    probe: Probe,
    means: Mutex<Option<Means>>,
    answer_bytes_max: u64,
    /// It refused to take several questions in one request.
    has_no_batches: AtomicBool,
    /// It tells inner calls in one way alone.
    has_no_other_traces: AtomicBool,
}

/// A block's head, as far as it is read here.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    number: Cow<'a, str>,
    #[serde(borrow)]
    hash: Cow<'a, str>,
}

/// A block's transactions, as far as they are read here.
#[derive(Deserialize)]
struct Contents<'a> {
    #[serde(borrow)]
    hash: Cow<'a, str>,
    #[serde(borrow)]
    transactions: Vec<Named<'a>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    hash: Cow<'a, str>,
}

impl EvmNode {
    /// Asks the node which chain it is on.
    pub fn connect(
        address: &NodeAddress,
        login: &Login,
        headers: &[(String, String)],
        options: &EvmOptions,
    ) -> Result<Self, NodeError> {
        let rpc = Rpc::with_headers(address.clone(), login.clone(), &DIALECT, headers.to_vec());
        let node = Self {
            rpc,
            chain: 0,
            pace: Pace::new(options.rate),
            probe: Probe { wanted: options.traces },
            means: Mutex::new(None),
            answer_bytes_max: options.answer_bytes_max,
            has_no_batches: AtomicBool::new(false),
            has_no_other_traces: AtomicBool::new(false),
        };
        let chain = node.chain_number()?;
        Ok(Self { chain, ..node })
    }

    /// The number of its chain.
    pub fn chain(&self) -> u64 {
        self.chain
    }

    fn chain_number(&self) -> Result<u64, NodeError> {
        let said = self.call("eth_chainId", "[]", SMALL_BYTES_MAX)?;
        let number = serde_json::from_str::<&str>(&said).ok().and_then(quantity);
        number.ok_or_else(|| self.rpc.strange("eth_chainId", &format!("{said} is no number of a chain")))
    }

    /// What the node offers, found out once.
    pub fn means(&self) -> Result<Means, NodeError> {
        let mut means = self.means.lock().unwrap_or_else(PoisonError::into_inner);
        if means.is_none() {
            *means =
                Some(self.probe.look(&self.name(), &|question| {
                    self.call(question.method, &question.params, self.answer_bytes_max)
                })?);
        }
        Ok(means.expect("it was found just now"))
    }

    /// Asks in the pace that the node bears, again where it finds that too much or the connection broke.
    fn patiently<T>(&self, questions: usize, ask: impl Fn() -> Result<T, NodeError>) -> Result<T, NodeError> {
        let (mut busy, mut cut, mut wait) = (0, 0, BUSY_TIME[0]);
        loop {
            self.pace.take(questions);
            match ask() {
                Err(NodeError::Busy { after, .. }) if busy < BUSY_TRIES_MAX => {
                    busy += 1;
                    self.pace.hold(after.unwrap_or(wait));
                    wait = (wait * 2).min(BUSY_TIME[1]);
                }
                Err(NodeError::Away { .. }) if cut + 1 < CUT_TRIES_MAX => {
                    cut += 1;
                    thread::sleep(BUSY_TIME[0] * cut);
                }
                answer => return answer,
            }
        }
    }

    fn call(&self, method: &str, params: &str, limit: u64) -> Result<String, NodeError> {
        self.patiently(1, || self.rpc.call_raw(method, params, limit, |json| Ok(json.to_owned())))
    }

    /// The answers to questions, in order; a refusal stands for one answer.
    fn many(&self, questions: &[Question], limit: u64) -> Result<Vec<Answer>, NodeError> {
        let mut answers = Vec::with_capacity(questions.len());
        for part in questions.chunks(BATCH_MAX) {
            answers.extend(self.batch(part, limit)?);
        }
        Ok(answers)
    }

    fn batch(&self, questions: &[Question], limit: u64) -> Result<Vec<Answer>, NodeError> {
        if questions.len() < 2 || self.has_no_batches.load(Ordering::Relaxed) {
            return self.one_by_one(questions, limit);
        }
        let asked: Vec<(&str, String)> =
            questions.iter().map(|question| (question.method, question.params.clone())).collect();
        let read = |answer: Result<&str, NodeError>| match answer {
            Ok(json) => Ok(Ok(json.to_owned())),
            Err(error @ NodeError::Rpc { .. }) => Ok(Err(error)),
            Err(error) => Err(error),
        };
        match self.patiently(asked.len(), || self.rpc.many(&asked, limit, read)) {
            // One refusal for all of them: it takes no batches, or not so many in one.
            Err(NodeError::Rpc { .. }) => {
                let answers = self.one_by_one(questions, limit)?;
                self.has_no_batches.store(true, Ordering::Relaxed);
                Ok(answers)
            }
            answers => answers,
        }
    }

    fn one_by_one(&self, questions: &[Question], limit: u64) -> Result<Vec<Answer>, NodeError> {
        let one = |question: &Question| match self.call(question.method, &question.params, limit) {
            Err(error @ NodeError::Rpc { .. }) => Ok(Err(error)),
            Err(error) => Err(error),
            Ok(json) => Ok(Ok(json)),
        };
        questions.iter().map(one).collect()
    }

    fn head(&self, method: &str, json: &str) -> Result<Option<Place>, NodeError> {
        if json == "null" {
            return Ok(None);
        }
        let head: Head<'_> =
            serde_json::from_str(json).map_err(|error| self.rpc.strange(method, &error.to_string()))?;
        let place = quantity(&head.number).zip(hash_bytes(&head.hash)).map(|(height, hash)| Place { height, hash });
        place.map(Some).ok_or_else(|| self.rpc.strange(method, "the block's number or hash is none"))
    }

    /// What is wrong with what it says about a block.
    fn wrong(&self, height: u64, what: impl Into<String>) -> NodeError {
        NodeError::Block { node: self.name(), height, hash: String::new(), what: what.into() }
    }

    /// An answer that is worth something: what a node says in haste is asked about again.
    fn settled<T>(answer: Result<T, NodeError>, again: impl Fn() -> Result<T, NodeError>) -> Result<T, NodeError> {
        let mut answer = answer;
        for tried in 1..DOUBTFUL_TRIES_MAX {
            match &answer {
                Err(error) if refusal(error) == Refusal::Doubtful => thread::sleep(BUSY_TIME[0] * tried),
                _ => break,
            }
            answer = again();
        }
        answer
    }

    /// Whether a refusal, after all, means that the next best way is to be tried.
    fn is_way_closed(error: &NodeError) -> bool {
        matches!(refusal(error), Refusal::NotTold | Refusal::Doubtful)
    }

    /// Inner calls, by the best way in which the node tells this block's.
    fn traces_of(
        &self,
        height: u64,
        first: TracesBy,
        answer: Answer,
        notes: &mut Vec<String>,
    ) -> Result<RawTraces, NodeError> {
        let at = format!("{height:#x}");
        let ask = |by: TracesBy| {
            let question = by.question(&at).expect("it is asked by a way that there is");
            self.call(question.method, &question.params, self.answer_bytes_max)
        };
        let (mut by, mut answer) = (first, answer);
        loop {
            match Self::settled(answer, || ask(by)) {
                Ok(json) => return Ok(by.answered(json)),
                // Nobody can have called anybody before there was a block.
                Err(NodeError::Rpc { .. }) if height == 0 => return Ok(first.nothing()),
                Err(error) if self.probe.wanted == WantedTraces::Auto && Self::is_way_closed(&error) => {
                    notes.push(error.bare());
                    by = by.next();
                    if by == TracesBy::Nothing || self.has_no_other_traces.load(Ordering::Relaxed) {
                        return Ok(RawTraces::None);
                    }
                    answer = ask(by);
                    if let Err(NodeError::Rpc { code: CODE_NO_METHOD, .. }) = &answer {
                        self.has_no_other_traces.store(true, Ordering::Relaxed);
                        return Ok(RawTraces::None);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Receipts or logs, by the best way in which the node tells this block's.
    fn receipts_of(
        &self,
        height: u64,
        block: &str,
        first: ReceiptsBy,
        answer: Option<Answer>,
        notes: &mut Vec<String>,
    ) -> Result<RawLogs, NodeError> {
        let mut by = first;
        if let Some(answer) = answer {
            let at = format!(r#"["{height:#x}"]"#);
            match Self::settled(answer, || self.call(RECEIPTS, &at, self.answer_bytes_max)) {
                Ok(json) => return Ok(RawLogs::Receipts(json)),
                Err(error) if Self::is_way_closed(&error) => {
                    notes.push(error.bare());
                    by = by.next();
                }
                Err(error) => return Err(error),
            }
        }
        loop {
            match Self::settled(self.logs_of(height, block, by), || self.logs_of(height, block, by)) {
                Err(error) if Self::is_way_closed(&error) => {
                    notes.push(error.bare());
                    by = by.next();
                }
                logs => return logs,
            }
        }
    }

    /// Receipts or logs, where the block must be known before they can be asked for.
    fn logs_of(&self, height: u64, block: &str, by: ReceiptsBy) -> Result<RawLogs, NodeError> {
        if by == ReceiptsBy::Nothing {
            return Ok(RawLogs::None);
        }
        let contents: Contents<'_> =
            serde_json::from_str(block).map_err(|error| self.wrong(height, format!("{BLOCK}: {error}")))?;
        let is_hash = |text: &str| hash_bytes(text).is_some();
        if !is_hash(&contents.hash) || !contents.transactions.iter().all(|transaction| is_hash(&transaction.hash)) {
            return Err(self.wrong(height, format!("{BLOCK}: what should be a hash is none")));
        }
        if by == ReceiptsBy::Logs {
            let params = format!(r#"[{{"blockHash":"{}"}}]"#, contents.hash);
            return Ok(RawLogs::Logs(self.call(LOGS, &params, self.answer_bytes_max)?));
        }
        let question =
            |transaction: &Named<'_>| Question { method: RECEIPT, params: format!(r#"["{}"]"#, transaction.hash) };
        let questions: Vec<Question> = contents.transactions.iter().map(question).collect();
        let receipts: Vec<String> =
            self.many(&questions, self.answer_bytes_max)?.into_iter().collect::<Result<_, NodeError>>()?;
        Ok(RawLogs::Receipts(format!("[{}]", receipts.join(","))))
    }
}

impl Source for EvmNode {
    fn name(&self) -> String {
        self.rpc.node()
    }

    fn is_live(&self) -> bool {
        true
    }

    fn heads(&self) -> Result<NodeHeads, NodeError> {
        let question = |tag: &str| Question { method: BLOCK, params: format!(r#"["{tag}",false]"#) };
        let questions = ["latest", "safe", "finalized"].map(question);
        let answers = self.many(&questions, SMALL_BYTES_MAX)?;
        let [latest, safe, finalized]: [Answer; 3] =
            answers.try_into().map_err(|_| self.rpc.strange(BLOCK, "the answers are not those to the questions"))?;
        let latest = self.head(BLOCK, &latest?)?.ok_or_else(|| self.rpc.strange(BLOCK, "there is no latest block"))?;
        // Chains without such blocks, and nodes that do not know the words, refuse or say null.
        let height = |answer: Answer| match answer {
            Ok(json) => Ok(self.head(BLOCK, &json)?.map(|place| place.height)),
            Err(_) => Ok::<_, NodeError>(None),
        };
        Ok(NodeHeads { latest, safe: height(safe)?, finalized: height(finalized)? })
    }

    fn hash(&self, height: u64) -> Result<Option<[u8; 32]>, NodeError> {
        let said = self.call(BLOCK, &format!(r#"["{height:#x}",false]"#), SMALL_BYTES_MAX)?;
        match self.head(BLOCK, &said)? {
            Some(place) if place.height != height => {
                Err(self.wrong(height, format!("{BLOCK}: the answer is block {}", place.height)))
            }
            place => Ok(place.map(|place| place.hash)),
        }
    }

    fn raw(&self, height: u64) -> Result<Raw, NodeError> {
        let means = self.means()?;
        let at = format!("{height:#x}");
        let mut questions = vec![Question { method: BLOCK, params: format!(r#"["{at}",true]"#) }];
        if means.receipts == ReceiptsBy::Block {
            questions.push(Question { method: RECEIPTS, params: format!(r#"["{at}"]"#) });
        }
        questions.extend(means.traces.question(&at));
        let mut answers = self.many(&questions, self.answer_bytes_max)?.into_iter();
        let mut next = || answers.next().expect("there is an answer to each question");
        let block = next()?;
        if block == "null" {
            return Err(self.wrong(height, format!("{BLOCK}: the node does not have it")));
        }
        let mut notes = Vec::new();
        let of_block = if means.receipts == ReceiptsBy::Block { Some(next()) } else { None };
        let of_calls = if means.traces == TracesBy::Nothing { None } else { Some(next()) };
        let logs = self.receipts_of(height, &block, means.receipts, of_block, &mut notes)?;
        let traces = match of_calls {
            None => RawTraces::None,
            Some(answer) => self.traces_of(height, means.traces, answer, &mut notes)?,
        };
        Ok(Raw { block, logs, traces, notes })
    }

    fn ask(&self, questions: &[Question]) -> Result<Vec<Answer>, NodeError> {
        self.many(questions, SMALL_BYTES_MAX)
    }

    fn first(&self) -> Option<u64> {
        None
    }

    fn meet_again(&self) -> Result<(), NodeError> {
        *self.means.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.has_no_other_traces.store(false, Ordering::Relaxed);
        let number = self.chain_number()?;
        if number == self.chain {
            return Ok(());
        }
        let what = format!("the node is on another chain now: number {number}, and not {}", self.chain);
        Err(NodeError::Chain { node: self.name(), what })
    }
}

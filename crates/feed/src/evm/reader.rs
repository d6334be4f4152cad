//! [`Reader`]: from a source's answers to a block that the book can take: tokens asked about, decoded, checked; asked
//! again within a bound where the answers cannot be right.
//!
//! Several threads read blocks at a time. What a block decodes to does not depend on which comes first: before it is
//! decoded, every token in it has been asked about.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use evm::{Chain, Decoded, KeepEvents, Token, Tokens};

use super::drift::{self, Checking, Stated};
use super::means::BLOCK;
use super::options::EvmOptions;
use super::record::{Answered, Record};
use super::source::{Answer, Question, Source, stated_height};
use super::tokens::{decimals, is_revert, questions, symbol};
use crate::wire::NodeError;

/// How often a live node is asked in all about a block whose answers cannot be right.
const TRIES_MAX: u32 = 5;
/// How long to wait before it is asked again, at first; twice as long each time.
const AGAIN_TIME: Duration = Duration::from_millis(100);
/// How often a node is asked in all for what a contract says.
const CALL_TRIES_MAX: u32 = 3;

/// A block, ready for the book.
pub(super) struct Ready {
    /// The block and what is beside it.
    pub decoded: Decoded,
    /// What the source could not tell.
    pub notes: Vec<String>,
    /// What the chain says of balances that are checked.
    pub stated: Vec<Stated>,
}

/// Reads blocks of one chain from one source.
pub(super) struct Reader<'a> {
    source: &'a dyn Source,
    chain: Chain,
    keep: KeepEvents,
    tokens: RwLock<Tokens>,
    /// Contracts that were asked about, so that those that say nothing are not asked again.
    asked: Mutex<BTreeSet<[u8; 20]>>,
    checking: Checking,
    record: Option<Record>,
}

impl<'a> Reader<'a> {
    pub fn new(
        source: &'a dyn Source,
        chain: Chain,
        tokens: Tokens,
        options: &EvmOptions,
        record: Option<Record>,
    ) -> Self {
        let checking = Checking { all: options.check_balances, tokens: options.rebasing.clone() };
        let (tokens, asked) = (RwLock::new(tokens), Mutex::default());
        Self { source, chain, keep: options.keep.clone(), tokens, asked, checking, record }
    }

    /// The block at a height.
    pub fn block(&self, height: u64) -> Result<Ready, NodeError> {
        let tries = if self.source.is_live() { TRIES_MAX } else { 1 };
        let mut wait = AGAIN_TIME;
        for tried in 1.. {
            match self.block_once(height) {
                Err(error) if !error.is_passing() && tried < tries => {
                    thread::sleep(wait);
                    wait *= 2;
                }
                Err(NodeError::Answer { node, asked, what }) => {
                    let what = format!("{asked}: {what}");
                    return Err(NodeError::Block { node, height, hash: String::new(), what });
                }
                Err(NodeError::Rpc { node, asked, code, says }) => {
                    let what = format!("{asked}: error {code}: {says}");
                    return Err(NodeError::Block { node, height, hash: String::new(), what });
                }
                block => return block,
            }
        }
        unreachable!("the last try comes back")
    }

    fn block_once(&self, height: u64) -> Result<Ready, NodeError> {
        let raw = self.source.raw(height)?;
        let wrong = |fault: evm::BlockFault| self.wrong(height, fault.to_string());
        let answers =
            evm::Answers::read(&self.chain, &raw.material()).map_err(|fault| match stated_height(&raw.block) {
                // What is of another block contradicts everything else; that is not the fault of everything else.
                Some(other) if other != height => self.wrong(height, format!("{BLOCK}: the answer is block {other}")),
                _ => wrong(fault),
            })?;
        if answers.height() != height {
            return Err(self.wrong(height, format!("{BLOCK}: the answer is block {}", answers.height())));
        }
        let mut answered = self.learn(answers.tokens())?;
        let (decoded, wanted) = {
            let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
            let decoded = answers.decode(&self.chain, &tokens, &self.keep).map_err(wrong)?;
            let wanted = self.checking.wanted(&decoded, self.chain.number, &self.chain.native.symbol, &tokens);
            (decoded, wanted)
        };
        let mut notes = raw.notes.clone();
        let stated = self.balances(height, wanted, &mut answered, &mut notes)?;
        if let Some(record) = &self.record {
            record.block(height, &raw, &answered)?;
        }
        Ok(Ready { decoded, notes, stated })
    }

    fn wrong(&self, height: u64, what: String) -> NodeError {
        NodeError::Block { node: self.source.name(), height, hash: String::new(), what }
    }

    /// Asks what holders have before and after a block. What the chain does not say is noted, and not compared.
    fn balances(
        &self,
        height: u64,
        wanted: Vec<(String, String)>,
        answered: &mut Vec<Answered>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Stated>, NodeError> {
        let asked: Vec<Vec<Question>> =
            wanted.iter().map(|(holder, asset)| drift::questions(holder, asset, height)).collect();
        let questions = asked.concat();
        let answers = self.ask(&questions)?;
        let mut rest = answers.as_slice();
        let mut all = Vec::with_capacity(wanted.len());
        for ((holder, asset), asked) in wanted.into_iter().zip(&asked) {
            let (its, others) = rest.split_at(asked.len());
            rest = others;
            let before = if let [before, _] = its { drift::stated(before) } else { None };
            let after = its.last().and_then(drift::stated);
            let unsaid = its.iter().filter(|answer| drift::stated(answer).is_none());
            for note in unsaid.map(|answer| drift::unsaid(&asset, answer)) {
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
            all.push(Stated { holder, asset, before, after });
        }
        answered.extend(questions.into_iter().zip(answers).map(|(question, answer)| Answered { question, answer }));
        Ok(all)
    }

    /// Asks about the tokens of a block that nobody has said anything of.
    fn learn(&self, mut new: Vec<[u8; 20]>) -> Result<Vec<Answered>, NodeError> {
        {
            let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let is_known = |contract: &[u8; 20]| {
                asked.contains(contract) || tokens.get(contract).is_some_and(|token| token.decimals.is_some())
            };
            new.retain(|contract| !is_known(contract));
        }
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let questions: Vec<Question> = new.iter().flat_map(questions).collect();
        let answers = self.ask(&questions)?;
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        for (contract, said) in new.iter().zip(answers.chunks(2)) {
            let known = tokens.get(contract).cloned().unwrap_or_default();
            let symbol = if known.symbol.is_empty() { symbol(&said[1]) } else { known.symbol };
            tokens
                .add(*contract, Token { symbol, decimals: decimals(&said[0]).or(known.decimals), flags: known.flags });
            asked.insert(*contract);
        }
        Ok(questions.into_iter().zip(answers).map(|(question, answer)| Answered { question, answer }).collect())
    }

    /// Asks, and again what the node refused without the contract having done so.
    pub fn ask(&self, questions: &[Question]) -> Result<Vec<Answer>, NodeError> {
        let mut answers = self.source.ask(questions)?;
        let mut wait = AGAIN_TIME;
        for _ in 1..if self.source.is_live() { CALL_TRIES_MAX } else { 1 } {
            let doubtful: Vec<usize> =
                (0..answers.len()).filter(|at| answers[*at].as_ref().is_err_and(|error| !is_revert(error))).collect();
            if doubtful.is_empty() {
                break;
            }
            thread::sleep(wait);
            wait *= 2;
            let again: Vec<Question> = doubtful.iter().map(|at| questions[*at].clone()).collect();
            for (at, answer) in doubtful.into_iter().zip(self.source.ask(&again)?) {
                answers[at] = answer;
            }
        }
        Ok(answers)
    }
}

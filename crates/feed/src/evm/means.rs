//! By which ways a node tells receipts and inner calls, found out by asking once, best first.

use super::options::WantedTraces;
use super::source::{Answer, Question, RawTraces};
use crate::wire::NodeError;

/// The method for a block.
pub(super) const BLOCK: &str = "eth_getBlockByNumber";
/// The method for all receipts of a block.
pub(super) const RECEIPTS: &str = "eth_getBlockReceipts";
const RECEIPT: &str = "eth_getTransactionReceipt";
/// The method for logs alone.
pub(super) const LOGS: &str = "eth_getLogs";
/// The method for inner calls as Parity told them.
pub(super) const PARITY: &str = "trace_block";
/// The method for inner calls as Geth tells them.
pub(super) const GETH: &str = "debug_traceBlockByNumber";
/// How Geth's tracer is asked for nested calls.
const TRACER: &str = r#"{"tracer":"callTracer"}"#;
/// What nodes say that have deleted what is needed to run old transactions again. Nobody has a code for it.
const NO_STATE: [&str; 7] = [
    "missing trie node",
    "historical state",
    "not available",
    "pruned",
    "not supported",
    "unsupported",
    "does not exist",
];
/// "Method not found".
const CODE_NO_METHOD: i64 = -32601;

/// How receipts are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReceiptsBy {
    /// All of a block at once.
    Block,
    /// One by one.
    Each,
    /// Not at all, but logs are.
    Logs,
    /// Neither.
    Nothing,
}

/// How inner calls are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TracesBy {
    /// By `trace_block`.
    Parity,
    /// By `debug_traceBlockByNumber`.
    Geth,
    /// Not at all.
    Nothing,
}

impl TracesBy {
    /// The question about a block, if there is one.
    pub fn question(self, at: &str) -> Option<Question> {
        match self {
            Self::Parity => Some(Question { method: PARITY, params: format!(r#"["{at}"]"#) }),
            Self::Geth => Some(Question { method: GETH, params: format!(r#"["{at}",{TRACER}]"#) }),
            Self::Nothing => None,
        }
    }

    /// An answer without a call.
    pub fn nothing(self) -> RawTraces {
        match self {
            Self::Parity => RawTraces::Parity("[]".to_owned()),
            Self::Geth => RawTraces::Geth("[]".to_owned()),
            Self::Nothing => RawTraces::None,
        }
    }
}

/// What a node offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Means {
    pub receipts: ReceiptsBy,
    pub traces: TracesBy,
}

/// What shall be found out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    /// Where the user wants inner calls from.
    pub wanted: WantedTraces,
}

impl Probe {
    /// Asks about the last block.
    pub fn look(self, node: &str, ask: &dyn Fn(&Question) -> Answer) -> Result<Means, NodeError> {
        Ok(Means { receipts: Self::receipts(ask)?, traces: self.traces(node, ask)? })
    }

    fn receipts(ask: &dyn Fn(&Question) -> Answer) -> Result<ReceiptsBy, NodeError> {
        let ways = [
            (RECEIPTS, r#"["latest"]"#.to_owned(), ReceiptsBy::Block),
            // No transaction has this hash: who knows the method says null.
            (RECEIPT, format!(r#"["0x{}"]"#, "0".repeat(64)), ReceiptsBy::Each),
            (LOGS, r#"[{"fromBlock":"latest","toBlock":"latest"}]"#.to_owned(), ReceiptsBy::Logs),
        ];
        for (method, params, way) in ways {
            if is_offered(&ask(&Question { method, params }))? {
                return Ok(way);
            }
        }
        Ok(ReceiptsBy::Nothing)
    }

    fn traces(self, node: &str, ask: &dyn Fn(&Question) -> Answer) -> Result<TracesBy, NodeError> {
        let ways: &[TracesBy] = match self.wanted {
            WantedTraces::Auto => &[TracesBy::Parity, TracesBy::Geth],
            WantedTraces::Parity => &[TracesBy::Parity],
            WantedTraces::Geth => &[TracesBy::Geth],
            WantedTraces::None => &[],
        };
        for way in ways {
            let Some(question) = way.question("latest") else { continue };
            let answer = ask(&question);
            if is_offered(&answer)? {
                return Ok(*way);
            }
            if let (Err(error), false) = (answer, self.wanted == WantedTraces::Auto) {
                let what =
                    format!("the node does not offer it: {}; leave --traces out, or ask another node", error.bare());
                return Err(NodeError::Answer { node: node.to_owned(), asked: question.method.to_owned(), what });
            }
        }
        Ok(TracesBy::Nothing)
    }
}

/// Whether a method is there. Any refusal of a question that everybody could answer says that it is not; but a chain
/// whose last block is its first has nothing to trace.
fn is_offered(answer: &Answer) -> Result<bool, NodeError> {
    match answer {
        Ok(_) => Ok(true),
        Err(NodeError::Rpc { says, .. }) => Ok(says.contains("genesis")),
        Err(error) => Err(error.clone()),
    }
}

/// Whether a refusal says that this block's transactions cannot be run again on this node.
pub(super) fn has_no_state(error: &NodeError) -> bool {
    match error {
        NodeError::Rpc { code, says, .. } => {
            let says = says.to_lowercase();
            *code == CODE_NO_METHOD || NO_STATE.iter().any(|part| says.contains(part))
        }
        _ => false,
    }
}

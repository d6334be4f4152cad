//! By which ways a node tells receipts and inner calls, found out by asking once, best first.

use super::options::WantedTraces;
use super::source::{Answer, Question, RawTraces};
use crate::wire::NodeError;

/// The method for a block.
pub(super) const BLOCK: &str = "eth_getBlockByNumber";
/// The method for all receipts of a block.
pub(super) const RECEIPTS: &str = "eth_getBlockReceipts";
/// The method for one receipt.
pub(super) const RECEIPT: &str = "eth_getTransactionReceipt";
/// The method for logs alone.
pub(super) const LOGS: &str = "eth_getLogs";
/// The method for inner calls as Parity told them.
pub(super) const PARITY: &str = "trace_block";
/// The method for inner calls as Geth tells them.
pub(super) const GETH: &str = "debug_traceBlockByNumber";
/// How Geth's tracer is asked for nested calls.
const TRACER: &str = r#"{"tracer":"callTracer"}"#;
/// What nodes say that do not tell something of a block: they have deleted what is needed to run old transactions again,
/// or do not offer it, or not to everybody. Nobody has a code for it. "Not found" alone is none of these: so says a node
/// behind others of a block that is new.
const NOT_TOLD: [&str; 14] = [
    "missing trie node",
    "historical state",
    "not available",
    "unavailable",
    "pruned",
    "archive",
    "not supported",
    "unsupported",
    "does not exist",
    "not implemented",
    "method not found",
    "disabled",
    "not enabled",
    "not allowed",
];
/// What JSON-RPC keeps for questions that are not understood: no such method, or not with these arguments.
const CODES_NOT_UNDERSTOOD: std::ops::RangeInclusive<i64> = -32699..=-32600;
/// "Method not supported" (EIP-1474).
const CODE_NOT_SUPPORTED: i64 = -32004;
/// "Internal error": it may pass, so it is asked again before it counts.
const CODE_INTERNAL: i64 = -32603;

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

impl ReceiptsBy {
    /// The way that is next best.
    pub fn next(self) -> Self {
        match self {
            Self::Block => Self::Each,
            Self::Each => Self::Logs,
            Self::Logs | Self::Nothing => Self::Nothing,
        }
    }
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

    /// An answer by this way.
    pub fn answered(self, json: String) -> RawTraces {
        match self {
            Self::Parity => RawTraces::Parity(json),
            Self::Geth => RawTraces::Geth(json),
            Self::Nothing => RawTraces::None,
        }
    }

    /// The way that is next best.
    pub fn next(self) -> Self {
        match self {
            Self::Parity => Self::Geth,
            Self::Geth | Self::Nothing => Self::Nothing,
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

/// What a refusal means for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The node does not tell it in this way.
    NotTold,
    /// It may, if it is asked again.
    Doubtful,
    /// Something is wrong that has nothing to do with the way of asking.
    Other,
}

/// What a refusal means.
pub(super) fn refusal(error: &NodeError) -> Refusal {
    let NodeError::Rpc { code, says, .. } = error else { return Refusal::Other };
    let says = says.to_lowercase();
    if NOT_TOLD.iter().any(|part| says.contains(part)) {
        return Refusal::NotTold;
    }
    match *code {
        CODE_INTERNAL => Refusal::Doubtful,
        CODE_NOT_SUPPORTED => Refusal::NotTold,
        code if CODES_NOT_UNDERSTOOD.contains(&code) => Refusal::NotTold,
        _ => Refusal::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart_by_number_and_by_words() {
        for (code, says, want) in [
            (-32601, "whatever", Refusal::NotTold),
            (-32602, "invalid argument 0", Refusal::NotTold),
            (-32004, "no", Refusal::NotTold),
            (-32000, "Missing trie node 00ff (path )", Refusal::NotTold),
            (-32000, "the method is DISABLED here", Refusal::NotTold),
            (-32603, "Internal error", Refusal::Doubtful),
            (-32603, "world state unavailable", Refusal::NotTold),
            (-32000, "header not found", Refusal::Other),
            (-32000, "execution timeout", Refusal::Other),
        ] {
            let error = NodeError::Rpc { node: String::new(), asked: GETH.into(), code, says: says.into() };
            assert_eq!(refusal(&error), want, "{code} {says}");
        }
        assert_eq!(refusal(&NodeError::Away { node: String::new(), why: "pruned".into() }), Refusal::Other);
    }
}

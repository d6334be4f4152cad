//! [`Record`]: every answer kept as it came, a file for each block, so that the same can be taken in again without a
//! node. A file is there whole or not at all.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use super::means::{BLOCK, RECEIPTS, TracesBy};
use super::source::{Answer, Question, Raw, RawLogs, RawTraces};
use crate::wire::NodeError;

/// A question and what was answered.
pub(super) struct Answered {
    pub question: Question,
    pub answer: Answer,
}

/// A folder that takes answers.
pub(super) struct Record {
    folder: PathBuf,
}

impl Record {
    /// Opens a folder, made if need be.
    pub fn open(folder: PathBuf, chain: u64) -> Result<Self, NodeError> {
        let record = Self { folder };
        fs::create_dir_all(&record.folder).map_err(|error| record.failed(&error))?;
        record.write("chain.ndjson", &line("eth_chainId", "[]", &format!("\"{chain:#x}\"")))?;
        Ok(record)
    }

    /// Keeps what was answered about a block.
    pub fn block(&self, height: u64, raw: &Raw, answered: &[Answered]) -> Result<(), NodeError> {
        let at = format!("{height:#x}");
        let mut lines = line(BLOCK, &format!(r#"["{at}",true]"#), &raw.block);
        match &raw.logs {
            RawLogs::Receipts(json) => lines += &line(RECEIPTS, &format!(r#"["{at}"]"#), json),
            RawLogs::Logs(json) => {
                lines += &line("eth_getLogs", &format!(r#"[{{"fromBlock":"{at}","toBlock":"{at}"}}]"#), json);
            }
            RawLogs::None => {}
        }
        let (by, traces) = match &raw.traces {
            RawTraces::Parity(json) => (TracesBy::Parity, json.as_str()),
            RawTraces::Geth(json) => (TracesBy::Geth, json.as_str()),
            RawTraces::None => (TracesBy::Nothing, ""),
        };
        if let Some(question) = by.question(&at) {
            lines += &line(question.method, &question.params, traces);
        }
        lines += &written(answered);
        self.write(&format!("block-{height:012}.ndjson"), &lines)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), NodeError> {
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(text.as_bytes())?;
            file.persist(self.folder.join(name)).map_err(|error| error.error)?;
            Ok::<_, std::io::Error>(())
        };
        write().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> NodeError {
        let what = format!("cannot be written to: {error}");
        NodeError::Address { given: format!("--record {}", self.folder.display()), what }
    }
}

fn written(answered: &[Answered]) -> String {
    answered.iter().fold(String::new(), |mut lines, Answered { question, answer }| {
        match answer {
            Ok(json) => lines += &line(question.method, &question.params, json),
            Err(NodeError::Rpc { code, says, .. }) => {
                let error = serde_json::json!({"jsonrpc": "2.0", "id": 0, "error": {"code": code, "message": says}});
                let (method, params) = (question.method, &question.params);
                let _ = writeln!(lines, r#"{{"method":"{method}","params":{params},"answer":{error}}}"#);
            }
            // Whatever else went wrong is no answer.
            Err(_) => {}
        }
        lines
    })
}

/// One answer on one line.
fn line(method: &str, params: &str, result: &str) -> String {
    let result = one_line(result);
    format!(
        "{{\"method\":\"{method}\",\"params\":{params},\"answer\":{{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{result}}}}}\n"
    )
}

/// Between the values of JSON a line's end is white space; inside of texts there is none.
fn one_line(json: &str) -> std::borrow::Cow<'_, str> {
    if json.contains(['\n', '\r']) { json.replace(['\n', '\r'], " ").into() } else { json.into() }
}

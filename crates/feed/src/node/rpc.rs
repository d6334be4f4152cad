//! [`Rpc`]: JSON-RPC calls, one or many in a request, and what errors of the node mean. It only ever reads.
//!
//! Numbers that are money are handed on as the digits that the node wrote; nothing here reads them as floating point.

use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::address::NodeAddress;
use super::error::{NodeError, said};
use super::http::{Answer, Http};
use super::login::Login;

/// The longest answer to a small question.
pub(super) const SMALL_BYTES_MAX: u64 = 4 << 20;
/// "In warm-up" (`RPC_IN_WARMUP`).
const CODE_STARTING: i64 = -28;

/// A node's RPC.
pub struct Rpc {
    http: Http,
}

/// One answer's frame.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<Refusal>,
    #[serde(default)]
    id: Option<u64>,
}

#[derive(Deserialize)]
struct Refusal {
    code: i64,
    message: String,
}

impl Rpc {
    /// The node at an address. Nothing is sent yet.
    pub fn new(address: NodeAddress, login: Login) -> Self {
        Self { http: Http::new(address, login) }
    }

    /// Where the node is.
    pub fn address(&self) -> &NodeAddress {
        self.http.address()
    }

    /// The node's address as messages have it, without any password.
    pub fn node(&self) -> String {
        self.http.node()
    }

    /// Asks, and reads a small answer. `params` is the JSON of the arguments, as `[1,"a"]`.
    pub fn call<T: DeserializeOwned>(&self, method: &str, params: &str) -> Result<T, NodeError> {
        self.call_raw(method, params, SMALL_BYTES_MAX, |json| {
            serde_json::from_str(json).map_err(|error| self.strange(method, &error.to_string()))
        })
    }

    /// Asks, and hands the answer's JSON on as it came.
    pub fn call_raw<T>(
        &self,
        method: &str,
        params: &str,
        limit: u64,
        read: impl FnOnce(&str) -> Result<T, NodeError>,
    ) -> Result<T, NodeError> {
        let json = format!(r#"{{"jsonrpc":"2.0","id":0,"method":"{method}","params":{params}}}"#);
        let answer = self.http.post(method, &json, limit)?;
        let frame: Frame<'_> = self.frame(method, &answer)?;
        read(self.result(method, &frame)?)
    }

    /// Asks one method with many arguments in one request; the answers are in order of the questions. The first
    /// refusal ends them: `None` stands for it if its code is `end`.
    pub fn batch<T: DeserializeOwned>(
        &self,
        method: &str,
        params: impl Iterator<Item = String>,
        end: i64,
    ) -> Result<Vec<Option<T>>, NodeError> {
        let mut json = String::from("[");
        let mut count = 0usize;
        for params in params {
            let comma = if count == 0 { "" } else { "," };
            write!(json, r#"{comma}{{"jsonrpc":"2.0","id":{count},"method":"{method}","params":{params}}}"#)
                .expect("a string takes any text");
            count += 1;
        }
        json.push(']');
        if count == 0 {
            return Ok(Vec::new());
        }
        let answer = self.http.post(method, &json, SMALL_BYTES_MAX)?;
        let mut frames: Vec<Frame<'_>> = match serde_json::from_slice(&answer.body) {
            Ok(frames) => frames,
            // What is wrong with all of them, a node says once.
            Err(error) => {
                let frame = self.frame(method, &answer)?;
                self.result(method, &frame)?;
                return Err(self.strange(method, &error.to_string()));
            }
        };
        frames.sort_by_key(|frame| frame.id);
        if !frames.iter().map(|frame| frame.id).eq((0..count as u64).map(Some)) {
            return Err(self.strange(method, "the answers are not those to the questions"));
        }
        let read = |frame: &Frame<'_>| match &frame.error {
            Some(refusal) if refusal.code == end => Ok(None),
            _ => {
                let json = self.result(method, frame)?;
                let value = serde_json::from_str(json).map_err(|error| self.strange(method, &error.to_string()))?;
                Ok(Some(value))
            }
        };
        frames.iter().map(read).collect()
    }

    /// Gets a file of the node's REST side; `None` where it has none.
    pub(super) fn rest(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, NodeError> {
        let answer = self.http.get(path, limit)?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            503 => Err(self.http.away(busy(&answer))),
            _ => Ok(None),
        }
    }

    fn frame<'a>(&self, method: &str, answer: &'a Answer) -> Result<Frame<'a>, NodeError> {
        serde_json::from_slice(&answer.body).map_err(|error| match answer.status {
            // Text instead of JSON: too many questions at once, or somebody in between speaks for the node.
            500.. => self.http.away(busy(answer)),
            200 if error.is_eof() => self.http.away("it went away in the middle of an answer"),
            status => {
                let text = String::from_utf8_lossy(&answer.body[..answer.body.len().min(400)]);
                let what = format!(
                    "this is no answer of a Bitcoin node (HTTP {status}, {:?}); is the port right?",
                    said(&text)
                );
                self.strange(method, &what)
            }
        })
    }

    fn result<'a>(&self, method: &str, frame: &Frame<'a>) -> Result<&'a str, NodeError> {
        match (&frame.error, frame.result) {
            (Some(refusal), _) if refusal.code == CODE_STARTING => {
                Err(NodeError::Starting { node: self.node(), says: said(&refusal.message) })
            }
            (Some(Refusal { code, message }), _) => {
                let asked = method.to_owned();
                Err(NodeError::Rpc { node: self.node(), asked, code: *code, says: said(message) })
            }
            (None, Some(result)) => Ok(result.get()),
            (None, None) => Err(self.strange(method, "neither a result nor an error")),
        }
    }

    /// The error for an answer that cannot be read.
    pub(super) fn strange(&self, asked: &str, what: &str) -> NodeError {
        NodeError::Answer { node: self.node(), asked: asked.to_owned(), what: said(what) }
    }
}

fn busy(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body[..answer.body.len().min(400)]);
    format!("HTTP {}: {}", answer.status, said(&text))
}

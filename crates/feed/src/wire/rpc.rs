//! [`Rpc`]: JSON-RPC calls, one or many in a request, and what errors of the node mean. It only ever reads.
//!
//! Numbers that are money are handed on as the digits that the node wrote; nothing here reads them as floating point.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::value::RawValue;

use super::address::NodeAddress;
use super::error::{NodeError, said};
use super::http::{Answer, Dialect, Http};
use super::login::Login;

/// The longest answer to a small question.
pub(crate) const SMALL_BYTES_MAX: u64 = 4 << 20;
/// HTTP's "too many requests".
const STATUS_BUSY: u16 = 429;

/// A node's RPC.
pub struct Rpc {
    http: Http,
}

/// One answer's frame.
#[derive(Deserialize)]
struct Frame<'a> {
    /// An answer may be null, which is something else than none.
    #[serde(borrow, default, deserialize_with = "present")]
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

fn present<'de: 'a, 'a, D: Deserializer<'de>>(field: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(field).map(Some)
}

impl Rpc {
    /// The node at an address. Nothing is sent yet.
    pub fn new(address: NodeAddress, login: Login, dialect: &'static Dialect) -> Self {
        Self::with_headers(address, login, dialect, Vec::new())
    }

    /// The same, with headers that whoever serves the node wants.
    pub fn with_headers(
        address: NodeAddress,
        login: Login,
        dialect: &'static Dialect,
        headers: Vec<(String, String)>,
    ) -> Self {
        Self { http: Http::new(address, login, dialect, headers) }
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
        read(self.result(method, &frame, answer.retry_after)?)
    }

    /// Asks one method with many arguments in one request; the answers are in order of the questions. The first
    /// refusal ends them: `None` stands for it if its code is `end`.
    pub fn batch<T: DeserializeOwned>(
        &self,
        method: &str,
        params: impl Iterator<Item = String>,
        end: i64,
    ) -> Result<Vec<Option<T>>, NodeError> {
        let questions: Vec<(&str, String)> = params.map(|params| (method, params)).collect();
        let read = |answer: Result<&str, NodeError>| match answer {
            Err(NodeError::Rpc { code, .. }) if code == end => Ok(None),
            Err(error) => Err(error),
            Ok(json) => {
                let value = serde_json::from_str(json).map_err(|error| self.strange(method, &error.to_string()))?;
                Ok(Some(value))
            }
        };
        self.many(&questions, SMALL_BYTES_MAX, read)
    }

    /// Asks many questions, each a method and the JSON of its arguments, in one request. `read` gets each answer's
    /// JSON, in order of the questions, or the node's refusal.
    pub fn many<T>(
        &self,
        questions: &[(&str, String)],
        limit: u64,
        read: impl Fn(Result<&str, NodeError>) -> Result<T, NodeError>,
    ) -> Result<Vec<T>, NodeError> {
        let Some((asked, _)) = questions.first() else { return Ok(Vec::new()) };
        let mut json = String::from("[");
        for (id, (method, params)) in questions.iter().enumerate() {
            let comma = if id == 0 { "" } else { "," };
            write!(json, r#"{comma}{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
                .expect("a string takes any text");
        }
        json.push(']');
        let answer = self.http.post(asked, &json, limit)?;
        let mut frames: Vec<Frame<'_>> = match serde_json::from_slice(&answer.body) {
            Ok(frames) => frames,
            // What is wrong with all of them, a node says once.
            Err(error) => {
                let frame = self.frame(asked, &answer)?;
                self.result(asked, &frame, answer.retry_after)?;
                return Err(self.strange(asked, &error.to_string()));
            }
        };
        frames.sort_by_key(|frame| frame.id);
        if !frames.iter().map(|frame| frame.id).eq((0..questions.len() as u64).map(Some)) {
            return Err(self.strange(asked, "the answers are not those to the questions"));
        }
        let answers = frames.iter().zip(questions);
        answers.map(|(frame, (method, _))| read(self.result(method, frame, answer.retry_after))).collect()
    }

    /// Gets a file of the node's REST side; `None` where it has none.
    pub(crate) fn rest(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, NodeError> {
        let answer = self.http.get(path, limit)?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            503 => Err(self.http.away(busy(&answer))),
            _ => Ok(None),
        }
    }

    fn frame<'a>(&self, method: &str, answer: &'a Answer) -> Result<Frame<'a>, NodeError> {
        serde_json::from_slice(&answer.body).map_err(|error| match answer.status {
            STATUS_BUSY => self.busy(busy(answer), answer.retry_after),
            // Text instead of JSON: too many questions at once, or somebody in between speaks for the node.
            500.. => self.http.away(busy(answer)),
            200 if error.is_eof() => self.http.away("it went away in the middle of an answer"),
            status => {
                let text = String::from_utf8_lossy(&answer.body[..answer.body.len().min(400)]);
                let what = format!(
                    "this is no answer of {} (HTTP {status}, {:?}); is the port right?",
                    self.http.dialect().kind,
                    said(&text)
                );
                self.strange(method, &what)
            }
        })
    }

    fn result<'a>(&self, method: &str, frame: &Frame<'a>, after: Option<Duration>) -> Result<&'a str, NodeError> {
        let dialect = self.http.dialect();
        match (&frame.error, frame.result) {
            (Some(refusal), _) if dialect.busy.contains(&refusal.code) => {
                Err(self.busy(format!("{method}: error {}: {}", refusal.code, said(&refusal.message)), after))
            }
            (Some(refusal), _) if dialect.starting == Some(refusal.code) => {
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

    fn busy(&self, why: String, after: Option<Duration>) -> NodeError {
        NodeError::Busy { node: self.node(), why, after }
    }

    /// The error for an answer that cannot be read.
    pub(crate) fn strange(&self, asked: &str, what: &str) -> NodeError {
        NodeError::Answer { node: self.node(), asked: asked.to_owned(), what: said(what) }
    }
}

fn busy(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body[..answer.body.len().min(400)]);
    format!("HTTP {}: {}", answer.status, said(&text))
}

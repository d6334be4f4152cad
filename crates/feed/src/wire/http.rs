//! [`Http`]: one node over HTTP/1.1: connections that are kept, times and sizes that are limited, the login.
//!
//! Only `http://`, no proxy, no redirect: bytes go to the node that was named and nowhere else. It knows no method.

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use ureq::http::Response;
use ureq::{Agent, Body};

use super::address::NodeAddress;
use super::error::{NodeError, said};
use super::login::Login;

/// How long a connection may take to come about.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// How long a node may think before it answers. One that connects a block answers nothing for some seconds.
const THINK_TIME_MAX: Duration = Duration::from_mins(1);
/// How long a node may take no more of a question.
const SILENCE_TIME_MAX: Duration = Duration::from_secs(20);
/// How long an answer may take in all.
const CALL_TIME_MAX: Duration = Duration::from_mins(5);
/// How long an unused connection is kept: less than a node does (30 s by default).
const IDLE_TIME_MAX: Duration = Duration::from_secs(10);
/// How many unused connections are kept: one a fetcher, and one for the rest.
const IDLE_CONNECTIONS_MAX: usize = 8;

/// How one family of nodes wants to be spoken of: what messages advise, and what its refusals mean.
#[derive(Debug)]
pub struct Dialect {
    /// What such a node is, as "a Bitcoin node".
    pub kind: &'static str,
    /// What to look at when it refuses the connection.
    pub refused: &'static str,
    /// What to look at when it does not serve this machine.
    pub forbidden: &'static str,
    /// Where its users are kept; begins with a semicolon, if there is something to say.
    pub users: &'static str,
    /// How to give it a login.
    pub login: &'static str,
    /// The code of the error that it gives while it starts.
    pub starting: Option<i64>,
    /// The codes of errors that say that too much is asked of it.
    pub busy: &'static [i64],
}

/// The longest wait that an answer may ask for; who says more is asked earlier.
const RETRY_TIME_MAX: Duration = Duration::from_mins(2);

/// An answer, complete.
pub(crate) struct Answer {
    pub status: u16,
    /// How long to wait before the next question, if it says so.
    pub retry_after: Option<Duration>,
    pub body: Vec<u8>,
}

/// A node's HTTP side.
pub(crate) struct Http {
    agent: Agent,
    address: NodeAddress,
    login: Login,
    dialect: &'static Dialect,
    /// More headers that whoever serves the node wants.
    headers: Vec<(String, String)>,
    /// The header as it was last read; a cookie is read again when the node refuses it.
    header: Mutex<Option<String>>,
}

impl Http {
    pub fn new(address: NodeAddress, login: Login, dialect: &'static Dialect, headers: Vec<(String, String)>) -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("tracehound/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("")
            .timeout_connect(Some(CONNECT_TIME_MAX))
            .timeout_recv_response(Some(THINK_TIME_MAX))
            .timeout_per_read(Some(THINK_TIME_MAX))
            .timeout_per_write(Some(SILENCE_TIME_MAX))
            .timeout_global(Some(CALL_TIME_MAX))
            .max_idle_age(IDLE_TIME_MAX)
            .max_idle_connections(IDLE_CONNECTIONS_MAX)
            .max_idle_connections_per_host(IDLE_CONNECTIONS_MAX)
            .build();
        Self { agent: config.new_agent(), address, login, dialect, headers, header: Mutex::new(None) }
    }

    pub fn address(&self) -> &NodeAddress {
        &self.address
    }

    pub fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// The node's address as it stands in messages.
    pub fn node(&self) -> String {
        self.address.to_string()
    }

    pub fn away(&self, why: impl Into<String>) -> NodeError {
        NodeError::Away { node: self.node(), why: why.into() }
    }

    /// Gets a path that needs no login.
    pub fn get(&self, path: &str, limit: u64) -> Result<Answer, NodeError> {
        let url = format!("{}{path}", self.address);
        self.twice(path, limit, || self.agent.get(&url).call())
    }

    /// Posts JSON, with the login.
    pub fn post(&self, asked: &str, json: &str, limit: u64) -> Result<Answer, NodeError> {
        let answer = self.post_with(asked, json, limit, false)?;
        let answer = if answer.status == 401 && matches!(self.login, Login::Cookie(_)) {
            self.post_with(asked, json, limit, true)?
        } else {
            answer
        };
        match answer.status {
            // A node that is starting writes its cookie before, and reads it after; one that has gone leaves the old.
            401 if matches!(self.login, Login::Cookie(_)) => Err(self.away(self.login.advice(self.dialect))),
            401 => Err(NodeError::Login { node: self.node(), what: self.login.advice(self.dialect) }),
            403 => {
                let what = format!("the node does not serve this machine (403){}", self.dialect.forbidden);
                Err(NodeError::Login { node: self.node(), what })
            }
            _ => Ok(answer),
        }
    }

    fn post_with(&self, asked: &str, json: &str, limit: u64, again: bool) -> Result<Answer, NodeError> {
        let header = self.header(again)?;
        let url = self.address.url();
        self.twice(asked, limit, || {
            let mut request = self.agent.post(&url).content_type("application/json");
            if let Some(header) = &header {
                request = request.header("Authorization", header);
            }
            for (name, value) in &self.headers {
                request = request.header(name, value);
            }
            request.send(json)
        })
    }

    fn header(&self, again: bool) -> Result<Option<String>, NodeError> {
        let mut kept = self.header.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if kept.is_none() || again {
            *kept = self.login.header().map_err(|why| self.away(why))?;
        }
        Ok(kept.clone())
    }

    /// Asks, and asks once more where a kept connection turns out to be closed: every question only reads.
    fn twice(
        &self,
        asked: &str,
        limit: u64,
        ask: impl Fn() -> Result<Response<Body>, ureq::Error>,
    ) -> Result<Answer, NodeError> {
        let once = || {
            let mut response = ask()?;
            let status = response.status().as_u16();
            let retry_after = retry_after(&response);
            let body = response.body_mut().with_config().limit(limit).read_to_vec()?;
            Ok(Answer { status, retry_after, body })
        };
        let answer = match once() {
            Err(error) if is_cut(&error) => once(),
            answer => answer,
        };
        answer.map_err(|error| self.failed(asked, limit, error))
    }

    fn failed(&self, asked: &str, limit: u64, error: ureq::Error) -> NodeError {
        let why = match error {
            ureq::Error::BodyExceedsLimit(_) => {
                let what = format!("the answer is longer than the {limit} bytes that it may have");
                return NodeError::Answer { node: self.node(), asked: asked.to_owned(), what };
            }
            ureq::Error::HostNotFound => "there is no such host".to_owned(),
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                format!("connection refused; {}", self.dialect.refused)
            }
            ureq::Error::Timeout(what) => format!("no answer in time ({what})"),
            ureq::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        };
        self.away(said(&why))
    }
}

/// What `Retry-After` says, in seconds; the other form, a date, is rare and left alone.
fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let said = response.headers().get("retry-after")?.to_str().ok()?.trim();
    Some(Duration::from_secs(said.parse().ok()?).min(RETRY_TIME_MAX))
}

/// Whether the other side has closed the connection.
fn is_cut(error: &ureq::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error {
        ureq::Error::Io(error) => {
            matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
        }
        ureq::Error::Protocol(_) | ureq::Error::ConnectionFailed => true,
        _ => false,
    }
}

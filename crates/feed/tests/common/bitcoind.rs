//! A node's HTTP side on loopback, played from a recorded chain: what it offers and how it misbehaves is a test's to say.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use super::data;

/// What the node offers.
#[derive(Clone, Copy, Debug)]
pub struct Offers {
    pub rest: bool,
    pub rest_spent: bool,
    /// The highest verbosity of `getblock` that tells more than the one below.
    pub verbosity: u64,
    pub first_stored: Option<u64>,
}

pub const CORE_30: Offers = Offers { rest: true, rest_spent: true, verbosity: 3, first_stored: None };

/// How it answers the next questions, each once.
#[derive(Clone, Debug)]
pub enum Mood {
    /// Closes the connection after this many bytes of the answer.
    Cut(usize),
    /// HTTP 503, as when too many ask at once.
    Busy,
    /// RPC error -28.
    Starting,
    /// Another answer than the right one, if the question contains a text.
    Says(&'static str, Vec<u8>),
}

pub struct Bitcoind {
    pub port: u16,
    state: Arc<Shared>,
}

struct Shared {
    offers: Offers,
    chain: Mutex<Vec<Value>>,
    login: Mutex<Option<String>>,
    moods: Mutex<Vec<Mood>>,
    questions: AtomicUsize,
    asked: Mutex<BTreeMap<String, usize>>,
    closed: AtomicBool,
}

/// The real node's chain of the shared data, as `getblock 3` printed it.
pub fn recorded() -> Option<Vec<Value>> {
    let path = data("bitcoin/regtest-node-29.5/ground-truth-getblock3.jsonl.gz")?;
    let lines = BufReader::new(flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap())).lines();
    Some(lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect())
}

impl Bitcoind {
    pub fn start(chain: &[Value], offers: Offers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Shared {
            offers,
            chain: Mutex::new(chain.to_vec()),
            login: Mutex::default(),
            moods: Mutex::default(),
            questions: AtomicUsize::new(0),
            asked: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.closed.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                // A client that has gone ends its connection's thread.
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { port, state }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Lets in whoever says this after `Basic `, and nobody else.
    pub fn set_login(&self, login: &str) {
        *self.state.login.lock().unwrap() = Some(login.to_owned());
    }

    pub fn set_moods(&self, moods: Vec<Mood>) {
        *self.state.moods.lock().unwrap() = moods;
    }

    pub fn moods_left(&self) -> usize {
        self.state.moods.lock().unwrap().len()
    }

    /// How often a method, or a kind of REST file, was asked for.
    pub fn asked(&self, what: &str) -> usize {
        self.state.asked.lock().unwrap().get(what).copied().unwrap_or_default()
    }
}

impl Drop for Bitcoind {
    fn drop(&mut self) {
        self.state.closed.store(true, Ordering::SeqCst);
        // Lets the listener see it.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut stream = stream;
        loop {
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).ok()? == 0 {
                    return None;
                }
                if line.trim().is_empty() {
                    break;
                }
                lines.push(line.trim().to_owned());
            }
            let header = |name: &str| {
                lines.iter().find_map(|line| {
                    let (key, value) = line.split_once(':')?;
                    key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
                })
            };
            let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
            reader.read_exact(&mut body).ok()?;
            self.questions.fetch_add(1, Ordering::SeqCst);
            let path = lines[0].split(' ').nth(1)?.to_owned();
            let (status, mut answer) = if path.starts_with("/rest/") {
                self.rest(&path)
            } else if self
                .login
                .lock()
                .unwrap()
                .as_ref()
                .is_some_and(|login| header("authorization").as_deref() != Some(&format!("Basic {login}")))
            {
                (401, Vec::new())
            } else {
                self.rpc(&serde_json::from_slice(&body).unwrap())
            };
            let (mut status, mut cut) = (status, usize::MAX);
            let question = format!("{path} {}", String::from_utf8_lossy(&body));
            let mut moods = self.moods.lock().unwrap();
            let fits = |mood: &Mood| !matches!(mood, Mood::Says(part, _) if !question.contains(part));
            if let Some(at) = moods.iter().position(fits) {
                match moods.remove(at) {
                    Mood::Cut(after) => cut = after,
                    Mood::Busy => (status, answer) = (503, b"Work queue depth exceeded".to_vec()),
                    Mood::Starting => {
                        let error = json!({"result": null, "error": {"code": -28, "message": "Loading block index…"}});
                        (status, answer) = (500, error.to_string().into_bytes());
                    }
                    Mood::Says(_, bytes) => answer = bytes,
                }
            }
            drop(moods);
            let mut bytes = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", answer.len()).into_bytes();
            bytes.append(&mut answer);
            stream.write_all(&bytes[..bytes.len().min(cut)]).ok()?;
            if cut < bytes.len() {
                return None;
            }
        }
    }

    fn count(&self, what: &str) {
        *self.asked.lock().unwrap().entry(what.to_owned()).or_default() += 1;
    }

    fn block(&self, hash: &str) -> Option<Value> {
        self.chain.lock().unwrap().iter().find(|block| block["hash"] == hash).cloned()
    }

    fn rest(&self, path: &str) -> (u16, Vec<u8>) {
        let mut parts = path.trim_start_matches("/rest/").split(['/', '.']);
        let (kind, hash) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        self.count(kind);
        let block = self.block(hash);
        match (kind, block) {
            _ if !self.offers.rest => (404, Vec::new()),
            ("chaininfo", _) => (200, b"{}".to_vec()),
            ("block", Some(block)) => (200, block_bytes(&block)),
            ("spenttxouts", Some(block)) if self.offers.rest_spent => (200, spent_bytes(&block)),
            _ => (404, b"not found".to_vec()),
        }
    }

    fn rpc(&self, question: &Value) -> (u16, Vec<u8>) {
        let Some(questions) = question.as_array() else {
            let answer = self.answer(question);
            let status = if answer["error"].is_null() { 200 } else { 500 };
            return (status, answer.to_string().into_bytes());
        };
        let answers: Vec<Value> = questions.iter().map(|question| self.answer(question)).collect();
        (200, Value::from(answers).to_string().into_bytes())
    }

    fn answer(&self, question: &Value) -> Value {
        let method = question["method"].as_str().unwrap();
        self.count(method);
        let params = &question["params"];
        match self.result(method, params) {
            Ok(result) => json!({"result": result, "error": null, "id": question["id"]}),
            Err((code, message)) => {
                json!({"result": null, "error": {"code": code, "message": message}, "id": question["id"]})
            }
        }
    }

    fn result(&self, method: &str, params: &Value) -> Result<Value, (i64, &'static str)> {
        let chain = self.chain.lock().unwrap();
        let last = chain.last().unwrap();
        let find = |hash: &Value| chain.iter().find(|block| block["hash"] == *hash).ok_or((-5, "Block not found"));
        Ok(match method {
            "getblockhash" => chain
                .iter()
                .find(|block| block["height"] == params[0])
                .ok_or((-8, "Block height out of range"))?["hash"]
                .clone(),
            "getbestblockhash" => last["hash"].clone(),
            "getblockchaininfo" => {
                let mut info = json!({
                    "blocks": last["height"], "headers": last["height"], "bestblockhash": last["hash"],
                    "initialblockdownload": false, "verificationprogress": 0.99,
                });
                if let Some(first) = self.offers.first_stored {
                    info["pruneheight"] = first.into();
                }
                info
            }
            "getzmqnotifications" => json!([]),
            "getblockheader" => hex(&header_bytes(find(&params[0])?)).into(),
            "getblock" => {
                let block = find(&params[0])?;
                let verbosity = params[1].as_u64().unwrap();
                self.count(&format!("getblock {verbosity}"));
                if verbosity == 0 {
                    hex(&block_bytes(block)).into()
                } else if verbosity > self.offers.verbosity {
                    return Err((-8, "verbosity out of range"));
                } else {
                    let mut block = block.clone();
                    if verbosity < 3 {
                        for input in block["tx"]
                            .as_array_mut()
                            .unwrap()
                            .iter_mut()
                            .flat_map(|tx| tx["vin"].as_array_mut().unwrap())
                        {
                            input.as_object_mut().unwrap().remove("prevout");
                        }
                    }
                    block
                }
            }
            _ => return Err((-32601, "Method not found")),
        })
    }
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

fn header_bytes(block: &Value) -> Vec<u8> {
    let reversed = |hex: &Value| {
        let mut bytes = if hex.is_null() { vec![0; 32] } else { bytes(hex) };
        bytes.reverse();
        bytes
    };
    let mut header = number(&block["version"]).to_le_bytes().to_vec();
    header.extend(reversed(&block["previousblockhash"]));
    header.extend(reversed(&block["merkleroot"]));
    header.extend(number(&block["time"]).to_le_bytes());
    header.extend(reversed(&block["bits"])[..].iter().take(4));
    header.extend(number(&block["nonce"]).to_le_bytes());
    header
}

fn compact(count: usize) -> Vec<u8> {
    match u16::try_from(count).unwrap() {
        small @ 0..=252 => vec![u8::try_from(small).unwrap()],
        more => [&[0xfd][..], &more.to_le_bytes()].concat(),
    }
}

pub fn block_bytes(block: &Value) -> Vec<u8> {
    let transactions = block["tx"].as_array().unwrap();
    let mut block = header_bytes(block);
    block.extend(compact(transactions.len()));
    block.extend(transactions.iter().flat_map(|tx| bytes(&tx["hex"])));
    block
}

/// As `SerializeBlockUndo` of Bitcoin Core 30 lays them out.
pub fn spent_bytes(block: &Value) -> Vec<u8> {
    let transactions = block["tx"].as_array().unwrap();
    let mut out = compact(transactions.len());
    for tx in transactions {
        let spent: Vec<&Value> = tx["vin"]
            .as_array()
            .unwrap()
            .iter()
            .map(|input| &input["prevout"])
            .filter(|spent| !spent.is_null())
            .collect();
        out.extend(compact(spent.len()));
        for output in spent {
            // Test money: eight digits survive.
            let sats = (output["value"].as_f64().unwrap() * 1e8).round();
            out.extend(format!("{sats}").parse::<u64>().unwrap().to_le_bytes());
            let script = bytes(&output["scriptPubKey"]["hex"]);
            out.extend(compact(script.len()));
            out.extend(script);
        }
    }
    out
}

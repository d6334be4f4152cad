//! An EVM node's HTTP side on loopback, with a made-up chain: what it offers and how it lies is a test's to say.
//!
//! In every block A pays B 100 units of a token and one wei. The token takes a tax of 2 that no log shows, and A's
//! balance of it grows by 7 in each block, without a log as well.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// The number of its chain, which no table has.
pub const CHAIN: u64 = 424_242;
pub const A: &str = "0x00000000000000000000000000000000000000aa";
pub const B: &str = "0x00000000000000000000000000000000000000bb";
pub const TOKEN: &str = "0x00000000000000000000000000000000000000cc";
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

/// What A has of the token before block 0.
pub const BEGAN: u64 = 1_000_000;

/// What somebody has of the token after a block; before block 0 at height −1.
pub fn holds(who: &str, height: i64) -> u64 {
    let blocks = u64::try_from(height + 1).unwrap();
    if who == A { BEGAN - 100 * blocks + 7 * blocks } else { 98 * blocks }
}

/// What happens to a question.
#[derive(Clone, Debug)]
pub enum Lie {
    /// HTTP with this status, and what to wait for.
    Status(u16, Option<u64>),
    /// An error for this method.
    Error(&'static str, i64, &'static str),
    /// Another result for this method.
    Result(&'static str, String),
    /// The answer ends after so many bytes.
    Cut(usize),
    /// Another body.
    Body(Vec<u8>),
}

/// A lie, told where the question contains a text, so many times.
pub type Told = (&'static str, Lie, usize);

pub struct EvmNode {
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    chain: Mutex<Vec<Value>>,
    number: Mutex<u64>,
    lies: Mutex<Vec<Told>>,
    lacks: Mutex<Vec<&'static str>>,
    finalized: Mutex<Option<u64>>,
    asked: Mutex<BTreeMap<String, usize>>,
    headers: Mutex<Vec<String>>,
    closed: AtomicBool,
}

fn hash(kind: u8, branch: u8, height: u64) -> String {
    format!("0x{kind:02x}{branch:02x}{height:060x}")
}

/// `count` more blocks on the first `keep` of a chain; `branch` tells blocks of a height apart.
pub fn grow(chain: &[Value], keep: usize, count: usize, branch: u8) -> Vec<Value> {
    let mut chain = chain[..keep].to_vec();
    for height in (keep as u64..).take(count) {
        let parent = chain.last().map_or_else(|| json!(hash(0, 0, 0)), |last| last["hash"].clone());
        let (block, transaction, number) = (hash(1, branch, height), hash(2, branch, height), format!("{height:#x}"));
        chain.push(json!({
            "number": number, "hash": block, "parentHash": parent, "timestamp": format!("{:#x}", 1_700_000_000 + 12 * height),
            "miner": "0x00000000000000000000000000000000000000dd", "baseFeePerGas": "0x1", "gasUsed": "0x6000",
            "transactions": [{
                "hash": transaction, "from": A, "to": B, "value": "0x1", "gas": "0x10000", "gasPrice": "0x2", "input": "0x",
                "blockHash": block, "blockNumber": number, "transactionIndex": "0x0", "chainId": format!("{CHAIN:#x}"),
            }],
        }));
    }
    chain
}

impl EvmNode {
    pub fn start(chain: &[Value]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            chain: Mutex::new(chain.to_vec()),
            number: Mutex::new(CHAIN),
            // Few nodes have both.
            lacks: Mutex::new(vec!["debug_traceBlockByNumber"]),
            ..Shared::default()
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.closed.load(Ordering::SeqCst) {
                    return;
                }
                let serving = Arc::clone(&serving);
                thread::spawn(move || serving.serve(stream));
            }
        });
        Self { port, shared }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn turn_to(&self, chain: &[Value]) {
        *self.shared.chain.lock().unwrap() = chain.to_vec();
    }

    pub fn lie(&self, lies: Vec<Told>) {
        *self.shared.lies.lock().unwrap() = lies;
    }

    pub fn lack(&self, methods: Vec<&'static str>) {
        *self.shared.lacks.lock().unwrap() = methods;
    }

    pub fn finalize(&self, height: u64) {
        *self.shared.finalized.lock().unwrap() = Some(height);
    }

    pub fn set_number(&self, number: u64) {
        *self.shared.number.lock().unwrap() = number;
    }

    pub fn asked(&self, method: &str) -> usize {
        self.shared.asked.lock().unwrap().get(method).copied().unwrap_or_default()
    }

    /// Every header line that was ever sent, in lower case.
    pub fn headers(&self) -> Vec<String> {
        self.shared.headers.lock().unwrap().clone()
    }
}

impl Drop for EvmNode {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // Lets the listener see it.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).ok()? == 0 {
                    return None;
                }
                let line = line.trim().to_lowercase();
                if line.is_empty() {
                    break;
                }
                if let Some(given) = line.strip_prefix("content-length:") {
                    length = given.trim().parse().unwrap();
                }
                self.headers.lock().unwrap().push(line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            let question = String::from_utf8(body).unwrap();
            let lie = self.next_lie(&question);
            let mut answer = self.answer_all(&question, lie.as_ref()).into_bytes();
            let (mut status, mut more, mut cut) = (200, String::new(), usize::MAX);
            match lie {
                Some(Lie::Status(given, after)) => {
                    status = given;
                    answer = b"too many requests".to_vec();
                    more = after.map_or_else(String::new, |seconds| format!("Retry-After: {seconds}\r\n"));
                }
                Some(Lie::Cut(after)) => cut = after,
                Some(Lie::Body(bytes)) => answer = bytes,
                _ => {}
            }
            let mut bytes =
                format!("HTTP/1.1 {status} X\r\n{more}Content-Length: {}\r\n\r\n", answer.len()).into_bytes();
            bytes.append(&mut answer);
            stream.write_all(&bytes[..bytes.len().min(cut)]).ok()?;
            if cut < bytes.len() {
                return None;
            }
        }
    }

    fn next_lie(&self, question: &str) -> Option<Lie> {
        let mut lies = self.lies.lock().unwrap();
        let (_, lie, left) = lies.iter_mut().find(|(part, _, left)| *left > 0 && question.contains(part))?;
        *left -= 1;
        Some(lie.clone())
    }

    fn answer_all(&self, question: &str, lie: Option<&Lie>) -> String {
        match serde_json::from_str(question).unwrap() {
            Value::Array(questions) => {
                let answers: Vec<String> = questions.iter().map(|question| self.answer(question, lie)).collect();
                format!("[{}]", answers.join(","))
            }
            question => self.answer(&question, lie),
        }
    }

    fn answer(&self, question: &Value, lie: Option<&Lie>) -> String {
        let (method, id) = (question["method"].as_str().unwrap(), &question["id"]);
        *self.asked.lock().unwrap().entry(method.to_owned()).or_default() += 1;
        match lie {
            Some(Lie::Error(of, code, message)) if *of == method => {
                return json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}).to_string();
            }
            // Not everything that is sent is JSON.
            Some(Lie::Result(of, text)) if *of == method => {
                return format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{text}}}"#);
            }
            _ => {}
        }
        if self.lacks.lock().unwrap().contains(&method) {
            let error =
                json!({"code": -32601, "message": format!("the method {method} does not exist/is not available")});
            return json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string();
        }
        json!({"jsonrpc": "2.0", "id": id, "result": self.result(method, &question["params"])}).to_string()
    }

    fn result(&self, method: &str, params: &Value) -> Value {
        let chain = self.chain.lock().unwrap();
        let height = |tag: &Value| match tag.as_str().unwrap() {
            "latest" => Some(chain.len() as u64 - 1),
            "safe" | "finalized" => *self.finalized.lock().unwrap(),
            number => u64::from_str_radix(number.trim_start_matches("0x"), 16).ok(),
        };
        let block = |tag: &Value| height(tag).and_then(|height| chain.get(usize::try_from(height).unwrap())).cloned();
        match method {
            "eth_chainId" => format!("{:#x}", *self.number.lock().unwrap()).into(),
            "eth_getBlockByNumber" => block(&params[0]).unwrap_or_default(),
            "eth_getBlockReceipts" => block(&params[0]).map(|block| json!([receipt(&block)])).unwrap_or_default(),
            "eth_getTransactionReceipt" => {
                let found = chain.iter().find(|block| block["transactions"][0]["hash"] == params[0]);
                found.map(receipt).unwrap_or_default()
            }
            "eth_getLogs" => {
                let found = chain.iter().find(|block| block["hash"] == params[0]["blockHash"]);
                found.map_or_else(|| json!([]), |block| receipt(block)["logs"].clone())
            }
            "trace_block" => block(&params[0]).map(|block| traces(&block)).unwrap_or_default(),
            "eth_call" => match params[0]["data"].as_str().unwrap() {
                "0x313ce567" => format!("0x{:064x}", 2).into(),
                "0x95d89b41" => format!("0x{:0<64}", "544158").into(),
                data => {
                    let who = format!("0x{}", &data[data.len() - 40..]);
                    let height = i64::try_from(height(&params[1]).unwrap()).unwrap();
                    format!("0x{:064x}", holds(&who, height)).into()
                }
            },
            _ => Value::Null,
        }
    }
}

pub fn receipt(block: &Value) -> Value {
    let transaction = &block["transactions"][0];
    let word = |address: &str| format!("0x{:0>64}", &address[2..]);
    json!({
        "transactionHash": transaction["hash"], "transactionIndex": "0x0", "blockHash": block["hash"],
        "blockNumber": block["number"], "gasUsed": "0x6000", "cumulativeGasUsed": "0x6000", "effectiveGasPrice": "0x2",
        "status": "0x1", "contractAddress": null,
        "logs": [{
            "address": TOKEN, "topics": [TRANSFER, word(A), word(B)], "data": format!("0x{:064x}", 100),
            "blockHash": block["hash"], "blockNumber": block["number"], "transactionHash": transaction["hash"],
            "transactionIndex": "0x0", "logIndex": "0x0", "removed": false,
        }],
    })
}

pub fn traces(block: &Value) -> Value {
    let transaction = &block["transactions"][0];
    let number = u64::from_str_radix(&block["number"].as_str().unwrap()[2..], 16).unwrap();
    json!([{
        "action": {"callType": "call", "from": A, "to": B, "value": "0x1", "gas": "0x0", "input": "0x"},
        "result": {"gasUsed": "0x0", "output": "0x"}, "subtraces": 0, "traceAddress": [], "type": "call",
        "blockHash": block["hash"], "blockNumber": number, "transactionHash": transaction["hash"], "transactionPosition": 0,
    }])
}

//! Enough of HTTP/1.1 to talk to a node in a test: one request a connection, an answer with a length.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take; mining a batch of blocks takes seconds.
const ANSWER_MAX: Duration = Duration::from_mins(2);
/// The longest answer: a full block as JSON with its spent outputs is a tenth of it.
const BYTES_MAX: u64 = 256 << 20;
/// Header lines of an answer.
const LINES_MAX: usize = 64;

/// A call with a login `user:password`. The status and the body.
pub fn post(port: u16, path: &str, login: &str, body: &str) -> Result<(u16, Vec<u8>), String> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n",
        base64(login.trim().as_bytes()),
        body.len()
    );
    exchange(port, &head, body)
}

/// What is at a path. The status and the body.
pub fn get(port: u16, path: &str) -> Result<(u16, Vec<u8>), String> {
    exchange(port, &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"), "")
}

fn exchange(port: u16, head: &str, body: &str) -> Result<(u16, Vec<u8>), String> {
    let problem = |e: std::io::Error| format!("the connection to port {port}: {e}");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(problem)?;
    stream.set_read_timeout(Some(ANSWER_MAX)).map_err(problem)?;
    stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).map_err(problem)?;
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line).map_err(problem)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| format!("{line:?} begins no HTTP answer"))?;
    let mut length = None;
    for _ in 0..LINES_MAX {
        line.clear();
        answer.read_line(&mut line).map_err(problem)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse::<u64>().ok();
        }
    }
    let length = length.filter(|length| *length <= BYTES_MAX).ok_or("the answer has no length, or one beyond all")?;
    let mut bytes = Vec::new();
    answer.take(length).read_to_end(&mut bytes).map_err(problem)?;
    if bytes.len() as u64 == length { Ok((status, bytes)) } else { Err("the answer is cut off".to_owned()) }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * at) & 63) as usize] as char;
            text.push(if at <= three.len() { digit } else { '=' });
        }
    }
    text
}

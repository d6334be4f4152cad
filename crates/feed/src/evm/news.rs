//! Being told over WebSocket that a node has a new head: what [`Wake`] listens to for an EVM node. Nothing that it says is
//! believed; it is a reason to look.
//!
//! It speaks as much of the protocol as a subscriber to small messages needs: one handshake, unfragmented texts, pings.
//! A library brings 20 crates for this, one of which the house bans (`docs/decisions/0004-node.md`). The key of the
//! handshake and the mask of frames guard proxies against hostile pages, which nobody is here, so both are constant.
//!
//! Source: RFC 6455; `eth_subscribe` of Geth's documentation.

use std::io::{self, Write as _};

use crate::following::{Bell, Wake, connect};
use crate::wire::NodeError;

/// The longest answer to the handshake.
const HANDSHAKE_BYTES_MAX: usize = 16 << 10;
/// The longest frame: a head with its bloom filter has 2 KB.
const FRAME_BYTES_MAX: u64 = 1 << 20;
/// Instead of a length: it stands in the next two bytes, or in the next eight.
const LENGTHS: [u8; 2] = [126, 127];
/// The bit that says that a frame is the last one of its message, or that it is masked.
const FLAG: u8 = 0x80;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
/// What is subscribed to.
const SUBSCRIBE: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"#;
/// What every message of a subscription names.
const NEWS: &[u8] = b"eth_subscription";

/// Listens at `ws://HOST:PORT[/PATH]`.
pub(super) fn wake(url: &str) -> Result<Wake, NodeError> {
    let wrong = || NodeError::Address { given: "--ws".to_owned(), what: "give ws://HOST:PORT".to_owned() };
    let rest = url.strip_prefix("ws://").ok_or_else(wrong)?;
    let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_place = place.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    let is_clean = url.bytes().all(|byte| byte.is_ascii_graphic()) && !place.contains('@');
    if !is_place || !is_clean {
        return Err(wrong());
    }
    let path = if path.is_empty() { "/" } else { path };
    let hello = format!(
        "GET {path} HTTP/1.1\r\nHost: {place}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dHJhY2Vob3VuZCBoZWFycw==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    let place = place.to_owned();
    Ok(Wake::listen(move |bell| listen(&place, &hello, bell)))
}

fn listen(place: &str, hello: &str, bell: &Bell) -> io::Result<()> {
    let mut stream = connect(place)?;
    stream.write_all(hello.as_bytes())?;
    let mut listener = Listener::default();
    let mut bytes = [0; 4096];
    while let Some(told) = bell.hear(&mut stream, &mut bytes)? {
        for heard in listener.receive(told).map_err(io::Error::other)? {
            match heard {
                Heard::Ready => {
                    stream.write_all(&frame(TEXT, SUBSCRIBE))?;
                    // What was told before is not told again.
                    bell.ring();
                }
                Heard::News if !bell.ring() => return Ok(()),
                Heard::News => {}
                Heard::Ping(body) => stream.write_all(&frame(PONG, &body))?,
                Heard::End => return Ok(()),
            }
        }
    }
    Ok(())
}

/// A frame as a client sends it.
fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![FLAG | kind];
    match u8::try_from(body.len()) {
        Ok(length) if length < LENGTHS[0] => bytes.push(FLAG | length),
        _ => {
            bytes.push(FLAG | LENGTHS[0]);
            bytes.extend(u16::try_from(body.len()).unwrap_or(0).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(body);
    bytes
}

/// What received bytes amount to.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    /// The handshake is done.
    Ready,
    /// There is a new head.
    News,
    /// Whether anybody is here.
    Ping(Vec<u8>),
    /// The node says goodbye.
    End,
}

/// One connection's state.
#[derive(Debug, Default)]
struct Listener {
    received: Vec<u8>,
    is_ready: bool,
}

impl Listener {
    /// Takes bytes; `Err` says why nobody can be listened to there.
    fn receive(&mut self, bytes: &[u8]) -> Result<Vec<Heard>, String> {
        self.received.extend_from_slice(bytes);
        let mut heard = Vec::new();
        if !self.is_ready {
            let Some(end) = self.received.windows(4).position(|four| four == b"\r\n\r\n") else {
                let is_long = self.received.len() > HANDSHAKE_BYTES_MAX;
                return if is_long { Err("its handshake has no end".to_owned()) } else { Ok(heard) };
            };
            if !self.received.starts_with(b"HTTP/1.1 101") {
                return Err("it speaks no WebSocket".to_owned());
            }
            self.received.drain(..end + 4);
            self.is_ready = true;
            heard.push(Heard::Ready);
        }
        while let Some((kind, body)) = self.frame()? {
            match kind {
                CLOSE => heard.push(Heard::End),
                // Control frames are short.
                PING if body.len() < 126 => heard.push(Heard::Ping(body)),
                TEXT if body.windows(NEWS.len()).any(|part| part == NEWS) => heard.push(Heard::News),
                _ => {}
            }
        }
        Ok(heard)
    }

    /// The next whole frame.
    fn frame(&mut self) -> Result<Option<(u8, Vec<u8>)>, String> {
        let [first, second, rest @ ..] = self.received.as_slice() else { return Ok(None) };
        let short = second & !FLAG;
        let more = match LENGTHS.iter().position(|long| *long == short) {
            None => 0,
            Some(0) => 2,
            Some(_) => 8,
        };
        let Some(long) = rest.get(..more) else { return Ok(None) };
        let length = match more {
            0 => u64::from(short),
            _ => long.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        };
        if length > FRAME_BYTES_MAX {
            return Err(format!("it sends a frame of {length} bytes"));
        }
        if second & FLAG != 0 {
            return Err("it masks its frames, as only clients do".to_owned());
        }
        let (kind, start) = (first & 0x0f, 2 + more);
        let end = start + usize::try_from(length).expect("it was limited just now");
        if self.received.len() < end {
            return Ok(None);
        }
        let body = self.received[start..end].to_vec();
        self.received.drain(..end);
        Ok(Some((kind, body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x80 | kind];
        if body.len() < 126 {
            bytes.push(u8::try_from(body.len()).unwrap());
        } else {
            bytes.push(126);
            bytes.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        }
        [bytes, body.to_vec()].concat()
    }

    #[test]
    fn news_are_heard_however_their_bytes_arrive() {
        let head = [br#"{"method":"eth_subscription","params":{"#.as_slice(), &[b' '; 600], b"}}"].concat();
        let bytes = [
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n".to_vec(),
            sent(TEXT, br#"{"id":1,"result":"0xcd0c3e8af590364c09d0fa6a1210faf5"}"#),
            sent(TEXT, &head),
            sent(PING, b"x"),
            sent(CLOSE, b""),
        ];
        let expected = vec![Heard::Ready, Heard::News, Heard::Ping(b"x".to_vec()), Heard::End];
        for size in [1, 2, 3, 100, 10_000] {
            let mut listener = Listener::default();
            let heard: Vec<Heard> =
                bytes.concat().chunks(size).flat_map(|chunk| listener.receive(chunk).unwrap()).collect();
            assert_eq!(heard, expected, "in pieces of {size}");
        }
        assert_eq!(frame(PONG, b"x"), [0x8a, 0x81, 0, 0, 0, 0, b'x']);
    }

    #[test]
    fn what_is_no_listener_is_left() {
        let ready = b"HTTP/1.1 101 X\r\n\r\n".to_vec();
        let long = [ready.clone(), vec![0x81, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]].concat();
        for bytes in [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 20_000], long, [ready, vec![0x81, 0x81]].concat()]
        {
            assert!(Listener::default().receive(&bytes).is_err());
        }
        for url in ["http://node:1", "ws://node", "ws://u:p@node:1", "ws://node:99999", "ws://:1"] {
            assert!(wake(url).is_err(), "{url}");
        }
    }
}

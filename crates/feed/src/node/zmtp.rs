//! The subscriber's half of ZMTP 3.0 with the NULL mechanism: greeting, handshake, subscription, frames. Sans-IO: bytes
//! in, what to send and whole messages out.
//!
//! It speaks 3.0, in which subscriptions are messages and nobody sends heartbeats, because every later publisher
//! accepts that. A library brings 57 crates and 41 s of compilation for this (`docs/decisions/0004-node.md`).
//!
//! Source: `ZeroMQ` RFC 23/ZMTP 3.0.

/// A peer's greeting.
const GREETING_BYTES: usize = 64;
/// The longest frame that is taken: a block's hash, a label and a number are 41 bytes.
const FRAME_BYTES_MAX: u64 = 4096;
/// The most frames in a message.
const FRAMES_MAX: usize = 8;
const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// One connection's state.
#[derive(Debug, Default)]
pub(super) struct Subscriber {
    received: Vec<u8>,
    greeted: bool,
    ready: bool,
    parts: Vec<Vec<u8>>,
}

/// What received bytes amount to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The peer is ready: the subscriptions can be sent.
    Ready,
    /// A message, part by part.
    Message(Vec<Vec<u8>>),
}

/// What is sent first: the greeting, and that this is a subscriber.
pub(super) fn hello() -> Vec<u8> {
    let mut bytes = vec![0; GREETING_BYTES];
    bytes[0] = 0xff;
    bytes[9] = 0x7f;
    bytes[10] = 3;
    bytes[12..16].copy_from_slice(b"NULL");
    let ready = b"\x05READY\x0bSocket-Type\0\0\0\x03SUB";
    bytes.extend([COMMAND, u8::try_from(ready.len()).expect("it is short")]);
    bytes.extend(ready);
    bytes
}

/// What is sent to be told of a topic, when the peer is ready.
pub(super) fn subscribe(topic: &str) -> Vec<u8> {
    let length = u8::try_from(topic.len() + 1).expect("topics are a word");
    [&[0, length, 1], topic.as_bytes()].concat()
}

impl Subscriber {
    /// Takes bytes; `Err` says why the peer is none that can be listened to.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Vec<Heard>, String> {
        self.received.extend_from_slice(bytes);
        let mut heard = Vec::new();
        if !self.greeted {
            if self.received.len() < GREETING_BYTES {
                return Ok(heard);
            }
            greeted(&self.received[..GREETING_BYTES])?;
            self.received.drain(..GREETING_BYTES);
            self.greeted = true;
        }
        while let Some((flags, body)) = self.frame()? {
            if flags & COMMAND != 0 {
                if body.starts_with(b"\x05READY") && !self.ready {
                    self.ready = true;
                    heard.push(Heard::Ready);
                } else if body.starts_with(b"\x05ERROR") {
                    return Err("it refuses the connection".to_owned());
                }
                continue;
            }
            self.parts.push(body);
            if flags & MORE == 0 {
                heard.push(Heard::Message(std::mem::take(&mut self.parts)));
            } else if self.parts.len() >= FRAMES_MAX {
                return Err(format!("it sends messages of more than {FRAMES_MAX} parts"));
            }
        }
        Ok(heard)
    }

    /// The next whole frame.
    fn frame(&mut self) -> Result<Option<(u8, Vec<u8>)>, String> {
        let Some(flags) = self.received.first().copied() else { return Ok(None) };
        let (start, length) = if flags & LONG == 0 {
            let Some(length) = self.received.get(1) else { return Ok(None) };
            (2, u64::from(*length))
        } else {
            let Some(length) = self.received.get(1..9) else { return Ok(None) };
            (9, u64::from_be_bytes(length.try_into().expect("eight bytes were asked for")))
        };
        if length > FRAME_BYTES_MAX {
            return Err(format!("it sends a frame of {length} bytes"));
        }
        let end = start + usize::try_from(length).expect("it was limited just now");
        if self.received.len() < end {
            return Ok(None);
        }
        let body = self.received[start..end].to_vec();
        self.received.drain(..end);
        Ok(Some((flags, body)))
    }
}

fn greeted(greeting: &[u8]) -> Result<(), String> {
    let is_zmtp = greeting[0] == 0xff && greeting[9] & 1 == 1 && greeting[10] >= 3;
    if !is_zmtp {
        return Err("no ZMTP 3 publisher listens there".to_owned());
    }
    let mechanism = &greeting[12..32];
    if mechanism.starts_with(b"NULL\0") { Ok(()) } else { Err("it wants a login, which no node does".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publisher(frames: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = hello()[..GREETING_BYTES].to_vec();
        bytes[11] = 1;
        for (flags, body) in frames {
            if flags & LONG == 0 {
                bytes.extend([*flags, u8::try_from(body.len()).unwrap()]);
            } else {
                bytes.push(*flags);
                bytes.extend((body.len() as u64).to_be_bytes());
            }
            bytes.extend(*body);
        }
        bytes
    }

    #[test]
    fn messages_come_out_however_their_bytes_arrive() {
        let ready: &[u8] = b"\x05READY\x0bSocket-Type\0\0\0\x03PUB";
        let bytes = publisher(&[
            (COMMAND, ready),
            (MORE, b"hashblock"),
            (MORE | LONG, &[7; 300]),
            (0, &[1, 0, 0, 0]),
            (COMMAND, b"\x04PING"),
            (0, b""),
        ]);
        let expected = vec![
            Heard::Ready,
            Heard::Message(vec![b"hashblock".to_vec(), vec![7; 300], vec![1, 0, 0, 0]]),
            Heard::Message(vec![vec![]]),
        ];
        for size in [1, 2, 3, 63, 64, 65, 1000] {
            let mut subscriber = Subscriber::default();
            let heard: Vec<Heard> = bytes.chunks(size).flat_map(|chunk| subscriber.receive(chunk).unwrap()).collect();
            assert_eq!(heard, expected, "in pieces of {size}");
        }
        assert_eq!(subscribe("hashblock"), b"\0\x0a\x01hashblock");
    }

    #[test]
    fn a_peer_that_is_none_is_left() {
        let mut old = publisher(&[]);
        old[10] = 1;
        let mut plain = publisher(&[]);
        plain[12..17].copy_from_slice(b"PLAIN");
        let many: Vec<(u8, &[u8])> = vec![(MORE, b"x"); FRAMES_MAX];
        let mut huge = publisher(&[]);
        huge.extend([LONG, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        for bytes in [vec![b'H'; 64], old, plain, publisher(&many), huge, publisher(&[(COMMAND, b"\x05ERROR\x00")])] {
            assert!(Subscriber::default().receive(&bytes).is_err());
        }
    }
}

//! Being told over ZMQ that a node has a block: what [`Wake`] listens to for a Bitcoin node.

use std::io::{self, Write as _};

use super::bitcoind::Notification;
use super::zmtp::{Heard, Subscriber, hello, subscribe};
use crate::following::{Bell, Wake, connect};
use crate::wire::NodeAddress;

/// What is listened to: blocks by their hash, or the sequence of blocks and mempool.
const TOPICS: [&str; 2] = ["hashblock", "sequence"];

/// Listens at `HOST:PORT`.
pub(super) fn wake(place: &str) -> Wake {
    let place = place.to_owned();
    Wake::listen(move |bell| listen(&place, bell))
}

/// Where to listen, of what a node says: the port is the node's word, the host is where the node was found.
pub fn place(notifications: &[Notification], address: &NodeAddress) -> Option<String> {
    let port = |kind: &str| {
        let told = notifications.iter().find(|told| told.kind == kind && told.address.starts_with("tcp://"))?;
        told.address.rsplit_once(':')?.1.parse::<u16>().ok()
    };
    let port = port("pubhashblock").or_else(|| port("pubsequence"))?;
    Some(format!("{}:{port}", address.host()))
}

fn listen(place: &str, bell: &Bell) -> io::Result<()> {
    let mut stream = connect(place)?;
    stream.write_all(&hello())?;
    let mut subscriber = Subscriber::default();
    let mut bytes = [0; 4096];
    while let Some(told) = bell.hear(&mut stream, &mut bytes)? {
        for heard in subscriber.receive(told).map_err(io::Error::other)? {
            let is_news = match heard {
                Heard::Ready => {
                    TOPICS.iter().try_for_each(|topic| stream.write_all(&subscribe(topic)))?;
                    // What was told before is not told again.
                    true
                }
                Heard::Message(parts) => is_block(&parts),
            };
            if is_news && !bell.ring() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Whether a message tells of a block: a `sequence` has the hash, and `C` or `D` for a block that came or went.
fn is_block(parts: &[Vec<u8>]) -> bool {
    match parts {
        [topic, ..] if topic == b"hashblock" => true,
        [topic, body, ..] if topic == b"sequence" => matches!(body.get(32), Some(b'C' | b'D')),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_listened_to_where_it_was_found() {
        let told = |kind: &str, address: &str| Notification { kind: kind.into(), address: address.into() };
        let address = NodeAddress::parse("http://node.example:8332").unwrap();
        let on = |list: &[Notification]| place(list, &address);
        assert_eq!(on(&[]), None);
        assert_eq!(on(&[told("pubrawtx", "tcp://127.0.0.1:1"), told("pubhashblock", "ipc:///tmp/x:5")]), None);
        let both = [told("pubsequence", "tcp://0.0.0.0:28333"), told("pubhashblock", "tcp://198.51.100.7:28332")];
        assert_eq!(on(&both), Some("node.example:28332".to_owned()));
        assert_eq!(on(&both[..1]), Some("node.example:28333".to_owned()));
    }

    #[test]
    fn only_blocks_wake() {
        let sequence = |label: u8| vec![b"sequence".to_vec(), [&[0; 32][..], &[label]].concat(), vec![0; 4]];
        assert!(is_block(&[b"hashblock".to_vec(), vec![0; 32]]));
        assert!(is_block(&sequence(b'C')) && is_block(&sequence(b'D')));
        assert!(!is_block(&sequence(b'A')) && !is_block(&[b"rawtx".to_vec()]) && !is_block(&[]));
    }
}

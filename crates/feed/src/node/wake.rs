//! [`Wake`]: being told that a node has something new, over ZMQ. Only ever a reason to look: messages get lost, so
//! whoever waits looks now and then anyway, and nothing that a message says is believed.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::address::NodeAddress;
use super::bitcoind::Notification;
use super::zmtp::{Heard, Subscriber, hello, subscribe};

/// What is listened to: blocks by their hash, or the sequence of blocks and mempool.
const TOPICS: [&str; 2] = ["hashblock", "sequence"];
/// How long a connection may take to come about.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// How often the listener looks whether it is still wanted.
const LOOK_TIME: Duration = Duration::from_millis(500);
/// How long to wait before connecting again, at first and at most.
const AGAIN_TIME: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(10)];

/// Waits for news of a node.
pub struct Wake {
    news: Receiver<Instant>,
    wanted: Arc<AtomicBool>,
    /// Kept where nobody listens, so that waiting is waiting.
    _quiet: Option<SyncSender<Instant>>,
}

impl Wake {
    /// Nobody tells.
    pub fn silent() -> Self {
        let (send, news) = sync_channel(1);
        Self { news, wanted: Arc::default(), _quiet: Some(send) }
    }

    /// Listens at `HOST:PORT`, in a thread of its own, until this value goes.
    pub fn listen(place: &str) -> Self {
        let (send, news) = sync_channel(1);
        let wanted = Arc::new(AtomicBool::new(true));
        let (place, still) = (place.to_owned(), Arc::clone(&wanted));
        thread::spawn(move || {
            let mut again = AGAIN_TIME[0];
            while still.load(Ordering::Relaxed) {
                let began = Instant::now();
                // Whatever ended it: it is tried again, and whoever waits looks anyway.
                let _ = listen(&place, &send, &still);
                again = if began.elapsed() > AGAIN_TIME[1] { AGAIN_TIME[0] } else { (again * 2).min(AGAIN_TIME[1]) };
                thread::sleep(again.min(LOOK_TIME));
                let until = Instant::now() + again;
                while still.load(Ordering::Relaxed) && Instant::now() < until {
                    thread::sleep(LOOK_TIME);
                }
            }
        });
        Self { news, wanted, _quiet: None }
    }

    /// Waits for news, but not longer than this; when they came, if they did.
    pub fn wait(&self, at_most: Duration) -> Option<Instant> {
        match self.news.recv_timeout(at_most) {
            Ok(when) => Some(when),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(at_most);
                None
            }
        }
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        self.wanted.store(false, Ordering::Relaxed);
    }
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

fn listen(place: &str, news: &SyncSender<Instant>, wanted: &AtomicBool) -> io::Result<()> {
    let mut stream = connect(place)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LOOK_TIME))?;
    stream.set_write_timeout(Some(CONNECT_TIME_MAX))?;
    stream.write_all(&hello())?;
    let mut subscriber = Subscriber::default();
    let mut bytes = [0; 4096];
    while wanted.load(Ordering::Relaxed) {
        let count = match stream.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => continue,
            Err(error) => return Err(error),
        };
        for heard in subscriber.receive(&bytes[..count]).map_err(io::Error::other)? {
            let is_news = match heard {
                Heard::Ready => {
                    TOPICS.iter().try_for_each(|topic| stream.write_all(&subscribe(topic)))?;
                    // What was told before is not told again.
                    true
                }
                Heard::Message(parts) => is_block(&parts),
            };
            // One that is waiting to be heard is as good as two.
            if is_news && matches!(news.try_send(Instant::now()), Err(TrySendError::Disconnected(_))) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn connect(place: &str) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in place.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIME_MAX) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
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

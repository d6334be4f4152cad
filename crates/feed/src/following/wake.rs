//! [`Wake`]: being told that a node has something new. Only ever a reason to look: messages get lost, so whoever waits
//! looks now and then anyway, and nothing that a message says is believed.

use std::io::{self, Read as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long a connection may take to come about.
pub(crate) const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// How often the listener looks whether it is still wanted.
pub(crate) const LOOK_TIME: Duration = Duration::from_millis(500);
/// How long to wait before connecting again, at first and at most.
const AGAIN_TIME: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(10)];

/// Waits for news of a node.
pub(crate) struct Wake {
    news: Receiver<Instant>,
    wanted: Arc<AtomicBool>,
    /// Kept where nobody listens, so that waiting is waiting.
    _quiet: Option<SyncSender<Instant>>,
}

/// The listener's end: whom to tell.
pub(crate) struct Bell {
    news: SyncSender<Instant>,
    wanted: Arc<AtomicBool>,
}

impl Bell {
    /// Whether anybody still waits.
    pub fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// There is news; says whether anybody hears it. One that is waiting to be heard is as good as two.
    pub fn ring(&self) -> bool {
        !matches!(self.news.try_send(Instant::now()), Err(TrySendError::Disconnected(_)))
    }

    /// What the other side says next; nothing once it has ended the connection, or nobody waits any more.
    pub fn hear<'b>(&self, stream: &mut TcpStream, bytes: &'b mut [u8]) -> io::Result<Option<&'b [u8]>> {
        while self.is_wanted() {
            match stream.read(bytes) {
                Ok(0) => return Ok(None),
                Ok(count) => return Ok(Some(&bytes[..count])),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

impl Wake {
    /// Nobody tells.
    pub fn silent() -> Self {
        let (send, news) = sync_channel(1);
        Self { news, wanted: Arc::default(), _quiet: Some(send) }
    }

    /// Listens in a thread of its own, until this value goes. `listen` connects once, rings, and comes back when the
    /// connection has ended; it looks at [`Bell::is_wanted`] every [`LOOK_TIME`].
    pub fn listen(listen: impl Fn(&Bell) -> io::Result<()> + Send + 'static) -> Self {
        let (send, news) = sync_channel(1);
        let wanted = Arc::new(AtomicBool::new(true));
        let bell = Bell { news: send, wanted: Arc::clone(&wanted) };
        thread::spawn(move || {
            let mut again = AGAIN_TIME[0];
            while bell.is_wanted() {
                let began = Instant::now();
                // Whatever ended it: it is tried again, and whoever waits looks anyway.
                let _ = listen(&bell);
                again = if began.elapsed() > AGAIN_TIME[1] { AGAIN_TIME[0] } else { (again * 2).min(AGAIN_TIME[1]) };
                thread::sleep(again.min(LOOK_TIME));
                let until = Instant::now() + again;
                while bell.is_wanted() && Instant::now() < until {
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

/// A connection to `HOST:PORT` whose reads come back after [`LOOK_TIME`].
pub(crate) fn connect(place: &str) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in place.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIME_MAX) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(LOOK_TIME))?;
                stream.set_write_timeout(Some(CONNECT_TIME_MAX))?;
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

//! [`follow`]: a node followed until somebody says stop: waiting, being woken, and outlasting a node that goes away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use book::Book;

use super::address::NodeAddress;
use super::bitcoind::Bitcoind;
use super::chain::Node as _;
use super::error::NodeError;
use super::event::Event;
use super::follow::{Follower, Turn};
use super::login::Login;
use super::rpc::Rpc;
use super::trouble::FollowError;
use super::wake::{Wake, place};

/// How long to wait before a node is asked again, at first and at most.
const AGAIN_TIME: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(3)];
/// How often a wait looks whether it should end.
const LOOK_TIME: Duration = Duration::from_millis(50);
/// For how long a node may be away, or something be waited for, where the book shall only catch up.
const ONCE_TIME_MAX: Duration = Duration::from_secs(20);

/// How to follow.
#[derive(Clone, Debug)]
pub struct FollowOptions {
    /// Catch up and end.
    pub once: bool,
    /// Where an empty ledger begins.
    pub from: u64,
    /// Where blocks are announced, as `HOST:PORT`; asked of the node if it is not given.
    pub zmq: Option<String>,
    /// How often to look without being told.
    pub poll: Duration,
}

impl Default for FollowOptions {
    fn default() -> Self {
        Self { once: false, from: 0, zmq: None, poll: Duration::from_millis(500) }
    }
}

/// Follows the node at an address into the book until `stop` is set, or until the book has caught up if that is
/// asked for.
pub fn follow(
    book: &Book,
    address: &NodeAddress,
    login: &Login,
    options: &FollowOptions,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(Event),
) -> Result<(), FollowError> {
    let mut run = Run { options, stop, tell, away: None, was_there: false, wait: AGAIN_TIME[0] };
    let Some((node, node_height)) = run.connect(address, login)? else { return Ok(()) };
    let mut follower = Follower::open(book, node.identity(), options.from, options.once)?;
    let zmq = match &options.zmq {
        None if !options.once => node.notifications().ok().and_then(|told| place(&told, address)),
        zmq => zmq.as_deref().map(|place| place.strip_prefix("tcp://").unwrap_or(place).to_owned()),
    };
    let wake = zmq.as_deref().map_or_else(Wake::silent, Wake::listen);
    let ledger = node.identity().ledger.clone();
    (run.tell)(Event::Began { node: address.to_string(), ledger, height: follower.height(), node_height, wake: zmq });
    run.go_on(&node, &mut follower, &wake)
}

struct Run<'a> {
    options: &'a FollowOptions,
    stop: &'a AtomicBool,
    tell: &'a mut dyn FnMut(Event),
    /// Since when the node is away.
    away: Option<Instant>,
    /// Whether it has answered before.
    was_there: bool,
    wait: Duration,
}

impl Run<'_> {
    /// Asks the node until it answers; `None` if it is to stop before.
    fn connect(&mut self, address: &NodeAddress, login: &Login) -> Result<Option<(Bitcoind, u64)>, FollowError> {
        loop {
            let rpc = Rpc::new(address.clone(), login.clone());
            let node = Bitcoind::connect(rpc).and_then(|node| node.state().map(|state| (node, state.height)));
            match node {
                Ok(node) => {
                    self.is_back();
                    self.was_there = true;
                    return Ok(Some(node));
                }
                Err(error) => self.outlast(error.into())?,
            }
            if self.is_stopped() {
                return Ok(None);
            }
        }
    }

    fn go_on(&mut self, node: &Bitcoind, follower: &mut Follower<'_>, wake: &Wake) -> Result<(), FollowError> {
        let mut seen = Instant::now();
        let mut is_at_tip = false;
        let mut waiting: Option<(String, Instant)> = None;
        loop {
            if self.away.is_some()
                && let Err(error) = node.forget()
            {
                self.outlast(error.into())?;
                continue;
            }
            match self.turn(node, follower, seen) {
                Ok(turn) => {
                    self.is_back();
                    match turn {
                        Turn::Stopped => return Ok(()),
                        Turn::Again => continue,
                        Turn::AtTip => {
                            waiting = None;
                            if let (false, Some(height)) = (is_at_tip, follower.height()) {
                                (self.tell)(Event::AtTip { height });
                            }
                            is_at_tip = true;
                            if self.options.once {
                                return Ok(());
                            }
                            seen = self.rest(wake);
                        }
                        Turn::Wait(why) => {
                            match &waiting {
                                Some((said, since)) if *said == why => {
                                    if self.options.once && since.elapsed() > ONCE_TIME_MAX {
                                        return Err(FollowError::Waited(why));
                                    }
                                }
                                _ => {
                                    (self.tell)(Event::Waiting { why: why.clone() });
                                    waiting = Some((why, Instant::now()));
                                }
                            }
                            seen = self.rest(wake);
                        }
                    }
                }
                Err(error) => {
                    is_at_tip = false;
                    self.outlast(error)?;
                    seen = Instant::now();
                }
            }
            if self.is_stopped() {
                return Ok(());
            }
        }
    }

    /// One turn; the first thing that it tells is that the node is back, if it was away.
    fn turn(&mut self, node: &Bitcoind, follower: &mut Follower<'_>, seen: Instant) -> Result<Turn, FollowError> {
        let Self { stop, tell, away, .. } = self;
        let mut tell = |event: Event| {
            if let Some(since) = away.take() {
                tell(Event::Back { away: since.elapsed() });
            }
            tell(event);
        };
        follower.turn(node, seen, stop, &mut tell)
    }

    /// Tells once that the node is away, and waits a little; an error that waiting does not mend comes back.
    fn outlast(&mut self, error: FollowError) -> Result<(), FollowError> {
        // A login that was accepted may be accepted again: somebody is changing the node's settings.
        let is_refused = matches!(error, FollowError::Node(NodeError::Login { .. }));
        if !(error.is_passing() || is_refused && self.was_there) {
            return Err(error);
        }
        match &self.away {
            None => {
                let why = if let FollowError::Node(error) = &error { error.bare() } else { error.to_string() };
                (self.tell)(Event::Lost { why });
                self.away = Some(Instant::now());
                self.wait = AGAIN_TIME[0];
            }
            Some(since) if self.options.once && since.elapsed() > ONCE_TIME_MAX => return Err(error),
            Some(_) => {}
        }
        self.pause();
        Ok(())
    }

    fn is_back(&mut self) {
        if let Some(since) = self.away.take() {
            (self.tell)(Event::Back { away: since.elapsed() });
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Waits for longer each time.
    fn pause(&mut self) {
        let until = Instant::now() + self.wait;
        self.wait = (self.wait * 2).min(AGAIN_TIME[1]);
        while !self.is_stopped() && Instant::now() < until {
            std::thread::sleep(LOOK_TIME.min(until.saturating_duration_since(Instant::now())));
        }
    }

    /// Waits for news, or until it is time to look; gives when there was a reason to.
    fn rest(&mut self, wake: &Wake) -> Instant {
        self.wait = AGAIN_TIME[0];
        let until = Instant::now() + self.options.poll;
        while !self.is_stopped() {
            let left = until.saturating_duration_since(Instant::now());
            if let Some(when) = wake.wait(LOOK_TIME.min(left)) {
                return when;
            }
            if left.is_zero() {
                break;
            }
        }
        Instant::now()
    }
}

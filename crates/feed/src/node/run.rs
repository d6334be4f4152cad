//! [`follow`]: a Bitcoin node followed until somebody says stop.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use book::Book;

use super::BITCOIN;
use super::bitcoind::Bitcoind;
use super::chain::Node as _;
use super::follow::Follower;
use super::wake::{place, wake};
use crate::following::{Event, FollowError, Run, Turn, Turns, Wake};
use crate::wire::{Login, NodeAddress, NodeError, Rpc};

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
    let mut run = Run::new(options.once, options.poll, stop, tell);
    let connected = run.connect(|| {
        let rpc = Rpc::new(address.clone(), login.clone(), &BITCOIN);
        let node = Bitcoind::connect(rpc)?;
        let height = node.state()?.height;
        Ok((node, height))
    })?;
    let Some((node, node_height)) = connected else { return Ok(()) };
    let follower = Follower::open(book, node.identity(), options.from, options.once)?;
    let zmq = match &options.zmq {
        None if !options.once => node.notifications().ok().and_then(|told| place(&told, address)),
        zmq => zmq.as_deref().map(|place| place.strip_prefix("tcp://").unwrap_or(place).to_owned()),
    };
    let news = zmq.as_deref().map_or_else(Wake::silent, wake);
    let ledger = node.identity().ledger.clone();
    (run.tell)(Event::Began { node: address.to_string(), ledger, height: follower.height(), node_height, wake: zmq });
    run.go_on(&mut Following { node: &node, follower }, &news)
}

/// A follower and its node.
struct Following<'a> {
    node: &'a Bitcoind,
    follower: Follower<'a>,
}

impl Turns for Following<'_> {
    fn turn(&mut self, seen: Instant, stop: &AtomicBool, tell: &mut dyn FnMut(Event)) -> Result<Turn, FollowError> {
        self.follower.turn(self.node, seen, stop, tell)
    }

    fn height(&self) -> Option<u64> {
        self.follower.height()
    }

    fn meet_again(&mut self) -> Result<(), NodeError> {
        self.node.forget()
    }
}

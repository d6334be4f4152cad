//! `tracehound ingest bitcoin --rpc`: a node followed into the book.
//!
//! What to do about the node is `feed::node`'s; this file knows flags and the interrupt; `telling.rs` has the words.

use std::sync::atomic::Ordering;

use book::Book;
use feed::node::{Event, FollowError, FollowOptions, Login, NodeAddress, follow};
use ledger::txid_text;
use upkeep::{Keeper, Kept};

use crate::cli::{BitcoinArgs, NodeArgs};
use crate::commands::say;
use crate::commands::telling::Teller;
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::interrupt::Heed;

/// The variable that holds the password of `--rpc-user`.
const PASSWORD: &str = "TRACEHOUND_RPC_PASSWORD";

pub fn run(home: &Home, args: &BitcoinArgs) -> Result<Exit, Failure> {
    let (address, login) = node(&args.node)?;
    let defaults = FollowOptions::default();
    let options = FollowOptions {
        once: args.once,
        from: args.from_height.unwrap_or(defaults.from),
        zmq: args.zmq.clone(),
        ..defaults
    };
    let book = home.create()?;
    let heed = Heed::begin();
    let mut teller = Teller::new(args.json, txid_text);
    let mut keeping = Keeping { book: &book, keeper: None, heed: &heed };
    let ended = follow(&book, &address, &login, &options, heed.asked(), &mut |event| {
        teller.tell(&event);
        if teller.has_failed() {
            heed.asked().store(true, Ordering::Relaxed);
        }
        keeping.take(&event);
    });
    if let Some(error) = teller.failed() {
        return Err(error.into());
    }
    ended?;
    heed.end()?;
    Ok(Exit::Done)
}

/// Where a node is, and how to log in to it.
pub fn node(args: &NodeArgs) -> Result<(NodeAddress, Login), Failure> {
    let url = args.rpc.as_deref().unwrap_or_default();
    let address = NodeAddress::parse(url).map_err(|error| Failure::bad_input(format!("--rpc {error}")))?;
    let login = match (&args.rpc_cookie, &args.rpc_user) {
        (Some(cookie), _) => Login::Cookie(cookie.clone()),
        (None, Some(user)) => {
            let password = std::env::var(PASSWORD);
            let password = password.map_err(|_| Failure::bad_input(format!("--rpc-user: set {PASSWORD} as well")))?;
            Login::Password { user: user.clone(), password }
        }
        (None, None) => Login::of(&address),
    };
    Ok((address, login))
}

/// Brings up what is kept of the ledger (clusters, exposure) when the book has the node's newest block. Where nothing is
/// kept, nothing is begun: that is for the user to ask for.
struct Keeping<'a> {
    book: &'a Book,
    keeper: Option<Keeper>,
    heed: &'a Heed,
}

impl Keeping<'_> {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Began { ledger, .. } => self.keeper = Some(Keeper::new(ledger.clone())),
            // Parts of a catch-up are left for its end.
            Event::Added { .. } | Event::AtTip { .. } => self.bring_up(),
            _ => {}
        }
    }

    /// What cannot be kept does not hold up the blocks.
    fn bring_up(&mut self) {
        let Some(keeper) = &mut self.keeper else { return };
        let done = match Kept::open(self.book, keeper.ledger()) {
            Ok(None) => return,
            // What is damaged is made anew.
            Ok(Some(_)) | Err(_) => keeper.bring_up(self.book, &mut |_| self.heed.goes_on()),
        };
        match done {
            Ok(report) => {
                for why in report.rebuilt {
                    say(format!("clusters and exposure are made anew: {why}"));
                }
            }
            Err(error) => say(format!("clusters and exposure are not up to this block: {error}")),
        }
    }
}

impl From<FollowError> for Failure {
    fn from(error: FollowError) -> Self {
        match (error.kind(), error) {
            (_, FollowError::Book(error)) => error.into(),
            (feed::Kind::BadInput, error) => Self::bad_input(error),
            (feed::Kind::System, error) => Self::internal(error),
        }
    }
}

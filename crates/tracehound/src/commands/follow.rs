//! `tracehound ingest bitcoin --rpc`: a node followed into the book, and what happens told as lines or as NDJSON.
//!
//! What to do about the node is `feed::node`'s; this file knows flags, the interrupt, and words.

use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use book::Book;
use feed::node::{Event, FollowError, FollowOptions, Login, NodeAddress, follow};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ledger::txid_text;
use serde_json::{Value, json};
use upkeep::{Keeper, Kept};

use crate::cli::{BitcoinArgs, NodeArgs};
use crate::commands::{print, say};
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::interrupt::Heed;
use crate::output::text::{counted, grouped};

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
    let mut teller = Teller::new(args.json);
    let mut keeping = Keeping { book: &book, keeper: None, heed: &heed };
    let ended = follow(&book, &address, &login, &options, heed.asked(), &mut |event| {
        teller.tell(&event);
        if teller.failed.is_some() {
            heed.asked().store(true, Ordering::Relaxed);
        }
        keeping.take(&event);
    });
    teller.bar.take();
    if let Some(error) = teller.failed {
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

/// Tells what happens.
struct Teller {
    as_json: bool,
    bar: Option<ProgressBar>,
    /// When this catch-up began, and at which height.
    began: Option<(Instant, u64)>,
    target: u64,
    /// Standard output could not be written.
    failed: Option<io::Error>,
}

impl Teller {
    fn new(as_json: bool) -> Self {
        Self { as_json, bar: None, began: None, target: 0, failed: None }
    }

    fn tell(&mut self, event: &Event) {
        if let Event::Filling { height, target } = event {
            self.fill(*height, *target);
            return;
        }
        // A catch-up that was cut off may begin anew, and further down.
        if matches!(event, Event::Undone { .. } | Event::Lost { .. }) {
            self.began = None;
        }
        let line = self.line(event);
        if !matches!(event, Event::Filled { .. })
            && let Some(bar) = self.bar.take()
        {
            bar.finish_and_clear();
        }
        if let Some(line) = line {
            say(line);
        }
        if self.as_json
            && let Err(error) = print(document(event))
        {
            self.failed = Some(error);
        }
    }

    /// Moves the bar; where nobody watches, the commits of a catch-up are told instead.
    fn fill(&mut self, height: u64, target: u64) {
        let (_, first) = *self.began.get_or_insert((Instant::now(), height));
        self.target = target;
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(5));
            let template = "block {msg} [{bar:24}] {human_pos}/{human_len} ({per_sec}, {eta} left)";
            bar.set_style(ProgressStyle::with_template(template).expect("the template is right"));
            bar
        });
        bar.set_length(target + 1 - first);
        bar.set_position(height + 1 - first);
        bar.set_message(grouped(&height.to_string()));
    }

    /// What a person is told.
    fn line(&mut self, event: &Event) -> Option<String> {
        let block = |height: &u64| grouped(&height.to_string());
        Some(match event {
            Event::Filling { .. } => return None,
            Event::Began { node, ledger, height, node_height, wake } => {
                let book =
                    height.as_ref().map_or_else(|| "empty".to_owned(), |height| format!("at block {}", block(height)));
                let wake =
                    wake.as_ref().map_or_else(String::new, |place| format!(", which announces blocks at {place}"));
                format!("{node}: at block {}{wake}; the book's {ledger} is {book}", block(node_height))
            }
            Event::Added { height, hash, transactions, after } => {
                self.began = None;
                let (transactions, after) = (counted(*transactions, "transaction"), seconds(*after));
                format!("block {}, {}: {transactions}, {after} after the node's report", block(height), txid_text(hash))
            }
            Event::Filled { first, height, transactions, .. } => {
                let of = format!("blocks {} to {} of {}", block(first), block(height), block(&self.target));
                let left = self.time_left(*height);
                if *height >= self.target {
                    self.began = None;
                }
                let line = format!("{of}: {}{left}", counted(*transactions, "transaction"));
                if let Some(bar) = self.bar.as_ref().filter(|bar| !bar.is_hidden()) {
                    bar.tick();
                    return None;
                }
                line
            }
            Event::Undone { blocks, height, hash, stale } => format!(
                "the chain has turned {} deep: {} and what led to it are taken back to block {}, {}",
                counted(*blocks, "block"),
                txid_text(stale),
                block(height),
                txid_text(hash)
            ),
            Event::Waiting { why } => format!("waiting: {why}"),
            Event::Lost { why } => format!("the node is away: {why}; trying again"),
            Event::Back { away } => format!("the node is back after {}", seconds(*away)),
            Event::AtTip { height } => format!("the book has the node's last block, {}", block(height)),
        })
    }

    /// How long the rest of a catch-up takes if it goes on like this.
    fn time_left(&self, height: u64) -> String {
        let Some((since, first)) = self.began.filter(|_| height < self.target) else { return String::new() };
        let (done, left) = (height + 1 - first, self.target - height);
        let left_ms = since.elapsed().as_millis() * u128::from(left) / u128::from(done.max(1));
        format!(", about {} s left", grouped(&left_ms.div_ceil(1000).to_string()))
    }
}

/// Seconds with three decimals.
fn seconds(time: Duration) -> String {
    format!("{}.{:03} s", grouped(&time.as_secs().to_string()), time.subsec_millis())
}

/// What a program is told.
fn document(event: &Event) -> Value {
    let millis = |time: &Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let mut document = match event {
        Event::Began { node, ledger, height, node_height, wake } => json!({
            "event": "began", "node": node, "ledger": ledger.as_str(), "height": height, "node_height": node_height,
            "wake": wake,
        }),
        Event::Filling { height, target } => json!({"event": "filling", "height": height, "target": target}),
        Event::Added { height, hash, transactions, after } => json!({
            "event": "added", "height": height, "hash": txid_text(hash), "transactions": transactions,
            "after_ms": millis(after),
        }),
        Event::Filled { first, height, hash, transactions } => json!({
            "event": "filled", "first": first, "height": height, "hash": txid_text(hash), "transactions": transactions,
        }),
        Event::Undone { blocks, height, hash, stale } => json!({
            "event": "undone", "blocks": blocks, "height": height, "hash": txid_text(hash), "stale": txid_text(stale),
        }),
        Event::Waiting { why } => json!({"event": "waiting", "why": why}),
        Event::Lost { why } => json!({"event": "lost", "why": why}),
        Event::Back { away } => json!({"event": "back", "away_ms": millis(away)}),
        Event::AtTip { height } => json!({"event": "at_tip", "height": height}),
    };
    document["schema"] = "tracehound/follow/1".into();
    document
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catch_up_that_is_cut_off_begins_anew_on_a_chain_that_turned_below_it() {
        let mut teller = Teller::new(false);
        teller.tell(&Event::Filling { height: 140, target: 176 });
        teller.tell(&Event::Lost { why: "it was killed".to_owned() });
        teller.tell(&Event::Back { away: Duration::ZERO });
        teller.tell(&Event::Undone { blocks: 17, height: 122, hash: [1; 32], stale: [2; 32] });
        teller.tell(&Event::Filling { height: 123, target: 160 });
        assert_eq!(teller.began.map(|(_, first)| first), Some(123));
        teller.tell(&Event::Undone { blocks: 1, height: 122, hash: [1; 32], stale: [3; 32] });
        teller.tell(&Event::Filled { first: 123, height: 150, hash: [4; 32], transactions: 28 });
        assert_eq!(teller.time_left(150), "", "nothing is known of how fast it goes");
    }
}

//! [`Teller`]: what happens while a node is followed, told as lines for people or as NDJSON for programs.

use std::io;
use std::time::{Duration, Instant};

use feed::node::Event;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::commands::{print, say};
use crate::output::text::{counted, grouped};

/// Tells what happens.
pub struct Teller {
    as_json: bool,
    /// How the chain prints a block's hash.
    hash_text: fn(&[u8; 32]) -> String,
    /// What the blocks come from.
    source: &'static str,
    bar: Option<ProgressBar>,
    /// When this catch-up began, and at which height.
    began: Option<(Instant, u64)>,
    target: u64,
    /// Standard output could not be written.
    failed: Option<io::Error>,
}

impl Teller {
    /// Nothing is told yet.
    pub fn new(as_json: bool, hash_text: fn(&[u8; 32]) -> String) -> Self {
        Self { as_json, hash_text, source: "node", bar: None, began: None, target: 0, failed: None }
    }

    /// The blocks come from something else than a node.
    pub fn of(self, source: &'static str) -> Self {
        Self { source, ..self }
    }

    /// Whether standard output has failed.
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// The end: the bar goes; why standard output failed, if it did.
    pub fn failed(&mut self) -> Option<io::Error> {
        self.bar.take();
        self.failed.take()
    }

    /// Tells of an event.
    pub fn tell(&mut self, event: &Event) {
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
            && let Err(error) = print(document(event, self.hash_text))
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
                let transactions = counted(*transactions, "transaction");
                // Files report nothing.
                let after = match self.source {
                    "node" => format!(", {} after the node's report", seconds(*after)),
                    _ => String::new(),
                };
                format!("block {}, {}: {transactions}{after}", block(height), (self.hash_text)(hash))
            }
            Event::Filled { first, height, transactions, .. } => {
                let target = self.target.max(*height);
                let of = format!("blocks {} to {} of {}", block(first), block(height), block(&target));
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
                (self.hash_text)(stale),
                block(height),
                (self.hash_text)(hash)
            ),
            Event::Waiting { why } => format!("waiting: {why}"),
            Event::Lost { why } => format!("the node is away: {why}; trying again"),
            Event::Back { away } => format!("the node is back after {}", seconds(*away)),
            Event::Problem { height, what } => format!("problem: block {}: {what}", block(height)),
            Event::AtTip { height } => format!("the book has the {}'s last block, {}", self.source, block(height)),
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
fn document(event: &Event, hash_text: fn(&[u8; 32]) -> String) -> Value {
    let millis = |time: &Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let mut document = match event {
        Event::Began { node, ledger, height, node_height, wake } => json!({
            "event": "began", "node": node, "ledger": ledger.as_str(), "height": height, "node_height": node_height,
            "wake": wake,
        }),
        Event::Filling { height, target } => json!({"event": "filling", "height": height, "target": target}),
        Event::Added { height, hash, transactions, after } => json!({
            "event": "added", "height": height, "hash": hash_text(hash), "transactions": transactions,
            "after_ms": millis(after),
        }),
        Event::Filled { first, height, hash, transactions } => json!({
            "event": "filled", "first": first, "height": height, "hash": hash_text(hash), "transactions": transactions,
        }),
        Event::Undone { blocks, height, hash, stale } => json!({
            "event": "undone", "blocks": blocks, "height": height, "hash": hash_text(hash), "stale": hash_text(stale),
        }),
        Event::Waiting { why } => json!({"event": "waiting", "why": why}),
        Event::Lost { why } => json!({"event": "lost", "why": why}),
        Event::Back { away } => json!({"event": "back", "away_ms": millis(away)}),
        Event::Problem { height, what } => json!({"event": "problem", "height": height, "what": what}),
        Event::AtTip { height } => json!({"event": "at_tip", "height": height}),
    };
    document["schema"] = "tracehound/follow/1".into();
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catch_up_that_is_cut_off_begins_anew_on_a_chain_that_turned_below_it() {
        let mut teller = Teller::new(false, ledger::txid_text);
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

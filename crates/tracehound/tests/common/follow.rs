//! A program that follows a node, and what it tells.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Desk;
use super::node::Node;

/// The longest that anything here is waited for.
pub const WAIT_MAX: Duration = Duration::from_mins(2);

/// A program that follows a node, and what it tells.
pub struct Following {
    child: Child,
    events: Receiver<Value>,
}

impl Following {
    /// Starts it.
    pub fn start(desk: &Desk, node: &Node, options: &str) -> Self {
        Self::run(desk, &format!("ingest bitcoin {} --json {options}", reach(node)))
    }

    /// Starts any command line that tells what happens as NDJSON.
    pub fn run(desk: &Desk, line: &str) -> Self {
        let mut child =
            desk.command(line).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
        let out = BufReader::new(child.stdout.take().expect("it was asked for"));
        let (send, events) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = send.send(serde_json::from_str(&line).expect("each line is JSON"));
            }
        });
        Self { child, events }
    }

    /// Everything told up to the first event that fits, that one included.
    #[track_caller]
    pub fn until(&self, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        let begun = Instant::now();
        let mut told: Vec<Value> = Vec::new();
        while !told.last().is_some_and(&fits) {
            let left = WAIT_MAX.saturating_sub(begun.elapsed());
            let event = self.events.recv_timeout(left);
            told.push(event.unwrap_or_else(|_| panic!("it did not tell what it should; it told {told:#?}")));
        }
        told
    }

    /// Everything told until the book has the node's last block.
    #[track_caller]
    pub fn until_tip(&self, node: &Node) -> Vec<Value> {
        let (_, hash) = node.tip();
        self.until(|event| event["hash"] == hash.as_str() && event["event"] != "undone")
    }

    /// Ends it at any instant, as a power cut would.
    pub fn kill(self) {
        drop(self);
    }

    /// Asks it to end, as Ctrl-C does. Its exit code.
    pub fn interrupt(mut self) -> Option<i32> {
        let status = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(status.expect("there is a kill command").success());
        self.child.wait().expect("it is ours").code()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // One that has ended meanwhile cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The flags that name a node, and how to log in to it.
pub fn reach(node: &Node) -> String {
    format!("--rpc {} --rpc-cookie {}", node.rpc_url(), node.cookie_path().display())
}

/// What happened, by name.
pub fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().expect("every event has a name")).collect()
}

//! [`Run`]: a node followed until somebody says stop: waiting, being woken, and outlasting a node that goes away.
//!
//! What is done with the node's blocks is a [`Turns`]'s; this knows patience alone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::event::Event;
use super::trouble::FollowError;
use super::wake::Wake;
use crate::wire::NodeError;

/// How long to wait before a node is asked again, at first and at most.
const AGAIN_TIME: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(3)];
/// How often a wait looks whether it should end.
const LOOK_TIME: Duration = Duration::from_millis(50);
/// For how long a node may refuse because too much is asked of it, where the book shall only catch up.
const ONCE_BUSY_TIME_MAX: Duration = Duration::from_mins(10);
/// For how long a node may be away, or something be waited for, where the book shall only catch up.
const ONCE_TIME_MAX: Duration = Duration::from_secs(20);

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The book has the node's last block.
    AtTip,
    /// There is more to do right away.
    Again,
    /// It cannot go on yet, for this reason.
    Wait(String),
    /// It was asked to stop; what is whole is committed.
    Stopped,
}

/// A ledger that follows a node, one turn at a time.
pub(crate) trait Turns {
    /// Looks at the node once and does what follows. `seen` is when the node was heard or seen to have something new.
    fn turn(&mut self, seen: Instant, stop: &AtomicBool, tell: &mut dyn FnMut(Event)) -> Result<Turn, FollowError>;

    /// The book's last height.
    fn height(&self) -> Option<u64>;

    /// The node was away: it may be another one by now. Fails if it is on another chain.
    fn meet_again(&mut self) -> Result<(), NodeError>;
}

/// Follows until `stop` is set, or until the book has caught up if that is asked for.
pub(crate) struct Run<'a> {
    /// Catch up and end.
    pub once: bool,
    /// How often to look without being told.
    pub poll: Duration,
    /// Set by whoever wants an end.
    pub stop: &'a AtomicBool,
    /// Who is told what happens.
    pub tell: &'a mut dyn FnMut(Event),
    /// Since when the node is away.
    away: Option<Instant>,
    /// Whether it has answered before.
    was_there: bool,
    wait: Duration,
}

impl<'a> Run<'a> {
    pub fn new(once: bool, poll: Duration, stop: &'a AtomicBool, tell: &'a mut dyn FnMut(Event)) -> Self {
        Self { once, poll, stop, tell, away: None, was_there: false, wait: AGAIN_TIME[0] }
    }

    /// Asks the node until it answers; `None` if it is to stop before.
    pub fn connect<T>(&mut self, connect: impl Fn() -> Result<T, NodeError>) -> Result<Option<T>, FollowError> {
        loop {
            match connect() {
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

    /// Goes on until the end.
    pub fn go_on(&mut self, follower: &mut dyn Turns, wake: &Wake) -> Result<(), FollowError> {
        let mut seen = Instant::now();
        let mut is_at_tip = false;
        let mut waiting: Option<(String, Instant)> = None;
        loop {
            if self.away.is_some()
                && let Err(error) = follower.meet_again()
            {
                self.outlast(error.into())?;
                continue;
            }
            match self.turn(follower, seen) {
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
                            if self.once {
                                return Ok(());
                            }
                            seen = self.rest(wake);
                        }
                        Turn::Wait(why) => {
                            match &waiting {
                                Some((said, since)) if *said == why => {
                                    if self.once && since.elapsed() > ONCE_TIME_MAX {
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
    fn turn(&mut self, follower: &mut dyn Turns, seen: Instant) -> Result<Turn, FollowError> {
        let Self { stop, tell, away, .. } = self;
        let mut tell = |event: Event| {
            if let Some(since) = away.take() {
                tell(Event::Back { away: since.elapsed() });
            }
            tell(event);
        };
        follower.turn(seen, stop, &mut tell)
    }

    /// Tells once that the node is away, and waits a little; an error that waiting does not mend comes back.
    fn outlast(&mut self, error: FollowError) -> Result<(), FollowError> {
        // A login that was accepted may be accepted again: somebody is changing the node's settings.
        let is_refused = matches!(error, FollowError::Node(NodeError::Login { .. }));
        if !(error.is_passing() || is_refused && self.was_there) {
            return Err(error);
        }
        let (most, after) = match &error {
            FollowError::Node(NodeError::Busy { after, .. }) => (ONCE_BUSY_TIME_MAX, *after),
            _ => (ONCE_TIME_MAX, None),
        };
        match &self.away {
            None => {
                let why = if let FollowError::Node(error) = &error { error.bare() } else { error.to_string() };
                (self.tell)(Event::Lost { why });
                self.away = Some(Instant::now());
                self.wait = AGAIN_TIME[0];
            }
            Some(since) if self.once && since.elapsed() > most => return Err(error),
            Some(_) => {}
        }
        self.pause(after);
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

    /// Waits for longer each time, or as long as the node says.
    fn pause(&mut self, at_least: Option<Duration>) {
        let until = Instant::now() + self.wait.max(at_least.unwrap_or_default());
        self.wait = (self.wait * 2).min(AGAIN_TIME[1]);
        while !self.is_stopped() && Instant::now() < until {
            std::thread::sleep(LOOK_TIME.min(until.saturating_duration_since(Instant::now())));
        }
    }

    /// Waits for news, or until it is time to look; gives when there was a reason to.
    fn rest(&mut self, wake: &Wake) -> Instant {
        self.wait = AGAIN_TIME[0];
        let until = Instant::now() + self.poll;
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

//! The interrupt (Ctrl-C): either the program ends at once, which the book bears at any instant, or the first one asks what
//! is at work to come to an end, and the second one is one.
//!
//! A command that knows nothing of this is ended by the operating system, with its code and without a word.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::commands::say;
use crate::exit::{Exit, Failure};

/// Somebody has asked for an end.
static ASKED: AtomicBool = AtomicBool::new(false);
/// Something is at work that ends by itself when it is asked to.
static IS_HEEDED: AtomicBool = AtomicBool::new(false);

/// From now on an interrupt ends the program at once, but with a word and its own exit code.
pub fn leave_cleanly() {
    // A second call changes nothing. Without a handler the interrupt still ends the program, only with another code.
    let _ = ctrlc::set_handler(interrupted);
}

fn interrupted() {
    // A terminal has just shown the keys that were pressed.
    if std::io::stderr().is_terminal() {
        say("");
    }
    let is_first = !ASKED.swap(true, Ordering::Relaxed);
    if is_first && IS_HEEDED.load(Ordering::Relaxed) {
        return;
    }
    failure().report();
    std::process::exit(Exit::Interrupted as i32);
}

fn failure() -> Failure {
    Failure::interrupted("interrupted; what was committed is kept: run the same command again to go on")
}

/// Work that looks at [`Heed::asked`] and ends by itself. When this is dropped, an interrupt ends the program at once again.
pub struct Heed(());

impl Heed {
    /// Such work begins.
    pub fn begin() -> Self {
        leave_cleanly();
        IS_HEEDED.store(true, Ordering::Relaxed);
        Self(())
    }

    /// Becomes true when the work is to end; the work may set it too.
    #[expect(clippy::unused_self, reason = "who asks must heed the answer")]
    pub fn asked(&self) -> &'static AtomicBool {
        &ASKED
    }

    /// Whether the work may go on.
    pub fn goes_on(&self) -> bool {
        !self.asked().load(Ordering::Relaxed)
    }

    /// The end, if it was asked for.
    pub fn end(self) -> Result<(), Failure> {
        if self.goes_on() { Ok(()) } else { Err(failure()) }
    }
}

impl Drop for Heed {
    fn drop(&mut self) {
        IS_HEEDED.store(false, Ordering::Relaxed);
    }
}

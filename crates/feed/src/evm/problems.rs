//! [`Problems`]: what of a chain is not known or could not be represented, told so that it can be read: what holds for
//! many blocks is told once, and the rest not without end.

use std::collections::BTreeSet;

use evm::{Decoded, Problem};

use crate::following::Event;

/// How many problems are told one by one.
const PROBLEMS_TOLD_MAX: u64 = 100;

/// How many tokens without decimals are told one by one.
const NO_DECIMALS_TOLD_MAX: u64 = 10;

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Problems {
    count: u64,
    no_decimals: u64,
    /// What was told once and holds for every block.
    told: BTreeSet<String>,
}

impl Problems {
    /// Tells what is not known of a block.
    pub fn report(&mut self, notes: &[String], decoded: &Decoded, tell: &mut dyn FnMut(Event)) {
        let (height, gaps) = (decoded.block.height, decoded.block.gaps);
        let gaps = [
            (gaps.traces, "no traces: the coin may have moved between contracts unseen"),
            (gaps.receipts, "no receipts: fees are missing, and so is which transactions failed"),
            (gaps.logs, "no logs: tokens may have moved unseen"),
        ];
        let gaps = gaps.into_iter().filter(|(is_missing, _)| *is_missing).map(|(_, what)| what.to_owned());
        for note in notes.iter().cloned().chain(gaps) {
            if self.told.insert(note.clone()) {
                self.tell(height, format!("{note}; this is told once, and may be so with other blocks"), tell);
            }
        }
        for problem in &decoded.problems {
            let text = problem.to_string();
            if matches!(problem, Problem::NoDecimals { .. }) {
                if !self.told.insert(text.clone()) {
                    continue;
                }
                self.no_decimals += 1;
                if self.no_decimals > NO_DECIMALS_TOLD_MAX {
                    let more = "the decimals of more tokens are not known; --tokens FILE can tell them".to_owned();
                    if self.told.insert(more.clone()) {
                        self.tell(height, more, tell);
                    }
                    continue;
                }
            }
            self.tell(height, text, tell);
        }
    }

    fn tell(&mut self, height: u64, what: String, tell: &mut dyn FnMut(Event)) {
        self.count += 1;
        match self.count {
            ..=PROBLEMS_TOLD_MAX => tell(Event::Problem { height, what }),
            count if count == PROBLEMS_TOLD_MAX + 1 => {
                tell(Event::Problem { height, what: "there are more problems than are told one by one".to_owned() });
            }
            _ => {}
        }
    }
}

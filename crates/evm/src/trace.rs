//! What traces say of native coin: which calls moved it, and which transactions failed.
//!
//! Two kinds of traces are read: Parity's flat list ([`parity`]) and the nested calls of geth's callTracer ([`geth`]). Both
//! become steps in call order, and [`Walk`] makes movements of them by the EVM's rules: what failed is void with all that
//! it called, and only CALL, CREATE and SELFDESTRUCT move coin.

pub mod geth;
pub mod parity;

use ruint::aliases::U256;

use crate::words::AddressBytes;

/// How deep a step may lie: the EVM stops at 1,024 calls within calls, and a SELFDESTRUCT may lie within the last.
pub const DEPTH_MAX: usize = 1025;

/// A movement of native coin. Without `to` it is burnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    pub from: AddressBytes,
    pub to: Option<AddressBytes>,
    pub value: U256,
}

/// What the traces of a block say.
#[derive(Debug, Default)]
pub struct Traced {
    moves: Vec<Move>,
    /// For each transaction, where its movements end.
    ends: Vec<usize>,
    /// For each transaction, whether it failed as a whole.
    failed: Vec<bool>,
    /// What the producers of the block and of its uncles got.
    pub rewards: Vec<(AddressBytes, U256)>,
}

impl Traced {
    /// The movements of a transaction, in order.
    pub fn moves(&self, transaction: usize) -> &[Move] {
        let start = transaction.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.moves[start..self.ends[transaction]]
    }

    /// Whether a transaction failed as a whole.
    pub fn failed(&self, transaction: usize) -> bool {
        self.failed[transaction]
    }

    /// Takes one transaction's steps, in call order.
    pub fn push(&mut self, steps: impl IntoIterator<Item = Step>, cancun: bool) {
        let mut walk = Walk { cancun, ..Walk::default() };
        let mut failed = false;
        for step in steps {
            failed |= step.depth == 0 && step.failed;
            walk.step(&step, &mut self.moves);
        }
        walk.end(&mut self.moves);
        self.ends.push(self.moves.len());
        self.failed.push(failed);
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A call that carries coin.
    Call,
    /// A new contract with coin in it.
    Create,
    /// A contract gives away all that it holds.
    Destroy,
    /// A call that moves nothing: DELEGATECALL and STATICCALL carry none, CALLCODE pays itself.
    Still,
}

/// A step of a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// How many calls it lies within.
    pub depth: usize,
    pub action: Action,
    pub from: AddressBytes,
    /// `None` where a contract did not come into being.
    pub to: Option<AddressBytes>,
    pub value: U256,
    /// It failed, and all that it called with it.
    pub failed: bool,
}

/// A pass over one transaction's steps.
#[derive(Default)]
struct Walk {
    /// EIP-6780 rules: SELFDESTRUCT deletes only what the same transaction created.
    cancun: bool,
    /// The depth of the failed step within which everything is void.
    void: Option<usize>,
    created: Vec<AddressBytes>,
    /// Contracts that will be gone after the transaction, and what they have received since.
    doomed: Vec<(AddressBytes, U256)>,
}

impl Walk {
    fn step(&mut self, step: &Step, moves: &mut Vec<Move>) {
        if self.void.is_some_and(|depth| step.depth > depth) {
            return;
        }
        self.void = step.failed.then_some(step.depth);
        let (false, Some(to)) = (step.failed, step.to) else { return };
        match step.action {
            Action::Still => {}
            Action::Call => self.pay(step.from, to, step.value, moves),
            Action::Create => {
                self.created.push(to);
                self.pay(step.from, to, step.value, moves);
            }
            Action::Destroy => self.destroy(step.from, to, step.value, moves),
        }
    }

    fn pay(&mut self, from: AddressBytes, to: AddressBytes, value: U256, moves: &mut Vec<Move>) {
        if value.is_zero() || from == to {
            return;
        }
        for (address, received) in &mut self.doomed {
            if *address == to {
                *received = received.saturating_add(value);
            } else if *address == from {
                *received = received.saturating_sub(value);
            }
        }
        moves.push(Move { from, to: Some(to), value });
    }

    fn destroy(&mut self, from: AddressBytes, to: AddressBytes, value: U256, moves: &mut Vec<Move>) {
        let dies = !self.cancun || self.created.contains(&from);
        self.pay(from, to, value, moves);
        if !dies {
            return;
        }
        if from == to && !value.is_zero() {
            moves.push(Move { from, to: None, value });
        }
        match self.doomed.iter_mut().find(|(address, _)| *address == from) {
            Some((_, received)) => *received = U256::ZERO,
            None => self.doomed.push((from, U256::ZERO)),
        }
    }

    /// What a destroyed contract received afterwards, and did not pass on, is gone with it.
    fn end(self, moves: &mut Vec<Move>) {
        for (from, value) in self.doomed {
            if !value.is_zero() {
                moves.push(Move { from, to: None, value });
            }
        }
    }
}

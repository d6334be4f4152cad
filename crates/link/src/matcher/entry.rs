//! [`Entry`]: one side as the matcher sees it, all names made numbers.

use std::collections::BTreeMap;

/// One payment in or out. Numbers stand for names; zero stands for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands in what the caller gave.
    pub input: u32,
    /// The class of its asset (for swappers: the swapper).
    pub class: u32,
    /// Where it happened: the two sides of a pair are never in one place. A ledger (for swappers: a ledger's asset).
    pub place: u32,
    /// Where the other side is said to be.
    pub other: u32,
    /// The protocol.
    pub protocol: u32,
    /// When.
    pub seconds: i64,
    /// How much, in the scale of its class (for swappers: its price).
    pub value: u128,
    /// Who paid.
    pub sender: u32,
    /// The sender's kind of address.
    pub sender_kind: u32,
    /// Who is to receive, or received.
    pub recipient: u32,
    /// The recipient's kind of address.
    pub recipient_kind: u32,
    /// What both sides would carry.
    pub key: u32,
}

/// Names as numbers, from one upward in the order in which they come.
#[derive(Debug, Default)]
pub struct Names<'a> {
    numbers: BTreeMap<&'a [u8], u32>,
}

impl<'a> Names<'a> {
    /// The number of a name; zero for the empty one.
    pub fn number(&mut self, name: &'a [u8]) -> u32 {
        if name.is_empty() {
            return 0;
        }
        let next = u32::try_from(self.numbers.len() + 1)
            .expect("no more names than entries, of which there are fewer than 2^31");
        *self.numbers.entry(name).or_insert(next)
    }
}

/// What a kind of address is called: those of EVM chains are alike on all of them, others belong to their ledger's family.
pub fn kind<'a>(address: &'a str, namespace: &'a str) -> &'a [u8] {
    let evm = address.len() == 42 && address.starts_with("0x");
    if evm { b"0x" } else { namespace.as_bytes() }
}

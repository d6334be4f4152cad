//! [`Stored`]: the block that is being filled, as block files will hold it, with the undo data of what it spends.
//!
//! It serialises nothing itself but undo data and checks nothing. Transactions come as their txids hash them, with empty
//! input scripts and without witnesses: who reads block files does not look at signatures, and ids stay the same.

use std::io;

use crate::blockfiles::BlockFiles;
use crate::blockfiles::undo::{Spent, compact_size, spent};
use crate::chain::Coin;
use crate::keys::Lock;

/// Block files, and the block that comes next.
pub struct Stored {
    files: BlockFiles,
    body: Vec<u8>,
    undo: Vec<u8>,
    script: Vec<u8>,
    transactions: u64,
}

impl Stored {
    pub const fn new(files: BlockFiles) -> Self {
        Self { files, body: Vec::new(), undo: Vec::new(), script: Vec::new(), transactions: 0 }
    }

    /// Adds a transaction that spends `inputs`, coins of the world of `seed`.
    pub fn spend(&mut self, raw: &[u8], inputs: &[Coin], seed: u64) {
        self.body.extend_from_slice(raw);
        self.transactions += 1;
        compact_size(&mut self.undo, inputs.len() as u64);
        for coin in inputs {
            self.script.clear();
            Lock::of(seed, coin.key).script(&mut self.script);
            let Coin { height, coinbase, value_sats, .. } = *coin;
            // No lock here is an uncompressed key, so none is asked about.
            spent(&mut self.undo, Spent { height, coinbase, value_sats, script: &self.script }, |_| false);
        }
    }

    /// Writes the block. Only genesis, which has no parent, has no undo data.
    pub fn seal(&mut self, header: &[u8], coinbase: &[u8], previous: Option<&[u8; 32]>) -> io::Result<()> {
        let mut count = Vec::new();
        compact_size(&mut count, self.transactions + 1);
        let number = self.files.block(&[header, &count, coinbase, &self.body])?;
        if let Some(previous) = previous {
            let mut undo = Vec::with_capacity(self.undo.len() + count.len());
            compact_size(&mut undo, self.transactions);
            undo.append(&mut self.undo);
            self.files.undo(number, previous, &undo)?;
        }
        self.body.clear();
        self.undo.clear();
        self.transactions = 0;
        Ok(())
    }

    pub fn finish(self) -> io::Result<u64> {
        self.files.finish()
    }
}

//! Blocks ahead: a few requests at a time, handed on in order, with no more in memory than a few blocks a request.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use ledger::UtxoBlock;

use super::chain::{Need, Node};
use crate::wire::NodeError;

/// How many requests are under way at a time. A node answers 4 (16 since Core 30) at once by default, others may ask too.
pub const REQUESTS_MAX: usize = 4;
/// How many blocks each request's thread may have ready beside the one that it hands on.
const AHEAD_MAX: usize = 2;

/// Hands the blocks of `hashes`, the first of which has height `from`, to `take` in order, until it says no.
pub(super) fn in_order<E>(
    node: &dyn Node,
    from: u64,
    hashes: &[[u8; 32]],
    need: Need,
    mut take: impl FnMut(u64, Result<UtxoBlock, NodeError>) -> Result<bool, E>,
) -> Result<bool, E> {
    let heights = from..;
    // One block needs no thread.
    if hashes.len() < 2 {
        for (height, hash) in heights.zip(hashes) {
            if !take(height, node.block(height, hash, need))? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    let fetchers = hashes.len().min(REQUESTS_MAX);
    thread::scope(|scope| {
        let fetch = |first: usize| -> Receiver<Result<UtxoBlock, NodeError>> {
            let (send, receive) = sync_channel(AHEAD_MAX);
            scope.spawn(move || {
                for (height, hash) in (from..).zip(hashes).skip(first).step_by(fetchers) {
                    let block = node.block(height, hash, need);
                    let failed = block.is_err();
                    // Nobody receives any more once one block was refused.
                    if send.send(block).is_err() || failed {
                        return;
                    }
                }
            });
            receive
        };
        let receivers: Vec<_> = (0..fetchers).map(fetch).collect();
        for (height, at) in heights.zip(0..hashes.len()) {
            let Ok(block) = receivers[at % fetchers].recv() else { return Ok(false) };
            if !take(height, block)? {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

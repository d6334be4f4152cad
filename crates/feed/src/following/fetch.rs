//! Blocks ahead: a few requests at a time, handed on in order, with no more in memory than a few blocks a request.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

/// How many blocks each request's thread may have ready beside the one that it hands on.
const AHEAD_MAX: usize = 2;

/// Fetches `count` blocks with up to `requests` threads and hands them to `take` in order, until it says no or one
/// could not be fetched; the first number is the block's place, from 0.
pub(crate) fn in_order<B: Send, F: Send, E>(
    count: usize,
    requests: usize,
    fetch: impl Fn(usize) -> Result<B, F> + Sync,
    mut take: impl FnMut(usize, Result<B, F>) -> Result<bool, E>,
) -> Result<bool, E> {
    // One block needs no thread.
    if count < 2 || requests < 2 {
        for at in 0..count {
            if !take(at, fetch(at))? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    let (fetchers, fetch) = (count.min(requests), &fetch);
    thread::scope(|scope| {
        let begin = |first: usize| -> Receiver<Result<B, F>> {
            let (send, receive) = sync_channel(AHEAD_MAX);
            scope.spawn(move || {
                for at in (first..count).step_by(fetchers) {
                    let block = fetch(at);
                    let failed = block.is_err();
                    // Nobody receives any more once one block was refused.
                    if send.send(block).is_err() || failed {
                        return;
                    }
                }
            });
            receive
        };
        let receivers: Vec<_> = (0..fetchers).map(begin).collect();
        for at in 0..count {
            let Ok(block) = receivers[at % fetchers].recv() else { return Ok(false) };
            if !take(at, block)? {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

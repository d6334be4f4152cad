//! From a number of an account ledger to a page about it: movements, and on chains blocks, events and what is not known.

use book::{AccountLedger, Block};
use ledger::{Contracts, End, Event, Gaps, Ledger, Leg, Seq, hex};

use super::gather::{name, sum};
use super::{AccountBlockRow, BlockContent, BlockPage, Ends, EventRow, LegRow, MoreBalances, TransactionPage};

fn prefixed(bytes: &[u8]) -> String {
    format!("0x{}", hex::text(bytes))
}

/// What an account transaction's page says besides its name and place.
pub fn fill(chain: &AccountLedger, seq: Seq, legs: &[Leg], page: &mut TransactionPage) {
    page.block_hash = chain.block_of(seq).map(|block| prefixed(&block.hash));
    let mut events = Vec::new();
    chain.events(seq, Seq(seq.0 + 1), &mut |_, event| events.push(event_row(event)));
    page.ends = Ends::Accounts {
        legs: legs.iter().map(|leg| account_leg(chain, leg)).collect(),
        events,
        unknown: missing(chain.gaps(seq)),
    };
}

fn event_row(event: &Event) -> EventRow {
    EventRow {
        index: event.index,
        contract: prefixed(&event.contract),
        topics: event.topics.iter().map(|topic| prefixed(topic)).collect(),
        data: prefixed(&event.data),
    }
}

/// What is not known, in words.
pub fn missing(gaps: Gaps) -> Vec<&'static str> {
    let all = [(gaps.traces, "traces"), (gaps.receipts, "receipts"), (gaps.logs, "logs")];
    all.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect()
}

fn account_leg(ledger: &dyn Ledger, leg: &Leg) -> LegRow {
    let end = |end: End| end.purse().map(|purse| name(ledger, purse));
    LegRow {
        from: end(leg.payer),
        to: end(leg.payee),
        fee: [leg.payer, leg.payee].contains(&End::Fee),
        drift: [leg.payer, leg.payee].contains(&End::Drift),
        sum: sum(ledger, leg.asset, leg.amount),
    }
}

/// A block and its first `limit` transactions.
pub fn block(chain: &AccountLedger, block: &Block, limit: usize) -> BlockPage {
    let first = block.first_transaction.0;
    let end = first + block.transactions;
    let heads = chain.heads();
    let is_within = |head: Option<u64>| head.is_some_and(|head| block.height <= head);
    let settled = if is_within(heads.finalized) { Some("finalized") } else { is_within(heads.safe).then_some("safe") };
    let mut legs = Vec::new();
    let mut row = |seq| {
        chain.transaction(Seq(seq), &mut legs);
        let mut events = 0;
        chain.events(Seq(seq), Seq(seq + 1), &mut |_, _| events += 1);
        AccountBlockRow { tx: chain.transaction_name(Seq(seq)), movements: legs.len() as u64, events }
    };
    let listed = (first..end).take(limit).map(&mut row).collect();
    let mut events = 0;
    chain.events(Seq(first), Seq(end), &mut |_, _| events += 1);
    let parent = block.height.checked_sub(1).and_then(|height| chain.block(height));
    BlockPage {
        height: block.height,
        hash: prefixed(&block.hash),
        previous: parent.map(|parent| prefixed(&parent.hash)),
        time: block.time.to_string(),
        transactions: block.transactions,
        content: BlockContent::Accounts { settled, unknown: missing(chain.block_gaps(block.height)), events, listed },
    }
}

/// Leaves the balances that are not nothing, and of these at most `limit`, where there are more.
pub fn shorten<T>(balances: &mut Vec<T>, limit: usize, is_nothing: impl Fn(&T) -> bool) -> Option<MoreBalances> {
    let all = balances.len();
    if all <= limit {
        return None;
    }
    balances.retain(|balance| !is_nothing(balance));
    let empty = all - balances.len();
    let left_out = balances.len().saturating_sub(limit);
    balances.truncate(limit);
    Some(MoreBalances { left_out: left_out as u64, empty: empty as u64 })
}

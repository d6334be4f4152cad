//! Where taking in an EVM chain begins: which chain it is, what the book has of it, and who follows.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use book::Book;
use decode::Fault;
use evm::{Chain, Tokens};

use super::follow::Follower;
use super::news::wake;
use super::node::EvmNode;
use super::options::EvmOptions;
use super::reader::Reader;
use super::record::Record;
use super::replay::Replay;
use super::shelf::Shelf;
use super::source::Source;
use crate::following::{Event, FollowError, Run, Wake};
use crate::wire::{Login, NodeAddress, NodeError};

/// How to reach an EVM node.
#[derive(Clone, Debug)]
pub struct EvmAccess {
    /// Where it is.
    pub address: NodeAddress,
    /// Who asks.
    pub login: Login,
    /// More headers that whoever serves it wants.
    pub headers: Vec<(String, String)>,
}

/// Follows an EVM node into the book until `stop` is set, or until the book has caught up if that is asked for.
pub fn follow_evm(
    book: &Book,
    access: &EvmAccess,
    options: &EvmOptions,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(Event),
) -> Result<(), FollowError> {
    let news = options.news.as_deref().map_or_else(|| Ok(Wake::silent()), wake)?;
    // A range comes to an end.
    let mut run = Run::new(options.once || options.to.is_some(), options.poll, stop, tell);
    let connected = run.connect(|| {
        let node = EvmNode::connect(&access.address, &access.login, &access.headers, options)?;
        node.means()?;
        let heads = node.heads()?;
        Ok((node, heads.latest.height))
    })?;
    let Some((node, node_height)) = connected else { return Ok(()) };
    let mut follower = open(book, &node, node.chain(), options)?;
    let (height, ledger) = (follower.shelf.tip().map(|tip| tip.height), follower.shelf.ledger().clone());
    // Its path may be a key.
    let place = options.news.as_deref().and_then(|url| url.split('/').nth(2)).map(str::to_owned);
    (run.tell)(Event::Began { node: node.name(), ledger, height, node_height, wake: place });
    run.go_on(&mut follower, &news)
}

/// Takes recorded answers into the book.
pub fn replay_evm(
    book: &Book,
    folder: &Path,
    options: &EvmOptions,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(Event),
) -> Result<(), FollowError> {
    let replay = Replay::open(folder)?;
    let mut follower = open(book, &replay, replay.chain(options)?, options)?;
    let (height, ledger) = (follower.shelf.tip().map(|tip| tip.height), follower.shelf.ledger().clone());
    let node_height = replay.heads()?.latest.height;
    tell(Event::Began { node: replay.name(), ledger, height, node_height, wake: None });
    Run::new(true, options.poll, stop, tell).go_on(&mut follower, &Wake::silent())
}

/// Opens a chain's ledger for what a source has.
pub(super) fn open<'a>(
    book: &'a Book,
    source: &'a dyn Source,
    number: u64,
    options: &'a EvmOptions,
) -> Result<Follower<'a>, FollowError> {
    if let Some(wanted) = options.chain.filter(|wanted| *wanted != number) {
        let what = format!("it is on chain {number} (eip155:{number}), and not on {wanted} (eip155:{wanted})");
        return Err(NodeError::Chain { node: source.name(), what }.into());
    }
    let shelf = Shelf::open(book, &evm::ledger_id(number))?;
    let chain = chain(number, options, &shelf).map_err(|what| NodeError::Chain { node: source.name(), what })?;
    let tokens = tokens(&chain, options, &shelf)?;
    let first = source.first().unwrap_or(0);
    let from = options.from.unwrap_or(first).max(first);
    begins_as_asked(&shelf, options, source)?;
    let record = options.record.clone().map(|folder| Record::open(folder, number)).transpose()?;
    let reader = Reader::new(source, chain, tokens, options, record);
    Ok(Follower::new(source, reader, shelf, options, from))
}

/// A ledger that is there already goes on where it ends; another beginning is another ledger.
fn begins_as_asked(shelf: &Shelf<'_>, options: &EvmOptions, source: &dyn Source) -> Result<(), NodeError> {
    let (Some(asked), Some(tip)) = (options.from, shelf.tip()) else { return Ok(()) };
    let first = tip.height + 1 - shelf.writer().blocks();
    if first <= asked && asked <= tip.height + 1 {
        return Ok(());
    }
    let what = format!(
        "the book has {} from block {first} to {}: it cannot begin at {asked}; leave --from out, or take another book",
        shelf.ledger(),
        tip.height
    );
    Err(NodeError::Chain { node: source.name(), what })
}

/// What is known of a chain by its number; else its coin is as the user, or the book, has it.
pub(super) fn chain(number: u64, options: &EvmOptions, shelf: &Shelf<'_>) -> Result<Chain, String> {
    if let Some(chain) = Chain::of(number) {
        return Ok(chain);
    }
    // The coin is the first asset of any ledger of a chain.
    let in_book = || shelf.writer().asset(0).map(|asset| asset.symbol).filter(|symbol| !symbol.contains('/'));
    let native = options.native.clone().or_else(in_book);
    let native =
        native.ok_or_else(|| format!("chain {number} has no name here; say what its coin is: --native SYMBOL"))?;
    Ok(Chain::unlisted(number, &native))
}

/// The tokens that are known: the built-in ones, the user's, and above all those of the book, whose scales are fixed.
pub(super) fn tokens(chain: &Chain, options: &EvmOptions, shelf: &Shelf<'_>) -> Result<Tokens, FollowError> {
    let mut tokens = Tokens::built_in(chain);
    for (name, text) in &options.tokens {
        let wrong = |fault: Fault| NodeError::Address { given: name.clone(), what: fault.to_string() };
        tokens.read(text).map_err(wrong)?;
    }
    let prefix = evm::Standard::Erc20.asset(chain.number, &[0; 20]);
    let prefix = prefix.trim_end_matches('0').trim_end_matches("0x").to_owned();
    let writer = shelf.writer();
    for asset in (0..writer.assets()).map_while(|number| writer.asset(number)) {
        let digits = asset.symbol.strip_prefix(&prefix).and_then(|rest| rest.strip_prefix("0x"));
        if let Some(contract) = digits.and_then(ledger::hex::bytes).and_then(|bytes| bytes.try_into().ok()) {
            tokens.add_decimals(contract, asset.scale);
        }
    }
    Ok(tokens)
}

//! Movements of tokens, as contracts log them.
//!
//! A log is read by the hash of its event's signature and by its words: the indexed ones first, then those of the data.
//! So a `Transfer` that indexes nothing, as old tokens write it, is read like any other. Whatever names the zero address
//! is making or unmaking: that end is outside. Sources: EIP-20, EIP-721, EIP-1155; the contracts that
//! `rules/token-events.csv` names.

use ruint::aliases::U256;

use crate::answers::Log;
use crate::assemble::{Assembler, Legs};
use crate::fault::Problem;
use crate::tokens::{Flags, Making, MakingEvent, Standard, Whose};
use crate::trace::Move;
use crate::words::{AddressBytes, HashBytes, ZERO, address_of_word, fixed, holder};

/// A word from its digits, for the tables below.
const fn topic(digits: &[u8; 64]) -> HashBytes {
    const fn digit(byte: u8) -> u8 {
        if byte <= b'9' { byte - b'0' } else { byte - b'a' + 10 }
    }
    let mut word = [0; 32];
    let mut at = 0;
    while at < 32 {
        word[at] = digit(digits[2 * at]) << 4 | digit(digits[2 * at + 1]);
        at += 1;
    }
    word
}

/// `Transfer(address,address,uint256)`, of ERC-20 and ERC-721.
pub const TRANSFER: HashBytes = topic(b"ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// `TransferSingle(address,address,address,uint256,uint256)` of ERC-1155.
pub const TRANSFER_SINGLE: HashBytes = topic(b"c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
/// `TransferBatch(address,address,address,uint256[],uint256[])` of ERC-1155.
pub const TRANSFER_BATCH: HashBytes = topic(b"4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");
/// `Approval(address,address,uint256)`, of ERC-20 and ERC-721: moves nothing.
pub const APPROVAL: HashBytes = topic(b"8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925");

/// `Deposit(address,uint256)` and `Withdrawal(address,uint256)` of wrappers of the chain's coin.
const WRAP: HashBytes = topic(b"e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c");
const UNWRAP: HashBytes = topic(b"7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65");

/// What a log moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    pub from: AddressBytes,
    pub to: AddressBytes,
    pub standard: Standard,
    pub units: U256,
}

/// What a log with the signature of a movement says: nothing where it is of another event.
pub fn movement(log: &Log<'_>, is_nft: bool) -> Option<Result<Movement, &'static str>> {
    match *log.topics.first()? {
        TRANSFER => Some(transfer(log, is_nft)),
        TRANSFER_SINGLE => Some(pieces(log, single(log))),
        TRANSFER_BATCH => Some(pieces(log, batch(log))),
        _ => None,
    }
}

/// How many words a log has; `None` where its data does not consist of whole words.
fn word_count(log: &Log<'_>) -> Option<usize> {
    Some(log.topics.as_slice().len().checked_sub(1)? + log.data.words()?)
}

fn parties(log: &Log<'_>, from: usize) -> Result<(AddressBytes, AddressBytes), &'static str> {
    let address = |at| log.word(at).as_ref().and_then(address_of_word);
    match (address(from), address(from + 1)) {
        (Some(from), Some(to)) => Ok((from, to)),
        _ => Err("names no two addresses"),
    }
}

fn transfer(log: &Log<'_>, is_nft: bool) -> Result<Movement, &'static str> {
    if word_count(log) != Some(3) {
        return Err("has not the three words of a Transfer");
    }
    let (from, to) = parties(log, 0)?;
    // Only pieces have their number indexed.
    if is_nft || log.topics.as_slice().len() == 4 {
        return Ok(Movement { from, to, standard: Standard::Erc721, units: U256::ONE });
    }
    let units = log.word(2).map(U256::from_be_bytes).ok_or("has not the digits of an amount")?;
    Ok(Movement { from, to, standard: Standard::Erc20, units })
}

fn pieces(log: &Log<'_>, units: Option<U256>) -> Result<Movement, &'static str> {
    let units = units.ok_or("has not the words of an ERC-1155 transfer")?;
    // The first word is whoever asked for it.
    let (from, to) = parties(log, 1)?;
    Ok(Movement { from, to, standard: Standard::Erc1155, units })
}

fn single(log: &Log<'_>) -> Option<U256> {
    if word_count(log) == Some(5) { log.word(4).map(U256::from_be_bytes) } else { None }
}

/// The sum of a batch's values: the second of two lists of equal length, each given by where in the data it starts.
fn batch(log: &Log<'_>) -> Option<U256> {
    if log.topics.as_slice().len() != 4 {
        return None;
    }
    let digits = log.data.digits();
    let number = |byte: usize| {
        let at = byte.checked_mul(2)?;
        let word: HashBytes = fixed(digits.get(at..at.checked_add(64)?)?)?;
        Some(U256::from_be_bytes(word))
    };
    let place = |byte: usize| usize::try_from(number(byte)?).ok();
    let (ids, values) = (place(0)?, place(32)?);
    let count = place(values)?;
    // Both lists must be there in full, so that a claimed length costs no more than what was sent.
    if place(ids)? != count || count > digits.len() / 64 {
        return None;
    }
    (0..count).try_fold(U256::ZERO, |sum, at| sum.checked_add(number(values + 32 * (at + 1))?))
}

/// The legs of one transaction's logs, in their order. `moves` are its movements of native coin.
pub fn legs(assembler: &mut Assembler<'_>, logs: &[Log<'_>], moves: &[Move], legs: &mut Legs<'_>) {
    for log in logs {
        let contract = &log.address.0;
        let is_nft = assembler.tokens.get(contract).is_some_and(|token| token.flags.has(Flags::NFT));
        let found = movement(log, is_nft)
            .or_else(|| made(assembler, log, logs))
            .or_else(|| wrapped(assembler, log, logs, moves));
        match found {
            None => {}
            Some(Ok(movement)) => {
                let ends = [movement.from, movement.to].map(|end| (end != ZERO).then_some(end));
                // From nowhere to nowhere moves nothing.
                if ends.iter().any(Option::is_some) {
                    assembler.token(legs, ends, (movement.standard, contract), movement.units);
                }
            }
            Some(Err(what)) => assembler.problems.push(Problem::OddLog {
                transaction: legs.transaction.to_owned(),
                contract: holder(contract),
                index: log.log_index.0,
                what,
            }),
        }
    }
}

/// What an event makes or unmakes, unless the same transaction logs a `Transfer` that says so too.
fn made(assembler: &Assembler<'_>, log: &Log<'_>, logs: &[Log<'_>]) -> Option<Result<Movement, &'static str>> {
    let event = assembler.tokens.making(&log.address.0, log.topics.first()?)?;
    let movement = match making(log, event) {
        Ok(movement) => movement,
        Err(what) => return Some(Err(what)),
    };
    let is_logged = |other: &Log<'_>| {
        other.address == log.address
            && other.topics.first() == Some(&TRANSFER)
            && movement_of_transfer(other) == Some(movement)
    };
    (!logs.iter().any(is_logged)).then_some(Ok(movement))
}

/// Whether a log has the shape of a wrapper's `Deposit` or `Withdrawal`: one account, one amount.
pub fn is_wrapping(log: &Log<'_>) -> bool {
    log.topics.as_slice().len() == 2
        && log.data.words() == Some(1)
        && log.topics.first().is_some_and(|topic| [WRAP, UNWRAP].contains(topic))
}

/// What a contract makes or unmakes that nobody listed as a wrapper and that acts as one: its token has the coin's decimals,
/// and in the same transaction just as much of the coin goes into it, or comes out. One that logs a `Transfer` from or to
/// nobody besides says itself what it makes.
fn wrapped(
    assembler: &Assembler<'_>,
    log: &Log<'_>,
    logs: &[Log<'_>],
    moves: &[Move],
) -> Option<Result<Movement, &'static str>> {
    let contract = log.address.0;
    if !is_wrapping(log) {
        return None;
    }
    let decimals = assembler.tokens.get(&contract).and_then(|token| token.decimals);
    if decimals != Some(assembler.chain.native.scale) {
        return None;
    }
    let movement = making(log, assembler.tokens.wrapping(log.topics.first()?)?).ok()?;
    let is_paid = |step: &Move| {
        let goes = if movement.from == ZERO { step.to == Some(contract) } else { step.from == contract };
        goes && step.value == movement.units
    };
    let says_itself = |other: &Log<'_>| {
        other.address == log.address
            && other.topics.first() == Some(&TRANSFER)
            && movement_of_transfer(other).is_some_and(|other| [other.from, other.to].contains(&ZERO))
    };
    (moves.iter().any(is_paid) && !logs.iter().any(says_itself)).then_some(Ok(movement))
}

fn movement_of_transfer(log: &Log<'_>) -> Option<Movement> {
    transfer(log, false).ok()
}

fn making(log: &Log<'_>, event: &MakingEvent) -> Result<Movement, &'static str> {
    let whose = match event.whose {
        Whose::Account(account) => account,
        Whose::Word(at) => log.word(at).as_ref().and_then(address_of_word).ok_or("names no address")?,
    };
    let units = log.word(event.amount).map(U256::from_be_bytes).ok_or("names no amount")?;
    let (from, to) = match event.making {
        Making::Mint => (ZERO, whose),
        Making::Burn => (whose, ZERO),
    };
    Ok(Movement { from, to, standard: Standard::Erc20, units })
}

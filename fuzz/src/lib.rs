//! What every fuzz target holds of a decoder's answers, whatever went in.
//!
//! Each target's own file says what it holds besides. The limits of one input (length, time, memory) are set where the
//! targets are run, in `xtask`.

use std::fmt::Display;
use std::io::Read;

use decode::DecodeError;
use decode::table::{ASSET_BYTES_MAX, Row, TX_BYTES_MAX, TableOptions, TableReader};
use ledger::LedgerId;
use ledger::address::HOLDER_BYTES_MAX;

/// The longest message that still is one line for a person.
const MESSAGE_CHARS_MAX: usize = 2000;

/// A message must be one line, of bounded length, that cannot play tricks on a terminal.
pub fn assert_message(message: &impl Display) {
    let text = message.to_string();
    assert!(!text.is_empty() && text.chars().count() <= MESSAGE_CHARS_MAX, "{} characters: {text:?}", text.len());
    assert!(!text.chars().any(char::is_control), "a control character in {text:?}");
}

/// A name that ends up in the book must be there, short, and without control characters.
pub fn assert_name(name: &str, bytes_max: usize) {
    assert!(!name.is_empty() && name.len() <= bytes_max, "{name:?} has {} bytes", name.len());
    assert!(!name.chars().any(char::is_control), "a control character in {name:?}");
}

/// Reads a table twice, whole and byte by byte: the answers must be the same, and every row sound.
pub fn check_table(data: &[u8]) {
    let whole = read_table(data);
    let slowly = read_table(OneByte(data));
    assert_eq!(whole, slowly, "the answer depends on how the bytes arrive");
    for row in whole.0 {
        assert_name(&row.tx, TX_BYTES_MAX);
        assert_name(&row.asset, ASSET_BYTES_MAX);
        assert!(row.from.is_some() || row.to.is_some(), "a movement from nowhere to nowhere");
        for holder in row.from.iter().chain(&row.to) {
            assert_name(holder, HOLDER_BYTES_MAX);
        }
    }
}

fn read_table(reader: impl Read) -> (Vec<Row>, Option<String>) {
    let mut options = TableOptions::default();
    options.set_default("ledger=table:fuzz").expect("this is FIELD=VALUE");
    until_error(TableReader::new(reader, options))
}

/// Every answer of a reader up to its first error, and the message of that error.
pub fn until_error<T>(answers: impl Iterator<Item = Result<T, DecodeError>>) -> (Vec<T>, Option<String>) {
    let mut good = Vec::new();
    let mut answers = answers;
    while let Some(answer) = answers.next() {
        match answer {
            Ok(value) => good.push(value),
            Err(error) => {
                assert!(answers.next().is_none(), "an answer after an error");
                assert_message(&error);
                return (good, Some(error.to_string()));
            }
        }
    }
    (good, None)
}

/// The ledger that blocks are read for.
pub fn bitcoin() -> LedgerId {
    LedgerId::parse("bitcoin").expect("an alias of the ledger room")
}

/// A reader that gives one byte at a time, as a slow pipe may.
pub struct OneByte<'a>(pub &'a [u8]);

impl Read for OneByte<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (Some((first, rest)), Some(place)) = (self.0.split_first(), buffer.first_mut()) else { return Ok(0) };
        *place = *first;
        self.0 = rest;
        Ok(1)
    }
}

/// A block of an EVM chain must be ready for a ledger: ends in canonical form, assets that are named, amounts that fit.
pub fn assert_evm_block(decoded: &evm::Decoded) {
    let block = &decoded.block;
    assert_eq!(block.previous.is_none(), block.height == 0, "only genesis has no parent");
    for transaction in &block.transactions {
        assert_name(&transaction.name, TX_BYTES_MAX);
        for leg in &transaction.legs {
            assert!(leg.from.is_some() || leg.to.is_some(), "a movement from nowhere to nowhere");
            assert!(leg.amount <= money::Amount::MAX, "an amount that no balance can hold");
            assert!(decoded.assets.iter().any(|asset| asset.symbol == leg.asset), "an asset that is not named");
            for holder in leg.from.iter().chain(&leg.to) {
                assert_eq!(evm_canonical(holder).as_deref(), Ok(holder.as_str()));
            }
        }
    }
    let places = block.events.iter().map(|event| (event.transaction, event.event.index));
    assert!(places.is_sorted(), "events stand in order");
    assert!(block.events.iter().all(|event| (event.transaction as usize) < block.transactions.len()));
    for problem in &decoded.problems {
        assert_message(problem);
    }
}

fn evm_canonical(holder: &str) -> Result<String, ledger::address::AddressError> {
    ledger::address::canonical(&evm::ledger_id(1), holder)
}

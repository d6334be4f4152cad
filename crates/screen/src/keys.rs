//! Small readers for the keys and words of a rules file: what is unknown or malformed is a fault with its place.

use decode::Fault;
use decode::fault::quoted;
use decode::yaml::Node;
use money::{Decimal, DecimalError};

use crate::rules::{AmountLimit, NAME_CHARS_MAX, SHARE_WHOLE_MILLIONTHS};

/// The decimals of a percentage: with four, it is a whole number of millionths.
const PERCENT_DECIMALS: u8 = 4;
/// The longest word that is compared with the known ones, in bytes.
const TYPED_BYTES_MAX: usize = 32;
/// How many letters a mistake takes for another word to be offered in its place.
const LETTERS_TO_A_MISTAKE: usize = 3;

/// The word of `known` that was probably meant.
pub(crate) fn nearest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    if typed.len() > TYPED_BYTES_MAX {
        return None;
    }
    let typed = typed.to_lowercase();
    let mistakes = |word: &str| strsim::damerau_levenshtein(&typed, word);
    let best = known.iter().copied().min_by_key(|word| mistakes(word))?;
    (mistakes(best) <= best.len().div_ceil(LETTERS_TO_A_MISTAKE)).then_some(best)
}

/// A text that is there.
pub(crate) fn word(node: &Node) -> Result<&str, Fault> {
    let text = node.text()?.trim();
    if text.is_empty() {
        return Err(node.fault("there is nothing here", "write a word, or leave the key out"));
    }
    Ok(text)
}

/// A name of the user's own: short, and fit for one line.
pub(crate) fn name<'a>(node: &'a Node, of: &str) -> Result<&'a str, Fault> {
    let text = word(node)?;
    if text.chars().count() > NAME_CHARS_MAX || text.chars().any(char::is_control) {
        let help = format!("write at most {NAME_CHARS_MAX} characters on one line");
        return Err(node.fault(format!("{} is no name of a {of}", quoted(text)), help));
    }
    Ok(text)
}

/// One of a closed list of words.
pub(crate) fn choice<T: Copy>(node: &Node, key: &str, all: &[(&str, T)]) -> Result<T, Fault> {
    let found = word(node)?;
    all.iter().find(|(word, _)| *word == found).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|(word, _)| *word).collect();
        node.fault(format!("{key}: {} is none of its words", quoted(found)), format!("write {}", words.join(" or ")))
    })
}

/// A percentage from 0 to 100, in millionths.
pub(crate) fn share_millionths(node: &Node, key: &str) -> Result<u32, Fault> {
    let found = word(node)?;
    let help = "write a percentage from 0% to 100%, such as 2.5%";
    let Some(number) = found.strip_suffix('%') else {
        return Err(node.fault(format!("{key}: {} is no percentage", quoted(found)), help));
    };
    let decimal = Decimal::parse(number.trim_end()).map_err(|error| number_fault(node, key, found, &error, help))?;
    let units = decimal.to_amount(PERCENT_DECIMALS).map_err(|error| number_fault(node, key, found, &error, help))?;
    match u32::try_from(units.units()) {
        Ok(millionths) if millionths <= SHARE_WHOLE_MILLIONTHS => Ok(millionths),
        _ => Err(node.fault(format!("{key}: {} is over 100 %", quoted(found)), help)),
    }
}

/// An amount in a coin's own unit, with or without the coin: `0.5`, `0.5 BTC`.
pub(crate) fn amount(node: &Node) -> Result<AmountLimit, Fault> {
    let found = word(node)?;
    let help = "write an amount such as 0.5 or 0.5 BTC";
    let (number, symbol) = match found.split_once(' ') {
        Some((number, symbol)) => (number, Some(symbol.trim())),
        None => (found, None),
    };
    if symbol.is_some_and(|symbol| symbol.is_empty() || !symbol.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Err(node.fault(format!("amount: {} is no amount", quoted(found)), help));
    }
    let amount = Decimal::parse(number).map_err(|error| number_fault(node, "amount", found, &error, help))?;
    Ok(AmountLimit { amount, symbol: symbol.map(str::to_owned) })
}

fn number_fault(node: &Node, key: &str, found: &str, error: &DecimalError, help: &str) -> Fault {
    let what = match error {
        DecimalError::Negative => "is negative".to_owned(),
        DecimalError::Exponent => "is in scientific notation".to_owned(),
        DecimalError::TooPrecise { has, allowed } => format!("has {has} decimals, at most {allowed} count"),
        DecimalError::TooLarge => "is larger than anything can be".to_owned(),
        DecimalError::Empty | DecimalError::NotANumber => "is no plain decimal number".to_owned(),
    };
    node.fault(format!("{key}: {} {what}", quoted(found)), help)
}

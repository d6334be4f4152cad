//! Reading maps whose keys are a closed list: what is unknown is a fault that names the nearest known key.
//!
//! It is not a YAML reader; that is `decode::yaml`.

use decode::Fault;
use decode::fault::quoted;
use decode::yaml::Node;
use money::{Decimal, DecimalError};

use crate::When;
use crate::model::{IncidentId, Place, Placed};

/// How many of a word's letters may be wrong, as one in so many, for another to be offered in its place.
const LETTERS_TO_A_MISTAKE: usize = 3;

/// The longest mistyped key that is compared with the known ones, in bytes.
const TYPED_BYTES_MAX: usize = 32;

/// The longest single text, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 64 << 10;

/// Where a node stands.
pub(crate) const fn place(node: &Node) -> Place {
    Place { line: node.line, column: node.column }
}

/// A value with the place of its node.
pub(crate) const fn placed<T>(node: &Node, value: T) -> Placed<T> {
    Placed { value, place: place(node) }
}

/// The word of `known` that `text` was probably meant to be: few letters differ, swapped neighbours count as one.
pub(crate) fn nearest<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let text = text.to_lowercase();
    // Longer than any known word and its mistakes: not worth a comparison, whatever its length.
    if text.len() > TYPED_BYTES_MAX {
        return None;
    }
    let mistakes = |word: &str| strsim::damerau_levenshtein(&text, word);
    let best = known.iter().copied().min_by_key(|word| mistakes(word))?;
    (mistakes(best) <= best.len().div_ceil(LETTERS_TO_A_MISTAKE)).then_some(best)
}

/// Checks that `node` is a map of known keys only.
pub(crate) fn known_keys(node: &Node, what: &str, known: &[&str]) -> Result<(), Fault> {
    for (key, _) in node.map()? {
        let text = key.text()?;
        if !known.contains(&text) {
            let help = match nearest(text, known) {
                Some(word) => format!("did you mean `{word}`? known here: {}", known.join(", ")),
                None => format!("known here: {}", known.join(", ")),
            };
            return Err(key.fault(format!("{what} has no key {}", quoted(text)), help));
        }
    }
    Ok(())
}

/// A non-empty text, trimmed.
pub(crate) fn text(node: &Node) -> Result<&str, Fault> {
    let text = node.text()?.trim();
    if text.is_empty() {
        return Err(node.fault("there is nothing here", "write a value, or leave the key out"));
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(
            node.fault(format!("this text has {} bytes, at most {TEXT_BYTES_MAX} are kept", text.len()), "cut it")
        );
    }
    Ok(text)
}

/// The text of a key that may be absent.
pub(crate) fn optional_text(node: &Node, key: &str) -> Result<Option<String>, Fault> {
    node.get(key).map(|value| text(value).map(str::to_owned)).transpose()
}

/// The text of a key that must be there.
pub(crate) fn required_text(node: &Node, key: &str) -> Result<String, Fault> {
    node.required(key).and_then(text).map(str::to_owned)
}

/// The items of a list that may be absent.
pub(crate) fn items<'a>(node: &'a Node, key: &str) -> Result<&'a [Node], Fault> {
    node.get(key).map_or(Ok(&[]), Node::list)
}

/// One of a closed list of words.
pub(crate) fn choice<T: Copy>(node: &Node, what: &str, all: &[(&str, T)]) -> Result<T, Fault> {
    let found = text(node)?;
    all.iter().find(|(word, _)| *word == found).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|(word, _)| *word).collect();
        node.fault(format!("{} is no {what}", quoted(found)), format!("write one of: {}", words.join(", ")))
    })
}

/// A day or month of a key that may be absent.
pub(crate) fn when(node: &Node, key: &str) -> Result<Option<Placed<When>>, Fault> {
    let Some(value) = node.get(key) else { return Ok(None) };
    let found = text(value)?;
    match When::parse(found) {
        Some(when) => Ok(Some(placed(value, when))),
        None => Err(value.fault(
            format!("{key}: {} is no date", quoted(found)),
            "write a date such as 2022-03-23, or a month such as 2022-03",
        )),
    }
}

/// An amount from its digits, quoted or not.
pub(crate) fn amount(node: &Node, key: &str) -> Result<Decimal, Fault> {
    let found = text(node)?;
    Decimal::parse(found).map_err(|error| {
        let (what, help) = match error {
            DecimalError::Negative => ("is negative".to_owned(), "a loss is written without a sign".to_owned()),
            DecimalError::Exponent => {
                ("is in scientific notation".to_owned(), "write all its digits, such as 0.00001".to_owned())
            }
            DecimalError::TooPrecise { has, allowed } => {
                (format!("has {has} decimals"), format!("at most {allowed} are possible"))
            }
            DecimalError::TooLarge => {
                ("is larger than any purse can hold".to_owned(), "give it in the asset's own unit".to_owned())
            }
            DecimalError::Empty | DecimalError::NotANumber => (
                "is not a plain decimal number".to_owned(),
                "write digits with at most one point, such as 12.50".to_owned(),
            ),
        };
        node.fault(format!("{key}: {} {what}", quoted(found)), help)
    })
}

/// An amount of a key that may be absent.
pub(crate) fn optional_amount(node: &Node, key: &str) -> Result<Option<Placed<Decimal>>, Fault> {
    node.get(key).map(|value| Ok(placed(value, amount(value, key)?))).transpose()
}

/// The incident's id.
pub(crate) fn id(node: &Node) -> Result<IncidentId, Fault> {
    let value = node.required("incident")?;
    let found = text(value)?;
    IncidentId::parse(found).ok_or_else(|| {
        value.fault(
            format!("{} is no incident id", quoted(found)),
            "write up to 64 lower-case letters, digits and hyphens, such as ronin-2022",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_only_when_it_is_near() {
        let known = ["title", "victim", "status", "stolen"];
        assert_eq!(nearest("tilte", &known), Some("title"));
        assert_eq!(nearest("Victims", &known), Some("victim"));
        assert_eq!(nearest("zebra", &known), None);
        assert_eq!(nearest("x", &[]), None);
    }
}

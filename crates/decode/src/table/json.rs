//! One NDJSON row: an object with the table's keys, numbers kept as the digits that were written.

use std::borrow::Cow;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::options::{FIELDS, Field, TableOptions};
use crate::Fault;
use crate::fault::quoted;
use crate::json::not_json;

/// The most keys a row may have.
pub const KEYS_MAX: usize = 256;

/// A row's keys and values as written, in order.
struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object<'de>, M::Error> {
                let mut entries: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
                while let Some((Text(key), value)) = map.next_entry::<Text<'de>, &RawValue>()? {
                    if entries.len() == KEYS_MAX {
                        return Err(M::Error::custom(format!("more than {KEYS_MAX} keys")));
                    }
                    if entries.iter().any(|(other, _)| *other == key) {
                        return Err(M::Error::custom(format!("the key {} stands here twice", quoted(&key))));
                    }
                    entries.push((key, value));
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// Text borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The texts of a row's fields, or nothing where the line lacks one.
pub(super) fn cells<'a>(
    line: u64,
    text: &'a str,
    complete: bool,
    options: &TableOptions,
) -> Result<[Cow<'a, str>; FIELDS], Fault> {
    let Object(entries) = serde_json::from_str(text).map_err(|error| not_json(line, &error, complete))?;
    let mut cells = [const { Cow::Borrowed("") }; FIELDS];
    let mut missing = Vec::new();
    for field in Field::ALL {
        let key = options.column(field);
        match entries.iter().find(|(name, _)| name == key) {
            Some((_, value)) => cells[field as usize] = scalar(line, key, value.get())?,
            None if options.is_given(field) => {}
            None => missing.push(field),
        }
    }
    if missing.is_empty() {
        return Ok(cells);
    }
    let found: Vec<_> = entries.iter().map(|(name, _)| name.as_ref()).collect();
    Err(options.missing(line, &missing, &found))
}

/// A value's text: a string's own, a number's digits, nothing for null.
fn scalar<'a>(line: u64, key: &str, raw: &'a str) -> Result<Cow<'a, str>, Fault> {
    match raw.as_bytes().first() {
        Some(b'"') => {
            serde_json::from_str::<Text<'a>>(raw).map(|text| text.0).map_err(|error| not_json(line, &error, true))
        }
        Some(b'-' | b'0'..=b'9') => Ok(Cow::Borrowed(raw)),
        Some(b'n') => Ok(Cow::Borrowed("")),
        _ => Err(Fault::line(line, format!("{} is not a text or number", quoted(raw)), "write a plain value")
            .field(quoted(key).trim_matches('"'))),
    }
}

//! Files of an annex's folder: how they are named, made, opened, and cleared away.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::map::Map;
use crate::{BookError, disk};

/// Between a file's name and its number.
const MARK: char = '.';
/// How many digits a number has, so that a listing is in order.
const DIGITS: usize = 12;

/// Where file `number` of the column, table or blob `name` lies.
pub(super) fn path_of(folder: &Path, name: &str, number: u64) -> PathBuf {
    folder.join(format!("{name}{MARK}{number:0DIGITS$}"))
}

/// The number in such a name; `None` for files that are none of ours.
fn number_of(name: &str) -> Option<u64> {
    let (_, digits) = name.rsplit_once(MARK)?;
    let is_ours = digits.len() >= DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| is_ours)
}

/// Maps the first `bytes` of a file; `None` where the file is not there.
pub(super) fn map(path: &Path, bytes: Option<u64>) -> Result<Option<Map>, BookError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(BookError::io("open", path))?,
    };
    let has = file.metadata().map_err(BookError::io("read", path))?.len();
    match bytes.filter(|bytes| *bytes <= has) {
        Some(bytes) => Map::new(&file, bytes).map(Some).map_err(BookError::io("map", path)),
        None => Err(BookError::annex(path, format!("it has {has} bytes, less than what is committed"))),
    }
}

/// Deletes all files but those with these numbers, which ascend. What cannot be deleted (some systems keep what somebody
/// reads) is left to the next writer.
pub(super) fn clear(folder: &Path, keep: &[u64]) -> Result<(), BookError> {
    let entries = fs::read_dir(folder).map_err(BookError::io("list", folder))?;
    for entry in entries {
        let entry = entry.map_err(BookError::io("list", folder))?;
        let number = entry.file_name().to_str().and_then(number_of);
        if number.is_some_and(|number| keep.binary_search(&number).is_err()) {
            let _ = disk::remove(&entry.path());
        }
    }
    Ok(())
}

/// A number that no file in the folder has, nor any higher one.
pub(super) fn next_number(folder: &Path) -> Result<u64, BookError> {
    let mut next = 0;
    for entry in fs::read_dir(folder).map_err(BookError::io("list", folder))? {
        let entry = entry.map_err(BookError::io("list", folder))?;
        if let Some(number) = entry.file_name().to_str().and_then(number_of) {
            next = next.max(number.saturating_add(1));
        }
    }
    Ok(next)
}

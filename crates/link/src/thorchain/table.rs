//! Small tables of comma-separated columns without quotes: rows with their line numbers.

/// The rows of a table with their line numbers: without comments, blank lines and the header.
pub(crate) fn rows(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')).skip(1)
}

/// A row's columns, where there are so many of them.
pub(crate) fn fields<const COUNT: usize>(row: &str) -> Option<[&str; COUNT]> {
    row.split(',').map(str::trim).collect::<Vec<_>>().try_into().ok()
}

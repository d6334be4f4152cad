//! [`Text`] and [`Pool`]: texts that stand in a file a million times and in memory once.
//!
//! A pool lives as long as one file is read. It forgets nothing and is therefore limited; what comes after is kept for
//! itself.

use std::collections::HashSet;
use std::sync::Arc;

/// A text that is shared by everything that says the same.
pub type Text = Arc<str>;

/// How many different texts a pool shares.
const POOL_TEXTS_MAX: usize = 1 << 20;
/// The longest text that is worth sharing.
const POOL_TEXT_BYTES_MAX: usize = 1 << 10;

/// The texts of one file, each once.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    texts: HashSet<Text>,
}

impl Pool {
    /// The text, shared with whoever asked for the same before.
    pub fn text(&mut self, text: &str) -> Text {
        if let Some(known) = self.texts.get(text) {
            return Text::clone(known);
        }
        let new = Text::from(text);
        if self.texts.len() < POOL_TEXTS_MAX && text.len() <= POOL_TEXT_BYTES_MAX {
            self.texts.insert(Text::clone(&new));
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_one_and_long_ones_are_not_kept() {
        let mut pool = Pool::default();
        let (one, two) = (pool.text("exchange"), pool.text("exchange"));
        assert!(Arc::ptr_eq(&one, &two));
        let long = "x".repeat(POOL_TEXT_BYTES_MAX + 1);
        assert_eq!(pool.text(&long), pool.text(&long));
        assert_eq!(pool.texts.len(), 1);
    }
}

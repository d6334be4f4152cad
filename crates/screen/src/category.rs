//! [`Categories`]: the names of exposure's categories by number, and [`CategorySet`]: some of them.
//!
//! Which categories there are, `know` says; this room only looks names up and adds sets together.

/// How many categories a vector of shares holds.
const CATEGORIES_MAX: usize = 16;

/// The names of the categories, by their number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Categories {
    names: Vec<String>,
}

impl Categories {
    /// These names, in order of number; what is past the most that a vector holds is left out.
    pub fn new<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        Self { names: names.into_iter().take(CATEGORIES_MAX).map(Into::into).collect() }
    }

    /// All names, by number.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A category's name; `unknown` for a number without one.
    pub fn name(&self, number: u8) -> &str {
        self.names.get(usize::from(number)).map_or("unknown", String::as_str)
    }

    /// The category of a name.
    pub fn number(&self, name: &str) -> Option<u8> {
        let at = self.names.iter().position(|known| known == name)?;
        u8::try_from(at).ok()
    }
}

/// A set of categories, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CategorySet(pub u16);

impl CategorySet {
    /// One category.
    pub const fn one(number: u8) -> Self {
        Self(if number < 16 { 1 << number } else { 0 })
    }

    /// Whether a category is in it.
    pub const fn has(self, number: u8) -> bool {
        self.0 & Self::one(number).0 != 0
    }

    /// Everything of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether both have a category in common.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Its categories, ascending.
    pub fn numbers(self) -> impl Iterator<Item = u8> {
        (0..16).filter(move |number| self.has(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_belong_together() {
        let categories = Categories::new(["unknown", "mined", "theft"]);
        assert_eq!(categories.number("theft"), Some(2));
        assert_eq!((categories.name(2), categories.name(9)), ("theft", "unknown"));
        assert_eq!(categories.number("thefts"), None);
        let set = CategorySet::one(2).with(CategorySet::one(15));
        assert_eq!(set.numbers().collect::<Vec<_>>(), [2, 15]);
        assert!(set.meets(CategorySet::one(15)) && !set.meets(CategorySet::one(0)) && !set.has(16));
    }
}

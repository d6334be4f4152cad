//! [`Basis`]: whether a tag was given to the address itself, or came to it from another of its cluster.
//!
//! The two must never look alike. A direct tag is what somebody said; an inherited one is that, plus our inference that
//! both addresses have one owner. Whoever prints a tag prints one of these words with it.

use std::fmt;

use serde::Serialize;

/// How a claim came to be about a holder.
///
/// In JSON `{"basis":"direct"}` or `{"basis":"inherited","from":ADDRESS,"layer":LAYER}`, to be flattened into what it is
/// said of; in text its [`fmt::Display`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "basis", rename_all = "lowercase")]
pub enum Basis {
    /// It names the holder's own address.
    Direct,
    /// It names another address of the holder's cluster.
    Inherited {
        /// The address that it names.
        from: String,
        /// The layer of clusters by which the two are one: `co-spend`, or `change`, which is weaker.
        layer: String,
    },
}

impl Basis {
    /// The word for it: `direct` or `inherited`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Inherited { .. } => "inherited",
        }
    }

    /// The mark in front of a tag in lists: `=` for what was said of this address, `~` for what was inherited.
    pub const fn mark(&self) -> char {
        match self {
            Self::Direct => '=',
            Self::Inherited { .. } => '~',
        }
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => write!(f, "direct, said of this address"),
            Self::Inherited { from, layer } => write!(f, "inherited, said of {from} in the same {layer} cluster"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_differ_in_every_form() {
        let inherited = Basis::Inherited { from: "bc1q".to_owned(), layer: "co-spend".to_owned() };
        let shown =
            |basis: &Basis| (basis.as_str(), basis.mark(), basis.to_string(), serde_json::to_string(basis).unwrap());
        assert_eq!(
            shown(&Basis::Direct),
            ("direct", '=', "direct, said of this address".to_owned(), r#"{"basis":"direct"}"#.to_owned())
        );
        assert_eq!(
            shown(&inherited),
            (
                "inherited",
                '~',
                "inherited, said of bc1q in the same co-spend cluster".to_owned(),
                r#"{"basis":"inherited","from":"bc1q","layer":"co-spend"}"#.to_owned()
            )
        );
    }
}

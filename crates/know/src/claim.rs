//! [`Claim`]: one tag, as somebody stated it. It says nothing of what follows from it; that is [`crate::Stops`].

use ledger::{LedgerId, Time};

/// Where a claim's address lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The source does not say: wherever the name occurs.
    Anywhere,
    /// On the ledgers of a currency, such as `BTC`.
    Currency(String),
    /// On one ledger.
    Ledger(LedgerId),
}

/// What somebody says of an address. Ordered by address, so that lists of claims are too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The address or account, as the source writes it.
    pub address: String,
    /// Where it lives.
    pub scope: Scope,
    /// What the source calls it.
    pub label: String,
    /// What kind of holder it is: TagPack categories and concepts, in the source's words, sorted, each once.
    pub categories: Vec<String>,
    /// What it is accused of.
    pub abuse: Option<String>,
    /// The id of who controls it.
    pub actor: Option<String>,
    /// Where this is said.
    pub source: Option<String>,
    /// How sure the source is: a word of `rules/confidence.csv`.
    pub confidence: Option<String>,
    /// When it was last said.
    pub date: Option<Time>,
    /// The pack or file that it came with.
    pub pack: String,
}

impl Claim {
    /// A claim of a label alone.
    pub fn new(address: impl Into<String>, label: impl Into<String>, pack: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            scope: Scope::Anywhere,
            label: label.into(),
            categories: Vec::new(),
            abuse: None,
            actor: None,
            source: None,
            confidence: None,
            date: None,
            pack: pack.into(),
        }
    }

    /// Adds a category, keeping the order.
    pub fn add_category(&mut self, category: &str) {
        let category = category.trim();
        if let Err(at) = self.categories.binary_search_by(|known| known.as_str().cmp(category))
            && !category.is_empty()
        {
            self.categories.insert(at, category.to_owned());
        }
    }

    /// Whom the claim names: the actor where there is one, the label otherwise.
    pub fn entity(&self) -> &str {
        self.actor.as_deref().unwrap_or(&self.label)
    }
}

//! [`Claim`]: one tag, as somebody stated it. It says nothing of what follows from it; that is [`crate::Stops`].

use std::fmt;

use decode::Text;
use ledger::{LedgerId, Time};
use sha2::{Digest, Sha256};

/// Where a claim's address lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The source does not say: wherever the name occurs.
    Anywhere,
    /// On the ledgers of a currency, such as `BTC`.
    Currency(Text),
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
    pub label: Text,
    /// What kind of holder it is: TagPack categories and concepts, in the source's words, sorted, each once.
    pub categories: Vec<Text>,
    /// What it is accused of.
    pub abuse: Option<Text>,
    /// The id of who controls it.
    pub actor: Option<Text>,
    /// Where this is said.
    pub source: Option<Text>,
    /// How sure the source is: a word of `rules/confidence.csv`.
    pub confidence: Option<Text>,
    /// When it was last said.
    pub date: Option<Time>,
    /// The pack or file that it came with.
    pub pack: Text,
    /// The hash of that file, where it is known.
    pub pack_hash: Option<PackHash>,
}

impl Claim {
    /// A claim of a label alone.
    pub fn new(address: impl Into<String>, label: impl Into<Text>, pack: impl Into<Text>) -> Self {
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
            pack_hash: None,
        }
    }

    /// Adds a category, keeping the order.
    pub fn add_category(&mut self, category: impl Into<Text>) {
        let category = category.into();
        if let Err(at) = self.categories.binary_search(&category)
            && !category.is_empty()
        {
            self.categories.insert(at, category);
        }
    }

    /// Everything but the version of the pack, in the order of the fields.
    pub(crate) fn without_version(&self) -> impl Ord + '_ {
        (
            (&self.address, &self.scope, &self.label, &self.categories, &self.abuse),
            (&self.actor, &self.source, &self.confidence, &self.date, &self.pack),
        )
    }

    /// Whom the claim names: the actor where there is one, the label otherwise.
    pub fn entity(&self) -> &str {
        self.actor.as_deref().unwrap_or(&self.label)
    }
}

/// What a pack's bytes hash to (SHA-256): which version of it was read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackHash([u8; 32]);

impl PackHash {
    /// The hash of a pack's bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Of what was fed to a digest piece by piece.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// From 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(ledger::hex::bytes(text)?.try_into().ok()?))
    }
}

impl fmt::Display for PackHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&ledger::hex::text(&self.0))
    }
}

impl fmt::Debug for PackHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

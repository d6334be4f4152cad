//! An incident as plain values. What a later error may point at keeps its place in the file.
//!
//! A trace needs the id and the losses; everything else is for reports and may be absent.

use std::fmt;

use decode::Fault;
use ledger::{LedgerId, Time};
use money::Decimal;

use crate::When;

/// The longest incident id.
pub const ID_BYTES_MAX: usize = 64;

/// A place in the incident's file; zeros where the incident was not read from one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
}

impl Place {
    /// A fault at this place.
    pub fn fault(self, what: impl Into<String>, help: impl Into<String>) -> Fault {
        if self.line == 0 { Fault::whole(what, help) } else { Fault::line(self.line, what, help).at(self.column) }
    }
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub place: Place,
}

impl<T> From<T> for Placed<T> {
    /// A value that was not read from a file.
    fn from(value: T) -> Self {
        Self { value, place: Place::default() }
    }
}

/// The name of an incident: lower-case letters, digits and hyphens, such as `ronin-2022`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(String);

impl IncidentId {
    /// Checks the form; `None` where it is another.
    pub fn parse(text: &str) -> Option<Self> {
        let good = (1..=ID_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        good.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One theft, or one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its name.
    pub id: IncidentId,
    /// What people call it.
    pub title: Option<String>,
    /// Who was robbed.
    pub victim: Option<Victim>,
    /// When it happened, as precisely as the source says.
    pub occurred: Option<When>,
    /// When it was noticed.
    pub discovered: Option<When>,
    /// Whether anything was taken. Never guessed: an attempt that counts as a theft has misled whole reports.
    pub status: Option<Status>,
    /// What was taken, by ledger and asset.
    pub losses: Vec<Loss>,
    /// What came back.
    pub recovered: Vec<Return>,
    /// What was frozen.
    pub frozen: Vec<Return>,
    /// What sources said it was worth; conflicts stay side by side.
    pub reported: Vec<Report>,
    /// Who did it, according to whom.
    pub claims: Vec<Attribution>,
    /// Anything else.
    pub notes: Option<String>,
}

/// Who was robbed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Victim {
    /// The name.
    pub name: String,
    /// What it is.
    pub kind: Option<VictimKind>,
    /// Two capital letters in the form of ISO 3166-1 alpha-2; whether the code is assigned is not checked.
    pub country: Option<String>,
}

/// Declares an enum of words, with the words in one list for reading, writing and error messages.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant),* }

        impl $name {
            /// All values with their words.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),*];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}

words! {
    /// What a victim is.
    VictimKind {
        /// A trading platform.
        Exchange = "exchange",
        /// A bank.
        Bank = "bank",
        /// A bridge between chains.
        Bridge = "bridge",
        /// A miner or mining service.
        Miner = "miner",
        /// A wallet provider and its users.
        Wallet = "wallet",
        /// A person.
        Person = "person",
        /// Anybody else.
        Other = "other",
    }
}

words! {
    /// Whether anything was taken.
    Status {
        /// Tried and failed.
        Attempted = "attempted",
        /// Taken.
        Taken = "taken",
    }
}

/// What was taken of one asset on one ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Where it is written.
    pub place: Place,
    /// The ledger.
    pub ledger: Placed<LedgerId>,
    /// The asset's name on that ledger.
    pub asset: Placed<String>,
    /// How much in all, in the asset's own unit, where a source says so.
    pub amount: Option<Placed<Decimal>>,
    /// Where the trace starts.
    pub stolen: Vec<Placed<Stolen>>,
}

/// Where a trace starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stolen {
    /// What a transaction brought to a holder.
    Transaction {
        /// The transaction's id.
        tx: String,
        /// The paid holder in canonical form; needed to trace, absent only in a draft.
        to: Option<String>,
        /// Only so much of it.
        amount: Option<Decimal>,
    },
    /// An output of a UTXO ledger.
    Output {
        /// The creating transaction, 64 lower-case hex digits.
        txid: String,
        /// The output's index.
        vout: u32,
        /// Only so much of it.
        amount: Option<Decimal>,
    },
    /// What reached a holder in a window of time.
    Address {
        /// The holder in canonical form.
        address: String,
        /// From this instant on; a date means its first instant. Absent: from the beginning.
        from: Option<Time>,
        /// Up to and without this instant; a date means its first instant. Absent: to the end.
        until: Option<Time>,
        /// Only so much of it, first come first.
        amount: Option<Decimal>,
    },
}

impl Stolen {
    /// The cap, where there is one.
    pub const fn amount(&self) -> Option<Decimal> {
        match self {
            Self::Transaction { amount, .. } | Self::Output { amount, .. } | Self::Address { amount, .. } => *amount,
        }
    }
}

/// Money that came back or was frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// The ledger, where it matters.
    pub ledger: Option<LedgerId>,
    /// The asset.
    pub asset: String,
    /// How much, in the asset's own unit.
    pub amount: Decimal,
    /// When.
    pub date: Option<When>,
    /// By whom.
    pub by: Option<String>,
    /// Who says so.
    pub source: Option<String>,
}

/// What a source said the loss was worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In US dollars.
    pub usd: Decimal,
    /// Who said it.
    pub by: String,
    /// When.
    pub date: Option<When>,
    /// Where.
    pub source: Option<String>,
}

/// A sourced claim of who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// Who is said to have done it.
    pub actor: String,
    /// Who says so.
    pub by: String,
    /// When.
    pub date: Option<When>,
    /// Where.
    pub source: String,
    /// How sure they are, in their own word.
    pub confidence: Option<String>,
}

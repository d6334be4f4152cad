//! [`Finding`]: everything that is known of what was asked about, as plain values with their provenance.
//!
//! Direct and inherited tags are kept apart, contradictions are listed and not settled, and each figure says on what it
//! rests. Nothing here is computed; `gather` fills it from a book, `judge` holds rules against it.

use know::Claim;
use ledger::{LedgerId, Time};
use money::{Amount, Asset};

use crate::{CategorySet, Direction};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// On which ledger; nothing for an address that none of the book's has, but a tag speaks of.
    pub ledger: Option<LedgerId>,
    /// What stands on the subject itself: tags of an address; nothing for a transaction.
    pub tags: Vec<Tagged>,
    /// What stands on other holders: members of its cluster, or the parties of a transaction.
    pub inherited: Vec<Inherited>,
    /// How many more tagged holders there are than are listed.
    pub inherited_more: u64,
    /// What the tags say against one another, each in words.
    pub conflicts: Vec<String>,
    /// The cluster by co-spending and wraps; tags are inherited within it.
    pub cluster: Option<Cluster>,
    /// The cluster by change as well: a lead, never a finding. Nothing where it is the same.
    pub lead: Option<Cluster>,
    /// Where money came from and went to, for each asset.
    pub exposure: Vec<Exposure>,
    /// When it was first and last seen.
    pub seen: Option<Seen>,
    /// How the dates of the tags lie against what was received.
    pub listings: Vec<Listing>,
    /// What a reader should know: what is not kept, what was cut short.
    pub notes: Vec<String>,
    /// What all of it rests on.
    pub versions: Versions,
}

/// What was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An address or account, in its canonical form.
    Address(String),
    /// A transaction.
    Transaction {
        /// Its id.
        tx: String,
        /// Whether a block has confirmed it.
        is_confirmed: bool,
        /// The design of join that it is.
        join: Option<&'static str>,
        /// Whether its inputs may be of two parties.
        is_doubtful: bool,
    },
}

impl Subject {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Address(name) | Self::Transaction { tx: name, .. } => name,
        }
    }
}

/// What tags say of one holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// The category that its money is counted under.
    pub category: Option<u8>,
    /// Every category that a claim speaks of: a sanctioned exchange is both.
    pub categories: CategorySet,
    /// What a trace does there.
    pub stop: Option<&'static str>,
    /// Who it is.
    pub entity: String,
    /// What it is accused of.
    pub risks: Vec<String>,
    /// The heaviest claim's weight, in percent.
    pub confidence: u8,
    /// Every claim, with its source.
    pub claims: Vec<Claim>,
    /// How many more there are than are listed.
    pub claims_more: u64,
}

/// What tags say of somebody else, and how that holder is joined to the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited {
    /// Who carries the tags.
    pub holder: String,
    /// How it comes in.
    pub by: Bond,
    /// What is said.
    pub tagged: Tagged,
}

/// What joins a tagged holder to the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bond {
    /// They are of one cluster: the edges from the one to the other. Empty where none could be found within the limits.
    Cluster(Vec<Edge>),
    /// It pays in the transaction that was asked about.
    Input,
    /// It is paid there.
    Output,
    /// It pays the account that was asked about, or is paid by it.
    Counterparty(Direction),
}

/// One piece of evidence that two holders are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its name: `co-spend:TXID`, `wrap:ADDRESS`, `change:TXID`.
    pub name: String,
    /// One end.
    pub from: String,
    /// The other.
    pub to: String,
}

/// A cluster of holders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its oldest member, which it is called by.
    pub oldest: String,
    /// How many members it has.
    pub size: u64,
    /// By what evidence.
    pub layer: &'static str,
}

/// Where money came from and went to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Of which asset.
    pub asset: Asset,
    /// Whether it is known what lies behind the direct counterparties.
    pub has_indirect: bool,
    /// In.
    pub received: Flow,
    /// Out.
    pub sent: Flow,
    /// Categories that ever touched what was received, mixers and joins notwithstanding.
    pub poison: CategorySet,
    /// What of it is counted to each category where the tainted coin leaves first.
    pub first_out: Vec<(u8, Amount)>,
}

impl Exposure {
    /// One direction.
    pub const fn flow(&self, direction: Direction) -> &Flow {
        match direction {
            Direction::Received => &self.received,
            Direction::Sent => &self.sent,
        }
    }
}

/// What moved in one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// All of it.
    pub total: Amount,
    /// By category, ascending by number; only what there is something of.
    pub categories: Vec<Slice>,
    /// How much rounding withheld: up to so much more is each category's that touched the money.
    pub truncated: Amount,
    /// Categories that touched the money: of no other can anything have been rounded away.
    pub touched: CategorySet,
    /// How many movements there were in all, and how many of them were looked at.
    pub movements: (u64, u64),
}

/// One category's part of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// Which category.
    pub category: u8,
    /// What passed between the subject and such holders themselves.
    pub direct: Amount,
    /// What had others in between.
    pub indirect: Amount,
    /// What of it was direct, by entity: name and amount, the largest first.
    pub entities: Vec<(String, Amount)>,
    /// The nearest path that proves it.
    pub nearest: Option<Proof>,
}

/// A path of transactions from a tagged holder, or to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The tagged holder at its far end.
    pub holder: String,
    /// Who that is.
    pub entity: String,
    /// The transactions in order of time.
    pub hops: Vec<Hop>,
}

/// One step of a path: a transaction, and whom it pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Its id.
    pub tx: String,
    /// When.
    pub time: Time,
    /// Who is paid, on the way.
    pub to: String,
    /// How much lies there afterwards.
    pub amount: Amount,
}

/// When something was first and last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The first time.
    pub first: Time,
    /// The last.
    pub last: Time,
    /// In how many transactions.
    pub transactions: u64,
}

/// How much was received before and after a tag's date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The date that the tag bears.
    pub date: Time,
    /// Of which asset.
    pub asset: Asset,
    /// What the tag calls its holder.
    pub label: String,
    /// The pack that it came with.
    pub pack: String,
    /// What the subject received before that.
    pub before: Amount,
    /// What it received from then on.
    pub after: Amount,
}

/// What a finding rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// The height of the last block that was looked at.
    pub height: Option<u64>,
    /// Its hash.
    pub block: Option<String>,
    /// Its time, or the last transaction's.
    pub time: Option<Time>,
    /// How many transactions the ledger has up to there.
    pub transactions: u64,
    /// The tags that were used: SHA-256 of the book's tags.
    pub tags: String,
    /// The rulings on clusters that hold: their SHA-256; nothing where there are none.
    pub rulings: String,
    /// The methods and their versions.
    pub methods: Vec<(String, String)>,
}

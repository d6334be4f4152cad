//! What can go wrong with a book: [`BookError`] for the folder and its files, [`DeedError`] for input that does not fit
//! what the ledger already holds. Each names the thing and says what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

use ledger::{Kind, LedgerId, Time};

/// Why a book or one of its ledgers cannot be opened, read or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum BookError {
    /// The operating system refused something.
    Io {
        /// What was being done: `write`, `open`, …
        action: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The folder is no book.
    NotABook(PathBuf),
    /// The book was written in another version of the format.
    OtherFormat {
        /// The file that says so.
        path: PathBuf,
        /// The version that it states.
        found: u32,
    },
    /// A file of the book does not hold what it must.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A file of an annex does not hold what it must. Nothing is lost: an annex can be made again.
    DamagedAnnex {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Somebody else is writing this annex.
    LockedAnnex {
        /// Its folder.
        path: PathBuf,
    },
    /// There is no such ledger in the book.
    NoLedger(LedgerId),
    /// The ledger is of the other kind.
    WrongKind {
        /// The ledger.
        ledger: LedgerId,
        /// What it is.
        is: Kind,
    },
    /// Somebody else is writing this ledger.
    Locked(LedgerId),
    /// Somebody is taking back transactions of this ledger right now.
    Undoing(LedgerId),
    /// Somebody is reading this ledger, and it cannot be cut short meanwhile.
    Read(LedgerId),
    /// An earlier call on this writer failed, so its batch cannot be committed.
    Failed,
    /// More is to be taken back than there is.
    UndoTooMany {
        /// How many transactions or blocks were asked for.
        asked: u64,
        /// How many there are.
        has: u64,
    },
    /// Transactions cannot be taken back one by one, because the ledger has blocks.
    HasBlocks(LedgerId),
    /// There are uncommitted transactions, and only what is committed can be taken back.
    Uncommitted,
    /// A column would pass the largest number that the format has.
    Full {
        /// The column's file.
        path: PathBuf,
    },
    /// The input does not fit the ledger.
    Deed(DeedError),
}

/// Why a transaction or a block does not fit what the ledger already holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeedError {
    /// A transaction of that id is already there.
    Duplicate {
        /// The id.
        transaction: String,
    },
    /// A transaction is earlier than the one before it.
    TimeBackwards {
        /// The transaction.
        transaction: String,
        /// Its time.
        time: Time,
        /// The time of the ledger's last transaction.
        last: Time,
    },
    /// A leg is in an asset that was not declared.
    UnknownAsset {
        /// The transaction.
        transaction: String,
        /// The asset's symbol.
        symbol: String,
    },
    /// An asset is declared again with another scale.
    ScaleChanged {
        /// The asset's symbol.
        symbol: String,
        /// The scale that the ledger has it with.
        has: u8,
        /// The scale now asked for.
        asked: u8,
    },
    /// A UTXO ledger holds one asset, and it is another.
    OtherAsset {
        /// The ledger's asset.
        has: String,
        /// The asset asked for.
        asked: String,
    },
    /// A ledger holds at most 2^24 assets.
    TooManyAssets,
    /// A name is longer than the book keeps.
    NameTooLong {
        /// The name's beginning.
        beginning: String,
        /// Its length in bytes.
        has: usize,
        /// The most that the book keeps.
        allowed: usize,
    },
    /// A transaction has more legs, inputs or outputs than the book numbers.
    TooManyLegs {
        /// The transaction.
        transaction: String,
    },
    /// An amount, or a sum of amounts, is beyond what a ledger of this kind holds.
    TooLarge {
        /// The transaction.
        transaction: String,
        /// What is too large.
        what: &'static str,
        /// The most that fits, in base units, as a power of two.
        allowed_bits: u32,
    },
    /// A purse would hold, or would have to have held, 2^126 base units or more.
    PurseOverflow {
        /// The transaction.
        transaction: String,
        /// The purse, as `holder/asset`.
        purse: String,
    },
    /// A block does not follow the tip.
    HeightGap {
        /// The block's height.
        height: u64,
        /// The height that the next block must have.
        expected: u64,
    },
    /// A block names another parent than the tip.
    OtherParent {
        /// The block's height.
        height: u64,
        /// The parent it names.
        parent: String,
        /// The tip's hash.
        tip: String,
    },
    /// Another block of that height is already there.
    OtherBlock {
        /// The height.
        height: u64,
        /// The new block's hash.
        hash: String,
        /// The hash of the block that is there.
        has: String,
    },
    /// A block came to a ledger that has transactions without blocks.
    BlockAmongRows {
        /// The block's height.
        height: u64,
    },
    /// A transaction came without its block to a ledger that has blocks.
    RowAmongBlocks {
        /// The transaction.
        transaction: String,
    },
    /// An event does not fit its block, or is no event.
    EventMisfit {
        /// The block's height.
        height: u64,
        /// The event's index in its block.
        index: u32,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An output is spent for the second time.
    SpentTwice {
        /// The output, `txid:vout`.
        output: String,
        /// The transaction that would spend it again.
        transaction: String,
        /// The transaction that spent it first.
        first: String,
    },
    /// An input spends an output that its transaction does not have.
    NoOutput {
        /// The output, `txid:vout`.
        output: String,
        /// The spending transaction.
        transaction: String,
        /// How many outputs the named transaction has.
        has: u64,
    },
    /// An input spends an output of a transaction that comes later, or of its own.
    SpentBeforeMade {
        /// The output, `txid:vout`.
        output: String,
    },
    /// What a source says about a spent output is not what the ledger holds.
    PrevoutContradicts {
        /// The output, `txid:vout`.
        output: String,
        /// What the source says.
        says: String,
        /// What the ledger holds.
        has: String,
    },
    /// A transaction pays out more than it takes in.
    InputsBelowOutputs {
        /// The transaction.
        transaction: String,
        /// The sum of its inputs, in base units.
        inputs: u128,
        /// The sum of its outputs, in base units.
        outputs: u128,
    },
    /// The stated fee is not what the sums leave.
    FeeContradicts {
        /// The transaction.
        transaction: String,
        /// The fee that the source states, in base units.
        stated: u128,
        /// What inputs less outputs leave, in base units.
        sums: u128,
    },
}

impl From<DeedError> for BookError {
    fn from(error: DeedError) -> Self {
        Self::Deed(error)
    }
}

impl BookError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn damaged(path: impl Into<PathBuf>, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.into(), what: what.into() }
    }

    pub(crate) fn annex(path: impl Into<PathBuf>, what: impl Into<String>) -> Self {
        Self::DamagedAnnex { path: path.into(), what: what.into() }
    }
}

impl fmt::Display for BookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, source } if source.kind() == io::ErrorKind::StorageFull => {
                write!(f, "cannot {action} {}: the disk is full; free some space and run it again", path.display())
            }
            Self::Io { action, path, source } => write!(f, "cannot {action} {}: {source}", path.display()),
            Self::NotABook(path) => {
                write!(f, "{} is not a book: name a folder that an ingest has made", path.display())
            }
            Self::OtherFormat { path, found } => {
                let (path, reads) = (path.display(), crate::FORMAT);
                let what_to_do =
                    if *found > reads { "use a newer program" } else { "delete the book and ingest its sources anew" };
                write!(f, "{path} says format {found}, this program reads format {reads}: {what_to_do}")
            }
            Self::Damaged { path, what } => {
                write!(
                    f,
                    "{} is damaged: {what}; restore it, or delete its ledger's folder and ingest anew",
                    path.display()
                )
            }
            Self::DamagedAnnex { path, what } => {
                write!(
                    f,
                    "{} is damaged: {what}; it follows from the ledger and its tags: delete its folder, and it is made anew",
                    path.display()
                )
            }
            Self::LockedAnnex { path } => {
                write!(f, "{} is being written by another process; wait for it to end", path.display())
            }
            Self::NoLedger(ledger) => write!(f, "the book holds no ledger {ledger}; ingest it first"),
            Self::WrongKind { ledger, is } => {
                let is = match is {
                    Kind::Utxo => "blocks of outputs (UTXO)",
                    Kind::Account => "accounts",
                };
                write!(
                    f,
                    "ledger {ledger} holds {is}, so this source does not belong into it; choose another ledger id"
                )
            }
            Self::Locked(ledger) => {
                write!(f, "ledger {ledger} is being written by another process; wait for it to end")
            }
            Self::Undoing(ledger) => {
                write!(f, "transactions of ledger {ledger} are being taken back right now; try again when that is done")
            }
            Self::Read(ledger) => {
                write!(f, "ledger {ledger} is being read, and undo cuts its files; close the readers first")
            }
            Self::Failed => {
                write!(f, "an earlier step of this ingest failed, so its batch is not committed; start again")
            }
            Self::UndoTooMany { asked, has } => write!(f, "cannot take back {asked}: the ledger has {has}"),
            Self::HasBlocks(ledger) => {
                write!(f, "{ledger} is a chain; blocks can be taken back, not single transactions")
            }
            Self::Uncommitted => {
                write!(f, "only committed transactions can be taken back; commit or drop the batch first")
            }
            Self::Full { path } => write!(f, "{} has reached the largest number of the format, 2^40", path.display()),
            Self::Deed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BookError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Deed(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for DeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { transaction } => write!(f, "transaction {transaction} is already in the ledger"),
            Self::TimeBackwards { transaction, time, last } => write!(
                f,
                "transaction {transaction} is of {time}, before the ledger's last one of {last}; \
                 ingest sources oldest first, or undo back to that time"
            ),
            Self::UnknownAsset { transaction, symbol } => {
                write!(f, "transaction {transaction} moves {symbol:?}, an asset that was not declared")
            }
            Self::ScaleChanged { symbol, has, asked } => write!(
                f,
                "asset {symbol} has {has} decimals in this ledger, {asked} are asked for now; \
                 state --scale {symbol}={has}, or ingest everything anew with --scale {symbol}={}",
                (*has).max(*asked)
            ),
            Self::OtherAsset { has, asked } => {
                write!(f, "this ledger's asset is {has}, not {asked}; choose another ledger id")
            }
            Self::TooManyAssets => write!(f, "a ledger holds at most 16,777,216 assets; split the source by asset"),
            Self::NameTooLong { beginning, has, allowed } => {
                write!(f, "the name {beginning:?}… has {has} bytes, the book keeps {allowed}")
            }
            Self::TooManyLegs { transaction } => {
                write!(f, "transaction {transaction} has 2^24 legs or more; split it")
            }
            Self::TooLarge { transaction, what, allowed_bits } => {
                write!(f, "{what} of transaction {transaction} is 2^{allowed_bits} base units or more")
            }
            Self::PurseOverflow { transaction, purse } => {
                write!(f, "transaction {transaction} takes the balance of {purse} past 2^126 base units")
            }
            Self::HeightGap { height, expected } => {
                write!(f, "block {height} does not follow: the next block must have height {expected}")
            }
            Self::OtherParent { height, parent, tip } => write!(
                f,
                "block {height} names the parent {parent}, the ledger's tip is {tip}; undo the stale blocks first"
            ),
            Self::OtherBlock { height, hash, has } => write!(
                f,
                "block {height} is {hash}, the ledger holds {has} at that height; undo the stale blocks first"
            ),
            Self::BlockAmongRows { height } => write!(
                f,
                "block {height} came to a ledger that was filled from tables; take blocks into a book of their own"
            ),
            Self::RowAmongBlocks { transaction } => write!(
                f,
                "transaction {transaction} came without its block to a ledger that has blocks; take tables into a book of their own"
            ),
            Self::EventMisfit { height, index, what } => write!(f, "event {index} of block {height} {what}"),
            Self::SpentTwice { output, transaction, first } => {
                write!(f, "transaction {transaction} spends output {output}, which {first} has spent already")
            }
            Self::NoOutput { output, transaction, has } => {
                write!(f, "transaction {transaction} spends output {output}, but that transaction has {has} outputs")
            }
            Self::SpentBeforeMade { output } => {
                write!(f, "output {output} is spent before the transaction that makes it; order the transactions")
            }
            Self::PrevoutContradicts { output, says, has } => {
                write!(f, "the source says that output {output} is {says}, the ledger holds {has}")
            }
            Self::InputsBelowOutputs { transaction, inputs, outputs } => {
                write!(f, "transaction {transaction} pays out {outputs} base units and takes in only {inputs}")
            }
            Self::FeeContradicts { transaction, stated, sums } => write!(
                f,
                "transaction {transaction} states a fee of {stated} base units, its inputs less outputs leave {sums}"
            ),
        }
    }
}

impl std::error::Error for DeedError {}

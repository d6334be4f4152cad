//! The flags of `tracehound tags`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub struct TagsArgs {
    #[command(subcommand)]
    pub command: TagsCommand,
}

#[derive(Debug, Subcommand)]
pub enum TagsCommand {
    /// Take tags into the book: TagPack or actor pack YAML, CSV with address,label,category, or an OFAC wallet list
    Import {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Take back what an earlier version of the same pack said and this one does not
        #[arg(long)]
        replace: bool,
        /// What the history of the tags is to say about this: who, when, why
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// What the book's tags say, about one address or in all
    List {
        /// An address
        address: Option<String>,
        /// Count the tags by what they say
        #[arg(long, value_enum, value_name = "WHAT")]
        by: Option<TagsBy>,
        /// Print as NDJSON, or the counts as JSON
        #[arg(long)]
        json: bool,
    },
    /// Take tags back: a pack's, an address's, or a source's (or what is all of that)
    Withdraw(WithdrawArgs),
    /// Where the book's tags contradict one another, with both sides
    Conflicts {
        /// Print as NDJSON
        #[arg(long)]
        json: bool,
    },
    /// What the words of tags mean: print the table, or keep one of your own over it
    Categories {
        /// A table with `word` and any of stop,risk,exposure,dwva,parent,note
        file: Option<PathBuf>,
        /// Go back to the built-in table
        #[arg(long, conflicts_with = "file")]
        reset: bool,
    },
}

/// By what tags are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TagsBy {
    Category,
    Abuse,
    Pack,
    Actor,
    Confidence,
    Risk,
    Stop,
    Exposure,
    Dwva,
}

impl TagsBy {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Abuse => "abuse",
            Self::Pack => "pack",
            Self::Actor => "actor",
            Self::Confidence => "confidence",
            Self::Risk => "risk",
            Self::Stop => "stop",
            Self::Exposure => "exposure",
            Self::Dwva => "dwva",
        }
    }
}

#[derive(Debug, Args)]
pub struct WithdrawArgs {
    /// A pack, by the name that `tags list` shows
    #[arg(required_unless_present_any = ["address", "source"])]
    pub pack: Option<String>,
    /// An address
    #[arg(long)]
    pub address: Option<String>,
    /// A source, exactly as the tags have it
    #[arg(long, value_name = "URL")]
    pub source: Option<String>,
    /// What the history of the tags is to say about this: who, when, why
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

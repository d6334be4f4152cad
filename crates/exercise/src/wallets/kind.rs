//! [`Kind`]: what a transaction of the world of wallets was made as: the answer that a reader of the chain has to find.
//!
//! It is a list of words and what each of them says about who paid. It makes no transaction.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares the kinds with their words.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What a transaction was made as.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: [Self; [$(Self::$name),*].len()] = [$(Self::$name),*];

            /// The word for it, as `made-as.csv` has it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

kinds! {
    /// A block's reward, or first coins for the population. Nobody pays.
    Coinbase = "coinbase",
    /// Somebody pays one or several others, or moves all of a coin.
    Pay = "pay",
    /// A service pays several customers.
    Batch = "batch",
    /// A service gathers deposits.
    Sweep = "sweep",
    /// Somebody makes one coin of many.
    Consolidate = "consolidate",
    /// An exchange moves money into or out of its cold wallet.
    Cold = "cold",
    /// Many equal small payments out of few coins.
    Faucet = "faucet",
    /// A firm pays wages; those of one grade are equal.
    Payroll = "payroll",
    /// Whirlpool's preparation: one owner splits coins into equal ones for a pool. No join.
    TxZero = "tx0",
    /// A payment made to look like a join of two: an equal output for the payer, and two changes. No join.
    Stonewall = "stonewall",
    /// An exchange pays equal amounts out of many deposit coins. No join.
    BatchEqual = "batch-equal",
    /// An exchange pays amounts such as people type (1, 2, 5 with zeros) out of many coins: not a Wasabi 2. No join.
    BatchRound = "batch-round",
    /// A service splits many coins into equal ones of its own. No join.
    ConsolidateEqual = "consolidate-equal",
    /// One owner splits a coin or a few into equal ones. No join.
    SelfSplit = "self-split",
    /// One owner alone goes from five coins to five of a pool's denomination. No join, and in form exactly one.
    SelfMix = "self-mix",
    /// Wasabi 1.
    WasabiOne = "wasabi-1",
    /// Wasabi 2.
    WasabiTwo = "wasabi-2",
    /// Whirlpool.
    Whirlpool = "whirlpool",
    /// `JoinMarket`.
    JoinMarket = "joinmarket",
    /// Equal outputs agreed on by two or more, without a known program.
    EqualOutputs = "equal-outputs",
    /// The payee adds coins to the payment.
    PayJoin = "payjoin",
    /// A join whose "equal" outputs differ by a few satoshi, so as not to look like one.
    JoinJitter = "join-jitter",
    /// A join with a data output.
    JoinData = "join-data",
    /// A join that pays to addresses which its inputs come from.
    JoinReuse = "join-reuse",
}

impl Kind {
    /// From its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether several owners pay.
    pub const fn is_join(self) -> bool {
        self as u8 >= Self::WasabiOne as u8
    }

    /// Whether it is one owner's and built like a join.
    pub const fn is_near_join(self) -> bool {
        self as u8 >= Self::TxZero as u8 && !self.is_join()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_comes_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            assert!(!(kind.is_join() && kind.is_near_join()));
        }
        assert_eq!(Kind::parse("Pay"), None);
        assert!(Kind::JoinReuse.is_join() && Kind::SelfMix.is_near_join() && !Kind::Payroll.is_near_join());
    }
}

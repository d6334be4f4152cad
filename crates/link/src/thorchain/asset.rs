//! [`Asset`]: what THORChain calls an asset: `BTC.BTC`, `ETH.USDC-0XA0B8…`, the synth `BTC/BTC`, short codes.
//!
//! Which ledger that is, and in which units it counts, stands in the table of [`super::chains`].
//!
//! Sources: THORNode `common/asset.go` (separators, short codes), `docs/concepts/asset-notation.md` and
//! `docs/concepts/memo-length-reduction.md` (abbreviations).

use std::fmt;

/// The longest text that is read as an asset.
pub const ASSET_BYTES_MAX: usize = 160;

/// One-letter names; they count in this case only. `n` was Binance's first chain, which is closed.
const SHORT_CODES: [(&str, &str, &str); 14] = [
    ("r", "THOR", "RUNE"),
    ("b", "BTC", "BTC"),
    ("e", "ETH", "ETH"),
    ("g", "GAIA", "ATOM"),
    ("d", "DOGE", "DOGE"),
    ("l", "LTC", "LTC"),
    ("c", "BCH", "BCH"),
    ("a", "AVAX", "AVAX"),
    ("s", "BSC", "BNB"),
    ("f", "BASE", "ETH"),
    ("tr", "TRON", "TRX"),
    ("x", "XRP", "XRP"),
    ("o", "SOL", "SOL"),
    ("n", "BNB", "BNB"),
];

/// Where an asset of that name lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// On its own chain (`.`).
    Layer1,
    /// A synth on THORChain (`/`).
    Synth,
    /// In a trade account on THORChain (`~`).
    Trade,
    /// A secured asset on THORChain (`-`).
    Secured,
}

impl Form {
    const ALL: [(char, Self); 4] = [('.', Self::Layer1), ('/', Self::Synth), ('~', Self::Trade), ('-', Self::Secured)];

    const fn sign(self) -> char {
        match self {
            Self::Layer1 => '.',
            Self::Synth => '/',
            Self::Trade => '~',
            Self::Secured => '-',
        }
    }
}

/// An asset by THORChain's name, in upper case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asset {
    /// The chain: `BTC`, `ETH`, `THOR`.
    pub chain: String,
    /// The symbol: `BTC`, `USDC-0XA0B8…`, or an abbreviation of it.
    pub symbol: String,
    /// Where it lies.
    pub form: Form,
}

impl Asset {
    /// Reads a name, an abbreviation or a short code; `None` where it is none of them.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > ASSET_BYTES_MAX {
            return None;
        }
        if let Some((_, chain, symbol)) = SHORT_CODES.iter().find(|(code, ..)| *code == text) {
            return Some(Self { chain: (*chain).to_owned(), symbol: (*symbol).to_owned(), form: Form::Layer1 });
        }
        let (chain, symbol, form) = match text.find(|c| Form::ALL.iter().any(|(sign, _)| *sign == c)) {
            Some(at) => {
                let sign = text[at..].chars().next()?;
                let form = Form::ALL.iter().find(|(known, _)| *known == sign)?.1;
                (&text[..at], &text[at + 1..], form)
            }
            // A name without a chain is of THORChain itself.
            None => ("THOR", text, Form::Layer1),
        };
        let plain = |part: &str, more: &[u8]| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
        };
        (plain(chain, b"") && plain(symbol, b"-_.")).then(|| Self {
            chain: chain.to_ascii_uppercase(),
            symbol: symbol.to_ascii_uppercase(),
            form,
        })
    }

    /// The symbol without what tells tokens of one ticker apart.
    pub fn ticker(&self) -> &str {
        self.symbol.split('-').next().unwrap_or_default()
    }

    /// The token's contract, or the end of it, as it stands in the symbol.
    pub fn contract(&self) -> Option<&str> {
        self.symbol.split_once('-').map(|(_, contract)| contract).filter(|contract| !contract.is_empty())
    }

    /// Whether `full` is what this name, abbreviated or not, stands for. Where several pools fit, THORChain takes the
    /// deepest: records say which, a memo alone does not.
    pub fn stands_for(&self, full: &Self) -> bool {
        self.chain == full.chain
            && self.form == full.form
            && self.ticker() == full.ticker()
            && self.contract().is_none_or(|end| full.contract().is_some_and(|contract| contract.ends_with(end)))
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.chain, self.form.sign(), self.symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_abbreviations_and_short_codes() {
        let usdt = "ETH.USDT-0xdac17f958d2ee523a2206206994597c13d831ec7";
        let cases = [
            ("r", "THOR.RUNE"),
            ("b", "BTC.BTC"),
            ("a", "AVAX.AVAX"),
            ("tr", "TRON.TRX"),
            ("rune", "THOR.RUNE"),
            ("eth.eth", "ETH.ETH"),
            ("BTC~BTC", "BTC~BTC"),
            ("BTC/BTC", "BTC/BTC"),
            ("BTC-BTC", "BTC-BTC"),
            ("ETH.USDT-ec7", "ETH.USDT-EC7"),
            // The first sign decides: this is a synth of a token, not a secured asset.
            ("ETH/USDC-0XA0B8", "ETH/USDC-0XA0B8"),
            ("B", "THOR.B"),
        ];
        for (text, want) in cases {
            assert_eq!(Asset::parse(text).map(|asset| asset.to_string()).as_deref(), Some(want), "{text}");
        }
        for bad in ["", ".", "ETH.", ".ETH", "ETH.US DT", "é", "ETH.USDT\u{0}", &"A".repeat(ASSET_BYTES_MAX + 1)] {
            assert_eq!(Asset::parse(bad), None, "{bad:?}");
        }
        let full = Asset::parse(usdt).unwrap();
        for short in ["ETH.USDT", "ETH.USDT-ec7", "ETH.USDT-6994597c13d831ec7", usdt] {
            assert!(Asset::parse(short).unwrap().stands_for(&full), "{short}");
        }
        for other in ["ETH.USDC", "ETH/USDT", "BSC.USDT", "ETH.USDT-ec8"] {
            assert!(!Asset::parse(other).unwrap().stands_for(&full), "{other}");
        }
        assert_eq!(full.contract(), Some("0XDAC17F958D2EE523A2206206994597C13D831EC7"));
        assert_eq!(Asset::parse("b").unwrap().contract(), None);
    }
}

//! [`Memo`]: what a payment into or out of THORChain says that it is for.
//!
//! It reads what the protocol's state machine reads, and it is as lenient: a field that cannot be read is left out, and
//! what is not a memo is `None`. It resolves no THORName and picks no pool for an abbreviated asset: both need the
//! state of that day.
//!
//! | rule | source (THORNode 3) |
//! |---|---|
//! | functions and their aliases | `x/thorchain/memo/memo.go`, `stringToTxTypeMap`; limit swaps (`=<`) and memoless swaps (`reference`, `r`) in 3.1x |
//! | fields are split at `:`; what follows a `\|` is handed on unread | `memo_parser.go`, `newParser` |
//! | `ASSET:DEST/REFUND:LIM/INTERVAL/QUANTITY:AFFILIATES:BPS:AGGREGATOR:FINAL:MIN` | `memo_swap.go`, `ParseSwapMemoV128`; `docs/concepts/memos.md` |
//! | up to five affiliates, one fee for all or one each | `docs/concepts/memos.md` |
//! | amounts in scientific notation, the fraction dropped | `getUintWithScientificNotation` |
//! | `reference:ASSET:MEMO` registers, `r:DIGITS` uses | `memo_reference.go` |

use super::asset::Asset;

/// The longest memo that the protocol takes (`constants.MaxMemoSize`).
pub const MEMO_BYTES_MAX: usize = 250;
/// How many affiliates a swap may name (`MultipleAffiliatesMaxCount`).
pub const AFFILIATES_MAX: usize = 5;
/// All of an amount, in basis points.
pub const BASIS_POINTS_ONE: u32 = 10_000;

/// What a payment is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memo {
    /// Change it into another asset.
    Swap(Swap),
    /// Put it into a pool.
    Add {
        /// The pool.
        asset: Asset,
        /// The provider's address on the other side.
        address: Option<String>,
    },
    /// Take liquidity out of a pool.
    Withdraw {
        /// The pool.
        asset: Asset,
        /// How much of the position.
        basis_points: Option<u32>,
    },
    /// A gift to a pool.
    Donate(Option<Asset>),
    /// Paid out, for the inbound transaction of that id (64 hex digits, lower case).
    Out(String),
    /// Paid back, for the inbound transaction of that id.
    Refund(String),
    /// From an old vault to a new one, at this height.
    Migrate(Option<u64>),
    /// A memo that is kept on THORChain for a payment without one.
    Register {
        /// What the payment will be made in.
        asset: Asset,
        /// The memo that it will stand for.
        memo: String,
    },
    /// The memo that was registered under these digits.
    Reference(String),
    /// Anything else that the protocol knows.
    Other(&'static str),
}

/// What a swap's memo asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// To be done at the limit or better, and not at once (`=<`).
    pub limit_order: bool,
    /// What is wanted: a whole name, an abbreviation or a short code.
    pub asset: Asset,
    /// Where it shall go: an address or a THORName; empty means back to the sender.
    pub destination: String,
    /// Where a refund shall go.
    pub refund: Option<String>,
    /// The least that is wanted, in units of 1e-8.
    pub limit: Option<u128>,
    /// Blocks between the parts of a streaming swap.
    pub interval: u64,
    /// How many parts; 0 leaves it to the network.
    pub quantity: u64,
    /// Who gets a fee: addresses or THORNames, each with its basis points.
    pub affiliates: Vec<(String, u32)>,
    /// The contract that changes the outcome once more.
    pub aggregator: Option<String>,
    /// What that contract is asked for.
    pub final_asset: Option<String>,
}

impl Swap {
    /// The affiliates' part of what goes in, in basis points.
    pub fn affiliate_basis_points(&self) -> u32 {
        self.affiliates.iter().map(|(_, points)| *points).sum::<u32>().min(BASIS_POINTS_ONE)
    }
}

/// What a function's name stands for.
#[derive(Clone, Copy)]
enum Function {
    Swap,
    LimitSwap,
    Add,
    Withdraw,
    Donate,
    Out,
    Refund,
    Migrate,
    Register,
    Reference,
    Other(&'static str),
}

/// The names, in lower case.
const FUNCTIONS: [(&str, Function); 54] = [
    ("swap", Function::Swap),
    ("s", Function::Swap),
    ("=", Function::Swap),
    ("=<", Function::LimitSwap),
    ("limito", Function::LimitSwap),
    ("lo", Function::LimitSwap),
    ("add", Function::Add),
    ("a", Function::Add),
    ("+", Function::Add),
    ("withdraw", Function::Withdraw),
    ("wd", Function::Withdraw),
    ("-", Function::Withdraw),
    ("donate", Function::Donate),
    ("d", Function::Donate),
    ("out", Function::Out),
    ("refund", Function::Refund),
    ("migrate", Function::Migrate),
    ("reference", Function::Register),
    ("r", Function::Reference),
    ("m=<", Function::Other("change of a limit swap")),
    ("bond", Function::Other("bond")),
    ("unbond", Function::Other("unbond")),
    ("rebond", Function::Other("rebond")),
    ("leave", Function::Other("leave")),
    ("reserve", Function::Other("reserve")),
    ("ragnarok", Function::Other("ragnarok")),
    ("noop", Function::Other("noop")),
    ("consolidate", Function::Other("consolidate")),
    ("name", Function::Other("name")),
    ("n", Function::Other("name")),
    ("~", Function::Other("name")),
    ("$+", Function::Other("loan opened")),
    ("loan+", Function::Other("loan opened")),
    ("$-", Function::Other("loan repaid")),
    ("loan-", Function::Other("loan repaid")),
    ("trade+", Function::Other("into a trade account")),
    ("trade-", Function::Other("out of a trade account")),
    ("secure+", Function::Other("secured")),
    ("secure-", Function::Other("no longer secured")),
    ("pool+", Function::Other("into the rune pool")),
    ("pool-", Function::Other("out of the rune pool")),
    ("x", Function::Other("contract call")),
    ("exec", Function::Other("contract call")),
    ("switch", Function::Other("switch")),
    ("tcy", Function::Other("tcy claim")),
    ("tcy+", Function::Other("tcy stake")),
    ("tcy-", Function::Other("tcy unstake")),
    ("maint", Function::Other("maintenance")),
    ("operator", Function::Other("operator")),
    ("yggdrasil+", Function::Other("to a node's vault")),
    ("yggdrasil-", Function::Other("from a node's vault")),
    // MAYAChain's, from `x/mayachain/memo/memo.go`: the same grammar.
    ("mayaname", Function::Other("name")),
    ("forgiveslash", Function::Other("slash forgiven")),
    ("outbound", Function::Out),
];

impl Memo {
    /// Reads a memo; `None` where it is none, or lacks what its function needs.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > MEMO_BYTES_MAX {
            return None;
        }
        let text = text.split('|').next().unwrap_or_default();
        let fields: Vec<&str> = text.split(':').collect();
        let field = |at: usize| fields.get(at).copied().unwrap_or_default();
        // Wallets leave blanks in front; the protocol does not forgive them, but it refunds, and a refund is a link too.
        let name = field(0).trim().to_ascii_lowercase();
        let function = FUNCTIONS.iter().find(|(known, _)| *known == name)?.1;
        Some(match function {
            Function::Swap => Self::Swap(swap(&fields, false)?),
            Function::LimitSwap => Self::Swap(swap(&fields, true)?),
            Function::Add => Self::Add { asset: Asset::parse(field(1))?, address: filled(field(2)) },
            Function::Withdraw => Self::Withdraw { asset: Asset::parse(field(1))?, basis_points: points(field(2)) },
            Function::Donate => Self::Donate(Asset::parse(field(1))),
            Function::Out => Self::Out(tx_id(field(1))?),
            Function::Refund => Self::Refund(tx_id(field(1))?),
            Function::Migrate => Self::Migrate(field(1).parse().ok()),
            Function::Register => {
                let memo = text.splitn(3, ':').nth(2).filter(|memo| !memo.is_empty())?;
                Self::Register { asset: Asset::parse(field(1))?, memo: memo.to_owned() }
            }
            Function::Reference => {
                let digits = field(1);
                let good = !digits.is_empty() && digits.len() <= 19 && digits.bytes().all(|b| b.is_ascii_digit());
                if good { Self::Reference(digits.to_owned()) } else { return None }
            }
            Function::Other(what) => Self::Other(what),
        })
    }

    /// The inbound transaction that it answers, and whether it was paid back.
    pub fn answers(&self) -> Option<(&str, bool)> {
        match self {
            Self::Out(tx) => Some((tx, false)),
            Self::Refund(tx) => Some((tx, true)),
            _ => None,
        }
    }

    /// The memo of an output's script: `OP_RETURN` and one push, or several in a row.
    pub fn of_script(script: &[u8]) -> Option<Self> {
        Self::parse(&pushed_text(script)?)
    }
}

/// The text that an `OP_RETURN` script pushes.
pub fn pushed_text(script: &[u8]) -> Option<String> {
    let mut rest = script.strip_prefix(&[0x6a])?;
    let mut bytes = Vec::new();
    while let Some((&operation, tail)) = rest.split_first() {
        let (length, tail) = match operation {
            1..=75 => (usize::from(operation), tail),
            0x4c => tail.split_first().map(|(length, tail)| (usize::from(*length), tail))?,
            0x4d => {
                let (length, tail) = tail.split_first_chunk::<2>()?;
                (usize::from(u16::from_le_bytes(*length)), tail)
            }
            _ => return None,
        };
        let (pushed, tail) = tail.split_at_checked(length)?;
        bytes.extend_from_slice(pushed);
        rest = tail;
    }
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

fn swap(fields: &[&str], limit_order: bool) -> Option<Swap> {
    let field = |at: usize| fields.get(at).copied().unwrap_or_default();
    let (destination, refund) = match field(2).split_once('/') {
        Some((destination, refund)) => (destination, filled(refund)),
        None => (field(2), None),
    };
    let mut limit = field(3).splitn(3, '/');
    let mut next = || limit.next().unwrap_or_default();
    let (least, interval, quantity) = (next(), next(), next());
    Some(Swap {
        limit_order,
        asset: Asset::parse(field(1))?,
        destination: destination.to_owned(),
        refund,
        limit: number(least),
        interval: interval.parse().unwrap_or(0),
        quantity: quantity.parse().unwrap_or(0),
        affiliates: affiliates(field(4), field(5)),
        aggregator: filled(field(6)),
        final_asset: filled(field(7)),
    })
}

/// Names with their fees: one fee for all, or one each.
fn affiliates(names: &str, fees: &str) -> Vec<(String, u32)> {
    if names.is_empty() {
        return Vec::new();
    }
    let fees: Vec<u32> = fees.split('/').map(|fee| points(fee).unwrap_or(0)).collect();
    let fee = |at: usize| if fees.len() == 1 { fees[0] } else { fees.get(at).copied().unwrap_or(0) };
    names.split('/').take(AFFILIATES_MAX).enumerate().map(|(at, name)| (name.to_owned(), fee(at))).collect()
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn points(text: &str) -> Option<u32> {
    text.parse().ok().filter(|points| *points <= BASIS_POINTS_ONE)
}

/// An id of 64 hex digits, in lower case and without `0x`.
pub fn tx_id(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    (digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| digits.to_ascii_lowercase())
}

/// `123`, `1e6` or `1.5e6`; the fraction is dropped. `None` where it is none of them, or beyond 128 bits.
fn number(text: &str) -> Option<u128> {
    let (coefficient, exponent) = match text.split_once(['e', 'E']) {
        Some((coefficient, exponent)) => (coefficient, exponent.parse::<u32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = coefficient.split_once('.').unwrap_or((coefficient, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    // More than 39 places cannot be a number of 128 bits, unless it is nothing.
    let shown = fraction.get(..fraction.len().min(exponent as usize)).unwrap_or_default();
    let missing = exponent as usize - shown.len();
    let digits = format!("{whole}{shown}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    if digits.len() + missing > 39 {
        return None;
    }
    digits.parse::<u128>().ok()?.checked_mul(10u128.checked_pow(u32::try_from(missing).ok()?)?)
}

#[cfg(test)]
#[path = "memo_tests.rs"]
mod tests;

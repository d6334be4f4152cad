//! Drift: what a token's own books changed without a payment. Balances that the chain states before and after a block
//! are held against the ledger's, and the difference is booked, so that they close.
//!
//! A holder that the ledger meets for the first time brings what it had: that is no drift. What is stated before the
//! block goes into a transaction `opening:HEIGHT`, ahead of all others; what is stated after it into `drift:HEIGHT`,
//! behind them. Sources of the idea: rebasing tokens and taxes on transfers change balances without a log.

use std::collections::{BTreeMap, BTreeSet};

use evm::{Decoded, Flags, Tokens};
use ledger::{AccountBlock, AccountLeg, AccountTransaction, LegKind};
use money::Amount;

use super::source::{Answer, Question};
use super::tokens::{call, returned};

/// The selector of `balanceOf(address)`.
const BALANCE_OF: &str = "0x70a08231";

/// Which balances are checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Checking {
    /// All of them, the coin's among them.
    pub all: bool,
    /// Those of these tokens, and of those that are known to drift.
    pub tokens: BTreeSet<[u8; 20]>,
}

/// A holder and an asset whose balance is checked, and what the chain says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stated {
    pub holder: String,
    pub asset: String,
    /// Before the block; `None` where the chain does not say, or more than can be held.
    pub before: Option<Amount>,
    /// After it.
    pub after: Option<Amount>,
}

impl Checking {
    /// The holders that take part in a block with an asset that is checked, each once.
    pub fn wanted(&self, decoded: &Decoded, chain: u64, native: &str, tokens: &Tokens) -> Vec<(String, String)> {
        let prefix = format!("eip155:{chain}/erc20:0x");
        let is_wanted = |asset: &str| {
            let Some(digits) = asset.strip_prefix(&prefix) else { return self.all && asset == native };
            let contract = ledger::hex::bytes(digits).and_then(|bytes| <[u8; 20]>::try_from(bytes).ok());
            let Some(contract) = contract else { return false };
            let drifts = tokens.get(&contract).is_some_and(|token| token.flags.has(Flags::REBASING));
            self.all || drifts || self.tokens.contains(&contract)
        };
        let assets: BTreeSet<&str> =
            decoded.assets.iter().map(|asset| asset.symbol.as_str()).filter(|symbol| is_wanted(symbol)).collect();
        if assets.is_empty() {
            return Vec::new();
        }
        let legs = decoded.block.transactions.iter().flat_map(|transaction| &transaction.legs);
        let legs = legs.filter(|leg| assets.contains(leg.asset.as_str()));
        let ends =
            legs.flat_map(|leg| [&leg.from, &leg.to].into_iter().flatten().map(|end| (end.clone(), leg.asset.clone())));
        ends.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The questions about a balance: before a block and after it. Before genesis there is nothing to ask.
pub(super) fn questions(holder: &str, asset: &str, height: u64) -> Vec<Question> {
    let digits = holder.strip_prefix("0x").unwrap_or(holder);
    let contract = asset.rsplit_once("0x").and_then(|(_, digits)| ledger::hex::bytes(digits)?.try_into().ok());
    let at = |height: u64| {
        let at = format!("{height:#x}");
        match &contract {
            Some(contract) => call(contract, &format!("{BALANCE_OF}{digits:0>64}"), &at),
            None => Question { method: "eth_getBalance", params: format!(r#"["{holder}","{at}"]"#) },
        }
    };
    height.checked_sub(1).into_iter().chain([height]).map(at).collect()
}

/// A balance as the chain states it; `None` where it states none that can be held.
pub(super) fn stated(answer: &Answer) -> Option<Amount> {
    // A call returns a word, a coin's balance is a quantity.
    let bytes = returned(answer).or_else(|| {
        let text: &str = serde_json::from_str(answer.as_ref().ok()?).ok()?;
        ledger::hex::bytes(&format!("0{}", text.strip_prefix("0x")?))
    })?;
    let (high, low) = bytes.split_at(bytes.len().saturating_sub(16));
    if bytes.is_empty() || bytes.len() > 32 || high.iter().any(|byte| *byte != 0) {
        return None;
    }
    let units = low.iter().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
    Some(Amount::new(units)).filter(|amount| *amount <= Amount::MAX)
}

/// What is told where a balance is not stated, the same for all of a token's holders.
pub(super) fn unsaid(asset: &str, answer: &Answer) -> String {
    let why = if answer.is_ok() { "what is stated can be no balance here" } else { "the question was refused" };
    format!("{asset}: a balance is not compared with the chain's: {why}")
}

/// Books what the chain states. `balance` is what the ledger has just before the block; `None` for whom it never met.
pub(super) fn book(block: &mut AccountBlock, stated: &[Stated], mut balance: impl FnMut(&str, &str) -> Option<Amount>) {
    let (mut opening, mut drift) = (Vec::new(), Vec::new());
    let mut held: BTreeMap<(String, String), i128> = BTreeMap::new();
    for Stated { holder, asset, before, .. } in stated {
        let has = balance(holder, asset);
        let mut now = signed(has.unwrap_or(Amount::ZERO));
        if let Some(before) = before {
            let kind = if has.is_some() { LegKind::Drift } else { LegKind::Transfer };
            opening.extend(leg(holder, asset, signed(*before) - now, kind));
            now = signed(*before);
        }
        held.insert((holder.clone(), asset.clone()), now);
    }
    for leg in block.transactions.iter().flat_map(|transaction| &transaction.legs) {
        let (amount, fee) = (signed(leg.amount), signed(leg.fee));
        for (end, by) in [(&leg.from, -amount), (&leg.to, amount), (&leg.from, -fee)] {
            if let Some(end) = end
                && let Some(now) = held.get_mut(&(end.clone(), leg.asset.clone()))
            {
                // What a payer lacks, the ledger takes to have been there.
                *now = (*now + by).max(0);
            }
        }
    }
    for Stated { holder, asset, after, .. } in stated {
        if let Some(after) = after {
            let now = held[&(holder.clone(), asset.clone())];
            drift.extend(leg(holder, asset, signed(*after) - now, LegKind::Drift));
        }
    }
    let transaction = |what: &str, legs: Vec<AccountLeg>| AccountTransaction {
        name: format!("{what}:{}", block.height),
        time: block.time,
        legs,
    };
    if !drift.is_empty() {
        block.transactions.push(transaction("drift", drift));
    }
    if !opening.is_empty() {
        let opening = transaction("opening", opening);
        block.transactions.insert(0, opening);
        for event in &mut block.events {
            event.transaction += 1;
        }
    }
}

fn signed(amount: Amount) -> i128 {
    amount.units().cast_signed()
}

/// A leg by which a balance becomes so much more, or less.
fn leg(holder: &str, asset: &str, by: i128, kind: LegKind) -> Option<AccountLeg> {
    let holder = Some(holder.to_owned());
    let (from, to) = if by < 0 { (holder, None) } else { (None, holder) };
    let amount = Amount::new(by.unsigned_abs());
    (by != 0).then(|| AccountLeg { from, to, asset: asset.to_owned(), amount, fee: Amount::ZERO, kind })
}

#[cfg(test)]
mod tests {
    use ledger::Time;

    use super::*;

    const A: &str = "0x00000000000000000000000000000000000000aa";
    const B: &str = "0x00000000000000000000000000000000000000bb";
    const TOKEN: &str = "eip155:1/erc20:0x00000000000000000000000000000000000000cc";

    fn pays(from: &str, to: &str, units: u128) -> AccountLeg {
        let (from, to) = (Some(from.to_owned()), Some(to.to_owned()));
        AccountLeg {
            from,
            to,
            asset: TOKEN.into(),
            amount: Amount::new(units),
            fee: Amount::ZERO,
            kind: LegKind::Transfer,
        }
    }

    fn block(legs: Vec<AccountLeg>) -> AccountBlock {
        let time = Time::from_seconds(1).unwrap();
        let transactions = vec![AccountTransaction { name: "0x01".into(), time, legs }];
        let (events, gaps) = (Vec::new(), ledger::Gaps::default());
        AccountBlock { height: 9, hash: [1; 32], previous: Some([0; 32]), time, transactions, events, gaps }
    }

    fn says(holder: &str, before: u128, after: u128) -> Stated {
        let amount = |units| Some(Amount::new(units));
        Stated { holder: holder.into(), asset: TOKEN.into(), before: amount(before), after: amount(after) }
    }

    /// A tax of 2 on a payment of 100; the payer was met before with 150 and has grown by 10 since; the payee is new.
    #[test]
    fn taxes_growth_and_first_meetings_are_told_apart() {
        let mut taxed = block(vec![pays(A, B, 100)]);
        let has = |holder: &str, _: &str| (holder == A).then(|| Amount::new(150));
        book(&mut taxed, &[says(A, 160, 60), says(B, 7, 105)], has);
        let names: Vec<&str> = taxed.transactions.iter().map(|transaction| transaction.name.as_str()).collect();
        assert_eq!(names, ["opening:9", "0x01", "drift:9"]);
        let legs = |at: usize| -> Vec<_> {
            let leg = |leg: &AccountLeg| (leg.from.clone(), leg.to.clone(), leg.amount.units(), leg.kind);
            taxed.transactions[at].legs.iter().map(leg).collect()
        };
        let (a, b) = (Some(A.to_owned()), Some(B.to_owned()));
        assert_eq!(legs(0), [(None, a, 10, LegKind::Drift), (None, b.clone(), 7, LegKind::Transfer)]);
        assert_eq!(legs(2), [(b, None, 2, LegKind::Drift)]);
    }

    #[test]
    fn what_closes_stays_as_it_is() {
        let mut plain = block(vec![pays(A, B, 100)]);
        let same = plain.clone();
        let unsaid = Stated { holder: B.into(), asset: TOKEN.into(), before: None, after: None };
        book(&mut plain, &[says(A, 150, 50), unsaid], |holder, _| (holder == A).then(|| Amount::new(150)));
        assert_eq!(plain, same);
    }

    #[test]
    fn balances_are_read_from_words_and_quantities() {
        let read = |text: &str| stated(&Ok(format!("\"{text}\""))).map(Amount::units);
        assert_eq!(read(&format!("0x{:064x}", 500)), Some(500));
        assert_eq!(read("0x1f4"), Some(500));
        assert_eq!(read("0x0"), Some(0));
        assert_eq!(read(&format!("0x{}", "f".repeat(64))), None);
        assert_eq!(read("0x"), None);
        assert_eq!(questions(A, TOKEN, 0).len(), 1);
        assert_eq!(questions(A, "ETH", 5)[0].params, format!(r#"["{A}","0x4"]"#));
        assert!(questions(A, TOKEN, 5)[1].params.contains(&format!("{BALANCE_OF}{}{}", "0".repeat(24), &A[2..])));
    }
}

//! Claims from [`Records`]: which payments out answer which payment in, and which part of it each.
//!
//! A payment out carries the id of the payment in, so every pair is certain; what is to be found is the shares:
//!
//! * **Affiliates** take their basis points of what went in, where the records show that they were paid.
//! * **A refund** beside a payment (a streaming swap that stopped) takes the part of the input that came back; a refund
//!   alone takes all that is left. It is the same money on the same chain: a conversion identity.
//! * **Payments** share the rest, by amount within one asset.
//!
//! Shares of one input add up to one, to the last billionth, unless a part was paid within THORChain without an id: that
//! part is told aside, and nobody claims it.

use std::fmt::Write;

use ledger::LedgerId;

use super::asset::Asset;
use super::chains::{Place, Scheme, Units, holder, place, tx_name, units};
use super::memo::{Memo, Swap};
use super::records::{Coin, Inbound, Outbound, Records, Registration};
use crate::{Claim, Class, Portion, Side};

/// The method's name in claims.
pub const METHOD: &str = "thorchain-records";
/// Its version.
pub const VERSION: u32 = 1;
/// How many digits of an amount name a registered memo (`MemolessTxnRefCount` is 99,999).
pub const REFERENCE_DIGITS: usize = 5;
/// For how many blocks a registered memo can be used (`MemolessTxnTTL`).
pub const REFERENCE_BLOCKS: u64 = 3_600;

/// The decimals of an asset that is no chain's own coin, by ledger and name, where somebody knows them.
pub type Scales<'a> = &'a dyn Fn(&LedgerId, &str) -> Option<u8>;

/// What the records came to.
#[derive(Debug, Default)]
pub struct Paired {
    /// The links.
    pub claims: Vec<Claim>,
    /// Swaps that came in and were not answered in what was read: the id, what came in, and what it is for.
    pub waiting: Vec<(String, Inbound, Memo)>,
    /// Parts that were paid within THORChain without an id, in words.
    pub aside: Vec<String>,
    /// What could not be made a claim, and why.
    pub problems: Vec<String>,
}

/// What a payment out is to the payment in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Paid,
    Refund,
    Affiliate,
}

/// Makes the claims. `source` says where the records are from.
pub fn pair(records: &Records, source: &str, scales: Scales<'_>) -> Paired {
    let mut paired = Paired::default();
    let answered = records.answered();
    for &id in &answered {
        let Some((inbound, height)) = records.inbound(id) else {
            paired.problems.push(format!("{id}: it was answered, and the records do not show it coming in"));
            continue;
        };
        let (memo, registration) = meaning(records, inbound, height);
        let outbounds = records.outbounds(id);
        let refunds_only = outbounds.iter().all(|outbound| outbound.refund);
        let swap = match &memo {
            Some(Memo::Swap(swap)) => Some(swap),
            _ if refunds_only => None,
            // Liquidity taken out, loans, names: what goes out is not what came in.
            _ => continue,
        };
        let case = Case { scheme: records.scheme, id, inbound, swap, registration, source, scales };
        case.claims(outbounds, &mut paired);
    }
    for id in records.inbound_ids().filter(|id| !answered.contains(id)) {
        let Some((inbound, height)) = records.inbound(id) else { continue };
        if let Some(memo @ Memo::Swap(_)) = meaning(records, inbound, height).0 {
            paired.waiting.push((id.to_owned(), inbound.clone(), memo));
        }
    }
    paired
}

/// What a payment is for: by its own memo, or by the one that its amount names.
fn meaning<'a>(records: &'a Records, inbound: &Inbound, height: u64) -> (Option<Memo>, Option<&'a Registration>) {
    let memo = Memo::parse(&inbound.memo);
    let digits = match &memo {
        Some(Memo::Reference(digits)) => Some(digits.clone()),
        None if inbound.memo.trim().is_empty() => inbound.coins.first().and_then(reference),
        _ => return (memo, None),
    };
    let found = digits.and_then(|digits| registered(records, inbound, &digits, height));
    match found {
        Some(registration) => (Memo::parse(&registration.memo), Some(registration)),
        None => (memo, None),
    }
}

/// The digits that an amount ends in; nothing where they are all nought, which names no memo.
///
/// Source: `ExtractReferenceFromAmount` in `x/thorchain/handler_observed_tx.go`: amounts of assets with fewer decimals than
/// eight are brought to their own units first.
pub fn reference(coin: &Coin) -> Option<String> {
    let decimals = coin.decimals.unwrap_or(8).min(8);
    let amount = coin.amount / 10u128.pow(u32::from(8 - decimals));
    let digits = amount % 100_000;
    (digits > 0).then(|| format!("{digits:0REFERENCE_DIGITS$}"))
}

/// The registration that the digits name: of the same asset, older than the payment, and not too old. Digits are given
/// out anew when they are free, so the youngest counts.
fn registered<'a>(records: &'a Records, inbound: &Inbound, digits: &str, height: u64) -> Option<&'a Registration> {
    let coin = inbound.coins.first()?;
    let fits = |registration: &&Registration| {
        registration.asset.stands_for(&coin.asset)
            && registration.reference.as_deref() == Some(digits)
            && registration.height < height
            && height - registration.height <= REFERENCE_BLOCKS
    };
    records.registrations().iter().filter(fits).max_by_key(|registration| registration.height)
}

/// One payment in, and what is known of it.
struct Case<'a> {
    scheme: Scheme,
    id: &'a str,
    inbound: &'a Inbound,
    swap: Option<&'a Swap>,
    registration: Option<&'a Registration>,
    source: &'a str,
    scales: Scales<'a>,
}

impl Case<'_> {
    fn claims(&self, outbounds: &[Outbound], paired: &mut Paired) {
        let Some(coin) = self.inbound.coins.first() else {
            paired.problems.push(format!("{}: it brought nothing in", self.id));
            return;
        };
        if self.inbound.coins.len() > 1 {
            paired
                .problems
                .push(format!("{}: it brought in several assets; only links of the first are made", self.id));
        }
        let (from, exact) = match self.side(&coin.asset, coin, self.id, true) {
            Ok(side) => side,
            Err(problem) => return paired.problems.push(format!("{}: {problem}", self.id)),
        };
        let from = Side { holder: holder(&from.ledger, &self.inbound.to), ..from };
        let parts: Vec<Part> = outbounds.iter().map(|outbound| self.part(outbound)).collect();
        let shares = shares(outbounds, &parts, coin, self.swap.map_or(0, Swap::affiliate_basis_points));
        for ((outbound, part), share) in outbounds.iter().zip(parts).zip(shares) {
            if share.parts() == 0 {
                continue;
            }
            match self.claim(outbound, part, share, &from, exact) {
                Ok(Some(claim)) => paired.claims.push(claim),
                Ok(None) => paired.aside.push(format!(
                    "{}: {} {} to {} within {}, {share} of it{}",
                    self.id,
                    outbound.coin.amount,
                    outbound.coin.asset,
                    outbound.to,
                    self.scheme.own_chain(),
                    if part == Part::Affiliate { " (an affiliate's fee)" } else { "" },
                )),
                Err(problem) => paired.problems.push(format!("{}: {problem}", self.id)),
            }
        }
    }

    fn part(&self, outbound: &Outbound) -> Part {
        if outbound.refund {
            return Part::Refund;
        }
        let Some(swap) = self.swap else { return Part::Paid };
        // Fees are paid in THORChain's own coin, to others than the one who was to be paid.
        let wanted = swap.asset.stands_for(&outbound.coin.asset) && same_holder(&swap.destination, &outbound.to);
        let fee = outbound.chain == self.scheme.own_chain() && !swap.affiliates.is_empty() && !wanted;
        let other_asset = !swap.asset.stands_for(&outbound.coin.asset);
        let other_holder = looks_like_address(&swap.destination) && !same_holder(&swap.destination, &outbound.to);
        if outbound.affiliate || (fee && (other_asset || other_holder)) { Part::Affiliate } else { Part::Paid }
    }

    fn claim(
        &self,
        outbound: &Outbound,
        part: Part,
        share: Portion,
        from: &Side,
        exact: Units,
    ) -> Result<Option<Claim>, String> {
        let Some(tx) = &outbound.tx else { return Ok(None) };
        let (to, _) = self.side(&outbound.coin.asset, &outbound.coin, tx, false)?;
        let to = Side { holder: holder(&to.ledger, &outbound.to), ..to };
        let word = if part == Part::Refund { "REFUND" } else { "OUT" };
        let mut evidence = format!("{word}:{}; accepted at height {}", self.id.to_ascii_uppercase(), outbound.height);
        if part == Part::Affiliate {
            evidence.push_str("; an affiliate's fee");
        }
        if !self.inbound.memo.is_empty() {
            said(&mut evidence, format_args!("; memo {}", self.inbound.memo.escape_default()));
        }
        if let Some(registration) = self.registration {
            let digits = registration.reference.as_deref().unwrap_or_default();
            said(&mut evidence, format_args!("; memo registered as {digits}: {}", registration.memo.escape_default()));
        }
        if let Units::Range(low, high) = exact {
            said(&mut evidence, format_args!("; {low} to {high} units went in: the protocol counts no finer"));
        }
        Ok(Some(Claim {
            protocol: self.scheme.as_str().to_owned(),
            class: Class::Deterministic,
            probability: Portion::ONE,
            share,
            from: from.clone(),
            to,
            gross_units: None,
            method: METHOD.to_owned(),
            version: VERSION,
            source: self.source.to_owned(),
            evidence,
        }))
    }

    /// An end without its holder, and how exactly its amount is known.
    fn side(&self, asset: &Asset, coin: &Coin, tx: &str, inbound: bool) -> Result<(Side, Units), String> {
        let Place { ledger, asset: name, scale, counted } =
            place(self.scheme, asset).ok_or_else(|| format!("no ledger is known for {asset}"))?;
        let scale = scale
            .or_else(|| (self.scales)(&ledger, &name))
            .or(coin.decimals)
            .ok_or_else(|| format!("the decimals of {name} are not known; say --scale {name}=N"))?;
        let units = units(coin.amount, counted, scale, inbound)
            .ok_or_else(|| format!("{} of {asset} in units of {scale} decimals is more than 126 bits", coin.amount))?;
        let side = Side {
            tx: tx_name(&ledger, tx),
            ledger,
            index: None,
            holder: None,
            asset: name,
            units: units.low(),
            time: None,
        };
        Ok((side, units))
    }
}

fn said(evidence: &mut String, what: std::fmt::Arguments<'_>) {
    evidence.write_fmt(what).expect("a string takes everything");
}

/// Names of THORChain have neither digits in front nor such length; addresses have one of both.
fn looks_like_address(text: &str) -> bool {
    text.len() >= 20
}

/// Addresses of EVM chains are written in any case.
fn same_holder(a: &str, b: &str) -> bool {
    a == b || (a.starts_with("0x") || a.starts_with("0X")) && a.eq_ignore_ascii_case(b)
}

/// The shares of one input, in billionths.
fn shares(outbounds: &[Outbound], parts: &[Part], coin: &Coin, affiliate_points: u32) -> Vec<Portion> {
    let amounts = |wanted: Part| -> Vec<(usize, u128)> {
        (0..).zip(outbounds).filter(|(at, _)| parts[*at] == wanted).map(|(at, out)| (at, out.coin.amount)).collect()
    };
    let mut left = Portion::ONE_PARTS;
    let mut shares = vec![0u32; outbounds.len()];
    let (fees, refunds, paid) = (amounts(Part::Affiliate), amounts(Part::Refund), amounts(Part::Paid));
    let fees_only = paid.is_empty() && refunds.is_empty();
    if !fees.is_empty() && !fees_only {
        let all = affiliate_points * (Portion::ONE_PARTS / super::memo::BASIS_POINTS_ONE);
        left -= split(&mut shares, &fees, all.min(left));
    }
    if !refunds.is_empty() && !paid.is_empty() {
        let same: u128 =
            refunds.iter().filter(|(at, _)| outbounds[*at].coin.asset == coin.asset).map(|(_, amount)| amount).sum();
        let back =
            money::Amount::new(u128::from(left)).share(money::Amount::new(same), money::Amount::new(coin.amount));
        let back = u32::try_from(back.units()).unwrap_or(left).min(left);
        left -= split(&mut shares, &refunds, back);
    }
    let rest = if !paid.is_empty() {
        &paid
    } else if !refunds.is_empty() {
        &refunds
    } else {
        &fees
    };
    // Amounts of several assets cannot be compared: each payment weighs the same then.
    let one_asset = rest.windows(2).all(|pair| outbounds[pair[0].0].coin.asset == outbounds[pair[1].0].coin.asset);
    let weighed: Vec<(usize, u128)> =
        rest.iter().map(|(at, amount)| (*at, if one_asset { *amount } else { 1 })).collect();
    split(&mut shares, &weighed, left);
    shares.into_iter().map(|parts| Portion::new(parts).expect("shares are parts of one")).collect()
}

/// Gives `all` out by weight, to the last part; returns what was given out.
fn split(shares: &mut [u32], weights: &[(usize, u128)], all: u32) -> u32 {
    let sum = weights.iter().fold(0u128, |sum, (_, weight)| sum.saturating_add(*weight));
    if sum == 0 {
        if let Some((first, _)) = weights.first() {
            shares[*first] += all;
            return all;
        }
        return 0;
    }
    let (mut seen, mut given) = (0u128, 0u32);
    for (at, weight) in weights {
        seen = seen.saturating_add(*weight);
        let until = money::Amount::new(u128::from(all)).share(money::Amount::new(seen), money::Amount::new(sum));
        let until = u32::try_from(until.units()).unwrap_or(all).min(all);
        shares[*at] += until - given;
        given = until;
    }
    given
}

#[cfg(test)]
#[path = "pair_tests.rs"]
mod tests;

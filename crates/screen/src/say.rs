//! Amounts, shares and reasons as people read them. All division here is for reading; thresholds are held exactly.

use std::io::Read;

use ledger::hex;
use money::{Amount, Asset};
use sha2::{Digest, Sha256};

use crate::judge::{Figures, Fired};
use crate::{Categories, Reach, SHARE_WHOLE_MILLIONTHS};

/// A share in millionths, rounded down; nothing of nothing.
pub fn share_floor_millionths(part: Amount, total: Amount) -> u32 {
    millionths(part, total, false)
}

/// A share in millionths, rounded up.
pub fn share_ceiling_millionths(part: Amount, total: Amount) -> u32 {
    millionths(part, total, true)
}

fn millionths(part: Amount, total: Amount, up: bool) -> u32 {
    let whole = u128::from(SHARE_WHOLE_MILLIONTHS);
    let (part, total) = (part.units(), total.units());
    if total == 0 {
        return 0;
    }
    let share = match part.checked_mul(whole) {
        Some(product) if up => product.div_ceil(total),
        Some(product) => product / total,
        // Only past 10^32 base units, where the divisor is far above a million.
        None => part / (total / whole),
    };
    u32::try_from(share.min(whole)).expect("at most a million")
}

/// Millionths as a percentage: `12.5 %`.
pub fn percent(millionths: u32) -> String {
    let (whole, rest) = (millionths / 10_000, millionths % 10_000);
    let rest = format!("{rest:04}");
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { format!("{whole} %") } else { format!("{whole}.{rest} %") }
}

/// Millionths as a decimal fraction: `0.125`.
pub fn fraction(millionths: u32) -> String {
    let text = format!("{}.{:06}", millionths / SHARE_WHOLE_MILLIONTHS, millionths % SHARE_WHOLE_MILLIONTHS);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An amount with its asset.
pub fn sum(amount: Amount, asset: &Asset) -> String {
    format!("{} {}", asset.text(amount), asset.symbol)
}

/// An interval of shares: `10 %`, or `10 to 11 %` where rounding leaves that open.
pub fn share_between(low: Amount, high: Amount, total: Amount) -> String {
    let (low, high) = (share_floor_millionths(low, total), share_ceiling_millionths(high, total));
    // Floor and ceiling of one share are a millionth apart.
    if high <= low + 1 { percent(low) } else { format!("{} to {}", percent(low).trim_end_matches(" %"), percent(high)) }
}

/// Why a rule fired, in one sentence without its end.
pub fn reason(fired: &Fired, categories: &Categories) -> String {
    match &fired.figures {
        Figures::Exposure {
            asset,
            categories: words,
            direction,
            reach,
            low,
            high,
            total,
            share_millionths,
            amount,
        } => {
            let (moved, end) = match direction {
                crate::Direction::Received => ("received", "from"),
                crate::Direction::Sent => ("sent", "to"),
            };
            let reach = match reach {
                Some(Reach::Direct) => " directly",
                Some(Reach::Indirect) => " indirectly",
                None => "",
            };
            let up_to = if low == high { String::new() } else { format!(" to {}", sum(*high, asset)) };
            let mut limits = Vec::new();
            if let Some(share) = share_millionths {
                limits.push(percent(*share));
            }
            if let Some(limit) = amount {
                limits.push(format!("{} {}", limit.amount, asset.symbol));
            }
            let limits = if limits.is_empty() { "nothing".to_owned() } else { limits.join(" and ") };
            let low_text = sum(*low, asset);
            let share = share_between(*low, *high, *total);
            format!(
                "{low_text}{up_to} {moved}{reach} {end} {words}, {share} of {}; more than {limits}",
                sum(*total, asset)
            )
        }
        Figures::Tag { holder: None, entity, category, confidence } => {
            format!("tagged {} as {entity}, confidence {confidence} %", categories.name(*category))
        }
        Figures::Tag { holder: Some(holder), entity, category, confidence } => {
            format!(
                "its cluster's {holder} is tagged {} as {entity}, confidence {confidence} %",
                categories.name(*category)
            )
        }
        Figures::Poison { categories: found } => {
            let names: Vec<&str> = found.iter().map(|number| categories.name(*number)).collect();
            format!("{} ever touched what it received", names.join(", "))
        }
    }
}

/// The first digits of a hash: enough to tell versions apart by eye.
pub fn short(hash: &str) -> &str {
    const SHOWN: usize = 12;
    hash.get(..SHOWN).unwrap_or(hash)
}

/// SHA-256 of all that a reader gives, in hexadecimal.
pub fn digest_of(mut reader: impl Read) -> std::io::Result<String> {
    const CHUNK_BYTES: usize = 1 << 20;
    let (mut digest, mut chunk) = (Sha256::new(), vec![0; CHUNK_BYTES]);
    loop {
        match reader.read(&mut chunk)? {
            0 => return Ok(hex::text(&digest.finalize())),
            read => digest.update(&chunk[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_outwards() {
        let amount = Amount::new;
        assert_eq!(share_floor_millionths(amount(1), amount(3)), 333_333);
        assert_eq!(share_ceiling_millionths(amount(1), amount(3)), 333_334);
        assert_eq!(share_ceiling_millionths(amount(0), amount(0)), 0);
        assert_eq!(share_ceiling_millionths(amount(5), amount(3)), 1_000_000);
        assert_eq!(share_floor_millionths(Amount::MAX, Amount::MAX), 1_000_000);
        assert_eq!([percent(0), percent(125_000), percent(1)], ["0 %", "12.5 %", "0.0001 %"]);
        assert_eq!([fraction(0), fraction(125_000), fraction(1_000_000)], ["0", "0.125", "1"]);
        let between = |low, high| share_between(amount(low), amount(high), amount(1_000));
        assert_eq!([between(100, 100), between(100, 110)], ["10 %", "10 to 11 %"]);
        assert_eq!(share_between(amount(1), amount(1), amount(3)), "33.3333 %");
    }
}

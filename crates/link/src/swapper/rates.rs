//! [`Rates`]: prices of assets over time, from a table of `time,asset,price`.

use std::collections::BTreeMap;

use ledger::Time;
use money::Decimal;

use crate::matcher::PriorsError;

/// Digits of a price after the point that are kept.
const PRICE_SCALE: u8 = 9;
/// A table with more rows is refused.
pub const RATES_MAX: usize = 50_000_000;
/// A price holds for so long, and no longer.
pub const HOLDS_SECONDS: i64 = 36 * 3600;

/// Prices, all in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Per asset, in order of time: seconds, and the price in billionths for one whole coin.
    series: BTreeMap<String, Vec<(i64, u128)>>,
}

impl Rates {
    /// Reads rows of `time,asset,price` under a head that says so. An asset is a class of `rules/assets.csv` or a CAIP-19 name.
    pub fn parse(text: &str) -> Result<Self, PriorsError> {
        let mut series: BTreeMap<String, BTreeMap<i64, u128>> = BTreeMap::new();
        let rows = text.lines().enumerate().map(|(at, row)| (at + 1, row.trim()));
        let mut rows = rows.filter(|(_, row)| !row.is_empty() && !row.starts_with('#'));
        let fail = |line: usize, what: &str| PriorsError { line, what: what.to_owned() };
        match rows.next() {
            Some((_, "time,asset,price")) => {}
            Some((line, _)) => return Err(fail(line, "the head is not time,asset,price")),
            None => return Err(fail(0, "the table is empty")),
        }
        for (count, (line, row)) in rows.enumerate() {
            if count == RATES_MAX {
                return Err(fail(line, "more rows than a table may have"));
            }
            let cells: Vec<&str> = row.split(',').map(str::trim).collect();
            let [time, asset, price] = cells[..] else { return Err(fail(line, "a row has three cells")) };
            let time = Time::parse(time).map_err(|error| fail(line, &error.to_string()))?;
            let price = Decimal::parse(price).ok().and_then(|price| price.to_amount(PRICE_SCALE).ok());
            let price = price.map(money::Amount::units).filter(|price| *price > 0);
            let price = price.ok_or_else(|| fail(line, "a price is a decimal above zero with up to nine digits"))?;
            let of_asset = series.entry(asset.to_ascii_lowercase()).or_default();
            if of_asset.insert(time.micros().div_euclid(1_000_000), price).is_some() {
                return Err(fail(line, "an asset has two prices at one time"));
            }
        }
        let series = series.into_iter().map(|(asset, prices)| (asset, prices.into_iter().collect())).collect();
        Ok(Self { series })
    }

    /// The last price at or before a time, in billionths, if it still holds.
    pub fn at(&self, asset: &str, seconds: i64) -> Option<u128> {
        let prices = self.series.get(asset)?;
        let (time, price) = prices[..prices.partition_point(|(time, _)| *time <= seconds)].last()?;
        (seconds - time <= HOLDS_SECONDS).then_some(*price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_price_holds_for_a_while() {
        let rates =
            Rates::parse("time,asset,price\n1970-01-02,eth,200.5\n1970-01-01,eth,100\n1970-01-01,BTC,1\n").unwrap();
        assert_eq!(rates.at("eth", -1), None);
        assert_eq!(rates.at("eth", 0), Some(100_000_000_000));
        assert_eq!(rates.at("eth", 86_400), Some(200_500_000_000));
        assert_eq!(rates.at("eth", 86_400 + HOLDS_SECONDS + 1), None);
        assert_eq!(rates.at("btc", 5), Some(1_000_000_000));
        assert_eq!(rates.at("xmr", 5), None);
    }

    #[test]
    fn a_bad_row_is_named() {
        for (bad, line) in [
            ("", 0),
            ("a,b\n", 1),
            ("time,asset,price\nsoon,eth,1\n", 2),
            ("time,asset,price\n2020-01-01,eth,0\n", 2),
            ("time,asset,price\n2020-01-01,eth,-1\n", 2),
            ("time,asset,price\n2020-01-01,eth\n", 2),
            ("time,asset,price\n2020-01-01,eth,1\n2020-01-01,eth,2\n", 3),
        ] {
            assert_eq!(Rates::parse(bad).unwrap_err().line, line, "{bad}");
        }
    }
}

//! Which assets are worth one another: `rules/assets.csv`, and what pairs that a protocol names teach.
//!
//! A class is never made of a symbol. Two tokens are of one class because a table says so, or because so many known pairs
//! went in as the one and came out as the other.

use std::collections::BTreeMap;

use ledger::LedgerId;

use super::priors::PriorsError;
use crate::Crossing;

const BUILT_IN: &str = include_str!("../../rules/assets.csv");

/// So many pairs teach that two tokens are of one class.
pub const TEACHING_PAIRS: u32 = 3;
/// A token has at most so many digits after its point.
const SCALE_MAX: u8 = 36;
/// Amounts of all classes are compared in this scale.
pub const VALUE_SCALE: u8 = 18;

/// What is known of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its class, by number.
    pub class: u32,
    /// Digits after the point, on its ledger.
    pub scale: u8,
}

impl Member {
    /// An amount in the scale of all classes; `None` where that is beyond 128 bits.
    pub fn value(self, units: u128) -> Option<u128> {
        match VALUE_SCALE.checked_sub(self.scale) {
            Some(digits) => units.checked_mul(10u128.pow(u32::from(digits))),
            None => Some(units / 10u128.pow(u32::from(self.scale - VALUE_SCALE))),
        }
    }
}

/// A value of the common scale in base units of that member.
pub fn units(member: Member, value: u128) -> u128 {
    match VALUE_SCALE.checked_sub(member.scale) {
        Some(digits) => value / 10u128.pow(u32::from(digits)),
        None => value.saturating_mul(10u128.pow(u32::from(member.scale - VALUE_SCALE))),
    }
}

/// Assets and their classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    members: BTreeMap<String, Member>,
    names: Vec<String>,
}

/// An asset by a name that holds in all ledgers: CAIP-19, or the ledger and its ticker.
fn key(ledger: &LedgerId, token: &str) -> String {
    if token.contains('/') { token.to_ascii_lowercase() } else { format!("{ledger} {token}") }
}

impl Classes {
    /// Those of this project.
    pub fn built_in() -> Self {
        let mut classes = Self { members: BTreeMap::new(), names: Vec::new() };
        classes.add(BUILT_IN).expect("a test reads the built-in table");
        classes
    }

    /// Adds a table in the form of `rules/assets.csv`; what it says of an asset takes the place of what was known.
    pub fn add(&mut self, text: &str) -> Result<(), PriorsError> {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        for (line, row) in lines.filter(|(_, row)| !row.is_empty() && !row.starts_with('#')).skip(1) {
            let fail = |what: &str| PriorsError { line, what: format!("{what}: {row:?}") };
            let cells: Vec<&str> = row.split(',').map(str::trim).collect();
            let [class, asset, ticker, scale] = cells[..] else { return Err(fail("a row has four cells")) };
            let scale = scale.parse().ok().filter(|scale| *scale <= SCALE_MAX);
            let scale = scale.ok_or_else(|| fail("a scale is 0 to 36"))?;
            let (ledger, _) = asset.split_once('/').ok_or_else(|| fail("an asset is written as CAIP-19"))?;
            let ledger = LedgerId::parse(ledger).map_err(|_| fail("an asset is written as CAIP-19"))?;
            if class.is_empty() {
                return Err(fail("a class has a name"));
            }
            let member = Member { class: self.class(class), scale };
            self.members.insert(asset.to_ascii_lowercase(), member);
            if !ticker.is_empty() {
                self.members.insert(key(&ledger, ticker), member);
            }
        }
        Ok(())
    }

    fn class(&mut self, name: &str) -> u32 {
        let at = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        u32::try_from(at).expect("fewer classes than rows of a table in memory")
    }

    /// What is known of an asset.
    pub fn of(&self, ledger: &LedgerId, token: &str) -> Option<Member> {
        self.members.get(&key(ledger, token)).copied()
    }

    /// A class by its name.
    pub fn name(&self, class: u32) -> &str {
        usize::try_from(class).ok().and_then(|class| self.names.get(class)).map_or("", String::as_str)
    }

    /// Takes in the tokens that known pairs show to be of one class: enough pairs, of which nine in ten agree about the
    /// digits. Two tokens that the table knows stay as they are.
    pub fn learn(&mut self, pairs: &[(Crossing, Crossing)]) {
        let mut seen: BTreeMap<(String, String), BTreeMap<i32, u32>> = BTreeMap::new();
        for (deposit, withdrawal) in pairs {
            let (Some(paid), Some(got)) = (&deposit.token, &withdrawal.token) else { continue };
            let tokens = (key(&deposit.ledger, paid), key(&withdrawal.ledger, got));
            if self.members.contains_key(&tokens.0) && self.members.contains_key(&tokens.1) {
                continue;
            }
            if let Some(shift) = digits_between(deposit.units, withdrawal.units) {
                *seen.entry(tokens).or_default().entry(shift).or_default() += 1;
            }
        }
        let mut lessons: Vec<(u32, (String, String), i32)> = seen
            .into_iter()
            .filter_map(|(tokens, shifts)| {
                let all: u32 = shifts.values().sum();
                let (shift, times) = shifts.into_iter().max_by_key(|(shift, times)| (*times, -shift))?;
                (times >= TEACHING_PAIRS && times >= all - all / 10).then_some((times, tokens, shift))
            })
            .collect();
        lessons.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        for (_, (paid, got), shift) in lessons {
            self.join(paid, got, shift);
        }
    }

    fn join(&mut self, paid: String, got: String, shift: i32) {
        let moved =
            |scale: u8, shift: i32| u8::try_from(i32::from(scale) + shift).ok().filter(|scale| *scale <= SCALE_MAX);
        let (known, new, scale) = match (self.members.get(&paid).copied(), self.members.get(&got).copied()) {
            (Some(_), Some(_)) => return,
            (Some(known), None) => (known, got, moved(known.scale, shift)),
            (None, Some(known)) => (known, paid, moved(known.scale, -shift)),
            (None, None) => {
                let known = Member { class: self.class(&format!("learnt:{paid}")), scale: VALUE_SCALE };
                self.members.insert(paid, known);
                (known, got, moved(known.scale, shift))
            }
        };
        if let Some(scale) = scale {
            self.members.insert(new, Member { class: known.class, scale });
        }
    }
}

/// How many digits more the second amount has than the first, if they are the same less a fee of up to two thirds.
fn digits_between(paid: u128, got: u128) -> Option<i32> {
    if paid == 0 || got == 0 {
        return None;
    }
    (-30..=30i32).find(|shift| {
        let power = 10u128.pow(shift.unsigned_abs());
        let (paid, got) =
            if *shift >= 0 { (paid.checked_mul(power), Some(got)) } else { (Some(paid), got.checked_mul(power)) };
        let (Some(paid), Some(got)) = (paid, got) else { return false };
        got / 3 < paid && got >= paid / 3
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction;

    fn crossing(ledger: &str, token: &str, units: u128) -> Crossing {
        Crossing {
            direction: Direction::Deposit,
            ledger: LedgerId::parse(ledger).unwrap(),
            tx: String::new(),
            index: None,
            time: None,
            protocol: String::new(),
            contract: String::new(),
            token: Some(token.to_owned()),
            units,
            fee_units: None,
            sender: None,
            recipient: None,
            other: None,
            key: None,
            other_tx: None,
        }
    }

    #[test]
    fn the_table_knows_assets_by_contract_and_natives_by_ticker() {
        let classes = Classes::built_in();
        let ethereum = LedgerId::parse("eip155:1").unwrap();
        let bnb = LedgerId::parse("eip155:56").unwrap();
        let native = classes.of(&ethereum, "ETH").unwrap();
        let pegged = classes.of(&bnb, "eip155:56/erc20:0x2170ed0880ac9a755fd29b2688956bd959f933f8").unwrap();
        assert_eq!(native.class, pegged.class);
        assert_eq!(classes.name(native.class), "eth");
        assert_eq!(classes.of(&bnb, "ETH"), None, "a symbol makes no class");
        let six = classes.of(&ethereum, "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7").unwrap();
        assert_eq!(six.value(1_000_000), Some(10u128.pow(18)));
        assert_eq!(six.value(u128::MAX), None);
    }

    #[test]
    fn pairs_teach_a_class_and_its_digits_once_there_are_enough() {
        let (paid, got) = ("eip155:1/erc20:0x00", "eip155:56/erc20:0x01");
        let pair = || (crossing("eip155:1", paid, 5_000_000), crossing("eip155:56", got, 4_990_000_000_000_000_000));
        let (one, other) = (LedgerId::parse("eip155:1").unwrap(), LedgerId::parse("eip155:56").unwrap());
        let mut classes = Classes::built_in();
        classes.learn(&[pair(), pair()]);
        assert_eq!(classes.of(&one, paid), None);
        classes.learn(&[pair(), pair(), pair()]);
        let (paid, got) = (classes.of(&one, paid).unwrap(), classes.of(&other, got).unwrap());
        assert_eq!(paid.class, got.class);
        assert_eq!(got.scale - paid.scale, 12);
    }

    #[test]
    fn a_bad_row_is_named() {
        for bad in
            ["h\nx,eip155:1/slip44:60,ETH\n", "h\nx,eip155:1,ETH,18\n", "h\nx,eip155:1/a,,99\n", "h\n,eip155:1/a,,9\n"]
        {
            assert_eq!(Classes::built_in().add(bad).unwrap_err().line, 2, "{bad}");
        }
    }
}

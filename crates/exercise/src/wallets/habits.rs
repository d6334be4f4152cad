//! [`Habits`]: how one wallet's program behaves: its kinds of lock, change, order of outputs, choice of coins, amounts.
//!
//! A wallet keeps its habits for life; they are a pure function of seed and number, and nothing is stored. The shares
//! are round figures chosen to be plausible and, above all, to give every rule about change both friends and enemies;
//! they are not measurements. `docs/exercise.md` lists them.

use crate::dice::{Dice, mixed};
use crate::keys::Style;

/// One wallet of so many is a privacy program's, and takes part in joins.
pub const PRIVATE_EVERY: u32 = 8;
/// Of a hundred wallets: those that show one address to everybody.
const ONE_ADDRESS_PERCENT: u64 = 12;

/// Which kinds of lock a wallet has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `p2pkh`.
    Legacy,
    /// `p2sh-p2wpkh`.
    Nested,
    /// `p2wpkh`.
    Native,
    /// `p2tr`.
    Taproot,
    /// `p2wpkh` by default, and other locks of the same key for those who ask.
    Mixed,
}

impl Family {
    /// The word for it, as `owners.csv` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Nested => "nested",
            Self::Native => "native",
            Self::Taproot => "taproot",
            Self::Mixed => "mixed",
        }
    }

    /// The kind of lock that it makes unless asked otherwise.
    pub const fn style(self) -> Style {
        match self {
            Self::Legacy => Style::KeyHash,
            Self::Nested => Style::Nested,
            Self::Native | Self::Mixed => Style::WitnessKeyHash,
            Self::Taproot => Style::Taproot,
        }
    }
}

/// Where change goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangePolicy {
    /// A fresh address of the family's kind.
    Fresh,
    /// A fresh address of the payee's kind, so that the outputs look alike (Bitcoin Core does so where it can).
    LikePayee,
    /// Back to the address of the first input.
    Back,
}

/// In which order outputs stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputOrder {
    /// At random.
    Random,
    /// Sorted by amount and script (BIP 69), inputs by outpoint.
    Sorted,
    /// Change comes last.
    ChangeLast,
    /// Change comes first.
    ChangeFirst,
}

/// Which coins are spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The largest first.
    Largest,
    /// At random.
    Random,
    /// The oldest first, and a few more that could be tidied away.
    Consolidating,
    /// The smallest single coin that is enough, so as to link no two addresses; else the largest first.
    Private,
}

/// How amounts come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amounts {
    /// Round in bitcoin.
    Round,
    /// A round price in money of the day, turned into satoshi.
    Priced,
    /// Any.
    Any,
}

/// How a wallet behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    pub family: Family,
    pub change: ChangePolicy,
    pub order: OutputOrder,
    pub selection: Selection,
    pub amounts: Amounts,
    /// Shows one address to everybody.
    pub has_one_address: bool,
    /// Takes part in joins.
    pub is_private: bool,
}

impl Habits {
    /// The habits of a wallet.
    pub fn of(seed: u64, wallet: u32) -> Self {
        let mut dice = Dice::at(mixed(mixed(seed ^ 0x6861_6269_7473) ^ u64::from(wallet)));
        let is_private = wallet % PRIVATE_EVERY == 5;
        let family = match dice.below(100) {
            0..=13 => Family::Legacy,
            14..=27 => Family::Nested,
            28..=71 => Family::Native,
            72..=84 => Family::Taproot,
            _ => Family::Mixed,
        };
        let change = match dice.below(100) {
            0..=75 => ChangePolicy::Fresh,
            76..=87 => ChangePolicy::LikePayee,
            _ => ChangePolicy::Back,
        };
        let order = match dice.below(100) {
            0..=49 => OutputOrder::Random,
            50..=64 => OutputOrder::Sorted,
            65..=87 => OutputOrder::ChangeLast,
            _ => OutputOrder::ChangeFirst,
        };
        let selection = match dice.below(100) {
            0..=34 => Selection::Largest,
            35..=59 => Selection::Random,
            60..=74 => Selection::Consolidating,
            _ => Selection::Private,
        };
        let amounts = match dice.below(100) {
            0..=24 => Amounts::Round,
            25..=64 => Amounts::Priced,
            _ => Amounts::Any,
        };
        let has_one_address = dice.percent(ONE_ADDRESS_PERCENT);
        let habits = Self { family, change, order, selection, amounts, has_one_address, is_private };
        if is_private { habits.private() } else { habits }
    }

    /// What programs for joins have in common: fresh witness addresses.
    fn private(self) -> Self {
        Self {
            family: Family::Native,
            change: ChangePolicy::Fresh,
            selection: Selection::Private,
            has_one_address: false,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_habit_has_its_followers() {
        let all: Vec<Habits> = (0..2_000).map(|wallet| Habits::of(9, wallet)).collect();
        let share = |has: &dyn Fn(&Habits) -> bool| all.iter().filter(|habits| has(habits)).count();
        for family in [Family::Legacy, Family::Nested, Family::Native, Family::Taproot, Family::Mixed] {
            assert!(share(&|habits| habits.family == family) > 150, "{family:?}");
        }
        for change in [ChangePolicy::Fresh, ChangePolicy::LikePayee, ChangePolicy::Back] {
            assert!(share(&|habits| habits.change == change) > 100, "{change:?}");
        }
        assert_eq!(share(&|habits| habits.is_private), 250);
        assert!(share(&|habits| habits.is_private && habits.family != Family::Native) == 0);
        assert_ne!(all[0..50].to_vec(), (0..50).map(|wallet| Habits::of(10, wallet)).collect::<Vec<_>>());
    }
}

//! [`Accounts`]: an account ledger of the exercise as it grows: balances, transaction ids, rows of a ledger table.
//!
//! It refuses overdrafts and writes `tx,time,from,to,asset,amount,ledger,fee,memo`; who pays whom is decided elsewhere.

use std::fmt::Write as _;
use std::io::{self, Write};

use ledger::hex;
use sha2::{Digest, Sha256};

use crate::exact::Exact;
use crate::notebook::time_text;

/// The first line of a ledger table.
const HEADER: &str = "tx,time,from,to,asset,amount,ledger,fee,memo\n";
/// The most assets of one ledger here.
const ASSETS_MAX: usize = 2;

/// An asset's symbol and scale.
pub type Unit = (&'static str, u8);

/// An account's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(pub u32);

/// How a ledger names its accounts and transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// 20 bytes as hex, as EVM chains do.
    Hex,
    /// An IBAN of the country XX, which no real account has (ISO 3166 leaves it to users).
    Iban,
}

/// A movement. Nobody is outside.
#[derive(Clone, Copy, Debug)]
pub struct Leg {
    pub from: Option<Account>,
    pub to: Option<Account>,
    pub asset: usize,
    pub amount: u128,
    pub fee: u128,
}

impl Leg {
    /// A movement between two accounts without a fee.
    pub const fn new(from: Account, to: Account, asset: usize, amount: u128) -> Self {
        Self { from: Some(from), to: Some(to), asset, amount, fee: 0 }
    }

    /// Money from outside.
    pub const fn from_outside(to: Account, asset: usize, amount: u128) -> Self {
        Self { from: None, to: Some(to), asset, amount, fee: 0 }
    }

    /// The same movement with a fee that the payer pays on top.
    #[must_use]
    pub const fn with_fee(self, fee: u128) -> Self {
        Self { fee, ..self }
    }
}

/// Counts for the manifest.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountCounts {
    pub transactions: u64,
    pub legs: u64,
}

/// The ledger under construction.
pub struct Accounts<W> {
    out: W,
    seed: u64,
    ledger: &'static str,
    names: Names,
    assets: &'static [Unit],
    balances: Vec<[u128; ASSETS_MAX]>,
    counts: AccountCounts,
    rows: String,
}

impl<W: Write> Accounts<W> {
    pub fn new(mut out: W, seed: u64, ledger: &'static str, names: Names, assets: &'static [Unit]) -> io::Result<Self> {
        assert!(assets.len() <= ASSETS_MAX, "balances have {ASSETS_MAX} places");
        out.write_all(HEADER.as_bytes())?;
        let counts = AccountCounts::default();
        Ok(Self { out, seed, ledger, names, assets, balances: Vec::new(), counts, rows: String::new() })
    }

    /// A new account with nothing in it.
    pub fn open(&mut self) -> Account {
        self.balances.push([0; ASSETS_MAX]);
        Account(u32::try_from(self.balances.len() - 1).expect("fewer than 2^32 accounts"))
    }

    pub fn balance(&self, account: Account, asset: usize) -> u128 {
        self.balances[account.0 as usize][asset]
    }

    pub const fn counts(&self) -> AccountCounts {
        self.counts
    }

    /// The account's name, as the file has it.
    pub fn name(&self, account: Account) -> String {
        let mut name = String::with_capacity(42);
        self.push_name(&mut name, account);
        name
    }

    fn push_name(&self, text: &mut String, account: Account) {
        match self.names {
            Names::Hex => {
                let hash = Sha256::new()
                    .chain_update(b"exercise account")
                    .chain_update(self.seed.to_le_bytes())
                    .chain_update(account.0.to_le_bytes())
                    .finalize();
                text.push_str("0x");
                hex::push(text, &hash[..20]);
            }
            Names::Iban => {
                // A multiplier without a common factor with 10^12 gives every account a number of its own.
                let number = (u64::from(account.0) * 7_919_357 + self.seed % 1_000_000 * 1_000_003) % 1_000_000_000_000;
                let _ = write!(text, "XX{:02}EXRC{number:012}", iban_check(number));
            }
        }
    }

    /// Books an atomic transaction at `seconds` and returns its id.
    pub fn book(&mut self, seconds: i64, legs: &[Leg], memo: &str) -> io::Result<String> {
        let time = time_text(seconds);
        let tx = self.transaction_name(&time);
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        for leg in legs {
            if let Some(from) = leg.from {
                let balance = &mut self.balances[from.0 as usize][leg.asset];
                *balance = balance.checked_sub(leg.amount + leg.fee).expect("nobody here overdraws an account");
            }
            if let Some(to) = leg.to {
                self.balances[to.0 as usize][leg.asset] += leg.amount;
            }
            let _ = write!(rows, "{tx},{time},");
            if let Some(from) = leg.from {
                self.push_name(&mut rows, from);
            }
            rows.push(',');
            if let Some(to) = leg.to {
                self.push_name(&mut rows, to);
            }
            let (symbol, scale) = self.assets[leg.asset];
            let _ = write!(rows, ",{symbol},{},{},", Exact::new(leg.amount, scale), self.ledger);
            if leg.fee > 0 {
                let _ = write!(rows, "{}", Exact::new(leg.fee, scale));
            }
            let _ = writeln!(rows, ",{memo}");
        }
        self.out.write_all(rows.as_bytes())?;
        self.rows = rows;
        self.counts.transactions += 1;
        self.counts.legs += legs.len() as u64;
        Ok(tx)
    }

    fn transaction_name(&self, time: &str) -> String {
        let number = self.counts.transactions;
        match self.names {
            Names::Hex => {
                let hash = Sha256::new()
                    .chain_update(b"exercise transaction")
                    .chain_update(self.seed.to_le_bytes())
                    .chain_update(number.to_le_bytes())
                    .finalize();
                let mut name = String::from("0x");
                hex::push(&mut name, &hash);
                name
            }
            Names::Iban => format!("EXRC-{}-{number:09}", &time[..10]),
        }
    }
}

/// The check digits of `XX??EXRC` and twelve digits: ISO 7064 MOD 97-10, letters as 10 to 35.
fn iban_check(number: u64) -> u64 {
    // EXRC, the number, XX00, each letter as two digits: E=14 X=33 R=27 C=12.
    let rearranged = (14_332_712u128 * 1_000_000_000_000 + u128::from(number)) * 1_000_000 + 333_300;
    98 - u64::try_from(rearranged % 97).expect("below 97")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ibans_have_right_check_digits() {
        // A published example of the method: GB82 WEST 1234 5698 7654 32 leaves 1 when moved round and divided by 97.
        assert_eq!(3_214_282_912_345_698_765_432_161_182u128 % 97, 1);
        let bank = Accounts::new(Vec::new(), 5, "bank:EXRCFRPP", Names::Iban, &[("EUR", 2)]).unwrap();
        for account in [0, 1, 77, 40_000] {
            let name = bank.name(Account(account));
            let moved = format!("{}{}", &name[4..], &name[..4]);
            let digits: String = moved
                .chars()
                .map(|c| c.to_digit(36).map(|value| value.to_string()).expect("letters and digits"))
                .collect();
            assert_eq!(digits.parse::<u128>().unwrap() % 97, 1, "{name}");
        }
    }

    #[test]
    #[should_panic(expected = "overdraws")]
    fn an_overdraft_is_a_bug() {
        let mut bank = Accounts::new(Vec::new(), 5, "bank:EXRCFRPP", Names::Iban, &[("EUR", 2)]).unwrap();
        let (a, b) = (bank.open(), bank.open());
        let _ = bank.book(0, &[Leg::new(a, b, 0, 1)], "");
    }
}

//! [`Known`]: the truth about a chain in the chain's own numbers: whose each holder is, and what each transaction was made as.
//!
//! It reads two files, `owners.csv` and `made-as.csv`, of whatever chain; what is held against them is others' business.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use book::UtxoLedger;
use cluster::{Duties, Duty, Made, Truth};
use exercise::wallets::Kind;
use exercise::wallets::truth::{OwnerRow, each_made, each_owner};
use ledger::{HolderId, Ledger as _, LedgerId, Seq};

use crate::exit::Failure;

/// The family that services are of.
const SERVICE: &str = "service";

/// The truth about a chain.
pub struct Known {
    owners: Vec<Option<Owned>>,
    made: Vec<Option<(Kind, Vec<u32>)>>,
    words: Words,
}

/// Whose a holder is, and of which family, as numbers of words; what for, if it is a service's.
#[derive(Clone, Copy)]
struct Owned {
    owner: u32,
    family: u32,
    duty: Option<Duty>,
}

/// Words that come again and again, numbered.
#[derive(Default)]
struct Words {
    numbers: HashMap<String, u32>,
    words: Vec<String>,
}

impl Words {
    fn number(&mut self, word: &str) -> Result<u32, Failure> {
        if let Some(number) = self.numbers.get(word) {
            return Ok(*number);
        }
        let number = u32::try_from(self.words.len()).map_err(Failure::internal)?;
        self.numbers.insert(word.to_owned(), number);
        self.words.push(word.to_owned());
        Ok(number)
    }

    fn word(&self, number: u32) -> &str {
        usize::try_from(number).ok().and_then(|at| self.words.get(at)).map_or("", String::as_str)
    }
}

impl Known {
    /// Reads the truth about a chain; a failure if it is about another one.
    pub fn read(folder: &Path, id: &LedgerId, chain: &UtxoLedger) -> Result<Self, Failure> {
        let slots = |count: u64| usize::try_from(count).map_err(Failure::internal);
        let mut words = Words::default();
        let mut owners = vec![None; slots(chain.holders())?];
        let mut failure = None;
        let (read, name) = open(folder, "owners.csv")?;
        let result = each_owner(read, |row| {
            let slot = chain.find_holder(row.address).and_then(|holder| slot(&mut owners, holder.0));
            let Some(slot) = slot else { return };
            match owned(&mut words, &row) {
                Ok(owned) => *slot = Some(owned),
                Err(error) => failure = Some(error),
            }
        });
        result.map_err(|error| Failure::bad_input(format!("{name}: {error}")))?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        if words.words.is_empty() {
            let text = format!("{id} has none of the addresses of {}; say --ledger", folder.display());
            return Err(Failure::missing(text));
        }
        let mut made = vec![None; slots(chain.end().0)?];
        let (read, name) = open(folder, "made-as.csv")?;
        let result = each_made(read, |row| {
            if let Some(slot) = chain.find_transaction(row.txid).and_then(|seq| slot(&mut made, seq.0)) {
                *slot = Some((row.kind, row.change));
            }
        });
        result.map_err(|error| Failure::bad_input(format!("{name}: {error}")))?;
        Ok(Self { owners, made, words })
    }

    fn owned(&self, holder: HolderId) -> Option<&Owned> {
        usize::try_from(holder.0).ok().and_then(|at| self.owners.get(at)?.as_ref())
    }

    /// The family of wallets that a holder's is of; `service` of a service's.
    pub fn family(&self, holder: HolderId) -> &str {
        self.owned(holder).map_or("", |owned| self.words.word(owned.family))
    }
}

fn open(folder: &Path, name: &str) -> Result<(BufReader<File>, String), Failure> {
    let path = folder.join(name);
    let file = File::open(&path).map_err(|error| Failure::bad_input(format!("{}: {error}", path.display())))?;
    Ok((BufReader::new(file), path.display().to_string()))
}

fn slot<T>(slots: &mut [T], number: u64) -> Option<&mut T> {
    usize::try_from(number).ok().and_then(|at| slots.get_mut(at))
}

fn owned(words: &mut Words, row: &OwnerRow<'_>) -> Result<Owned, Failure> {
    let duty = (row.family == SERVICE).then_some(match row.role {
        "deposit" => Duty::Deposit,
        "hot" => Duty::Hot,
        "pool" => Duty::Pool,
        _ => Duty::Other,
    });
    Ok(Owned { owner: words.number(row.owner)?, family: words.number(row.family)?, duty })
}

impl Duties for Known {
    fn duty(&self, holder: HolderId) -> Option<(u64, Option<Duty>)> {
        self.owned(holder).map(|owned| (owned.owner.into(), owned.duty))
    }
}

impl Truth for Known {
    fn owner(&self, holder: HolderId) -> Option<u64> {
        self.owned(holder).map(|owned| owned.owner.into())
    }

    fn made_as(&self, seq: Seq) -> Option<Made<'_>> {
        let (kind, change) = usize::try_from(seq.0).ok().and_then(|at| self.made.get(at)?.as_ref())?;
        Some(Made { kind: kind.as_str(), is_join: kind.is_join(), change })
    }
}

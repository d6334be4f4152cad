//! A transaction that no block has confirmed, read as if it were the chain's next one.

use std::collections::BTreeMap;

use cluster::{Judge, Kind, Past, Rules, View};
use exposure::Vectors;
use ledger::{Coin, Coins, HolderId, Ledger, Lock, PurseId, UtxoTransaction, txid_text};
use money::Amount;

use crate::chain::{Pending, holders};
use crate::finding::Bond;
use crate::origins::Origins;
use crate::say::sum;

/// Its ends, with numbers for holders and outputs that the chain does not have yet: those after its last ones.
struct Ends<'a, L: ?Sized> {
    ledger: &'a L,
    spent: Vec<Coin>,
    made: Vec<Coin>,
    new: BTreeMap<HolderId, Lock>,
    /// The same the other way round.
    numbers: BTreeMap<Vec<u8>, HolderId>,
    missing_inputs: u64,
}

impl<'a, L: Ledger + Coins + ?Sized> Ends<'a, L> {
    fn of(ledger: &'a L, transaction: &UtxoTransaction) -> Self {
        let (spent, made) = (Vec::new(), Vec::new());
        let (new, numbers) = (BTreeMap::new(), BTreeMap::new());
        let mut ends = Self { ledger, spent, made, new, numbers, missing_inputs: 0 };
        for input in &transaction.inputs {
            match ledger.find_output(&txid_text(&input.outpoint.txid), input.outpoint.vout) {
                Some(purse) => ends.spent.push(ledger.coin(purse)),
                None => ends.missing_inputs += 1,
            }
        }
        for (at, output) in (0u64..).zip(&transaction.outputs) {
            let holder = ends.holder(&output.holder);
            let value = u64::try_from(output.amount.units()).unwrap_or(u64::MAX);
            ends.made.push(Coin { purse: PurseId(ledger.purse_count() + at), holder, value });
        }
        ends
    }

    fn holder(&mut self, lock: &Lock) -> HolderId {
        if let Some(known) = self.ledger.find_lock(lock) {
            return known;
        }
        if let Some(holder) = self.numbers.get(lock.as_bytes()) {
            return *holder;
        }
        let holder = HolderId(Coins::holders(self.ledger) + self.new.len() as u64);
        self.new.insert(holder, lock.clone());
        self.numbers.insert(lock.as_bytes().to_vec(), holder);
        holder
    }
}

impl<L: Ledger + Coins + ?Sized> Past for Ends<'_, L> {
    fn kind(&self, holder: HolderId) -> Kind {
        self.new.get(&holder).map_or_else(|| Kind::of(&self.ledger.lock(holder)), Kind::of)
    }

    fn is_first(&self, purse: PurseId) -> bool {
        let at = purse.0.checked_sub(self.ledger.purse_count()).and_then(|at| usize::try_from(at).ok());
        let own = at.and_then(|at| self.made.get(at));
        own.map_or_else(|| self.ledger.purse_before(purse).is_none(), |coin| self.new.contains_key(&coin.holder))
    }
}

/// What is known of it.
pub(crate) fn pending<L, F, V>(
    ledger: &L,
    origins: &Origins<'_, L, F, V>,
    transaction: &UtxoTransaction,
    fee: Amount,
) -> Pending
where
    L: Ledger + Coins + ?Sized,
    F: exposure::Facts + ?Sized,
    V: Vectors + ?Sized,
{
    let ends = Ends::of(ledger, transaction);
    let is_whole = ends.missing_inputs == 0 && !ends.spent.is_empty();
    let view = View { inputs: &ends.spent, outputs: &ends.made, past: &ends };
    let verdict = if is_whole { Judge::new(Rules::default()).judge_view(&view) } else { cluster::Verdict::default() };
    let total = |coins: &[Coin]| coins.iter().map(|coin| u128::from(coin.value)).sum::<u128>();
    let missing = (total(&ends.made) + fee.units()).saturating_sub(total(&ends.spent));
    let paid: Vec<(HolderId, u64)> = ends.made.iter().map(|coin| (coin.holder, coin.value)).collect();
    let missing = if ends.missing_inputs == 0 { 0 } else { missing };
    let exposure = origins.unconfirmed(&ends.spent, &paid, verdict.join.is_some(), missing);
    let mut notes = Vec::new();
    if ends.missing_inputs > 0 {
        let worth = sum(Amount::new(missing), &exposure.asset);
        let (inputs, end) = (ends.missing_inputs, if ends.missing_inputs == 1 { "" } else { "s" });
        notes.push(format!("{inputs} input{end} worth {worth} spend what the book does not have: of unknown origin"));
    }
    let payers = holders(&ends.spent).into_iter().map(|holder| (holder, Bond::Input));
    let payees = holders(&ends.made).into_iter().filter(|holder| !ends.new.contains_key(holder));
    let parties = payers.chain(payees.map(|holder| (holder, Bond::Output))).collect();
    Pending { verdict, exposure, parties, notes }
}

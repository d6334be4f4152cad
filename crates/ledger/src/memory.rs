//! [`MemoryLedger`]: a ledger in plain vectors, the obvious model of what any other [`Ledger`] must answer.
//!
//! Tests of the tracer run on it, and the book on disk is held against it. It is not for large data: it keeps
//! everything, and asks nothing of speed.
//!
//! Numbering, which the book shares: transactions in the order pushed; holders, assets and account purses by first
//! appearance, payer before payee; outputs in chain order, where outputs from before the first block ("foreign") take
//! their numbers right before the outputs of the transaction that spends them.

use std::collections::HashMap;

use money::{Amount, Asset};

use crate::{
    AccountBlock, AccountTransaction, AssetId, BlockEvent, Coin, Coins, Contracts, End, Event, Gaps, HolderId, Kind,
    Ledger, LedgerId, Leg, LegKind, Lock, Network, Outpoint, Purse, PurseId, Seq, Stamp, Time, UtxoBlock,
    UtxoTransaction, txid_bytes, txid_text,
};

/// Holder of outputs of which the source tells nothing.
pub const UNKNOWN_HOLDER: &str = "unknown";

/// A leg as kept: balances are relative to the opening balance, which later legs may still raise.
#[derive(Clone, Copy, Debug)]
struct Kept {
    payer: End,
    payee: End,
    asset: AssetId,
    amount: Amount,
    payer_before: i128,
    payee_before: i128,
}

#[derive(Clone, Debug)]
struct KeptPurse {
    purse: Purse,
    opening: Amount,
    /// Balance relative to the opening.
    held: i128,
    /// Every leg in which it pays, and every leg that touches it, as (transaction, leg).
    pays: Vec<(Seq, usize)>,
    touched: Vec<(Seq, usize)>,
    outpoint: Option<Outpoint>,
    spent: bool,
}

/// A whole ledger in memory.
#[derive(Clone, Debug)]
pub struct MemoryLedger {
    id: LedgerId,
    kind: Kind,
    names: Vec<String>,
    stamps: Vec<Stamp>,
    legs: Vec<Vec<Kept>>,
    purses: Vec<KeptPurse>,
    holders: Vec<String>,
    assets: Vec<Asset>,
    transaction_numbers: HashMap<String, Seq>,
    holder_numbers: HashMap<String, HolderId>,
    account_purses: HashMap<(HolderId, AssetId), PurseId>,
    outputs: HashMap<Outpoint, PurseId>,
    events: Vec<(Seq, Event)>,
    gaps: HashMap<Seq, Gaps>,
}

impl MemoryLedger {
    /// An empty ledger with these assets.
    pub fn new(id: LedgerId, kind: Kind, assets: Vec<Asset>) -> Self {
        Self {
            id,
            kind,
            names: Vec::new(),
            stamps: Vec::new(),
            legs: Vec::new(),
            purses: Vec::new(),
            holders: Vec::new(),
            assets,
            transaction_numbers: HashMap::new(),
            holder_numbers: HashMap::new(),
            account_purses: HashMap::new(),
            outputs: HashMap::new(),
            events: Vec::new(),
            gaps: HashMap::new(),
        }
    }

    /// Appends an account transaction; its assets must be known. What a payer lacks becomes its opening balance.
    ///
    /// # Panics
    /// On an asset that the ledger was not made with, or an id that is already there: this ledger is for tests.
    pub fn push(&mut self, transaction: &AccountTransaction) -> Seq {
        self.push_at(transaction, None)
    }

    /// Appends a block of an account ledger; its assets must be known.
    ///
    /// # Panics
    /// As [`MemoryLedger::push`].
    pub fn push_account_block(&mut self, block: &AccountBlock) {
        let first = self.end().0;
        for transaction in &block.transactions {
            let seq = self.push_at(transaction, Some(block.height));
            if block.gaps.any() {
                self.gaps.insert(seq, block.gaps);
            }
        }
        for BlockEvent { transaction, event } in &block.events {
            self.events.push((Seq(first + u64::from(*transaction)), event.clone()));
        }
    }

    fn push_at(&mut self, transaction: &AccountTransaction, height: Option<u64>) -> Seq {
        let seq = self.begin(&transaction.name, transaction.time, height);
        for leg in &transaction.legs {
            let asset = self.find_asset(&leg.asset).expect("a test names only its own assets");
            let payer = self.account_end(leg.from.as_deref(), asset, leg.kind);
            let payee = self.account_end(leg.to.as_deref(), asset, leg.kind);
            self.move_value(seq, payer, payee, asset, leg.amount);
            if !leg.fee.is_zero() {
                self.move_value(seq, payer, End::Fee, asset, leg.fee);
            }
        }
        seq
    }

    /// Appends a block of a UTXO ledger. See the module text for what happens to outputs of unknown origin.
    ///
    /// # Panics
    /// On a double spend or a negative fee: this ledger is for tests.
    pub fn push_block(&mut self, block: &UtxoBlock) {
        for transaction in &block.transactions {
            let name = txid_text(&transaction.txid);
            let seq = self.begin(&name, block.time, Some(block.height));
            self.push_utxo(seq, transaction);
        }
    }

    fn push_utxo(&mut self, seq: Seq, transaction: &UtxoTransaction) {
        let asset = AssetId(0);
        let out: Amount = transaction.outputs.iter().map(|output| output.amount).sum();
        if transaction.inputs.is_empty() {
            self.move_value(seq, End::Outside, End::Pot, asset, out);
        }
        let known: Amount = transaction.inputs.iter().filter_map(|input| self.value_of(input)).sum();
        let mut missing = (out + transaction.fee.unwrap_or_default()).saturating_sub(known);
        let mut input_sum = Amount::ZERO;
        for input in &transaction.inputs {
            let purse = self.outputs.get(&input.outpoint).copied().unwrap_or_else(|| {
                let (amount, holder) = match &input.spent {
                    Some(spent) => (spent.amount, spent.holder.name(Network::of(&self.id))),
                    None => (std::mem::take(&mut missing), UNKNOWN_HOLDER.to_owned()),
                };
                let purse = self.new_output(input.outpoint, &holder);
                self.purses[index(purse)].opening = amount;
                purse
            });
            let kept = &mut self.purses[index(purse)];
            assert!(!std::mem::replace(&mut kept.spent, true), "an output is spent once");
            let amount = to_amount(kept.held, kept.opening);
            input_sum += amount;
            self.move_value(seq, End::Purse(purse), End::Pot, asset, amount);
        }
        for (vout, output) in (0u32..).zip(&transaction.outputs) {
            let holder = output.holder.name(Network::of(&self.id));
            let purse = self.new_output(Outpoint { txid: transaction.txid, vout }, &holder);
            self.move_value(seq, End::Pot, End::Purse(purse), asset, output.amount);
        }
        if !transaction.inputs.is_empty() {
            let fee = input_sum.checked_sub(out).expect("inputs cover outputs");
            self.move_value(seq, End::Pot, End::Fee, asset, fee);
        }
    }

    fn value_of(&self, input: &crate::UtxoInput) -> Option<Amount> {
        let in_ledger = self.outputs.get(&input.outpoint).map(|purse| {
            let kept = &self.purses[index(*purse)];
            to_amount(kept.held, kept.opening)
        });
        in_ledger.or_else(|| input.spent.as_ref().map(|spent| spent.amount))
    }

    fn begin(&mut self, name: &str, time: Time, height: Option<u64>) -> Seq {
        let seq = self.end();
        assert!(self.transaction_numbers.insert(name.to_owned(), seq).is_none(), "a transaction id is unique");
        self.names.push(name.to_owned());
        self.stamps.push(Stamp { time, height });
        self.legs.push(Vec::new());
        seq
    }

    fn holder(&mut self, name: &str) -> HolderId {
        if let Some(holder) = self.holder_numbers.get(name) {
            return *holder;
        }
        let holder = HolderId(self.holders.len() as u64);
        self.holders.push(name.to_owned());
        self.holder_numbers.insert(name.to_owned(), holder);
        holder
    }

    fn new_purse(&mut self, purse: Purse, outpoint: Option<Outpoint>) -> PurseId {
        let id = PurseId(self.purses.len() as u64);
        self.purses.push(KeptPurse {
            purse,
            opening: Amount::ZERO,
            held: 0,
            pays: Vec::new(),
            touched: Vec::new(),
            outpoint,
            spent: false,
        });
        id
    }

    fn account_end(&mut self, name: Option<&str>, asset: AssetId, kind: LegKind) -> End {
        let Some(name) = name else { return End::unnamed(kind) };
        let holder = self.holder(name);
        if let Some(purse) = self.account_purses.get(&(holder, asset)) {
            return End::Purse(*purse);
        }
        let purse = self.new_purse(Purse { holder, asset }, None);
        self.account_purses.insert((holder, asset), purse);
        End::Purse(purse)
    }

    fn new_output(&mut self, outpoint: Outpoint, holder: &str) -> PurseId {
        let holder = self.holder(holder);
        let purse = self.new_purse(Purse { holder, asset: AssetId(0) }, Some(outpoint));
        self.outputs.insert(outpoint, purse);
        purse
    }

    fn move_value(&mut self, seq: Seq, payer: End, payee: End, asset: AssetId, amount: Amount) {
        let at = (seq, self.legs[index(seq)].len());
        let signed = i128::try_from(amount.units()).expect("amounts stay below 2^126");
        let mut before = [0, 0];
        if let Some(purse) = payer.purse() {
            let kept = &mut self.purses[index(purse)];
            before[0] = kept.held;
            kept.held -= signed;
            let lacking = Amount::new(u128::try_from(-kept.held).unwrap_or(0));
            kept.opening = kept.opening.max(lacking);
            kept.pays.push(at);
            kept.touched.push(at);
        }
        if let Some(purse) = payee.purse() {
            let kept = &mut self.purses[index(purse)];
            before[1] = kept.held;
            kept.held += signed;
            kept.touched.push(at);
        }
        let [payer_before, payee_before] = before;
        self.legs[index(seq)].push(Kept { payer, payee, asset, amount, payer_before, payee_before });
    }

    fn before(&self, end: End, held: i128) -> Amount {
        end.purse().map_or(Amount::ZERO, |purse| to_amount(held, self.purses[index(purse)].opening))
    }

    fn pays_after(&self, end: End, at: (Seq, usize)) -> Option<Seq> {
        let pays = &self.purses[index(end.purse()?)].pays;
        pays.get(pays.partition_point(|pay| *pay <= at)).map(|(seq, _)| *seq)
    }
}

impl Ledger for MemoryLedger {
    fn id(&self) -> &LedgerId {
        &self.id
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn end(&self) -> Seq {
        Seq(self.names.len() as u64)
    }

    fn transaction(&self, seq: Seq, legs: &mut Vec<Leg>) {
        legs.clear();
        legs.extend(self.legs[index(seq)].iter().enumerate().map(|(at, kept)| Leg {
            payer: kept.payer,
            payee: kept.payee,
            asset: kept.asset,
            amount: kept.amount,
            payer_before: self.before(kept.payer, kept.payer_before),
            payee_before: self.before(kept.payee, kept.payee_before),
            payer_next: self.pays_after(kept.payer, (seq, at)),
            payee_next: self.pays_after(kept.payee, (seq, at)),
        }));
    }

    fn stamp(&self, seq: Seq) -> Stamp {
        self.stamps[index(seq)]
    }

    fn seq_at(&self, time: Time) -> Seq {
        let first = self.stamps.iter().position(|stamp| stamp.time >= time);
        first.map_or_else(|| self.end(), |at| Seq(at as u64))
    }

    fn purse(&self, purse: PurseId) -> Purse {
        self.purses[index(purse)].purse
    }

    fn opening(&self, purse: PurseId) -> Amount {
        self.purses[index(purse)].opening
    }

    fn balance(&self, purse: PurseId, before: Seq) -> Amount {
        let kept = &self.purses[index(purse)];
        let later = kept.touched.partition_point(|(seq, _)| *seq < before);
        let held = kept.touched.get(later).map_or(kept.held, |(seq, leg)| {
            let leg = &self.legs[index(*seq)][*leg];
            if leg.payer == End::Purse(purse) { leg.payer_before } else { leg.payee_before }
        });
        to_amount(held, kept.opening)
    }

    fn previous(&self, purse: PurseId, before: Seq) -> Option<Seq> {
        let touched = &self.purses[index(purse)].touched;
        let later = touched.partition_point(|(seq, _)| *seq < before);
        later.checked_sub(1).map(|at| touched[at].0)
    }

    fn purses(&self, holder: HolderId) -> Vec<PurseId> {
        (0u64..).zip(&self.purses).filter(|(_, kept)| kept.purse.holder == holder).map(|(at, _)| PurseId(at)).collect()
    }

    fn assets(&self) -> u32 {
        u32::try_from(self.assets.len()).expect("a test has few assets")
    }

    fn asset(&self, asset: AssetId) -> &Asset {
        &self.assets[asset.0 as usize]
    }

    fn transaction_name(&self, seq: Seq) -> String {
        self.names[index(seq)].clone()
    }

    fn find_transaction(&self, name: &str) -> Option<Seq> {
        self.transaction_numbers.get(name).copied()
    }

    fn holder_name(&self, holder: HolderId) -> String {
        self.holders[index(holder)].clone()
    }

    fn find_holder(&self, name: &str) -> Option<HolderId> {
        self.holder_numbers.get(name).copied()
    }

    fn purse_name(&self, purse: PurseId) -> String {
        let kept = &self.purses[index(purse)];
        match kept.outpoint {
            Some(Outpoint { txid, vout }) => format!("{}:{vout}", txid_text(&txid)),
            None => {
                format!("{}/{}", self.holder_name(kept.purse.holder), self.asset(kept.purse.asset).symbol)
            }
        }
    }

    fn find_output(&self, transaction: &str, vout: u32) -> Option<PurseId> {
        let txid = txid_bytes(transaction)?;
        self.outputs.get(&Outpoint { txid, vout }).copied()
    }
}

impl MemoryLedger {
    fn of_holder(&self, holder: HolderId) -> impl Iterator<Item = PurseId> + '_ {
        (0u64..).map(PurseId).zip(&self.purses).filter(move |(_, kept)| kept.purse.holder == holder).map(|(at, _)| at)
    }

    fn coins(&self, ends: impl Iterator<Item = End>, into: &mut Vec<Coin>) {
        into.clear();
        into.extend(ends.filter_map(End::purse).map(|purse| self.coin(purse)));
    }

    /// The first transaction that receives, or that pays from, an output.
    fn first(&self, purse: PurseId, is_it: impl Fn(&Kept) -> bool) -> Option<Seq> {
        let touched = &self.purses[index(purse)].touched;
        touched.iter().find(|(seq, leg)| is_it(&self.legs[index(*seq)][*leg])).map(|(seq, _)| *seq)
    }
}

/// For UTXO ledgers only.
impl Coins for MemoryLedger {
    fn network(&self) -> &'static Network {
        Network::of(&self.id)
    }

    fn transactions(&self) -> u64 {
        self.names.len() as u64
    }

    fn holders(&self) -> u64 {
        self.holders.len() as u64
    }

    fn purse_count(&self) -> u64 {
        self.purses.len() as u64
    }

    fn spent(&self, seq: Seq, into: &mut Vec<Coin>) {
        self.coins(self.legs[index(seq)].iter().map(|leg| leg.payer), into);
    }

    fn made(&self, seq: Seq, into: &mut Vec<Coin>) {
        self.coins(self.legs[index(seq)].iter().map(|leg| leg.payee), into);
    }

    fn coin(&self, purse: PurseId) -> Coin {
        let kept = &self.purses[index(purse)];
        let received: i128 = kept.touched.first().map_or(0, |(seq, leg)| {
            let leg = &self.legs[index(*seq)][*leg];
            if leg.payee == End::Purse(purse) { i128::try_from(leg.amount.units()).expect("below 2^126") } else { 0 }
        });
        let value = to_amount(received, kept.opening).units();
        Coin { purse, holder: kept.purse.holder, value: u64::try_from(value).expect("an output is below 2^64") }
    }

    fn made_by(&self, purse: PurseId) -> Option<Seq> {
        self.first(purse, |leg| leg.payee == End::Purse(purse))
    }

    fn spent_by(&self, purse: PurseId) -> Option<Seq> {
        self.first(purse, |leg| leg.payer == End::Purse(purse))
    }

    fn last_purse(&self, holder: HolderId) -> Option<PurseId> {
        self.of_holder(holder).last()
    }

    fn purse_before(&self, purse: PurseId) -> Option<PurseId> {
        self.of_holder(self.purses[index(purse)].purse.holder).take_while(|other| *other < purse).last()
    }

    fn lock(&self, holder: HolderId) -> Lock {
        Lock::of_name(Network::of(&self.id), &self.holders[index(holder)])
    }

    fn find_lock(&self, lock: &Lock) -> Option<HolderId> {
        self.holder_numbers.get(&lock.name(Network::of(&self.id))).copied()
    }
}

fn to_amount(held: i128, opening: Amount) -> Amount {
    let held = held + i128::try_from(opening.units()).expect("amounts stay below 2^126");
    Amount::new(u128::try_from(held).expect("an opening balance covers every deficit"))
}

trait Number {
    fn number(self) -> u64;
}

macro_rules! numbers {
    ($($id:ident),*) => { $(impl Number for $id { fn number(self) -> u64 { self.0 } })* };
}

numbers!(Seq, PurseId, HolderId);

fn index(number: impl Number) -> usize {
    usize::try_from(number.number()).expect("what fits in memory fits its index")
}

impl Contracts for MemoryLedger {
    fn events(&self, from: Seq, until: Seq, each: &mut dyn FnMut(Seq, &Event)) {
        for (seq, event) in self.events.iter().filter(|(seq, _)| (from..until).contains(seq)) {
            each(*seq, event);
        }
    }

    fn gaps(&self, seq: Seq) -> Gaps {
        self.gaps.get(&seq).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccountLeg;

    fn leg(from: &str, to: &str, amount: u128) -> AccountLeg {
        let name = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        AccountLeg {
            from: name(from),
            to: name(to),
            asset: "EUR".into(),
            amount: Amount::new(amount),
            fee: Amount::ZERO,
            kind: LegKind::Transfer,
        }
    }

    #[test]
    fn a_payer_who_lacks_money_gets_an_opening_balance_before_everything_else() {
        let euro = Asset { symbol: "EUR".into(), scale: 2 };
        let mut ledger = MemoryLedger::new(LedgerId::parse("table:t").unwrap(), Kind::Account, vec![euro]);
        for (name, at, legs) in [("a", 1, vec![leg("", "X", 5)]), ("b", 2, vec![leg("X", "Y", 12)])] {
            ledger.push(&AccountTransaction { name: name.into(), time: Time::from_micros(at), legs });
        }
        let x = ledger.purses(ledger.find_holder("X").unwrap())[0];
        assert_eq!(ledger.opening(x), Amount::new(7));
        let mut legs = Vec::new();
        ledger.transaction(Seq(0), &mut legs);
        assert_eq!((legs[0].payee_before.units(), legs[0].payee_next), (7, Some(Seq(1))));
        ledger.transaction(Seq(1), &mut legs);
        assert_eq!((legs[0].payer_before.units(), legs[0].payer_next), (12, None));
        assert_eq!(ledger.balance(x, Seq(1)), Amount::new(12));
        assert_eq!(ledger.balance(x, Seq(2)), Amount::ZERO);
        assert_eq!(ledger.previous(x, Seq(2)), Some(Seq(1)));
    }
}

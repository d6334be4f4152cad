//! The look-ups behind [`super::resolve`]: a transaction's legs, an output's leg, what reached an address.

use decode::fault::quoted;
use ledger::{End, HolderId, Kind, Leg, Seq, Time};

use super::{ResolveError, ResolveErrorKind as Error, Resolver, STARTS_MAX, Start, say, too_many};
use crate::model::Place;

impl Resolver<'_> {
    /// The legs of `tx` that pay `to` in the asset.
    pub(super) fn transaction(&self, place: Place, tx: &str, to: Option<&str>) -> Result<Vec<Start>, ResolveError> {
        let seq = self.find_transaction(place, tx)?;
        let mut legs = Vec::new();
        self.ledger.transaction(seq, &mut legs);
        let Some(to) = to else {
            let what = format!("transaction {} is named without saying who was paid", quoted(tx));
            let help = format!("add `to:`; {}", self.paid(&legs));
            return Err(ResolveError::new(Error::PayeeMissing, place, what, help));
        };
        let holder = self.ledger.find_holder(to);
        let starts: Vec<Start> = holder.map(|holder| self.brought(seq, &legs, holder).collect()).unwrap_or_default();
        if starts.is_empty() {
            let (kind, known) = match holder {
                Some(_) => (Error::NothingMoved, ""),
                None => (Error::UnknownAddress, ", who is nowhere on this ledger"),
            };
            let symbol = &self.ledger.asset(self.asset).symbol;
            let what = format!("transaction {} brought no {symbol} to {}{known}", quoted(tx), quoted(to));
            return Err(ResolveError::new(kind, place, what, self.paid(&legs)));
        }
        Ok(starts)
    }

    /// The leg that created an output.
    pub(super) fn output(&self, place: Place, txid: &str, vout: u32) -> Result<Start, ResolveError> {
        if self.ledger.kind() == Kind::Account {
            let what = format!("{} has accounts, not outputs", self.ledger.id());
            return Err(ResolveError::new(Error::UnknownOutput, place, what, "name the start with `tx` and `to`"));
        }
        let found = self.ledger.find_output(txid, vout);
        let Some(seq) = self.ledger.find_transaction(txid) else {
            if found.is_some() {
                let what = format!("output {txid}:{vout} was created before the first block of {}", self.ledger.id());
                let help = "ingest the block that created it, or start from the transaction that spends it";
                return Err(ResolveError::new(Error::UnknownOutput, place, what, help));
            }
            return Err(self.unknown_transaction(place, txid));
        };
        let mut legs = Vec::new();
        self.ledger.transaction(seq, &mut legs);
        let leg = found.and_then(|purse| (0..).zip(&legs).find(|(_, leg)| leg.payee == End::Purse(purse)));
        match (found, leg) {
            (Some(purse), Some((at, leg))) if !leg.amount.is_zero() => {
                Ok(Start { seq, leg: at, purse, amount: leg.amount })
            }
            (Some(_), Some(_)) => {
                let what = format!("output {txid}:{vout} holds nothing");
                Err(ResolveError::new(Error::NothingMoved, place, what, "leave this start out"))
            }
            _ => {
                let outputs = legs.iter().filter(|leg| leg.payee.purse().is_some()).count();
                let what = format!("transaction {txid} has no output {vout}");
                let help = format!("it has {outputs}, counted from 0");
                Err(ResolveError::new(Error::UnknownOutput, place, what, help))
            }
        }
    }

    /// What reached an address in a window, less what it paid itself.
    pub(super) fn address(
        &self,
        place: Place,
        address: &str,
        from: Option<Time>,
        until: Option<Time>,
    ) -> Result<Vec<Start>, ResolveError> {
        let Some(holder) = self.ledger.find_holder(address) else {
            let what = format!("{} is nowhere on {}", quoted(address), self.ledger.id());
            return Err(ResolveError::new(Error::UnknownAddress, place, what, say::until(self.ledger)));
        };
        let mut starts = Vec::new();
        let mut legs = Vec::new();
        for seq in self.touching(place, holder, from, until)? {
            self.ledger.transaction(seq, &mut legs);
            if self.ledger.kind() == Kind::Utxo && legs.iter().any(|leg| self.pays(leg, holder)) {
                continue;
            }
            starts.extend(self.brought(seq, &legs, holder).filter(|start| !self.pays(&legs[start.leg], holder)));
            if starts.len() > STARTS_MAX {
                return Err(too_many(place));
            }
        }
        if starts.is_empty() {
            let symbol = &self.ledger.asset(self.asset).symbol;
            let what = format!("no {symbol} reached {}{}", quoted(address), say::window(from, until));
            let help = format!("`from` is included, `until` is not; {}", say::until(self.ledger));
            return Err(ResolveError::new(Error::NothingMoved, place, what, help));
        }
        Ok(starts)
    }

    /// The transactions that touch the holder's purses of the asset in a window, ascending, each once.
    fn touching(
        &self,
        place: Place,
        holder: HolderId,
        from: Option<Time>,
        until: Option<Time>,
    ) -> Result<Vec<Seq>, ResolveError> {
        // Times may step back along a chain, so the window is tested transaction by transaction; none before the
        // first that reaches `from` can lie inside it.
        let first = from.map_or(Seq(0), |from| self.ledger.seq_at(from));
        let mut found = Vec::new();
        for purse in self.ledger.purses(holder) {
            if self.ledger.purse(purse).asset != self.asset {
                continue;
            }
            let mut before = self.ledger.end();
            while let Some(seq) = self.ledger.previous(purse, before).filter(|seq| *seq >= first) {
                let time = self.ledger.stamp(seq).time;
                if from.is_none_or(|from| time >= from) && until.is_none_or(|until| time < until) {
                    found.push(seq);
                }
                // Each touch is at most one start and one payment; the same limit holds for both together.
                if found.len() > 2 * STARTS_MAX {
                    return Err(too_many(place));
                }
                before = seq;
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// The legs that pay `holder` in the asset; a purse that pays itself brings nothing.
    fn brought<'a>(&'a self, seq: Seq, legs: &'a [Leg], holder: HolderId) -> impl Iterator<Item = Start> + 'a {
        (0..).zip(legs).filter_map(move |(at, leg)| {
            let purse = leg.payee.purse()?;
            let counts = leg.asset == self.asset
                && leg.payer != leg.payee
                && !leg.amount.is_zero()
                && self.holder(purse) == holder;
            counts.then_some(Start { seq, leg: at, purse, amount: leg.amount })
        })
    }

    fn pays(&self, leg: &Leg, holder: HolderId) -> bool {
        leg.payer.purse().is_some_and(|purse| self.holder(purse) == holder)
    }

    /// Ids of chains are hexadecimal and the ledger keeps them in lower case; elsewhere they are taken as written.
    fn find_transaction(&self, place: Place, tx: &str) -> Result<Seq, ResolveError> {
        let chain = matches!(self.ledger.id().namespace(), "bip122" | "eip155");
        self.ledger
            .find_transaction(tx)
            .or_else(|| self.ledger.find_transaction(&tx.to_ascii_lowercase()).filter(|_| chain))
            .ok_or_else(|| self.unknown_transaction(place, tx))
    }

    fn unknown_transaction(&self, place: Place, tx: &str) -> ResolveError {
        let what = format!("transaction {} is not on {}", quoted(tx), self.ledger.id());
        ResolveError::new(Error::UnknownTransaction, place, what, say::until(self.ledger))
    }
}

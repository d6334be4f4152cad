//! From a block's printed shape to plain values, with everything checked that one block can tell about itself.

use ledger::{
    LedgerId, Lock, Network, Outpoint, Time, UtxoBlock, UtxoInput, UtxoOutput, UtxoTransaction, address, hex,
    txid_bytes,
};
use money::{Amount, Decimal};
use serde_json::value::RawValue;

use super::shape;
use crate::fault::quoted;

/// The longest address of a network whose addresses are not checked.
const ADDRESS_BYTES_MAX: usize = 128;
/// The most base units that one output may hold; every coin in use stays below.
const VALUE_UNITS_MAX: u128 = u64::MAX as u128;

/// What is wrong, and where in the block: `tx[3].vout[0].value`.
pub(super) struct Problem {
    pub path: String,
    pub what: String,
    pub help: String,
}

const ASK_AGAIN: &str = "get the block from the node again";

fn problem(path: impl Into<String>, what: impl Into<String>, help: &str) -> Problem {
    Problem { path: path.into(), what: what.into(), help: help.to_owned() }
}

impl Problem {
    /// The same problem, one level further out.
    fn within(mut self, outer: impl std::fmt::Display) -> Self {
        self.path = format!("{outer}.{}", self.path);
        self
    }
}

pub(super) struct Checker<'a> {
    pub ledger: &'a LedgerId,
    pub scale: u8,
}

impl Checker<'_> {
    pub fn block(&self, block: &shape::Block<'_>) -> Result<UtxoBlock, Problem> {
        let hash = hash(&block.hash, "hash")?;
        let previous =
            block.previousblockhash.as_deref().map(|text| self::hash(text, "previousblockhash")).transpose()?;
        match (block.height, previous) {
            (0, Some(_)) => return Err(problem("previousblockhash", "a block at height 0 has a parent", ASK_AGAIN)),
            (1.., None) => {
                let what = format!("the block at height {} names no parent", block.height);
                return Err(problem("previousblockhash", what, ASK_AGAIN));
            }
            _ => {}
        }
        let time = Time::from_seconds(block.time)
            .ok_or_else(|| problem("time", format!("{} is no time", block.time), "give seconds since 1970"))?;
        if block.tx.is_empty() {
            return Err(problem("tx", "the block has no transactions", ASK_AGAIN));
        }
        if let Some(count) = block.transactions_count.filter(|count| *count != block.tx.len() as u64) {
            let what = format!("the block says it has {count} transactions, {} are here", block.tx.len());
            return Err(problem("nTx", what, ASK_AGAIN));
        }
        let transactions = block.tx.iter().enumerate();
        let transactions = transactions
            .map(|(at, tx)| self.transaction(tx, at == 0).map_err(|problem| problem.within(format_args!("tx[{at}]"))))
            .collect::<Result<_, _>>()?;
        Ok(UtxoBlock { height: block.height, hash, previous, time, transactions })
    }

    fn transaction(&self, tx: &shape::Transaction<'_>, first: bool) -> Result<UtxoTransaction, Problem> {
        let txid = hash(&tx.txid, "txid")?;
        let coinbase = tx.vin.iter().any(|input| input.coinbase.is_some());
        if coinbase != first || (coinbase && tx.vin.len() != 1) {
            let what = "the first transaction, and no other, must have one coinbase input and nothing else";
            return Err(problem("vin", what, ASK_AGAIN));
        }
        if tx.vin.is_empty() || tx.vout.is_empty() {
            let empty = if tx.vin.is_empty() { "vin" } else { "vout" };
            return Err(problem(empty, "the transaction has none", ASK_AGAIN));
        }
        let mut inputs = Vec::with_capacity(tx.vin.len());
        for (at, input) in tx.vin.iter().enumerate().filter(|_| !coinbase) {
            inputs.push(self.input(input).map_err(|problem| problem.within(format_args!("vin[{at}]")))?);
        }
        let mut outputs = Vec::with_capacity(tx.vout.len());
        for (at, output) in tx.vout.iter().enumerate() {
            outputs.push(self.output(output, at as u64).map_err(|problem| problem.within(format_args!("vout[{at}]")))?);
        }
        let fee = tx.fee.map(|fee| self.value(fee, "fee")).transpose()?;
        let transaction = UtxoTransaction { txid, inputs, outputs, fee };
        sums(&transaction)?;
        Ok(transaction)
    }

    fn input(&self, input: &shape::Input<'_>) -> Result<UtxoInput, Problem> {
        let (Some(txid), Some(vout)) = (&input.txid, input.vout) else {
            return Err(problem("txid", "the input does not say which output it spends", ASK_AGAIN));
        };
        let outpoint = Outpoint { txid: hash(txid, "txid")?, vout };
        let spent = input.prevout.as_ref().map(|spent| self.spent(spent).map_err(|problem| problem.within("prevout")));
        Ok(UtxoInput { outpoint, spent: spent.transpose()? })
    }

    fn spent(&self, spent: &shape::Spent<'_>) -> Result<UtxoOutput, Problem> {
        Ok(UtxoOutput { amount: self.value(spent.value, "value")?, holder: self.holder(&spent.script)? })
    }

    fn output(&self, output: &shape::Output<'_>, at: u64) -> Result<UtxoOutput, Problem> {
        if output.n != at {
            let what = format!("the output's index is {}, its place is {at}", output.n);
            return Err(problem("n", what, "give all outputs in order"));
        }
        Ok(UtxoOutput { amount: self.value(output.value, "value")?, holder: self.holder(&output.script)? })
    }

    fn value(&self, raw: &RawValue, path: &str) -> Result<Amount, Problem> {
        let wrong = |why: String| problem(path, format!("{}: {why}", quoted(raw.get())), "");
        let decimal = Decimal::parse_scientific(raw.get()).map_err(|error| wrong(error.to_string()))?;
        let amount = decimal.to_amount(self.scale).map_err(|error| wrong(error.to_string()))?;
        if amount.units() > VALUE_UNITS_MAX {
            return Err(wrong("more than 2^64 base units, which no coin has".to_owned()));
        }
        Ok(amount)
    }

    /// The script says who holds an output; an address where there is no script, or where it is another network's.
    fn holder(&self, script: &shape::Script<'_>) -> Result<Lock, Problem> {
        let inside = |problem: Problem| problem.within("scriptPubKey");
        let lock = script.hex.as_deref().map(|hex| lock_of_hex(hex).map_err(inside)).transpose()?;
        // Old nodes list what may sign, which for a bare key or a bare multisignature is not what the script says.
        let bare = matches!(script.kind.as_deref(), Some("pubkey" | "multisig"));
        let listed = script.addresses.as_deref().filter(|_| !bare);
        let listed = listed.and_then(|addresses| if let [address] = addresses { Some(address) } else { None });
        match (script.address.as_ref().filter(|_| !bare).or(listed), lock) {
            (Some(text), lock) => self.address(text, lock).map_err(inside),
            (None, Some(lock)) => Ok(lock),
            (None, None) => Err(problem("scriptPubKey", "neither an address nor a hex script", ASK_AGAIN)),
        }
    }

    fn address(&self, text: &str, of_script: Option<Lock>) -> Result<Lock, Problem> {
        let network = Network::of(self.ledger);
        if network.is_listed() {
            let name = address::canonical(self.ledger, text)
                .map_err(|error| problem("address", format!("{}: {error}", quoted(text)), ASK_AGAIN))?;
            let lock = Lock::of_name(network, &name);
            return match of_script {
                Some(script) if script != lock => {
                    let what = format!("{} is not the address of its script", quoted(text));
                    Err(problem("address", what, ASK_AGAIN))
                }
                _ => Ok(lock),
            };
        }
        // Networks without a name here have prefixes of their own; the node that printed the address knows them.
        let good =
            (1..=ADDRESS_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !good {
            return Err(problem("address", format!("{} is no address", quoted(text)), ASK_AGAIN));
        }
        let lock = of_script.filter(|lock| lock.name(network) == text);
        Ok(lock.unwrap_or_else(|| Lock::of_name(network, text)))
    }
}

fn lock_of_hex(digits: &str) -> Result<Lock, Problem> {
    let script = hex::bytes(digits);
    let script = script.ok_or_else(|| problem("hex", format!("{} is not hexadecimal", quoted(digits)), ASK_AGAIN))?;
    Ok(Lock::of_script(&script))
}

fn hash(text: &str, path: &str) -> Result<[u8; 32], Problem> {
    txid_bytes(text).ok_or_else(|| problem(path, format!("{} is not 64 hexadecimal digits", quoted(text)), ASK_AGAIN))
}

/// Where every input tells its worth, outputs and fee must add up to it.
fn sums(tx: &UtxoTransaction) -> Result<(), Problem> {
    let spent: Option<Vec<Amount>> = tx.inputs.iter().map(|input| input.spent.as_ref().map(|s| s.amount)).collect();
    let Some(spent) = spent.filter(|spent| !spent.is_empty()) else { return Ok(()) };
    let paid: Amount = spent.into_iter().sum();
    let received: Amount = tx.outputs.iter().map(|output| output.amount).sum();
    let Some(rest) = paid.checked_sub(received) else {
        let what = format!("the outputs are worth {} base units, the inputs {}", received.units(), paid.units());
        return Err(problem("vout", what, ASK_AGAIN));
    };
    match tx.fee {
        Some(fee) if fee != rest => {
            let what = format!("the fee is {} base units, inputs less outputs {}", fee.units(), rest.units());
            Err(problem("fee", what, ASK_AGAIN))
        }
        _ => Ok(()),
    }
}

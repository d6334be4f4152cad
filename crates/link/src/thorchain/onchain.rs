//! Links from memos that stand on the chains themselves: no record of THORChain is asked for.
//!
//! | where | what is read |
//! |---|---|
//! | chains of outputs | `OP_RETURN` of a payment out (`OUT:TXID`, `REFUND:TXID`); the payment in pays the vault in output 0 |
//! | EVM chains | the routers' `Deposit`, `TransferOut`, `TransferOutAndCall…`, `TransferFailed` |
//!
//! A native coin sent to a vault with the memo as calldata writes no log; its payment out still names it, and then the
//! transaction's first movement of the native coin is taken for the deposit. A payment out in calldata alone is not seen.
//!
//! Sources: THORNode `docs/concepts/sending-transactions.md` (vault in output 0), `bifrost/pkg/chainclients/utxo`,
//! `chain/ethereum/contracts/THORChain_Router.sol` (V4.1, V5) and `THORChain_RouterV6.sol` (V6.1).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use evm::abi::{Signature, Value};
use ledger::{Coins, Contracts, End, Event, Ledger, LedgerId, Seq, hex};

use super::chains::{Router, Scheme, tx_name};
use super::memo::Memo;
use crate::{Claim, Class, Portion, Side};

/// The method's name in claims.
pub const LEDGERS_METHOD: &str = "thorchain-memos";
const VERSION: u32 = 1;

/// The events that are read, as people write them.
pub const EVENTS: [&str; 6] = [
    "Deposit(address indexed to, address indexed asset, uint256 amount, string memo)",
    "TransferOut(address indexed vault, address indexed to, address asset, uint256 amount, string memo)",
    "TransferOutAndCall(address indexed vault, address target, uint256 amount, address finalAsset, address to, \
     uint256 amountOutMin, string memo)",
    "TransferOutAndCallV5(address indexed vault, address target, uint256 amount, address finalAsset, address indexed to, \
     uint256 amountOutMin, string memo, bytes payload, string originAddress)",
    "TransferOutAndCallV2(address indexed vault, address target, address asset, uint256 amount, address toAsset, \
     address to, uint256 amountOutMin, string memo, bytes payload, string originAddress)",
    "TransferFailed(address indexed vault, address indexed to, address asset, uint256 amount, string memo)",
];

static SIGNATURES: LazyLock<Vec<([u8; 32], Signature)>> = LazyLock::new(|| {
    let read = |text: &&str| Signature::parse(text).expect("the built-in signatures are good");
    EVENTS.iter().map(read).map(|signature| (signature.topic(), signature)).collect()
});

/// Their topics, for whoever keeps logs.
pub fn topics() -> BTreeSet<[u8; 32]> {
    SIGNATURES.iter().map(|(topic, _)| *topic).collect()
}

/// A chain of outputs that can be read both ways.
pub trait Outputs: Ledger + Coins {}

impl<T: Ledger + Coins> Outputs for T {}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The links.
    pub claims: Vec<Claim>,
    /// Payments out whose payment in lies on none of the ledgers: ledger, transaction, and the id that they name.
    pub unpaired: Vec<(LedgerId, String, String)>,
    /// What could not be made a claim, and why.
    pub problems: Vec<String>,
}

/// One payment, in or out, as a chain shows it.
#[derive(Clone, Debug)]
struct Payment {
    scheme: Scheme,
    side: Side,
    memo: String,
}

/// What the ledgers' memos tie together.
pub fn from_ledgers(outputs: &[&dyn Outputs], contracts: &[&dyn Contracts], routers: &[Router]) -> Found {
    let mut found = Found::default();
    // Payments out by the id that they answer, and payments in by ledger and transaction.
    let mut answers: BTreeMap<(String, bool), Vec<Payment>> = BTreeMap::new();
    let mut deposits: BTreeMap<(LedgerId, String), Payment> = BTreeMap::new();
    for &ledger in outputs {
        read_outputs(ledger, &mut answers);
    }
    for &ledger in contracts {
        read_logs(ledger, routers, &mut answers, &mut deposits, &mut found);
    }
    for ((id, refund), payments) in &answers {
        let deposit = deposit(id, outputs, contracts, &deposits);
        let Some(from) = deposit else {
            found
                .unpaired
                .extend(payments.iter().map(|out| (out.side.ledger.clone(), out.side.tx.clone(), id.clone())));
            continue;
        };
        let shares = shares(payments, answers.get(&(id.clone(), !refund)).map_or(&[], Vec::as_slice), &from);
        for (out, share) in payments.iter().zip(shares) {
            let word = if *refund { "REFUND" } else { "OUT" };
            found.claims.push(Claim {
                protocol: out.scheme.as_str().to_owned(),
                class: Class::Deterministic,
                probability: Portion::ONE,
                share,
                from: from.clone(),
                to: out.side.clone(),
                gross_units: None,
                method: LEDGERS_METHOD.to_owned(),
                version: VERSION,
                source: "memos on both ledgers".to_owned(),
                evidence: format!("{word}:{}", id.to_ascii_uppercase()),
            });
        }
    }
    found.claims.sort();
    found
}

/// Several payments for one id share by amount within one asset; a refund beside a payment takes what came back of the
/// input, the payments take the rest.
fn shares(payments: &[Payment], others: &[Payment], from: &Side) -> Vec<Portion> {
    let back = |refunds: &[Payment]| {
        let same = |payment: &&Payment| payment.side.ledger == from.ledger && payment.side.asset == from.asset;
        let sum = refunds.iter().filter(same).fold(0u128, |sum, refund| sum.saturating_add(refund.side.units));
        money::Amount::new(u128::from(Portion::ONE_PARTS))
            .share(money::Amount::new(sum), money::Amount::new(from.units))
    };
    let one = u128::from(Portion::ONE_PARTS);
    let all = if others.is_empty() {
        one
    } else if is_refund(payments) {
        back(payments).units().min(one)
    } else {
        one - back(others).units().min(one)
    };
    let one_asset = payments.windows(2).all(|pair| pair[0].side.asset == pair[1].side.asset);
    let weight = |payment: &Payment| if one_asset { payment.side.units } else { 1 };
    let sum = payments.iter().fold(0u128, |sum, payment| sum.saturating_add(weight(payment)));
    let (mut seen, mut given) = (0u128, 0u128);
    let mut shares = Vec::with_capacity(payments.len());
    for payment in payments {
        seen = seen.saturating_add(weight(payment));
        let until = if sum == 0 {
            all
        } else {
            money::Amount::new(all).share(money::Amount::new(seen), money::Amount::new(sum)).units()
        };
        let share = u32::try_from(until.min(all) - given).ok().and_then(Portion::new);
        shares.push(share.expect("shares are parts of one"));
        given = until.min(all);
    }
    shares
}

fn is_refund(payments: &[Payment]) -> bool {
    payments.first().is_some_and(|payment| matches!(Memo::parse(&payment.memo), Some(Memo::Refund(_))))
}

/// Payments out of a chain of outputs.
fn read_outputs(ledger: &dyn Outputs, answers: &mut BTreeMap<(String, bool), Vec<Payment>>) {
    let mut coins = Vec::new();
    for seq in (0..Coins::transactions(ledger)).map(Seq) {
        ledger.made(seq, &mut coins);
        let memo = coins.iter().find_map(|coin| {
            let lock = ledger.lock(coin.holder);
            if lock.is_unspendable() { super::memo::pushed_text(&lock.script()?) } else { None }
        });
        let Some(memo) = memo else { continue };
        let Some((id, refund)) =
            Memo::parse(&memo).and_then(|parsed| parsed.answers().map(|(id, back)| (id.to_owned(), back)))
        else {
            continue;
        };
        // A vault pays the receiver first and itself the rest (bifrost's signer builds it so).
        let Some(side) = output_side(ledger, seq, &coins) else { continue };
        let payment = Payment { scheme: Scheme::Thorchain, side, memo };
        answers.entry((id, refund)).or_default().push(payment);
    }
}

/// The first output that is no memo, as an end of a link.
fn output_side(ledger: &dyn Outputs, seq: Seq, coins: &[ledger::Coin]) -> Option<Side> {
    let (index, coin) = (0u32..).zip(coins).find(|(_, coin)| !ledger.lock(coin.holder).is_unspendable())?;
    Some(Side {
        ledger: Ledger::id(ledger).clone(),
        tx: ledger.transaction_name(seq),
        index: Some(index),
        holder: Some(ledger.holder_name(coin.holder)),
        asset: ledger.asset(ledger::AssetId(0)).symbol.clone(),
        units: u128::from(coin.value),
        time: Some(ledger.stamp(seq).time),
    })
}

/// The routers' logs of an EVM chain.
fn read_logs(
    ledger: &dyn Contracts,
    routers: &[Router],
    answers: &mut BTreeMap<(String, bool), Vec<Payment>>,
    deposits: &mut BTreeMap<(LedgerId, String), Payment>,
    found: &mut Found,
) {
    let mut failed: BTreeSet<(Seq, String)> = BTreeSet::new();
    let mut logs: Vec<(Seq, Log)> = Vec::new();
    ledger.events(Seq(0), ledger.end(), &mut |seq, event| {
        let Some(router) =
            routers.iter().find(|router| router.address == event.contract && router.ledger == *ledger.id())
        else {
            return;
        };
        let Some(log) = Log::read(event, router.scheme) else { return };
        match log.kind {
            Kind::Failed => drop(failed.insert((seq, log.memo))),
            Kind::Deposit | Kind::Out => logs.push((seq, log)),
        }
    });
    for (seq, log) in logs {
        let Some(asset) = log.asset_name(ledger) else { continue };
        let tx = ledger.transaction_name(seq);
        let side = Side {
            ledger: ledger.id().clone(),
            tx: tx.clone(),
            index: Some(log.index),
            holder: Some(format!("0x{}", hex::text(&log.holder))),
            asset,
            units: log.units,
            time: Some(ledger.stamp(seq).time),
        };
        let payment = Payment { scheme: log.scheme, side, memo: log.memo };
        if log.kind == Kind::Deposit {
            deposits.entry((ledger.id().clone(), tx)).or_insert(payment);
            continue;
        }
        let parsed = Memo::parse(&payment.memo);
        let Some((id, refund)) = parsed.as_ref().and_then(Memo::answers) else { continue };
        if failed.contains(&(seq, payment.memo.clone())) || bounced(ledger, seq, &log.holder) {
            found.problems.push(format!("{}: {tx}: the payment failed, and went back to the vault", ledger.id()));
            continue;
        }
        answers.entry((id.to_owned(), refund)).or_default().push(payment);
    }
}

/// Whether nobody paid the receiver anything: a native payment that its receiver refused is logged as if it had arrived.
fn bounced(ledger: &dyn Contracts, seq: Seq, holder: &[u8; 20]) -> bool {
    let name = format!("0x{}", hex::text(holder));
    // Without traces, movements of the native coin inside of calls are not known.
    if ledger.gaps(seq).traces {
        return false;
    }
    let Some(holder) = ledger.find_holder(&name) else { return true };
    let mut legs = Vec::new();
    ledger.transaction(seq, &mut legs);
    !legs.iter().any(|leg| leg.payee.purse().is_some_and(|purse| ledger.purse(purse).holder == holder))
}

/// The payment in of that id, on whichever ledger has it.
fn deposit(
    id: &str,
    outputs: &[&dyn Outputs],
    contracts: &[&dyn Contracts],
    deposits: &BTreeMap<(LedgerId, String), Payment>,
) -> Option<Side> {
    let mut coins = Vec::new();
    for &ledger in outputs {
        if let Some(seq) = ledger.find_transaction(&tx_name(Ledger::id(ledger), id)) {
            ledger.made(seq, &mut coins);
            return output_side(ledger, seq, &coins);
        }
    }
    for &ledger in contracts {
        let name = tx_name(ledger.id(), id);
        let Some(seq) = ledger.find_transaction(&name) else { continue };
        if let Some(payment) = deposits.get(&(ledger.id().clone(), name.clone())) {
            return Some(payment.side.clone());
        }
        return native_side(ledger, seq, name);
    }
    None
}

/// A native coin paid straight to a vault: the transaction's first movement that is no fee.
fn native_side(ledger: &dyn Contracts, seq: Seq, tx: String) -> Option<Side> {
    let mut legs = Vec::new();
    ledger.transaction(seq, &mut legs);
    let coin = native(ledger)?;
    let leg = legs.iter().find(|leg| {
        let between = leg.payer.purse().is_some() && leg.payee.purse().is_some();
        between && !leg.amount.is_zero() && ledger.asset(leg.asset).symbol == coin
    })?;
    let End::Purse(purse) = leg.payee else { return None };
    Some(Side {
        ledger: ledger.id().clone(),
        tx,
        index: None,
        holder: Some(ledger.holder_name(ledger.purse(purse).holder)),
        asset: ledger.asset(leg.asset).symbol.clone(),
        units: leg.amount.units(),
        time: Some(ledger.stamp(seq).time),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Deposit,
    Out,
    Failed,
}

/// A router's log.
struct Log {
    scheme: Scheme,
    kind: Kind,
    index: u32,
    /// The vault of a deposit, the receiver of a payment.
    holder: [u8; 20],
    asset: [u8; 20],
    units: u128,
    memo: String,
}

impl Log {
    fn read(event: &Event, scheme: Scheme) -> Option<Self> {
        let at = SIGNATURES.iter().position(|(topic, _)| event.topics.first() == Some(topic))?;
        let fields = SIGNATURES[at].1.decode_event(&event.topics, &event.data).ok()?;
        let get = |name: &str| fields.iter().find(|field| field.name == name).map(|field| &field.value);
        let memo = match get("memo")? {
            Value::Text(text) => text.clone(),
            _ => return None,
        };
        let kind = match at {
            0 => Kind::Deposit,
            5 => Kind::Failed,
            _ => Kind::Out,
        };
        Some(Self {
            scheme,
            kind,
            index: event.index,
            holder: get("to")?.address()?,
            // Calls of aggregators before V6.1 name no asset: they pay with the native coin alone.
            asset: get("asset").and_then(Value::address).unwrap_or_default(),
            units: get("amount")?.units()?,
            memo,
        })
    }

    /// The asset as the ledger has it; the zero address is the native coin.
    fn asset_name(&self, ledger: &dyn Contracts) -> Option<String> {
        if self.asset == [0; 20] {
            return native(ledger);
        }
        Some(format!("{}/erc20:0x{}", ledger.id(), hex::text(&self.asset)))
    }
}

/// The native coin is the asset that is not named by a contract.
fn native(ledger: &dyn Contracts) -> Option<String> {
    (0..ledger.assets())
        .map(|at| &ledger.asset(ledger::AssetId(at)).symbol)
        .find(|symbol| !symbol.contains(':'))
        .cloned()
}

#[cfg(test)]
#[path = "onchain_tests.rs"]
mod tests;

//! `tracehound mempool`: what a node holds that no block has confirmed. It is shown and goes nowhere: the book is only
//! read, to tell what an input would spend.

use std::fmt::Write as _;
use std::io::Write as _;

use book::{Book, BookLedger};
use feed::node::{Bitcoind, FollowError, Identity, NodeError, Rpc, Unconfirmed, mempool, mempool_transaction};
use ledger::{Ledger, Network, Outpoint, UtxoTransaction, txid_bytes, txid_text};
use serde_json::{Value, json};

use crate::cli::MempoolArgs;
use crate::commands::{follow, print, stdout};
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::output::text::{counted, grouped, table};

/// What every text begins with.
const UNCONFIRMED: &str = "unconfirmed, not part of the book";

pub fn run(home: &Home, args: &MempoolArgs) -> Result<Exit, Failure> {
    let (address, login) = follow::node(&args.node)?;
    let txid = args.txid.as_deref().map(|text| {
        txid_bytes(text).ok_or_else(|| Failure::bad_input(format!("{text:?} is no transaction id of 64 hex digits")))
    });
    let txid = txid.transpose()?;
    let node = Bitcoind::connect(Rpc::new(address, login, &feed::node::BITCOIN)).map_err(failed)?;
    match txid {
        None => list(&node, args),
        Some(txid) => one(home, &node, &txid, args.json),
    }
}

fn failed(error: NodeError) -> Failure {
    FollowError::from(error).into()
}

fn list(node: &Bitcoind, args: &MempoolArgs) -> Result<Exit, Failure> {
    let mut all = mempool(node).map_err(failed)?;
    all.reverse();
    let Identity { ledger, asset, .. } = node.identity();
    if args.json {
        let entries: Vec<Value> = all.iter().map(|entry| document(entry, node)).collect();
        print(json!({
            "schema": "tracehound/mempool/1", "confirmed": false, "node": node.rpc().node(), "ledger": ledger.as_str(),
            "asset": asset.symbol, "transactions": entries,
        }))?;
        return Ok(Exit::Done);
    }
    let count = counted(all.len() as u64, "transaction");
    let mut text = format!("{UNCONFIRMED}: {count} in the mempool of {}, latest first\n", node.rpc().node());
    let row = |entry: &Unconfirmed| {
        let fee = format!("{} {}", asset.text(entry.fee), asset.symbol);
        let size = format!("{} vB", grouped(&entry.size_vbytes.to_string()));
        [entry.time.to_string(), txid_text(&entry.txid), fee, size]
    };
    let rows: Vec<[String; 4]> = all.iter().take(args.top).map(row).collect();
    table(&mut text, &rows, &[false, false, true, true]);
    if rows.len() < all.len() {
        let rest = grouped(&(all.len() - rows.len()).to_string());
        writeln!(text, "  … and {rest} more (--top or --json show them)").expect("a string takes any text");
    }
    stdout().write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

fn one(home: &Home, node: &Bitcoind, txid: &[u8; 32], as_json: bool) -> Result<Exit, Failure> {
    let Some((entry, transaction)) = mempool_transaction(node, txid).map_err(failed)? else {
        let (txid, node) = (txid_text(txid), node.rpc().node());
        return Err(Failure::missing(format!("transaction {txid} is not in the mempool of {node}")));
    };
    let Identity { ledger, asset, .. } = node.identity();
    // A book that is not there tells nothing about inputs, and is no reason not to show the rest.
    let open = home.open().ok().and_then(|book: Book| book.ledger(ledger).ok());
    let spent = |outpoint: &Outpoint| open.as_ref().and_then(|open| confirmed(open, outpoint));
    if as_json {
        print(details(node, &entry, &transaction, spent))?;
        return Ok(Exit::Done);
    }
    let amount = |units| format!("{} {}", asset.text(units), asset.symbol);
    let mut text = format!(
        "{UNCONFIRMED}: transaction {}, first seen by {} at {}, {} vB, fee {}\n",
        txid_text(txid),
        node.rpc().node(),
        entry.time,
        grouped(&entry.size_vbytes.to_string()),
        amount(entry.fee)
    );
    for input in &transaction.inputs {
        let output = format!("{}:{}", txid_text(&input.outpoint.txid), input.outpoint.vout);
        let line = match spent(&input.outpoint) {
            Some(Confirmed { value, holder, is_spent: false }) => {
                format!("in   {} of {holder}, {output}", amount(value))
            }
            Some(Confirmed { holder, is_spent: true, .. }) => {
                format!("in   {output} of {holder}, spent in the book already")
            }
            None => format!("in   {output}, which the book does not have"),
        };
        writeln!(text, "  {line}").expect("a string takes any text");
    }
    let network = Network::of(ledger);
    for output in &transaction.outputs {
        let line = format!("out  {} to {}", amount(output.amount), output.holder.name(network));
        writeln!(text, "  {line}").expect("a string takes any text");
    }
    stdout().write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

/// An output as the book has it.
struct Confirmed {
    /// What lies there now.
    value: money::Amount,
    holder: String,
    is_spent: bool,
}

fn confirmed(open: &BookLedger, outpoint: &Outpoint) -> Option<Confirmed> {
    let ledger: &dyn Ledger = open.as_ledger();
    let purse = ledger.find_output(&txid_text(&outpoint.txid), outpoint.vout)?;
    let value = ledger.balance(purse, ledger.end());
    let holder = ledger.holder_name(ledger.purse(purse).holder);
    // An output of nothing reads as spent, and nothing hangs on it.
    Some(Confirmed { value, holder, is_spent: value == money::Amount::ZERO })
}

fn document(entry: &Unconfirmed, node: &Bitcoind) -> Value {
    let asset = &node.identity().asset;
    json!({
        "txid": txid_text(&entry.txid), "fee": asset.text(entry.fee), "size_vbytes": entry.size_vbytes,
        "time": entry.time.to_string(),
    })
}

fn details(
    node: &Bitcoind,
    entry: &Unconfirmed,
    transaction: &UtxoTransaction,
    spent: impl Fn(&Outpoint) -> Option<Confirmed>,
) -> Value {
    let Identity { ledger, asset, .. } = node.identity();
    let network = Network::of(ledger);
    let input = |outpoint: &Outpoint| {
        let mut input = json!({"txid": txid_text(&outpoint.txid), "vout": outpoint.vout, "in_book": false});
        if let Some(has) = spent(outpoint) {
            input["in_book"] = true.into();
            input["holder"] = has.holder.into();
            input["spent_in_book"] = has.is_spent.into();
            if !has.is_spent {
                input["amount"] = asset.text(has.value).into();
            }
        }
        input
    };
    let inputs: Vec<Value> = transaction.inputs.iter().map(|spends| input(&spends.outpoint)).collect();
    let outputs = transaction.outputs.iter();
    let outputs: Vec<Value> = outputs
        .map(|output| json!({"holder": output.holder.name(network), "amount": asset.text(output.amount)}))
        .collect();
    let mut document = document(entry, node);
    document["schema"] = "tracehound/mempool-transaction/1".into();
    document["confirmed"] = false.into();
    document["node"] = node.rpc().node().into();
    document["ledger"] = ledger.as_str().into();
    document["asset"] = asset.symbol.clone().into();
    document["inputs"] = inputs.into();
    document["outputs"] = outputs.into();
    document
}

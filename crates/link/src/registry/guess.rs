//! A registry file from what others list of a bridge: contracts, events and functions in CSV, roles guessed by name and type.
//!
//! The forms are those of the published bridge data (`contracts/NAME.csv` with `address,contract_name,name_tag,srcnet`;
//! `event-fields/NAME_event.csv` and `NAME_func.csv` with `Action,event_name,arguments,exampleTxhash`, or `func_name`). A guess is
//! a start for a person: whatever could not be told is said, in the file's notes and beside it. It reads no file itself.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use decode::Fault;
use decode::fault::quoted;
use evm::abi::{Parameter, Signature, Type};

use super::chains;
use super::parse;
use crate::Direction;

/// The most rows of a list.
const ROWS_MAX: usize = 20_000;

/// Events of every token, which say nothing of a bridge.
const PLAIN: &[&str] = &["Transfer", "Approval", "Deposit", "Withdrawal", "transfer", "approve", "transferFrom"];

/// A file that was made, and what it could not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The registry file.
    pub yaml: String,
    /// What could not be told, one remark each.
    pub remarks: Vec<String>,
}

/// One list.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    /// The file's name, for messages.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

#[derive(Default)]
struct Read {
    contracts: Vec<(String, String, String, String)>,
    entries: Vec<Row>,
    remarks: Vec<String>,
}

struct Row {
    is_event: bool,
    direction: Direction,
    name: String,
    arguments: String,
}

/// Makes a registry file of lists. The fault is of the list that is named with it.
pub fn guess<'a>(protocol: &str, lists: &[List<'a>]) -> Result<Guess, (&'a str, Fault)> {
    let mut read = Read::default();
    for list in lists {
        read_list(list, &mut read).map_err(|fault| (list.name, fault))?;
    }
    let first = lists.first().map_or("", |list| list.name);
    if read.contracts.is_empty() {
        let help = "give the list of contracts, too: address, contract_name, name_tag, srcnet";
        return Err((first, Fault::whole("there is no contract in these lists", help)));
    }
    let (mut drafts, mut remarks) = (Vec::new(), std::mem::take(&mut read.remarks));
    let mut seen = BTreeSet::new();
    for row in &read.entries {
        if PLAIN.contains(&row.name.as_str()) && is_plain(&row.arguments) {
            remarks.push(format!(
                "{} {} is any token's; it says nothing of this bridge, and is left out",
                kind(row),
                row.name
            ));
            continue;
        }
        match Signature::parse(&format!("{}({})", row.name, row.arguments)) {
            Ok(signature) if seen.insert((row.is_event, signature.canonical())) => {
                drafts.push(draft(row, &signature, &mut remarks));
            }
            Ok(_) => {}
            Err(error) => remarks.push(format!("{} {}: {error}; left out", kind(row), row.name)),
        }
    }
    let key = |draft: &Draft, direction| draft.is_event && draft.direction == direction && draft.key.is_some();
    let both =
        drafts.iter().any(|d| key(d, Direction::Deposit)) && drafts.iter().any(|d| key(d, Direction::Withdrawal));
    let named = |draft: &Draft| draft.is_event && draft.other_tx.is_some();
    let deposit = drafts.iter().any(|draft| draft.is_event && draft.direction == Direction::Deposit);
    let pairing = if both {
        "key"
    } else if deposit && drafts.iter().any(named) {
        "transaction"
    } else {
        "none"
    };
    if pairing == "none" {
        remarks.push("nothing that both sides carry was found; links of this bridge can only be matched".into());
    }
    let yaml = written(protocol, pairing, &read.contracts, &drafts, &remarks);
    // What is wrong with the result is wrong with the lists: a bad address, say.
    parse::protocol(yaml.as_bytes(), protocol).map_err(|fault| {
        (first, Fault::whole(format!("no registry file can be made of this: {}", fault.what), fault.help))
    })?;
    Ok(Guess { yaml, remarks })
}

fn kind(row: &Row) -> &'static str {
    if row.is_event { "event" } else { "function" }
}

/// A list of two addresses and an amount, or less.
fn is_plain(arguments: &str) -> bool {
    arguments.split(',').count() <= 3
}

fn read_list(list: &List<'_>, read: &mut Read) -> Result<(), Fault> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(list.bytes);
    let bad = |error: csv::Error| {
        let line = error.position().map_or(0, csv::Position::line);
        Fault::line(line, format!("not a table: {}", quoted(&error.to_string())), "give CSV with a header")
    };
    let header: Vec<String> =
        reader.headers().map_err(bad)?.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    let column = |name: &str| header.iter().position(|found| found == name);
    let contracts = column("address").zip(column("srcnet"));
    let entries = column("arguments").zip(column("event_name").or(column("func_name")));
    if contracts.is_none() && entries.is_none() {
        let help = "contracts have address, contract_name, name_tag, srcnet; events Action, event_name, arguments; functions func_name";
        return Err(Fault::line(1, "the header is of no list that is known", help));
    }
    let is_event = column("event_name").is_some();
    for (place, record) in reader.records().enumerate() {
        let record = record.map_err(bad)?;
        let line = record.position().map_or(0, csv::Position::line);
        if place >= ROWS_MAX {
            return Err(Fault::line(line, format!("more than {ROWS_MAX} rows"), "split the list"));
        }
        let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default().trim().to_owned();
        if let Some((address, net)) = contracts {
            let (address, net) = (cell(Some(address)), cell(Some(net)));
            if address.is_empty() {
                continue;
            }
            let Some(ledger) = chains::named(&net) else {
                let help = "write a CAIP-2 id, a chain id, or a name such as ETH or BNB";
                return Err(
                    Fault::line(line, format!("{} is no chain that is known", quoted(&net)), help).field("srcnet")
                );
            };
            read.contracts.push((ledger.to_string(), address, cell(column("contract_name")), cell(column("name_tag"))));
        } else if let Some((arguments, name)) = entries {
            let (arguments, name) = (cell(Some(arguments)), cell(Some(name)));
            if name.is_empty() {
                continue;
            }
            let action = cell(column("action")).to_ascii_lowercase();
            let direction = match action.as_str() {
                "deposit" | "send" | "source" => Direction::Deposit,
                "withdraw" | "withdrawal" | "receive" | "destination" => Direction::Withdrawal,
                "refund" => Direction::Refund,
                _ => {
                    let help = "write Deposit or Withdraw";
                    return Err(Fault::line(line, format!("{} is no action", quoted(&action)), help).field("Action"));
                }
            };
            read.entries.push(Row { is_event, direction, name, arguments });
        }
    }
    Ok(())
}

/// An entry with its guesses: names of arguments, or terms.
struct Draft {
    is_event: bool,
    direction: Direction,
    signature: Signature,
    token: String,
    amount: String,
    fee: Option<String>,
    sender: Option<String>,
    recipient: Option<String>,
    other: Option<String>,
    /// How the other ledger is written: by a short name in a few bytes.
    other_is_name: bool,
    key: Option<String>,
    other_tx: Option<String>,
}

/// A parameter's name without decoration, in lower case.
fn plain(parameter: &Parameter) -> String {
    parameter.name.trim_start_matches('_').to_ascii_lowercase()
}

fn draft(row: &Row, signature: &Signature, remarks: &mut Vec<String>) -> Draft {
    let is_deposit = row.direction == Direction::Deposit;
    let find = |kinds: fn(&Type) -> bool, words: &[&str]| {
        let fits = |word: &&&str, exact: bool| {
            signature.inputs.iter().find(|input| {
                let name = plain(input);
                kinds(&input.kind) && if exact { name == **word } else { name.contains(**word) }
            })
        };
        let exact = words.iter().find_map(|word| fits(&word, true));
        exact.or_else(|| words.iter().filter(|word| word.len() > 3).find_map(|word| fits(&word, false)))
    };
    let name = |parameter: Option<&Parameter>| parameter.map(|parameter| parameter.name.clone());
    let numbers: fn(&Type) -> bool = |kind| matches!(kind, Type::Uint(bits) if *bits >= 96);
    let holders: fn(&Type) -> bool = |kind| matches!(kind, Type::Address | Type::Fixed(32) | Type::Bytes | Type::Text);
    let tokens: fn(&Type) -> bool = |kind| matches!(kind, Type::Address | Type::Fixed(32));
    let ledgers: fn(&Type) -> bool = |kind| matches!(kind, Type::Uint(_) | Type::Fixed(1..=8) | Type::Text);
    let keys: fn(&Type) -> bool = |kind| matches!(kind, Type::Fixed(32) | Type::Uint(128) | Type::Bytes);
    let (to, from): (&[&str], &[&str]) = (
        &["receiver", "recipient", "to", "dst", "toaddress", "dstaddress", "mintaccount", "bindaddr", "mintrecipient"],
        &["sender", "from", "depositor", "fromaddress", "account", "src", "burnaccount"],
    );
    let other: &[&str] = if is_deposit {
        &[
            "dstchainid",
            "tochainid",
            "destinationchainid",
            "mintchainid",
            "recipientchain",
            "dstchain",
            "tochain",
            "destination",
            "chainid",
            "chain",
        ]
    } else {
        &[
            "srcchainid",
            "fromchainid",
            "sourcechainid",
            "refchainid",
            "originchainid",
            "sourcechain",
            "srcchain",
            "fromchain",
            "locksource",
            "source",
            "chainid",
        ]
    };
    let key: &[&str] = if is_deposit {
        &["transferid", "depositid", "guid", "lockid", "burnid", "messageid", "swapid", "orderid", "id"]
    } else {
        &[
            "srctransferid",
            "refid",
            "guid",
            "lockid",
            "depositid",
            "kappa",
            "messageid",
            "swapid",
            "orderid",
            "transferid",
            "id",
        ]
    };
    let amount = name(find(numbers, &["amount", "value", "wad", "qty", "inputamount", "outputamount", "amountld"]));
    let amount = amount.filter(|name| !name.to_ascii_lowercase().contains("min"));
    let token =
        name(find(tokens, &["token", "asset", "erc20", "tokenaddress", "fromassethash", "toassethash", "currency"]));
    let other = find(ledgers, other);
    let mut draft = Draft {
        is_event: row.is_event,
        direction: row.direction,
        token: token.unwrap_or_else(|| "\"@transaction\"".into()),
        amount: amount.unwrap_or_else(|| "\"@transaction\"".into()),
        fee: name(find(numbers, &["fee"])),
        sender: name(find(holders, from)),
        recipient: name(find(holders, to)),
        other_is_name: other.is_some_and(|other| !matches!(other.kind, Type::Uint(_))),
        other: name(other),
        key: name(find(keys, key)),
        other_tx: None,
        signature: signature.clone(),
    };
    let said = format!("{} {}", kind(row), row.name);
    if !is_deposit {
        let hash = find(|kind| matches!(kind, Type::Fixed(32)), &["txhash", "srctxhash", "fromtxhash", "txs", "txid"]);
        draft.other_tx = name(hash).filter(|hash| Some(hash) != draft.key.as_ref());
        if draft.key.as_deref() == Some("kappa") {
            remarks.push(format!("{said}: kappa is taken for the hash of the deposit's transaction id as text"));
        }
    }
    if draft.amount.starts_with('"') {
        remarks.push(format!("{said}: no argument looks like the amount; it is taken from what the transaction moved"));
    }
    if draft.token.starts_with('"') {
        remarks.push(format!("{said}: no argument looks like the token; it is taken from what the transaction moved"));
    }
    match &draft.other {
        None => remarks.push(format!("{said}: no argument looks like the other ledger")),
        Some(other) if matches!(signature.input(other).map(|input| &input.kind), Some(Type::Uint(8 | 16))) => {
            remarks.push(format!(
                "{said}: {other} is too small for chain ids; write the protocol's numbers under `chains`"
            ));
            draft.other = None;
        }
        Some(_) => {}
    }
    if row.is_event && draft.key.is_none() && draft.other_tx.is_none() && !is_deposit {
        remarks.push(format!("{said}: no argument looks like what ties it to its deposit"));
    }
    draft
}

/// Text as YAML that no reader takes for anything else.
fn scalar(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    format!("'{}'", clean.replace('\'', "''"))
}

fn role(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    let words = [
        ("router", "router"),
        ("zap", "router"),
        ("vault", "vault"),
        ("lockproxy", "vault"),
        ("token", "token"),
        ("erc20", "token"),
        ("bep20", "token"),
        ("swapasset", "token"),
        ("manager", "messenger"),
    ];
    let bridge = ["tokenbridge", "bridge"].iter().any(|word| name.contains(word));
    if bridge {
        "bridge"
    } else {
        words.iter().find(|(word, _)| name.contains(word)).map_or("bridge", |(_, role)| role)
    }
}

fn written(
    protocol: &str,
    pairing: &str,
    contracts: &[(String, String, String, String)],
    drafts: &[Draft],
    remarks: &[String],
) -> String {
    let mut out = format!("protocol: {}\ntitle: {}\nversion: 1\n", scalar(&slug(protocol)), scalar(protocol));
    if !remarks.is_empty() {
        let _ = writeln!(out, "notes: {}", scalar(&format!("Guessed from lists. {}.", remarks.join(". "))));
    }
    let _ = writeln!(out, "aliases: [{}]\npairing: {pairing}\nfee: unknown", scalar(protocol));
    if drafts.iter().any(|draft| draft.other_is_name && draft.other.is_some()) {
        out.push_str(
            "chains: {ETH: 'eip155:1', BSC: 'eip155:56', POL: 'eip155:137', AVA: 'eip155:43114', FTM: 'eip155:250'}\n",
        );
    }
    out.push_str("contracts:\n");
    let mut known: BTreeSet<(String, String)> = BTreeSet::new();
    for (ledger, address, name, tag) in contracts {
        if !known.insert((ledger.clone(), address.to_ascii_lowercase())) {
            continue;
        }
        let role = role(&format!("{name} {tag}"));
        let name = scalar(if name.is_empty() { tag } else { name });
        let _ = writeln!(out, "  - {{ledger: '{ledger}', address: {}, name: {name}, role: {role}}}", scalar(address));
    }
    for (list, is_event) in [("events", true), ("functions", false)] {
        if drafts.iter().any(|draft| draft.is_event == is_event) {
            let _ = writeln!(out, "{list}:");
        }
        for draft in drafts.iter().filter(|draft| draft.is_event == is_event) {
            let Draft { signature, direction, token, amount, .. } = draft;
            let _ = writeln!(out, "  - signature: {}", scalar(&signature.to_string()));
            let _ = writeln!(out, "    direction: {}\n    token: {token}\n    amount: {amount}", direction.as_str());
            let fields = [
                ("fee", &draft.fee),
                ("sender", &draft.sender),
                ("recipient", &draft.recipient),
                ("other", &draft.other),
                ("key", &draft.key),
                ("other_tx", &draft.other_tx),
            ];
            for (name, value) in fields {
                if let Some(value) = value {
                    let _ = writeln!(out, "    {name}: {value}");
                }
            }
        }
    }
    out
}

/// A protocol's name as claims have it: lower case, hyphens between words.
pub fn slug(name: &str) -> String {
    let mut out = String::new();
    let mut before_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && before_lower {
            out.push('-');
        }
        before_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    }
    let words: Vec<&str> = out.split('-').filter(|word| !word.is_empty()).collect();
    let mut slug = words.join("-");
    slug.truncate(64);
    if slug.is_empty() { "bridge".to_owned() } else { slug }
}

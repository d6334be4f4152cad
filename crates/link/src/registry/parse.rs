//! From a YAML file to a [`Protocol`]: the first thing that is wrong is named with its line, its field and what to do.
//!
//! Everything that can be checked without a ledger is: keys, addresses with their checksums, signatures, and that each
//! entry refers only to arguments that its event has.

use std::collections::{BTreeMap, BTreeSet};

use decode::Fault;
use decode::fault::quoted;
use decode::yaml::{self, Node};
use evm::abi::{Signature, Type};
use ledger::{LedgerId, address, hex};
use money::Decimal;

use super::chains;
use super::terms::{Names, Term};
use super::unpack::{Layout, Unpack, can_be_packed};
use super::{Companion, Contract, Entry, Fee, Pairing, Place, Protocol, Role};
use crate::Direction;

/// The longest name of a protocol.
const NAME_BYTES_MAX: usize = 64;
/// How many contracts, and how many events and functions, an entry may have.
const ITEMS_MAX: usize = 20_000;

const PROTOCOL_KEYS: &[&str] = &[
    "protocol",
    "title",
    "aliases",
    "version",
    "sources",
    "notes",
    "chains",
    "pairing",
    "fee",
    "contracts",
    "events",
    "functions",
];
const CONTRACT_KEYS: &[&str] = &["ledger", "address", "name", "role"];
const ENTRY_KEYS: &[&str] = &[
    "signature",
    "direction",
    "contracts",
    "token",
    "amount",
    "fee",
    "sender",
    "recipient",
    "other",
    "key",
    "other_tx",
    "when",
    "unpack",
    "with",
];
const UNPACK_KEYS: &[&str] = &["argument", "protobuf", "packed"];
const WITH_KEYS: &[&str] = &["signature", "place", "unpack"];

/// Reads an entry file.
pub fn protocol(bytes: &[u8], file: &str) -> Result<Protocol, Fault> {
    let root = yaml::parse(bytes)?;
    root.only_keys(PROTOCOL_KEYS)?;
    let name_node = root.required("protocol")?;
    let name = field(name_node, "protocol", name_node.text().and_then(|text| protocol_name(name_node, text)))?;
    let chains = root.get("chains").map_or_else(|| Ok(BTreeMap::new()), chain_numbers)?;
    let contracts = items(&root, "contracts")?.iter().map(contract).collect::<Result<Vec<_>, _>>()?;
    if contracts.is_empty() {
        let fault = root.fault("there are no contracts here", "add `contracts:` with ledger, address, name, role");
        return Err(fault.field("contracts"));
    }
    let names: BTreeSet<&str> = contracts.iter().map(|contract| contract.name.as_str()).collect();
    let entries = |key: &str, is_event| {
        items(&root, key)?.iter().map(|node| entry(node, &names, is_event)).collect::<Result<Vec<_>, _>>()
    };
    let (events, functions) = (entries("events", true)?, entries("functions", false)?);
    let pairing = match root.get("pairing") {
        Some(node) => choice(node, "pairing", &Pairing::ALL, Pairing::as_str)?,
        None => Pairing::None,
    };
    let protocol = Protocol {
        title: optional_text(&root, "title")?.unwrap_or_else(|| name.clone()),
        name,
        version: version(&root)?,
        file: file.to_owned(),
        sources: texts(&root, "sources")?,
        aliases: texts(&root, "aliases")?,
        notes: optional_text(&root, "notes")?,
        chains,
        pairing,
        fee: root.get("fee").map_or(Ok(Fee::Unknown), fee)?,
        contracts,
        events,
        functions,
    };
    pairs(&root, &protocol)?;
    Ok(protocol)
}

/// Whether both sides have what pairing needs. An entry without it can only be left to the matcher, and that must be said.
fn pairs(root: &Node, protocol: &Protocol) -> Result<(), Fault> {
    let (what, has): (&str, fn(&Entry) -> bool) = match protocol.pairing {
        Pairing::Key => ("key", |entry| !entry.key.is_empty()),
        Pairing::Transaction => ("other_tx", |entry| entry.other_tx.is_some() || entry.direction == Direction::Deposit),
        Pairing::None => return Ok(()),
    };
    for direction in [Direction::Deposit, Direction::Withdrawal] {
        if !protocol.events.iter().any(|entry| entry.direction == direction && has(entry)) {
            let (by, side) = (protocol.pairing.as_str(), direction.as_str());
            let node = root.get("pairing").unwrap_or(root);
            let help = format!("give one of its events `{what}`, or write `pairing: none`");
            return wrong(node, "pairing", format!("pairing is by {by}, and no {side} has `{what}`"), help);
        }
    }
    Ok(())
}

/// Names the field of a fault that has only a place.
fn field<T>(node: &Node, name: &str, result: Result<T, Fault>) -> Result<T, Fault> {
    result.map_err(
        |fault| if fault.line == 0 { node.fault(fault.what, fault.help).field(name) } else { fault.field(name) },
    )
}

fn wrong<T>(node: &Node, name: &str, what: impl Into<String>, help: impl Into<String>) -> Result<T, Fault> {
    Err(node.fault(what, help).field(name))
}

fn items<'a>(node: &'a Node, key: &str) -> Result<&'a [Node], Fault> {
    let Some(list) = node.get(key) else { return Ok(&[]) };
    let items = field(list, key, list.list())?;
    if items.len() > ITEMS_MAX {
        return wrong(list, key, format!("more than {ITEMS_MAX} entries"), "split the file");
    }
    Ok(items)
}

fn texts(node: &Node, key: &str) -> Result<Vec<String>, Fault> {
    items(node, key)?.iter().map(|item| field(item, key, item.text().map(str::to_owned))).collect()
}

fn optional_text(node: &Node, key: &str) -> Result<Option<String>, Fault> {
    node.get(key).map(|value| field(value, key, value.text().map(str::to_owned))).transpose()
}

fn required_text<'a>(node: &'a Node, key: &str) -> Result<(&'a Node, &'a str), Fault> {
    let value = field(node, key, node.required(key))?;
    Ok((value, field(value, key, value.text())?))
}

fn protocol_name(node: &Node, text: &str) -> Result<String, Fault> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.bytes().all(good) {
        let help = "write lower-case letters, digits and hyphens, such as celer-cbridge";
        return Err(node.fault(format!("{} is no name of a protocol", quoted(text)), help));
    }
    Ok(text.to_owned())
}

fn version(root: &Node) -> Result<u32, Fault> {
    let Some(node) = root.get("version") else { return Ok(1) };
    let text = field(node, "version", node.text())?;
    match text.parse() {
        Ok(version) if version > 0 => Ok(version),
        _ => wrong(node, "version", format!("{} is no version", quoted(text)), "write a whole number from 1"),
    }
}

fn choice<T: Copy>(node: &Node, name: &str, all: &[T], word: fn(T) -> &'static str) -> Result<T, Fault> {
    let text = field(node, name, node.text())?;
    all.iter().copied().find(|item| word(*item) == text).map_or_else(
        || {
            let words: Vec<&str> = all.iter().map(|item| word(*item)).collect();
            wrong(
                node,
                name,
                format!("{} is not known here", quoted(text)),
                format!("write one of {}", words.join(", ")),
            )
        },
        Ok,
    )
}

fn ledger_of(node: &Node, name: &str) -> Result<LedgerId, Fault> {
    let text = field(node, name, node.text())?;
    chains::named(text).map_or_else(
        || {
            let help = "write a CAIP-2 id such as eip155:1, a chain id, or a name such as ethereum";
            wrong(node, name, format!("{} is no chain that is known", quoted(text)), help)
        },
        Ok,
    )
}

fn chain_numbers(node: &Node) -> Result<BTreeMap<String, LedgerId>, Fault> {
    let mut numbers = BTreeMap::new();
    for (key, value) in field(node, "chains", node.map())? {
        let text = field(key, "chains", key.text())?;
        if text.is_empty() || text.len() > NAME_BYTES_MAX {
            let help = "write the protocol's number or short name, then the ledger: `2: eip155:1`";
            return wrong(key, "chains", format!("{} is no number of a chain", quoted(text)), help);
        }
        numbers.insert(text.to_owned(), ledger_of(value, "chains")?);
    }
    Ok(numbers)
}

fn contract(node: &Node) -> Result<Contract, Fault> {
    field(node, "contracts", node.only_keys(CONTRACT_KEYS))?;
    let ledger = ledger_of(field(node, "ledger", node.required("ledger"))?, "ledger")?;
    let (place, text) = required_text(node, "address")?;
    if ledger.namespace() != "eip155" {
        return wrong(
            place,
            "address",
            format!("contracts on {ledger} are not read"),
            "list contracts of eip155 ledgers",
        );
    }
    let canonical = address::canonical(&ledger, text).map_err(|error| {
        place.fault(format!("{}: {error}", quoted(text)), "copy the address again").field("address")
    })?;
    let bytes = hex::bytes(&canonical[2..]).and_then(|bytes| bytes.try_into().ok());
    let role = match node.get("role") {
        Some(role) => choice(role, "role", &Role::ALL, Role::as_str)?,
        None => Role::Bridge,
    };
    Ok(Contract {
        address: bytes.expect("a canonical address has 40 digits"),
        name: optional_text(node, "name")?.unwrap_or(canonical),
        role,
        ledger,
    })
}

fn fee(node: &Node) -> Result<Fee, Fault> {
    let text = field(node, "fee", node.text())?;
    let fraction = || {
        let decimal = Decimal::parse(text.strip_prefix("up to ")?.strip_suffix('%')?).ok()?;
        (decimal.to_amount(6).ok()?.units() <= 100_000_000).then_some(Fee::UpTo(decimal))
    };
    match text {
        "none" => Ok(Fee::None),
        "told" => Ok(Fee::Told),
        "unknown" => Ok(Fee::Unknown),
        _ => fraction().map_or_else(
            || wrong(node, "fee", format!("{} is no fee", quoted(text)), "write none, told, unknown, or `up to 5%`"),
            Ok,
        ),
    }
}

fn signature(node: &Node) -> Result<Signature, Fault> {
    let (place, text) = required_text(node, "signature")?;
    Signature::parse(text).map_err(|error| {
        let help = "write it as Name(type indexed name, …)";
        place.fault(format!("{} is no signature: {error}", quoted(text)), help).field("signature")
    })
}

fn entry(node: &Node, contracts: &BTreeSet<&str>, is_event: bool) -> Result<Entry, Fault> {
    let list = if is_event { "events" } else { "functions" };
    field(node, list, node.only_keys(ENTRY_KEYS))?;
    let signature = signature(node)?;
    let direction =
        choice(field(node, "direction", node.required("direction"))?, "direction", &Direction::ALL, Direction::as_str)?;
    let mut named = Vec::new();
    for item in items(node, "contracts")? {
        let text = field(item, "contracts", item.text())?;
        if !contracts.contains(text) {
            let known = contracts.iter().copied().collect::<Vec<_>>().join(", ");
            let what = format!("there is no contract {} here", quoted(text));
            return wrong(item, "contracts", what, format!("known in this file: {known}"));
        }
        named.push(text.to_owned());
    }
    let mut names: Names<Type> = Names::default();
    names.add("", &signature.inputs);
    let unpack = unpacks(node, &mut names, "")?;
    let with = node.get("with").map(|with| companion(with, &mut names)).transpose()?;
    if !is_event && let (Some(with), Some(_)) = (node.get("with"), &with) {
        return wrong(with, "with", "calldata has no other events", "use `with` under `events`");
    }
    let terms = Terms { names: &names, signature: &signature };
    let optional = |key: &str, usual: Usual| node.get(key).map(|value| terms.read(value, key, usual)).transpose();
    let amount = terms.read(field(node, "amount", node.required("amount"))?, "amount", Usual::Amount)?;
    let mut key = Vec::new();
    if let Some(value) = node.get("key") {
        match &value.value {
            yaml::Value::List(parts) => {
                for part in parts {
                    key.push(terms.read(part, "key", Usual::Key)?);
                }
            }
            _ => key.push(terms.read(value, "key", Usual::Key)?),
        }
    }
    Ok(Entry {
        direction,
        contracts: named,
        token: optional("token", Usual::Token)?,
        amount,
        fee: optional("fee", Usual::Fee)?,
        sender: optional("sender", Usual::Holder)?,
        recipient: optional("recipient", Usual::Holder)?,
        other: optional("other", Usual::Ledger)?,
        key,
        other_tx: optional("other_tx", Usual::Transaction)?,
        when: conditions(node, &terms)?,
        unpack,
        with,
        topic: signature.topic(),
        signature,
    })
}

fn unpacks(node: &Node, names: &mut Names<Type>, prefix: &str) -> Result<Vec<Unpack>, Fault> {
    let mut found = Vec::new();
    for item in items(node, "unpack")? {
        field(item, "unpack", item.only_keys(UNPACK_KEYS))?;
        let (place, argument) = required_text(item, "argument")?;
        let kind = names.0.get(&format!("{prefix}{argument}"));
        if !matches!(kind, Some(Type::Bytes | Type::Fixed(_))) {
            let what = format!("{} is no argument of bytes here", quoted(argument));
            return wrong(place, "argument", what, "name an argument of type bytes");
        }
        let layout = match (item.get("protobuf"), item.get("packed")) {
            (Some(fields), None) => protobuf(fields)?,
            (None, Some(text)) => packed(text)?,
            _ => {
                return wrong(item, "unpack", "the form is missing, or there are two", "give one of: protobuf, packed");
            }
        };
        let mut parts = Names::<Type>::default();
        parts.add(&format!("{prefix}{argument}."), &layout.parts());
        names.0.extend(parts.0);
        found.push(Unpack { argument: argument.to_owned(), layout });
    }
    Ok(found)
}

fn protobuf(node: &Node) -> Result<Layout, Fault> {
    let mut fields = Vec::new();
    for (name, number) in field(node, "protobuf", node.map())? {
        let text = field(number, "protobuf", number.text())?;
        let Some(number) = text.parse::<u64>().ok().filter(|number| (1..1 << 29).contains(number)) else {
            return wrong(
                number,
                "protobuf",
                format!("{} is no number of a field", quoted(text)),
                "write `name: number`",
            );
        };
        fields.push((number, field(name, "protobuf", name.text())?.to_owned()));
    }
    Ok(Layout::Protobuf(fields))
}

fn packed(node: &Node) -> Result<Layout, Fault> {
    let text = field(node, "packed", node.text())?;
    let parsed = Signature::parse(&format!("packed({text})")).map_err(|error| {
        node.fault(format!("{}: {}", quoted(text), error.what), "write `type name, type name`").field("packed")
    })?;
    let last = parsed.inputs.len().saturating_sub(1);
    let fits = |(at, input): (usize, &evm::abi::Parameter)| {
        can_be_packed(&input.kind) && (input.kind != Type::Bytes || at == last)
    };
    if parsed.inputs.is_empty() || !parsed.inputs.iter().enumerate().all(fits) {
        let help = "uint, address, bool and bytesN lie end to end; bytes can only be last, and takes the rest";
        return wrong(node, "packed", format!("{} cannot be taken apart", quoted(text)), help);
    }
    Ok(Layout::Packed(parsed.inputs))
}

fn companion(node: &Node, names: &mut Names<Type>) -> Result<Companion, Fault> {
    field(node, "with", node.only_keys(WITH_KEYS))?;
    let signature = signature(node)?;
    let place = match node.get("place") {
        Some(place) => choice(place, "place", &[Place::Before, Place::After], |place| match place {
            Place::Before => "before",
            Place::After => "after",
        })?,
        None => Place::Before,
    };
    let prefix = format!("{}.", signature.name);
    names.add(&prefix, &signature.inputs);
    let unpack = unpacks(node, names, &prefix)?;
    Ok(Companion { signature, place, unpack })
}

fn conditions(node: &Node, terms: &Terms<'_>) -> Result<Vec<(Term, String)>, Fault> {
    let Some(when) = node.get("when") else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (key, value) in field(when, "when", when.map())? {
        let term = terms.read(key, "when", Usual::Key)?;
        found.push((term, field(value, "when", value.text())?.to_ascii_lowercase()));
    }
    Ok(found)
}

/// What is wanted of a term, which says what other than arguments may stand there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Usual {
    Token,
    Amount,
    Fee,
    Holder,
    Ledger,
    Key,
    Transaction,
}

struct Terms<'a> {
    names: &'a Names<Type>,
    signature: &'a Signature,
}

impl Terms<'_> {
    fn read(&self, node: &Node, name: &str, usual: Usual) -> Result<Term, Fault> {
        let text = field(node, name, node.text())?;
        let special = match (text, usual) {
            ("@contract", Usual::Token | Usual::Holder | Usual::Key) => Some(Term::Contract),
            ("@chain", Usual::Key) => Some(Term::Chain),
            ("@tx", Usual::Key) => Some(Term::Tx),
            ("@tx_text_hash", Usual::Key) => Some(Term::TxTextHash),
            ("@native", Usual::Token) => Some(Term::Native),
            ("@transaction", Usual::Token | Usual::Amount | Usual::Holder) => Some(Term::Transaction),
            _ if usual == Usual::Ledger && text.contains(':') => Some(Term::Ledger(ledger_of(node, name)?)),
            _ if usual == Usual::Key && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
                text.parse().ok().map(Term::Number).filter(|_| !self.names.0.contains_key(text))
            }
            _ => None,
        };
        if let Some(term) = special {
            return Ok(term);
        }
        let Some(kind) = self.names.0.get(text) else {
            let known: Vec<&str> = self.names.0.keys().map(String::as_str).collect();
            let what = format!("{} has no argument {}", self.signature.name, quoted(text));
            return wrong(node, name, what, format!("known here: {}", known.join(", ")));
        };
        let fits = match usual {
            Usual::Amount | Usual::Fee => matches!(kind, Type::Uint(_) | Type::Int(_) | Type::Bytes),
            Usual::Token => matches!(kind, Type::Address | Type::Fixed(_) | Type::Bytes),
            Usual::Ledger => matches!(kind, Type::Uint(_) | Type::Fixed(_) | Type::Bytes | Type::Text),
            Usual::Holder | Usual::Transaction => {
                !matches!(kind, Type::Bool | Type::List(_) | Type::Array(..) | Type::Tuple(_))
            }
            Usual::Key => !matches!(kind, Type::List(_) | Type::Array(..) | Type::Tuple(_)),
        };
        if !fits {
            let what = format!("{} is of type {kind}, which is no {name}", quoted(text));
            return wrong(node, name, what, "name another argument");
        }
        Ok(Term::Argument(text.to_owned()))
    }
}

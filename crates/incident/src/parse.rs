//! From a YAML file to an [`Incident`]: one fault for the first thing that is wrong, with its place and what to do.
//!
//! Everything is checked that can be checked without a ledger: keys, forms, address checksums, windows of time.

use decode::Fault;
use decode::fault::quoted;
use decode::yaml::{self, Node};
use ledger::{LedgerId, Time, address, txid_bytes};
use money::Decimal;

use crate::keys::{
    amount, choice, id, items, known_keys, optional_amount, optional_text, place, placed, required_text, text, when,
};
use crate::model::{Attribution, Incident, Loss, Placed, Report, Return, Status, Stolen, Victim, VictimKind};

const INCIDENT_KEYS: &[&str] = &[
    "incident",
    "title",
    "victim",
    "occurred",
    "discovered",
    "status",
    "losses",
    "recovered",
    "frozen",
    "reported",
    "claims",
    "notes",
];
const VICTIM_KEYS: &[&str] = &["name", "kind", "country"];
const LOSS_KEYS: &[&str] = &["ledger", "asset", "amount", "stolen"];
const STOLEN_KEYS: &[&str] = &["tx", "to", "output", "address", "from", "until", "amount"];
const RETURN_KEYS: &[&str] = &["ledger", "asset", "amount", "date", "by", "source"];
const REPORT_KEYS: &[&str] = &["usd", "by", "date", "source"];
const CLAIM_KEYS: &[&str] = &["actor", "by", "date", "source", "confidence"];

impl Incident {
    /// Reads an incident file.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Result<Self, Fault> {
        let root = yaml::parse(bytes.as_ref())?;
        known_keys(&root, "an incident", INCIDENT_KEYS)?;
        let occurred = when(&root, "occurred")?;
        let discovered = when(&root, "discovered")?;
        if let (Some(occurred), Some(discovered)) = (&occurred, &discovered)
            && discovered.value.surely_before(occurred.value)
        {
            let what = format!("discovered on {}, before it occurred on {}", discovered.value, occurred.value);
            return Err(discovered.place.fault(what, "correct one of the two dates"));
        }
        Ok(Self {
            id: id(&root)?,
            title: optional_text(&root, "title")?,
            victim: root.get("victim").map(victim).transpose()?,
            occurred: occurred.map(|occurred| occurred.value),
            discovered: discovered.map(|discovered| discovered.value),
            status: root.get("status").map(|node| choice(node, "status", Status::ALL)).transpose()?,
            losses: root.required("losses")?.list()?.iter().map(loss).collect::<Result<_, _>>()?,
            recovered: items(&root, "recovered")?.iter().map(returned).collect::<Result<_, _>>()?,
            frozen: items(&root, "frozen")?.iter().map(returned).collect::<Result<_, _>>()?,
            reported: items(&root, "reported")?.iter().map(report).collect::<Result<_, _>>()?,
            claims: items(&root, "claims")?.iter().map(attribution).collect::<Result<_, _>>()?,
            notes: optional_text(&root, "notes")?,
        })
    }
}

fn victim(node: &Node) -> Result<Victim, Fault> {
    known_keys(node, "a victim", VICTIM_KEYS)?;
    let country = node.get("country").map(|node| {
        let code = text(node)?;
        if code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()) {
            Ok(code.to_owned())
        } else {
            let help = "write the two capital letters of ISO 3166, such as VN";
            Err(node.fault(format!("{} is no country code", quoted(code)), help))
        }
    });
    Ok(Victim {
        name: required_text(node, "name")?,
        kind: node.get("kind").map(|node| choice(node, "kind of victim", VictimKind::ALL)).transpose()?,
        country: country.transpose()?,
    })
}

fn ledger_id(node: &Node) -> Result<LedgerId, Fault> {
    let found = text(node)?;
    LedgerId::parse(found).map_err(|_| {
        node.fault(
            format!("{} is no ledger id", quoted(found)),
            "write bitcoin, ethereum, a CAIP-2 id such as eip155:1, bank:BIC or table:NAME",
        )
    })
}

fn loss(node: &Node) -> Result<Loss, Fault> {
    known_keys(node, "a loss", LOSS_KEYS)?;
    let ledger_node = node.required("ledger")?;
    let ledger = placed(ledger_node, ledger_id(ledger_node)?);
    let asset = node.required("asset")?;
    let stolen = items(node, "stolen")?.iter().map(|item| stolen(item, &ledger.value).map(|start| placed(item, start)));
    Ok(Loss {
        place: place(node),
        asset: placed(asset, text(asset)?.to_owned()),
        amount: optional_amount(node, "amount")?,
        stolen: stolen.collect::<Result<_, _>>()?,
        ledger,
    })
}

/// One place where a trace starts; `tx`, `output` or `address` says which kind it is.
fn stolen(node: &Node, ledger: &LedgerId) -> Result<Stolen, Fault> {
    known_keys(node, "a start", STOLEN_KEYS)?;
    let named: Vec<&str> = ["tx", "output", "address"].into_iter().filter(|key| node.get(key).is_some()).collect();
    let [kind] = named[..] else {
        let what = match named.len() {
            0 => "this start names nothing".to_owned(),
            _ => format!("this start names {}", named.join(" and ")),
        };
        return Err(node.fault(what, "give exactly one of: tx, output, address"));
    };
    for (key, owner) in [("to", "tx"), ("from", "address"), ("until", "address")] {
        if let Some(value) = node.get(key)
            && owner != kind
        {
            return Err(value.fault(format!("`{key}` does not go with `{kind}`"), format!("it goes with `{owner}`")));
        }
    }
    let amount = cap(node)?;
    let subject = node.required(kind)?;
    match kind {
        "tx" => {
            let to = node.get("to").map(|to| holder(to, ledger)).transpose()?;
            Ok(Stolen::Transaction { tx: text(subject)?.to_owned(), to, amount })
        }
        "output" => {
            let (txid, vout) = output(subject)?;
            Ok(Stolen::Output { txid, vout, amount })
        }
        _ => {
            let (from, until) = (instant(node, "from")?, instant(node, "until")?);
            if let (Some(from), Some(until)) = (&from, &until)
                && from.value >= until.value
            {
                let what = format!("the window from {} until {} is empty", from.value, until.value);
                return Err(until.place.fault(what, "`until` is not included: for one whole day write the next day"));
            }
            let (from, until) = (from.map(|from| from.value), until.map(|until| until.value));
            Ok(Stolen::Address { address: holder(subject, ledger)?, from, until, amount })
        }
    }
}

fn cap(node: &Node) -> Result<Option<Decimal>, Fault> {
    match optional_amount(node, "amount")? {
        Some(amount) if amount.value.trimmed() == Decimal::new(0, 0) => Err(amount
            .place
            .fault("a start of nothing", "leave this start out, or leave `amount` out to take all of it")),
        amount => Ok(amount.map(|amount| amount.value)),
    }
}

fn holder(node: &Node, ledger: &LedgerId) -> Result<String, Fault> {
    let found = text(node)?;
    address::canonical(ledger, found).map_err(|error| {
        node.fault(format!("{} on {ledger}: {error}", quoted(found)), "copy the address again, in full")
    })
}

fn output(node: &Node) -> Result<(String, u32), Fault> {
    let found = text(node)?;
    found
        .rsplit_once(':')
        .filter(|(txid, _)| txid_bytes(txid).is_some())
        .and_then(|(txid, vout)| Some((txid.to_ascii_lowercase(), vout.parse().ok()?)))
        .ok_or_else(|| {
            let help = "write the transaction's 64 hexadecimal digits, a colon and the output's index from 0";
            node.fault(format!("{} is no output", quoted(found)), help)
        })
}

fn instant(node: &Node, key: &str) -> Result<Option<Placed<Time>>, Fault> {
    let Some(value) = node.get(key) else { return Ok(None) };
    let found = text(value)?;
    let time = Time::parse(found).map_err(|_| {
        let help = "write a date such as 2022-03-23 (its first instant) or a time such as 2022-03-23T13:29:00Z";
        value.fault(format!("{key}: {} is no time", quoted(found)), help)
    })?;
    Ok(Some(placed(value, time)))
}

fn returned(node: &Node) -> Result<Return, Fault> {
    known_keys(node, "an entry of recovered or frozen", RETURN_KEYS)?;
    Ok(Return {
        ledger: node.get("ledger").map(ledger_id).transpose()?,
        asset: required_text(node, "asset")?,
        amount: amount(node.required("amount")?, "amount")?,
        date: when(node, "date")?.map(|date| date.value),
        by: optional_text(node, "by")?,
        source: optional_text(node, "source")?,
    })
}

fn report(node: &Node) -> Result<Report, Fault> {
    known_keys(node, "a reported figure", REPORT_KEYS)?;
    Ok(Report {
        usd: amount(node.required("usd")?, "usd")?,
        by: required_text(node, "by")?,
        date: when(node, "date")?.map(|date| date.value),
        source: optional_text(node, "source")?,
    })
}

fn attribution(node: &Node) -> Result<Attribution, Fault> {
    known_keys(node, "a claim", CLAIM_KEYS)?;
    Ok(Attribution {
        actor: required_text(node, "actor")?,
        by: required_text(node, "by")?,
        date: when(node, "date")?.map(|date| date.value),
        source: required_text(node, "source")?,
        confidence: optional_text(node, "confidence")?,
    })
}

//! Screenings as NDJSON, field by field as `docs/screening.md` has them.

use std::collections::BTreeMap;
use std::io::Write;

use know::Claim;
use money::Amount;
use screen::finding::{Bond, Exposure, Finding, Flow, Inherited, Proof, Slice, Subject, Tagged};
use screen::say::{fraction, reason, share_ceiling_millionths, share_floor_millionths};
use screen::{Answer, Categories, CategorySet, Changed, Direction, Figures, Fired, Reach, RuleBook};
use serde_json::{Map, Value, json};

use crate::exit::Failure;

/// The format of a screening.
pub const SCHEMA: &str = "tracehound/screen/1";
/// The format of what changed since an earlier one.
pub const CHANGE_SCHEMA: &str = "tracehound/screen-change/1";

/// What turns an answer into a document.
pub struct Writer<'a> {
    pub rules: &'a RuleBook,
    pub categories: &'a Categories,
}

impl Writer<'_> {
    /// One answer, on one line.
    pub fn answer(&self, out: &mut impl Write, answer: &Answer) -> Result<(), Failure> {
        writeln!(out, "{}", self.document(answer))?;
        Ok(())
    }

    /// What changed about one query, on one line.
    pub fn change(&self, out: &mut impl Write, since: &str, changed: &Changed, answer: &Answer) -> Result<(), Failure> {
        let rows = |changes: &[screen::Change]| -> Vec<Value> {
            changes.iter().map(|change| json!({"kind": change.kind, "text": change.text})).collect()
        };
        let document = json!({
            "schema": CHANGE_SCHEMA, "query": answer.query, "since": since, "status": answer.status.as_str(),
            "changed": rows(&changed.what), "because": rows(&changed.why), "now": self.document(answer),
        });
        writeln!(out, "{document}")?;
        Ok(())
    }

    fn document(&self, answer: &Answer) -> Value {
        let mut document = Map::new();
        let mut put = |key: &str, value: Value| drop(document.insert(key.to_owned(), value));
        put("schema", SCHEMA.into());
        put("query", answer.query.clone().into());
        put("line", answer.line.into());
        put("status", answer.status.as_str().into());
        put("text", answer.text.clone().into());
        put(
            "rules",
            json!({
                "policy": self.rules.policy, "hash": self.rules.hash, "certificate": self.rules.certificate.as_str(),
            }),
        );
        if let Some((finding, judgement)) = &answer.found {
            put("fired", judgement.fired.iter().map(|fired| self.fired(fired)).collect());
            self.finding(finding, &mut put);
        }
        Value::Object(document)
    }

    fn finding(&self, finding: &Finding, put: &mut impl FnMut(&str, Value)) {
        match &finding.subject {
            Subject::Address(address) => put("address", address.clone().into()),
            Subject::Transaction { tx, is_confirmed, join, is_doubtful } => {
                put("tx", tx.clone().into());
                put("confirmed", (*is_confirmed).into());
                put("join", (*join).into());
                put("doubtful", (*is_doubtful).into());
            }
        }
        put("ledger", finding.ledger.as_ref().map(ToString::to_string).into());
        put("tags", finding.tags.iter().map(|tagged| self.tagged(tagged)).collect());
        put("inherited", finding.inherited.iter().map(|inherited| self.inherited(inherited)).collect());
        put("inherited_more", finding.inherited_more.into());
        put("conflicts", finding.conflicts.clone().into());
        let cluster = |cluster: &Option<screen::finding::Cluster>| {
            cluster.as_ref().map_or(
                Value::Null,
                |cluster| json!({"oldest": cluster.oldest, "size": cluster.size, "layer": cluster.layer}),
            )
        };
        put("cluster", cluster(&finding.cluster));
        put("lead", cluster(&finding.lead));
        put("exposure", finding.exposure.iter().map(|exposure| self.exposure(exposure)).collect());
        let seen = finding.seen.map_or(Value::Null, |seen| {
            json!({"first": seen.first.to_string(), "last": seen.last.to_string(), "transactions": seen.transactions})
        });
        put("seen", seen);
        let listing = |listing: &screen::finding::Listing| {
            let text = |amount| listing.asset.text(amount);
            json!({
                "date": listing.date.to_string(), "label": listing.label, "pack": listing.pack,
                "asset": listing.asset.symbol, "before": text(listing.before), "after": text(listing.after),
            })
        };
        put("listings", finding.listings.iter().map(listing).collect());
        put("notes", finding.notes.clone().into());
        let versions = &finding.versions;
        let methods: BTreeMap<&String, &String> = versions.methods.iter().map(|(name, of)| (name, of)).collect();
        put(
            "as_of",
            json!({
                "height": versions.height, "block": versions.block, "time": versions.time.map(|time| time.to_string()),
                "transactions": versions.transactions, "tags": some(&versions.tags), "rulings": some(&versions.rulings),
                "methods": methods,
            }),
        );
    }

    fn fired(&self, fired: &Fired) -> Value {
        let mut document = json!({
            "rule": fired.rule, "line": fired.line, "action": fired.action.as_str(),
            "reason": reason(fired, self.categories),
        });
        match &fired.figures {
            Figures::Exposure { asset, direction, reach, low, high, total, share_millionths, amount, .. } => {
                document["kind"] = "exposure".into();
                document["asset"] = asset.symbol.clone().into();
                document["direction"] = direction.as_str().into();
                document["exposure"] = reach.map_or("either", Reach::as_str).into();
                document["low"] = asset.text(*low).into();
                document["high"] = asset.text(*high).into();
                document["total"] = asset.text(*total).into();
                document["share_low"] = fraction(share_floor_millionths(*low, *total)).into();
                document["share_high"] = fraction(share_ceiling_millionths(*high, *total)).into();
                document["share_over"] = share_millionths.map(fraction).into();
                document["amount_over"] = amount.as_ref().map(|limit| limit.amount.to_string()).into();
            }
            Figures::Tag { holder, entity, category, confidence } => {
                document["kind"] = "tag".into();
                document["holder"] = holder.clone().into();
                document["entity"] = entity.clone().into();
                document["category"] = self.categories.name(*category).into();
                document["confidence"] = (*confidence).into();
            }
            Figures::Poison { categories } => {
                document["kind"] = "poison".into();
                document["categories"] = categories.iter().map(|number| self.categories.name(*number)).collect();
            }
        }
        document
    }

    fn tagged(&self, tagged: &Tagged) -> Value {
        json!({
            "category": tagged.category.map(|number| self.categories.name(number)),
            "categories": self.names(tagged.categories), "stop": tagged.stop, "entity": tagged.entity,
            "risks": tagged.risks, "confidence": tagged.confidence,
            "claims": tagged.claims.iter().map(claim).collect::<Vec<_>>(), "claims_more": tagged.claims_more,
        })
    }

    fn inherited(&self, inherited: &Inherited) -> Value {
        let mut document = self.tagged(&inherited.tagged);
        document["holder"] = inherited.holder.clone().into();
        let (by, path) = match &inherited.by {
            Bond::Cluster(path) => ("cluster", path.as_slice()),
            Bond::Input => ("input", [].as_slice()),
            Bond::Output => ("output", [].as_slice()),
            Bond::Counterparty(Direction::Received) => ("payer", [].as_slice()),
            Bond::Counterparty(Direction::Sent) => ("payee", [].as_slice()),
        };
        document["by"] = by.into();
        let edge = |edge: &screen::finding::Edge| json!({"edge": edge.name, "from": edge.from, "to": edge.to});
        document["path"] = path.iter().map(edge).collect();
        document
    }

    fn exposure(&self, exposure: &Exposure) -> Value {
        let text = |amount| exposure.asset.text(amount);
        let first_out = exposure
            .first_out
            .iter()
            .map(|(number, amount)| json!({"category": self.categories.name(*number), "amount": text(*amount)}));
        json!({
            "asset": exposure.asset.symbol, "indirect_kept": exposure.has_indirect,
            "received": self.flow(exposure, &exposure.received), "sent": self.flow(exposure, &exposure.sent),
            "poison": self.names(exposure.poison), "first_out": first_out.collect::<Vec<_>>(),
        })
    }

    fn flow(&self, exposure: &Exposure, flow: &Flow) -> Value {
        let text = |amount: Amount| exposure.asset.text(amount);
        let slice = |slice: &Slice| {
            let (low, high) = screen::interval(flow, CategorySet::one(slice.category), None);
            let entity = |(name, amount): &(String, Amount)| json!({"entity": name, "amount": text(*amount)});
            json!({
                "category": self.categories.name(slice.category), "direct": text(slice.direct),
                "indirect": text(slice.indirect), "low": text(low), "high": text(high),
                "share_low": fraction(share_floor_millionths(low, flow.total)),
                "share_high": fraction(share_ceiling_millionths(high, flow.total)),
                "entities": slice.entities.iter().map(entity).collect::<Vec<_>>(),
                "nearest": slice.nearest.as_ref().map(|nearest| proof(nearest, &text)),
            })
        };
        json!({
            "total": text(flow.total), "truncated": text(flow.truncated), "movements": flow.movements.0,
            "looked_at": flow.movements.1, "categories": flow.categories.iter().map(slice).collect::<Vec<_>>(),
        })
    }

    fn names(&self, set: CategorySet) -> Vec<&str> {
        set.numbers().map(|number| self.categories.name(number)).collect()
    }
}

fn proof(nearest: &Proof, text: &impl Fn(Amount) -> String) -> Value {
    let hop = |hop: &screen::finding::Hop| json!({"tx": hop.tx, "time": hop.time.to_string(), "to": hop.to, "amount": text(hop.amount)});
    json!({
        "holder": nearest.holder, "entity": nearest.entity, "hops": nearest.hops.iter().map(hop).collect::<Vec<_>>(),
    })
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn claim(claim: &Claim) -> Value {
    json!({
        "address": claim.address, "label": &*claim.label,
        "categories": claim.categories.iter().map(|word| &**word).collect::<Vec<&str>>(),
        "abuse": claim.abuse.as_deref(), "actor": claim.actor.as_deref(), "source": claim.source.as_deref(),
        "confidence": claim.confidence.as_deref(), "date": claim.date.map(|date| date.to_string()),
        "pack": &*claim.pack, "pack_hash": claim.pack_hash.map(|hash| hash.to_string()),
    })
}

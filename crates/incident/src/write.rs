//! An [`Incident`] as the YAML file that [`Incident::parse`] reads back. All texts stand in double quotes.
//!
//! Comments of a file that was read are not kept.

use std::fmt::{Display, Write as _};

use crate::model::{Incident, Loss, Return, Stolen};

impl Incident {
    /// The incident file.
    pub fn to_yaml(&self) -> String {
        let mut out = String::new();
        line(&mut out, "incident", &self.id);
        optional(&mut out, "title", self.title.as_ref().map(quote));
        if let Some(victim) = &self.victim {
            let mut flow = Flow::new();
            flow.text("name", Some(&victim.name));
            flow.plain("kind", victim.kind.map(super::VictimKind::as_str));
            // In quotes: `NO` is Norway, not false.
            flow.text("country", victim.country.as_ref());
            line(&mut out, "victim", flow.done());
        }
        optional(&mut out, "occurred", self.occurred);
        optional(&mut out, "discovered", self.discovered);
        optional(&mut out, "status", self.status.map(super::Status::as_str));
        out.push_str(if self.losses.is_empty() { "losses: []\n" } else { "losses:\n" });
        for loss in &self.losses {
            write_loss(&mut out, loss);
        }
        list(&mut out, "recovered", &self.recovered, write_return);
        list(&mut out, "frozen", &self.frozen, write_return);
        list(&mut out, "reported", &self.reported, |report, flow| {
            flow.plain("usd", Some(quote(report.usd)));
            flow.text("by", Some(&report.by));
            flow.plain("date", report.date);
            flow.text("source", report.source.as_ref());
        });
        list(&mut out, "claims", &self.claims, |claim, flow| {
            flow.text("actor", Some(&claim.actor));
            flow.text("by", Some(&claim.by));
            flow.plain("date", claim.date);
            flow.text("source", Some(&claim.source));
            flow.text("confidence", claim.confidence.as_ref());
        });
        optional(&mut out, "notes", self.notes.as_ref().map(quote));
        out
    }
}

fn write_loss(out: &mut String, loss: &Loss) {
    line(out, "  - ledger", &loss.ledger.value);
    line(out, "    asset", quote(&loss.asset.value));
    optional(out, "    amount", loss.amount.as_ref().map(|amount| quote(amount.value)));
    out.push_str(if loss.stolen.is_empty() { "    stolen: []\n" } else { "    stolen:\n" });
    for stolen in &loss.stolen {
        let mut flow = Flow::new();
        match &stolen.value {
            Stolen::Transaction { tx, to, .. } => {
                flow.text("tx", Some(tx));
                flow.text("to", to.as_ref());
            }
            Stolen::Output { txid, vout, .. } => flow.plain("output", Some(quote(format!("{txid}:{vout}")))),
            Stolen::Address { address, from, until, .. } => {
                flow.text("address", Some(address));
                flow.plain("from", from.map(quote));
                flow.plain("until", until.map(quote));
            }
        }
        flow.plain("amount", stolen.value.amount().map(quote));
        line(out, "      -", flow.done());
    }
}

fn write_return(returned: &Return, flow: &mut Flow) {
    flow.plain("ledger", returned.ledger.as_ref().map(quote));
    flow.text("asset", Some(&returned.asset));
    flow.plain("amount", Some(quote(returned.amount)));
    flow.plain("date", returned.date);
    flow.text("by", returned.by.as_ref());
    flow.text("source", returned.source.as_ref());
}

fn line(out: &mut String, key: &str, value: impl Display) {
    let colon = if key.ends_with('-') { "" } else { ":" };
    writeln!(out, "{key}{colon} {value}").expect("a string takes any text");
}

fn optional(out: &mut String, key: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        line(out, key, value);
    }
}

fn list<T>(out: &mut String, key: &str, items: &[T], write: impl Fn(&T, &mut Flow)) {
    if items.is_empty() {
        return;
    }
    writeln!(out, "{key}:").expect("a string takes any text");
    for item in items {
        let mut flow = Flow::new();
        write(item, &mut flow);
        line(out, "  -", flow.done());
    }
}

/// A map on one line: `{a: b, c: d}`.
struct Flow(String);

impl Flow {
    fn new() -> Self {
        Self("{".to_owned())
    }

    fn plain(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            let comma = if self.0.len() > 1 { ", " } else { "" };
            write!(self.0, "{comma}{key}: {value}").expect("a string takes any text");
        }
    }

    fn text(&mut self, key: &str, value: Option<&String>) {
        self.plain(key, value.map(quote));
    }

    fn done(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A double-quoted YAML scalar: what is not plainly printable is escaped.
fn quote(value: impl Display) -> String {
    let text = value.to_string();
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            _ if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                write!(out, "\\u{:04X}", u32::from(letter)).expect("a string takes any text");
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}

//! `tracehound clusters`: who is one party with whom on a chain of outputs, by which evidence, and rulings on that.

mod calibrate;
mod known;
mod measure;
mod rule;
mod services;

use std::io::Write;

use book::{Book, BookLedger, UtxoLedger};
use cluster::{Chain, Conflict, Edge, Layer, Order, Problem, Step, Unexplained};
use ledger::{HolderId, Ledger, LedgerId, Seq, address};
use serde_json::{Value, json};
use upkeep::{Kept, Known, Report};

use crate::cli::{ChainArg, ClustersCommand};
use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::home::{Home, ledgers};
use crate::keeping;
use crate::output::text::counted;

pub fn run(home: &Home, command: &ClustersCommand) -> Result<Exit, Failure> {
    match command {
        ClustersCommand::Update { on } => {
            let desk = Desk::open(home, on, false)?;
            say(format!("clusters and exposure of {} are those of {}", desk.id, desk.as_of()));
            Ok(Exit::Done)
        }
        ClustersCommand::Show { of, address, top, json } => {
            show(&Desk::open(home, &of.chain, of.as_kept)?, address, *top, *json)
        }
        ClustersCommand::Explain { of, one, other, layer, json } => {
            explain(&Desk::open(home, &of.chain, of.as_kept)?, [one, other], (*layer).into(), *json)
        }
        ClustersCommand::Problems { of, json } => problems(&Desk::open(home, &of.chain, of.as_kept)?, *json),
        ClustersCommand::Measure { of, truth, json } => {
            measure::run(&Desk::open(home, &of.chain, of.as_kept)?, truth, *json)
        }
        ClustersCommand::Services { of, json } => services::run(&Desk::open(home, &of.chain, of.as_kept)?, *json),
        ClustersCommand::Calibrate(args) => calibrate::run(home, args),
        ClustersCommand::Retract(args) => rule::evidence(home, args, Order::Retract),
        ClustersCommand::Restore(args) => rule::evidence(home, args, Order::Restore),
        ClustersCommand::Separate(args) => rule::pair(home, args, Order::CannotLink),
        ClustersCommand::Reunite(args) => rule::pair(home, args, Order::MayLink),
        ClustersCommand::Rulings { on } => rule::list(home, on),
    }
}

/// The format of `clusters show|explain|problems --json`.
const SCHEMA: &str = "tracehound/clusters/1";

/// A chain of outputs with what is kept of it.
struct Desk {
    id: LedgerId,
    coins: UtxoLedger,
    kept: Kept,
}

/// The ledger that is meant: the one that is named, else the book's only chain of outputs.
fn chosen(book: &Book, on: &ChainArg) -> Result<(LedgerId, UtxoLedger), Failure> {
    let ids = ledgers(book, on.ledger.as_deref())?;
    let mut chains = Vec::new();
    for id in &ids {
        match book.ledger(id)? {
            BookLedger::Utxo(coins) => chains.push((id.clone(), coins)),
            BookLedger::Account(_) if on.ledger.is_some() => {
                return Err(Failure::bad_input(format!("{id} has accounts; clusters are kept of outputs (UTXO) only")));
            }
            BookLedger::Account(_) => {}
        }
    }
    let names: Vec<String> = chains.iter().map(|(id, _)| id.to_string()).collect();
    let mut chains = chains.into_iter();
    match (chains.next(), chains.next()) {
        (Some(chain), None) => Ok(chain),
        (None, _) => {
            Err(Failure::missing("the book has no chain of outputs (UTXO), and only of those clusters are kept"))
        }
        (Some(_), Some(_)) => {
            Err(Failure::bad_input(format!("which ledger? say --ledger, with one of: {}", names.join(", "))))
        }
    }
}

/// Brings clusters and exposure up, and says what is worth saying.
fn update(book: &Book, id: &LedgerId) -> Result<Report, Failure> {
    let report = keeping::with_progress(book, id)??;
    for why in &report.rebuilt {
        say(format!("made anew: {why}"));
    }
    Ok(report)
}

impl Desk {
    fn open(home: &Home, on: &ChainArg, as_kept: bool) -> Result<Self, Failure> {
        let book = home.open()?;
        let (id, coins) = chosen(&book, on)?;
        if !as_kept {
            update(&book, &id)?;
        }
        let kept = Kept::open(&book, &id)?;
        let missing = || Failure::missing(format!("nothing is kept of {id} yet; leave --as-kept out"));
        let kept = kept.ok_or_else(missing)?;
        // What was brought up just now is whole.
        if !kept.as_of().is_whole() {
            say(format!("warning: an update of {id} was interrupted, and what is kept is of no one block"));
        }
        Ok(Self { id, coins, kept })
    }

    fn as_of(&self) -> String {
        if !self.kept.as_of().is_whole() {
            return "an update that was interrupted".to_owned();
        }
        let block = self.kept.as_of().block.as_ref();
        block.map_or_else(|| "no block".to_owned(), |block| format!("block {} ({})", block.height, block.hash))
    }

    fn holder(&self, text: &str) -> Result<HolderId, Failure> {
        let name =
            address::canonical(&self.id, text).map_err(|error| Failure::bad_input(format!("{text}: {error}")))?;
        let missing = || Failure::missing(format!("{text} never held anything on {}", self.id));
        self.coins.find_holder(&name).ok_or_else(missing)
    }

    fn coins_name(&self, seq: Seq) -> String {
        self.coins.transaction_name(seq)
    }

    fn name(&self, holder: HolderId) -> String {
        self.coins.holder_name(holder)
    }
}

/// How sure a layer is, in words.
fn standing(layer: Layer) -> &'static str {
    match layer {
        Layer::CoSpend => "co-spends and wraps",
        Layer::Change => "with likely change: a lead, not a finding",
    }
}

fn show(desk: &Desk, address: &str, top: usize, as_json: bool) -> Result<Exit, Failure> {
    let holder = desk.holder(address)?;
    let mut out = stdout();
    let tagged = tagged(desk, holder)?;
    for layer in Layer::ALL {
        let (oldest, size) = (desk.kept.cluster(holder, layer), desk.kept.cluster_size(holder, layer));
        let mut members = desk.kept.members(holder, layer, top);
        members.sort_unstable();
        let names: Vec<String> = members.iter().map(|member| desk.name(*member)).collect();
        if as_json {
            let (address, cluster) = (desk.name(holder), desk.name(oldest));
            // What a lead ties together inherits nothing.
            let tags: Vec<Value> =
                if layer == Layer::CoSpend { tagged.iter().map(tag_json).collect() } else { Vec::new() };
            let line = json!({"schema": SCHEMA, "ledger": desk.id.to_string(), "address": address,
                "layer": layer.as_str(), "basis": if layer == Layer::CoSpend { "rule" } else { "lead" },
                "cluster": cluster, "size": size, "members": names, "as_of": as_of(desk), "tags": tags});
            writeln!(out, "{line}")?;
            continue;
        }
        writeln!(
            out,
            "{} ({}): {} of {}",
            layer.as_str(),
            standing(layer),
            counted(size, "member"),
            desk.name(oldest)
        )?;
        for name in &names {
            writeln!(out, "  {name}")?;
        }
        if size > names.len() as u64 {
            writeln!(out, "  … and {} more (--top shows them)", size - names.len() as u64)?;
        }
    }
    if !as_json {
        for tag in &tagged {
            writeln!(out, "{}", tag_text(tag))?;
        }
        writeln!(out, "as of {}", desk.as_of())?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// What the tags say of a holder itself (no name), and of other members of its co-spend cluster (theirs).
fn tagged(desk: &Desk, holder: HolderId) -> Result<Vec<(Option<String>, Known)>, Failure> {
    let own = desk.kept.direct(holder)?.map(|known| (None, known));
    let inherited = desk.kept.inherited(holder)?;
    Ok(own.into_iter().chain(inherited.from.into_iter().map(|(from, known)| (Some(desk.name(from)), known))).collect())
}

fn tag_text((from, known): &(Option<String>, Known)) -> String {
    let words = known.stop.iter().map(|stop| stop.as_str()).chain(known.risks.iter().map(String::as_str));
    let words: Vec<&str> = words.collect();
    let words = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
    let said = format!("{}{words}, {}", known.entity, counted(known.claims_in_all, "claim"));
    from.as_ref().map_or_else(|| format!("tagged {said}"), |from| format!("inherited from {from}: {said}"))
}

fn tag_json((from, known): &(Option<String>, Known)) -> Value {
    json!({
        "basis": if from.is_some() { "inherited" } else { "direct" }, "from": from, "entity": known.entity,
        "stop": known.stop.map(know::StopKind::as_str), "risks": known.risks, "confidence": known.confidence,
        "claims": known.claims_in_all,
    })
}

fn as_of(desk: &Desk) -> Value {
    let whole = Some(desk.kept.as_of()).filter(|as_of| as_of.is_whole());
    whole
        .and_then(|as_of| as_of.block.as_ref())
        .map_or(Value::Null, |block| json!({"height": block.height, "hash": block.hash}))
}

fn explain(desk: &Desk, [one, other]: [&String; 2], layer: Layer, as_json: bool) -> Result<Exit, Failure> {
    let (from, to) = (desk.holder(one)?, desk.holder(other)?);
    let clusters = desk.kept.clusters(&desk.coins)?;
    let chain = Chain { coins: &desk.coins, verdicts: &desk.kept, services: &() };
    let mut out = stdout();
    match clusters.explain(&chain, from, to, layer) {
        Ok(steps) => {
            if !as_json {
                writeln!(out, "{}", desk.name(from))?;
            }
            for step in &steps {
                let edge = step.edge.name(&desk.coins);
                if as_json {
                    writeln!(out, "{}", line(desk, step, &edge))?;
                } else {
                    writeln!(out, "  {edge}  {}\n{}", reason(step), desk.name(step.to))?;
                }
            }
            out.flush()?;
            Ok(Exit::Done)
        }
        Err(why @ Unexplained::Apart) => {
            Err(Failure::missing(format!("{one} and {other}: {why} ({})", layer.as_str())))
        }
        Err(why) => Err(Failure::missing(format!("{one} and {other}: {why}"))),
    }
}

/// Why a step holds, in words.
fn reason(step: &Step) -> String {
    match (step.edge, step.verdict.and_then(|verdict| verdict.change)) {
        (Edge::Wrap(_), _) => "one key".to_owned(),
        (Edge::CoSpend(_), _) => "spent together".to_owned(),
        (Edge::Change(_), Some(change)) => {
            format!("change in output {}, {}.{} %", change.output, change.permille / 10, change.permille % 10)
        }
        (Edge::Change(_), None) => "change".to_owned(),
    }
}

fn line(desk: &Desk, step: &Step, edge: &str) -> Value {
    let change = step.verdict.and_then(|verdict| verdict.change).filter(|_| matches!(step.edge, Edge::Change(_)));
    let stamp = desk.coins.stamp(step.seq);
    json!({
        "schema": SCHEMA, "height": stamp.height, "time": stamp.time.to_string(),
        "from": desk.name(step.from), "to": desk.name(step.to), "edge": edge,
        "heuristic": step.edge.heuristic().as_str(), "transaction": desk.coins.transaction_name(step.seq),
        "permille": change.map(|change| change.permille), "output": change.map(|change| change.output),
    })
}

fn problems(desk: &Desk, as_json: bool) -> Result<Exit, Failure> {
    let problems = desk.kept.problems()?;
    let services = desk.kept.services()?;
    let mut out = stdout();
    for Problem { edge, layer, conflict, .. } in &problems {
        let service = |number: &u32| services.get(number).cloned().unwrap_or_else(|| "a service".to_owned());
        let between = match conflict {
            Conflict::Services(one, other) => [service(one), service(other)],
            Conflict::Apart(one, other) => [desk.name(*one), desk.name(*other)],
        };
        let edge = edge.name(&desk.coins);
        if as_json {
            writeln!(out, "{}", json!({"schema": SCHEMA, "edge": edge, "layer": layer.as_str(), "between": between}))?;
        } else {
            let [one, other] = between;
            writeln!(out, "{edge}: would make {one} and {other} one ({}); quarantined", layer.as_str())?;
        }
    }
    out.flush()?;
    if problems.is_empty() {
        say("no evidence is quarantined");
    }
    Ok(Exit::Done)
}

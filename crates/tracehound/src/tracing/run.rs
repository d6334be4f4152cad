//! Runs a case under a policy, ledger by ledger, and gives the outcome its names.

use std::collections::BTreeMap;

use know::Claim;
use ledger::{Kind, Ledger, Seq};
use money::{Amount, Asset};
use trace::envelope::{Bounds, envelope};
use trace::forward::forward;
use trace::{Edge, LabelId, Observer, Outcome, Policy, Terminal, TerminalKey, TerminalKind};

use crate::tracing::case::{Case, OnLedger};
use crate::tracing::result::{AsOf, ClaimRow, EdgeRecord, LootRow, Problem, TerminalRow, TraceResult};

/// How many single problems of one kind are listed before the rest is only counted.
const PROBLEMS_LISTED_MAX: usize = 20;

/// Keeps every hop.
#[derive(Default)]
struct Recorder(Vec<EdgeRecord>);

impl Observer for Recorder {
    const WATCHES: bool = true;

    fn edge(&mut self, edge: &Edge<'_>) {
        self.0.push(EdgeRecord {
            seq: edge.seq,
            step: edge.step,
            payer: edge.payer,
            payee: edge.payee,
            asset: edge.asset,
            amount: edge.amount,
            before: edge.before,
            held: edge.held.into(),
            portions: edge.portions.iter().map(|p| (p.label, p.offset, p.amount, p.origin)).collect(),
            end: edge.end.map(|(kind, reason)| (kind.name(), reason.name())),
        });
    }
}

/// The bounds of one ledger's terminals.
pub type LedgerBounds = BTreeMap<TerminalKey, Bounds>;

/// The envelope of the whole case, ledger by ledger. No policy has a part in it, so one serves all.
pub fn bounds(case: &Case) -> Vec<LedgerBounds> {
    case.ledgers.iter().map(bounds_on).collect()
}

/// Traces the whole case under one policy; `bounds` are the case's, where they are wanted.
pub fn run(case: &Case, policy: Policy, with_edges: bool, bounds: Option<&[LedgerBounds]>) -> TraceResult {
    let mut result = TraceResult {
        incidents: case.incidents.iter().map(|(incident, _)| incident.id.to_string()).collect(),
        policy,
        as_of: BTreeMap::new(),
        loot: Vec::new(),
        terminals: Vec::new(),
        edges: Vec::new(),
        problems: Vec::new(),
        events: 0,
    };
    for (at, on) in case.ledgers.iter().enumerate() {
        let mut recorder = Recorder::default();
        let outcome = match &on.ledger {
            book::BookLedger::Utxo(ledger) => traced(ledger, on, policy, with_edges, &mut recorder),
            book::BookLedger::Account(ledger) => traced(ledger, on, policy, with_edges, &mut recorder),
        };
        name(case, on, &outcome, bounds.map(|bounds| &bounds[at]), &mut result);
        result.edges.push(recorder.0);
    }
    result
}

fn traced<L: Ledger>(ledger: &L, on: &OnLedger, policy: Policy, edges: bool, recorder: &mut Recorder) -> Outcome {
    if edges {
        forward(ledger, &on.seeds, policy, &on.settings, recorder)
    } else {
        forward(ledger, &on.seeds, policy, &on.settings, &mut ())
    }
}

fn bounds_on(on: &OnLedger) -> LedgerBounds {
    let labels = (0u32..).take(on.loot.len()).map(LabelId);
    labels
        .flat_map(|label| match &on.ledger {
            book::BookLedger::Utxo(ledger) => envelope(ledger, &on.seeds, label, &on.settings).bounds,
            book::BookLedger::Account(ledger) => envelope(ledger, &on.seeds, label, &on.settings).bounds,
        })
        .collect()
}

/// Gives one ledger's outcome its names and adds it to the result.
fn name(case: &Case, on: &OnLedger, outcome: &Outcome, bounds: Option<&LedgerBounds>, result: &mut TraceResult) {
    let ledger = on.ledger.as_ledger();
    let end = on.settings.until.unwrap_or_else(|| ledger.end());
    let last = end.0.checked_sub(1).map(|last| ledger.stamp(Seq(last)));
    result.as_of.insert(on.id.to_string(), AsOf::new(last, end));
    result.events += outcome.events;
    for (label, loot) in (0u32..).map(LabelId).zip(&on.loot) {
        // What the window or a double count leaves out is not part of the account; the problems say so.
        let units =
            if result.policy.conserves() { outcome.loot.get(&label).copied().unwrap_or_default() } else { loot.amount };
        result.loot.push(LootRow {
            incident: loot.incident.clone(),
            ledger: on.id.to_string(),
            asset: loot.asset.symbol.clone(),
            amount: loot.asset.text(units),
            units,
            unit: loot.asset.clone(),
        });
        if units != loot.amount {
            let text = format!(
                "{} of {} {} is traced; the rest is loot that was stolen again, or starts after the window",
                loot.asset.text(units),
                loot.asset.text(loot.amount),
                loot.asset.symbol
            );
            result.problems.push(Problem::new("loot-not-counted-twice", loot.incident.clone(), text));
        }
    }
    let mut rows: Vec<TerminalRow> = outcome.terminals.iter().map(|terminal| row(case, on, terminal, bounds)).collect();
    if let Some(bounds) = bounds {
        rows.extend(only_possible(case, on, outcome, bounds));
    }
    rows.sort_by(|a, b| {
        (&a.incident, &a.origin_asset).cmp(&(&b.incident, &b.origin_asset)).then(b.origin.cmp(&a.origin))
    });
    result.terminals.append(&mut rows);
    result.problems.extend(on.problems.iter().cloned());
    result.problems.extend(outcome_problems(on, outcome));
}

/// Places where this policy puts nothing but another may: with `--envelope` they are part of the answer.
fn only_possible(case: &Case, on: &OnLedger, outcome: &Outcome, bounds: &LedgerBounds) -> Vec<TerminalRow> {
    let found: std::collections::BTreeSet<TerminalKey> = outcome.terminals.iter().map(Terminal::key).collect();
    let nothing = |key: &TerminalKey| Terminal {
        label: key.label,
        kind: key.kind,
        reason: key.reason,
        purse: key.purse,
        asset: key.asset,
        amount: Amount::ZERO,
        origin: Amount::ZERO,
        hops: 0,
        since: Seq(u64::MAX),
    };
    let missing = bounds.iter().filter(|(key, bounds)| !bounds.high.is_zero() && !found.contains(key));
    missing.map(|(key, _)| row(case, on, &nothing(key), Some(bounds))).collect()
}

fn row(case: &Case, on: &OnLedger, terminal: &Terminal, bounds: Option<&LedgerBounds>) -> TerminalRow {
    let ledger = on.ledger.as_ledger();
    let loot = &on.loot[terminal.label.0 as usize];
    let asset: &Asset = ledger.asset(terminal.asset);
    let holder = terminal.purse.map(|purse| ledger.purse(purse).holder);
    let stop = holder.and_then(|holder| on.stops.stops.get(&holder));
    let stopped =
        stop.filter(|_| matches!(terminal.kind, TerminalKind::Service | TerminalKind::Mixer | TerminalKind::Bridge));
    let claim = stopped.and_then(|stop| stop.claims.first()).map(|claim| claim_row(&case.claims[*claim]));
    let bounds = bounds.map(|bounds| bounds.get(&terminal.key()).copied().unwrap_or_default());
    let since = (terminal.since != Seq(u64::MAX)).then(|| ledger.stamp(terminal.since).time.to_string());
    TerminalRow {
        incident: loot.incident.clone(),
        kind: terminal.kind.name(),
        ledger: on.id.to_string(),
        holder: holder.map(|holder| ledger.holder_name(holder)),
        purse: terminal.purse.map(|purse| ledger.purse_name(purse)),
        entity: stop.map(|stop| stop.entity.clone()),
        actor: stop.and_then(named_actor),
        asset: asset.symbol.clone(),
        amount: asset.text(terminal.amount),
        origin_asset: loot.asset.symbol.clone(),
        origin_amount: loot.asset.text(terminal.origin),
        low: bounds.map(|bounds| loot.asset.text(bounds.low)),
        high: bounds.map(|bounds| loot.asset.text(bounds.high)),
        hops: terminal.hops,
        since,
        reason: terminal.reason.name(),
        basis: if stopped.is_some() { "claim" } else { "fact" },
        claim,
        origin: terminal.origin,
    }
}

/// The id of a stop's actor, where the stop shows its name instead.
pub fn named_actor(stop: &know::Stop) -> Option<String> {
    stop.actor.as_deref().filter(|id| *id != stop.entity).map(str::to_owned)
}

pub fn claim_row(claim: &Claim) -> ClaimRow {
    ClaimRow {
        label: claim.label.to_string(),
        category: claim.categories.join(", "),
        pack: claim.pack.to_string(),
        source: claim.source.as_deref().map(str::to_owned),
        confidence: claim.confidence.as_deref().map(str::to_owned),
    }
}

fn outcome_problems(on: &OnLedger, outcome: &Outcome) -> Vec<Problem> {
    let ledger = on.ledger.as_ledger();
    let mut problems = Vec::new();
    for purse in outcome.incomplete.iter().take(PROBLEMS_LISTED_MAX) {
        let asset = ledger.asset(ledger.purse(*purse).asset);
        let text = format!(
            "paid {} {} more than the book knows that it held; counted as clean money from before the book's start",
            asset.text(ledger.opening(*purse)),
            asset.symbol
        );
        problems.push(Problem::new("history-incomplete", ledger.purse_name(*purse), text));
    }
    let more = outcome.incomplete.len().saturating_sub(PROBLEMS_LISTED_MAX);
    if more > 0 {
        let text = format!("{more} more purses on the way paid more than the book knows that they held");
        problems.push(Problem::new("history-incomplete", on.id.to_string(), text));
    }
    let mut weighed = outcome.weighed.clone();
    weighed.sort_unstable();
    weighed.dedup();
    for seq in weighed.iter().take(PROBLEMS_LISTED_MAX) {
        let text = "a swap with several assets on one side: each was given the same weight, as no price is known";
        problems.push(Problem::new("swap-weights", ledger.transaction_name(*seq), text));
    }
    if ledger.kind() == Kind::Utxo && ledger.find_holder(ledger::memory::UNKNOWN_HOLDER).is_some() {
        let text = "some inputs were created before the book's first block and their values are not stated; ingest \
                    blocks with prevout, or from the start";
        problems.push(Problem::new("history-incomplete", on.id.to_string(), text));
    }
    problems
}

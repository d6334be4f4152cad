//! Runs a case under a policy, ledger by ledger, and gives the outcome its names.

use std::collections::BTreeMap;

use book::{AccountLedger, BookLedger, UtxoLedger};
use know::Claim;
use ledger::{Contracts, Kind, Ledger, Seq};
use money::{Amount, Asset};
use trace::envelope::{Bounds, envelope_over};
use trace::together::{Ground, Journey, Territory, forward_over};
use trace::{Edge, LabelId, Observer, Outcome, Policy, Reason, Terminal, TerminalKey, TerminalKind};

use crate::tracing::case::{Case, OnLedger};
use crate::tracing::crossed;
use crate::tracing::result::{AsOf, ClaimRow, EdgeRecord, LootRow, Problem, TerminalRow, TraceResult};

/// How many single problems of one kind are listed before the rest is only counted.
const PROBLEMS_LISTED_MAX: usize = 20;

/// Keeps every hop, ledger by ledger.
struct Recorder {
    at: usize,
    /// Whether the next movement brings what came over a link.
    over_link: bool,
    edges: Vec<Vec<EdgeRecord>>,
}

impl Observer for Recorder {
    const WATCHES: bool = true;

    fn on(&mut self, ledger: usize) {
        self.at = ledger;
    }

    fn landed(&mut self, _seq: Seq, _purse: ledger::PurseId) {
        self.over_link = true;
    }

    fn edge(&mut self, edge: &Edge<'_>) {
        self.edges[self.at].push(EdgeRecord {
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
            over_link: std::mem::take(&mut self.over_link),
        });
    }
}

/// The bounds of one ledger's terminals.
pub type LedgerBounds = BTreeMap<TerminalKey, Bounds>;

fn ground(on: &OnLedger) -> Ground<'_, UtxoLedger, AccountLedger> {
    match &on.ledger {
        BookLedger::Utxo(ledger) => Ground::Utxo(ledger),
        BookLedger::Account(ledger) => Ground::Account(ledger),
    }
}

fn territories(case: &Case) -> Vec<Territory<'_, UtxoLedger, AccountLedger>> {
    case.ledgers.iter().map(|on| Territory { ground: ground(on), seeds: &on.seeds, settings: &on.settings }).collect()
}

/// The envelope of the whole case, ledger by ledger. No policy has a part in it, so one serves all.
pub fn bounds(case: &Case) -> Vec<LedgerBounds> {
    let mut all = vec![LedgerBounds::new(); case.ledgers.len()];
    for label in (0u32..).take(case.loot.len()).map(LabelId) {
        let envelopes = envelope_over(&territories(case), &case.links.crossings, label);
        for (all, envelope) in all.iter_mut().zip(envelopes) {
            all.extend(envelope.bounds);
        }
    }
    all
}

/// Traces the whole case under one policy; `bounds` are the case's, where they are wanted.
pub fn run(case: &Case, policy: Policy, with_edges: bool, bounds: Option<&[LedgerBounds]>) -> TraceResult {
    let edges = case.ledgers.iter().map(|_| Vec::new()).collect();
    let mut recorder = Recorder { at: 0, over_link: false, edges };
    let journey = if with_edges {
        forward_over(&territories(case), &case.links.crossings, policy, &mut recorder)
    } else {
        forward_over(&territories(case), &case.links.crossings, policy, &mut ())
    };
    let mut result = TraceResult {
        incidents: case.incidents.iter().map(|(incident, _)| incident.id.to_string()).collect(),
        policy,
        as_of: BTreeMap::new(),
        loot: Vec::new(),
        terminals: Vec::new(),
        links: crossed::rows(case, &journey),
        edges: recorder.edges,
        problems: Vec::new(),
        events: 0,
    };
    loot(case, &journey, &mut result);
    for (at, (on, outcome)) in case.ledgers.iter().zip(&journey.outcomes).enumerate() {
        name(case, on, outcome, bounds.map(|bounds| &bounds[at]), &mut result);
    }
    result.terminals.sort_by(|a, b| {
        let key = |row: &'_ TerminalRow| (row.incident.clone(), row.origin_ledger.clone(), row.origin_asset.clone());
        key(a).cmp(&key(b)).then(b.origin.cmp(&a.origin))
    });
    result.problems.extend(crossed::problems(case, &journey));
    result
}

/// What was stolen, and how much of it is traced.
fn loot(case: &Case, journey: &Journey, result: &mut TraceResult) {
    for (label, loot) in (0u32..).map(LabelId).zip(&case.loot) {
        // What the window or a double count leaves out is not part of the account; the problems say so.
        let traced = || journey.outcomes.iter().filter_map(|outcome| outcome.loot.get(&label)).copied().sum();
        let units: Amount = if result.policy.conserves() { traced() } else { loot.amount };
        result.loot.push(LootRow {
            incident: loot.incident.clone(),
            ledger: loot.ledger.to_string(),
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
}

/// Gives one ledger's outcome its names and adds it to the result.
fn name(case: &Case, on: &OnLedger, outcome: &Outcome, bounds: Option<&LedgerBounds>, result: &mut TraceResult) {
    let ledger = on.ledger.as_ledger();
    let is_home = case.loot.iter().any(|loot| loot.ledger == on.id);
    if !is_home && outcome.events == 0 && outcome.terminals.is_empty() {
        return;
    }
    let end = on.settings.until.unwrap_or_else(|| ledger.end());
    let last = end.0.checked_sub(1).map(|last| ledger.stamp(Seq(last)));
    result.as_of.insert(on.id.to_string(), AsOf::new(last, end));
    result.events += outcome.events;
    result.terminals.extend(outcome.terminals.iter().map(|terminal| row(case, on, terminal, bounds)));
    if let Some(bounds) = bounds {
        result.terminals.extend(only_possible(case, on, outcome, bounds));
    }
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
    let loot = &case.loot[terminal.label.0 as usize];
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
        origin_ledger: loot.ledger.to_string(),
        origin_asset: loot.asset.symbol.clone(),
        origin_amount: loot.asset.text(terminal.origin),
        low: bounds.map(|bounds| loot.asset.text(bounds.low)),
        high: bounds.map(|bounds| loot.asset.text(bounds.high)),
        hops: terminal.hops,
        since,
        reason: terminal.reason.name(),
        basis: basis(stopped.is_some(), loot.ledger != on.id || matches!(terminal.reason, Reason::NoRoom)),
        claim,
        origin: terminal.origin,
    }
}

/// What a terminal rests on besides the ledgers.
fn basis(is_tagged: bool, is_linked: bool) -> &'static str {
    match (is_tagged, is_linked) {
        (true, _) => "claim",
        (false, true) => "link",
        (false, false) => "fact",
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
    problems.extend(gaps(on, outcome));
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

/// What the source of a chain did not have of the transactions that the trace looked at.
fn gaps(on: &OnLedger, outcome: &Outcome) -> Vec<Problem> {
    let BookLedger::Account(ledger) = &on.ledger else { return Vec::new() };
    let (mut traces, mut receipts, mut logs) = (Vec::new(), Vec::new(), Vec::new());
    for seq in &outcome.visited {
        let gaps = ledger.gaps(*seq);
        for (is_missing, list) in [(gaps.traces, &mut traces), (gaps.receipts, &mut receipts), (gaps.logs, &mut logs)] {
            if is_missing {
                list.push(*seq);
            }
        }
    }
    let kinds = [
        ("no-traces", traces, "the source had no traces of the block: coin may have moved between contracts unseen"),
        ("no-receipts", receipts, "the source had no receipts of the block: fees are missing, and whether it failed"),
        ("no-logs", logs, "the source had no logs of the block: tokens may have moved unseen"),
    ];
    let mut problems = Vec::new();
    for (kind, seqs, text) in kinds {
        let listed = seqs.iter().take(PROBLEMS_LISTED_MAX);
        problems.extend(listed.map(|seq| Problem::new(kind, ledger.transaction_name(*seq), text)));
        let more = seqs.len().saturating_sub(PROBLEMS_LISTED_MAX);
        if more > 0 {
            problems.push(Problem::new(
                kind,
                on.id.to_string(),
                format!("{more} more transactions on the way: {text}"),
            ));
        }
    }
    problems
}

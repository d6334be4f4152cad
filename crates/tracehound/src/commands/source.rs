//! `tracehound source TARGET`: where money came from, the forward pass reversed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use book::BookLedger;
use know::{Claim, StopSet};
use ledger::{AssetId, Ledger, LedgerId, Leg, Seq};
use money::{Amount, Asset};
use serde::Serialize;
use trace::LabelId;
use trace::backward::{BackwardSettings, Money, Origin, OriginKind, Sources, Target, backward};

use crate::cli::SourceArgs;
use crate::commands::stdout;
use crate::exit::{Exit, Failure};
use crate::home::{Home, read_tags, stops};
use crate::output::text::{counted, grouped, more, percent, table};
use crate::showing;
use crate::tagfiles;
use crate::tracing::case::{dust_of, seq_at, stops_of};
use crate::tracing::result::{AsOf, ClaimRow, Problem};
use crate::tracing::run::{self, claim_row};

const SCHEMA: &str = "tracehound/source/1";

/// The result, as JSON prints it.
#[derive(Serialize)]
struct Document {
    schema: &'static str,
    ledger: String,
    policy: &'static str,
    policy_means: &'static str,
    as_of: AsOf,
    targets: Vec<String>,
    wanted: Vec<Wanted>,
    origins: Vec<OriginRow>,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Wanted {
    asset: String,
    amount: String,
    #[serde(skip)]
    id: AssetId,
    #[serde(skip)]
    unit: Asset,
    #[serde(skip)]
    units: Amount,
}

/// A part of the money and where it came from.
#[derive(Serialize)]
struct OriginRow {
    kind: &'static str,
    payer: Option<String>,
    payee: Option<String>,
    entity: Option<String>,
    /// The entity's id, where `entity` is a name for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    tx: Option<String>,
    time: Option<String>,
    asset: String,
    amount: String,
    hops: u32,
    basis: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<ClaimRow>,
    #[serde(skip)]
    units: Amount,
}

pub fn run(home: &Home, args: &SourceArgs) -> Result<Exit, Failure> {
    let id = LedgerId::parse(&args.ledger).map_err(|error| Failure::bad_input(format!("--ledger: {error}")))?;
    let book = home.open()?;
    let mut claims = read_tags(&book)?;
    let mut stops = stops(&book)?;
    claims.extend(tagfiles::claims(&args.stops.tags, &mut stops)?);
    let opened = book.ledger(&id)?;
    let ledger = opened.as_ledger();
    let stops = stops.resolve(&claims, ledger);
    let until = seq_at("--until", args.until.as_deref(), ledger)?.unwrap_or_else(|| ledger.end());
    let settings = BackwardSettings {
        stops: if args.stops.no_stops { BTreeMap::new() } else { stops_of(&stops, args.stops.min_confidence) },
        dust: dust_of(&args.dust, ledger)?,
        from: seq_at("--from", args.from.as_deref(), ledger)?,
    };
    let mut targets = Vec::new();
    for text in &args.targets {
        targets.extend(find(ledger, text, args.asset.as_deref(), until)?);
    }
    let sources = match &opened {
        BookLedger::Utxo(ledger) => backward(ledger, &targets, args.policy, &settings, &mut ()),
        BookLedger::Account(ledger) => backward(ledger, &targets, args.policy, &settings, &mut ()),
    };
    let sources = sources.map_err(Failure::bad_input)?;
    let document = document(ledger, args, until, &sources, &stops, &claims);
    for wanted in &document.wanted {
        let sum: Amount = sources.origins.iter().filter(|o| o.key.label.0 == wanted.id.0).map(|o| o.amount).sum();
        if sum != wanted.units {
            return Err(Failure::internal(format!("the sources of {} do not add up", wanted.asset)));
        }
    }
    let mut out = stdout();
    if args.json {
        serde_json::to_writer(&mut out, &document)?;
        writeln!(out)?;
    } else {
        out.write_all(text(&document, args.top).as_bytes())?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// What a target's text means on this ledger; the label is the asset's number.
fn find(ledger: &dyn Ledger, text: &str, only: Option<&str>, until: Seq) -> Result<Vec<Target>, Failure> {
    let wanted = |asset: AssetId| only.is_none_or(|only| ledger.asset(asset).symbol == only);
    if only.is_some_and(|only| ledger.find_asset(only).is_none()) {
        return Err(Failure::bad_input(format!("--asset: the ledger has no asset {}", only.unwrap_or_default())));
    }
    let content = |purse| {
        let label = LabelId(ledger.purse(purse).asset.0);
        Target { label, money: Money::Content { purse, before: until }, amount: None }
    };
    if let Some((txid, vout)) = text.rsplit_once(':')
        && let Some(purse) = vout.parse().ok().and_then(|vout| ledger.find_output(txid, vout))
    {
        return Ok(vec![content(purse)]);
    }
    if let Some(seq) = ledger.find_transaction(text) {
        let mut legs: Vec<Leg> = Vec::new();
        ledger.transaction(seq, &mut legs);
        let brought = legs.iter().enumerate().filter(|(_, leg)| leg.payee.purse().is_some() && wanted(leg.asset));
        return Ok(brought
            .map(|(leg, at)| Target { label: LabelId(at.asset.0), money: Money::Leg { seq, leg }, amount: None })
            .collect());
    }
    let Some(holder) = showing::named(ledger, text) else {
        let what = "holds no such address, output or transaction";
        return Err(Failure::bad_input(format!("{text}: the ledger {} {what}; ids are case-sensitive", ledger.id())));
    };
    Ok(ledger.purses(holder).into_iter().filter(|purse| wanted(ledger.purse(*purse).asset)).map(content).collect())
}

fn document(
    ledger: &dyn Ledger,
    args: &SourceArgs,
    until: Seq,
    sources: &Sources,
    stops: &StopSet,
    claims: &[Claim],
) -> Document {
    let wanted = sources.wanted.iter().map(|(label, units)| {
        let id = AssetId(label.0);
        let asset = ledger.asset(id);
        Wanted { asset: asset.symbol.clone(), amount: asset.text(*units), id, unit: asset.clone(), units: *units }
    });
    let mut origins: Vec<OriginRow> = sources.origins.iter().map(|origin| row(ledger, origin, stops, claims)).collect();
    origins.sort_by(|a, b| a.asset.cmp(&b.asset).then(b.units.cmp(&a.units)));
    let problems = sources.uncounted.iter().filter(|(_, amount)| !amount.is_zero()).map(|(label, amount)| {
        let asset = ledger.asset(AssetId(label.0));
        let text = format!(
            "{} {} of the targets is not answered: it is named twice, is no longer there, or lies before the window",
            asset.text(*amount),
            asset.symbol
        );
        Problem::new("not-answered", ledger.id().to_string(), text)
    });
    let last = until.0.checked_sub(1).map(|last| ledger.stamp(Seq(last)));
    Document {
        schema: SCHEMA,
        ledger: ledger.id().to_string(),
        policy: args.policy.name(),
        policy_means: args.policy.sentence(),
        as_of: AsOf::new(last, until),
        targets: args.targets.clone(),
        wanted: wanted.collect(),
        origins,
        problems: problems.collect(),
    }
}

fn row(ledger: &dyn Ledger, origin: &Origin, stops: &StopSet, claims: &[Claim]) -> OriginRow {
    let holder = |purse: ledger::PurseId| ledger.purse(purse).holder;
    let name = |purse| ledger.holder_name(holder(purse));
    let stopped = matches!(origin.key.kind, OriginKind::Service | OriginKind::Mixer | OriginKind::Bridge);
    let stop = origin.key.payer.filter(|_| stopped).and_then(|purse| stops.stops.get(&holder(purse)));
    let asset = ledger.asset(origin.key.asset);
    OriginRow {
        kind: origin.key.kind.name(),
        payer: origin.key.payer.map(name),
        payee: origin.key.payee.map(name),
        entity: stop.map(|stop| stop.entity.clone()),
        actor: stop.and_then(run::named_actor),
        tx: origin.key.seq.map(|seq| ledger.transaction_name(seq)),
        time: origin.key.seq.map(|seq| ledger.stamp(seq).time.to_string()),
        asset: asset.symbol.clone(),
        amount: asset.text(origin.amount),
        hops: origin.hops,
        basis: if stop.is_some() { "claim" } else { "fact" },
        claim: stop.and_then(|stop| stop.claims.first()).map(|claim| claim_row(&claims[*claim])),
        units: origin.amount,
    }
}

fn text(document: &Document, top: usize) -> String {
    let mut text = format!("{}\n", document.policy_means);
    for wanted in &document.wanted {
        let _ = write!(text, "\n{} {} on {}", grouped(&wanted.amount), wanted.asset, document.ledger);
        if let Some(time) = &document.as_of.time {
            let _ = write!(text, ", the ledger as of {time}");
        }
        text.push_str("\nWhere it came from:\n");
        let own: Vec<&OriginRow> = document.origins.iter().filter(|row| row.asset == wanted.asset).collect();
        let mut kinds: BTreeMap<&str, (Amount, u64)> = BTreeMap::new();
        for row in &own {
            let kind = kinds.entry(row.kind).or_default();
            kind.0 += row.units;
            kind.1 += 1;
        }
        let mut lines: Vec<[String; 4]> = Vec::new();
        for (kind, (units, places)) in kinds {
            let amount = grouped(&wanted.unit.text(units));
            lines.push([kind.to_owned(), amount, percent(units, wanted.units), counted(places, "source")]);
        }
        let all = grouped(&wanted.amount);
        lines.push([
            "total".into(),
            all,
            percent(wanted.units, wanted.units),
            "= what was asked for, to the last unit".into(),
        ]);
        table(&mut text, &lines, &[false, true, true, false]);
        text.push_str("Largest first:\n");
        let lines: Vec<[String; 5]> = own.iter().take(top).map(|row| line(row)).collect();
        table(&mut text, &lines, &[false, true, false, true, false]);
        more(&mut text, own.len(), top, "  ");
    }
    for problem in &document.problems {
        let _ = writeln!(text, "{} at {}: {}", problem.kind, problem.place, problem.text);
    }
    text
}

fn line(row: &OriginRow) -> [String; 5] {
    let who = match (&row.entity, &row.payer, &row.payee) {
        (Some(entity), Some(payer), _) => format!("{entity} ({payer})"),
        (_, Some(payer), _) => payer.clone(),
        (_, _, Some(payee)) => format!("into {payee}"),
        _ => String::new(),
    };
    let when = row.time.as_ref().map_or_else(String::new, |time| format!("on {time}"));
    [
        row.kind.to_owned(),
        format!("{} {}", grouped(&row.amount), row.asset),
        who,
        counted(u64::from(row.hops), "hop"),
        when,
    ]
}

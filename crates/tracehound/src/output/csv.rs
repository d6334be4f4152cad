//! The result as CSV: terminals, or hops. The first column is the schema, so that a sheet says what it is.

use std::io::Write;

use crate::exit::Failure;
use crate::output::{edges, json::has_lots};
use crate::tracing::case::Case;
use crate::tracing::result::{SCHEMA, TraceResult};

const TERMINALS: [&str; 19] = [
    "schema",
    "policy",
    "incident",
    "kind",
    "reason",
    "ledger",
    "holder",
    "purse",
    "entity",
    "asset",
    "amount",
    "origin_asset",
    "origin_amount",
    "low",
    "high",
    "hops",
    "since",
    "basis",
    "claim",
];

const EDGES: [&str; 18] = [
    "schema",
    "policy",
    "seq",
    "ledger",
    "tx",
    "time",
    "step",
    "from",
    "to",
    "purse_from",
    "purse_to",
    "asset",
    "amount",
    "balance_before",
    "incident",
    "held_before",
    "traced",
    "end",
];

fn failed(error: ::csv::Error) -> Failure {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error.into(),
        other => Failure::internal(format!("cannot write the result: {other:?}")),
    }
}

/// Writes the terminals of one result; the header before the first.
pub fn terminals(out: &mut impl Write, result: &TraceResult, header: bool) -> Result<(), Failure> {
    let mut csv = ::csv::Writer::from_writer(out);
    if header {
        csv.write_record(TERMINALS).map_err(failed)?;
    }
    for row in &result.terminals {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let claim = row.claim.as_ref().map(|claim| format!("{} ({})", claim.label, claim.pack));
        csv.write_record([
            SCHEMA,
            result.policy.name(),
            &row.incident,
            row.kind,
            row.reason,
            &row.ledger,
            &text(&row.holder),
            &text(&row.purse),
            &text(&row.entity),
            &row.asset,
            &row.amount,
            &row.origin_asset,
            &row.origin_amount,
            &text(&row.low),
            &text(&row.high),
            &row.hops.to_string(),
            &text(&row.since),
            row.basis,
            &text(&claim),
        ])
        .map_err(failed)?;
    }
    csv.flush()?;
    Ok(())
}

/// Writes the hops of one result, a row per hop and incident.
pub fn edges(out: &mut impl Write, case: &Case, result: &TraceResult, header: bool) -> Result<(), Failure> {
    let mut csv = ::csv::Writer::from_writer(out);
    if header {
        csv.write_record(EDGES).map_err(failed)?;
    }
    let mut number = 0;
    for (on, records) in case.ledgers.iter().zip(&result.edges) {
        for record in records {
            number += 1;
            let row = edges::row(case, on, record, number, has_lots(result.policy));
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            for (incident, traced) in &row.traced {
                csv.write_record([
                    SCHEMA,
                    result.policy.name(),
                    &row.seq.to_string(),
                    &row.ledger,
                    &row.tx,
                    &row.time,
                    row.step,
                    &text(&row.from),
                    &text(&row.to),
                    &text(&row.purse_from),
                    &text(&row.purse_to),
                    &row.asset,
                    &row.amount,
                    &row.balance_before,
                    incident,
                    row.held_before.get(incident).map_or("0", String::as_str),
                    traced,
                    &text(&row.end),
                ])
                .map_err(failed)?;
            }
        }
    }
    csv.flush()?;
    Ok(())
}

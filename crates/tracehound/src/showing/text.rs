//! Pages as text.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{
    AccountBlockRow, BlockContent, BlockPage, BlockRow, Ends, EventRow, HolderPage, InputRow, LegRow, OutputPage,
    OutputRow, Place, Shown, Sum, TransactionPage, What,
};
use crate::output::text::{counted, grouped, table};

/// How much of an event's data is shown.
const DATA_BYTES_SHOWN: usize = 128;

/// Writes a page and an empty line after it.
pub fn write(out: &mut impl Write, shown: &Shown) -> io::Result<()> {
    let mut text = String::new();
    match &shown.what {
        What::Transaction(page) => transaction(&mut text, page, &shown.ledger),
        What::Output(page) => output(&mut text, page, &shown.ledger),
        What::Holder(page) => holder(&mut text, page, &shown.ledger),
        What::Block(page) => block(&mut text, page, &shown.ledger),
    }
    text.push('\n');
    out.write_all(text.as_bytes())
}

fn line(text: &mut String, args: std::fmt::Arguments<'_>) {
    writeln!(text, "{args}").expect("a string takes any text");
}

fn when(place: &Place) -> String {
    match place.height {
        Some(height) => format!("block {height}, {}", place.time),
        None => place.time.clone(),
    }
}

fn amount(sum: &Sum) -> String {
    format!("{} {}", grouped(&sum.amount), sum.asset)
}

fn transaction(text: &mut String, page: &TransactionPage, ledger: &str) {
    line(text, format_args!("transaction {}", page.tx));
    line(text, format_args!("on {ledger}, {}", when(&page.place)));
    if let Some(hash) = &page.block_hash {
        line(text, format_args!("in block {hash}"));
    }
    if let Some(fee) = &page.fee {
        line(text, format_args!("fee {}", amount(fee)));
    }
    if page.coinbase {
        line(text, format_args!("newly made coins"));
    }
    match &page.ends {
        Ends::Outputs { inputs, outputs } => {
            inputs_of(text, inputs);
            outputs_of(text, outputs);
        }
        Ends::Accounts { legs, events, unknown } => {
            unknown_of(text, unknown);
            legs_of(text, legs);
            events_of(text, events);
        }
    }
}

fn inputs_of(text: &mut String, inputs: &[InputRow]) {
    if inputs.is_empty() {
        return;
    }
    line(text, format_args!("{}:", counted(inputs.len() as u64, "input")));
    let row = |input: &InputRow| {
        let inferred = if input.inferred { "value inferred" } else { "" };
        [amount(&input.sum), input.holder.clone(), input.output.clone(), inferred.to_owned()]
    };
    table(text, &inputs.iter().map(row).collect::<Vec<_>>(), &[true, false, false, false]);
}

fn outputs_of(text: &mut String, outputs: &[OutputRow]) {
    line(text, format_args!("{}:", counted(outputs.len() as u64, "output")));
    let row = |made: &OutputRow| {
        let spent = made.spent_by.as_ref().map_or_else(|| "unspent".to_owned(), |by| format!("spent by {by}"));
        [made.index.to_string(), amount(&made.sum), made.holder.clone(), spent]
    };
    table(text, &outputs.iter().map(row).collect::<Vec<_>>(), &[true, true, false, false]);
}

fn legs_of(text: &mut String, legs: &[LegRow]) {
    line(text, format_args!("{}:", counted(legs.len() as u64, "movement")));
    let end = |name: &Option<String>, leg: &LegRow| {
        let nobody = match (leg.fee, leg.drift) {
            (true, _) => "fee",
            (_, true) => "drift",
            _ => "outside",
        };
        name.clone().unwrap_or_else(|| nobody.to_owned())
    };
    let row = |leg: &LegRow| [amount(&leg.sum), end(&leg.from, leg), "→".to_owned(), end(&leg.to, leg)];
    table(text, &legs.iter().map(row).collect::<Vec<_>>(), &[true, false, false, false]);
}

fn unknown_of(text: &mut String, unknown: &[&str]) {
    if !unknown.is_empty() {
        line(text, format_args!("the source had no {} of this block", unknown.join(", no ")));
    }
}

fn events_of(text: &mut String, events: &[EventRow]) {
    if events.is_empty() {
        return;
    }
    line(text, format_args!("{}:", counted(events.len() as u64, "event")));
    for event in events {
        line(text, format_args!("  {}  {}", event.index, event.contract));
        for topic in &event.topics {
            line(text, format_args!("    topic  {topic}"));
        }
        let bytes = event.data.len().saturating_sub(2) / 2;
        if bytes > DATA_BYTES_SHOWN {
            let shown = &event.data[..2 + 2 * DATA_BYTES_SHOWN];
            let bytes = grouped(&bytes.to_string());
            line(text, format_args!("    data   {shown}… ({bytes} bytes, --json shows all)"));
        } else if bytes > 0 {
            line(text, format_args!("    data   {}", event.data));
        }
    }
}

fn output(text: &mut String, page: &OutputPage, ledger: &str) {
    line(text, format_args!("output {}", page.output));
    let inferred = if page.inferred { " (value inferred)" } else { "" };
    line(text, format_args!("on {ledger}: {}{inferred}, held by {}", amount(&page.sum), page.holder));
    match &page.made {
        Some(place) => line(text, format_args!("made in {}", when(place))),
        None => line(text, format_args!("made before the ledger's first block")),
    }
    match (&page.spent_by, &page.spent) {
        (Some(by), Some(place)) => line(text, format_args!("spent by {by}, {}", when(place))),
        _ => line(text, format_args!("unspent")),
    }
}

fn holder(text: &mut String, page: &HolderPage, ledger: &str) {
    line(text, format_args!("holder {}", page.holder));
    line(text, format_args!("on {ledger}"));
    for row in &page.balances {
        line(text, format_args!("balance {} {}", grouped(&row.balance), row.asset));
        if let Some(totals) = &row.outputs {
            let outputs = counted(totals.outputs, "output");
            line(
                text,
                format_args!(
                    "  received {} in {outputs}, spent {}, {} unspent",
                    grouped(&totals.received),
                    grouped(&totals.spent),
                    grouped(&totals.unspent.to_string())
                ),
            );
        }
    }
    if let Some(more) = &page.more_balances {
        let (left_out, empty) = (grouped(&more.left_out.to_string()), grouped(&more.empty.to_string()));
        line(text, format_args!("  … and {left_out} more balances (--all shows them), {empty} of nothing"));
    }
    if let Some(first) = &page.first {
        line(text, format_args!("first seen {}", when(first)));
    }
    if let Some(last) = &page.last {
        line(text, format_args!("last seen {}", when(last)));
    }
    if page.history.is_empty() {
        return;
    }
    line(text, format_args!("movements, newest first:"));
    let rows: Vec<[String; 4]> = page
        .history
        .iter()
        .map(|row| {
            let sign = if row.direction == "in" { '+' } else { '−' };
            let other = row.output.clone().or_else(|| row.with.clone()).unwrap_or_else(|| "outside".to_owned());
            let tx = match &row.output {
                // The output's own name says the transaction that made it.
                Some(_) if row.direction == "in" => String::new(),
                _ => row.tx.clone(),
            };
            [row.place.time.clone(), format!("{sign}{}", amount(&row.sum)), other, tx]
        })
        .collect();
    table(text, &rows, &[false, true, false, false]);
    let shown = page.history.len() as u64;
    match page.movements {
        Some(all) if all > shown => {
            line(text, format_args!("  … and {} earlier (--all shows them)", grouped(&(all - shown).to_string())));
        }
        None => line(text, format_args!("  … and earlier ones (--all shows them)")),
        Some(_) => {}
    }
}

fn block(text: &mut String, page: &BlockPage, ledger: &str) {
    line(text, format_args!("block {} {}", page.height, page.hash));
    line(text, format_args!("on {ledger}, {}", page.time));
    if let Some(previous) = &page.previous {
        line(text, format_args!("after {previous}"));
    }
    let transactions = counted(page.transactions, "transaction");
    let shown = match &page.content {
        BlockContent::Outputs { fees, listed } => {
            line(text, format_args!("{transactions}, fees {}", amount(fees)));
            let row = |row: &BlockRow| {
                let ends = format!("{} → {}", row.inputs, row.outputs);
                [row.tx.clone(), ends, amount(&row.sum), format!("fee {}", row.fee)]
            };
            table(text, &listed.iter().map(row).collect::<Vec<_>>(), &[false, true, true, false]);
            listed.len() as u64
        }
        BlockContent::Accounts { settled, unknown, events, listed } => {
            if let Some(settled) = settled {
                line(text, format_args!("{settled}"));
            }
            unknown_of(text, unknown);
            line(text, format_args!("{transactions}, {} kept", counted(*events, "event")));
            let row = |row: &AccountBlockRow| {
                let events = if row.events == 0 { String::new() } else { counted(row.events, "event") };
                [row.tx.clone(), counted(row.movements, "movement"), events]
            };
            table(text, &listed.iter().map(row).collect::<Vec<_>>(), &[false, true, true]);
            listed.len() as u64
        }
    };
    if page.transactions > shown {
        let rest = grouped(&(page.transactions - shown).to_string());
        line(text, format_args!("  … and {rest} more (--all shows them)"));
    }
}

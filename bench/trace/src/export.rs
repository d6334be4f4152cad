//! A heist as two CSV files, and our own answer, so that a rival works on the very same data and can be held against it.
//!
//! `outputs.csv` has one row per coin, fees as coins that nobody spends; `ours.json` has time and events; `ours.csv`
//! our haircut, one row per resting place.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};

use bench_common::heist::Heist;
use bench_common::{Result, machine};
use book::UtxoLedger;
use exercise::Plan;
use ledger::{End, Ledger as _, Leg, Seq};
use trace::{Policy, Seed, TerminalKind};

use crate::timing::{Timed, trace};

/// Writes the heist's files into its folder and says where they are.
pub fn for_rivals(name: &str, plan: &Plan) -> Result<()> {
    let heist = Heist::prepare(name, plan)?;
    let ledger = heist.ledger()?;
    let seeds = heist.seeds(&ledger)?;
    let outputs = heist.folder.join("outputs.csv");
    if !outputs.exists() {
        let new = outputs.with_extension("new");
        write_outputs(&ledger, &mut BufWriter::new(File::create(&new)?))?;
        fs::rename(new, &outputs)?;
    }
    let mut file = BufWriter::new(File::create(heist.folder.join("seeds.csv"))?);
    writeln!(file, "output,amount")?;
    for Seed { purse, amount, .. } in &seeds {
        writeln!(file, "{},{}", purse.0, amount.units())?;
    }
    file.flush()?;
    machine::print();
    let timed = trace(&ledger, &seeds, Policy::Haircut, &trace::Settings::default());
    write_ours(&heist, &timed)?;
    println!("{}", heist.folder.display());
    Ok(())
}

/// One row per output and one per fee: its number (nothing for a fee), the transaction that made it, that
/// transaction's inputs in all, the value, and the transaction that spends it.
fn write_outputs(ledger: &UtxoLedger, file: &mut impl std::io::Write) -> Result<()> {
    writeln!(file, "output,tx,tx_total,value,spent_by")?;
    let mut legs: Vec<Leg> = Vec::new();
    for seq in 0..ledger.end().0 {
        ledger.transaction(Seq(seq), &mut legs);
        let total: u128 = legs.iter().filter(|leg| leg.payee == End::Pot).map(|leg| leg.amount.units()).sum();
        for leg in legs.iter().filter(|leg| leg.payer == End::Pot) {
            let output = leg.payee.purse().map(|purse| purse.0.to_string()).unwrap_or_default();
            let spender = leg.payee_next.map(|seq| seq.0.to_string()).unwrap_or_default();
            writeln!(file, "{output},{seq},{total},{},{spender}", leg.amount.units())?;
        }
    }
    Ok(file.flush()?)
}

fn write_ours(heist: &Heist, timed: &Timed) -> Result<()> {
    let mut file = BufWriter::new(File::create(heist.folder.join("ours.csv"))?);
    writeln!(file, "output,amount")?;
    for terminal in &timed.outcome.terminals {
        let output = match (terminal.kind, terminal.purse) {
            (TerminalKind::Balance, Some(purse)) => purse.0.to_string(),
            _ => String::new(),
        };
        writeln!(file, "{output},{}", terminal.amount.units())?;
    }
    file.flush()?;
    let seconds = |time: std::time::Duration| time.as_secs_f64();
    let text = format!(
        "{{\"median_s\": {}, \"least_s\": {}, \"most_s\": {}, \"core_s\": {}, \"events\": {}, \"own_bytes\": {}}}\n",
        seconds(timed.times.wall.median()),
        seconds(timed.times.wall.least()),
        seconds(timed.times.wall.most()),
        seconds(timed.times.core.median()),
        timed.outcome.events,
        timed.own_bytes,
    );
    Ok(fs::write(heist.folder.join("ours.json"), text)?)
}

//! `tracehound exercise DIR`: a seeded heist on disk, one that hops chains, a world of wallets with known owners, or a long
//! chain to measure with.

use std::io::Write;

use exercise::hopping::{HoppingPlan, write_hopping};
use exercise::scale::{ChainPlan, write_chain};
use exercise::wallets::{WalletPlan, write_wallets};
use exercise::{Plan, write_with_blocks};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::ExerciseArgs;
use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::output::text::grouped;

pub fn run(args: &ExerciseArgs) -> Result<Exit, Failure> {
    match (args.chain, args.wallets, args.hopping) {
        (Some(transactions), _, _) => chain(args, transactions),
        (_, Some(count), _) => wallets(args, count),
        (_, _, Some(transactions)) => hopping(args, transactions),
        (None, None, None) => heist(args),
    }
}

/// A heist on two EVM chains.
fn hopping(args: &ExerciseArgs, transactions: u64) -> Result<Exit, Failure> {
    let plan = HoppingPlan::new(args.seed, transactions);
    plan.check().map_err(Failure::bad_input)?;
    let folder = &args.folder;
    let bar = bar("chains", transactions);
    let written = write_hopping(&plan, folder, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    let report = written.map_err(|error| Failure::internal(format!("{}: {error}", folder.display())))?;
    let mut out = stdout();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        let number = |number: u64| grouped(&number.to_string());
        for chain in &report.chains {
            let (blocks, transactions, logs) = (number(chain.blocks), number(chain.transactions), number(chain.logs));
            let (folder, ledger, coin) = (&chain.folder, &chain.ledger, &chain.coin);
            say(format!("{folder}: {ledger} ({coin}), {blocks} blocks, {transactions} transactions, {logs} logs"));
        }
        for file in &report.files {
            writeln!(out, "{}", folder.join(&file.file).display())?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// A bar that counts transactions.
fn bar(what: &str, transactions: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(transactions), ProgressDrawTarget::stderr_with_hz(5));
    let template = format!("{what} [{{bar:24}}] {{human_pos}}/{{human_len}} transactions ({{per_sec}}, {{eta}} left)");
    bar.set_style(ProgressStyle::with_template(&template).expect("the template is right"));
    bar
}

/// A chain of which every address has a known owner.
fn wallets(args: &ExerciseArgs, count: u32) -> Result<Exit, Failure> {
    let mut plan = WalletPlan::new(args.seed, count);
    if let Some(transactions) = args.transactions {
        plan.transactions = transactions;
    }
    plan.check().map_err(Failure::bad_input)?;
    let folder = &args.folder;
    let bar = bar("wallets", plan.transactions);
    let blocks = args.blocks.then_some(args.xor);
    let written = write_wallets(&plan, folder, blocks, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    let report = written.map_err(|error| Failure::internal(format!("{}: {error}", folder.display())))?;
    let mut out = stdout();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        let number = |number: u64| grouped(&number.to_string());
        let (transactions, addresses) = (number(report.transactions), number(report.addresses));
        let owners = number(u64::from(report.plan.wallets) + report.services);
        say(format!("{}: {transactions} transactions, {addresses} addresses, {owners} owners", report.ledger));
        for file in &report.files {
            writeln!(out, "{}", folder.join(&file.file).display())?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// A chain in Bitcoin Core's files.
fn chain(args: &ExerciseArgs, transactions: u64) -> Result<Exit, Failure> {
    let plan =
        ChainPlan { seed: args.seed, transactions, obfuscated: args.xor, stale: args.stale, shuffled: args.shuffled };
    plan.check().map_err(Failure::bad_input)?;
    let folder = &args.folder;
    let bar = bar("chain", transactions);
    let written = write_chain(&plan, folder, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    let report = written.map_err(|error| Failure::internal(format!("{}: {error}", folder.display())))?;
    let mut out = stdout();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        let number = |number: u64| grouped(&number.to_string());
        let (blocks, transactions, bytes) = (number(report.blocks), number(report.transactions), number(report.bytes));
        say(format!("{}: {blocks} blocks, {transactions} transactions, {bytes} bytes", report.ledger));
        if let Some(busiest) = report.busiest_addresses.first() {
            say(format!("busiest address: {}, {} outputs", busiest.address, number(busiest.outputs)));
        }
        writeln!(out, "{}", folder.join(&report.folder).display())?;
        writeln!(out, "{}", folder.join(exercise::MANIFEST_FILE).display())?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// A heist in ordinary life.
fn heist(args: &ExerciseArgs) -> Result<Exit, Failure> {
    let mut plan = match (args.transactions, args.peel, args.cone) {
        (Some(transactions), _, _) => Plan::scaled(transactions),
        (_, Some(hops), _) => Plan::peel(hops),
        (_, _, Some(legs)) => Plan::cone(legs),
        _ => Plan::demo(),
    };
    plan.seed = args.seed;
    plan.check().map_err(Failure::bad_input)?;
    let folder = &args.folder;
    let written = if args.blocks { write_with_blocks(&plan, folder, args.xor) } else { exercise::write(&plan, folder) };
    let summary = written.map_err(|error| Failure::internal(format!("{}: {error}", folder.display())))?;
    if args.json {
        let mut out = stdout();
        serde_json::to_writer_pretty(&mut out, &summary)?;
        writeln!(out)?;
        out.flush()?;
        return Ok(Exit::Done);
    }
    for ledger in &summary.ledgers {
        let transactions = grouped(&ledger.transactions.to_string());
        say(format!("{}: {} transactions on {}", ledger.file, transactions, ledger.ledger));
    }
    let mut out = stdout();
    for file in &summary.files {
        writeln!(out, "{}", folder.join(&file.file).display())?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

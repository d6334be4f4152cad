//! `tracehound show TXID|TXID:VOUT|ADDRESS|BLOCK`: what the book knows of it.

use std::io::Write;

use book::BookLedger;
use ledger::{LedgerId, address};

use crate::cli::ShowArgs;
use crate::commands::stdout;
use crate::exit::{Exit, Failure};
use crate::home::{Home, ledgers};
use crate::showing::{self, SCHEMA, Shown, Target, What};

pub fn run(home: &Home, args: &ShowArgs) -> Result<Exit, Failure> {
    let book = home.open()?;
    let ids = ledgers(&book, args.ledger.as_deref())?;
    let limit = if args.all { usize::MAX } else { args.top };
    let mut out = stdout();
    for text in &args.targets {
        let mut found = false;
        for id in &ids {
            let opened = book.ledger(id)?;
            let Some(target) = showing::find(&opened, text) else { continue };
            found = true;
            let shown = Shown { schema: SCHEMA, ledger: id.to_string(), what: gather(&opened, target, limit) };
            if args.json {
                serde_json::to_writer(&mut out, &shown)?;
                writeln!(out)?;
            } else {
                showing::write(&mut out, &shown)?;
            }
        }
        if !found {
            out.flush()?;
            return Err(missing(text, &ids));
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn gather(opened: &BookLedger, target: Target, limit: usize) -> What {
    match (target, opened) {
        (Target::Transaction(seq), _) => What::Transaction(showing::transaction(opened, seq)),
        (Target::Holder(holder), _) => What::Holder(showing::holder(opened, holder, limit)),
        (Target::Output(purse), BookLedger::Utxo(chain)) => What::Output(showing::output(chain, purse)),
        (Target::Block(row), BookLedger::Utxo(chain)) => What::Block(showing::block(chain, row, limit)),
        (Target::AccountBlock(block), BookLedger::Account(chain)) => {
            What::Block(showing::account_block(chain, &block, limit))
        }
        (Target::Output(_) | Target::Block(_), BookLedger::Account(_))
        | (Target::AccountBlock(_), BookLedger::Utxo(_)) => {
            unreachable!("each is looked for on ledgers of its kind only")
        }
    }
}

/// Not there; or, where it can only be a mistyped address, that.
fn missing(text: &str, ids: &[LedgerId]) -> Failure {
    let chains = ids.iter().filter(|id| matches!(id.namespace(), "bip122" | "eip155"));
    for id in chains {
        if let Err(error @ (address::AddressError::Checksum(_) | address::AddressError::Network(_))) =
            address::canonical(id, text)
        {
            return Failure::bad_input(format!("{text}: {error} ({id})"));
        }
    }
    let names: Vec<&str> = ids.iter().map(LedgerId::as_str).collect();
    let on = if names.is_empty() {
        "; the book holds no ledger yet".to_owned()
    } else {
        format!(" on {}", names.join(", "))
    };
    Failure::missing(format!("{text}: no such transaction, output, block or holder{on}"))
}

//! `tracehound links pools`: the crowd of each pool, who may have taken the loot out of it, and what habits tie together.

use std::collections::BTreeSet;
use std::io::Write;

use book::{AccountLedger, BookLedger};
use ledger::{Ledger, Seq, Time};
use link::pools::{Account, History, Marks, Posterior, Ratios, Taken, account, claims, marks, posteriors, read};
use link::{Kept, Portion};
use money::{Amount, Decimal};
use serde_json::json;

use super::thorchain::table;
use crate::cli::PoolsArgs;
use crate::commands::{say, stdout};
use crate::exit::{Exit, Failure};
use crate::home::{Home, ledgers};
use crate::linkstore::{Entry, LinkStore};
use crate::output::text::{counted, grouped, plural};
use crate::registries;

/// The schema of every line.
const SCHEMA: &str = "tracehound/pools/1";

pub fn run(home: &Home, args: &PoolsArgs) -> Result<Exit, Failure> {
    let book = home.open()?;
    let mut pools = registries::pools(Some(&book), &[])?;
    for path in &args.pools {
        pools.add(&table(path)?).map_err(|error| Failure::bad_input(format!("{}: {error}", path.display())))?;
    }
    let (mut kept, mut seen, mut loot_seen) = (Vec::new(), 0usize, BTreeSet::new());
    let mut out = stdout();
    for id in ledgers(&book, args.ledger.as_deref())? {
        let BookLedger::Account(ledger) = book.ledger(&id)? else { continue };
        let histories = read(&ledger, &pools);
        let marks = marks(&ledger, &pools, &histories);
        let ratios = Ratios::default().learnt(&histories, &marks);
        let before = before(&ledger, args.at.as_deref())?;
        for (history, marks) in histories.iter().zip(&marks) {
            if !args.pool.as_deref().is_none_or(|wanted| is_pool(history, wanted)) {
                continue;
            }
            seen += 1;
            for problem in &history.problems {
                say(format!("warning: {}: {problem}", history.pool.name));
            }
            let view = View { ledger: &ledger, history, marks, ratios: &ratios, args };
            view.tell(&mut out, before, &mut loot_seen, &mut kept)?;
        }
    }
    out.flush()?;
    if let Some(missing) = args.loot.iter().find(|tx| !loot_seen.contains(&tx.to_ascii_lowercase())) {
        return Err(Failure::missing(format!("--loot {missing}: no deposit of that transaction in any pool")));
    }
    if seen == 0 {
        let which = args.pool.as_deref().map_or_else(String::new, |pool| format!(" called {pool}"));
        return Err(Failure::missing(format!(
            "the book shows no pool{which}; logs of pools are kept by `ingest ethereum` (docs/methods/tornado.md)"
        )));
    }
    if args.keep {
        let mut store = LinkStore::open(&book)?;
        let entry = Entry { did: "pools", note: args.note.clone(), ..Entry::default() };
        let new = store.take_in(kept, args.again, entry)?;
        say(format!("{} new; the book has {}", counted(new, "link"), grouped(&store.links.len().to_string())));
    }
    Ok(Exit::Done)
}

fn is_pool(history: &History, wanted: &str) -> bool {
    history.pool.name == wanted || history.pool.holder().eq_ignore_ascii_case(wanted)
}

/// The first transaction of the block of that height, or at or after that time; the ledger's end where nothing is said.
fn before(ledger: &AccountLedger, at: Option<&str>) -> Result<Seq, Failure> {
    let Some(at) = at else { return Ok(ledger.end()) };
    if let Ok(height) = at.parse::<u64>() {
        let (mut low, mut high) = (0, ledger.end().0);
        while low < high {
            let middle = low + (high - low) / 2;
            if ledger.stamp(Seq(middle)).height.is_some_and(|of| of < height) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return Ok(Seq(low));
    }
    let time = Time::parse(at)
        .map_err(|error| Failure::bad_input(format!("--at {at}: neither a height nor a time; {error}")))?;
    Ok(ledger.seq_at(time))
}

/// One pool, and what is asked of it.
struct View<'a> {
    ledger: &'a AccountLedger,
    history: &'a History,
    marks: &'a [Marks],
    ratios: &'a Ratios,
    args: &'a PoolsArgs,
}

impl View<'_> {
    fn tell(
        &self,
        out: &mut impl Write,
        before: Seq,
        loot_seen: &mut BTreeSet<String>,
        kept: &mut Vec<Kept>,
    ) -> Result<(), Failure> {
        let dirty = self.dirty(loot_seen);
        let settled = self.settled()?;
        let believed = posteriors(self.history, self.marks, self.ratios, &|at| dirty.contains(&at), &settled);
        let linked = sure(&believed);
        let crowd = self.history.crowd(before, &linked);
        let pool = &self.history.pool;
        if self.args.json {
            let line = json!({
                "schema": SCHEMA, "kind": "crowd", "ledger": pool.ledger.as_str(), "pool": pool.name, "contract": pool.holder(),
                "note_units": pool.units.to_string(), "asset": pool.asset, "deposits": crowd.deposits,
                "withdrawals": crowd.withdrawals, "inside": crowd.inside(), "candidates": crowd.candidates(),
                "linked_deposits": crowd.linked_deposits, "linked_withdrawals": crowd.linked_withdrawals,
                "inside_unlinked": crowd.inside_unlinked(),
            });
            writeln!(out, "{line}")?;
        } else {
            writeln!(out, "{} on {} ({})", pool.name, pool.ledger, pool.holder())?;
            writeln!(
                out,
                "  {} in, {} out, {} inside; {} tied to a deposit with more than 99 in 100",
                grouped(&crowd.deposits.to_string()),
                grouped(&crowd.withdrawals.to_string()),
                grouped(&crowd.inside().to_string()),
                counted(crowd.linked_withdrawals, "withdrawal"),
            )?;
            writeln!(
                out,
                "  a withdrawal hides among {}; among {} without those that are tied",
                counted(crowd.deposits, "note"),
                grouped(&crowd.candidates().to_string()),
            )?;
        }
        if !dirty.is_empty() {
            self.loot(out, &account(self.history, &dirty, &settled, &believed))?;
        }
        if self.args.keep {
            kept.extend(
                claims(self.history, self.marks, &believed).into_iter().map(|claim| Kept { claim, withdrawn: None }),
            );
        }
        Ok(())
    }

    /// The deposits of the loot's transactions.
    fn dirty(&self, loot_seen: &mut BTreeSet<String>) -> BTreeSet<usize> {
        let wanted = |tx: &str| self.args.loot.iter().any(|loot| loot.eq_ignore_ascii_case(tx));
        let mut dirty = BTreeSet::new();
        for (at, deposit) in self.history.deposits.iter().enumerate().filter(|(_, deposit)| wanted(&deposit.tx)) {
            loot_seen.insert(deposit.tx.to_ascii_lowercase());
            dirty.insert(at);
        }
        dirty
    }

    /// The pairs that the user settled, as far as they are of this pool.
    fn settled(&self) -> Result<Vec<(usize, usize)>, Failure> {
        let mut settled: Vec<(usize, usize)> = Vec::new();
        for text in &self.args.settled {
            let wrong = |what: &str| Failure::bad_input(format!("--settled {text}: {what}"));
            let (out, put) = text.split_once('=').ok_or_else(|| wrong("write WITHDRAWAL=DEPOSIT"))?;
            let out = self.history.withdrawals.iter().position(|withdrawal| withdrawal.tx.eq_ignore_ascii_case(out));
            let put = self.history.deposits.iter().position(|deposit| deposit.tx.eq_ignore_ascii_case(put));
            let (Some(out), Some(put)) = (out, put) else { continue };
            if self.history.deposits[put].seq >= self.history.withdrawals[out].seq {
                return Err(wrong("the note was put in after it was taken out"));
            }
            if settled.iter().any(|pair| pair.0 == out || pair.1 == put) {
                return Err(wrong("one of the two is in another pair; a note leaves once"));
            }
            settled.push((out, put));
        }
        Ok(settled)
    }

    fn loot(&self, out: &mut impl Write, account: &Account) -> Result<(), Failure> {
        let pool = &self.history.pool;
        let scale = self.ledger.find_asset(&pool.asset).map_or(0, |asset| self.ledger.asset(asset).scale);
        let text = |units: u128| Decimal::new(units, scale).to_string();
        let amount = |notes: u64| text(pool.units.saturating_mul(u128::from(notes)));
        let listed = &account.taken[..account.taken.len().min(self.args.top)];
        if self.args.json {
            let line = json!({
                "schema": SCHEMA, "kind": "loot", "ledger": pool.ledger.as_str(), "pool": pool.name, "notes": account.dirty,
                "left_low": account.left.0, "left_high": account.left.1,
            });
            writeln!(out, "{line}")?;
            for taken in listed {
                writeln!(out, "{}", line_of(pool.name.as_str(), pool.ledger.as_str(), taken))?;
            }
            return Ok(());
        }
        writeln!(
            out,
            "  loot: {} put in; {} to {} {} of it lie there still",
            counted(account.dirty, "note"),
            amount(account.left.0),
            amount(account.left.1),
            pool.asset
        )?;
        for taken in listed {
            let expected = text(taken.units[2]);
            writeln!(
                out,
                "    {}  {}: {} to {}, expected {expected} {}{}",
                taken.recipient,
                counted(taken.notes, "note"),
                text(taken.units[0]),
                text(taken.units[1]),
                pool.asset,
                odds(taken),
            )?;
        }
        let more = account.taken.len() - listed.len();
        if more > 0 {
            writeln!(
                out,
                "    and {} who may have taken some; --top {} lists them",
                plural(more, "receiver"),
                account.taken.len()
            )?;
        }
        Ok(())
    }
}

/// Pairs that are as good as settled, each deposit once.
fn sure(believed: &[Posterior]) -> Vec<(usize, usize)> {
    let least = Portion::new(990_000_000).unwrap_or(Portion::ONE);
    let mut taken = BTreeSet::new();
    let best = |posterior: &Posterior| posterior.marked.first().copied().filter(|(_, portion)| *portion > least);
    let pairs =
        believed.iter().enumerate().filter_map(|(at, posterior)| best(posterior).map(|(deposit, _)| (at, deposit)));
    pairs.filter(|(_, deposit)| taken.insert(*deposit)).collect()
}

/// The exact odds, where they are few enough to read.
fn odds(taken: &Taken) -> String {
    match &taken.odds {
        Some(odds) if odds.len() <= 8 => {
            let each: Vec<String> = odds.iter().enumerate().map(|(k, ratio)| format!("{k}: {ratio}")).collect();
            format!(" (by chance {})", each.join(", "))
        }
        _ => String::new(),
    }
}

fn line_of(pool: &str, ledger: &str, taken: &Taken) -> serde_json::Value {
    let odds = taken.odds.as_ref().map(|odds| odds.iter().map(ToString::to_string).collect::<Vec<_>>());
    let expected = Decimal::new(Amount::new(u128::from(taken.expected_billionths)).units(), 9).to_string();
    json!({
        "schema": SCHEMA, "kind": "taken", "ledger": ledger, "pool": pool, "recipient": taken.recipient, "notes": taken.notes,
        "low": taken.low, "high": taken.high, "expected": expected, "low_units": taken.units[0].to_string(),
        "high_units": taken.units[1].to_string(), "expected_units": taken.units[2].to_string(), "odds": odds,
    })
}

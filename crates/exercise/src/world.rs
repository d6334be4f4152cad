//! Runs the three ledgers through time: ordinary life, with the launderer's moves where they are due.
//!
//! Each ledger is made on its own, front to back, straight into its sink; they share the plan, the calendar and the
//! day of the theft, and no state.

use std::io::{self, Write};

use crate::accounts::{AccountCounts, Accounts, Names};
use crate::bank::{self, Bank};
use crate::bank_launderer::BankLaunderer;
use crate::blockfiles::BlockFiles;
use crate::chain::{Chain, ChainCounts, SCALE};
use crate::coin_launderer::{CoinLaunderer, MULES};
use crate::dice::Dice;
use crate::exchange::HOT_KEYS;
use crate::keys::{Key, Owner, address};
use crate::market::{self, Market};
use crate::notebook::time_text;
use crate::plan::Plan;
use crate::token_launderer::{Stolen, TokenLaunderer};
use crate::town::Town;
use crate::truth::{Loss, Step};

/// 2024-01-01T00:00:00Z: when ordinary life begins.
const START: i64 = 1_704_067_200;
/// A hundred and twenty days.
const LENGTH: i64 = 120 * 24 * 3600;
/// Founding happens in the week before.
const FOUNDING: i64 = START - 7 * 24 * 3600;
/// Transactions of one block, on average: the exercise aims at this many blocks and keeps within these sizes.
const BLOCKS_AIMED: u64 = 2_000;
const BLOCK_TRANSACTIONS_MIN: u64 = 8;
const BLOCK_TRANSACTIONS_MAX: u64 = 2_000;
/// A spreading theft that has not reached its legs after this many transactions per leg wanted ends anyway.
const SPREAD_TRANSACTIONS_PER_LEG_MAX: u64 = 4;

/// Someone with a name: what the tags tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub asset: &'static str,
    pub address: String,
    pub label: &'static str,
    pub actor: &'static str,
    pub category: &'static str,
}

/// Where a trace of one loss starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A UTXO output, `txid:vout`.
    Output(String),
    /// What a transaction brought to an account: (transaction, payee, amount).
    Payment(Stolen),
}

/// What one ledger's run leaves to be told.
#[derive(Clone, Debug)]
pub struct Told {
    pub loss: Loss,
    pub steps: Vec<Step>,
    pub starts: Vec<Start>,
    pub tags: Vec<Tag>,
    pub day: String,
}

fn moment(slot: u64, slots: u64) -> i64 {
    let whole = i128::from(slots.max(1));
    let part = i128::from(LENGTH) * i128::from(slot) / whole;
    START + i64::try_from(part).expect("within four months")
}

/// The UTXO ledger; into block files as well, if there are any.
pub fn run_chain<W: Write>(plan: &Plan, out: W, files: Option<BlockFiles>) -> io::Result<(Told, ChainCounts)> {
    let mut chain = Chain::new(out, plan.seed, plan.mark(), files);
    let mut dice = Dice::new(plan.seed, "blocks");
    let mut founding = FOUNDING;
    let mut town = Town::found(plan.seed, plan.wallets, &mut chain, &mut founding)?;
    let mut launderer = CoinLaunderer::new(plan);
    let size = (plan.chain_transactions / BLOCKS_AIMED).clamp(BLOCK_TRANSACTIONS_MIN, BLOCK_TRANSACTIONS_MAX);
    let mut wanted = size;
    chain.open(START);
    let mut slot = 0;
    while !over(plan, slot, &chain.counts()) {
        while launderer.act(slot, &mut town, &mut chain) {
            seal_if_full(&mut chain, &mut town, &mut wanted, (size, &mut dice), moment(slot, plan.chain_transactions))?;
        }
        town.live(&mut chain);
        slot += 1;
        seal_if_full(&mut chain, &mut town, &mut wanted, (size, &mut dice), moment(slot, plan.chain_transactions))?;
    }
    while launderer.act(u64::MAX, &mut town, &mut chain) {
        seal_if_full(&mut chain, &mut town, &mut wanted, (size, &mut dice), moment(slot, plan.chain_transactions))?;
    }
    while chain.waiting() > 0 {
        let miner = town.miner(&mut chain);
        let coin = chain.seal(miner)?;
        town.receive(coin);
    }

    let ledger = chain.id().to_owned();
    let starts =
        launderer.stolen().iter().map(|coin| Start::Output(format!("{}:{}", ledger::txid_text(&coin.txid), coin.vout)));
    let starts = starts.collect();
    let stolen = launderer.stolen().iter().map(|coin| u128::from(coin.value_sats)).sum();
    let tags = if plan.spread_legs.is_some() { Vec::new() } else { chain_tags(plan.seed, &town) };
    let (steps, loss) = launderer.close().close(&ledger, ("BTC", SCALE), stolen);
    let day = theft_day(&steps);
    Ok((Told { loss, steps, starts, tags, day }, chain.finish()?))
}

fn over(plan: &Plan, slot: u64, counts: &ChainCounts) -> bool {
    match plan.spread_legs {
        None => slot >= plan.chain_transactions,
        Some(legs) => {
            let most = plan.chain_transactions.max(legs.saturating_mul(SPREAD_TRANSACTIONS_PER_LEG_MAX));
            counts.tainted_legs >= legs || slot >= most
        }
    }
}

fn seal_if_full<W: Write>(
    chain: &mut Chain<W>,
    town: &mut Town,
    wanted: &mut u64,
    (size, dice): (u64, &mut Dice),
    next_time: i64,
) -> io::Result<()> {
    if (chain.waiting() as u64) < *wanted {
        return Ok(());
    }
    let miner = town.miner(chain);
    let coin = chain.seal(miner)?;
    town.receive(coin);
    let next_time = next_time.max(chain.time() + 1);
    chain.open(next_time);
    *wanted = dice.between(size / 2, size + size / 2);
    Ok(())
}

fn theft_day(steps: &[Step]) -> String {
    let theft = steps.iter().find(|step| step.kind == "theft");
    theft.map_or_else(|| time_text(START), |step| step.time.clone()).chars().take(10).collect()
}

fn chain_tags(seed: u64, town: &Town) -> Vec<Tag> {
    let tag = |key, label, actor, category| Tag { asset: "BTC", address: address(seed, key), label, actor, category };
    let hot = |owner| (0..HOT_KEYS).map(move |number| Key { owner, number });
    let coordinator = Key { owner: Owner::COORDINATOR, number: 0 };
    let harbour =
        hot(Owner::HARBOUR_HOT).map(|key| tag(key, "Harbour Exchange hot wallet", "harbour-exchange", "exchange"));
    let meridian =
        hot(Owner::MERIDIAN_HOT).map(|key| tag(key, "Meridian Exchange hot wallet", "meridian-exchange", "exchange"));
    let join = tag(coordinator, "Fogbank join coordinator", "fogbank", "coinjoin");
    let at_harbour = town.harbour.deposit_keys(0);
    let at_harbour = at_harbour.map(|key| tag(key, "Harbour Exchange deposit", "harbour-exchange", "exchange"));
    let at_meridian = town.meridian.deposit_keys(MULES);
    let at_meridian = at_meridian.map(|key| tag(key, "Meridian Exchange deposit", "meridian-exchange", "exchange"));
    harbour.chain(meridian).chain([join]).chain(at_harbour).chain(at_meridian).collect()
}

/// The token ledger.
pub fn run_tokens<W: Write>(plan: &Plan, out: W) -> io::Result<(Told, AccountCounts)> {
    let mut accounts = Accounts::new(out, plan.seed, market::LEDGER, Names::Hex, market::ASSETS)?;
    let mut market = Market::found(plan.seed, plan.wallets, &mut accounts, FOUNDING)?;
    let mut launderer = TokenLaunderer::new(plan, &mut accounts);
    market.adopt(launderer.mules());
    for slot in 0..plan.token_transactions {
        let time = moment(slot, plan.token_transactions);
        while launderer.act(slot, time, &mut market, &mut accounts)? {}
        market.live(&mut accounts, time)?;
    }
    while launderer.act(u64::MAX, moment(1, 1), &mut market, &mut accounts)? {}

    let tag = |account, label, actor, category| Tag {
        asset: "ETHX",
        address: accounts.name(account),
        label,
        actor,
        category,
    };
    let mut tags = vec![
        tag(market.harbour, "Harbour Exchange hot wallet", "harbour-exchange", "exchange"),
        tag(market.meridian, "Meridian Exchange hot wallet", "meridian-exchange", "exchange"),
        tag(market.bridge, "Lantern Bridge", "lantern-bridge", "defi_bridge"),
        tag(market.pool, "Tidepool ETHX/USDX", "tidepool", "defi_dex"),
        tag(market.router, "Tidepool router", "tidepool", "defi_dex"),
    ];
    tags.extend(market.deposits().iter().map(|(account, hot)| {
        if *hot == market.harbour {
            tag(*account, "Harbour Exchange deposit", "harbour-exchange", "exchange")
        } else {
            tag(*account, "Meridian Exchange deposit", "meridian-exchange", "exchange")
        }
    }));
    let counts = accounts.counts();
    let (notebook, stolen) = launderer.close(&accounts);
    let sum = stolen.iter().map(|(_, _, amount)| amount).sum();
    let (steps, loss) = notebook.close(market::LEDGER, market::ASSETS[market::ETHX], sum);
    let day = theft_day(&steps);
    let starts = stolen.into_iter().map(Start::Payment).collect();
    Ok((Told { loss, steps, starts, tags, day }, counts))
}

/// The bank.
pub fn run_bank<W: Write>(plan: &Plan, out: W) -> io::Result<(Told, AccountCounts)> {
    let mut accounts = Accounts::new(out, plan.seed, bank::LEDGER, Names::Iban, bank::ASSETS)?;
    let mut bank = Bank::found(plan.seed, plan.wallets, &mut accounts, FOUNDING)?;
    let mut launderer = BankLaunderer::new(plan, &mut accounts);
    for slot in 0..plan.bank_transactions {
        let time = moment(slot, plan.bank_transactions);
        while launderer.act(slot, time, &mut bank, &mut accounts)? {}
        bank.live(&mut accounts, time)?;
    }
    while launderer.act(u64::MAX, moment(1, 1), &mut bank, &mut accounts)? {}

    let tag =
        |account, label, actor, category| Tag { asset: "EUR", address: accounts.name(account), label, actor, category };
    let tags = vec![
        tag(bank.harbour, "Harbour Exchange client money", "harbour-exchange", "exchange"),
        tag(bank.meridian, "Meridian Exchange on-ramp", "meridian-exchange", "exchange"),
        tag(bank.casino, "Gilded Anchor Casino", "gilded-anchor", "gambling"),
    ];
    let counts = accounts.counts();
    let (notebook, stolen) = launderer.close(&accounts);
    let sum = stolen.iter().map(|(_, _, amount)| amount).sum();
    let (steps, loss) = notebook.close(bank::LEDGER, bank::ASSETS[bank::EUR], sum);
    let day = theft_day(&steps);
    let starts = stolen.into_iter().map(Start::Payment).collect();
    Ok((Told { loss, steps, starts, tags, day }, counts))
}

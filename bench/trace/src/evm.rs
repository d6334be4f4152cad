//! [`market`]: a chain of accounts with two million transfers, made up block by block, and where a theft has a cone of a
//! wished size.
//!
//! Payers and payees are drawn with a heavy tail, so a few hundred accounts have most of the traffic, as on real chains.
//! Each transaction burns a fee and tips the block's producer. Of a hundred, 58 pay coin, 30 pay one of two tokens, 8 swap
//! with a pool, 4 put coin into a vault that mints a token for it, or take it out. Nobody pays what it does not have.

use std::fs;

use bench_common::{Result, folder};
use book::{AccountLedger, Book, BookLedger};
use ledger::{AccountBlock, AccountLeg, AccountTransaction, Gaps, Ledger as _, LedgerId, LegKind, Seq, Time};
use money::{Amount, Asset};
use trace::forward::forward;
use trace::{LabelId, Policy, Seed, Settings};

const TRANSFERS: u64 = 2_000_000;
const TRANSFERS_PER_BLOCK: u64 = 160;
const ACCOUNTS: usize = 300_000;
/// So many have coin and tokens at the start.
const RICH: usize = 30_000;
/// A theft takes the money of so many payments.
const THEFT_PAYMENTS: usize = 100;
const POOLS: usize = 20;
const SEED: u64 = 2024;
const COIN: usize = 0;
const VAULT: usize = 3;
const ETHER: u128 = 1_000_000_000_000_000_000;
/// Blocks are committed in batches.
const BLOCKS_PER_COMMIT: u64 = 500;
const READY_FILE: &str = "ready";

/// The book's ledger, made unless it is there.
pub fn market() -> Result<AccountLedger> {
    let id = LedgerId::parse("eip155:900900")?;
    let home = folder::named("evm-market");
    if !home.join(READY_FILE).exists() {
        eprintln!("evm-market: filling the book");
        let home = folder::empty("evm-market")?;
        fill(&Book::create(home.join("book"))?, &id)?;
        fs::write(home.join(READY_FILE), "")?;
    }
    match Book::open(home.join("book"))?.ledger(&id)? {
        BookLedger::Account(ledger) => Ok(ledger),
        BookLedger::Utxo(_) => Err("it was made as a ledger of accounts".into()),
    }
}

/// A theft after which a policy sees about so many events, and how many. The later the theft, the smaller its cone.
pub fn theft(ledger: &AccountLedger, policy: Policy, events: u64) -> Result<(Vec<Seed>, u64)> {
    let settings = Settings::default();
    let (mut early, mut late) = (0, ledger.end().0);
    let mut best: Option<(Vec<Seed>, u64)> = None;
    while early < late {
        let middle = early.midpoint(late);
        let seeds = theft_after(ledger, middle);
        let found = forward(ledger, &seeds, policy, &settings, &mut ()).events;
        if best.as_ref().is_none_or(|(_, best)| found.abs_diff(events) < best.abs_diff(events)) {
            best = Some((seeds, found));
        }
        if found.abs_diff(events) <= events / 50 {
            break;
        }
        if found > events { early = middle + 1 } else { late = middle }
    }
    best.ok_or_else(|| "no payment leads on".into())
}

/// The first payments of coin from a transaction on that move at least one and are paid on, a hundred of them.
fn theft_after(ledger: &AccountLedger, first: u64) -> Vec<Seed> {
    let coin = ledger.find_asset("ETH");
    let mut legs = Vec::new();
    let seed = |seq| {
        ledger.transaction(Seq(seq), &mut legs);
        let leg = legs.first().filter(|leg| Some(leg.asset) == coin && leg.amount.units() >= ETHER)?;
        let purse = leg.payee.purse()?;
        leg.payer.purse()?;
        leg.payee_next?;
        Some(Seed { seq: Seq(seq), leg: 0, purse, label: LabelId(0), amount: leg.amount })
    };
    (first..ledger.end().0).filter_map(seed).take(THEFT_PAYMENTS).collect()
}

fn fill(book: &Book, id: &LedgerId) -> Result<()> {
    let mut market = Market::new();
    let mut writer = book.account_writer(id)?;
    for (at, symbol) in market.assets.iter().enumerate() {
        writer.declare_asset(&Asset { symbol: symbol.clone(), scale: if at == 1 { 6 } else { 18 } })?;
    }
    let blocks = TRANSFERS.div_ceil(TRANSFERS_PER_BLOCK);
    for height in 0..=blocks {
        let transactions = if height == 0 { market.issue() } else { market.block(height) };
        let hash = |height: u64| {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&height.to_be_bytes());
            hash
        };
        writer.push_block(&AccountBlock {
            height,
            hash: hash(height + 1),
            previous: height.checked_sub(1).map(|_| hash(height)),
            time: time(height),
            transactions,
            events: Vec::new(),
            gaps: Gaps::default(),
        })?;
        if height % BLOCKS_PER_COMMIT == 0 || height == blocks {
            writer.commit()?;
        }
    }
    Ok(())
}

fn time(height: u64) -> Time {
    let seconds = i64::try_from(1_600_000_000 + height * 12).expect("a few years");
    Time::from_micros(seconds * 1_000_000)
}

/// Who has what, and dice.
struct Market {
    dice: u64,
    assets: [String; 4],
    names: Vec<String>,
    /// Of each account, of each asset.
    has: Vec<[u128; 4]>,
    made: u64,
}

impl Market {
    fn new() -> Self {
        let name = |at: u64| {
            let (mut one, mut two) = (at ^ 0x5bd1_e995, at ^ 0x9e37_79b9);
            format!("0x{:016x}{:016x}{:08x}", roll(&mut one), roll(&mut two), at)
        };
        let names: Vec<String> = (0..ACCOUNTS as u64).map(name).collect();
        let token = |at: u64| format!("eip155:900900/erc20:{}", name(1_000_000 + at));
        // The vault is an account, since coin is paid to it; what it mints bears its address.
        let vault = format!("eip155:900900/erc20:{}", names[POOLS]);
        Self {
            dice: SEED,
            assets: ["ETH".into(), token(1), token(2), vault],
            names,
            has: vec![[0; 4]; ACCOUNTS],
            made: 0,
        }
    }

    fn roll(&mut self, below: u64) -> u64 {
        roll(&mut self.dice) % below
    }

    /// An account, with a heavy tail: a tenth of the draws goes to the first thousandth of the accounts, half to the first
    /// eighth.
    fn account(&mut self, among: usize) -> usize {
        let share = self.roll(1 << 20);
        let cube = (u128::from(share).pow(3) * among as u128) >> 60;
        usize::try_from(cube).expect("below the number of accounts")
    }

    fn issue(&mut self) -> Vec<AccountTransaction> {
        let mut grant = |at: usize| {
            let weight = if at <= POOLS { 1_000_000 } else { u128::from(self.roll(200) + 1) };
            let mut legs = Vec::new();
            for (asset, unit) in [ETHER, 1_000_000_000, 1_000 * ETHER].into_iter().enumerate() {
                self.has[at][asset] += weight * unit;
                legs.push(self.leg(None, Some(at), asset, weight * unit, LegKind::Transfer));
            }
            AccountTransaction { name: format!("grant:{at}"), time: time(0), legs }
        };
        (0..RICH).map(&mut grant).collect()
    }

    fn block(&mut self, height: u64) -> Vec<AccountTransaction> {
        let mut transactions = Vec::new();
        let producer = POOLS + 1 + self.account(500);
        let until = self.made + TRANSFERS_PER_BLOCK;
        while self.made < until {
            let legs = self.transaction(producer);
            let (mut one, mut two) = (self.made, !self.made);
            let name = format!("0x{:016x}{:016x}{:032x}", roll(&mut one), roll(&mut two), self.made);
            transactions.push(AccountTransaction { name, time: time(height), legs });
        }
        transactions
    }

    /// Somebody who has coin for the fee, and something of the asset.
    fn payer(&mut self, asset: usize) -> usize {
        const TRIES: usize = 30;
        let is_good = |has: &[u128; 4]| has[COIN] > ETHER / 100 && has[asset] > 1_000_000;
        for _ in 0..TRIES {
            let at = POOLS + 1 + self.account(ACCOUNTS - POOLS - 1);
            if is_good(&self.has[at]) {
                return at;
            }
        }
        // What no draw finds, the first that has it pays.
        let first = (POOLS + 1..ACCOUNTS).find(|at| is_good(&self.has[*at]));
        first.expect("somebody has something")
    }

    fn transaction(&mut self, producer: usize) -> Vec<AccountLeg> {
        let mut legs = Vec::with_capacity(6);
        let payer = match self.roll(100) {
            turn @ 0..88 => {
                let asset = if turn < 58 { COIN } else { 1 + usize::from(turn >= 73) };
                let payer = self.payer(asset);
                let to = POOLS + 1 + self.account(ACCOUNTS - POOLS - 1);
                self.pay(&mut legs, payer, to, asset);
                payer
            }
            88..96 => {
                let pair = self.roll(6);
                let (gives, gets) =
                    [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)][usize::try_from(pair).expect("small")];
                let (payer, pool) = (self.payer(gives), self.account(POOLS));
                self.pay(&mut legs, payer, pool, gives);
                let share = u128::from(self.roll(1_000) + 1);
                let amount = (self.has[pool][gets] / 1_000_000 * share).max(1).min(self.has[pool][gets]);
                self.pay_amount(&mut legs, Some(pool), Some(payer), gets, amount);
                payer
            }
            turn => {
                let (takes_out, vault) = (turn >= 98 && self.made > TRANSFERS / 100, POOLS);
                if takes_out {
                    let payer = self.payer(VAULT);
                    let amount = self.part_of(payer, VAULT);
                    self.pay_amount(&mut legs, Some(payer), None, VAULT, amount);
                    self.pay_amount(&mut legs, Some(vault), Some(payer), COIN, amount);
                    payer
                } else {
                    let payer = self.payer(COIN);
                    let amount = self.pay(&mut legs, payer, vault, COIN);
                    self.pay_amount(&mut legs, None, Some(payer), VAULT, amount);
                    payer
                }
            }
        };
        self.made += legs.len() as u64;
        let gas = 21_000 + u128::from(self.roll(100_000));
        for (to, price) in [(None, 20_000_000_000), (Some(producer), 1_000_000_000)] {
            let amount = gas * price;
            self.has[payer][COIN] -= amount;
            legs.push(self.leg(Some(payer), None, COIN, amount, LegKind::Fee));
            if let Some(producer) = to {
                self.has[producer][COIN] += amount;
                legs.push(self.leg(None, to, COIN, amount, LegKind::Fee));
            }
        }
        legs
    }

    /// A part of what somebody has; what a fee needs stays.
    fn part_of(&mut self, payer: usize, asset: usize) -> u128 {
        let has = self.has[payer][asset];
        let spare = if asset == COIN { has - ETHER / 200 } else { has };
        (spare * u128::from(self.roll(600) + 1) / 1_000).max(1)
    }

    fn pay(&mut self, legs: &mut Vec<AccountLeg>, payer: usize, to: usize, asset: usize) -> u128 {
        let amount = self.part_of(payer, asset);
        self.pay_amount(legs, Some(payer), Some(to), asset, amount);
        amount
    }

    fn pay_amount(
        &mut self,
        legs: &mut Vec<AccountLeg>,
        from: Option<usize>,
        to: Option<usize>,
        asset: usize,
        amount: u128,
    ) {
        if let Some(from) = from {
            self.has[from][asset] -= amount;
        }
        if let Some(to) = to {
            self.has[to][asset] += amount;
        }
        legs.push(self.leg(from, to, asset, amount, LegKind::Transfer));
    }

    fn leg(&self, from: Option<usize>, to: Option<usize>, asset: usize, amount: u128, kind: LegKind) -> AccountLeg {
        let name = |at: usize| self.names[at].clone();
        AccountLeg {
            from: from.map(name),
            to: to.map(name),
            asset: self.assets[asset].clone(),
            amount: Amount::new(amount),
            fee: Amount::ZERO,
            kind,
        }
    }
}

/// The next of a series of numbers that look random (`SplitMix64`, Steele, Lea and Flood 2014).
fn roll(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

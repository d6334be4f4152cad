//! A small world with pools: people with habits who put notes in and take them out, and the truth about whose is whose.
//!
//! Habits are the author's, in the shares of `Habits`; they are not those of any real pool. What it shows is whether the
//! posteriors mean what they say where the truth is known, and that the bounds always hold.

use std::collections::BTreeMap;

use evm::abi::{Signature, Value};
use ledger::memory::MemoryLedger;
use ledger::{
    AccountBlock, AccountLeg, AccountTransaction, BlockEvent, Event, Gaps, Kind, LedgerId, LegKind, Time, hex,
};
use link::pools::{EVENTS, Pool, Pools};
use money::{Amount, Asset};

const BLOCK_SECONDS: i64 = 600;
const BLOCKS: u64 = 8_640;
const ONE_COIN: u128 = 1_000_000_000_000_000_000;
const MINER_GAS: u128 = 21_000;

/// A seeded generator (xorshift64*): the same world each time.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 0 up to, and without, `below`.
    pub fn below(&mut self, below: u64) -> u64 {
        (self.next() >> 11) % below.max(1)
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

/// One thing that somebody does at a block.
enum Deed {
    Pay { from: u32, to: u32, amount: u128 },
    Deposit { who: u32, pool: usize, note: usize, price: u128 },
    Withdraw { to: u32, sender: Option<u32>, pool: usize, note: usize, price: u128 },
}

/// What came of it: the ledger, and for each withdrawal (pool and number) the number of the deposit.
pub struct World {
    pub ledger: MemoryLedger,
    pub pools: Pools,
    pub truth: BTreeMap<(String, usize), usize>,
}

fn address(of: u32) -> String {
    // Spread, so that no two look alike.
    format!("0x{:08x}{:032x}", of.wrapping_mul(2_654_435_761), u128::from(of) + 1)
}

fn bytes(address: &str) -> [u8; 20] {
    hex::bytes(&address[2..]).unwrap().try_into().unwrap()
}

/// Makes a world of so many people.
pub fn make(seed: u64, people: u32) -> World {
    let pools = Pools::built_in();
    let id = LedgerId::parse("ethereum").unwrap();
    let chosen: Vec<Pool> = ["0.1-eth", "1-eth", "10-eth"]
        .iter()
        .map(|name| pools.of(&id).find(|pool| pool.name == *name).unwrap().clone())
        .collect();
    let mut story = Story { chance: Chance::new(seed), deeds: BTreeMap::new(), notes: 0, fresh: 1_000_000 };
    for person in 0..people {
        story.live(person, people);
    }
    story.write(&chosen, pools, id)
}

struct Story {
    chance: Chance,
    deeds: BTreeMap<u64, Vec<Deed>>,
    notes: usize,
    fresh: u32,
}

impl Story {
    fn at(&mut self, block: u64, deed: Deed) {
        self.deeds.entry(block.min(BLOCKS + 2_000)).or_default().push(deed);
    }

    fn new_address(&mut self) -> u32 {
        self.fresh += 1;
        self.fresh
    }

    /// A price of gas: mostly round, sometimes odd to the wei.
    fn price(&mut self) -> u128 {
        let gwei = 1_000_000_000 * u128::from(20 + self.chance.below(80));
        if self.chance.percent(30) { gwei + u128::from(self.chance.below(1_000_000_000)) } else { gwei }
    }

    fn delay(&mut self) -> u64 {
        // Mostly days, sometimes weeks.
        let most = if self.chance.percent(20) { 2_500 } else { 500 };
        1 + self.chance.below(most)
    }

    fn put_in(&mut self, who: u32, pool: usize, block: u64, price: u128) -> usize {
        let note = self.notes;
        self.notes += 1;
        self.at(block, Deed::Deposit { who, pool, note, price });
        note
    }

    fn take_out(&mut self, to: u32, sender: Option<u32>, pool: usize, note: usize, block: u64, price: u128) {
        self.at(block, Deed::Withdraw { to, sender, pool, note, price });
    }

    fn live(&mut self, person: u32, people: u32) {
        let block = 1 + self.chance.below(BLOCKS - 1);
        let habit = self.chance.below(100);
        if habit < 10 {
            return self.whale(person, block);
        }
        let pool = usize::try_from(self.chance.below(3)).unwrap();
        let notes = 1 + self.chance.below(3);
        let odd = self.price();
        for _ in 0..notes {
            let put = block + self.chance.below(20);
            let price = if habit < 30 { odd } else { self.price() };
            let note = self.put_in(person, pool, put, price);
            let out = put + 1 + self.delay();
            match habit {
                // Takes it out himself, to the address that put it in.
                10..18 => self.take_out(person, Some(person), pool, note, out, price),
                // The same through a relayer.
                18..22 => self.take_out(person, None, pool, note, out, 0),
                // To a new address, sent by the old one.
                22..26 => {
                    let to = self.new_address();
                    self.take_out(to, Some(person), pool, note, out, price);
                }
                // To a new address which he gave coin for gas.
                26..32 => {
                    let to = self.new_address();
                    self.at(out - 1, Deed::Pay { from: person, to, amount: ONE_COIN / 50 });
                    self.take_out(to, Some(to), pool, note, out, price);
                }
                // To an address that he often pays.
                32..40 => {
                    let to = self.new_address();
                    self.take_out(to, None, pool, note, out, 0);
                    for _ in 0..3 + self.chance.below(3) {
                        let later = out + 1 + self.chance.below(900);
                        self.at(later, Deed::Pay { from: to, to: person, amount: ONE_COIN / 100 });
                    }
                }
                // As one should, but now and then a friend of another one who is in the pool.
                _ => {
                    let to = self.new_address();
                    self.take_out(to, None, pool, note, out, 0);
                    if self.chance.percent(2) {
                        let friend = u32::try_from(self.chance.below(u64::from(people))).unwrap();
                        for _ in 0..3 {
                            let later = out + 1 + self.chance.below(900);
                            self.at(later, Deed::Pay { from: friend, to, amount: ONE_COIN / 100 });
                        }
                    }
                }
            }
        }
    }

    /// Many notes of several pools in a day, and out again in a day.
    fn whale(&mut self, person: u32, block: u64) {
        let to = if self.chance.percent(20) { person } else { self.new_address() };
        let out = block + 144 + self.delay();
        for _ in 0..5 + self.chance.below(8) {
            let pool = usize::try_from(self.chance.below(3)).unwrap();
            let price = self.price();
            let put = block + self.chance.below(100);
            let note = self.put_in(person, pool, put, price);
            let later = out + self.chance.below(100);
            self.take_out(to, None, pool, note, later, 0);
        }
    }

    fn write(self, chosen: &[Pool], pools: Pools, id: LedgerId) -> World {
        let coin = Asset { symbol: "ETH".into(), scale: 18 };
        let mut ledger = MemoryLedger::new(id, Kind::Account, vec![coin]);
        let signatures = EVENTS.map(|text| Signature::parse(text).unwrap());
        let mut leaves = vec![0u64; chosen.len()];
        let mut outs = vec![0usize; chosen.len()];
        let mut leaf_of: BTreeMap<usize, usize> = BTreeMap::new();
        let mut truth = BTreeMap::new();
        let mut number = 0u64;
        for (height, deeds) in self.deeds {
            let time = Time::from_seconds(1_600_000_000 + i64::try_from(height).unwrap() * BLOCK_SECONDS).unwrap();
            let (mut transactions, mut events) = (Vec::new(), Vec::new());
            for deed in deeds {
                let mut write = |which: usize, pool: &Pool, values: &[Value]| {
                    let (topics, data) = signatures[which].encode_event(values).unwrap();
                    let index = u32::try_from(events.len()).unwrap();
                    let transaction = u32::try_from(transactions.len()).unwrap();
                    events.push(BlockEvent {
                        transaction,
                        event: Event { index, contract: pool.contract, topics, data },
                    });
                };
                let word = |number: u64| Value::Uint(ruint::aliases::U256::from(number));
                let legs = match deed {
                    Deed::Pay { from, to, amount } => {
                        vec![
                            leg(&address(from), Some(&address(to)), amount),
                            fee(&address(from), MINER_GAS * 1_000_000_000),
                        ]
                    }
                    Deed::Deposit { who, pool, note, price } => {
                        write(0, &chosen[pool], &[Value::Bytes(vec![7; 32]), word(leaves[pool]), word(0)]);
                        leaf_of.insert(note, usize::try_from(leaves[pool]).unwrap());
                        leaves[pool] += 1;
                        let gas = 990_000 + u128::from(number % 977) * 13;
                        let who = address(who);
                        vec![leg(&who, Some(&chosen[pool].holder()), chosen[pool].units), fee(&who, gas * price)]
                    }
                    Deed::Withdraw { to, sender, pool, note, price } => {
                        let relayer = if sender.is_some() { [0; 20] } else { [0xee; 20] };
                        let to = address(to);
                        let values =
                            [Value::Address(bytes(&to)), Value::Bytes(vec![9; 32]), Value::Address(relayer), word(0)];
                        write(1, &chosen[pool], &values);
                        truth.insert((chosen[pool].name.clone(), outs[pool]), leaf_of[&note]);
                        outs[pool] += 1;
                        let gas = 301_000 + u128::from(number % 877) * 11;
                        let (sender, price) = sender
                            .map_or((format!("0x{}", "ee".repeat(20)), 30_000_000_007), |who| (address(who), price));
                        vec![leg(&chosen[pool].holder(), Some(&to), chosen[pool].units), fee(&sender, gas * price)]
                    }
                };
                number += 1;
                transactions.push(AccountTransaction { name: format!("0x{number:064x}"), time, legs });
            }
            let block = AccountBlock {
                height,
                hash: [1; 32],
                previous: None,
                time,
                transactions,
                events,
                gaps: Gaps::default(),
            };
            ledger.push_account_block(&block);
        }
        World { ledger, pools, truth }
    }
}

fn leg(from: &str, to: Option<&str>, amount: u128) -> AccountLeg {
    AccountLeg {
        from: Some(from.to_owned()),
        to: to.map(str::to_owned),
        asset: "ETH".into(),
        amount: Amount::new(amount),
        fee: Amount::ZERO,
        kind: LegKind::Transfer,
    }
}

fn fee(from: &str, amount: u128) -> AccountLeg {
    AccountLeg { kind: LegKind::Fee, ..leg(from, None, amount) }
}

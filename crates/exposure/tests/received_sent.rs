//! What holders received and sent, against the definition: amounts close, and the true ones lie within what is said.

mod common;

use std::collections::BTreeMap;

use common::model::Model;
use common::random::{NAMES, apply, chain, steps, tags};
use common::{Chain, EXCHANGE, MIXER, SANCTIONED, STOLEN};
use exposure::{COINJOIN, Category, Facts as _, Inquiry, Limits, MINED, Own, Split, UNKNOWN, Vectors as _};
use ledger::{Coin, Coins as _, HolderId, Ledger as _, PurseId, Seq};
use proptest::prelude::*;
use ruint::aliases::U512;

/// Bounds of a true amount, in 2^-160 of a base unit.
#[derive(Clone, Copy, Default)]
struct Bounds {
    low: U512,
    high: U512,
}

impl Bounds {
    fn of(value: u64) -> Self {
        let scaled = U512::from(value) << 160;
        Self { low: scaled, high: scaled }
    }

    fn portion(self, part: u128, whole: u128) -> Self {
        let (part, whole) = (U512::from(part), U512::from(whole.max(1)));
        Self { low: self.low * part / whole, high: (self.high * part).div_ceil(whole) }
    }

    fn add(&mut self, other: Self) {
        self.low += other.low;
        self.high += other.high;
    }

    fn check(self, said: u128, truncated: u128, what: &str) -> Result<(), TestCaseError> {
        let scaled = |amount: u128| U512::from(amount) << 160;
        prop_assert!(scaled(said) <= self.high, "{} {} is more than there is", what, said);
        prop_assert!(self.low <= scaled(said + truncated), "{} {} + {} is less than there is", what, said, truncated);
        Ok(())
    }
}

/// True parts of an amount.
#[derive(Clone, Default)]
struct Parts {
    direct: [Bounds; 16],
    indirect: [Bounds; 16],
    own: Bounds,
}

impl Parts {
    fn check(&self, split: &Split) -> Result<(), TestCaseError> {
        for (at, (direct, indirect)) in self.direct.iter().zip(self.indirect).enumerate() {
            direct.check(split.direct[at], split.truncated, "direct")?;
            indirect.check(split.indirect[at], split.truncated, "indirect")?;
        }
        self.own.check(split.own, split.truncated, "own")
    }
}

fn sum(coins: &[Coin]) -> u128 {
    coins.iter().map(|coin| u128::from(coin.value)).sum()
}

fn place(category: Category) -> usize {
    usize::from(category.0)
}

/// Of what an output is made, to the parts.
fn receive(parts: &mut Parts, chain: &Chain, model: &Model, coin: Coin, own: Own, is_own: &dyn Fn(HolderId) -> bool) {
    let all = Bounds::of(coin.value);
    let Some(maker) = chain.ledger.made_by(coin.purse) else {
        return parts.indirect[place(UNKNOWN)].add(all);
    };
    let spent = chain.spent(maker);
    if spent.is_empty() {
        return parts.direct[place(MINED)].add(all);
    }
    if chain.known.is_join(maker) {
        return parts.direct[place(COINJOIN)].add(all);
    }
    for input in &spent {
        let part = all.portion(u128::from(input.value), sum(&spent));
        match chain.known.category(input.holder) {
            _ if is_own(input.holder) && own == Own::Apart => parts.own.add(part),
            Some(category) if !is_own(input.holder) => parts.direct[place(category)].add(part),
            _ => {
                let maker = chain.ledger.made_by(input.purse);
                for category in Category::all() {
                    let unknown = if category == UNKNOWN { common::model::one() } else { ruint::aliases::U256::ZERO };
                    let (low, high) = maker.map_or((unknown, unknown), |maker| model.share(maker, category));
                    let low = (part.low * U512::from(low)) >> 160;
                    let high = (part.high * U512::from(high)).div_ceil(U512::from(1) << 160);
                    parts.indirect[place(category)].add(Bounds { low, high });
                }
            }
        }
    }
}

/// Where spent outputs went: forward through the whole chain, transaction by transaction.
#[derive(Default)]
struct Gone {
    parts: Parts,
    fees: Bounds,
    unspent: Bounds,
}

fn send(chain: &Chain, purses: &[PurseId], is_own: &dyn Fn(HolderId) -> bool) -> Gone {
    let mut gone = Gone::default();
    // What each output carries of the money, and of what was sent at once.
    let mut carried: BTreeMap<PurseId, Bounds> = BTreeMap::new();
    for seq in (0..chain.ledger.transactions()).map(Seq) {
        let (spent, made) = (chain.spent(seq), chain.made(seq));
        let is_start = |coin: &&Coin| purses.contains(&coin.purse);
        let (mut first, mut later) = (Bounds::default(), Bounds::default());
        for coin in &spent {
            if is_start(&coin) {
                first.add(Bounds::of(coin.value));
            } else if let Some(amount) = carried.remove(&coin.purse) {
                later.add(amount);
            }
        }
        for (amount, is_direct) in [(first, true), (later, false)] {
            let parts = &mut gone.parts;
            let put = |parts: &mut Parts, category, amount| {
                let parts = if is_direct { &mut parts.direct } else { &mut parts.indirect };
                parts[place(category)].add(amount);
            };
            if chain.known.is_join(seq) {
                put(parts, COINJOIN, amount);
                continue;
            }
            gone.fees.add(amount.portion(sum(&spent).saturating_sub(sum(&made)), sum(&spent)));
            for coin in &made {
                let part = amount.portion(u128::from(coin.value), sum(&spent));
                match chain.known.category(coin.holder) {
                    _ if is_own(coin.holder) => parts.own.add(part),
                    Some(category) => put(parts, category, part),
                    None => carried.entry(coin.purse).or_default().add(part),
                }
            }
        }
    }
    for amount in carried.values() {
        gone.unspent.add(*amount);
    }
    gone
}

fn purses_of(chain: &Chain, owners: &[usize]) -> Vec<PurseId> {
    let is_owned = |purse: &PurseId| owners.iter().any(|owner| chain.ledger.coin(*purse).holder.0 == *owner as u64);
    (0..chain.ledger.purse_count()).map(PurseId).filter(is_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_was_received_closes_and_holds(
        steps in steps(1..14), tags in tags(0..6), owners in prop::collection::vec(0..NAMES.len(), 1..3), through: bool,
    ) {
        let mut chain = chain(&steps);
        apply(&mut chain.known, &tags);
        let (exposure, model) = (chain.streamed(), Model::new(&chain, &chain.known));
        let is_own = |holder: HolderId| owners.iter().any(|owner| *owner as u64 == holder.0);
        let own = if through { Own::Through } else { Own::Apart };
        let inquiry = Inquiry::new(&chain.ledger, &chain.known, &exposure);
        let purses = purses_of(&chain, &owners);
        let (mut told, mut true_parts) = ([0; 16], Parts::default());
        let received = inquiry.received(purses.iter().copied(), own, &is_own, &mut |purse, holder, category, amount| {
            assert!(is_own(chain.ledger.coin(purse).holder) && chain.known.category(holder) == Some(category));
            told[place(category)] += amount;
        });
        for purse in &purses {
            receive(&mut true_parts, &chain, &model, chain.ledger.coin(*purse), own, &is_own);
        }
        prop_assert_eq!(received.split.total(), received.amount);
        prop_assert_eq!(received.purses, purses.len() as u64);
        true_parts.check(&received.split)?;
        for category in Category::all().filter(|category| ![MINED, COINJOIN].contains(category)) {
            prop_assert!(told[place(category)] <= received.split.direct[place(category)]);
        }
        for seq in (0..chain.ledger.transactions()).map(Seq) {
            let made = inquiry.made(seq);
            prop_assert_eq!(made.split.total(), sum(&chain.made(seq)));
            let spent = chain.spent(seq);
            if !spent.is_empty() {
                prop_assert_eq!(inquiry.vector_of(&spent, chain.known.is_join(seq)), exposure.vector(seq));
                let anew = inquiry.origins_of(&spent, chain.known.is_join(seq), own, &is_own);
                prop_assert_eq!(anew, inquiry.origins(seq, own, &is_own));
            }
        }
    }

    #[test]
    fn what_was_sent_closes_and_holds(
        steps in steps(1..16), tags in tags(0..6), owners in prop::collection::vec(0..NAMES.len(), 1..3), few in 0..4u64,
    ) {
        let mut chain = chain(&steps);
        apply(&mut chain.known, &tags);
        let exposure = chain.streamed();
        let is_own = |holder: HolderId| owners.iter().any(|owner| *owner as u64 == holder.0);
        let inquiry = Inquiry::new(&chain.ledger, &chain.known, &exposure);
        let purses = purses_of(&chain, &owners);
        let mut told = [0; 16];
        let sent = inquiry.sent(purses.iter().copied(), &is_own, &mut |purse, holder, category, amount| {
            assert_eq!(chain.ledger.coin(purse).holder, holder);
            told[place(category)] += amount;
        });
        let spent = purses.iter().filter(|purse| chain.ledger.spent_by(**purse).is_some());
        let amount: u128 = spent.map(|purse| u128::from(chain.ledger.coin(*purse).value)).sum();
        prop_assert_eq!((sent.amount, sent.total(), sent.cut), (amount, amount, 0));
        let gone = send(&chain, &purses, &is_own);
        gone.parts.check(&sent.split)?;
        gone.fees.check(sent.fees, sent.split.truncated, "fees")?;
        gone.unspent.check(sent.unspent, sent.split.truncated, "unspent")?;
        for category in Category::all().filter(|category| *category != COINJOIN) {
            prop_assert_eq!(told[place(category)], sent.split.direct[place(category)]);
        }
        // A limit cuts off and loses nothing, and what is said stays true.
        let inquiry = inquiry.within(Limits { transactions: few, ends: 1 << 20 });
        let less = inquiry.sent(purses.iter().copied(), &is_own, &mut |_, _, _, _| {});
        prop_assert_eq!((less.amount, less.total()), (amount, amount));
        prop_assert!(less.visited <= few && less.cut <= amount);
        prop_assert_eq!(less.split.direct, sent.split.direct);
        for (at, most) in sent.split.indirect.iter().enumerate() {
            prop_assert!(less.split.indirect[at] <= *most);
        }
    }
}

/// T is robbed money that goes to an exchange through A, and to B, who has it still; M mixes.
fn heist() -> (Chain, Seq, Seq) {
    let mut chain = Chain::new();
    let (stolen, other) = (chain.mine("T", 100), chain.mine("M", 50));
    let split = chain.transact(&[stolen], &[("A", 60), ("B", 30), ("T", 5)]);
    let cash = chain.transact(&[(split, 0)], &[("EX", 40), ("A", 18)]);
    let mixed = chain.transact(&[(cash, 1), other], &[("Z", 68)]);
    chain.tag("T", STOLEN, false);
    chain.tag("EX", EXCHANGE, true);
    chain.tag("M", MIXER, false);
    (chain, split, mixed)
}

#[test]
fn received_is_told_by_category_direct_and_indirect() {
    let (chain, ..) = heist();
    let exposure = chain.streamed();
    let inquiry = Inquiry::new(&chain.ledger, &chain.known, &exposure);
    let nobody = |_: HolderId| false;
    let of = |name: &str, own| {
        let holder = chain.holder(name);
        let mut payers = Vec::new();
        let purses = chain.ledger.purses(holder);
        let received = inquiry.received(purses, own, &|other| other == holder, &mut |_, holder, category, amount| {
            payers.push((chain.ledger.holder_name(holder), category, amount));
        });
        (received.split, payers)
    };
    let (z, payers) = of("Z", Own::Apart);
    assert_eq!((z.direct[place(MIXER)], z.indirect[place(STOLEN)], z.truncated), (50, 18, 0));
    assert_eq!(payers, [("M".to_owned(), MIXER, 50)]);
    let (exchange, payers) = of("EX", Own::Apart);
    assert_eq!((exchange.indirect[place(STOLEN)], exchange.total(), payers.len()), (40, 40, 0));
    let (a, payers) = of("A", Own::Apart);
    assert_eq!((a.direct[place(STOLEN)], a.own, a.total()), (60, 18, 78), "change is its own and not received again");
    assert_eq!(payers, [("T".to_owned(), STOLEN, 60)]);
    let change = chain.ledger.purses(chain.holder("A"))[1];
    let now = inquiry.received([change], Own::Through, &|holder| holder == chain.holder("A"), &mut |_, _, _, _| {});
    assert_eq!((now.split.indirect[place(STOLEN)], now.amount), (18, 18), "what A holds comes from T, through A");
    let (t, _) = of("T", Own::Apart);
    assert_eq!((t.direct[place(MINED)], t.own), (100, 5));
    let foreign = inquiry.received([], Own::Apart, &nobody, &mut |_, _, _, _| {});
    assert_eq!((foreign.amount, foreign.split.total()), (0, 0));
}

#[test]
fn sent_is_told_to_the_first_holder_of_a_category() {
    let (chain, ..) = heist();
    let exposure = chain.streamed();
    let inquiry = Inquiry::new(&chain.ledger, &chain.known, &exposure);
    let holder = chain.holder("T");
    let sent = inquiry.sent(chain.ledger.purses(holder), &|other| other == holder, &mut |_, _, _, _| {});
    // 60 to A, of which 40 reach the exchange; 30 lie with B, 18 with Z; 5 came back, and 5 + 2 went to miners.
    assert_eq!((sent.amount, sent.total()), (100, 100));
    assert_eq!((sent.split.indirect[place(EXCHANGE)], sent.unspent), (40, 48));
    assert_eq!((sent.split.own, sent.fees, sent.split.truncated, sent.visited), (5, 7, 0, 2));
}

#[test]
fn a_foreign_output_is_of_unknown_origin_and_its_tagged_holder_is_direct() {
    let mut chain = Chain::new();
    let seq = chain.spend_foreign("F", 9, &[("X", 9)]);
    let exposure = chain.streamed();
    let made = Inquiry::new(&chain.ledger, &chain.known, &exposure).made(seq);
    assert_eq!(made.split.indirect[place(UNKNOWN)], 9);
    chain.tag("F", SANCTIONED, false);
    let exposure = chain.streamed();
    let inquiry = Inquiry::new(&chain.ledger, &chain.known, &exposure);
    assert_eq!(inquiry.made(seq).split.direct[place(SANCTIONED)], 9);
    let itself = chain.spent(seq)[0].purse;
    let received = inquiry.received([itself], Own::Apart, &|_| false, &mut |_, _, _, _| {});
    assert_eq!(received.split.indirect[place(UNKNOWN)], 9);
}

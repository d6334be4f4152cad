//! Payments to and from a made instant swapper, with prices that move: what is found, and what is left out.

#[path = "../examples/bridges/chance.rs"]
#[expect(dead_code, reason = "the simulation of bridges needs more of it")]
mod chance;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chance::Chance;
use ledger::{LedgerId, Time};
use link::matcher::{Note, Pair};
use link::swapper::{Rates, match_swaps, options, u_turns};
use link::{Class, Crossing, Direction, Portion};

const START: i64 = 1_650_000_000;

fn payment(direction: Direction, tx: &str, seconds: i64, coin: &str, units: u128) -> Crossing {
    let ledger = if coin == "BTC" { "bip122:000000000019d6689c085ae165831e93" } else { "eip155:1" };
    Crossing {
        direction,
        ledger: LedgerId::parse(ledger).unwrap(),
        tx: tx.to_owned(),
        index: None,
        time: Time::from_seconds(START + seconds),
        protocol: "swapper".to_owned(),
        contract: String::new(),
        token: Some(coin.to_owned()),
        units,
        fee_units: None,
        sender: None,
        recipient: None,
        other: None,
        key: None,
        other_tx: None,
    }
}

/// A price of bitcoin and of ether for each quarter of an hour of ten days, wandering.
fn prices(chance: &mut Chance) -> (Rates, Vec<(u128, u128)>) {
    let (mut text, mut series) = (String::from("time,asset,price\n"), Vec::new());
    let (mut btc, mut eth) = (40_000i64, 3_000i64);
    for quarter in 0..960i64 {
        btc += btc * chance.quantile(&[(0, -40), (10_000, 40)]) / 10_000;
        eth += eth * chance.quantile(&[(0, -50), (10_000, 50)]) / 10_000;
        let time = jiff(START + quarter * 900);
        writeln!(text, "{time},btc,{btc}\n{time},eth,{eth}").unwrap();
        series.push((u128::from(btc.unsigned_abs()), u128::from(eth.unsigned_abs())));
    }
    (Rates::parse(&text).unwrap(), series)
}

/// The time as text.
fn jiff(seconds: i64) -> String {
    Time::from_seconds(seconds).unwrap().to_string()
}

/// Swaps of ether for bitcoin: what is paid in, what is paid out, by the deposit's name.
fn swaps(count: usize) -> (Rates, Vec<(Crossing, Crossing)>) {
    let mut chance = Chance::new(3, 3);
    let (rates, series) = prices(&mut chance);
    let swap = |at: usize, chance: &mut Chance| {
        let time = i64::try_from(chance.below(9 * 86_400)).unwrap();
        let later = time + chance.quantile(&[(0, 300), (5_000, 900), (9_500, 2_700), (10_000, 7_200)]);
        let gwei = 100_000_000 + u128::from(chance.below(50_000_000_000));
        let (btc, eth) = series[usize::try_from(later / 900).unwrap()];
        let margin = 10_000 - u128::try_from(chance.quantile(&[(0, 50), (10_000, 150)])).unwrap();
        let sats = gwei * eth * margin / 10_000 / btc / 10;
        (
            payment(Direction::Deposit, &format!("in{at}"), time, "ETH", gwei * 1_000_000_000),
            payment(Direction::Withdrawal, &format!("out{at}"), later, "BTC", sats),
        )
    };
    (rates, (0..count).map(|at| swap(at, &mut chance)).collect())
}

#[test]
fn swaps_are_found_by_value_and_time_with_and_without_known_pairs() {
    let (rates, swaps) = swaps(600);
    let (known, open): (Vec<Pair>, Vec<Pair>) =
        swaps.into_iter().enumerate().fold((Vec::new(), Vec::new()), |(mut known, mut open), (at, pair)| {
            if at % 3 == 0 {
                known.push(pair);
            } else {
                open.push(pair);
            }
            (known, open)
        });
    let truth: BTreeMap<String, String> = open.iter().map(|(into, out)| (into.tx.clone(), out.tx.clone())).collect();
    let unpaired: Vec<Crossing> = open.into_iter().flat_map(|(into, out)| [into, out]).collect();
    let mut right_of = Vec::new();
    for known in [&[][..], &known[..]] {
        let matched = match_swaps(&unpaired, known, &rates, &options());
        let (mut said, mut right) = (0, 0);
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for (claim, chosen) in matched.claims.iter().zip(&matched.chosen) {
            *sums.entry(&claim.from.tx).or_default() += u64::from(claim.probability.parts());
            *sums.entry(&claim.to.tx).or_default() += u64::from(claim.probability.parts());
            if *chosen && claim.probability.parts() >= Portion::ONE_PARTS / 2 {
                said += 1;
                right += usize::from(truth[&claim.from.tx] == claim.to.tx);
            }
        }
        assert!(sums.values().all(|sum| *sum <= u64::from(Portion::ONE_PARTS)));
        assert!(right * 100 >= said * 85, "{right} of {said} said");
        assert!(right * 100 >= truth.len() * 50, "{right} of {} there are", truth.len());
        right_of.push(right);
    }
    assert!(right_of[1] * 100 >= right_of[0] * 97, "few pairs make it doubt, and not much: {right_of:?}");
}

#[test]
fn one_coin_or_another_swapper_is_no_swap_and_a_price_is_needed() {
    let (rates, _) = swaps(0);
    let eth = |direction, tx, seconds, units| payment(direction, tx, seconds, "ETH", units);
    let into = eth(Direction::Deposit, "in", 0, 10u128.pow(18));
    let same = eth(Direction::Withdrawal, "out", 600, 99 * 10u128.pow(16));
    assert_eq!(match_swaps(&[into.clone(), same], &[], &rates, &options()).claims, []);
    let fair = payment(Direction::Withdrawal, "out", 600, "BTC", 7_400_000);
    let matched = match_swaps(&[into.clone(), fair.clone()], &[], &rates, &options());
    assert_eq!(matched.claims.len(), 1, "{matched:?}");
    assert_eq!(matched.claims[0].method, link::swapper::METHOD);
    assert_eq!(matched.claims[0].class, Class::UniqueCandidate);
    let other = Crossing { protocol: "another".to_owned(), ..fair.clone() };
    assert_eq!(match_swaps(&[into.clone(), other], &[], &rates, &options()).claims, []);
    let late = Crossing { time: Time::from_seconds(START + 400 * 86_400), ..fair };
    let matched = match_swaps(&[into, late], &[], &rates, &options());
    assert_eq!(matched.notes, [Note::WithoutPrice(1)]);
}

#[test]
fn a_swap_and_soon_back_is_a_u_turn() {
    let (rates, _) = swaps(0);
    let world = |second_in: u128, pause: i64| {
        [
            payment(Direction::Deposit, "a", 0, "ETH", 10u128.pow(18)),
            payment(Direction::Withdrawal, "b", 600, "BTC", 7_400_000),
            payment(Direction::Deposit, "c", 600 + pause, "BTC", second_in),
            payment(Direction::Withdrawal, "d", 1_200 + pause, "ETH", 98 * 10u128.pow(16)),
        ]
    };
    let turns = |second_in, pause| {
        let claims = match_swaps(&world(second_in, pause), &[], &rates, &options()).claims;
        assert_eq!(claims.len(), 2, "{claims:?}");
        u_turns(&claims)
    };
    let found = turns(7_390_000, 1_000);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].out, found[0].back, found[0].seconds), (0, 1, 1_000));
    assert_eq!(turns(7_300_000, 1_000), [], "more than half a per cent apart");
    assert_eq!(turns(7_390_000, 1_801), [], "too late");
}

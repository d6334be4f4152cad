//! Withdrawals for real deposits: made after what Celer says about its fees and times, with noise of a chosen kind.
//!
//! The deposits are real (cBridge, 2021 to 2023). That data has the withdrawals' hashes and no more, so amounts and times of
//! withdrawals are made. `docs/methods/bridges.md` states every assumption; each is a constant here.

use std::collections::BTreeMap;

use ledger::{LedgerId, Time};
use link::matcher::{Classes, Pair};
use link::{Crossing, Direction};

use super::chance::Chance;

/// Of what cBridge keeps besides the gas: 0.04 % for most routes (its FAQ, 2022).
const FEE_MILLIONTHS: u128 = 400;
/// How far the pool's rate is from one, in millionths: close to one, at times in the payer's favour.
const RATE_MILLIONTHS: &[(u64, i64)] =
    &[(0, -800), (500, -200), (2500, -40), (5000, 0), (7500, 60), (9500, 400), (10_000, 2_000)];
/// What the gas of paying out costs, in cents.
const GAS_CENTS: u128 = 40;
/// How that cost is spread over days, in hundredths.
const GAS_OF_DAY: &[(u64, i64)] = &[(0, 30), (2500, 70), (5000, 100), (9000, 250), (10_000, 600)];
/// And within a day.
const GAS_WITHIN_DAY: &[(u64, i64)] = &[(0, 85), (10_000, 115)];
/// Seconds between the blocks: most take 5 to 20 minutes (its FAQ), a few much longer.
const LATENCY_SECONDS: &[(u64, i64)] = &[
    (0, 120),
    (500, 240),
    (2500, 390),
    (5000, 560),
    (7500, 840),
    (9000, 1200),
    (9700, 1800),
    (9950, 7200),
    (10_000, 36_000),
];
/// Above this many dollars it may take a few hours (its FAQ).
const HELD_BACK_DOLLARS: u128 = 120_000;
const HELD_BACK_SECONDS: &[(u64, i64)] = &[(0, 1800), (10_000, 18_000)];
/// Dollars for one ether, in all of the simulation.
const ETHER_DOLLARS: u128 = 2_500;

/// A real deposit.
#[derive(Clone, Debug)]
pub struct Real {
    /// Where it is to come out.
    pub to: LedgerId,
    /// When it went in.
    pub seconds: i64,
    /// The token's contract.
    pub token: String,
    /// How much.
    pub units: u128,
    /// Who paid.
    pub sender: String,
    /// Who is to receive.
    pub receiver: String,
    /// The transaction.
    pub tx: String,
}

/// What the noise is like. Shares are in ten thousand.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Decides everything.
    pub seed: u64,
    /// Time runs so many times faster: a busier bridge.
    pub busier: i64,
    /// Deposits that have a twin: the same amount by somebody else within ten minutes.
    pub twins: u64,
    /// Deposits whose withdrawal is not there: refunded, or not yet.
    pub missing: u64,
    /// Withdrawals of strangers, of as many as there are deposits.
    pub strangers: u64,
    /// Withdrawals that go to an address of nobody else's.
    pub new_recipient: u64,
    /// Deposits that are paid out together with the next of the same token, in one payment.
    pub batched: u64,
    /// Whether both sides name protocol, chains and recipient: a registry entry without a common key.
    pub entry: bool,
    /// Pairs that are known, to learn from.
    pub known: u64,
    /// So many times slower and dearer than Celer says.
    pub worse: u32,
}

/// What was made.
#[derive(Debug, Default)]
pub struct World {
    /// Both sides, without what ties them.
    pub unpaired: Vec<Crossing>,
    /// Of each unpaired deposit's transaction, the withdrawal's that answers it.
    pub truth: BTreeMap<String, String>,
    /// How many deposits are unpaired.
    pub deposits: usize,
    /// Pairs to learn from.
    pub known: Vec<Pair>,
}

/// A withdrawal before it is written.
struct Out {
    of: Vec<String>,
    to: LedgerId,
    from: LedgerId,
    seconds: i64,
    class_token: String,
    value: u128,
    recipient: String,
}

/// Makes a world of real deposits.
pub fn world(real: &[Real], setting: &Setting) -> World {
    let classes = Classes::built_in();
    let mut chance = Chance::new(setting.seed, 1);
    let deposits = deposits(real, setting, &mut chance);
    let mut outs = outs(&deposits, setting, &classes, &mut chance);
    batch(&mut outs, setting, &mut chance);
    strangers(&mut outs, &deposits, setting, &mut chance);
    let mut world = World::default();
    let withdrawals: Vec<(Vec<String>, Crossing)> = outs
        .into_iter()
        .enumerate()
        .map(|(at, out)| (out.of.clone(), withdrawal(out, at, setting, &classes)))
        .collect();
    let mut known: BTreeMap<String, Crossing> = BTreeMap::new();
    for (of, withdrawal) in withdrawals {
        match &of[..] {
            [only] if chance.happens(setting.known) => drop(known.insert(only.clone(), withdrawal)),
            _ => {
                world.truth.extend(of.into_iter().map(|tx| (tx, withdrawal.tx.clone())));
                world.unpaired.push(withdrawal);
            }
        }
    }
    for deposit in deposits {
        let crossing = deposit_crossing(&deposit, setting);
        match known.remove(&deposit.tx) {
            Some(withdrawal) => world.known.push((crossing, withdrawal)),
            None => {
                world.deposits += 1;
                world.unpaired.push(crossing);
            }
        }
    }
    world
}

fn deposits(real: &[Real], setting: &Setting, chance: &mut Chance) -> Vec<Real> {
    let first = real.iter().map(|deposit| deposit.seconds).min().unwrap_or(0);
    let mut deposits = Vec::new();
    for deposit in real {
        let seconds = first + (deposit.seconds - first) / setting.busier;
        let deposit = Real { seconds, ..deposit.clone() };
        if chance.happens(setting.twins) {
            let who = chance.address();
            let seconds = seconds + chance.quantile(&[(0, -600), (10_000, 600)]);
            let tx = format!("{}-twin", deposit.tx);
            deposits.push(Real { seconds, sender: who.clone(), receiver: who, tx, ..deposit.clone() });
        }
        deposits.push(deposit);
    }
    deposits
}

fn outs(deposits: &[Real], setting: &Setting, classes: &Classes, chance: &mut Chance) -> Vec<Out> {
    let typical = typical(deposits);
    let mut outs = Vec::new();
    for deposit in deposits {
        let gas = gas(deposit, &typical, classes, setting, chance);
        let rate = chance.quantile(RATE_MILLIONTHS);
        let share = deposit.units / 1_000_000;
        let lost =
            (gas + share * FEE_MILLIONTHS) * u128::from(setting.worse) + share * u128::from(rate.max(0).unsigned_abs());
        let won = share * u128::from(rate.min(0).unsigned_abs());
        let mut latency = chance.quantile(LATENCY_SECONDS) * i64::from(setting.worse);
        if dollars(deposit, classes).is_some_and(|dollars| dollars > HELD_BACK_DOLLARS) {
            latency += chance.quantile(HELD_BACK_SECONDS);
        }
        let elsewhere = chance.happens(setting.new_recipient);
        let recipient = if elsewhere { chance.address() } else { deposit.receiver.clone() };
        if chance.happens(setting.missing) || lost * 10 > (deposit.units + won) * 9 {
            continue;
        }
        outs.push(Out {
            of: vec![deposit.tx.clone()],
            to: deposit.to.clone(),
            from: ethereum(),
            seconds: deposit.seconds + latency,
            class_token: deposit.token.clone(),
            value: deposit.units + won - lost,
            recipient,
        });
    }
    outs.sort_by(|a, b| (a.seconds, &a.of).cmp(&(b.seconds, &b.of)));
    outs
}

/// Two payments in one: the second's is added to the first's.
fn batch(outs: &mut Vec<Out>, setting: &Setting, chance: &mut Chance) {
    let mut at = 0;
    while at < outs.len() {
        if chance.happens(setting.batched) {
            let next = (at + 1..outs.len())
                .find(|next| outs[*next].class_token == outs[at].class_token && outs[*next].to == outs[at].to);
            if let Some(next) = next {
                let second = outs.remove(next);
                outs[at].value += second.value;
                outs[at].of.extend(second.of);
            }
        }
        at += 1;
    }
}

/// Withdrawals like the others, of deposits that nobody has: half of them from other chains.
fn strangers(outs: &mut Vec<Out>, deposits: &[Real], setting: &Setting, chance: &mut Chance) {
    let polygon = LedgerId::parse("eip155:43114").expect("a CAIP-2 id");
    let wanted = deposits.len() * usize::try_from(setting.strangers).expect("small") / 10_000;
    for at in 0..wanted {
        let (like, when) = (chance.one_of(deposits), chance.one_of(deposits));
        let value = like.units - like.units / 1_000_000 * u128::from(chance.below(3_000));
        let span = 43_200 / setting.busier;
        outs.push(Out {
            of: Vec::new(),
            to: like.to.clone(),
            from: if at % 2 == 0 { ethereum() } else { polygon.clone() },
            seconds: when.seconds + chance.quantile(&[(0, -span), (10_000, span)]),
            class_token: like.token.clone(),
            value,
            recipient: chance.address(),
        });
    }
}

fn ethereum() -> LedgerId {
    LedgerId::parse("eip155:1").expect("a CAIP-2 id")
}

fn asset(contract: &str) -> String {
    format!("eip155:1/erc20:{contract}")
}

/// The median amount of each token: what gas costs is a small part of it where no price is known.
fn typical(deposits: &[Real]) -> BTreeMap<String, u128> {
    let mut amounts: BTreeMap<String, Vec<u128>> = BTreeMap::new();
    for deposit in deposits {
        amounts.entry(deposit.token.clone()).or_default().push(deposit.units);
    }
    let median = |mut amounts: Vec<u128>| {
        amounts.sort_unstable();
        amounts[amounts.len() / 2]
    };
    amounts.into_iter().map(|(token, amounts)| (token, median(amounts))).collect()
}

/// Dollars for one coin of a class; none where it is not known here.
fn price(class: &str) -> Option<u128> {
    match class {
        "eth" => Some(ETHER_DOLLARS),
        "usdt" | "usdc" | "busd" | "dai" | "frax" => Some(1),
        _ => None,
    }
}

fn dollars(deposit: &Real, classes: &Classes) -> Option<u128> {
    let member = classes.of(&ethereum(), &asset(&deposit.token))?;
    Some(deposit.units / 10u128.pow(u32::from(member.scale)) * price(classes.name(member.class))?)
}

/// What paying out costs, in units of the token.
fn gas(
    deposit: &Real,
    typical: &BTreeMap<String, u128>,
    classes: &Classes,
    setting: &Setting,
    chance: &mut Chance,
) -> u128 {
    let day = u64::try_from(deposit.seconds / 86_400).unwrap_or(0);
    let of_day = Chance::new(setting.seed ^ day, 2).quantile(GAS_OF_DAY).unsigned_abs();
    let within = chance.quantile(GAS_WITHIN_DAY).unsigned_abs();
    let member = classes.of(&ethereum(), &asset(&deposit.token));
    let priced = member.and_then(|member| Some((member.scale, price(classes.name(member.class))?)));
    let plain = match priced {
        Some((scale, price)) => 10u128.pow(u32::from(scale)) * GAS_CENTS / 100 / price,
        None => typical[&deposit.token] / 1_000,
    };
    plain * u128::from(of_day) / 100 * u128::from(within) / 100
}

/// The token that it comes out as, and the power of ten between the two tokens' units.
fn token_there(token: &str, to: &LedgerId, classes: &Classes) -> (String, u32) {
    let here = classes.of(&ethereum(), &asset(token));
    let there = match (here.map(|member| classes.name(member.class)), to.as_str()) {
        (Some("eth"), "eip155:56") => "0x2170ed0880ac9a755fd29b2688956bd959f933f8",
        (Some("usdt"), "eip155:56") => "0x55d398326f99059ff775485246999027b3197955",
        (Some("usdc"), "eip155:56") => "0x8ac76a51cc950d9822d68b83fe1ad97b32cd580d",
        (Some("busd"), "eip155:56") => "0xe9e7cea3dedca5984780bafc599bd69add087d56",
        (Some("frax"), "eip155:56") => "0x90c97f71e18723b0cf0dfa30ee176ab653e89f40",
        (Some("eth"), "eip155:137") => "0x7ceb23fd6bc0add59e62ac25578270cff1b9f619",
        (Some("usdt"), "eip155:137") => "0xc2132d05d31c914a87c6611c10748aeb04b58e8f",
        (Some("usdc"), "eip155:137") => "0x2791bca1f2de4661ed88a30c99a7a9449aa84174",
        (Some("frax"), "eip155:137") => "0x45c32fa6df82ead1e2ef74d17b76547eddfaff89",
        // A mapped token at an address of its own, which only known pairs can teach.
        _ => return (format!("{to}/erc20:0xff{}", &token[4..]), 0),
    };
    let there = format!("{to}/erc20:{there}");
    let digits = classes.of(to, &there).zip(here).map_or(0, |(there, here)| there.scale - here.scale);
    (there, u32::from(digits))
}

fn time(seconds: i64) -> Option<Time> {
    Time::from_seconds(seconds)
}

fn withdrawal(out: Out, at: usize, setting: &Setting, classes: &Classes) -> Crossing {
    let (token, digits) = token_there(&out.class_token, &out.to, classes);
    Crossing {
        direction: Direction::Withdrawal,
        tx: format!("0x{:064x}", Chance::new(setting.seed, 1_000 + u64::try_from(at).expect("64 bits")).next()),
        index: None,
        time: time(out.seconds),
        protocol: if setting.entry { "celer".to_owned() } else { String::new() },
        contract: String::new(),
        token: Some(token),
        units: out.value * 10u128.pow(digits),
        fee_units: None,
        sender: None,
        recipient: Some(out.recipient),
        other: setting.entry.then_some(out.from),
        ledger: out.to,
        key: None,
        other_tx: None,
    }
}

fn deposit_crossing(deposit: &Real, setting: &Setting) -> Crossing {
    Crossing {
        direction: Direction::Deposit,
        ledger: ethereum(),
        tx: deposit.tx.clone(),
        index: None,
        time: time(deposit.seconds),
        protocol: if setting.entry { "celer".to_owned() } else { String::new() },
        contract: "0x5427fefa711eff984124bfbb1ab6fbf5e3da1820".to_owned(),
        token: Some(asset(&deposit.token)),
        units: deposit.units,
        fee_units: None,
        sender: Some(deposit.sender.clone()),
        recipient: setting.entry.then(|| deposit.receiver.clone()),
        other: setting.entry.then(|| deposit.to.clone()),
        key: None,
        other_tx: None,
    }
}

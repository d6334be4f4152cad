//! The laws of the backward pass on random ledgers: it is the forward pass reversed (I5), it closes, and under FIFO
//! and LIFO it agrees with the obvious model unit by unit.

mod common;

use std::collections::BTreeMap;

use common::{Accounts, Chain, units};
use ledger::memory::MemoryLedger;
use ledger::{AssetId, End, HolderId, Ledger, Leg, PurseId, Seq};
use money::Amount;
use proptest::prelude::*;
use trace::backward::{BackwardSettings, Money, OriginKind, Sources, Target, backward};
use trace::{LabelId, Policy, Seed, Settings, StopKind, TerminalKind, forward::forward};

const NAMES: [&str; 6] = ["P0", "P1", "P2", "P3", "P4", "P5"];
const POLICIES: [Policy; 3] = [Policy::Haircut, Policy::Fifo, Policy::Lifo];

/// Legs as (payer, payee, per mille of the payer's balance, fee); a payer past the names brings money from outside, a
/// payee past them takes it out.
type Draft = Vec<(usize, usize, u32, u128)>;

fn drafts(legs: usize) -> impl Strategy<Value = Vec<Draft>> {
    let bring = (Just(NAMES.len()), 0..NAMES.len(), 1..1000u32, Just(0)).prop_map(|leg| vec![leg]);
    let leg = (0..NAMES.len(), 0..=NAMES.len(), 0..=1000u32, 0..4u128);
    let pay = prop::collection::vec(leg, 1..=legs);
    prop::collection::vec(prop_oneof![1 => bring, 3 => pay], 2..30)
}

/// Whether a holder both pays and is paid, so that the transaction is netted.
fn is_tangled(draft: &Draft) -> bool {
    draft.len() > 1 && draft.iter().any(|leg| draft.iter().any(|other| leg.1 == other.0))
}

/// A ledger where a balance is some `size` units; sometimes a bit more is paid than is there.
fn build(plan: &[Draft], size: u128, nets: bool) -> Accounts {
    let mut accounts = Accounts::new(&["A"]);
    let mut balances = [0u128; NAMES.len()];
    let name = |at: usize| NAMES.get(at).copied().unwrap_or("");
    for draft in plan {
        let draft = if !nets && is_tangled(draft) { &draft[..1] } else { &draft[..] };
        let mut legs = Vec::new();
        for (payer, payee, per_mille, fee) in draft {
            let share = u128::from(*per_mille);
            let (amount, fee) = match balances.get(*payer) {
                None => (size * share / 1000, 0),
                Some(balance) => (balance * share / 950, *fee * size / 60),
            };
            if let Some(balance) = balances.get_mut(*payer) {
                *balance = balance.saturating_sub(amount + fee);
            }
            if let Some(balance) = balances.get_mut(*payee) {
                *balance += amount;
            }
            legs.push((name(*payer), name(*payee), "A", amount, fee));
        }
        accounts.transact_with_fees(&legs);
    }
    accounts
}

/// A random chain of transactions, each spending some of the unspent outputs.
fn chains() -> impl Strategy<Value = Vec<(Vec<usize>, Vec<u32>, u32)>> {
    let transaction = (prop::collection::vec(0..1000usize, 0..4), prop::collection::vec(0..100u32, 1..5), 0..5u32);
    prop::collection::vec(transaction, 2..20)
}

fn build_chain(plan: &[(Vec<usize>, Vec<u32>, u32)], scale: u128) -> Chain {
    let mut chain = Chain::new();
    let mut unspent: Vec<(Seq, u32, u128)> = Vec::new();
    for (at, (picks, weights, fee)) in plan.iter().enumerate() {
        let (mut inputs, mut sum) = (Vec::new(), 0);
        for pick in picks {
            if !unspent.is_empty() {
                let (seq, vout, amount) = unspent.remove(pick % unspent.len());
                inputs.push((seq, vout));
                sum += amount;
            }
        }
        if inputs.is_empty() {
            sum = (u128::from(weights[0]) + 1) * scale;
        }
        let whole = weights.iter().map(|weight| u128::from(*weight)).sum::<u128>() + u128::from(*fee);
        let output = |(vout, weight): (usize, &u32)| {
            (NAMES[(at + vout) % NAMES.len()], sum * u128::from(*weight) / whole.max(1))
        };
        let outputs: Vec<(&str, u128)> = weights.iter().enumerate().map(output).collect();
        let seq = chain.transact(&inputs, &outputs);
        unspent.extend((0u32..).zip(&outputs).map(|(vout, (_, amount))| (seq, vout, *amount)));
    }
    chain
}

fn each_leg(ledger: &MemoryLedger, mut visit: impl FnMut(Seq, usize, &Leg, &[Leg])) {
    let mut legs = Vec::new();
    for seq in (0..ledger.end().0).map(Seq) {
        ledger.transaction(seq, &mut legs);
        for (at, leg) in legs.iter().enumerate() {
            visit(seq, at, leg, &legs);
        }
    }
}

fn purses(ledger: &MemoryLedger) -> Vec<PurseId> {
    let holders = NAMES.iter().filter_map(|name| ledger.find_holder(name));
    holders.flat_map(|holder| ledger.purses(holder)).collect()
}

fn stops(ledger: &MemoryLedger, is_stop: bool) -> BTreeMap<HolderId, StopKind> {
    let holder = ledger.find_holder("P2").filter(|_| is_stop);
    holder.into_iter().map(|holder| (holder, StopKind::Service)).collect()
}

/// Where money came into the ledger, and the purse that it ends in; `None` is that it left.
type Pairs = BTreeMap<((Seq, PurseId), Option<PurseId>), u128>;

/// I5: from every source to every place, forwards and backwards.
fn both_ways(ledger: &MemoryLedger, policy: Policy, is_stop: bool) -> (Pairs, Pairs, u64) {
    let (mut seeds, mut sources) = (Vec::new(), Vec::new());
    let mut targets = Vec::new();
    let left = LabelId(u32::MAX);
    each_leg(ledger, |seq, leg, it, legs| {
        let is_minted = it.payer == End::Pot && legs.iter().any(|leg| leg.payer == End::Outside);
        if let (End::Purse(purse), true) = (it.payee, it.payer == End::Outside || is_minted) {
            let label = LabelId(u32::try_from(sources.len()).unwrap());
            seeds.push(Seed { seq, leg, purse, label, amount: it.amount });
            sources.push((seq, purse));
        }
        if matches!(it.payee, End::Fee | End::Outside) {
            targets.push(Target { label: left, money: Money::Leg { seq, leg }, amount: None });
        }
    });
    let stops = stops(ledger, is_stop);
    let places: Vec<PurseId> = purses(ledger);
    let places: Vec<PurseId> =
        places.into_iter().filter(|purse| !stops.contains_key(&ledger.purse(*purse).holder)).collect();
    for (label, purse) in (0..).map(LabelId).zip(&places) {
        let money = Money::Content { purse: *purse, before: ledger.end() };
        targets.push(Target { label, money, amount: None });
    }

    let settings = Settings { stops: stops.clone(), ..Settings::default() };
    let outcome = forward(ledger, &seeds, policy, &settings, &mut ());
    let mut forwards = Pairs::new();
    for terminal in &outcome.terminals {
        let place = match terminal.kind {
            TerminalKind::Balance => terminal.purse,
            TerminalKind::Fee | TerminalKind::Unknown => None,
            _ => continue,
        };
        *forwards.entry((sources[terminal.label.0 as usize], place)).or_default() += terminal.amount.units();
    }
    let settings = BackwardSettings { stops, ..BackwardSettings::default() };
    let found = backward(ledger, &targets, policy, &settings, &mut ()).unwrap();
    let mut backwards = Pairs::new();
    for origin in found.origins.iter().filter(|origin| origin.key.kind == OriginKind::Outside) {
        let place = (origin.key.label != left).then(|| places[origin.key.label.0 as usize]);
        let source = (origin.key.seq.unwrap(), origin.key.payee.unwrap());
        *backwards.entry((source, place)).or_default() += origin.amount.units();
    }
    forwards.retain(|_, amount| *amount > 0);
    (forwards, backwards, outcome.events + found.events)
}

fn check_both_ways(ledger: &MemoryLedger, policy: Policy, is_stop: bool) -> Result<(), TestCaseError> {
    let (forwards, backwards, events) = both_ways(ledger, policy, is_stop);
    if policy != Policy::Haircut {
        prop_assert_eq!(forwards, backwards, "{}", policy);
        return Ok(());
    }
    for pair in forwards.keys().chain(backwards.keys()) {
        let amount = |pairs: &Pairs| pairs.get(pair).copied().unwrap_or_default();
        let apart = amount(&forwards).abs_diff(amount(&backwards));
        prop_assert!(apart <= u128::from(events), "{:?} is {} apart in {} events", pair, apart, events);
    }
    Ok(())
}

/// Random targets: (label, which purse or leg, which moment, how much in per mille; more than a thousand is all).
type Question = (u32, usize, u64, u128);

fn questions() -> impl Strategy<Value = Vec<Question>> {
    prop::collection::vec((0..3u32, 0..10_000usize, 0..60u64, 0..1500u128), 1..6)
}

fn targets(ledger: &MemoryLedger, questions: &[Question]) -> Vec<Target> {
    let mut all_legs = Vec::new();
    each_leg(ledger, |seq, leg, it, _| all_legs.push((seq, leg, it.amount)));
    let purses = purses(ledger);
    let target = |(label, which, moment, per_mille): &Question| {
        let (money, all) = if which % 2 == 0 && !purses.is_empty() {
            let purse = purses[which / 2 % purses.len()];
            // Late moments are rather asked for.
            let before = Seq(ledger.end().0 - (moment % (ledger.end().0 + 1)) / 2);
            (Money::Content { purse, before }, ledger.balance(purse, before))
        } else {
            let (seq, leg, amount) = all_legs[which / 2 % all_legs.len()];
            (Money::Leg { seq, leg }, amount)
        };
        let amount = (*per_mille <= 1100).then(|| Amount::new(all.units() * per_mille / 1000));
        Target { label: LabelId(*label), money, amount }
    };
    questions.iter().map(target).collect()
}

/// Every label's origins add up to what is wanted, and that with what could not be counted to what was asked.
fn check_closes(ledger: &MemoryLedger, targets: &[Target], found: &Sources) -> Result<(), TestCaseError> {
    let mut sums: BTreeMap<LabelId, u128> = BTreeMap::new();
    for origin in &found.origins {
        prop_assert!(!origin.amount.is_zero());
        *sums.entry(origin.key.label).or_default() += origin.amount.units();
    }
    let mut legs = Vec::new();
    let mut asked: BTreeMap<LabelId, u128> = BTreeMap::new();
    for target in targets {
        let all = match target.money {
            Money::Content { purse, before } => ledger.balance(purse, before),
            Money::Leg { seq, leg } => {
                ledger.transaction(seq, &mut legs);
                legs[leg].amount
            }
        };
        *asked.entry(target.label).or_default() += target.amount.unwrap_or(all).units();
    }
    for (label, asked) in asked {
        let wanted = found.wanted.get(&label).copied().unwrap_or_default().units();
        let uncounted = found.uncounted.get(&label).copied().unwrap_or_default().units();
        prop_assert_eq!(sums.get(&label).copied().unwrap_or_default(), wanted);
        prop_assert_eq!(wanted + uncounted, asked);
    }
    Ok(())
}

fn check_model(
    ledger: &MemoryLedger,
    questions: &[Question],
    is_stop: bool,
    from: Option<u64>,
) -> Result<(), TestCaseError> {
    let settings =
        BackwardSettings { stops: stops(ledger, is_stop), from: from.map(Seq), ..BackwardSettings::default() };
    let targets = targets(ledger, questions);
    for policy in [Policy::Fifo, Policy::Lifo] {
        let found = backward(ledger, &targets, policy, &settings, &mut ()).unwrap();
        let (want, uncounted) = units::sources(ledger, &targets, policy == Policy::Lifo, &settings);
        let got: BTreeMap<_, _> = found.origins.iter().map(|origin| (origin.key, origin.amount.units())).collect();
        prop_assert_eq!(got, want, "{}", policy);
        let got: BTreeMap<_, _> = found.uncounted.iter().map(|(label, amount)| (*label, amount.units())).collect();
        prop_assert_eq!(got, uncounted, "{}", policy);
    }
    Ok(())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(10_000))]

    #[test]
    fn accounts_run_backwards_as_they_ran_forwards(plan in drafts(4), is_stop in any::<bool>()) {
        for (policy, size) in [(Policy::Haircut, 1_000_000_000_000), (Policy::Fifo, 1_000), (Policy::Lifo, 1_000)] {
            let accounts = build(&plan, size, true);
            check_both_ways(&accounts.ledger, policy, is_stop)?;
        }
    }

    #[test]
    fn accounts_agree_with_the_model(
        plan in drafts(3),
        questions in questions(),
        is_stop in any::<bool>(),
        from in prop::option::of(0..20u64),
    ) {
        check_model(&build(&plan, 60, false).ledger, &questions, is_stop, from)?;
    }

    #[test]
    fn chains_agree_with_the_model(
        plan in chains(),
        questions in questions(),
        is_stop in any::<bool>(),
        from in prop::option::of(0..20u64),
    ) {
        check_model(&build_chain(&plan, 1).ledger, &questions, is_stop, from)?;
    }
}

proptest! {
    #![proptest_config(config(5_000))]

    #[test]
    fn chains_run_backwards_as_they_ran_forwards(plan in chains(), is_stop in any::<bool>()) {
        for (policy, scale) in [(Policy::Haircut, 1_000_000_000_000), (Policy::Fifo, 10), (Policy::Lifo, 10)] {
            let chain = build_chain(&plan, scale);
            check_both_ways(&chain.ledger, policy, is_stop)?;
        }
    }

    /// Whatever is asked, whatever is cut off, and whether labels are asked together or apart.
    #[test]
    fn the_account_closes(
        plan in drafts(4),
        chain in chains(),
        questions in questions(),
        is_stop in any::<bool>(),
        from in prop::option::of(0..20u64),
        dust in 0..200u128,
    ) {
        for ledger in [build(&plan, 1_000, true).ledger, build_chain(&chain, 10).ledger] {
            let settings = BackwardSettings {
                stops: stops(&ledger, is_stop),
                dust: [(AssetId(0), Amount::new(dust))].into(),
                from: from.map(Seq),
            };
            let targets = targets(&ledger, &questions);
            for policy in POLICIES {
                let found = backward(&ledger, &targets, policy, &settings, &mut ()).unwrap();
                check_closes(&ledger, &targets, &found)?;
                for label in (0..3).map(LabelId) {
                    let own: Vec<Target> = targets.iter().filter(|target| target.label == label).copied().collect();
                    let alone = backward(&ledger, &own, policy, &settings, &mut ()).unwrap();
                    let of_label = found.origins.iter().filter(|origin| origin.key.label == label).copied();
                    prop_assert_eq!(of_label.collect::<Vec<_>>(), alone.origins, "{}", policy);
                }
            }
        }
    }
}

/// Payer, payee, asset and amount of one leg, as indexes.
type Tangle = (usize, usize, usize, u128);

proptest! {
    #![proptest_config(config(10_000))]

    /// Swaps included: each label asks in one asset, and its origins are of that asset.
    #[test]
    fn any_tangle_of_legs_closes(
        drafts in prop::collection::vec(
            prop::collection::vec((0..6usize, 0..6usize, 0..3usize, 0..300u128), 1..6),
            1..15,
        ),
        from in prop::option::of(0..10u64),
    ) {
        let assets = ["A", "B", "C"];
        let name = |at: usize| if at == 5 { "" } else { NAMES[at] };
        let mut accounts = Accounts::new(&assets);
        for draft in &drafts {
            let leg = |(payer, payee, asset, amount): &Tangle| {
                (name(*payer), name(*payee), assets[*asset], *amount, u128::from(*payer < 5) * (amount % 4))
            };
            let legs: Vec<_> = draft.iter().filter(|leg| leg.0 != 5 || leg.1 != 5).map(leg).collect();
            accounts.transact_with_fees(&legs);
        }
        let ledger = &accounts.ledger;
        let label = |asset: AssetId| LabelId(asset.0);
        let mut targets: Vec<Target> = purses(ledger)
            .into_iter()
            .map(|purse| Target {
                label: label(ledger.purse(purse).asset),
                money: Money::Content { purse, before: ledger.end() },
                amount: None,
            })
            .collect();
        each_leg(ledger, |seq, leg, it, _| {
            if leg % 3 == 0 {
                let amount = (it.amount.units() % 2 == 0).then_some(it.amount);
                targets.push(Target { label: label(it.asset), money: Money::Leg { seq, leg }, amount });
            }
        });
        let settings = BackwardSettings { from: from.map(Seq), ..BackwardSettings::default() };
        for policy in POLICIES {
            let found = backward(ledger, &targets, policy, &settings, &mut ()).unwrap();
            check_closes(ledger, &targets, &found)?;
            for origin in &found.origins {
                prop_assert_eq!(label(origin.key.asset), origin.key.label);
            }
        }
    }
}

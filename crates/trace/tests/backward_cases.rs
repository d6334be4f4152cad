//! The source of funds in named situations: the worked examples read backwards, and where the way back ends.

mod common;

use common::{Accounts, Chain};
use ledger::memory::MemoryLedger;
use ledger::{Kind, Ledger, LedgerId, Outpoint, PurseId, Seq, Time, UtxoBlock, UtxoInput, UtxoOutput, UtxoTransaction};
use money::{Amount, Asset};
use trace::backward::{BackwardSettings, Hop, HopObserver, Money, Sources, Target, backward};
use trace::{LabelId, Policy, StopKind};

const POLICIES: [Policy; 3] = [Policy::Haircut, Policy::Fifo, Policy::Lifo];

fn purse(ledger: &MemoryLedger, holder: &str, symbol: &str) -> PurseId {
    let purses = ledger.purses(ledger.find_holder(holder).expect("the holder is there"));
    let is_it = |purse: &PurseId| ledger.asset(ledger.purse(*purse).asset).symbol == symbol;
    purses.into_iter().find(is_it).expect("the purse is there")
}

fn content(ledger: &MemoryLedger, holder: &str, symbol: &str) -> Target {
    let money = Money::Content { purse: purse(ledger, holder, symbol), before: ledger.end() };
    Target { label: LabelId(1), money, amount: None }
}

fn leg(seq: Seq, leg: usize) -> Target {
    Target { label: LabelId(1), money: Money::Leg { seq, leg }, amount: None }
}

fn run(ledger: &MemoryLedger, targets: &[Target], policy: Policy, settings: &BackwardSettings) -> Sources {
    let sources = backward(ledger, targets, policy, settings, &mut ()).unwrap();
    let sum: Amount = sources.origins.iter().map(|origin| origin.amount).sum();
    assert_eq!(sum, sources.wanted.values().copied().sum(), "{policy} closes");
    sources
}

/// Origins as "kind payer>payee transaction amount".
fn told(ledger: &MemoryLedger, sources: &Sources) -> Vec<String> {
    let name =
        |purse: Option<PurseId>| purse.map_or(String::new(), |purse| ledger.holder_name(ledger.purse(purse).holder));
    let tell = |origin: &trace::backward::Origin| {
        let seq = origin.key.seq.map_or("-".to_owned(), |seq| seq.0.to_string());
        let (payer, payee) = (name(origin.key.payer), name(origin.key.payee));
        format!("{} {payer}>{payee} {seq} {}", origin.key.kind.name(), origin.amount.units())
    };
    sources.origins.iter().map(tell).collect()
}

fn check(ledger: &MemoryLedger, targets: &[Target], settings: &BackwardSettings, wants: [&[&str]; 3]) {
    for (policy, want) in POLICIES.into_iter().zip(wants) {
        assert_eq!(told(ledger, &run(ledger, targets, policy, settings)), want, "{policy}");
    }
}

fn open() -> BackwardSettings {
    BackwardSettings::default()
}

/// E6 in tenths: +10 stolen, +10, −5 to X, −10 to Y, +20, −15 to Z.
fn e6() -> Accounts {
    let mut accounts = Accounts::new(&["A"]);
    accounts.bring("P", 100, None);
    accounts.bring("P", 100, None);
    accounts.pay("P", "X", 50);
    accounts.pay("P", "Y", 100);
    accounts.bring("P", 200, None);
    accounts.pay("P", "Z", 150);
    accounts
}

#[test]
fn e6_backwards() {
    let accounts = e6();
    let ledger = &accounts.ledger;
    let (first, second) = (|n| format!("outside >P 0 {n}"), |n| format!("outside >P 1 {n}"));
    let third = |n| format!("outside >P 4 {n}");
    let cases = [
        ("X", [vec![first(25), second(25)], vec![first(50)], vec![second(50)]]),
        ("Y", [vec![first(50), second(50)], vec![first(50), second(50)], vec![first(50), second(50)]]),
        ("Z", [vec![first(15), second(15), third(120)], vec![second(50), third(100)], vec![third(150)]]),
        ("P", [vec![first(10), second(10), third(80)], vec![third(100)], vec![first(50), third(50)]]),
    ];
    for (holder, wants) in cases {
        for (policy, want) in POLICIES.into_iter().zip(wants) {
            let found = run(ledger, &[content(ledger, holder, "A")], policy, &open());
            assert_eq!(told(ledger, &found), want, "{holder} under {policy}");
        }
    }
}

#[test]
fn e12_what_y_holds_never_came_from_t() {
    let mut accounts = Accounts::new(&["A"]);
    accounts.bring("X", 5, None);
    accounts.bring("T", 5, None);
    accounts.pay("X", "Y", 5);
    accounts.pay("T", "X", 5);
    let ledger = &accounts.ledger;
    check(ledger, &[content(ledger, "Y", "A")], &open(), [&["outside >X 0 5"]; 3]);
    check(ledger, &[content(ledger, "X", "A")], &open(), [&["outside >T 1 5"]; 3]);
}

#[test]
fn e13_the_way_back_ends_at_a_custodian_and_without_the_stop_three_policies_give_three_answers() {
    let mut accounts = Accounts::new(&["A"]);
    accounts.bring("EX", 90, None);
    accounts.bring("T", 10, None);
    accounts.pay("T", "EX", 10);
    accounts.pay("EX", "Z", 10);
    accounts.pay("Z", "Y", 10);
    let ledger = &accounts.ledger;
    let stops = [(ledger.find_holder("EX").unwrap(), StopKind::Service)].into();
    let stopped = BackwardSettings { stops, ..open() };
    check(ledger, &[content(ledger, "Y", "A")], &stopped, [&["service EX>Z 3 10"]; 3]);
    let found = run(ledger, &[content(ledger, "Y", "A")], Policy::Fifo, &stopped);
    assert_eq!(found.origins[0].hops, 2);
    let wants: [&[&str]; 3] = [&["outside >EX 0 9", "outside >T 1 1"], &["outside >EX 0 10"], &["outside >T 1 10"]];
    check(ledger, &[content(ledger, "Y", "A")], &open(), wants);
    // A custodian's own purse can be asked about all the same.
    check(ledger, &[leg(Seq(2), 0)], &stopped, [&["outside >T 1 10"]; 3]);
}

#[test]
fn mined_coins_come_from_outside_into_the_output_that_they_were_mined_to() {
    let mut chain = Chain::new();
    let mined = chain.transact(&[], &[("M", 6), ("N", 4)]);
    let other = chain.mint("O", 10, None);
    let merged = chain.transact(&[(mined, 0), other], &[("P", 8), ("Q", 8)]);
    let ledger = &chain.ledger;
    let wants: [&[&str]; 3] =
        [&["outside >M 0 3", "outside >O 1 5"], &["outside >M 0 6", "outside >O 1 2"], &["outside >O 1 8"]];
    check(ledger, &[content(ledger, "P", "BTC")], &open(), wants);
    // The last leg of a transaction is its fee; here it brought nothing.
    check(ledger, &[leg(merged, 4)], &open(), [&[]; 3]);
}

#[test]
fn a_fee_and_a_cash_out_have_sources_too() {
    let mut accounts = Accounts::new(&["A"]);
    accounts.bring("P", 10, None);
    let paid = accounts.transact_with_fees(&[("P", "", "A", 6, 1)]);
    let ledger = &accounts.ledger;
    check(ledger, &[leg(paid, 0)], &open(), [&["outside >P 0 6"]; 3]);
    check(ledger, &[leg(paid, 1)], &open(), [&["outside >P 0 1"]; 3]);
}

#[test]
fn what_lay_there_before_the_ledger_begins_is_said_to() {
    let mut accounts = Accounts::new(&["A"]);
    accounts.bring("P", 10, None);
    accounts.pay("P", "Q", 30);
    let ledger = &accounts.ledger;
    let wants: [&[&str]; 3] = [&["outside >P 0 10", "opening >P - 20"]; 3];
    check(ledger, &[content(ledger, "Q", "A")], &open(), wants);

    // An output from before the first block.
    let bitcoin = Asset { symbol: "BTC".into(), scale: 8 };
    let id = LedgerId::parse("bip122:0f9188f13cb7b2c71f2a335e3a4fc328").unwrap();
    let mut chain = MemoryLedger::new(id, Kind::Utxo, vec![bitcoin]);
    let output = |holder: &str| UtxoOutput { amount: Amount::new(7), holder: holder.into() };
    let foreign = UtxoInput { outpoint: Outpoint { txid: [9; 32], vout: 0 }, spent: Some(output("Old")) };
    let transaction = UtxoTransaction { txid: [1; 32], inputs: vec![foreign], outputs: vec![output("New")], fee: None };
    let block = UtxoBlock {
        height: 0,
        hash: [0; 32],
        previous: None,
        time: Time::from_micros(0),
        transactions: vec![transaction],
    };
    chain.push_block(&block);
    check(&chain, &[content(&chain, "New", "BTC")], &open(), [&["opening >Old - 7"]; 3]);
}

#[test]
fn a_window_ends_the_way_where_it_begins() {
    let accounts = e6();
    let ledger = &accounts.ledger;
    let settings = BackwardSettings { from: Some(Seq(4)), ..open() };
    let wants: [&[&str]; 3] =
        [&["outside >P 4 80", "window >P - 20"], &["outside >P 4 100"], &["outside >P 4 50", "window >P - 50"]];
    check(ledger, &[content(ledger, "P", "A")], &settings, wants);
    // Money from before the window cannot be asked about.
    let found = run(ledger, &[leg(Seq(3), 0)], Policy::Fifo, &settings);
    assert_eq!((found.wanted[&LabelId(1)].units(), found.uncounted[&LabelId(1)].units()), (0, 100));
}

#[test]
fn dust_is_not_followed_and_is_booked() {
    let mut accounts = Accounts::new(&["A"]);
    accounts.bring("D", 1, None);
    accounts.bring("E", 99, None);
    accounts.pay("D", "P", 1);
    accounts.pay("E", "P", 99);
    let ledger = &accounts.ledger;
    let settings = BackwardSettings { dust: [(ledger::AssetId(0), Amount::new(2))].into(), ..open() };
    let wants: [&[&str]; 3] = [&["outside >E 1 99", "truncated D>P 2 1"]; 3];
    check(ledger, &[content(ledger, "P", "A")], &settings, wants);
}

#[test]
fn a_swap_ends_the_way_and_names_the_other_side() {
    let mut accounts = Accounts::new(&["A", "USDC"]);
    accounts.bring("T", 5, None);
    accounts.transact(&[("", "Pool", "USDC", 900)]);
    let swap = accounts.transact(&[
        ("T", "Router", "A", 5),
        ("Router", "Pool", "A", 5),
        ("Pool", "Router", "USDC", 150),
        ("Router", "T", "USDC", 150),
    ]);
    let ledger = &accounts.ledger;
    check(ledger, &[content(ledger, "T", "USDC")], &open(), [&["exchange Pool>T 2 150"]; 3]);
    // From there the question can go on: what was given in the swap?
    check(ledger, &[leg(swap, 1)], &open(), [&["exchange T>Pool 2 5"]; 3]);
    let given = Target {
        label: LabelId(1),
        money: Money::Content { purse: purse(ledger, "T", "A"), before: swap },
        amount: None,
    };
    check(ledger, &[given], &open(), [&["outside >T 0 5"]; 3]);
    // The router kept nothing, so nothing can be asked of what it was paid.
    let found = run(ledger, &[leg(swap, 0)], Policy::Fifo, &open());
    assert_eq!(found.uncounted[&LabelId(1)].units(), 5);
}

#[test]
fn what_only_passed_through_is_no_source() {
    // A flash loan within the transaction in which P pays Q.
    let mut accounts = Accounts::new(&["A"]);
    accounts.bring("P", 10, None);
    accounts.bring("Lender", 1_000, None);
    accounts.transact(&[("Lender", "P", "A", 900), ("P", "Q", "A", 10), ("P", "Lender", "A", 900)]);
    let ledger = &accounts.ledger;
    check(ledger, &[content(ledger, "Q", "A")], &open(), [&["outside >P 0 10"]; 3]);
}

#[test]
fn a_part_is_what_leaves_first_and_nothing_is_counted_twice() {
    let accounts = e6();
    let ledger = &accounts.ledger;
    let part = |units| Target { amount: Some(Amount::new(units)), ..content(ledger, "P", "A") };
    let wants: [&[&str]; 3] =
        [&["outside >P 0 4", "outside >P 1 4", "outside >P 4 32"], &["outside >P 4 40"], &["outside >P 4 40"]];
    check(ledger, &[part(40)], &open(), wants);
    for policy in POLICIES {
        let found = run(ledger, &[part(70), part(70)], policy, &open());
        assert_eq!((found.wanted[&LabelId(1)].units(), found.uncounted[&LabelId(1)].units()), (100, 40), "{policy}");
    }
}

#[test]
fn a_peel_chain_of_ten_thousand_hops_is_walked_to_its_beginning() {
    let mut chain = Chain::new();
    let mut coin = chain.mint("T", 20_000, None);
    for hop in 0..10_000 {
        let seq = chain.transact(&[coin], &[("Peel", 1), ("Change", 19_999 - hop)]);
        coin = (seq, 1);
    }
    let end = chain.ledger.end();
    let last = leg(Seq(end.0 - 1), 2);
    for policy in POLICIES {
        let found = run(&chain.ledger, &[last], policy, &open());
        assert_eq!(told(&chain.ledger, &found), ["outside >T 0 10000"], "{policy}");
        assert_eq!(found.origins[0].hops, 10_000, "{policy}");
    }
}

#[test]
fn policies_that_ask_whether_money_is_stolen_have_no_way_back() {
    let accounts = e6();
    for policy in Policy::ALL.into_iter().filter(|policy| !POLICIES.contains(policy)) {
        let refused = backward(&accounts.ledger, &[], policy, &open(), &mut ()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "{policy} asks \"is it stolen?\", which has no meaning backwards; choose haircut, fifo or lifo for the source of funds"
            )
        );
    }
}

/// Redoes the arithmetic of every hop.
struct Spreadsheet(Vec<(u64, u128)>);

impl HopObserver for Spreadsheet {
    const WATCHES: bool = true;

    fn hop(&mut self, hop: &Hop<'_>) {
        let wanted = hop.wanted.iter().find(|(label, _)| *label == LabelId(1)).expect("one label is asked for").1;
        let came = wanted.share(hop.amount, hop.before + hop.amount);
        let wants: Amount = hop.wants.iter().map(|want| want.amount).sum();
        assert_eq!(came, wants, "transaction {:?}", hop.seq);
        self.0.push((hop.seq.0, wants.units()));
    }
}

#[test]
fn every_hop_can_be_redone() {
    let accounts = e6();
    let mut sheet = Spreadsheet(Vec::new());
    let target = content(&accounts.ledger, "Z", "A");
    backward(&accounts.ledger, &[target], Policy::Haircut, &open(), &mut sheet).unwrap();
    assert_eq!(sheet.0, [(5, 150), (4, 120), (1, 15), (0, 15)]);
}

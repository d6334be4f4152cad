//! What rules say of findings that are made by hand.

mod common;

use common::{categories, finding, rules};
use expect_test::expect;
use money::Amount;
use proptest::prelude::*;
use screen::finding::{Bond, Finding, Flow, Inherited, Slice, Tagged};
use screen::{CategorySet, Figures, Judgement, Level};

fn number(name: &str) -> u8 {
    categories().number(name).expect("the test names its own categories")
}

fn slice(category: &str, direct: u128, indirect: u128) -> Slice {
    Slice {
        category: number(category),
        direct: Amount::new(direct),
        indirect: Amount::new(indirect),
        ..Slice::default()
    }
}

fn flow(total: u128, truncated: u128, slices: Vec<Slice>) -> Flow {
    let touched = slices.iter().fold(CategorySet::default(), |set, slice| set.with(CategorySet::one(slice.category)));
    Flow {
        total: Amount::new(total),
        categories: slices,
        truncated: Amount::new(truncated),
        touched,
        movements: (1, 1),
    }
}

fn tagged(category: &str, risks: &[&str], confidence: u8) -> Tagged {
    let worded = risks.iter().map(|risk| CategorySet::one(number(risk)));
    Tagged {
        category: Some(number(category)),
        categories: worded.fold(CategorySet::one(number(category)), CategorySet::with),
        stop: None,
        entity: "Somebody".to_owned(),
        risks: risks.iter().map(|&risk| risk.to_owned()).collect(),
        confidence,
        claims: Vec::new(),
        claims_more: 0,
    }
}

fn judged(rule: &str, finding: &Finding) -> Judgement {
    rules(&format!("rules:\n  - {rule}\n")).judge(finding)
}

/// The level of each rule on its own.
fn levels(finding: &Finding, all: &[&str]) -> String {
    let line = |rule: &&str| format!("{:7}{rule}", judged(rule, finding).level.as_str());
    all.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn a_threshold_is_exceeded_and_not_met() {
    let mut finding = finding();
    finding.exposure[0].received = flow(1_000_000, 0, vec![slice("theft", 100_000, 0), slice("mixer", 0, 1)]);
    expect![[r#"
        clear  {category: theft, share: 10%, action: hit}
        hit    {category: theft, share: 9.9999%, action: hit}
        review {category: theft, action: review}
        clear  {category: theft, exposure: indirect, action: hit}
        hit    {category: theft, exposure: direct, action: hit}
        clear  {category: theft, direction: sent, action: hit}
        clear  {category: theft, amount: 0.001, action: hit}
        hit    {category: theft, amount: 0.00099999, action: hit}
        hit    {category: theft, amount: 0.000999999999, action: hit}
        clear  {category: theft, amount: 0.0009 LTC, action: hit}
        hit    {category: theft, amount: 0.0009 BTC, action: hit}
        clear  {category: theft, amount: 0.0009, share: 10%, action: hit}
        clear  {category: theft, amount: 99999999999999999999, action: hit}
        review {category: mixer, action: review}
        clear  {category: mixer, share: 0.0001%, action: review}
        hit    {category: [mixer, theft], share: 10%, action: hit}
        clear  {category: unknown, action: hit}
    "#]]
    .assert_eq(&levels(
        &finding,
        &[
            "{category: theft, share: 10%, action: hit}",
            "{category: theft, share: 9.9999%, action: hit}",
            "{category: theft, action: review}",
            "{category: theft, exposure: indirect, action: hit}",
            "{category: theft, exposure: direct, action: hit}",
            "{category: theft, direction: sent, action: hit}",
            "{category: theft, amount: 0.001, action: hit}",
            "{category: theft, amount: 0.00099999, action: hit}",
            "{category: theft, amount: 0.000999999999, action: hit}",
            "{category: theft, amount: 0.0009 LTC, action: hit}",
            "{category: theft, amount: 0.0009 BTC, action: hit}",
            "{category: theft, amount: 0.0009, share: 10%, action: hit}",
            "{category: theft, amount: 99999999999999999999, action: hit}",
            "{category: mixer, action: review}",
            "{category: mixer, share: 0.0001%, action: review}",
            "{category: [mixer, theft], share: 10%, action: hit}",
            "{category: unknown, action: hit}",
        ],
    ));
}

#[test]
fn the_certificate_decides_which_end_of_the_interval_counts() {
    let mut finding = finding();
    finding.exposure[0].received = flow(1_000, 20, vec![slice("theft", 0, 90)]);
    for (certificate, level) in [("lower", Level::Clear), ("upper", Level::Hit)] {
        let rule = format!("certificate: {certificate}\nrules: [{{category: theft, share: 10%, action: hit}}]\n");
        let judgement = rules(&rule).judge(&finding);
        assert_eq!(judgement.level, level, "{certificate}");
        for fired in judgement.fired {
            let Figures::Exposure { low, high, total, .. } = fired.figures else { panic!("{fired:?}") };
            assert_eq!([low, high, total].map(Amount::units), [90, 110, 1_000]);
        }
    }
    // What rounding withheld is nobody's who never touched the money, and never part of what is direct.
    let clear = ["{category: sanctioned, action: hit}", "{category: theft, exposure: direct, action: hit}"];
    for rule in clear {
        assert_eq!(judged(rule, &finding).level, Level::Clear, "{rule}");
    }
    finding.exposure[0].received.touched = CategorySet::one(number("sanctioned"));
    assert_eq!(judged(clear[0], &finding).level, Level::Hit, "it did touch it");
}

#[test]
fn tags_of_the_address_and_of_its_cluster_are_told_apart() {
    let mut direct = finding();
    direct.tags = vec![tagged("exchange", &["theft"], 60)];
    let mut inherited = finding();
    let by = |by| Inherited { holder: "h".to_owned(), by, tagged: tagged("theft", &[], 60) };
    inherited.inherited = vec![by(Bond::Input), by(Bond::Cluster(Vec::new()))];
    let mut party = finding();
    party.inherited = vec![by(Bond::Input), by(Bond::Output)];
    let all = [
        "{tag: theft, action: hit}",
        "{tag: theft, on: address, action: hit}",
        "{tag: theft, on: cluster, action: hit}",
        "{tag: theft, confidence: 60%, action: hit}",
        "{tag: theft, confidence: 61%, action: hit}",
        "{tag: exchange, action: hit}",
        "{tag: mixer, action: hit}",
    ];
    expect![[r#"
        hit    {tag: theft, action: hit}
        hit    {tag: theft, on: address, action: hit}
        clear  {tag: theft, on: cluster, action: hit}
        hit    {tag: theft, confidence: 60%, action: hit}
        clear  {tag: theft, confidence: 61%, action: hit}
        hit    {tag: exchange, action: hit}
        clear  {tag: mixer, action: hit}

        hit    {tag: theft, action: hit}
        clear  {tag: theft, on: address, action: hit}
        hit    {tag: theft, on: cluster, action: hit}
        hit    {tag: theft, confidence: 60%, action: hit}
        clear  {tag: theft, confidence: 61%, action: hit}
        clear  {tag: exchange, action: hit}
        clear  {tag: mixer, action: hit}

        clear  {tag: theft, action: hit}
        clear  {tag: theft, on: address, action: hit}
        clear  {tag: theft, on: cluster, action: hit}
        clear  {tag: theft, confidence: 60%, action: hit}
        clear  {tag: theft, confidence: 61%, action: hit}
        clear  {tag: exchange, action: hit}
        clear  {tag: mixer, action: hit}
    "#]]
    .assert_eq(&[direct, inherited, party].map(|finding| levels(&finding, &all)).join("\n"));
}

#[test]
fn poison_is_any_trace_at_all() {
    let mut finding = finding();
    finding.exposure[0].poison = CategorySet::one(number("theft"));
    assert_eq!(judged("{poison: [theft, mixer], action: review}", &finding).level, Level::Review);
    assert_eq!(judged("{poison: mixer, action: review}", &finding).level, Level::Clear);
}

#[test]
fn the_worst_rule_decides_and_comes_first() {
    let mut finding = finding();
    finding.tags = vec![tagged("theft", &[], 60)];
    let rules = rules(
        "rules:\n  - {name: a, tag: theft, action: review}\n  - {name: b, tag: theft, action: hit}\n  - {name: c, tag: theft, action: review}\n",
    );
    let judgement = rules.judge(&finding);
    let names: Vec<&str> = judgement.fired.iter().map(|fired| fired.rule.as_str()).collect();
    assert_eq!((judgement.level, names), (Level::Hit, vec!["b", "a", "c"]));
}

proptest! {
    /// A share is held against its threshold without any rounding.
    #[test]
    fn shares_are_compared_exactly(part in 0u128..1 << 62, more in 0u128..1 << 62, millionths in 0u32..=1_000_000) {
        let total = part + more;
        let mut finding = finding();
        finding.exposure[0].received = flow(total, 0, vec![slice("theft", part, 0)]);
        let percent = format!("{}.{:04}%", millionths / 10_000, millionths % 10_000);
        let level = judged(&format!("{{category: theft, share: {percent}, action: hit}}"), &finding).level;
        prop_assert_eq!(level == Level::Hit, part * 1_000_000 > total * u128::from(millionths));
    }
}

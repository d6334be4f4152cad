//! What is remembered of a screening, and what a later one says has changed.

mod common;

use common::{categories, finding, rules};
use expect_test::expect;
use know::Claim;
use money::Amount;
use screen::finding::{Cluster, Finding, Flow, Slice, Tagged};
use screen::remember::{Remembered, read};
use screen::{Answer, CategorySet, Changed, RuleBook};

fn rule_book() -> RuleBook {
    rules(
        "rules:\n  - {name: loot, category: theft, share: 10%, action: hit}\n  - {name: tagged, tag: theft, action: review}\n",
    )
}

fn remembered(finding: Finding, rules: &RuleBook) -> Remembered {
    let judgement = rules.judge(&finding);
    let answer = Answer::judged("bc1q", None, finding, judgement, false);
    Remembered::of(&answer, rules, &categories(), "2026-11-20T12:00:00Z")
}

fn with_loot(direct: u128) -> Finding {
    let mut finding = finding();
    let slice = Slice { category: 5, direct: Amount::new(direct), ..Slice::default() };
    finding.exposure[0].received =
        Flow { total: Amount::new(1_000), categories: vec![slice], movements: (1, 1), ..Flow::default() };
    finding.cluster = Some(Cluster { oldest: "bc1old".to_owned(), size: 3, layer: "co-spend" });
    finding.versions.height = Some(7);
    finding.versions.block = Some("0b".repeat(32));
    finding.versions.tags = "aa".repeat(32);
    finding
}

fn tagged(label: &str) -> Tagged {
    let mut claim = Claim::new("bc1q", label, "pack");
    claim.add_category("hack");
    Tagged {
        category: Some(5),
        categories: CategorySet::one(5),
        stop: None,
        entity: label.to_owned(),
        risks: vec!["theft".to_owned()],
        confidence: 50,
        claims: vec![claim],
        claims_more: 0,
    }
}

fn said(changed: &Changed) -> String {
    let lines = |title: &str, changes: &[screen::Change]| {
        changes.iter().map(|change| format!("{title} {}: {}", change.kind, change.text)).collect::<Vec<_>>()
    };
    [lines("what", &changed.what), lines("why", &changed.why)].concat().join("\n") + "\n"
}

#[test]
fn a_screening_comes_back_from_its_line() {
    let mut finding = with_loot(50);
    finding.tags = vec![tagged("Gang")];
    let one = remembered(finding, &rule_book());
    let line = one.line();
    assert_eq!(read(line.as_bytes()), Ok(vec![one.clone()]));
    // Whatever is cut off at the end is left out, byte by byte.
    for cut in 0..line.len() {
        assert_eq!(read(&[line.as_bytes(), &line.as_bytes()[..cut]].concat()).map(|all| all.len()), Ok(1), "{cut}");
    }
    expect![[r#"
        {"schema":"tracehound/screening/1","when":"2026-11-20T12:00:00Z","query":"bc1q","ledger":"bip122:000000000019d6689c085ae165831e93","status":"review","as_of":{"height":7,"block":"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b","transactions":0,"tags":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","policy":"p","rules":"01dfe6fa119b2309a6c8ec906db5a09f793ced20f9258dc1b5d25e2de3d9d7ba"},"fired":[["tagged","review","tagged theft as Gang, confidence 50 %"]],"claims":[{"holder":"bc1q","label":"Gang","words":"hack","pack":"pack"}],"cluster":{"oldest":"bc1old","size":3},"flows":{"received BTC theft":"0.0000005, 5 %"}}
    "#]].assert_eq(&line);
    let damaged = |bytes: &[u8]| read(bytes).expect_err("it is damaged").in_file("s.ndjson") + "\n";
    expect![[r#"
        s.ndjson:1:2: not a screening; the file is damaged or from a later version; move it away to begin a new one
        s.ndjson:1:1: not a screening; the file is damaged or from a later version; move it away to begin a new one
        s.ndjson:1: the schema is not tracehound/screening/1; the file is damaged or from a later version; move it away to begin a new one
    "#]].assert_eq(&[b"{}\n".as_slice(), b"x\n", line.replace("/1", "/9").as_bytes()].map(damaged).concat());
}

#[test]
fn what_changed_is_told_and_what_did_not_is_not() {
    let rules = rule_book();
    let before = remembered(with_loot(50), &rules);
    let same = remembered(with_loot(50), &rules);
    assert_eq!(Changed::between(&before, &same), Changed::default());
    let mut finding = with_loot(200);
    finding.tags = vec![tagged("Gang")];
    finding.cluster = Some(Cluster { oldest: "bc1older".to_owned(), size: 9, layer: "co-spend" });
    finding.versions.height = Some(8);
    finding.versions.block = Some("0c".repeat(32));
    finding.versions.tags = "bb".repeat(32);
    finding.versions.rulings = "cc".repeat(32);
    let after = remembered(finding, &rules);
    expect![[r#"
        what status: hit was clear
        what rule-fires: loot (hit): 0.000002 BTC received from theft, 20 % of 0.00001 BTC; more than 10 %
        what rule-fires: tagged (review): tagged theft as Gang, confidence 50 %
        what tag-added: Gang on bc1q (hack), pack pack
        what cluster: it is bc1older's (9 members), was bc1old's (3)
        what exposure: received BTC theft: 0.000002, 20 %, was 0.0000005, 5 %
        why ledger: as of block 8, was as of block 7
        why tags: version bbbbbbbbbbbb, was aaaaaaaaaaaa
        why rulings: version cccccccccccc, was none
    "#]]
    .assert_eq(&said(&Changed::between(&before, &after)));
    expect![[r#"
        what status: clear was hit
        what rule-fires-no-more: loot (hit) was: 0.000002 BTC received from theft, 20 % of 0.00001 BTC; more than 10 %
        what rule-fires-no-more: tagged (review) was: tagged theft as Gang, confidence 50 %
        what tag-withdrawn: Gang on bc1q (hack), pack pack
        what cluster: it is bc1old's (3 members), was bc1older's (9)
        what exposure: received BTC theft: 0.0000005, 5 %, was 0.000002, 20 %
        why ledger: as of block 7, was as of block 8
        why tags: version aaaaaaaaaaaa, was bbbbbbbbbbbb
        why rulings: version none, was cccccccccccc
    "#]]
    .assert_eq(&said(&Changed::between(&after, &before)));
}

#[test]
fn another_block_alone_is_no_change() {
    let rules = rule_book();
    let mut finding = with_loot(50);
    finding.versions.block = Some("0c".repeat(32));
    let changed = Changed::between(&remembered(with_loot(50), &rules), &remembered(finding, &rules));
    assert!(changed.is_nothing() && changed.why.len() == 1, "{changed:?}");
}

//! `tracehound clusters`: who is one with whom, why, and rulings on that.

mod common;

use common::{Desk, town};
use expect_test::expect;

const A: &str = "bcrt1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpvxat9t";
const B: &str = "bcrt1qqgpqyqszqgpqyqszqgpqyqszqgpqyqszazmwwa";
const C: &str = "bcrt1qqvpsxqcrqvpsxqcrqvpsxqcrqvpsxqcruj60yu";
const D: &str = "bcrt1qqszqgpqyqszqgpqyqszqgpqyqszqgpqyuza2rq";
const E: &str = "bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp";

/// A with B, later B with E; C with D.
fn desk() -> Desk {
    let desk = Desk::new();
    let chain = [
        town::block(0, "a", "", &[]),
        town::block(1, "a", "ba0", &[("a1", &[("ca0", 0)], &[(A, "3.0"), (B, "3.0"), (C, "4.0")])]),
        town::block(2, "a", "ba1", &[("a2", &[("a1", 0), ("a1", 1)], &[(D, "6.0")])]),
        town::block(3, "a", "ba2", &[("a3", &[("a1", 2), ("a2", 0)], &[(E, "9.0"), (B, "1.0")])]),
        town::block(4, "a", "ba3", &[("a4", &[("a3", 0), ("a3", 1)], &[("shop", "10.0")])]),
    ];
    desk.write("chain.ndjson", chain.concat());
    desk.run("ingest utxo-blocks chain.ndjson --ledger bip122:746f776e000000000000000000000000").done();
    desk
}

#[test]
fn a_cluster_is_shown_explained_ruled_on_and_put_back() {
    let desk = desk();
    expect![[r#"
        exit 0
        --- out
        co-spend (co-spends and wraps): 3 members of bcrt1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpvxat9t
          bcrt1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpvxat9t
          bcrt1qqgpqyqszqgpqyqszqgpqyqszqgpqyqszazmwwa
          bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp
        change (with likely change: a lead, not a finding): 5 members of bcrt1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpvxat9t
          bcrt1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpvxat9t
          bcrt1qqgpqyqszqgpqyqszqgpqyqszqgpqyqszazmwwa
          bcrt1qqvpsxqcrqvpsxqcrqvpsxqcrqvpsxqcruj60yu
          bcrt1qqszqgpqyqszqgpqyqszqgpqyqszqgpqyuza2rq
          bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp
        as of block 4 (0000000000000000000000000000000000000000000000000000000000000ba4)
    "#]]
    .assert_eq(&desk.shows(&format!("clusters show {A}")));
    expect![[r#"
        exit 0
        --- out
        bcrt1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpvxat9t
          co-spend:00000000000000000000000000000000000000000000000000000000000000a2  spent together
        bcrt1qqgpqyqszqgpqyqszqgpqyqszqgpqyqszazmwwa
          co-spend:00000000000000000000000000000000000000000000000000000000000000a4  spent together
        bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp
    "#]]
    .assert_eq(&desk.shows(&format!("clusters explain {A} {E}")));
    expect![[r#"
        exit 0
        --- out
        {"edge":"co-spend:00000000000000000000000000000000000000000000000000000000000000a2","from":"bcrt1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpvxat9t","height":2,"heuristic":"co-spend","output":null,"permille":null,"schema":"tracehound/clusters/1","time":"2024-01-01T02:00:00Z","to":"bcrt1qqgpqyqszqgpqyqszqgpqyqszqgpqyqszazmwwa","transaction":"00000000000000000000000000000000000000000000000000000000000000a2"}
        {"edge":"co-spend:00000000000000000000000000000000000000000000000000000000000000a4","from":"bcrt1qqgpqyqszqgpqyqszqgpqyqszqgpqyqszazmwwa","height":4,"heuristic":"co-spend","output":null,"permille":null,"schema":"tracehound/clusters/1","time":"2024-01-01T04:00:00Z","to":"bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp","transaction":"00000000000000000000000000000000000000000000000000000000000000a4"}
    "#]].assert_eq(&desk.shows(&format!("clusters explain {A} {E} --json")));
    expect![[r#"
        exit 5
        --- err
        error: bcrt1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpvxat9t and bcrt1qqvpsxqcrqvpsxqcrqvpsxqcrqvpsxqcruj60yu: the two are in different clusters on this layer (co-spend)
    "#]].assert_eq(&desk.shows(&format!("clusters explain {A} {C}")));
    let edge = format!("co-spend:{}", town::id("a4"));
    let said = "--reason mistaken --by me --date 2026-11-20";
    expect![[r#"
        exit 0
        --- err
        recorded; the exposure category of 0 holders changed, and 0 transactions came out other than before
    "#]]
    .assert_eq(&desk.shows(&format!("clusters retract {edge} {said}")));
    expect![[r#"
        exit 5
        --- err
        error: bcrt1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpvxat9t and bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp: the two are in different clusters on this layer (co-spend)
    "#]].assert_eq(&desk.shows(&format!("clusters explain {A} {E}")));
    expect![[r#"
        exit 0
        --- err
        recorded; the exposure category of 0 holders changed, and 0 transactions came out other than before
    "#]]
    .assert_eq(&desk.shows(&format!("clusters restore {} {said}", town::id("a4"))));
    expect![[r#"
        exit 0
        --- out
        {"address":"bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp","as_of":{"hash":"0000000000000000000000000000000000000000000000000000000000000ba4","height":4},"basis":"rule","cluster":"bcrt1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpvxat9t","layer":"co-spend","ledger":"bip122:746f776e000000000000000000000000","members":["bcrt1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpvxat9t","bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp"],"schema":"tracehound/clusters/1","size":3,"tags":[]}
        {"address":"bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp","as_of":{"hash":"0000000000000000000000000000000000000000000000000000000000000ba4","height":4},"basis":"lead","cluster":"bcrt1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpvxat9t","layer":"change","ledger":"bip122:746f776e000000000000000000000000","members":["bcrt1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpvxat9t","bcrt1qqszqgpqyqszqgpqyqszqgpqyqszqgpqyuza2rq"],"schema":"tracehound/clusters/1","size":5,"tags":[]}
    "#]].assert_eq(&desk.shows(&format!("clusters show {E} --top 2 --json")));
    expect![[r#"
        exit 0
        --- err
        recorded; the exposure category of 0 holders changed, and 0 transactions came out other than before
    "#]]
    .assert_eq(&desk.shows(&format!("clusters separate {B} {E} {said}")));
    expect![[r#"
        exit 0
        --- out
        co-spend:00000000000000000000000000000000000000000000000000000000000000a4: would make bcrt1qqgpqyqszqgpqyqszqgpqyqszqgpqyqszazmwwa and bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp one (co-spend); quarantined
        co-spend:00000000000000000000000000000000000000000000000000000000000000a4: would make bcrt1qqgpqyqszqgpqyqszqgpqyqszqgpqyqszazmwwa and bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp one (change); quarantined
    "#]].assert_eq(&desk.shows("clusters problems"));
    expect![[r#"
        exit 0
        --- out
        {"between":["bcrt1qqgpqyqszqgpqyqszqgpqyqszqgpqyqszazmwwa","bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp"],"edge":"co-spend:00000000000000000000000000000000000000000000000000000000000000a4","layer":"co-spend","schema":"tracehound/clusters/1"}
        {"between":["bcrt1qqgpqyqszqgpqyqszqgpqyqszqgpqyqszazmwwa","bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp"],"edge":"co-spend:00000000000000000000000000000000000000000000000000000000000000a4","layer":"change","schema":"tracehound/clusters/1"}
    "#]].assert_eq(&desk.shows("clusters problems --json --as-kept"));
    expect![[r#"
        exit 0
        --- err
        recorded; the exposure category of 0 holders changed, and 0 transactions came out other than before
    "#]]
    .assert_eq(&desk.shows(&format!("clusters reunite {E} {B} {said}")));
    expect![[r#"
        exit 0
        --- out
        {"order":"retract","target":"co-spend:00000000000000000000000000000000000000000000000000000000000000a4","date":"2026-11-20","by":"me","reason":"mistaken"}
        {"order":"restore","target":"00000000000000000000000000000000000000000000000000000000000000a4","date":"2026-11-20","by":"me","reason":"mistaken"}
        {"order":"cannot-link","holders":["bcrt1qqgpqyqszqgpqyqszqgpqyqszqgpqyqszazmwwa","bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp"],"date":"2026-11-20","by":"me","reason":"mistaken"}
        {"order":"may-link","holders":["bcrt1qq5zs2pg9q5zs2pg9q5zs2pg9q5zs2pg9ajutfp","bcrt1qqgpqyqszqgpqyqszqgpqyqszqgpqyqszazmwwa"],"date":"2026-11-20","by":"me","reason":"mistaken"}
    "#]].assert_eq(&desk.shows("clusters rulings"));
    expect![[r#"
        exit 0
        --- err
        clusters and exposure of bip122:746f776e000000000000000000000000 are those of block 4 (0000000000000000000000000000000000000000000000000000000000000ba4)
    "#]].assert_eq(&desk.shows("clusters update"));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let desk = desk();
    for (asked, code, what) in [
        (format!("clusters show {A} --as-kept"), 5, "nothing is kept of"),
        (format!("clusters show {}x", &A[..A.len() - 1]), 2, "checksum"),
        ("clusters show bcrt1qqcrqvpsxqcrqvpsxqcrqvpsxqcrqvpsxvk6wzh".to_owned(), 5, "never held anything"),
        (format!("clusters show {A} --ledger bitcoin"), 5, "ingest it first"),
        ("clusters retract spend:x --reason y".to_owned(), 2, "names no evidence; write co-spend:TXID"),
        (format!("clusters retract {} --reason y", town::id("77")), 5, "nothing of that name"),
        (format!("clusters retract {}", town::id("a4")), 2, "--reason"),
        (format!("clusters separate {A} {A} --reason y"), 2, "these are one address"),
    ] {
        let ran = desk.run(&asked);
        assert_eq!(ran.code, Some(code), "{asked}: {}", ran.stderr);
        assert!(ran.stderr.contains(what), "{asked}: {}", ran.stderr);
    }
    assert_eq!(desk.run("clusters rulings").done().stdout, "", "nothing refused is recorded");
    let empty = Desk::new();
    empty.write("bank.csv", town::BANK);
    empty.run("ingest table bank.csv").done();
    assert_eq!(empty.run("clusters update").code, Some(5));
    assert_eq!(empty.run("clusters update --ledger bank:TOWNXXPP").code, Some(2));
}

//! A small world of wallets whose truth is known, from the exercise through the book to the figures: what is measured,
//! what is fitted, and which services show.

mod common;

use common::Desk;
use expect_test::expect;
use serde_json::Value;

/// The world, taken in.
fn world() -> Desk {
    let desk = Desk::new();
    desk.run("exercise world --wallets 300 --seed 4").done();
    let manifest: Value = serde_json::from_str(&desk.read("world/manifest.json")).expect("it is JSON");
    let ledger = manifest["ledger"].as_str().expect("it names its ledger");
    desk.run(&format!("ingest utxo-blocks world/chain.ndjson --ledger {ledger}")).done();
    desk
}

#[test]
fn figures_of_a_small_world() {
    let desk = world();
    expect![[r#"
        exit 0
        --- out
        | what | right (95 % interval) |
        |---|---|
        | taken for a join: several owners paid | 95.83 % (86.02 % to 98.85 %) of 48 |
        | several owners paid: taken for a join, or left apart | 77.02 % (66.25 % to 85.14 %) of 74 |
        | co-spend applied: one owner | 97.19 % (95.55 % to 98.25 %) of 606 |
        | called change: the payer's own | 100.00 % (99.62 % to 100.00 %) of 1,018 |
        | has change: it was found | 44.09 % (42.07 % to 46.14 %) of 2,295 |
        | called change with 990 to 1000 thousandths | 100.00 % (99.62 % to 100.00 %) of 1,018 |

        | layer | pairs, precision | pairs, recall | value, precision | value, recall | clusters | mixed |
        |---|---|---|---|---|---|---|
        | co-spend | 99.88 % (99.78 % to 99.99 %) of 36,731 | 10.50 % (5.89 % to 15.13 %) of 349,126 | 99.99 % (99.99 % to 100.00 %) of 27,207,809,603,181 | 33.77 % (0.00 % to 69.32 %) of 27,207,809,603,181 | 567 | 17 |
        | change | 99.79 % (99.59 % to 100.00 %) of 47,647 | 13.62 % (8.01 % to 19.23 %) of 349,126 | 99.99 % (99.98 % to 100.00 %) of 27,207,809,603,181 | 37.01 % (2.76 % to 71.28 %) of 27,207,809,603,181 | 832 | 17 |

        | made as | several owners | transactions | taken for joins | left apart | united | wrongly |
        |---|---|---|---|---|---|---|
        | batch | no | 202 | 0 | 0 | 14 | 0 |
        | batch-equal | no | 4 | 0 | 2 | 2 | 0 |
        | batch-round | no | 2 | 0 | 0 | 2 | 0 |
        | cold | no | 3 | 0 | 0 | 3 | 0 |
        | consolidate | no | 197 | 0 | 0 | 193 | 0 |
        | consolidate-equal | no | 3 | 0 | 0 | 3 | 0 |
        | equal-outputs | yes | 10 | 7 | 3 | 0 | 0 |
        | faucet | no | 11 | 0 | 0 | 0 | 0 |
        | join-data | yes | 7 | 5 | 2 | 0 | 0 |
        | join-jitter | yes | 2 | 1 | 1 | 0 | 0 |
        | join-reuse | yes | 2 | 2 | 0 | 0 | 0 |
        | joinmarket | yes | 10 | 10 | 0 | 0 | 0 |
        | pay | no | 2,118 | 0 | 8 | 353 | 0 |
        | payjoin | yes | 22 | 0 | 5 | 17 | 17 |
        | payroll | no | 13 | 0 | 0 | 0 | 0 |
        | self-mix | no | 2 | 2 | 0 | 0 | 0 |
        | self-split | no | 7 | 0 | 0 | 5 | 0 |
        | stonewall | no | 8 | 0 | 8 | 0 | 0 |
        | sweep | no | 6 | 0 | 0 | 6 | 0 |
        | tx0 | no | 17 | 0 | 0 | 8 | 0 |
        | wasabi-1 | yes | 3 | 3 | 0 | 0 | 0 |
        | wasabi-2 | yes | 4 | 4 | 0 | 0 | 0 |
        | whirlpool | yes | 14 | 14 | 0 | 0 | 0 |

        | told by how money moves | right | wrong | right (95 % interval) | of those there are, told |
        |---|---|---|---|---|
        | service, hot-wallet | 2 | 0 | 100.00 % (34.23 % to 100.00 %) of 2 | 8.33 % (1.48 % to 35.39 %) of 12 |
        | service, pool | 0 | 0 | nothing to judge | 0.00 % (0.00 % to 65.77 %) of 2 |
        | service, batch-payer | 2 | 0 | 100.00 % (34.23 % to 100.00 %) of 2 | 16.66 % (4.69 % to 44.81 %) of 12 |
        | service, deposit | 300 | 0 | 100.00 % (98.73 % to 100.00 %) of 300 | 38.21 % (34.88 % to 41.67 %) of 785 |
        | service, of any kind | 4 | 0 | 100.00 % (51.01 % to 100.00 %) of 4 | 20.00 % (7.04 % to 45.19 %) of 15 |
    "#]].assert_eq(&desk.shows("clusters measure world"));
    let measured = desk.run("clusters measure world --as-kept --json").done();
    let [measured] = &measured.json_lines()[..] else { panic!("one line") };
    let known = ["wasabi-1", "wasabi-2", "whirlpool", "joinmarket", "equal-outputs"];
    let kinds = measured["kinds"].as_array().expect("a list").iter();
    let mut seen = 0;
    for kind in kinds.filter(|kind| known.contains(&kind["kind"].as_str().expect("a word"))) {
        assert_eq!(kind["wrongly"], 0, "{kind}");
        seen += kind["joins"].as_u64().expect("a number");
    }
    assert!(seen > 0, "no join of a known design was seen");
}

#[test]
fn weights_are_fitted_and_judged() {
    let desk = world();
    let fitted = desk.run("clusters calibrate world").done().stdout;
    desk.write("weights.csv", &fitted);
    let signs: Vec<&str> = fitted.lines().filter(|line| !line.starts_with('#')).collect();
    expect![[r#"
        name weight
        start-2 -1985
        start-3 -1917
        start-5 -2092
        only-fresh 2992
        only-kind 2893
        other-kind -2078
        below-inputs 546
        rest-round 2365
        round -516
        one-time 1253
        largest 4003
        floor 990"#]]
    .assert_eq(
        &signs
            .iter()
            .map(|line| line.splitn(3, ',').take(2).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
            .join("\n"),
    );
    assert!(fitted.contains("# | all | before |") && fitted.contains("# | all | after |"));
    // Until the end nothing is left to judge by; a file judges the whole chain.
    let all = desk.run("clusters calibrate world --until-height 1000000").done().stdout;
    assert!(all.contains("# | all | after | 0 |"), "{all}");
    let judged = desk.run("clusters calibrate world --weights weights.csv").done().stdout;
    assert!(judged.starts_with("| payer | weights |") && judged.contains("| all | after | "), "{judged}");
    desk.write("weights.csv", fitted.replace("floor,990", "floor,90"));
    let refused = desk.run("clusters calibrate world --weights weights.csv");
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("`90` is no weight"), "{}", refused.stderr);
}

#[test]
fn services_show_as_leads() {
    let desk = world();
    expect![[r#"
        exit 0
        --- out
        hot-wallet bcrt1qjdx9e4shmkh4jag2jfsxcwy0u0f3gztgvj5uaw (cluster of bcrt1qjdx9e4shmkh4jag2jfsxcwy0u0f3gztgvj5uaw): score 98.6 %, 5 sweeps, 150 deposit addresses, first 899b8da1cd59c74336a9d888b0b8e9ef65ca9ae4c827cc6522e5a1c65dc7669b
        hot-wallet bcrt1qwf9t43j8hj9n8vtfkjlyd9rvr4qa6h2lnxvsa6 (cluster of bcrt1qwf9t43j8hj9n8vtfkjlyd9rvr4qa6h2lnxvsa6): score 99.3 %, 5 sweeps, 150 deposit addresses, first c63a389040eaeebe855e48d9246527f06bb5396cd931ebaa237d090b4a1255d5
        batch-payer bcrt1pxr6206mdee65esfkflgu53a7zqn6983v05zydwar44k3lwhwrp5qu6k2wp (cluster of bcrt1pxr6206mdee65esfkflgu53a7zqn6983v05zydwar44k3lwhwrp5qu6k2wp): score 43.1 %, 25 batch payments, first 84a40ae884670d1a9e6fad41a1e1f5b4f63940d55d4d28ebbb120662cb2ad03d
        batch-payer bcrt1pf6j6taa8mfvl8n9zmx35cnx7x5fgcsymwv258lr7c2sjmjeqj9ysq8g7ek (cluster of bcrt1pf6j6taa8mfvl8n9zmx35cnx7x5fgcsymwv258lr7c2sjmjeqj9ysq8g7ek): score 54.5 %, 6 batch payments, first 901b3aa60d90947b52186caa67108d46b54bc437f0f03028f1e0ab9351210d2e
        leads, not findings: told by how money moves (movement/2)
        as of block 335 (33a44ae4467f619ac2d6f50e14c558f004e1b84cb9f9de9b7a5aba5971a08437)
    "#]].assert_eq(&desk.shows("clusters services"));
    let found = desk.run("clusters services --json").done().json_lines();
    assert!(!found.is_empty());
    for one in found {
        assert_eq!((&one["basis"], &one["method"]["name"]), (&"lead".into(), &"movement".into()), "{one}");
        assert_eq!(one["of"].is_null(), one["kind"] != "deposit", "{one}");
        assert!(!one["evidence"].as_array().expect("a list").is_empty(), "{one}");
    }
}

//! `tracehound demo`, the exercises that it is made of, and completions. Figures of seeded exercises do not move.

mod common;

use std::path::Path;

use common::{Desk, files};
use expect_test::expect;

#[test]
fn an_exercise_is_the_same_for_the_same_seed() {
    let desk = Desk::new();
    expect![[r#"
        exit 0
        --- out
        peel/chain.ndjson
        peel/incident-harbour-heist.yaml
        peel/tags.yaml
        peel/truth.json
        --- err
        chain.ndjson: 31 transactions on bip122:7a5d4bb43f58bed8bf22eee2f53567cb
    "#]]
    .assert_eq(&desk.shows("exercise peel --peel 5"));
    desk.run("exercise again --peel 5").done();
    common::assert_same(&desk.path("peel"), &desk.path("again"));
    expect![[r#"
        exit 0
        --- out
        cone/chain.ndjson
        cone/incident-harbour-heist.yaml
        cone/tags.yaml
        cone/truth.json
        --- err
        chain.ndjson: 975 transactions on bip122:66d0a6759cffec84f170ae225d1e6710
    "#]]
    .assert_eq(&desk.shows("exercise cone --cone 2000 --seed 3"));
    desk.run("exercise other --cone 2000 --seed 4").done();
    assert!(files(&desk.path("cone")) != files(&desk.path("other")));
    expect![[r#"
        exit 2
        --- err
        error: the argument '--peel <HOPS>' cannot be used with '--cone <LEGS>'

        Usage: tracehound exercise --peel <HOPS> --book <DIR> <DIR>

        For more information, try '--help'.
    "#]]
    .assert_eq(&desk.shows("exercise peel --peel 5 --cone 5"));
    expect![[r#"
        exit 0
        --- out
        peel/chain.ndjson
        peel/tokens.csv
        peel/bank.csv
        peel/incident-harbour-heist.yaml
        peel/incident-harbour-client-money.yaml
        peel/tags.yaml
        peel/truth.json
        --- err
        chain.ndjson: 68 transactions on bip122:26e0fb4f00d56cf62f9f503a182d4996
        tokens.csv: 59 transactions on table:harbour-tokens
        bank.csv: 88 transactions on bank:EXRCFRPP
    "#]]
    .assert_eq(&desk.shows("exercise peel --transactions 0"));
    expect![[r#"
        exit 2
        --- err
        error: invalid value 'many' for '--transactions <N>': invalid digit found in string

        For more information, try '--help'.
    "#]]
    .assert_eq(&desk.shows("exercise peel --transactions many"));
    desk.write("file", "");
    expect![[r#"
        exit 1
        --- err
        error: file: File exists (os error 17)
    "#]]
    .assert_eq(&desk.shows("exercise file --peel 5"));
}

#[test]
fn a_chain_for_scale_comes_as_block_files() {
    let desk = Desk::new();
    expect![[r#"
        exit 0
        --- out
        chain/blocks
        chain/manifest.json
        --- err
        bip122:0f9188f13cb7b2c71f2a335e3a4fc328: 194 blocks, 1,000 transactions, 400,202 bytes
        busiest address: bcrt1q5cppssk7v3666k7033eswt06he0ah782jjk59x, 85 outputs
    "#]]
    .assert_eq(&desk.shows("exercise chain --chain 1000 --xor --stale 2 --shuffled"));
    let mut files: Vec<_> = files(&desk.path("chain/blocks")).into_keys().collect();
    files.sort();
    assert_eq!(files.len(), 3, "{files:?}");
    expect![[r#"
        exit 2
        --- err
        error: a chain of 5 transactions; choose from 200 to 50000000
    "#]]
    .assert_eq(&desk.shows("exercise chain --chain 5"));
    expect![[r#"
        exit 2
        --- err
        error: the following required arguments were not provided:
          <--chain <N>|--blocks>

        Usage: tracehound exercise --xor --book <DIR> <--chain <N>|--blocks> <DIR>

        For more information, try '--help'.
    "#]]
    .assert_eq(&desk.shows("exercise chain --xor"));
}

#[test]
fn completions_name_every_command() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = desk.run(&format!("completions {shell}")).done().stdout;
        for command in
            ["demo", "ingest", "utxo-blocks", "trace", "tags", "incidents", "exercise", "undo", "completions"]
        {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    expect![[r#"
        exit 2
        --- err
        error: invalid value 'tcsh' for '<SHELL>'
          [possible values: bash, elvish, fish, powershell, zsh]

          tip: a similar value exists: 'zsh'

        For more information, try '--help'.
    "#]]
    .assert_eq(&desk.shows("completions tcsh"));
}

/// The seeded exercise's figures do not move. How long it took is talk, and is left out.
#[test]
fn the_demo() {
    let desk = Desk::new();
    let ran = desk.run("demo").done();
    expect![[r#"
        Harbour Exchange hot wallets emptied (harbour-heist), 2024-02-17
        Forged payment file on the client money account (harbour-client-money), 2024-02-18
        Haircut: each payment carries the stolen fraction of the purse that it leaves (pro rata).

        Stolen: 5,683.11157186 BTC on bip122:3917aaab8855b78ba78968afe7892d81; the ledger as of 2024-04-29T23:16:48Z, block 2056, 22,538 transactions
        Where it is now:
          service, at custodians  2,840.97419651   50.0 %    519 places  stop-rule
          balance, still held     2,840.10434873   50.0 %  1,614 places  unspent
          mixer, in mixers             2.0264514  < 0.1 %     15 places  stop-rule
          fee, paid as fees           0.00657522  < 0.1 %                fee
          total                   5,683.11157186  100.0 %                = what was stolen, to the last unit
        Call first:
          1. meridian-exchange (service): 2,831.62048506 BTC, 49.8 %; 333 deposits at 92 addresses, the last seen 2024-04-29T21:07:12Z
               bcrt1qeeq9y5hk3p330cmh7vczk5frmvczf90tpyk026  944.50041017 BTC
               bcrt1qpxx0ghddds5jla7wskue0kpfva4cslk04y2pj6  620.12133364 BTC
               bcrt1qffshd9zencxu9yxfgg3wvzqkdspvz438eml2x8  368.02762193 BTC
               … and 89 more (--top, --json or --csv show them)
          2. harbour-exchange (service): 9.35371145 BTC, 0.2 %; 186 deposits at 116 addresses, the last seen 2024-04-29T21:50:24Z
               bcrt1qqgsad8dedxd6ecf896rfrfg20tg6xt376e44h9  2.31396374 BTC
               bcrt1qn9sclkvhjg8gz0am57v2fusf8jekyfvex8g4qs  1.65868139 BTC
               bcrt1q0q9tz83jnytf2xnzay9dy24lkt4rsz9vq6cdzv  1.19333928 BTC
               … and 113 more (--top, --json or --csv show them)
          3. fogbank (mixer): 2.0264514 BTC, < 0.1 %; 15 deposits at 1 address, the last seen 2024-03-06T05:42:43Z
               bcrt1qgs22nyl3m20n6l5dap3wv5d4pem2kchx5n7lnv  2.0264514 BTC
        Still held, largest first:
          bcrt1qlntmwt49evm6399fe3x0h4wl3f5val4d3mkl06  737.87310591 BTC  since 2024-04-14T02:49:55Z  4 hops  dfc72f2edb6f52f0fe6a4bf24ff04e7cd977331826ecc78c32a0ec2d45a854f9:1
          bcrt1qdfzyg3qhjnqu8ktk7mn05uyptntefn5zdzgkzn  224.57652096 BTC  since 2024-02-20T20:41:16Z   1 hop  da8884d3d05a2164cc7a17d4003a413c8b6ba036670a7bc1f4d30ce8295945f1:3
          bcrt1qu6zem8v68fye5zfasumgwnlq93ka6nmlmlsxgj  216.02120017 BTC  since 2024-04-22T18:46:04Z  7 hops  9466dcef80f0e9853db069456b4ed90f160f70342641e1684c66040746ad6170:0
          bcrt1qm2tufxpjtvka8dgng4dqv56lx0h8q6et6236pe   29.45331638 BTC  since 2024-04-26T06:51:50Z  6 hops  ae8a830595db62e7d7d467056d5e943c15fc5b9207e408446027882dd42c9f90:1
          bcrt1q2ekyqerqhqddpjr8hrlye6z9gnnqvuaq7jqz2v   29.24200746 BTC  since 2024-04-01T22:48:00Z  5 hops  99d30b54c74e558ffae3d88939271388944c0c3b316bc56adf33b54c95126077:0
          … and 1609 more (--top, --json or --csv show them)

        Stolen: 72,095.843859545705507732 ETHX on table:harbour-tokens; the ledger as of 2024-04-29T23:35:18Z, 7,140 transactions
        Where it is now:
          service, at custodians  18,849.819246522135771409   26.1 %  6 places  stop-rule
          balance, still held      42,073.16245175434145641   58.4 %  8 places  held
          bridge, over bridges    11,172.825011331271252789   15.5 %   1 place  stop-rule
          fee, paid as fees            0.037149937957027124  < 0.1 %            fee
          total                   72,095.843859545705507732  100.0 %            = what was stolen, to the last unit
        Call first:
          1. meridian-exchange (service): 18,849.819246522135771409 ETHX, 26.1 %; 6 deposits at 3 addresses, the last seen 2024-04-02T15:21:36Z
               0x61c1280e3368ebc5bb4ccaab6d9696ba4288ad5b  7,134.168349170140107604 ETHX
               0x93a6689ac83aefd4376bdd6d8d09038a18f2a9fc  6,568.769637252229868871 ETHX
               0xc0d345927d41c43f9e624bbfcd8ca4fddbcda23d  5,146.881260099765794934 ETHX
          2. lantern-bridge (bridge): 11,172.825011331271252789 ETHX, 15.5 %; 1 deposit at 1 address, the last seen 2024-03-09T21:07:12Z
               0x99d2682ce63556b1ff6560fda84add02f4bc76c8  11,172.825011331271252789 ETHX
        Still held, largest first:
          0xea6c50bc4240fad84cd755710598523f05f8b350                              18,567.731350714568594405 ETHX  since 2024-02-27T08:38:24Z  3 hops
          0x17791e4f7797f12ed40499854144de8dd8ec9a26                               8,906.107126785642299782 ETHX  since 2024-02-28T01:55:12Z  3 hops
          0x09fcd6be32fb51560bcf64564770735523391d8b                               4,410.995967402509367394 ETHX  since 2024-03-04T02:52:48Z  4 hops
          0x09fcd6be32fb51560bcf64564770735523391d8b  11,589,700.941963 USDX (was 4,085.529847246606829084 ETHX)  since 2024-03-19T05:45:36Z  5 hops
          0xd22eb390503bdbb3135cf587f4fe8e88b513f3a4                                3,402.59329456421455309 ETHX  since 2024-03-04T02:52:48Z  4 hops
          … and 3 more (--top, --json or --csv show them)

        Stolen: 1,444,709 EUR on bank:EXRCFRPP; the ledger as of 2024-04-29T23:02:24Z, 3,092 transactions
        Where it is now:
          service, at custodians    835,708.13   57.8 %   2 places  stop-rule
          balance, still held       593,608.93   41.1 %  10 places  held
          unknown, left the ledger   15,391.94    1.1 %    1 place  left-ledger
          total                      1,444,709  100.0 %             = what was stolen, to the last unit
        Call first:
          1. meridian-exchange (service): 516,423.99 EUR, 35.7 %; 1 deposit at 1 address, the last seen 2024-02-27T08:38:24Z
               XX93EXRC008601421705  516,423.99 EUR
          2. gilded-anchor (service): 319,284.14 EUR, 22.1 %; 1 deposit at 1 address, the last seen 2024-02-20T21:07:12Z
               XX83EXRC008609341062  319,284.14 EUR
        Still held, largest first:
          XX43EXRC008641018490  133,389.52 EUR  since 2024-02-18T00:00:00Z  0 hops
          XX53EXRC008633099133   96,407.91 EUR  since 2024-02-18T00:00:00Z  0 hops
          XX73EXRC008617260419    76,037.1 EUR  since 2024-02-18T00:00:00Z  0 hops
          XX33EXRC008648937847   64,224.16 EUR  since 2024-02-26T15:21:36Z   1 hop
          XX63EXRC008625179776   60,652.88 EUR  since 2024-02-18T00:00:00Z  0 hops
          … and 5 more (--top, --json or --csv show them)

        Held against the truth of the exercise, how much of the loot each policy puts where it is:
          policy           5,683.11157186 BTC  72,095.843859545705507732 ETHX  1,444,709.00 EUR
          haircut                      83.2 %                          92.6 %            99.2 %
          fifo                         82.7 %                          92.9 %            99.5 %
          lifo                         85.6 %                          84.9 %            99.1 %
          taint-first-out              81.4 %                          85.0 %            99.2 %
          taint-last-out               80.6 %                          96.7 %            99.1 %
          tiho                         91.4 %                          85.0 %            99.2 %
        Which unit of a mixed purse is the stolen one is a convention, so no policy is right everywhere;
        `tracehound trace --envelope` prints what holds under all of them.
    "#]].assert_eq(&ran.stdout);
    let talk: String = ran.stderr.split_inclusive('\n').filter(|line| !line.contains(" in ")).collect();
    expect![[r#"
        An exercise with seed 1: 32,770 transactions of ordinary life on 3 ledgers, and a heist.

    "#]]
    .assert_eq(&talk);
    assert!(!Path::new("book").exists() && !desk.path("book").exists(), "the demo leaves nothing behind");
}

#[test]
fn the_demo_keeps_its_files_where_asked() {
    let desk = Desk::new();
    let first = desk.run("demo --keep kept --policy fifo --seed 2").done();
    assert!(first.stdout.ends_with("\nThe exercise and its book are kept in kept.\n"), "{}", first.stdout);
    let trace = "trace kept/exercise/incident-harbour-heist.yaml kept/exercise/incident-harbour-client-money.yaml \
                 --book kept/book --policy fifo --top 5";
    let again = desk.run(trace).done();
    assert!(first.stdout.starts_with(&again.stdout), "the kept book tells the same:\n{}", again.stdout);
    expect![[r#"
        exit 2
        --- err
        error: --keep kept: the folder is not empty
    "#]]
    .assert_eq(&desk.shows("demo --keep kept"));
    expect![[r#"
        exit 2
        --- err
        error: invalid value 'honest' for '--policy <POLICY>': there is no such policy; there are poison, haircut, fifo, lifo, taint-first-out, taint-last-out, tiho

        For more information, try '--help'.
    "#]].assert_eq(&desk.shows("demo --policy honest"));
}

//! `tracehound screen`: what it says of a street small enough to check by hand, and how it ends.

mod common;

use common::node::Node;
use common::town::{Payment, block, id};
use common::{Desk, list, shown, text};
use expect_test::expect;
use serde_json::{Value, json};

const LEDGER: &str = "bip122:73637265656e00000000000000000000";

const THIEF: &str = "bcrt1q3hff4hvejtmsqm6dpatmm8jx34kdxgqju6s57d";
const PIA: &str = "bcrt1qennxxzjgjjs53xpw9q3d0dce0h2u3hmlx5ts6g";
const HOP: &str = "bcrt1qs7s2etkqp7355vtx7zmzku6js6xpvaft7p9c9v";
const WALLET: &str = "bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpr";
const SISTER: &str = "bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm";
const CLEAN: &str = "bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q";
const BAD: &str = "bcrt1q9uzafd5f6fcv47cz9p0ntazgvmmaez3d82feut";
const MARKET: &str = "bcrt1quntf85jwv3kt0puyyc39myxjvplagr3wg6w978";
const DIRTY: &str = "bcrt1q6ryjcajv2erag0t3vmhu8e7n2p63mcrrce6qtl";
const MIX: &str = "bcrt1q97g85m0rx8x8wdmv2tnshf2hvk3shcvvn7q3h8";
const NOBODY: &str = "bcrt1qvwpt8nygzsftw7lu4mksycqpcqxeuvp98atd2u";

const TAGS: &str = "\
address,label,category,abuse,source,confidence,date
bcrt1q3hff4hvejtmsqm6dpatmm8jx34kdxgqju6s57d,The Thief,,theft,https://example.org/heist,forensic,2024-01-01
bcrt1q9uzafd5f6fcv47cz9p0ntazgvmmaez3d82feut,Listed Ltd,,sanctions,https://example.org/list,authority_data,2024-01-01T03:30:00Z
bcrt1quntf85jwv3kt0puyyc39myxjvplagr3wg6w978,Night Market,exchange,,,web_crawl,
";

/// The thief's 6 go on over HOP to WALLET (2) and SISTER (4). WALLET sells 1.5 to the market. PIA's 4 are mined money; 1 of
/// them goes to BAD, who is listed, and on to DIRTY. DIRTY and SISTER spend together: one cluster.
fn chain() -> Vec<String> {
    let blocks: [&[Payment<'_>]; 6] = [
        &[],
        &[("a1", &[("ca0", 0)], &[(THIEF, "6.0"), (PIA, "4.0")])],
        &[("a2", &[("a1", 0)], &[(HOP, "6.0")])],
        &[
            ("a3", &[("a2", 0)], &[(WALLET, "2.0"), (SISTER, "4.0")]),
            ("a4", &[("a1", 1)], &[(CLEAN, "3.0"), (BAD, "1.0")]),
        ],
        &[("a5", &[("a3", 0)], &[(MARKET, "1.5"), (WALLET, "0.5")]), ("a6", &[("a4", 1)], &[(DIRTY, "1.0")])],
        &[("a7", &[("a3", 1), ("a6", 0)], &[(MIX, "4.9")])],
    ];
    let heights = (0u64..).zip(blocks);
    heights.map(|(height, payments)| block(height, "a", &parent(height), payments)).collect()
}

fn parent(height: u64) -> String {
    height.checked_sub(1).map_or_else(String::new, |parent| format!("ba{parent}"))
}

fn street() -> Desk {
    let desk = Desk::new();
    desk.write("chain.ndjson", chain().concat());
    desk.write("tags.csv", TAGS);
    desk.run(&format!("ingest utxo-blocks chain.ndjson --ledger {LEDGER}")).done();
    desk.run("tags import tags.csv").done();
    desk
}

const BANK: &str = "\
tx,time,from,to,asset,amount,ledger
open,2024-01-01T09:00:00Z,,pia,EUR,100.00,bank:TOWNXXPP
rent,2024-01-01T12:00:00Z,pia,mallory,EUR,60.00,bank:TOWNXXPP
pay,2024-01-02T04:00:00Z,mallory,mule,EUR,20.00,bank:TOWNXXPP
food,2024-01-02T05:00:00Z,mule,kiosk,EUR,15.00,bank:TOWNXXPP
book,2024-01-02T05:00:00Z,kiosk,shop,EUR,5.00,bank:TOWNXXPP
";

const BANK_TAGS: &str = "\
address,label,category,abuse,source,confidence,date
mallory,Mallory,,sanctions,https://example.org/list,authority_data,2024-01-02
0x098B716B8Aaf21512996dC57EB0615e2383E2f96,Lazarus,,sanctions,https://example.org/list,authority_data,
";

fn bank() -> Desk {
    let desk = Desk::new();
    desk.write("bank.csv", BANK);
    desk.write("tags.csv", BANK_TAGS);
    desk.run("ingest table bank.csv").done();
    desk.run("tags import tags.csv").done();
    desk
}

#[test]
fn addresses_of_a_chain() {
    let desk = street();
    let line = |name: &str, rest: &str| format!("{name}: {}\n", desk.shows(&format!("screen {name} {rest}")));
    let all = [THIEF, WALLET, SISTER, CLEAN, DIRTY, MIX, MARKET];
    expect![[r#"
        bcrt1q3hff4hvejtmsqm6dpatmm8jx34kdxgqju6s57d: exit 3
        --- out
        REVIEW  bcrt1q3hff4hvejtmsqm6dpatmm8jx34kdxgqju6s57d on bip122:73637265656e00000000000000000000
          because    tagged theft as The Thief, confidence 50 % (review, rule "accused")
          tagged     The Thief (theft), confidence 50 %
                     said by pack tags, "The Thief", theft, 2024-01-01, forensic, https://example.org/heist
          cluster    itself alone
          received   6 BTC in 1 movement
                     mined  100 %  direct 0 BTC  indirect 6 BTC
          sent       6 BTC in 1 movement
                     unknown   75 %  direct 0 BTC  indirect 4.5 BTC
                     exchange  25 %  direct 0 BTC  indirect 1.5 BTC
          seen       2024-01-01T01:00:00Z to 2024-01-01T02:00:00Z, 2 transactions
          dates      tagged The Thief on 2024-01-01: received 0 BTC before, 6 BTC from then on
          as of      block 5 0000000000000000000000000000000000000000000000000000000000000ba5, 2024-01-01T05:00:00Z, tags 23155efaf227, rules tracehound-default-1 b4070a0896bc


        bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpr: exit 4
        --- out
        HIT  bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpr on bip122:73637265656e00000000000000000000
          because    2 BTC received from stolen, 100 % of 2 BTC; more than 10 % (hit, rule "stolen money")
          because    2 BTC received from stolen, 100 % of 2 BTC; more than 1 % (review, rule "some stolen money")
          tags       none of its own
          cluster    itself alone
          received   2 BTC in 2 movements
                     theft  100 %  direct 0 BTC  indirect 2 BTC
                       nearest: bcrt1q3hff4hvejtmsqm6dpatmm8jx34kdxgqju6s57d, 2 hops
                         2024-01-01T02:00:00Z 00000000000000000000000000000000000000000000000000000000000000a2 to bcrt1qs7s2etkqp7355vtx7zmzku6js6xpvaft7p9c9v, 6 BTC
                         2024-01-01T03:00:00Z 00000000000000000000000000000000000000000000000000000000000000a3 to bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpr, 2 BTC
          sent       1.5 BTC in 1 movement
                     exchange  100 %  direct 1.5 BTC  indirect 0 BTC
                       Night Market 1.5 BTC
                       nearest: bcrt1quntf85jwv3kt0puyyc39myxjvplagr3wg6w978, 1 hop
                         2024-01-01T04:00:00Z 00000000000000000000000000000000000000000000000000000000000000a5 to bcrt1quntf85jwv3kt0puyyc39myxjvplagr3wg6w978, 1.5 BTC
          touched by theft (poison: any amount, ever)
          first out  0.5 BTC theft where taint leaves first
          seen       2024-01-01T03:00:00Z to 2024-01-01T04:00:00Z, 2 transactions
          as of      block 5 0000000000000000000000000000000000000000000000000000000000000ba5, 2024-01-01T05:00:00Z, tags 23155efaf227, rules tracehound-default-1 b4070a0896bc


        bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm: exit 4
        --- out
        HIT  bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm on bip122:73637265656e00000000000000000000
          because    4 BTC received from stolen, 100 % of 4 BTC; more than 10 % (hit, rule "stolen money")
          because    4 BTC received from stolen, 100 % of 4 BTC; more than 1 % (review, rule "some stolen money")
          tags       none of its own
          cluster    2 members of bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm by co-spend
          received   4 BTC in 1 movement
                     theft  100 %  direct 0 BTC  indirect 4 BTC
                       nearest: bcrt1q3hff4hvejtmsqm6dpatmm8jx34kdxgqju6s57d, 2 hops
                         2024-01-01T02:00:00Z 00000000000000000000000000000000000000000000000000000000000000a2 to bcrt1qs7s2etkqp7355vtx7zmzku6js6xpvaft7p9c9v, 6 BTC
                         2024-01-01T03:00:00Z 00000000000000000000000000000000000000000000000000000000000000a3 to bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm, 4 BTC
          sent       4 BTC in 1 movement
                     unknown  100 %  direct 0 BTC  indirect 4 BTC
          touched by theft (poison: any amount, ever)
          seen       2024-01-01T03:00:00Z to 2024-01-01T05:00:00Z, 2 transactions
          as of      block 5 0000000000000000000000000000000000000000000000000000000000000ba5, 2024-01-01T05:00:00Z, tags 23155efaf227, rules tracehound-default-1 b4070a0896bc


        bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q: exit 0
        --- out
        CLEAR  bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q on bip122:73637265656e00000000000000000000
          tags       none of its own
          cluster    itself alone
          received   3 BTC in 1 movement
                     mined  100 %  direct 0 BTC  indirect 3 BTC
          sent       no BTC
          seen       2024-01-01T03:00:00Z to 2024-01-01T03:00:00Z, 1 transaction
          as of      block 5 0000000000000000000000000000000000000000000000000000000000000ba5, 2024-01-01T05:00:00Z, tags 23155efaf227, rules tracehound-default-1 b4070a0896bc


        bcrt1q6ryjcajv2erag0t3vmhu8e7n2p63mcrrce6qtl: exit 4
        --- out
        HIT  bcrt1q6ryjcajv2erag0t3vmhu8e7n2p63mcrrce6qtl on bip122:73637265656e00000000000000000000
          because    1 BTC received directly from forbidden, 100 % of 1 BTC; more than nothing (hit, rule "listed counterparty")
          tags       none of its own
          cluster    2 members of bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm by co-spend
          received   1 BTC in 1 movement
                     sanctioned  100 %  direct 1 BTC  indirect 0 BTC
                       Listed Ltd 1 BTC
                       nearest: bcrt1q9uzafd5f6fcv47cz9p0ntazgvmmaez3d82feut, 1 hop
                         2024-01-01T04:00:00Z 00000000000000000000000000000000000000000000000000000000000000a6 to bcrt1q6ryjcajv2erag0t3vmhu8e7n2p63mcrrce6qtl, 1 BTC
          sent       1 BTC in 1 movement
                     unknown  100 %  direct 0 BTC  indirect 1 BTC
          touched by sanctioned (poison: any amount, ever)
          seen       2024-01-01T04:00:00Z to 2024-01-01T05:00:00Z, 2 transactions
          as of      block 5 0000000000000000000000000000000000000000000000000000000000000ba5, 2024-01-01T05:00:00Z, tags 23155efaf227, rules tracehound-default-1 b4070a0896bc


        bcrt1q97g85m0rx8x8wdmv2tnshf2hvk3shcvvn7q3h8: exit 4
        --- out
        HIT  bcrt1q97g85m0rx8x8wdmv2tnshf2hvk3shcvvn7q3h8 on bip122:73637265656e00000000000000000000
          because    0.98 BTC received indirectly from forbidden, 20 % of 4.9 BTC; more than 10 % (hit, rule "listed origin")
          because    3.92 BTC received from stolen, 80 % of 4.9 BTC; more than 10 % (hit, rule "stolen money")
          because    0.98 BTC received indirectly from forbidden, 20 % of 4.9 BTC; more than 1 % (review, rule "some listed origin")
          because    3.92 BTC received from stolen, 80 % of 4.9 BTC; more than 1 % (review, rule "some stolen money")
          tags       none of its own
          cluster    itself alone
          received   4.9 BTC in 1 movement
                     theft       80 %  direct 0 BTC  indirect 3.92 BTC
                       nearest: bcrt1q3hff4hvejtmsqm6dpatmm8jx34kdxgqju6s57d, 3 hops
                         2024-01-01T02:00:00Z 00000000000000000000000000000000000000000000000000000000000000a2 to bcrt1qs7s2etkqp7355vtx7zmzku6js6xpvaft7p9c9v, 6 BTC
                         2024-01-01T03:00:00Z 00000000000000000000000000000000000000000000000000000000000000a3 to bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm, 4 BTC
                         2024-01-01T05:00:00Z 00000000000000000000000000000000000000000000000000000000000000a7 to bcrt1q97g85m0rx8x8wdmv2tnshf2hvk3shcvvn7q3h8, 4.9 BTC
                     sanctioned  20 %  direct 0 BTC  indirect 0.98 BTC
                       nearest: bcrt1q9uzafd5f6fcv47cz9p0ntazgvmmaez3d82feut, 2 hops
                         2024-01-01T04:00:00Z 00000000000000000000000000000000000000000000000000000000000000a6 to bcrt1q6ryjcajv2erag0t3vmhu8e7n2p63mcrrce6qtl, 1 BTC
                         2024-01-01T05:00:00Z 00000000000000000000000000000000000000000000000000000000000000a7 to bcrt1q97g85m0rx8x8wdmv2tnshf2hvk3shcvvn7q3h8, 4.9 BTC
          sent       no BTC
          touched by theft, sanctioned (poison: any amount, ever)
          first out  4 BTC theft where taint leaves first
          first out  1 BTC sanctioned where taint leaves first
          seen       2024-01-01T05:00:00Z to 2024-01-01T05:00:00Z, 1 transaction
          as of      block 5 0000000000000000000000000000000000000000000000000000000000000ba5, 2024-01-01T05:00:00Z, tags 23155efaf227, rules tracehound-default-1 b4070a0896bc


        bcrt1quntf85jwv3kt0puyyc39myxjvplagr3wg6w978: exit 4
        --- out
        HIT  bcrt1quntf85jwv3kt0puyyc39myxjvplagr3wg6w978 on bip122:73637265656e00000000000000000000
          because    1.5 BTC received from stolen, 100 % of 1.5 BTC; more than 10 % (hit, rule "stolen money")
          because    1.5 BTC received from stolen, 100 % of 1.5 BTC; more than 1 % (review, rule "some stolen money")
          tagged     Night Market (exchange), confidence 20 %
                     said by pack tags, "Night Market", exchange, web_crawl, no source given
          cluster    itself alone
          received   1.5 BTC in 1 movement
                     theft  100 %  direct 0 BTC  indirect 1.5 BTC
                       nearest: bcrt1q3hff4hvejtmsqm6dpatmm8jx34kdxgqju6s57d, 3 hops
                         2024-01-01T02:00:00Z 00000000000000000000000000000000000000000000000000000000000000a2 to bcrt1qs7s2etkqp7355vtx7zmzku6js6xpvaft7p9c9v, 6 BTC
                         2024-01-01T03:00:00Z 00000000000000000000000000000000000000000000000000000000000000a3 to bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpr, 2 BTC
                         2024-01-01T04:00:00Z 00000000000000000000000000000000000000000000000000000000000000a5 to bcrt1quntf85jwv3kt0puyyc39myxjvplagr3wg6w978, 1.5 BTC
          sent       no BTC
          touched by theft (poison: any amount, ever)
          first out  1.5 BTC theft where taint leaves first
          seen       2024-01-01T04:00:00Z to 2024-01-01T04:00:00Z, 1 transaction
          as of      block 5 0000000000000000000000000000000000000000000000000000000000000ba5, 2024-01-01T05:00:00Z, tags 23155efaf227, rules tracehound-default-1 b4070a0896bc


    "#]].assert_eq(&all.map(|address| line(address, "")).concat());
}

#[test]
fn transactions_of_a_chain() {
    let desk = street();
    let all = ["a5", "a6", "a7", "ca0"].map(id);
    expect![[r#"
        exit 4
        --- out
        HIT  00000000000000000000000000000000000000000000000000000000000000a5 on bip122:73637265656e00000000000000000000
          because    2 BTC received from stolen, 100 % of 2 BTC; more than 10 % (hit, rule "stolen money")
          because    2 BTC received from stolen, 100 % of 2 BTC; more than 1 % (review, rule "some stolen money")
          output     bcrt1quntf85jwv3kt0puyyc39myxjvplagr3wg6w978: Night Market (exchange), confidence 20 %
                     said by pack tags, "Night Market", exchange, web_crawl, no source given
          received   2 BTC in 1 movement
                     theft  100 %  direct 0 BTC  indirect 2 BTC
                       nearest: bcrt1q3hff4hvejtmsqm6dpatmm8jx34kdxgqju6s57d, 3 hops
                         2024-01-01T02:00:00Z 00000000000000000000000000000000000000000000000000000000000000a2 to bcrt1qs7s2etkqp7355vtx7zmzku6js6xpvaft7p9c9v, 6 BTC
                         2024-01-01T03:00:00Z 00000000000000000000000000000000000000000000000000000000000000a3 to bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpr, 2 BTC
                         2024-01-01T04:00:00Z 00000000000000000000000000000000000000000000000000000000000000a5
          sent       2 BTC in 2 movements
                     unknown   25 %  direct 0.5 BTC  indirect 0 BTC
                     exchange  75 %  direct 1.5 BTC  indirect 0 BTC
                       Night Market 1.5 BTC
          touched by theft (poison: any amount, ever)
          seen       2024-01-01T04:00:00Z to 2024-01-01T04:00:00Z, 1 transaction
          as of      block 5 0000000000000000000000000000000000000000000000000000000000000ba5, 2024-01-01T05:00:00Z, tags 23155efaf227, rules tracehound-default-1 b4070a0896bc

        exit 4
        --- out
        HIT  00000000000000000000000000000000000000000000000000000000000000a6 on bip122:73637265656e00000000000000000000
          because    1 BTC received directly from forbidden, 100 % of 1 BTC; more than nothing (hit, rule "listed counterparty")
          input      bcrt1q9uzafd5f6fcv47cz9p0ntazgvmmaez3d82feut: Listed Ltd (sanctioned), confidence 60 %
                     said by pack tags, "Listed Ltd", sanctions, 2024-01-01, authority_data, https://example.org/list
          received   1 BTC in 1 movement
                     sanctioned  100 %  direct 1 BTC  indirect 0 BTC
                       Listed Ltd 1 BTC
                       nearest: bcrt1q9uzafd5f6fcv47cz9p0ntazgvmmaez3d82feut, 1 hop
                         2024-01-01T04:00:00Z 00000000000000000000000000000000000000000000000000000000000000a6
          sent       1 BTC in 1 movement
                     unknown  100 %  direct 1 BTC  indirect 0 BTC
          touched by sanctioned (poison: any amount, ever)
          seen       2024-01-01T04:00:00Z to 2024-01-01T04:00:00Z, 1 transaction
          as of      block 5 0000000000000000000000000000000000000000000000000000000000000ba5, 2024-01-01T05:00:00Z, tags 23155efaf227, rules tracehound-default-1 b4070a0896bc

        exit 4
        --- out
        HIT  00000000000000000000000000000000000000000000000000000000000000a7 on bip122:73637265656e00000000000000000000
          because    0.98 BTC received indirectly from forbidden, 20 % of 4.9 BTC; more than 10 % (hit, rule "listed origin")
          because    3.92 BTC received from stolen, 80 % of 4.9 BTC; more than 10 % (hit, rule "stolen money")
          because    0.98 BTC received indirectly from forbidden, 20 % of 4.9 BTC; more than 1 % (review, rule "some listed origin")
          because    3.92 BTC received from stolen, 80 % of 4.9 BTC; more than 1 % (review, rule "some stolen money")
          received   4.9 BTC in 2 movements
                     theft       80 %  direct 0 BTC  indirect 3.92 BTC
                       nearest: bcrt1q3hff4hvejtmsqm6dpatmm8jx34kdxgqju6s57d, 3 hops
                         2024-01-01T02:00:00Z 00000000000000000000000000000000000000000000000000000000000000a2 to bcrt1qs7s2etkqp7355vtx7zmzku6js6xpvaft7p9c9v, 6 BTC
                         2024-01-01T03:00:00Z 00000000000000000000000000000000000000000000000000000000000000a3 to bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm, 4 BTC
                         2024-01-01T05:00:00Z 00000000000000000000000000000000000000000000000000000000000000a7
                     sanctioned  20 %  direct 0 BTC  indirect 0.98 BTC
                       nearest: bcrt1q9uzafd5f6fcv47cz9p0ntazgvmmaez3d82feut, 2 hops
                         2024-01-01T04:00:00Z 00000000000000000000000000000000000000000000000000000000000000a6 to bcrt1q6ryjcajv2erag0t3vmhu8e7n2p63mcrrce6qtl, 1 BTC
                         2024-01-01T05:00:00Z 00000000000000000000000000000000000000000000000000000000000000a7
          sent       4.9 BTC in 1 movement
                     unknown  100 %  direct 4.9 BTC  indirect 0 BTC
          touched by theft, sanctioned (poison: any amount, ever)
          seen       2024-01-01T05:00:00Z to 2024-01-01T05:00:00Z, 1 transaction
          as of      block 5 0000000000000000000000000000000000000000000000000000000000000ba5, 2024-01-01T05:00:00Z, tags 23155efaf227, rules tracehound-default-1 b4070a0896bc

        exit 0
        --- out
        CLEAR  0000000000000000000000000000000000000000000000000000000000000ca0 on bip122:73637265656e00000000000000000000
          received   no BTC
          sent       10 BTC in 1 movement
                     unknown  100 %  direct 10 BTC  indirect 0 BTC
          seen       2024-01-01T00:00:00Z to 2024-01-01T00:00:00Z, 1 transaction
          as of      block 5 0000000000000000000000000000000000000000000000000000000000000ba5, 2024-01-01T05:00:00Z, tags 23155efaf227, rules tracehound-default-1 b4070a0896bc

    "#]].assert_eq(&all.map(|tx| desk.shows(&format!("screen {tx}"))).concat());
}

#[test]
fn how_it_ends() {
    let desk = street();
    let rules = "policy: mine\nrules:\n  - {category: theft, share: 50%, action: review}\n";
    desk.write("rules.yaml", rules);
    let ends = |line: &str| {
        let ran = desk.run(&format!("screen --brief {line}"));
        format!("{line}\n{}\n", shown(&ran))
    };
    let [mistyped, other] = [WALLET.replace("dugpr", "dugpq"), "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa".to_owned()];
    let lines = [
        CLEAN.to_owned(),
        format!("{CLEAN} --rules rules.yaml"),
        format!("{WALLET} --rules rules.yaml"),
        BAD.to_owned(),
        NOBODY.to_owned(),
        format!("{CLEAN} {NOBODY}"),
        mistyped.clone(),
        format!("{mistyped} {NOBODY} {CLEAN}"),
        format!("{mistyped} {WALLET} --rules rules.yaml"),
        other,
        id("ffff"),
        "alice".to_owned(),
    ];
    expect![[r#"
        bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q
        exit 0
        --- out
        clear     bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q on bip122:73637265656e00000000000000000000

        bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q --rules rules.yaml
        exit 0
        --- out
        clear     bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q on bip122:73637265656e00000000000000000000

        bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpr --rules rules.yaml
        exit 3
        --- out
        review    bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpr on bip122:73637265656e00000000000000000000  2 BTC received from theft, 100 % of 2 BTC; more than 50 %

        bcrt1q9uzafd5f6fcv47cz9p0ntazgvmmaez3d82feut
        exit 4
        --- out
        hit       bcrt1q9uzafd5f6fcv47cz9p0ntazgvmmaez3d82feut on bip122:73637265656e00000000000000000000  tagged sanctioned as Listed Ltd, confidence 60 %

        bcrt1qvwpt8nygzsftw7lu4mksycqpcqxeuvp98atd2u
        exit 5
        --- out
        unknown   bcrt1qvwpt8nygzsftw7lu4mksycqpcqxeuvp98atd2u  unknown address: not in any ledger of this book

        bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q bcrt1qvwpt8nygzsftw7lu4mksycqpcqxeuvp98atd2u
        exit 5
        --- out
        clear     bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q on bip122:73637265656e00000000000000000000
        unknown   bcrt1qvwpt8nygzsftw7lu4mksycqpcqxeuvp98atd2u  unknown address: not in any ledger of this book

        bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpq
        exit 2
        --- out
        bad-input bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpq  "bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpq": the Bech32 checksum is wrong: a character was mistyped or lost

        bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpq bcrt1qvwpt8nygzsftw7lu4mksycqpcqxeuvp98atd2u bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q
        exit 2
        --- out
        bad-input bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpq  "bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpq": the Bech32 checksum is wrong: a character was mistyped or lost
        unknown   bcrt1qvwpt8nygzsftw7lu4mksycqpcqxeuvp98atd2u  unknown address: not in any ledger of this book
        clear     bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q on bip122:73637265656e00000000000000000000

        bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpq bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpr --rules rules.yaml
        exit 3
        --- out
        bad-input bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpq  "bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpq": the Bech32 checksum is wrong: a character was mistyped or lost
        review    bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpr on bip122:73637265656e00000000000000000000  2 BTC received from theft, 100 % of 2 BTC; more than 50 %

        1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa
        exit 5
        --- out
        unknown   1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa  unknown address: not in any ledger of this book

        000000000000000000000000000000000000000000000000000000000000ffff
        exit 5
        --- out
        unknown   000000000000000000000000000000000000000000000000000000000000ffff  unknown transaction: not in any ledger of this book

        alice
        exit 2
        --- out
        bad-input alice  "alice" is neither an address nor a transaction id

    "#]].assert_eq(&lines.map(|line| ends(&line)).concat());
}

#[test]
fn a_batch_loses_nothing() {
    let desk = street();
    let long = "x".repeat(600);
    let file = format!("# monday\n{CLEAN}\n\n{long}\n  {NOBODY}  \nb\tb\n{BAD}\n");
    desk.write("wallets.txt", &file);
    let brief = desk.shows("screen --brief --file wallets.txt");
    expect![[r#"
        exit 4
        --- out
        2: clear     bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q on bip122:73637265656e00000000000000000000
        4: bad-input xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx  the query is longer than 512 bytes
        5: unknown   bcrt1qvwpt8nygzsftw7lu4mksycqpcqxeuvp98atd2u  unknown address: not in any ledger of this book
        6: bad-input b�b  "b\tb" holds a control character
        7: hit       bcrt1q9uzafd5f6fcv47cz9p0ntazgvmmaez3d82feut on bip122:73637265656e00000000000000000000  tagged sanctioned as Listed Ltd, confidence 60 %
    "#]].assert_eq(&brief);
    assert_eq!(shown(&desk.run_with("screen --brief --file -", file.as_bytes())), brief);
    let lines = desk.run("screen --json --file wallets.txt").json_lines();
    let said: Vec<(u64, &str)> =
        lines.iter().map(|line| (line["line"].as_u64().unwrap(), text(&line["status"]))).collect();
    assert_eq!(said, [(2, "clear"), (4, "bad-input"), (5, "unknown"), (6, "bad-input"), (7, "hit")]);
    assert_eq!(desk.run_with("screen --file -", b"# nothing\n").done().stdout, "");
}

#[test]
fn json_says_what_the_page_says() {
    let desk = street();
    let ran = desk.run(&format!("screen {MIX} --json"));
    assert_eq!(ran.code, Some(4));
    let [answer] = &ran.json_lines()[..] else { panic!("{ran:?}") };
    assert_eq!(answer["schema"], "tracehound/screen/1");
    assert_eq!(answer["ledger"], LEDGER);
    let received = &answer["exposure"][0]["received"];
    assert_eq!(text(&received["total"]), "4.9");
    let shares: Vec<(&str, &str)> = list(&received["categories"])
        .iter()
        .map(|slice| (text(&slice["category"]), text(&slice["share_low"])))
        .collect();
    assert_eq!(shares, [("theft", "0.8"), ("sanctioned", "0.2")]);
    let nearest = &list(&received["categories"])[0]["nearest"];
    let hops: Vec<String> =
        list(&nearest["hops"]).iter().map(|hop| text(&hop["tx"]).trim_start_matches('0').to_owned()).collect();
    assert_eq!((text(&nearest["holder"]), hops.join(" ").as_str()), (THIEF, "a2 a3 a7"));
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    expect![[r#"
        ["address", "as_of", "cluster", "conflicts", "exposure", "fired", "inherited", "inherited_more", "lead", "ledger", "line", "listings", "notes", "query", "rules", "schema", "seen", "status", "tags", "text"]
    "#]].assert_eq(&format!("{keys:?}\n"));
}

#[test]
fn accounts_have_tags_and_direct_counterparties() {
    let desk = bank();
    expect![[r#"
        exit 4
        --- out
        HIT  mule on bank:TOWNXXPP
          because    20 EUR received directly from forbidden, 100 % of 20 EUR; more than nothing (hit, rule "listed counterparty")
          tags       none of its own
          payer      mallory: Mallory (sanctioned), confidence 60 %
                     said by pack tags, "Mallory", sanctions, 2024-01-02, authority_data, https://example.org/list
          received   20 EUR in 1 movement
                     sanctioned  100 %  direct 20 EUR
                       Mallory 20 EUR
                       nearest: mallory, 1 hop
                         2024-01-02T04:00:00Z pay to mule, 20 EUR
          sent       15 EUR in 1 movement
                     unknown  100 %  direct 15 EUR
          seen       2024-01-02T04:00:00Z to 2024-01-02T05:00:00Z, 2 transactions
          note       on a ledger of accounts only direct counterparties are counted: indirect exposure and clusters are not kept
          as of      5 transactions, 2024-01-02T05:00:00Z, tags 1826658644dc, rules tracehound-default-1 b4070a0896bc

        exit 0
        --- out
        CLEAR  kiosk on bank:TOWNXXPP
          tags       none of its own
          received   15 EUR in 1 movement
                     unknown  100 %  direct 15 EUR
          sent       5 EUR in 1 movement
                     unknown  100 %  direct 5 EUR
          seen       2024-01-02T05:00:00Z to 2024-01-02T05:00:00Z, 2 transactions
          note       on a ledger of accounts only direct counterparties are counted: indirect exposure and clusters are not kept
          as of      5 transactions, 2024-01-02T05:00:00Z, tags 1826658644dc, rules tracehound-default-1 b4070a0896bc

        exit 4
        --- out
        HIT  pay on bank:TOWNXXPP
          because    20 EUR received directly from forbidden, 100 % of 20 EUR; more than nothing (hit, rule "listed counterparty")
          input      mallory: Mallory (sanctioned), confidence 60 %
                     said by pack tags, "Mallory", sanctions, 2024-01-02, authority_data, https://example.org/list
          received   20 EUR in 1 movement
                     sanctioned  100 %  direct 20 EUR
                       Mallory 20 EUR
                       nearest: mallory, 1 hop
                         2024-01-02T04:00:00Z pay
          sent       20 EUR in 1 movement
                     unknown  100 %  direct 20 EUR
          seen       2024-01-02T04:00:00Z to 2024-01-02T04:00:00Z, 1 transaction
          note       on a ledger of accounts only direct counterparties are counted: indirect exposure and clusters are not kept
          as of      5 transactions, 2024-01-02T05:00:00Z, tags 1826658644dc, rules tracehound-default-1 b4070a0896bc

        exit 5
        --- out
        UNKNOWN  nobody
          because    unknown address: not in any ledger of this book

    "#]]
        .assert_eq(&["mule", "kiosk", "pay", "nobody"].map(|name| desk.shows(&format!("screen {name}"))).concat());
    // Nobody has it here, but it is listed.
    expect![[r#"
        exit 4
        --- out
        HIT  0x098b716b8aaf21512996dc57eb0615e2383e2f96
          because    tagged sanctioned as Lazarus, confidence 60 % (hit, rule "listed")
          because    unknown address: not in any ledger of this book
          tagged     Lazarus (sanctioned), confidence 60 %
                     said by pack tags, "Lazarus", sanctions, authority_data, https://example.org/list
          as of      tags 1826658644dc, rules tracehound-default-1 b4070a0896bc

    "#]]
    .assert_eq(&desk.shows("screen 0x098b716b8aaf21512996dc57eb0615e2383e2f96"));
}

#[test]
fn what_changed_and_why() {
    let desk = street();
    let quiet = |text: String| {
        let lines = text.lines().map(|line| if line.starts_with("  since ") { "  since      [WHEN]" } else { line });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    expect![[r#"
        exit 0
        --- err
        0 screenings looked at again, 0 changed
    "#]]
    .assert_eq(&desk.shows("screen --since all"));
    desk.run(&format!("screen --remember {WALLET} {SISTER} {CLEAN} {DIRTY} {NOBODY}"));
    let same = desk.shows("screen --since all");
    expect![[r#"
        exit 0
        --- err
        5 screenings looked at again, 0 changed
    "#]]
    .assert_eq(&same);
    // A tag: of SISTER, whom DIRTY is of one cluster with.
    desk.write("more.csv", format!("address,label,category,abuse\n{SISTER},Pump and Dump,,scam\n"));
    desk.run("tags import more.csv").done();
    expect![[r#"
        exit 3
        --- out
        HIT  bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm
          since      [WHEN]
          rule-fires accused (review): tagged scam as Pump and Dump, confidence 5 %
          tag-added  Pump and Dump on bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm (scam), pack more
          because    tags: version d767213ee45b, was 23155efaf227

        HIT  bcrt1q6ryjcajv2erag0t3vmhu8e7n2p63mcrrce6qtl
          since      [WHEN]
          rule-fires accused (review): its cluster's bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm is tagged scam as Pump and Dump, confidence 5 %
          tag-added  Pump and Dump on bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm (scam), pack more
          because    tags: version d767213ee45b, was 23155efaf227

        --- err
        5 screenings looked at again, 2 changed
    "#]].assert_eq(&quiet(desk.shows("screen --since all --remember")));
    let page = desk.run(&format!("screen {DIRTY}")).stdout;
    let lines = page.lines().map(str::trim);
    let about: Vec<&str> = lines.filter(|line| line.contains("inherited") || line.contains("joined")).collect();
    expect![[r#"
        inherited  bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm: Pump and Dump (scam), confidence 5 %
        joined by co-spend:00000000000000000000000000000000000000000000000000000000000000a7
    "#]]
    .assert_eq(&(about.join("\n") + "\n"));
    // A block: BAD's friend pays WALLET, and NOBODY is somebody.
    let more = block(6, "a", "ba5", &[("a8", &[("ca1", 0)], &[(WALLET, "1.0"), (NOBODY, "9.0")])]);
    desk.write("chain.ndjson", chain().concat() + &more);
    desk.run(&format!("ingest utxo-blocks chain.ndjson --ledger {LEDGER}")).done();
    expect![[r#"
        exit 3
        --- out
        HIT  bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpr
          since      [WHEN]
          exposure   received BTC mined: 1, 33.3333 %, was nothing
          exposure   received BTC theft: 2, 66.6666 %, was 2, 100 %
          because    ledger: as of block 6, was as of block 5
          because    tags: version d767213ee45b, was 23155efaf227
          because    transaction: 00000000000000000000000000000000000000000000000000000000000000a8

        CLEAR  bcrt1qvwpt8nygzsftw7lu4mksycqpcqxeuvp98atd2u
          since      [WHEN]
          status     clear was unknown
          exposure   received BTC mined: 9, 100 %, was nothing
          because    ledger: as of block 6, was as of nothing
          because    tags: version d767213ee45b, was none

        --- err
        5 screenings looked at again, 2 changed
    "#]]
    .assert_eq(&quiet(desk.shows("screen --since 5 --remember")));
    // Other rules.
    desk.write("rules.yaml", "policy: mine\nrules:\n  - {category: mined, action: hit}\n");
    let ran = desk.run("screen --since 2024-01-01 --rules rules.yaml --json");
    assert_eq!(ran.code, Some(4));
    let kinds = |change: &Value, key: &str| -> String {
        list(&change[key]).iter().map(|row| text(&row["kind"]).to_owned()).collect::<Vec<_>>().join(" ")
    };
    let line = |change: &Value| {
        let [query, status] = ["query", "status"].map(|key| text(&change[key]));
        format!("{query} {status}: {} | {}", kinds(change, "changed"), kinds(change, "because"))
    };
    let said = ran.json_lines().iter().map(line).collect::<Vec<_>>().join("\n") + "\n";
    expect![[r#"
        bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q hit: status rule-fires | ledger tags rules
        bcrt1q4sh45q2hdx9d72f0qhfhcscfng8jw5mfeswsvm clear: status rule-fires-no-more rule-fires-no-more rule-fires-no-more | ledger rules
        bcrt1q6ryjcajv2erag0t3vmhu8e7n2p63mcrrce6qtl clear: status rule-fires-no-more rule-fires-no-more | ledger rules
        bcrt1qar2yq5y88kagvk48c9c2knxwvnvsswdr0dugpr hit: rule-fires rule-fires-no-more rule-fires-no-more | rules
        bcrt1qvwpt8nygzsftw7lu4mksycqpcqxeuvp98atd2u hit: status rule-fires | rules
    "#]].assert_eq(&said);
    assert_eq!(desk.run("screen --since 2999-01-01").code, Some(0));
}

#[test]
fn a_remembered_line_that_was_cut_off_is_left_out() {
    let desk = street();
    desk.run(&format!("screen --remember {CLEAN}")).done();
    let whole = desk.read("book/screenings.ndjson");
    desk.write("book/screenings.ndjson", format!("{whole}{}", &whole[..whole.len() / 2]));
    assert_eq!(desk.run("screen --since all").code, Some(0));
    desk.run(&format!("screen --remember {CLEAN}")).done();
    let lines: Vec<String> = desk.read("book/screenings.ndjson").lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    desk.write("book/screenings.ndjson", "{\"schema\":\"x\"}\n");
    expect![[r#"
        exit 1
        --- err
        error: book/screenings.ndjson:1:14: not a screening; the file is damaged or from a later version; move it away to begin a new one
    "#]].assert_eq(&desk.shows("screen --since all"));
}

#[test]
fn what_is_kept_may_lag() {
    let desk = street();
    expect![[r#"
        exit 4
        --- out
        stale     bcrt1q8vrxsp8k68g8w9eulexsvqpwdfs7dusuft323q on bip122:73637265656e00000000000000000000
        hit       bcrt1q9uzafd5f6fcv47cz9p0ntazgvmmaez3d82feut on bip122:73637265656e00000000000000000000  tagged sanctioned as Listed Ltd, confidence 60 %
    "#]].assert_eq(&desk.shows(&format!("screen --as-kept --brief {CLEAN} {BAD}")));
    desk.run(&format!("screen {CLEAN}")).done();
    desk.run(&format!("screen --as-kept {CLEAN}")).done();
    let more = block(6, "a", "ba5", &[]);
    desk.write("chain.ndjson", chain().concat() + &more);
    desk.run(&format!("ingest utxo-blocks chain.ndjson --ledger {LEDGER}")).done();
    let ran = desk.run(&format!("screen --as-kept {CLEAN}"));
    assert_eq!(ran.code, Some(5));
    assert!(ran.stdout.contains("behind the ledger"), "{}", ran.stdout);
    desk.run(&format!("screen {CLEAN}")).done();
}

/// A transaction that no block has is judged by what it spends, and nothing of it is kept.
#[test]
fn what_is_unconfirmed_is_judged_by_its_inputs() {
    let mut node = Node::start();
    node.mine(101);
    node.wallet();
    let desk = Desk::new();
    let reach = format!("--rpc {} --rpc-cookie '{}'", node.rpc_url(), node.cookie_path().display());
    desk.run(&format!("ingest bitcoin {reach} --once")).done();
    let address = node.rpc("getnewaddress", &json!([])).as_str().expect("an address").to_owned();
    let first = node.send(&address, "1.5");
    assert_eq!(desk.run(&format!("screen {first}")).code, Some(5), "the book does not have it");
    let ran = desk.run(&format!("screen {first} {reach}"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains(", unconfirmed") && ran.stdout.contains("mined  100 %"), "{}", ran.stdout);
    desk.write(
        "tags.csv",
        "address,label,category,abuse\nbcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080,Gang,,ransomware\n",
    );
    desk.run("tags import tags.csv").done();
    let ran = desk.run(&format!("screen --brief {first} {reach}"));
    assert_eq!(ran.code, Some(4), "{}", ran.stdout);
    // What spends it in turn spends what no book can have.
    let hungry = node.rpc("getnewaddress", &json!([])).as_str().expect("an address").to_owned();
    let second = node.send(&hungry, "45");
    let answer = desk.run(&format!("screen --json {second} {reach}")).json_lines().remove(0);
    assert_eq!(answer["confirmed"], false);
    assert!(text(&list(&answer["notes"])[0]).contains("spend what the book does not have"), "{answer}");
    assert_eq!(desk.run(&format!("screen {} {reach}", id("ffff"))).code, Some(5));
}

#[test]
fn bad_rules_are_one_line_and_nothing_is_screened() {
    let desk = street();
    let refused = |rules: &str| {
        desk.write("r.yaml", rules);
        desk.refused(&format!("screen {BAD} --remember --rules r.yaml"), 2)
    };
    let files = [
        "policy: p\nrules:\n  - {category: thft, action: hit}\n",
        "policy: p\nrules:\n  - {category: theft, share: 101%, action: hit}\n",
        "policy: p\ngroups: {a: [b], b: [a]}\nrules:\n  - {category: a, action: hit}\n",
        "policy: p\nrules:\n  - {category: theft, treshold: 1%, action: hit}\n",
        "",
    ];
    expect![[r#"
        r.yaml:3:16: unknown category "thft"; did you mean theft? categories are unknown, mined, coinjoin, service, exchange, gambling, bridge, mixer, illicit, scam, darknet, ransomware, theft, csam, terrorism, sanctioned
        r.yaml:3:30: share: "101%" is over 100 %; write a percentage from 0% to 100%, such as 2.5%
        r.yaml:2:22: the groups hold themselves: a > b > a; take one of them out of the other
        r.yaml:3:23: unknown key "treshold"; known here: name, category, direction, exposure, share, amount, action
        r.yaml: the file is empty; give a YAML file with content
    "#]].assert_eq(&files.map(refused).concat());
    let lines = [
        "screen",
        "screen --rules missing.yaml x",
        "screen --file missing.txt",
        "screen --since yesterday",
        "screen --ledger nonsense x",
    ];
    expect![[r#"
        nothing to screen; give an address, a transaction id, or --file
        missing.yaml: No such file or directory (os error 2)
        missing.txt: No such file or directory (os error 2)
        --since: "yesterday" is no date; write all, a date such as 2026-11-20, or how many of the last
        --ledger: "nonsense" is not a ledger id; write bitcoin, ethereum, a CAIP-2 id such as eip155:1, bank:BIC or table:NAME
    "#]].assert_eq(&lines.map(|line| desk.refused(line, 2)).concat());
    desk.refused(&format!("screen --ledger bitcoin {BAD}"), 5);
}

#[test]
fn the_rules_that_are_printed_are_those_that_hold() {
    let desk = street();
    let printed = desk.run("screen --print-rules").done().stdout;
    desk.write("rules.yaml", &printed);
    let by = |rules: &str| desk.run(&format!("screen {MIX} --json {rules}")).stdout;
    assert_eq!(by(""), by("--rules rules.yaml"));
}

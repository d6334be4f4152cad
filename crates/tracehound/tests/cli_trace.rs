//! `tracehound trace`, in each of its forms, on a town that one can check by hand (`common/town.rs`).

mod common;

use common::{Desk, shown, town};
use expect_test::expect;

#[test]
fn the_account_of_the_loot() {
    let desk = town::ingested();
    expect![[r#"
        exit 0
        --- out
        The vault of Town Bank (vault), 2024-01-02
        Haircut: each payment carries the stolen fraction of the purse that it leaves (pro rata).

        Stolen: 300 EUR on bank:TOWNXXPP; the ledger as of 2024-01-09T06:00:00Z, 7 transactions
        Where it is now:
          service, at custodians     112.5   37.5 %   1 place  stop-rule
          balance, still held       141.75   47.2 %  3 places  held
          unknown, left the ledger      45   15.0 %   1 place  left-ledger
          fee, paid as fees           0.75    0.2 %            fee
          total                        300  100.0 %            = what was stolen, to the last unit
        Call first:
          1. Corner Kiosk (service): 112.5 EUR, 37.5 %; 1 deposit at 1 address, the last seen 2024-01-02T05:00:00Z
               kiosk  112.5 EUR
        Still held, largest first:
          mallory  103.87 EUR  since 2024-01-02T03:00:00Z  0 hops
          mule       37.5 EUR  since 2024-01-02T04:00:00Z   1 hop
          shop       0.38 EUR  since 2024-01-09T06:00:00Z   1 hop
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml"));
    expect![[r#"
        exit 0
        --- out
        The purse of a merchant (purse), 2024-01-02
        Haircut: each payment carries the stolen fraction of the purse that it leaves (pro rata).

        Stolen: 6 BTC on bip122:746f776e000000000000000000000000; the ledger as of 2024-01-01T04:00:00Z, block 4, 9 transactions
        Where it is now:
          service, at custodians   1.8   30.0 %   1 place  stop-rule
          balance, still held     4.14   69.0 %  2 places  unspent
          fee, paid as fees       0.06    1.0 %            fee
          total                      6  100.0 %            = what was stolen, to the last unit
        Call first:
          1. Night Market (service): 1.8 BTC, 30.0 %; 1 deposit at 1 address, the last seen 2024-01-01T04:00:00Z
               bcrt1qykseg6pm9c9pmuw498gr5g2e4k9st9x8uska9y  1.8 BTC
        Still held, largest first:
          bcrt1qnx0fgh0pu8dtd8ejlwkzlssukcgcw9lmkmverw     3 BTC  since 2024-01-01T03:00:00Z   1 hop  00000000000000000000000000000000000000000000000000000000000000d2:0
          right                                         1.14 BTC  since 2024-01-01T04:00:00Z  2 hops  00000000000000000000000000000000000000000000000000000000000000d3:1
    "#]].assert_eq(&desk.shows("trace purse.yaml"));
    // The thief's 100 of honest money make the policies differ.
    expect![[r#"
        exit 0
        --- out
        The vault of Town Bank (vault), 2024-01-02
        FIFO: money leaves a purse in the order in which it came in (Clayton's Case).

        Stolen: 300 EUR on bank:TOWNXXPP; the ledger as of 2024-01-09T06:00:00Z, 7 transactions
        Where it is now:
          service, at custodians     50   16.7 %   1 place  stop-rule
          balance, still held       189   63.0 %  3 places  held
          unknown, left the ledger   60   20.0 %   1 place  left-ledger
          fee, paid as fees           1    0.3 %            fee
          total                     300  100.0 %            = what was stolen, to the last unit
        Call first:
          1. Corner Kiosk (service): 50 EUR, 16.7 %; 1 deposit at 1 address, the last seen 2024-01-02T05:00:00Z
               kiosk  50 EUR
        Still held, largest first:
          mallory  138.5 EUR  since 2024-01-02T03:00:00Z  0 hops
          mule        50 EUR  since 2024-01-02T04:00:00Z   1 hop
          shop       0.5 EUR  since 2024-01-09T06:00:00Z   1 hop
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml --policy fifo"));
    expect![[r#"
        exit 0
        --- out
        The vault of Town Bank (vault), 2024-01-02
        Poison: whatever is paid from a purse that ever received stolen money is flagged in full; the flags do not add up to the loss.

        Stolen: 300 EUR on bank:TOWNXXPP; the ledger as of 2024-01-09T06:00:00Z, 7 transactions
        Flagged now (flags do not add up to the loss):
          service, at custodians    150  50.0 %   1 place  stop-rule
          balance, still held       189  63.0 %  3 places  held
          unknown, left the ledger   60  20.0 %   1 place  left-ledger
          fee, paid as fees           1   0.3 %            fee
        Call first:
          1. Corner Kiosk (service): 150 EUR, 50.0 %; 1 deposit at 1 address, the last seen 2024-01-02T05:00:00Z
               kiosk  150 EUR
        Still held, largest first:
          mallory  138.5 EUR  since 2024-01-02T03:00:00Z  0 hops
          mule        50 EUR  since 2024-01-02T04:00:00Z   1 hop
          shop       0.5 EUR  since 2024-01-09T06:00:00Z   1 hop
    "#]].assert_eq(&desk.shows("trace vault.yaml --policy poison"));
}

#[test]
fn every_policy_side_by_side() {
    let desk = town::ingested();
    expect![[r#"
        exit 0
        --- out
        Stolen: 300 EUR on bank:TOWNXXPP (vault)
          policy           service  balance  unknown   fee  places held
          poison               150      189       60     1            3
          haircut            112.5   141.75       45  0.75            3
          fifo                  50      189       60     1            3
          lifo                 150       89       60     1            3
          taint-first-out      150       89       60     1            3
          taint-last-out        50      189       60     1            3
          tiho                 150       89       60     1            3
        Poison flags and does not account: its figures do not add up to the loss.
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml --policy all"));
    expect![[r#"
        exit 0
        --- out
        Stolen: 6 BTC on bip122:746f776e000000000000000000000000 (purse)
          policy           service  balance   fee  places held
          poison                 3      6.9   0.1            2
          haircut              1.8     4.14  0.06            2
          fifo                   1        5     0            1
          lifo                   3      2.9   0.1            2
          taint-first-out        1        5     0            1
          taint-last-out         3      2.9   0.1            2
          tiho                   1        5     0            1
        Poison flags and does not account: its figures do not add up to the loss.
    "#]]
    .assert_eq(&desk.shows("trace purse.yaml --policy all"));
}

#[test]
fn several_incidents_at_once() {
    let desk = town::ingested();
    expect![[r#"
        exit 0
        --- out
        The vault of Town Bank (vault), 2024-01-02
        The purse of a merchant (purse), 2024-01-02
        Haircut: each payment carries the stolen fraction of the purse that it leaves (pro rata).

        Stolen: 300 EUR on bank:TOWNXXPP; the ledger as of 2024-01-09T06:00:00Z, 7 transactions
        Where it is now:
          service, at custodians     112.5   37.5 %   1 place  stop-rule
          balance, still held       141.75   47.2 %  3 places  held
          unknown, left the ledger      45   15.0 %   1 place  left-ledger
          fee, paid as fees           0.75    0.2 %            fee
          total                        300  100.0 %            = what was stolen, to the last unit
        Call first:
          1. Corner Kiosk (service): 112.5 EUR, 37.5 %; 1 deposit at 1 address, the last seen 2024-01-02T05:00:00Z
               kiosk  112.5 EUR
        Still held, largest first:
          mallory  103.87 EUR  since 2024-01-02T03:00:00Z  0 hops
          … and 2 more (--top, --json or --csv show them)

        Stolen: 6 BTC on bip122:746f776e000000000000000000000000; the ledger as of 2024-01-01T04:00:00Z, block 4, 9 transactions
        Where it is now:
          service, at custodians   1.8   30.0 %   1 place  stop-rule
          balance, still held     4.14   69.0 %  2 places  unspent
          fee, paid as fees       0.06    1.0 %            fee
          total                      6  100.0 %            = what was stolen, to the last unit
        Call first:
          1. Night Market (service): 1.8 BTC, 30.0 %; 1 deposit at 1 address, the last seen 2024-01-01T04:00:00Z
               bcrt1qykseg6pm9c9pmuw498gr5g2e4k9st9x8uska9y  1.8 BTC
        Still held, largest first:
          bcrt1qnx0fgh0pu8dtd8ejlwkzlssukcgcw9lmkmverw  3 BTC  since 2024-01-01T03:00:00Z  1 hop  00000000000000000000000000000000000000000000000000000000000000d2:0
          … and 1 more (--top, --json or --csv show them)
    "#]].assert_eq(&desk.shows("trace vault.yaml purse.yaml --top 1"));
    // "Is it stolen?" cannot be asked for each of two thefts at once.
    desk.write("rent.yaml", town::BANK_HEIST.replace("vault", "rent").replace("300", "100").replace("heist", "rent"));
    expect![[r#"
        exit 0
        --- out
        The vault of Town Bank (vault), 2024-01-02
        The rent of Town Bank (rent), 2024-01-02
        The policy asks "is it stolen?", so these figures answer for the incidents above together, not for each alone.
        TIHO (taint in, highest out): within a transaction stolen money goes to the largest payments first.

        Stolen: 300 EUR on bank:TOWNXXPP; the ledger as of 2024-01-09T06:00:00Z, 7 transactions
        Where it is now:
          service, at custodians     112.5   37.5 %   1 place  stop-rule
          balance, still held       141.75   47.2 %  3 places  held
          unknown, left the ledger      45   15.0 %   1 place  left-ledger
          fee, paid as fees           0.75    0.2 %            fee
          total                        300  100.0 %            = what was stolen, to the last unit
        Call first:
          1. Corner Kiosk (service): 112.5 EUR, 37.5 %; 1 deposit at 1 address, the last seen 2024-01-02T05:00:00Z
               kiosk  112.5 EUR
        Still held, largest first:
          mallory  103.87 EUR  since 2024-01-02T03:00:00Z  0 hops
          mule       37.5 EUR  since 2024-01-02T04:00:00Z   1 hop
          shop       0.38 EUR  since 2024-01-09T06:00:00Z   1 hop

        Stolen: 100 EUR on bank:TOWNXXPP; the ledger as of 2024-01-09T06:00:00Z, 7 transactions
        Where it is now:
          service, at custodians     37.5   37.5 %   1 place  stop-rule
          balance, still held       47.25   47.2 %  3 places  held
          unknown, left the ledger     15   15.0 %   1 place  left-ledger
          fee, paid as fees          0.25    0.2 %            fee
          total                       100  100.0 %            = what was stolen, to the last unit
        Call first:
          1. Corner Kiosk (service): 37.5 EUR, 37.5 %; 1 deposit at 1 address, the last seen 2024-01-02T05:00:00Z
               kiosk  37.5 EUR
        Still held, largest first:
          mallory  34.63 EUR  since 2024-01-01T12:00:00Z  0 hops
          mule      12.5 EUR  since 2024-01-02T04:00:00Z   1 hop
          shop      0.12 EUR  since 2024-01-09T06:00:00Z   1 hop
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml rent.yaml --policy tiho"));
}

#[test]
fn what_holds_whichever_policy_one_picks() {
    let desk = town::ingested();
    expect![[r#"
        exit 0
        --- out
        The vault of Town Bank (vault), 2024-01-02
        Haircut: each payment carries the stolen fraction of the purse that it leaves (pro rata).

        Stolen: 300 EUR on bank:TOWNXXPP; the ledger as of 2024-01-09T06:00:00Z, 7 transactions
        Where it is now:
          service, at custodians     112.5   37.5 %   1 place  stop-rule
          balance, still held       141.75   47.2 %  3 places  held
          unknown, left the ledger      45   15.0 %   1 place  left-ledger
          fee, paid as fees           0.75    0.2 %            fee
          total                        300  100.0 %            = what was stolen, to the last unit
        Call first:
          1. Corner Kiosk (service): 112.5 EUR, 37.5 %; 1 deposit at 1 address, the last seen 2024-01-02T05:00:00Z
               kiosk  112.5 EUR
        Still held, largest first:
          mallory  103.87 EUR [38.5, 138.5]  since 2024-01-02T03:00:00Z  0 hops
          mule             37.5 EUR [0, 50]  since 2024-01-02T04:00:00Z   1 hop
          shop            0.38 EUR [0, 0.5]  since 2024-01-09T06:00:00Z   1 hop
    "#]]
    .assert_eq(&desk.shows("trace vault.yaml --envelope"));
    expect![[r#"
        exit 0
        --- out
        schema,policy,incident,kind,reason,ledger,holder,purse,entity,asset,amount,origin_asset,origin_amount,low,high,hops,since,basis,claim
        tracehound/trace/1,haircut,purse,balance,unspent,bip122:746f776e000000000000000000000000,bcrt1qnx0fgh0pu8dtd8ejlwkzlssukcgcw9lmkmverw,00000000000000000000000000000000000000000000000000000000000000d2:0,,BTC,3,BTC,3,1,5,1,2024-01-01T03:00:00Z,fact,
        tracehound/trace/1,haircut,purse,service,stop-rule,bip122:746f776e000000000000000000000000,bcrt1qykseg6pm9c9pmuw498gr5g2e4k9st9x8uska9y,00000000000000000000000000000000000000000000000000000000000000d3:0,Night Market,BTC,1.8,BTC,1.8,0,3,2,2024-01-01T04:00:00Z,claim,Night Market (tags)
        tracehound/trace/1,haircut,purse,balance,unspent,bip122:746f776e000000000000000000000000,right,00000000000000000000000000000000000000000000000000000000000000d3:1,,BTC,1.14,BTC,1.14,0,1.9,2,2024-01-01T04:00:00Z,fact,
        tracehound/trace/1,haircut,purse,fee,fee,bip122:746f776e000000000000000000000000,,,,BTC,0.06,BTC,0.06,0,0.1,0,2024-01-01T03:00:00Z,fact,
    "#]].assert_eq(&desk.shows("trace purse.yaml --envelope --csv"));
}

/// Two legs of one transaction, and loot that is stolen again: what the bounds' network once stumbled over.
#[test]
fn bounds_where_the_loot_comes_in_several_movements() {
    let desk = town::ingested();
    desk.write(
        "legs.csv",
        "tx,time,from,to,asset,amount\nopen,2024-01-01,,vault,EUR,1000\nheist,2024-01-02,vault,thief,EUR,300\n\
         heist,2024-01-02,vault,thief,EUR,200\npay,2024-01-03,thief,mule,EUR,400\n",
    );
    desk.run("ingest table legs.csv").done();
    desk.write("legs.yaml", town::BANK_HEIST.replace("bank:TOWNXXPP", "table:legs").replace("mallory", "thief"));
    let row = |row: &std::collections::BTreeMap<String, String>| {
        format!("{} {} [{}, {}]\n", row["holder"], row["amount"], row["low"], row["high"])
    };
    let bounds = |line: &str| desk.run(line).done().csv().iter().map(row).collect::<String>();
    expect![[r#"
        mule 400 [400, 400]
        thief 100 [100, 100]
    "#]]
    .assert_eq(&bounds("trace legs.yaml --envelope --csv"));
    let again = format!("{}      - output: \"{}:0\"\n", town::CHAIN_HEIST.replace("\"6\"", "\"11\""), town::id("d2"));
    desk.write("again.yaml", again);
    expect![[r#"
        bcrt1qnx0fgh0pu8dtd8ejlwkzlssukcgcw9lmkmverw 5 [5, 5]
        bcrt1qykseg6pm9c9pmuw498gr5g2e4k9st9x8uska9y 1.8 [0, 3]
        right 1.14 [0, 1.9]
         0.06 [0, 0.1]
    "#]]
    .assert_eq(&bounds("trace again.yaml --envelope --csv"));
}

#[test]
fn for_programs() {
    let desk = town::ingested();
    expect![[r#"
        exit 0
        --- out
        {"schema":"tracehound/trace/1","incidents":["vault"],"policy":"haircut","policy_means":"Haircut: each payment carries the stolen fraction of the purse that it leaves (pro rata).","as_of":{"bank:TOWNXXPP":{"height":null,"time":"2024-01-09T06:00:00Z","transactions":7}},"loot":[{"incident":"vault","ledger":"bank:TOWNXXPP","asset":"EUR","amount":"300"}],"terminals":[{"incident":"vault","kind":"service","ledger":"bank:TOWNXXPP","holder":"kiosk","purse":"kiosk/EUR","entity":"Corner Kiosk","asset":"EUR","amount":"112.5","origin_ledger":"bank:TOWNXXPP","origin_asset":"EUR","origin_amount":"112.5","hops":2,"since":"2024-01-02T05:00:00Z","reason":"stop-rule","basis":"claim","claim":{"label":"Corner Kiosk","category":"exchange","pack":"tags","source":"https://example.org/kiosk","confidence":"service_data"}},{"incident":"vault","kind":"balance","ledger":"bank:TOWNXXPP","holder":"mallory","purse":"mallory/EUR","entity":null,"asset":"EUR","amount":"103.87","origin_ledger":"bank:TOWNXXPP","origin_asset":"EUR","origin_amount":"103.87","hops":0,"since":"2024-01-02T03:00:00Z","reason":"held","basis":"fact"},{"incident":"vault","kind":"unknown","ledger":"bank:TOWNXXPP","holder":null,"purse":null,"entity":null,"asset":"EUR","amount":"45","origin_ledger":"bank:TOWNXXPP","origin_asset":"EUR","origin_amount":"45","hops":1,"since":"2024-01-02T06:00:00Z","reason":"left-ledger","basis":"fact"},{"incident":"vault","kind":"balance","ledger":"bank:TOWNXXPP","holder":"mule","purse":"mule/EUR","entity":null,"asset":"EUR","amount":"37.5","origin_ledger":"bank:TOWNXXPP","origin_asset":"EUR","origin_amount":"37.5","hops":1,"since":"2024-01-02T04:00:00Z","reason":"held","basis":"fact"},{"incident":"vault","kind":"fee","ledger":"bank:TOWNXXPP","holder":null,"purse":null,"entity":null,"asset":"EUR","amount":"0.75","origin_ledger":"bank:TOWNXXPP","origin_asset":"EUR","origin_amount":"0.75","hops":0,"since":"2024-01-02T04:00:00Z","reason":"fee","basis":"fact"},{"incident":"vault","kind":"balance","ledger":"bank:TOWNXXPP","holder":"shop","purse":"shop/EUR","entity":null,"asset":"EUR","amount":"0.38","origin_ledger":"bank:TOWNXXPP","origin_asset":"EUR","origin_amount":"0.38","hops":1,"since":"2024-01-09T06:00:00Z","reason":"held","basis":"fact"}],"links":[],"problems":[]}
    "#]].assert_eq(&desk.shows("trace vault.yaml --json --no-edges"));
    expect![[r#"
        exit 0
        --- out
        schema,policy,incident,kind,reason,ledger,holder,purse,entity,asset,amount,origin_asset,origin_amount,low,high,hops,since,basis,claim
        tracehound/trace/1,haircut,vault,service,stop-rule,bank:TOWNXXPP,kiosk,kiosk/EUR,Corner Kiosk,EUR,112.5,EUR,112.5,,,2,2024-01-02T05:00:00Z,claim,Corner Kiosk (tags)
        tracehound/trace/1,haircut,vault,balance,held,bank:TOWNXXPP,mallory,mallory/EUR,,EUR,103.87,EUR,103.87,,,0,2024-01-02T03:00:00Z,fact,
        tracehound/trace/1,haircut,vault,unknown,left-ledger,bank:TOWNXXPP,,,,EUR,45,EUR,45,,,1,2024-01-02T06:00:00Z,fact,
        tracehound/trace/1,haircut,vault,balance,held,bank:TOWNXXPP,mule,mule/EUR,,EUR,37.5,EUR,37.5,,,1,2024-01-02T04:00:00Z,fact,
        tracehound/trace/1,haircut,vault,fee,fee,bank:TOWNXXPP,,,,EUR,0.75,EUR,0.75,,,0,2024-01-02T04:00:00Z,fact,
        tracehound/trace/1,haircut,vault,balance,held,bank:TOWNXXPP,shop,shop/EUR,,EUR,0.38,EUR,0.38,,,1,2024-01-09T06:00:00Z,fact,
    "#]].assert_eq(&desk.shows("trace vault.yaml --csv"));
    expect![[r#"
        exit 0
        --- out
        schema,policy,seq,ledger,tx,time,step,from,to,purse_from,purse_to,asset,amount,balance_before,incident,held_before,traced,end
        tracehound/trace/1,haircut,1,bank:TOWNXXPP,heist,2024-01-02T03:00:00Z,transfer,vault,mallory,vault/EUR,mallory/EUR,EUR,300,1000,vault,0,300,
        tracehound/trace/1,haircut,2,bank:TOWNXXPP,pay,2024-01-02T04:00:00Z,transfer,mallory,mule,mallory/EUR,mule/EUR,EUR,200,400,vault,300,150,
        tracehound/trace/1,haircut,3,bank:TOWNXXPP,pay,2024-01-02T04:00:00Z,fee,mallory,fee,mallory/EUR,,EUR,1,200,vault,150,0.75,fee: fee
        tracehound/trace/1,haircut,4,bank:TOWNXXPP,sell,2024-01-02T05:00:00Z,transfer,mule,kiosk,mule/EUR,kiosk/EUR,EUR,150,200,vault,150,112.5,service: stop-rule
        tracehound/trace/1,haircut,5,bank:TOWNXXPP,cash,2024-01-02T06:00:00Z,transfer,mallory,,mallory/EUR,,EUR,60,199,vault,149.25,45,unknown: left-ledger
        tracehound/trace/1,haircut,6,bank:TOWNXXPP,late,2024-01-09T06:00:00Z,transfer,mallory,shop,mallory/EUR,shop/EUR,EUR,0.5,139,vault,104.25,0.38,
    "#]].assert_eq(&desk.shows("trace vault.yaml --csv=edges"));
    expect![[r#"
        exit 0
        --- out
        schema,policy,seq,ledger,tx,time,step,from,to,purse_from,purse_to,asset,amount,balance_before,incident,held_before,traced,end
        tracehound/trace/1,lifo,1,bip122:746f776e000000000000000000000000,00000000000000000000000000000000000000000000000000000000000000d1,2024-01-01T02:00:00Z,output,tx:00000000000000000000000000000000000000000000000000000000000000d1,thief,,00000000000000000000000000000000000000000000000000000000000000d1:0,BTC,6,6,purse,0,6,
        tracehound/trace/1,lifo,2,bip122:746f776e000000000000000000000000,00000000000000000000000000000000000000000000000000000000000000d2,2024-01-01T03:00:00Z,input,thief,tx:00000000000000000000000000000000000000000000000000000000000000d2,00000000000000000000000000000000000000000000000000000000000000d1:0,,BTC,6,6,purse,6,6,
        tracehound/trace/1,lifo,3,bip122:746f776e000000000000000000000000,00000000000000000000000000000000000000000000000000000000000000d2,2024-01-01T03:00:00Z,output,tx:00000000000000000000000000000000000000000000000000000000000000d2,bcrt1qnx0fgh0pu8dtd8ejlwkzlssukcgcw9lmkmverw,,00000000000000000000000000000000000000000000000000000000000000d2:0,BTC,5,10,purse,6,1,
        tracehound/trace/1,lifo,4,bip122:746f776e000000000000000000000000,00000000000000000000000000000000000000000000000000000000000000d2,2024-01-01T03:00:00Z,output,tx:00000000000000000000000000000000000000000000000000000000000000d2,right,,00000000000000000000000000000000000000000000000000000000000000d2:1,BTC,4.9,5,purse,5,4.9,
        tracehound/trace/1,lifo,5,bip122:746f776e000000000000000000000000,00000000000000000000000000000000000000000000000000000000000000d2,2024-01-01T03:00:00Z,fee,tx:00000000000000000000000000000000000000000000000000000000000000d2,fee,,,BTC,0.1,0.1,purse,0.1,0.1,fee: fee
        tracehound/trace/1,lifo,6,bip122:746f776e000000000000000000000000,00000000000000000000000000000000000000000000000000000000000000d3,2024-01-01T04:00:00Z,input,right,tx:00000000000000000000000000000000000000000000000000000000000000d3,00000000000000000000000000000000000000000000000000000000000000d2:1,,BTC,4.9,4.9,purse,4.9,4.9,
        tracehound/trace/1,lifo,7,bip122:746f776e000000000000000000000000,00000000000000000000000000000000000000000000000000000000000000d3,2024-01-01T04:00:00Z,output,tx:00000000000000000000000000000000000000000000000000000000000000d3,bcrt1qykseg6pm9c9pmuw498gr5g2e4k9st9x8uska9y,,00000000000000000000000000000000000000000000000000000000000000d3:0,BTC,3,4.9,purse,4.9,3,service: stop-rule
        tracehound/trace/1,lifo,8,bip122:746f776e000000000000000000000000,00000000000000000000000000000000000000000000000000000000000000d3,2024-01-01T04:00:00Z,output,tx:00000000000000000000000000000000000000000000000000000000000000d3,right,,00000000000000000000000000000000000000000000000000000000000000d3:1,BTC,1.9,1.9,purse,1.9,1.9,
    "#]].assert_eq(&desk.shows("trace purse.yaml --csv=edges --policy lifo"));
    expect![[r#"
        exit 0
        --- out
        {"schema":"tracehound/trace/1","incidents":["vault"],"policy":"fifo","policy_means":"FIFO: money leaves a purse in the order in which it came in (Clayton's Case).","as_of":{"bank:TOWNXXPP":{"height":null,"time":"2024-01-02T04:00:00Z","transactions":4}},"loot":[{"incident":"vault","ledger":"bank:TOWNXXPP","asset":"EUR","amount":"300"}],"terminals":[{"incident":"vault","kind":"balance","ledger":"bank:TOWNXXPP","holder":"mallory","purse":"mallory/EUR","entity":null,"asset":"EUR","amount":"199","origin_ledger":"bank:TOWNXXPP","origin_asset":"EUR","origin_amount":"199","hops":0,"since":"2024-01-02T03:00:00Z","reason":"held","basis":"fact"},{"incident":"vault","kind":"balance","ledger":"bank:TOWNXXPP","holder":"mule","purse":"mule/EUR","entity":null,"asset":"EUR","amount":"100","origin_ledger":"bank:TOWNXXPP","origin_asset":"EUR","origin_amount":"100","hops":1,"since":"2024-01-02T04:00:00Z","reason":"held","basis":"fact"},{"incident":"vault","kind":"fee","ledger":"bank:TOWNXXPP","holder":null,"purse":null,"entity":null,"asset":"EUR","amount":"1","origin_ledger":"bank:TOWNXXPP","origin_asset":"EUR","origin_amount":"1","hops":0,"since":"2024-01-02T04:00:00Z","reason":"fee","basis":"fact"}],"links":[],"edges":[{"seq":1,"ledger":"bank:TOWNXXPP","tx":"heist","time":"2024-01-02T03:00:00Z","step":"transfer","from":"vault","to":"mallory","purse_from":"vault/EUR","purse_to":"mallory/EUR","asset":"EUR","amount":"300","balance_before":"1000","held_before":{},"traced":{"vault":"300"},"origin":{"vault":{"EUR":"300"}},"lots":[["0","300"]],"basis":"fact"},{"seq":2,"ledger":"bank:TOWNXXPP","tx":"pay","time":"2024-01-02T04:00:00Z","step":"transfer","from":"mallory","to":"mule","purse_from":"mallory/EUR","purse_to":"mule/EUR","asset":"EUR","amount":"200","balance_before":"400","held_before":{"vault":"300"},"traced":{"vault":"100"},"origin":{"vault":{"EUR":"100"}},"lots":[["100","100"]],"basis":"fact"},{"seq":3,"ledger":"bank:TOWNXXPP","tx":"pay","time":"2024-01-02T04:00:00Z","step":"fee","from":"mallory","to":"fee","purse_from":"mallory/EUR","purse_to":null,"asset":"EUR","amount":"1","balance_before":"200","held_before":{"vault":"200"},"traced":{"vault":"1"},"origin":{"vault":{"EUR":"1"}},"lots":[["0","1"]],"end":"fee: fee","basis":"fact"}],"problems":[]}
    "#]].assert_eq(&desk.shows("trace vault.yaml --json --policy fifo --until 2024-01-02T05:00:00Z"));
}

#[test]
fn stops_can_be_passed_changed_and_doubted() {
    let desk = town::ingested();
    expect![[r#"
        exit 0
        --- out
        schema,policy,incident,kind,reason,ledger,holder,purse,entity,asset,amount,origin_asset,origin_amount,low,high,hops,since,basis,claim
        tracehound/trace/1,haircut,purse,balance,unspent,bip122:746f776e000000000000000000000000,bcrt1qnx0fgh0pu8dtd8ejlwkzlssukcgcw9lmkmverw,00000000000000000000000000000000000000000000000000000000000000d2:0,,BTC,3,BTC,3,,,1,2024-01-01T03:00:00Z,fact,
        tracehound/trace/1,haircut,purse,service,stop-rule,bip122:746f776e000000000000000000000000,bcrt1qykseg6pm9c9pmuw498gr5g2e4k9st9x8uska9y,00000000000000000000000000000000000000000000000000000000000000d3:0,Night Market,BTC,1.8,BTC,1.8,,,2,2024-01-01T04:00:00Z,claim,Night Market (tags)
        tracehound/trace/1,haircut,purse,balance,unspent,bip122:746f776e000000000000000000000000,right,00000000000000000000000000000000000000000000000000000000000000d3:1,,BTC,1.14,BTC,1.14,,,2,2024-01-01T04:00:00Z,fact,
        tracehound/trace/1,haircut,purse,fee,fee,bip122:746f776e000000000000000000000000,,,,BTC,0.06,BTC,0.06,,,0,2024-01-01T03:00:00Z,fact,
    "#]].assert_eq(&desk.shows("trace purse.yaml --csv"));
    expect![[r#"
        exit 0
        --- out
        schema,policy,incident,kind,reason,ledger,holder,purse,entity,asset,amount,origin_asset,origin_amount,low,high,hops,since,basis,claim
        tracehound/trace/1,haircut,purse,balance,unspent,bip122:746f776e000000000000000000000000,bcrt1qnx0fgh0pu8dtd8ejlwkzlssukcgcw9lmkmverw,00000000000000000000000000000000000000000000000000000000000000d2:0,,BTC,3,BTC,3,,,1,2024-01-01T03:00:00Z,fact,
        tracehound/trace/1,haircut,purse,balance,unspent,bip122:746f776e000000000000000000000000,bcrt1qykseg6pm9c9pmuw498gr5g2e4k9st9x8uska9y,00000000000000000000000000000000000000000000000000000000000000d3:0,Night Market,BTC,1.8,BTC,1.8,,,2,2024-01-01T04:00:00Z,fact,
        tracehound/trace/1,haircut,purse,balance,unspent,bip122:746f776e000000000000000000000000,right,00000000000000000000000000000000000000000000000000000000000000d3:1,,BTC,1.14,BTC,1.14,,,2,2024-01-01T04:00:00Z,fact,
        tracehound/trace/1,haircut,purse,fee,fee,bip122:746f776e000000000000000000000000,,,,BTC,0.06,BTC,0.06,,,0,2024-01-01T03:00:00Z,fact,
    "#]].assert_eq(&desk.shows("trace purse.yaml --csv --no-stops"));
    expect![[r#"
        exit 0
        --- out
        schema,policy,incident,kind,reason,ledger,holder,purse,entity,asset,amount,origin_asset,origin_amount,low,high,hops,since,basis,claim
        tracehound/trace/1,haircut,purse,balance,unspent,bip122:746f776e000000000000000000000000,bcrt1qnx0fgh0pu8dtd8ejlwkzlssukcgcw9lmkmverw,00000000000000000000000000000000000000000000000000000000000000d2:0,,BTC,3,BTC,3,,,1,2024-01-01T03:00:00Z,fact,
        tracehound/trace/1,haircut,purse,balance,unspent,bip122:746f776e000000000000000000000000,bcrt1qykseg6pm9c9pmuw498gr5g2e4k9st9x8uska9y,00000000000000000000000000000000000000000000000000000000000000d3:0,Night Market,BTC,1.8,BTC,1.8,,,2,2024-01-01T04:00:00Z,fact,
        tracehound/trace/1,haircut,purse,balance,unspent,bip122:746f776e000000000000000000000000,right,00000000000000000000000000000000000000000000000000000000000000d3:1,,BTC,1.14,BTC,1.14,,,2,2024-01-01T04:00:00Z,fact,
        tracehound/trace/1,haircut,purse,fee,fee,bip122:746f776e000000000000000000000000,,,,BTC,0.06,BTC,0.06,,,0,2024-01-01T03:00:00Z,fact,
    "#]].assert_eq(&desk.shows("trace purse.yaml --csv --min-confidence 51"));
    desk.write("more.csv", format!("address,label,category\n{},Left Mixer,mixer\n", town::LEFT));
    expect![[r#"
        exit 0
        --- out
        schema,policy,incident,kind,reason,ledger,holder,purse,entity,asset,amount,origin_asset,origin_amount,low,high,hops,since,basis,claim
        tracehound/trace/1,haircut,purse,mixer,stop-rule,bip122:746f776e000000000000000000000000,bcrt1qnx0fgh0pu8dtd8ejlwkzlssukcgcw9lmkmverw,00000000000000000000000000000000000000000000000000000000000000d2:0,Left Mixer,BTC,3,BTC,3,,,1,2024-01-01T03:00:00Z,claim,Left Mixer (more)
        tracehound/trace/1,haircut,purse,service,stop-rule,bip122:746f776e000000000000000000000000,bcrt1qykseg6pm9c9pmuw498gr5g2e4k9st9x8uska9y,00000000000000000000000000000000000000000000000000000000000000d3:0,Night Market,BTC,1.8,BTC,1.8,,,2,2024-01-01T04:00:00Z,claim,Night Market (tags)
        tracehound/trace/1,haircut,purse,balance,unspent,bip122:746f776e000000000000000000000000,right,00000000000000000000000000000000000000000000000000000000000000d3:1,,BTC,1.14,BTC,1.14,,,2,2024-01-01T04:00:00Z,fact,
        tracehound/trace/1,haircut,purse,fee,fee,bip122:746f776e000000000000000000000000,,,,BTC,0.06,BTC,0.06,,,0,2024-01-01T03:00:00Z,fact,
    "#]].assert_eq(&desk.shows("trace purse.yaml --csv --tags more.csv"));
}

#[test]
fn what_is_not_worth_following_is_booked_as_truncated() {
    let desk = town::ingested();
    expect![[r#"
        exit 0
        --- out
        schema,policy,incident,kind,reason,ledger,holder,purse,entity,asset,amount,origin_asset,origin_amount,low,high,hops,since,basis,claim
        tracehound/trace/1,haircut,vault,service,stop-rule,bank:TOWNXXPP,kiosk,kiosk/EUR,Corner Kiosk,EUR,112.5,EUR,112.5,,,2,2024-01-02T05:00:00Z,claim,Corner Kiosk (tags)
        tracehound/trace/1,haircut,vault,balance,held,bank:TOWNXXPP,mallory,mallory/EUR,,EUR,103.87,EUR,103.87,,,0,2024-01-02T03:00:00Z,fact,
        tracehound/trace/1,haircut,vault,unknown,left-ledger,bank:TOWNXXPP,,,,EUR,45,EUR,45,,,1,2024-01-02T06:00:00Z,fact,
        tracehound/trace/1,haircut,vault,balance,held,bank:TOWNXXPP,mule,mule/EUR,,EUR,37.5,EUR,37.5,,,1,2024-01-02T04:00:00Z,fact,
        tracehound/trace/1,haircut,vault,fee,fee,bank:TOWNXXPP,,,,EUR,0.75,EUR,0.75,,,0,2024-01-02T04:00:00Z,fact,
        tracehound/trace/1,haircut,vault,truncated,below-dust,bank:TOWNXXPP,shop,shop/EUR,,EUR,0.38,EUR,0.38,,,1,2024-01-09T06:00:00Z,fact,
    "#]].assert_eq(&desk.shows("trace vault.yaml --csv --dust EUR=1"));
    expect![[r#"
        exit 0
        --- out
        schema,policy,incident,kind,reason,ledger,holder,purse,entity,asset,amount,origin_asset,origin_amount,low,high,hops,since,basis,claim
        tracehound/trace/1,fifo,vault,balance,held,bank:TOWNXXPP,mallory,mallory/EUR,,EUR,138.5,EUR,138.5,,,0,2024-01-02T03:00:00Z,fact,
        tracehound/trace/1,fifo,vault,unknown,left-ledger,bank:TOWNXXPP,,,,EUR,60,EUR,60,,,1,2024-01-02T06:00:00Z,fact,
        tracehound/trace/1,fifo,vault,balance,held,bank:TOWNXXPP,mule,mule/EUR,,EUR,50,EUR,50,,,1,2024-01-02T04:00:00Z,fact,
        tracehound/trace/1,fifo,vault,service,stop-rule,bank:TOWNXXPP,kiosk,kiosk/EUR,Corner Kiosk,EUR,50,EUR,50,,,2,2024-01-02T05:00:00Z,claim,Corner Kiosk (tags)
        tracehound/trace/1,fifo,vault,fee,fee,bank:TOWNXXPP,,,,EUR,1,EUR,1,,,0,2024-01-02T04:00:00Z,fact,
        tracehound/trace/1,fifo,vault,truncated,below-dust,bank:TOWNXXPP,shop,shop/EUR,,EUR,0.5,EUR,0.5,,,1,2024-01-09T06:00:00Z,fact,
    "#]].assert_eq(&desk.shows("trace vault.yaml --csv --dust EUR=100 --policy fifo"));
    expect![[r#"
        exit 0
        --- out
        schema,policy,incident,kind,reason,ledger,holder,purse,entity,asset,amount,origin_asset,origin_amount,low,high,hops,since,basis,claim
        tracehound/trace/1,haircut,vault,truncated,below-share,bank:TOWNXXPP,mule,mule/EUR,,EUR,150,EUR,150,,,1,2024-01-02T04:00:00Z,fact,
        tracehound/trace/1,haircut,vault,balance,held,bank:TOWNXXPP,mallory,mallory/EUR,,EUR,103.87,EUR,103.87,,,0,2024-01-02T03:00:00Z,fact,
        tracehound/trace/1,haircut,vault,unknown,left-ledger,bank:TOWNXXPP,,,,EUR,45,EUR,45,,,1,2024-01-02T06:00:00Z,fact,
        tracehound/trace/1,haircut,vault,fee,fee,bank:TOWNXXPP,,,,EUR,0.75,EUR,0.75,,,0,2024-01-02T04:00:00Z,fact,
        tracehound/trace/1,haircut,vault,truncated,below-share,bank:TOWNXXPP,shop,shop/EUR,,EUR,0.38,EUR,0.38,,,1,2024-01-09T06:00:00Z,fact,
    "#]].assert_eq(&desk.shows("trace vault.yaml --csv --min-share 0.8"));
}

#[test]
fn a_ledger_that_starts_too_late_says_so() {
    let desk = town::desk();
    // Without the rent, mallory pays 401 and is known to have had 300.
    let late: Vec<&str> = town::BANK.lines().filter(|line| !line.starts_with("rent")).collect();
    desk.write("late.csv", late.join("\n").replace("200.00", "400.00") + "\n");
    expect![[r#"
        exit 0
        --- err
        late.csv: 6 transactions into bank:TOWNXXPP
    "#]]
    .assert_eq(&desk.shows("ingest table late.csv"));
    expect![[r#"
        exit 0
        --- out
        The vault of Town Bank (vault), 2024-01-02
        Haircut: each payment carries the stolen fraction of the purse that it leaves (pro rata).

        Stolen: 300 EUR on bank:TOWNXXPP; the ledger as of 2024-01-09T06:00:00Z, 6 transactions
        Where it is now:
          balance, still held       260.35   86.8 %  3 places  held
          unknown, left the ledger      39   13.0 %   1 place  left-ledger
          fee, paid as fees           0.65    0.2 %            fee
          total                        300  100.0 %            = what was stolen, to the last unit
        Still held, largest first:
          mule   162.51 EUR  since 2024-01-02T04:00:00Z   1 hop
          kiosk   97.51 EUR  since 2024-01-02T05:00:00Z  2 hops
          shop     0.33 EUR  since 2024-01-09T06:00:00Z   1 hop

        What a reader should know:
          history-incomplete at mallory/EUR: paid 161.5 EUR more than the book knows that it held; counted as clean money from before the book's start
    "#]].assert_eq(&desk.shows("trace vault.yaml"));
}

#[test]
fn where_an_account_s_money_came_from() {
    let desk = town::ingested();
    expect![[r#"
        exit 0
        --- out
        Haircut: each payment carries the stolen fraction of the purse that it leaves (pro rata).

        138.5 EUR on bank:TOWNXXPP, the ledger as of 2024-01-09T06:00:00Z
        Where it came from:
          outside  138.5  100.0 %  2 sources
          total    138.5  100.0 %  = what was asked for, to the last unit
        Largest first:
          outside  103.88 EUR  into vault  1 hop  on 2024-01-01T09:00:00Z
          outside   34.62 EUR  into pia    1 hop  on 2024-01-01T09:00:00Z
    "#]]
    .assert_eq(&desk.shows("source mallory --ledger bank:TOWNXXPP"));
    expect![[r#"
        exit 0
        --- out
        {"schema":"tracehound/source/1","ledger":"bank:TOWNXXPP","policy":"fifo","policy_means":"FIFO: money leaves a purse in the order in which it came in (Clayton's Case).","as_of":{"height":null,"time":"2024-01-09T06:00:00Z","transactions":7},"targets":["kiosk"],"wanted":[{"asset":"EUR","amount":"150"}],"origins":[{"kind":"outside","payer":null,"payee":"pia","entity":null,"tx":"open","time":"2024-01-01T09:00:00Z","asset":"EUR","amount":"100","hops":3,"basis":"fact"},{"kind":"outside","payer":null,"payee":"vault","entity":null,"tx":"open","time":"2024-01-01T09:00:00Z","asset":"EUR","amount":"50","hops":3,"basis":"fact"}],"problems":[]}
    "#]].assert_eq(&desk.shows("source kiosk --ledger bank:TOWNXXPP --policy fifo --json"));
    expect![[r#"
        exit 0
        --- out
        Haircut: each payment carries the stolen fraction of the purse that it leaves (pro rata).

        5 BTC on bip122:746f776e000000000000000000000000, the ledger as of 2024-01-01T04:00:00Z
        Where it came from:
          outside  5  100.0 %  1 source
          total    5  100.0 %  = what was asked for, to the last unit
        Largest first:
          outside  5 BTC  into miner  2 hops  on 2024-01-01T00:00:00Z
    "#]]
    .assert_eq(&desk.shows(&format!("source {} --ledger bip122:746f776e000000000000000000000000", town::LEFT)));
    expect![[r#"
        exit 2
        --- err
        error: nobody: the ledger bank:TOWNXXPP holds no such address, output or transaction; ids are case-sensitive
    "#]]
    .assert_eq(&desk.shows("source nobody --ledger bank:TOWNXXPP"));
    expect![[r#"
        exit 5
        --- err
        error: the book holds no ledger bank:NOWHEREX; ingest it first
    "#]]
    .assert_eq(&desk.shows("source mallory --ledger bank:NOWHEREX"));
    expect![[r#"
        exit 2
        --- err
        error: tiho asks "is it stolen?", which has no meaning backwards; choose haircut, fifo or lifo for the source of funds
    "#]].assert_eq(&desk.shows("source mallory --ledger bank:TOWNXXPP --policy tiho"));
}

#[test]
fn the_book_is_found_by_flag_variable_and_home() {
    let desk = Desk::new();
    desk.write("bank.csv", town::BANK);
    desk.run("ingest table bank.csv --book flagged").done();
    assert!(desk.path("flagged/book").exists() && !desk.path("book").exists());
    let ran = desk.finish(
        desk.command("ingest table bank.csv")
            .env_remove("TRACEHOUND_BOOK")
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped()),
        &[],
    );
    expect![[r#"
        exit 0
        --- err
        bank.csv: 7 transactions into bank:TOWNXXPP
    "#]]
    .assert_eq(&shown(&ran));
    assert!(desk.path(".local/share/tracehound/book/book").exists() || cfg!(not(target_os = "linux")));
}

#[test]
fn a_window_leaves_out_loot_that_came_in_before_it() {
    let desk = town::ingested();
    desk.write(
        "both.yaml",
        "incident: both\nlosses:\n  - ledger: bank:TOWNXXPP\n    asset: EUR\n    stolen:\n      - {tx: heist, to: mallory}\n      - {tx: pay, to: mule}\n",
    );
    expect![[r#"
        exit 0
        --- out
        untitled incident (both)
        Haircut: each payment carries the stolen fraction of the purse that it leaves (pro rata).

        Stolen: 200 EUR on bank:TOWNXXPP; the ledger as of 2024-01-09T06:00:00Z, 7 transactions
        Where it is now:
          service, at custodians  150   75.0 %  1 place  stop-rule
          balance, still held      50   25.0 %  1 place  held
          total                   200  100.0 %           = what was stolen, to the last unit
        Call first:
          1. Corner Kiosk (service): 150 EUR, 75.0 %; 1 deposit at 1 address, the last seen 2024-01-02T05:00:00Z
               kiosk  150 EUR
        Still held, largest first:
          mule  50 EUR  since 2024-01-02T04:00:00Z  0 hops

        What a reader should know:
          before-window at both: 300 EUR came in before --from and is left out
    "#]]
    .assert_eq(&desk.shows("trace both.yaml --from 2024-01-02T04:00:00Z --top 3"));
}

//! What claims make of a ledger: stops, conduits, risks, contradictions.

use know::{Claim, EXPOSURE_CATEGORIES, Rules, Scope, StopSet, Stops, from_csv};
use ledger::memory::MemoryLedger;
use ledger::{AccountLeg, AccountTransaction, Kind, Ledger, LedgerId, LegKind, Time};
use money::{Amount, Asset};

/// A ledger on which each of these holders was paid once.
fn ledger_of(id: &str, holders: &[&str]) -> MemoryLedger {
    let coin = Asset { symbol: "COIN".into(), scale: 0 };
    let mut ledger = MemoryLedger::new(LedgerId::parse(id).unwrap(), Kind::Account, vec![coin]);
    for (at, holder) in holders.iter().enumerate() {
        let leg = AccountLeg {
            from: None,
            to: Some((*holder).to_owned()),
            asset: "COIN".into(),
            amount: Amount::new(1),
            fee: Amount::ZERO,
            kind: LegKind::Transfer,
        };
        let time = Time::from_micros(i64::try_from(at).unwrap());
        ledger.push(&AccountTransaction { name: at.to_string(), time, legs: vec![leg] });
    }
    ledger
}

/// One line each: `holder kind entity confidence claims`, `holder !risks entity`, `? problem`.
fn shown(set: &StopSet, ledger: &MemoryLedger) -> Vec<String> {
    let name = |holder| ledger.holder_name(holder);
    let stops = set.stops.iter().map(|(holder, stop)| {
        format!("{} {} {} {} {:?}", name(*holder), stop.kind.as_str(), stop.entity, stop.confidence, stop.claims)
    });
    let risks = set.risks.iter().map(|(holder, risk)| {
        let kinds: Vec<&str> = risk.kinds.iter().map(String::as_str).collect();
        format!("{} !{} {}", name(*holder), kinds.join("+"), risk.entity)
    });
    let problems = set.problems.iter().map(|problem| format!("? {} {}", problem.kind.as_str(), problem.text));
    stops.chain(risks).chain(problems).collect()
}

fn check(id: &str, holders: &[&str], csv: &str, want: &[&str]) {
    let rules = Rules::default();
    let claims = from_csv(csv.as_bytes(), "p", &rules).unwrap();
    let ledger = ledger_of(id, holders);
    let set = Stops::new(rules).resolve(&claims, &ledger);
    assert_eq!(shown(&set, &ledger), want, "{csv}");
}

#[test]
fn a_category_stops_and_an_abuse_never_does() {
    check(
        "table:t",
        &["hot", "thief", "pool", "plain"],
        "address,label,category,abuse,actor\nhot,Big,exchange,sanction,bigex\nthief,T,user,service_hack,\n\
         pool,P,defi_dex,,\nelsewhere,E,exchange,,\nplain,X,,,\n",
        &["hot service bigex 5 [0]", "pool conduit P 5 [2]", "hot !sanctioned bigex", "thief !theft T"],
    );
}

#[test]
fn the_more_confident_claim_counts_and_the_contradiction_is_told() {
    let head = "address,label,category,confidence\n";
    check(
        "table:t",
        &["x"],
        &format!("{head}x,Shift,mixing_service,authority_data\nx,ShiftX,exchange,web_crawl\nx,Shift,exchange,\n"),
        &[
            "x mixer Shift 60 [0]",
            "x !mixing Shift",
            "? tags-conflict tags call \"x\" service (\"ShiftX\", confidence 20) and mixer (\"Shift\", confidence 60); \
             taken as mixer",
        ],
    );
    check(
        "table:t",
        &["x"],
        &format!("{head}x,M,mixing_service,forensic\nx,B,bridge,forensic\nx,S,exchange,service_data\n"),
        &[
            "x service S 50 [2]",
            "x !mixing M",
            "? tags-conflict tags call \"x\" service (\"S\", confidence 50) and mixer (\"M\", confidence 50) and bridge \
             (\"B\", confidence 50); taken as service",
        ],
    );
}

#[test]
fn agreeing_claims_support_one_stop() {
    check(
        "table:t",
        &["x"],
        "address,label,category,confidence\nx,low,exchange,web_crawl\nx,high,gambling,ownership\n",
        &["x service high 100 [0, 1]"],
    );
}

#[test]
fn an_unknown_word_is_told_once() {
    check(
        "table:t",
        &["x"],
        "address,label,category,abuse\nx,a,zoo,\ny,b,zoo,\nz,c,,arson\n",
        &[
            "? tag-category-unknown the category \"arson\" (1 tags) has no rule; it neither stops a trace nor marks a risk",
            "? tag-category-unknown the category \"zoo\" (2 tags) has no rule; it neither stops a trace nor marks a risk",
        ],
    );
    let mut claim = Claim::new("x", "a", "p");
    claim.confidence = Some("gut_feeling".into());
    claim.add_category("exchange");
    let ledger = ledger_of("table:t", &["x"]);
    let set = Stops::default().resolve(&[claim], &ledger);
    assert_eq!(
        shown(&set, &ledger)[1],
        "? tag-confidence-unknown the confidence \"gut_feeling\" (1 tags) is unknown; it weighs as `unknown`"
    );
}

#[test]
fn a_currency_belongs_to_its_ledgers_and_to_every_table() {
    let legacy = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
    let evm = "0x098b716b8aaf21512996dc57eb0615e2383e2f96";
    let cash = "bip122:000000000000000000651ef99cb9fcbe";
    for (currency, address, ledger, stops) in [
        ("BTC", legacy, "bitcoin", true),
        ("XBT", legacy, "bitcoin-regtest", false),
        ("XBT", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "bitcoin-regtest", true),
        ("BTC", legacy, cash, false),
        ("BCH", legacy, cash, true),
        ("BCH", legacy, "bitcoin", false),
        ("ETH", legacy, "bitcoin", false),
        ("BTC", legacy, "table:t", true),
        ("TRX", legacy, "bank:X", true),
        ("ETH", evm, "ethereum", true),
        ("ETH", evm, "eip155:137", true),
        ("ETC", evm, "ethereum", false),
        ("USDT", evm, "ethereum", true),
        ("0xdac17f958d2ee523a2206206994597c13d831ec7", evm, "ethereum", true),
        ("BTC", evm, "ethereum", false),
        ("ETH", evm, "table:t", true),
    ] {
        let mut claim = Claim::new(address, "x", "p");
        claim.scope = Scope::Currency(currency.into());
        claim.add_category("exchange");
        let ledger = ledger_of(ledger, &[address]);
        let set = Stops::default().resolve(&[claim], &ledger);
        assert_eq!(!set.stops.is_empty(), stops, "{currency} {address} on {}", ledger.id());
        assert_eq!(set.problems, [], "{currency} {address} on {}", ledger.id());
    }
}

#[test]
fn addresses_match_in_canonical_form() {
    let mixed = "0x098B716B8Aaf21512996dC57EB0615e2383E2f96";
    let csv = format!("address,label,category\n{mixed},x,exchange\n");
    let lower = mixed.to_lowercase();
    for ledger in ["ethereum", "table:t"] {
        check(ledger, &[&lower], &csv, &[&format!("{lower} service x 5 [0]")]);
    }
}

#[test]
fn a_mistyped_address_is_told_where_it_would_belong_and_nowhere_else() {
    let mut claim = Claim::new("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "x", "pack");
    claim.scope = Scope::Currency("BTC".into());
    claim.add_category("exchange");
    for (ledger, problems) in [("bitcoin", 1), ("ethereum", 0)] {
        let ledger = ledger_of(ledger, &[]);
        let set = Stops::default().resolve(std::slice::from_ref(&claim), &ledger);
        assert_eq!(set.problems.len(), problems);
        assert_eq!(set.stops.len(), 0);
    }
}

#[test]
fn thousands_of_problems_are_counted_not_listed() {
    let claims: Vec<Claim> = (0..1500)
        .map(|at| {
            let mut claim = Claim::new("x", "x", "p");
            claim.add_category(format!("c{at}"));
            claim
        })
        .collect();
    let set = Stops::default().resolve(&claims, &ledger_of("table:t", &[]));
    assert_eq!(set.problems.len(), 1001);
    assert_eq!(set.problems[1000].text, "and 500 more problems with tags");
}

/// One line each: `holder category stop entity(key) confidence risks claims`.
fn stands(csv: &str, holders: &[&str]) -> Vec<String> {
    let rules = Rules::default();
    let claims = from_csv(csv.as_bytes(), "p", &rules).unwrap();
    let ledger = ledger_of("table:t", holders);
    let standings = Stops::new(rules).standings(&claims, &ledger);
    let one = |(holder, standing): (&ledger::HolderId, &know::Standing)| {
        let category = standing.category.map_or("-", |at| EXPOSURE_CATEGORIES[usize::from(at)]);
        let stop = standing.stop.map_or("-", know::StopKind::as_str);
        let risks: Vec<&str> = standing.risks.iter().map(String::as_str).collect();
        format!(
            "{} {category} {stop} {}({}) {} {} {:?}",
            ledger.holder_name(*holder),
            standing.entity,
            standing.key,
            standing.confidence,
            risks.join("+"),
            standing.claims
        )
    };
    standings.holders.iter().map(one).collect()
}

#[test]
fn a_holder_stands_where_its_worst_risk_or_its_surest_service_puts_it() {
    let csv = "address,label,category,abuse,actor,confidence\n\
        hot,Big Ex 1,exchange,,bigex,service_data\nhot,On the list,,sanction,,web_crawl\nhot,Big,gambling,,,web_crawl\n\
        casino,Dice.com,gambling,,,forensic\ncasino,Dice,exchange,,,heuristic\n\
        thief,T,user,service_hack,,\nthief,T2,,scam,,forensic\n\
        equal,E,exchange,,,forensic\nequal,F,service,,,forensic\n\
        pool,P,defi_dex,,,\nplain,Jo-Ann,user,,,\nminer,M,miner,,,\nodd,O,,exchange,,\njoin,W,coinjoin,,,\n";
    assert_eq!(
        stands(csv, &["hot", "casino", "thief", "equal", "pool", "plain", "miner", "odd", "join", "nobody"]),
        [
            "hot sanctioned service bigex(bigex) 50 sanctioned [0, 1, 2]",
            "casino gambling service Dice.com(dicecom) 50  [3, 4]",
            "thief theft - T2(t2) 50 scam+theft [5, 6]",
            "equal exchange service E(e) 50  [7, 8]",
            "pool - conduit P(p) 5  [9]",
            "plain - - Jo-Ann(joann) 5  [10]",
            "miner mined - M(m) 5  [11]",
            "odd - - O(o) 5  [12]",
            "join coinjoin mixer W(w) 5 mixing [13]",
        ]
    );
}

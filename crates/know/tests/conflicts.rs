//! Contradictions: told with both sides, found on the ledgers where they are any, and never made of one claim.

use know::{Claim, Rules, Stops, from_csv};

/// One line each: `kind about: says confidence [claims] | …`.
fn check(csv: &str, want: &[&str]) {
    let claims: Vec<Claim> = from_csv(csv.as_bytes(), "p", &Rules::default()).unwrap();
    let conflicts = Stops::default().conflicts(&claims);
    let shown = conflicts.iter().map(|conflict| {
        let side = |side: &know::Side| format!("{} {} {:?}", side.says, side.confidence, side.claims);
        let sides: Vec<String> = conflict.sides.iter().map(side).collect();
        format!("{} {}: {}", conflict.kind.as_str(), conflict.about, sides.join(" | "))
    });
    assert_eq!(shown.collect::<Vec<_>>(), want, "{csv}");
}

#[test]
fn two_claims_that_cannot_both_be_true() {
    check(
        "address,label,actor,category,confidence\na,A,one,exchange,forensic\na,B,two,exchange,web_crawl\na,C,two,exchange,\n",
        &["actors a: one 50 [0] | two 20 [1, 2]"],
    );
    check("address,label,category\na,Big Ex 1,exchange\na,big-ex 2,exchange\na,Big Ex hot wallet,exchange\n", &[]);
    check("address,label,category\na,Big Ex,exchange\na,Other,exchange\n", &["names a: bigex 5 [0] | other 5 [1]"]);
    check("address,label,category\na,M,mixer\na,M,exchange\n", &["stops a: service 5 [1] | mixer 5 [0]"]);
    check(
        "address,label,category,abuse\na,M,exchange,\na,N,,scam\na,O,user,theft\n",
        &["service-abuse a: scam 5 [1] | service 5 [0] | theft 5 [2]"],
    );
}

#[test]
fn one_claim_contradicts_nobody_and_ledgers_are_apart() {
    check("address,label,category,abuse\na,M,exchange,sanction\n", &[]);
    check("address,label,category,abuse\na,M,dark_market,\na,M,exchange,\n", &[]);
    let address = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2";
    check(&format!("address,label,actor,currency\n{address},A,one,BTC\n{address},B,two,BCH\n"), &[]);
    check(
        &format!("address,label,actor,currency\n{address},A,one,BTC\n{address},B,two,BCH\n{address},C,three,\n"),
        &[&format!("actors {address}: one 5 [0] | three 5 [2]"), &format!("actors {address}: three 5 [2] | two 5 [1]")],
    );
    let (upper, lower) = ("0x098B716B8Aaf21512996dC57EB0615e2383E2f96", "0x098b716b8aaf21512996dc57eb0615e2383e2f96");
    check(
        &format!("address,label,actor,currency\n{upper},A,one,ETH\n{lower},B,two,USDT\n"),
        &[&format!("actors {lower}: one 5 [0] | two 5 [1]")],
    );
}

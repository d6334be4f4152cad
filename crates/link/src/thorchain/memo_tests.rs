//! Memos of the documentation and of real payments.

use proptest::prelude::*;

use super::*;

const TX: &str = "65A75EE7D50DD30A9A401678E8582441DFCC43C2F0F4B9EC9CB1123A64F6E3DC";

fn swap_of(text: &str) -> Swap {
    match Memo::parse(text) {
        Some(Memo::Swap(swap)) => swap,
        other => panic!("{text}: {other:?}"),
    }
}

/// `ASSET|DEST|REFUND|LIM|INTERVAL|QUANTITY|AFFILIATES|AGGREGATOR`, and whether it is a limit swap.
fn told(swap: &Swap) -> String {
    let affiliates: Vec<String> = swap.affiliates.iter().map(|(name, points)| format!("{name}={points}")).collect();
    let limit = swap.limit.map_or_else(|| "-".to_owned(), |limit| limit.to_string());
    format!(
        "{}{} {} {} {limit} {}/{} {} {}",
        if swap.limit_order { "limit " } else { "" },
        swap.asset,
        swap.destination,
        swap.refund.as_deref().unwrap_or("-"),
        swap.interval,
        swap.quantity,
        affiliates.join(","),
        swap.aggregator.as_deref().unwrap_or("-"),
    )
}

#[test]
fn swaps_as_the_documentation_and_the_chain_have_them() {
    let eth = "0xe6a30f4f3bad978910e2cbb4d97581f5b5a0ade0";
    let cases = [
        (format!("SWAP:ETH.ETH:{eth}"), format!("ETH.ETH {eth} - - 0/0  -")),
        (format!("SWAP:ETH.ETH:{eth}:10000000/3/0:t:10"), format!("ETH.ETH {eth} - 10000000 3/0 t=10 -")),
        (format!("s:ETH.ETH:{eth}:1e6/3/0:t:10"), format!("ETH.ETH {eth} - 1000000 3/0 t=10 -")),
        (format!("=:b:bc1q/{eth}"), format!("BTC.BTC bc1q {eth} - 0/0  -")),
        ("=:r:thor1el4:19779138111".into(), "THOR.RUNE thor1el4 - 19779138111 0/0  -".into()),
        ("=:BTC~BTC:thor1g6:1e6/1/0:dx:10".into(), "BTC~BTC thor1g6 - 1000000 1/0 dx=10 -".into()),
        ("=:BTC-BTC:thor1g6".into(), "BTC-BTC thor1g6 - - 0/0  -".into()),
        ("=:e:0x30::t1/t2/t3/t4/t5:10".into(), "ETH.ETH 0x30 - - 0/0 t1=10,t2=10,t3=10,t4=10,t5=10 -".into()),
        ("=:e:0x30::t1/dx/ss:10/20/30".into(), "ETH.ETH 0x30 - - 0/0 t1=10,dx=20,ss=30 -".into()),
        // Both from recorded blocks.
        ("=:e:sthor1v8:3091141304/0/20:sto/uws:0/1".into(), "ETH.ETH sthor1v8 - 3091141304 0/20 sto=0,uws=1 -".into()),
        ("=:r:thor1l5:181401823033:sto:0".into(), "THOR.RUNE thor1l5 - 181401823033 0/0 sto=0 -".into()),
        ("=<:BTC.BTC:bc1q:5e7/100/1".into(), "limit BTC.BTC bc1q - 50000000 100/1  -".into()),
        ("=:ETH.USDC-06EB48:dx::::ba:B48:1".into(), "ETH.USDC-06EB48 dx - - 0/0  ba".into()),
        ("=:b:bc1q:|what the wallet added: x".into(), "BTC.BTC bc1q - - 0/0  -".into()),
        // Fields that cannot be read are left out.
        ("=:b:bc1q:many/x/y:t:20000".into(), "BTC.BTC bc1q - - 0/0 t=0 -".into()),
        ("=:b".into(), "BTC.BTC  - - 0/0  -".into()),
    ];
    for (memo, want) in cases {
        assert_eq!(told(&swap_of(&memo)), want, "{memo}");
    }
    assert_eq!(swap_of("=:e:0x30::t1/t2:9000/9000").affiliate_basis_points(), BASIS_POINTS_ONE);
}

#[test]
fn everything_else() {
    let lower = TX.to_lowercase();
    let cases: [(String, Option<Memo>); 18] = [
        (format!("OUT:{TX}"), Some(Memo::Out(lower.clone()))),
        (format!("out:0x{TX}"), Some(Memo::Out(lower.clone()))),
        (format!("REFUND:{TX}"), Some(Memo::Refund(lower.clone()))),
        (format!("OUT:{TX}|x"), Some(Memo::Out(lower.clone()))),
        (format!("OUT:{}", &TX[1..]), None),
        ("OUT:".into(), None),
        (
            "+:BTC.BTC:thor1".into(),
            Some(Memo::Add { asset: Asset::parse("b").unwrap(), address: Some("thor1".into()) }),
        ),
        ("ADD:BTC/BTC".into(), Some(Memo::Add { asset: Asset::parse("BTC/BTC").unwrap(), address: None })),
        ("wd:e:5000".into(), Some(Memo::Withdraw { asset: Asset::parse("e").unwrap(), basis_points: Some(5_000) })),
        ("-:e:50000".into(), Some(Memo::Withdraw { asset: Asset::parse("e").unwrap(), basis_points: None })),
        ("MIGRATE:123".into(), Some(Memo::Migrate(Some(123)))),
        ("DONATE:BTC.BTC".into(), Some(Memo::Donate(Asset::parse("b")))),
        (
            "REFERENCE:BTC.BTC:=:e:0x30:1/0/20".into(),
            Some(Memo::Register { asset: Asset::parse("b").unwrap(), memo: "=:e:0x30:1/0/20".into() }),
        ),
        ("reference:BTC.BTC:".into(), None),
        ("r:00042".into(), Some(Memo::Reference("00042".into()))),
        ("r:".into(), None),
        ("noop".into(), Some(Memo::Other("noop"))),
        ("hello: world".into(), None),
    ];
    for (memo, want) in cases {
        assert_eq!(Memo::parse(&memo), want, "{memo}");
    }
    assert_eq!(Memo::parse(&format!("OUT:{TX}")).unwrap().answers(), Some((lower.as_str(), false)));
    assert_eq!(Memo::parse(&"=".repeat(MEMO_BYTES_MAX + 1)), None);
}

#[test]
fn numbers_in_scientific_notation_are_exact() {
    let cases = [
        ("161e6", Some(161_000_000)),
        ("1.5e3", Some(1_500)),
        ("1.2345e2", Some(123)),
        ("0e99", Some(0)),
        ("1e38", Some(10u128.pow(38))),
        ("9e38", None),
        ("1e4000000000", None),
        ("-1", None),
        ("", None),
        ("1e", None),
        (".5", None),
    ];
    for (text, want) in cases {
        assert_eq!(number(text), want, "{text}");
    }
}

#[test]
fn a_memo_in_a_script() {
    let script = |bytes: &[u8]| Memo::of_script(bytes);
    let out = format!("OUT:{TX}");
    let want = Some(Memo::Out(TX.to_lowercase()));
    assert_eq!(script(&[&[0x6a, 68], out.as_bytes()].concat()), want);
    assert_eq!(script(&[&[0x6a, 0x4c, 68], out.as_bytes()].concat()), want);
    assert_eq!(script(&[&[0x6a, 4], &out.as_bytes()[..4], &[0x4d, 64, 0], &out.as_bytes()[4..]].concat()), want);
    for bad in [&[][..], &[0x6a], &[0x6a, 5, b'x'], &[0x6a, 0x4d, 1], &[0x51, 1, b's'], &[0x6a, 0x51], &[0x6a, 1, 0xff]]
    {
        assert_eq!(pushed_text(bad), None, "{bad:?}");
    }
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in "(=|s|OUT|r|=<|\\+)?(:[a-zA-Z0-9./~-]{0,9}){0,10}\\PC{0,20}") {
        if let Some(Memo::Swap(swap)) = Memo::parse(&text) {
            prop_assert!(swap.affiliates.len() <= AFFILIATES_MAX);
            prop_assert!(swap.affiliate_basis_points() <= BASIS_POINTS_ONE);
        }
    }

    #[test]
    fn no_script_is_too_odd(script in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = Memo::of_script(&script);
        let _ = Memo::of_script(&[&[0x6a], &script[..]].concat());
    }
}

//! Claims in and out: CSV, sanctioned wallets, and the text that the book keeps.

use know::{Claim, PackHash, Rules, Scope, from_csv, from_line, from_ndjson, from_wallet_list, merged, to_ndjson};
use ledger::{LedgerId, Time};
use proptest::prelude::*;

const OFAC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/sanctions/ofac_crypto_merged.csv");

fn check_csv(csv: &str, want: &str) {
    let got = from_csv(csv.as_bytes(), "p", &Rules::default()).map_or_else(
        |fault| fault.to_string(),
        |claims| to_ndjson(&claims).lines().skip(1).collect::<Vec<_>>().join("\n"),
    );
    assert_eq!(got, want, "{csv}");
}

#[test]
fn tags_come_from_a_plain_table() {
    check_csv(
        "address,label,category\nacct-1,Big Exchange,exchange\n",
        r#"{"address":"acct-1","label":"Big Exchange","categories":["exchange"],"pack":"p"}"#,
    );
    check_csv(
        "\u{feff}Label,Address,source,ledger,abuse,confidence,date,actor\r\n\"A, B\",x,https://example.org,table:t,scam,\
         forensic,2022-01-02,ab\r\n",
        r#"{"address":"x","ledger":"table:t","label":"A, B","abuse":"scam","actor":"ab","source":"https://example.org","confidence":"forensic","date":"2022-01-02T00:00:00Z","pack":"p"}"#,
    );
    check_csv("address,label,category\n", "");
}

#[test]
fn what_is_wrong_in_a_table_has_its_line_and_column() {
    check_csv("", "1: there is no column address; start with a header such as address,label");
    check_csv("address,category\n", "1: there is no column label; start with a header such as address,label");
    check_csv("address,label,label\n", "1: the column label stands here twice; keep one");
    check_csv(
        "address,label,catagory\n",
        "1: unknown column \"catagory\"; known columns: address, label, category, source, currency, ledger, abuse, actor, \
         confidence, date",
    );
    check_csv("address,label\na,b\n,c\n", "3:address: there is nothing here; fill it, or remove the row");
    check_csv(
        "address,label\na\n",
        "2: this row has 1 fields, the header has 2; add or remove commas; a field with a comma in it stands in double \
         quotes",
    );
    check_csv(
        "address,label\n1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb,x\n",
        "2:address: \"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb\": the Base58 checksum is wrong: a character was mistyped or \
         lost; copy the address again, in full",
    );
    check_csv(
        "address,label,ledger\nx,y,ethereum\n",
        "2:address: \"x\": this is not an address of 40 hexadecimal digits after 0x; copy the address again, in full",
    );
    check_csv(
        "address,label,ledger,currency\nx,y,ethereum,ETH\n",
        "2:ledger: a currency and a ledger; give one of the two",
    );
    check_csv(
        "address,label,confidence\nx,y,very\n",
        "2:confidence: \"very\" is no confidence; write one of authority_data, forensic, heuristic, ledger_immanent, manual_transaction, \
         override, ownership, service_api, service_data, trusted_provider, unknown, untrusted_transaction, web_crawl, or \
         nothing",
    );
    check_csv(
        "address,label,date\nx,y,yesterday\n",
        "2:date: \"yesterday\": the time is not RFC 3339, such as 2022-03-23T13:29:00Z or 2022-03-23; write such a time, \
         or nothing",
    );
    let fault = from_csv(b"address,label\nx,\xff\n", "p", &Rules::default()).unwrap_err();
    assert_eq!(fault.to_string(), "2:3: not UTF-8 (byte 0xff); save the file as UTF-8");
}

#[test]
fn sanctioned_wallets_are_risks_from_an_authority() {
    let csv = "asset,address,sdn_uid,sdn_name\nXBT,abc,1,Some Body\nETH,def,,\n";
    let claims = from_wallet_list(csv.as_bytes(), "ofac").unwrap();
    assert_eq!(claims[0].scope, Scope::Currency("BTC".into()));
    assert_eq!(claims[0].source.as_deref(), Some("OFAC SDN 1"));
    assert_eq!((&*claims[1].label, claims[1].abuse.as_deref()), ("listed by OFAC", Some("sanction")));
    match std::fs::read(OFAC) {
        Ok(bytes) => assert_eq!(from_wallet_list(&bytes, "ofac").unwrap().len(), 758),
        Err(_) => eprintln!("SKIPPED: {OFAC} is not here"),
    }
}

#[test]
fn kept_claims_that_are_damaged_are_faults() {
    let head = "{\"schema\":\"tracehound/tags/1\"}\n";
    let damaged = "the file is damaged or from a later version; import the tags again";
    for (text, want) in [
        (String::new(), format!("1: the first line does not name the schema tracehound/tags/2; {damaged}")),
        ("{}\n".into(), format!("1: the first line does not name the schema tracehound/tags/2; {damaged}")),
        (
            format!("{head}{{\"address\":\"a\",\"label\":\"b\",\"pack\":\"p\",\"zoo\":1}}\n"),
            format!(
                "2:43: not a tag: unknown field `zoo`, expected one of `address`, `currency`, `ledger`, `label`, \
                 `categories`, `abuse`, `actor`, `source`, `confidence`, `date`, `pack`, `pack_hash`; {damaged}"
            ),
        ),
        (
            format!(
                "{head}{{\"address\":\"a\",\"label\":\"b\",\"pack\":\"p\",\"currency\":\"X\",\"ledger\":\"a:b\"}}\n"
            ),
            format!("2: a tag has a currency or a ledger, not both; {damaged}"),
        ),
        (
            format!("{head}{{\"address\":\"a\",\"label\":\"b\",\"pack\":\"p\",\"categories\":[\"b\",\"a\"]}}\n"),
            format!("2: the categories are not in order; {damaged}"),
        ),
    ] {
        assert_eq!(from_ndjson(text.as_bytes()).unwrap_err().to_string(), want, "{text}");
    }
    assert_eq!(from_ndjson(head.as_bytes()).unwrap(), []);
    let two = [head, r#"{"address":"b","label":"l","pack":"p"}"#, "\n", r#"{"address":"a","label":"l","pack":"p"}"#];
    let fault = from_ndjson(two.concat().as_bytes()).unwrap_err();
    assert_eq!(fault.to_string(), format!("3: the tags are not in order; {damaged}"));
}

fn claims() -> impl Strategy<Value = Vec<Claim>> {
    let text = "[a-c\"\\\\\n é]{0,4}";
    let scope = prop_oneof![
        Just(Scope::Anywhere),
        "[A-Z]{1,4}".prop_map(|text| Scope::Currency(text.into())),
        Just(Scope::Ledger(LedgerId::parse("ethereum").unwrap())),
    ];
    let some = || prop::option::of(text);
    let claim =
        (text, scope, text, prop::collection::vec("[a-c]{1,2}", 0..3), some(), some(), some(), some(), any::<i32>());
    let claim = claim.prop_map(|(address, scope, label, categories, abuse, actor, source, confidence, seconds)| {
        let mut claim = Claim::new(address, label, "p");
        claim.scope = scope;
        let some = |text: Option<String>| text.map(know::Text::from);
        (claim.abuse, claim.actor, claim.source, claim.confidence) =
            (some(abuse), some(actor), some(source), some(confidence));
        for category in categories {
            claim.add_category(category);
        }
        claim.date = Time::from_seconds(seconds.into()).filter(|_| seconds > 0);
        claim
    });
    prop::collection::vec(claim, 0..12)
}

#[test]
fn a_pack_that_is_read_again_gives_its_claims_the_newer_version_and_no_twins() {
    let claim =
        |label: &str, version: &[u8]| Claim { pack_hash: Some(PackHash::of(version)), ..Claim::new("a", label, "p") };
    let before = merged(vec![claim("one", b"1"), claim("two", b"1")], []);
    let after = merged(before.clone(), [claim("two", b"2"), claim("three", b"2"), claim("two", b"2")]);
    let shown = |claims: &[Claim]| {
        let version = |claim: &Claim| if claim.pack_hash == Some(PackHash::of(b"1")) { 1 } else { 2 };
        claims.iter().map(|claim| format!("{} {}", claim.label, version(claim))).collect::<Vec<_>>()
    };
    assert_eq!(shown(&after), ["one 1", "three 2", "two 2"]);
    let kept = to_ndjson(&after);
    assert_eq!(from_ndjson(kept.as_bytes()).unwrap(), after);
    let lines: Vec<Claim> = kept.lines().skip(1).map(|line| from_line(line.as_bytes()).unwrap()).collect();
    assert_eq!(lines, after, "the claim of place n stands in line n + 2");
    assert_eq!(merged(after.clone(), before.clone()).len(), 3);
    let old = "{\"schema\":\"tracehound/tags/1\"}\n{\"address\":\"a\",\"label\":\"one\",\"pack\":\"p\"}\n";
    let old = from_ndjson(old.as_bytes()).unwrap();
    assert_eq!(old, [Claim::new("a", "one", "p")], "files from before are read");
    assert_eq!(shown(&merged(old, [claim("one", b"1")])), ["one 1"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Kept and read again, claims are the same; their order and doubles change no byte.
    #[test]
    fn kept_claims_are_the_same_bytes_whatever_their_order(list in claims(), turn in 0usize..12) {
        let kept = to_ndjson(&list);
        let read = from_ndjson(kept.as_bytes()).unwrap();
        prop_assert_eq!(&read, &merged(list.clone(), []));
        let mut other = list.clone();
        other.rotate_left(turn.min(list.len()));
        other.extend(list.iter().take(3).cloned());
        prop_assert_eq!(to_ndjson(&other), kept);
    }

    /// Whatever is read, the answer is claims or a fault.
    #[test]
    fn no_bytes_make_a_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        rows in prop::collection::vec("[a-z,\"\n#{}: \u{feff}é]{0,30}", 0..5),
    ) {
        for head in ["", "address,label,currency,ledger,date\n", "asset,address\n", "{\"schema\":\"tracehound/tags/1\"}\n"] {
            for body in [bytes.clone(), rows.join("\n").into_bytes()] {
                let text = [head.as_bytes(), &body].concat();
                let _ = from_csv(&text, "p", &Rules::default());
                let _ = from_wallet_list(&text, "p");
                let _ = from_ndjson(&text[..]);
                let _ = from_line(&body);
                let _ = Rules::default().overridden_by(&text);
            }
        }
    }
}

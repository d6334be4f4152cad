//! Lines that are read and written, and what is wrong with those that are not.

use super::*;

const TXID: &str = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";

#[test]
fn every_target_is_read_as_it_is_written() {
    for text in [
        format!("co-spend:{TXID}"),
        format!("change:{TXID}"),
        "wrap:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa".to_owned(),
        "wrap:script:51".to_owned(),
        TXID.to_owned(),
        "co-spend".to_owned(),
        "change".to_owned(),
        "wrap".to_owned(),
    ] {
        assert_eq!(Target::parse(&text).unwrap().text(), Some(text));
    }
    let upper = Target::parse(&format!(" co-spend:{} ", TXID.to_uppercase())).unwrap();
    assert_eq!(upper, Target::CoSpend(TXID.to_owned()));
    for bad in
        ["", "co-spend:", "wrap:", "wrap:a\u{7}", "spend", "change:12", "spend:12", &TXID[1..], &"x".repeat(10_000)]
    {
        let error = Target::parse(bad).unwrap_err().to_string();
        assert!(error.contains("names no evidence; write co-spend:TXID") && error.len() < 400, "{error}");
    }
}

#[test]
fn lines_come_back_as_they_were_written() {
    let text = format!(
        "{}\n{}\n",
        format_args!(
            r#"{{"order":"retract","target":"change:{TXID}","date":"2026-11-20","by":"J. Doe","reason":"a \"payment\""}}"#
        ),
        r#"{"order":"cannot-link","holders":["A","B"],"date":"","by":"","reason":""}"#,
    );
    let rulings = Rulings::parse(&text).unwrap();
    assert_eq!(rulings.text(), text);
    assert_eq!(rulings.list()[1].target, Target::Pair("A".into(), "B".into()));
    assert_eq!(Rulings::parse(&format!("\n{text}\n  \n")).unwrap(), rulings);
}

#[test]
fn a_line_that_is_wrong_is_named_by_its_number() {
    let rest = r#""date":"","by":"","reason":"""#;
    for (line, what) in [
        (format!(r#"{{"order":"retract","target":"x",{rest}}}"#), "\"x\" names no evidence"),
        (format!(r#"{{"order":"retract","holders":["A","B"],{rest}}}"#), "needs \"target\""),
        (format!(r#"{{"order":"may-link","target":"{TXID}",{rest}}}"#), "needs \"holders\""),
        (format!(r#"{{"order":"may-link","holders":["A","A"],{rest}}}"#), "two different addresses"),
        (format!(r#"{{"order":"may-link","holders":["A"],{rest}}}"#), "invalid length 1"),
        (format!(r#"{{"order":"undo","target":"{TXID}",{rest}}}"#), "unknown variant"),
        (format!(r#"{{"order":"retract","target":"{TXID}","why":"",{rest}}}"#), "unknown field `why`"),
        (r#"{"order":"retract"}"#.to_owned(), "missing field `date`"),
        ("retract".to_owned(), "expected value"),
        (format!(r#"{{"order":"retract","target":"{}",{rest}}}"#, "x".repeat(RULING_BYTES_MAX)), "at most 16384 bytes"),
    ] {
        let error = Rulings::parse(&format!("\n{line}")).unwrap_err().to_string();
        assert!(error.starts_with("line 2: ") && error.contains(what), "{error}");
    }
}

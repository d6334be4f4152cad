//! Links as text: there and back, and what is refused where.

use super::*;

const HEAD: &str = "{\"schema\":\"tracehound/links/1\"}\n";

fn example() -> String {
    let (one, two) = ("11".repeat(32), "22".repeat(32));
    format!(
        r#"{{"protocol":"p","class":"deterministic","from":{{"ledger":"eip155:1","tx":"0x{one}","asset":"ETH","units":"5"}},"to":{{"ledger":"bitcoin","tx":"{two}","index":1,"asset":"BTC","units":"4"}}}}"#
    )
}

fn read(line: &str) -> Result<Vec<Kept>, String> {
    from_ndjson(format!("{HEAD}{line}\n").as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn what_was_written_is_read_and_the_id_is_the_links_own() {
    let mut kept = read(&example()).unwrap();
    let id = kept[0].claim.id();
    kept[0].withdrawn = Some("wrong".into());
    kept[0].claim.probability = Portion::parse("0.25").unwrap();
    kept[0].claim.class = Class::Candidates(4);
    kept[0].claim.from.time = Some(Time::parse("2022-01-01").unwrap());
    assert_eq!(kept[0].claim.id(), id, "how sure it is says nothing of which link it is");
    let mut out = Vec::new();
    write_ndjson(&kept, &mut out).unwrap();
    assert_eq!(from_ndjson(out.as_slice()).unwrap(), kept);
}

#[test]
fn what_is_wrong_is_named_with_line_and_field() {
    let cases = [
        (r#""class":"deterministic""#, r#""class":"sure""#, "2:class: \"sure\" is no class; write deterministic"),
        (r#""class":"deterministic""#, r#""class":"unique-candidate""#, "2:probability: the probability is missing"),
        (r#""class":"deterministic""#, r#""class":"candidates","probability":"0.5""#, "2:candidates: the number"),
        (r#""units":"5""#, r#""units":"-5""#, "2:from.units: \"-5\" is no number of base units"),
        (r#""units":"5""#, r#""units":"5e3""#, "2:from.units: \"5e3\""),
        (r#""units":"5""#, r#""units":"100000000000000000000000000000000000000""#, "2:from.units: "),
        ("eip155:1", "nowhere", "2:from.ledger: \"nowhere\" is not a ledger id"),
        ("0x1111", "0x111", "2:from.tx: "),
        (r#""asset":"BTC""#, r#""asset":"BTC","holder":"1Bad""#, "2:to.holder: \"1Bad\": "),
        (r#""protocol":"p""#, r#""protocol":"p","share":"0""#, "2:share: \"0\" is no portion"),
        (r#""protocol":"p""#, r#""protocol":"p","id":"link-0""#, "2:id: the id is not that of this link"),
        (r#""protocol":"p""#, r#""protocol":"p","sahre":"1""#, "2:23: not a link: unknown field `sahre`"),
        (r#""protocol":"p","#, "", "not a link: missing field `protocol`"),
    ];
    for (old, new, want) in cases {
        let bad = example().replacen(old, new, 1);
        assert_ne!(bad, example(), "{old}");
        let said = read(&bad).unwrap_err();
        assert!(said.contains(want), "{said}\n{want}");
    }
    let same = example().replace("bitcoin", "eip155:1").replace(&"22".repeat(32), &format!("0x{}", "11".repeat(32)));
    assert!(read(&same.replace(r#""index":1,"#, "")).unwrap_err().contains("2:to: both sides are the same movement"));
    let headless = from_ndjson(example().as_bytes()).unwrap_err().to_string();
    assert!(headless.starts_with("1: the first line does not name the schema"), "{headless}");
}

#[test]
fn a_withdrawn_link_stays_withdrawn_unless_it_is_wanted_again() {
    let found = read(&example()).unwrap();
    let mut withdrawn = found.clone();
    withdrawn[0].withdrawn = Some(String::new());
    assert_eq!(merged(withdrawn.clone(), found.clone(), false), withdrawn);
    assert_eq!(merged(withdrawn, found.clone(), true), found);
    assert_eq!(merged(found.clone(), found.clone(), false), found, "found twice is found once");
}

//! Incident files as people write them, and the one line that each mistake gets.

use incident::{Incident, Stolen};

const GENESIS: &str = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";

/// A whole file in the documented shape.
const WHOLE: &str = r#"
incident: ronin-2022
title: Ronin bridge theft
victim: {name: Ronin Network, kind: bridge, country: VN}
occurred: 2022-03
discovered: 2022-03-29
status: taken
losses:
  - ledger: ethereum
    asset: ETH
    amount: 173600.50
    stolen:
      - tx: "0xc28f"
        to: "0x098B716B8Aaf21512996dC57EB0615e2383E2f96"
        amount: 12
      - {address: "0x098b716b8aaf21512996dc57eb0615e2383e2f96", from: 2022-03-23, until: 2022-03-24}
  - ledger: bitcoin
    asset: BTC
    stolen:
      - output: "4A5E1E4BAAB89F3A32518A88C31BC87F618F76673E2CC77AB2127B7AFDEDA33B:0"
recovered: [{asset: ETH, amount: "0", date: 2023-09-01, source: "https://example.org"}]
frozen: []
reported:
  - {usd: "620000000", by: FBI, date: 2022-04-14, source: "https://example.org"}
claims:
  - {actor: lazarus-group, by: FBI, date: 2022-04-14, source: "https://example.org", confidence: confirmed}
notes: |
  Two lines,
  "quoted".
"#;

fn check(yaml: &str, want: &str) {
    let got = Incident::parse(yaml).map_or_else(|fault| fault.in_file("i.yaml"), |incident| incident.to_yaml());
    assert_eq!(got, want, "{yaml}");
}

/// The fault of a file with one loss whose only start is `start`.
fn check_start(ledger: &str, start: &str, want: &str) {
    let yaml = format!("incident: a\nlosses:\n- ledger: {ledger}\n  asset: X\n  stolen:\n  - {start}\n");
    let got = Incident::parse(&yaml)
        .map_or_else(|fault| fault.to_string(), |incident| format!("{:?}", incident.losses[0].stolen[0].value));
    assert_eq!(got, want, "{start}");
}

/// The fault of a file that has `line` besides the two keys that it needs.
fn check_line(line: &str, want: &str) {
    let yaml = format!("incident: a\nlosses: []\n{line}\n");
    let got = Incident::parse(&yaml).map_or_else(|fault| fault.to_string(), |_| "good".to_owned());
    assert_eq!(got, want, "{line}");
}

#[test]
fn a_whole_file_is_read_and_written_back() {
    let incident = Incident::parse(WHOLE).unwrap();
    let written = incident.to_yaml();
    assert_eq!(
        written,
        r#"incident: ronin-2022
title: "Ronin bridge theft"
victim: {name: "Ronin Network", kind: bridge, country: "VN"}
occurred: 2022-03
discovered: 2022-03-29
status: taken
losses:
  - ledger: eip155:1
    asset: "ETH"
    amount: "173600.5"
    stolen:
      - {tx: "0xc28f", to: "0x098b716b8aaf21512996dc57eb0615e2383e2f96", amount: "12"}
      - {address: "0x098b716b8aaf21512996dc57eb0615e2383e2f96", from: "2022-03-23T00:00:00Z", until: "2022-03-24T00:00:00Z"}
  - ledger: bip122:000000000019d6689c085ae165831e93
    asset: "BTC"
    stolen:
      - {output: "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b:0"}
recovered:
  - {asset: "ETH", amount: "0", date: 2023-09-01, source: "https://example.org"}
reported:
  - {usd: "620000000", by: "FBI", date: 2022-04-14, source: "https://example.org"}
claims:
  - {actor: "lazarus-group", by: "FBI", date: 2022-04-14, source: "https://example.org", confidence: "confirmed"}
notes: "Two lines,\n\"quoted\"."
"#
    );
    check(&written, &written);
    let place = incident.losses[0].stolen[1].place;
    assert_eq!((place.line, place.column), (16, 9), "a start knows where it stands");
}

#[test]
fn an_id_and_losses_are_enough() {
    check("incident: a-1\nlosses: []\n", "incident: a-1\nlosses: []\n");
    check("losses: []\n", "i.yaml:1:1: there is no \"incident\" here; add `incident: …`");
    check("incident: a\n", "i.yaml:1:1: there is no \"losses\" here; add `losses: …`");
    check("", "i.yaml: the file is empty; give a YAML file with content");
    check("- a\n", "i.yaml:1:1: expected `key: value` entries, found a list");
}

#[test]
fn hostile_texts_survive_the_round_trip() {
    let yaml = "incident: a\nlosses: []\nnotes: \"\\u0007 \\u2028 \\\\ ' # {x: [y]} \\xe9 \\U0001F600\"\n";
    let once = Incident::parse(yaml).unwrap();
    let twice = Incident::parse(once.to_yaml()).unwrap();
    assert_eq!(once.notes.as_deref(), Some("\u{7} \u{2028} \\ ' # {x: [y]} é 😀"));
    assert_eq!(once.notes, twice.notes);
}

#[test]
fn a_mistyped_key_is_named_with_what_it_was_meant_to_be() {
    let known = "known here: incident, title, victim, occurred, discovered, status, losses, recovered, frozen, reported, \
                 claims, notes";
    check_line("tilte: x", &format!("3:1: an incident has no key \"tilte\"; did you mean `title`? {known}"));
    check_line("zebra: x", &format!("3:1: an incident has no key \"zebra\"; {known}"));
    check_line("status: taken\nstatus: taken", "4:1: the key \"status\" stands here twice; keep one");
    check_line(
        "victim: {name: x, contry: VN}",
        "3:19: a victim has no key \"contry\"; did you mean `country`? known here: name, kind, country",
    );
}

#[test]
fn closed_lists_of_words_are_listed() {
    check_line("status: stolen", "3:9: \"stolen\" is no status; write one of: attempted, taken");
    check_line(
        "victim: {name: x, kind: casino}",
        "3:25: \"casino\" is no kind of victim; write one of: exchange, bank, bridge, miner, wallet, person, other",
    );
    check_line("victim: {kind: bank}", "3:9: there is no \"name\" here; add `name: …`");
    for good in ["status: attempted", "victim: {name: x, country: NO}", "occurred: 2019-02", "occurred:", "frozen: ~"] {
        check_line(good, "good");
    }
}

#[test]
fn forms_are_checked_where_they_stand() {
    let id = "write up to 64 lower-case letters, digits and hyphens, such as ronin-2022";
    for bad in ["Ronin", "a b", "-a", "a-", "a_b", &"a".repeat(65)] {
        let got = Incident::parse(format!("incident: {bad}\nlosses: []\n")).unwrap_err();
        assert_eq!((got.line, got.help.as_str()), (1, id), "{bad}");
    }
    let country = "write the two capital letters of ISO 3166, such as VN";
    check_line("victim: {name: x, country: vn}", &format!("3:28: \"vn\" is no country code; {country}"));
    check_line("victim: {name: x, country: VNM}", &format!("3:28: \"VNM\" is no country code; {country}"));
    let date = "write a date such as 2022-03-23, or a month such as 2022-03";
    for bad in ["2022", "2022-02-30", "Dec 2015", "2022-03-23T10:00:00Z"] {
        check_line(&format!("occurred: {bad}"), &format!("3:11: occurred: {bad:?} is no date; {date}"));
    }
    check_line(
        "occurred: 2022-03-24\ndiscovered: 2022-03-23",
        "4:13: discovered on 2022-03-23, before it occurred on 2022-03-24; correct one of the two dates",
    );
    check_line("occurred: 2022-03\ndiscovered: 2022-03-01", "good");
    check_line("claims: [{actor: x, by: y}]", "3:10: there is no \"source\" here; add `source: …`");
    check_line("reported: [{by: y}]", "3:12: there is no \"usd\" here; add `usd: …`");
    check_line("title: {a: b}", "3:8: expected text, found a map; write a single value here");
    check_line("title: ''", "3:8: there is nothing here; write a value, or leave the key out");
}

#[test]
fn amounts_are_read_from_their_digits_and_never_as_floats() {
    let usd = |text: &str| format!("reported: [{{by: y, usd: {text}}}]");
    for good in ["12", "'12'", "12.50", "0.000000000000000001", "12345678901234567890.123456789012345678"] {
        check_line(&usd(good), "good");
    }
    for (bad, want) in [
        ("-1", "is negative; a loss is written without a sign"),
        ("1e5", "is in scientific notation; write all its digits, such as 0.00001"),
        (".inf", "is not a plain decimal number; write digits with at most one point, such as 12.50"),
        ("0x10", "is not a plain decimal number; write digits with at most one point, such as 12.50"),
        ("70+", "is not a plain decimal number; write digits with at most one point, such as 12.50"),
        ("\"1,000\"", "is not a plain decimal number; write digits with at most one point, such as 12.50"),
        ("1e999999999", "is in scientific notation; write all its digits, such as 0.00001"),
        (
            "1234567890123456789012345678901234567890",
            "is larger than any purse can hold; give it in the asset's own unit",
        ),
    ] {
        check_line(&usd(bad), &format!("3:25: usd: {:?} {want}", bad.trim_matches('"')));
    }
}

#[test]
fn a_start_names_exactly_one_thing() {
    let one = "give exactly one of: tx, output, address";
    check_start("table:t", "{to: x}", &format!("6:5: this start names nothing; {one}"));
    check_start("table:t", "{tx: a, address: b}", &format!("6:5: this start names tx and address; {one}"));
    check_start("table:t", "{tx: a, from: 2022-01-01}", "6:19: `from` does not go with `tx`; it goes with `address`");
    check_start("table:t", "{address: a, to: b}", "6:22: `to` does not go with `address`; it goes with `tx`");
    check_start(
        "table:t",
        "{adress: a}",
        "6:6: a start has no key \"adress\"; did you mean `address`? known here: tx, to, output, address, from, until, \
         amount",
    );
    check_start("table:t", "{tx: 7, to: A}", "Transaction { tx: \"7\", to: Some(\"A\"), amount: None }");
    check_start("table:t", "{tx: 7}", "Transaction { tx: \"7\", to: None, amount: None }");
    check_start(
        "table:t",
        "{tx: 7, to: A, amount: 0.00}",
        "6:28: a start of nothing; leave this start out, or leave `amount` out to take all of it",
    );
}

#[test]
fn outputs_addresses_and_windows_are_checked() {
    let help = "write the transaction's 64 hexadecimal digits, a colon and the output's index from 0";
    for bad in ["abc:0", &"0".repeat(64), &format!("{}:x", "0".repeat(64)), &format!("{}:-1", "0".repeat(64))] {
        let yaml = format!("incident: a\nlosses:\n- {{ledger: bitcoin, asset: BTC, stolen: [{{output: '{bad}'}}]}}\n");
        assert_eq!(Incident::parse(yaml).unwrap_err().help, help, "{bad}");
    }
    let mistyped = GENESIS.replace("fNa", "fNb");
    check_start(
        "bitcoin",
        &format!("{{address: {mistyped}}}"),
        &format!(
            "6:15: {mistyped:?} on bip122:000000000019d6689c085ae165831e93: the Base58 checksum is wrong: a character was \
             mistyped or lost; copy the address again, in full"
        ),
    );
    check_start(
        "table:t",
        "{address: a, from: 2022-03-23, until: 2022-03-23}",
        "6:43: the window from 2022-03-23T00:00:00Z until 2022-03-23T00:00:00Z is empty; `until` is not included: for one \
         whole day write the next day",
    );
    check_start(
        "table:t",
        "{address: a, from: 2022-03}",
        "6:24: from: \"2022-03\" is no time; write a date such as 2022-03-23 (its first instant) or a time such as \
         2022-03-23T13:29:00Z",
    );
    check_start(
        "Bitcoin Cash",
        "{tx: a}",
        "3:11: \"Bitcoin Cash\" is no ledger id; write bitcoin, ethereum, a CAIP-2 id such as eip155:1, bank:BIC or \
         table:NAME",
    );
}

#[test]
fn files_that_are_no_yaml_are_faults_and_never_panics() {
    for bad in ["a: [", "\u{0}", "incident: *x", "{", "losses: &a [*a]", "? {a: b}\n: c"] {
        assert!(Incident::parse(bad).is_err(), "{bad:?}");
    }
    assert!(Incident::parse(b"\xff\xfe").unwrap_err().what.contains("UTF-16"));
    let Stolen::Address { address, .. } = &Incident::parse(WHOLE).unwrap().losses[0].stolen[1].value.clone() else {
        panic!("the second start is an address");
    };
    // Every prefix of a good file is a fault or an incident, whatever it is cut in.
    assert_eq!(address.len(), 42);
    for end in (0..WHOLE.len()).filter(|end| WHOLE.is_char_boundary(*end)) {
        let _ = Incident::parse(&WHOLE[..end]);
    }
}

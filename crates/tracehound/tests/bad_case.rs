//! Incidents and tags that name what is not there, or claim more than moved: one line with its place, exit code 2 (5
//! where the ledger is missing), and nothing kept.

mod common;

use common::{Desk, town};
use expect_test::{Expect, expect};

#[test]
fn incidents_that_name_what_is_not_there() {
    let desk = town::ingested();
    let check = |text: &str, from: &str, to: &str, code: i32, want: Expect| {
        assert!(text.contains(from), "{from}");
        desk.write("bad.yaml", text.replace(from, to));
        let said = desk.refused("trace bad.yaml", code);
        want.assert_eq(&said);
        assert_eq!(desk.run("incidents check bad.yaml").code, Some(code));
    };
    let bank = |from: &str, to: &str, code: i32, want| check(town::BANK_HEIST, from, to, code, want);
    let chain = |from: &str, to: &str, want| check(town::CHAIN_HEIST, from, to, 2, want);
    bank(
        "bank:TOWNXXPP",
        "bank:NOWHEREX",
        5,
        expect![[r#"
            the book has no ledger bank:NOWHEREX (it has bank:TOWNXXPP, bip122:746f776e000000000000000000000000); ingest it first
        "#]],
    );
    bank(
        "EUR",
        "USD",
        2,
        expect![[r#"
            bad.yaml:8:12: bank:TOWNXXPP holds no asset "USD"; it holds EUR; names are case-sensitive
        "#]],
    );
    bank(
        "tx: heist",
        "tx: robbery",
        2,
        expect![[r#"
            bad.yaml:11:9: transaction "robbery" is not on bank:TOWNXXPP; the ledger holds 7 transactions up to 2024-01-09T06:00:00Z: is it ingested far enough? names are case-sensitive
        "#]],
    );
    bank(
        "to: mallory",
        "to: nobody",
        2,
        expect![[r#"
            bad.yaml:11:9: transaction "heist" brought no EUR to "nobody", who is nowhere on this ledger; it paid mallory 300 EUR
        "#]],
    );
    bank(
        "to: mallory",
        "to: mule",
        2,
        expect![[r#"
            bad.yaml:11:9: transaction "heist" brought no EUR to "mule"; it paid mallory 300 EUR
        "#]],
    );
    bank(
        "        to: mallory\n",
        "",
        2,
        expect![[r#"
            bad.yaml:11:9: transaction "heist" is named without saying who was paid; add `to:`; it paid mallory 300 EUR
        "#]],
    );
    bank(
        "\"300\"",
        "\"300.01\"",
        2,
        expect![[r#"
            bad.yaml:9:13: the loss claims 300.01 EUR, but its starts bring only 300 EUR; correct the amount, or name the missing movements under `stolen`
        "#]],
    );
    bank(
        "\"300\"",
        "\"300.001\"",
        2,
        expect![[r#"
            bad.yaml:9:13: 300.001 has 3 decimals, EUR has 2 on this ledger; give the amount in the asset's own unit
        "#]],
    );
    bank(
        "\"300\"",
        "\"-300\"",
        2,
        expect![[r#"
            bad.yaml:9:13: amount: "-300" is negative; a loss is written without a sign
        "#]],
    );
    bank(
        "\"300\"",
        "3e2",
        2,
        expect![[r#"
            bad.yaml:9:13: amount: "3e2" is in scientific notation; write all its digits, such as 0.00001
        "#]],
    );
    bank(
        "to: mallory",
        "to: mallory\n        amount: \"301\"",
        2,
        expect![[r#"
            bad.yaml:11:9: the start claims 301 EUR, but the transaction brought 300 EUR to "mallory"; correct the amount, or name the other movements as further starts
        "#]],
    );
    bank(
        "tx: heist\n        to: mallory",
        "address: nobody\n        from: 2024-01-01",
        2,
        expect![[r#"
            bad.yaml:11:9: "nobody" is nowhere on bank:TOWNXXPP; the ledger holds 7 transactions up to 2024-01-09T06:00:00Z: is it ingested far enough? names are case-sensitive
        "#]],
    );
    bank(
        "tx: heist\n        to: mallory",
        "address: mallory\n        from: 2025-01-01",
        2,
        expect![[r#"
            bad.yaml:11:9: no EUR reached "mallory" from 2025-01-01T00:00:00Z on; `from` is included, `until` is not; the ledger holds 7 transactions up to 2024-01-09T06:00:00Z: is it ingested far enough? names are case-sensitive
        "#]],
    );
    bank(
        "tx: heist\n        to: mallory",
        "address: mallory\n        from: 2024-01-03\n        until: 2024-01-02",
        2,
        expect![[r#"
            bad.yaml:13:16: the window from 2024-01-03T00:00:00Z until 2024-01-02T00:00:00Z is empty; `until` is not included: for one whole day write the next day
        "#]],
    );
    bank(
        "2024-01-02",
        "last winter",
        2,
        expect![[r#"
            bad.yaml:4:11: occurred: "last winter" is no date; write a date such as 2022-03-23, or a month such as 2022-03
        "#]],
    );
    bank(
        "incident: vault",
        "incident: The Vault",
        2,
        expect![[r#"
            bad.yaml:1:11: "The Vault" is no incident id; write up to 64 lower-case letters, digits and hyphens, such as ronin-2022
        "#]],
    );
    bank(
        "status: taken",
        "status: gone",
        2,
        expect![[r#"
            bad.yaml:5:9: "gone" is no status; write one of: attempted, taken
        "#]],
    );
    bank(
        "losses:",
        "loses:",
        2,
        expect![[r#"
            bad.yaml:6:1: an incident has no key "loses"; did you mean `losses`? known here: incident, title, victim, occurred, discovered, status, losses, recovered, frozen, reported, claims, notes
        "#]],
    );
    bank(
        "stolen:",
        "stolen: []\n    x:",
        2,
        expect![[r#"
            bad.yaml:11:5: a loss has no key "x"; known here: ledger, asset, amount, stolen
        "#]],
    );
    bank(
        "victim: {",
        "victim: [",
        2,
        expect![[r#"
            bad.yaml:4:1: not valid YAML: while parsing a flow sequence, expected ',' or ']'; check the indentation, quotes and colons
        "#]],
    );
    bank(
        "bank:TOWNXXPP",
        "town",
        2,
        expect![[r#"
            bad.yaml:7:13: "town" is no ledger id; write bitcoin, ethereum, a CAIP-2 id such as eip155:1, bank:BIC or table:NAME
        "#]],
    );
    chain(
        "d1:0",
        "d1:1",
        expect![[r#"
            bad.yaml:11:9: transaction 00000000000000000000000000000000000000000000000000000000000000d1 has no output 1; it has 1, counted from 0
        "#]],
    );
    chain(
        "d1:0",
        "e9:0",
        expect![[r#"
            bad.yaml:11:9: transaction "00000000000000000000000000000000000000000000000000000000000000e9" is not on bip122:746f776e000000000000000000000000; the ledger holds 9 transactions up to 2024-01-01T04:00:00Z: is it ingested far enough? names are case-sensitive
        "#]],
    );
    chain(
        "d1:0\"",
        "d1\"",
        expect![[r#"
            bad.yaml:11:17: "00000000000000000000000000000000000000000000000000000000000000d1" is no output; write the transaction's 64 hexadecimal digits, a colon and the output's index from 0
        "#]],
    );
    chain(
        "\"6\"",
        "\"6.5\"",
        expect![[r#"
            bad.yaml:9:13: the loss claims 6.5 BTC, but its starts bring only 6 BTC; correct the amount, or name the missing movements under `stolen`
        "#]],
    );
    chain(
        "\"6\"",
        "\"6.000000001\"",
        expect![[r#"
            bad.yaml:9:13: 6.000000001 has 9 decimals, BTC has 8 on this ledger; give the amount in the asset's own unit
        "#]],
    );
    chain(
        &format!("output: \"{}:0\"", town::id("d1")),
        "address: \"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb\"",
        expect![[r#"
            bad.yaml:11:18: "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb" on bip122:746f776e000000000000000000000000: the Base58 checksum is wrong: a character was mistyped or lost; copy the address again, in full
        "#]],
    );
    chain(
        &format!("output: \"{}:0\"", town::id("d1")),
        &format!("address: \"{}\"", town::LEFT.replace('w', "q")),
        expect![[r#"
            bad.yaml:11:18: "bcrt1qnx0fgh0pu8dtd8ejlqkzlssukcgcq9lmkmverq" on bip122:746f776e000000000000000000000000: the Bech32 checksum is wrong: a character was mistyped or lost; copy the address again, in full
        "#]],
    );
}

#[test]
fn yaml_that_is_none_or_hostile() {
    let desk = town::ingested();
    let check = |bytes: &[u8], want: Expect| {
        desk.write("bad.yaml", bytes);
        want.assert_eq(&desk.refused("trace bad.yaml", 2));
    };
    check(
        b"incident: a\n  b: c\n",
        expect![[r#"
            bad.yaml:2:4: not valid YAML: mapping values are not allowed in this context; check the indentation, quotes and colons
        "#]],
    );
    check(
        b"- a\n- b\n",
        expect![[r#"
        bad.yaml:1:1: expected `key: value` entries, found a list
    "#]],
    );
    check(
        b"incident: a\nincident: b\n",
        expect![[r#"
        bad.yaml:2:1: the key "incident" stands here twice; keep one
    "#]],
    );
    check(
        b"incident: caf\xe9\n",
        expect![[r#"
        bad.yaml:1:14: not UTF-8 (byte 0xe9); save the file as UTF-8
    "#]],
    );
    check(
        b"a: &a [x]\nb: *c\n",
        expect![[r#"
            bad.yaml:2:4: not valid YAML: while parsing node, found unknown anchor; check the indentation, quotes and colons
        "#]],
    );
    check(
        "[".repeat(100_000).as_bytes(),
        expect![[r#"
            bad.yaml:1:256: not valid YAML: recursion limit exceeded; check the indentation, quotes and colons
        "#]],
    );
    check(
        b"incident: a\ntitle: t\n",
        expect![[r#"
        bad.yaml:1:1: there is no "losses" here; add `losses: …`
    "#]],
    );
}

#[test]
fn tag_files_that_are_wrong_leave_the_tags_as_they_were() {
    let desk = town::ingested();
    let check = |name: &str, bytes: &[u8], want: Expect| {
        desk.write(name, bytes);
        let said = desk.refused(&format!("tags import {name}"), 2);
        want.assert_eq(&said);
        assert_eq!(desk.refused(&format!("trace vault.yaml --tags {name}"), 2), said);
        assert_eq!(desk.refused(&format!("tags import tags.csv {name}"), 2), said, "no file of them is taken");
    };
    let csv = |row: &str| format!("address,label,ledger,confidence\nok,Fine,,\n{row}\n").into_bytes();
    check(
        "t.csv",
        &csv("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb,X,bitcoin,"),
        expect![[r#"
            t.csv:3:address: "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb": the Base58 checksum is wrong: a character was mistyped or lost; copy the address again, in full
        "#]],
    );
    check(
        "t.csv",
        &csv("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb,X,,"),
        expect![[r#"
            t.csv:3:address: "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb": the Base58 checksum is wrong: a character was mistyped or lost; copy the address again, in full
        "#]],
    );
    check(
        "t.csv",
        &csv("0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed,X,ethereum,"),
        expect![[r#"
            t.csv:3:address: "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed": the EIP-55 checksum is wrong: a character was mistyped or lost; copy the address again, in full
        "#]],
    );
    check(
        "t.csv",
        &csv("alice,X,ethereum,"),
        expect![[r#"
            t.csv:3:address: "alice": this is not an address of 40 hexadecimal digits after 0x; copy the address again, in full
        "#]],
    );
    check(
        "t.csv",
        &csv("alice,X,,very"),
        expect![[r#"
            t.csv:3:confidence: "very" is no confidence; write one of authority_data, forensic, heuristic, ledger_immanent, manual_transaction, override, ownership, service_api, service_data, trusted_provider, unknown, untrusted_transaction, web_crawl, or nothing
        "#]],
    );
    check(
        "t.csv",
        &csv("alice"),
        expect![[r#"
            t.csv:3: this row has 1 fields, the header has 4; add or remove commas; a field with a comma in it stands in double quotes
        "#]],
    );
    check(
        "t.csv",
        b"colour,label\nred,X\n",
        expect![[r#"
            t.csv:1: unknown column "colour"; known columns: address, label, category, source, currency, ledger, abuse, actor, confidence, date
        "#]],
    );
    check(
        "t.csv",
        b"address,label\nx,caf\xe9\n",
        expect![[r#"
        t.csv:2:6: not UTF-8 (byte 0xe9); save the file as UTF-8
    "#]],
    );
    check(
        "t.yaml",
        b"title: T\ntags: 7\n",
        expect![[r#"
            t.yaml:2:7: expected a list, found text; start each item with `- `
        "#]],
    );
    check(
        "t.yaml",
        b"title: T\ntags:\n- address: \"x\n",
        expect![[r#"
            t.yaml:3:12: not valid YAML: while scanning a quoted scalar, found unexpected end of stream; check the indentation, quotes and colons
        "#]],
    );
}

/// A single tag of a pack that is wrong is left out and said; the rest is kept.
#[test]
fn a_wrong_tag_in_a_pack_is_left_out_loudly() {
    let desk = Desk::new();
    desk.write(
        "pack.yaml",
        "title: P\ncreator: me\nsource: https://example.org\ncurrency: BTC\ntags:\n\
         - {address: 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb, label: Damaged}\n\
         - {address: 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa, label: Genesis}\n",
    );
    expect![[r#"
        exit 0
        --- err
        warning: pack.yaml:6:address: "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb": the Base58 checksum is wrong: a character was mistyped or lost; copy the address again, in full
        1 tag read, 1 of them new; the book has 1
        1 tag could not be read, and left out
    "#]]
    .assert_eq(&desk.shows("tags import pack.yaml"));
    expect![[r#"
        exit 0
        --- out
        pack: 1 tag
    "#]]
    .assert_eq(&desk.shows("tags list"));
}

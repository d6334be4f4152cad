//! Ledger tables: what is read, and one clear line for each kind of bad input.

use decode::table::{Row, TableOptions, TableReader};
use ledger::{LedgerId, Time};
use money::{Asset, Decimal};
use proptest::prelude::*;

const HEADER: &str = "tx,time,from,to,asset,amount,fee,memo\n";

fn options(mappings: &[&str]) -> TableOptions {
    let mut options = TableOptions::default();
    options.set_default("ledger=table:t").unwrap();
    for mapping in mappings {
        match mapping.split_once(' ') {
            Some(("column", mapping)) => options.set_column(mapping).unwrap(),
            Some(("default", mapping)) => options.set_default(mapping).unwrap(),
            _ if *mapping == "scientific" => options.scientific = true,
            _ => panic!("{mapping}"),
        }
    }
    options
}

/// Each row on one line as `tx time from>to amount asset fee memo`, then the error if there is one.
fn read(bytes: &[u8], mappings: &[&str]) -> String {
    let rows = TableReader::new(bytes, options(mappings)).map(|row| match row {
        Ok(row) => {
            let end = |name: &Option<String>| name.clone().unwrap_or_default();
            let fee = row.fee.map(|fee| format!(" fee {fee}")).unwrap_or_default();
            let memo = if row.memo.is_empty() { String::new() } else { format!(" {:?}", row.memo) };
            let date = row.time.date();
            format!("{} {date} {}>{} {} {}{fee}{memo}", row.tx, end(&row.from), end(&row.to), row.amount, row.asset)
        }
        Err(error) => error.to_string(),
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(bytes: impl AsRef<[u8]>, mappings: &[&str], want: &str) {
    let bytes = bytes.as_ref();
    assert_eq!(read(bytes, mappings), want, "{:?} {mappings:?}", String::from_utf8_lossy(bytes));
}

/// A table of one row under the usual header.
#[track_caller]
fn check_row(row: &str, want: &str) {
    check(format!("{HEADER}{row}\n"), &[], want);
}

const GOOD: &str = "a,2022-03-23,x,y,EUR,1.50,,\n";
const GOOD_READ: &str = "a 2022-03-23 x>y 1.5 EUR";

#[test]
fn well_formed_tables_are_read_in_every_dress() {
    check(format!("{HEADER}{GOOD}"), &[], GOOD_READ);
    check(format!("\u{feff}{HEADER}{GOOD}"), &[], GOOD_READ);
    check(format!("{HEADER}{GOOD}").replace('\n', "\r\n"), &[], GOOD_READ);
    check(format!("{HEADER}{GOOD}").replace(',', ";"), &[], GOOD_READ);
    check(format!("{HEADER}{GOOD}").replace(',', "\t"), &[], GOOD_READ);
    check(format!("\n\n{HEADER}\n{GOOD}\n\n"), &[], GOOD_READ);
    check(format!("{HEADER}{GOOD}").trim_end(), &[], GOOD_READ);
    check(
        "\"tx\",\"time\",\"from\",\"to\",\"asset\",\"amount\"\n\"a\",2022-03-23,\"x\",y,EUR,\"1.5\"\n",
        &[],
        GOOD_READ,
    );
    check("extra,amount,to,from,time,tx,asset\n?,1.5,y,x,2022-03-23,a,EUR\n", &[], GOOD_READ);
    check_row("a,2022-03-23,,y,EUR,1,,", "a 2022-03-23 >y 1 EUR");
    check_row("a,2022-03-23,x,,EUR,1,0.25,", "a 2022-03-23 x> 1 EUR fee 0.25");
    check_row("a,2022-03-23,x,x,EUR,0,,", "a 2022-03-23 x>x 0 EUR");
    check_row(
        "a,2022-03-23,x,y,EUR,1,,\"two\nlines, \"\"quoted\"\"\"",
        "a 2022-03-23 x>y 1 EUR \"two\\nlines, \\\"quoted\\\"\"",
    );
}

#[test]
fn ndjson_has_the_same_keys() {
    let row = r#"{"tx":"a","time":"2022-03-23","from":"x","to":"y","asset":"EUR","amount":"1.5"}"#;
    check(row, &[], GOOD_READ);
    check(format!("{row}\n\n{row}\r\n"), &[], &format!("{GOOD_READ}\n{GOOD_READ}"));
    check(
        row.replace("\"1.5\"", "1.5000000000000000000000000001"),
        &[],
        "a 2022-03-23 x>y 1.5000000000000000000000000001 EUR",
    );
    check(row.replace("\"x\"", "null"), &[], "a 2022-03-23 >y 1.5 EUR");
    check(row.replace('{', "{\"more\":{\"deep\":[1,{}]},"), &[], GOOD_READ);
    check(row.replace("\"x\"", r#""\u0078""#), &[], GOOD_READ);
    let cases = [
        (
            row.replace("\"1.5\"", "1e-05"),
            "1:amount: \"1e-05\": the amount is in scientific notation; write all its digits (1e-05 is 0.00001); or pass --scientific to read such amounts exactly",
        ),
        (row.replace("\"1.5\"", "-1"), "1:amount: \"-1\": the amount is negative; swap payer and payee instead"),
        (row.replace("\"1.5\"", "[1]"), "1:amount: \"[1]\" is not a text or number; write a plain value"),
        (row.replace("\"1.5\"", "true"), "1:amount: \"true\" is not a text or number; write a plain value"),
        (row.replace("\"from\"", "\"tx\""), "1:38: not the expected JSON: the key \"tx\" stands here twice"),
        (
            row.replace("\"from\"", "\"form\""),
            "1: there is no column \"from\" (found: \"tx\", \"time\", \"form\", \"to\", \"asset\", \"amount\"); try --column from=NAME",
        ),
        (
            row[..40].to_owned(),
            "1:40: not the expected JSON: EOF while parsing an object; the file ends inside this line: get it again in full",
        ),
        (
            format!("{}\n", &row[..40]),
            "1:40: not the expected JSON: EOF while parsing an object; each object must stand on one line",
        ),
        (
            format!("{row}\n[1]\n"),
            "a 2022-03-23 x>y 1.5 EUR\n2: not the expected JSON: invalid type: sequence, expected an object",
        ),
        (format!("{row}{row}"), "1:80: not the expected JSON: trailing characters"),
        (
            format!("{{\"tx\":{}", "[".repeat(100_000)),
            "1:100006: not the expected JSON: EOF while parsing a list; the file ends inside this line: get it again in full",
        ),
    ];
    for (text, want) in cases {
        check(text, &[], want);
    }
}

#[test]
fn bad_files_get_one_clear_line() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "the file is empty; give a table with a header and rows"),
        (b"\n \n", "the file is empty; give a table with a header and rows"),
        (b"\xef\xbb\xbf", "the file is empty; give a table with a header and rows"),
        (b"tx,time,from,to,asset,amount\n", "1: the file has a header and no rows; give a table with rows"),
        (b"\xff\xfet\0x\0", "1: the file is UTF-16; save it as UTF-8 (CSV UTF-8 in Excel)"),
        (b"t\0x\0", "1: the file has zero bytes where text should be; save it as UTF-8 text"),
        (b"PK\x03\x04", "1: the file is a zip archive or spreadsheet; export it as CSV"),
        (b"\x1f\x8b\x08\0", "1: the file is gzip data; give it the ending .gz, or unpack it"),
        (b"tx,time\ra,b\r", "1: the lines end in bare carriage returns; save the file with LF or CRLF line ends"),
        (
            b"tx,time,from,to,asset,amount\na,2022-03-23,\xe9,y,EUR,1\n",
            "2:14: not UTF-8 (byte 0xe9); save the file as UTF-8",
        ),
        (
            b"txid,from,to,amount\n",
            "1: there are no columns \"tx\", \"time\", \"asset\" (found: \"txid\", \"from\", \"to\", \"amount\"); try --column tx=txid --set time=2016-08-02 --set asset=BTC",
        ),
        (b"tx,tx,time,from,to,asset,amount\n", "1: two columns are named \"tx\"; rename one"),
        (b"tx,\"time\n", "1:4: this quote is never closed; close it"),
    ];
    for (bytes, want) in cases {
        check(bytes, &[], want);
    }
    check(
        format!("{HEADER}{GOOD}"),
        &["column tx=hash"],
        "1: there is no column \"hash\" (found: \"tx\", \"time\", \"from\", \"to\", \"asset\", \"amount\", \"fee\", \"memo\"); try --column tx=#row",
    );
    let endless = format!("{HEADER}{}", "x".repeat(2 << 20));
    check(endless, &[], "2: the line is longer than 1048576 bytes; check the file's line ends");
    let wide = format!("{}\n", ",".repeat(5000));
    check(wide, &[], "1: more than 1000 columns; check the delimiter");
}

#[test]
fn bad_rows_get_one_clear_line() {
    let cases = [
        (
            "a,2022-03-23,x,y,EUR",
            "2:21: this row has 5 fields, the header has 8; put fields that contain the delimiter in quotes",
        ),
        (
            "a,2022-03-23,x,y,EUR,1,,,,",
            "2:26: this row has 10 fields, the header has 8; put fields that contain the delimiter in quotes",
        ),
        (
            "a,2022-03-23,x,y\"z,EUR,1,,",
            "2:17: a quote inside a field without quotes; put the whole field in quotes, and double the quotes inside",
        ),
        ("a,2022-03-23,\"x\"y,z,EUR,1,,", "2:17: text after a closing quote; double the quotes inside a quoted field"),
        ("a,2022-03-23,\"x,z,EUR,1,,", "2:14: this quote is never closed; close it"),
        (",2022-03-23,x,y,EUR,1,,", "2:tx: the tx is empty; every row needs one"),
        ("a,,x,y,EUR,1,,", "2:time: the time is empty; write RFC 3339, such as 2022-03-23T13:29:00Z or 2022-03-23"),
        (
            "a,23.03.2022,x,y,EUR,1,,",
            "2:time: \"23.03.2022\" is not a time; write RFC 3339, such as 2022-03-23T13:29:00Z or 2022-03-23",
        ),
        (
            "a,2022-03-23,,,EUR,1,,",
            "2:from: from and to are both empty; name a payer, a payee, or both (empty is outside the ledger)",
        ),
        ("a,2022-03-23,,y,EUR,1,1,", "2:fee: a fee without a payer; name who paid it in from"),
        ("a,2022-03-23,x,y,,1,,", "2:asset: the asset is empty; every row needs one"),
        ("a\u{7},2022-03-23,x,y,EUR,1,,", "2:tx: \"a\\u{7}\" holds a control character; remove it"),
        ("a,2022-03-23,x,y,EUR,,,", "2:amount: \"\": the amount is empty"),
        ("a,2022-03-23,x,y,EUR,-1,,", "2:amount: \"-1\": the amount is negative; swap payer and payee instead"),
        ("a,2022-03-23,x,y,EUR,NaN,,", "2:amount: \"NaN\": the amount is not a plain decimal number such as 12.50"),
        (
            "a,2022-03-23,x,y,EUR,1e-05,,",
            "2:amount: \"1e-05\": the amount is in scientific notation; write all its digits (1e-05 is 0.00001); or pass --scientific to read such amounts exactly",
        ),
        (
            "a,2022-03-23,x,y,EUR,\"1,5\",,",
            "2:amount: \"1,5\": the amount is not a plain decimal number such as 12.50; use a point for decimals and nothing for thousands",
        ),
        (
            "a,2022-03-23,x,y,EUR,1234567890123456789012345678901234567890,,",
            "2:amount: \"1234567890123456789012345678901234567890\": the amount is larger than 2^126 base units, the most that a purse can hold",
        ),
        (
            "a,2022-03-23,x,y,EUR,0.1234567890123456789012345678901234567,,",
            "2:amount: \"0.1234567890123456789012345678901234567\": the amount has 37 decimals, 36 are allowed here",
        ),
        (
            "a,2022-03-23,x,1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb,EUR,1,,",
            "2:to: \"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb\": the Base58 checksum is wrong: a character was mistyped or lost; check it against its source",
        ),
        (
            "a,2022-03-23,x,0x098B716B8Aaf21512996dC57EB0615e2383E2F96,EUR,1,,",
            "2:to: \"0x098B716B8Aaf21512996dC57EB0615e2383E2F96\": the EIP-55 checksum is wrong: a character was mistyped or lost; check it against its source",
        ),
    ];
    for (row, want) in cases {
        check_row(row, want);
    }
    check(
        format!("{HEADER}a,2022-03-23,x,y,EU"),
        &[],
        "2:20: this row has 5 fields, the header has 8; the file ends inside this line: get it again in full",
    );
    let long = format!("{},2022-03-23,x,y,EUR,1,,", "a".repeat(300));
    assert!(
        read(format!("{HEADER}{long}\n").as_bytes(), &[])
            .ends_with("…\" has 300 bytes, at most 256 are allowed; check the row's columns")
    );
}

#[test]
fn mappings_and_defaults_stand_in_for_what_a_file_lacks() {
    let csv = "hash,payer,to,value\na,x,y,1.5\nb,x,y,1e-3\n";
    let mappings =
        ["column tx=hash", "column from=payer", "column amount=value", "default asset=EUR", "default time=2022-03-23"];
    check(csv, &[&mappings[..], &["scientific"]].concat(), &format!("{GOOD_READ}\nb 2022-03-23 x>y 0.001 EUR"));
    let numbered = [
        "column tx=#row:set",
        "column from=payer",
        "column amount=value",
        "default asset=EUR",
        "default time=2022-03-23",
        "scientific",
    ];
    check(csv, &numbered, "set-1 2022-03-23 x>y 1.5 EUR\nset-2 2022-03-23 x>y 0.001 EUR");
    check(format!("{HEADER}a,2022-03-23,x,y,,1.5,,\n"), &["default asset=EUR"], GOOD_READ);
    let ledgers = "ledger,tx,time,from,to,asset,amount\nethereum,a,2022-03-23,,\\x098B716B8Aaf21512996dC57EB0615e2383E2f96,ETH,1\nnowhere,a,2022-03-23,,x,ETH,1\n";
    check(
        ledgers,
        &[],
        "a 2022-03-23 >0x098b716b8aaf21512996dc57eb0615e2383e2f96 1 ETH\n3:ledger: \"nowhere\" is not a ledger id; write bitcoin, ethereum, a CAIP-2 id such as eip155:1, bank:BIC or table:NAME",
    );
}

#[test]
fn a_last_line_without_an_end_is_remembered() {
    let mut reader =
        TableReader::new(b"tx,time,from,to,asset,amount\na,2022-03-23,x,y,EUR,1.5".as_slice(), options(&[]));
    assert_eq!(reader.by_ref().count(), 1);
    assert_eq!(reader.line_without_end(), Some(2));
}

fn quoted(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\"\""))
}

fn printed(rows: &[Row]) -> String {
    let lines = rows.iter().map(|row| {
        let fee = row.fee.map(|fee| fee.to_string()).unwrap_or_default();
        let fields = [
            &row.tx,
            &row.time.to_string(),
            row.from.as_deref().unwrap_or_default(),
            row.to.as_deref().unwrap_or_default(),
            &row.asset,
            &row.amount.to_string(),
            &fee,
            &row.memo,
        ];
        fields.map(quoted).join(",") + "\n"
    });
    HEADER.to_owned() + &lines.collect::<String>()
}

/// Text without control characters or space at its ends.
fn name() -> impl Strategy<Value = String> {
    "[a-z\",;é字][a-z \",;é字]{0,10}[a-z\",;é字]"
}

fn row() -> impl Strategy<Value = Row> {
    let memo = "([a-z\",;é字]([a-z \",;é字\n]{0,10}[a-z\",;é字])?)?";
    let decimal = || (0u128..1 << 126, 0u8..=36).prop_map(|(digits, scale)| Decimal::new(digits, scale).trimmed());
    let micros = 0i64..4_000_000_000_000_000;
    (name(), micros, name(), proptest::option::of(name()), name(), decimal(), proptest::option::of(decimal()), memo)
        .prop_map(|(tx, micros, from, to, asset, amount, fee, memo)| Row {
            line: 0,
            tx,
            time: Time::from_micros(micros),
            from: Some(from),
            to,
            asset,
            amount,
            fee,
            memo,
            ledger: LedgerId::parse("table:t").unwrap(),
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn any_table_printed_and_read_back_is_the_same(rows in proptest::collection::vec(row(), 1..20)) {
        let text = printed(&rows);
        let read: Result<Vec<Row>, _> = TableReader::new(text.as_bytes(), options(&[])).collect();
        let read: Vec<Row> = read.unwrap().into_iter().map(|row| Row { line: 0, ..row }).collect();
        prop_assert_eq!(read, rows);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, &[]);
    }

    #[test]
    fn damaged_tables_never_panic(at in 0usize..200, byte in any::<u8>(), cut in 0usize..200) {
        for text in [format!("{HEADER}{GOOD}a,2022-03-23,\"x\",y,EUR,1,,\n"), r#"{"tx":"a","time":"2022-03-23","from":"x","to":"y","asset":"EUR","amount":"1.5"}"#.to_owned()] {
            let mut bytes = text.into_bytes();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(cut);
            let _ = read(&bytes, &["scientific"]);
        }
    }
}

/// The bytes of a data set beside the repository, or a loud word that it is not there.
fn data(path: &str) -> Option<Vec<u8>> {
    let path = format!("{}/../../../shared/data/{path}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: {path} is missing");
    }
    bytes
}

#[test]
fn bitfinex_2016_is_read_to_the_last_satoshi() {
    let Some(bytes) = data("bitcoin/bitfinex-2016/bitfinex_tx_dataset.csv") else { return };
    let options =
        options(&["column tx=txid", "default asset=BTC", "default time=2016-08-02", "default ledger=bitcoin"]);
    let rows: Vec<Row> = TableReader::new(bytes.as_slice(), options).map(Result::unwrap).collect();
    let total = rows.iter().map(|row| row.amount.to_amount(8).unwrap()).sum();
    assert_eq!(rows.len(), 2072);
    assert_eq!(Asset { symbol: "BTC".into(), scale: 8 }.text(total), "119756.62032288");
}

#[test]
fn ronin_2022_is_read_with_its_exponents_and_postgres_addresses() {
    let Some(bytes) = data("ethereum/ronin-2022/LazarusTabularTxs1322519.csv") else { return };
    let mappings = ["column tx=#row", "column time=block_time", "column amount=total_eth", "default asset=ETH"];
    let mut options = options(&mappings);
    options.set_default("ledger=ethereum").unwrap();
    let error = TableReader::new(bytes.as_slice(), options.clone()).find_map(Result::err).unwrap().to_string();
    assert!(error.starts_with("4:total_eth: \"1e-05\": the amount is in scientific notation"), "{error}");
    options.scientific = true;
    let rows: Vec<Row> = TableReader::new(bytes.as_slice(), options).map(Result::unwrap).collect();
    assert_eq!(rows.len(), 436);
    assert!(rows.iter().all(|row| row.from.as_ref().is_some_and(|from| from.starts_with("0x"))));
}

//! The tables of ethereum-etl, by hand: as CSV and as one JSON object a line they make the same block.

use evm::exports::{Exports, Tables};
use evm::{Chain, Decoded, KeepEvents, Tokens};

const BLOCKS: &str = "number,hash,parent_hash,miner,timestamp,base_fee_per_gas,transaction_count
16,0xB,0xA,0x9,1677721600,7,2
";
const TRANSACTIONS: &str =
    "hash,nonce,block_hash,block_number,transaction_index,from_address,to_address,value,gas,gas_price
0x1000,0,0xB,16,0,0x1,0x2,5,90000,10
0x1001,0,0xB,16,1,0x1,,0,90000,10
";
const RECEIPTS: &str = "transaction_hash,block_number,gas_used,effective_gas_price,status,contract_address
0x1000,16,100,10,1,
0x1001,16,200,9,0,
";
const LOGS: &str = "log_index,transaction_hash,transaction_index,block_hash,block_number,address,data,topics
0,0x1000,0,0xB,16,0x70,0x5,\"TRANSFER,0x3,0x4\"
";
const TRACES: &str = "block_number,transaction_hash,transaction_index,from_address,to_address,value,trace_type,call_type,trace_address,error,status,trace_id
16,0x1000,0,0x1,0x2,5,call,call,,,1,call_a_
16,0x1000,0,0x2,0x5,4,call,call,0,,0,call_a_0
16,0x1000,0,0x5,0x6,1,call,call,\"0,0\",,1,call_a_0_0
16,0x1000,0,0x2,0x7,3,suicide,,1,,1,suicide_a_1
16,0x1001,1,0x1,,0,create,,,Reverted,0,create_b_
16,,,,0x9,7,reward,,,,1,reward_16_0
";

/// Short numbers stand for hashes and addresses, by the column that they are in.
fn long(table: &str) -> String {
    let mut lines = table.lines();
    let header = lines.next().unwrap();
    let names: Vec<&str> = header.split(',').collect();
    let number = |text: &str| u64::from_str_radix(&text[2..], 16).unwrap();
    let mut out = format!("{header}\n");
    for line in lines {
        let mut at = 0;
        let mut quoted = false;
        let fields: Vec<String> = line
            .split(',')
            .map(|field| {
                let name = names[at];
                quoted ^= field.matches('"').count() % 2 == 1;
                at += usize::from(!quoted);
                let bare = field.trim_matches('"');
                let is_word = name.contains("hash") || ["topics", "data"].contains(&name);
                let whole = match bare {
                    "TRANSFER" => "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef".to_owned(),
                    text if !text.starts_with("0x") => text.to_owned(),
                    text if is_word => format!("0x{:064x}", number(text)),
                    text => format!("0x{:040x}", number(text)),
                };
                field.replace(bare, &whole)
            })
            .collect();
        out.push_str(&fields.join(","));
        out.push('\n');
    }
    out
}

/// The same table with a JSON object a line.
fn json(table: &str) -> String {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let names = reader.headers().unwrap().clone();
    let mut out = String::new();
    for record in reader.records() {
        let record = record.unwrap();
        let row: serde_json::Map<String, serde_json::Value> = names
            .iter()
            .zip(&record)
            .map(|(name, field)| {
                let list = || field.split(',').map(Into::into).collect::<Vec<serde_json::Value>>();
                let value = match name {
                    "topics" => serde_json::Value::Array(list()),
                    _ if field.is_empty() => serde_json::Value::Null,
                    _ => field.parse::<u64>().map_or_else(|_| field.into(), Into::into),
                };
                (name.to_owned(), value)
            })
            .collect();
        out.push_str(&serde_json::Value::Object(row).to_string());
        out.push('\n');
    }
    out
}

fn read(tables: [Option<&str>; 5]) -> Result<Vec<Decoded>, String> {
    let chain = Chain::of(1).unwrap();
    let tokens = Tokens::built_in(&chain);
    let [blocks, transactions, receipts, logs, traces] = tables.map(|table| table.map(str::as_bytes));
    let tables = Tables { blocks: blocks.unwrap(), transactions, receipts, logs, traces };
    let exports = Exports::new(&chain, &tokens, &KeepEvents::None, tables).map_err(|fault| fault.to_string())?;
    exports.collect::<Result<_, _>>().map_err(|fault| fault.to_string())
}

fn legs(decoded: &Decoded, at: usize) -> Vec<String> {
    let name = |end: &Option<String>| {
        end.as_deref().map_or("-", |account| account.trim_start_matches("0x").trim_start_matches('0')).to_owned()
    };
    let legs = decoded.block.transactions.get(at).map_or(&[][..], |transaction| &transaction.legs);
    legs.iter()
        .map(|leg| format!("{}>{} {} {:?}", name(&leg.from), name(&leg.to), leg.amount.units(), leg.kind))
        .collect()
}

#[test]
fn tables_of_ethereum_etl_make_a_block_in_either_form() {
    let tables = [BLOCKS, TRANSACTIONS, RECEIPTS, LOGS, TRACES].map(long);
    let whole = read([0, 1, 2, 3, 4].map(|at| Some(tables[at].as_str()))).unwrap();
    let [decoded] = whole.as_slice() else { panic!("one block") };
    let want = ["1>- 1000 Fee", "1>2 5 Transfer", "2>7 3 Transfer", "3>4 5 Transfer", "->9 300 Fee"];
    assert_eq!(legs(decoded, 0), want, "a call that failed is void, with what it called");
    assert_eq!(legs(decoded, 1), ["1>- 1800 Fee", "->9 400 Fee"]);
    assert_eq!(legs(decoded, 2), ["->9 7 Transfer"]);
    assert!(!decoded.block.gaps.any());
    let lines = tables.each_ref().map(|table| json(table));
    assert_eq!(read([0, 1, 2, 3, 4].map(|at| Some(lines[at].as_str()))).unwrap(), whole);
}

#[test]
fn what_an_export_lacks_is_a_gap() {
    let tables = [BLOCKS, TRANSACTIONS, RECEIPTS, LOGS, TRACES].map(long);
    let without = |missing: &[usize]| {
        let given = [0, 1, 2, 3, 4].map(|at| (!missing.contains(&at)).then_some(tables[at].as_str()));
        let decoded = read(given).unwrap().swap_remove(0);
        let gaps = decoded.block.gaps;
        ((gaps.traces, gaps.receipts, gaps.logs), legs(&decoded, 0))
    };
    let (gaps, moved) = without(&[4]);
    assert_eq!(gaps, (true, false, false));
    assert_eq!(moved, ["1>- 1000 Fee", "1>2 5 Transfer", "3>4 5 Transfer", "->9 300 Fee"]);
    assert_eq!(without(&[2]).0, (false, true, false));
    assert_eq!(without(&[3]).0, (false, false, true));
    assert_eq!(without(&[1, 2]).0, (false, true, false));
    assert_eq!(without(&[1, 2, 3, 4]).0, (true, true, true), "the header counts two transactions");
}

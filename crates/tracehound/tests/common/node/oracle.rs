//! Every spent output of a test chain, from two sources that are not ours: the node itself (`getblock` 3), and Bitcoin
//! Core's kernel library on a copy of the node's folder (`py-bitcoinkernel`, brought by `cargo xtask components`).

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{Node, coins, text};

/// Where `cargo xtask components` puts the kernel library.
const KERNEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.components/pbk");
const SCRIPT: &str = include_str!("oracle.py");
/// What the kernel needs of a node's folder.
const FOLDERS: [&str; 2] = ["blocks", "chainstate"];

/// An output where it is spent. They are listed by height, transaction and input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpentOutput {
    /// The height of the block that spends it.
    pub height: u64,
    /// The transaction in that block; the coinbase is 0 and spends nothing.
    pub transaction: u64,
    /// The input of that transaction.
    pub input: u64,
    /// Its value.
    pub value_sats: u64,
    /// Its script.
    pub script: Vec<u8>,
    /// The height of the block that made it.
    pub made_at: u64,
    /// Whether a coinbase made it.
    pub is_coinbase: bool,
}

/// As the running node tells them, of its best chain.
#[track_caller]
pub fn of_node(node: &Node) -> Vec<SpentOutput> {
    let mut spent = Vec::new();
    for height in 0..=node.tip().0 {
        let block = node.rpc("getblock", &json!([node.hash_at(height), 3]));
        let transactions = block["tx"].as_array().expect("a list of transactions");
        for (transaction, body) in (0..).zip(transactions) {
            let inputs = body["vin"].as_array().expect("a list of inputs");
            for (input, from) in (0..).zip(inputs).filter(|(_, from)| from["prevout"].is_object()) {
                let (from, number) = (&from["prevout"], |value: &Value| value.as_u64().expect("a number"));
                spent.push(SpentOutput {
                    height,
                    transaction,
                    input,
                    value_sats: coins::sats(&from["value"]),
                    script: coins::bytes(&text(&from["scriptPubKey"]["hex"])),
                    made_at: number(&from["height"]),
                    is_coinbase: from["generated"] == true,
                });
            }
        }
    }
    spent
}

/// As the kernel library reads them from a copy of a stopped node's folder ([`Node::chain_folder`]).
#[track_caller]
pub fn of_folder(chain_folder: &Path) -> Vec<SpentOutput> {
    assert!(
        Path::new(KERNEL).is_dir(),
        "\n\n    THERE IS NO PY-BITCOINKERNEL TO COMPARE WITH\n    run `cargo xtask components`\n\n"
    );
    let copy = tempfile::tempdir().expect("a temporary folder can be made");
    for folder in FOLDERS {
        copy_folder(&chain_folder.join(folder), &copy.path().join(folder)).expect("the folder is the node's");
    }
    let mut python = Command::new("python3");
    let output = python.args(["-c", SCRIPT]).arg(copy.path()).env("PYTHONPATH", KERNEL).output();
    let output = output.expect("there is a python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(line).collect()
}

fn line(line: &str) -> SpentOutput {
    let words: Vec<&str> = line.split(' ').collect();
    let [height, transaction, input, value_sats, script, made_at, is_coinbase] = words[..] else {
        panic!("{line:?} is no line of oracle.py")
    };
    let number = |word: &str| word.parse().unwrap_or_else(|e| panic!("{line:?}: {e}"));
    SpentOutput {
        height: number(height),
        transaction: number(transaction),
        input: number(input),
        value_sats: number(value_sats),
        script: coins::bytes(script.trim_matches('-')),
        made_at: number(made_at),
        is_coinbase: is_coinbase == "1",
    }
}

/// Copies a folder with what is in it, as a test does before it damages one.
pub fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_folder(&from, &to)?;
        } else {
            fs::copy(from, to)?;
        }
    }
    Ok(())
}

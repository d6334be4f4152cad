//! Chains made for scale, read back by an independent library and replayed with plain maps.

mod folder;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use bitcoin::{Address, Block, BlockHash, Network, OutPoint, Weight};
use exercise::scale::{ChainPlan, ChainReport, write_chain};
use folder::{Folder, Spent, belongs, decode, plain};

fn plan(transactions: u64) -> ChainPlan {
    ChainPlan { seed: 7, transactions, obfuscated: true, stale: 0, shuffled: false }
}

fn make(plan: &ChainPlan) -> (tempfile::TempDir, ChainReport) {
    let folder = tempfile::tempdir().unwrap();
    let report = write_chain(plan, folder.path(), &mut |_| {}).unwrap();
    (folder, report)
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder.join("blocks")).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// The way back from the highest block, genesis first.
fn active(blocks: &[Block]) -> Vec<&Block> {
    let by_hash: HashMap<BlockHash, &Block> = blocks.iter().map(|block| (block.block_hash(), block)).collect();
    let parents: BTreeSet<BlockHash> = blocks.iter().map(|block| block.header.prev_blockhash).collect();
    let way = |tip: &Block| {
        let mut way = vec![by_hash[&tip.block_hash()]];
        while let Some(parent) = by_hash.get(&way[way.len() - 1].header.prev_blockhash) {
            way.push(parent);
        }
        way.reverse();
        way
    };
    let tips = blocks.iter().filter(|block| !parents.contains(&block.block_hash()));
    tips.map(way).max_by_key(Vec::len).unwrap()
}

/// What replaying a chain found.
#[derive(Default)]
struct Replayed {
    unspent: HashMap<OutPoint, Spent>,
    inputs: u64,
    outputs: u64,
    reused: u64,
    young: u64,
    old: u64,
    fees_sats: u64,
    kinds: BTreeSet<&'static str>,
    /// Outputs and balance of each address.
    addresses: BTreeMap<String, (u64, u64)>,
}

impl Replayed {
    fn of(chain: &[&Block], found: &Folder) -> Self {
        let mut replayed = Self::default();
        for (height, block) in (0..).zip(chain) {
            let spent = match height {
                0 => Vec::new(),
                _ => undo_of(block, found),
            };
            replayed.connect(height, block, &spent);
        }
        replayed
    }

    fn connect(&mut self, height: u32, block: &Block, undo: &[Vec<Spent>]) {
        let mut fees_sats = 0;
        for (at, transaction) in block.txdata.iter().enumerate() {
            assert_eq!(transaction.is_coinbase(), at == 0);
            let txid = transaction.compute_txid();
            if at > 0 {
                assert_eq!(transaction.input.len(), undo[at - 1].len());
                for (input, spent) in transaction.input.iter().zip(&undo[at - 1]) {
                    let output = self.unspent.remove(&input.previous_output).expect("spent once, after it was made");
                    assert_eq!(output, *spent);
                    assert!(!output.coinbase || height - output.height >= 100);
                    fees_sats += output.value_sats;
                    self.inputs += 1;
                    self.young += u64::from(height - output.height <= 6);
                    self.old += u64::from(height - output.height > 40);
                    let address = Address::from_script(&output.script, Network::Regtest).map(|a| a.to_string());
                    if let Some(entry) = address.ok().and_then(|address| self.addresses.get_mut(&address)) {
                        entry.1 -= output.value_sats;
                    }
                }
                fees_sats -= transaction.output.iter().map(|output| output.value.to_sat()).sum::<u64>();
            }
            for (vout, output) in (0..).zip(&transaction.output) {
                self.receive(output, OutPoint { txid, vout }, height, at == 0);
            }
        }
        let claimed: u64 = block.txdata[0].output.iter().map(|output| output.value.to_sat()).sum();
        assert_eq!(claimed, (5_000_000_000 >> (height / 150)) + fees_sats, "height {height}");
        self.fees_sats += fees_sats;
    }

    fn receive(&mut self, output: &bitcoin::TxOut, point: OutPoint, height: u32, coinbase: bool) {
        self.outputs += 1;
        let script = &output.script_pubkey;
        let kind = match () {
            () if script.is_p2wpkh() => "p2wpkh",
            () if script.is_p2tr() => "p2tr",
            () if script.is_p2pkh() => "p2pkh",
            () if script.is_p2sh() => "p2sh",
            () if script.is_p2wsh() => "p2wsh",
            () if script.is_p2pk() && script.len() == 67 => "p2pk, long",
            () if script.is_p2pk() => "p2pk",
            () if script.is_multisig() => "multisig",
            () if script.is_op_return() => "data",
            () if script.is_witness_program() => "anchor",
            () => "nonstandard",
        };
        self.kinds.insert(kind);
        if let Ok(address) = Address::from_script(script, Network::Regtest) {
            let entry = self.addresses.entry(address.to_string()).or_default();
            self.reused += u64::from(entry.0 > 0);
            entry.0 += 1;
            entry.1 += output.value.to_sat();
        }
        if height > 0 && !script.is_op_return() {
            let (value_sats, script) = (output.value.to_sat(), script.clone());
            let double = self.unspent.insert(point, Spent { height, coinbase, value_sats, script });
            assert_eq!(double, None);
        }
    }
}

/// The undo data of a block. A stale sibling of the same parent has fewer transactions.
fn undo_of(block: &Block, found: &Folder) -> Vec<Vec<Spent>> {
    let of_parent = found.undo.iter().filter(|(_, undo, sum)| belongs(undo, sum, &block.header.prev_blockhash));
    let decoded = of_parent.map(|(_, undo, _)| decode(undo));
    decoded.max_by_key(Vec::len).expect("every block but genesis has undo data")
}

/// The height that the coinbase begins with (BIP 34).
fn height_in(block: &Block) -> usize {
    let script = &block.txdata[0].input[0].script_sig;
    let begins =
        |height: &i64| script.as_bytes().starts_with(bitcoin::script::Builder::new().push_int(*height).as_bytes());
    usize::try_from((1..100_000).find(begins).unwrap()).unwrap()
}

/// What every block must be, wherever it is.
fn check_block(block: &Block) {
    assert!(block.check_merkle_root());
    assert!(block.check_witness_commitment());
    block.header.validate_pow(block.header.target()).unwrap();
    assert_eq!(block.header.bits.to_consensus(), 0x207f_ffff);
    assert!(block.weight() <= Weight::MAX_BLOCK);
}

/// Everything at once; gives what the chain is like.
fn check(plan: &ChainPlan) -> (Replayed, ChainReport) {
    let (folder, report) = make(plan);
    let found = Folder::read(&folder.path().join("blocks"));
    let blocks = found.decoded();
    blocks.iter().for_each(check_block);
    let chain = active(&blocks);
    assert_eq!(chain[0].block_hash(), bitcoin::constants::genesis_block(Network::Regtest).block_hash());
    for (height, block) in chain.iter().enumerate().skip(1) {
        assert_eq!(height_in(block), height);
        let mut before: Vec<u32> = chain[height.saturating_sub(11)..height].iter().map(|b| b.header.time).collect();
        before.sort_unstable();
        assert!(block.header.time > before[before.len() / 2]);
    }
    let replayed = Replayed::of(&chain, &found);

    assert_eq!(report.blocks, chain.len() as u64);
    assert_eq!(report.stale_blocks, plan.stale);
    assert_eq!(blocks.len(), chain.len() + plan.stale as usize);
    assert_eq!(found.undo.len(), chain.len() - 1 + plan.stale.div_ceil(2) as usize);
    assert_eq!(report.tip_hash, chain[chain.len() - 1].block_hash().to_string());
    assert_eq!(report.transactions, plan.transactions);
    assert_eq!(report.transactions, chain.iter().map(|block| block.txdata.len() as u64).sum::<u64>());
    assert_eq!(report.inputs, replayed.inputs);
    assert_eq!(report.outputs, replayed.outputs);
    assert_eq!(report.live_outputs, replayed.unspent.len() as u64);
    assert_eq!(report.fees_sats, replayed.fees_sats);
    assert_eq!(report.addresses, replayed.addresses.len() as u64 - u64::from(replayed.kinds.contains("anchor")));
    let records = found.blocks.iter().map(|(_, block)| block.len() as u64 + 8).sum::<u64>()
        + found.undo.iter().map(|(_, undo, _)| undo.len() as u64 + 40).sum::<u64>();
    assert_eq!(report.bytes, records);
    for sample in &report.sample_transactions {
        let block = chain[sample.height as usize];
        assert!(block.txdata.iter().any(|transaction| transaction.compute_txid().to_string() == sample.txid));
    }
    let most = replayed.addresses.values().map(|(outputs, _)| *outputs).max();
    assert_eq!(report.busiest_addresses.first().map(|sample| sample.outputs), most);
    for sample in &report.busiest_addresses {
        assert_eq!(replayed.addresses[&sample.address], (sample.outputs, sample.balance_sats));
    }
    (replayed, report)
}

#[test]
fn a_chain_holds_every_rule_but_signatures() {
    let (replayed, report) = check(&plan(60_000));
    assert_eq!(report.ledger, "bip122:0f9188f13cb7b2c71f2a335e3a4fc328");
    assert_eq!(
        replayed.kinds.iter().copied().collect::<Vec<_>>(),
        ["anchor", "data", "multisig", "nonstandard", "p2pk", "p2pk, long", "p2pkh", "p2sh", "p2tr", "p2wpkh", "p2wsh"]
    );
    // What docs/exercise.md says of life on it.
    let of = |part: u64, whole: u64| part * 100 / whole;
    assert!((185..=215).contains(&of(report.inputs, report.transactions)), "{report:?}");
    assert!((195..=230).contains(&of(report.outputs, report.transactions)), "{report:?}");
    assert!((38..=50).contains(&of(replayed.reused, replayed.outputs)), "{}", of(replayed.reused, replayed.outputs));
    assert!((70..=95).contains(&of(replayed.young, replayed.inputs)), "{}", of(replayed.young, replayed.inputs));
    assert!((1..=15).contains(&of(replayed.old, replayed.inputs)), "{}", of(replayed.old, replayed.inputs));
    assert!((400..=460).contains(&(report.bytes / report.transactions)), "{report:?}");
    assert_eq!(report.sample_transactions.len(), 16);
}

#[test]
fn short_chains_stale_blocks_and_any_order_are_right_too() {
    for (transactions, stale, shuffled) in
        [(200, 0, false), (201, 3, true), (1_000, 0, true), (5_000, 20, false), (9_999, 7, true)]
    {
        check(&ChainPlan { stale, shuffled, ..plan(transactions) });
    }
}

#[test]
fn shuffled_blocks_stand_before_their_parents_and_undo_data_in_order() {
    let (folder, _) = make(&ChainPlan { shuffled: true, ..plan(2_000) });
    let found = Folder::read(&folder.path().join("blocks"));
    let heights: Vec<usize> = found.decoded()[1..].iter().map(height_in).collect();
    assert!(heights.windows(2).filter(|pair| pair[1] < pair[0]).count() > heights.len() / 4);
    let (straight, _) = make(&plan(2_000));
    let ordered = Folder::read(&straight.path().join("blocks"));
    assert_eq!(found.undo, ordered.undo, "the same chain, connected in the same order");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_the_key_is_all_that_obfuscation_changes() {
    let first = plan(3_000);
    let (one, two) = (make(&first), make(&first));
    assert_eq!(one.1, two.1);
    // Changed on purpose only: figures that somebody measured are figures of that chain.
    assert_eq!(one.1.tip_hash, "77feb2ff237c6ffdb3fd489f4327cc5acee853aeaa1cc0b4459b7c59eb5d8c5c");
    assert!(files(one.0.path()) == files(two.0.path()));
    assert!(files(one.0.path()) != files(make(&ChainPlan { seed: 8, ..first.clone() }).0.path()));

    let (clear, report) = make(&ChainPlan { obfuscated: false, ..first });
    assert_eq!(report.tip_hash, one.1.tip_hash);
    let key = fs::read(one.0.path().join("blocks/xor.dat")).unwrap();
    assert_ne!(key, [0; 8]);
    assert_eq!(fs::read(clear.path().join("blocks/xor.dat")).unwrap(), [0; 8]);
    let found = Folder::read(&clear.path().join("blocks"));
    let lengths = [
        ("blk00000.dat", found.blocks.iter().map(|(_, block)| block.len() + 8).sum::<usize>()),
        ("rev00000.dat", found.undo.iter().map(|(_, undo, _)| undo.len() + 40).sum()),
    ];
    for (name, used) in lengths {
        let open = fs::read(clear.path().join("blocks").join(name)).unwrap();
        let hidden = one.0.path().join("blocks").join(name);
        assert!(plain(&hidden, &key)[..used] == open[..used]);
        assert!(fs::read(hidden).unwrap()[used..].iter().all(|byte| *byte == 0), "reserved space stays zeros");
    }
}

#[test]
fn a_folder_is_replaced_and_nothing_is_left_behind() {
    let (folder, _) = make(&plan(2_000));
    let told = std::cell::Cell::new(0);
    let report = write_chain(&plan(300), folder.path(), &mut |done| told.set(done)).unwrap();
    assert_eq!(told.get(), 300);
    let (fresh, _) = make(&plan(300));
    assert!(files(folder.path()) == files(fresh.path()));
    let manifest = fs::read_to_string(folder.path().join("manifest.json")).unwrap();
    assert_eq!(serde_json::from_str::<ChainReport>(&manifest).unwrap(), report);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    for bad in [plan(199), plan(50_000_001), ChainPlan { stale: 1_001, ..plan(300) }] {
        assert!(write_chain(&bad, folder.path(), &mut |_| {}).is_err());
    }
}

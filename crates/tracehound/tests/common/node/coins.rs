//! Transactions for a test chain, made by hand: coins that anybody may spend, outputs of every kind of script, chains
//! of payments within one block.
//!
//! Most coins here need no signature, so that a block of any shape is made without a wallet and in microseconds, and
//! the same seed gives the same transactions. For the kinds that need one the keys are the three smallest there are
//! (1, 2, 3), which everybody knows. Layout of a transaction: BIP 144; of scripts: BIPs 11, 13, 141, 341.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The private keys 1, 2 and 3 as a wallet takes them for regtest, with compressed public keys.
pub const KEYS: [&str; 3] = [
    "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA",
    "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87K7XCyj5v",
    "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87KcLPVfXz",
];
/// Key 1 for its uncompressed public key.
pub const KEY_UNCOMPRESSED: &str = "91avARGdfge8E4tZfYLoxeJ5sGBdNJQH4kvjJoQFacbgwmaKkrx";
/// The public keys of 1, 2 and 3: the first multiples of the curve's generator (SEC 2, section 2.4.1).
const PUBLIC: [&str; 3] = [
    "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
    "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
];
const PUBLIC_UNCOMPRESSED: &str = "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\
    483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";

/// What blocks are mined to: P2WPKH of key 1.
pub const MINER_SCRIPT: &str = "0014751e76e8199196d454941c45d1b3a323f1433bd6";
/// `OP_TRUE`: whoever comes may spend it.
pub const OPEN_SCRIPT: &str = "51";
/// `OP_TRUE` behind a hash: P2SH and P2WSH that whoever comes may spend.
const OPEN_P2SH: &str = "a914da1745e9b549bd0bfa1a569971c77eba30cd5a4b87";
const OPEN_P2WSH: &str = "00204ae81572f06e1b88fd5ced7a1a000945432e83e1551e6f721ee9c00b8cc33260";

/// An output that can be spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coin {
    /// The transaction, in the order of bytes that blocks have.
    pub id: [u8; 32],
    /// Which of its outputs.
    pub index: u32,
    /// Its value.
    pub value_sats: u64,
    /// How it is spent.
    pub by: By,
}

/// Who may spend an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Anybody, with these bytes as input script and, where there is one, as the only witness item.
    Anybody(&'static [u8], Option<&'static [u8]>),
    /// The wallet with the keys.
    Wallet,
    /// Nobody: it is provably or in fact unspendable.
    Nobody,
}

/// A kind of script.
pub struct Kind {
    /// What it is called here.
    pub name: &'static str,
    /// The output script.
    pub script: Vec<u8>,
    /// Who may spend it.
    pub by: By,
}

impl Coin {
    /// A coin that anybody may spend without a word ([`OPEN_SCRIPT`]).
    pub fn new(id: &str, index: u32, value_sats: u64) -> Self {
        let mut id: [u8; 32] = bytes(id).try_into().expect("a transaction id has 32 bytes");
        id.reverse();
        Self { id, index, value_sats, by: By::Anybody(&[], None) }
    }

    /// The input script and the witness item that spend it without a key.
    fn words(&self) -> (&[u8], Option<&[u8]>) {
        match self.by {
            By::Anybody(script, witness) => (script, witness),
            By::Wallet | By::Nobody => (&[], None),
        }
    }
}

/// Every kind of script that a ledger must know, at least one of each, with the odd ones.
pub fn kinds() -> Vec<Kind> {
    let [key, second, third] = PUBLIC;
    let kind = |name, script: &str, by| Kind { name, script: bytes(script), by };
    let open = |script, witness| By::Anybody(script, witness);
    let mut kinds = vec![
        kind("p2pk", &format!("21{key}ac"), By::Wallet),
        kind("p2pk uncompressed", &format!("41{PUBLIC_UNCOMPRESSED}ac"), By::Wallet),
        // 65 bytes that look like a public key and are no point of the curve.
        kind("p2pk off the curve", &format!("4104{}ac", "11".repeat(64)), By::Nobody),
        kind("p2pkh", "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac", By::Wallet),
        // Of key 1's P2WPKH.
        kind("p2sh of p2wpkh", "a914bcfeb728b584253d5f3f70bcb780e9ef218a68f487", By::Wallet),
        kind("p2sh", OPEN_P2SH, open(&[1, 0x51], None)),
        kind("p2wpkh", MINER_SCRIPT, By::Wallet),
        kind("p2wsh", OPEN_P2WSH, open(&[], Some(&[0x51]))),
        // Key path of key 1's output key (BIP 86).
        kind("p2tr", "5120da4710964f7852695de2da025290e24af6d8c281de5a0b902b7135fd9fd74d21", By::Wallet),
        kind("p2tr unspendable", &format!("5120{}", "ff".repeat(32)), By::Nobody),
        kind("multisig 1 of 2", &format!("5121{key}21{second}52ae"), By::Wallet),
        kind("multisig 2 of 3", &format!("5221{key}21{second}21{third}53ae"), By::Wallet),
        kind("op_return", "6a0568656c6c6f", By::Nobody),
        kind("op_return alone", "6a", By::Nobody),
        kind("anchor", "51024e73", open(&[], None)),
        kind("witness of a later version", "52028751", open(&[], None)),
        kind("nonstandard: op_true", OPEN_SCRIPT, open(&[], None)),
        kind("nonstandard: empty", "", open(&[0x51], None)),
        kind("nonstandard: sum", "52935387", open(&[0x51], None)),
        // A push that promises more bytes than there are.
        kind("nonstandard: cut off", "4c", By::Nobody),
    ];
    // Longer than a script may be: never enters the set of unspent outputs.
    kinds.push(Kind { name: "nonstandard: too long", script: vec![0x61; 10_001], by: By::Nobody });
    kinds
}

/// What the wallet imports so that it can sign for [`kinds`].
pub fn wallet_descriptors() -> Vec<String> {
    let [key, second, third] = KEYS;
    vec![
        format!("pk({key})"),
        format!("pk({KEY_UNCOMPRESSED})"),
        format!("pkh({key})"),
        format!("sh(wpkh({key}))"),
        format!("wpkh({key})"),
        format!("tr({key})"),
        format!("multi(1,{key},{second})"),
        format!("multi(2,{key},{second},{third})"),
    ]
}

/// A transaction that pays the same to each kind, and the rest to whoever comes; and what it paid to each.
pub fn pay_each(coin: &Coin, kinds: &[Kind]) -> (Transaction, Vec<Coin>) {
    let each = coin.value_sats / (kinds.len() as u64 + 1);
    let mut outputs: Vec<(u64, &[u8])> = kinds.iter().map(|kind| (each, &kind.script[..])).collect();
    outputs.push((coin.value_sats - each * kinds.len() as u64, &[0x51]));
    let pay = Transaction::new(std::slice::from_ref(coin), &outputs);
    let paid = (0..).zip(kinds).map(|(index, kind)| Coin { id: pay.id, index, value_sats: each, by: kind.by });
    let paid = paid.collect();
    (pay, paid)
}

/// A transaction that spends all of these that can be spent; the wallet's inputs are not signed yet.
pub fn spend_each(coins: &[Coin]) -> Transaction {
    let coins: Vec<Coin> = coins.iter().filter(|coin| coin.by != By::Nobody).cloned().collect();
    let total: u64 = coins.iter().map(|coin| coin.value_sats).sum();
    // A thousandth of it is the fee.
    Transaction::new(&coins, &[(total - total / 1_000, &[0x51])])
}

/// Makes many transactions, each of which may spend what the one before made: the life of a block in small.
///
/// The mempool refuses most of them, so a reorganisation that drops their block drops them for good: mine the same ones
/// again, or begin another loom with other coins.
pub struct Loom {
    coins: Vec<Coin>,
    kinds: Vec<Kind>,
    open: usize,
    seed: u64,
}

impl Loom {
    /// It spends these coins and what it makes of them. The same coins and seed give the same transactions.
    pub fn new(coins: Vec<Coin>, seed: u64) -> Self {
        let kinds = kinds();
        let open = kinds.iter().position(|kind| kind.script == [0x51]).expect("OP_TRUE is a kind");
        // A xorshift must not begin at nought.
        Self { coins, kinds, open, seed: seed | 1 << 63 }
    }

    /// The next transactions: one to four inputs, often of the transaction before; one to six outputs of any kind, of
    /// which most can be spent by this loom again; often a fee.
    pub fn weave(&mut self, transactions: usize) -> Vec<Transaction> {
        (0..transactions).map(|_| self.one()).collect()
    }

    fn one(&mut self) -> Transaction {
        let mut inputs = Vec::new();
        for _ in 0..=self.below(4) {
            let Some(last) = self.coins.len().checked_sub(1) else { break };
            let at = if self.below(2) == 0 { last } else { self.below(self.coins.len()) };
            inputs.push(self.coins.swap_remove(at));
        }
        assert!(!inputs.is_empty(), "the loom has no coin; give it one");
        let mut left: u64 = inputs.iter().map(|coin| coin.value_sats).sum();
        let mut outputs = Vec::new();
        for _ in 0..self.below(5) {
            // Nothing, an eighth, or a quarter of what is left.
            let value_sats = left / 8 * self.below(3) as u64;
            outputs.push((value_sats, self.below(self.kinds.len())));
            left -= value_sats;
        }
        let fee = left.min(self.below(5_000) as u64);
        // One output always goes to whoever comes, so that the loom never runs dry.
        let at = self.below(outputs.len() + 1);
        outputs.insert(at, (left - fee, self.open));
        let scripts: Vec<(u64, &[u8])> =
            outputs.iter().map(|(value_sats, kind)| (*value_sats, &self.kinds[*kind].script[..])).collect();
        let made = Transaction::new(&inputs, &scripts);
        for (index, (value_sats, kind)) in (0..).zip(outputs) {
            let by = self.kinds[kind].by;
            if matches!(by, By::Anybody(..)) {
                self.coins.push(Coin { id: made.id, index, value_sats, by });
            }
        }
        made
    }

    fn below(&mut self, end: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        usize::try_from((self.seed >> 11) % end as u64).expect("it is below a usize")
    }
}

/// A transaction and its id.
pub struct Transaction {
    /// In the order of bytes that blocks have; not what it will be once a wallet has written into input scripts.
    pub id: [u8; 32],
    /// As it is sent.
    pub raw: Vec<u8>,
}

impl Transaction {
    /// With the inputs' scripts and witnesses where anybody may spend them.
    pub fn new(inputs: &[Coin], outputs: &[(u64, &[u8])]) -> Self {
        let has_witness = inputs.iter().any(|coin| coin.words().1.is_some());
        let id = Sha256::digest(Sha256::digest(serialised(inputs, outputs, false))).into();
        Self { id, raw: serialised(inputs, outputs, has_witness) }
    }

    /// As RPC takes it.
    pub fn hex(&self) -> String {
        hex(&self.raw)
    }
}

fn serialised(inputs: &[Coin], outputs: &[(u64, &[u8])], with_witness: bool) -> Vec<u8> {
    let mut raw = 2_u32.to_le_bytes().to_vec();
    raw.extend_from_slice(if with_witness { &[0, 1] } else { &[] });
    put_length(&mut raw, inputs.len());
    for coin in inputs {
        raw.extend(coin.id);
        raw.extend(coin.index.to_le_bytes());
        put_bytes(&mut raw, coin.words().0);
        raw.extend(u32::MAX.to_le_bytes());
    }
    put_length(&mut raw, outputs.len());
    for (value_sats, script) in outputs {
        raw.extend(value_sats.to_le_bytes());
        put_bytes(&mut raw, script);
    }
    for coin in inputs.iter().filter(|_| with_witness) {
        let item = coin.words().1;
        put_length(&mut raw, usize::from(item.is_some()));
        if let Some(item) = item {
            put_bytes(&mut raw, item);
        }
    }
    raw.extend(0_u32.to_le_bytes());
    raw
}

fn put_bytes(raw: &mut Vec<u8>, bytes: &[u8]) {
    put_length(raw, bytes.len());
    raw.extend_from_slice(bytes);
}

/// The "compact size" of Bitcoin's wire format.
fn put_length(raw: &mut Vec<u8>, length: usize) {
    let length = u16::try_from(length).expect("no test needs 65,536 of anything");
    if let Ok(short @ 0..=252) = u8::try_from(length) {
        raw.push(short);
    } else {
        raw.push(0xfd);
        raw.extend(length.to_le_bytes());
    }
}

/// An id as people read it: the other way round.
pub fn id_text(id: &[u8; 32]) -> String {
    let mut id = *id;
    id.reverse();
    hex(&id)
}

/// Bytes in hex.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes of a text in hex.
#[track_caller]
pub fn bytes(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text:?} has half a byte");
    let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap_or_else(|e| panic!("{text:?}: {e}"));
    (0..text.len()).step_by(2).map(pair).collect()
}

/// Base units of a value as the node prints it: coins with eight decimals. All coins there will ever be are below 2^53
/// base units, so a double keeps any two values apart, and eight decimals of it are the ones that were printed.
#[track_caller]
pub fn sats(coins: &Value) -> u64 {
    let text = format!("{:.8}", coins.as_f64().unwrap_or_else(|| panic!("{coins} is no amount of coins")));
    text.replace('.', "").parse().unwrap_or_else(|e| panic!("{coins} is no amount of coins: {e}"))
}

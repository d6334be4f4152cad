//! [`History`]: what went into a pool and came out of it, and how large the crowd was at any time.

use std::collections::BTreeSet;

use evm::abi::{Signature, Value};
use ledger::{AssetId, Contracts, End, HolderId, Leg, Seq, Time, hex};

use super::table::{Pool, Pools};

/// The events of pools of this design, as people write them. Source: tornado-core, `contracts/Tornado.sol`.
pub const EVENTS: [&str; 2] = [
    "Deposit(bytes32 indexed commitment, uint32 leafIndex, uint256 timestamp)",
    "Withdrawal(address to, bytes32 nullifierHash, address indexed relayer, uint256 fee)",
];

/// The topics of the same, for whoever keeps logs.
pub fn topics() -> BTreeSet<[u8; 32]> {
    EVENTS.iter().map(|text| Signature::parse(text).expect("the built-in signatures are good").topic()).collect()
}

/// How many problems are told in words.
const PROBLEMS_MAX: usize = 100;

/// A note that was put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// Where in the ledger.
    pub seq: Seq,
    /// The transaction's id.
    pub tx: String,
    /// The log's index.
    pub index: u32,
    /// When.
    pub time: Time,
    /// The block.
    pub height: Option<u64>,
    /// Its number within the pool, from 0.
    pub leaf: u32,
    /// Who sent the transaction.
    pub sender: Option<String>,
    /// What he paid for it, in units of the chain's coin.
    pub fee_units: u128,
}

/// A note that was taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// Where in the ledger.
    pub seq: Seq,
    /// The transaction's id.
    pub tx: String,
    /// The log's index.
    pub index: u32,
    /// When.
    pub time: Time,
    /// The block.
    pub height: Option<u64>,
    /// Who received it.
    pub recipient: String,
    /// Who was paid for sending the transaction; nobody where the receiver saw to it.
    pub relayer: Option<String>,
    /// What the relayer kept of the note, in base units.
    pub fee_units: u128,
    /// Who sent the transaction.
    pub sender: Option<String>,
    /// What he paid for it, in units of the chain's coin.
    pub gas_fee_units: u128,
    /// The number that keeps a note from being taken out twice.
    pub nullifier: [u8; 32],
}

/// A pool's events in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Notes that were put in and do not stand in the ledger: their numbers are missing.
    Unseen(u32),
    /// The deposit of this place.
    Deposit(usize),
    /// The withdrawal of this place.
    Withdrawal(usize),
}

/// What happened in a pool.
#[derive(Clone, Debug)]
pub struct History {
    /// The pool.
    pub pool: Pool,
    /// In ledger order.
    pub deposits: Vec<Deposit>,
    /// In ledger order.
    pub withdrawals: Vec<Withdrawal>,
    /// Both, in ledger order.
    pub steps: Vec<Step>,
    /// What could not be read.
    pub problems: Vec<String>,
}

/// The crowd among which a withdrawal hides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crowd {
    /// Notes put in so far, those that the ledger does not show included.
    pub deposits: u64,
    /// Notes taken out so far.
    pub withdrawals: u64,
    /// Of the notes put in, those that are tied to a withdrawal, before or after.
    pub linked_deposits: u64,
    /// Of the notes taken out, those that are tied to a deposit.
    pub linked_withdrawals: u64,
}

impl Crowd {
    /// How many notes lie in the pool.
    pub const fn inside(self) -> u64 {
        self.deposits.saturating_sub(self.withdrawals)
    }

    /// How many notes a withdrawal at this time could be, seen from outside: every note ever put in, less those that are
    /// tied to a withdrawal.
    pub const fn candidates(self) -> u64 {
        self.deposits.saturating_sub(self.linked_deposits)
    }

    /// How many of the notes inside nothing ties to anybody.
    pub const fn inside_unlinked(self) -> u64 {
        self.candidates().saturating_sub(self.withdrawals.saturating_sub(self.linked_withdrawals))
    }
}

impl History {
    /// The crowd just before transaction `before`. `linked` says which withdrawals are tied to which deposits.
    pub fn crowd(&self, before: Seq, linked: &[(usize, usize)]) -> Crowd {
        let mut crowd = Crowd::default();
        for step in &self.steps {
            match step {
                Step::Unseen(count) => crowd.deposits += u64::from(*count),
                Step::Deposit(at) if self.deposits[*at].seq < before => crowd.deposits += 1,
                Step::Withdrawal(at) if self.withdrawals[*at].seq < before => crowd.withdrawals += 1,
                _ => return self.with_linked(crowd, before, linked),
            }
        }
        self.with_linked(crowd, before, linked)
    }

    fn with_linked(&self, mut crowd: Crowd, before: Seq, linked: &[(usize, usize)]) -> Crowd {
        for (withdrawal, deposit) in linked {
            crowd.linked_deposits += u64::from(self.deposits[*deposit].seq < before);
            crowd.linked_withdrawals += u64::from(self.withdrawals[*withdrawal].seq < before);
        }
        crowd
    }
}

/// What happened in each pool of a ledger in which anything did, in order of the table.
pub fn read(ledger: &dyn Contracts, pools: &Pools) -> Vec<History> {
    let mut histories: Vec<History> = pools
        .of(ledger.id())
        .map(|pool| History {
            pool: pool.clone(),
            deposits: Vec::new(),
            withdrawals: Vec::new(),
            steps: Vec::new(),
            problems: Vec::new(),
        })
        .collect();
    let signatures = EVENTS.map(|text| Signature::parse(text).expect("the built-in signatures are good"));
    let topics = [signatures[0].topic(), signatures[1].topic()];
    let mut sender = Sender { ledger, of: None, legs: Vec::new() };
    ledger.events(Seq(0), ledger.end(), &mut |seq, event| {
        let Some(history) = histories.iter_mut().find(|history| history.pool.contract == event.contract) else {
            return;
        };
        let Some(which) = topics.iter().position(|topic| event.topics.first() == Some(topic)) else { return };
        let fields = signatures[which].decode_event(&event.topics, &event.data);
        let tx = || ledger.transaction_name(seq);
        let Ok(fields) = fields else {
            return history.problem(|| format!("{}: log {} has not the form of a pool's", tx(), event.index));
        };
        let get = |name: &str| fields.iter().find(|field| field.name == name).map(|field| &field.value);
        let stamp = ledger.stamp(seq);
        let (sender, fee) = sender.of(seq);
        if which == 0 {
            let leaf = get("leafIndex").and_then(Value::units).and_then(|leaf| u32::try_from(leaf).ok());
            let Some(leaf) = leaf else { return };
            let deposit = Deposit {
                seq,
                tx: tx(),
                index: event.index,
                time: stamp.time,
                height: stamp.height,
                leaf,
                sender,
                fee_units: fee,
            };
            history.deposit(deposit);
        } else {
            let address = |name: &str| get(name).and_then(Value::address);
            let (Some(recipient), Some(relayer)) = (address("to"), address("relayer")) else { return };
            let nullifier = match get("nullifierHash") {
                Some(Value::Bytes(bytes)) => bytes.as_slice().try_into().unwrap_or_default(),
                _ => [0; 32],
            };
            let name = |address: [u8; 20]| format!("0x{}", hex::text(&address));
            let withdrawal = Withdrawal {
                seq,
                tx: tx(),
                index: event.index,
                time: stamp.time,
                height: stamp.height,
                recipient: name(recipient),
                relayer: (relayer != [0; 20]).then(|| name(relayer)),
                fee_units: get("fee").and_then(Value::units).unwrap_or(0),
                sender,
                gas_fee_units: fee,
                nullifier,
            };
            history.steps.push(Step::Withdrawal(history.withdrawals.len()));
            history.withdrawals.push(withdrawal);
        }
    });
    histories.retain(|history| !history.steps.is_empty());
    histories
}

impl History {
    fn problem(&mut self, what: impl FnOnce() -> String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(what());
        }
    }

    fn deposit(&mut self, deposit: Deposit) {
        let expected = self.deposits.last().map_or(0, |last| last.leaf.saturating_add(1));
        if deposit.leaf < expected {
            let text = format!("{}: note {} comes after note {}", deposit.tx, deposit.leaf, expected - 1);
            self.problem(|| text);
        } else if deposit.leaf > expected {
            self.steps.push(Step::Unseen(deposit.leaf - expected));
        }
        self.steps.push(Step::Deposit(self.deposits.len()));
        self.deposits.push(deposit);
    }
}

/// Who sent a transaction: who paid its fee. Several events of one transaction ask the ledger once.
struct Sender<'a> {
    ledger: &'a dyn Contracts,
    of: Option<(Seq, Option<HolderId>, u128)>,
    legs: Vec<Leg>,
}

impl Sender<'_> {
    fn of(&mut self, seq: Seq) -> (Option<String>, u128) {
        if self.of.is_none_or(|(known, ..)| known != seq) {
            self.ledger.transaction(seq, &mut self.legs);
            let fees = self.legs.iter().filter(|leg| leg.payee == End::Fee);
            let payers =
                || fees.clone().filter_map(|leg| leg.payer.purse()).map(|purse| self.ledger.purse(purse).holder);
            let payer = payers().next();
            let fee = fees.clone().fold(0u128, |sum, leg| sum.saturating_add(leg.amount.units()));
            self.of = Some((seq, payer, fee));
        }
        let (_, payer, fee) = self.of.expect("set just above");
        (payer.map(|holder| self.ledger.holder_name(holder)), fee)
    }
}

/// The chain's own coin: the asset whose name names no contract.
pub(super) fn native(ledger: &dyn Contracts) -> Option<AssetId> {
    (0..ledger.assets()).map(AssetId).find(|asset| !ledger.asset(*asset).symbol.contains(':'))
}

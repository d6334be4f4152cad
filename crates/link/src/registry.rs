//! [`Registry`]: which contracts are bridges, which of their logs say that money crossed, and what each argument means.
//!
//! It is data: one YAML file a protocol (`crates/link/registry`), and files of the user that add to them or come before
//! them. A bridge that nobody thought of yet is another file. It says what a log means and does not look for pairs
//! (`find`); how a file is written is in `docs/links.md`.

pub mod chains;
pub mod guess;
mod parse;
mod read;
mod terms;
mod unpack;

use std::collections::{BTreeMap, BTreeSet};

use decode::Fault;
use evm::abi::Signature;
use ledger::{LedgerId, hex};
use money::Decimal;

pub use read::{Called, Log, Moved, Reading, Refusal};
pub use terms::{Names, Term};
pub use unpack::{Layout, Unpack};

use crate::Direction;

/// The entries that come with the program, by file name.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("across.yaml", include_str!("../registry/across.yaml")),
    ("avalanche-bridge.yaml", include_str!("../registry/avalanche-bridge.yaml")),
    ("cctp.yaml", include_str!("../registry/cctp.yaml")),
    ("celer-cbridge.yaml", include_str!("../registry/celer-cbridge.yaml")),
    ("layerzero.yaml", include_str!("../registry/layerzero.yaml")),
    ("multichain.yaml", include_str!("../registry/multichain.yaml")),
    ("poly-network.yaml", include_str!("../registry/poly-network.yaml")),
    ("ren-bridge.yaml", include_str!("../registry/ren-bridge.yaml")),
    ("wormhole.yaml", include_str!("../registry/wormhole.yaml")),
];

/// What a contract is to its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Takes and pays out money, or locks it.
    Bridge,
    /// Holds money that a token elsewhere stands for.
    Vault,
    /// Passes money on to a bridge.
    Router,
    /// A token that is minted and burnt.
    Token,
    /// Carries messages; holds no money.
    Messenger,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Bridge, Self::Vault, Self::Router, Self::Token, Self::Messenger];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Vault => "vault",
            Self::Router => "router",
            Self::Token => "token",
            Self::Messenger => "messenger",
        }
    }

    /// Whether what is paid to it has gone into the bridge: a token's own contract and a messenger keep nothing.
    pub const fn takes_money(self) -> bool {
        matches!(self, Self::Bridge | Self::Vault | Self::Router)
    }
}

/// A contract of a protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The ledger.
    pub ledger: LedgerId,
    /// The address.
    pub address: [u8; 20],
    /// What the protocol's people call it.
    pub name: String,
    /// What it is.
    pub role: Role,
}

/// How the two sides of a passage find one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// Both carry the same key.
    Key,
    /// What comes out names the transaction that went in.
    Transaction,
    /// Neither: only the matcher can tell.
    None,
}

impl Pairing {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Key, Self::Transaction, Self::None];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Transaction => "transaction",
            Self::None => "none",
        }
    }
}

/// What a bridge keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fee {
    /// Nothing: as much comes out as went in.
    None,
    /// What its logs say.
    Told,
    /// Up to such a part of what went in.
    UpTo(Decimal),
    /// Nobody knows, so nothing is checked.
    Unknown,
}

/// Where the event stands that completes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The nearest one before it in the transaction.
    Before,
    /// The nearest one after it.
    After,
}

/// An event in the same transaction that says the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    /// Its signature.
    pub signature: Signature,
    /// Which one.
    pub place: Place,
    /// What lies packed in its arguments.
    pub unpack: Vec<Unpack>,
}

/// What one event, or one function, says of a crossing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its signature.
    pub signature: Signature,
    /// The hash of it: a log's first topic; its first four bytes are a call's selector.
    pub topic: [u8; 32],
    /// Which way money goes.
    pub direction: Direction,
    /// Which of the protocol's contracts write it; all, where none is named.
    pub contracts: Vec<String>,
    /// The token.
    pub token: Option<Term>,
    /// How much.
    pub amount: Term,
    /// What the bridge keeps of it.
    pub fee: Option<Term>,
    /// Who paid.
    pub sender: Option<Term>,
    /// Who receives.
    pub recipient: Option<Term>,
    /// The ledger of the other side.
    pub other: Option<Term>,
    /// What makes the key.
    pub key: Vec<Term>,
    /// The transaction of the other side.
    pub other_tx: Option<Term>,
    /// What must be so for it to be a crossing at all.
    pub when: Vec<(Term, String)>,
    /// What lies packed in its arguments.
    pub unpack: Vec<Unpack>,
    /// What else in the transaction belongs to it.
    pub with: Option<Companion>,
}

/// All that is known of one protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// Its name in claims: lower case, digits, hyphens.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What others call it in their data.
    pub aliases: Vec<String>,
    /// The version of the entry; a claim names it.
    pub version: u32,
    /// Which file it came from.
    pub file: String,
    /// What the entry rests on.
    pub sources: Vec<String>,
    /// What is doubtful.
    pub notes: Option<String>,
    /// The protocol's own numbers, or short names, of ledgers; empty where it uses chain ids.
    pub chains: BTreeMap<String, LedgerId>,
    /// How its sides pair.
    pub pairing: Pairing,
    /// What it keeps.
    pub fee: Fee,
    /// Its contracts.
    pub contracts: Vec<Contract>,
    /// What its logs say.
    pub events: Vec<Entry>,
    /// What its calldata says.
    pub functions: Vec<Entry>,
}

impl Protocol {
    /// The ledger that the protocol means by a number or a short name. Chain id 0 is nobody's: protocols write it for "none".
    pub fn ledger_of(&self, number: &str) -> Option<LedgerId> {
        if self.chains.is_empty() {
            return number.parse().ok().filter(|number| *number > 0).map(evm::ledger_id);
        }
        self.chains.get(number).cloned()
    }

    /// The number or short name by which the protocol knows a ledger.
    pub fn number_of<'a>(&'a self, ledger: &'a LedgerId) -> Option<&'a str> {
        if self.chains.is_empty() {
            let number = Some(ledger.reference()).filter(|number| number.parse::<u64>().is_ok());
            return number.filter(|_| ledger.namespace() == "eip155");
        }
        self.chains.iter().find(|(_, known)| *known == ledger).map(|(number, _)| number.as_str())
    }

    /// The contract at an address, if it is one of the protocol's.
    pub fn contract(&self, ledger: &LedgerId, address: [u8; 20]) -> Option<&Contract> {
        self.contracts.iter().find(|contract| contract.address == address && contract.ledger == *ledger)
    }
}

/// All protocols.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    /// In the order in which they are asked: the user's first.
    protocols: Vec<Protocol>,
    /// Places of protocols by contract.
    by_contract: BTreeMap<(LedgerId, [u8; 20]), Vec<usize>>,
}

impl Registry {
    /// No protocol at all.
    pub fn empty() -> Self {
        Self::default()
    }

    /// What comes with the program.
    pub fn built_in() -> Self {
        let mut registry = Self::empty();
        for (file, text) in BUILT_IN.iter().rev() {
            let protocol = parse::protocol(text.as_bytes(), file).expect("a test reads every built-in entry");
            registry.protocols.insert(0, protocol);
        }
        registry.index();
        registry
    }

    /// Adds an entry file, before those that are there; one of the same protocol is replaced.
    pub fn add(&mut self, bytes: &[u8], file: &str) -> Result<(), Fault> {
        let protocol = parse::protocol(bytes, file)?;
        self.protocols.retain(|known| known.name != protocol.name);
        self.protocols.insert(0, protocol);
        self.index();
        Ok(())
    }

    fn index(&mut self) {
        self.by_contract.clear();
        for (place, protocol) in self.protocols.iter().enumerate() {
            for contract in &protocol.contracts {
                let places = self.by_contract.entry((contract.ledger.clone(), contract.address)).or_default();
                // Two names of one address are one contract.
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
    }

    /// The protocols, in the order in which they are asked.
    pub fn protocols(&self) -> &[Protocol] {
        &self.protocols
    }

    /// The protocol of that name.
    pub fn protocol(&self, name: &str) -> Option<&Protocol> {
        self.protocols.iter().find(|protocol| protocol.name == name)
    }

    /// The protocol that somebody's data means by a name: its own name, its title or an alias, whatever the case.
    pub fn called(&self, name: &str) -> Option<&Protocol> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        let called = |p: &&Protocol| is(&p.name) || is(&p.title) || p.aliases.iter().any(|alias| is(alias));
        self.protocols.iter().find(called).or_else(|| self.protocol(&guess::slug(name)))
    }

    /// The protocols that have a contract at an address.
    pub fn at(&self, ledger: &LedgerId, address: [u8; 20]) -> impl Iterator<Item = &Protocol> {
        let places = self.by_contract.get(&(ledger.clone(), address)).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.protocols[*place])
    }

    /// The first topics of all events that any entry wants, and of those of mixing pools and of THORChain's routers: what a
    /// ledger must keep for them.
    pub fn topics(&self) -> BTreeSet<[u8; 32]> {
        let events = self.protocols.iter().flat_map(|protocol| &protocol.events);
        let mut topics = crate::pools::topics();
        topics.extend(crate::thorchain::topics());
        for entry in events {
            topics.insert(entry.topic);
            topics.extend(entry.with.as_ref().map(|with| with.signature.topic()));
        }
        topics
    }

    /// The addresses of all contracts of a ledger.
    pub fn addresses(&self, ledger: &LedgerId) -> BTreeSet<[u8; 20]> {
        let all = self.protocols.iter().flat_map(|protocol| &protocol.contracts);
        all.filter(|contract| contract.ledger == *ledger).map(|contract| contract.address).collect()
    }

    /// A ledger's contracts: address in canonical form, protocol, role. Ascending by address.
    pub fn contracts(&self, ledger: &LedgerId) -> Vec<(String, &str, Role)> {
        let mut found: Vec<(String, &str, Role)> = Vec::new();
        for protocol in &self.protocols {
            for contract in protocol.contracts.iter().filter(|contract| contract.ledger == *ledger) {
                found.push((format!("0x{}", hex::text(&contract.address)), &protocol.name, contract.role));
            }
        }
        found.sort();
        found.dedup_by(|a, b| a.0 == b.0 && a.1 == b.1);
        found
    }
}

#[cfg(test)]
mod tests;

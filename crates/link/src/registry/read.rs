//! From the logs of one transaction, or a call, to crossings: what an entry of the registry says, applied.
//!
//! What does not decode, or does not fit, is a [`Refusal`]: named, and left out. A log that says nothing of a crossing is
//! nothing. Pairing is not done here (`find`).

use std::fmt;

use evm::abi::{Field, Value};
use ledger::{Event, LedgerId, Time, address, hex};
use money::Amount;

use super::terms::{Names, Term};
use super::unpack::Unpack;
use super::{Entry, Place, Protocol, Registry};
use crate::{Crossing, Direction};

/// What some protocols write for the ledger's own coin.
const NATIVE_MARK: [u8; 20] = [0xee; 20];

/// A log of a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Log<'a> {
    /// Its index within the block.
    pub index: u32,
    /// The contract that wrote it.
    pub contract: [u8; 20],
    /// Its topics.
    pub topics: &'a [[u8; 32]],
    /// Its data.
    pub data: &'a [u8],
}

impl<'a> From<&'a Event> for Log<'a> {
    fn from(event: &'a Event) -> Self {
        Self { index: event.index, contract: event.contract, topics: &event.topics, data: &event.data }
    }
}

/// A movement of the same transaction: holders in canonical form; nothing is outside (minted, burnt).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Who paid.
    pub from: Option<String>,
    /// Who was paid.
    pub to: Option<String>,
    /// The asset's name.
    pub asset: String,
    /// How much, in base units.
    pub units: u128,
}

/// A log of a registered contract that should be a crossing and could not be read as one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The protocol.
    pub protocol: String,
    /// The transaction.
    pub tx: String,
    /// The log.
    pub index: Option<u32>,
    /// What is wrong, in lower case.
    pub what: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: transaction {}", self.protocol, self.tx)?;
        if let Some(index) = self.index {
            write!(f, ", log {index}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// A call that an entry knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// The function and its arguments.
    pub text: String,
    /// What it says, where it tells of an amount.
    pub crossing: Option<Crossing>,
}

/// A transaction that is being read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The registry.
    pub registry: &'a Registry,
    /// The ledger.
    pub ledger: &'a LedgerId,
    /// The transaction.
    pub tx: &'a str,
    /// When.
    pub time: Option<Time>,
    /// The name of the ledger's own coin, where it is known.
    pub native: Option<&'a str>,
    /// What the transaction moved, where that is known.
    pub moved: &'a [Moved],
}

/// One log or call with its values.
struct Found<'a> {
    protocol: &'a Protocol,
    entry: &'a Entry,
    names: Names<Value>,
    contract: Option<[u8; 20]>,
    index: Option<u32>,
}

impl<'a> Reading<'a> {
    /// The crossings that the transaction's logs tell of, in their order.
    pub fn logs(&self, logs: &[Log<'_>]) -> (Vec<Crossing>, Vec<Refusal>) {
        let (mut crossings, mut refusals) = (Vec::new(), Vec::new());
        for (place, log) in logs.iter().enumerate() {
            let Some(topic) = log.topics.first() else { continue };
            // The first protocol that knows the log has it: a user's entry comes before a built-in one.
            for protocol in self.registry.at(self.ledger, log.contract) {
                match self.log(protocol, logs, place, topic) {
                    Ok(None) => continue,
                    Ok(Some(crossing)) => crossings.push(crossing),
                    Err(what) => {
                        let tx = self.tx.to_owned();
                        refusals.push(Refusal { protocol: protocol.name.clone(), tx, index: Some(log.index), what });
                    }
                }
                break;
            }
        }
        (crossings, refusals)
    }

    fn log(
        &self,
        protocol: &'a Protocol,
        logs: &[Log<'_>],
        place: usize,
        topic: &[u8; 32],
    ) -> Result<Option<Crossing>, String> {
        let log = &logs[place];
        let contract = protocol.contract(self.ledger, log.contract);
        let name = contract.map_or("", |contract| contract.name.as_str());
        let mut failed = None;
        for entry in protocol.events.iter().filter(|entry| entry.topic == *topic) {
            if !entry.contracts.is_empty() && !entry.contracts.iter().any(|known| known == name) {
                continue;
            }
            match self.values(entry, protocol, logs, place) {
                Ok(names) => {
                    let (contract, index) = (Some(log.contract), Some(log.index));
                    let found = Found { protocol, entry, names, contract, index };
                    if self.holds(&found) {
                        return self.crossing(&found);
                    }
                    failed = None;
                }
                Err(what) => failed = Some(what),
            }
        }
        failed.map_or(Ok(None), Err)
    }

    /// What a call says, by the entries that know its selector: those of the contract's protocol, or of any where no
    /// contract is named.
    pub fn call(&self, contract: Option<[u8; 20]>, calldata: &[u8]) -> Result<Option<Called>, Refusal> {
        let mut failed = None;
        for protocol in self.registry.protocols() {
            let is_theirs = contract.is_none_or(|address| protocol.contract(self.ledger, address).is_some());
            for entry in protocol.functions.iter().filter(|entry| is_theirs && calldata.starts_with(&entry.topic[..4]))
            {
                let refused =
                    |what| Refusal { protocol: protocol.name.clone(), tx: self.tx.to_owned(), index: None, what };
                let mut names = Names::default();
                let fields = match entry.signature.decode_call(calldata) {
                    Ok(fields) => fields,
                    Err(error) => {
                        failed = Some(refused(format!("{}: {error}", entry.signature.name)));
                        continue;
                    }
                };
                if let Err(what) = add(&mut names, "", &fields, &entry.unpack) {
                    failed = Some(refused(what));
                    continue;
                }
                let found = Found { protocol, entry, names, contract, index: None };
                if self.holds(&found) {
                    let all: Vec<String> =
                        fields.iter().map(|field| format!("{}: {}", field.name, field.value)).collect();
                    let text = format!("{}({})", entry.signature.name, all.join(", "));
                    // Two functions may share a selector and differ in what they pack: the next entry may fit.
                    match self.crossing(&found) {
                        Ok(crossing) => return Ok(Some(Called { text, crossing })),
                        Err(what) => failed = Some(refused(what)),
                    }
                }
            }
        }
        failed.map_or(Ok(None), Err)
    }

    fn values(
        &self,
        entry: &Entry,
        protocol: &Protocol,
        logs: &[Log<'_>],
        place: usize,
    ) -> Result<Names<Value>, String> {
        let mut names = Names::default();
        let log = &logs[place];
        let said = |error| format!("{}: {error}", entry.signature.name);
        let fields = entry.signature.decode_event(log.topics, log.data).map_err(said)?;
        add(&mut names, "", &fields, &entry.unpack)?;
        let Some(with) = &entry.with else { return Ok(names) };
        let topic = with.signature.topic();
        let fits = |log: &&Log<'_>| {
            log.topics.first() == Some(&topic) && protocol.contract(self.ledger, log.contract).is_some()
        };
        let found = match with.place {
            Place::Before => logs[..place].iter().rev().find(fits),
            Place::After => logs[place + 1..].iter().find(fits),
        };
        let name = &with.signature.name;
        let companion = found.ok_or_else(|| format!("no {name} stands with {}", entry.signature.name))?;
        let fields = with.signature.decode_event(companion.topics, companion.data);
        let fields = fields.map_err(|error| format!("{name}: {error}"))?;
        add(&mut names, &format!("{name}."), &fields, &with.unpack)?;
        Ok(names)
    }

    /// Whether all of an entry's conditions hold.
    fn holds(&self, found: &Found<'_>) -> bool {
        found.entry.when.iter().all(|(term, wanted)| {
            let Some(value) = self.value(found, term) else { return false };
            let wanted = match wanted.as_str() {
                "@chain" => found.protocol.number_of(self.ledger).unwrap_or_default(),
                "@bridge" => {
                    let contract = value.address().and_then(|address| found.protocol.contract(self.ledger, address));
                    return contract.is_some_and(|contract| contract.role.takes_money());
                }
                text => text,
            };
            value.to_string() == wanted || chain_text(&value).is_some_and(|text| text.eq_ignore_ascii_case(wanted))
        })
    }

    fn crossing(&self, found: &Found<'_>) -> Result<Option<Crossing>, String> {
        let Found { protocol, entry, .. } = found;
        let contract = found.contract.map(address_text).unwrap_or_default();
        let recipient_term = entry.recipient.as_ref();
        let other = entry.other.as_ref().and_then(|term| self.other(found, term));
        let (here, there) = (Some(self.ledger), other.as_ref());
        let (of_sender, of_recipient) = match entry.direction {
            Direction::Deposit => (here, there),
            Direction::Withdrawal => (there, here),
            Direction::Refund => (here, here),
        };
        let recipient = recipient_term.and_then(|term| self.holder(found, term, of_recipient));
        let told = match &entry.amount {
            Term::Transaction => None,
            term => Some(self.units(found, term)?),
        };
        let by_transaction = told.is_none() || entry.token == Some(Term::Transaction);
        let moved = if by_transaction { self.moved(found, &contract, told, recipient.as_deref()) } else { None };
        // A message that moved nothing is no crossing.
        let Some(units) = told.or(moved.as_ref().map(|moved| moved.units)) else { return Ok(None) };
        let token = match &entry.token {
            Some(Term::Transaction) => moved.as_ref().map(|moved| moved.asset.clone()),
            Some(term) => self.token(found, term).map(|token| self.as_moved(found, token, units, recipient.as_deref())),
            None => None,
        };
        let holder = |term: &Option<Term>, ledger| match term {
            Some(Term::Transaction) => moved.as_ref().and_then(|moved| match entry.direction {
                Direction::Deposit => moved.from.clone(),
                Direction::Withdrawal | Direction::Refund => moved.to.clone(),
            }),
            Some(term) => self.holder(found, term, ledger),
            None => None,
        };
        let fee_units = entry.fee.as_ref().map(|term| self.units(found, term)).transpose()?;
        Ok(Some(Crossing {
            direction: entry.direction,
            ledger: self.ledger.clone(),
            tx: self.tx.to_owned(),
            index: found.index,
            time: self.time,
            protocol: protocol.name.clone(),
            token,
            units,
            fee_units,
            sender: holder(&entry.sender, of_sender),
            recipient: holder(&entry.recipient, of_recipient),
            key: self.key(found),
            other_tx: entry
                .other_tx
                .as_ref()
                .and_then(|term| transaction_text(&self.value(found, term)?, other.as_ref())),
            other,
            contract,
        }))
    }

    /// What a term stands for.
    fn value(&self, found: &Found<'_>, term: &Term) -> Option<Value> {
        Some(match term {
            Term::Argument(name) => found.names.0.get(name)?.clone(),
            Term::Contract => Value::Address(found.contract?),
            Term::Number(number) => Value::Uint(evm::abi::U256::from(*number)),
            Term::Chain => {
                let number = found.protocol.number_of(self.ledger)?;
                number
                    .parse::<u64>()
                    .map_or_else(|_| Value::Text(number.to_owned()), |number| Value::Uint(evm::abi::U256::from(number)))
            }
            Term::Tx => Value::Bytes(hex::bytes(self.tx.strip_prefix("0x")?)?),
            Term::TxTextHash => Value::Bytes(evm::abi::keccak256(self.tx.as_bytes()).to_vec()),
            Term::Transaction | Term::Native | Term::Ledger(_) => return None,
        })
    }

    fn units(&self, found: &Found<'_>, term: &Term) -> Result<u128, String> {
        let value = self.value(found, term).ok_or_else(|| format!("there is no {term}"))?;
        let units = match &value {
            Value::Bytes(bytes) if bytes.len() <= 32 => {
                let mut word = [0; 32];
                word[32 - bytes.len()..].copy_from_slice(bytes);
                u128::try_from(evm::abi::number(word)).ok()
            }
            other => other.units(),
        };
        let units = units.filter(|units| *units <= Amount::MAX.units());
        units.ok_or_else(|| format!("{term} is {value}, more than 2^126 base units"))
    }

    fn other(&self, found: &Found<'_>, term: &Term) -> Option<LedgerId> {
        if let Term::Ledger(ledger) = term {
            return Some(ledger.clone());
        }
        found.protocol.ledger_of(&chain_text(&self.value(found, term)?)?)
    }

    fn token(&self, found: &Found<'_>, term: &Term) -> Option<String> {
        if *term == Term::Native {
            return self.native.map(str::to_owned);
        }
        let address = self.value(found, term)?.address()?;
        if address == [0; 20] || address == NATIVE_MARK {
            return self.native.map(str::to_owned);
        }
        Some(format!("{}/erc20:{}", self.ledger, address_text(address)))
    }

    /// Some bridges name the wrapped coin where the coin itself was paid: they wrap and unwrap on the way. Whoever follows
    /// the money needs what the payer paid, and what the receiver received.
    fn as_moved(&self, found: &Found<'_>, token: String, units: u128, recipient: Option<&str>) -> String {
        let Some(native) = self.native else { return token };
        let is_deposit = found.entry.direction == Direction::Deposit;
        let is_side = |moved: &Moved| {
            if is_deposit { moved.from.is_some() } else { recipient.is_none() || moved.to.as_deref() == recipient }
        };
        let pays =
            |asset: &str| self.moved.iter().any(|moved| moved.asset == asset && moved.units == units && is_side(moved));
        if !pays(&token) && pays(native) { native.to_owned() } else { token }
    }

    fn holder(&self, found: &Found<'_>, term: &Term, ledger: Option<&LedgerId>) -> Option<String> {
        let value = self.value(found, term)?;
        let is_evm = ledger.is_none_or(|ledger| ledger.namespace() == "eip155");
        if is_evm && let Some(address) = value.address() {
            return Some(address_text(address)).filter(|_| address != [0; 20]);
        }
        // Elsewhere an address is text, or the bytes of a text.
        let text = match &value {
            Value::Text(text) => Some(text.clone()),
            Value::Bytes(bytes) => std::str::from_utf8(bytes).ok().map(str::to_owned),
            _ => None,
        };
        let canonical = |text: &String| match ledger {
            Some(ledger) => address::canonical(ledger, text).ok(),
            None => Some(text.clone()).filter(|text| !text.is_empty() && !text.chars().any(char::is_control)),
        };
        text.as_ref().and_then(canonical).or_else(|| Some(value.to_string()).filter(|text| text.starts_with("0x")))
    }

    /// Its parts end to end, each filled up to whole words, so that an address of 20 bytes equals one of 32.
    fn key(&self, found: &Found<'_>) -> Option<Vec<u8>> {
        let mut key = Vec::new();
        for term in &found.entry.key {
            let bytes = self.value(found, term)?.to_bytes()?;
            key.resize(key.len() + bytes.len().next_multiple_of(32) - bytes.len(), 0);
            key.extend(bytes);
        }
        Some(key).filter(|key| !key.is_empty())
    }

    /// The one movement of the transaction that is the crossing's: into the protocol's contracts, or burnt; out of them, or
    /// minted. Of several, that of the told amount; else all of one asset together.
    fn moved(&self, found: &Found<'_>, contract: &str, told: Option<u128>, recipient: Option<&str>) -> Option<Moved> {
        let is_theirs = |holder: &str| {
            let bytes = || hex::bytes(holder.strip_prefix("0x")?)?.try_into().ok();
            let takes =
                |address| found.protocol.contract(self.ledger, address).is_some_and(|known| known.role.takes_money());
            holder == contract || bytes().is_some_and(takes)
        };
        let is_deposit = found.entry.direction == Direction::Deposit;
        let inside = |moved: &Moved| if is_deposit { moved.to.clone() } else { moved.from.clone() };
        let fits = |moved: &&Moved| told.is_none_or(|units| moved.units == units);
        let wanted = |moved: &&Moved| recipient.is_none_or(|holder| is_deposit || moved.to.as_deref() == Some(holder));
        let at_theirs: Vec<&Moved> = self
            .moved
            .iter()
            .filter(|moved| inside(moved).is_some_and(|holder| is_theirs(&holder)))
            .filter(fits)
            .collect();
        let outside: Vec<&Moved> = self.moved.iter().filter(|moved| inside(moved).is_none()).filter(fits).collect();
        [at_theirs, outside].into_iter().find_map(|mut moves| {
            if moves.iter().any(wanted) {
                moves.retain(wanted);
            }
            let first = (*moves.first()?).clone();
            if told.is_some() {
                return Some(first);
            }
            if moves.iter().any(|moved| moved.asset != first.asset) {
                return None;
            }
            let units = moves.iter().try_fold(0u128, |sum, moved| sum.checked_add(moved.units))?;
            Some(Moved { units, ..first })
        })
    }
}

/// Adds decoded fields, and what lies packed in them.
fn add(names: &mut Names<Value>, prefix: &str, fields: &[Field], unpack: &[Unpack]) -> Result<(), String> {
    names.add(prefix, fields);
    for item in unpack {
        let name = format!("{prefix}{}", item.argument);
        let parts = match names.0.get(&name) {
            Some(Value::Bytes(bytes)) => item.layout.read(bytes),
            _ => None,
        };
        let parts = parts.ok_or_else(|| format!("{name} is not of the form that the registry says"))?;
        names.add(&format!("{name}."), &parts);
    }
    Ok(())
}

fn address_text(address: [u8; 20]) -> String {
    let mut text = String::with_capacity(42);
    text.push_str("0x");
    hex::push(&mut text, &address);
    text
}

/// A number of a chain in decimal, or its short name.
fn chain_text(value: &Value) -> Option<String> {
    match value {
        Value::Uint(number) => Some(number.to_string()),
        Value::Text(text) => Some(text.clone()),
        Value::Bytes(bytes) => {
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
            std::str::from_utf8(&bytes[..end]).ok().filter(|text| !text.is_empty()).map(str::to_owned)
        }
        _ => None,
    }
}

/// A transaction's id as its ledger writes it.
fn transaction_text(value: &Value, ledger: Option<&LedgerId>) -> Option<String> {
    match value {
        Value::Bytes(bytes) if bytes.len() == 32 => {
            let is_bitcoin = ledger.is_some_and(|ledger| ledger.namespace() == "bip122");
            Some(if is_bitcoin { hex::text(bytes) } else { format!("0x{}", hex::text(bytes)) })
        }
        Value::Text(text) if !text.is_empty() => Some(text.to_ascii_lowercase()),
        _ => None,
    }
}

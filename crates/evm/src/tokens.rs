//! [`Tokens`]: what is known of a chain's tokens by contract: a symbol for people, decimals, and what kind of thing it is.
//!
//! A token is its contract; symbols are whatever somebody typed. Facts come from `rules/tokens.csv`, from files of the
//! same form that a user gives, and from the node (`decimals()`); what is said later wins. Tokens that make or unmake
//! units without a `Transfer` are in `rules/token-events.csv`.

use decode::Fault;
use decode::fault::quoted;
use rustc_hash::FxHashMap;

use crate::Chain;
use crate::abi::keccak256;
use crate::words::{AddressBytes, HashBytes, prefixed};

const TOKENS: &str = include_str!("../rules/tokens.csv");
const EVENTS: &str = include_str!("../rules/token-events.csv");

/// The most tokens that a file may name.
pub const TOKENS_MAX: usize = 1 << 20;

/// By which rules a token counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standard {
    /// Units, all alike.
    Erc20,
    /// Pieces, each its own.
    Erc721,
    /// Several kinds of pieces under one contract.
    Erc1155,
}

impl Standard {
    /// The standard as CAIP-19 writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Erc20 => "erc20",
            Self::Erc721 => "erc721",
            Self::Erc1155 => "erc1155",
        }
    }

    /// How an asset of this standard is named on a chain.
    pub fn asset(self, chain: u64, contract: &AddressBytes) -> String {
        let mut text = format!("eip155:{chain}/{}:0x", self.name());
        text.reserve(40);
        ledger::hex::push(&mut text, contract);
        text
    }
}

/// What sets a token apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// Nothing does.
    pub const NONE: Self = Self(0);
    /// The chain's own coin, one to one, taken in and given out by `Deposit` and `Withdrawal`.
    pub const WRAPPED_NATIVE: Self = Self(1);
    /// Balances change without a log for each holder.
    pub const REBASING: Self = Self(2);
    /// Counts what its holder owes.
    pub const DEBT: Self = Self(4);
    /// A claim on something deposited: a share of a pool or a vault.
    pub const RECEIPT: Self = Self(8);
    /// Nobody pays for it: bait, advertising, spam.
    pub const VALUELESS: Self = Self(16);
    /// Pieces, each its own, under a contract whose transfers look like those of units.
    pub const NFT: Self = Self(32);

    /// Each flag by the name that files give it.
    const NAMES: [(&'static str, Self); 6] = [
        ("wrapped-native", Self::WRAPPED_NATIVE),
        ("rebasing", Self::REBASING),
        ("debt", Self::DEBT),
        ("receipt", Self::RECEIPT),
        ("valueless", Self::VALUELESS),
        ("nft", Self::NFT),
    ];

    /// Whether all of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Names with blanks between; the wrong one where there is one.
    pub fn parse(text: &str) -> Result<Self, &str> {
        text.split_whitespace().try_fold(Self::NONE, |flags, name| {
            Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, flag)| flags.with(*flag)).ok_or(name)
        })
    }
}

/// What is known of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Token {
    /// What people call it: never unique, never a key.
    pub symbol: String,
    /// How many decimals a unit has.
    pub decimals: Option<u8>,
    /// What sets it apart.
    pub flags: Flags,
}

/// Whether an event makes or unmakes units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Making {
    /// Somebody gets new units.
    Mint,
    /// Somebody's units are no more.
    Burn,
}

/// Whose units an event makes or unmakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The address in this word of the event: indexed ones first, then those of the data.
    Word(usize),
    /// Always the same account.
    Account(AddressBytes),
}

/// An event that makes or unmakes units of a token without a `Transfer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MakingEvent {
    pub topic: HashBytes,
    pub making: Making,
    pub whose: Whose,
    /// The word that says how much.
    pub amount: usize,
}

/// The tokens of one chain.
#[derive(Clone, Debug)]
pub struct Tokens {
    chain: u64,
    known: FxHashMap<AddressBytes, Token>,
    events: FxHashMap<AddressBytes, Vec<MakingEvent>>,
    /// `Deposit` and `Withdrawal`, of every token that wraps the chain's coin.
    wrapping: [MakingEvent; 2],
}

/// The hash of an event's signature.
fn topic(signature: &str) -> HashBytes {
    keccak256(signature.as_bytes())
}

impl Tokens {
    /// What the built-in table knows of a chain.
    pub fn built_in(chain: &Chain) -> Self {
        let wrap =
            |signature, making| MakingEvent { topic: topic(signature), making, whose: Whose::Word(0), amount: 1 };
        let mut tokens = Self {
            chain: chain.number,
            known: FxHashMap::default(),
            events: FxHashMap::default(),
            wrapping: [
                wrap("Deposit(address,uint256)", Making::Mint),
                wrap("Withdrawal(address,uint256)", Making::Burn),
            ],
        };
        tokens.read(TOKENS).expect("a test reads the table");
        tokens.read_events(EVENTS).expect("a test reads the table");
        tokens
    }

    /// What is known of a contract.
    pub fn get(&self, contract: &AddressBytes) -> Option<&Token> {
        self.known.get(contract)
    }

    /// The names of the assets of all contracts that have a flag, ascending.
    pub fn assets_with(&self, flag: Flags) -> Vec<String> {
        let marked = self.known.iter().filter(|(_, token)| token.flags.has(flag));
        let mut names: Vec<String> = marked.map(|(contract, _)| Standard::Erc20.asset(self.chain, contract)).collect();
        names.sort();
        names
    }

    /// Says what a contract is. It replaces what was said before.
    pub fn add(&mut self, contract: AddressBytes, token: Token) {
        self.known.insert(contract, token);
    }

    /// Says how many decimals a contract itself states, and leaves the rest as it is.
    pub fn add_decimals(&mut self, contract: AddressBytes, decimals: u8) {
        self.known.entry(contract).or_default().decimals = Some(decimals);
    }

    /// Reads a table of the form of `rules/tokens.csv`; rows of other chains are skipped. Says how many it took.
    pub fn read(&mut self, text: &str) -> Result<usize, Fault> {
        let mut taken = 0;
        rows(text, ["chain", "contract", "symbol", "decimals", "flags", "source"], |row| {
            let contract = row.address(1)?;
            let decimals = match row.field(3) {
                "" => None,
                text => Some(text.parse().map_err(|_| row.fault(3, "is not a number of decimals", "write 0 to 255"))?),
            };
            let flags = Flags::parse(row.field(4)).map_err(|_| {
                row.fault(
                    4,
                    "names an unknown flag",
                    "write wrapped-native, rebasing, debt, receipt, valueless or nft, with blanks between",
                )
            })?;
            if row.chain()? == self.chain {
                taken += 1;
                self.add(contract, Token { symbol: row.field(2).to_owned(), decimals, flags });
            }
            Ok(())
        })?;
        Ok(taken)
    }

    /// Reads a table of the form of `rules/token-events.csv`; rows of other chains are skipped.
    pub fn read_events(&mut self, text: &str) -> Result<usize, Fault> {
        let mut taken = 0;
        rows(text, ["chain", "contract", "event", "kind", "holder", "amount", "source"], |row| {
            let contract = row.address(1)?;
            let making = match row.field(3) {
                "mint" => Making::Mint,
                "burn" => Making::Burn,
                _ => return Err(row.fault(3, "is no kind", "write mint or burn")),
            };
            let word = |at: usize| match row.field(at) {
                "0" => Ok(0),
                "1" => Ok(1),
                "2" => Ok(2),
                "3" => Ok(3),
                _ => Err(row.fault(at, "is no place of a word", "write 0 for the first word of the event, up to 3")),
            };
            let whose =
                if row.field(4).starts_with("0x") { Whose::Account(row.address(4)?) } else { Whose::Word(word(4)?) };
            let event = MakingEvent { topic: topic(row.field(2)), making, whose, amount: word(5)? };
            if row.chain()? == self.chain {
                taken += 1;
                self.events.entry(contract).or_default().push(event);
            }
            Ok(())
        })?;
        Ok(taken)
    }

    /// What an event makes or unmakes if its contract wraps the chain's coin.
    pub(crate) fn wrapping(&self, topic: &HashBytes) -> Option<&MakingEvent> {
        self.wrapping.iter().find(|event| event.topic == *topic)
    }

    /// What an event of a contract makes or unmakes, where it is known to do so without a `Transfer`.
    pub(crate) fn making(&self, contract: &AddressBytes, topic: &HashBytes) -> Option<&MakingEvent> {
        if let Some(wrapping) = self.wrapping(topic) {
            let wraps = self.known.get(contract).is_some_and(|token| token.flags.has(Flags::WRAPPED_NATIVE));
            return wraps.then_some(wrapping);
        }
        self.events.get(contract)?.iter().find(|event| event.topic == *topic)
    }
}

/// A row of a table, with its place.
struct Row<'a, const N: usize> {
    record: &'a csv::StringRecord,
    columns: [&'static str; N],
    line: u64,
}

impl<const N: usize> Row<'_, N> {
    fn field(&self, at: usize) -> &str {
        self.record.get(at).unwrap_or_default()
    }

    fn fault(&self, at: usize, what: &str, help: &str) -> Fault {
        Fault::line(self.line, format!("{} {what}", quoted(self.field(at))), help).field(self.columns[at])
    }

    fn chain(&self) -> Result<u64, Fault> {
        self.field(0).parse().map_err(|_| self.fault(0, "is no chain number", "write the number by EIP-155, such as 1"))
    }

    fn address(&self, at: usize) -> Result<AddressBytes, Fault> {
        let ledger = crate::ledger_id(self.chain()?);
        let canonical = ledger::address::canonical(&ledger, self.field(at))
            .map_err(|error| self.fault(at, "is no address", &error.to_string()))?;
        Ok(prefixed(&canonical).expect("the canonical form has 40 digits"))
    }
}

fn rows<const N: usize>(
    text: &str,
    columns: [&'static str; N],
    mut each: impl FnMut(&Row<'_, N>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let unreadable = |error: &csv::Error| {
        let line = error.position().map_or(0, csv::Position::line);
        Fault::line(line, error.to_string(), "")
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| unreadable(&error))?;
    if !header.iter().eq(columns) {
        return Err(Fault::line(1, "the columns are others", format!("write {}", columns.join(","))));
    }
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(|error| unreadable(&error))?;
        let line = record.position().map_or(0, csv::Position::line);
        if at == TOKENS_MAX {
            return Err(Fault::line(line, format!("more than {TOKENS_MAX} rows"), "leave out what does not occur"));
        }
        each(&Row { record: &record, columns, line })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_has_its_checksum_and_a_source_and_stands_once() {
        for (table, contract_column) in [(TOKENS, 1), (EVENTS, 1)] {
            let mut seen = std::collections::BTreeSet::new();
            let mut reader = csv::Reader::from_reader(table.as_bytes());
            for record in reader.records() {
                let record = record.unwrap();
                let contract = &record[contract_column];
                let lower = contract.to_lowercase();
                assert_eq!(ledger::address::eip55(&lower[2..]), contract[2..], "{contract}");
                assert!(!record[record.len() - 1].is_empty(), "{record:?} has no source");
                assert!(Chain::of(record[0].parse().unwrap()).is_some(), "{record:?} is of no known chain");
                let key = if table == TOKENS { String::new() } else { record[2].to_owned() };
                assert!(seen.insert((record[0].to_owned(), lower, key)), "{record:?} stands twice");
            }
            assert!(seen.len() > 5);
        }
    }

    #[test]
    fn a_user_says_more_and_is_told_what_is_wrong_with_it() {
        let mut tokens = Tokens::built_in(&Chain::of(1).unwrap());
        let weth = prefixed("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2").unwrap();
        assert!(tokens.get(&weth).unwrap().flags.has(Flags::WRAPPED_NATIVE));
        let head = "chain,contract,symbol,decimals,flags,source\n";
        let row = "0x00000000000000000000000000000000000000aa";
        assert_eq!(tokens.read(&format!("{head}1,{row},X,7,rebasing debt,me\n2,{row},Y,8,,me\n")), Ok(1));
        let added = tokens.get(&prefixed(row).unwrap()).unwrap();
        assert_eq!((added.symbol.as_str(), added.decimals), ("X", Some(7)));
        assert!(added.flags.has(Flags::DEBT) && added.flags.has(Flags::REBASING) && !added.flags.has(Flags::NFT));

        let fault = |body: &str| tokens.clone().read(&format!("{head}{body}\n")).unwrap_err().in_file("t.csv");
        assert!(fault(&format!("1,{row},X,256,,me")).starts_with("t.csv:2:decimals: \"256\""));
        assert!(fault(&format!("1,{row},X,1,shiny,me")).starts_with("t.csv:2:flags: \"shiny\""));
        assert!(fault("1,0x12,X,1,,me").starts_with("t.csv:2:contract: \"0x12\""));
        assert!(fault("1,0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756CC2,X,1,,me").contains("EIP-55"));
        assert!(fault("one,0x12,X,1,,me").starts_with("t.csv:2:chain: \"one\""));
        assert!(tokens.read("a,b\n1,2\n").unwrap_err().to_string().contains("the columns are others"));
    }

    #[test]
    fn events_that_make_units_belong_to_their_contract() {
        let tokens = Tokens::built_in(&Chain::of(1).unwrap());
        let usdt = prefixed("0xdac17f958d2ee523a2206206994597c13d831ec7").unwrap();
        let weth = prefixed("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2").unwrap();
        let issue = topic("Issue(uint256)");
        assert_eq!(tokens.making(&usdt, &issue).map(|event| event.making), Some(Making::Mint));
        assert_eq!(tokens.making(&weth, &issue), None);
        let deposit = topic("Deposit(address,uint256)");
        assert_eq!(tokens.making(&weth, &deposit).map(|event| event.making), Some(Making::Mint));
        assert_eq!(tokens.making(&usdt, &deposit), None, "a deposit of anybody else is not a wrapping");
    }
}

//! `tracehound ingest ethereum`: an EVM chain into the book, from a node, from recorded answers or from exported tables.
//!
//! What to do about the source is `feed::evm`'s; this file knows flags and the interrupt; `telling.rs` has the words.

use std::sync::atomic::Ordering;

use book::Book;
use feed::evm::{EVM_FORM, EvmAccess, EvmOptions, Settled, export_evm, follow_evm, hash_text, replay_evm};
use feed::node::{Event, FollowError, Login, NodeAddress};
use ledger::LedgerId;

use crate::cli::{EthereumArgs, Events, Only};
use crate::commands::telling::Teller;
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::interrupt::Heed;
use crate::registries;

/// The variable that holds a token for the node.
const TOKEN: &str = "TRACEHOUND_RPC_TOKEN";
/// The longest file of tokens.
const TOKENS_BYTES_MAX: u64 = 256 << 20;

pub fn run(home: &Home, args: &EthereumArgs) -> Result<Exit, Failure> {
    let options = options(home, args)?;
    let access = args.rpc.as_deref().map(|url| access(url, args)).transpose()?;
    let book = home.create()?;
    let heed = Heed::begin();
    let source = match (&args.rpc, &args.replay) {
        (Some(_), _) => "node",
        (None, Some(_)) => "recording",
        (None, None) => "export",
    };
    let mut teller = Teller::new(args.json, hash_text).of(source);
    let mut tell = |event: Event| {
        teller.tell(&event);
        if teller.has_failed() {
            heed.asked().store(true, Ordering::Relaxed);
        }
    };
    let ended = fill(&book, args, access.as_ref(), &options, &heed, &mut tell);
    if let Some(error) = teller.failed() {
        return Err(error.into());
    }
    ended?;
    heed.end()?;
    Ok(Exit::Done)
}

fn fill(
    book: &Book,
    args: &EthereumArgs,
    access: Option<&EvmAccess>,
    options: &EvmOptions,
    heed: &Heed,
    tell: &mut dyn FnMut(Event),
) -> Result<(), FollowError> {
    match (access, &args.replay, &args.export) {
        (Some(access), _, _) => follow_evm(book, access, options, heed.asked(), tell),
        (None, Some(folder), _) => replay_evm(book, folder, options, heed.asked(), tell),
        (None, None, Some(folder)) => export_evm(book, folder, options, heed.asked(), tell),
        (None, None, None) => unreachable!("one of the three is required"),
    }
}

fn options(home: &Home, args: &EthereumArgs) -> Result<EvmOptions, Failure> {
    let settled = match (args.only, args.confirmations) {
        (Some(Only::Safe), _) => Settled::Safe,
        (Some(Only::Finalized), _) => Settled::Finalized,
        (None, count) => Settled::Confirmations(count.unwrap_or(0)),
    };
    let keep = match args.events {
        Events::All => evm::KeepEvents::All,
        Events::Known => {
            let book = if home.exists()? { Some(home.open()?) } else { None };
            evm::KeepEvents::Topics(registries::registry(book.as_ref(), &args.registry)?.topics())
        }
    };
    Ok(EvmOptions {
        once: args.once,
        from: args.from_height,
        to: args.to_height,
        chain: args.ledger.as_deref().map(chain_number).transpose()?,
        native: args.native.clone(),
        settled,
        traces: args.traces.into(),
        keep,
        tokens: args.tokens.iter().map(|file| read_tokens(file)).collect::<Result<_, _>>()?,
        rebasing: args.rebasing.iter().map(|text| contract(text)).collect::<Result<_, _>>()?,
        check_balances: args.check_balances,
        requests: args.requests,
        rate: args.rate,
        record: args.record.clone(),
        news: args.ws.clone(),
        ..EvmOptions::default()
    })
}

/// The chain's number in a ledger's id.
fn chain_number(text: &str) -> Result<u64, Failure> {
    let ledger = LedgerId::parse(text).map_err(|error| Failure::bad_input(format!("--ledger: {error}")))?;
    let number = ledger.as_str().strip_prefix("eip155:").and_then(|number| number.parse().ok());
    number.ok_or_else(|| Failure::bad_input(format!("--ledger {text}: this is no EVM chain; say eip155:NUMBER")))
}

fn contract(text: &str) -> Result<[u8; 20], Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::bad_input(format!("--rebasing {text}: {why}"));
    let canonical = ledger::address::canonical(&evm::ledger_id(1), text).map_err(|error| wrong(&error))?;
    let bytes = canonical.strip_prefix("0x").and_then(ledger::hex::bytes).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| wrong(&"this is no contract's address"))
}

fn read_tokens(file: &std::path::Path) -> Result<(String, String), Failure> {
    let name = file.display().to_string();
    let failed = |why: &dyn std::fmt::Display| Failure::bad_input(format!("{name}: {why}"));
    let length = std::fs::metadata(file).map_err(|error| failed(&error))?.len();
    if length > TOKENS_BYTES_MAX {
        return Err(failed(&format!("longer than the {TOKENS_BYTES_MAX} bytes that such a file may have")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
    Ok((name, text))
}

/// Where the node is, and who asks.
fn access(url: &str, args: &EthereumArgs) -> Result<EvmAccess, Failure> {
    let address = NodeAddress::parse_as(url, EVM_FORM);
    let address = address.map_err(|error| Failure::bad_input(format!("--rpc {error}")))?;
    let login = match std::env::var(TOKEN) {
        Ok(token) if is_header(&token) => Login::Bearer(token),
        Ok(_) => return Err(Failure::bad_input(format!("{TOKEN}: a token is visible characters without blanks"))),
        Err(_) => Login::stated(&address),
    };
    let headers = args.header.iter().map(|text| header(text)).collect::<Result<_, _>>()?;
    Ok(EvmAccess { address, login, headers })
}

fn header(text: &str) -> Result<(String, String), Failure> {
    let (name, value) = text.split_once(':').map(|(name, value)| (name.trim(), value.trim())).unwrap_or_default();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_name && is_header(&value.replace(' ', "-")) {
        return Ok((name.to_owned(), value.to_owned()));
    }
    // It may hold a key, so it is not repeated.
    Err(Failure::bad_input("--header: write NAME: VALUE"))
}

fn is_header(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

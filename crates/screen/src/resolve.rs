//! What a query names: an address in its canonical form, a transaction, or nothing that could exist.

use decode::fault::quoted;
use ledger::address::{AddressError, canonical};
use ledger::network::NETWORKS;
use ledger::{HolderId, Ledger, LedgerId, Seq};

/// What a query names on a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A holder.
    Holder(HolderId),
    /// A transaction.
    Transaction(Seq),
}

/// What `text` names on this ledger, if anything.
pub fn target(ledger: &dyn Ledger, text: &str) -> Option<Target> {
    let text = text.trim();
    let name = text.strip_prefix("0x").filter(|_| is_id(text)).unwrap_or(text);
    let transaction = ledger.find_transaction(text).or_else(|| ledger.find_transaction(name));
    if let Some(seq) = transaction {
        return Some(Target::Transaction(seq));
    }
    let known = canonical(ledger.id(), text).ok().and_then(|name| ledger.find_holder(&name));
    // One that has no address's form may still be one that the ledger gave, on a network of its own.
    known.or_else(|| ledger.find_holder(text)).map(Target::Holder)
}

/// 64 hexadecimal digits, as ids of transactions have, with or without `0x`.
fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A query that no ledger of the book answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nobody {
    /// A well-formed id of a transaction that none has.
    Transaction,
    /// A well-formed address that none has, in its canonical forms.
    Address(Vec<String>),
    /// It cannot be what it should be.
    Mistyped(String),
}

/// What to make of a query that none of `ledgers` answers.
pub fn nobody(ledgers: &[&LedgerId], text: &str) -> Nobody {
    let text = text.trim();
    if is_id(text) {
        return Nobody::Transaction;
    }
    let is_chain = |id: &LedgerId| matches!(id.namespace(), "bip122" | "eip155");
    let forms =
        |ids: &[LedgerId]| -> Vec<Result<String, AddressError>> { ids.iter().map(|id| canonical(id, text)).collect() };
    let own =
        |chain: bool| ledgers.iter().filter(|id| is_chain(id) == chain).map(|id| (*id).clone()).collect::<Vec<_>>();
    let (chains, tables) = (forms(&own(true)), forms(&own(false)));
    let aliases = NETWORKS.iter().map(|network| network.ledger).chain(["eip155:1"]);
    let others: Vec<LedgerId> = aliases.filter_map(|id| LedgerId::parse(id).ok()).collect();
    let elsewhere = forms(&others);
    let good = |forms: &[Result<String, AddressError>]| {
        let mut names: Vec<String> = forms.iter().filter_map(|form| form.clone().ok()).collect();
        names.sort();
        names.dedup();
        names
    };
    for forms in [&chains, &elsewhere] {
        if !good(forms).is_empty() {
            return Nobody::Address(good(forms));
        }
        let wrong = forms.iter().find_map(|form| form.as_ref().err().filter(|error| is_typing(error)));
        // Where accounts have names of any form, only what a chain of the book refuses is surely mistyped.
        if let Some(error) = wrong
            && (std::ptr::eq(forms, &raw const chains) || good(&tables).is_empty())
        {
            return Nobody::Mistyped(format!("{}: {error}", quoted(text)));
        }
    }
    if let Some(error) = tables.iter().find_map(|form| form.as_ref().err()) {
        return Nobody::Mistyped(format!("{}: {error}", quoted(text)));
    }
    if !tables.is_empty() {
        return Nobody::Address(good(&tables));
    }
    Nobody::Mistyped(format!("{} is neither an address nor a transaction id", quoted(text)))
}

const fn is_typing(error: &AddressError) -> bool {
    matches!(error, AddressError::Checksum(_) | AddressError::Control | AddressError::TooLong | AddressError::Empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(ledgers: &[&str], text: &str) -> String {
        let ids: Vec<LedgerId> = ledgers.iter().map(|id| LedgerId::parse(id).expect("an id")).collect();
        match nobody(&ids.iter().collect::<Vec<_>>(), text) {
            Nobody::Transaction => "transaction".to_owned(),
            Nobody::Address(names) => names.join(" "),
            Nobody::Mistyped(text) => text,
        }
    }

    #[test]
    fn what_nobody_knows_is_told_from_what_cannot_be() {
        let genesis = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
        let ether = "0x098B716B8Aaf21512996dC57EB0615e2383E2f96";
        let books: [&[&str]; 4] = [&[], &["bitcoin"], &["bitcoin", "table:x"], &["table:x"]];
        for book in books {
            assert_eq!(said(book, genesis), genesis, "{book:?}");
            assert_eq!(said(book, ether), ether.to_lowercase(), "{book:?}");
            assert_eq!(said(book, &"ab".repeat(32)), "transaction");
            for wrong in [&genesis.replace("Na", "Nb"), &ether.replace("2f96", "2F96")] {
                assert!(said(book, wrong).ends_with("a character was mistyped or lost"), "{book:?} {wrong}");
            }
        }
        assert_eq!(said(&["bitcoin"], "alice"), "\"alice\" is neither an address nor a transaction id");
        assert_eq!(said(&["bitcoin", "table:x"], " alice "), "alice");
        assert!(said(&["table:x"], "").contains("empty"));
    }
}

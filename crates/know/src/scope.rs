//! Which holder of a ledger a claim speaks of.
//!
//! On chains the claim's currency must belong there, and its address must be one; on tables and banks any claim
//! applies whose name, in canonical form, is a holder's. Nothing is guessed from likeness.

use ledger::address::{AddressError, canonical};
use ledger::{HolderId, Ledger};

use crate::{Claim, Rules, Scope};

impl Scope {
    /// Whether the scope surely covers `ledger`. `None`: the source does not say, or the currency is unknown there;
    /// then the claim applies where its address has the ledger's form.
    fn covers(&self, rules: &Rules, ledger: &ledger::LedgerId) -> Option<bool> {
        match self {
            Self::Ledger(named) => Some(named == ledger),
            _ if matches!(ledger.namespace(), "table" | "bank") => None,
            Self::Anywhere => None,
            Self::Currency(currency) => match rules.currency_on(currency, ledger) {
                Some(covers) => Some(covers),
                // Tokens: there are too many to list, and most live on EVM chains.
                None if ledger.namespace() == "eip155" => None,
                None => Some(false),
            },
        }
    }
}

/// The holder that the claim speaks of on this ledger, if any.
///
/// An error is a claim that belongs on the ledger by its scope, with an address that cannot exist there, or one that
/// is mistyped.
pub(crate) fn holder(claim: &Claim, rules: &Rules, ledger: &dyn Ledger) -> Result<Option<HolderId>, AddressError> {
    let covers = claim.scope.covers(rules, ledger.id());
    if covers == Some(false) {
        return Ok(None);
    }
    match canonical(ledger.id(), &claim.address) {
        Ok(name) => Ok(ledger.find_holder(&name)),
        // Without a scope, a name of another form is simply somebody elsewhere. So is an address of another network:
        // a currency's name does not tell the main chain from its test networks.
        Err(_) if covers.is_none() => Ok(None),
        Err(AddressError::Network(_)) if matches!(claim.scope, Scope::Currency(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

//! Wallets of a sanctions list as claims: CSV with the asset, the address, and the listed party's number and name.
//!
//! The list itself has no such table; several projects extract it from the remarks of OFAC's SDN list, in this shape. A
//! listed wallet is a risk (`sanction`), never a stop: what it holds is exactly what one wants to follow.

use decode::Fault;

use crate::table::rows;
use crate::{Claim, Scope};

const COLUMNS: &[&str] = &["asset", "address", "sdn_uid", "sdn_name", "program", "seen_in"];

/// Reads `asset,address[,sdn_uid][,sdn_name][,program][,seen_in]`. Addresses are taken as they are listed.
pub fn from_wallet_list(bytes: &[u8], pack: &str) -> Result<Vec<Claim>, Fault> {
    rows(bytes, COLUMNS, &["asset", "address"], |row| {
        let label = row.get("sdn_name").unwrap_or("listed by OFAC");
        let mut claim = Claim::new(row.required("address")?, label, pack);
        let asset = row.required("asset")?;
        // OFAC writes XBT and BSV-like codes; XBT is the one that everybody else spells otherwise.
        claim.scope = Scope::Currency(if asset == "XBT" { "BTC" } else { asset }.to_owned());
        claim.abuse = Some("sanction".to_owned());
        claim.source = Some(row.get("sdn_uid").map_or("OFAC SDN".to_owned(), |uid| format!("OFAC SDN {uid}")));
        claim.confidence = Some("authority_data".to_owned());
        Ok(claim)
    })
}

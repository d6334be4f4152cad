//! Wallets of a sanctions list as claims: CSV with the asset, the address, and the listed party's number and name.
//!
//! The list itself has no such table; several projects extract it from the remarks of OFAC's SDN list, in this shape. A
//! listed wallet is a risk (`sanction`), never a stop: what it holds is exactly what one wants to follow.

use decode::{Fault, Pool, Text};

use crate::table::rows;
use crate::{Claim, Scope};

const COLUMNS: &[&str] = &["asset", "address", "sdn_uid", "sdn_name", "program", "seen_in"];

/// Reads `asset,address[,sdn_uid][,sdn_name][,program][,seen_in]`. Addresses are taken as they are listed.
pub fn from_wallet_list(bytes: &[u8], pack: &str) -> Result<Vec<Claim>, Fault> {
    let (mut pool, pack) = (Pool::default(), Text::from(pack));
    rows(bytes, COLUMNS, &["asset", "address"], |row| {
        let label = row.get("sdn_name").unwrap_or("listed by OFAC");
        let mut claim = Claim::new(row.required("address")?, pool.text(label), Text::clone(&pack));
        let asset = row.required("asset")?;
        // OFAC writes XBT and BSV-like codes; XBT is the one that everybody else spells otherwise.
        claim.scope = Scope::Currency(pool.text(if asset == "XBT" { "BTC" } else { asset }));
        claim.abuse = Some(pool.text("sanction"));
        let source = row.get("sdn_uid").map_or_else(|| "OFAC SDN".to_owned(), |uid| format!("OFAC SDN {uid}"));
        claim.source = Some(pool.text(&source));
        claim.confidence = Some(pool.text("authority_data"));
        Ok(claim)
    })
}

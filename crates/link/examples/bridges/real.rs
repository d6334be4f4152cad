//! The real deposits of `../shared/data/bridges`: Celer cBridge, from Ethereum to BNB Smart Chain and to Polygon.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ledger::LedgerId;
use serde_json::value::RawValue;

use super::simulate::Real;

/// An object whose values are kept as written: amounts are beyond 64 bits.
type Row = BTreeMap<String, Box<RawValue>>;

/// Where they lie, seen from this crate.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/bridges")
}

/// All deposits, in order of time; none where the folder is missing.
pub fn deposits() -> Option<Vec<Real>> {
    let mut all = Vec::new();
    for (name, ledger) in [("ETH-BNB", "eip155:56"), ("ETH-Polygon", "eip155:137")] {
        let path = folder().join(name).join("Celer/sample.json");
        let text = std::fs::read_to_string(path).ok()?;
        let rows: Vec<Row> = serde_json::from_str(&text).expect("the file is JSON");
        let to = LedgerId::parse(ledger).expect("a CAIP-2 id");
        all.extend(rows.iter().map(|row| deposit(row, &to).expect("a deposit has all its fields")));
    }
    all.sort_by(|a, b| (a.seconds, &a.tx).cmp(&(b.seconds, &b.tx)));
    Some(all)
}

fn deposit(row: &Row, to: &LedgerId) -> Option<Real> {
    let arguments: Row = serde_json::from_str(row.get("args")?.get()).ok()?;
    let lower = |row: &Row, name: &str| Some(row.get(name)?.get().trim_matches('"').to_ascii_lowercase());
    Some(Real {
        to: to.clone(),
        seconds: row.get("timestamp")?.get().parse().ok()?,
        token: lower(&arguments, "asset_s")?,
        units: arguments.get("amount")?.get().parse().ok()?,
        sender: lower(&arguments, "sender")?,
        receiver: lower(&arguments, "receiver")?,
        tx: lower(row, "txhash")?,
    })
}

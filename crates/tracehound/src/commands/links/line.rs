//! A crossing as a line of JSON (`tracehound/crossings/1`, docs/links.md).

use link::Crossing;
use link::outside::UNKNOWN_LEDGER;
use serde::Serialize;

/// One crossing; absent fields are left out.
#[derive(Serialize)]
pub struct CrossingLine {
    direction: &'static str,
    protocol: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    tx: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    contract: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    asset: Option<String>,
    units: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee_units: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_ledger: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_tx: Option<String>,
}

impl From<&Crossing> for CrossingLine {
    fn from(crossing: &Crossing) -> Self {
        // Calldata alone does not say which ledger it is of, and its tokens are not named then either.
        let ledger = Some(crossing.ledger.to_string()).filter(|ledger| ledger != UNKNOWN_LEDGER);
        let bare = |token: &String| token.strip_prefix(&format!("{UNKNOWN_LEDGER}/")).unwrap_or(token).to_owned();
        Self {
            direction: crossing.direction.as_str(),
            protocol: crossing.protocol.clone(),
            ledger,
            tx: crossing.tx.clone(),
            index: crossing.index,
            time: crossing.time.map(|time| time.to_string()),
            contract: crossing.contract.clone(),
            asset: crossing.token.as_ref().map(bare),
            units: crossing.units.to_string(),
            fee_units: crossing.fee_units.map(|units| units.to_string()),
            sender: crossing.sender.clone(),
            recipient: crossing.recipient.clone(),
            other_ledger: crossing.other.as_ref().map(ToString::to_string),
            key: crossing.key.as_ref().map(|key| format!("0x{}", ledger::hex::text(key))),
            other_tx: crossing.other_tx.clone(),
        }
    }
}

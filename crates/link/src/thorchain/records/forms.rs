//! The forms of records: which they are, and what each says.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Added, Coin, Inbound, Outbound, Rank, Records, Registration};
use crate::thorchain::asset::{Asset, Form};
use crate::thorchain::memo::{Memo, tx_id};

/// How deep documents may stand in one another: an array of answers, each in its envelope.
const NESTED_MAX: u32 = 4;
/// The most coins that one payment may have.
const COINS_MAX: usize = 32;

impl Records {
    /// A document of any of the forms, in an array or an envelope or bare.
    pub(super) fn document(&mut self, document: &Value, depth: u32) -> Result<Added, String> {
        let unknown = || {
            "neither a block of THORNode, block_results, actions of Midgard nor a registered memo: see docs/thorchain.md"
                .to_owned()
        };
        if depth > NESTED_MAX {
            return Err(unknown());
        }
        if let Value::Array(items) = document {
            let mut added = Added::default();
            for item in items {
                let more = self.document(item, depth + 1)?;
                added.blocks += more.blocks;
                added.actions += more.actions;
                added.registrations += more.registrations;
            }
            return Ok(added);
        }
        for envelope in ["result", "answer"] {
            if document.get(envelope).is_some_and(Value::is_object) {
                return self.document(&document[envelope], depth + 1);
            }
        }
        if let Some(actions) = document.get("actions").and_then(Value::as_array) {
            for action in actions {
                self.action(action);
            }
            return Ok(Added { actions: actions.len() as u64, ..Added::default() });
        }
        let has = |name: &str| document.get(name).is_some();
        if has("header") && (has("txs") || has("end_block_events") || has("finalize_block_events")) {
            let height = number(&document["header"]["height"]).ok_or("the block's header has no height")?;
            return Ok(self.block(document, height));
        }
        if has("height") && (has("txs_results") || has("end_block_events") || has("finalize_block_events")) {
            let height = number(&document["height"]).ok_or("the block has no height")?;
            return Ok(self.block(document, height));
        }
        if has("reference") && has("memo") && has("asset") {
            return self.registered(document).ok_or_else(|| "the registered memo has no asset".to_owned());
        }
        Err(unknown())
    }

    /// A block with messages and events, or its results with events alone.
    fn block(&mut self, block: &Value, height: u64) -> Added {
        if !self.heights.insert(height) {
            // Payments within THORChain have no id: a block that is read twice would pay them twice.
            self.problem(|| format!("block {height} is there more than once: only the first is read"));
            return Added::default();
        }
        let list = |name: &str| block.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for tx in list("txs") {
            let code = number(&tx["result"]["code"]).unwrap_or(0);
            if code == 0 {
                let hash = tx["hash"].as_str().unwrap_or_default();
                self.messages(&tx["tx"], hash, height);
                self.events(&tx["result"]["events"], height);
            }
        }
        for result in list("txs_results") {
            if number(&result["code"]).unwrap_or(0) == 0 {
                self.events(&result["events"], height);
            }
        }
        for events in ["begin_block_events", "finalize_block_events", "end_block_events"] {
            self.events(&block[events], height);
        }
        Added { blocks: 1, ..Added::default() }
    }

    /// The messages of a transaction. Injected ones have no body.
    fn messages(&mut self, tx: &Value, hash: &str, height: u64) {
        let parsed;
        let tx = match tx {
            // The node's other interface hands transactions on as text.
            Value::String(text) => {
                let Ok(value) = serde_json::from_str(text) else { return };
                parsed = value;
                &parsed
            }
            other => other,
        };
        let messages = tx["body"]["messages"].as_array().or_else(|| tx["messages"].as_array());
        for message in messages.into_iter().flatten() {
            match message["@type"].as_str().unwrap_or_default() {
                "/types.MsgObservedTxIn" => {
                    for observed in message["txs"].as_array().into_iter().flatten() {
                        self.observed(&observed["tx"], Rank::Observer, height);
                    }
                }
                "/types.MsgObservedTxQuorum" if message["quoTx"]["inbound"] == Value::Bool(true) => {
                    self.observed(&message["quoTx"]["obsTx"]["tx"], Rank::Agreed, height);
                }
                "/types.MsgObservedTxInQuorum" => {
                    for observed in message["quoTxs"].as_array().into_iter().flatten() {
                        self.observed(&observed["obsTx"]["tx"], Rank::Agreed, height);
                    }
                }
                "/types.MsgDeposit" => self.deposited(message, hash, height),
                _ => {}
            }
        }
    }

    /// A payment to a vault, as observers tell it.
    fn observed(&mut self, tx: &Value, rank: Rank, height: u64) {
        let text = |name: &str| tx[name].as_str().unwrap_or_default();
        let inbound = Inbound {
            chain: text("chain").to_ascii_uppercase(),
            from: text("from_address").to_owned(),
            to: text("to_address").to_owned(),
            coins: coins(&tx["coins"]),
            memo: text("memo").to_owned(),
        };
        self.note_inbound(text("id"), inbound, rank, height);
    }

    /// A deposit made on THORChain itself; it may register a memo.
    fn deposited(&mut self, message: &Value, hash: &str, height: u64) {
        let memo = message["memo"].as_str().unwrap_or_default();
        if let Some(Memo::Register { asset, memo }) = Memo::parse(memo) {
            let tx = hash.to_ascii_lowercase();
            self.registrations.insert(Registration { asset, memo, reference: None, height, tx });
            return;
        }
        let inbound = Inbound {
            chain: self.scheme.own_chain().to_owned(),
            from: message["signer"].as_str().unwrap_or_default().to_owned(),
            to: String::new(),
            coins: coins(&message["coins"]),
            memo: memo.to_owned(),
        };
        self.note_inbound(hash, inbound, Rank::Agreed, height);
    }

    fn events(&mut self, events: &Value, height: u64) {
        for event in events.as_array().into_iter().flatten() {
            let Some(kind) = event["type"].as_str() else { continue };
            if matches!(kind, "outbound" | "swap" | "refund") {
                self.event(kind, &Attributes::of(event), height);
            }
        }
    }

    fn event(&mut self, kind: &str, attributes: &Attributes, height: u64) {
        let get = |name: &str| attributes.get(name);
        let coins: Vec<Coin> = get("coin").split(',').take(COINS_MAX).filter_map(coin_text).collect();
        let chain = get("chain").to_ascii_uppercase();
        if kind == "outbound" {
            let tx = tx_id(&get("id")).filter(|id| id.bytes().any(|digit| digit != b'0'));
            let refund = matches!(Memo::parse(&get("memo")), Some(Memo::Refund(_)));
            if coins.is_empty() {
                self.problem(|| format!("block {height}: an outbound without an amount: {}", get("coin")));
            }
            for coin in coins {
                let to = get("to").into_owned();
                let outbound =
                    Outbound { tx: tx.clone(), chain: chain.clone(), to, coin, refund, affiliate: false, height };
                self.note_outbound(&get("in_tx_id"), outbound, false);
            }
            return;
        }
        // A swap over two pools has two events; the second one's coin is not of the chain that was paid on.
        let own = |coin: &Coin| chain_of(&coin.asset, self.scheme.own_chain()) == chain;
        let coins: Vec<Coin> = coins.into_iter().filter(|coin| kind == "refund" || own(coin)).collect();
        if coins.is_empty() {
            return;
        }
        let inbound = Inbound {
            from: get("from").into_owned(),
            to: get("to").into_owned(),
            coins,
            memo: get("memo").into_owned(),
            chain,
        };
        if kind == "refund" {
            self.note_inbound(&get("id"), inbound, Rank::Event, height);
        } else {
            self.note_part(&get("id"), inbound, height);
        }
    }

    /// An action of Midgard: what came in and what went out, already joined.
    fn action(&mut self, action: &Value) {
        let kind = action["type"].as_str().unwrap_or_default();
        if !matches!(kind, "swap" | "refund") {
            return;
        }
        let memo = action["metadata"][kind]["memo"].as_str().unwrap_or_default();
        let height = number(&action["height"]).unwrap_or(0);
        let Some(paid) = action["in"].get(0) else { return };
        let id = paid["txID"].as_str().unwrap_or_default();
        let coins_in = coins(&paid["coins"]);
        let Some(first) = coins_in.first() else { return };
        let own = self.scheme.own_chain();
        let inbound = Inbound {
            chain: chain_of(&first.asset, own).to_owned(),
            from: paid["address"].as_str().unwrap_or_default().to_owned(),
            to: String::new(),
            memo: memo.to_owned(),
            coins: coins_in,
        };
        // A swap that was paid back in part is told twice; either says what came in.
        self.note_inbound(id, inbound, Rank::Event, height);
        for out in action["out"].as_array().into_iter().flatten() {
            let tx = out["txID"].as_str().and_then(tx_id).filter(|id| id.bytes().any(|digit| digit != b'0'));
            for coin in coins(&out["coins"]) {
                let outbound = Outbound {
                    tx: tx.clone(),
                    chain: chain_of(&coin.asset, own).to_owned(),
                    to: out["address"].as_str().unwrap_or_default().to_owned(),
                    coin,
                    refund: kind == "refund",
                    affiliate: out["affiliate"] == Value::Bool(true),
                    height: number(&out["height"]).unwrap_or(height),
                };
                self.note_outbound(id, outbound, true);
            }
        }
    }

    /// A registered memo with its digits.
    fn registered(&mut self, answer: &Value) -> Option<Added> {
        let text = |name: &str| answer[name].as_str().unwrap_or_default();
        self.registrations.insert(Registration {
            asset: asset(&answer["asset"])?,
            memo: text("memo").to_owned(),
            reference: Some(text("reference").to_owned()).filter(|digits| !digits.is_empty()),
            height: number(&answer["height"]).unwrap_or(0),
            tx: text("registration_hash").to_ascii_lowercase(),
        });
        Some(Added { registrations: 1, ..Added::default() })
    }
}

/// An event's attributes, flat as THORNode writes them, or in a list as CometBFT does.
enum Attributes<'a> {
    Flat(&'a Value),
    List(Vec<(Cow<'a, str>, Cow<'a, str>)>),
}

impl<'a> Attributes<'a> {
    fn of(event: &'a Value) -> Self {
        let Some(list) = event["attributes"].as_array() else { return Self::Flat(event) };
        let text = |value: &'a Value| Cow::Borrowed(value.as_str().unwrap_or_default());
        let plain: Vec<_> = list.iter().map(|pair| (text(&pair["key"]), text(&pair["value"]))).collect();
        // "id" in base64; no attribute of the three events is called so.
        if plain.iter().any(|(key, _)| key == "aWQ=") {
            return Self::List(plain.into_iter().map(|(key, value)| (plain_text(key), plain_text(value))).collect());
        }
        Self::List(plain)
    }

    fn get(&self, name: &str) -> Cow<'_, str> {
        match self {
            Self::Flat(event) => Cow::Borrowed(event[name].as_str().unwrap_or_default()),
            Self::List(list) => {
                list.iter().find(|(key, _)| key == name).map_or(Cow::Borrowed(""), |(_, value)| Cow::Borrowed(value))
            }
        }
    }
}

fn plain_text(text: Cow<'_, str>) -> Cow<'_, str> {
    let bytes = STANDARD.decode(text.as_bytes()).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map_or(text, Cow::Owned)
}

/// The chain on which an asset is paid.
fn chain_of<'a>(asset: &'a Asset, own: &'a str) -> &'a str {
    if asset.form == Form::Layer1 { &asset.chain } else { own }
}

/// A number, as JSON has it or in quotes.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// `8277724 BTC.BTC`.
fn coin_text(text: &str) -> Option<Coin> {
    let (amount, asset) = text.trim().split_once(' ')?;
    Some(Coin { amount: amount.parse().ok()?, asset: Asset::parse(asset.trim())?, decimals: None })
}

fn coins(list: &Value) -> Vec<Coin> {
    let one = |coin: &Value| {
        let amount = coin["amount"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .or_else(|| coin["amount"].as_u64().map(u128::from))?;
        let decimals =
            number(&coin["decimals"]).filter(|decimals| *decimals > 0).and_then(|decimals| u8::try_from(decimals).ok());
        Some(Coin { asset: asset(&coin["asset"])?, amount, decimals })
    };
    list.as_array().into_iter().flatten().take(COINS_MAX).filter_map(one).collect()
}

/// An asset by its name, or by its parts.
fn asset(value: &Value) -> Option<Asset> {
    if let Some(text) = value.as_str() {
        return Asset::parse(text);
    }
    let part = |name: &str| value[name].as_str().map(str::to_ascii_uppercase).filter(|text| !text.is_empty());
    let flag = |name: &str| value[name] == Value::Bool(true);
    let form = match (flag("synth"), flag("trade"), flag("secured")) {
        (true, ..) => Form::Synth,
        (_, true, _) => Form::Trade,
        (.., true) => Form::Secured,
        _ => Form::Layer1,
    };
    let asset = Asset { chain: part("chain")?, symbol: part("symbol")?, form };
    // The parts are a stranger's too.
    Asset::parse(&asset.to_string())
}

//! The papers of a chain-hopping heist: incident, tags, and what must be known of its bridge and its mixing pools.

use std::fmt::Write as _;
use std::io;

use super::launderer::Stolen;
use super::world::{NOTE, Side, World, name};

/// The texts.
pub struct Papers {
    pub incident: String,
    pub tags: String,
    pub registry: String,
    pub pools: String,
}

impl Papers {
    /// The papers of a world, once the theft has happened.
    pub fn of<W: io::Write>(world: &World<W>, stolen: &[Option<Stolen>; 2], day: &str) -> Self {
        Self {
            incident: incident(world, stolen, day),
            tags: tags(world),
            registry: registry(world),
            pools: pools(world),
        }
    }
}

fn incident<W: io::Write>(world: &World<W>, stolen: &[Option<Stolen>; 2], day: &str) -> String {
    let dollar = format!("{}/erc20:{}", Side::Alder.id(), name(world.contracts(Side::Alder).dollar));
    let mut yaml = format!(
        "incident: {}\ntitle: Harbour Exchange robbed on Alder\nvictim: {{name: Harbour Exchange, kind: exchange}}\n\
         occurred: {day}\ndiscovered: {day}\nstatus: taken\nlosses:\n",
        super::INCIDENT
    );
    for ((tx, to, amount), asset) in stolen.iter().flatten().zip([Side::Alder.coin(), &dollar]) {
        let _ = write!(
            yaml,
            "  - ledger: \"{}\"\n    asset: \"{asset}\"\n    amount: \"{amount}\"\n    stolen:\n      - tx: \"{tx}\"\n        \
             to: \"{to}\"\n        amount: \"{amount}\"\n",
            Side::Alder.id()
        );
    }
    yaml.push_str(
        "recovered: []\nfrozen: []\nreported: []\nclaims: []\n\
         notes: An exercise. Names, addresses and amounts are made up.\n",
    );
    yaml
}

/// The exchanges, with every deposit address. The bridge and the pools are the registry's to know.
fn tags<W: io::Write>(world: &World<W>) -> String {
    let mut yaml = String::from(
        "title: Exercise services\ncreator: exercise\ndescription: Services of an exercise; nothing here exists.\n\
         source: exercise\nconfidence: service_data\nlastmod: 2024-01-01\ncategory: exchange\ntags:\n",
    );
    for (exchange, label) in [(0, "Harbour Exchange"), (1, "Meridian Exchange")] {
        for side in Side::BOTH {
            let hot = world.contracts(side).exchanges[exchange];
            for address in std::iter::once(hot).chain(world.deposit_addresses(exchange)) {
                let _ = write!(
                    yaml,
                    "- address: \"{}\"\n  network: \"{}\"\n  label: {label}\n  actor: {}\n",
                    name(address),
                    side.id(),
                    label.split(' ').next().unwrap_or(label).to_lowercase()
                );
            }
        }
    }
    yaml
}

fn registry<W: io::Write>(world: &World<W>) -> String {
    let mut yaml = String::from(
        "# The bridge of an exercise. Its logs have the shape of Celer cBridge's.\n\
         protocol: lantern-bridge\ntitle: Lantern Bridge\nversion: 1\nsources:\n  - an exercise\npairing: key\nfee: up to 1%\n\
         contracts:\n",
    );
    for side in Side::BOTH {
        let bridge = name(world.contracts(side).bridge);
        let _ = writeln!(yaml, "  - {{ledger: \"{}\", address: \"{bridge}\", name: Lantern, role: bridge}}", side.id());
    }
    yaml.push_str(
        "events:\n  \
         - signature: Send(bytes32 transferId, address sender, address receiver, address token, uint256 amount, uint64 dstChainId, uint64 nonce, uint32 maxSlippage)\n    \
         direction: deposit\n    token: token\n    amount: amount\n    sender: sender\n    recipient: receiver\n    \
         other: dstChainId\n    key: transferId\n  \
         - signature: Relay(bytes32 transferId, address sender, address receiver, address token, uint256 amount, uint64 srcChainId, bytes32 srcTransferId)\n    \
         direction: withdrawal\n    token: token\n    amount: amount\n    sender: sender\n    recipient: receiver\n    \
         other: srcChainId\n    key: srcTransferId\n",
    );
    yaml
}

/// A table of pools of equal notes.
fn pools<W: io::Write>(world: &World<W>) -> String {
    let mut table = String::from("protocol,ledger,contract,asset,units,name,since\n");
    for side in Side::BOTH {
        let mixer = name(world.contracts(side).mixer);
        let _ =
            writeln!(table, "willow,{},{mixer},{},{NOTE},10-{},0", side.id(), side.coin(), side.coin().to_lowercase());
    }
    table
}

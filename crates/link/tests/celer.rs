//! The published pairs of Celer cBridge: every deposit and every call is decoded.

use std::path::{Path, PathBuf};

use ledger::LedgerId;
use link::registry::{Registry, guess};
use link::{Direction, outside};

fn data(name: &str) -> Option<(PathBuf, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/bridges").join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some((path, bytes)),
        Err(error) => {
            eprintln!("!!! SKIPPED: {}: {error}; this test needs the shared data", path.display());
            None
        }
    }
}

fn decoded(name: &str, ledger: Option<&str>) -> Option<outside::Outside> {
    let (_, bytes) = data(name)?;
    let ledger = ledger.map(|ledger| LedgerId::parse(ledger).unwrap());
    let read = outside::read(&bytes, &Registry::built_in(), ledger.as_ref()).unwrap();
    assert_eq!((&read.refused, read.other), (&vec![], 0), "{name}");
    Some(read)
}

#[test]
fn every_deposit_is_decoded() {
    for (name, count, there) in [("ETH-BNB/Celer/sample.json", 7296, 56), ("ETH-Polygon/Celer/sample.json", 598, 137)] {
        let Some(read) = decoded(name, None) else { return };
        let deposits = read.crossings;
        assert_eq!(deposits.len(), count, "{name}");
        for deposit in &deposits {
            assert_eq!(deposit.direction, Direction::Deposit);
            assert_eq!(deposit.protocol, "celer-cbridge");
            assert_eq!(deposit.ledger, evm::ledger_id(1));
            assert_eq!(deposit.other, Some(evm::ledger_id(there)));
            assert!(deposit.time.is_some() && deposit.token.is_some() && deposit.units > 0);
            assert!(deposit.sender.is_some() && deposit.recipient.is_some() && deposit.tx.len() == 66);
        }
        let most = deposits.iter().map(|deposit| deposit.units).max();
        assert!(most > Some(u128::from(u64::MAX)), "amounts beyond 64 bits are exact");
    }
}

#[test]
fn every_call_is_decoded() {
    let Some(read) = decoded("ETH-Polygon/Celer/input.csv", Some("eip155:137")) else { return };
    let calls = read.crossings;
    // One lets go a withdrawal that had to wait, and names only its id.
    assert_eq!((calls.len(), read.bare.len()), (597, 1));
    assert!(read.bare[0].1.starts_with("executeDelayedTransfer(id: 0x5840bd24"), "{:?}", read.bare);
    for call in &calls {
        assert_eq!((call.direction, call.protocol.as_str()), (Direction::Withdrawal, "celer-cbridge"));
        assert_eq!(call.other, Some(evm::ledger_id(1)), "all come from Ethereum");
        assert_eq!(call.key.as_ref().map(Vec::len), Some(32), "each names the transfer that it answers");
        assert!(call.units > 0 && call.token.is_some() && call.sender.is_some() && call.recipient.is_some());
    }
}

/// Every bridge of the published lists can be taken in as it is, and what is guessed can be read.
#[test]
fn every_list_makes_a_registry_file() {
    for bridge in [
        "Allbridge",
        "CelerNetwork",
        "Connext",
        "Multichain",
        "NerveBridge",
        "PolyNetwork",
        "StargateProtocol",
        "SynapseProtocol",
        "Wormhole",
    ] {
        let names = [
            format!("contracts/{bridge}.csv"),
            format!("event-fields/{bridge}_event.csv"),
            format!("event-fields/{bridge}_func.csv"),
        ];
        let Some(files) = names.iter().map(|name| Some((name.as_str(), data(name)?.1))).collect::<Option<Vec<_>>>()
        else {
            return;
        };
        let lists: Vec<guess::List<'_>> = files.iter().map(|(name, bytes)| guess::List { name, bytes }).collect();
        let made = guess::guess(bridge, &lists).unwrap_or_else(|(name, fault)| panic!("{}", fault.in_file(name)));
        let mut registry = Registry::empty();
        registry
            .add(made.yaml.as_bytes(), "made.yaml")
            .unwrap_or_else(|fault| panic!("{bridge}: {fault}\n{}", made.yaml));
        let protocol = registry.called(bridge).expect("it is called by its name");
        eprintln!(
            "{bridge}: {} events, {} functions, pairing {}",
            protocol.events.len(),
            protocol.functions.len(),
            protocol.pairing.as_str()
        );
        for remark in &made.remarks {
            eprintln!("    {remark}");
        }
    }
}

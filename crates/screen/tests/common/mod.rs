//! Findings and rules made by hand.

#![allow(dead_code, reason = "each test file uses its part")]

use ledger::LedgerId;
use money::Asset;
use screen::finding::{Exposure, Finding, Flow, Subject, Versions};
use screen::{Categories, CategorySet, RuleBook};

pub fn categories() -> Categories {
    Categories::new(["unknown", "mined", "coinjoin", "exchange", "mixer", "theft", "ransomware", "sanctioned"])
}

/// A rules file without its policy.
pub fn rules(text: &str) -> RuleBook {
    RuleBook::parse(format!("policy: p\n{text}").as_bytes(), &categories()).unwrap_or_else(|fault| panic!("{fault}"))
}

/// An address of which nothing is known.
pub fn finding() -> Finding {
    Finding {
        subject: Subject::Address("bc1q".to_owned()),
        ledger: Some(LedgerId::parse("bitcoin").expect("it is one")),
        tags: Vec::new(),
        inherited: Vec::new(),
        inherited_more: 0,
        conflicts: Vec::new(),
        cluster: None,
        lead: None,
        exposure: vec![Exposure {
            asset: Asset { symbol: "BTC".to_owned(), scale: 8 },
            has_indirect: true,
            received: Flow::default(),
            sent: Flow::default(),
            poison: CategorySet::default(),
            first_out: Vec::new(),
        }],
        seen: None,
        listings: Vec::new(),
        notes: Vec::new(),
        versions: Versions::default(),
    }
}

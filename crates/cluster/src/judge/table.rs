//! Transactions written on one line, for tables of cases.
//!
//! `w1:100 k2:50 > w3!:70 k1:79` spends 100 of holder 1 and 50 of holder 2, pays 70 to holder 3 and 79 to holder 1. The
//! letter is the kind of the holder's lock, `!` marks an output that is its holder's first.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Coin, HolderId, PurseId};

use super::view::{Kind, Past, View};

/// One transaction and what came before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    pub inputs: Vec<Coin>,
    pub outputs: Vec<Coin>,
    kinds: BTreeMap<HolderId, Kind>,
    firsts: BTreeSet<PurseId>,
}

impl Past for Case {
    fn kind(&self, holder: HolderId) -> Kind {
        self.kinds[&holder]
    }

    fn is_first(&self, purse: PurseId) -> bool {
        self.firsts.contains(&purse)
    }
}

impl Case {
    pub fn new(line: &str) -> Self {
        let mut case = Self::default();
        let (inputs, outputs) = line.split_once('>').expect("inputs, then outputs");
        for word in inputs.split_whitespace() {
            let coin = case.coin(word);
            case.inputs.push(coin);
        }
        for word in outputs.split_whitespace() {
            let coin = case.coin(word);
            case.outputs.push(coin);
        }
        case
    }

    /// Inputs and outputs as (holder, value), all keys of one kind and all outputs fresh.
    pub fn plain(inputs: &[(u64, u64)], outputs: &[(u64, u64)]) -> Self {
        let side = |side: &[(u64, u64)], mark: &str| {
            let words: Vec<_> = side.iter().map(|(holder, value)| format!("w{holder}{mark}:{value}")).collect();
            words.join(" ")
        };
        Self::new(&format!("{} > {}", side(inputs, ""), side(outputs, "!")))
    }

    fn coin(&mut self, word: &str) -> Coin {
        let (who, value) = word.split_once(':').expect("a holder, then a value");
        let (kind, number) = who.trim_end_matches('!').split_at(1);
        let kind = match kind {
            "k" => Kind::KeyHash,
            "s" => Kind::ScriptHash,
            "w" => Kind::WitnessKey,
            "W" => Kind::WitnessScript,
            "t" => Kind::Taproot,
            "r" => Kind::Unspendable,
            "o" => Kind::Other,
            _ => panic!("no kind: {word}"),
        };
        let (holder, purse) = (HolderId(number.parse().expect("a number")), PurseId(self.purses()));
        assert!(self.kinds.insert(holder, kind).is_none_or(|before| before == kind), "{word}");
        if who.ends_with('!') {
            self.firsts.insert(purse);
        }
        Coin { purse, holder, value: value.parse().expect("a number") }
    }

    fn purses(&self) -> u64 {
        (self.inputs.len() + self.outputs.len()) as u64
    }

    pub fn view(&self) -> View<'_> {
        View { inputs: &self.inputs, outputs: &self.outputs, past: self }
    }
}

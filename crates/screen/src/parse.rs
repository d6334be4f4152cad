//! From a rules file (YAML) to a [`RuleBook`]. It is strict: a mistyped rule that is passed over would clear what its
//! author meant to stop.

use std::collections::BTreeMap;

use decode::Fault;
use decode::fault::quoted;
use decode::yaml::{self, Node};
use ledger::hex;
use sha2::{Digest, Sha256};

use crate::groups::{Groups, one_or_more};
use crate::keys::{amount, choice, name, share_millionths, word};
use crate::rules::{
    Action, Bearer, Certificate, Direction, Named, RULES_BYTES_MAX, RULES_MAX, Reach, Rule, RuleBook, Test,
};
use crate::{Categories, CategorySet};

/// The rules that hold where the user gives none.
pub const DEFAULT_RULES: &str = include_str!("../rules/default.yaml");

const FILE_KEYS: &[&str] = &["policy", "certificate", "groups", "rules"];
const EXPOSURE_KEYS: &[&str] = &["name", "category", "direction", "exposure", "share", "amount", "action"];
const TAG_KEYS: &[&str] = &["name", "tag", "on", "confidence", "action"];
const POISON_KEYS: &[&str] = &["name", "poison", "action"];

const MILLIONTHS_TO_A_PERCENT: u32 = 10_000;

/// What tells one kind of rule from another.
const KINDS: [&str; 3] = ["category", "tag", "poison"];

const EITHER: &str = "either";
const DIRECTIONS: &[(&str, Option<Direction>)] =
    &[("received", Some(Direction::Received)), ("sent", Some(Direction::Sent)), (EITHER, None)];
const REACHES: &[(&str, Option<Reach>)] =
    &[("direct", Some(Reach::Direct)), ("indirect", Some(Reach::Indirect)), (EITHER, None)];
const BEARERS: &[(&str, Option<Bearer>)] =
    &[("address", Some(Bearer::Address)), ("cluster", Some(Bearer::Cluster)), (EITHER, None)];

impl RuleBook {
    /// Reads a rules file. `categories` are those that there are.
    pub fn parse(bytes: &[u8], categories: &Categories) -> Result<Self, Fault> {
        if bytes.len() > RULES_BYTES_MAX {
            let what = format!("the file has {} bytes, at most {RULES_BYTES_MAX} are read", bytes.len());
            return Err(Fault::whole(what, "give a rules file; --print-rules shows one"));
        }
        let root = yaml::parse(bytes)?;
        if root.is_null() {
            return Err(Fault::whole("the file is empty", "give a rules file; --print-rules shows one"));
        }
        root.only_keys(FILE_KEYS)?;
        all_filled(&root)?;
        let certificate = root.get("certificate").map_or(Ok(Certificate::default()), |node| {
            choice(node, "certificate", &[("lower", Certificate::Lower), ("upper", Certificate::Upper)])
        })?;
        let reader = Reader { categories, groups: Groups::read(root.get("groups"), categories)? };
        let node = root.required("rules")?;
        let items = node.list()?;
        if items.is_empty() {
            return Err(node.fault("there are no rules: everything would be clear", "write at least one"));
        }
        if items.len() > RULES_MAX {
            return Err(node.fault(format!("more than {RULES_MAX} rules"), "remove some"));
        }
        Ok(Self {
            policy: name(root.required("policy")?, "policy")?.to_owned(),
            hash: hex::text(&Sha256::digest(bytes)),
            certificate,
            rules: reader.rules(items)?,
        })
    }
}

/// Faults the first key without a value: a threshold that was forgotten must not pass as none.
fn all_filled(node: &Node) -> Result<(), Fault> {
    match node.map()?.iter().find(|(_, value)| value.is_null()) {
        Some((key, _)) => Err(key.fault("this key has no value", "write one, or remove the key")),
        None => Ok(()),
    }
}

struct Reader<'a> {
    categories: &'a Categories,
    groups: Groups,
}

impl Reader<'_> {
    fn rules(&self, items: &[Node]) -> Result<Vec<Rule>, Fault> {
        let mut names: BTreeMap<String, u64> = BTreeMap::new();
        let mut rules = Vec::new();
        for (at, item) in (1..).zip(items) {
            let rule = self.rule(at, item)?;
            if let Some(line) = names.insert(rule.name.clone(), rule.line) {
                let place = item.get("name").unwrap_or(item);
                let what = format!("the rule in line {line} is called {} as well", quoted(&rule.name));
                return Err(place.fault(what, "give each rule a name of its own"));
            }
            rules.push(rule);
        }
        Ok(rules)
    }

    fn rule(&self, at: usize, item: &Node) -> Result<Rule, Fault> {
        all_filled(item)?;
        let kinds: Vec<&str> = KINDS.into_iter().filter(|key| item.get(key).is_some()).collect();
        let [kind] = kinds[..] else {
            let mut known: Vec<&str> = [EXPOSURE_KEYS, TAG_KEYS, POISON_KEYS].concat();
            known.sort_unstable();
            known.dedup();
            item.only_keys(&known)?;
            let what = match kinds.len() {
                0 => "this rule looks for nothing".to_owned(),
                _ => format!("this rule looks for {} at once", kinds.join(" and ")),
            };
            return Err(item.fault(what, "give exactly one of: category, tag, poison"));
        };
        let test = match kind {
            "category" => self.exposure(item)?,
            "tag" => self.tag(item)?,
            _ => {
                item.only_keys(POISON_KEYS)?;
                Test::Poison { categories: self.named(item.required("poison")?)? }
            }
        };
        let name =
            item.get("name").map_or_else(|| Ok(format!("rule {at}")), |node| name(node, "rule").map(str::to_owned));
        let actions = [("hit", Action::Hit), ("review", Action::Review)];
        Ok(Rule { name: name?, line: item.line, test, action: choice(item.required("action")?, "action", &actions)? })
    }

    fn exposure(&self, item: &Node) -> Result<Test, Fault> {
        item.only_keys(EXPOSURE_KEYS)?;
        Ok(Test::Exposure {
            categories: self.named(item.required("category")?)?,
            direction: item.get("direction").map_or(Ok(None), |node| choice(node, "direction", DIRECTIONS))?,
            reach: item.get("exposure").map_or(Ok(None), |node| choice(node, "exposure", REACHES))?,
            share_millionths: item.get("share").map(|node| share_millionths(node, "share")).transpose()?,
            amount: item.get("amount").map(amount).transpose()?,
        })
    }

    fn tag(&self, item: &Node) -> Result<Test, Fault> {
        item.only_keys(TAG_KEYS)?;
        let confidence = match item.get("confidence") {
            None => 0,
            Some(node) => {
                let millionths = share_millionths(node, "confidence")?;
                if millionths % MILLIONTHS_TO_A_PERCENT != 0 {
                    return Err(node.fault("confidence: not a whole number of percent", "write such as 50%"));
                }
                u8::try_from(millionths / MILLIONTHS_TO_A_PERCENT).expect("at most 100")
            }
        };
        Ok(Test::Tag {
            categories: self.named(item.required("tag")?)?,
            on: item.get("on").map_or(Ok(None), |node| choice(node, "on", BEARERS))?,
            confidence,
        })
    }

    /// A category or a group, or a list of them.
    fn named(&self, node: &Node) -> Result<Named, Fault> {
        let (mut words, mut set) = (Vec::new(), CategorySet::default());
        for item in one_or_more(node)? {
            let word = word(item)?;
            let Some(some) = self.groups.set(word, self.categories) else {
                return Err(self.groups.unknown(item, word, self.categories));
            };
            set = set.with(some);
            words.push(word);
        }
        Ok(Named { words: words.join(", "), set })
    }
}

//! Groups of categories as a rules file defines them: a group may hold other groups, and never itself.

use std::collections::BTreeMap;

use decode::Fault;
use decode::fault::quoted;
use decode::yaml::{Node, Value};

use crate::keys::{name, word};
use crate::rules::GROUPS_MAX;
use crate::{Categories, CategorySet};

/// How deep groups may nest; each level is a call.
const DEPTH_MAX: usize = 32;

/// The groups of a file, each with all categories that it comes to.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    sets: BTreeMap<String, CategorySet>,
}

impl Groups {
    /// Reads `groups: {name: [category or group, …], …}`.
    pub(crate) fn read(node: Option<&Node>, categories: &Categories) -> Result<Self, Fault> {
        let Some(node) = node else { return Ok(Self::default()) };
        let entries = node.map()?;
        if entries.len() > GROUPS_MAX {
            return Err(node.fault(format!("more than {GROUPS_MAX} groups"), "remove some"));
        }
        for (key, _) in entries {
            let group = name(key, "group")?;
            if categories.number(group).is_some() {
                let what = format!("the group {} has the name of a category", quoted(group));
                return Err(key.fault(what, "give it a name of its own"));
            }
        }
        let mut reading = Reading { entries, categories, done: Self::default(), open: Vec::new() };
        for (key, _) in entries {
            reading.group(name(key, "group")?, key)?;
        }
        Ok(reading.done)
    }

    /// What a category or a group comes to.
    pub(crate) fn set(&self, word: &str, categories: &Categories) -> Option<CategorySet> {
        categories.number(word).map(CategorySet::one).or_else(|| self.sets.get(word).copied())
    }

    /// The fault of a word that is neither.
    pub(crate) fn unknown(&self, node: &Node, word: &str, categories: &Categories) -> Fault {
        unknown(node, word, categories, self.sets.keys().map(String::as_str))
    }
}

/// Names both what there is and, where one is near, what was probably meant.
fn unknown<'a>(node: &Node, word: &str, categories: &'a Categories, groups: impl Iterator<Item = &'a str>) -> Fault {
    let known: Vec<&str> = categories.names().iter().map(String::as_str).chain(groups).collect();
    let meant = crate::keys::nearest(word, &known).map(|word| format!("did you mean {word}? ")).unwrap_or_default();
    let names = categories.names().join(", ");
    node.fault(format!("unknown category {}", quoted(word)), format!("{meant}categories are {names}"))
}

/// Groups while they are read, each before those that hold it.
struct Reading<'a> {
    entries: &'a [(Node, Node)],
    categories: &'a Categories,
    done: Groups,
    /// The groups that are being read, the outermost first.
    open: Vec<&'a str>,
}

impl<'a> Reading<'a> {
    fn group(&mut self, group: &'a str, at: &Node) -> Result<CategorySet, Fault> {
        if let Some(set) = self.done.sets.get(group) {
            return Ok(*set);
        }
        if let Some(from) = self.open.iter().position(|open| *open == group) {
            let circle: Vec<&str> = self.open[from..].iter().copied().chain([group]).collect();
            let what = format!("the groups hold themselves: {}", circle.join(" > "));
            return Err(at.fault(what, "take one of them out of the other"));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(at.fault(format!("groups nest deeper than {DEPTH_MAX} levels"), "flatten them"));
        }
        let Some((_, members)) = self.entries.iter().find(|(key, _)| key.text().is_ok_and(|key| key.trim() == group))
        else {
            let groups = self.entries.iter().filter_map(|(key, _)| key.text().ok());
            return Err(unknown(at, group, self.categories, groups));
        };
        self.open.push(group);
        let mut set = CategorySet::default();
        for member in one_or_more(members)? {
            let word = word(member)?;
            set = set.with(match self.categories.number(word) {
                Some(number) => CategorySet::one(number),
                None => self.group(word, member)?,
            });
        }
        self.open.pop();
        self.done.sets.insert(group.to_owned(), set);
        Ok(set)
    }
}

/// A single word, or a list of some.
pub(crate) fn one_or_more(node: &Node) -> Result<&[Node], Fault> {
    let items = match &node.value {
        Value::Scalar { .. } => std::slice::from_ref(node),
        _ => node.list()?,
    };
    if items.is_empty() {
        return Err(node.fault("an empty list", "name a category or a group"));
    }
    Ok(items)
}

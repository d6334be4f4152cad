//! Tag packs and actor packs: the YAML in which this field shares who holds which address.
//!
//! Values of a pack's header are inherited by each of its tags. Everything comes out as plain text with its line;
//! which ledger a `currency` means, whether an address is well formed there, and what a category stands for is for the
//! room `know` to say. A bad tag is a fault of its own and does not spoil the rest of the pack; a bad header does.
//!
//! Entries are read one by one and never stand in memory as YAML, so a pack may have millions; texts that repeat are kept
//! once. Source of the form: GraphSense's TagPack schema (`docs/tags.md`).

use std::borrow::Cow;
use std::sync::Arc;

use ledger::Time;
use ledger::address::HOLDER_BYTES_MAX;

use crate::Fault;
use crate::fault::quoted;
use crate::pool::{Pool, Text};
use crate::yaml::{self, Node, Value};

/// How many faults of a pack are listed; the rest are counted.
pub const FAULTS_MAX: usize = 1000;
/// The longest text of a tag or actor, contexts apart.
pub const TEXT_BYTES_MAX: usize = 4096;
/// The longest context.
pub const CONTEXT_BYTES_MAX: usize = 64 << 10;
/// The largest pack.
pub const PACK_BYTES_MAX: usize = 512 << 20;
/// The most tags or actors of a pack.
pub const ENTRIES_MAX: usize = 20_000_000;
/// The most texts in a list of one entry, such as an actor's other names.
pub const LIST_TEXTS_MAX: usize = 1000;

/// A pack of tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagPack {
    /// Its title.
    pub title: String,
    /// Who made it.
    pub creator: String,
    /// What it holds.
    pub description: Option<String>,
    /// Its tags, in file order.
    pub tags: Vec<Tag>,
}

/// What a pack says of one address. What it leaves out is nothing, never a guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The line of its entry.
    pub line: u64,
    /// The column of its entry.
    pub column: u64,
    /// The address as written.
    pub address: String,
    /// Of which coin or token: `BTC`, `ETH`, `USDT`.
    pub currency: Option<Text>,
    /// On which chain, in packs that tell it from the currency.
    pub network: Option<Text>,
    /// Who or what it is.
    pub label: Text,
    /// Where that is said.
    pub source: Option<Text>,
    /// When it was last looked at.
    pub lastmod: Option<Time>,
    /// How sure: `ownership`, `authority_data`, `service_data`, `forensic`, `web_crawl`, …
    pub confidence: Option<Text>,
    /// What kind of holder: `exchange`, `mixing_service`, …
    pub category: Option<Text>,
    /// What kind of wrong: `ransomware`, `sanction`, …
    pub abuse: Option<Text>,
    /// The actor's id in an actor pack.
    pub actor: Option<Text>,
    /// Whether the tag holds for the whole cluster of the address.
    pub is_cluster_definer: Option<bool>,
    /// Further words of its taxonomy.
    pub concepts: Arc<[Text]>,
    /// Free context: text as written, or compact JSON where the pack has a structure.
    pub context: Option<Text>,
}

/// A pack of actors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorPack {
    /// Its title.
    pub title: String,
    /// Who made it.
    pub creator: String,
    /// Its actors, in file order.
    pub actors: Vec<Actor>,
}

/// A known organisation or person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The line of its entry.
    pub line: u64,
    /// Its id, which tags name.
    pub id: Text,
    /// Its name.
    pub label: Text,
    /// What kinds it is of.
    pub categories: Vec<Text>,
    /// Countries, by ISO 3166 code.
    pub jurisdictions: Vec<Text>,
    /// Other names.
    pub aliases: Vec<Text>,
    /// Its main page.
    pub uri: Option<Text>,
    /// Its registered name.
    pub legal_name: Option<Text>,
    /// Free context: text as written, or compact JSON where the pack has a structure.
    pub context: Option<Text>,
}

/// What was read, and what could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<T> {
    /// The pack without its bad entries.
    pub pack: T,
    /// One fault a bad entry, in file order; at most [`FAULTS_MAX`].
    pub faults: Vec<Fault>,
    /// How many entries are bad.
    pub bad: u64,
}

/// A file that may be either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pack {
    /// It has `tags`.
    Tags(Read<TagPack>),
    /// It has `actors`.
    Actors(Read<ActorPack>),
}

/// Reads a pack of either kind.
pub fn parse(bytes: &[u8]) -> Result<Pack, Fault> {
    let mut reader = Reader::default();
    let root = yaml::parse_streamed(bytes, PACK_BYTES_MAX, &["tags", "actors"], &mut |key, node| {
        if key == "tags" { reader.tag(&node) } else { reader.actor(&node) }
    })?;
    root.map()?;
    match (root.get("tags"), root.get("actors")) {
        (Some(tags), None) => {
            // Only a list with a name of its own is not streamed.
            tags.list()?.iter().try_for_each(|node| reader.tag(node))?;
            Ok(Pack::Tags(reader.tag_pack(&root)?))
        }
        (None, Some(actors)) => {
            actors.list()?.iter().try_for_each(|node| reader.actor(node))?;
            Ok(Pack::Actors(reader.actor_pack(&root)?))
        }
        _ => Err(root.fault("neither `tags` nor `actors` alone is here", "give a tag pack or an actor pack")),
    }
}

/// What gathers while a pack is read.
#[derive(Default)]
struct Reader {
    pool: Pool,
    /// As written: what they inherit comes when the whole header is known.
    tags: Vec<Tag>,
    actors: Vec<Actor>,
    faults: Vec<Fault>,
    bad: u64,
}

impl Reader {
    fn tag(&mut self, node: &Node) -> Result<(), Fault> {
        limit(self.tags.len(), node)?;
        match own_tag(node, &mut self.pool) {
            Ok(tag) => self.tags.push(tag),
            Err(fault) => self.fault(fault),
        }
        Ok(())
    }

    fn actor(&mut self, node: &Node) -> Result<(), Fault> {
        limit(self.actors.len(), node)?;
        match actor(node, &mut self.pool) {
            Ok(actor) => self.actors.push(actor),
            Err(fault) => self.fault(fault),
        }
        Ok(())
    }

    fn fault(&mut self, fault: Fault) {
        self.bad += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }

    fn tag_pack(mut self, root: &Node) -> Result<Read<TagPack>, Fault> {
        let header = values(root, &mut self.pool)?;
        let mut tags = std::mem::take(&mut self.tags);
        tags.retain_mut(|tag| {
            inherit(tag, &header);
            let labelled = !tag.label.is_empty();
            if !labelled {
                let fault = Fault::line(tag.line, "the tag has no label", "add `label: …` here or in the header");
                self.fault(fault.at(tag.column));
            }
            labelled
        });
        self.faults.sort_by_key(|fault| fault.line);
        let pack = TagPack {
            title: text(root, "title", TEXT_BYTES_MAX)?.unwrap_or_default().to_owned(),
            creator: text(root, "creator", TEXT_BYTES_MAX)?.unwrap_or_default().to_owned(),
            description: text(root, "description", CONTEXT_BYTES_MAX)?.map(str::to_owned),
            tags,
        };
        Ok(Read { pack, faults: self.faults, bad: self.bad })
    }

    fn actor_pack(self, root: &Node) -> Result<Read<ActorPack>, Fault> {
        let pack = ActorPack {
            title: text(root, "title", TEXT_BYTES_MAX)?.unwrap_or_default().to_owned(),
            creator: text(root, "creator", TEXT_BYTES_MAX)?.unwrap_or_default().to_owned(),
            actors: self.actors,
        };
        Ok(Read { pack, faults: self.faults, bad: self.bad })
    }
}

fn limit(count: usize, node: &Node) -> Result<(), Fault> {
    if count < ENTRIES_MAX {
        return Ok(());
    }
    Err(node.fault(format!("more than {ENTRIES_MAX} entries"), "split the pack"))
}

/// What an entry says itself, which must have an address.
fn own_tag(item: &Node, pool: &mut Pool) -> Result<Tag, Fault> {
    item.map()?;
    let mut tag = values(item, pool)?;
    let address = text(item, "address", HOLDER_BYTES_MAX)?;
    let missing = || item.fault("the tag has no address", "add `address: …` here or in the header");
    address.ok_or_else(missing)?.clone_into(&mut tag.address);
    Ok(tag)
}

/// All values that a tag may have and a header may hand down.
fn values(node: &Node, pool: &mut Pool) -> Result<Tag, Fault> {
    let mut short = |key: &str| Ok(text(node, key, TEXT_BYTES_MAX)?.map(|text| pool.text(text)));
    let lastmod = node.get("lastmod").map(|node| {
        let text = node.text()?;
        Time::parse(text).map_err(|error| node.fault(format!("{}: {error}", quoted(text)), ""))
    });
    Ok(Tag {
        line: node.line,
        column: node.column,
        address: String::new(),
        currency: short("currency")?,
        network: short("network")?,
        label: short("label")?.unwrap_or_default(),
        source: short("source")?,
        lastmod: lastmod.transpose()?,
        confidence: short("confidence")?,
        category: short("category")?,
        abuse: short("abuse")?,
        actor: short("actor")?,
        is_cluster_definer: node.get("is_cluster_definer").map(Node::boolean).transpose()?,
        concepts: node.get("concepts").map_or(Ok(Vec::new()), |list| texts(list, pool))?.into(),
        context: node.get("context").map(|node| context(node, pool)).transpose()?,
    })
}

/// Fills what the tag leaves out from the header; texts are shared, not copied.
fn inherit(tag: &mut Tag, header: &Tag) {
    let fill = |own: &mut Option<Text>, from: &Option<Text>| {
        if own.is_none() {
            own.clone_from(from);
        }
    };
    fill(&mut tag.currency, &header.currency);
    fill(&mut tag.network, &header.network);
    fill(&mut tag.source, &header.source);
    fill(&mut tag.confidence, &header.confidence);
    fill(&mut tag.category, &header.category);
    fill(&mut tag.abuse, &header.abuse);
    fill(&mut tag.actor, &header.actor);
    fill(&mut tag.context, &header.context);
    if tag.label.is_empty() {
        tag.label = Text::clone(&header.label);
    }
    if tag.concepts.is_empty() {
        tag.concepts = Arc::clone(&header.concepts);
    }
    tag.lastmod = tag.lastmod.or(header.lastmod);
    tag.is_cluster_definer = tag.is_cluster_definer.or(header.is_cluster_definer);
}

fn actor(item: &Node, pool: &mut Pool) -> Result<Actor, Fault> {
    item.map()?;
    let mut needed = |key: &str| {
        let text = text(item, key, TEXT_BYTES_MAX)?;
        let missing = || item.fault(format!("the actor has no {key}"), format!("add `{key}: …`"));
        Ok(pool.text(text.ok_or_else(missing)?))
    };
    let (id, label) = (needed("id")?, needed("label")?);
    let mut list = |key: &str| item.get(key).map_or(Ok(Vec::new()), |list| texts(list, pool));
    let (categories, jurisdictions, aliases) = (list("categories")?, list("jurisdictions")?, list("aliases")?);
    Ok(Actor {
        line: item.line,
        id,
        label,
        categories,
        jurisdictions,
        aliases,
        uri: text(item, "uri", TEXT_BYTES_MAX)?.map(|text| pool.text(text)),
        legal_name: text(item, "legal_name", TEXT_BYTES_MAX)?.map(|text| pool.text(text)),
        context: item.get("context").map(|node| context(node, pool)).transpose()?,
    })
}

/// The text of a key, if it is there and not empty.
fn text<'a>(map: &'a Node, key: &str, bytes_max: usize) -> Result<Option<&'a str>, Fault> {
    let Some(node) = map.get(key) else { return Ok(None) };
    let text = node.text()?.trim();
    if text.len() > bytes_max {
        let what = format!("{key} has {} bytes, at most {bytes_max} are read", text.len());
        return Err(node.fault(what, "shorten it"));
    }
    Ok((!text.is_empty()).then_some(text))
}

/// A list of texts, or a single one.
fn texts(node: &Node, pool: &mut Pool) -> Result<Vec<Text>, Fault> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if items.len() > LIST_TEXTS_MAX {
        return Err(node.fault(format!("more than {LIST_TEXTS_MAX} items"), "shorten the list"));
    }
    items
        .iter()
        .map(|item| {
            let text = item.text()?;
            if text.len() > TEXT_BYTES_MAX {
                return Err(item.fault(format!("{} has more than {TEXT_BYTES_MAX} bytes", quoted(text)), "shorten it"));
            }
            Ok(pool.text(text))
        })
        .collect()
}

fn context(node: &Node, pool: &mut Pool) -> Result<Text, Fault> {
    let text = match &node.value {
        Value::Scalar { text, .. } => Cow::Borrowed(text.as_str()),
        _ => Cow::Owned(json(node).to_string()),
    };
    if text.len() > CONTEXT_BYTES_MAX {
        return Err(node.fault(format!("the context has more than {CONTEXT_BYTES_MAX} bytes"), "shorten it"));
    }
    Ok(pool.text(&text))
}

/// A structure as JSON; its scalars stay texts. As deep as the YAML was, which is limited.
fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Scalar { text, .. } => text.as_str().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            entries.iter().map(|(key, value)| (key.text().unwrap_or_default().to_owned(), json(value))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_million_tags_inherit_is_in_memory_once() {
        let tags: Vec<String> = (0..1000).map(|at: u32| format!("- address: a{at}\n")).collect();
        let tags = tags.concat();
        let pack = format!("title: t\ntags:\n{tags}label: l\nsource: {}\n", "s".repeat(2_000));
        let Ok(Pack::Tags(read)) = parse(pack.as_bytes()) else { panic!("a pack of tags") };
        assert_eq!((read.pack.tags.len(), read.bad), (1000, 0));
        let source = |at: usize| read.pack.tags[at].source.as_ref().unwrap();
        assert!(Arc::ptr_eq(source(0), source(999)));
    }

    #[test]
    fn bad_entries_are_counted_where_they_are_no_longer_listed() {
        let pack = format!("tags: [{}{{address: a, label: l}}]", "1,".repeat(FAULTS_MAX + 5));
        let Ok(Pack::Tags(read)) = parse(pack.as_bytes()) else { panic!("a pack of tags") };
        assert_eq!((read.pack.tags.len(), read.faults.len(), read.bad), (1, FAULTS_MAX, FAULTS_MAX as u64 + 5));
    }
}

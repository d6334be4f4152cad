//! Tag packs and actor packs: the YAML in which this field shares who holds which address.
//!
//! Values of a pack's header are inherited by each of its tags. Everything comes out as plain text with its line;
//! which ledger a `currency` means, whether an address is well formed there, and what a category stands for is for the
//! room `know` to say. A bad tag is a fault of its own and does not spoil the rest of the pack.
//!
//! Source of the form: GraphSense's TagPack schema (`docs/tags.md`).

use ledger::Time;
use ledger::address::HOLDER_BYTES_MAX;

use crate::Fault;
use crate::fault::quoted;
use crate::yaml::{self, Node, Value};

/// How many faults of a pack are listed; a file with more is of another kind.
pub const FAULTS_MAX: usize = 1000;
/// The longest text of a tag or actor, contexts apart.
pub const TEXT_BYTES_MAX: usize = 4096;
/// The longest context.
pub const CONTEXT_BYTES_MAX: usize = 64 << 10;

/// The most bytes that the tags of a pack may inherit from its header, all together.
pub const INHERITED_BYTES_MAX: usize = 128 << 20;

/// What a tag takes from the header where it does not say itself.
const INHERITED: [&str; 10] =
    ["currency", "network", "label", "source", "lastmod", "confidence", "category", "abuse", "actor", "context"];

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
    /// The address as written.
    pub address: String,
    /// Of which coin or token: `BTC`, `ETH`, `USDT`.
    pub currency: Option<String>,
    /// On which chain, in packs that tell it from the currency.
    pub network: Option<String>,
    /// Who or what it is.
    pub label: String,
    /// Where that is said.
    pub source: Option<String>,
    /// When it was last looked at.
    pub lastmod: Option<Time>,
    /// How sure: `ownership`, `authority_data`, `service_data`, `forensic`, `web_crawl`, …
    pub confidence: Option<String>,
    /// What kind of holder: `exchange`, `mixing_service`, …
    pub category: Option<String>,
    /// What kind of wrong: `ransomware`, `sanction`, …
    pub abuse: Option<String>,
    /// The actor's id in an actor pack.
    pub actor: Option<String>,
    /// Whether the tag holds for the whole cluster of the address.
    pub is_cluster_definer: Option<bool>,
    /// Further words of its taxonomy.
    pub concepts: Vec<String>,
    /// Free context: text as written, or compact JSON where the pack has a structure.
    pub context: Option<String>,
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
    pub id: String,
    /// Its name.
    pub label: String,
    /// What kinds it is of.
    pub categories: Vec<String>,
    /// Countries, by ISO 3166 code.
    pub jurisdictions: Vec<String>,
    /// Other names.
    pub aliases: Vec<String>,
    /// Its main page.
    pub uri: Option<String>,
    /// Its registered name.
    pub legal_name: Option<String>,
}

/// What was read, and what could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<T> {
    /// The pack without its bad entries.
    pub pack: T,
    /// One fault a bad entry, in file order.
    pub faults: Vec<Fault>,
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
    let root = yaml::parse(bytes)?;
    root.map()?;
    match (root.get("tags"), root.get("actors")) {
        (Some(tags), None) => Ok(Pack::Tags(tag_pack(&root, tags)?)),
        (None, Some(actors)) => Ok(Pack::Actors(actor_pack(&root, actors)?)),
        _ => Err(root.fault("neither `tags` nor `actors` alone is here", "give a tag pack or an actor pack")),
    }
}

fn tag_pack(root: &Node, tags: &Node) -> Result<Read<TagPack>, Fault> {
    let mut faults = Vec::new();
    let header = root;
    let repeated = inherited_bytes(header).saturating_mul(tags.list()?.len());
    if repeated > INHERITED_BYTES_MAX {
        let what = format!("its tags inherit {repeated} bytes from the header, at most {INHERITED_BYTES_MAX} are kept");
        return Err(header.fault(what, "shorten the header's texts, or split the pack"));
    }
    let pack = TagPack {
        title: text(header, "title", TEXT_BYTES_MAX)?.unwrap_or_default(),
        creator: text(header, "creator", TEXT_BYTES_MAX)?.unwrap_or_default(),
        description: text(header, "description", CONTEXT_BYTES_MAX)?,
        tags: kept(tags.list()?, &mut faults, |item| tag(item, header)),
    };
    Ok(Read { pack, faults })
}

/// How many bytes of the header each tag may inherit: a long header over many tags is a small file and a large memory.
fn inherited_bytes(header: &Node) -> usize {
    fn bytes(node: &Node) -> usize {
        match &node.value {
            Value::Scalar { text, .. } => text.len(),
            Value::List(items) => items.iter().map(bytes).sum(),
            Value::Map(entries) => entries.iter().map(|(key, value)| bytes(key) + bytes(value)).sum(),
        }
    }
    INHERITED.iter().filter_map(|key| header.get(key)).map(bytes).sum()
}

fn actor_pack(root: &Node, actors: &Node) -> Result<Read<ActorPack>, Fault> {
    let mut faults = Vec::new();
    let pack = ActorPack {
        title: text(root, "title", TEXT_BYTES_MAX)?.unwrap_or_default(),
        creator: text(root, "creator", TEXT_BYTES_MAX)?.unwrap_or_default(),
        actors: kept(actors.list()?, &mut faults, actor),
    };
    Ok(Read { pack, faults })
}

/// The entries that are good; the faults of the others go into `faults`.
fn kept<T>(items: &[Node], faults: &mut Vec<Fault>, read: impl Fn(&Node) -> Result<T, Fault>) -> Vec<T> {
    let mut good = Vec::new();
    for item in items {
        match read(item) {
            Ok(entry) => good.push(entry),
            Err(fault) if faults.len() < FAULTS_MAX => faults.push(fault),
            Err(_) if faults.len() == FAULTS_MAX => {
                faults.push(item.fault(format!("more than {FAULTS_MAX} entries are bad"), "mend these first"));
            }
            Err(_) => {}
        }
    }
    good
}

fn tag(item: &Node, header: &Node) -> Result<Tag, Fault> {
    item.map()?;
    let inherited = |key: &str, bytes_max: usize| match text(item, key, bytes_max)? {
        Some(own) => Ok(Some(own)),
        None => text(header, key, bytes_max),
    };
    let short = |key: &str| inherited(key, TEXT_BYTES_MAX);
    let either = |key: &str| item.get(key).or_else(|| header.get(key));
    let missing =
        |key: &str| item.fault(format!("the tag has no {key}"), format!("add `{key}: …` here or in the header"));
    let address = text(item, "address", HOLDER_BYTES_MAX)?.ok_or_else(|| missing("address"))?;
    let lastmod = either("lastmod").map(|node| {
        let text = node.text()?;
        Time::parse(text).map_err(|error| node.fault(format!("{}: {error}", quoted(text)), ""))
    });
    Ok(Tag {
        line: item.line,
        address,
        currency: short("currency")?,
        network: short("network")?,
        label: short("label")?.ok_or_else(|| missing("label"))?,
        source: short("source")?,
        lastmod: lastmod.transpose()?,
        confidence: short("confidence")?,
        category: short("category")?,
        abuse: short("abuse")?,
        actor: short("actor")?,
        is_cluster_definer: either("is_cluster_definer").map(Node::boolean).transpose()?,
        concepts: either("concepts").map_or(Ok(Vec::new()), texts)?,
        context: either("context").map(context).transpose()?,
    })
}

fn actor(item: &Node) -> Result<Actor, Fault> {
    item.map()?;
    let needed = |key: &str| {
        text(item, key, TEXT_BYTES_MAX)?
            .ok_or_else(|| item.fault(format!("the actor has no {key}"), format!("add `{key}: …`")))
    };
    let list = |key: &str| item.get(key).map_or(Ok(Vec::new()), texts);
    Ok(Actor {
        line: item.line,
        id: needed("id")?,
        label: needed("label")?,
        categories: list("categories")?,
        jurisdictions: list("jurisdictions")?,
        aliases: list("aliases")?,
        uri: text(item, "uri", TEXT_BYTES_MAX)?,
        legal_name: text(item, "legal_name", TEXT_BYTES_MAX)?,
    })
}

/// The text of a key, if it is there and not empty.
fn text(map: &Node, key: &str, bytes_max: usize) -> Result<Option<String>, Fault> {
    let Some(node) = map.get(key) else { return Ok(None) };
    let text = node.text()?.trim();
    if text.len() > bytes_max {
        let what = format!("{key} has {} bytes, at most {bytes_max} are read", text.len());
        return Err(node.fault(what, "shorten it"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// A list of texts, or a single one.
fn texts(node: &Node) -> Result<Vec<String>, Fault> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    items
        .iter()
        .map(|item| {
            let text = item.text()?;
            if text.len() > TEXT_BYTES_MAX {
                return Err(item.fault(format!("{} has more than {TEXT_BYTES_MAX} bytes", quoted(text)), "shorten it"));
            }
            Ok(text.to_owned())
        })
        .collect()
}

fn context(node: &Node) -> Result<String, Fault> {
    let text = match &node.value {
        Value::Scalar { text, .. } => text.clone(),
        _ => json(node).to_string(),
    };
    if text.len() > CONTEXT_BYTES_MAX {
        return Err(node.fault(format!("the context has more than {CONTEXT_BYTES_MAX} bytes"), "shorten it"));
    }
    Ok(text)
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
    fn a_long_header_over_many_tags_is_refused_before_it_fills_the_memory() {
        let tags: String =
            (0..40_000).flat_map(|at: u32| ["- address: a".to_owned(), at.to_string(), "\n".to_owned()]).collect();
        let pack = format!("title: t\ncreator: c\nlabel: l\nsource: {}\ntags:\n{tags}", "s".repeat(4_000));
        let fault = parse(pack.as_bytes()).expect_err("160 MB from a small file");
        assert!(fault.what.contains("inherit"), "{fault}");
    }
}

//! [`Actors`]: who the ids are that tags name, as actor packs say: names to show, and categories where a tag has none.
//!
//! Packs may say different things of one id. Nothing of it is merged: the first pack by name is believed where one answer is
//! needed, and `tags conflicts` lists the others.

use std::borrow::Cow;
use std::io::{self, Read, Write};

use decode::lines::Lines;
use decode::tagpack::{ActorPack, ENTRIES_MAX};
use decode::{DecodeError, Fault, Pool, Text};
use serde::{Deserialize, Serialize};

use crate::PackHash;
use crate::kept::{DAMAGED, LINE_BYTES_MAX, head, json_line, read_head};

/// The schema of the first line of what the book keeps.
pub const ACTORS_SCHEMA: &str = "tracehound/actors/1";

/// What a pack says of an actor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor {
    /// Its id, which tags name.
    pub id: Text,
    /// The pack that says so.
    pub pack: Text,
    /// Its name.
    pub label: Text,
    /// What kinds it is of, sorted, each once.
    pub categories: Vec<Text>,
    /// Countries, by ISO 3166 code.
    pub jurisdictions: Vec<Text>,
    /// Other names.
    pub aliases: Vec<Text>,
    /// Its main page.
    pub uri: Option<Text>,
    /// Its registered name.
    pub legal_name: Option<Text>,
    /// Free context, as the pack has it.
    pub context: Option<Text>,
    /// The hash of the pack's bytes.
    pub pack_hash: Option<PackHash>,
}

/// All actors that are known, in order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actors {
    list: Vec<Actor>,
}

impl Actors {
    /// These and `more`; what a pack said before of an actor is replaced by what it says now.
    #[must_use]
    pub fn with(mut self, more: impl IntoIterator<Item = Actor>) -> Self {
        // A stable sort keeps the newest of each pack's last.
        self.list.extend(more);
        self.list.sort_by(|one, next| (&one.id, &one.pack).cmp(&(&next.id, &next.pack)));
        self.list.dedup_by(|next, kept| {
            let same = (&next.id, &next.pack) == (&kept.id, &kept.pack);
            if same {
                std::mem::swap(next, kept);
            }
            same
        });
        self
    }

    /// These without those of a pack, and how many those were.
    #[must_use]
    pub fn without_pack(mut self, pack: &str) -> (Self, usize) {
        let before = self.list.len();
        self.list.retain(|actor| &*actor.pack != pack);
        let gone = before - self.list.len();
        (self, gone)
    }

    /// All that is said of an id, by pack.
    pub fn of(&self, id: &str) -> &[Actor] {
        let start = self.list.partition_point(|actor| *actor.id < *id);
        let length = self.list[start..].partition_point(|actor| *actor.id == *id);
        &self.list[start..start + length]
    }

    /// The name of an id.
    pub fn name(&self, id: &str) -> Option<&Text> {
        self.of(id).first().map(|actor| &actor.label)
    }

    /// The kinds that an id is of, by the first pack that says any.
    pub fn categories(&self, id: &str) -> &[Text] {
        let known = self.of(id).iter().map(|actor| actor.categories.as_slice());
        known.into_iter().find(|words| !words.is_empty()).unwrap_or(&[])
    }

    /// All of them.
    pub fn all(&self) -> &[Actor] {
        &self.list
    }

    /// How many statements about actors there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// The actors of a pack, in file order, and one fault for each that it names a second time.
pub fn from_actor_pack(pack: ActorPack, name: &str, hash: Option<PackHash>) -> (Vec<Actor>, Vec<Fault>) {
    let name = Text::from(name);
    let mut lines = std::collections::HashMap::new();
    let (mut actors, mut faults) = (Vec::with_capacity(pack.actors.len()), Vec::new());
    for actor in pack.actors {
        if let Some(line) = lines.insert(Text::clone(&actor.id), actor.line) {
            let what = format!("the actor {} is in line {line} already", decode::fault::quoted(&actor.id));
            faults.push(Fault::line(actor.line, what, "keep one").field("id"));
            continue;
        }
        let mut categories = actor.categories;
        categories.sort_unstable();
        categories.dedup();
        actors.push(Actor {
            id: actor.id,
            pack: Text::clone(&name),
            label: actor.label,
            categories,
            jurisdictions: actor.jurisdictions,
            aliases: actor.aliases,
            uri: actor.uri,
            legal_name: actor.legal_name,
            context: actor.context,
            pack_hash: hash,
        });
    }
    (actors, faults)
}

/// An actor as a line; absent fields are left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    id: Cow<'a, str>,
    pack: Cow<'a, str>,
    label: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    categories: Vec<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    jurisdictions: Vec<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uri: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    legal_name: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pack_hash: Option<Cow<'a, str>>,
}

/// Writes the actors as NDJSON, in order.
pub fn write_actors(actors: &Actors, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    head(ACTORS_SCHEMA, out)?;
    actors.all().iter().try_for_each(|actor| json_line(&Line::from(actor), out))
}

impl<'a> From<&'a Actor> for Line<'a> {
    fn from(actor: &'a Actor) -> Self {
        let text = |text: &'a Text| Cow::Borrowed(&**text);
        let all = |list: &'a [Text]| list.iter().map(text).collect();
        Self {
            id: text(&actor.id),
            pack: text(&actor.pack),
            label: text(&actor.label),
            categories: all(&actor.categories),
            jurisdictions: all(&actor.jurisdictions),
            aliases: all(&actor.aliases),
            uri: actor.uri.as_ref().map(text),
            legal_name: actor.legal_name.as_ref().map(text),
            context: actor.context.as_ref().map(text),
            pack_hash: actor.pack_hash.map(|hash| Cow::Owned(hash.to_string())),
        }
    }
}

/// Reads what [`write_actors`] wrote.
pub fn read_actors(reader: impl Read) -> Result<Actors, DecodeError> {
    let mut lines = Lines::new(reader, LINE_BYTES_MAX);
    read_head(&mut lines, &[ACTORS_SCHEMA])?;
    let mut pool = Pool::default();
    let mut list: Vec<Actor> = Vec::new();
    while let Some(line) = lines.next_line()? {
        let damaged = |what: String| Fault::line(line.number, what, DAMAGED);
        if list.len() >= ENTRIES_MAX {
            return Err(damaged(format!("more than {ENTRIES_MAX} actors")).into());
        }
        let read: Line<'_> =
            serde_json::from_slice(line.bytes).map_err(|error| damaged(format!("not an actor: {error}")))?;
        let actor = actor(read, &mut pool).ok_or_else(|| damaged("the pack's hash is none".to_owned()))?;
        if list.last().is_some_and(|before| (&before.id, &before.pack) >= (&actor.id, &actor.pack)) {
            return Err(damaged("the actors are not in order".to_owned()).into());
        }
        list.push(actor);
    }
    Ok(Actors { list })
}

fn actor(line: Line<'_>, pool: &mut Pool) -> Option<Actor> {
    let pack_hash = match line.pack_hash {
        Some(text) => Some(PackHash::parse(&text)?),
        None => None,
    };
    let mut all = |list: Vec<Cow<'_, str>>| list.iter().map(|text| pool.text(text)).collect();
    let (categories, jurisdictions, aliases) = (all(line.categories), all(line.jurisdictions), all(line.aliases));
    let mut some = |text: Option<Cow<'_, str>>| text.map(|text| pool.text(&text));
    let (uri, legal_name, context) = (some(line.uri), some(line.legal_name), some(line.context));
    let (id, pack, label) = (pool.text(&line.id), pool.text(&line.pack), pool.text(&line.label));
    Some(Actor { id, pack, label, categories, jurisdictions, aliases, uri, legal_name, context, pack_hash })
}

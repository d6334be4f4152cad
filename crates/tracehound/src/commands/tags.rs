//! `tracehound tags …`: what is known about holders is taken in and taken back here; what the tags say is in `tags/`.

mod categories;
mod conflicts;
mod list;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use book::Book;
use know::{Claim, Text};

use crate::cli::{TagsCommand, WithdrawArgs};
use crate::commands::say;
use crate::exit::{Exit, Failure};
use crate::home::{Home, stops};
use crate::output::text::{counted, grouped, plural};
use crate::tagfiles::{self, TagFile};
use crate::tagstore::{Entry, TagStore};

pub fn run(home: &Home, command: TagsCommand) -> Result<Exit, Failure> {
    match command {
        TagsCommand::Import { files, replace, note } => import(home, &files, replace, note.as_deref()),
        TagsCommand::List { address, by, json } => list::run(home, address.as_deref(), by, json),
        TagsCommand::Withdraw(args) => withdraw(home, &args),
        TagsCommand::Conflicts { json } => conflicts::run(home, json),
        TagsCommand::Categories { file, reset } => categories::run(home, file.as_deref(), reset),
    }
}

/// What an import did to the book.
pub struct Taken {
    read: usize,
    new: usize,
    bad: u64,
    actors: usize,
    /// By pack: tags of an earlier version of it that this one has not, and whether they are gone.
    stale: Vec<(Text, usize)>,
    total: usize,
}

/// Every file is read in full before the book is touched.
fn import(home: &Home, files: &[PathBuf], replace: bool, note: Option<&str>) -> Result<Exit, Failure> {
    let read = tagfiles::read(files, &know::Rules::default(), &mut |fault| say(format!("warning: {fault}")))?;
    let book = home.create()?;
    let taken = take_in(&book, read, replace, note)?;
    let (new, total) = (grouped(&taken.new.to_string()), grouped(&taken.total.to_string()));
    say(format!("{} read, {new} of them new; the book has {total}", plural(taken.read, "tag")));
    if taken.actors > 0 {
        say(format!("{} read", plural(taken.actors, "actor")));
    }
    if taken.bad > 0 {
        say(format!("{} could not be read, and left out", counted(taken.bad, "tag")));
    }
    for (pack, count) in &taken.stale {
        let tags = plural(*count, "tag");
        if replace {
            say(format!("{tags} taken back that an earlier version of pack {pack} had and this one has not"));
        } else {
            say(format!("{tags} left that only an earlier version of pack {pack} had; --replace takes such tags back"));
        }
    }
    Ok(Exit::Done)
}

/// Takes files that were read into a book.
pub fn take_in(book: &Book, read: Vec<TagFile>, replace: bool, note: Option<&str>) -> Result<Taken, Failure> {
    let mut store = TagStore::open(book)?;
    let mut entries: Vec<Entry> = Vec::new();
    let (mut claims, mut actors) = (Vec::new(), Vec::new());
    let mut packs = BTreeSet::new();
    for file in read {
        entries.push(Entry {
            did: "import",
            pack: Some(file.pack.to_string()),
            pack_hash: Some(file.hash.to_string()),
            read: file.claims.len() as u64,
            bad: file.bad,
            note: note.map(str::to_owned),
            actors: file.actors.len() as u64,
            ..Entry::default()
        });
        packs.insert((file.pack, file.hash));
        claims.extend(file.claims);
        actors.extend(file.actors);
    }
    let mut taken = Taken {
        read: claims.len(),
        new: 0,
        bad: entries.iter().map(|entry| entry.bad).sum(),
        actors: actors.len(),
        stale: Vec::new(),
        total: 0,
    };
    let before = by_pack(&store.claims);
    let mut merged = know::merged(std::mem::take(&mut store.claims), claims);
    let after = by_pack(&merged);
    let is_stale = |claim: &Claim| {
        let mut versions = packs.iter().filter(|(pack, _)| *pack == claim.pack).peekable();
        versions.peek().is_some() && versions.all(|(_, hash)| claim.pack_hash != Some(*hash))
    };
    let mut stale: BTreeMap<Text, usize> = BTreeMap::new();
    for claim in merged.iter().filter(|claim| is_stale(claim)) {
        *stale.entry(Text::clone(&claim.pack)).or_default() += 1;
    }
    if replace {
        merged.retain(|claim| !is_stale(claim));
    }
    for entry in &mut entries {
        let pack = entry.pack.as_deref().unwrap_or_default();
        let count = |counts: &BTreeMap<Text, usize>| counts.get(pack).copied().unwrap_or_default() as u64;
        entry.new = count(&after) - count(&before);
        entry.gone = if replace { count(&stale) } else { 0 };
    }
    taken.new = after.values().sum::<usize>() - before.values().sum::<usize>();
    taken.stale = stale.into_iter().collect();
    taken.total = merged.len();
    let actors = std::mem::take(&mut store.actors).with(actors);
    store.commit(merged, actors, &entries)?;
    Ok(taken)
}

fn by_pack(claims: &[Claim]) -> BTreeMap<Text, usize> {
    let mut counts: BTreeMap<Text, usize> = BTreeMap::new();
    for claim in claims {
        match counts.get_mut(&claim.pack) {
            Some(count) => *count += 1,
            None => {
                counts.insert(Text::clone(&claim.pack), 1);
            }
        }
    }
    counts
}

/// Takes tags back: those to which everything that was named applies.
fn withdraw(home: &Home, args: &WithdrawArgs) -> Result<Exit, Failure> {
    let book = home.open()?;
    let mut store = TagStore::open(&book)?;
    let same =
        |wanted: Option<&str>, text: Option<&Text>| wanted.is_none_or(|wanted| text.is_some_and(|t| **t == *wanted));
    let address = args.address.as_deref().map(know::folded_address);
    let is_meant = |claim: &Claim| {
        same(args.pack.as_deref(), Some(&claim.pack))
            && same(args.source.as_deref(), claim.source.as_ref())
            && address.as_ref().is_none_or(|address| know::folded_address(&claim.address) == *address)
    };
    let before = store.claims.len();
    let mut claims = std::mem::take(&mut store.claims);
    claims.retain(|claim| !is_meant(claim));
    let gone = before - claims.len();
    // Actors have no address, and their source is their pack.
    let whole_pack = args.pack.as_deref().filter(|_| args.address.is_none() && args.source.is_none());
    let (actors, actors_gone) = match whole_pack {
        Some(pack) => std::mem::take(&mut store.actors).without_pack(pack),
        None => (std::mem::take(&mut store.actors), 0),
    };
    if gone + actors_gone == 0 {
        return Err(Failure::missing("the book has no such tag; `tracehound tags list` shows its packs"));
    }
    let total = claims.len();
    let entry = Entry {
        did: "withdraw",
        pack: args.pack.clone(),
        address: args.address.clone(),
        source: args.source.clone(),
        note: args.note.clone(),
        gone: gone as u64,
        actors_gone: actors_gone as u64,
        ..Entry::default()
    };
    store.commit(claims, actors, &[entry])?;
    let actors = if actors_gone > 0 { format!(" and {}", plural(actors_gone, "actor")) } else { String::new() };
    say(format!("{}{actors} taken back; the book has {}", plural(gone, "tag"), grouped(&total.to_string())));
    Ok(Exit::Done)
}

/// The rules by which the book's tags are read, whether or not there is a book.
fn rules_of(home: &Home) -> Result<know::Stops, Failure> {
    if home.exists()? { stops(&home.open()?) } else { Ok(know::Stops::default()) }
}

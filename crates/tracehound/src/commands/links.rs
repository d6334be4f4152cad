//! `tracehound links …`: links between ledgers are found, taken in and taken back here; how they are shown is in `links/`.

mod decode;
mod find;
mod line;
mod list;
mod pools;
mod registry;
mod thorchain;

use std::path::{Path, PathBuf};

use ::decode::DecodeError;
use link::Kept;
use serde::Serialize;

use crate::cli::{LinksCommand, WithdrawLinksArgs};
use crate::commands::{print, say};
use crate::exit::{Exit, Failure};
use crate::home::Home;
use crate::linkstore::{Entry, LinkStore};
use crate::output::text::{grouped, plural};

pub fn run(home: &Home, command: LinksCommand) -> Result<Exit, Failure> {
    match command {
        LinksCommand::Find(args) => find::run(home, &args),
        LinksCommand::Import { files, again, note } => import(home, &files, again, note),
        LinksCommand::List(args) => list::list(home, &args),
        LinksCommand::Show { what, json } => list::show(home, &what, json),
        LinksCommand::Withdraw(args) => withdraw(home, &args),
        LinksCommand::Check { files, json } => check(&files, json),
        LinksCommand::Decode(args) => decode::run(home, &args),
        LinksCommand::Thorchain(args) => thorchain::run(home, &args),
        LinksCommand::Pools(args) => pools::run(home, &args),
        LinksCommand::Registry { command } => registry::run(home, command),
    }
}

/// The links of a file, all or none.
fn read(path: &Path) -> Result<Vec<Kept>, Failure> {
    let name = path.display();
    let file = std::fs::File::open(path)
        .map_err(|error| Failure::bad_input(format!("{name}: cannot be read: {error}; check the path")))?;
    link::from_ndjson(file).map_err(|error| match error {
        DecodeError::Fault(fault) => Failure::bad_input(fault.in_file(&name.to_string())),
        DecodeError::Read(error) => Failure::bad_input(format!("{name}: cannot be read: {error}")),
    })
}

/// Every file is read in full before the book is touched.
fn import(home: &Home, files: &[PathBuf], again: bool, note: Option<String>) -> Result<Exit, Failure> {
    let mut all = Vec::new();
    for file in files {
        let source = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        for mut kept in read(file)? {
            if kept.claim.source.is_empty() {
                kept.claim.source.clone_from(&source);
            }
            all.push(kept);
        }
    }
    warn_of_excess(&all);
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let read = all.len();
    let mut store = LinkStore::open(&home.create()?)?;
    let entry = Entry { did: "import", of: Some(names.join(", ")), note, ..Entry::default() };
    let new = store.take_in(all, again, entry)?;
    let (new, total) = (grouped(&new.to_string()), grouped(&store.links.len().to_string()));
    say(format!("{} read, {new} of them new; the book has {total}", plural(read, "link")));
    Ok(Exit::Done)
}

/// What the links of one payment say together may not come to more than the payment.
fn warn_of_excess(all: &[Kept]) {
    for side in link::excess(all) {
        say(format!("warning: the links of {} {} come to more than all of it", side.ledger, side.tx));
    }
}

fn withdraw(home: &Home, args: &WithdrawLinksArgs) -> Result<Exit, Failure> {
    let book = home.open()?;
    let mut store = LinkStore::open(&book)?;
    let same = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
    let mut links = store.links.clone();
    let mut count = 0;
    for kept in links.iter_mut().filter(|kept| kept.withdrawn.is_none()) {
        let claim = &kept.claim;
        let is_meant = args.id.as_deref().is_none_or(|id| claim.id() == id)
            && same(&args.method, &claim.method)
            && same(&args.source, &claim.source)
            && same(&args.protocol, &claim.protocol);
        if is_meant {
            kept.withdrawn = Some(args.note.clone().unwrap_or_default());
            count += 1;
        }
    }
    if count == 0 {
        return Err(Failure::missing("the book has no such link; `tracehound links list` shows them"));
    }
    links.sort();
    let of = [&args.id, &args.method, &args.source, &args.protocol].into_iter().flatten().cloned();
    let of = Some(of.collect::<Vec<_>>().join(", "));
    let entry = Entry { did: "withdraw", of, note: args.note.clone(), withdrawn: count, ..Entry::default() };
    store.commit(links, &entry)?;
    say(format!("{} taken back", plural(usize::try_from(count).unwrap_or(usize::MAX), "link")));
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Checked<'a> {
    file: String,
    ok: bool,
    links: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a str>,
}

/// Says of every file whether it can be taken in; the first bad one decides how the program ends.
fn check(files: &[PathBuf], json: bool) -> Result<Exit, Failure> {
    let mut bad = false;
    for file in files {
        let (name, result) = (file.display().to_string(), read(file));
        if let Ok(all) = &result {
            warn_of_excess(all);
        }
        let links = result.as_ref().map_or(0, Vec::len);
        let fault = result.err().map(Failure::into_text);
        bad |= fault.is_some();
        if json {
            let checked = Checked { file: name, ok: fault.is_none(), links, fault: fault.as_deref() };
            print(serde_json::to_string(&checked)?)?;
        } else if let Some(fault) = fault {
            say(format!("error: {fault}"));
        } else {
            print(format!("{name}: {}, in order", plural(links, "link")))?;
        }
    }
    Ok(if bad { Exit::BadInput } else { Exit::Done })
}

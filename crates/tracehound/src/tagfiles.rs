//! Tag files: reads each in full, tells its form, and takes none of them if one is bad.
//!
//! It is not where tags are kept (`home.rs`), and what they mean is for the room `know` to say.

use std::path::Path;

use decode::tagpack::{PACK_BYTES_MAX, Pack};
use decode::{Fault, Text};
use know::{Actor, Claim, PackHash, Rules, Stops};

use crate::exit::Failure;
use crate::tracing::case::read_small;

/// How many bad entries of a file are listed.
const WARNINGS_MAX: usize = 100;

/// What one file says.
pub struct TagFile {
    /// What it is called in results: its name without the ending.
    pub pack: Text,
    pub hash: PackHash,
    pub claims: Vec<Claim>,
    pub actors: Vec<Actor>,
    /// How many entries of it could not be used.
    pub bad: u64,
}

/// Reads tag files of any of the forms that are known. What costs only itself goes to `warn`.
pub fn read(files: &[impl AsRef<Path>], rules: &Rules, warn: &mut dyn FnMut(String)) -> Result<Vec<TagFile>, Failure> {
    files.iter().map(|file| read_one(file.as_ref(), rules, warn)).collect()
}

/// The claims of tag files for one trace; who their actors are goes to `stops`.
pub fn claims(files: &[impl AsRef<Path>], stops: &mut Stops) -> Result<Vec<Claim>, Failure> {
    let mut warn = |warning| crate::commands::say(format!("warning: {warning}"));
    let read = read(files, stops.rules(), &mut warn)?;
    let (mut claims, mut actors) = (Vec::new(), Vec::new());
    for file in read {
        claims.extend(file.claims);
        actors.extend(file.actors);
    }
    if !actors.is_empty() {
        *stops = std::mem::take(stops).with_more_actors(actors);
    }
    Ok(claims)
}

fn read_one(path: &Path, rules: &Rules, warn: &mut dyn FnMut(String)) -> Result<TagFile, Failure> {
    let name = path.display().to_string();
    let bytes = read_small(path, PACK_BYTES_MAX as u64, "a tag file")?;
    let stem = path.file_stem().map_or_else(|| name.clone(), |stem| stem.to_string_lossy().into_owned());
    let (pack, hash) = (Text::from(stem), PackHash::of(&bytes));
    let faulty = |fault: Fault| Failure::bad_input(fault.in_file(&name));
    let is_yaml =
        path.extension().is_some_and(|end| end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml"));
    let mut file = TagFile { pack, hash, claims: Vec::new(), actors: Vec::new(), bad: 0 };
    if is_yaml {
        let faults = match decode::tagpack::parse(&bytes).map_err(faulty)? {
            Pack::Tags(read) => {
                let (claims, faults) = know::from_tag_pack(read.pack, &file.pack, rules);
                (file.claims, file.bad) = (claims, read.bad + faults.len() as u64);
                [read.faults, faults]
            }
            Pack::Actors(read) => {
                let (actors, faults) = know::from_actor_pack(read.pack, &file.pack, Some(hash));
                (file.actors, file.bad) = (actors, read.bad + faults.len() as u64);
                [read.faults, faults]
            }
        };
        warn_of(&faults.concat(), &name, file.bad, warn);
    } else {
        // An OFAC wallet list has its own header; everything else is the plain form.
        file.claims = match know::from_csv(&bytes, &file.pack, rules) {
            Ok(claims) => claims,
            Err(fault) => know::from_wallet_list(&bytes, &file.pack).map_err(|_| faulty(fault))?,
        };
    }
    for claim in &mut file.claims {
        claim.pack_hash = Some(hash);
    }
    Ok(file)
}

/// Entries that cannot be used are listed, up to a limit.
fn warn_of(faults: &[Fault], name: &str, bad: u64, warn: &mut dyn FnMut(String)) {
    for fault in faults.iter().take(WARNINGS_MAX) {
        warn(fault.in_file(name));
    }
    let more = bad - faults.len().min(WARNINGS_MAX) as u64;
    if more > 0 {
        warn(format!("{name}: and {more} more entries that cannot be used"));
    }
}

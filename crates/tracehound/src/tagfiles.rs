//! Tag files: reads each in full, tells its form, and takes none of them if one is bad.
//!
//! It is not where tags are kept (`home.rs`), and what they mean is for the room `know` to say.

use std::path::Path;

use decode::tagpack::{PACK_BYTES_MAX, Pack};
use decode::{Fault, Text};
use know::{Claim, PackHash, Rules};

use crate::exit::Failure;
use crate::tracing::case::read_small;

/// What one file says.
pub struct TagFile {
    pub claims: Vec<Claim>,
    /// How many entries of it could not be used.
    pub bad: u64,
}

/// Reads tag files of any of the forms that are known. What costs only itself goes to `warn`.
pub fn read(files: &[impl AsRef<Path>], rules: &Rules, warn: &mut dyn FnMut(String)) -> Result<Vec<TagFile>, Failure> {
    files.iter().map(|file| read_one(file.as_ref(), rules, warn)).collect()
}

/// The claims of tag files alone, for one trace.
pub fn claims(files: &[impl AsRef<Path>]) -> Result<Vec<Claim>, Failure> {
    let mut warn = |warning| crate::commands::say(format!("warning: {warning}"));
    Ok(read(files, &Rules::default(), &mut warn)?.into_iter().flat_map(|file| file.claims).collect())
}

fn read_one(path: &Path, rules: &Rules, warn: &mut dyn FnMut(String)) -> Result<TagFile, Failure> {
    let name = path.display().to_string();
    let bytes = read_small(path, PACK_BYTES_MAX as u64, "a tag file")?;
    let stem = path.file_stem().map_or_else(|| name.clone(), |stem| stem.to_string_lossy().into_owned());
    // What the pack is called in results.
    let pack = Text::from(stem);
    let faulty = |fault: Fault| Failure::bad_input(fault.in_file(&name));
    let is_yaml =
        path.extension().is_some_and(|end| end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml"));
    let (mut claims, bad) = if is_yaml {
        match decode::tagpack::parse(&bytes).map_err(faulty)? {
            Pack::Tags(read) => {
                let (claims, faults) = know::from_tag_pack(read.pack, &pack, rules);
                let bad = read.bad + faults.len() as u64;
                for fault in read.faults.iter().chain(&faults) {
                    warn(fault.in_file(&name));
                }
                (claims, bad)
            }
            Pack::Actors(_) => {
                warn(format!("{name}: an actor pack names actors, not addresses; there is nothing to stop at in it"));
                (Vec::new(), 0)
            }
        }
    } else {
        // An OFAC wallet list has its own header; everything else is the plain form.
        let claims = match know::from_csv(&bytes, &pack, rules) {
            Ok(claims) => claims,
            Err(fault) => know::from_wallet_list(&bytes, &pack).map_err(|_| faulty(fault))?,
        };
        (claims, 0)
    };
    let hash = PackHash::of(&bytes);
    for claim in &mut claims {
        claim.pack_hash = Some(hash);
    }
    Ok(TagFile { claims, bad })
}

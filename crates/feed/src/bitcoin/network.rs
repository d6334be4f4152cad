//! Which chain a folder is of: by the magic before its blocks, and by its block 0.

use std::io::Read;

use decode::bitcoin::{Contents, Obfuscation};
use ledger::{LedgerId, Network, network, txid_text};

use super::folder::Folder;
use crate::error::FeedError;

/// How files and blocks of a folder are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub magic: [u8; 4],
    pub network: &'static Network,
}

/// Finds the network by the first bytes of the first file that begins like one's.
pub(super) fn form(folder: &Folder, path: &str, stated: Option<[u8; 4]>) -> Result<Form, FeedError> {
    let starts: Vec<(usize, [u8; 8])> = (0..folder.blocks.len())
        .filter_map(|file| start(folder, u32::try_from(file).expect("files are limited")).map(|start| (file, start)))
        .filter(|(_, start)| *start != [0; 8])
        .collect();
    let magic_of = |key: Obfuscation, start: &[u8; 8]| {
        let mut plain = *start;
        key.apply(0, &mut plain);
        let [a, b, c, d, ..] = plain;
        [a, b, c, d]
    };
    if let Some(magic) = stated {
        if starts.iter().any(|(_, start)| magic_of(folder.key, start) == magic) {
            return Ok(Form { magic, network: Network::of_magic(magic).unwrap_or(&network::UNLISTED) });
        }
    } else if let Some(network) = starts.iter().find_map(|(_, start)| Network::of_magic(magic_of(folder.key, start))) {
        return Ok(Form { magic: network.magic, network });
    }
    let refused = |what: String| Err(FeedError::Source { file: path.to_owned(), what });
    let Some((first, _)) = starts.first() else {
        return refused("there is no block in its blk*.dat yet; let the node run first".to_owned());
    };
    let name = &folder.blocks[*first].name;
    let wanted = stated.map_or_else(
        || "of any known network".to_owned(),
        |magic| format!("with the magic {:08x}", u32::from_be_bytes(magic)),
    );
    let knows = |magic| stated.map_or_else(|| Network::of_magic(magic).is_some(), |stated| stated == magic);
    let is_bare = folder.has_key && starts.iter().any(|(_, start)| knows(magic_of(Obfuscation::NONE, start)));
    let why = match (is_bare, folder.has_key) {
        (true, _) => "without xor.dat there would be one: is that file another folder's?",
        (false, true) => "is xor.dat another folder's, or this another chain? For a chain of its own say --magic",
        (false, false) => {
            "is xor.dat of this folder missing, or this another chain? For a chain of its own say --magic"
        }
    };
    refused(format!("no block {wanted} begins in {name}; {why}"))
}

/// The first bytes of a file, with the key on them.
fn start(folder: &Folder, file: u32) -> Option<[u8; 8]> {
    let (mut handle, _) = folder.open_file(Contents::Blocks, file).ok()?;
    let mut bytes = [0; 8];
    handle.read_exact(&mut bytes).ok().map(|()| bytes)
}

/// The ledger of a folder with this block 0, or without one.
pub(super) fn name_ledger(
    form: Form,
    genesis: Option<[u8; 32]>,
    stated: Option<&LedgerId>,
    path: &str,
) -> Result<LedgerId, FeedError> {
    let refused = |what: String| Err(FeedError::Source { file: path.to_owned(), what });
    let listed = genesis.and_then(|hash| Network::of_genesis(&hash));
    // The signets share a block 0, and only their magic tells them apart.
    let has_own_magic = listed.is_some_and(|network| network.magic != form.magic);
    let found = match (genesis, listed) {
        _ if has_own_magic => None,
        (_, Some(network)) => Some(network.ledger.to_owned()),
        (Some(hash), None) => Some(format!("bip122:{}", &txid_text(&hash)[..32])),
        (None, None) => form.network.is_listed().then(|| form.network.ledger.to_owned()),
    };
    let found = found.map(|id| LedgerId::parse(&id).expect("these ids have the right form"));
    match (found, stated) {
        (Some(found), None) => Ok(found),
        (Some(found), Some(stated)) if found == *stated => Ok(found),
        (Some(found), Some(stated)) => {
            let alias = Network::of(&found).alias;
            let is = if alias.is_empty() { found.to_string() } else { format!("{alias} ({found})") };
            refused(format!(
                "its blocks are of {is}, and --ledger says {stated}; leave --ledger away, or name another folder"
            ))
        }
        (None, Some(stated)) if !Network::of(stated).is_listed() => Ok(stated.clone()),
        (None, Some(stated)) => refused(format!("its magic is not that of {stated}; give it a ledger id of its own")),
        (None, None) if has_own_magic => {
            refused("it shares block 0 with another chain and has a magic of its own; name it with --ledger".to_owned())
        }
        (None, None) => refused("it does not begin with block 0; say which ledger it is of with --ledger".to_owned()),
    }
}

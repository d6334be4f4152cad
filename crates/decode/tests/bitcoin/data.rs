//! The real data that the tests read, unpacked into memory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::PathBuf;

use decode::bitcoin::{Contents, Frames, Gap, Obfuscation, Record, Step};
use ledger::Network;
use ledger::network::NETWORKS;

/// The network with this alias.
pub fn network(alias: &str) -> &'static Network {
    NETWORKS.iter().find(|network| network.alias == alias).unwrap()
}

/// A file or folder of the real data; `None`, loudly, where it is missing.
pub fn path(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/bitcoin").join(name);
    if !path.exists() {
        eprintln!("SKIPPED: {} is missing, this test has checked NOTHING", path.display());
        return None;
    }
    Some(path)
}

/// The files of a node's block folder, by name.
pub type Folder = BTreeMap<String, Vec<u8>>;

/// The files of a packed folder.
pub fn unpacked(name: &str) -> Option<Folder> {
    let packed = File::open(path(name)?).unwrap();
    let mut archive = tar::Archive::new(lzma_rust2::XzReader::new(packed, false));
    let mut folder = Folder::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().file_name().map(|name| name.to_string_lossy().into_owned());
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if let Some(name) = name.filter(|_| entry.header().entry_type().is_file()) {
            folder.insert(name, bytes);
        }
    }
    Some(folder)
}

/// A file of the real data.
pub fn file(name: &str) -> Option<Vec<u8>> {
    Some(fs::read(path(name)?).unwrap())
}

/// The key of a folder.
pub fn key(folder: &Folder) -> Obfuscation {
    folder.get("xor.dat").map_or(Obfuscation::NONE, |bytes| Obfuscation::of_file(bytes).unwrap())
}

/// Records and gaps of one file in memory, and how many bytes the walk has read.
pub fn walk(contents: Contents, magic: [u8; 4], key: Obfuscation, file: &[u8]) -> (Vec<Record>, Vec<Gap>, usize) {
    let mut frames = Frames::new(contents, magic, key, 0, file.len() as u64);
    let (mut records, mut gaps, mut read) = (Vec::new(), Vec::new(), 0);
    loop {
        match frames.next() {
            Step::Read { offset, length } => {
                let offset = usize::try_from(offset).unwrap();
                frames.give(&file[offset..offset + length]);
                read += length;
            }
            Step::Record(record) => records.push(record),
            Step::Gap(gap) => gaps.push(gap),
            Step::End => return (records, gaps, read),
        }
    }
}

/// The body of a record, without its key.
pub fn body(file: &[u8], key: Obfuscation, record: &Record) -> Vec<u8> {
    let start = usize::try_from(record.offset).unwrap();
    let mut bytes = file[start..start + record.length].to_vec();
    key.apply(record.offset, &mut bytes);
    bytes
}

/// The bodies of all records of a folder's files whose names begin so, in the order of the files.
pub fn bodies(folder: &Folder, prefix: &str, contents: Contents, magic: [u8; 4]) -> Vec<Vec<u8>> {
    let key = key(folder);
    let files = folder.iter().filter(|(name, _)| name.starts_with(prefix));
    files
        .flat_map(|(_, file)| {
            let (records, _, _) = walk(contents, magic, key, file);
            records.iter().map(|record| body(file, key, record)).collect::<Vec<_>>()
        })
        .collect()
}

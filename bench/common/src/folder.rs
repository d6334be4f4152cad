//! Where races keep what they make: `bench/data`, or the folder that `TRACEHOUND_BENCH_DATA` names.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;

/// A folder of that name among the races' data; it need not be there yet.
pub fn named(name: &str) -> PathBuf {
    let data = std::env::var_os("TRACEHOUND_BENCH_DATA").map(PathBuf::from);
    data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../data")).join(name)
}

/// An empty folder of that name; what was in it is gone.
pub fn empty(name: &str) -> Result<PathBuf> {
    let folder = named(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// How much of the disk a folder or file takes: blocks, not lengths, since some stores leave holes in their files.
pub fn disk_bytes(path: &Path) -> Result<u64> {
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_dir() {
        return Ok(blocks(&meta));
    }
    fs::read_dir(path)?.try_fold(0, |sum, entry| Ok(sum + disk_bytes(&entry?.path())?))
}

#[cfg(unix)]
fn blocks(meta: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    meta.blocks() * 512
}

#[cfg(not(unix))]
fn blocks(meta: &fs::Metadata) -> u64 {
    meta.len()
}

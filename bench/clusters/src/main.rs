//! Tracehound's side of the race in `race.py`: unites the sets of a folder and says how long that took.
//!
//! The sets are read before the clock starts, as the other sides' are; what is timed is the uniting, flat labels, and the lists
//! of members that the product needs and the others do not make.

use std::path::Path;

use bench_common::clock::once;
use bench_common::{Result, machine};
use cluster::Partition;
use sha2::{Digest as _, Sha256};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["unite", folder, ids] => unite(Path::new(folder), ids.parse()?),
        _ => Err("usage: bench-clusters unite FOLDER IDS".into()),
    }
}

fn unite(folder: &Path, ids: u64) -> Result<()> {
    let offsets: Vec<u64> = words(&std::fs::read(folder.join("offsets"))?, u64::from_le_bytes);
    let values: Vec<u32> = words(&std::fs::read(folder.join("values"))?, u32::from_le_bytes);
    let (partition, took) = once(|| {
        let mut partition = Partition::new();
        partition.grow(ids)?;
        partition.unite_sets(&offsets, &values);
        Ok::<_, cluster::PartitionError>(partition)
    });
    let partition = partition?;
    let mut digest = Sha256::new();
    for label in partition.columns()[0] {
        digest.update(label.to_le_bytes());
    }
    let digest = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (wall, core) = (took.wall.as_secs_f64(), took.core.as_secs_f64());
    let line =
        serde_json::json!({"wall": wall, "core": core, "peak_mib": machine::peak_bytes() >> 20, "digest": digest});
    println!("{line}");
    Ok(())
}

fn words<const N: usize, T>(bytes: &[u8], of: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|word| of(*word)).collect()
}

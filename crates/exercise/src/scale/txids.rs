//! [`Txids`]: the ids of all transactions of a scale chain: the latest in memory, all in a file while the chain is made.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How many are kept in memory: 32 MiB.
const RECENT: usize = 1 << 20;

/// Ids by number.
pub struct Txids {
    recent: Vec<[u8; 32]>,
    count: usize,
    file: Option<Spool>,
}

/// The file, which is gone when the chain is finished.
struct Spool {
    path: PathBuf,
    write: BufWriter<File>,
    read: File,
}

impl Txids {
    /// Room for `transactions` ids, with a file at `path` if they do not all fit into memory.
    pub fn new(transactions: u64, path: &Path) -> io::Result<Self> {
        let file = if transactions > RECENT as u64 {
            let write = OpenOptions::new().create(true).write(true).truncate(true).open(path)?;
            let write = BufWriter::with_capacity(1 << 17, write);
            Some(Spool { path: path.to_owned(), write, read: File::open(path)? })
        } else {
            None
        };
        Ok(Self { recent: Vec::new(), count: 0, file })
    }

    /// Adds the next.
    pub fn push(&mut self, txid: [u8; 32]) -> io::Result<u32> {
        if let Some(file) = &mut self.file {
            file.write.write_all(&txid)?;
        }
        if self.count < RECENT {
            self.recent.push(txid);
        } else {
            self.recent[self.count % RECENT] = txid;
        }
        self.count += 1;
        Ok(u32::try_from(self.count - 1).expect("a plan has fewer transactions"))
    }

    /// Looks one up. What is not in memory has long left the write buffer, which is smaller.
    pub fn get(&mut self, number: u32) -> io::Result<[u8; 32]> {
        let index = number as usize;
        match &mut self.file {
            Some(file) if index + RECENT < self.count => {
                let mut txid = [0; 32];
                file.read.seek(SeekFrom::Start(u64::from(number) * 32))?;
                file.read.read_exact(&mut txid)?;
                Ok(txid)
            }
            _ => Ok(self.recent[index % RECENT]),
        }
    }

    /// Removes the file.
    pub fn finish(self) -> io::Result<()> {
        self.file.map_or(Ok(()), |file| fs::remove_file(file.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_ones_come_from_the_file_and_the_file_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("txids");
        let count = RECENT as u64 + 10_000;
        let mut txids = Txids::new(count, &path).unwrap();
        let id = |number: u32| {
            let mut id = [0; 32];
            id[..4].copy_from_slice(&number.to_le_bytes());
            id
        };
        for number in 0..u32::try_from(count).unwrap() {
            assert_eq!(txids.push(id(number)).unwrap(), number);
        }
        for number in [0, 1, 9_999, 10_000, 10_001, 500_000, u32::try_from(count).unwrap() - 1] {
            assert_eq!(txids.get(number).unwrap(), id(number));
        }
        assert!(path.exists());
        txids.finish().unwrap();
        assert!(!path.exists());
    }
}

//! Two key–value stores as look-ups from a 32-byte key to a number, with the settings that their documentation gives for
//! such data and durable commits, as the book's are.

use std::path::Path;

use bench_common::Result;
use fjall::{KeyspaceCreateOptions, PersistMode};
use redb::{ReadableDatabase as _, TableDefinition};

/// Memory for pages and blocks: more than the largest race needs, so that reads are warm.
const CACHE_BYTES: usize = 2 << 30;
const TABLE: TableDefinition<&[u8; 32], u64> = TableDefinition::new("transactions-by-txid");
const KEYSPACE: &str = "transactions-by-txid";

/// A look-up that can be filled, asked and cut.
pub trait Lookup: Sized {
    /// The name in tables.
    const NAME: &'static str;
    /// Opens the store in this folder, making it where there is none.
    fn open(home: &Path) -> Result<Self>;
    /// Adds keys with the numbers from `first` on, durably.
    fn add(&mut self, first: u64, keys: &[[u8; 32]]) -> Result<()>;
    /// Removes keys, durably.
    fn remove(&mut self, keys: &[[u8; 32]]) -> Result<()>;
    /// The number of each key, in turn.
    fn find(&self, keys: &[[u8; 32]], found: impl FnMut(Option<u64>)) -> Result<()>;
    /// Ends background work, as far as the store offers to.
    fn settle(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A B-tree in one file.
pub struct Redb(redb::Database);

impl Lookup for Redb {
    const NAME: &'static str = "redb";

    fn open(home: &Path) -> Result<Self> {
        Ok(Self(redb::Builder::new().set_cache_size(CACHE_BYTES).create(home.join("lookup.redb"))?))
    }

    fn add(&mut self, first: u64, keys: &[[u8; 32]]) -> Result<()> {
        let batch = self.0.begin_write()?;
        {
            let mut table = batch.open_table(TABLE)?;
            for (number, key) in (first..).zip(keys) {
                table.insert(key, number)?;
            }
        }
        Ok(batch.commit()?)
    }

    fn remove(&mut self, keys: &[[u8; 32]]) -> Result<()> {
        let batch = self.0.begin_write()?;
        {
            let mut table = batch.open_table(TABLE)?;
            for key in keys {
                table.remove(key)?;
            }
        }
        Ok(batch.commit()?)
    }

    fn find(&self, keys: &[[u8; 32]], mut found: impl FnMut(Option<u64>)) -> Result<()> {
        let table = self.0.begin_read()?.open_table(TABLE)?;
        for key in keys {
            found(table.get(key)?.map(|number| number.value()));
        }
        Ok(())
    }
}

/// A log-structured merge tree.
pub struct Fjall {
    database: fjall::Database,
    keyspace: fjall::Keyspace,
}

impl Lookup for Fjall {
    const NAME: &'static str = "fjall";

    fn open(home: &Path) -> Result<Self> {
        let database = fjall::Database::builder(home.join("lookup")).cache_size(CACHE_BYTES as u64).open()?;
        let keyspace = database.keyspace(KEYSPACE, KeyspaceCreateOptions::default)?;
        Ok(Self { database, keyspace })
    }

    fn add(&mut self, first: u64, keys: &[[u8; 32]]) -> Result<()> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        for (number, key) in (first..).zip(keys) {
            batch.insert(&self.keyspace, key.as_slice(), number.to_be_bytes().as_slice());
        }
        Ok(batch.commit()?)
    }

    fn remove(&mut self, keys: &[[u8; 32]]) -> Result<()> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        for key in keys {
            batch.remove(&self.keyspace, key.as_slice());
        }
        Ok(batch.commit()?)
    }

    fn find(&self, keys: &[[u8; 32]], mut found: impl FnMut(Option<u64>)) -> Result<()> {
        for key in keys {
            let number = self.keyspace.get(key)?;
            found(number.map(|number| u64::from_be_bytes((*number).try_into().expect("eight bytes were put in"))));
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<()> {
        self.keyspace.rotate_memtable_and_wait()?;
        Ok(self.keyspace.major_compact()?)
    }
}

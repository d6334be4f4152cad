//! The book's tags, read for a ledger: the claims, their digest, and names that the ledger does not know yet.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use book::{AnnexWriter, Book, BookError, UtxoLedger, partition_point};
use know::{Claim, Standings, Stops};
use ledger::address::canonical;
use ledger::{HolderId, Ledger as _, hex};
use sha2::{Digest as _, Sha256};

use crate::as_of::fingerprint;
use crate::spec::{UNMET, u64_at};
use crate::{UpkeepError, standings};

/// The book's list of tags.
pub const TAGS_FILE: &str = "tags.ndjson";

/// How much of the file is read at once.
const READ_BYTES: usize = 1 << 20;

/// A file beside the ledgers; nothing where it is not there.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, UpkeepError> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        bytes => bytes.map_err(|source| UpkeepError::Io { path: path.to_owned(), source }),
    }
}

/// The book's tags, as they are in the file.
pub(crate) struct Tags {
    /// One and the same file for the digest and for the claims, whatever replaces it meanwhile.
    file: Option<File>,
    path: PathBuf,
    pub(crate) digest: String,
}

impl Tags {
    pub(crate) fn read(book: &Book) -> Result<Self, UpkeepError> {
        let path = book.folder().join(TAGS_FILE);
        let failed = |source| UpkeepError::Io { path: path.clone(), source };
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            file => Some(file.map_err(failed)?),
        };
        let digest = file.as_ref().map_or(Ok(String::new()), digest_of).map_err(failed)?;
        Ok(Self { file, path, digest })
    }

    /// Parses them, and says what they make of the ledger.
    fn standings(&self, ledger: &UtxoLedger, stops: &Stops) -> Result<(Vec<Claim>, Standings), UpkeepError> {
        let Some(mut file) = self.file.as_ref() else { return Ok((Vec::new(), Standings::default())) };
        let failed = |error: &dyn Display| UpkeepError::Fault(format!("{}: {error}", self.path.display()));
        file.seek(io::SeekFrom::Start(0)).map_err(|error| failed(&error))?;
        let claims = know::from_ndjson(file).map_err(|error| failed(&error))?;
        let standings = stops.standings(&claims, ledger);
        Ok((claims, standings))
    }

    /// Replaces what is kept of the tags. Gives what a reader should know of them.
    pub(crate) fn keep(
        &self,
        writer: &mut AnnexWriter,
        ledger: &UtxoLedger,
        stops: &Stops,
    ) -> Result<Vec<know::Problem>, UpkeepError> {
        let (claims, standings) = self.standings(ledger, stops)?;
        standings::write(writer, &standings, &claims)?;
        let met: BTreeSet<usize> =
            standings.holders.values().flat_map(|standing| standing.claims.iter().copied()).collect();
        let unmet = claims.iter().enumerate().filter(|(at, _)| !met.contains(at));
        let names = unmet.filter_map(|(_, claim)| canonical(ledger.id(), &claim.address).ok());
        let mut unmet: Vec<u64> = names.map(|name| fingerprint(&name)).collect();
        unmet.sort_unstable();
        unmet.dedup();
        writer.truncate(UNMET, 0);
        let rows: Vec<u8> = unmet.into_iter().flat_map(u64::to_le_bytes).collect();
        writer.append(UNMET, &rows)?;
        Ok(standings.problems)
    }
}

fn digest_of(mut file: &File) -> io::Result<String> {
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; READ_BYTES]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::text(&digest.finalize())),
            read => digest.update(&buffer[..read]),
        }
    }
}

/// Whether a tag may speak of one of these holders, which are new.
pub(crate) fn may_know(writer: &AnnexWriter, ledger: &UtxoLedger, holders: std::ops::Range<u64>) -> bool {
    let rows = writer.rows(UNMET);
    let at = |row| writer.row(UNMET, row).map_or(u64::MAX, |bytes| u64_at(bytes, 0));
    let is_unmet = |holder| {
        let name = fingerprint(&ledger.holder_name(HolderId(holder)));
        let found = partition_point(rows, |row| at(row) < name);
        found < rows && at(found) == name
    };
    rows > 0 && holders.into_iter().any(is_unmet)
}

/// The error of an annex whose rows do not fit one another.
pub(crate) fn unfit(what: &str) -> UpkeepError {
    BookError::DamagedAnnex { path: crate::spec::SPEC.name.into(), what: what.to_owned() }.into()
}

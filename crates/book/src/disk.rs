//! The few file operations that a book needs, each naming its file when it fails. It knows no format.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::BookError;

/// How often a lock is tried, and how long apart: a fifth of a second in all.
const LOCK_TRIES_MAX: usize = 21;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Takes a lock that may be held for an instant by nobody: a process that another thread starts has the open files of
/// this one, locks included, until it becomes the program that it is to be. False if somebody holds it for longer.
pub(crate) fn lock(path: &Path, mut take: impl FnMut() -> Result<(), TryLockError>) -> Result<bool, BookError> {
    for at in 0..LOCK_TRIES_MAX {
        if at > 0 {
            std::thread::sleep(LOCK_PAUSE);
        }
        match take() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(BookError::io("lock", path)(source)),
        }
    }
    Ok(false)
}

/// Writes all of `bytes` at `offset`.
pub(crate) fn write_at(file: &File, path: &Path, bytes: &[u8], offset: u64) -> Result<(), BookError> {
    positional_write(file, bytes, offset).map_err(BookError::io("write", path))
}

/// Fills `bytes` from `offset`.
pub(crate) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    positional_read(file, bytes, offset)
}

#[cfg(unix)]
fn positional_write(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(unix)]
fn positional_read(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn positional_write(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, offset)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
        offset += written as u64;
    }
    Ok(())
}

#[cfg(windows)]
fn positional_read(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, bytes, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes = &mut bytes[read..];
        offset += read as u64;
    }
    Ok(())
}

/// Opens a file for reading and writing, making it where it is missing.
pub(crate) fn open_or_make(path: &Path) -> Result<File, BookError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(BookError::io("open", path))
}

/// Replaces a file whole: whoever opens it sees the old bytes or the new ones, after a crash as well.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), BookError> {
    let new = unfinished(path);
    let mut file = File::create(&new).map_err(BookError::io("create", &new))?;
    file.write_all(bytes).map_err(BookError::io("write", &new))?;
    file.sync_all().map_err(BookError::io("write", &new))?;
    fs::rename(&new, path).map_err(BookError::io("rename", &new))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Where the new bytes of a file that is being replaced are written.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("new")
}

/// Makes the folder's entries durable, where the system can.
pub(crate) fn sync_folder(path: &Path) -> Result<(), BookError> {
    if cfg!(unix) {
        let folder = File::open(path).map_err(BookError::io("open", path))?;
        folder.sync_all().map_err(BookError::io("write", path))?;
    }
    Ok(())
}

/// Deletes a file; one that is not there is fine.
pub(crate) fn remove(path: &Path) -> Result<(), BookError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BookError::io("delete", path)(error)),
        _ => Ok(()),
    }
}

//! Which registry a command works with: what is built in, what lies in the book's folder `registry`, what `--registry` names.
//!
//! Later ones come before earlier ones. A file that cannot be read is an error with its place: a bridge that is left out in
//! silence would be a trace that ends in silence. What stands in a file is for the room `link` to say.

use std::path::{Path, PathBuf};

use book::Book;
use link::Registry;

use crate::exit::Failure;
use crate::tracing::case::read_small;

/// The book's folder of entry files.
pub const REGISTRY_FOLDER: &str = "registry";
/// The largest entry file.
const ENTRY_BYTES_MAX: u64 = 16 << 20;
/// The most entry files of a folder.
const FILES_MAX: usize = 10_000;

/// The registry of a command.
pub fn registry(book: Option<&Book>, files: &[PathBuf]) -> Result<Registry, Failure> {
    let mut registry = Registry::built_in();
    if let Some(folder) = book.map(|book| book.folder().join(REGISTRY_FOLDER)).filter(|folder| folder.is_dir()) {
        add(&mut registry, &folder)?;
    }
    for file in files {
        add(&mut registry, file)?;
    }
    Ok(registry)
}

/// Adds a file, or all entry files of a folder by their names.
pub fn add(registry: &mut Registry, path: &Path) -> Result<(), Failure> {
    for file in entry_files(path)? {
        let bytes = read_small(&file, ENTRY_BYTES_MAX, "a registry file")?;
        let name =
            file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned());
        let faulty = |fault: decode::Fault| Failure::bad_input(fault.in_file(&file.display().to_string()));
        registry.add(&bytes, &name).map_err(faulty)?;
    }
    Ok(())
}

/// The path itself, or the `.yaml` and `.yml` files of a folder, by name.
fn entry_files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = |error: std::io::Error| Failure::bad_input(format!("{}: cannot be read: {error}", path.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        let is_entry = file.extension().is_some_and(|end| end == "yaml" || end == "yml");
        if is_entry && file.is_file() {
            files.push(file);
        }
        if files.len() > FILES_MAX {
            return Err(Failure::bad_input(format!("{}: more than {FILES_MAX} registry files", path.display())));
        }
    }
    files.sort();
    Ok(files)
}

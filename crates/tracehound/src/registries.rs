//! Which registry a command works with: what is built in, what lies in the book's folder `registry`, what `--registry` names.
//!
//! Tables of pools and of THORChain's routers lie beside the entries and are named the same way; their header says which they
//! are. Later ones come before earlier ones. A file that cannot be read is an error with its place: a bridge that is left out in
//! silence would be a trace that ends in silence. What stands in a file is for the room `link` to say.

use std::path::{Path, PathBuf};

use book::Book;
use link::Registry;
use link::pools::Pools;
use link::thorchain::{Router, parse_routers, routers as built_in_routers};

use crate::exit::Failure;
use crate::tracing::case::read_small;

/// The book's folder of entry files.
pub const REGISTRY_FOLDER: &str = "registry";
/// The largest entry file.
const ENTRY_BYTES_MAX: u64 = 16 << 20;
/// The header of a table of pools, and of one of routers.
const POOLS_HEADER: &str = "protocol,ledger,contract,asset,units,name,since";
const ROUTERS_HEADER: &str = "scheme,ledger,address,version";
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

/// The pools of a command.
pub fn pools(book: Option<&Book>, files: &[PathBuf]) -> Result<Pools, Failure> {
    let mut pools = Pools::built_in();
    for (file, text) in tables(book, files, POOLS_HEADER)? {
        pools.add(&text).map_err(|what| Failure::bad_input(format!("{}: {what}", file.display())))?;
    }
    Ok(pools)
}

/// The routers of a command.
pub fn routers(book: Option<&Book>, files: &[PathBuf]) -> Result<Vec<Router>, Failure> {
    let mut routers = built_in_routers();
    for (file, text) in tables(book, files, ROUTERS_HEADER)? {
        let more = parse_routers(&text);
        routers.extend(more.map_err(|what| Failure::bad_input(format!("{}: {what}", file.display())))?);
    }
    Ok(routers)
}

/// The tables with that header in the book's folder and in what is named besides.
fn tables(book: Option<&Book>, files: &[PathBuf], header: &str) -> Result<Vec<(PathBuf, String)>, Failure> {
    let folder = book.map(|book| book.folder().join(REGISTRY_FOLDER)).filter(|folder| folder.is_dir());
    let mut found = Vec::new();
    for path in folder.iter().chain(files) {
        for file in files_of(path, is_table)? {
            let wrong = |what: &str| Failure::bad_input(format!("{}: {what}", file.display()));
            let bytes = read_small(&file, ENTRY_BYTES_MAX, "a table of pools or routers")?;
            let text = String::from_utf8(bytes).map_err(|_| wrong("no UTF-8"))?;
            let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            match lines.next() {
                Some(first) if first == header => found.push((file, text)),
                Some(first) if [POOLS_HEADER, ROUTERS_HEADER].contains(&first) => {}
                _ => {
                    let what = format!("this is no table of pools ({POOLS_HEADER}) nor of routers ({ROUTERS_HEADER})");
                    return Err(wrong(&what));
                }
            }
        }
    }
    Ok(found)
}

/// Adds a file, or all entry files of a folder by their names.
pub fn add(registry: &mut Registry, path: &Path) -> Result<(), Failure> {
    for file in files_of(path, |file| !is_table(file))? {
        let bytes = read_small(&file, ENTRY_BYTES_MAX, "a registry file")?;
        let name =
            file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned());
        let faulty = |fault: decode::Fault| Failure::bad_input(fault.in_file(&file.display().to_string()));
        registry.add(&bytes, &name).map_err(faulty)?;
    }
    Ok(())
}

fn is_table(file: &Path) -> bool {
    file.extension().is_some_and(|end| end == "csv")
}

/// The path itself, or the `.yaml`, `.yml` and `.csv` files of a folder, by name; those of them that are wanted.
fn files_of(path: &Path, is_wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(Some(path.to_owned()).filter(|path| is_wanted(path)).into_iter().collect());
    }
    let failed = |error: std::io::Error| Failure::bad_input(format!("{}: cannot be read: {error}", path.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        let is_ours = file.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "csv");
        if is_ours && is_wanted(&file) && file.is_file() {
            files.push(file);
        }
        if files.len() > FILES_MAX {
            return Err(Failure::bad_input(format!("{}: more than {FILES_MAX} registry files", path.display())));
        }
    }
    files.sort();
    Ok(files)
}

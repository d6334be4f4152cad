//! `tracehound links registry`: the protocols that are known, files checked, and files made from lists of others.

use std::io::Write;
use std::path::{Path, PathBuf};

use link::Registry;
use link::registry::{Protocol, guess};
use serde::Serialize;

use crate::cli::RegistryCommand;
use crate::commands::{print, say, stdout};
use crate::exit::{Exit, Failure};
use crate::history;
use crate::home::Home;
use crate::output::text::plural;
use crate::registries;
use crate::tracing::case::read_small;

/// The largest list.
const LIST_BYTES_MAX: u64 = 16 << 20;

pub fn run(home: &Home, command: Option<RegistryCommand>) -> Result<Exit, Failure> {
    match command.unwrap_or(RegistryCommand::List { registry: Vec::new(), json: false }) {
        RegistryCommand::List { registry, json } => list(home, &registry, json),
        RegistryCommand::Check { files, json } => check(&files, json),
        RegistryCommand::Import { files, protocol, output, keep } => {
            import(home, &files, protocol.as_deref(), output.as_deref(), keep)
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    protocol: &'a str,
    title: &'a str,
    version: u32,
    file: &'a str,
    pairing: &'static str,
    contracts: usize,
    events: usize,
    functions: usize,
    ledgers: Vec<String>,
    sources: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<&'a str>,
}

impl<'a> From<&'a Protocol> for Line<'a> {
    fn from(protocol: &'a Protocol) -> Self {
        let mut ledgers: Vec<String> = protocol.contracts.iter().map(|contract| contract.ledger.to_string()).collect();
        ledgers.sort();
        ledgers.dedup();
        Self {
            protocol: &protocol.name,
            title: &protocol.title,
            version: protocol.version,
            file: &protocol.file,
            pairing: protocol.pairing.as_str(),
            contracts: protocol.contracts.len(),
            events: protocol.events.len(),
            functions: protocol.functions.len(),
            ledgers,
            sources: &protocol.sources,
            notes: protocol.notes.as_deref(),
        }
    }
}

fn list(home: &Home, files: &[PathBuf], json: bool) -> Result<Exit, Failure> {
    let book = if home.exists()? { Some(home.open()?) } else { None };
    let registry = registries::registry(book.as_ref(), files)?;
    let mut protocols: Vec<&Protocol> = registry.protocols().iter().collect();
    protocols.sort_by(|a, b| a.name.cmp(&b.name));
    let mut out = stdout();
    for protocol in protocols {
        let line = Line::from(protocol);
        if json {
            serde_json::to_writer(&mut out, &line)?;
            writeln!(out)?;
        } else {
            let (contracts, events) = (plural(line.contracts, "contract"), plural(line.events, "event"));
            let on = line.ledgers.join(", ");
            writeln!(
                out,
                "{}: {}; {contracts}, {events}, pairing by {}; {on}",
                line.protocol, line.title, line.pairing
            )?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Checked<'a> {
    file: String,
    ok: bool,
    protocols: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a str>,
}

fn check(files: &[PathBuf], json: bool) -> Result<Exit, Failure> {
    let mut bad = false;
    for file in files {
        let mut registry = Registry::empty();
        let fault = registries::add(&mut registry, file).err().map(Failure::into_text);
        bad |= fault.is_some();
        let (name, protocols) = (file.display().to_string(), registry.protocols().len());
        if json {
            let line = Checked { file: name, ok: fault.is_none(), protocols, fault: fault.as_deref() };
            print(serde_json::to_string(&line)?)?;
        } else if let Some(fault) = fault {
            say(format!("error: {fault}"));
        } else {
            print(format!("{name}: {}, in order", plural(protocols, "protocol")))?;
        }
    }
    Ok(if bad { Exit::BadInput } else { Exit::Done })
}

/// The name of a list's file without what says which list it is.
fn usual_name(files: &[PathBuf]) -> String {
    let stem = |file: &PathBuf| file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let stems: Vec<String> = files.iter().map(stem).collect();
    let bare = |stem: &String| !stem.ends_with("_event") && !stem.ends_with("_func");
    let first = stems.iter().find(|stem| bare(stem)).or(stems.first()).cloned().unwrap_or_default();
    first.trim_end_matches("_event").trim_end_matches("_func").to_owned()
}

fn import(
    home: &Home,
    files: &[PathBuf],
    protocol: Option<&str>,
    output: Option<&Path>,
    keep: bool,
) -> Result<Exit, Failure> {
    let mut read = Vec::new();
    for file in files {
        read.push((file.display().to_string(), read_small(file, LIST_BYTES_MAX, "a list of a bridge")?));
    }
    let lists: Vec<guess::List<'_>> = read.iter().map(|(name, bytes)| guess::List { name, bytes }).collect();
    let name = protocol.map_or_else(|| usual_name(files), str::to_owned);
    let made = guess::guess(&name, &lists).map_err(|(file, fault)| Failure::bad_input(fault.in_file(file)))?;
    for remark in &made.remarks {
        say(format!("note: {remark}"));
    }
    let slug = guess::slug(&name);
    if keep {
        let folder = home.create()?.folder().join(registries::REGISTRY_FOLDER);
        let failed = |error: std::io::Error| Failure::internal(format!("{}: {error}", folder.display()));
        std::fs::create_dir_all(&folder).map_err(failed)?;
        history::replace(&folder, &format!("{slug}.yaml"), |out| out.write_all(made.yaml.as_bytes()))?;
        say(format!("kept as {slug} in the book"));
    } else if let Some(path) = output {
        std::fs::write(path, &made.yaml)
            .map_err(|error| Failure::internal(format!("{}: cannot be written: {error}", path.display())))?;
    } else {
        let mut out = stdout();
        out.write_all(made.yaml.as_bytes())?;
        out.flush()?;
    }
    Ok(Exit::Done)
}

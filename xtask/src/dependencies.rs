//! Finds dependencies that nothing uses, and those that only tests use though they ship.
//!
//! A search for names, as cargo-machete does it, with tests told apart from what ships. It is here because a tool for
//! it takes longer to build than all else that this file does (docs/decisions/0002-dependencies.md).

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::runner::Outcome;
use crate::source::{code_only, without_tests, words};
use crate::workplace::{Workplace, is_test_file, metadata, rust_files};

/// The sources of one package: what ships, and everything with comments and tests (examples in comments are tests).
#[derive(Default)]
struct Sources {
    ships: String,
    all: String,
}

/// Looks at every package of the workspace and of those beside it.
pub fn check(workplace: &Workplace) -> Result<Outcome, String> {
    let mut packages = workplace.packages().to_vec();
    for manifest in workplace.side_manifests() {
        let beside = metadata(&workplace.root.join(manifest))?;
        packages.extend(beside["packages"].as_array().into_iter().flatten().cloned());
    }
    let mut wrong = Vec::new();
    let mut count = 0;
    for package in &packages {
        let name = package["name"].as_str().unwrap_or_default();
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        let sources = read(manifest.parent().ok_or("a manifest has no folder")?)?;
        for dependency in dependencies(package) {
            count += 1;
            wrong.extend(verdict(dependency, &sources).map(|why| format!("{name}: {why}")));
        }
    }
    let root = fs::read_to_string(workplace.root.join("Cargo.toml")).map_err(|e| format!("Cargo.toml: {e}"))?;
    for key in workspace_keys(&root) {
        if !packages.iter().flat_map(dependencies).any(|dependency| called(dependency) == key) {
            wrong.push(format!("Cargo.toml: no package takes {key} from [workspace.dependencies]"));
        }
    }
    for line in &wrong {
        println!("{line}");
    }
    if wrong.is_empty() {
        Ok(Outcome::Passed(format!("{count} dependencies of {} packages", packages.len())))
    } else {
        Err(format!("{} dependencies stand where nothing needs them", wrong.len()))
    }
}

fn dependencies(package: &Value) -> &[Value] {
    package["dependencies"].as_array().map_or(&[], Vec::as_slice)
}

/// The name that the package's Cargo.toml calls a dependency.
fn called(dependency: &Value) -> &str {
    dependency["rename"].as_str().or(dependency["name"].as_str()).unwrap_or_default()
}

fn read(folder: &Path) -> Result<Sources, String> {
    let mut sources = Sources::default();
    for path in rust_files(folder)? {
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        if !is_test_file(&path, folder) {
            sources.ships.push_str(&without_tests(&code_only(&text)));
        }
        sources.all.push_str(&text);
    }
    Ok(sources)
}

/// What is wrong with a dependency, if anything.
fn verdict(dependency: &Value, sources: &Sources) -> Option<String> {
    let name = called(dependency);
    let word = name.replace('-', "_");
    let is_dev = dependency["kind"] == "dev";
    let used = |text: &str| words(text, &word).next().is_some();
    if is_dev && used(&sources.all) || !is_dev && used(&sources.ships) {
        None
    } else if used(&sources.all) {
        Some(format!("only tests use {name}: it belongs under [dev-dependencies]"))
    } else {
        Some(format!("nothing uses {name}"))
    }
}

/// The names under `[workspace.dependencies]`, which stand one a line.
fn workspace_keys(manifest: &str) -> Vec<&str> {
    let table = manifest.split_once("[workspace.dependencies]\n").map_or("", |(_, rest)| rest);
    let lines = table.lines().take_while(|line| !line.starts_with('['));
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(key, _)| key.trim())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(kind: &Value, ships: &str, all: &str) -> Option<String> {
        let sources = Sources { ships: ships.to_owned(), all: all.to_owned() };
        verdict(&serde_json::json!({ "name": "serde-json", "kind": kind }), &sources)
    }

    #[test]
    fn a_dependency_is_judged_by_who_uses_it() {
        let (ships, dev) = (Value::Null, Value::from("dev"));
        assert_eq!(judged(&ships, "use serde_json::Value;", "use serde_json::Value;"), None);
        assert_eq!(judged(&dev, "", "use serde_json::Value;"), None);
        assert!(judged(&ships, "", "use serde_json::Value;").unwrap().contains("only tests"));
        assert!(judged(&ships, "use serde_json_more;", "use serde_json_more;").unwrap().contains("nothing uses"));
        assert!(judged(&dev, "", "").unwrap().contains("nothing uses"));
    }

    #[test]
    fn the_workspace_table_is_read_to_its_end() {
        let manifest = "[workspace]\na = 1\n[workspace.dependencies]\n# why\nb = \"1\"\nc = { path = \"x\" }\n\n[profile]\nd = 1\n";
        assert_eq!(workspace_keys(manifest), ["b", "c"]);
    }
}

//! Holds the direction of dependencies between rooms to the code map in ARCHITECTURE.md.
//!
//! The map is a table `| room | holds | sees |` between two markers, and the only place where the rule is written down.
//! Arrows point only upward in it: a room sees rooms that stand above it. What is said and what is in the Cargo.toml
//! files must be the same, so that the document cannot drift from the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::purity;
use crate::runner::Outcome;
use crate::workplace::Workplace;

/// The document with the map.
const MAP_FILE: &str = "ARCHITECTURE.md";
/// The map begins after this line and ends before the next one.
const MAP_BEGIN: &str = "<!-- rooms:begin -->";
const MAP_END: &str = "<!-- rooms:end -->";
/// Rooms that promise the same bytes for the same input: no files, no network, no clock, no chance.
const PURE_ROOMS: &[&str] = &["money", "ledger", "decode", "evm", "link", "trace", "know", "cluster", "exposure"];

/// A row of the map.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    room: String,
    sees: Sees,
}

#[derive(Debug, PartialEq, Eq)]
enum Sees {
    /// Exactly these.
    These(BTreeSet<String>),
    /// Any room above.
    All,
}

/// What a package of the workspace depends on inside the workspace.
#[derive(Debug, Default, PartialEq, Eq)]
struct Edges {
    /// What ships with it: normal and build dependencies.
    ships: BTreeSet<String>,
    /// What only its tests see.
    tests: BTreeSet<String>,
}

/// Compares the map with `cargo metadata`, and scans the pure rooms.
pub fn check(workplace: &Workplace) -> Result<Outcome, String> {
    let text = fs::read_to_string(workplace.root.join(MAP_FILE)).map_err(|e| format!("{MAP_FILE}: {e}"))?;
    let map = read_map(&text)?;
    let edges = workspace_edges(workplace.packages(), &workplace.root.join("crates"));
    let mut wrong = compare(&map, &edges);
    for room in PURE_ROOMS {
        wrong.extend(purity::scan(workplace, room)?);
    }
    for line in &wrong {
        println!("{line}");
    }
    if wrong.is_empty() {
        Ok(Outcome::Passed(format!("{} rooms, {} of them pure", map.len(), PURE_ROOMS.len())))
    } else {
        Err(format!("{} breaches of {MAP_FILE}", wrong.len()))
    }
}

/// Reads the table between the markers.
fn read_map(text: &str) -> Result<Vec<Row>, String> {
    let between = text
        .split_once(MAP_BEGIN)
        .and_then(|(_, rest)| rest.split_once(MAP_END))
        .map(|(table, _)| table)
        .ok_or_else(|| format!("{MAP_FILE}: there is no table between {MAP_BEGIN} and {MAP_END}"))?;
    let mut rows: Vec<Row> = Vec::new();
    let lines = between.lines().map(str::trim).filter(|line| line.starts_with('|'));
    for line in lines.filter(|line| !line.trim_matches(|c| "|-: ".contains(c)).is_empty()) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [room, _, sees] = cells[..] else {
            return Err(format!(
                "{MAP_FILE}: this row has {} columns instead of | room | holds | sees |: {line}",
                cells.len()
            ));
        };
        if room == "room" {
            continue;
        }
        let room = name(room);
        let sees = match sees.trim_matches('`') {
            "–" | "-" | "" => Sees::These(BTreeSet::new()),
            "all" => Sees::All,
            _ => Sees::These(sees.split(',').map(name).collect()),
        };
        let unknown = match &sees {
            Sees::These(names) => names.iter().find(|name| !rows.iter().any(|row| row.room == **name)),
            Sees::All => None,
        };
        if let Some(unknown) = unknown {
            return Err(format!("{MAP_FILE}: {room} sees {unknown}, which does not stand above it"));
        }
        rows.push(Row { room, sees });
    }
    if rows.is_empty() { Err(format!("{MAP_FILE}: the table of rooms is empty")) } else { Ok(rows) }
}

/// The word in a cell: without its code marks and what stands in brackets after it.
fn name(cell: &str) -> String {
    cell.split('(').next().unwrap_or(cell).trim().trim_matches(|c| c == '`' || c == '*').to_owned()
}

/// Who depends on whom among the packages under `crates`.
fn workspace_edges(packages: &[Value], crates: &Path) -> BTreeMap<String, Edges> {
    let is_room =
        |package: &&Value| package["manifest_path"].as_str().is_some_and(|path| Path::new(path).starts_with(crates));
    let rooms: BTreeSet<&str> =
        packages.iter().filter(is_room).filter_map(|package| package["name"].as_str()).collect();
    let mut edges: BTreeMap<String, Edges> = BTreeMap::new();
    for package in packages.iter().filter(is_room) {
        let mut own = Edges::default();
        for dependency in package["dependencies"].as_array().map_or(&[][..], Vec::as_slice) {
            let Some(to) = dependency["name"].as_str().filter(|to| rooms.contains(to)) else { continue };
            let set = if dependency["kind"] == "dev" { &mut own.tests } else { &mut own.ships };
            set.insert(to.to_owned());
        }
        edges.insert(package["name"].as_str().unwrap_or_default().to_owned(), own);
    }
    edges
}

/// Every difference between the map and the code, one line each.
fn compare(map: &[Row], edges: &BTreeMap<String, Edges>) -> Vec<String> {
    let mut wrong = Vec::new();
    for room in edges.keys().filter(|room| !map.iter().any(|row| row.room == **room)) {
        wrong.push(format!("{room} is a crate, and {MAP_FILE} has no row for it"));
    }
    for (place, row) in map.iter().enumerate() {
        let room = &row.room;
        let Some(own) = edges.get(room) else {
            wrong.push(format!("{MAP_FILE} has a row for {room}, and there is no such crate"));
            continue;
        };
        let above: BTreeSet<String> = map[..place].iter().map(|row| row.room.clone()).collect();
        let said = if let Sees::These(names) = &row.sees { names } else { &above };
        for extra in own.ships.difference(said) {
            wrong.push(format!("{room} depends on {extra}, which {MAP_FILE} does not let it see"));
        }
        if let Sees::These(names) = &row.sees {
            for idle in names.difference(&own.ships) {
                wrong.push(format!("{MAP_FILE} says that {room} sees {idle}, and its Cargo.toml does not name it"));
            }
        }
        for back in own.tests.iter().filter(|to| reaches(to, room, edges)) {
            wrong.push(format!("the tests of {room} depend on {back}, which depends on {room}: they belong there"));
        }
    }
    wrong
}

/// Whether what ships with `from` includes `to`.
fn reaches(from: &str, to: &str, edges: &BTreeMap<String, Edges>) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    // Bounded: each room is opened once.
    while let Some(room) = open.pop() {
        if room == to {
            return true;
        }
        if seen.insert(room) {
            open.extend(edges.get(room).into_iter().flat_map(|own| own.ships.iter().map(String::as_str)));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "# Code map\n<!-- rooms:begin -->\n| room | holds | sees |\n|---|:--|---|\n| `money` | amounts | – |\n\
        | `ledger` | the model | money |\n| `trace` | policies, pure | `money`, `ledger` |\n| `tracehound` (bin) | flags | all |\n\
        <!-- rooms:end -->\n| elsewhere | x | y |\n";

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn edges(list: &[(&str, &[&str], &[&str])]) -> BTreeMap<String, Edges> {
        list.iter()
            .map(|(room, ships, tests)| ((*room).to_owned(), Edges { ships: set(ships), tests: set(tests) }))
            .collect()
    }

    fn compared(list: &[(&str, &[&str], &[&str])]) -> Vec<String> {
        compare(&read_map(MAP).unwrap(), &edges(list))
    }

    const SOUND: &[(&str, &[&str], &[&str])] = &[
        ("money", &[], &[]),
        ("ledger", &["money"], &[]),
        ("trace", &["money", "ledger"], &[]),
        ("tracehound", &["ledger", "trace"], &[]),
    ];

    fn with(room: &str, ships: &'static [&str], tests: &'static [&str]) -> Vec<String> {
        let changed: Vec<_> =
            SOUND.iter().map(|row| if row.0 == room { (row.0, ships, tests) } else { *row }).collect();
        compared(&changed)
    }

    #[test]
    fn the_table_is_read_with_its_marks_and_notes() {
        let map = read_map(MAP).unwrap();
        assert_eq!(
            map.iter().map(|row| row.room.as_str()).collect::<Vec<_>>(),
            ["money", "ledger", "trace", "tracehound"]
        );
        assert_eq!(map[0].sees, Sees::These(set(&[])));
        assert_eq!(map[2].sees, Sees::These(set(&["ledger", "money"])));
        assert_eq!(map[3].sees, Sees::All);
    }

    #[test]
    fn a_table_that_cannot_hold_is_refused() {
        assert!(read_map("no table").unwrap_err().contains("rooms:begin"));
        let downward = MAP.replace("amounts | –", "amounts | ledger");
        assert!(read_map(&downward).unwrap_err().contains("does not stand above"));
        let narrow = MAP.replace("| amounts ", "");
        assert!(read_map(&narrow).unwrap_err().contains("2 columns"));
    }

    #[test]
    fn a_dependency_that_the_map_does_not_show_is_a_breach() {
        assert_eq!(compared(SOUND), Vec::<String>::new());
        assert!(with("money", &["ledger"], &[])[0].starts_with("money depends on ledger"));
        assert!(with("trace", &["money"], &[])[0].contains("says that trace sees ledger"));
        assert!(compared(&SOUND[..3])[0].contains("there is no such crate"));
        let more: Vec<_> = SOUND.iter().copied().chain([("attic", &[][..], &[][..])]).collect();
        assert!(compared(&more)[0].contains("no row for it"));
    }

    #[test]
    fn tests_may_look_anywhere_that_does_not_look_back() {
        assert_eq!(with("ledger", &["money"], &["money"]), Vec::<String>::new());
        assert!(with("ledger", &["money"], &["trace"])[0].contains("they belong there"));
    }

    #[test]
    fn edges_come_from_cargo_metadata() {
        let packages: Value = serde_json::from_str(
            r#"[{"name": "ledger", "manifest_path": "r/crates/ledger/Cargo.toml", "dependencies": [
                   {"name": "money", "kind": null}, {"name": "serde", "kind": null}, {"name": "trace", "kind": "dev"}]},
                {"name": "money", "manifest_path": "r/crates/money/Cargo.toml", "dependencies": []},
                {"name": "trace", "manifest_path": "r/crates/trace/Cargo.toml", "dependencies": []},
                {"name": "xtask", "manifest_path": "r/xtask/Cargo.toml", "dependencies": [{"name": "money", "kind": null}]}]"#,
        )
        .unwrap();
        let got = workspace_edges(packages.as_array().unwrap(), Path::new("r/crates"));
        let want = edges(&[("ledger", &["money"], &["trace"]), ("money", &[], &[]), ("trace", &[], &[])]);
        assert_eq!(got, want);
    }
}

//! Measures the methods on a made chain with known owners, and writes the tables into `docs/methods`.
//!
//! Not a part of `ci`: it takes minutes, and its figures are recorded, not asserted. What they come from is in
//! `docs/methods/README.md`.

use std::fs;
use std::process::Command;

use crate::runner::Outcome;
use crate::workplace::{Workplace, run};

/// How many wallets the chain has, and its seed.
const WALLETS: &str = "100000";
const SEED: &str = "2026";

const BEGIN: &str = "<!-- measured:begin -->\n";
const END: &str = "<!-- measured:end -->";

/// A page, and the rows of the tables that belong there, by how their first cell begins; none means all.
const PAGES: &[(&str, &[&str])] = &[
    ("README.md", &[]),
    ("co-spend.md", &["co-spend", "pay", "batch", "consolidate", "sweep", "cold"]),
    ("change.md", &["called change", "has change", "change", "pay"]),
    ("wasabi.md", &["wasabi-1", "wasabi-2", "batch-round"]),
    ("whirlpool.md", &["whirlpool", "tx0", "self-mix"]),
    ("joinmarket.md", &["joinmarket", "stonewall"]),
    (
        "equal-outputs.md",
        &[
            "taken for a join",
            "several owners paid",
            "equal-outputs",
            "join-",
            "batch-equal",
            "consolidate-equal",
            "faucet",
            "payroll",
            "self-split",
            "stonewall",
        ],
    ),
    ("payjoin.md", &["payjoin", "pay ", "consolidate ", "batch "]),
    ("services.md", &["service"]),
];

/// Simulates withdrawals for real deposits into bridges, matches them, and rewrites the page about it.
pub fn bridges(workplace: &Workplace) -> Result<Outcome, String> {
    if !workplace.root.join("../shared/data/bridges").is_dir() {
        return Ok(Outcome::Skipped(
            "../shared/data/bridges is missing: there are no real deposits to measure on".to_owned(),
        ));
    }
    let output = workplace.cargo(&["run", "--release", "--quiet", "-p", "link", "--example", "bridges"]).output();
    let output = output.map_err(|error| format!("cargo run: {error}"))?;
    if !output.status.success() {
        return Err(format!("the example bridges: {}", String::from_utf8_lossy(&output.stderr)));
    }
    rewrite(workplace, "bridges.md", &format!("\n{}\n", String::from_utf8_lossy(&output.stdout)))?;
    Ok(Outcome::Passed("bridges.md".to_owned()))
}

/// Puts text between the marks of a page.
fn rewrite(workplace: &Workplace, page: &str, between: &str) -> Result<(), String> {
    let path = workplace.root.join("docs/methods").join(page);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let text = insert(&text, between)
        .ok_or_else(|| format!("{}: there are no lines {} and {END}", path.display(), BEGIN.trim()))?;
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Makes the chain, takes it in, measures, and rewrites the pages.
pub fn write(workplace: &Workplace) -> Result<Outcome, String> {
    run(&mut workplace.cargo(&["build", "--release", "--bin", "tracehound"]))?;
    let scratch = workplace.target.join("methods");
    fs::create_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    let (world, book) = (scratch.join("world"), scratch.join("book"));
    for folder in [&world, &book] {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
    }
    let program = workplace.target.join("release").join("tracehound");
    let tracehound = || Command::new(&program);
    run(tracehound().arg("exercise").arg(&world).args(["--wallets", WALLETS, "--seed", SEED]))?;
    let manifest =
        fs::read_to_string(world.join("manifest.json")).map_err(|error| format!("manifest.json: {error}"))?;
    let ledger = ledger_of(&manifest).ok_or("manifest.json names no ledger")?;
    let with_book = || {
        let mut command = tracehound();
        command.arg("--book").arg(&book);
        command
    };
    run(with_book().args(["ingest", "utxo-blocks", "--ledger", &ledger]).arg(world.join("chain.ndjson")))?;
    let output = with_book().args(["clusters", "measure"]).arg(&world).output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    if !output.status.success() {
        return Err(format!("clusters measure: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let tables = String::from_utf8_lossy(&output.stdout);
    for (page, rows) in PAGES {
        let from = format!("On `exercise --wallets {WALLETS} --seed {SEED}`:\n\n");
        rewrite(workplace, page, &format!("\n{from}{}\n", chosen(&tables, rows)))?;
    }
    fs::remove_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    bridges(workplace)?;
    Ok(Outcome::Passed(format!("{} pages", PAGES.len() + 1)))
}

fn ledger_of(manifest: &str) -> Option<String> {
    let at = manifest.find("bip122:")?;
    Some(manifest[at..].chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == ':').collect())
}

/// The rows of tables that begin as one of these, with the heads of tables that have any; everything for none.
fn chosen(tables: &str, rows: &[&str]) -> String {
    if rows.is_empty() {
        return tables.trim_end().to_owned() + "\n";
    }
    let mut text = String::new();
    for table in tables.split("\n\n") {
        let lines: Vec<&str> = table.lines().filter(|line| !line.is_empty()).collect();
        let fits = |line: &&&str| {
            let cell = line.trim_start_matches("| ");
            rows.iter().any(|row| cell.starts_with(row) || cell.split(" |").next() == Some(row.trim()))
        };
        let found: Vec<&str> = lines.iter().skip(2).filter(fits).copied().collect();
        if !found.is_empty() {
            text.push_str(&[&lines[..2], &found].concat().join("\n"));
            text.push_str("\n\n");
        }
    }
    text.trim_end().to_owned() + "\n"
}

/// A page with what stands between its marks replaced.
fn insert(page: &str, between: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some([before, BEGIN, between, END, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_with_the_heads_of_their_tables() {
        let tables = "| what | right |\n|---|---|\n| a b | 1 |\n| c | 2 |\n\n| kind | n |\n|---|---|\n| pay | 3 |\n| payjoin | 4 |\n";
        assert_eq!(chosen(tables, &["pay "]), "| kind | n |\n|---|---|\n| pay | 3 |\n");
        assert_eq!(
            chosen(tables, &["a", "payjoin"]),
            "| what | right |\n|---|---|\n| a b | 1 |\n\n| kind | n |\n|---|---|\n| payjoin | 4 |\n"
        );
        assert_eq!(chosen(tables, &[]), tables);
    }

    #[test]
    fn what_stands_between_the_marks_is_replaced() {
        let page = format!("top\n{BEGIN}old\n{END}\nend\n");
        assert_eq!(insert(&page, "new\n"), Some(format!("top\n{BEGIN}new\n{END}\nend\n")));
        assert_eq!(insert("no marks", ""), None);
    }

    #[test]
    fn the_ledger_is_read_off_the_manifest() {
        assert_eq!(ledger_of(r#"{"ledger":"bip122:00ff","x":1}"#).as_deref(), Some("bip122:00ff"));
    }
}

//! A seeded simulator of ordinary life and a heist, with the truth about where the loot went.
//!
//! It is the demo, the fixtures of tests and the source of benchmarks: ledgers in the public formats, incidents, tags,
//! and `truth.json` to hold a trace against ([`Truth::score`]). The same [`Plan`] gives the same bytes on every
//! platform. Memory depends on the plan's population and on the length of the launderer's script, never on how many
//! ordinary transactions there are. `docs/exercise.md` says what is simulated, after which public cases, and how the
//! truth is defined.
//!
//! Beside it stand [`scale`], which makes long chains of ordinary life in Bitcoin Core's own files, without a heist, and
//! [`blockfiles`], which writes such files, and [`wallets`], which makes chains of which every address has a known owner.
//!
//! It does not read ledgers, trace anything or judge a policy.

mod accounts;
mod bank;
mod bank_launderer;
pub mod blockfiles;
mod chain;
mod coin_launderer;
mod dice;
mod exact;
mod exchange;
pub mod hopping;
mod keys;
mod market;
mod notebook;
mod papers;
mod plan;
mod purses;
pub mod scale;
mod sink;
mod token_launderer;
mod town;
mod truth;
pub mod wallets;
mod world;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

pub use exact::Exact;
pub use papers::{FileSummary, LedgerSummary, SCHEMA, Summary};
pub use plan::{
    FAN_OUT_MAX, JOIN_ROUNDS_MAX, JOINERS_MAX, PEEL_HOPS_MAX, PEEL_STEPS_MAX, Plan, PlanError, SPREAD_LEGS_MAX,
    TRANSACTIONS_MAX, WALLETS_MAX, WALLETS_MIN,
};
pub use truth::{IncidentTruth, Loss, Place, PlaceKind, Placement, SCHEMA as TRUTH_SCHEMA, Score, Step, Truth};

use blockfiles::{BlockFiles, MAGIC_REGTEST};
use papers::{FORGED_FILE, HEIST, IncidentWords, incident_yaml, tags_yaml};
use sink::Sink;
use world::Told;

/// The UTXO ledger's file: blocks, one a line.
pub const CHAIN_FILE: &str = "chain.ndjson";
/// The token ledger's file: a ledger table.
pub const TOKENS_FILE: &str = "tokens.csv";
/// The bank's file: a ledger table.
pub const BANK_FILE: &str = "bank.csv";
/// The tag pack.
pub const TAGS_FILE: &str = "tags.yaml";
/// The truth.
pub const TRUTH_FILE: &str = "truth.json";
/// The manifest.
pub const MANIFEST_FILE: &str = "manifest.json";

/// Where the ledgers go while they are made.
pub struct Sinks<'a> {
    /// The UTXO ledger.
    pub chain: &'a mut dyn Write,
    /// The token ledger.
    pub tokens: &'a mut dyn Write,
    /// The bank.
    pub bank: &'a mut dyn Write,
}

/// What a run leaves beside its ledgers: the small files, whole.
#[derive(Clone, Debug)]
pub struct Papers {
    /// Incident files: name and text.
    pub incidents: Vec<(String, String)>,
    /// The tag pack.
    pub tags: String,
    /// The truth.
    pub truth: Truth,
    /// Counts, and the ledgers' sizes and hashes; the papers themselves are not in it yet.
    pub summary: Summary,
}

/// Carries out `plan` into the folder `dir`, which is made if it is missing. Files of an earlier run are replaced.
pub fn write(plan: &Plan, dir: &Path) -> io::Result<Summary> {
    write_all(plan, dir, None)
}

/// The same, with the UTXO ledger in Bitcoin Core's block files as well, in the folder [`scale::BLOCKS_FOLDER`] of `dir`.
/// They are obfuscated, with a key that comes from the seed, or that key is zeros.
pub fn write_with_blocks(plan: &Plan, dir: &Path, obfuscated: bool) -> io::Result<Summary> {
    write_all(plan, dir, Some(scale::obfuscation_key(plan.seed, obfuscated)))
}

fn write_all(plan: &Plan, dir: &Path, key: Option<[u8; 8]>) -> io::Result<Summary> {
    check(plan)?;
    fs::create_dir_all(dir)?;
    let blocks = dir.join(scale::BLOCKS_FOLDER);
    let files = key.map(|key| BlockFiles::create(&blocks, MAGIC_REGTEST, Some(key))).transpose()?;
    let create = |name| Ok::<_, io::Error>(BufWriter::with_capacity(1 << 18, File::create(dir.join(name))?));
    let (mut chain, mut tokens, mut bank) = (create(CHAIN_FILE)?, create(TOKENS_FILE)?, create(BANK_FILE)?);
    let papers = run(plan, Sinks { chain: &mut chain, tokens: &mut tokens, bank: &mut bank }, files)?;
    for mut file in [chain, tokens, bank] {
        file.flush()?;
    }
    for (left_out, name) in [(plan.token_transactions == 0, TOKENS_FILE), (plan.bank_transactions == 0, BANK_FILE)] {
        if left_out {
            fs::remove_file(dir.join(name))?;
        }
    }
    let mut summary = papers.summary;
    let truth = serde_json::to_string_pretty(&papers.truth)? + "\n";
    let rest =
        papers.incidents.into_iter().chain([(TAGS_FILE.to_owned(), papers.tags), (TRUTH_FILE.to_owned(), truth)]);
    for (name, text) in rest {
        let mut sink = Sink::new(BufWriter::new(File::create(dir.join(&name))?));
        sink.write_all(text.as_bytes())?;
        sink.flush()?;
        summary.files.push(sink.summary(&name));
    }
    if key.is_some() {
        summary.files.extend(files_of(&blocks)?);
    }
    fs::write(dir.join(MANIFEST_FILE), serde_json::to_string_pretty(&summary)? + "\n")?;
    Ok(summary)
}

/// The block files of a folder, in order of their names, with the space that they hold in reserve.
fn files_of(blocks: &Path) -> io::Result<Vec<FileSummary>> {
    let names = fs::read_dir(blocks)?.map(|entry| Ok(entry?.file_name().into_string().unwrap_or_default()));
    let mut names = names.collect::<io::Result<Vec<_>>>()?;
    names.retain(|name| blockfiles::is_ours(name));
    names.sort();
    let summary = |name: String| {
        let mut sink = Sink::new(io::sink());
        io::copy(&mut File::open(blocks.join(&name))?, &mut sink)?;
        Ok(sink.summary(&format!("{}/{name}", scale::BLOCKS_FOLDER)))
    };
    names.into_iter().map(summary).collect()
}

/// Carries out `plan` into any sinks. A ledger that the plan leaves out gets no byte.
pub fn stream(plan: &Plan, sinks: Sinks<'_>) -> io::Result<Papers> {
    run(plan, sinks, None)
}

fn run(plan: &Plan, sinks: Sinks<'_>, blocks: Option<BlockFiles>) -> io::Result<Papers> {
    check(plan)?;
    let mut ledgers = Vec::new();
    let mut files = Vec::new();

    let mut sink = Sink::new(sinks.chain);
    let (told, counts) = world::run_chain(plan, &mut sink, blocks)?;
    sink.flush()?;
    ledgers.push(LedgerSummary {
        ledger: told.loss.ledger.clone(),
        file: CHAIN_FILE.to_owned(),
        blocks: counts.blocks,
        transactions: counts.transactions,
        legs: counts.inputs + counts.outputs,
        tainted_legs: counts.tainted_legs,
    });
    files.push(sink.summary(CHAIN_FILE));
    let mut heist = vec![told];

    let mut of_accounts = |told: &Told, counts: accounts::AccountCounts, file: FileSummary| {
        ledgers.push(LedgerSummary {
            ledger: told.loss.ledger.clone(),
            file: file.file.clone(),
            blocks: 0,
            transactions: counts.transactions,
            legs: counts.legs,
            tainted_legs: 0,
        });
        files.push(file);
    };
    if plan.token_transactions > 0 {
        let mut sink = Sink::new(sinks.tokens);
        let (told, counts) = world::run_tokens(plan, &mut sink)?;
        sink.flush()?;
        of_accounts(&told, counts, sink.summary(TOKENS_FILE));
        heist.push(told);
    }
    let mut incidents = vec![(HEIST, heist)];
    if plan.bank_transactions > 0 {
        let mut sink = Sink::new(sinks.bank);
        let (told, counts) = world::run_bank(plan, &mut sink)?;
        sink.flush()?;
        of_accounts(&told, counts, sink.summary(BANK_FILE));
        incidents.push((FORGED_FILE, vec![told]));
    }

    Ok(papers(plan, ledgers, files, incidents))
}

/// What is told of the ledgers, as papers.
fn papers(
    plan: &Plan,
    ledgers: Vec<LedgerSummary>,
    files: Vec<FileSummary>,
    incidents: Vec<(IncidentWords, Vec<Told>)>,
) -> Papers {
    let mut yaml = Vec::new();
    let mut tags = Vec::new();
    let mut truths = Vec::new();
    for (words, told) in incidents {
        yaml.push((format!("incident-{}.yaml", words.id), incident_yaml(&words, &told)));
        let mut truth = IncidentTruth { incident: words.id.to_owned(), losses: Vec::new(), steps: Vec::new() };
        for mut told in told {
            tags.append(&mut told.tags);
            truth.losses.push(told.loss);
            truth.steps.append(&mut told.steps);
        }
        truths.push(truth);
    }
    let summary = Summary {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan: plan.clone(),
        ledgers,
        incidents: truths.iter().map(|truth| truth.incident.clone()).collect(),
        files,
    };
    let truth = Truth { schema: TRUTH_SCHEMA.to_owned(), incidents: truths };
    Papers { incidents: yaml, tags: tags_yaml(&tags), truth, summary }
}

fn check(plan: &Plan) -> io::Result<()> {
    plan.check().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

//! The case: which incidents, on which ledgers, starting where, stopping at whom.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use book::{Book, BookLedger};
use decode::Fault;
use incident::{Incident, Start};
use know::{Claim, StopSet};
use ledger::{HolderId, Kind, Ledger, LedgerId, Seq, Time};
use link::{Registry, pools::Pools};
use money::{Amount, Asset, Decimal};
use trace::{Aside, LabelId, Seed, Settings, ShareFloor, StopKind};

use crate::exit::Failure;
use crate::tracing::links::{self, LinkWishes, Links};
use crate::tracing::result::Problem;

/// The largest incident file that is read.
const INCIDENT_BYTES_MAX: u64 = 64 << 20;

/// One loss as a trace knows it: the loot of one incident in one asset of one ledger.
#[derive(Clone, Debug)]
pub struct Loot {
    pub incident: String,
    /// Where it was stolen.
    pub ledger: LedgerId,
    pub asset: Asset,
    pub amount: Amount,
}

/// Everything that a trace of one ledger needs.
pub struct OnLedger {
    pub id: LedgerId,
    pub ledger: BookLedger,
    pub seeds: Vec<Seed>,
    pub settings: Settings,
    pub stops: StopSet,
    pub problems: Vec<Problem>,
}

/// A whole case.
pub struct Case {
    pub incidents: Vec<(Incident, String)>,
    /// Those of the incidents, then those that links lead to.
    pub ledgers: Vec<OnLedger>,
    pub claims: Vec<Claim>,
    /// By label number.
    pub loot: Vec<Loot>,
    pub links: Links,
}

/// What the user said about how to trace, as text still.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    pub no_stops: bool,
    pub min_confidence: u8,
    pub from: Option<String>,
    pub until: Option<String>,
    pub dust: Vec<String>,
    pub min_share: Option<String>,
    /// Whether pieces, tokens marked as valueless and bait are traced as well.
    pub with_valueless: bool,
    /// More assets to leave aside.
    pub valueless: Vec<String>,
    /// Links to follow; `None` for none.
    pub links: Option<LinkWishes>,
    /// What bridges and pools there are, besides those that are tagged.
    pub registered: Option<(Registry, Pools)>,
}

/// Reads incident files; each is checked in full before anything is traced.
pub fn read_incidents(files: &[impl AsRef<Path>]) -> Result<Vec<(Incident, String)>, Failure> {
    let mut incidents: Vec<(Incident, String)> = Vec::new();
    for file in files {
        let name = file.as_ref().display().to_string();
        let bytes = read_small(file.as_ref(), INCIDENT_BYTES_MAX, "an incident file")?;
        let incident = Incident::parse(&bytes).map_err(|fault| Failure::bad_input(fault.in_file(&name)))?;
        if let Some((_, other)) = incidents.iter().find(|(other, _)| other.id == incident.id) {
            let text = format!("{name}: incident {} is already in {other}; give each incident once", incident.id);
            return Err(Failure::bad_input(text));
        }
        incidents.push((incident, name));
    }
    Ok(incidents)
}

/// Reads a whole file that is expected to be small.
pub fn read_small(path: &Path, most: u64, what: &str) -> Result<Vec<u8>, Failure> {
    let name = path.display();
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::bad_input(format!("{name}: there is no such file; check the path")),
        _ => Failure::bad_input(format!("{name}: cannot be read: {error}")),
    };
    let meta = std::fs::metadata(path).map_err(failed)?;
    if meta.is_dir() {
        return Err(Failure::bad_input(format!("{name}: this is a folder; give {what}")));
    }
    if meta.len() > most {
        return Err(Failure::bad_input(format!("{name}: larger than {most} bytes, which {what} never is")));
    }
    std::fs::read(path).map_err(failed)
}

/// Finds the incidents on the book's ledgers.
pub fn open(
    book: &Book,
    incidents: Vec<(Incident, String)>,
    claims: Vec<Claim>,
    tag_rules: &know::Stops,
    wishes: &Wishes,
) -> Result<Case, Failure> {
    let mut ids: Vec<LedgerId> = Vec::new();
    for (incident, file) in &incidents {
        for loss in &incident.losses {
            if !ids.contains(&loss.ledger.value) {
                ids.push(loss.ledger.value.clone());
            }
        }
        if incident.losses.is_empty() {
            let text = format!("{file}: the incident names no losses; there is nothing to trace");
            return Err(Failure::bad_input(text));
        }
    }
    let there = book.ledgers()?;
    for id in &ids {
        if !there.contains(id) {
            let have: Vec<&str> = there.iter().map(LedgerId::as_str).collect();
            let have =
                if have.is_empty() { "it holds none yet".to_owned() } else { format!("it has {}", have.join(", ")) };
            let text = format!("the book has no ledger {id} ({have}); ingest it first");
            return Err(Failure::missing(text));
        }
    }
    let followed = wishes.links.clone().unwrap_or_default();
    let mut loot = Vec::new();
    let mut ledgers = Vec::new();
    for id in links::reachable(&ids, &followed.claims, &there) {
        ledgers.push(on_ledger(book, id, &incidents, &mut loot, &claims, tag_rules, wishes)?);
    }
    for asset in assets_named(wishes)? {
        if !ledgers.iter().any(|on| on.ledger.as_ledger().find_asset(&asset).is_some()) {
            return Err(Failure::bad_input(format!("--dust: no ledger of this case has an asset {asset}")));
        }
    }
    let links = links::resolve(followed, &ledgers);
    if !wishes.no_stops {
        for ((at, purse), protocol) in links::bridges(&links) {
            let on = &mut ledgers[at];
            let holder = on.ledger.as_ledger().purse(purse).holder;
            if let Entry::Vacant(free) = on.stops.stops.entry(holder) {
                free.insert(untagged(know::StopKind::Bridge, protocol));
                on.settings.stops.insert(holder, StopKind::Bridge);
            }
        }
    }
    Ok(Case { incidents, ledgers, claims, loot, links })
}

fn on_ledger(
    book: &Book,
    id: LedgerId,
    incidents: &[(Incident, String)],
    loot: &mut Vec<Loot>,
    claims: &[Claim],
    tag_rules: &know::Stops,
    wishes: &Wishes,
) -> Result<OnLedger, Failure> {
    let opened = book.ledger(&id)?;
    let ledger = opened.as_ledger();
    let from = seq_at("--from", wishes.from.as_deref(), ledger)?.unwrap_or(Seq(0));
    let (mut seeds, mut problems) = (Vec::<Seed>::new(), Vec::new());
    for (incident, file) in incidents {
        for loss in incident.losses.iter().filter(|loss| loss.ledger.value == id) {
            let resolved = incident::resolve(loss, ledger)
                .map_err(|error| Failure::bad_input(Fault::from(error).in_file(file)))?;
            let asset = ledger.asset(resolved.asset).clone();
            let same =
                |known: &Loot| known.incident == incident.id.as_str() && known.asset == asset && known.ledger == id;
            let label = loot.iter().position(same).unwrap_or_else(|| {
                let (incident, ledger) = (incident.id.to_string(), id.clone());
                loot.push(Loot { incident, ledger, asset, amount: Amount::ZERO });
                loot.len() - 1
            });
            let (starts, early): (Vec<&Start>, Vec<&Start>) =
                resolved.starts.iter().partition(|start| start.seq >= from);
            let early: Amount = early.iter().map(|start| start.amount).sum();
            if !early.is_zero() {
                let unit = &loot[label].asset;
                let text = format!("{} {} came in before --from and is left out", unit.text(early), unit.symbol);
                problems.push(Problem::new("before-window", incident.id.to_string(), text));
            }
            loot[label].amount += resolved.total - early;
            let label = LabelId(u32::try_from(label).expect("an incident file holds fewer losses"));
            seeds.extend(starts.into_iter().map(|start| Seed {
                seq: start.seq,
                leg: start.leg,
                purse: start.purse,
                label,
                amount: start.amount,
            }));
            problems.extend(resolved.problems.iter().map(|problem| {
                Problem::new(problem.kind.as_str(), format!("{file}:{}", problem.place.line), problem.text.clone())
            }));
        }
    }
    let mut stops = tag_rules.resolve(claims, ledger);
    if let Some((registry, pools)) = &wishes.registered {
        add_registered(&mut stops, registry, pools, ledger);
    }
    for problem in stops.problems.iter().filter(|_| !wishes.no_stops) {
        problems.push(Problem::new(problem.kind.as_str(), id.to_string(), problem.text.clone()));
    }
    let settings = Settings {
        stops: if wishes.no_stops { BTreeMap::new() } else { stops_of(&stops, wishes.min_confidence) },
        dust: dust_of(&wishes.dust, ledger)?,
        share_floor: wishes.min_share.as_deref().map(share_floor).transpose()?,
        until: seq_at("--until", wishes.until.as_deref(), ledger)?,
        aside: aside(wishes, ledger, &seeds),
        marks_poisoning: !wishes.with_valueless && id.namespace() == "eip155",
    };
    Ok(OnLedger { id, ledger: opened, seeds, settings, stops, problems })
}

/// Bridges and pools that nobody tagged: what the registry says of a holder counts where no tag speaks.
fn add_registered(stops: &mut StopSet, registry: &Registry, pools: &Pools, ledger: &dyn Ledger) {
    let bridges = registry.contracts(ledger.id()).into_iter().filter(|(.., role)| role.takes_money());
    let bridges = bridges.map(|(holder, protocol, _)| (holder, protocol.to_owned(), know::StopKind::Bridge));
    let pools = pools.of(ledger.id()).map(|pool| (pool.holder(), pool.name.clone(), know::StopKind::Mixer));
    for (holder, entity, kind) in bridges.chain(pools) {
        if let Some(holder) = ledger.find_holder(&holder) {
            stops.stops.entry(holder).or_insert_with(|| untagged(kind, entity));
        }
    }
}

/// A stop for which no tag speaks.
fn untagged(kind: know::StopKind, entity: String) -> know::Stop {
    know::Stop { kind, entity, actor: None, claims: Vec::new(), confidence: 100 }
}

/// What a trace leaves aside: pieces, and tokens marked as valueless; never what was stolen.
fn aside(wishes: &Wishes, ledger: &dyn Ledger, seeds: &[Seed]) -> Aside {
    if wishes.with_valueless {
        return Aside::default();
    }
    let chain = ledger.id().reference().parse().ok().filter(|_| ledger.id().namespace() == "eip155");
    let marked =
        chain.and_then(evm::Chain::of).map(|chain| evm::Tokens::built_in(&chain).assets_with(evm::Flags::VALUELESS));
    let names = marked.iter().flatten().chain(&wishes.valueless);
    let assets = names.filter_map(|name| ledger.find_asset(name)).collect();
    let but = seeds.iter().map(|seed| ledger.purse(seed.purse).asset).collect();
    Aside { pieces: chain.is_some(), assets, but }
}

/// The stops that the tracer takes: conduits let value pass and end nothing.
pub fn stops_of(stops: &StopSet, min_confidence: u8) -> BTreeMap<HolderId, StopKind> {
    let kind = |kind: know::StopKind| match kind {
        know::StopKind::Service => Some(StopKind::Service),
        know::StopKind::Mixer => Some(StopKind::Mixer),
        know::StopKind::Bridge => Some(StopKind::Bridge),
        know::StopKind::Conduit => None,
    };
    let sure = stops.stops.iter().filter(|(_, stop)| stop.confidence >= min_confidence);
    sure.filter_map(|(holder, stop)| Some((*holder, kind(stop.kind)?))).collect()
}

/// The first transaction at or after a time given on the command line.
pub fn seq_at(flag: &str, text: Option<&str>, ledger: &dyn Ledger) -> Result<Option<Seq>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let time = Time::parse(text).map_err(|error| Failure::bad_input(format!("{flag} {text}: {error}")))?;
    Ok(Some(ledger.seq_at(time)))
}

fn assets_named(wishes: &Wishes) -> Result<Vec<String>, Failure> {
    wishes.dust.iter().map(|text| pair("--dust", text).map(|(asset, _)| asset.to_owned())).collect()
}

pub fn dust_of(wishes: &[String], ledger: &dyn Ledger) -> Result<BTreeMap<ledger::AssetId, Amount>, Failure> {
    let mut dust = BTreeMap::new();
    for text in wishes {
        let (asset, amount) = pair("--dust", text)?;
        let Some(asset) = ledger.find_asset(asset) else { continue };
        let amount = Decimal::parse(amount).and_then(|amount| amount.to_amount(ledger.asset(asset).scale));
        dust.insert(asset, amount.map_err(|error| Failure::bad_input(format!("--dust {text}: {error}")))?);
    }
    Ok(dust)
}

/// `NAME=VALUE` as flags take it.
pub fn pair<'a>(flag: &str, text: &'a str) -> Result<(&'a str, &'a str), Failure> {
    let pair = text.split_once('=').filter(|(name, value)| !name.trim().is_empty() && !value.trim().is_empty());
    let (name, value) = pair.ok_or_else(|| Failure::bad_input(format!("{flag} {text}: write it as NAME=VALUE")))?;
    Ok((name.trim(), value.trim()))
}

fn share_floor(text: &str) -> Result<ShareFloor, Failure> {
    const PARTS: u8 = 9;
    let wrong = || Failure::bad_input(format!("--min-share {text}: write a share between 0 and 1, such as 0.001"));
    let share = Decimal::parse(text).and_then(|share| share.to_amount(PARTS)).map_err(|_| wrong())?;
    let of = 10u64.pow(u32::from(PARTS));
    let parts = u64::try_from(share.units()).ok().filter(|parts| *parts <= of).ok_or_else(wrong)?;
    Ok(ShareFloor { parts, of })
}

/// What the results call a ledger's state.
pub fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Utxo => "utxo",
        Kind::Account => "account",
    }
}

//! From claims to [`Tagged`]: the book's tags read when they are needed, by holder or by name alone.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use know::{Claim, Rules, Standing, Stops, entity_key};
use ledger::memory::MemoryLedger;
use ledger::{AccountLeg, AccountTransaction, HolderId, Kind, LedgerId, LegKind, Time};
use money::{Amount, Asset};

use crate::CategorySet;
use crate::finding::Tagged;

/// How many claims of one holder are shown; the rest are counted in `Tagged::claims_more`.
pub const CLAIMS_SHOWN_MAX: usize = 100;

/// Where the book's claims come from.
type Load<'a> = Box<dyn Fn() -> Result<Vec<Claim>, String> + 'a>;

/// The claims of a book, read at most once, and only if somebody asks.
pub struct Tags<'a> {
    load: Load<'a>,
    claims: OnceCell<Vec<Claim>>,
    /// Made when the first name is looked up that no ledger has; a batch may have thousands of those.
    places: OnceCell<HashMap<String, Vec<usize>>>,
    version: String,
    stops: Stops,
}

impl<'a> Tags<'a> {
    /// The claims that `load` gives, of this version, as these rules and actors read them.
    pub fn new(version: String, stops: Stops, load: impl Fn() -> Result<Vec<Claim>, String> + 'a) -> Self {
        Self { load: Box::new(load), claims: OnceCell::new(), places: OnceCell::new(), version, stops }
    }

    /// All of them.
    pub fn claims(&self) -> Result<&[Claim], String> {
        if self.claims.get().is_none() {
            let loaded = (self.load)()?;
            let _ = self.claims.set(loaded);
        }
        Ok(self.claims.get().map_or(&[], Vec::as_slice))
    }

    /// Their version: the SHA-256 of the file that they are in; nothing where there is none.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What makes stops and risks of them.
    pub const fn stops(&self) -> &Stops {
        &self.stops
    }

    /// What is said of a name that no ledger has.
    pub fn by_name(&self, names: &[String]) -> Result<Option<Tagged>, String> {
        // Where case means nothing the canonical form is in lower case; in Base58 it means everything.
        let is = |address: &str, name: &str| {
            let folds = !name.bytes().any(|byte| byte.is_ascii_uppercase());
            address == name || folds && address.eq_ignore_ascii_case(name)
        };
        let claims = self.claims()?;
        let is_named = |claim: &&Claim| names.iter().any(|name| is(claim.address.trim(), name));
        let mut folded: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        folded.sort_unstable();
        folded.dedup();
        let places = folded.iter().filter_map(|name| self.places(claims).get(name)).flatten();
        let own: Vec<Claim> = places.filter_map(|at| claims.get(*at)).filter(is_named).cloned().collect();
        let Some(first) = own.first() else { return Ok(None) };
        // A ledger of that one holder, for the same rules to be read against.
        let (ledger, holder) = ledger_of_one(&first.address);
        let anywhere: Vec<Claim> = own
            .iter()
            .cloned()
            .map(|claim| Claim { scope: know::Scope::Anywhere, address: first.address.clone(), ..claim })
            .collect();
        let standings = self.stops.standings(&anywhere, &ledger);
        Ok(standings.holders.get(&holder).map(|standing| self.tagged(standing, &own)))
    }

    /// Where the claims of an address stand, by the address in lower case.
    fn places(&self, claims: &[Claim]) -> &HashMap<String, Vec<usize>> {
        self.places.get_or_init(|| {
            let mut places: HashMap<String, Vec<usize>> = HashMap::new();
            for (at, claim) in claims.iter().enumerate() {
                places.entry(claim.address.trim().to_ascii_lowercase()).or_default().push(at);
            }
            places
        })
    }

    /// A standing with its claims out of the list that it was made from.
    pub fn tagged(&self, standing: &Standing, claims: &[Claim]) -> Tagged {
        let own = standing.claims.iter().filter_map(|at| claims.get(*at)).cloned().collect();
        let stop = standing.stop.map(know::StopKind::as_str);
        let of = Said { category: standing.category, stop, entity: &standing.entity, risks: &standing.risks };
        of.tagged(self.stops.rules(), standing.confidence, own)
    }

    /// What the claims on one holder say against one another, in words.
    pub fn conflicts(&self, holder: &str, tagged: &Tagged) -> Vec<String> {
        let rules = self.stops.rules();
        let mut conflicts = Vec::new();
        let said = |claim: &Claim| format!("{} ({})", claim.entity(), claim.pack);
        for (at, one) in tagged.claims.iter().enumerate() {
            // Against the first that differs: n claims have n² pairs, and the second says nothing new.
            let Some(other) = tagged.claims[..at].iter().find(|other| entity_key(other) != entity_key(one)) else {
                continue;
            };
            conflicts.push(format!("{holder}: {} and {}", said(other), said(one)));
            break;
        }
        let kind = |claim: &Claim| claim.categories.iter().find_map(|word| rules.category(word)?.stop);
        let kinds: Vec<(know::StopKind, &Claim)> =
            tagged.claims.iter().filter_map(|claim| Some((kind(claim)?, claim))).collect();
        if let Some((first, of)) = kinds.first()
            && let Some((other, by)) = kinds.iter().find(|(other, _)| other != first)
        {
            let text = format!("{} ({}) and {} ({})", first.as_str(), of.pack, other.as_str(), by.pack);
            conflicts.push(format!("{holder}: {text}"));
        }
        conflicts
    }
}

/// What tags make of a holder.
pub(crate) struct Said<'a> {
    pub(crate) category: Option<u8>,
    pub(crate) stop: Option<&'static str>,
    pub(crate) entity: &'a str,
    pub(crate) risks: &'a BTreeSet<String>,
}

impl Said<'_> {
    /// The same with the claims, and with every category that one of them speaks of.
    pub(crate) fn tagged(self, rules: &Rules, confidence: u8, mut claims: Vec<Claim>) -> Tagged {
        let words = claims.iter().flat_map(|claim| claim.categories.iter().chain(&claim.abuse));
        let spoken_of = words.filter_map(|word| rules.category(word)?.exposure).map(CategorySet::one);
        let own = self.category.map(CategorySet::one);
        let categories = spoken_of.chain(own).fold(CategorySet::default(), CategorySet::with);
        let claims_more = (claims.len().saturating_sub(CLAIMS_SHOWN_MAX)) as u64;
        claims.truncate(CLAIMS_SHOWN_MAX);
        Tagged {
            category: self.category,
            categories,
            stop: self.stop,
            entity: self.entity.to_owned(),
            risks: self.risks.iter().cloned().collect(),
            confidence,
            claims,
            claims_more,
        }
    }
}

fn ledger_of_one(name: &str) -> (MemoryLedger, HolderId) {
    let id = LedgerId::parse("table:tags").expect("a plain table id");
    let asset = Asset { symbol: "NONE".to_owned(), scale: 0 };
    let name = ledger::address::canonical(&id, name).unwrap_or_else(|_| name.to_owned());
    let mut memory = MemoryLedger::new(id, Kind::Account, vec![asset]);
    let leg = AccountLeg {
        from: None,
        to: Some(name),
        asset: "NONE".to_owned(),
        amount: Amount::ZERO,
        fee: Amount::ZERO,
        kind: LegKind::Transfer,
    };
    let time = Time::from_micros(0);
    memory.push(&AccountTransaction { name: "only".to_owned(), time, legs: vec![leg] });
    (memory, HolderId(0))
}

//! [`Screener`]: queries against every ledger of a book, one answer for each ledger that has what is asked about.

use std::cell::OnceCell;

use book::BookLedger;
use know::Standings;
use ledger::{LedgerId, UtxoTransaction};
use money::Amount;

use crate::accounts::Accounts;
use crate::chain::{Chain, Facts};
use crate::finding::{Finding, Subject};
use crate::resolve::{Nobody, Target, nobody, target};
use crate::{Answer, Asked, Categories, RuleBook, Status, Tags, UNKNOWN};

/// Said of a transaction that no ledger has.
pub const UNKNOWN_TRANSACTION: &str = "unknown transaction: not in any ledger of this book";

/// A ledger with what is kept of it.
pub struct Source<'a> {
    /// The ledger.
    pub opened: &'a BookLedger,
    /// What is kept of it; nothing for accounts.
    pub facts: Option<Box<dyn Facts + 'a>>,
    /// Why what is kept lags behind the ledger or its tags, where it does.
    pub stale: Option<String>,
    standings: OnceCell<Standings>,
}

impl<'a> Source<'a> {
    /// A ledger with what is kept of it.
    pub fn new(opened: &'a BookLedger, facts: Option<Box<dyn Facts + 'a>>, stale: Option<String>) -> Self {
        Self { opened, facts, stale, standings: OnceCell::new() }
    }

    fn id(&self) -> &LedgerId {
        self.opened.as_ledger().id()
    }

    fn standings(&self, tags: &Tags<'_>) -> Result<&Standings, String> {
        if self.standings.get().is_none() {
            let standings = tags.stops().standings(tags.claims()?, self.opened.as_ledger());
            let _ = self.standings.set(standings);
        }
        Ok(self.standings.get().expect("it was set just now, or before"))
    }
}

/// Everything that a screening takes.
pub struct Screener<'a> {
    sources: Vec<Source<'a>>,
    tags: Tags<'a>,
    rules: RuleBook,
    categories: Categories,
}

impl<'a> Screener<'a> {
    /// Of these ledgers, by these rules.
    pub const fn new(sources: Vec<Source<'a>>, tags: Tags<'a>, rules: RuleBook, categories: Categories) -> Self {
        Self { sources, tags, rules, categories }
    }

    /// The ledgers.
    pub(crate) fn sources(&self) -> &[Source<'a>] {
        &self.sources
    }

    /// The rules.
    pub const fn rules(&self) -> &RuleBook {
        &self.rules
    }

    /// The names of the categories.
    pub const fn categories(&self) -> &Categories {
        &self.categories
    }

    /// What comes of a query: one answer for each ledger that has it, or one that says why none has. An error is one of
    /// the machine or the book.
    pub fn ask(&self, asked: &Asked) -> Result<Vec<Answer>, String> {
        let (query, line) = (asked.query.as_str(), Some(asked.line).filter(|line| *line > 0));
        if let Some(fault) = &asked.fault {
            return Ok(vec![Answer::bad(query, line, fault)]);
        }
        let mut answers = Vec::new();
        for source in &self.sources {
            let Some(target) = target(source.opened.as_ledger(), query) else { continue };
            let mut finding = self.finding(source, target)?;
            finding.notes.extend(source.stale.clone());
            let judgement = self.rules.judge(&finding);
            answers.push(Answer::judged(query, line, finding, judgement, source.stale.is_some()));
        }
        if answers.is_empty() {
            answers.push(self.nobody(query, line)?);
        }
        Ok(answers)
    }

    /// What comes of a transaction that no block has confirmed; `None` where the book does not have that ledger.
    pub fn pending(
        &self,
        asked: &Asked,
        ledger: &LedgerId,
        transaction: &UtxoTransaction,
        fee: Amount,
    ) -> Result<Option<Answer>, String> {
        let Some(source) = self.sources.iter().find(|source| source.id() == ledger) else { return Ok(None) };
        let (BookLedger::Utxo(chain), Some(facts)) = (source.opened, &source.facts) else { return Ok(None) };
        let chain = Chain { ledger: chain, facts: facts.as_ref(), tags: &self.tags };
        let mut finding = chain.pending(transaction, fee)?;
        finding.notes.extend(source.stale.clone());
        let judgement = self.rules.judge(&finding);
        let line = Some(asked.line).filter(|line| *line > 0);
        Ok(Some(Answer::judged(&asked.query, line, finding, judgement, source.stale.is_some())))
    }

    fn finding(&self, source: &Source<'_>, target: Target) -> Result<Finding, String> {
        if let (BookLedger::Utxo(ledger), Some(facts)) = (source.opened, &source.facts) {
            let chain = Chain { ledger, facts: facts.as_ref(), tags: &self.tags };
            return match target {
                Target::Holder(holder) => chain.holder(holder),
                Target::Transaction(seq) => chain.transaction(seq),
            };
        }
        let standings = source.standings(&self.tags)?;
        let accounts = Accounts { ledger: source.opened.as_ledger(), standings, tags: &self.tags };
        let mut finding = match target {
            Target::Holder(holder) if matches!(source.opened, BookLedger::Utxo(_)) => accounts.bare(holder)?,
            Target::Transaction(seq) if matches!(source.opened, BookLedger::Utxo(_)) => accounts.bare_transaction(seq),
            Target::Holder(holder) => accounts.holder(holder)?,
            Target::Transaction(seq) => accounts.transaction(seq)?,
        };
        self.tags.version().clone_into(&mut finding.versions.tags);
        Ok(finding)
    }

    /// Of what no ledger has, only tags can speak.
    fn nobody(&self, query: &str, line: Option<u64>) -> Result<Answer, String> {
        let ids: Vec<&LedgerId> = self.sources.iter().map(Source::id).collect();
        let unknown = |text: &str| Answer {
            query: query.to_owned(),
            line,
            status: Status::Unknown,
            text: Some(text.to_owned()),
            found: None,
        };
        Ok(match nobody(&ids, query) {
            Nobody::Mistyped(text) => Answer::bad(query, line, text),
            Nobody::Transaction => unknown(UNKNOWN_TRANSACTION),
            Nobody::Address(names) => {
                let Some(tagged) = self.tags.by_name(&names)? else { return Ok(unknown(UNKNOWN)) };
                let name = names.into_iter().next().unwrap_or_default();
                let mut finding = Finding::empty(Subject::Address(name.clone()), None);
                finding.conflicts = self.tags.conflicts(&name, &tagged);
                finding.tags = vec![tagged];
                self.tags.version().clone_into(&mut finding.versions.tags);
                let judgement = self.rules.judge(&finding);
                Answer::judged(query, line, finding, judgement, false)
            }
        })
    }
}

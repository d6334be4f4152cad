//! Screenings for people: the reason first, then what is known, each figure with what it rests on.

use std::fmt::Write as _;

use know::Claim;
use money::{Amount, Asset};
use screen::finding::{Bond, Cluster, Exposure, Finding, Flow, Inherited, Proof, Slice, Subject, Tagged};
use screen::say::{reason, share_between, short, sum};
use screen::{Answer, Categories, CategorySet, Changed, Direction, RuleBook, Status};

use crate::output::text::{counted, grouped, table};

/// How many claims of a holder, or steps of a path, the text lists; `--json` has all.
const LISTED_MAX: usize = 5;

/// What turns an answer into text.
pub struct Page<'a> {
    pub rules: &'a RuleBook,
    pub categories: &'a Categories,
}

impl Page<'_> {
    /// One line: what it comes to, and the first reason.
    pub fn brief(&self, answer: &Answer) -> String {
        let because = answer.judgement().and_then(|judgement| judgement.fired.first());
        let why = because.map(|fired| reason(fired, self.categories)).or_else(|| answer.text.clone());
        let name = answer.finding().map_or(answer.query.as_str(), |finding| finding.subject.name());
        let ledger = answer.finding().and_then(|finding| finding.ledger.as_ref());
        let on = ledger.map(|ledger| format!(" on {ledger}")).unwrap_or_default();
        let why = why.map(|why| format!("  {why}")).unwrap_or_default();
        let at = answer.line.map(|line| format!("{line}: ")).unwrap_or_default();
        format!("{at}{:9} {}{on}{why}\n", answer.status.as_str(), clean(name))
    }

    /// Everything.
    pub fn full(&self, answer: &Answer) -> String {
        let mut text = String::new();
        let Some((finding, judgement)) = &answer.found else {
            let why = answer.text.as_deref().unwrap_or_default();
            let at = answer.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            line(&mut text, &format!("{}  {at}{}", shout(answer.status), clean(&answer.query)));
            row(&mut text, "because", why);
            text.push('\n');
            return text;
        };
        line(&mut text, &format!("{}  {}", shout(answer.status), heading(finding)));
        for fired in &judgement.fired {
            let rule = format!("{} ({}, rule {:?})", reason(fired, self.categories), fired.action.as_str(), fired.rule);
            row(&mut text, "because", &rule);
        }
        if let Some(why) = &answer.text {
            row(&mut text, "because", why);
        }
        self.tags(&mut text, finding);
        clusters(&mut text, finding);
        for exposure in &finding.exposure {
            self.exposure(&mut text, exposure);
        }
        if let Some(seen) = &finding.seen {
            let count = counted(seen.transactions, "transaction");
            row(&mut text, "seen", &format!("{} to {}, {count}", seen.first, seen.last));
        }
        for listing in &finding.listings {
            let (before, after) = (sum(listing.before, &listing.asset), sum(listing.after, &listing.asset));
            let said = format!("tagged {} on {}", clean(&listing.label), listing.date.date());
            row(&mut text, "dates", &format!("{said}: received {before} before, {after} from then on"));
        }
        for note in &finding.notes {
            row(&mut text, "note", note);
        }
        self.versions(&mut text, finding);
        text.push('\n');
        text
    }

    fn tags(&self, text: &mut String, finding: &Finding) {
        if let Subject::Address(_) = finding.subject
            && finding.tags.is_empty()
        {
            row(text, "tags", "none of its own");
        }
        for tagged in &finding.tags {
            row(text, "tagged", &self.entity(tagged));
            claims(text, tagged);
        }
        for inherited in &finding.inherited {
            let Inherited { holder, by, tagged } = inherited;
            let label = match by {
                Bond::Cluster(_) => "inherited",
                Bond::Input => "input",
                Bond::Output => "output",
                Bond::Counterparty(Direction::Received) => "payer",
                Bond::Counterparty(Direction::Sent) => "payee",
            };
            row(text, label, &format!("{}: {}", clean(holder), self.entity(tagged)));
            claims(text, tagged);
            if let Bond::Cluster(path) = by {
                let edges: Vec<&str> = path.iter().take(LISTED_MAX).map(|edge| edge.name.as_str()).collect();
                let more = path.len().saturating_sub(edges.len());
                let rest =
                    if more > 0 { format!(" and {}", counted(more as u64, "further edge")) } else { String::new() };
                if !edges.is_empty() {
                    row(text, "", &format!("joined by {}{rest}", edges.join(", ")));
                }
            }
        }
        if finding.inherited_more > 0 {
            row(text, "", &format!("and {} not listed", counted(finding.inherited_more, "tagged holder")));
        }
        for conflict in &finding.conflicts {
            row(text, "conflict", &clean(conflict));
        }
    }

    fn entity(&self, tagged: &Tagged) -> String {
        let mut words: Vec<&str> = tagged.category.map(|number| self.categories.name(number)).into_iter().collect();
        words.extend(tagged.risks.iter().map(String::as_str));
        let mut seen = Vec::new();
        words.retain(|word| {
            !seen.contains(word) && {
                seen.push(*word);
                true
            }
        });
        let words = if words.is_empty() { "no category".to_owned() } else { words.join(", ") };
        format!("{} ({words}), confidence {} %", clean(&tagged.entity), tagged.confidence)
    }

    fn exposure(&self, text: &mut String, exposure: &Exposure) {
        for direction in Direction::ALL {
            let flow = exposure.flow(direction);
            if flow.movements.0 == 0 {
                row(text, direction.as_str(), &format!("no {}", exposure.asset.symbol));
                continue;
            }
            let of = if flow.movements.0 == flow.movements.1 {
                counted(flow.movements.0, "movement")
            } else {
                format!("{} of {}", grouped(&flow.movements.1.to_string()), counted(flow.movements.0, "movement"))
            };
            row(text, direction.as_str(), &format!("{} in {of}", sum(flow.total, &exposure.asset)));
            self.slices(text, exposure, flow);
        }
        let touched = names(exposure.poison, self.categories);
        if !touched.is_empty() {
            row(text, "touched by", &format!("{touched} (poison: any amount, ever)"));
        }
        for (number, amount) in &exposure.first_out {
            let name = self.categories.name(*number);
            row(text, "first out", &format!("{} {name} where taint leaves first", sum(*amount, &exposure.asset)));
        }
    }

    fn slices(&self, text: &mut String, exposure: &Exposure, flow: &Flow) {
        let rows: Vec<[String; 4]> = flow
            .categories
            .iter()
            .map(|slice| {
                let (low, high) = screen::interval(flow, CategorySet::one(slice.category), None);
                [
                    self.categories.name(slice.category).to_owned(),
                    share_between(low, high, flow.total),
                    format!("direct {}", sum(slice.direct, &exposure.asset)),
                    if exposure.has_indirect {
                        format!("indirect {}", sum(slice.indirect, &exposure.asset))
                    } else {
                        String::new()
                    },
                ]
            })
            .collect();
        let mut lines = String::new();
        table(&mut lines, &rows, &[false, true, true, true]);
        for (slice, cells) in flow.categories.iter().zip(lines.lines()) {
            row(text, "", cells.trim());
            from(text, slice, &exposure.asset);
        }
    }

    fn versions(&self, text: &mut String, finding: &Finding) {
        let versions = &finding.versions;
        let mut parts = Vec::new();
        if let (Some(height), Some(block)) = (versions.height, &versions.block) {
            parts.push(format!("block {height} {block}"));
        } else if finding.ledger.is_some() {
            parts.push(counted(versions.transactions, "transaction"));
        }
        if let Some(time) = versions.time {
            parts.push(time.to_string());
        }
        let tags = if versions.tags.is_empty() { "none" } else { short(&versions.tags) };
        parts.push(format!("tags {tags}"));
        if !versions.rulings.is_empty() {
            parts.push(format!("rulings {}", short(&versions.rulings)));
        }
        parts.push(format!("rules {} {}", clean(&self.rules.policy), short(&self.rules.hash)));
        row(text, "as of", &parts.join(", "));
    }
}

/// What changed about one query.
pub fn change(since: &str, changed: &Changed, answer: &Answer) -> String {
    let mut text = String::new();
    line(&mut text, &format!("{}  {}", shout(answer.status), clean(&answer.query)));
    row(&mut text, "since", since);
    for change in &changed.what {
        row(&mut text, change.kind, &clean(&change.text));
    }
    for change in &changed.why {
        row(&mut text, "because", &format!("{}: {}", change.kind, clean(&change.text)));
    }
    text.push('\n');
    text
}

fn heading(finding: &Finding) -> String {
    let mut heading = clean(finding.subject.name());
    if let Some(ledger) = &finding.ledger {
        let _ = write!(heading, " on {ledger}");
    }
    if let Subject::Transaction { is_confirmed, join, is_doubtful, .. } = &finding.subject {
        if !is_confirmed {
            heading.push_str(", unconfirmed");
        }
        if let Some(join) = join {
            let _ = write!(heading, ", a join ({join})");
        }
        if *is_doubtful {
            heading.push_str(", its inputs may be of two parties");
        }
    }
    heading
}

fn clusters(text: &mut String, finding: &Finding) {
    let said = |cluster: &Cluster| {
        format!("{} of {} by {}", counted(cluster.size, "member"), clean(&cluster.oldest), cluster.layer)
    };
    match &finding.cluster {
        Some(cluster) if cluster.size > 1 => row(text, "cluster", &said(cluster)),
        Some(_) => row(text, "cluster", "itself alone"),
        None => {}
    }
    if let Some(lead) = &finding.lead {
        row(text, "lead", &format!("{}: a lead, not a finding", said(lead)));
    }
}

fn claims(text: &mut String, tagged: &Tagged) {
    for claim in tagged.claims.iter().take(LISTED_MAX) {
        row(text, "", &format!("said by {}", said(claim)));
    }
    let more = tagged.claims.len().saturating_sub(LISTED_MAX) as u64 + tagged.claims_more;
    if more > 0 {
        row(text, "", &format!("and {}", counted(more, "further claim")));
    }
}

fn said(claim: &Claim) -> String {
    let mut parts = vec![format!("pack {}", clean(&claim.pack))];
    parts.push(format!("{:?}", clean(&claim.label)));
    let words: Vec<&str> = claim.categories.iter().chain(&claim.abuse).map(|word| &**word).collect();
    if !words.is_empty() {
        parts.push(clean(&words.join(" ")));
    }
    parts.extend(claim.date.map(ledger::Time::date));
    parts.extend(claim.confidence.as_deref().map(clean));
    parts.push(claim.source.as_deref().map_or_else(|| "no source given".to_owned(), clean));
    parts.join(", ")
}

fn from(text: &mut String, slice: &Slice, asset: &Asset) {
    let entities: Vec<String> = slice
        .entities
        .iter()
        .take(LISTED_MAX)
        .map(|(name, amount): &(String, Amount)| format!("{} {}", clean(name), sum(*amount, asset)))
        .collect();
    if !entities.is_empty() {
        row(text, "", &format!("  {}", entities.join(", ")));
    }
    if let Some(proof) = &slice.nearest {
        path(text, proof, asset);
    }
}

fn path(text: &mut String, proof: &Proof, asset: &Asset) {
    let holder = if proof.holder.is_empty() { String::new() } else { format!("{}, ", clean(&proof.holder)) };
    row(text, "", &format!("  nearest: {holder}{}", counted(proof.hops.len() as u64, "hop")));
    for hop in proof.hops.iter().take(LISTED_MAX) {
        let paid = || format!(" to {}, {}", clean(&hop.to), sum(hop.amount, asset));
        let paid = if hop.to.is_empty() { String::new() } else { paid() };
        row(text, "", &format!("    {} {}{paid}", hop.time, clean(&hop.tx)));
    }
    if proof.hops.len() > LISTED_MAX {
        row(text, "", &format!("    and {} more", proof.hops.len() - LISTED_MAX));
    }
}

fn names(set: CategorySet, categories: &Categories) -> String {
    set.numbers().map(|number| categories.name(number)).collect::<Vec<_>>().join(", ")
}

fn shout(status: Status) -> String {
    status.as_str().to_uppercase()
}

fn line(text: &mut String, said: &str) {
    text.push_str(said);
    text.push('\n');
}

fn row(text: &mut String, label: &str, said: &str) {
    writeln!(text, "  {label:10} {said}").expect("a string takes any text");
}

/// Names come from strangers, and end up on a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { '\u{fffd}' } else { sign }).collect()
}

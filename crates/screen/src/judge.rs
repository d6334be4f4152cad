//! What a rule book says of a finding: the rules that fire, and the figures that fired them.
//!
//! Pure arithmetic on integers: a share is compared by cross-multiplying, so no threshold depends on a rounded quotient.

use money::{Amount, Asset};

use crate::finding::{Bond, Exposure, Finding, Flow, Tagged};
use crate::rules::{AmountLimit, Direction, Named, Reach, SHARE_WHOLE_MILLIONTHS, Test};
use crate::{Action, Bearer, CategorySet, Certificate, RuleBook};

/// What comes of a screening. Ordered: the last is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// No rule fired.
    Clear,
    /// A rule asks for a look.
    Review,
    /// A rule says that it must not pass.
    Hit,
}

impl Level {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Review => "review",
            Self::Hit => "hit",
        }
    }
}

impl From<Action> for Level {
    fn from(action: Action) -> Self {
        match action {
            Action::Review => Self::Review,
            Action::Hit => Self::Hit,
        }
    }
}

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// The rule's name.
    pub rule: String,
    /// Its line in the rules file.
    pub line: u64,
    /// What it makes of it.
    pub action: Action,
    /// What it fired on.
    pub figures: Figures,
}

/// What a rule fired on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figures {
    /// Money.
    Exposure {
        /// Of which asset.
        asset: Asset,
        /// The rule's words for the categories.
        categories: String,
        /// Which way it moved.
        direction: Direction,
        /// At what distance; nothing for both together.
        reach: Option<Reach>,
        /// What is certain.
        low: Amount,
        /// What cannot be excluded.
        high: Amount,
        /// What moved in that direction in all.
        total: Amount,
        /// The threshold on the share, in millionths.
        share_millionths: Option<u32>,
        /// The threshold on the amount.
        amount: Option<AmountLimit>,
    },
    /// A tag.
    Tag {
        /// Who carries it, where it is another member of the cluster.
        holder: Option<String>,
        /// Who it says that is.
        entity: String,
        /// Its category.
        category: u8,
        /// Its confidence, in percent.
        confidence: u8,
    },
    /// Poison, by category.
    Poison {
        /// Which of the rule's categories touched the money.
        categories: Vec<u8>,
    },
}

/// What comes of all rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The worst that any rule says.
    pub level: Level,
    /// The rules that fired: hits first, then in the file's order.
    pub fired: Vec<Fired>,
}

impl RuleBook {
    /// What the rules say of a finding.
    pub fn judge(&self, finding: &Finding) -> Judgement {
        let mut fired = Vec::new();
        for rule in &self.rules {
            let found = match &rule.test {
                Test::Exposure { .. } => self.exposure(&rule.test, finding),
                Test::Tag { categories: named, on, confidence } => {
                    tag(finding, named, *on, *confidence).into_iter().collect()
                }
                Test::Poison { categories: named } => poison(finding, named).into_iter().collect(),
            };
            fired.extend(found.into_iter().map(|figures| Fired {
                rule: rule.name.clone(),
                line: rule.line,
                action: rule.action,
                figures,
            }));
        }
        // Stable: within an action the file's order stays.
        fired.sort_by_key(|fired| std::cmp::Reverse(fired.action));
        let level = fired.first().map_or(Level::Clear, |fired| fired.action.into());
        Judgement { level, fired }
    }

    fn exposure(&self, test: &Test, finding: &Finding) -> Vec<Figures> {
        let Test::Exposure { categories, direction, reach, share_millionths, amount } = test else { return Vec::new() };
        let of_this_coin = |exposure: &&Exposure| {
            let symbol = amount.as_ref().and_then(|limit| limit.symbol.as_ref());
            symbol.is_none_or(|symbol| *symbol == exposure.asset.symbol)
        };
        let sides = finding.exposure.iter().filter(of_this_coin).flat_map(|exposure| {
            let directions = Direction::ALL.into_iter().filter(|side| direction.is_none_or(|only| only == *side));
            directions.map(move |side| (exposure, side))
        });
        let figures = sides.filter_map(|(exposure, side)| {
            let flow = exposure.flow(side);
            let (low, high) = interval(flow, categories.set, *reach);
            let counts = match self.certificate {
                Certificate::Lower => low,
                Certificate::Upper => high,
            };
            let over_share = exceeds_share(counts, flow.total, share_millionths.unwrap_or_default());
            let over_amount = amount.as_ref().is_none_or(|limit| exceeds_amount(counts, limit, exposure.asset.scale));
            (over_share && over_amount).then(|| Figures::Exposure {
                asset: exposure.asset.clone(),
                categories: categories.words.clone(),
                direction: side,
                reach: *reach,
                low,
                high,
                total: flow.total,
                share_millionths: *share_millionths,
                amount: amount.clone(),
            })
        });
        figures.collect()
    }
}

/// What is some categories' for certain, and what cannot be excluded. Direct amounts are exact. What rounding withheld is
/// a category's only if that category touched the money at all: a clean wallet is not suspected for a rest of a division.
pub fn interval(flow: &Flow, set: CategorySet, reach: Option<Reach>) -> (Amount, Amount) {
    let own = || flow.categories.iter().filter(|slice| set.has(slice.category));
    let direct: Amount = own().map(|slice| slice.direct).sum();
    let indirect: Amount = own().map(|slice| slice.indirect).sum();
    let open = if flow.touched.meets(set) || !indirect.is_zero() { flow.truncated } else { Amount::ZERO };
    let (low, open) = match reach {
        Some(Reach::Direct) => (direct, Amount::ZERO),
        Some(Reach::Indirect) => (indirect, open),
        None => (direct + indirect, open),
    };
    (low, (low + open).min(flow.total.max(low)))
}

/// Whether `part / total` is more than so many millionths.
fn exceeds_share(part: Amount, total: Amount, millionths: u32) -> bool {
    let whole = u128::from(SHARE_WHOLE_MILLIONTHS);
    match (part.units().checked_mul(whole), total.units().checked_mul(u128::from(millionths))) {
        (Some(part), Some(limit)) => part > limit,
        // Past 10^32 base units rounding to the nearest one is exact enough.
        _ => part > total.share(Amount::new(u128::from(millionths)), Amount::new(whole)),
    }
}

/// Whether an amount is more than a limit in the coin's own unit. A limit finer than the coin's base unit is rounded
/// down: what exceeds the one exceeds the other.
fn exceeds_amount(part: Amount, limit: &AmountLimit, scale: u8) -> bool {
    let text = limit.amount.to_string();
    let cut = match text.split_once('.') {
        Some((whole, fraction)) => {
            let kept: String = fraction.chars().take(usize::from(scale)).collect();
            format!("{whole}.{kept}")
        }
        None => text,
    };
    let units = money::Decimal::parse(&cut).and_then(|decimal| decimal.to_amount(scale));
    // A limit that is past all amounts is exceeded by none.
    units.is_ok_and(|units| part > units)
}

fn tag(finding: &Finding, named: &Named, on: Option<Bearer>, confidence: u8) -> Option<Figures> {
    let fits = |tagged: &Tagged| {
        let own = tagged.categories.numbers().filter(|category| named.set.has(*category)).max();
        own.filter(|_| tagged.confidence >= confidence)
    };
    let figures = |holder: Option<&str>, tagged: &Tagged, category| Figures::Tag {
        holder: holder.map(str::to_owned),
        entity: tagged.entity.clone(),
        category,
        confidence: tagged.confidence,
    };
    if on != Some(Bearer::Cluster)
        && let Some((tagged, category)) = finding.tags.iter().find_map(|tagged| Some((tagged, fits(tagged)?)))
    {
        return Some(figures(None, tagged, category));
    }
    if on == Some(Bearer::Address) {
        return None;
    }
    let members = finding.inherited.iter().filter(|inherited| matches!(inherited.by, Bond::Cluster(_)));
    let mut fitting = members.filter_map(|inherited| Some((inherited, fits(&inherited.tagged)?)));
    fitting.next().map(|(inherited, category)| figures(Some(&inherited.holder), &inherited.tagged, category))
}

fn poison(finding: &Finding, named: &Named) -> Option<Figures> {
    let poison = finding.exposure.iter().fold(CategorySet::default(), |all, exposure| all.with(exposure.poison));
    let categories: Vec<u8> = poison.numbers().filter(|category| named.set.has(*category)).collect();
    (!categories.is_empty()).then_some(Figures::Poison { categories })
}

//! Which output is the payer's own change: the signs that each payment shows.
//!
//! Sources: S. Meiklejohn et al., "A fistful of bitcoins" (2013): the one fresh output; `BlockSci` (2020): optimal
//! change, kinds of address, round amounts; `GraphSense`: their conjunction. Here each is a sign with a weight
//! ([`super::Weights`]), because none of them alone is sure.
//!
//! Where a payment goes back to one of the inputs' holders nothing needs guessing: that is the change, and it adds no
//! holder. Where there is one payment only it may be anybody's.
//!
//! Counter-example: whoever pays a new address a crooked sum and gets change to an old one.

use super::view::{Kind, View};

/// A sign that a payment is the payer's own change, or that it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Sign {
    /// Its holder is new to the ledger, and every other payee is not.
    OnlyFresh,
    /// All inputs have one kind of lock, and of the payments only this one has it too.
    OnlyKind,
    /// All inputs have one kind of lock, and this payment has another.
    OtherKind,
    /// The only payment below the smallest of several inputs: had it been what was paid, one input less would have done.
    BelowInputs,
    /// Every other payment is round, this one is not.
    RestRound,
    /// It is round.
    Round,
    /// The only payment that is fresh, of the inputs' kind, no multiple of a thousand and below every input.
    OneTime,
    /// The largest payment.
    Largest,
}

impl Sign {
    /// All of them, in the order of their bits.
    pub const ALL: [Self; 8] = [
        Self::OnlyFresh,
        Self::OnlyKind,
        Self::OtherKind,
        Self::BelowInputs,
        Self::RestRound,
        Self::Round,
        Self::OneTime,
        Self::Largest,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnlyFresh => "only-fresh",
            Self::OnlyKind => "only-kind",
            Self::OtherKind => "other-kind",
            Self::BelowInputs => "below-inputs",
            Self::RestRound => "rest-round",
            Self::Round => "round",
            Self::OneTime => "one-time",
            Self::Largest => "largest",
        }
    }

    /// Its bit in a set of signs ([`crate::Change::votes`]).
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A payment that may be change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The output's index.
    pub output: u16,
    /// The signs that it shows, a set of [`Sign::bit`].
    pub signs: u8,
}

/// A payment is round if it is a multiple of this (0.001 of a coin of 100,000,000 units).
pub const ROUND_SATS: u64 = 100_000;
const THOUSAND_SATS: u64 = 1_000;
/// In a transaction with more outputs than this no change is looked for: it is a batch, and the odds are against it.
pub const CHANGE_OUTPUTS_MAX: usize = 32;

/// What is asked of a payment once.
#[derive(Clone, Copy, Debug)]
struct Payment {
    output: u16,
    value: u64,
    kind: Kind,
    is_fresh: bool,
}

/// Buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Desk {
    payments: Vec<Payment>,
    pub(crate) candidates: Vec<Candidate>,
}

impl Desk {
    /// Finds the payments that may be change, with their signs; none where nothing is to be guessed. Returns how many
    /// payments there are.
    pub(crate) fn find(&mut self, view: &View<'_>) -> usize {
        self.candidates.clear();
        self.payments.clear();
        if view.outputs.len() < 2 || view.outputs.len() > CHANGE_OUTPUTS_MAX {
            return 0;
        }
        let is_payer = |holder| view.inputs.iter().any(|input| input.holder == holder);
        if view.outputs.iter().any(|output| output.value > 0 && is_payer(output.holder)) {
            return 0;
        }
        // Locks are the dearest to ask for, so that comes last.
        if !view.outputs.iter().any(|output| output.value > 0 && view.past.is_first(output.purse)) {
            return 0;
        }
        self.read(view);
        if self.payments.len() > 1 && self.payments.iter().any(|payment| payment.is_fresh) {
            self.judge(view);
        }
        self.payments.len()
    }

    fn read(&mut self, view: &View<'_>) {
        for (index, output) in (0u16..).zip(view.outputs).filter(|(_, output)| output.value > 0) {
            let kind = view.past.kind(output.holder);
            if kind != Kind::Unspendable {
                // Who is paid twice within the transaction has been paid before the second time only.
                let is_single = view.outputs.iter().filter(|other| other.holder == output.holder).count() == 1;
                let is_fresh = is_single && view.past.is_first(output.purse);
                self.payments.push(Payment { output: index, value: output.value, kind, is_fresh });
            }
        }
    }

    fn judge(&mut self, view: &View<'_>) {
        let input_kind = view.input_kind();
        let smallest_input = view.inputs.iter().map(|input| input.value).min().unwrap_or_default();
        let largest = self.payments.iter().map(|payment| payment.value).max().unwrap_or_default();
        let count = |is: &dyn Fn(&Payment) -> bool| self.payments.iter().filter(|payment| is(payment)).count();
        let is_round = |payment: &Payment| payment.value.is_multiple_of(ROUND_SATS);
        let is_below = |payment: &Payment| view.inputs.len() > 1 && payment.value < smallest_input;
        let is_kind = |payment: &Payment| input_kind == Some(payment.kind);
        let is_one_time = |payment: &Payment| {
            payment.is_fresh
                && is_kind(payment)
                && !payment.value.is_multiple_of(THOUSAND_SATS)
                && payment.value < smallest_input
        };
        let fresh = count(&|payment| payment.is_fresh);
        let (round, below, alike) = (count(&is_round), count(&is_below), count(&is_kind));
        let one_time = count(&is_one_time);
        for payment in self.payments.iter().filter(|payment| payment.is_fresh) {
            let rest_is_round = !is_round(payment) && round + 1 == self.payments.len();
            let shown = [
                (Sign::OnlyFresh, fresh == 1),
                (Sign::OnlyKind, alike == 1 && is_kind(payment)),
                (Sign::OtherKind, input_kind.is_some() && !is_kind(payment)),
                (Sign::BelowInputs, below == 1 && is_below(payment)),
                (Sign::RestRound, rest_is_round),
                (Sign::Round, is_round(payment)),
                (Sign::OneTime, one_time == 1 && is_one_time(payment)),
                (Sign::Largest, payment.value == largest),
            ];
            let signs = shown.iter().filter(|(_, is)| *is).fold(0, |signs, (sign, _)| signs | sign.bit());
            self.candidates.push(Candidate { output: payment.output, signs });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::Case;
    use super::*;

    fn signs(line: &str) -> (usize, Vec<(u16, Vec<&'static str>)>) {
        let (case, mut desk) = (Case::new(line), Desk::default());
        let payments = desk.find(&case.view());
        let named = |signs: u8| Sign::ALL.into_iter().filter(move |sign| signs & sign.bit() != 0).map(Sign::as_str);
        (payments, desk.candidates.iter().map(|found| (found.output, named(found.signs).collect())).collect())
    }

    #[test]
    fn every_sign_is_seen_where_it_is_and_nowhere_else() {
        for (why, line, want) in [
            ("the only fresh one", "w1:900100 > w2:300000 w3!:600000", "1 only-fresh round largest"),
            ("crooked beside round", "w1:900100 > w2!:300000 w3!:599999", "0 round; 1 rest-round one-time largest"),
            ("two that are crooked", "w1:900100 > w2!:310000 w3!:589999", "0; 1 one-time largest"),
            ("of the inputs' kind", "w1:900100 > k2!:310007 w3!:589999", "0 other-kind; 1 only-kind one-time largest"),
            ("inputs of two kinds", "w1:900100 k4:5 > k2!:310007 w3!:589999", "0; 1 largest"),
            (
                "below the smallest of two inputs",
                "w1:500000 w4:400000 > w2!:310007 w3!:589999",
                "0 below-inputs one-time; 1 largest",
            ),
            ("both below: says nothing", "w1:500000 w4:600000 > w2!:310007 w3!:389999", "0; 1 largest"),
            ("as large as each other", "w1:1000 > w2!:400 w3!:400", "0 largest; 1 largest"),
            ("a message is no payment", "w1:900100 > r9:0 w2:300007 w3!:500007", "2 only-fresh one-time largest"),
            ("nor is what is burnt", "w1:900100 > r9!:100 w2:300007 w3!:500007", "2 only-fresh one-time largest"),
            ("paid twice at once", "w1:900100 > w2!:100007 w2:200007 w3!:500007", "2 only-fresh one-time largest"),
            ("nobody is new", "w1:900100 > w2:300007 w3:500007", ""),
            ("back to a payer", "w1:900100 > w2!:300007 w1:500007", ""),
            ("one payment", "w1:900100 > w2!:300007", ""),
            ("one payment and a message", "w1:900100 > w2!:300007 r9:0", ""),
        ] {
            let found: Vec<String> =
                signs(line).1.iter().map(|(output, signs)| format!("{output} {}", signs.join(" "))).collect();
            let found: Vec<&str> = found.iter().map(|text| text.trim()).collect();
            assert_eq!(found.join("; "), want, "{why}: {line}");
        }
    }

    #[test]
    fn a_batch_is_left_alone() {
        let outputs = |count: u64| (0..count).map(|at| (100 + at, 1_000_007 + at)).collect::<Vec<_>>();
        for (count, is_looked_at) in [(CHANGE_OUTPUTS_MAX as u64, true), (CHANGE_OUTPUTS_MAX as u64 + 1, false)] {
            let (case, mut desk) = (Case::plain(&[(1, 100_000_000)], &outputs(count)), Desk::default());
            assert_eq!(desk.find(&case.view()) > 0, is_looked_at);
            assert_eq!(desk.candidates.is_empty(), !is_looked_at);
        }
    }
}

//! Doubt: two payments out of inputs that may be two parties' (`PayJoin`), which nothing else would show.
//!
//! In a `PayJoin` (BIP 78) the payee adds an input of its own, so the smallest input was not needed for the larger payment
//! whichever output that was: the "unnecessary input heuristic" (UIH2; A. Gibson 2018, S. Ghesmati et al. 2021).
//! Plenty of honest wallets also spend more inputs than they need, so that alone would throw away many good co-spends.
//! Doubtful is therefore only what shows two parties besides: inputs of exactly two kinds of lock, and one payment back
//! to each of the two.
//!
//! Assumption: a wallet has one kind of lock. Counter-example both ways: a wallet that holds old and new kinds pays
//! somebody of the one and takes change in the other; a `PayJoin` between wallets of one kind looks like anybody's.

use super::tally::Tally;
use super::view::{Kind, View};

/// Whether the inputs may be two parties'.
pub(crate) fn is_doubtful(view: &View<'_>, tally: &Tally) -> bool {
    tally.payments.len() == 2 && has_unneeded_input(view, tally) && has_two_kinds(view)
}

/// Whether the larger payment and the fee could have been paid without the smallest input.
pub(crate) fn has_unneeded_input(view: &View<'_>, tally: &Tally) -> bool {
    let paid = view.inputs.iter().fold(0, |sum: u64, input| sum.saturating_add(input.value));
    let smallest = view.inputs.iter().map(|input| input.value).min().unwrap_or_default();
    let largest = tally.payments.first().copied().unwrap_or_default();
    paid - smallest >= largest.saturating_add(tally.fee)
}

fn has_two_kinds(view: &View<'_>) -> bool {
    let mut paid = view.outputs.iter().filter(|output| output.value > 0).map(|output| view.past.kind(output.holder));
    let (Some(one), Some(other)) = (paid.next(), paid.next()) else { return false };
    if one == other || one == Kind::Unspendable || other == Kind::Unspendable {
        return false;
    }
    let kinds = |of: Kind| view.inputs.iter().filter(|input| view.past.kind(input.holder) == of).count();
    let (ones, others) = (kinds(one), kinds(other));
    ones > 0 && others > 0 && ones + others == view.inputs.len()
}

#[cfg(test)]
mod tests {
    use super::super::table::Case;
    use super::*;

    #[test]
    fn doubt_needs_an_input_too_many_and_two_kinds() {
        for (why, line, want) in [
            ("the payee adds a coin of its kind", "w1:100 k2:50 > k3!:130 w4!:19", false),
            ("the same, and either output is paid without it", "w1:100 k2:20 > k3!:40 w4!:75", true),
            ("one kind: nothing shows it", "w1:100 w2:20 > w3!:40 w4!:75", false),
            ("needed input", "w1:100 k2:50 > k3!:110 w4!:39", false),
            ("both outputs of one kind", "w1:100 k2:20 > w3!:40 w4!:75", false),
            ("a third kind", "w1:100 k2:20 > k3!:40 t4!:75", false),
            ("a third kind among the inputs", "w1:100 k2:20 t5:20 > k3!:40 w4!:75", false),
            ("three payments", "w1:100 k2:20 > k3!:40 w4!:40 w5!:30", false),
            ("a message beside", "w1:100 k2:20 > k3!:40 w4!:75 r5:0", true),
            ("many inputs", "w1:100 w5:10 w6:30 k2:20 > k3!:40 w4!:115", true),
        ] {
            let (case, mut tally) = (Case::new(line), Tally::default());
            tally.read(&case.view());
            assert_eq!(is_doubtful(&case.view(), &tally), want, "{why}: {line}");
        }
    }
}

//! What marks do, and what they must not.

use proptest::prelude::*;

use super::super::exact::tests::played;
use super::*;

fn marks_of(history: &History, pairs: &[(usize, usize, Heuristic)]) -> Vec<Marks> {
    let mut marks = vec![Marks::new(); history.withdrawals.len()];
    for (withdrawal, deposit, heuristic) in pairs {
        if history.deposits[*deposit].seq < history.withdrawals[*withdrawal].seq {
            marks[*withdrawal].entry(*deposit).or_default().insert(*heuristic);
        }
    }
    marks
}

#[test]
fn without_marks_each_withdrawal_has_the_pool_s_share_of_loot() {
    // Ten notes are put in and taken out, then ten others: the loot of the first ten is gone.
    let steps = format!("{}{}{}w", "d".repeat(10), "w".repeat(10), "d".repeat(10));
    let history = played(&steps);
    let none = vec![Marks::new(); 11];
    let believed = posteriors(&history, &none, &Ratios::default(), &|at| at < 3, &[]);
    for posterior in &believed[..10] {
        assert!((299_999_990..=300_000_000).contains(&posterior.loot.parts()), "{posterior:?}");
    }
    assert!(believed[10].loot.parts() < 10, "{:?}", believed[10]);
    assert_eq!((believed[0].candidates, believed[10].candidates), (10, 20));
}

#[test]
fn a_mark_that_a_later_withdrawal_claims_is_not_shared_with_an_earlier_one() {
    let history = played("ddddww");
    let marks = marks_of(&history, &[(1, 0, Heuristic::SameAddress)]);
    let believed = posteriors(&history, &marks, &Ratios::default(), &|at| at == 0, &[]);
    assert!(believed[1].marked[0].1.parts() > 999_000_000, "{:?}", believed[1]);
    // The first note belongs to the second withdrawal: the first withdrawal has hardly any of it.
    assert!(believed[0].loot.parts() < 1_000_000, "{:?}", believed[0]);
}

#[test]
fn what_the_ledger_does_not_show_is_none_of_these() {
    let mut history = played("dw");
    history.steps.insert(0, Step::Unseen(3));
    let believed = posteriors(&history, &[Marks::new()], &Ratios::default(), &|_| true, &[]);
    assert_eq!(believed[0].unseen.to_string(), "0.75");
    assert_eq!(believed[0].loot.to_string(), "0.25");
}

#[test]
fn ratios_are_learnt_from_those_who_took_out_their_own() {
    let history = played(&format!("{}{}", "d".repeat(60), "w".repeat(60)));
    let pairs: Vec<_> = (0..60)
        .flat_map(|at| [Some((at, at, Heuristic::SameAddress)), (at % 2 == 0).then_some((at, at, Heuristic::GasPrice))])
        .flatten()
        .collect();
    let marks = marks_of(&history, &pairs);
    let learnt = Ratios::default().learnt(std::slice::from_ref(&history), std::slice::from_ref(&marks));
    // Half of the true pairs carry it, and of 3,540 wrong ones none.
    assert_eq!(learnt.gas_price, 31 * 3_542 / 62);
    let few = Ratios::default().learnt(&[history], &[marks[..10].to_vec()]);
    assert_eq!(few, Ratios::default());
}

proptest! {
    /// Whatever the marks, what is believed of a withdrawal adds up to one, and loot is no more than there is.
    #[test]
    fn beliefs_add_up(
        steps in "d[dw]{1,40}",
        pairs in proptest::collection::vec((0usize..40, 0usize..40, 0usize..6), 0..30),
        loot in any::<u64>(),
        unseen in 0u32..3,
    ) {
        let mut history = played(&steps);
        if unseen > 0 {
            history.steps.insert(0, Step::Unseen(unseen));
        }
        let (deposits, withdrawals) = (history.deposits.len(), history.withdrawals.len());
        let pairs: Vec<_> = pairs
            .into_iter()
            .filter(|_| withdrawals > 0)
            .map(|(withdrawal, deposit, which)| (withdrawal % withdrawals, deposit % deposits, Heuristic::ALL[which]))
            .collect();
        let marks = marks_of(&history, &pairs);
        let is_loot = |at: usize| loot & (1 << (at % 64)) != 0;
        for posterior in posteriors(&history, &marks, &Ratios::default(), &is_loot, &[]) {
            let marked: u64 = posterior.marked.iter().map(|(_, portion)| u64::from(portion.parts())).sum();
            let all = marked + u64::from(posterior.others.parts()) + u64::from(posterior.unseen.parts());
            prop_assert_eq!(all, u64::from(Portion::ONE_PARTS));
            prop_assert!(posterior.marked.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        }
    }
}

//! What is kept up block by block, through turns of the chain, other tags, other rulings, interrupts and crashes, is what
//! is made from nothing.

mod common;

use common::{World, chain, compare, copy};
use upkeep::{Keeper, Kept, Stage};

/// Each is a chain with a history of its own.
const SEEDS: u64 = 6;

#[test]
fn kept_up_step_by_step_is_what_is_made_at_once() {
    let (mut turns, mut interrupts, mut corrected, mut tagged, mut joined) = (0, 0, 0, 0, 0);
    let (mut ruled, mut quarantined) = (0, 0);
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        world.grow(2);
        for _ in 0..30 {
            match world.dice.below(9) {
                0 if world.blocks() > 3 => {
                    let blocks = 1 + world.dice.below(3);
                    world.undo(blocks);
                    turns += 1;
                    if world.dice.one_in(2) {
                        world.grow(blocks);
                    }
                }
                1 | 2 => world.retag(),
                3 => world.rule(),
                _ => {
                    let blocks = 1 + world.dice.below(3);
                    world.grow(blocks);
                }
            }
            if world.dice.one_in(3) {
                let steps = 1 + world.dice.below(12);
                interrupts += u64::from(world.bring_up_for(steps).is_interrupted);
                assert_eq!(world.kept().as_of().judged, world.kept().as_of().judged.min(world.ledger().blocks() * 6));
            } else {
                corrected += world.bring_up().corrected;
            }
        }
        world.bring_up();
        assert!(world.bring_up().is_nothing(), "there is nothing left to do");
        let (ledger, kept) = (world.ledger(), world.kept());
        let (_folder, anew) = world.anew();
        compare(&ledger, &kept, &anew);
        ruled += kept.rulings().unwrap().list().len();
        quarantined += kept.problems().unwrap().len();
        let holders = || (0..ledger::Coins::holders(&ledger)).map(ledger::HolderId);
        tagged += holders().filter(|holder| kept.direct(*holder).unwrap().is_some()).count();
        joined += holders().filter(|holder| !kept.inherited(*holder).unwrap().from.is_empty()).count();
    }
    assert!(turns > 4 && interrupts > 4 && corrected > 4, "{turns} {interrupts} {corrected}");
    assert!(ruled > 4 && quarantined > 0, "{ruled} {quarantined}");
    assert!(tagged > 20 && joined > 20, "{tagged} {joined}");
}

#[test]
fn one_keeper_all_along_with_others_between_keeps_what_is_made_at_once() {
    let (mut turns, mut interrupts, mut by_others) = (0, 0, 0);
    for seed in 20..24 {
        let mut world = World::new(seed);
        let mut keeper = Keeper::new(chain()).at(common::SMALL);
        world.grow(2);
        for _ in 0..24 {
            match world.dice.below(9) {
                0 | 1 if world.blocks() > 4 => {
                    let blocks = 1 + world.dice.below(4);
                    world.undo(blocks);
                    turns += 1;
                    if world.dice.one_in(2) {
                        world.grow(blocks + 1);
                    }
                }
                2 => world.retag(),
                3 => world.rule(),
                _ => world.grow(1),
            }
            match world.dice.below(8) {
                0 | 1 => {
                    let steps = 1 + world.dice.below(5);
                    interrupts += u64::from(world.bring_up_by(&mut keeper, steps).is_interrupted);
                }
                // Another process, and perhaps it does not get far.
                2 => {
                    let steps = 1 + world.dice.below(12);
                    by_others += u64::from(!world.bring_up_for(steps).is_nothing());
                }
                // Whoever deletes what is kept loses nothing but time.
                3 if world.dice.one_in(4) && world.annex().exists() => std::fs::remove_dir_all(world.annex()).unwrap(),
                _ => {
                    let report = world.bring_up_by(&mut keeper, u64::MAX);
                    assert!(!report.is_interrupted && report.rebuilt.is_empty(), "{report:?}");
                    if world.dice.one_in(8) {
                        let (_folder, anew) = world.anew();
                        compare(&world.ledger(), &world.kept(), &anew);
                    }
                }
            }
        }
        world.bring_up_by(&mut keeper, u64::MAX);
        assert!(world.bring_up().is_nothing(), "there is nothing left to do");
        assert!(world.bring_up_by(&mut keeper, u64::MAX).is_nothing());
        let (_folder, anew) = world.anew();
        compare(&world.ledger(), &world.kept(), &anew);
    }
    assert!(turns > 4 && interrupts > 4 && by_others > 4, "{turns} {interrupts} {by_others}");
}

#[test]
fn a_copy_of_any_instant_goes_on_from_there() {
    let mut world = World::new(77);
    world.grow(8);
    world.retag();
    world.bring_up();
    world.undo(2);
    world.grow(9);
    world.retag();
    // The folder as it is at each step is what a kill at that step would leave.
    let scratch = tempfile::tempdir().unwrap();
    let (annex, mut copies, mut stages) = (world.annex(), 0, Vec::new());
    let progress = &mut |step: upkeep::Step| {
        copy(&annex, &scratch.path().join(copies.to_string()));
        copies += 1;
        stages.push(step.stage);
        true
    };
    upkeep::bring_up_at(&world.book(), &chain(), common::SMALL, progress).unwrap();
    for stage in [Stage::Undo, Stage::Verdicts, Stage::Tags, Stage::Clusters, Stage::Correction, Stage::Exposure] {
        assert!(stages.contains(&stage), "{stage:?} is in {stages:?}");
    }
    let (ledger, (_folder, anew)) = (world.ledger(), world.anew());
    compare(&ledger, &world.kept(), &anew);
    for at in 0..copies {
        std::fs::remove_dir_all(&annex).unwrap();
        copy(&scratch.path().join(at.to_string()), &annex);
        let _readable: Kept = world.kept();
        assert_eq!(world.bring_up().rebuilt, Vec::<String>::new());
        compare(&ledger, &world.kept(), &anew);
    }
}

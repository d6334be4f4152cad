//! Files that were tampered with: what is read says so, and the next update makes everything anew.

mod common;

use std::fs;

use common::{World, chain, compare, copy};
use upkeep::{Kept, UpkeepError};

fn world() -> World {
    let mut world = World::new(5);
    world.grow(12);
    world.retag();
    world.bring_up();
    world.grow(3);
    world.bring_up();
    world
}

#[test]
fn whatever_file_is_cut_or_gone_is_noticed_and_made_anew() {
    let world = world();
    let (ledger, annex, (_folder, anew)) = (world.ledger(), world.annex(), world.anew());
    let whole = tempfile::tempdir().unwrap();
    copy(&annex, whole.path());
    let names: Vec<_> = fs::read_dir(&annex).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names.iter().filter(|name| *name != "writer.lock") {
        let path = annex.join(name);
        let bytes = fs::read(&path).unwrap();
        for gone in [false, true] {
            if gone {
                fs::remove_file(&path).unwrap();
            } else if let Some(len) = bytes.len().checked_sub(1) {
                fs::write(&path, &bytes[..len]).unwrap();
            } else {
                continue;
            }
            match Kept::open(&world.book(), &chain()) {
                // Blobs are read when they are asked for.
                Ok(Some(_)) => assert!(!gone, "{name:?}"),
                Ok(None) => assert!(gone && name == "manifest"),
                Err(error) => assert!(error.to_string().contains("made anew"), "{error}"),
            }
            let rebuilt = world.bring_up().rebuilt;
            assert!(rebuilt.len() == 1 || name == "manifest" || !gone, "{name:?}: {rebuilt:?}");
            compare(&ledger, &world.kept(), &anew);
            fs::remove_dir_all(&annex).unwrap();
            copy(whole.path(), &annex);
        }
    }
}

#[test]
fn flipped_bits_are_an_error_or_another_answer_and_never_a_panic() {
    let mut world = world();
    let (ledger, annex, whole) = (world.ledger(), world.annex(), tempfile::tempdir().unwrap());
    copy(&annex, whole.path());
    let mut dice = common::Dice::new(9);
    let names: Vec<_> = fs::read_dir(&annex).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    for name in names.iter().filter(|name| *name != "writer.lock") {
        let path = annex.join(name);
        let bytes = fs::read(&path).unwrap();
        for _ in 0..if bytes.is_empty() { 0 } else { 12 } {
            let mut bad = bytes.clone();
            for _ in 0..=dice.below(6) {
                let at = usize::try_from(dice.below(bad.len() as u64)).unwrap();
                bad[at] = u8::try_from(dice.below(256)).unwrap();
            }
            fs::write(&path, bad).unwrap();
            if let Ok(Some(kept)) = Kept::open(&world.book(), &chain()) {
                common::ask(&ledger, &kept);
            }
            // Other tags, so that an update reads what is there.
            world.retag();
            world.bring_up();
            assert!(world.kept().as_of().is_whole());
            fs::remove_dir_all(&annex).unwrap();
            copy(whole.path(), &annex);
        }
    }
}

#[test]
fn what_is_missing_or_wrong_is_said() {
    let mut world = World::new(6);
    world.grow(3);
    assert!(Kept::open(&world.book(), &chain()).unwrap().is_none(), "nothing is kept");
    fs::write(world.book().folder().join(upkeep::TAGS_FILE), "no tags").unwrap();
    let failed = |world: &World| upkeep::bring_up(&world.book(), &chain(), &mut |_| true).unwrap_err();
    let error = failed(&world);
    assert!(matches!(&error, UpkeepError::Fault(_)) && error.to_string().contains("tags.ndjson"), "{error}");
    world.retag();
    let folder = world.book().kept_folder(&chain());
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(upkeep::RULINGS_FILE), "{\"order\":\"retract\"}\n").unwrap();
    let error = failed(&world);
    assert!(error.to_string().contains("rulings.ndjson: line 1"), "{error}");
    fs::remove_file(folder.join(upkeep::RULINGS_FILE)).unwrap();
    world.bring_up();
    assert!(world.kept().as_of().is_whole());
    let missing = ledger::LedgerId::parse("bitcoin").unwrap();
    assert!(upkeep::bring_up(&world.book(), &missing, &mut |_| true).is_err());
    let _other_writer = world.book().annex_writer(&chain(), &OTHER).unwrap();
    let error = failed(&world);
    assert!(error.to_string().contains("another process"), "{error}");
}

/// An annex in the same place, for its lock.
const OTHER: book::AnnexSpec =
    book::AnnexSpec { name: "holders", version: u32::MAX, columns: &[], tables: &[], blobs: &[] };

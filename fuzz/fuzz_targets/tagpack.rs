//! Tag packs and actor packs: a bad entry is one clear fault and never spoils the rest; texts are there and bounded.
#![no_main]

use decode::Fault;
use decode::tagpack::{self, CONTEXT_BYTES_MAX, FAULTS_MAX, Pack, TEXT_BYTES_MAX};
use ledger::address::HOLDER_BYTES_MAX;
use libfuzzer_sys::fuzz_target;
use tracehound_fuzz::assert_message;

fuzz_target!(|data: &[u8]| match tagpack::parse(data) {
    Ok(Pack::Tags(read)) => {
        check_faults(&read.faults);
        for tag in &read.pack.tags {
            check_text(&tag.address, HOLDER_BYTES_MAX);
            check_text(&tag.label, TEXT_BYTES_MAX);
            assert!(tag.context.as_ref().is_none_or(|context| context.len() <= CONTEXT_BYTES_MAX));
        }
    }
    Ok(Pack::Actors(read)) => {
        check_faults(&read.faults);
        for actor in &read.pack.actors {
            check_text(&actor.id, TEXT_BYTES_MAX);
            check_text(&actor.label, TEXT_BYTES_MAX);
        }
    }
    Err(fault) => assert_message(&fault),
});

fn check_faults(faults: &[Fault]) {
    // One more says that there are more.
    assert!(faults.len() <= FAULTS_MAX + 1);
    faults.iter().for_each(assert_message);
}

fn check_text(text: &str, bytes_max: usize) {
    assert!(!text.trim().is_empty() && text.len() <= bytes_max, "{text:?} has {} bytes", text.len());
}

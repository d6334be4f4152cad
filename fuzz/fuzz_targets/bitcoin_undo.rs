//! Undo data, from files and from REST: what is read is no more than the bytes can hold, and each script has its lock.
#![no_main]

use decode::bitcoin::{Problem, Undo, VALUE_UNITS_MAX, spent_outputs, undo};
use ledger::Lock;
use ledger::network::NETWORKS;
use libfuzzer_sys::fuzz_target;
use tracehound_fuzz::assert_message;

fuzz_target!(|data: &[u8]| {
    for network in [&NETWORKS[0], &NETWORKS[5]] {
        check(data, &undo(data, network));
    }
    check(data, &spent_outputs(data));
});

fn check(data: &[u8], read: &Result<Undo<'_>, Problem>) {
    let undo = match read {
        Ok(undo) => undo,
        Err(problem) => {
            assert!(problem.offset() <= data.len(), "the place is in the bytes");
            return assert_message(problem);
        }
    };
    assert!(undo.spent().len() <= data.len() / 3 && undo.transaction_count() <= data.len());
    assert_eq!(undo.transactions().map(<[_]>::len).sum::<usize>(), undo.spent().len());
    for spent in undo.spent() {
        assert!(spent.value_units <= VALUE_UNITS_MAX);
        assert_eq!(spent.script.lock(), spent.script.script().map(|script| Lock::of_script(&script)));
    }
}

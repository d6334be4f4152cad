//! Tags from tables, wallet lists, tables of categories, and what the book keeps of tags and actors: claims or one clear
//! fault, and what was read is kept and read again as the same.
#![no_main]

use decode::tagpack::{Pack, parse};
use know::{Actors, Claim, Rules, Stops};
use libfuzzer_sys::fuzz_target;
use tracehound_fuzz::assert_message;

fuzz_target!(|data: &[u8]| {
    let rules = Rules::default();
    for read in [know::from_csv(data, "fuzz", &rules), know::from_wallet_list(data, "fuzz")] {
        match read {
            Ok(claims) => check(claims),
            Err(fault) => assert_message(&fault),
        }
    }
    match know::from_ndjson(data) {
        Ok(claims) => check(claims),
        Err(fault) => assert_message(&fault),
    }
    if let Err(fault) = rules.clone().overridden_by(data) {
        assert_message(&fault);
    }
    match parse(data) {
        Ok(Pack::Tags(read)) => check(know::from_tag_pack(read.pack, "fuzz", &rules).0),
        Ok(Pack::Actors(read)) => {
            let (actors, faults) = know::from_actor_pack(read.pack, "fuzz", None);
            faults.iter().for_each(assert_message);
            let actors = Actors::default().with(actors);
            let mut kept = Vec::new();
            know::write_actors(&actors, &mut kept).expect("memory takes everything");
            assert_eq!(know::read_actors(&kept[..]).expect("what was written is read"), actors);
        }
        Err(fault) => assert_message(&fault),
    }
});

/// Claims are kept as they are, and contradictions among them have two sides.
fn check(claims: Vec<Claim>) {
    let claims = know::merged(claims, []);
    let kept = know::to_ndjson(&claims);
    assert_eq!(know::from_ndjson(kept.as_bytes()).expect("what was written is read"), claims);
    for conflict in Stops::default().conflicts(&claims) {
        assert!(conflict.sides.len() > 1, "{conflict:?}");
    }
}

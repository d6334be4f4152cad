//! Files of links: what is read is written and read again as the same, and each link keeps its name.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut links) = link::from_ndjson(bytes) else { return };
    let mut out = Vec::new();
    link::write_ndjson(&links, &mut out).expect("memory takes everything");
    let again = link::from_ndjson(out.as_slice()).expect("what was written is read");
    links.sort();
    assert_eq!(again, links);
    let merged = link::merged(links.clone(), links.clone(), false);
    assert!(merged.len() <= links.len());
});

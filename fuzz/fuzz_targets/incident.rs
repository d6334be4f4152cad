//! Incident files: what is read is written, and what is written reads as the same incident.
#![no_main]

use incident::Incident;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| match Incident::parse(data) {
    Ok(incident) => {
        let written = incident.to_yaml();
        let again = Incident::parse(&written).unwrap_or_else(|fault| panic!("{fault} in what was written:\n{written}"));
        assert_eq!(again.to_yaml(), written);
        assert_eq!(again.id, incident.id);
        assert_eq!(again.losses.len(), incident.losses.len());
    }
    Err(fault) => tracehound_fuzz::assert_message(&fault),
});

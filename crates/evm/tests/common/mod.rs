//! Where the recorded data is, and how it is cut into answers.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::PathBuf;

use serde_json::value::RawValue;

/// A file of the shared data; says loudly where it is missing, and then there is nothing to test.
pub fn shared(path: &str) -> Option<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    let text = std::fs::read_to_string(&root).ok();
    if text.is_none() {
        eprintln!("SKIPPED: {} is not there; this test has shown nothing", root.display());
    }
    text
}

/// The results of an array of JSON-RPC answers, as they stand.
pub fn results(answers: &str) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        result: &'a RawValue,
    }
    let answers: Vec<Answer<'_>> = serde_json::from_str(answers).expect("the recording is JSON");
    answers.into_iter().map(|answer| answer.result.get().to_owned()).collect()
}

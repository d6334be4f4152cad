//! Registry files, and what is made of lists: never a panic, and what is taken prints and decodes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use link::outside;
use link::registry::{Registry, guess};

fuzz_target!(|input: (&[u8], &[u8])| {
    let (file, data) = input;
    let mut registry = Registry::empty();
    if registry.add(file, "fuzz.yaml").is_ok() {
        assert_eq!(registry.protocols().len(), 1);
    }
    let _ = outside::read(data, &registry, None);
    if let Ok(made) = guess::guess("fuzz", &[guess::List { name: "fuzz.csv", bytes: data }]) {
        registry.add(made.yaml.as_bytes(), "made.yaml").expect("what was made can be read");
    }
});

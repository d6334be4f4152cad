//! Decimals: what is read prints and reads again as the same number, and no digit is lost on the way to base units.
#![no_main]

use libfuzzer_sys::fuzz_target;
use money::{Decimal, SCALE_MAX};

fuzz_target!(|text: &str| {
    for decimal in [Decimal::parse(text), Decimal::parse_scientific(text)].into_iter().flatten() {
        let printed = decimal.to_string();
        let again = Decimal::parse(&printed).expect("what this room prints, it reads");
        assert_eq!(again.trimmed(), decimal.trimmed(), "{text:?} printed as {printed}");
        assert_eq!(again.to_string(), printed, "the printed form is the shortest already");
        for scale in [decimal.scale(), SCALE_MAX] {
            if let Ok(amount) = decimal.to_amount(scale) {
                let back = Decimal::new(amount.units(), scale);
                assert_eq!(back.to_string(), printed, "{text:?} at {scale} decimals");
            }
        }
    }
});

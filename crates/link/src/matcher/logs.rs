//! Logarithms in thousandths of a nat, from integers alone, and their way back.
//!
//! Scores are sums of logarithms. Made of whole numbers they are the same on every machine; the standard library's
//! logarithm is not promised to be. The way back is a product of constants, which rounds alike everywhere too.

/// The logarithm's fraction has so many bits.
const FRACTION_BITS: u32 = 14;
/// ln 2 in billionths of a thousandth: thousandths of a nat in a bit.
const MILLINATS_A_BIT_MILLIONTHS: i64 = 693_147_181;

/// The logarithm to base 2, in 2^-14; of zero: that of one half.
fn log2_parts(value: u64) -> i64 {
    if value == 0 {
        return -(1 << FRACTION_BITS);
    }
    let zeros = value.leading_zeros();
    let mut mantissa = value << zeros;
    let mut result = i64::from(63 - zeros);
    for _ in 0..FRACTION_BITS {
        let square = u128::from(mantissa) * u128::from(mantissa);
        let above_two = square >> 127 == 1;
        let shifted = if above_two { square >> 64 } else { square >> 63 };
        mantissa = u64::try_from(shifted).expect("a square of 64 bits has 128, and its upper half fits");
        result = result << 1 | i64::from(above_two);
    }
    result
}

/// ln(`parts` / `whole`) in thousandths of a nat. Zero counts as one half, so that no score is infinite.
pub fn ln_ratio(parts: u64, whole: u64) -> i32 {
    let bits = log2_parts(parts) - log2_parts(whole);
    let millinats = ((bits * MILLINATS_A_BIT_MILLIONTHS) >> FRACTION_BITS) / 1_000_000;
    i32::try_from(millinats).expect("64 bits are less than 45 nats")
}

/// e to the power of 0.001, 0.002, 0.004, … 32.768.
const POWERS: [f64; 16] = [
    1.001_000_500_166_708_4,
    1.002_002_001_334_000_3,
    1.004_008_010_677_342,
    1.008_032_085_504_273_5,
    1.016_128_685_406_095,
    1.032_517_505_305_118_3,
    1.066_092_398_761_505_2,
    1.136_553_002_697_060_3,
    1.291_752_727_939_704,
    1.668_625_110_139_667,
    2.784_309_758_188_615_4,
    7.752_380_829_544_346,
    60.099_408_526_286_68,
    3_611.938_905_209_500_3,
    13_046_102.654_966_002,
    170_200_794_483_911.0,
];

/// e to that power; outside of ±65 nats, that of ±65.
pub fn exp(millinats: i32) -> f64 {
    let size = millinats.unsigned_abs().min(65_000);
    let product = POWERS
        .iter()
        .enumerate()
        .filter(|(bit, _)| size >> bit & 1 == 1)
        .fold(1.0, |product, (_, power)| product * power);
    if millinats < 0 { 1.0 / product } else { product }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_agree_with_the_standard_librarys() {
        for (parts, whole) in [(1, 1), (1, 2), (3, 7), (1_000_000, 3), (1, u64::MAX), (999_999, 1_000_000)] {
            #[expect(clippy::cast_precision_loss, reason = "a comparison within a thousandth")]
            let expected = (parts as f64 / whole as f64).ln() * 1000.0;
            assert!((f64::from(ln_ratio(parts, whole)) - expected).abs() <= 1.5, "{parts}/{whole}");
        }
        assert_eq!(ln_ratio(0, 1), -693);
    }

    #[test]
    fn powers_agree_with_the_standard_librarys() {
        for millinats in [0, 1, -1, 5, 693, -2302, 25_000, -25_000, 64_999] {
            let expected = (f64::from(millinats) / 1000.0).exp();
            assert!((exp(millinats) / expected - 1.0).abs() < 1e-12, "{millinats}");
        }
        assert!(exp(i32::MAX) <= exp(65_000));
        assert!(exp(i32::MIN) > 0.0);
    }
}

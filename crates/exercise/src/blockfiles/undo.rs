//! Undo data: what a block spends, as `rev*.dat` holds it. Core's variable-length integers, amounts and scripts, packed.
//!
//! It writes and does not read. Source of the form: Bitcoin Core's `src/serialize.h` (`VARINT`), `src/compressor.cpp`
//! and `src/undo.h`.

/// Kinds of packed scripts that stand before the lengths: a length is written with this added.
const SPECIAL_SCRIPTS: u64 = 6;

/// Appends a count as transactions and blocks have it ("compact size").
pub fn compact_size(bytes: &mut Vec<u8>, count: u64) {
    let [b0, b1, b2, b3, ..] = count.to_le_bytes();
    match count {
        0..=0xfc => bytes.push(b0),
        0xfd..=0xffff => bytes.extend([0xfd, b0, b1]),
        0x1_0000..=0xffff_ffff => bytes.extend([0xfe, b0, b1, b2, b3]),
        _ => {
            bytes.push(0xff);
            bytes.extend(count.to_le_bytes());
        }
    }
}

/// Appends an integer in base 128, high digits first, each digit but the last one less than it stands for: so that
/// every integer has one form only.
pub fn var_int(bytes: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 10];
    let mut first = 9;
    digits[9] = (value & 0x7f) as u8;
    while value > 0x7f {
        value = (value >> 7) - 1;
        first -= 1;
        digits[first] = (value & 0x7f) as u8 | 0x80;
    }
    bytes.extend_from_slice(&digits[first..]);
}

/// An amount with its trailing zeros folded away, since people pay round amounts.
pub fn compress_amount(mut value_sats: u64) -> u64 {
    if value_sats == 0 {
        return 0;
    }
    let mut zeros = 0;
    while value_sats.is_multiple_of(10) && zeros < 9 {
        value_sats /= 10;
        zeros += 1;
    }
    if zeros < 9 { 1 + (value_sats / 10 * 9 + value_sats % 10 - 1) * 10 + zeros } else { 1 + (value_sats - 1) * 10 + 9 }
}

/// Appends a script, packed. `on_curve` says of the 65 bytes of an uncompressed key whether it is a point of the curve:
/// the only ones that can be packed are those that can be computed back.
pub fn script(bytes: &mut Vec<u8>, script: &[u8], on_curve: impl Fn(&[u8]) -> bool) {
    match *script {
        [0x76, 0xa9, 20, ref hash @ .., 0x88, 0xac] if hash.len() == 20 => {
            bytes.push(0);
            bytes.extend_from_slice(hash);
        }
        [0xa9, 20, ref hash @ .., 0x87] if hash.len() == 20 => {
            bytes.push(1);
            bytes.extend_from_slice(hash);
        }
        [33, sign @ (2 | 3), ref x @ .., 0xac] if x.len() == 32 => {
            bytes.push(sign);
            bytes.extend_from_slice(x);
        }
        [65, ref key @ .., 0xac] if key.len() == 65 && key[0] == 4 && on_curve(key) => {
            bytes.push(4 | (key[64] & 1));
            bytes.extend_from_slice(&key[1..33]);
        }
        _ => {
            var_int(bytes, script.len() as u64 + SPECIAL_SCRIPTS);
            bytes.extend_from_slice(script);
        }
    }
}

/// Where a spent output came from, and what it held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent<'a> {
    /// The height of the block that made it.
    pub height: u32,
    /// Whether that was a coinbase's.
    pub coinbase: bool,
    /// What it held.
    pub value_sats: u64,
    /// Its script.
    pub script: &'a [u8],
}

/// Appends a spent output.
pub fn spent(bytes: &mut Vec<u8>, spent: Spent<'_>, on_curve: impl Fn(&[u8]) -> bool) {
    var_int(bytes, u64::from(spent.height) * 2 + u64::from(spent.coinbase));
    if spent.height > 0 {
        // Where old nodes kept the transaction's version.
        bytes.push(0);
    }
    var_int(bytes, compress_amount(spent.value_sats));
    script(bytes, spent.script, on_curve);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_the_form_that_core_documents() {
        // The table in the comment above VARINT in src/serialize.h.
        for (value, form) in [
            (0, &[0x00][..]),
            (1, &[0x01]),
            (127, &[0x7f]),
            (128, &[0x80, 0x00]),
            (255, &[0x80, 0x7f]),
            (256, &[0x81, 0x00]),
            (16_383, &[0xfe, 0x7f]),
            (16_384, &[0xff, 0x00]),
            (16_511, &[0xff, 0x7f]),
            (65_535, &[0x82, 0xfe, 0x7f]),
            (1 << 32, &[0x8e, 0xfe, 0xfe, 0xff, 0x00]),
            (u64::MAX, &[0x80, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0x7f]),
        ] {
            let mut bytes = Vec::new();
            var_int(&mut bytes, value);
            assert_eq!(bytes, form, "{value}");
        }
    }

    #[test]
    fn amounts_are_folded_as_core_folds_them() {
        // The table in src/test/compress_tests.cpp.
        let pairs = [
            (0, 0),
            (1, 1),
            (1_000_000, 7),
            (100_000_000, 9),
            (5_000_000_000, 50),
            (2_100_000_000_000_000, 21_000_000),
        ];
        for (value_sats, folded) in pairs {
            assert_eq!(compress_amount(value_sats), folded, "{value_sats}");
        }
    }

    #[test]
    fn scripts_of_each_kind_are_packed() {
        let packed = |text: &[u8], on_curve: bool| {
            let mut bytes = Vec::new();
            script(&mut bytes, text, |_| on_curve);
            bytes
        };
        let key_hash = [&[0x76, 0xa9, 20][..], &[9; 20], &[0x88, 0xac]].concat();
        assert_eq!(packed(&key_hash, false), [&[0][..], &[9; 20]].concat());
        let script_hash = [&[0xa9, 20][..], &[9; 20], &[0x87]].concat();
        assert_eq!(packed(&script_hash, false), [&[1][..], &[9; 20]].concat());
        let key = [&[33, 3][..], &[9; 32], &[0xac]].concat();
        assert_eq!(packed(&key, false), [&[3][..], &[9; 32]].concat());
        let long = [&[65, 4][..], &[9; 64], &[0xac]].concat();
        assert_eq!(packed(&long, true), [&[5][..], &[9; 32]].concat());
        assert_eq!(packed(&long, false), [&[67 + 6][..], &long].concat());
        assert_eq!(packed(&[], false), [6]);
        let wide = vec![0x51; 200];
        assert_eq!(packed(&wide, false), [&[0x80, 78][..], &wide].concat());
    }
}

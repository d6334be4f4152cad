//! How undo data writes amounts and scripts: the common ones in fewer bytes.
//!
//! An uncompressed public key is kept without its y, which takes a square root modulo the curve's prime to get back;
//! that is done when somebody asks for the script, and not before.

use std::borrow::Cow;

use ledger::Lock;
use ruint::aliases::U256;
use ruint::uint;

use super::Problem;
use super::cursor::Cursor;

/// How many of the first numbers stand for kinds of scripts instead of lengths.
const KINDS: u64 = 6;
/// The prime of secp256k1: 2^256 − 2^32 − 977.
const PRIME: U256 = uint!(0xffffffff_ffffffff_ffffffff_ffffffff_ffffffff_ffffffff_fffffffe_fffffc2f_U256);

/// What 2^256 leaves when it is divided by the prime.
const REST_OF_2_256: u64 = (1 << 32) + 977;
/// What times the prime leaves −1 modulo 2^64.
const PRIME_INVERSE: u64 = 0xd838_091d_d225_3531;

/// The script of a spent output, as its source wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpentScript<'a> {
    /// Pays to the hash of a public key.
    KeyHash(&'a [u8; 20]),
    /// Pays to the hash of a script.
    ScriptHash(&'a [u8; 20]),
    /// Pays to a compressed public key: 2 or 3, and x.
    Key {
        /// Whether y is odd.
        odd: bool,
        /// The x coordinate.
        x: &'a [u8; 32],
    },
    /// Pays to an uncompressed public key, of which only x and the parity of y are kept.
    UncompressedKey {
        /// Whether y is odd.
        odd: bool,
        /// The x coordinate.
        x: &'a [u8; 32],
    },
    /// Any script, as it is.
    Plain(&'a [u8]),
}

impl<'a> SpentScript<'a> {
    #[inline]
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Problem> {
        const FIELD: &str = "a spent output's script";
        let start = cursor.offset();
        Ok(match cursor.varint(FIELD)? {
            0 => Self::KeyHash(cursor.array(FIELD)?),
            1 => Self::ScriptHash(cursor.array(FIELD)?),
            kind @ (2 | 3) => Self::Key { odd: kind == 3, x: cursor.array(FIELD)? },
            kind @ (4 | 5) => Self::UncompressedKey { odd: kind == 5, x: cursor.array(FIELD)? },
            number => match usize::try_from(number - KINDS) {
                Ok(length) if length <= cursor.left() => Self::Plain(cursor.take(length, FIELD)?),
                _ => {
                    let what = format!("{FIELD}: {} bytes of {} that are left", number - KINDS, cursor.left());
                    return Err(Problem::new(start, what));
                }
            },
        })
    }

    /// The script itself; `None` where it names a public key that is not on the curve.
    pub fn script(&self) -> Option<Cow<'a, [u8]>> {
        Some(match *self {
            Self::Plain(script) => Cow::Borrowed(script),
            Self::KeyHash(hash) => Cow::Owned([&[0x76, 0xa9, 0x14], &hash[..], &[0x88, 0xac]].concat()),
            Self::ScriptHash(hash) => Cow::Owned([&[0xa9, 0x14], &hash[..], &[0x87]].concat()),
            Self::Key { odd, x } => Cow::Owned(key_script(odd, x).to_vec()),
            Self::UncompressedKey { odd, x } => {
                let y = y_of(x, odd)?;
                Cow::Owned([&[65, 4], &x[..], &y[..], &[0xac]].concat())
            }
        })
    }

    /// The lock that the script is, without the heap for the common ones; `None` as for [`SpentScript::script`].
    pub fn lock(&self) -> Option<Lock> {
        Some(match *self {
            Self::Plain(script) => Lock::of_script(script),
            Self::KeyHash(hash) => {
                let mut script =
                    [0x76, 0xa9, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x88, 0xac];
                script[3..23].copy_from_slice(hash);
                Lock::of_script(&script)
            }
            Self::ScriptHash(hash) => {
                let mut script = [0xa9, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x87];
                script[2..22].copy_from_slice(hash);
                Lock::of_script(&script)
            }
            Self::Key { odd, x } => Lock::of_script(&key_script(odd, x)),
            Self::UncompressedKey { .. } => Lock::of_script(&self.script()?),
        })
    }
}

fn key_script(odd: bool, x: &[u8; 32]) -> [u8; 35] {
    let mut script = [0; 35];
    script[0] = 33;
    script[1] = 2 + u8::from(odd);
    script[2..34].copy_from_slice(x);
    script[34] = 0xac;
    script
}

/// The y of the given parity with y² = x³ + 7, big-endian; `None` where there is none.
fn y_of(x: &[u8; 32], odd: bool) -> Option<[u8; 32]> {
    let x = U256::from_be_bytes(*x);
    if x >= PRIME {
        return None;
    }
    // In Montgomery's form, in which a product takes no division: every number times 2^256.
    let form = |number: U256| product(number, U256::from(REST_OF_2_256).pow(U256::from(2)));
    let x = form(x);
    let square = product(product(x, x), x).add_mod(form(U256::from(7)), PRIME);
    // The prime is 3 modulo 4, so that the power of (p + 1) / 4 is a root of whatever has one.
    let exponent: U256 = (PRIME >> 2) + U256::ONE;
    let root = (0..254).rev().fold(form(U256::ONE), |power, bit| {
        let doubled = product(power, power);
        if exponent.bit(bit) { product(doubled, square) } else { doubled }
    });
    if product(root, root) != square {
        return None;
    }
    let root = product(root, U256::ONE);
    let y = if root.bit(0) == odd { root } else { PRIME - root };
    Some(y.to_be_bytes())
}

/// The product of two numbers in Montgomery's form.
fn product(one: U256, other: U256) -> U256 {
    one.mul_redc(other, PRIME, PRIME_INVERSE)
}

/// The amount that a compressed number stands for: digits, and how many zeros follow them. `None` where it is more than
/// an output may hold.
pub(super) fn amount(compressed: u64) -> Option<u64> {
    if compressed == 0 {
        return Some(0);
    }
    let rest = compressed - 1;
    let (zeros, rest) = (rest % 10, rest / 10);
    let digits = if zeros < 9 { (rest / 9).checked_mul(10)?.checked_add(rest % 9 + 1)? } else { rest.checked_add(1)? };
    let zeros = u32::try_from(zeros).expect("a remainder of ten is small");
    digits.checked_mul(10_u64.pow(zeros)).filter(|amount| *amount <= super::VALUE_UNITS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From Bitcoin Core's `compress_tests.cpp`.
    #[test]
    fn amounts_are_what_the_node_compressed() {
        let coin = 100_000_000;
        let cases =
            [(0, 0), (1, 0x1), (1_000_000, 0x7), (coin, 0x9), (50 * coin, 0x32), (21_000_000 * coin, 0x0140_6f40)];
        for (sats, compressed) in cases {
            assert_eq!(amount(compressed), Some(sats));
        }
        assert_eq!(amount(u64::MAX), None);
        assert!((0..100_000).all(|number| amount(number).is_some()));
    }

    /// The curve's generator, from SEC 2.
    #[test]
    fn the_other_coordinate_of_a_key_is_found() {
        let hex = |text: &str| {
            ledger::txid_bytes(text).map(|mut bytes| {
                bytes.reverse();
                bytes
            })
        };
        let x = hex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798").unwrap();
        let y = hex("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8").unwrap();
        assert_eq!(y_of(&x, false), Some(y));
        let other = (PRIME - U256::from_be_bytes(y)).to_be_bytes();
        assert_eq!(y_of(&x, true), Some(other));
        let script = SpentScript::UncompressedKey { odd: true, x: &x }.script().unwrap();
        assert_eq!(script.as_ref(), [&[65, 4], &x[..], &other[..], &[0xac]].concat());
        let mut off = [0; 32];
        off[31] = 5; // 5³ + 7 has no root
        assert_eq!(y_of(&off, false), None);
        assert_eq!(y_of(&[0xff; 32], false), None);
        assert_eq!(SpentScript::UncompressedKey { odd: true, x: &off }.lock(), None);
    }

    #[test]
    fn a_lock_is_the_lock_of_the_script() {
        let plain = [0x51; 40];
        for script in [
            SpentScript::KeyHash(&[7; 20]),
            SpentScript::ScriptHash(&[7; 20]),
            SpentScript::Key { odd: false, x: &[7; 32] },
            SpentScript::Key { odd: true, x: &[7; 32] },
            SpentScript::Plain(&plain),
        ] {
            assert_eq!(script.lock(), Some(Lock::of_script(&script.script().unwrap())));
        }
    }
}

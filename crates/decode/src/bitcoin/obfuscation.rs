//! [`Obfuscation`]: the key that a node's block files are masked with (XOR), so that virus scanners do not take offence at what
//! strangers wrote into the chain. It is no secret: it lies beside the files in `xor.dat`.

/// The bytes of `xor.dat`.
const KEY_BYTES: usize = 8;

/// A key, over and over along a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Obfuscation([u8; KEY_BYTES]);

impl Obfuscation {
    /// Files as they are.
    pub const NONE: Self = Self([0; KEY_BYTES]);

    /// With this key.
    pub const fn new(key: [u8; KEY_BYTES]) -> Self {
        Self(key)
    }

    /// The key that is all of a `xor.dat`; `None` where that does not have 8 bytes.
    pub fn of_file(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Takes the key off bytes that stand at a position of their file, or puts it on.
    pub fn apply(self, position: u64, bytes: &mut [u8]) {
        if self == Self::NONE {
            return;
        }
        let mut key = self.0;
        key.rotate_left(usize::try_from(position % KEY_BYTES as u64).expect("a remainder of eight is small"));
        let word = u64::from_ne_bytes(key);
        let (words, rest) = bytes.as_chunks_mut::<KEY_BYTES>();
        for bytes in words {
            *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
        }
        for (byte, key) in rest.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_meets_the_key_byte_of_its_position() {
        let key = [1, 2, 3, 4, 5, 6, 7, 8];
        for position in 0..20_u64 {
            for length in 0..40 {
                let mut bytes = vec![0xa0; length];
                Obfuscation::new(key).apply(position, &mut bytes);
                let want: Vec<u8> =
                    (0..length).map(|at| 0xa0 ^ key[(usize::try_from(position).unwrap() + at) % 8]).collect();
                assert_eq!(bytes, want);
            }
        }
        assert_eq!(Obfuscation::of_file(&key), Some(Obfuscation::new(key)));
        assert_eq!(Obfuscation::of_file(&key[1..]), None);
    }
}

//! [`Locks`]: the scripts of a scale chain, and what spends them, as pure functions of seed and number.
//!
//! Responsible for shapes: every kind of script, with unlocking data of the right form and length. Nothing is signed:
//! signatures and hashes are noise, and nobody checks scripts here. How often a kind occurs is decided here too.

use bech32::{Hrp, segwit};

use crate::dice::{Dice, mixed};

/// The number of the one lock that anybody can open and that pays for a transaction's fee later: pay to anchor.
pub const ANCHOR: u32 = u32::MAX - 1;
/// The number of outputs that hold data and nothing else.
pub const DATA: u32 = u32::MAX;
/// Numbers below belong to services: much used, of kinds that have an address.
pub const SERVICES: u32 = 24;
/// The longest script made here, an `OP_RETURN` with 80 bytes.
pub const SCRIPT_BYTES_MAX: usize = 110;

/// Uncompressed keys. Real points, since undo data packs only those; no secret is known to any of them: x is the
/// first point at or after SHA-256 of "tracehound exercise point N".
#[rustfmt::skip]
const POINTS: [[u8; 65]; 4] = [
    [0x04, 0x37, 0xb2, 0xe3, 0x6f, 0xf7, 0x82, 0x63, 0x85, 0xd5, 0x08, 0xe6, 0x07, 0x95, 0x8b, 0x74, 0x1a, 0x03, 0x72, 0xb4, 0xb5, 0xf3, 0x5a, 0x98, 0x30, 0x0f, 0x06, 0xdc, 0x3c, 0x46, 0x6c, 0x96, 0x8a, 0x86, 0x11, 0xe9, 0x5e, 0xca, 0x9c, 0xb6, 0xdf, 0xe6, 0xd2, 0x82, 0x7f, 0xe0, 0x8c, 0x77, 0xab, 0x66, 0xe1, 0xa0, 0x6e, 0x34, 0xa6, 0x4f, 0x6c, 0xf5, 0x14, 0xca, 0x8a, 0xa9, 0x49, 0x25, 0x19],
    [0x04, 0x97, 0xe4, 0x79, 0x53, 0x80, 0x20, 0xfb, 0xe3, 0x42, 0xfb, 0x01, 0x70, 0x5d, 0x96, 0x8e, 0x0b, 0xa0, 0x41, 0x55, 0x3e, 0xea, 0xf3, 0x7a, 0x28, 0xb5, 0xbb, 0x07, 0x85, 0xd3, 0x1e, 0xa5, 0x28, 0xad, 0x2c, 0xd9, 0xf2, 0xdf, 0x22, 0x35, 0x90, 0xa7, 0xe0, 0x97, 0xc3, 0x86, 0xe3, 0x71, 0xbc, 0xae, 0xaf, 0x2c, 0xbf, 0x65, 0x24, 0x82, 0xe7, 0x13, 0x41, 0x2c, 0x4c, 0x42, 0x01, 0x5d, 0xc1],
    [0x04, 0x8e, 0x7d, 0x9b, 0xa8, 0xe6, 0x5c, 0x9d, 0xed, 0x87, 0xc0, 0x21, 0xb4, 0xb8, 0x71, 0x15, 0xf1, 0xc2, 0xcb, 0xb4, 0xfb, 0x43, 0x2e, 0x0f, 0x16, 0x7c, 0x02, 0xe1, 0xf5, 0x79, 0x01, 0xba, 0x95, 0x46, 0xbf, 0x90, 0xe2, 0x65, 0xcf, 0x9f, 0x91, 0x51, 0xbd, 0x13, 0x46, 0x4e, 0x0a, 0xe5, 0xee, 0x9b, 0x1c, 0x2c, 0xf4, 0x0e, 0xca, 0x95, 0xa4, 0xd6, 0x93, 0x2f, 0x48, 0x33, 0x14, 0x9e, 0xc4],
    [0x04, 0x76, 0x48, 0xb8, 0xc5, 0x44, 0x4e, 0xfd, 0xc6, 0x16, 0x16, 0x62, 0xd1, 0x60, 0x01, 0x5e, 0x3e, 0x3c, 0x6c, 0x38, 0x72, 0xaf, 0xdd, 0x2c, 0x92, 0x10, 0xf5, 0xec, 0xf2, 0x5b, 0x7d, 0x94, 0x06, 0x24, 0x6d, 0xba, 0x74, 0x92, 0x15, 0xd5, 0xb8, 0x45, 0x4d, 0x28, 0x94, 0x7d, 0x10, 0xf8, 0x44, 0xe9, 0x8f, 0x55, 0x7f, 0x41, 0xba, 0xb8, 0x06, 0xe0, 0xf9, 0x01, 0xbe, 0x08, 0xdf, 0xc1, 0x07],
];

/// Whether the 65 bytes of a key are one of those that are known to be points.
pub fn on_curve(key: &[u8]) -> bool {
    POINTS.iter().any(|point| point == key)
}

/// A kind of script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    WitnessKeyHash,
    Taproot,
    KeyHash,
    NestedKeyHash,
    ScriptHash,
    WitnessScriptHash,
    PublicKey,
    LongPublicKey,
    Multisig,
    Nonstandard,
    Anchor,
    Data,
}

impl Kind {
    /// Whether outputs of this kind have an address.
    pub const fn has_address(self) -> bool {
        !matches!(self, Self::PublicKey | Self::LongPublicKey | Self::Multisig | Self::Nonstandard | Self::Data)
    }
}

/// The locks of one seed.
#[derive(Clone, Copy, Debug)]
pub struct Locks {
    seed: u64,
}

impl Locks {
    pub fn new(seed: u64) -> Self {
        Self { seed: Dice::new(seed, "scale locks").word() }
    }

    /// What kind `number` is of. The shares are those that `docs/exercise.md` gives.
    pub const fn kind(self, number: u32) -> Kind {
        match number {
            ANCHOR => return Kind::Anchor,
            DATA => return Kind::Data,
            0..SERVICES => {
                return match number % 6 {
                    0 | 3 => Kind::WitnessKeyHash,
                    1 => Kind::Taproot,
                    2 => Kind::KeyHash,
                    4 => Kind::WitnessScriptHash,
                    _ => Kind::NestedKeyHash,
                };
            }
            _ => {}
        }
        match mixed(self.seed ^ number as u64) % 1000 {
            0..=309 => Kind::WitnessKeyHash,
            310..=789 => Kind::Taproot,
            790..=884 => Kind::KeyHash,
            885..=949 => Kind::NestedKeyHash,
            950..=967 => Kind::ScriptHash,
            968..=984 => Kind::WitnessScriptHash,
            985..=989 => Kind::PublicKey,
            990..=991 => Kind::LongPublicKey,
            992..=996 => Kind::Multisig,
            _ => Kind::Nonstandard,
        }
    }

    /// Noise that belongs to `number`: the same each time.
    fn noise<const N: usize>(self, number: u32, purpose: u64) -> [u8; N] {
        let mut noise = [0; N];
        let start = mixed(self.seed ^ (u64::from(number) << 8 | purpose));
        Dice::at(start).fill(&mut noise);
        noise
    }

    /// Appends a compressed public key, or what looks like one.
    fn key(self, number: u32, purpose: u64, bytes: &mut Vec<u8>) {
        let mut key: [u8; 33] = self.noise(number, purpose);
        key[0] = 2 | (key[0] & 1);
        bytes.extend_from_slice(&key);
    }

    /// Appends the script of `number`; `dice` fills data outputs.
    pub fn script(self, number: u32, dice: &mut Dice, script: &mut Vec<u8>) {
        match self.kind(number) {
            Kind::WitnessKeyHash => {
                script.extend_from_slice(&[0x00, 20]);
                script.extend_from_slice(&self.noise::<20>(number, 1));
            }
            Kind::Taproot => {
                script.extend_from_slice(&[0x51, 32]);
                script.extend_from_slice(&self.noise::<32>(number, 1));
            }
            Kind::KeyHash => {
                script.extend_from_slice(&[0x76, 0xa9, 20]);
                script.extend_from_slice(&self.noise::<20>(number, 1));
                script.extend_from_slice(&[0x88, 0xac]);
            }
            Kind::NestedKeyHash | Kind::ScriptHash => {
                script.extend_from_slice(&[0xa9, 20]);
                script.extend_from_slice(&self.noise::<20>(number, 1));
                script.push(0x87);
            }
            Kind::WitnessScriptHash => {
                script.extend_from_slice(&[0x00, 32]);
                script.extend_from_slice(&self.noise::<32>(number, 1));
            }
            Kind::PublicKey => {
                script.push(33);
                self.key(number, 2, script);
                script.push(0xac);
            }
            Kind::LongPublicKey => {
                script.push(65);
                script.extend_from_slice(&POINTS[number as usize % POINTS.len()]);
                script.push(0xac);
            }
            Kind::Multisig => self.multisig(number, 1, script),
            // A push, dropped, then true: anybody can spend it.
            Kind::Nonstandard => {
                script.push(8);
                script.extend_from_slice(&self.noise::<8>(number, 1));
                script.extend_from_slice(&[0x75, 0x51]);
            }
            Kind::Anchor => script.extend_from_slice(&[0x51, 2, 0x4e, 0x73]),
            Kind::Data => data(dice, script),
        }
    }

    /// Appends a script that wants `needed` of three signatures (of two, where it wants one).
    fn multisig(self, number: u32, needed: u8, script: &mut Vec<u8>) {
        let keys = needed + 1;
        script.push(0x50 + needed);
        for key in 0..keys {
            script.push(33);
            self.key(number, 2 + u64::from(key), script);
        }
        script.extend_from_slice(&[0x50 + keys, 0xae]);
    }

    /// Appends what spends `number`: the input's script to `script`, its stack to `witness`. Says whether the stack
    /// has anything on it.
    pub fn unlock(self, number: u32, dice: &mut Dice, script: &mut Vec<u8>, witness: &mut Vec<u8>) -> bool {
        match self.kind(number) {
            Kind::WitnessKeyHash => self.key_stack(number, dice, witness),
            Kind::NestedKeyHash => {
                script.extend_from_slice(&[22, 0x00, 20]);
                script.extend_from_slice(&self.noise::<20>(number, 7));
                self.key_stack(number, dice, witness)
            }
            Kind::Taproot => {
                self.taproot_stack(number, dice, witness);
                true
            }
            Kind::WitnessScriptHash => {
                witness.extend_from_slice(&[4, 0]);
                signature(dice, witness);
                signature(dice, witness);
                witness.push(105);
                self.multisig(number, 2, witness);
                true
            }
            kind => {
                match kind {
                    Kind::KeyHash => {
                        signature(dice, script);
                        script.push(33);
                        self.key(number, 2, script);
                    }
                    Kind::ScriptHash => {
                        script.push(0);
                        signature(dice, script);
                        signature(dice, script);
                        script.extend_from_slice(&[0x4c, 105]);
                        self.multisig(number, 2, script);
                    }
                    Kind::PublicKey | Kind::LongPublicKey => signature(dice, script),
                    Kind::Multisig => {
                        script.push(0);
                        signature(dice, script);
                    }
                    _ => {}
                }
                witness.push(0);
                false
            }
        }
    }

    fn key_stack(self, number: u32, dice: &mut Dice, witness: &mut Vec<u8>) -> bool {
        witness.push(2);
        signature(dice, witness);
        witness.push(33);
        self.key(number, 2, witness);
        true
    }

    /// Nineteen of twenty spend with the key, the others with a script one level down the tree.
    fn taproot_stack(self, number: u32, dice: &mut Dice, witness: &mut Vec<u8>) {
        let mut noise = [0; 64];
        dice.fill(&mut noise);
        if !dice.percent(5) {
            witness.extend_from_slice(&[1, 64]);
            witness.extend_from_slice(&noise);
            return;
        }
        witness.extend_from_slice(&[3, 64]);
        witness.extend_from_slice(&noise);
        witness.extend_from_slice(&[34, 32]);
        witness.extend_from_slice(&self.noise::<32>(number, 3));
        witness.extend_from_slice(&[0xac, 65, 0xc0]);
        witness.extend_from_slice(&self.noise::<64>(number, 4));
    }

    /// The address of `number`, where it has one.
    pub fn address(self, number: u32) -> Option<String> {
        let hrp = Hrp::parse("bcrt").expect("the regression-test network's prefix");
        let witness = |version, program: &[u8]| {
            segwit::encode(hrp, version, program).expect("a program of 2 to 40 bytes is an address")
        };
        let base58 = |prefix: u8| {
            let payload = [&[prefix][..], &self.noise::<20>(number, 1)].concat();
            bs58::encode(payload).with_check().into_string()
        };
        match self.kind(number) {
            Kind::WitnessKeyHash => Some(witness(segwit::VERSION_0, &self.noise::<20>(number, 1))),
            Kind::WitnessScriptHash => Some(witness(segwit::VERSION_0, &self.noise::<32>(number, 1))),
            Kind::Taproot => Some(witness(segwit::VERSION_1, &self.noise::<32>(number, 1))),
            Kind::Anchor => Some(witness(segwit::VERSION_1, &[0x4e, 0x73])),
            Kind::KeyHash => Some(base58(0x6f)),
            Kind::NestedKeyHash | Kind::ScriptHash => Some(base58(0xc4)),
            Kind::PublicKey | Kind::LongPublicKey | Kind::Multisig | Kind::Nonstandard | Kind::Data => None,
        }
    }
}

/// Appends `OP_RETURN` and up to 80 bytes.
fn data(dice: &mut Dice, script: &mut Vec<u8>) {
    let mut noise = [0; 80];
    let length = [20, 32, 40, 80][dice.index(4)];
    dice.fill(&mut noise[..length]);
    script.push(0x6a);
    if length > 75 {
        script.push(0x4c);
    }
    script.push(u8::try_from(length).expect("80 at most"));
    script.extend_from_slice(&noise[..length]);
}

/// Appends a length and what has the form of an ECDSA signature: DER, a low s, and the byte that says "all".
fn signature(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let mut noise = [0; 64];
    dice.fill(&mut noise);
    // An integer in DER is signed: half of all r need a zero in front. No integer begins with a zero that it can do
    // without.
    let high = noise[0] & 0x80 != 0;
    noise[0] |= 1;
    noise[32] = (noise[32] & 0x7f) | 1;
    let (length, r_length) = if high { (69, 33) } else { (68, 32) };
    bytes.extend_from_slice(&[length + 3, 0x30, length, 2, r_length]);
    if high {
        bytes.push(0);
    }
    bytes.extend_from_slice(&noise[..32]);
    bytes.extend_from_slice(&[2, 32]);
    bytes.extend_from_slice(&noise[32..]);
    bytes.push(1);
}

//! Seeded chance of whole numbers alone, so that a simulation is the same on every machine.

/// The generator of S. Vigna's `splitmix64`.
pub struct Chance(u64);

impl Chance {
    /// From a seed and what it is for.
    pub fn new(seed: u64, purpose: u64) -> Self {
        let mut chance = Self(seed ^ purpose.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        chance.next();
        chance
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// From zero to below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.next()) * u128::from(bound);
        u64::try_from(product >> 64).expect("less than the bound")
    }

    /// One of these.
    pub fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let len = u64::try_from(of.len()).expect("64 bits");
        &of[usize::try_from(self.below(len)).expect("64 bits")]
    }

    /// Whether something of so many in ten thousand happens.
    pub fn happens(&mut self, in_ten_thousand: u64) -> bool {
        self.below(10_000) < in_ten_thousand
    }

    /// A value of a distribution that is given by some of its quantiles: (in ten thousand, value), straight between them.
    pub fn quantile(&mut self, table: &[(u64, i64)]) -> i64 {
        let at = self.below(10_000);
        let after = table.iter().position(|(upper, _)| at < *upper).unwrap_or(table.len() - 1).max(1);
        let ((low, from), (high, to)) = (table[after - 1], table[after]);
        let signed = |part: u64| i64::try_from(part).expect("at most ten thousand");
        from + (to - from) * signed(at - low) / signed(high - low)
    }

    /// An address that nobody has.
    pub fn address(&mut self) -> String {
        format!("0x{:016x}{:016x}{:08x}", self.next(), self.next(), self.next() >> 32)
    }
}

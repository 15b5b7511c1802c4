//! A hash that is stable over restarts and releases: cache keys on disk and the assignment of
//! conversations in a split depend on it. The standard library guarantees this for none of its
//! hashes.

/// FNV-1a, 64 bits, with the finaliser of SplitMix64 (Steele et al. 2014), which spreads the hashes
/// of similar texts. Not for secrets and not safe against an adversary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StableHasher(u64);

impl StableHasher {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a text and its length, so that "ab" + "c" differs from "a" + "bc".
    pub(crate) fn write_text(self, text: &str) -> Self {
        self.write_number(text.len() as u64).write_bytes(text.as_bytes())
    }

    pub(crate) fn write_number(self, number: u64) -> Self {
        self.write_bytes(&number.to_le_bytes())
    }

    pub(crate) const fn finish(self) -> u64 {
        let word = self.0;
        let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// The upper 53 bits as a fraction, at least 0 and less than 1.
    pub(crate) fn unit_fraction(self) -> f64 {
        (self.finish() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn write_bytes(self, bytes: &[u8]) -> Self {
        let step =
            |state: u64, byte: &u8| (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self(bytes.iter().fold(self.0, step))
    }
}

//! Dice that a seed loads. Every test that plays seeds uses them.
#![allow(dead_code, reason = "not every test needs all of it")]

/// `SplitMix64`: a seed's numbers, the same on every machine.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(end).unwrap()).unwrap()
    }

    pub fn between(&mut self, first: i64, end: i64) -> i64 {
        first + i64::try_from(self.roll() % u64::try_from(end - first).unwrap()).unwrap()
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub fn happens(&mut self, percent: u64) -> bool {
        self.one_in(100, percent)
    }

    /// Whether it happens, so many times of `of`.
    pub fn one_in(&mut self, of: u64, times: u64) -> bool {
        self.roll() % of < times
    }
}

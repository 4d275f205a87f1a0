//! Where a run's chance comes from.

use std::fmt::{self, Debug};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A seeded random source: what a simulated user does is drawn from it, and
/// from nothing else, so that a seed gives the same run again, everywhere.
///
/// ```
/// use aper::collections::{Counter, CounterTransition};
/// use aper::testing::{Config, Random, simulate};
///
/// fn whim(random: &mut Random, seen: Option<&Counter>) -> CounterTransition {
///     match seen {
///         Some(counter) if counter.get() > 5 => Counter::set(0),
///         _ => Counter::add(random.below(3) as i64),
///     }
/// }
/// let run = || simulate(9, &Config::default(), Counter::default(), whim);
/// assert_eq!(run()?, run()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Random(ChaCha8Rng);

impl Random {
    /// The source of a seed.
    ///
    /// ```
    /// use aper::testing::Random;
    ///
    /// let [mut one, mut same] = [Random::of(7), Random::of(7)];
    /// assert_eq!([(); 9].map(|()| one.below(6)), [(); 9].map(|()| same.below(6)));
    /// ```
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `bound`.
    ///
    /// # Panics
    ///
    /// When `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    pub(super) fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

impl Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

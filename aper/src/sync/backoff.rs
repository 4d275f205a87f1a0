//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// Exponential back-off with full jitter: the `n`-th wait is anything between
/// nothing and `first * 2^n`, at most `longest`, so that the clients of a
/// server that restarts do not all come back at once.
///
/// After Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture
/// Blog, 2015, where full jitter needed the fewest attempts.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: u32,
}

impl Default for Backoff {
    /// Waits of up to half a second at first and up to 20 seconds in the end.
    fn default() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(20))
    }
}

impl Backoff {
    /// Waits of up to `first` at first and up to `longest` in the end.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, attempts: 0 }
    }

    /// The wait before the next attempt. `jitter` is a random number from 0
    /// to 1, which the caller draws.
    ///
    /// ```
    /// use aper::sync::Backoff;
    /// use std::time::Duration;
    /// let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
    /// let waits: Vec<_> = (0..4).map(|_| backoff.next_wait(1.0).as_secs()).collect();
    /// assert_eq!(waits, [1, 2, 4, 5]);
    /// assert_eq!(backoff.next_wait(0.0), Duration::ZERO);
    /// ```
    pub fn next_wait(&mut self, jitter: f64) -> Duration {
        let factor = 1u32.checked_shl(self.attempts).unwrap_or(u32::MAX);
        let bound = self.first.saturating_mul(factor).min(self.longest);
        self.attempts = (self.attempts + 1).min(31);
        bound.mul_f64(jitter.clamp(0.0, 1.0))
    }

    /// Begins anew: an attempt succeeded.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let mut backoff = aper::sync::Backoff::default();
    /// assert_eq!(backoff.next_wait(1.0), Duration::from_millis(500));
    /// assert_eq!(backoff.next_wait(1.0), Duration::from_secs(1));
    /// backoff.reset();
    /// assert_eq!(backoff.next_wait(1.0), Duration::from_millis(500));
    /// ```
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

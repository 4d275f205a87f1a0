//! How fast a client may send.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::limits::Limits;

/// Buckets of tokens, for messages, submissions and bytes, that fill at the rate
/// of the limits and hold a burst. Who has taken more than is there waits: the
/// socket is not read meanwhile, so the client's own sending comes to a halt,
/// and nobody has to be closed.
pub(super) struct Rate {
    messages: Bucket,
    submissions: Bucket,
    bytes: Bucket,
}

/// A bucket that is full at a time: a later time is a deeper debt.
struct Bucket {
    per_second: f64,
    burst: Duration,
    full_at: Instant,
}

impl Rate {
    pub(super) fn new(limits: &Limits) -> Self {
        let burst = Duration::from_secs(limits.burst_seconds.into());
        let bucket = |per_second: u32| Bucket {
            per_second: f64::from(per_second.max(1)),
            burst,
            full_at: Instant::now(),
        };
        Self {
            messages: bucket(limits.messages_per_second),
            submissions: bucket(limits.submissions_per_second),
            bytes: bucket(limits.bytes_per_second),
        }
    }

    /// Takes one message of so many bytes, and waits until that is paid for.
    pub(super) async fn take(&mut self, bytes: usize) {
        until(self.messages.take(1.0).max(self.bytes.take(bytes as f64))).await;
    }

    /// Takes what was in a message, and waits until that is paid for as well.
    pub(super) async fn take_submissions(&mut self, count: usize) {
        until(self.submissions.take(count as f64)).await;
    }
}

async fn until(paid: Instant) {
    if paid > Instant::now() {
        sleep_until(paid).await;
    }
}

impl Bucket {
    /// When the debt is paid.
    fn take(&mut self, tokens: f64) -> Instant {
        let now = Instant::now();
        self.full_at = self.full_at.max(now) + Duration::from_secs_f64(tokens / self.per_second);
        self.full_at.checked_sub(self.burst).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_what_follows_comes_at_the_rate() {
        let limits = Limits {
            messages_per_second: 10,
            submissions_per_second: 100,
            bytes_per_second: 1_000,
            burst_seconds: 2,
            ..Limits::default()
        };
        let mut rate = Rate::new(&limits);
        let start = Instant::now();
        for _ in 0..20 {
            rate.take(1).await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            rate.take(1).await;
        }
        assert_eq!(start.elapsed().as_secs(), 1);
        rate.take(5_000).await;
        assert_eq!(start.elapsed().as_secs(), 4);
        rate.take_submissions(200).await;
        assert_eq!(start.elapsed().as_secs(), 4);
        rate.take_submissions(300).await;
        assert_eq!(start.elapsed().as_secs(), 7);
    }
}

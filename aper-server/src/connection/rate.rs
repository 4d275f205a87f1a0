//! How fast a client may send.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::Limits;

/// Buckets of tokens, for messages and submissions, that fill at the rate of the
/// limits and hold a burst. Who has taken more than is there waits: the socket
/// is not read meanwhile, so the client's own sending comes to a halt, and
/// nobody has to be closed.
pub(super) struct Rate {
    messages: Bucket,
    submissions: Bucket,
}

/// A bucket that is full at a time: a later time is a deeper debt.
pub(super) struct Bucket {
    per_second: f64,
    burst: Duration,
    full_at: Instant,
}

impl Rate {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            messages: Bucket::new(limits.messages_per_second, limits.burst_seconds),
            submissions: Bucket::new(limits.submissions_per_second, limits.burst_seconds),
        }
    }

    /// Takes one message. Gives what to wait for until that is paid for: most
    /// clients never have to, and a timer is big.
    pub(super) fn take_message(&mut self) -> Option<Pin<Box<Sleep>>> {
        until(self.messages.take(1.0))
    }

    /// Takes what was in a message, which is to be paid for as well.
    pub(super) fn take_submissions(&mut self, count: usize) -> Option<Pin<Box<Sleep>>> {
        until(self.submissions.take(count as f64))
    }
}

fn until(paid: Instant) -> Option<Pin<Box<Sleep>>> {
    (paid > Instant::now()).then(|| Box::pin(sleep_until(paid)))
}

impl Bucket {
    /// A full one.
    pub(super) fn new(per_second: u32, burst_seconds: u32) -> Self {
        Self {
            per_second: f64::from(per_second.max(1)),
            burst: Duration::from_secs(burst_seconds.into()),
            full_at: Instant::now(),
        }
    }

    /// When the debt is paid.
    pub(super) fn take(&mut self, tokens: f64) -> Instant {
        let now = Instant::now();
        self.full_at = self.full_at.max(now) + Duration::from_secs_f64(tokens / self.per_second);
        self.full_at.checked_sub(self.burst).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn paid(until: Option<Pin<Box<Sleep>>>) {
        if let Some(until) = until {
            until.await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_what_follows_comes_at_the_rate() {
        let limits = Limits {
            messages_per_second: 10,
            submissions_per_second: 100,
            burst_seconds: 2,
            ..Limits::default()
        };
        let mut rate = Rate::new(&limits);
        let start = Instant::now();
        for _ in 0..20 {
            paid(rate.take_message()).await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            paid(rate.take_message()).await;
        }
        assert_eq!(start.elapsed().as_secs(), 1);
        paid(rate.take_submissions(200)).await;
        assert_eq!(start.elapsed().as_secs(), 1);
        paid(rate.take_submissions(300)).await;
        assert_eq!(start.elapsed().as_secs(), 4);
    }
}

//! The server's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aper::Timestamp;
use tokio::time::Instant;

/// Longest wait before a session looks at the clock again.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The time of day when the server was made, carried on by tokio's clock:
/// it never goes back, and a test that pauses tokio's clock pauses this one.
/// Steps of the system's clock after that are not followed, nor is the time
/// that the machine is suspended; its gradual corrections are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    made: Instant,
    made_at: Timestamp,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { made: Instant::now(), made_at: Timestamp::ZERO + since_epoch }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.made_at + self.made.elapsed()
    }

    /// When to look whether `at` has come: then, or within the hour. The
    /// moment itself is rounded up, so that it really has come.
    pub(crate) fn wait_for(&self, at: Timestamp) -> Instant {
        let now = Instant::now();
        let wait = at.saturating_since(self.made_at).saturating_sub(now - self.made);
        now + wait.min(LONGEST_WAIT)
    }
}

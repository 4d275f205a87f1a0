//! When clients are asked what their state comes to, so that a machine that is
//! not deterministic is found out and not suffered.

use super::image::Image;
use crate::limits;

/// Counts the work between two checks. A check costs each client, and the
/// server, one pass over the state; it has to be small against the entries
/// since the last, which cost an `apply` each.
#[derive(Debug)]
pub(super) struct Checks {
    /// Entries between two checks, at least.
    after: u64,
    entries: u64,
    /// Length of the encoded state, as it was last known.
    state_bytes: u64,
    last: Option<Image>,
}

impl Checks {
    pub(super) fn new(state_bytes: u64) -> Self {
        Self { after: limits::ENTRIES_PER_CHECK, entries: 0, state_bytes, last: None }
    }

    #[cfg(feature = "testing")]
    pub(super) fn set_after(&mut self, entries: u64) {
        self.after = entries;
    }

    pub(super) fn accepted(&mut self) {
        self.entries += 1;
    }

    /// Whether there was enough work since the last. While nobody has worked
    /// out what the last came to, there is no other.
    pub(super) fn is_due(&mut self) -> bool {
        if self.entries < self.after {
            return false;
        }
        if let Some(last) = &self.last {
            let Some(Ok(digest)) = last.known_digest() else { return false };
            self.state_bytes = digest.bytes;
            self.last = None;
        }
        self.entries >= self.state_bytes.saturating_mul(limits::ENTRIES_PER_CHECKED_BYTE)
    }

    pub(super) fn begin(&mut self, image: &Image) {
        self.entries = 0;
        self.last = Some(image.clone());
    }
}

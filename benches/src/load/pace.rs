//! When who sends.

use std::ops::Range;

/// Mutations at an even pace, one client after the other.
pub(super) struct Pace {
    clients: Range<usize>,
    every: u64,
    next_at: Option<u64>,
    turn: usize,
}

impl Pace {
    /// Each of `clients` sends so many in a second.
    pub(super) fn new(clients: Range<usize>, per_second: f64) -> Self {
        let every = (1e9 / (per_second * clients.len() as f64)).max(1.0) as u64;
        Self { clients, every, next_at: None, turn: 0 }
    }

    /// Who sends one now, if anybody.
    pub(super) fn due(&mut self, now: u64) -> Option<usize> {
        let at = self.next_at.get_or_insert(now);
        if *at > now {
            return None;
        }
        *at += self.every;
        self.turn = (self.turn + 1) % self.clients.len();
        Some(self.clients.start + self.turn)
    }
}

//! What one client was refused of late, for the case that it never got to know.

use std::collections::VecDeque;

use crate::id::ClientSeq;
use crate::limits;
use crate::protocol::{Payload, RefusalMessage, Rejection};

/// A client's latest refusals, in the order in which they came about.
///
/// Adding one, and seeing that a new submission is none of them, is O(1): a
/// client that is refused over and over costs no more than another.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    rejections: VecDeque<Rejection>,
    /// What they hold of conflicts.
    bytes: usize,
    /// None is of a higher number.
    highest: ClientSeq,
}

impl Refusals {
    pub(super) fn recover(rejections: Vec<Rejection>) -> Self {
        let mut refusals = Self::default();
        for rejection in rejections {
            refusals.push(rejection);
        }
        refusals
    }

    /// Adds one, and forgets the oldest. No client waits for the answers to more
    /// submissions than the window has room for; and a conflict may repeat all
    /// that a client sent.
    pub(super) fn push(&mut self, rejection: Rejection) {
        self.highest = self.highest.max(rejection.seq);
        self.bytes += bytes(&rejection);
        self.rejections.push_back(rejection);
        while self.bytes > limits::REMEMBERED_REFUSAL_BYTES
            || self.rejections.len() > limits::UNANSWERED_SUBMISSIONS as usize
        {
            let Some(oldest) = self.rejections.pop_front() else { break };
            self.bytes -= bytes(&oldest);
        }
    }

    pub(super) fn get(&self, seq: ClientSeq) -> Option<&Rejection> {
        if seq > self.highest {
            return None;
        }
        self.rejections.iter().find(|rejection| rejection.seq == seq)
    }

    pub(super) fn remove(&mut self, seq: ClientSeq) {
        if seq <= self.highest {
            self.retain(|rejection| rejection.seq != seq);
        }
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Rejection) -> bool) {
        self.rejections.retain(|rejection| keep(rejection));
        self.bytes = self.rejections.iter().map(bytes).sum();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Rejection> {
        self.rejections.iter()
    }
}

fn bytes(rejection: &Rejection) -> usize {
    match &rejection.refusal {
        RefusalMessage::Conflict(Payload(bytes)) => bytes.len(),
        RefusalMessage::Panicked | RefusalMessage::Unavailable => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(seq: u64, bytes: usize) -> Rejection {
        let refusal = RefusalMessage::Conflict(Payload(vec![0; bytes]));
        Rejection { seq: ClientSeq(seq), refusal }
    }

    fn numbers(refusals: &Refusals) -> Vec<u64> {
        refusals.iter().map(|rejection| rejection.seq.0).collect()
    }

    #[test]
    fn the_latest_are_kept_as_far_as_there_is_room() {
        let mut refusals = Refusals::default();
        let window = u64::from(limits::UNANSWERED_SUBMISSIONS);
        for seq in 1..=window + 2 {
            refusals.push(rejection(seq, 1));
        }
        assert_eq!(numbers(&refusals), (3..=window + 2).collect::<Vec<_>>());
        refusals.push(rejection(window + 3, limits::REMEMBERED_REFUSAL_BYTES - 1));
        assert_eq!(numbers(&refusals), [window + 2, window + 3]);
        refusals.push(rejection(window + 4, limits::REMEMBERED_REFUSAL_BYTES + 1));
        assert_eq!(numbers(&refusals), []);
    }

    #[test]
    fn one_is_found_by_its_number_whatever_the_order() {
        let mut refusals = Refusals::recover(vec![rejection(5, 1), rejection(4, 1)]);
        let found = |refusals: &Refusals, seq| refusals.get(ClientSeq(seq)).is_some();
        assert_eq!([3, 4, 5, 6].map(|seq| found(&refusals, seq)), [false, true, true, false]);
        refusals.remove(ClientSeq(5));
        assert_eq!([4, 5].map(|seq| found(&refusals, seq)), [true, false]);
        refusals.retain(|rejection| rejection.seq > ClientSeq(4));
        assert_eq!((numbers(&refusals), refusals.bytes), (vec![], 0));
    }
}

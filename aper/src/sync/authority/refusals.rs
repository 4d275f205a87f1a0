//! What one client was refused of late, for the case that it never got to know.

use std::collections::VecDeque;

use crate::id::ClientSeq;
use crate::limits;
use crate::protocol::{Payload, RefusalMessage, Rejection};

/// A client's latest refusals, in the order in which they came about.
///
/// Adding one, and seeing that a new submission is none of them, is O(1) and
/// takes no memory of its own: a client that is refused over and over costs no
/// more than another.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    refused: VecDeque<(ClientSeq, Kind)>,
    /// The conflicts, one after the other.
    conflicts: VecDeque<u8>,
    /// None is of a higher number.
    highest: ClientSeq,
}

/// [`RefusalMessage`], the bytes being elsewhere.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Conflict { bytes: usize },
    Panicked,
    Unavailable,
}

impl Refusals {
    pub(super) fn recover(rejections: &[Rejection]) -> Self {
        let mut refusals = Self::default();
        rejections.iter().for_each(|rejection| refusals.push(rejection));
        refusals
    }

    /// Adds one, and forgets the oldest. No client waits for the answers to more
    /// submissions than the window has room for; and a conflict may repeat all
    /// that a client sent.
    pub(super) fn push(&mut self, rejection: &Rejection) {
        let conflict: &[u8] = match &rejection.refusal {
            RefusalMessage::Conflict(Payload(bytes)) => bytes,
            RefusalMessage::Panicked | RefusalMessage::Unavailable => &[],
        };
        let kind = match &rejection.refusal {
            RefusalMessage::Conflict(_) => Kind::Conflict { bytes: conflict.len() },
            RefusalMessage::Panicked => Kind::Panicked,
            RefusalMessage::Unavailable => Kind::Unavailable,
        };
        self.highest = self.highest.max(rejection.seq);
        // Room is made first, or what is too long would stay in memory as room.
        while self.conflicts.len() + conflict.len() > limits::REMEMBERED_REFUSAL_BYTES
            || self.refused.len() >= limits::UNANSWERED_SUBMISSIONS as usize
        {
            // There is no room for this one either.
            let Some((_, oldest)) = self.refused.pop_front() else { return };
            self.conflicts.drain(..oldest.bytes());
        }
        self.conflicts.extend(conflict);
        self.refused.push_back((rejection.seq, kind));
    }

    pub(super) fn get(&self, seq: ClientSeq) -> Option<Rejection> {
        if seq > self.highest {
            return None;
        }
        self.iter().find(|rejection| rejection.seq == seq)
    }

    pub(super) fn remove(&mut self, seq: ClientSeq) {
        if seq <= self.highest {
            self.retain(|rejection| rejection.seq != seq);
        }
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&Rejection) -> bool) {
        let kept: Vec<Rejection> = self.iter().filter(keep).collect();
        if kept.len() < self.refused.len() {
            *self = Self { highest: self.highest, ..Self::recover(&kept) };
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Rejection> {
        let mut from = 0;
        self.refused.iter().map(move |&(seq, kind)| {
            let bytes = from..from + kind.bytes();
            from = bytes.end;
            let refusal = match kind {
                Kind::Conflict { .. } => RefusalMessage::Conflict(Payload(
                    self.conflicts.range(bytes).copied().collect(),
                )),
                Kind::Panicked => RefusalMessage::Panicked,
                Kind::Unavailable => RefusalMessage::Unavailable,
            };
            Rejection { seq, refusal }
        })
    }
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Self::Conflict { bytes } => bytes,
            Self::Panicked | Self::Unavailable => 0,
        }
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
            refusals.push(&rejection(seq, 1));
        }
        assert_eq!(numbers(&refusals), (3..=window + 2).collect::<Vec<_>>());
        refusals.push(&rejection(window + 3, limits::REMEMBERED_REFUSAL_BYTES - 1));
        assert_eq!(numbers(&refusals), [window + 2, window + 3]);
        refusals.push(&rejection(window + 4, limits::REMEMBERED_REFUSAL_BYTES + 1));
        assert_eq!(numbers(&refusals), [0u64; 0]);
    }

    #[test]
    fn one_is_found_by_its_number_whatever_the_order() {
        let mut refusals = Refusals::recover(&[rejection(5, 1), rejection(4, 1)]);
        let found = |refusals: &Refusals, seq| refusals.get(ClientSeq(seq)).is_some();
        assert_eq!([3, 4, 5, 6].map(|seq| found(&refusals, seq)), [false, true, true, false]);
        refusals.remove(ClientSeq(5));
        assert_eq!([4, 5].map(|seq| found(&refusals, seq)), [true, false]);
        refusals.retain(|rejection| rejection.seq > ClientSeq(4));
        assert_eq!((numbers(&refusals), refusals.conflicts.len()), (vec![], 0));
    }

    #[test]
    fn what_is_remembered_is_what_was_refused() {
        let conflict = |bytes: &[u8]| RefusalMessage::Conflict(Payload(bytes.to_vec()));
        let refusals = [
            conflict(b"abc"),
            RefusalMessage::Panicked,
            conflict(b""),
            RefusalMessage::Unavailable,
            conflict(b"de"),
        ];
        let rejections: Vec<Rejection> = (1..)
            .map(ClientSeq)
            .zip(refusals)
            .map(|(seq, refusal)| Rejection { seq, refusal })
            .collect();
        let mut remembered = Refusals::recover(&rejections);
        assert!(remembered.iter().eq(rejections.iter().cloned()));
        remembered.remove(ClientSeq(1));
        assert!(remembered.iter().eq(rejections[1..].iter().cloned()));
        assert_eq!(remembered.get(ClientSeq(5)), Some(rejections[4].clone()));
    }
}

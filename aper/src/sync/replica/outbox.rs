//! What waits for an answer, kept on the device, so that it outlives the page.
//!
//! The rule that makes it happen once: nothing is sent before the device has
//! kept it *under the number that it is sent with*. So whoever comes back with
//! what the device kept never sends again, under another number, what had
//! arrived already.

use super::Ticket;
use super::io::{OutboxChange, OutboxItem, Output};
use crate::protocol::DecodeError;

/// Whether there is a device that keeps things, and up to where it has.
#[derive(Debug)]
pub(super) enum Outbox {
    /// Nobody keeps anything: what is sent is sent at once.
    Unkept,
    Kept {
        /// The number of the last [`Output::Store`].
        asked: u64,
        /// Up to which the device has answered.
        stored: u64,
        /// Not asked yet.
        changes: Vec<OutboxChange>,
    },
}

impl Outbox {
    pub(super) fn kept() -> Self {
        Self::Kept { asked: 0, stored: 0, changes: Vec::new() }
    }

    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Kept { .. })
    }

    pub(super) fn remove(&mut self, ticket: Ticket) {
        self.change(|| OutboxChange::Remove(ticket));
    }

    /// Notes a change, and gives the number that it will be asked under.
    pub(super) fn change(&mut self, change: impl FnOnce() -> OutboxChange) -> Option<u64> {
        match self {
            Self::Unkept => None,
            Self::Kept { asked, changes, .. } => {
                changes.push(change());
                Some(*asked + 1)
            }
        }
    }

    pub(super) fn stored(&mut self, serial: u64) {
        if let Self::Kept { asked, stored, .. } = self {
            // Whoever claims more than was asked has not kept it.
            *stored = (*stored).max(serial.min(*asked));
        }
    }

    /// Whether what is kept by this change may be sent.
    pub(super) fn has(&self, kept_by: Option<u64>) -> bool {
        match self {
            Self::Unkept => true,
            Self::Kept { stored, .. } => kept_by.is_some_and(|serial| serial <= *stored),
        }
    }

    pub(super) fn ask<C>(&mut self) -> Option<Output<C>> {
        let Self::Kept { asked, changes, .. } = self else { return None };
        if changes.is_empty() {
            return None;
        }
        *asked += 1;
        Some(Output::Store { serial: *asked, changes: std::mem::take(changes) })
    }
}

/// Whether a replica can have given these tickets and numbers: both grow, and
/// what has no number comes after all that have one. Anything else would be
/// sent in an order in which the server takes one for another.
pub(super) fn check(kept: &[OutboxItem]) -> Result<(), DecodeError> {
    let tickets_grow = kept.is_sorted_by(|a, b| a.ticket < b.ticket);
    let numbers = || kept.iter().map_while(|item| item.seq);
    let numbers_grow = numbers().is_sorted_by(|a, b| a < b);
    let none_is_late = kept.iter().skip(numbers().count()).all(|item| item.seq.is_none());
    let most = u64::MAX / 2;
    let is_counted = |item: &OutboxItem| {
        item.ticket.0 <= most && item.seq.is_none_or(|seq| 0 < seq.0 && seq.0 <= most)
    };
    if tickets_grow && numbers_grow && none_is_late && kept.iter().all(is_counted) {
        return Ok(());
    }
    let reason = "no replica numbers its transitions so".to_owned();
    Err(DecodeError::Malformed { reason })
}

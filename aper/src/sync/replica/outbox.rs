//! What waits for an answer, kept on the device, so that it outlives the page.
//!
//! The rule that makes it happen once: nothing is sent before the device has
//! kept it *under the number that it is sent with*, and the client that the
//! number belongs to. So whoever comes back with what the device kept never
//! sends again, under another number, what had arrived already.

use super::Ticket;
use super::io::{OutboxChange, OutboxItem, Output};
use crate::id::ClientSeq;
use crate::mutant::{Mutant, active};
use crate::protocol::{DecodeError, Payload};
use crate::state_machine::StateMachine;

/// Why kept bytes are no [`OutboxItem`]: another machine, or the same with
/// another schema, has kept them, or they are damaged.
///
/// ```
/// use aper::collections::{Counter, Set};
/// use aper::protocol::{Payload, encode};
/// use aper::sync::Ticket;
/// use aper::sync::replica::{OutboxItem, UnreadableItem};
///
/// let transition = Payload(encode(&Counter::add(3))?);
/// let bytes = OutboxItem { ticket: Ticket(1), seq: None, transition }.to_bytes::<Counter>();
/// let read = OutboxItem::from_bytes::<Set<String>>(Ticket(1), &bytes);
/// assert_eq!(read, Err(UnreadableItem), "that was kept by a counter");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is nothing that this version of the machine has kept")]
pub struct UnreadableItem;

impl OutboxItem {
    /// As bytes, for a device's storage, to be kept under the ticket: the
    /// machine's name and a zero, its schema (four bytes), the number (eight; 0
    /// is none), and the transition. Numbers are little-endian.
    ///
    /// They say whose they are, because in another page, or in another version
    /// of it, they must not be taken for something else.
    ///
    /// ```
    /// use aper::collections::Counter;
    /// use aper::protocol::{Payload, encode};
    /// use aper::sync::Ticket;
    /// use aper::sync::replica::OutboxItem;
    ///
    /// let transition = Payload(encode(&Counter::add(3))?);
    /// let item = OutboxItem { ticket: Ticket(1), seq: None, transition };
    /// let bytes = item.to_bytes::<Counter>();
    /// assert_eq!(OutboxItem::from_bytes::<Counter>(Ticket(1), &bytes), Ok(item));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn to_bytes<S: StateMachine>(&self) -> Vec<u8> {
        let seq = self.seq.map_or(0, |seq| seq.0);
        [S::NAME.as_bytes(), &[0], &S::SCHEMA.to_le_bytes(), &seq.to_le_bytes(), &self.transition.0]
            .concat()
    }

    /// What was kept under `ticket`. The transition itself is looked at by
    /// [`Replica::restore`](super::Replica::restore).
    ///
    /// # Errors
    ///
    /// When it is another machine's or another schema's, or no item.
    pub fn from_bytes<S: StateMachine>(
        ticket: Ticket,
        bytes: &[u8],
    ) -> Result<Self, UnreadableItem> {
        let (seq, transition) = bytes
            .strip_prefix(S::NAME.as_bytes())
            .and_then(|bytes| bytes.strip_prefix(&[0]))
            .and_then(|bytes| bytes.strip_prefix(&S::SCHEMA.to_le_bytes()))
            .and_then(<[u8]>::split_first_chunk)
            .ok_or(UnreadableItem)?;
        let seq = u64::from_le_bytes(*seq);
        let seq = (seq > 0).then_some(ClientSeq(seq));
        Ok(Self { ticket, seq, transition: Payload(transition.to_vec()) })
    }

    /// Whether a replica can have given this ticket and number after the last:
    /// both grow, and what has no number comes after all that have one.
    /// Anything else would be sent in an order in which the server takes one
    /// for another.
    pub(super) fn follows(&self, last: Option<(Ticket, Option<ClientSeq>)>) -> bool {
        let is_counted = self.ticket.0 <= u64::MAX / 2
            && self.seq.is_none_or(|seq| seq.0 > 0 && seq.is_plausible());
        let grows = match (last, self.seq) {
            (None, _) => true,
            (Some((ticket, _)), None) => ticket < self.ticket,
            (Some((ticket, last)), Some(seq)) => {
                ticket < self.ticket && last.is_some_and(|last| last < seq)
            }
        };
        is_counted && grows
    }
}

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

    /// Gives the number that the device will be asked under.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<u64> {
        self.change(|| OutboxChange::Remove(ticket))
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
            Self::Kept { .. } if active(Mutant::SendBeforeKept) => true,
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

/// Whether a replica can have given these tickets and numbers.
pub(super) fn check(kept: &[OutboxItem]) -> Result<(), DecodeError> {
    let mut last = None;
    for item in kept {
        if !item.follows(last) {
            let reason = "no replica numbers its transitions so".to_owned();
            return Err(DecodeError::Malformed { reason });
        }
        last = Some((item.ticket, item.seq));
    }
    Ok(())
}

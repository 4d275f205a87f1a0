//! A transition between its user and the server's answer.

use serde::de::DeserializeOwned;

use super::Ticket;
use super::io::OutboxItem;
use crate::id::ClientSeq;
use crate::mutant::{Mutant, active};
use crate::protocol::{DecodeError, Payload, decode};
use crate::time::LocalTime;

pub(super) struct Pending<T> {
    pub(super) ticket: Ticket,
    /// Of what was merged into it.
    pub(super) merged: Vec<Ticket>,
    pub(super) transition: T,
    pub(super) encoded: Payload,
    /// Given when it is sent for the first time, and kept from then on.
    pub(super) seq: Option<ClientSeq>,
    pub(super) stage: Stage,
    pub(super) effect: Effect,
    /// The change by which the device keeps it, as it is now.
    pub(super) kept_by: Option<u64>,
    /// When it was sent the last time.
    pub(super) sent_at: Option<LocalTime>,
    /// While nothing comes after it, it is not sent earlier: more may come that
    /// merges into it.
    pub(super) not_before: Option<LocalTime>,
}

/// How far it has come on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has to be sent, for the first time or again.
    Unsent,
    /// It was sent; an answer will come.
    Sent,
    /// The server had decided on it before the connection began. The answer
    /// was in the welcome, or comes until the client has caught up, or is lost.
    Decided,
}

/// What the user sees of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It is part of the predicted state.
    Shown,
    /// It is shown when the server has accepted it.
    Waiting,
    /// It could not be applied to what is before it; the server decides.
    Blocked,
}

impl<T> Pending<T> {
    pub(super) fn new(ticket: Ticket, transition: T, encoded: Payload, effect: Effect) -> Self {
        Self {
            ticket,
            merged: Vec::new(),
            transition,
            encoded,
            seq: None,
            stage: Stage::Unsent,
            effect,
            kept_by: None,
            sent_at: None,
            not_before: None,
        }
    }

    /// Takes up what a device kept.
    pub(super) fn restore(item: OutboxItem) -> Result<Self, DecodeError>
    where
        T: DeserializeOwned,
    {
        let OutboxItem { ticket, seq, transition: encoded } = item;
        let seq = seq.filter(|_| !active(Mutant::NumberAnew));
        let transition = decode(&encoded.0)?;
        let restored = Self::new(ticket, transition, encoded, Effect::Waiting);
        Ok(Self { seq, kept_by: Some(0), ..restored })
    }

    /// Its ticket, and those of what was merged into it, in their order.
    pub(super) fn tickets(&self) -> impl Iterator<Item = Ticket> {
        std::iter::once(self.ticket).chain(self.merged.iter().copied())
    }

    pub(super) fn item(&self) -> OutboxItem {
        let (ticket, seq, transition) = (self.ticket, self.seq, self.encoded.clone());
        OutboxItem { ticket, seq, transition }
    }

    /// A connection begins on which the server has decided up to `last_seq`:
    /// what is beyond must be sent (again).
    pub(super) fn welcomed(&mut self, last_seq: ClientSeq) {
        self.stage = if self.is_decided_by(last_seq) { Stage::Decided } else { Stage::Unsent };
    }

    pub(super) fn is_decided_by(&self, last_seq: ClientSeq) -> bool {
        self.seq.is_some_and(|seq| seq <= last_seq)
    }
}

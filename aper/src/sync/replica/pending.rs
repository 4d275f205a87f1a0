//! A transition between its user and the server's answer.

use super::Ticket;
use crate::id::ClientSeq;
use crate::protocol::Payload;

pub(super) struct Pending<T> {
    pub(super) ticket: Ticket,
    pub(super) transition: T,
    pub(super) encoded: Payload,
    /// Given when it is sent for the first time, and kept from then on.
    pub(super) seq: Option<ClientSeq>,
    /// Whether it was sent on this connection, or was decided before it.
    pub(super) in_flight: bool,
    pub(super) effect: Effect,
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
        Self { ticket, transition, encoded, seq: None, in_flight: false, effect }
    }

    pub(super) fn connection_ended(&mut self) {
        self.in_flight = false;
    }

    /// The server has decided up to `last_seq`: what is beyond must be sent
    /// (again); the answer to the rest is on its way.
    pub(super) fn welcomed(&mut self, last_seq: ClientSeq) {
        self.in_flight = self.is_decided_by(last_seq);
    }

    pub(super) fn is_decided_by(&self, last_seq: ClientSeq) -> bool {
        self.seq.is_some_and(|seq| seq <= last_seq)
    }
}

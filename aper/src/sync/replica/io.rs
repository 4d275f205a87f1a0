//! What goes into a replica and what comes out.

use crate::id::{ClientSeq, Identity, Version};
use crate::limits;
use crate::protocol::{ClientMessage, CloseCode, EncodeError, Payload, ServerMessage};
use crate::sync::attempt::Refusal;

/// A transition that the application submitted: by this it learns of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What happens to a replica.
#[derive(Clone, Debug)]
pub enum Input {
    /// A connection to the server is open.
    Connected,
    /// It has ended, whoever ended it.
    Disconnected,
    /// A message came.
    Message(ServerMessage),
    /// The time of [`Replica::next_timeout`](super::Replica::next_timeout) has come.
    Timeout,
    /// The device has kept the changes of [`Output::Store`] up to this number.
    Stored {
        /// The number.
        serial: u64,
    },
    /// The device keeps nothing any more: go on without. What it still holds
    /// must never be [restored](super::Replica::restore): the replica now sends
    /// under numbers that the device does not know of.
    NotStored,
}

/// What a replica wants done.
#[derive(Clone, Debug)]
pub enum Output<C> {
    /// Send this.
    Send(ClientMessage),
    /// Tell the application.
    Event(Event<C>),
    /// End this connection and open another.
    Reconnect {
        /// Why, for the close frame.
        code: CloseCode,
        /// Why, for a person.
        reason: &'static str,
    },
    /// Keep these on the device, all or none, then give [`Input::Stored`]. Only
    /// for a replica that [keeps its outbox](super::Replica::restore).
    Store {
        /// Numbers grow: what is kept up to one is all that came up to it.
        serial: u64,
        /// In this order.
        changes: Vec<OutboxChange>,
    },
}

/// A transition without an answer, as a device keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxItem {
    /// Its place among the items, and its name.
    pub ticket: Ticket,
    /// The number under which it is, or was, sent; none if it never was.
    pub seq: Option<ClientSeq>,
    /// The machine's encoded transition.
    pub transition: Payload,
}

/// What is to be kept on the device, or not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxChange {
    /// The client is this one from now on: keep it in place of who it was. It
    /// comes before whatever is numbered under it, so that a number is never
    /// kept without the client that it belongs to.
    Identify(Identity),
    /// Keep this, in place of an earlier one with its ticket.
    Put(OutboxItem),
    /// It is settled.
    Remove(Ticket),
}

/// What an application learns from its replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<C> {
    /// [`Replica::state`](super::Replica::state) may be another now.
    Changed,
    /// Something that was submitted has come to its end.
    Settled {
        /// What.
        ticket: Ticket,
        /// How.
        outcome: Outcome<C>,
    },
    /// The server has said who this client is: keep it for the next visit.
    Identified(Identity),
    /// The server does not know any more who this client was: it is another
    /// one from now on. What had been sent and had no answer ends as
    /// [`Outcome::Snapshot`], since nobody can tell what became of it; what had
    /// not been sent is sent by the new one.
    Forgotten,
    /// All that had happened when the connection was opened is here.
    CaughtUp,
    /// [`Replica::presences`](super::Replica::presences) may be others now.
    Presence,
    /// So much of a snapshot is here.
    Progress {
        /// Bytes that came.
        received: u64,
        /// Bytes in all.
        total: u64,
    },
    /// This client's state was not what the server's entries say: the machine's
    /// `apply` is not deterministic, or differs between the two. The state is
    /// fetched anew.
    Diverged {
        /// The entry that could not be applied.
        version: Version,
    },
}

/// How a transition ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<C> {
    /// It is accepted, durable, and made this version.
    Confirmed(Version),
    /// It is refused, and gone from the state.
    Refused {
        /// Why.
        refusal: Refusal<C>,
        /// Later pending transitions that could be shown before and, without
        /// this one, cannot be any more. The server decides on each of them
        /// all the same.
        affected: Vec<Ticket>,
    },
    /// It was decided, but it cannot be told how: the state came as a snapshot
    /// of this version, or the server has forgotten this client or its
    /// refusal. If it was accepted, the state at this version contains it.
    Snapshot(Version),
}

/// Why a transition was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError<C> {
    /// The state that the user sees does not allow it. It was not sent.
    #[error(transparent)]
    Refused(Refusal<C>),
    /// Too many have no answer yet.
    #[error(
        "{} transitions wait for the server: try again when it has answered",
        limits::PENDING_TRANSITIONS
    )]
    TooManyPending,
    /// Its own `Serialize` failed.
    #[error(transparent)]
    Encode(EncodeError),
}

//! What goes into a driver and what comes out.

use crate::id::Identity;
use crate::protocol::CloseCode;
use crate::sync::replica::OutboxChange;
use crate::sync::{Outcome, Ticket};

/// What a device keeps of one client, for the next time: who it is, and what
/// has no answer yet. The changes of [`Output::Store`] are carried out on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The last one of
    /// [`OutboxChange::Identify`](crate::sync::replica::OutboxChange::Identify).
    pub identity: Option<Identity>,
    /// In the order of their tickets.
    pub items: Vec<KeptItem>,
}

/// An [`OutboxItem`](crate::sync::replica::OutboxItem), as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptItem {
    /// Its place, and its name.
    pub ticket: Ticket,
    /// What [`to_bytes`](crate::sync::replica::OutboxItem::to_bytes) gave.
    pub bytes: Vec<u8>,
}

/// What happens to a client.
#[derive(Clone, Debug)]
pub enum Input {
    /// The socket that [`Output::Open`] asked for is open.
    Opened,
    /// A frame came: the bytes of one binary message. What is no message of
    /// the protocol ends the connection.
    Frame(Vec<u8>),
    /// The socket is no more, or could not be opened. (Not after
    /// [`Output::Close`]: what becomes of that socket is nobody's business.)
    Ended {
        /// The close frame's number, 1006 where there was none.
        code: u16,
        /// The close frame's reason.
        reason: String,
    },
    /// The time of [`Driver::next_timeout`](super::Driver::next_timeout) has come.
    Timeout,
    /// There was a hint that the connection is worth a look: the network is
    /// back, or gone, or a page is shown again.
    Signal,
    /// The application wants another attempt, whatever stood against it.
    Reconnect,
    /// The application has no more use for it.
    Close,
    /// The device has kept what [`Output::Store`] asked for, up to this number.
    Stored {
        /// The number.
        serial: u64,
    },
    /// The device keeps nothing any more, and nothing of what it had kept is
    /// there to be found by the next: go on without.
    NotStored,
}

/// What a client wants done.
#[derive(Clone, Debug)]
pub enum Output<C> {
    /// Open a socket. What becomes of it is told as [`Input::Opened`] or
    /// [`Input::Ended`]; after ten seconds without either it is given up.
    Open,
    /// Send a frame, as one binary message, after those before. One that comes
    /// too late is lost like one on the way.
    Send(Vec<u8>),
    /// Close the socket, and tell nothing more of it.
    Close {
        /// For the close frame.
        code: CloseCode,
        /// For the close frame.
        reason: &'static str,
    },
    /// The state may be another now.
    Changed,
    /// What the others show of themselves may be another now.
    Presence,
    /// A submission has come to its end.
    Settled {
        /// Which.
        ticket: Ticket,
        /// How.
        outcome: Outcome<C>,
    },
    /// The server said who this client is.
    Identified(Identity),
    /// Keep this on the device, all or none, then give [`Input::Stored`]. Only
    /// from a client that a device [keeps](super::Driver::restore).
    Store {
        /// Numbers grow: what is kept up to one is all that came up to it.
        serial: u64,
        /// In this order.
        changes: Vec<OutboxChange>,
    },
}

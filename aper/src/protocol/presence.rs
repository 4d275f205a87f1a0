//! What clients show of themselves while they are here. It is in no log: who
//! reads slowly is told the latest value of each client, and none before.

use serde::{Deserialize, Serialize};

use super::bounded;
use super::message::Payload;
use crate::id::ClientId;

/// What is new about who shows what.
///
/// ```
/// use aper::ClientId;
/// use aper::protocol::{Payload, PresenceChange, PresenceExtent, PresenceUpdate};
/// use aper::protocol::{ServerMessage, encode};
///
/// // Client 3 is somewhere else now, and client 4 shows nothing any more.
/// let update = PresenceUpdate {
///     extent: PresenceExtent::Changes,
///     changes: vec![
///         PresenceChange { client: ClientId(3), value: Some(Payload(vec![10, 20])) },
///         PresenceChange { client: ClientId(4), value: None },
///     ],
/// };
/// let frame = encode(&ServerMessage::Presence(update))?;
/// assert_eq!(frame, [7, 0, 2, 3, 1, 2, 10, 20, 4, 0]);
/// # Ok::<(), aper::protocol::EncodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceUpdate {
    /// What becomes of those that are not named.
    pub extent: PresenceExtent,
    /// At most one for each client, and at most
    /// [`PRESENCE_CHANGES`](crate::limits::PRESENCE_CHANGES).
    #[serde(deserialize_with = "bounded::presences")]
    pub changes: Vec<PresenceChange>,
}

/// What becomes of the clients that an update does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PresenceExtent {
    /// They show what they showed.
    Changes,
    /// They show nothing.
    Everything,
}

/// What one client shows from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceChange {
    /// Which client. It may be the one that is told.
    pub client: ClientId,
    /// The machine's encoded
    /// [`Presence`](crate::WithPresence::Presence); none if it shows nothing
    /// any more, or has gone. At most
    /// [`PRESENCE_BYTES`](crate::limits::PRESENCE_BYTES).
    #[serde(deserialize_with = "bounded::presence")]
    pub value: Option<Payload>,
}

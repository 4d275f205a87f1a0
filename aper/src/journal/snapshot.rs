//! What takes the place of the records before it.

use serde::{Deserialize, Serialize};

use super::record::Position;
use crate::id::{ClientId, ClientSeq, HistoryId, ResumeKey, UserId, Version};
use crate::protocol::{Payload, Rejection};
use crate::time::Timestamp;

/// State **and** deduplication table at a position: without the table, a
/// submission that is sent again after the entries are gone would happen twice.
///
/// ```
/// use aper::collections::Counter;
/// use aper::journal::{History, Position, Presence, Recovered, RememberedClient, Snapshot};
/// use aper::protocol::{Payload, encode};
/// use aper::sync::Authority;
/// use aper::{ClientId, ClientSeq, HistoryId, ResumeKey, Timestamp, UserId, Version};
/// use uuid::Uuid;
///
/// let ada = RememberedClient {
///     client: ClientId(1),
///     key: ResumeKey(Uuid::from_u128(7)),
///     user: Some(UserId::new("ada")),
///     last_seq: ClientSeq(12),
///     refused: vec![],
///     last_seen: Timestamp::from_millis(1_000),
///     presence: Presence::Away,
/// };
/// let snapshot = Snapshot {
///     schema: 1,
///     version: Version(12),
///     position: Position(15), // 12 entries; she came, went, and the log was opened
///     at: Timestamp::from_millis(900),
///     timer: None,
///     histories: vec![History { id: HistoryId(Uuid::from_u128(1)), until: Version(12) }],
///     next_client: ClientId(2),
///     clients: vec![ada],
///     state: Payload(encode(&Counter::try_from(41)?)?),
/// };
/// let recovered = Recovered { snapshot: Some(snapshot), records: vec![] };
/// let session = Authority::open(Counter::default(), recovered, [7; 32])?;
/// assert_eq!((session.state().get(), session.version()), (41, Version(12)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`StateMachine::SCHEMA`](crate::StateMachine::SCHEMA) of the state, and
    /// of the records that follow.
    pub schema: u32,
    /// The version of the state.
    pub version: Version,
    /// The position of the last record that it contains.
    pub position: Position,
    /// When its last transition was accepted.
    pub at: Timestamp,
    /// When the machine's earliest timer is due, if it has one.
    pub timer: Option<Timestamp>,
    /// The histories that lead to the state, the current one last.
    pub histories: Vec<History>,
    /// The number that the next new client gets.
    pub next_client: ClientId,
    /// The clients that may come back.
    pub clients: Vec<RememberedClient>,
    /// The encoded state.
    pub state: Payload,
}

/// A stretch of a session's life, from one opening of its journal to the next.
///
/// A client that holds a version of a history which is not in the list, or a
/// version that the history did not reach, has seen another course of events:
/// one that a restored backup does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Which.
    pub id: HistoryId,
    /// The last version that belongs to it; of the current one, so far.
    pub until: Version,
}

/// What the server remembers of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedClient {
    /// Who.
    pub client: ClientId,
    /// What it proves itself with.
    pub key: ResumeKey,
    /// As whom authentication knew it last.
    pub user: Option<UserId>,
    /// The highest number among its submissions that was decided.
    pub last_seq: ClientSeq,
    /// Its latest refused submissions, as many as may be without an answer.
    pub refused: Vec<Rejection>,
    /// When it last came or went.
    pub last_seen: Timestamp,
    /// Whether it is here.
    pub presence: Presence,
}

/// Whether a client is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Presence {
    /// It has a connection.
    Here,
    /// It may come back.
    Away,
}

//! The messages. A field's or a variant's place is part of the encoding:
//! append, never insert, and pin every change with a golden file.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bounded;
use super::codec::{EncodeError, encode_sized};
use super::presence::PresenceUpdate;
use crate::context::Chance;
use crate::id::{ClientId, ClientSeq, Epoch, HistoryId, ResumeKey, UserId, Version};
use crate::time::{LocalTime, Timestamp};

/// What a client sends.
///
/// ```
/// use aper::collections::Counter;
/// use aper::protocol::{ClientMessage, Payload, Submission, decode, encode};
/// use aper::ClientSeq;
///
/// let transition = Payload(encode(&Counter::add(3))?);
/// let message = ClientMessage::Submit(vec![Submission { seq: ClientSeq(1), transition }]);
/// let frame = encode(&message)?;
/// // The variant, how many, the number, and the payload with its length:
/// assert_eq!(frame, [1, 1, 1, 2, 0, 6]);
/// assert_eq!(decode::<ClientMessage>(&frame)?, message);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// The first message of a connection, and only that.
    Hello(Hello),
    /// Transitions to decide on, in the order of their numbers; at most
    /// [`UNANSWERED_SUBMISSIONS`](crate::limits::UNANSWERED_SUBMISSIONS).
    Submit(#[serde(deserialize_with = "bounded::window")] Vec<Submission>),
    /// "Are you there, and what time is it?" Answered by [`ServerMessage::Pong`].
    Ping {
        /// The client's clock; comes back in the answer.
        sent: LocalTime,
    },
    /// The answer to [`ServerMessage::Check`].
    Checked {
        /// The version of the check.
        version: Version,
        /// What the client's state at that version comes to.
        hash: StateHash,
    },
    /// What this client shows of itself from now on, in place of what it
    /// showed; none if nothing. Of several that come one after the other the
    /// last counts. At most
    /// [`PRESENCE_BYTES`](crate::limits::PRESENCE_BYTES).
    Presence(#[serde(deserialize_with = "bounded::presence")] Option<Payload>),
}

/// What the encoding of a state comes to: XXH64 with seed 0. States that
/// differ have different ones, but for accidents that nobody will see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StateHash(pub u64);

/// Who wants what.
///
/// ```
/// use aper::protocol::message::Held;
/// use aper::protocol::{Hello, PROTOCOL, Resume};
/// use aper::{ClientId, ClientSeq, HistoryId, ResumeKey, Version};
/// use uuid::Uuid;
///
/// // A client comes back after a tunnel. It still has its state, and all
/// // answers up to that to its third submission.
/// let held = Held { history: HistoryId(Uuid::from_u128(1)), version: Version(40) };
/// let back = Hello {
///     protocol: PROTOCOL,
///     machine: "counter".to_owned(),
///     schema: 1,
///     token: None,
///     resume: Some(Resume {
///         client: ClientId(3),
///         key: ResumeKey(Uuid::from_u128(7)),
///         holds: Some(held),
///         unanswered: ClientSeq(4),
///     }),
/// };
/// // Who has reloaded the page is the same client, and holds nothing.
/// let resume = back.resume.map(|resume| Resume { holds: None, ..resume });
/// let reloaded = Hello { resume, ..back };
/// # assert_eq!(reloaded.resume.and_then(|resume| resume.holds), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`](super::PROTOCOL) of the client.
    pub protocol: u16,
    /// [`StateMachine::NAME`](crate::StateMachine::NAME) of the client's machine.
    pub machine: String,
    /// [`StateMachine::SCHEMA`](crate::StateMachine::SCHEMA) of the client's machine.
    pub schema: u32,
    /// For the operator's own authentication.
    pub token: Option<String>,
    /// Who the client was, if it has been here before.
    pub resume: Option<Resume>,
}

/// Who a returning client was, and how much it still has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// Its number.
    pub client: ClientId,
    /// The proof.
    pub key: ResumeKey,
    /// The state that it still holds; none after a reload.
    pub holds: Option<Held>,
    /// The lowest number of its submissions that it has no answer to; the one
    /// after its last if it has all.
    pub unanswered: ClientSeq,
}

/// A state that a client holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Of which history.
    pub history: HistoryId,
    /// At which version.
    pub version: Version,
}

/// A transition with its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Its place among this client's submissions, greater than all before.
    pub seq: ClientSeq,
    /// The machine's encoded transition.
    pub transition: Payload,
}

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// The answer to [`Hello`], and the first message of a connection.
    Welcome(Welcome),
    /// A state is coming, in place of all that the client has: so many bytes
    /// in the [`Chunk`](Self::Chunk)s that follow. Messages about what the
    /// state does not contain come after the last chunk.
    Snapshot(SnapshotHeader),
    /// The next bytes of the state.
    Chunk(Payload),
    /// The next entries of the log, without a gap; at most
    /// [`COMMITTED_ENTRIES`](crate::limits::COMMITTED_ENTRIES).
    Commits(#[serde(deserialize_with = "bounded::entries")] Vec<Entry>),
    /// Submissions of this client that were refused; at most
    /// [`UNANSWERED_SUBMISSIONS`](crate::limits::UNANSWERED_SUBMISSIONS).
    Rejects(#[serde(deserialize_with = "bounded::window")] Vec<Rejection>),
    /// The answer to [`ClientMessage::Ping`].
    Pong {
        /// The client's clock when it asked.
        sent: LocalTime,
        /// The server's clock when it answered.
        now: Timestamp,
    },
    /// "What does your state come to now?" Comes right after the entry that
    /// made the version. Answered by [`ClientMessage::Checked`].
    Check {
        /// The version that the client has at this place.
        version: Version,
    },
    /// What clients show of themselves. The first of a connection is about
    /// everybody who shows something.
    Presence(PresenceUpdate),
}

impl ServerMessage {
    /// [`Commits`](Self::Commits), encoded, of entries that somebody else owns.
    ///
    /// ```
    /// use aper::protocol::{Entry, Payload, ServerMessage, encode};
    /// use aper::{ClientId, ClientSeq, Epoch, Timestamp, Version};
    ///
    /// let entry = Entry {
    ///     version: Version(1),
    ///     epoch: Epoch(0),
    ///     client: ClientId(3),
    ///     seq: ClientSeq(1),
    ///     at: Timestamp::from_millis(1_000),
    ///     user: None,
    ///     chance: None,
    ///     transition: Payload(vec![0, 6]),
    /// };
    /// let frame = ServerMessage::encode_commits(&[&entry])?;
    /// assert_eq!(frame, encode(&ServerMessage::Commits(vec![entry]))?);
    /// # Ok::<(), aper::protocol::EncodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Never, for entries.
    pub fn encode_commits(entries: &[&Entry]) -> Result<Vec<u8>, EncodeError> {
        let transitions: usize = entries.iter().map(|entry| entry.transition.0.len()).sum();
        let about = transitions + (entries.len() + 1) * ENTRY_BYTES;
        encode_sized(&BorrowedCommits(entries), about)
    }
}

/// What an entry takes besides its transition, when it has neither user nor
/// chance and its numbers are not small.
const ENTRY_BYTES: usize = 32;

struct BorrowedCommits<'a>(&'a [&'a Entry]);

impl Serialize for BorrowedCommits<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_variant("ServerMessage", 3, "Commits", self.0)
    }
}

/// Who the client is from now on, and what comes next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Its number: the one that it had, if the server still knows it.
    pub client: ClientId,
    /// The secret for the next time.
    pub key: ResumeKey,
    /// As whom the operator's authentication knows the client.
    pub user: Option<UserId>,
    /// The history that the session's versions belong to from now on. Whoever
    /// catches up by entries holds a version of it from then on.
    pub history: HistoryId,
    /// The session's version at this moment: the client is up to date when it
    /// has got there.
    pub version: Version,
    /// The server's clock.
    pub now: Timestamp,
    /// The highest number among this client's submissions that the server has
    /// decided; 0 for a new client.
    pub last_seq: ClientSeq,
    /// Those of the decided that were refused, as far as the client said that
    /// it has no answer.
    #[serde(deserialize_with = "bounded::window")]
    pub refused: Vec<Rejection>,
    /// How many submissions may be without an answer at a time.
    pub window: u32,
    /// What the client gets now.
    pub catch_up: CatchUp,
}

/// How a client gets from what it holds to the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CatchUp {
    /// By the entries after the version that it holds.
    Entries,
    /// By a snapshot.
    Snapshot,
}

/// What is about to come in chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotHeader {
    /// The version of the state.
    pub version: Version,
    /// When its last transition was accepted.
    pub at: Timestamp,
    /// The highest number among this client's submissions that had been
    /// decided at that version.
    pub last_seq: ClientSeq,
    /// Length of the encoded state in bytes.
    pub bytes: u64,
}

/// A transition that the server accepted: the unit of order, of the journal
/// and of broadcast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The version that it made.
    pub version: Version,
    /// Which ownership of the session wrote it.
    pub epoch: Epoch,
    /// Who submitted it.
    pub client: ClientId,
    /// Its place among that client's submissions.
    pub seq: ClientSeq,
    /// When it was accepted.
    pub at: Timestamp,
    /// As whom the operator's authentication knows the client.
    pub user: Option<UserId>,
    /// The seed of its random numbers, if it drew any.
    pub chance: Option<Chance>,
    /// The machine's encoded transition.
    pub transition: Payload,
}

/// A submission that was refused, and why.
///
/// ```
/// use aper::ClientSeq;
/// use aper::collections::CounterConflict;
/// use aper::protocol::{Payload, RefusalMessage, Rejection, decode, encode};
///
/// let conflict = CounterConflict::OutOfRange { value: 5 };
/// let refusal = RefusalMessage::Conflict(Payload(encode(&conflict)?));
/// let rejection = Rejection { seq: ClientSeq(2), refusal };
///
/// // Only the machine's own code reads it.
/// if let RefusalMessage::Conflict(Payload(bytes)) = &rejection.refusal {
///     assert_eq!(decode::<CounterConflict>(bytes)?, conflict);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Which.
    pub seq: ClientSeq,
    /// Why.
    pub refusal: RefusalMessage,
}

/// Why a submission was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusalMessage {
    /// The machine's encoded conflict.
    Conflict(Payload),
    /// The machine panicked. The state is as it was.
    Panicked,
    /// The server cannot keep anything new at the moment. It has not decided:
    /// the same may be submitted again, under another number.
    Unavailable,
}

/// Bytes whose meaning is the machine's own.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Payload(pub Vec<u8>);

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Payload;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Payload, E> {
                Ok(Payload(bytes.to_vec()))
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}

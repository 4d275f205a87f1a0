//! What goes into an authority and what comes out.

use std::ops::Range;

use super::image::Image;
use crate::id::{ClientId, ClientSeq, UserId, Version};
use crate::journal::{Batch, Position, Record};
use crate::protocol::{CloseCode, Entry, Rejection, Resume, Submission, Welcome};

/// One connection, numbered by whoever holds it. No number is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// What happens to an authority.
#[derive(Clone, Debug)]
pub enum Input {
    /// A client has connected, and its handshake was in order.
    Join {
        /// By what.
        connection: ConnectionId,
        /// As whom the operator's authentication knows it.
        user: Option<UserId>,
        /// Who it was, if it was here before.
        resume: Option<Resume>,
        /// The oldest version after which the caller still has all entries in
        /// memory: a client that holds at least that can do without a snapshot.
        tail: Version,
        /// The oldest version after which these entries are no more bytes than a
        /// snapshot. A client that holds less gets the snapshot all the same,
        /// unless only the entries can tell what became of its submissions.
        cheaper: Version,
    },
    /// A connection has ended.
    Leave {
        /// Which.
        connection: ConnectionId,
    },
    /// A client submits transitions.
    Submit {
        /// By what.
        connection: ConnectionId,
        /// In the order of their numbers.
        submissions: Vec<Submission>,
    },
    /// A client is so far behind that only a snapshot can bring it forward.
    Snapshot {
        /// By what.
        connection: ConnectionId,
    },
    /// The time of [`Authority::next_timeout`](super::Authority::next_timeout) has come.
    Timeout,
    /// The journal holds every record up to this position.
    Durable(Position),
    /// Whether the journal has room for anything new.
    Storage(Storage),
    /// A connection that outlived the session's sleep. Comes before anything
    /// else, and before [`Absent`](Self::Absent).
    Reattach {
        /// Which.
        connection: ConnectionId,
        /// Whose.
        client: ClientId,
    },
    /// The session has been taken up, with all the connections that it still
    /// has: whoever is here according to the log, and has none, has left.
    Absent,
}

/// Whether a journal has room.
///
/// ```
/// use aper::collections::Counter;
/// use aper::journal::Recovered;
/// use aper::protocol::{Payload, RefusalMessage, Submission, encode};
/// use aper::sync::authority::{Authority, ConnectionId, Input, Output, Storage};
/// use aper::{ClientSeq, Timestamp, Version};
///
/// let mut session = Authority::open(Counter::default(), Recovered::default(), [7; 32])?;
/// let (now, connection) = (Timestamp::from_millis(1_000), ConnectionId(1));
/// let transition = Payload(encode(&Counter::add(1))?);
/// let submissions = vec![Submission { seq: ClientSeq(1), transition }];
/// let mut told = Vec::new();
/// for input in [
///     Input::Join {
///         connection,
///         user: None,
///         resume: None,
///         tail: Version(0),
///         cheaper: Version(0),
///     },
///     Input::Storage(Storage::Full), // the disk said so
///     Input::Submit { connection, submissions },
/// ] {
///     session.handle(now, input);
///     while let Some(output) = session.next_output() {
///         match output {
///             Output::Append { after, batch } => {
///                 session.handle(now, Input::Durable(after.after(batch.len())));
///             }
///             other => told.push(other),
///         }
///     }
/// }
/// let Some(Output::Reject { rejection, .. }) = told.last() else { panic!("{told:?}") };
/// assert_eq!(rejection.refusal, RefusalMessage::Unavailable);
/// assert_eq!(session.version(), Version(0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// It takes what comes.
    Writable,
    /// What comes is refused as
    /// [`Unavailable`](crate::protocol::RefusalMessage::Unavailable), without
    /// a decision.
    Full,
}

/// Consecutive entries, as part of the batch in which they were written.
#[derive(Clone, Debug)]
pub struct Commit {
    pub(super) batch: Batch,
    pub(super) range: Range<usize>,
}

impl Commit {
    /// The entries, at least one.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.batch[self.range.clone()].iter().filter_map(Record::entry)
    }
}

/// What an authority wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Write these to the journal, then give [`Input::Durable`] of the position
    /// of the last.
    Append {
        /// The position that they follow.
        after: Position,
        /// What to write.
        batch: Batch,
    },
    /// The journal holds these: tell everybody.
    Commit(Commit),
    /// Ask everybody, right after the last commit, what their state comes to:
    /// [`ServerMessage::Check`](crate::protocol::ServerMessage::Check). It
    /// should be what this one comes to.
    Check(Image),
    /// Tell this client who it is and how it catches up.
    Welcome {
        /// By what.
        connection: ConnectionId,
        /// What to tell.
        welcome: Box<Welcome>,
        /// The state, if it catches up by that; else by the entries after the
        /// version that it holds.
        image: Option<Image>,
        /// The version after which the entries follow.
        from: Version,
    },
    /// Send this client the state, and the entries after it.
    Snapshot {
        /// By what.
        connection: ConnectionId,
        /// The state.
        image: Image,
        /// The highest number among its submissions decided at that version.
        last_seq: ClientSeq,
    },
    /// Tell this client what was refused, before anything that comes later.
    Reject {
        /// By what.
        connection: ConnectionId,
        /// Who.
        client: ClientId,
        /// What and why.
        rejection: Rejection,
    },
    /// End this connection. It has left already: give no [`Input::Leave`].
    Close {
        /// Which.
        connection: ConnectionId,
        /// Why, for a program.
        code: CloseCode,
        /// Why, for a person.
        reason: String,
    },
}

//! What can go wrong with a journal.

use super::{Position, SessionKey};

/// Why a journal did not do what it was asked.
///
/// ```
/// use aper::journal::{JournalError, SessionKey};
/// let session = SessionKey { machine: "counter".into(), session: "lobby".parse()? };
/// let full = JournalError::NoSpace { session };
/// assert!(full.to_string().contains("counter/lobby"));
/// # Ok::<(), aper::InvalidSessionId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Another node owns the session now.
    #[error("session {session} is owned by another node: this one has to let it go")]
    Fenced {
        /// Which session.
        session: SessionKey,
    },
    /// The records do not follow the last that is kept.
    #[error(
        "session {session} is at record {kept} in the journal, the append was for after {after}"
    )]
    OutOfOrder {
        /// Which session.
        session: SessionKey,
        /// The last position that is kept.
        kept: Position,
        /// The position that the caller took for the last.
        after: Position,
    },
    /// There is no room for another session. Those that are there go on.
    #[error("there is no room in the journal for session {session}: it holds {sessions} already")]
    Full {
        /// Which session.
        session: SessionKey,
        /// How many there are.
        sessions: usize,
    },
    /// The disk is full. Nothing of the call was kept: the same call may be
    /// made again when there is room.
    #[error("the disk is full: session {session} takes nothing new until there is room")]
    NoSpace {
        /// Which session.
        session: SessionKey,
    },
    /// What is kept of the session is damaged. It was left as it is.
    #[error("the journal of session {session} is damaged: {reason}")]
    Corrupt {
        /// Which session.
        session: SessionKey,
        /// What was found.
        reason: String,
    },
    /// The storage failed in a way that leaves it unknown what it kept. The
    /// journal takes nothing any more until the process starts anew.
    #[error("the journal has stopped, start the server anew: {reason}")]
    Stopped {
        /// What the storage said.
        reason: String,
    },
    /// The storage failed.
    #[error("the journal of session {session} failed: {reason}")]
    Storage {
        /// Which session.
        session: SessionKey,
        /// What the storage said.
        reason: String,
    },
}

//! What happens to a session, in the order in which it happened.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{ClientId, HistoryId, ResumeKey, UserId};
use crate::protocol::{Entry, Rejection};
use crate::time::Timestamp;

/// A session's place in its log: how many records there are up to it.
///
/// ```
/// use aper::journal::Position;
/// assert_eq!(Position(3).after(2), Position(5));
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// The position of the last of `records` that follow this one.
    #[must_use]
    pub fn after(self, records: usize) -> Self {
        Self(self.0.saturating_add(records as u64))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Records that are written together.
pub type Batch = Arc<[Record]>;

/// One thing that happened to a session. Besides the accepted transitions
/// these are the things that a client is told and may rely upon: that it is
/// known, and that a submission was refused.
///
/// A variant's place is part of the encoding: append, never insert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A transition was accepted.
    Entry(Entry),
    /// A client is here: a new one, or one that was away.
    Joined {
        /// Who.
        client: ClientId,
        /// What it proves itself with when it comes back.
        key: ResumeKey,
        /// As whom authentication knows it.
        user: Option<UserId>,
        /// When it came.
        at: Timestamp,
    },
    /// A client is away.
    Left {
        /// Who.
        client: ClientId,
        /// Since when.
        at: Timestamp,
    },
    /// A submission was refused.
    Refused {
        /// Whose.
        client: ClientId,
        /// Which, and why.
        rejection: Rejection,
    },
    /// The session was taken up from its journal, and a new history begins.
    Opened {
        /// The history.
        history: HistoryId,
    },
}

impl Record {
    /// The entry, if it is one.
    ///
    /// ```
    /// use aper::ClientId;
    /// use aper::Timestamp;
    /// use aper::journal::Record;
    /// let left = Record::Left { client: ClientId(1), at: Timestamp::ZERO };
    /// assert_eq!(left.entry(), None);
    /// ```
    #[must_use]
    pub fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Entry(entry) => Some(entry),
            _ => None,
        }
    }
}

//! What is wrong with a server.

use crate::id::Version;
use crate::protocol::CloseCode;

/// What makes a replica give a connection up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// A message that may not come now.
    Unexpected,
    /// Bytes that are no value of the machine's.
    Malformed,
    /// An entry, or an answer, is missing.
    Gap,
    /// An entry that the server accepted is refused here.
    Diverged(Version),
    /// The server says nothing.
    Silence,
}

impl Fault {
    pub(super) fn close(self) -> (CloseCode, &'static str) {
        match self {
            Self::Unexpected => (CloseCode::Protocol, "a message came that may not come now"),
            Self::Malformed => (CloseCode::Protocol, "a message could not be decoded"),
            Self::Gap => (CloseCode::Protocol, "a message is missing"),
            Self::Diverged(_) => (CloseCode::Protocol, "the states differ"),
            Self::Silence => (CloseCode::Silent, "nothing was heard for too long"),
        }
    }
}

//! What can go wrong, one type for one operation.

use aper::journal::JournalError;
use aper::limits::CLIENT_FRAME_BYTES;
use aper::protocol::{CloseCode, EncodeError};

use crate::machine::CannotOpen;

/// Why a server could not be made.
///
/// ```
/// use aper::collections::Counter;
/// use aper_server::{BuildError, Server};
///
/// let twice = Server::builder().machine(|_| Counter::default()).machine(|_| Counter::default());
/// assert_eq!(twice.build().err(), Some(BuildError::TwoMachines { name: "counter" }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Two machines have the same name.
    #[error("two machines are called `{name}`: give one of them another NAME")]
    TwoMachines {
        /// The name.
        name: &'static str,
    },
    /// A machine's name cannot stand in a URL.
    #[error(
        "the machine name `{name}` cannot stand in a URL: \
         use lower-case letters, digits and hyphens"
    )]
    MachineName {
        /// The name.
        name: &'static str,
    },
    /// A machine has the name under which the inspector is.
    #[error(
        "a machine is called `{}`, where the inspector is: give the machine another NAME, \
         or leave the inspector off",
        crate::inspector::PREFIX
    )]
    InspectorsName,
    /// There is no such directory.
    #[error("the directory for static files, {path}, does not exist")]
    StaticFiles {
        /// The directory.
        path: String,
    },
    /// [`Limits::message_bytes`](crate::Limits::message_bytes) is less than
    /// clients may send.
    #[error(
        "messages of {bytes} bytes at most are too short: clients send up to \
         {CLIENT_FRAME_BYTES} bytes, and would be closed again and again"
    )]
    MessageBytes {
        /// The limit that was asked for.
        bytes: usize,
    },
}

/// Why the state of a session cannot be told.
/// What [`Server::state`](crate::Server::state) gives.
///
/// ```
/// use aper::collections::{Counter, Set};
/// use aper_server::{Server, StateError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder().machine(|_| Counter::default()).build()?;
/// let tags = server.state::<Set<String>>(&"tags".parse()?).await;
/// assert_eq!(tags, Err(StateError::UnknownMachine));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The machine was not given to the server, or with another schema.
    #[error("this server does not host that machine")]
    UnknownMachine,
    /// [`Limits::sessions`](crate::Limits::sessions) are awake.
    #[error("as many sessions are awake as may be")]
    TooManySessions,
    /// The server stops.
    #[error("the server stops")]
    Stopping,
    /// The session met an error of its own, which is in the log.
    #[error("the session met an error and ended")]
    SessionFailed,
    /// The state is not encoded and decoded as itself.
    #[error("the state cannot be encoded and decoded: {0}")]
    Codec(String),
}

/// Why a session ended that should not have.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the journal did not answer within {seconds} s")]
    JournalSilent { seconds: u64 },
    #[error("the session cannot be opened: {0}")]
    Open(#[from] CannotOpen),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("the state could not be encoded: its Serialize panicked")]
    EncodePanicked,
    #[error("it did not end in time when the server stopped")]
    Overdue,
    #[error("the operating system gave no random numbers: {0}")]
    Entropy(String),
}

/// Why a connection is to end: for a program, and for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) code: CloseCode,
    pub(crate) reason: String,
}

impl Closing {
    pub(crate) fn new(code: CloseCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    pub(crate) fn restart() -> Self {
        Self::new(CloseCode::Restart, "the server stops: come back in a moment")
    }

    pub(crate) fn session_failed() -> Self {
        let reason = "the session met an error and ended; it starts anew from its journal";
        Self::new(CloseCode::SessionFailed, reason)
    }
}

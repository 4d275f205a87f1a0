//! What goes wrong by the caller's doing. What goes wrong otherwise is an
//! outcome ([`aper::sync::Outcome`]) or a [`Problem`](crate::Problem).

use std::borrow::Cow;
use std::fmt;

/// A misuse, with a code for programs and a text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Which.
    pub code: ErrorCode,
    /// In words.
    pub text: Cow<'static, str>,
}

/// Which misuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The client is closed. What was submitted before and had no answer yet
    /// may have been accepted or not.
    Closed,
    /// No connection to this address can even be tried, or there is no
    /// `WebSocket` here.
    Address,
    /// A value from JavaScript is no transition of this machine.
    Malformed,
    /// A value of the machine's cannot be encoded, or not be represented in
    /// JavaScript.
    Unrepresentable,
    /// The transition is longer than a server takes
    /// ([`CLIENT_FRAME_BYTES`](aper::limits::CLIENT_FRAME_BYTES)).
    TooBig,
    /// As many transitions as a client keeps have no answer yet
    /// ([`PENDING_TRANSITIONS`](aper::limits::PENDING_TRANSITIONS)).
    TooManyPending,
}

impl ErrorCode {
    /// The code as JavaScript has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Address => "address",
            Self::Malformed => "malformed",
            Self::Unrepresentable => "unrepresentable",
            Self::TooBig => "too-big",
            Self::TooManyPending => "too-many-pending",
        }
    }
}

impl Error {
    pub(crate) fn new(code: ErrorCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into() }
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorCode::Closed, "the client is closed")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

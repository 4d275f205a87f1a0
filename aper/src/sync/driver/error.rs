//! What goes wrong by the caller's doing. What goes wrong otherwise is an
//! [`Outcome`](crate::sync::Outcome) or a [`Problem`](super::Problem).

use std::borrow::Cow;
use std::fmt;

use crate::sync::{Refusal, SubmitError};

/// A misuse, with a code for programs and a text for people.
///
/// ```
/// use aper::sync::driver::{Error, ErrorCode};
///
/// let error = Error::new(ErrorCode::Address, "`counter/lobby` is no address");
/// assert_eq!(error.code.as_str(), "address");
/// assert_eq!(error.to_string(), "`counter/lobby` is no address");
/// ```
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
    /// No connection to this address can even be tried, or there is nothing
    /// here to connect with.
    Address,
    /// A value from another language is no transition of this machine.
    Malformed,
    /// A value of the machine's cannot be encoded, or not be represented in
    /// the language of the application.
    Unrepresentable,
    /// The transition is longer than a server takes
    /// ([`CLIENT_FRAME_BYTES`](crate::limits::CLIENT_FRAME_BYTES)).
    TooBig,
    /// As many transitions as a client keeps have no answer yet
    /// ([`PENDING_TRANSITIONS`](crate::limits::PENDING_TRANSITIONS)).
    TooManyPending,
}

impl ErrorCode {
    /// The code as a word, which is also how JavaScript has it.
    ///
    /// ```
    /// assert_eq!(aper::sync::driver::ErrorCode::TooManyPending.as_str(), "too-many-pending");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
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
    /// A misuse, in words.
    pub fn new(code: ErrorCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into() }
    }

    /// [`ErrorCode::Closed`].
    ///
    /// ```
    /// use aper::sync::driver::{Error, ErrorCode};
    /// assert_eq!(Error::closed().code, ErrorCode::Closed);
    /// ```
    #[must_use]
    pub fn closed() -> Self {
        Self::new(ErrorCode::Closed, "the client is closed")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

/// Why a transition was not taken: what
/// [`Driver::submit`](super::Driver::submit) gives.
///
/// ```
/// use aper::LocalTime;
/// use aper::collections::Counter;
/// use aper::sync::driver::{Driver, Error, Input, NotTaken};
///
/// let mut driver = Driver::<Counter>::new(None, None, || 0.5);
/// let now = LocalTime::from_millis(0);
/// driver.handle(now, Input::Close);
/// assert!(driver.is_closed());
/// let late = driver.submit(now, Counter::add(1));
/// assert_eq!(late, Err(NotTaken::Misuse(Error::closed())));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken<C> {
    /// The state that the user sees does not allow it.
    #[error(transparent)]
    Refused(Refusal<C>),
    /// The application did what it may not do.
    #[error(transparent)]
    Misuse(Error),
}

impl<C> From<SubmitError<C>> for NotTaken<C> {
    fn from(error: SubmitError<C>) -> Self {
        match error {
            SubmitError::Refused(refusal) => Self::Refused(refusal),
            SubmitError::TooManyPending => Self::Misuse(Error::new(
                ErrorCode::TooManyPending,
                "too many transitions wait for the server: try again when it has answered",
            )),
            SubmitError::Encode(error) => {
                Self::Misuse(Error::new(ErrorCode::Unrepresentable, error.to_string()))
            }
        }
    }
}

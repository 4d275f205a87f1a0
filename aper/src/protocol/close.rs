//! Why a connection ended.

/// The WebSocket close codes of the protocol, from the range that is free for
/// applications, and the two standard ones that it uses. The close frame's
/// reason is a sentence for people.
///
/// ```
/// use aper::protocol::CloseCode;
/// assert_eq!(CloseCode::from_number(4001), Some(CloseCode::Outdated));
/// assert!(!CloseCode::Outdated.is_worth_retrying());
/// assert!(CloseCode::Restart.is_worth_retrying());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// The side that closes is done.
    Normal = 1000,
    /// The server stops or restarts: come back after the usual pause.
    Restart = 1012,
    /// The bytes were no message of the protocol, or not one that may come now.
    Protocol = 4000,
    /// The client speaks another version of the protocol, or has another
    /// machine or schema than the server: a page should reload itself.
    Outdated = 4001,
    /// The server's authentication turned the client away.
    Unauthorized = 4002,
    /// The session, or the server, has as many clients as it may.
    Full = 4003,
    /// A newer connection of the same client took its place.
    Replaced = 4004,
    /// The client did not take what was sent to it for too long.
    Slow = 4005,
    /// A message was longer than the server takes.
    TooBig = 4006,
    /// Nothing was heard from the client for too long.
    Silent = 4007,
    /// The session met an error of its own and ended; it starts anew from its
    /// journal when a client comes.
    SessionFailed = 4008,
    /// The server cannot keep anything new at the moment, not even that
    /// somebody came: its disk is full.
    Unavailable = 4009,
}

impl CloseCode {
    const ALL: [Self; 12] = [
        Self::Normal,
        Self::Restart,
        Self::Protocol,
        Self::Outdated,
        Self::Unauthorized,
        Self::Full,
        Self::Replaced,
        Self::Slow,
        Self::TooBig,
        Self::Silent,
        Self::SessionFailed,
        Self::Unavailable,
    ];

    /// The number in the close frame.
    ///
    /// ```
    /// assert_eq!(aper::protocol::CloseCode::Full.number(), 4003);
    /// ```
    #[must_use]
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The code of a close frame's number, if it is one of the protocol's.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.number() == number)
    }

    /// Whether a client that goes on trying may expect a better answer by
    /// itself. Otherwise somebody has to act first: reload the page, log in,
    /// close the other window.
    #[must_use]
    pub fn is_worth_retrying(self) -> bool {
        !matches!(self, Self::Outdated | Self::Unauthorized | Self::Replaced)
    }
}

//! What an application is told about its connection.

use std::borrow::Cow;

use crate::protocol::CloseCode;

/// How things stand.
///
/// ```
/// use aper::sync::driver::{Connection, Status};
///
/// /// The line under a document's title.
/// fn line(status: &Status) -> String {
///     match (status.connection, &status.problem) {
///         (_, Some(problem)) => problem.text.to_string(),
///         (Connection::Online, None) if status.is_saved() => "Saved".to_owned(),
///         (Connection::Online | Connection::Connecting, None) => "Saving…".to_owned(),
///         (Connection::Offline, None) if status.kept => "Saved on this device".to_owned(),
///         (Connection::Offline, None) => format!("Offline, {} not saved", status.pending),
///         (Connection::Closed, None) => "Closed".to_owned(),
///     }
/// }
/// let on_the_train =
///     Status { connection: Connection::Offline, pending: 2, kept: true, problem: None };
/// assert_eq!(line(&on_the_train), "Saved on this device");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The connection.
    pub connection: Connection,
    /// How many of the user's transitions have no answer yet.
    pub pending: usize,
    /// Whether all of these are kept on this device, and will be sent even if
    /// the client ends here. Never, if there is no device that
    /// [keeps](super::Driver::restore) anything.
    pub kept: bool,
    /// Why it is not online, as far as that is known and is worth saying: an
    /// unreachable server is none, it is what "offline" means. (With one
    /// exception: who was [forgotten](ProblemCode::Forgotten) may be online.)
    pub problem: Option<Problem>,
}

impl Status {
    /// Whether the server has everything that was submitted and not refused.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.pending == 0
    }
}

/// Whether there is a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connection {
    /// The first attempt is under way, or a later one got as far as a
    /// connection and is catching up.
    Connecting,
    /// There is a connection, and all that happened before it is here.
    Online,
    /// There is none. The client tries again by itself, unless the problem
    /// says otherwise, and takes transitions meanwhile.
    Offline,
    /// The application has closed it.
    Closed,
}

/// Something that a user may have to know.
///
/// ```
/// use aper::sync::driver::{Problem, ProblemCode};
///
/// /// What a page can offer besides the words.
/// fn button(problem: &Problem) -> Option<&'static str> {
///     match problem.code {
///         ProblemCode::Reload => Some("Reload"),
///         ProblemCode::Replaced => Some("Use it here"), // `Client::reconnect`
///         ProblemCode::Refused => Some("Log in"),
///         _ => None, // it tries again by itself
///     }
/// }
/// let text = "the server restarts".into();
/// assert_eq!(button(&Problem { code: ProblemCode::Shutdown, text }), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which.
    pub code: ProblemCode,
    /// In words: the server's, if it gave any.
    pub text: Cow<'static, str>,
}

/// Which problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemCode {
    /// This client and the server are of different versions: a page should
    /// reload itself, a program be updated. It does not try again by itself.
    Reload,
    /// The server does not let this client in. It does not try again by itself.
    Refused,
    /// The same client is connected from another place, which took over. It
    /// does not try again by itself.
    Replaced,
    /// There is no room. It tries again, slowly.
    SessionFull,
    /// The session met an error of its own. It tries again.
    SessionFailed,
    /// The server stops or restarts. It tries again.
    Shutdown,
    /// One side did not understand the other. It tries again.
    Protocol,
    /// This client's state was not the server's: the machine is not
    /// deterministic. The state is fetched anew.
    Diverged,
    /// This client did not take fast enough what was sent to it. It tries again.
    Slow,
    /// Something was longer than the server takes.
    TooBig,
    /// The server cannot keep anything new at the moment. It tries again.
    Unavailable,
    /// The server did not know any more who this client was. It is another one
    /// now, and goes on; this is told until the connection ends. How those
    /// transitions ended that had been sent is not known.
    Forgotten,
}

impl ProblemCode {
    /// Whether the client tries again by itself. Otherwise somebody has to act
    /// first, and [`Input::Reconnect`](super::Input::Reconnect) makes the next
    /// attempt.
    ///
    /// ```
    /// use aper::sync::driver::ProblemCode;
    ///
    /// assert!(ProblemCode::Shutdown.is_worth_retrying());
    /// assert!(!ProblemCode::Reload.is_worth_retrying(), "it would be refused again");
    /// ```
    #[must_use]
    pub const fn is_worth_retrying(self) -> bool {
        !matches!(self, Self::Reload | Self::Refused | Self::Replaced)
    }

    /// The code as a word, which is also how JavaScript has it.
    ///
    /// ```
    /// assert_eq!(aper::sync::driver::ProblemCode::SessionFull.as_str(), "session-full");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::Refused => "refused",
            Self::Replaced => "replaced",
            Self::SessionFull => "session-full",
            Self::SessionFailed => "session-failed",
            Self::Shutdown => "shutdown",
            Self::Protocol => "protocol",
            Self::Diverged => "diverged",
            Self::Slow => "slow",
            Self::TooBig => "too-big",
            Self::Unavailable => "unavailable",
            Self::Forgotten => "forgotten",
        }
    }
}

impl Problem {
    /// What a close code means for the user, if anything.
    pub(super) fn of(code: CloseCode, reason: String) -> Option<Self> {
        let (code, text) = match code {
            CloseCode::Normal | CloseCode::Silent => return None,
            CloseCode::Outdated => (ProblemCode::Reload, "there is a new version: reload the page"),
            CloseCode::Unauthorized => (ProblemCode::Refused, "the server did not let you in"),
            CloseCode::Replaced => (ProblemCode::Replaced, "you are connected from another place"),
            CloseCode::Full => (ProblemCode::SessionFull, "there is no room at the moment"),
            CloseCode::SessionFailed => (ProblemCode::SessionFailed, "the session met an error"),
            CloseCode::Restart => (ProblemCode::Shutdown, "the server restarts"),
            CloseCode::Protocol => {
                (ProblemCode::Protocol, "this client and the server did not understand each other")
            }
            CloseCode::Slow => (ProblemCode::Slow, "the connection is too slow"),
            CloseCode::TooBig => (ProblemCode::TooBig, "that was more than the server takes"),
            CloseCode::Unavailable => {
                (ProblemCode::Unavailable, "the server cannot keep anything new at the moment")
            }
        };
        let text = if reason.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(reason) };
        Some(Self { code, text })
    }
}

//! Every bound of the server, in one place, with what happens at it. The
//! bounds that clients share are in [`aper::limits`].

use std::time::Duration;

/// The bounds of a server. The defaults suit a small machine that faces the
/// public; change single fields:
///
/// ```
/// use aper_server::Limits;
/// let limits = Limits { clients_per_session: 20, ..Limits::default() };
/// # assert!(limits.sessions > 0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// WebSocket connections at a time. At it: the upgrade is answered 503.
    pub connections: usize,
    /// Plain HTTP connections at a time, of [`Server::serve`](crate::Server::serve)
    /// alone. At it: new ones wait in the operating system's queue.
    pub http_connections: usize,
    /// Sessions awake at a time, over all machines. At it: whoever wants
    /// another is closed as [`CloseCode::Full`](aper::protocol::CloseCode::Full).
    pub sessions: usize,
    /// Clients of one session at a time. At it: a new one is closed as
    /// [`CloseCode::Full`](aper::protocol::CloseCode::Full); one that comes
    /// back in place of its own old connection is let in.
    pub clients_per_session: usize,
    /// Sleeping sessions with a timer that is to wake them. At it: a session
    /// with a timer stays awake, and one that failed is not woken again before
    /// somebody comes.
    pub alarms: usize,

    /// Longest message of a client, in bytes. At it: the connection is closed
    /// as [`CloseCode::TooBig`](aper::protocol::CloseCode::TooBig). Clients
    /// pack messages up to [`CLIENT_FRAME_BYTES`](aper::limits::CLIENT_FRAME_BYTES):
    /// less than that [is refused](crate::BuildError::MessageBytes).
    pub message_bytes: usize,
    /// Messages that one client may send in a second, on average. At it: the
    /// server reads no faster, so that the client's own sending comes to wait.
    /// Nobody is closed for it.
    pub messages_per_second: u32,
    /// Submissions that one client may send in a second, on average, however
    /// many share a message. At it: as with
    /// [`messages_per_second`](Self::messages_per_second). A burst of the
    /// default is all that a client can have gathered while it was offline.
    pub submissions_per_second: u32,
    /// Bytes that one client may send in a second, on average, whether or not
    /// they come to make a message. At it: as with
    /// [`messages_per_second`](Self::messages_per_second). A message that takes
    /// longer than [`SILENCE`](aper::limits::SILENCE) at this rate looks like
    /// silence.
    pub bytes_per_second: u32,
    /// How many seconds' worth of messages, submissions and bytes a client that
    /// was quiet may send at once.
    pub burst_seconds: u32,

    /// Commands that wait for one session. At it: its connections stop
    /// reading from their sockets until there is room.
    pub mailbox: usize,
    /// Records of a session (accepted transitions, comings and goings, refusals)
    /// that the journal has not been given yet.
    /// At it: the session takes no further command, and no timer of the machine
    /// fires, until the journal has.
    pub unwritten_records: usize,
    /// Answers to one client that it has not taken from the server. At it:
    /// nothing more is read from that client until it has taken some.
    pub unsent_answers: usize,
    /// Bytes of the log that a session keeps in memory for its clients. At
    /// it: the oldest go; a client that had not taken them gets a snapshot.
    pub tail_bytes: usize,
    /// Entries of the log that a session keeps in memory for its clients. At
    /// it: as with [`tail_bytes`](Self::tail_bytes).
    pub tail_entries: usize,
    /// Time in which a client is told at most once what the others show of
    /// themselves; a millisecond at least. In it: a newer value takes the place
    /// of an older one. (How long a value is, and how many clients have one, is
    /// bounded by [`PRESENCE_BYTES`](aper::limits::PRESENCE_BYTES) and
    /// [`PRESENT_CLIENTS`](aper::limits::PRESENT_CLIENTS).)
    pub presence_frame: Duration,
    /// Snapshots in a row that a client may be sent without ever catching up
    /// with the log. At it: it is closed as
    /// [`CloseCode::Slow`](aper::protocol::CloseCode::Slow).
    pub snapshots_in_a_row: u32,
    /// Records after which a session stores a snapshot, so that the journal
    /// can drop them.
    pub records_per_snapshot: u64,

    /// How long a session stays awake in which nothing happens: nobody comes,
    /// goes or submits anything, and no timer fires. After it: it stores a
    /// snapshot, and its task and its state go. Clients stay connected, and the
    /// first of them that does something wakes it.
    pub idle: Duration,
    /// Time for the headers of a request, and longest pause between two
    /// requests of a connection. After it: the connection is dropped.
    pub headers_within: Duration,
    /// Time from the upgrade to the client's `Hello`. After it: the connection
    /// is closed as [`CloseCode::Silent`](aper::protocol::CloseCode::Silent).
    /// As much again for authenticating it and opening the session; after that
    /// as [`CloseCode::SessionFailed`](aper::protocol::CloseCode::SessionFailed).
    pub hello_within: Duration,
    /// Time in which a client takes some of what is being sent, be it one
    /// byte. After it: the connection is closed as
    /// [`CloseCode::Slow`](aper::protocol::CloseCode::Slow).
    pub write_within: Duration,
    /// Time for the other side's answer to a close frame. After it: the
    /// connection is dropped.
    pub close_within: Duration,
    /// Time for one operation of the journal. After it: the session ends as
    /// [`CloseCode::SessionFailed`](aper::protocol::CloseCode::SessionFailed).
    pub journal_within: Duration,
    /// Time for a graceful shutdown. After it: what still runs is dropped.
    pub shutdown_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            http_connections: 1_000,
            sessions: 10_000,
            clients_per_session: 1_000,
            alarms: 100_000,
            message_bytes: aper::limits::CLIENT_FRAME_BYTES,
            messages_per_second: 200,
            submissions_per_second: 2_000,
            bytes_per_second: 1024 * 1024,
            burst_seconds: 5,
            mailbox: 1_024,
            unwritten_records: 16_384,
            unsent_answers: 256,
            tail_bytes: 4 * 1024 * 1024,
            tail_entries: 16_384,
            presence_frame: aper::limits::PRESENCE_INTERVAL,
            snapshots_in_a_row: 3,
            records_per_snapshot: 1_000,
            idle: Duration::from_secs(60),
            headers_within: Duration::from_secs(10),
            hello_within: Duration::from_secs(10),
            write_within: Duration::from_secs(15),
            close_within: Duration::from_secs(2),
            journal_within: Duration::from_secs(30),
            shutdown_within: Duration::from_secs(10),
        }
    }
}

//! Every bound of the core, in one place, with what happens at it. The
//! server's own bounds (sessions, connections, rates) are in
//! `aper_server::Limits`.

use std::time::Duration;

/// Deepest nesting that a decoder follows, counted in sequences, maps,
/// structs, tuples, enums and options. At it: the value is refused
/// ([`DecodeError::TooDeep`](crate::protocol::DecodeError::TooDeep)).
///
/// Recursion is what a byte limit does not bound: a few thousand bytes of a
/// recursive type overflow a stack, which nothing can catch.
pub const DECODE_DEPTH: u32 = 128;

/// How many more elements of sequences and maps a value may have than it has
/// bytes. At it: the value is refused
/// ([`DecodeError::TooManyElements`](crate::protocol::DecodeError::TooManyElements)).
///
/// An element takes a byte at least, unless it is zero-sized; a count of those
/// is what a byte limit does not bound.
pub const DECODE_SPARE_ELEMENTS: usize = 1024;

/// Longest frame from a client, in bytes, unless the server says otherwise.
/// At it: the connection is closed with
/// [`CloseCode::TooBig`](crate::protocol::CloseCode::TooBig).
pub const CLIENT_FRAME_BYTES: usize = 256 * 1024;

/// Longest frame from a server, in bytes. At it: the client drops the
/// connection as [`CloseCode::Protocol`](crate::protocol::CloseCode::Protocol).
pub const SERVER_FRAME_BYTES: usize = 16 * 1024 * 1024;

/// Largest encoded state that a client takes in a snapshot, in bytes. At it:
/// the client drops the connection.
pub const SNAPSHOT_BYTES: u64 = 1 << 30;

/// Size of the pieces in which a snapshot travels, in bytes, so that a big
/// state stalls neither a heartbeat nor another client.
pub const SNAPSHOT_CHUNK_BYTES: usize = 64 * 1024;

/// Submissions of one client that may be without an answer at a time, unless
/// the server says otherwise. At it: the replica holds the rest back; a client
/// that sends them all the same is closed as
/// [`CloseCode::Protocol`](crate::protocol::CloseCode::Protocol).
pub const UNANSWERED_SUBMISSIONS: u32 = 256;

/// Entries that share a message. A server splits what is more; a client that is
/// sent more drops the connection.
///
/// The shortest entry takes 9 bytes in a frame and more than ten times as much
/// in memory: a frame's length bounds them too late.
pub const COMMITTED_ENTRIES: usize = 4096;

/// Transitions that a replica keeps while they are without an answer, or
/// while it is offline. At it: `submit` answers
/// [`SubmitError::TooManyPending`](crate::sync::SubmitError::TooManyPending).
pub const PENDING_TRANSITIONS: usize = 10_000;

/// How long a transition that [merges](crate::StateMachine::merge) with the one
/// that was sent before it waits for more that do, unless something else comes
/// after it: ten a second look alive, and are few.
pub const MERGE_WITHIN: Duration = Duration::from_millis(100);

/// Gestures that a [`UndoStack`](crate::sync::UndoStack) can take back. At it: the
/// oldest is forgotten.
pub const UNDO_GESTURES: usize = 100;

/// Clients that a session remembers, so that they can come back as
/// themselves. At it: of those who are away, the one that has been away the
/// longest is forgotten, and told so when it comes.
pub const REMEMBERED_CLIENTS: usize = 10_000;

/// Bytes of encoded conflicts that a session remembers of each client, for one
/// that comes back without having had its answers. At it: the oldest are
/// forgotten, and end as
/// [`Outcome::Snapshot`](crate::sync::Outcome::Snapshot) if they are asked for.
///
/// A conflict may repeat what it is about, and that is as long as the client
/// makes it: their number alone bounds nothing.
pub const REMEMBERED_REFUSAL_BYTES: usize = 64 * 1024;

/// Sessions that a journal in memory holds: it forgets none, and whoever can
/// connect can name new ones. At it: a new one is refused
/// ([`JournalError::Full`](crate::journal::JournalError::Full)).
pub const MEMORY_JOURNAL_SESSIONS: usize = 100_000;

/// Histories of a session that are remembered, one for each time that it was
/// taken up from its journal. At it: the oldest is forgotten; a client that
/// holds a version of that gets a snapshot.
pub const HISTORIES: usize = 64;

/// Entries between two checks of what the clients' states come to, at least.
pub const ENTRIES_PER_CHECK: u64 = 1_024;

/// Entries between two checks for each byte of the encoded state, at least: so
/// a check costs less than a hundredth of applying the entries. (Measured on two
/// shared cores in November 2026, with maps of 10 to 100,000 small values: a byte
/// of the state took 7 to 12 ns to encode and hash, an entry 160 to 570 ns to
/// decode and apply.)
pub const ENTRIES_PER_CHECKED_BYTE: u64 = 4;

/// Timers of one session that fire in one go. At it: the rest fire in the
/// next, after the other work that waits.
pub const TIMERS_AT_ONCE: usize = 64;

/// Longest encoded value that a client shows of itself, in bytes. At it:
/// setting a longer one is an error; a client that sends one all the same is
/// closed as [`CloseCode::Protocol`](crate::protocol::CloseCode::Protocol).
pub const PRESENCE_BYTES: usize = 4 * 1024;

/// Time between two messages of a client about what it shows, at least. Before
/// it: the newer value takes the place of the one that waits.
pub const PRESENCE_INTERVAL: Duration = Duration::from_millis(33);

/// Clients that one message says something about, as to what they show. A
/// server splits what is more; a client that is sent more drops the connection.
pub const PRESENCE_CHANGES: usize = 1_024;

/// Clients that show something, of one session. At it: what a further one
/// shows is told to nobody; a client that is told of more drops the connection.
pub const PRESENT_CLIENTS: usize = 10_000;

/// Clients that have stopped showing something, of which a session remembers
/// when. At it: the oldest is forgotten, and who has not been told of that one
/// is told everything anew.
pub const DEPARTED_CLIENTS: usize = 1_024;

/// Quiet time after which a client asks for a sign of life.
pub const PING_AFTER: Duration = Duration::from_secs(10);

/// Silence after which either side takes the connection for dead.
pub const SILENCE: Duration = Duration::from_secs(30);

/// Time from connecting to the server's welcome, after which a client gives
/// the attempt up.
pub const WELCOME_WITHIN: Duration = Duration::from_secs(20);

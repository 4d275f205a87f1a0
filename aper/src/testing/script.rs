//! A run as data: what happens, step by step. What a seed made up can be
//! shortened, printed, and run again by itself.

use std::fmt::{self, Debug};

/// A whole run. [`replay`](super::replay) runs it again; its `Display` is the
/// Rust that makes the steps, for a test of its own.
///
/// ```
/// use aper::collections::Counter;
/// use aper::testing::{Config, Script, Step, replay};
///
/// let steps = vec![
///     Step::Connect { client: 0 },
///     Step::Submit { client: 0, transition: Counter::add(1) },
///     Step::Up { client: 0 },
///     Step::Crash { surviving: 0 },
/// ];
/// let script = Script { seed: 0, steps };
/// let report = replay(&script, &Config::default(), Counter::default())?;
/// assert_eq!((report.submitted, report.confirmed), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Script<T> {
    /// Where the server's own chance comes from.
    pub seed: u64,
    /// What happens, in this order, before the network is healed.
    pub steps: Vec<Step<T>>,
}

/// What happens next. A step that has nothing to happen to does nothing, so
/// that steps before it can be left out. Clients count from 0; a number beyond
/// the last wraps around.
///
/// ```
/// use aper::testing::Step;
/// let step = Step::Submit { client: 0, transition: "a pawn's move" };
/// assert_eq!(format!("{step:?}"), "Submit { client: 0, transition: \"a pawn's move\" }");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Step<T> {
    /// A user does something.
    Submit {
        /// Whose user.
        client: usize,
        /// What.
        transition: T,
    },
    /// A client shows something of itself to the others, or nothing any more.
    Show {
        /// Which.
        client: usize,
        /// What.
        value: Option<u8>,
    },
    /// A client that has no connection opens one.
    Connect {
        /// Which.
        client: usize,
    },
    /// The server takes the oldest message that is on its way from a client.
    Up {
        /// From which.
        client: usize,
    },
    /// A client takes the oldest message that is on its way to it.
    Down {
        /// Which.
        client: usize,
    },
    /// The server sends a client its answers, and the next piece of the log or
    /// of a snapshot.
    Write {
        /// To which.
        client: usize,
    },
    /// The server sends a client its answers alone: ahead of entries that were
    /// accepted before them.
    Answer {
        /// To which.
        client: usize,
    },
    /// The journal syncs all that it was given.
    Sync,
    /// The server makes a snapshot of the session as it is.
    Snapshot,
    /// The journal stores that snapshot, if it has all the records up to it.
    Store,
    /// A client's device does the next thing that it was asked to.
    Keep {
        /// Whose.
        client: usize,
    },
    /// Time passes.
    Wait {
        /// How much.
        millis: u64,
    },
    /// The server takes the oldest message of a connection that its client has
    /// given up.
    UpStale {
        /// Which of them, the oldest first.
        nth: usize,
    },
    /// The server notices that a connection has ended.
    NoticeStale {
        /// Which of them, the oldest first.
        nth: usize,
    },
    /// A connection ends, with all that is on its way.
    Cut {
        /// Whose.
        client: usize,
    },
    /// A client's connection ends, and the server does not notice.
    HalfOpen {
        /// Whose.
        client: usize,
    },
    /// A client's connection ends, and the client does not notice.
    Deaf {
        /// Whose.
        client: usize,
    },
    /// The next message is going to come twice.
    Duplicate {
        /// Whose.
        client: usize,
        /// Which way it travels.
        way: Way,
    },
    /// The entries that are next on their way to a client are left out.
    Hole {
        /// To which.
        client: usize,
    },
    /// The session sleeps, and is woken at once: its connections stay.
    Sleep,
    /// The server stops in good order and starts again.
    Restart,
    /// The server crashes and starts again.
    Crash {
        /// How many records survive of those that were being written.
        surviving: usize,
    },
    /// The disk is full from now on.
    FillDisk,
    /// There is room again.
    FreeDisk,
    /// The server's clock jumps.
    ServerClock {
        /// How far; backwards if negative.
        millis: i64,
    },
    /// A client's clock jumps.
    ClientClock {
        /// Whose.
        client: usize,
        /// How far; backwards if negative.
        millis: i64,
    },
    /// Somebody does what no client of this library does.
    Misbehave(Misdeed<T>),
    /// A page is loaded anew: what it had in memory is gone.
    Reload {
        /// Whose.
        client: usize,
    },
    /// A device does the next thing that it was asked to, and does not say so.
    KeepSilently {
        /// Whose.
        client: usize,
    },
    /// A device keeps nothing any more, nor what it had.
    StopKeeping {
        /// Whose.
        client: usize,
    },
    /// The operator makes a backup of the journal.
    Backup,
    /// The operator stops the server and starts it with the last backup.
    Restore,
}

/// Which way a message travels.
///
/// ```
/// use aper::testing::{Step, Way};
/// let step: Step<()> = Step::Duplicate { client: 1, way: Way::Up };
/// assert_eq!(format!("{step:?}"), "Duplicate { client: 1, way: Up }");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the server.
    Up,
    /// To the client.
    Down,
}

/// What a client can do that is no client of this library. There is one such,
/// besides the others.
///
/// ```
/// use aper::collections::Counter;
/// use aper::testing::{Config, Fault, Misdeed, Script, Step, replay};
///
/// let flood = Misdeed::Flood { transition: Counter::add(1) };
/// let steps = vec![Step::Misbehave(Misdeed::Join), Step::Misbehave(flood)];
/// let script = Script { seed: 0, steps };
/// let report = replay(&script, &Config::default(), Counter::default())?;
/// assert_eq!(report.count(Fault::TooMany), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Misdeed<T> {
    /// Connects, as somebody new.
    Join,
    /// Connects, and claims to be another client, with a made-up key.
    Impersonate {
        /// Which.
        client: usize,
    },
    /// Sends bytes: as a message, and then as a transition.
    Garbage {
        /// Which.
        bytes: Vec<u8>,
    },
    /// Submits under these numbers, in this order.
    Number {
        /// The numbers.
        seqs: Vec<u64>,
        /// What is submitted under each.
        transition: T,
    },
    /// Submits more at once than may be without an answer.
    Flood {
        /// What is submitted each time.
        transition: T,
    },
    /// Claims to have another state than the session.
    WrongHash {
        /// What it claims that the state comes to.
        hash: u64,
    },
    /// Ends its connection.
    Leave,
}

impl<T: Debug> fmt::Display for Script<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Script {{")?;
        writeln!(f, "    seed: {},", self.seed)?;
        writeln!(f, "    steps: vec![")?;
        for step in &self.steps {
            writeln!(f, "        {step:?},")?;
        }
        write!(f, "    ],\n}}")
    }
}

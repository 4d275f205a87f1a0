//! What goes wrong in a run: how often it is asked for, and how often it
//! really happened.

use std::fmt;

/// How often a fault is among the next steps: weights against about 400 for
/// the ordinary steps together.
///
/// ```
/// use aper::collections::Counter;
/// use aper::testing::{Config, Fault, Faults, simulate};
///
/// // Only what a train does to a phone.
/// let faults = Faults { cut: 60, half_open: 60, ..Faults::NONE };
/// let config = Config { faults, ..Config::default() };
/// let report = simulate(1, &config, Counter::default(), |_, _| Counter::add(1))?;
/// assert!(report.count(Fault::Cut) > 0 && report.count(Fault::HalfOpen) > 0);
/// assert_eq!(report.count(Fault::Crashed), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// A connection ends, with all that was on its way.
    pub cut: u32,
    /// A connection ends for the client, and the server does not notice.
    pub half_open: u32,
    /// A connection ends for the server, and the client does not notice.
    pub deaf: u32,
    /// Nothing happens for longer than anybody should stay silent.
    pub delay: u32,
    /// A message comes twice.
    pub duplicate: u32,
    /// Some entries are left out on the way to a client, which no transport
    /// does, but a server's bug could.
    pub hole: u32,
    /// A client's answers are sent ahead of entries that came before them.
    pub overtake: u32,
    /// The session sleeps and is woken, and the connections stay.
    pub sleep: u32,
    /// The server stops in good order and starts again.
    pub restart: u32,
    /// The server crashes and comes back with what the journal holds: all that
    /// was synced, and perhaps the beginning of what was not.
    pub crash: u32,
    /// The disk is full.
    pub disk_full: u32,
    /// The server's clock, or a client's, jumps.
    pub clock: u32,
    /// A client does what no client of this library does.
    pub misbehave: u32,
    /// A page is reloaded: its memory is gone, its device has what it kept.
    pub reload: u32,
    /// A device keeps what it was asked to and does not say so in time, or
    /// keeps nothing any more.
    pub device: u32,
    /// A backup is made, or restored.
    pub restore: u32,
}

impl Faults {
    /// Every fault.
    pub const ALL: Self = Self {
        cut: 6,
        half_open: 4,
        deaf: 2,
        delay: 2,
        duplicate: 6,
        hole: 4,
        overtake: 16,
        sleep: 3,
        restart: 2,
        crash: 3,
        disk_full: 4,
        clock: 4,
        misbehave: 14,
        reload: 4,
        device: 6,
        restore: 3,
    };

    /// A perfect network, a server that never stops and pages that stay.
    pub const NONE: Self = Self {
        cut: 0,
        half_open: 0,
        deaf: 0,
        delay: 0,
        duplicate: 0,
        hole: 0,
        overtake: 0,
        sleep: 0,
        restart: 0,
        crash: 0,
        disk_full: 0,
        clock: 0,
        misbehave: 0,
        reload: 0,
        device: 0,
        restore: 0,
    };
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)+) => {
        /// A kind of fault that really happened, and not only would have if
        /// there had been something to happen to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl Fault {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];
            /// How many kinds there are.
            pub const KINDS: usize = Self::ALL.len();

            /// In one word.
            ///
            /// ```
            /// assert_eq!(aper::testing::Fault::HalfOpen.name(), "half_open");
            /// ```
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// A connection ended, for both sides, with all that was on its way.
    Cut = "cut",
    /// A connection ended, and the server went on holding it for open.
    HalfOpen = "half_open",
    /// A connection ended, and the client went on holding it for open.
    Deaf = "deaf",
    /// A message was a second and more on its way.
    Delayed = "delayed",
    /// A message came twice.
    Duplicated = "duplicated",
    /// A client missed entries.
    Hole = "hole",
    /// An answer came ahead of entries that were accepted before it.
    Overtaken = "overtaken",
    /// A message of a connection that its client had given up came late.
    Stale = "stale",
    /// The session slept, and nobody was connected.
    Slept = "slept",
    /// The session slept, and somebody stayed connected.
    Reattached = "reattached",
    /// The server stopped in good order.
    Restarted = "restarted",
    /// The server crashed.
    Crashed = "crash",
    /// The server crashed, and what was not synced was lost.
    Unsynced = "unsynced",
    /// The server crashed, and a batch was cut in the middle.
    Torn = "torn",
    /// The server crashed, and what it had not acknowledged was there all the same.
    Unacknowledged = "unacknowledged",
    /// An append found no room.
    DiskFull = "disk_full",
    /// A submission was refused because there was no room.
    Unavailable = "unavailable",
    /// A client was turned away because there was no room.
    TurnedAway = "turned_away",
    /// A snapshot was stored while later records were being written.
    SnapshotBetween = "snapshot_between",
    /// A clock jumped forwards.
    ClockForwards = "clock_forwards",
    /// A clock jumped backwards.
    ClockBackwards = "clock_backwards",
    /// Bytes came that are no message, or no transition.
    Garbage = "garbage",
    /// Submissions came whose numbers do not grow.
    Disorder = "disorder",
    /// More submissions came at once than may be without an answer.
    TooMany = "too_many",
    /// Somebody claimed to be another client, with a key that was not that one's.
    ForeignKey = "foreign_key",
    /// A client claimed to have another state than the session.
    WrongHash = "wrong_hash",
    /// A page was reloaded that keeps nothing.
    Reloaded = "reloaded",
    /// A page was reloaded that had kept something without an answer.
    Restored = "restored",
    /// A page was reloaded before its device had kept all that it was asked to.
    LostChanges = "lost_changes",
    /// A device kept changes and did not say so in time.
    SilentDevice = "silent_device",
    /// A device kept nothing any more.
    DeviceStopped = "device_stopped",
    /// A backup was restored that lacked something.
    BackupRestored = "backup_restored",
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

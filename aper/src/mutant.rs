//! Bugs on purpose. A test that cannot fail proves nothing: each of these
//! breaks one promise, and the simulation has to notice. They exist only with
//! the feature `testing`, and act only on the thread that asked for them.

macro_rules! mutants {
    ($($(#[doc = $doc:literal])+ $mutant:ident,)+) => {
        /// A promise to break.
        ///
        /// A simulation that finds nothing may be one that looks at nothing.
        /// This one looks:
        ///
        /// ```
        /// use aper::collections::Counter;
        /// use aper::testing::{Config, Mutant, simulate, with_mutant};
        ///
        /// let config = Config::default();
        /// let run = |seed| simulate(seed, &config, Counter::default(), |_, _| Counter::add(1));
        /// let failure = with_mutant(Mutant::NoDuplicateCheck, || {
        ///     (0..100).find_map(|seed| run(seed).err())
        /// });
        /// assert_eq!(failure.map(|failure| failure.violation.invariant), Some("I3"));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(
            not(feature = "testing"),
            allow(unreachable_pub, dead_code, reason = "it is public, and planted, with it")
        )]
        pub enum Mutant {
            $($(#[doc = $doc])+ $mutant,)+
        }

        #[cfg(feature = "testing")]
        impl Mutant {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$mutant,)+];

            /// What it does, in a sentence.
            ///
            /// ```
            /// use aper::testing::Mutant;
            /// assert!(Mutant::NoRebase.about().starts_with("The replica"));
            /// ```
            #[must_use]
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$mutant => concat!($($doc),+).trim_ascii(),)+
                }
            }
        }
    };
}

mutants! {
    /// The journal says that it holds what a crash would lose.
    NoSync,
    /// The journal drops all records at a snapshot, also those that follow it.
    DropBeyondSnapshot,
    /// The authority tells before the journal holds it.
    TellBeforeDurable,
    /// The authority decides again on what it decided before.
    NoDuplicateCheck,
    /// The authority wakes without its table of clients.
    ForgetClients,
    /// The authority leaves out of a snapshot how far each client was decided.
    ForgetNumbers,
    /// The authority does not have a refusal written.
    RefusalNotRecorded,
    /// The authority does not count a refused submission as decided.
    RefusalNotCounted,
    /// The authority lets a client's old connection be when there is a new one.
    KeepStaleConnection,
    /// The authority forgets who stayed connected while it slept.
    ForgetAttached,
    /// The authority leads a client on from one version too far.
    ResumeOffByOne,
    /// The authority takes a version for its own, whatever history it is of.
    NoHistoryCheck,
    /// The replica leaves its prediction as it was when the truth comes.
    NoRebase,
    /// The replica shows what is pending twice after a rebase.
    PendingTwice,
    /// The replica does not send again what had no answer when the connection ended.
    NoResend,
    /// The replica takes entries although some before them are missing.
    NoGapCheck,
    /// The replica sends more than it may at a time.
    NoWindow,
    /// The replica sends what the device has not kept yet.
    SendBeforeKept,
    /// The replica gives what a device kept another number than it had.
    NumberAnew,
    /// The replica says that something was not taken while the device would still send it.
    TellBeforeForgotten,
    /// The table of presences takes the late end of a connection for the end of its client.
    LateCloseTakesPresence,
    /// The table of presences tells nobody what is cleared.
    ClearedPresenceNotTold,
    /// The replica does not show itself again on a new connection.
    PresenceNotResent,
}

#[cfg(feature = "testing")]
mod planted {
    use std::cell::Cell;

    use super::Mutant;

    thread_local! {
        static PLANTED: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Runs `test` with the bug in place.
    pub fn with<T>(mutant: Mutant, test: impl FnOnce() -> T) -> T {
        struct Removed;
        impl Drop for Removed {
            fn drop(&mut self) {
                PLANTED.set(None);
            }
        }
        PLANTED.set(Some(mutant));
        let _removed = Removed;
        test()
    }

    pub(crate) fn active(mutant: Mutant) -> bool {
        PLANTED.get() == Some(mutant)
    }
}

#[cfg(feature = "testing")]
pub(crate) use planted::active;
#[cfg(feature = "testing")]
pub use planted::with;

#[cfg(not(feature = "testing"))]
#[inline(always)]
pub(crate) const fn active(_: Mutant) -> bool {
    false
}

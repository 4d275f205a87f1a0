//! Bugs on purpose. A test that cannot fail proves nothing: each of these
//! breaks one promise, and the simulation has to notice. They exist only with
//! the feature `testing`, and act only on the thread that asked for them.

/// A promise to break.
///
/// A simulation that finds nothing may be one that looks at nothing. This one
/// looks:
///
/// ```
/// use aper::collections::Counter;
/// use aper::testing::{Config, Mutant, Violation, simulate, with_mutant};
///
/// let first_found = with_mutant(Mutant::NoDuplicateCheck, || {
///     (0..100).find_map(|seed| {
///         simulate(seed, &Config::default(), Counter::default(), |_, _| Counter::add(1)).err()
///     })
/// });
/// let violation: Option<Violation> = first_found.map(|failure| failure.violation);
/// assert_eq!(violation.map(|violation| violation.invariant), Some("I3"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "testing"), allow(unreachable_pub, reason = "it is public with it"))]
pub enum Mutant {
    /// The authority decides again on what it decided before.
    NoDuplicateCheck,
    /// The authority tells before the journal holds it.
    TellBeforeDurable,
    /// The authority wakes without its table of clients.
    ForgetClients,
    /// The replica leaves its prediction as it was when the truth comes.
    NoRebase,
    /// The replica does not send again what had no answer when the connection ended.
    NoResend,
    /// The replica takes entries although some before them are missing.
    NoGapCheck,
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

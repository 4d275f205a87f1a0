//! What happened in a run.

use std::ops::AddAssign;

use super::fault::Fault;

/// What happened in a run: to be summed up, so that a test can show that what
/// it relies on did happen.
///
/// ```
/// use aper::collections::Counter;
/// use aper::testing::{Config, Fault, Report, simulate};
///
/// let mut sum = Report::default();
/// for seed in 0..30 {
///     sum += simulate(seed, &Config::default(), Counter::default(), |_, _| Counter::add(1))?;
/// }
/// let settled = sum.merged + sum.confirmed + sum.refused + sum.by_snapshot + sum.abandoned;
/// assert_eq!(settled, sum.submitted, "everything has an end");
/// assert!(sum.count(Fault::Crashed) > 0);
/// assert!(sum.never_happened().all(|fault| fault != Fault::Crashed));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Transitions submitted and taken.
    pub submitted: u64,
    /// Of these, merged into another before it was sent: they end with it.
    pub merged: u64,
    /// Of the others, confirmed at a version.
    pub confirmed: u64,
    /// Refused by the server.
    pub refused: u64,
    /// Settled by a snapshot.
    pub by_snapshot: u64,
    /// Gone with a page before any device kept them: nobody was told an end.
    pub abandoned: u64,
    /// Entries that the journal took.
    pub entries: u64,
    /// Snapshots sent to clients.
    pub snapshots: u64,
    /// Connections that a replica gave up by itself.
    pub given_up: u64,
    /// Times that a client showed something else of itself, or nothing.
    pub shown: u64,
    /// Hashes of a client's state that were compared with the session's.
    pub checked: u64,
    faults: [u64; Fault::KINDS],
}

impl Report {
    /// How often this happened.
    #[must_use]
    pub fn count(&self, fault: Fault) -> u64 {
        self.faults[fault as usize]
    }

    /// The kinds of faults that did not happen once.
    pub fn never_happened(&self) -> impl Iterator<Item = Fault> {
        Fault::ALL.iter().copied().filter(|&fault| self.count(fault) == 0)
    }

    pub(super) fn happened(&mut self, fault: Fault) {
        self.faults[fault as usize] += 1;
    }
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.submitted += other.submitted;
        self.confirmed += other.confirmed;
        self.refused += other.refused;
        self.by_snapshot += other.by_snapshot;
        self.merged += other.merged;
        self.abandoned += other.abandoned;
        self.entries += other.entries;
        self.snapshots += other.snapshots;
        self.given_up += other.given_up;
        self.shown += other.shown;
        self.checked += other.checked;
        for (sum, count) in self.faults.iter_mut().zip(other.faults) {
            *sum += count;
        }
    }
}

//! What was seen of a run.

use std::ops::Range;

use hdrhistogram::Histogram;

/// What was seen since it was last looked at.
pub(super) struct Seen {
    /// Entries, each as often as somebody was told it.
    pub(super) deliveries: u64,
    /// From sending a mutation to being told it, in nanoseconds.
    pub(super) latency: Histogram<u64>,
    /// Whose deliveries are timed.
    pub(super) timed: Timed,
    /// From connecting to the welcome, and to the state, in nanoseconds.
    pub(super) welcomed: Histogram<u64>,
    pub(super) caught_up: Histogram<u64>,
    /// Bytes of states that were sent to joining clients.
    pub(super) state_bytes: u64,
    /// From one look at those that come first to the next, in nanoseconds: as
    /// much of their latency, at most, is the generator's.
    pub(super) between_looks: Histogram<u64>,
}

/// Whose deliveries are timed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Timed {
    /// Those of a mutation to its author.
    Authors,
    /// What these clients tell each other: who sends more than is taken from him
    /// waits at his own cost.
    Among(Range<usize>),
}

impl Seen {
    pub(super) fn new(timed: Timed) -> Self {
        let times = || {
            let times = Histogram::new_with_bounds(1, 60_000_000_000, 3);
            times.expect("these bounds are right")
        };
        Self {
            deliveries: 0,
            latency: times(),
            timed,
            welcomed: times(),
            caught_up: times(),
            state_bytes: 0,
            between_looks: times(),
        }
    }
}

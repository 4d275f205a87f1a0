//! What a user of the simulation says and gets: how long, what may go wrong,
//! and what happened.

use std::fmt::{self, Debug};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::oracle::Violation;
use super::world::World;
use crate::state_machine::StateMachine;

/// How long a run is and what may go wrong in it.
#[derive(Clone, Debug)]
pub struct Config {
    /// Replicas.
    pub clients: usize,
    /// Random steps before the network is healed.
    pub steps: usize,
    /// Entries that the server keeps in memory for clients that come back;
    /// who is further behind gets a snapshot.
    pub tail: usize,
    /// What may go wrong.
    pub faults: Faults,
}

impl Default for Config {
    /// Three replicas, 300 steps, a tail of 8 entries, every fault.
    fn default() -> Self {
        Self { clients: 3, steps: 300, tail: 8, faults: Faults::ALL }
    }
}

/// How often a fault is among the next steps: weights against 300 for the
/// ordinary ones together.
///
/// ```
/// use aper::collections::Counter;
/// use aper::testing::{Config, Faults, simulate};
///
/// // Only what a train does to a phone.
/// let faults = Faults { cut: 60, half_open: 60, ..Faults::NONE };
/// let config = Config { faults, ..Config::default() };
/// let report = simulate(1, &config, Counter::default(), |_, _| Counter::add(1))?;
/// assert!(report.cut > 0 && report.half_open > 0);
/// assert_eq!(report.crashed, 0);
/// # Ok::<(), aper::testing::Failure>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// A connection ends, with all that was on its way.
    pub cut: u32,
    /// A connection ends for the client, and the server does not notice.
    pub half_open: u32,
    /// A message comes twice.
    pub duplicate: u32,
    /// Some entries are left out on the way to a client, which no transport
    /// does, but a server's bug could.
    pub hole: u32,
    /// The session goes to sleep and is woken.
    pub sleep: u32,
    /// The server stops and comes back with what the journal holds.
    pub crash: u32,
}

impl Faults {
    /// Every fault.
    pub const ALL: Self =
        Self { cut: 8, half_open: 4, duplicate: 16, hole: 16, sleep: 2, crash: 2 };
    /// A perfect network and a server that never stops.
    pub const NONE: Self = Self { cut: 0, half_open: 0, duplicate: 0, hole: 0, sleep: 0, crash: 0 };
}

/// What happened in a run: to be summed up, so that a test can show that what
/// it relies on did happen.
///
/// ```
/// use aper::collections::Counter;
/// use aper::testing::{Config, Faults, Report, simulate};
///
/// let config = Config { faults: Faults::NONE, ..Config::default() };
/// let report: Report = simulate(3, &config, Counter::default(), |_, _| Counter::add(1))?;
/// assert_eq!(report.confirmed, report.submitted, "nobody is refused, nothing is lost");
/// assert_eq!(report.entries, report.confirmed);
/// # Ok::<(), aper::testing::Failure>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Transitions submitted and taken.
    pub submitted: u64,
    /// Of these, confirmed at a version.
    pub confirmed: u64,
    /// Refused by the server.
    pub refused: u64,
    /// Settled by a snapshot.
    pub by_snapshot: u64,
    /// Entries in the journal.
    pub entries: u64,
    /// Connections cut.
    pub cut: u64,
    /// Connections that the server went on holding for open.
    pub half_open: u64,
    /// Messages that came twice.
    pub duplicated: u64,
    /// Holes in what a client was sent.
    pub holes: u64,
    /// Sleeps.
    pub slept: u64,
    /// Crashes.
    pub crashed: u64,
    /// Snapshots sent to clients.
    pub snapshots: u64,
    /// Connections that a replica gave up by itself.
    pub given_up: u64,
}

/// A run in which an invariant did not hold. The same seed, configuration and
/// machine give it again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}, step {step}: {violation}")]
pub struct Failure {
    /// What makes the run.
    pub seed: u64,
    /// After how many steps.
    pub step: usize,
    /// What did not hold.
    pub violation: Violation,
}

/// The seeded random source of a run: what a simulated user does is drawn from
/// it, and from nothing else, so that a seed gives the same run again.
///
/// ```
/// use aper::collections::{Counter, CounterTransition};
/// use aper::testing::{Config, Random, simulate};
///
/// fn whim(random: &mut Random, seen: Option<&Counter>) -> CounterTransition {
///     match seen {
///         Some(counter) if counter.get() > 5 => Counter::set(0),
///         _ => Counter::add(random.below(3) as i64),
///     }
/// }
/// let run = || simulate(9, &Config::default(), Counter::default(), whim);
/// assert_eq!(run()?, run()?);
/// # Ok::<(), aper::testing::Failure>(())
/// ```
pub struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn of(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `bound`.
    ///
    /// # Panics
    ///
    /// When `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    pub(super) fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

impl Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

/// Runs one random schedule of submissions, deliveries and faults, and checks
/// I1 to I5 after every step. `transition` makes up what a user does, given
/// what they see, if anything.
///
/// The check of I2 applies pending transitions at [`Timestamp::ZERO`](crate::Timestamp::ZERO): a
/// machine that lets the time decide can be simulated as long as its
/// predictions do not depend on it.
///
/// ```
/// use aper::collections::Counter;
/// use aper::testing::{Config, simulate};
///
/// for seed in 0..20 {
///     let report = simulate(seed, &Config::default(), Counter::default(), |random, _| {
///         Counter::add(random.below(10) as i64)
///     })?;
///     assert!(report.submitted > 0);
/// }
/// # Ok::<(), aper::testing::Failure>(())
/// ```
///
/// # Errors
///
/// The first invariant that did not hold.
pub fn simulate<S: StateMachine + PartialEq + Debug>(
    seed: u64,
    config: &Config,
    initial: S,
    transition: impl FnMut(&mut Random, Option<&S>) -> S::Transition,
) -> Result<Report, Failure> {
    let mut world = World::new(seed, config, initial, transition);
    for step in 0..config.steps {
        world.step().map_err(|violation| Failure { seed, step, violation })?;
    }
    world.heal().map_err(|violation| Failure { seed, step: config.steps, violation })
}

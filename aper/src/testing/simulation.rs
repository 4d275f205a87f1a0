//! What a user of the simulation says and gets: how long, what may go wrong,
//! and what came of it.

use std::any::Any;
use std::fmt::{self, Debug};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::fault::Faults;
use super::minimise::minimise;
use super::oracle::Violation;
use super::random::Random;
use super::report::Report;
use super::schedule::Schedule;
use super::script::{Script, Step};
use super::world::World;
use crate::id::Version;
use crate::protocol::{Payload, encode};
use crate::state_machine::StateMachine;
use crate::sync::Recording;

/// How long a run is and what may go wrong in it.
///
/// ```
/// use aper::testing::Config;
/// let crowd = Config { clients: 12, steps: 2_000, ..Config::default() };
/// assert_eq!((crowd.kept, crowd.window), (2, 4));
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// Replicas, at least one. There is one more client besides, which
    /// misbehaves.
    pub clients: usize,
    /// How many of them keep on a device what has no answer yet.
    pub kept: usize,
    /// Random steps before the network is healed.
    pub steps: usize,
    /// Entries that the server keeps in memory for clients that come back;
    /// who is further behind gets a snapshot.
    pub tail: usize,
    /// Submissions of one client that may be without an answer at a time; up
    /// to [`UNANSWERED_SUBMISSIONS`](crate::limits::UNANSWERED_SUBMISSIONS).
    pub window: u32,
    /// Entries between two checks of what the clients' states come to, in
    /// place of [`ENTRIES_PER_CHECK`](crate::limits::ENTRIES_PER_CHECK), which
    /// no short run gets to.
    pub entries_per_check: u64,
    /// Runs that are spent on making a failing script shorter; 0 leaves it as
    /// it is.
    pub shortening: usize,
    /// What may go wrong.
    pub faults: Faults,
}

impl Default for Config {
    /// Three replicas, two of which keep their outbox, 300 steps, a tail of 8
    /// entries, a window of 4, a check every 8 entries, 2,000 runs for
    /// shortening, every fault.
    fn default() -> Self {
        Self {
            clients: 3,
            kept: 2,
            steps: 300,
            tail: 8,
            window: 4,
            entries_per_check: 8,
            shortening: 2_000,
            faults: Faults::ALL,
        }
    }
}

/// A run in which an invariant did not hold. Its `Display` shows the script.
///
/// ```
/// use aper::collections::Counter;
/// use aper::testing::{Config, Failure, Mutant, replay, simulate, with_mutant};
///
/// with_mutant(Mutant::TellBeforeDurable, || {
///     let run = simulate(7, &Config::default(), Counter::default(), |_, _| Counter::add(1));
///     let failure: Failure<_> = run.unwrap_err();
///     assert_eq!(failure.violation.invariant, "I4");
///     let again = replay(&failure.script, &Config::default(), Counter::default());
///     assert_eq!(again.unwrap_err().violation, failure.violation);
/// });
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Failure<T> {
    /// What made the run. The same seed, configuration and machine make it again.
    pub seed: u64,
    /// After how many steps of that run. The number of all of them if it was
    /// in the end, when the network is healed.
    pub step: usize,
    /// What did not hold.
    pub violation: Violation,
    /// The steps that lead to it, or, if there was time to
    /// [shorten](Config::shortening) them, fewer that break the same
    /// invariant, and do not if any one of them is left out.
    pub script: Script<T>,
}

impl<T: Debug> fmt::Display for Failure<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, step, violation, script } = self;
        writeln!(f, "seed {seed}, step {step}: {violation}")?;
        write!(f, "The same invariant is broken by {} steps:\n{script}", script.steps.len())
    }
}

impl<T: Debug> std::error::Error for Failure<T> {}

/// Runs one random schedule of submissions, deliveries and faults, and checks
/// the invariants I1 to I5 and I7 to I9, as far as they can be seen, after every
/// step; then heals the network, and everything has to settle. `transition`
/// makes up what a user does, given what they see, if anything.
///
/// The check of I2 applies pending transitions at [`Timestamp::ZERO`](crate::Timestamp::ZERO): a
/// machine that lets the time decide can be simulated as long as its
/// predictions do not depend on it.
///
/// Costs about as much as `config.steps` times an `apply` and a clone of the
/// state, and a state for each version; when it fails, up to
/// `config.shortening` times that.
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
/// # Ok::<(), Box<dyn std::error::Error>>(())
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
) -> Result<Report, Failure<S::Transition>> {
    let (script, run) = explore(seed, config, &initial, transition);
    let run = run.map(|world| world.report());
    run.map_err(|broken| minimise(script, broken, config, &initial))
}

/// Runs a script: the same steps with the same outcome, every time.
///
/// ```
/// use aper::collections::Counter;
/// use aper::testing::{Config, Script, replay};
/// let script = Script { seed: 3, steps: vec![] };
/// assert_eq!(replay(&script, &Config::default(), Counter::default())?.submitted, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// The first invariant that did not hold; with the script as it is.
pub fn replay<S: StateMachine + PartialEq + Debug>(
    script: &Script<S::Transition>,
    config: &Config,
    initial: S,
) -> Result<Report, Failure<S::Transition>> {
    run(script, config, &initial).map(|world| world.report()).map_err(|broken| {
        let Broken { step, violation } = broken;
        Failure { seed: script.seed, step, violation, script: script.clone() }
    })
}

/// What the journal holds after a run, from the initial state on: to be
/// [replayed](Recording::replay) in another build, or in a browser, which has
/// to come to the same.
///
/// ```
/// use aper::collections::Counter;
/// use aper::testing::{Config, record};
///
/// let recording = record(7, &Config::default(), Counter::default(), |random, _| {
///     Counter::add(random.below(10) as i64)
/// })?;
/// let (counter, replayed) = recording.replay::<Counter>()?;
/// assert_eq!(replayed.version.0, recording.entries.len() as u64);
/// assert!(counter.get() > 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`simulate`].
///
/// # Panics
///
/// When the initial state cannot be encoded.
pub fn record<S: StateMachine + PartialEq + Debug>(
    seed: u64,
    config: &Config,
    initial: S,
    transition: impl FnMut(&mut Random, Option<&S>) -> S::Transition,
) -> Result<Recording, Failure<S::Transition>> {
    let (script, run) = explore(seed, config, &initial, transition);
    let world = run.map_err(|broken| minimise(script, broken, config, &initial))?;
    Ok(Recording {
        machine: S::NAME.to_owned(),
        schema: S::SCHEMA,
        version: Version(0),
        state: Payload(encode(&initial).expect("a state can be encoded")),
        entries: world.entries().to_vec(),
    })
}

/// Where a run came to an end that it should not.
pub(super) struct Broken {
    pub(super) step: usize,
    pub(super) violation: Violation,
}

type Run<S> = Result<World<S>, Broken>;

/// Makes a script up as it goes.
fn explore<S: StateMachine + PartialEq + Debug>(
    seed: u64,
    config: &Config,
    initial: &S,
    mut transition: impl FnMut(&mut Random, Option<&S>) -> S::Transition,
) -> (Script<S::Transition>, Run<S>) {
    let schedule = Schedule::of(&config.faults);
    let mut random = Random::of(seed);
    let mut script = Script { seed, steps: Vec::with_capacity(config.steps) };
    let steps = &mut script.steps;
    let run = run_steps(seed, config, initial, |world| {
        let is_over = steps.len() >= config.steps;
        let step = (!is_over).then(|| schedule.next(&mut random, world, &mut transition));
        steps.extend(step.clone());
        step
    });
    (script, run)
}

/// Follows a script.
pub(super) fn run<S: StateMachine + PartialEq + Debug>(
    script: &Script<S::Transition>,
    config: &Config,
    initial: &S,
) -> Run<S> {
    let mut steps = script.steps.iter().cloned();
    run_steps(script.seed, config, initial, |_| steps.next())
}

fn run_steps<S: StateMachine + PartialEq + Debug>(
    seed: u64,
    config: &Config,
    initial: &S,
    mut next: impl FnMut(&World<S>) -> Option<Step<S::Transition>>,
) -> Run<S> {
    let mut count = 0;
    let broken = |step| move |violation| Broken { step, violation };
    let begin = || World::new(seed, config, initial.clone());
    let mut world = caught(begin).map_err(broken(count))?;
    while let Some(step) = next(&world) {
        caught(|| world.perform(&step)).map_err(broken(count))?;
        count += 1;
    }
    caught(|| world.heal()).map_err(broken(count))?;
    Ok(world)
}

/// A panic of the core's is a failing of its own: it would end a session.
fn caught<T>(act: impl FnOnce() -> Result<T, Violation>) -> Result<T, Violation> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        Err(Violation::new("I8", format!("a panic: {}", message(panic.as_ref()))))
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}

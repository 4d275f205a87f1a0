//! `cargo xtask sim`: many schedules of the simulation, or every planted bug.
//! The work is done by an example of `aper`, fast and with all its checks; this
//! builds it and passes on its verdict.

use anyhow::Result;

use crate::command::Run;
use crate::layout;

/// What is run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    /// So many schedules, none of which may break an invariant.
    Schedules(u64),
    /// Every planted bug, each of which has to be found.
    Mutants,
}

/// Runs it, with the seeds from `seed` on.
///
/// # Errors
/// If it does not build, and if a count is not what it has to be.
pub(crate) fn run(task: Task, seed: u64) -> Result<()> {
    let run = Run::new(layout::cargo()).dir(layout::root()).args([
        "run",
        "--profile",
        "sim",
        "--package",
        "aper",
        "--features",
        "testing",
        "--example",
        "sim",
        "--",
        "--seed",
    ]);
    let run = run.arg(seed.to_string());
    let run = match task {
        Task::Schedules(schedules) => run.arg("--schedules").arg(schedules.to_string()),
        Task::Mutants => run.arg("--mutants"),
    };
    run.called("the simulation").show()
}

//! Makes a failing script shorter, so that a person can read it: delta
//! debugging, after Andreas Zeller and Ralf Hildebrandt, "Simplifying and
//! Isolating Failure-Inducing Input", IEEE Transactions on Software
//! Engineering, 2002, without the complements of its first rounds, which find
//! little in a script whose steps build on each other.

use std::fmt::Debug;

use super::oracle::Violation;
use super::script::Script;
use super::simulation::{Broken, Config, Failure, run};
use crate::state_machine::StateMachine;

/// Leaves out what is not needed to break the same invariant: ever smaller
/// pieces, until there is no single step that can be left out.
pub(super) fn minimise<S: StateMachine + PartialEq + Debug>(
    mut script: Script<S::Transition>,
    broken: Broken,
    config: &Config,
    initial: &S,
) -> Failure<S::Transition> {
    let Broken { step, mut violation } = broken;
    let (seed, invariant) = (script.seed, violation.invariant);
    let mut runs = config.shortening;
    // What came after it has nothing to do with it.
    let until = (step + 1).min(script.steps.len());
    script.steps.truncate(until);
    let mut breaks = |script: &Script<S::Transition>| -> Option<Violation> {
        runs = runs.checked_sub(1)?;
        let broken = run(script, config, initial).err()?;
        (broken.violation.invariant == invariant).then_some(broken.violation)
    };
    let mut piece = script.steps.len().div_ceil(2);
    while piece > 0 {
        let before = script.steps.len();
        let mut start = 0;
        while start < script.steps.len() {
            let mut shorter = script.clone();
            shorter.steps.drain(start..(start + piece).min(before).min(script.steps.len()));
            match breaks(&shorter) {
                Some(found) => (script, violation) = (shorter, found),
                None => start += piece,
            }
        }
        // Single steps are tried again as long as one of them could go.
        let is_done = piece > 1 || script.steps.len() == before;
        piece = if is_done { piece / 2 } else { 1 };
    }
    Failure { seed, step, violation, script }
}

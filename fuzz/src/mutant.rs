//! Bugs on purpose, to show that a target finds them.

use aper::testing::{Mutant, with_mutant};

/// Names a [`Mutant`]; none is planted without it.
const VARIABLE: &str = "APER_FUZZ_MUTANT";

/// Runs a target with the bug that the environment asks for.
///
/// # Panics
///
/// When it asks for one that there is not.
pub fn planted<T>(run: impl FnOnce() -> T) -> T {
    let mutant = match std::env::var(VARIABLE).as_deref() {
        Err(_) => return run(),
        Ok("no-duplicate-check") => Mutant::NoDuplicateCheck,
        Ok("tell-before-durable") => Mutant::TellBeforeDurable,
        Ok("forget-clients") => Mutant::ForgetClients,
        Ok("no-rebase") => Mutant::NoRebase,
        Ok(other) => panic!("there is no mutant {other}"),
    };
    with_mutant(mutant, run)
}

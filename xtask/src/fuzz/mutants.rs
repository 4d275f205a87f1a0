//! `cargo xtask fuzz --mutants`: bugs on purpose, to show that a target that
//! finds nothing has looked.

use std::process::ExitCode;

use anyhow::Result;

use super::libfuzzer::{self, Tally};
use super::{build, fresh_seed, products, target_run};
use crate::report;

/// By which the targets are told; `fuzz/src/mutant.rs`.
const VARIABLE: &str = "APER_FUZZ_MUTANT";

/// The bugs, the targets that have to find them, and the invariants that they
/// break.
const MUTANTS: [(&str, &str, &str); 4] = [
    ("no-duplicate-check", "session", "I3"),
    ("tell-before-durable", "session", "I4"),
    ("forget-clients", "session", "I4"),
    ("no-rebase", "replica", "I2"),
];

/// Looks for each for at most so many seconds, from nothing.
///
/// # Errors
/// If nothing can be built or started here.
pub(crate) fn run(seconds: u64, seed: Option<u32>) -> Result<ExitCode> {
    let seed = seed.unwrap_or_else(fresh_seed);
    let mut targets: Vec<String> = MUTANTS.map(|(_, target, _)| target.to_owned()).into();
    targets.dedup();
    report::heading("building the fuzz targets");
    let programs = build(&targets)?;
    let artifacts = products().join("mutants");
    let mut found = 0;
    for (mutant, target, invariant) in MUTANTS {
        let run = target_run(&programs, target, seconds, seed, &artifacts)?;
        let said = run.env(VARIABLE, mutant).hear()?;
        let crash = libfuzzer::crash(&said.text);
        let tally = Tally::of_output(&said.text);
        let is_found = !said.status.success() && crash.contains(invariant);
        found += usize::from(is_found);
        let verdict = if is_found { "found" } else { "NOT FOUND" };
        let executions = tally.executions;
        report::line(&format!("{mutant}: {verdict} by {target} after {executions} executions"));
        if !is_found {
            report::note(&crash);
        }
    }
    report::line(&format!("\nRESULT mutants count={} found={found} seed={seed}", MUTANTS.len()));
    Ok(if found == MUTANTS.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

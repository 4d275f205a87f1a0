//! `cargo xtask test`: everything that is checked, in one command.
//!
//! The steps run in the order of [`steps::ALL`], cheap ones first. A step that
//! fails does not stop the others, except those that need what it should have
//! made. At the end stands what ran, how long it took, what was skipped and
//! why, and one line with the sums.

mod consumer;
mod counts;
mod front_end;
mod scaffold;
mod script;
mod steps;
mod template;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use self::counts::Counts;
use self::steps::{ALL, Session, Step};
use crate::command::interrupted;
use crate::report::{self, heading, line, time};

/// How a step ended.
#[derive(Debug)]
enum Outcome {
    /// Its tests, or the step itself as one.
    Ran(Counts),
    /// It could not run here, and that is no fault.
    Skipped(String),
    /// It could not run because another step failed.
    Blocked(&'static str),
}

struct Row {
    step: &'static Step,
    outcome: Result<Outcome>,
    took: Duration,
}

/// Runs the steps of these names, or all, and tells whether all is well.
///
/// # Errors
/// If a name is not a step's.
pub(crate) fn run(only: &[String]) -> Result<ExitCode> {
    let steps = chosen(only)?;
    let started = Instant::now();
    let mut session = Session::default();
    let mut rows = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        heading(&format!("\n[{}/{}] {}: {}", number + 1, steps.len(), step.name, step.about));
        let begun = Instant::now();
        let outcome = (step.run)(&mut session);
        let row = Row { step, outcome, took: begun.elapsed() };
        if interrupted() {
            bail!("stopped");
        }
        report::note(&row.verdict());
        rows.push(row);
    }
    Ok(summary(&rows, started.elapsed()))
}

/// The steps' names and what they do.
pub(crate) fn list() {
    let row = |step: &Step| format!("  {:10} {}", step.name, step.about);
    ALL.iter().for_each(|step| line(&row(step)));
}

fn chosen(only: &[String]) -> Result<Vec<&'static Step>> {
    if let Some(unknown) = only.iter().find(|name| ALL.iter().all(|step| step.name != **name)) {
        let known: Vec<&str> = ALL.iter().map(|step| step.name).collect();
        bail!("there is no step `{unknown}`; there are: {}", known.join(", "));
    }
    Ok(ALL.iter().filter(|step| only.is_empty() || only.iter().any(|n| n == step.name)).collect())
}

impl Row {
    /// What to add to the sums: a step without tests of its own counts as one.
    fn counts(&self) -> Counts {
        match &self.outcome {
            Ok(Outcome::Ran(counts)) => *counts,
            Ok(Outcome::Skipped(_) | Outcome::Blocked(_)) => Counts { skipped: 1, ..Counts::NONE },
            Err(_) => Counts { failed: 1, ..Counts::NONE },
        }
    }

    fn failed(&self) -> bool {
        self.outcome.is_err() || self.counts().failed > 0
    }

    fn verdict(&self) -> String {
        let took = time(self.took);
        match &self.outcome {
            Ok(Outcome::Ran(counts)) if counts.failed > 0 => {
                format!("FAILED after {took}: {counts}")
            }
            Ok(Outcome::Ran(_)) => format!("ok, {took}"),
            Ok(Outcome::Skipped(why)) => format!("skipped: {why}"),
            Ok(Outcome::Blocked(by)) => format!("not run, because `{by}` failed"),
            Err(error) => format!("FAILED after {took}: {error:#}"),
        }
    }

    fn cells(&self) -> Vec<String> {
        let (result, detail) = match &self.outcome {
            Ok(Outcome::Skipped(why)) => ("skipped", why.clone()),
            Ok(Outcome::Blocked(by)) => ("not run", format!("because `{by}` failed")),
            Ok(Outcome::Ran(counts)) => {
                let result = if self.failed() { "FAILED" } else { "ok" };
                (result, if counts.all() > 1 { counts.to_string() } else { String::new() })
            }
            Err(_) => ("FAILED", String::new()),
        };
        vec![self.step.name.to_owned(), result.to_owned(), time(self.took), detail]
    }
}

fn summary(rows: &[Row], took: Duration) -> ExitCode {
    heading("\nSummary");
    for row in rows {
        let cells = row.cells();
        line(
            format!("  {:10}  {:8}  {:>12}  {}", cells[0], cells[1], cells[2], cells[3]).trim_end(),
        );
    }
    let failed: Vec<&Row> = rows.iter().filter(|row| row.failed()).collect();
    for row in &failed {
        line(&format!("\nfailed: {}\n  {}", row.step.name, row.verdict().replace('\n', "\n  ")));
        line(&format!("  again, alone: cargo xtask test --only {}", row.step.name));
    }
    let sum = rows.iter().map(Row::counts).fold(Counts::NONE, |sum, counts| sum + counts);
    line(&format!("\nTook {}.", time(took)));
    line(&sum.to_string());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_does_not_exist_is_answered_with_those_that_do() {
        let error = chosen(&["clipy".into()]).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(error.contains("`clipy`") && error.contains("clippy"), "{error}");
        assert_eq!(chosen(&[]).unwrap().len(), ALL.len());
        assert_eq!(chosen(&["format".into()]).unwrap().len(), 1);
    }

    #[test]
    fn a_failed_test_and_a_failed_step_both_fail() {
        let row = |outcome| Row { step: &ALL[0], outcome, took: Duration::ZERO };
        let counts = Counts { passed: 3, ..Counts::NONE };
        assert!(!row(Ok(Outcome::Ran(counts))).failed());
        assert!(!row(Ok(Outcome::Skipped("no tool".into()))).failed());
        assert!(row(Ok(Outcome::Ran(Counts { failed: 1, ..counts }))).failed());
        assert!(row(Err(anyhow::anyhow!("no"))).failed());
    }
}

//! How many tests there were, as the tools tell it.

use std::fmt;
use std::ops::Add;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Tests by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

impl Counts {
    /// No tests.
    pub(super) const NONE: Self = Self { passed: 0, failed: 0, skipped: 0 };
    /// One check, which is well.
    pub(super) const ONE: Self = Self { passed: 1, failed: 0, skipped: 0 };

    /// All of them.
    pub(super) fn all(self) -> u64 {
        self.passed + self.failed + self.skipped
    }

    /// Adds up the summaries in the output of cargo-nextest or of the standard
    /// test harness.
    pub(super) fn of_output(output: &str) -> Self {
        output
            .lines()
            .map(without_colour)
            .filter_map(|line| of_line(&line))
            .fold(Self::NONE, Add::add)
    }

    /// Reads Playwright's JSON report.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn of_playwright(report: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(report).context("Playwright wrote no report")?;
        let report: Value = serde_json::from_str(&text).context("Playwright's report is broken")?;
        let stat = |name: &str| report["stats"][name].as_u64().unwrap_or(0);
        let failed = stat("unexpected") + stat("flaky");
        Ok(Self { passed: stat("expected"), failed, skipped: stat("skipped") })
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        match self.skipped {
            0 => Ok(()),
            skipped => write!(f, ", {skipped} skipped"),
        }
    }
}

/// nextest: `Summary [ 1.2s] 12 tests run: 10 passed (1 slow), 1 failed, 1 timed out, 2 skipped`;
/// the harness: `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; ...`.
fn of_line(line: &str) -> Option<Counts> {
    let line = line.trim();
    let list = match line.strip_prefix("test result: ") {
        Some(rest) => rest.split_once(". ")?.1,
        None => line.strip_prefix("Summary [")?.split_once("run: ")?.1,
    };
    let mut counts = Counts::NONE;
    for part in list.split([',', ';']) {
        let Some((number, ended)) = part.trim().split_once(' ') else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match ended.split(" (").next().unwrap_or(ended) {
            "passed" => counts.passed += number,
            "failed" | "timed out" | "exec failed" => counts.failed += number,
            "skipped" | "ignored" => counts.skipped += number,
            _ => {}
        }
    }
    Some(counts)
}

fn without_colour(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, passed: u64, failed: u64, skipped: u64) {
        assert_eq!(Counts::of_output(output), Counts { passed, failed, skipped }, "{output}");
    }

    #[test]
    fn nextest_is_understood() {
        check("     Summary [   1.234s] 12 tests run: 12 passed, 0 skipped", 12, 0, 0);
        check(
            "\x1b[32;1m     Summary\x1b[0m [   1.2s] \x1b[1m9\x1b[0m tests run: 5 passed (2 slow), \
             \x1b[1m2\x1b[0m failed, 1 exec failed, 1 timed out, 4 skipped",
            5,
            4,
            4,
        );
        check("     Summary [   0.1s] 8/12 tests run: 7 passed, 1 failed, 0 skipped", 7, 1, 0);
    }

    #[test]
    fn the_standard_harness_is_understood_and_summed() {
        let one = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; \
                   finished in 0.12s";
        let two = "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        check(&format!("{one}\nsome text\n{two}\n"), 4, 2, 1);
    }

    #[test]
    fn what_a_test_prints_is_no_summary() {
        check("12 passed, 3 failed\nI saw 4 tests run: 4 passed\n", 0, 0, 0);
    }
}

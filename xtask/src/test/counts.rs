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
    /// test harness. Within nextest's output the harness speaks too, of the
    /// tests that failed; they must not count twice.
    pub(super) fn of_output(output: &str) -> Self {
        let lines: Vec<String> = output.lines().map(without_colour).collect();
        let sum = |of_line: fn(&str) -> Option<&str>| {
            let lists: Vec<&str> = lines.iter().filter_map(|line| of_line(line.trim())).collect();
            (!lists.is_empty()).then(|| lists.into_iter().map(of_list).fold(Self::NONE, Add::add))
        };
        sum(nextest).or_else(|| sum(harness)).unwrap_or(Self::NONE)
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

    /// Reads Vitest's JSON report.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn of_vitest(report: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(report).context("Vitest wrote no report")?;
        let report: Value = serde_json::from_str(&text).context("Vitest's report is broken")?;
        let stat = |name: &str| report[name].as_u64().unwrap_or(0);
        let skipped = stat("numPendingTests") + stat("numTodoTests");
        Ok(Self { passed: stat("numPassedTests"), failed: stat("numFailedTests"), skipped })
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

/// Of `Summary [ 1.2s] 12 tests run: 10 passed (1 slow), 1 failed, 1 timed out, 2 skipped`
/// what comes after the colon.
fn nextest(line: &str) -> Option<&str> {
    Some(line.strip_prefix("Summary [")?.split_once(" run: ")?.1)
}

/// Of `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; ...`
/// what comes after the full stop.
fn harness(line: &str) -> Option<&str> {
    Some(line.strip_prefix("test result: ")?.split_once(". ")?.1)
}

fn of_list(list: &str) -> Counts {
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
    counts
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
    fn a_failed_test_counts_once_though_nextest_shows_what_the_harness_said() {
        check(
            "  FAIL [ 0.1s] (2/2) a::b\n  stdout ───\n    test result: FAILED. 0 passed; 1 failed; \
             0 ignored\n     Summary [   0.1s] 2 tests run: 1 passed, 1 failed, 0 skipped",
            1,
            1,
            0,
        );
    }

    #[test]
    fn what_a_test_prints_is_no_summary() {
        check("12 passed, 3 failed\nI saw 4 tests run: 4 passed\n", 0, 0, 0);
    }
}

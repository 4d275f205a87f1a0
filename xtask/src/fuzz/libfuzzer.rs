//! What libFuzzer says.

use std::iter::Sum;
use std::ops::Add;

/// Lines of a crash that are worth showing: the panic, and where it was.
const SHOWN_LINES: usize = 30;

/// How often inputs were tried, and how many targets met their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) executions: u64,
    pub(super) crashes: u64,
}

impl Tally {
    /// The number in the final statistics of one run.
    pub(super) fn of_output(text: &str) -> Self {
        let number = |line: &str| -> Option<u64> {
            line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok()
        };
        Self { executions: text.lines().find_map(number).unwrap_or(0), crashes: 0 }
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            executions: self.executions + other.executions,
            crashes: self.crashes + other.crashes,
        }
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

/// The file that makes it crash again.
pub(super) fn artifact(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.split_once("Test unit written to ").map(|(_, path)| path))
}

/// What it says of a crash: from the panic on, or the last lines where there
/// was none, as when an input took too long.
pub(super) fn crash(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let panic = lines.iter().position(|line| line.contains("panicked at"));
    let start = panic.unwrap_or_else(|| lines.len().saturating_sub(SHOWN_LINES));
    let shown: Vec<&str> = lines[start..].iter().take(SHOWN_LINES).copied().collect();
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRASH: &str = "INFO: Seed: 7\n\
        thread '<unnamed>' panicked at fuzz_targets/frame.rs:9:5:\nwhy\n\
        ==1== ERROR: libFuzzer: deadly signal\n\
        stat::number_of_executed_units: 1234\n\
        artifact_prefix='a/'; Test unit written to a/crash-0b\n\
        Base64: AAA=\n";

    #[test]
    fn executions_and_the_crash_are_read() {
        assert_eq!(Tally::of_output(CRASH), Tally { executions: 1234, crashes: 0 });
        assert_eq!(artifact(CRASH), Some("a/crash-0b"));
        assert_eq!(artifact("stat::number_of_executed_units: 5\n"), None);
        assert!(crash(CRASH).starts_with("thread '<unnamed>' panicked at"));
        assert_eq!(crash(&"x\n".repeat(100)).lines().count(), SHOWN_LINES);
    }
}

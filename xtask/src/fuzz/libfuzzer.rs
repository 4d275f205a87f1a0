//! What libFuzzer says.

use std::ops::Add;

/// Lines of a crash that are worth showing: the panic, and where it was.
const SHOWN_LINES: usize = 40;

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

/// The file that makes it crash again.
pub(super) fn artifact(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.split_once("Test unit written to ").map(|(_, path)| path))
}

/// The last lines, without the input's bytes, which may be long.
pub(super) fn end(text: &str) -> &str {
    let start = text.rmatch_indices('\n').nth(SHOWN_LINES).map_or(0, |(place, _)| place + 1);
    &text[start..]
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
        assert_eq!(end(CRASH), CRASH);
        assert_eq!(end(&"x\n".repeat(100)).lines().count(), SHOWN_LINES);
    }
}

//! A machine that is made for being checked: it takes everything, also what it
//! must never be given twice, and knows exactly what it has been given.

use std::collections::{BTreeMap, BTreeSet};

use aper::{Context, NeverConflict, StateMachine};
use serde::{Deserialize, Serialize};

/// Who writes: the number of a client of the trial, which is not the number
/// that a server gives.
pub type Writer = u16;

/// What each writer has written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    writers: BTreeMap<Writer, Written>,
}

/// A writer writes 1, 2, 3 and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Who.
    pub writer: Writer,
    /// Which of the writer's.
    pub number: u64,
}

/// As small as it can be while nothing is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Written {
    highest: u64,
    /// Of those below the highest.
    missing: BTreeSet<u64>,
    /// Each time that something came again.
    again: Vec<u64>,
}

impl StateMachine for Ledger {
    const NAME: &'static str = "ledger";
    const ATOMIC: bool = true;
    type Transition = Line;
    type Conflict = NeverConflict;

    fn apply(&mut self, line: &Line, _: &Context) -> Result<(), NeverConflict> {
        let written = self.writers.entry(line.writer).or_default();
        if line.number > written.highest {
            written.missing.extend(written.highest + 1..line.number);
            written.highest = line.number;
        } else if !written.missing.remove(&line.number) {
            written.again.push(line.number);
        }
        Ok(())
    }
}

impl Ledger {
    /// How many lines there are of a writer.
    #[must_use]
    pub fn lines(&self, writer: Writer) -> u64 {
        self.writers
            .get(&writer)
            .map_or(0, |written| written.highest - written.missing.len() as u64)
    }

    /// Whether a line is there, be it once or more often.
    #[must_use]
    pub fn has(&self, line: Line) -> bool {
        self.writers.get(&line.writer).is_some_and(|written| {
            (1..=written.highest).contains(&line.number) && !written.missing.contains(&line.number)
        })
    }

    /// How often something came that was there already.
    #[must_use]
    pub fn twice(&self) -> usize {
        self.writers.values().map(|written| written.again.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(numbers: &[u64]) -> Ledger {
        let mut ledger = Ledger::default();
        for &number in numbers {
            ledger.apply(&Line { writer: 1, number }, &Context::for_test()).unwrap();
        }
        ledger
    }

    fn missing(ledger: &Ledger, up_to: u64) -> Vec<u64> {
        (1..=up_to).filter(|&number| !ledger.has(Line { writer: 1, number })).collect()
    }

    #[test]
    fn what_is_missing_and_what_came_again_is_known() {
        let whole = ledger(&[1, 2, 3, 4]);
        assert_eq!((missing(&whole, 4), whole.twice(), whole.lines(1)), (vec![], 0, 4));
        let holes = ledger(&[1, 4, 3, 7]);
        assert_eq!((missing(&holes, 8), holes.twice()), (vec![2, 5, 6, 8], 0));
        assert_eq!(holes.lines(1), 4);
        let again = ledger(&[1, 2, 2, 3, 1]);
        assert_eq!((missing(&again, 3), again.twice(), again.lines(1)), (vec![], 2, 3));
        assert!(!again.has(Line { writer: 2, number: 1 }));
        assert!(!again.has(Line { writer: 1, number: 0 }));
    }
}

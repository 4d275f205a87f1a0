//! What the user sees of the work: numbered steps with their times.
#![allow(clippy::print_stdout)]

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use anyhow::Result;

/// A count of steps towards an end.
#[derive(Debug)]
pub(crate) struct Progress {
    total: usize,
    done: usize,
    started: Instant,
}

impl Progress {
    /// Nothing done of this many steps.
    pub(crate) fn of(total: usize) -> Self {
        Self { total, done: 0, started: Instant::now() }
    }

    /// Does one step, announced before and timed after.
    ///
    /// # Errors
    /// Those of the work.
    pub(crate) fn step<T>(&mut self, title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.done += 1;
        heading(&format!("[{}/{}] {title}", self.done, self.total));
        let started = Instant::now();
        let result = work();
        if result.is_ok() {
            note(&format!("done in {}", time(started.elapsed())));
        }
        result
    }

    /// The time since the first step.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A line that stands out.
pub(crate) fn heading(text: &str) {
    if std::io::stdout().is_terminal() {
        println!("\x1b[1;36m{text}\x1b[0m");
    } else {
        println!("{text}");
    }
}

/// A line below a heading.
pub(crate) fn note(text: &str) {
    for line in text.lines() {
        println!("      {line}");
    }
}

/// A line as it is.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// A duration as people say it: `0.4 s`, `12 s`, `3 min 05 s`.
pub(crate) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 99.5 => format!("{s:.0} s"),
        _ => format!("{} min {:02} s", duration.as_secs() / 60, duration.as_secs() % 60),
    }
}

/// Rows in columns: the first column to the left, the others to the right.
pub(crate) fn table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut text = String::new();
        for (column, cell) in row.iter().enumerate() {
            let space = " ".repeat(widths[column] - cell.chars().count());
            let gap = if column == 0 { "" } else { "  " };
            let cell =
                if column == 0 { format!("{cell}{space}") } else { format!("{space}{cell}") };
            text.push_str(gap);
            text.push_str(&cell);
        }
        println!("  {}", text.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let said: Vec<String> =
            [0.04, 9.94, 61.0, 100.0, 605.0].map(|s| time(Duration::from_secs_f64(s))).into();
        assert_eq!(said, ["0.0 s", "9.9 s", "61 s", "1 min 40 s", "10 min 05 s"]);
    }
}

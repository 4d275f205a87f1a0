//! What was measured.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Figures by name.
pub(super) type Figures = BTreeMap<String, f64>;

/// Everything that was measured.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// By scenario and server.
    pub(super) load: BTreeMap<(String, &'static str), Figures>,
    /// Nanoseconds by group, function and size, as `group/function/size`.
    pub(super) micro: BTreeMap<String, f64>,
}

impl Results {
    /// A figure of a scenario, if it was played against this server.
    pub(super) fn get(&self, scenario: &str, server: &str, figure: &str) -> Option<f64> {
        let of = |(name, other): &(String, &'static str)| name == scenario && *other == server;
        self.load.iter().find(|(played, _)| of(played))?.1.get(figure).copied()
    }
}

/// The median of each figure.
pub(super) fn medians(runs: &[Figures]) -> Figures {
    let names = runs.first().into_iter().flat_map(BTreeMap::keys);
    let median = |name: &String| {
        let mut values: Vec<f64> = runs.iter().filter_map(|run| run.get(name).copied()).collect();
        values.sort_by(f64::total_cmp);
        (name.clone(), values[values.len() / 2])
    };
    names.map(median).collect()
}

/// For the eye that follows the run.
pub(super) fn in_one_line(figures: &Figures) -> String {
    let shown = figures.iter().map(|(name, value)| format!("{name} {}", short(*value)));
    shown.collect::<Vec<_>>().join(", ")
}

/// A number with as many digits as mean something.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => with_thousands(value.round()),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 => format!("{value:.2}"),
        v if v >= 0.0995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn with_thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        let rest = digits.len() - place;
        if place > 0 && rest.is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Nanoseconds in the unit that suits them.
pub(super) fn time(nanos: f64) -> String {
    match nanos {
        n if n < 1e3 => format!("{} ns", short(n)),
        n if n < 1e6 => format!("{} µs", short(n / 1e3)),
        n => format!("{} ms", short(n / 1e6)),
    }
}

/// What criterion has left in its directory: the median of each benchmark, in
/// nanoseconds.
pub(super) fn of_criterion(home: &Path) -> Result<BTreeMap<String, f64>> {
    let mut found = BTreeMap::new();
    let mut directories = vec![home.to_owned()];
    while let Some(directory) = directories.pop() {
        let entries = std::fs::read_dir(&directory)
            .with_context(|| format!("cannot read {}", directory.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            }
        }
        let estimates = directory.join("estimates.json");
        if directory.ends_with("new") && estimates.is_file() {
            let name = text(&json(&directory.join("benchmark.json"))?["full_id"])?;
            let median = json(&estimates)?["median"]["point_estimate"].as_f64();
            found.insert(name, median.context("criterion wrote no median")?);
        }
    }
    if found.is_empty() {
        bail!("criterion has measured nothing");
    }
    Ok(found)
}

fn json(path: &Path) -> Result<Value> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(serde_json::from_slice(&bytes)?)
}

fn text(value: &Value) -> Result<String> {
    Ok(value.as_str().context("a benchmark has no name")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_three_is_the_middle_one() {
        let run = |value| Figures::from([("a".to_owned(), value)]);
        assert_eq!(medians(&[run(3.0), run(1.0), run(2.0)]), run(2.0));
    }

    #[test]
    fn numbers_are_as_long_as_they_mean_something() {
        let shown: Vec<String> = [0.0421, 0.426, 5.0, 12.34, 999.6, 1_234_567.0].map(short).into();
        assert_eq!(shown, ["0.042", "0.43", "5.00", "12.3", "1,000", "1,234,567"]);
        assert_eq!([time(320.0), time(4_500.0), time(2e6)], ["320 ns", "4.50 µs", "2.00 ms"]);
    }
}

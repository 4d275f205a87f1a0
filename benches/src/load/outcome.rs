//! What a scenario found out.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The figures of one run, by name. A name ends with its unit.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outcome {
    /// The figures.
    pub figures: BTreeMap<String, f64>,
}

impl Outcome {
    /// Adds a figure.
    pub fn set(&mut self, name: &str, figure: f64) {
        self.figures.insert(name.to_owned(), figure);
    }

    /// Adds percentiles of times in nanoseconds, as microseconds.
    pub fn set_latency(&mut self, name: &str, times: &Histogram<u64>) {
        for (label, percentile) in [("p50", 50.0), ("p99", 99.0), ("p999", 99.9)] {
            let nanos = times.value_at_percentile(percentile);
            self.set(&format!("{name}_{label}_us"), nanos as f64 / 1_000.0);
        }
    }

    /// Adds the server's processor time for one of `count`, in microseconds.
    pub fn set_cpu(&mut self, name: &str, cpu: Duration, count: u64) {
        self.set(name, cpu.as_secs_f64() * 1e6 / count.max(1) as f64);
    }
}

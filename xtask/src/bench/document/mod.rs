//! `docs/PERFORMANCE.md`: what was measured goes between two marks, as tables
//! and plots. What stands around them is written by people.

mod curves;
mod functions;
mod model;
mod peers;
mod servers;
mod text;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::plot::Plot;
use super::results::Results;
use super::{Scale, home, machine};
use crate::{layout, report};

const BEGIN: &str =
    "<!-- measured: begin; `cargo xtask bench` writes what is between these marks -->";
const END: &str = "<!-- measured: end -->";

/// Beside the document.
const PLOTS: &str = "performance";

/// Writes the document, or, of a quick run, another of the same form that
/// nobody keeps.
pub(super) fn write(scale: Scale, results: &Results) -> Result<()> {
    let text = measured(scale, results)?;
    let (path, document) = match scale {
        Scale::Quick => (home().join("PERFORMANCE.md"), format!("{BEGIN}\n{END}\n")),
        Scale::Full => {
            let path = layout::root().join("docs/PERFORMANCE.md");
            let document = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            (path, document)
        }
    };
    let document = replace(&document, &text)?;
    let directory = path.parent().context("no directory")?;
    for (name, plot) in curves::plots(results) {
        draw(directory, name, &plot)?;
    }
    std::fs::create_dir_all(directory)?;
    std::fs::write(&path, document).with_context(|| format!("cannot write {}", path.display()))?;
    report::note(&format!("{}", path.display()));
    Ok(())
}

fn draw(directory: &Path, name: &str, plot: &Plot) -> Result<()> {
    let Some(svg) = plot.svg() else { return Ok(()) };
    let path: PathBuf = directory.join(PLOTS).join(format!("{name}.svg"));
    std::fs::create_dir_all(directory.join(PLOTS))?;
    std::fs::write(&path, svg).with_context(|| format!("cannot write {}", path.display()))
}

/// Puts `text` between the marks.
fn replace(document: &str, text: &str) -> Result<String> {
    let parts = document.split_once(BEGIN);
    let parts = parts.and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = parts else {
        bail!("the document lacks the marks between which figures are written:\n{BEGIN}\n{END}");
    };
    Ok(format!(
        "{before}{BEGIN}\n\n{}\n{END}{after}",
        text.trim_end_matches('\n').to_owned() + "\n"
    ))
}

fn measured(scale: Scale, results: &Results) -> Result<String> {
    let mut text = machine::description()?;
    text.push_str(match scale {
        Scale::Quick => " A quick run: each once, and briefly.\n",
        Scale::Full => " Medians of three.\n",
    });
    sections(&mut text, results);
    Ok(text)
}

fn sections(text: &mut String, results: &Results) {
    servers::deliveries(text, results);
    servers::disk(text, results);
    servers::latencies(text, results);
    servers::fairness(text, results);
    servers::connections(text, results);
    servers::states(text, results);
    functions::write(text, results);
    peers::write(text, results);
    model::write(text, results);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::{self, Peers};

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let document = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let replaced = replace(&document, "new\n").unwrap();
        assert_eq!(replaced, format!("before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"));
        assert_eq!(replace(&replaced, "new\n").unwrap(), replaced);
        assert!(replace("no marks", "new").is_err());
    }

    /// What each scenario of the plan could find out, of every server.
    fn results() -> Results {
        let mut results = Results::default();
        let latencies = [
            "latency",
            "alone",
            "beside_a_busy_session",
            "without_a_flood",
            "when_a_flood_begins",
            "beside_a_flood",
            "others_without_joins",
            "others_with_joins",
            "welcome",
            "state",
        ];
        let latencies = latencies.iter().flat_map(|name| {
            let generator = format!("generator_{name}_p999_us");
            let of = |part: &str| format!("{name}_{part}");
            [generator, of("p50_us"), of("p99_us"), of("p999_us"), of("deliveries")]
        });
        let others = [
            "cpu_us_per_delivery",
            "cpu_load",
            "deliveries_per_second",
            "resident_mib",
            "kib_per_connection",
            "kib_per_session",
            "cpu_us_per_connect",
            "cpu_us_per_session_second",
            "first_join_cpu_ms",
            "further_join_cpu_ms",
            "bytes_per_entry",
            "flood_at_first_per_second",
            "flood_per_second",
        ];
        let names: Vec<String> = latencies.chain(others.map(str::to_owned)).collect();
        let mut rising = 1.0;
        for measurement in plan::measurements(Scale::Full, Peers::With) {
            rising += 0.1;
            let figures = names.iter().map(|name| (name.clone(), rising)).collect();
            results.load.insert((measurement.scenario, measurement.server.name), figures);
        }
        for size in plan::SIZES {
            for name in
                ["apply/in place", "set a key/Aper", "set a key/yrs", "rebase 10 pending/Aper"]
            {
                results.micro.insert(format!("{name}/{size}"), size as f64 / 7.0);
            }
        }
        for pending in functions::PENDING {
            results.micro.insert(format!("{}/{pending}", functions::BY_PENDING), 1_500.0);
        }
        results.micro.insert("codec/decode 100 entries".to_owned(), 16_000.0);
        results
    }

    #[test]
    fn whatever_is_measured_is_shown_and_whatever_is_shown_is_measured() {
        let mut text = String::new();
        sections(&mut text, &results());
        let unknown: Vec<&str> = text.lines().filter(|line| line.contains("| – |")).collect();
        assert_eq!(unknown, [""; 0], "{text}");
        for (name, plot) in curves::plots(&results()) {
            assert!(plot.svg().is_some(), "{name} is empty");
            assert!(text.contains(&format!("(performance/{name}.svg)")), "{name} is not shown");
        }
    }

    #[test]
    fn of_nothing_there_are_headings_and_no_plots() {
        let mut text = String::new();
        sections(&mut text, &Results::default());
        assert!(text.contains("### Delivering") && !text.contains("### A model"), "{text}");
        assert!(curves::plots(&Results::default()).iter().all(|(_, plot)| plot.svg().is_none()));
    }
}

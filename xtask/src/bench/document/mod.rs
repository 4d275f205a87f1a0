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

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let document = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let replaced = replace(&document, "new\n").unwrap();
        assert_eq!(replaced, format!("before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"));
        assert_eq!(replace(&replaced, "new\n").unwrap(), replaced);
        assert!(replace("no marks", "new").is_err());
    }

    #[test]
    fn of_nothing_there_are_headings_and_no_plots() {
        let mut text = String::new();
        sections(&mut text, &Results::default());
        assert!(text.contains("### Delivering") && !text.contains("### A model"), "{text}");
        assert!(curves::plots(&Results::default()).iter().all(|(_, plot)| plot.svg().is_none()));
    }
}

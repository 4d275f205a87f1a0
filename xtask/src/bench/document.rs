//! `docs/PERFORMANCE.md`: what was measured goes between two marks, as tables
//! and plots. What stands around them is written by people.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::plan::{APER, BROADCASTERS, EPOLL, TUNGSTENITE};
use super::plot::{Plot, Series};
use super::results::{Results, short, time};
use super::{Scale, home, machine};
use crate::{layout, report};

const BEGIN: &str =
    "<!-- measured: begin; `cargo xtask bench` writes what is between these marks -->";
const END: &str = "<!-- measured: end -->";

/// Beside the document.
const PLOTS: &str = "performance";

const SIZES: [u64; 4] = [10, 1_000, 100_000, 1_000_000];
const PENDING: [u64; 4] = [1, 10, 100, 1_000];

const SATURATED: [(&str, f64, f64); 3] = [
    ("saturated, 10 clients", 10.0, 0.6),
    ("saturated, 100 clients", 100.0, 0.35),
    ("saturated, 500 clients", 500.0, 0.35),
];
const PACED: &str = "100 clients, 20 mutations/s each";
const SMALL: &str = "250 sessions of 4 clients, 2 mutations/s each";

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
    for (name, plot) in plots(results) {
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
    deliveries(&mut text, results);
    latencies(&mut text, results);
    connections(&mut text, results);
    joins(&mut text, results);
    core(&mut text, results);
    model(&mut text, results);
    Ok(text)
}

/// A table: its head, and the rows of which not every cell is missing.
fn table(text: &mut String, head: &[String], rows: Vec<Vec<String>>) {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    text.push('\n');
    text.push_str(&row(head));
    text.push_str(&format!("|---|{}\n", "---:|".repeat(head.len() - 1)));
    for cells in rows {
        if cells.iter().skip(1).any(|cell| cell != MISSING) {
            text.push_str(&row(&cells));
        }
    }
}

/// What was not measured.
const MISSING: &str = "–";

fn cell(value: Option<f64>) -> String {
    value.map_or_else(|| MISSING.to_owned(), short)
}

fn head(first: &str, others: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    std::iter::once(first.to_owned()).chain(others.into_iter().map(Into::into)).collect()
}

fn heading(text: &mut String, title: &str, words: &str) {
    let _ = write!(text, "\n### {title}\n\n{words}\n");
}

/// Those that were played against.
fn servers(results: &Results) -> Vec<&'static str> {
    let is_here = |name: &&str| results.load.keys().any(|(_, server)| server == name);
    BROADCASTERS.iter().map(|server| server.name).filter(is_here).collect()
}

fn ratio(results: &Results, scenario: &str, to: &'static str, figure: &str) -> Option<f64> {
    let of = |server| results.get(scenario, server, figure);
    Some(of(APER.name)? / of(to)?)
}

fn deliveries(text: &mut String, results: &Results) {
    heading(
        text,
        "Delivering",
        "Processor time of the server, user and system, in µs for each delivery (which is \
         seconds for a million). A delivery is one mutation told to one client; each was \
         checked. The ratios are to the floors of the same run.",
    );
    let servers = servers(results);
    let titles = servers.iter().copied().chain(["to tungstenite", "goal", "to epoll", "goal"]);
    let figure = "cpu_us_per_delivery";
    let row = |scenario: &str, to_library: &str, to_machine: &str| {
        let mut row = vec![scenario.to_owned()];
        row.extend(servers.iter().map(|server| cell(results.get(scenario, server, figure))));
        row.push(cell(ratio(results, scenario, TUNGSTENITE.name, figure)));
        row.push(to_library.to_owned());
        row.push(cell(ratio(results, scenario, EPOLL.name, figure)));
        row.push(to_machine.to_owned());
        row
    };
    let mut rows: Vec<Vec<String>> = SATURATED
        .iter()
        .map(|(scenario, _, goal)| row(scenario, &format!("≤ {goal}"), ""))
        .collect();
    rows.push(row(PACED, "", "≤ 1.15"));
    table(text, &head("", titles), rows);
    text.push_str("\n![Processor time for each delivery, by clients](performance/clients.svg)\n");
}

fn latencies(text: &mut String, results: &Results) {
    heading(
        text,
        "How late",
        "From a client's sending to a client's being told, in µs, all deliveries. In the last \
         two rows ten clients send 20 mutations a second each, alone and beside a session of 50 \
         clients at saturation on the same core.",
    );
    let mut rows = Vec::new();
    for server in servers(results) {
        let of = |figure| cell(results.get(PACED, server, figure));
        let name = format!("{PACED}: {server}");
        rows.push(vec![name, of("latency_p50_us"), of("latency_p99_us"), of("latency_p999_us")]);
    }
    for (name, prefix) in [("alone", "alone"), ("beside a busy session", "beside_a_busy_session")] {
        let of =
            |part: &str| cell(results.get("fairness", APER.name, &format!("{prefix}_{part}_us")));
        rows.push(vec![format!("Aper, {name}"), of("p50"), of("p99"), of("p999")]);
    }
    table(text, &head("", ["p50", "p99", "p99.9"]), rows);
}

fn connections(text: &mut String, results: &Results) {
    heading(
        text,
        "Being there",
        "Memory of the server's process (resident), without the kernel's own buffers, and its \
         processor time for each connection from the first byte to the state.",
    );
    let mut rows = Vec::new();
    let mut row = |scenario: &str, server| {
        let of = |figure| cell(results.get(scenario, server, figure));
        rows.push(vec![
            format!("{scenario}: {server}"),
            of("kib_per_connection"),
            of("resident_mib"),
            of("cpu_us_per_connect"),
        ]);
    };
    for server in servers(results) {
        row("1,000 idle connections", server);
    }
    for scenario in [
        "100 sessions of one connection",
        "10,000 connections in one session",
        "10,000 sessions of one connection",
    ] {
        row(scenario, APER.name);
    }
    let titles = ["KiB for each", "MiB in all", "µs to connect"];
    table(text, &head("", titles), rows);
    text.push_str("\n![Memory by sessions](performance/sessions.svg)\n");
}

fn joins(text: &mut String, results: &Results) {
    heading(
        text,
        "Joining and waking",
        "A state of 100,000 entries, small numbers by number. Others: the p99 of ten clients \
         that send 20 mutations a second each, while nobody joins, and while somebody does every \
         50 ms.",
    );
    let row = |name: &str, scenario: &str, figure: &str, scale: f64, goal: &str| {
        let value = results.get(scenario, APER.name, figure).map(|value| value * scale);
        vec![name.to_owned(), cell(value), goal.to_owned()]
    };
    let rows = vec![
        row("first join at a version, processor ms", "joins", "first_join_cpu_ms", 1.0, "≤ 6"),
        row("each further join, processor ms", "joins", "further_join_cpu_ms", 1.0, "≤ 0.5"),
        row("bytes for each entry", "joins", "bytes_per_entry", 1.0, "≤ 9"),
        row("p99 of others, nobody joins, µs", "joins", "others_without_joins_p99_us", 1.0, ""),
        row("p99 of others, somebody joins, µs", "joins", "others_with_joins_p99_us", 1.0, "≤ 2×"),
        row("asleep to first welcome, ms", "cold start", "welcome_p50_us", 1e-3, "≤ 30"),
        row("asleep to first state, ms", "cold start", "state_p50_us", 1e-3, ""),
    ];
    table(text, &head("", ["measured", "goal"]), rows);
}

fn core(text: &mut String, results: &Results) {
    heading(
        text,
        "The core alone",
        "One thread, no server. Time for one, by entries of the state.",
    );
    let by_size = |name: &str, sizes: &[u64]| {
        let of = |size: &u64| results.micro.get(&format!("{name}/{size}")).copied();
        let cells = sizes.iter().map(|size| of(size).map_or_else(|| MISSING.to_owned(), time));
        std::iter::once(name.replace('/', ", ")).chain(cells).collect::<Vec<_>>()
    };
    let sizes = SIZES.map(|size| short(size as f64));
    let groups = grown(results, &SIZES);
    let rows = groups.iter().map(|name| by_size(name, &SIZES)).collect();
    table(text, &head("entries", sizes.map(|size| size.trim_end_matches(".0").to_owned())), rows);
    text.push_str("\n![Time by entries of the state](performance/state.svg)\n");

    let name = "rebase over a peer's entry, by pending";
    let rows = vec![by_size(name, &PENDING)];
    let pending = PENDING.map(|pending| pending.to_string());
    table(text, &head("pending", pending), rows);
    text.push_str("\n![Time of a rebase by pending transitions](performance/pending.svg)\n");

    let others = results.micro.iter().filter(|(name, _)| {
        !groups
            .iter()
            .chain([&name_of_pending()])
            .any(|group| name.starts_with(&format!("{group}/")))
    });
    let rows = others.map(|(name, nanos)| vec![name.replace('/', ", "), time(*nanos)]).collect();
    table(text, &head("others", ["time"]), rows);
}

fn name_of_pending() -> String {
    "rebase over a peer's entry, by pending".to_owned()
}

/// The functions that were measured at several of the sizes.
fn grown(results: &Results, sizes: &[u64]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in results.micro.keys().filter(|name| !name.starts_with(&name_of_pending())) {
        let Some((function, size)) = name.rsplit_once('/') else { continue };
        let is_size = size.parse().is_ok_and(|size: u64| sizes.contains(&size));
        if is_size && !names.iter().any(|known| known == function) {
            names.push(function.to_owned());
        }
    }
    names
}

/// What follows from the figures for many users.
fn model(text: &mut String, results: &Results) {
    let cpu = results.get(SMALL, APER.name, "cpu_us_per_delivery");
    let kib = results.get("10,000 sessions of one connection", APER.name, "kib_per_connection");
    let (Some(cpu), Some(kib)) = (cpu, kib) else { return };
    heading(
        text,
        "A model of a large deployment",
        "**A model, not a measurement.** It multiplies the processor time of a delivery in many \
         small sessions (measured: 250 sessions of 4 clients, 2 mutations a second each, on one \
         core) and the memory of a connection in its own session (measured with 10,000) by what \
         a million users at a time would do. It leaves a core half idle, and leaves out TLS, the \
         network, and the states themselves.",
    );
    let row = |kind: &str, clients: f64, per_second: f64| {
        let of_user = clients * per_second * cpu / 1e6;
        let users_of_core = 0.5 / of_user;
        vec![
            kind.to_owned(),
            short(clients),
            short(per_second),
            short(users_of_core),
            short(users_of_core / clients),
            short(1e6 / users_of_core),
            short(1e6 * kib / (1024.0 * 1024.0)),
        ]
    };
    let rows = vec![
        row("a board game", 4.0, 0.2),
        row("a document or a board", 8.0, 1.0),
        row("a fast game", 4.0, 10.0),
        row("an event", 100.0, 0.05),
    ];
    let titles = [
        "clients of a session",
        "mutations/s of each",
        "users of a core",
        "sessions of a core",
        "cores for a million users",
        "GiB for a million users",
    ];
    table(text, &head("", titles), rows);
}

fn plots(results: &Results) -> [(&'static str, Plot); 4] {
    let clients = servers(results).into_iter().map(|server| Series {
        name: server.to_owned(),
        points: SATURATED
            .iter()
            .filter_map(|(scenario, clients, _)| {
                Some((*clients, results.get(scenario, server, "cpu_us_per_delivery")?))
            })
            .collect(),
    });
    let by = |name: &str, sizes: &[u64]| Series {
        name: name.replace('/', ", "),
        points: sizes
            .iter()
            .filter_map(|size| {
                let nanos = results.micro.get(&format!("{name}/{size}"))?;
                Some((*size as f64, nanos / 1e3))
            })
            .collect(),
    };
    let state = grown(results, &SIZES).into_iter().map(|name| by(&name, &SIZES));
    let sessions = [
        ("100 sessions of one connection", 100.0),
        ("1,000 idle connections", 1_000.0),
        ("10,000 sessions of one connection", 10_000.0),
    ];
    let sessions = Series {
        name: "Aper".to_owned(),
        points: sessions
            .iter()
            .filter_map(|(scenario, count)| {
                Some((*count, results.get(scenario, APER.name, "resident_mib")?))
            })
            .collect(),
    };
    let plot = |title, x, y, series| Plot { title, x, y, series };
    [
        (
            "clients",
            plot(
                "Saturated",
                "clients of the session",
                "processor µs for a delivery",
                clients.collect(),
            ),
        ),
        ("state", plot("The core, by state", "entries of the state", "µs", state.collect())),
        (
            "pending",
            plot(
                "A rebase, by pending",
                "pending transitions",
                "µs",
                vec![by(&name_of_pending(), &PENDING)],
            ),
        ),
        (
            "sessions",
            plot(
                "Memory, by sessions",
                "idle sessions of one connection",
                "resident MiB",
                vec![sessions],
            ),
        ),
    ]
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
    fn rows_without_a_figure_are_left_out() {
        let mut text = String::new();
        let row = |name: &str, figure: Option<f64>| vec![name.to_owned(), cell(figure)];
        table(&mut text, &head("", ["µs"]), vec![row("a", Some(2.0)), row("b", None)]);
        assert_eq!(text, "\n|  | µs |\n|---|---:|\n| a | 2.00 |\n");
    }
}

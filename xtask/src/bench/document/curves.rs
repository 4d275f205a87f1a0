//! How cost grows, as plots.

use super::functions::{BY_PENDING, PENDING, REBASE, SET};
use crate::bench::plan::{
    APER, BROADCASTERS, CLIENTS, ON_DISK, PEERS, SESSIONS, SIZES, Server, cold, joins, saturated,
    sessions,
};
use crate::bench::plot::{Plot, Series};
use crate::bench::results::Results;

/// By name of the file.
pub(super) fn plots(results: &Results) -> Vec<(&'static str, Plot)> {
    vec![
        ("clients", clients(results)),
        ("state", state(results)),
        ("pending", pending(results)),
        ("sessions", of_sessions(results, "Memory, by sessions", "resident MiB", "resident_mib")),
        (
            "sessions-cpu",
            of_sessions(results, "Processor time, by sessions", "load of a core", "cpu_load"),
        ),
    ]
}

/// The points that were measured.
fn series(name: &str, sizes: &[u64], of: impl Fn(u64) -> Option<f64>) -> Series {
    let points = sizes.iter().filter_map(|&size| Some((size as f64, of(size)?))).collect();
    Series { name: name.to_owned(), points }
}

fn clients(results: &Results) -> Plot {
    let servers = BROADCASTERS.into_iter().chain([ON_DISK]).chain(PEERS);
    let of_server = |server: Server| {
        let of = |clients| results.get(&saturated(clients), server.name, "cpu_us_per_delivery");
        series(server.name, &CLIENTS, of)
    };
    Plot {
        title: "Saturated",
        x: "clients of the session",
        y: "processor µs for a delivery",
        series: servers.map(of_server).collect(),
    }
}

fn state(results: &Results) -> Plot {
    let function = |title: &str, name: &str| {
        let of = |size: u64| Some(results.micro.get(&format!("{name}/{size}"))? / 1e3);
        series(title, &SIZES, of)
    };
    let joining = |title: &str, figure: &str| {
        let of = |entries| Some(results.get(&joins(entries), APER.name, figure)? * 1e3);
        series(title, &SIZES, of)
    };
    let waking = |entries| results.get(&cold(entries), APER.name, "welcome_p50_us");
    Plot {
        title: "By state",
        x: "entries of the state",
        y: "µs",
        series: vec![
            function("one change", &format!("{SET}/Aper")),
            function("rebase of 10 pending", &format!("{REBASE}/Aper")),
            joining("first join, processor", "first_join_cpu_ms"),
            joining("further join, processor", "further_join_cpu_ms"),
            series("asleep to welcome", &SIZES, waking),
        ],
    }
}

fn pending(results: &Results) -> Plot {
    let of = |size: u64| Some(results.micro.get(&format!("{BY_PENDING}/{size}"))? / 1e3);
    Plot {
        title: "A rebase, by pending",
        x: "pending transitions",
        y: "µs",
        series: vec![series("1,000 entries", &PENDING, of)],
    }
}

fn of_sessions(
    results: &Results,
    title: &'static str,
    y: &'static str,
    figure: &'static str,
) -> Plot {
    let of = |count| results.get(&sessions(count), APER.name, figure);
    Plot {
        title,
        x: "sessions of one client, 0.4 mutations/s each",
        y,
        series: vec![series("Aper", &SESSIONS, of)],
    }
}

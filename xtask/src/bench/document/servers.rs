//! What servers cost, and how soon they answer.

use super::text::{cell, count, head, heading, picture, ratio, table};
use crate::bench::plan::{
    APER, BROADCASTERS, BUSY, CALM, CLIENTS, ENTRIES, EPOLL, FAIRNESS, FLOOD, IDLE, IDLE_APART,
    IDLE_IN_ONE, ON_DISK, SESSIONS, SIZES, TUNGSTENITE, cold, joins, saturated, sessions,
};
use crate::bench::results::Results;

const CPU: &str = "cpu_us_per_delivery";

pub(super) fn deliveries(text: &mut String, results: &Results) {
    heading(
        text,
        "Delivering",
        "Processor time of the server, user and system, in µs for each delivery (which is \
         seconds for a million). A delivery is one mutation told to one client; each was \
         checked. The ratios are to the floors of the same run. At 20 mutations a second of \
         each of 100 clients there are 200,000 deliveries a second, which is about what a core \
         can do; at 20 in all, as on a quiet board, each stands alone, and nothing can be told \
         together with anything else.",
    );
    let names = BROADCASTERS.map(|server| server.name);
    let titles = names.into_iter().chain(["to tungstenite", "goal", "to epoll", "goal"]);
    let row = |scenario: &str, to_library: &str, to_machine: &str| {
        let of = |server: &str| results.get(scenario, server, CPU);
        let mut row = vec![scenario.to_owned()];
        row.extend(names.map(|name| cell(of(name))));
        row.push(cell(ratio(of(APER.name), of(TUNGSTENITE.name))));
        row.push(to_library.to_owned());
        row.push(cell(ratio(of(APER.name), of(EPOLL.name))));
        row.push(to_machine.to_owned());
        row
    };
    let goal = |clients: u64| match clients {
        10 => "≤ 0.6",
        100 | 500 => "≤ 0.35",
        _ => "",
    };
    let mut rows: Vec<Vec<String>> =
        CLIENTS.iter().map(|&clients| row(&saturated(clients), goal(clients), "")).collect();
    rows.push(row(BUSY, "", ""));
    rows.push(row(CALM, "", "≤ 1.15"));
    table(text, &head("", titles), rows);
    picture(text, "Processor time for each delivery, by clients", "clients");
}

pub(super) fn disk(text: &mut String, results: &Results) {
    heading(
        text,
        "Keeping it",
        "The same at saturation, with the journal in memory and, as a server has it unless it \
         is told otherwise, on the disk: nobody is told anything before the disk says that it \
         has it. What waits for a sync is written by the next, all at once.",
    );
    let row = |clients: u64| {
        let scenario = saturated(clients);
        let of = |server: &str, figure| results.get(&scenario, server, figure);
        let figures = [APER, ON_DISK].map(|server| of(server.name, CPU));
        let rates = [APER, ON_DISK].map(|server| of(server.name, "deliveries_per_second"));
        vec![
            scenario.clone(),
            cell(figures[0]),
            cell(figures[1]),
            cell(ratio(figures[1], figures[0])),
            if (10..=500).contains(&clients) { "≤ 1.2" } else { "" }.to_owned(),
            cell(rates[0]),
            cell(rates[1]),
        ]
    };
    let titles =
        ["µs, memory", "µs, disk", "ratio", "goal", "deliveries/s, memory", "deliveries/s, disk"];
    table(text, &head("", titles), CLIENTS.iter().map(|&clients| row(clients)).collect());
}

pub(super) fn latencies(text: &mut String, results: &Results) {
    heading(
        text,
        "How late",
        "From a client's sending to a client's being told, in µs, all deliveries; and the share \
         of its core that the server was at work. Aper is to be no later than bare tungstenite; \
         with a synced disk, a disk's sync later.",
    );
    let mut rows = Vec::new();
    for scenario in [BUSY, CALM] {
        for server in BROADCASTERS.into_iter().chain([ON_DISK]) {
            let of = |figure| cell(results.get(scenario, server.name, figure));
            rows.push(vec![
                format!("{scenario}: {}", server.name),
                of("latency_p50_us"),
                of("latency_p99_us"),
                of("latency_p999_us"),
                of("cpu_load"),
            ]);
        }
    }
    table(text, &head("", ["p50", "p99", "p99.9", "load"]), rows);
}

pub(super) fn fairness(text: &mut String, results: &Results) {
    heading(
        text,
        "Whom others' work makes wait",
        "Ten clients of one session, each of which sends 20 mutations a second: how late they \
         are told, in µs, alone and beside somebody who does all they can on the same core. \
         *Busy session*: 50 clients of another session at saturation; the server has no bounds \
         on what they may send, so that its core is full, and its core is the only one. *Flood*: \
         one client of the same session sends as much as it can; the server has its ordinary \
         bounds (2,000 submissions a second of one client, and five seconds' worth at once). \
         The generator has one thread for all of them. It looks after the ten between any two \
         events of the others; how long they waited for that at worst is the last column, and \
         is the part of the figures that is not the server's.",
    );
    let row = |title: &str, scenario: &str, name: &str, alone: &str, goal: &str| {
        let of = |name: &str, figure: &str| {
            results.get(scenario, APER.name, &format!("{name}_{figure}"))
        };
        vec![
            title.to_owned(),
            cell(of(name, "p50_us")),
            cell(of(name, "p99_us")),
            cell(of(name, "p999_us")),
            cell(ratio(of(name, "p99_us"), of(alone, "p99_us"))),
            goal.to_owned(),
            cell(of(name, "deliveries")),
            cell(of(&format!("generator_{name}"), "p999_us")),
        ]
    };
    let (busy, flood) = ("beside_a_busy_session", "beside_a_flood");
    let (alone, without) = ("alone", "without_a_flood");
    let rows = vec![
        row("alone", FAIRNESS, alone, alone, ""),
        row("beside a busy session", FAIRNESS, busy, alone, "≤ 3"),
        row("without a flood", FLOOD, without, without, ""),
        row("the first second of a flood", FLOOD, "when_a_flood_begins", without, ""),
        row("beside a flood", FLOOD, flood, without, "≤ 3"),
    ];
    let titles =
        ["p50", "p99", "p99.9", "p99 to alone", "goal", "deliveries", "generator's, p99.9"];
    table(text, &head("", titles), rows);
    let of = |figure| results.get(FLOOD, APER.name, figure);
    if let (Some(first), Some(then)) = (of("flood_at_first_per_second"), of("flood_per_second")) {
        text.push_str(&format!(
            "\nThe flood was {} mutations in its first second, and {} a second after that.\n",
            cell(Some(first)),
            cell(Some(then))
        ));
    }
}

pub(super) fn connections(text: &mut String, results: &Results) {
    heading(
        text,
        "Being there",
        "Memory of the server's process (resident), without the kernel's own buffers, and its \
         processor time for each connection from the first byte to the state.",
    );
    let mut rows = Vec::new();
    let mut row = |scenario: &str, server: &str| {
        let of = |figure| cell(results.get(scenario, server, figure));
        rows.push(vec![
            format!("{scenario}: {server}"),
            of("kib_per_connection"),
            of("resident_mib"),
            of("cpu_us_per_connect"),
        ]);
    };
    for server in BROADCASTERS {
        row(IDLE, server.name);
    }
    row(IDLE_IN_ONE, APER.name);
    row(IDLE_APART, APER.name);
    let titles = ["KiB for each", "MiB in all", "µs to connect"];
    table(text, &head("", titles), rows);

    text.push_str(
        "\nMany sessions with little going on: one client in each, and two mutations in five \
         seconds.\n",
    );
    let row = |sessions_of: u64| {
        let scenario = sessions(sessions_of);
        let of = |figure| results.get(&scenario, APER.name, figure);
        vec![
            format!("{} sessions", count(sessions_of)),
            cell(of("kib_per_session")),
            cell(of("resident_mib")),
            cell(of("cpu_us_per_session_second")),
            cell(of("cpu_load")),
            cell(of("latency_p99_us")),
        ]
    };
    let titles = [
        "KiB for each",
        "MiB in all",
        "µs of processor for each, in a second",
        "load of the core",
        "p99 of a delivery, µs",
    ];
    table(text, &head("", titles), SESSIONS.iter().map(|&count| row(count)).collect());
    picture(text, "Memory by sessions", "sessions");
    picture(text, "Processor time by sessions", "sessions-cpu");
}

pub(super) fn states(text: &mut String, results: &Results) {
    heading(
        text,
        "Joining and waking",
        "By entries of the state, small numbers by number. Others: the p99 of ten clients that \
         send 20 mutations a second each, while nobody joins, and while somebody does every \
         50 ms. Asleep: nothing of the session is in memory but its journal.",
    );
    let others = "others_with_joins_p99_us";
    let without = "others_without_joins_p99_us";
    let of_joins =
        |figure: &'static str| move |entries| results.get(&joins(entries), APER.name, figure);
    let of_cold = |server: &'static str, figure: &'static str| {
        move |entries| Some(results.get(&cold(entries), server, figure)? / 1e3)
    };
    let row = |title: &str, goal: &str, of: &dyn Fn(u64) -> Option<f64>| {
        let cells = SIZES.iter().map(|&entries| cell(of(entries)));
        let title = std::iter::once(title.to_owned());
        title.chain(cells).chain([goal.to_owned()]).collect::<Vec<_>>()
    };
    let slowed = |entries| ratio(of_joins(others)(entries), of_joins(without)(entries));
    let rows = vec![
        row("first join at a version, processor ms", "≤ 6", &of_joins("first_join_cpu_ms")),
        row("each further join, processor ms", "≤ 0.5", &of_joins("further_join_cpu_ms")),
        row("bytes for each entry", "≤ 9", &of_joins("bytes_per_entry")),
        row("p99 of others, nobody joins, µs", "", &of_joins(without)),
        row("p99 of others, somebody joins, µs", "", &of_joins(others)),
        row("the one by the other", "≤ 2", &slowed),
        row("asleep to first welcome, ms", "≤ 30", &of_cold(APER.name, "welcome_p50_us")),
        row("asleep to first state, ms", "", &of_cold(APER.name, "state_p50_us")),
        row("to first welcome, from disk, ms", "", &of_cold(ON_DISK.name, "welcome_p50_us")),
        row("to first state, from disk, ms", "", &of_cold(ON_DISK.name, "state_p50_us")),
    ];
    let goal = format!("goal at {}", count(ENTRIES));
    table(text, &head("entries", SIZES.map(count).into_iter().chain([goal])), rows);
}

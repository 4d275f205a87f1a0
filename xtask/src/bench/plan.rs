//! What is run against what.

use std::path::PathBuf;

use super::Scale;

/// The program that plays the clients.
pub(super) const GENERATOR: &str = "bench-load";

/// Entries of the state that is joined and woken.
pub(super) const ENTRIES: u64 = 100_000;

/// Sizes of a state, in entries.
pub(super) const SIZES: [u64; 4] = [10, 1_000, ENTRIES, 1_000_000];

/// Clients of one session at saturation.
pub(super) const CLIENTS: [u64; 5] = [1, 10, 100, 500, 1_000];

/// Sessions with little going on; as many connections as a process may open
/// files almost everywhere.
pub(super) const SESSIONS: [u64; 4] = [10, 100, 1_000, 10_000];

/// After which the sessions of the scenario `cold` sleep, in milliseconds.
const SLEEP_AFTER: &str = "300";

/// What the scenarios are called.
pub(super) const BUSY: &str = "100 clients, 20 mutations/s each";
pub(super) const CALM: &str = "100 clients, 20 mutations/s in all";
pub(super) const SMALL: &str = "250 sessions of 4 clients, 2 mutations/s each";
pub(super) const IDLE: &str = "1,000 idle connections";
pub(super) const IDLE_IN_ONE: &str = "10,000 connections in one session";
pub(super) const IDLE_APART: &str = "10,000 sessions of one connection";
pub(super) const FAIRNESS: &str = "fairness";
pub(super) const FLOOD: &str = "flood";

pub(super) fn saturated(clients: u64) -> String {
    format!("saturated, {clients} {}", if clients == 1 { "client" } else { "clients" })
}

pub(super) fn sessions(count: u64) -> String {
    format!("{count} sessions of one client, 0.4 mutations/s each")
}

pub(super) fn joins(entries: u64) -> String {
    format!("joins, {entries} entries")
}

pub(super) fn cold(entries: u64) -> String {
    format!("cold start, {entries} entries")
}

/// A program that was built.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// A server under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Server {
    /// In tables.
    pub(super) name: &'static str,
    pub(super) program: &'static str,
    pub(super) dialect: &'static str,
    pub(super) arguments: &'static [&'static str],
}

pub(super) const APER: Server =
    Server { name: "Aper", program: "bench-aper", dialect: "aper", arguments: &[] };
/// With its journal on the disk, synced, as a server of Aper's has it unless it
/// is told otherwise.
pub(super) const ON_DISK: Server = Server {
    name: "Aper, synced disk",
    program: "bench-aper",
    dialect: "aper",
    arguments: &["--journal=temp"],
};
/// With the bounds that a server has unless it is told otherwise.
const BOUNDED: Server = Server {
    name: APER.name,
    program: "bench-aper",
    dialect: "aper",
    arguments: &["--limits=default"],
};
pub(super) const EPOLL: Server =
    Server { name: "epoll by hand", program: "bench-floor-epoll", dialect: "raw", arguments: &[] };
pub(super) const TUNGSTENITE: Server = Server {
    name: "bare tokio-tungstenite",
    program: "bench-floor-tungstenite",
    dialect: "raw",
    arguments: &[],
};
pub(super) const WS: Server =
    Server { name: "ws (Node)", program: "ws.mjs", dialect: "raw", arguments: &[] };
pub(super) const Y_WEBSOCKET: Server = Server {
    name: "y-websocket (Node)",
    program: "y-websocket.mjs",
    dialect: "yjs",
    arguments: &[],
};

/// All that Aper is always measured beside, and itself.
pub(super) const BROADCASTERS: [Server; 3] = [EPOLL, TUNGSTENITE, APER];

/// What other people use.
pub(super) const PEERS: [Server; 2] = [WS, Y_WEBSOCKET];

/// One scenario against one server.
#[derive(Debug)]
pub(super) struct Measurement {
    /// By which its figures are found.
    pub(super) scenario: String,
    pub(super) server: Server,
    /// For the generator.
    pub(super) arguments: Vec<String>,
    /// For the server, besides its own.
    pub(super) server_arguments: Vec<String>,
    /// About how long it takes, in seconds.
    pub(super) takes: f64,
}

impl Measurement {
    pub(super) fn title(&self) -> String {
        format!("{}, {}", self.scenario, self.server.name)
    }
}

/// Whether others' servers are measured too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peers {
    With,
    Without,
}

/// Everything. What is compared has one name and stands together, to be
/// measured in turn.
pub(super) fn measurements(scale: Scale, peers: Peers) -> Vec<Measurement> {
    let mut plan = Plan { scale, measurements: Vec::new() };
    let others: &[Server] = if peers == Peers::With { &PEERS } else { &[] };
    let everybody = [&BROADCASTERS, others].concat();
    plan.saturated(others);
    plan.paced(&everybody);
    plan.many_sessions();
    plan.idle(&everybody);
    plan.states();
    let long = plan.seconds(2.0);
    plan.add(FAIRNESS, APER, &["fairness", "--seconds", &long], 4.0);
    plan.add(FLOOD, BOUNDED, &["flood", "--seconds", &long], 4.0);
    plan.measurements
}

struct Plan {
    scale: Scale,
    measurements: Vec<Measurement>,
}

impl Plan {
    fn saturated(&mut self, peers: &[Server]) {
        let seconds = self.seconds(1.0);
        for clients in CLIENTS {
            let count = clients.to_string();
            let arguments = ["saturated", "--clients", &count, "--seconds", &seconds];
            let ours = BROADCASTERS.into_iter().chain([ON_DISK]);
            // The others are slower by so much that more of them shows nothing.
            let peers = peers.iter().copied().filter(|_| (10..=500).contains(&clients));
            for server in ours.chain(peers) {
                self.add(&saturated(clients), server, &arguments, 1.0);
            }
        }
    }

    fn paced(&mut self, servers: &[Server]) {
        let (one, two) = (self.seconds(1.0), self.seconds(2.0));
        let busy = ["paced", "--clients=100", "--per-second=20", "--seconds", &one];
        let calm = ["paced", "--clients=100", "--per-second=0.2", "--seconds", &two];
        for &server in servers {
            // A busy one is beyond what Node can do.
            if !PEERS.contains(&server) {
                self.add(BUSY, server, &busy, 1.0);
            }
        }
        for &server in servers.iter().chain([&ON_DISK]) {
            self.add(CALM, server, &calm, 2.0);
        }
    }

    fn many_sessions(&mut self) {
        let seconds = self.seconds(1.0);
        let small = ["--sessions=250", "--clients=4", "--per-second=2"];
        let arguments: Vec<&str> =
            ["paced"].into_iter().chain(small).chain(["--seconds", &seconds]).collect();
        self.add(SMALL, APER, &arguments, 1.0);
        let seconds = self.seconds(2.0);
        for count in SESSIONS {
            let many = count.to_string();
            let arguments = [
                "paced",
                "--clients=1",
                "--per-second=0.4",
                "--sessions",
                &many,
                "--seconds",
                &seconds,
            ];
            self.add(&sessions(count), APER, &arguments, 2.0 + count as f64 / 5_000.0);
        }
    }

    fn idle(&mut self, servers: &[Server]) {
        for &server in servers.iter().chain([&ON_DISK]) {
            let arguments = ["idle", "--connections=1000", "--sessions=own"];
            self.add(IDLE, server, &arguments, 0.2);
        }
        let many = "--connections=10000";
        self.add(IDLE_IN_ONE, APER, &["idle", many, "--sessions=one"], 1.0);
        self.add(IDLE_APART, APER, &["idle", many, "--sessions=own"], 1.0);
    }

    /// Joining and waking, by the size of the state.
    fn states(&mut self) {
        for entries in SIZES {
            let size = entries.to_string();
            let server = [format!("--entries={entries}")];
            let many = if entries == ENTRIES && self.scale == Scale::Full { "100" } else { "20" };
            let arguments = ["joins", "--entries", &size, "--joins", many];
            self.add_with(&joins(entries), APER, &arguments, &server, 1.0);
            let server = [format!("--entries={entries}"), format!("--idle={SLEEP_AFTER}")];
            for place in [APER, ON_DISK] {
                let arguments = ["cold", "--idle", SLEEP_AFTER];
                self.add_with(&cold(entries), place, &arguments, &server, 1.0);
            }
        }
    }

    /// So many times as long as one measurement takes at this scale.
    fn seconds(&self, times: f64) -> String {
        (self.scale.seconds() * times).to_string()
    }

    fn add(&mut self, scenario: &str, server: Server, arguments: &[&str], times: f64) {
        self.add_with(scenario, server, arguments, &[], times);
    }

    fn add_with(
        &mut self,
        scenario: &str,
        server: Server,
        arguments: &[&str],
        server_arguments: &[String],
        times: f64,
    ) {
        self.measurements.push(Measurement {
            scenario: scenario.to_owned(),
            server,
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            server_arguments: server_arguments.to_vec(),
            // And starting it, and letting it get warm.
            takes: self.scale.seconds() * times + 1.0,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_stands_together() {
        let plan = measurements(Scale::Full, Peers::With);
        let runs = plan.chunk_by(|a, b| a.scenario == b.scenario);
        let mut names: Vec<&str> = runs.map(|run| run[0].scenario.as_str()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a scenario is measured in two places");
    }

    #[test]
    fn a_quick_run_is_one() {
        let takes = |scale: Scale, peers| {
            let plan = measurements(scale, peers);
            let once: f64 = plan.iter().map(|measurement| measurement.takes).sum();
            once * scale.repetitions() as f64 / 60.0
        };
        assert!(takes(Scale::Quick, Peers::Without) < 3.0);
        assert!(takes(Scale::Full, Peers::With) < 25.0);
    }
}

//! What is played against which server.

use std::path::PathBuf;

use super::Scale;

/// The program that plays the clients.
pub(super) const GENERATOR: &str = "bench-load";

/// Entries of the state that is joined and woken.
pub(super) const ENTRIES: &str = "100000";

/// After which the sessions of the scenario `cold` sleep, in milliseconds.
const SLEEP_AFTER: &str = "300";

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
}

pub(super) const APER: Server = Server { name: "Aper", program: "bench-aper", dialect: "aper" };
pub(super) const EPOLL: Server =
    Server { name: "epoll by hand", program: "bench-floor-epoll", dialect: "raw" };
pub(super) const TUNGSTENITE: Server =
    Server { name: "bare tokio-tungstenite", program: "bench-floor-tungstenite", dialect: "raw" };

/// All that pass on what they are sent to everybody.
pub(super) const BROADCASTERS: [Server; 3] = [EPOLL, TUNGSTENITE, APER];

/// One scenario against one server.
#[derive(Debug)]
pub(super) struct Measurement {
    /// By which its figures are found.
    pub(super) scenario: &'static str,
    pub(super) server: Server,
    /// For the generator.
    pub(super) arguments: Vec<&'static str>,
    /// For the server.
    pub(super) server_arguments: Vec<String>,
}

impl Measurement {
    pub(super) fn title(&self) -> String {
        format!("{}, {}", self.scenario, self.server.name)
    }
}

/// Everything, so that what is compared is measured one right after the other.
pub(super) fn measurements(scale: Scale) -> Vec<Measurement> {
    let seconds = scale.seconds();
    let mut plan = Vec::new();
    for (scenario, clients) in [
        ("saturated, 10 clients", "10"),
        ("saturated, 100 clients", "100"),
        ("saturated, 500 clients", "500"),
    ] {
        let arguments = ["saturated", "--clients", clients, "--seconds", seconds];
        plan.extend(each(&BROADCASTERS, scenario, &arguments));
    }
    let paced = ["paced", "--clients", "100", "--per-second", "20", "--seconds", seconds];
    plan.extend(each(&BROADCASTERS, "100 clients, 20 mutations/s each", &paced));
    let small = ["paced", "--sessions=250", "--clients=4", "--per-second=2", "--seconds", seconds];
    plan.extend(each(&[APER], "250 sessions of 4 clients, 2 mutations/s each", &small));
    let idle = ["idle", "--connections", "1000"];
    plan.extend(each(&BROADCASTERS, "1,000 idle connections", &idle));

    let of_aper = |scenario, arguments: &[&'static str], for_server: &[String]| Measurement {
        scenario,
        server: APER,
        arguments: arguments.to_vec(),
        server_arguments: for_server.to_vec(),
    };
    let (one, own) = ("--sessions=one", "--sessions=own");
    plan.extend([
        of_aper("100 sessions of one connection", &["idle", "--connections", "100", own], &[]),
        of_aper("10,000 connections in one session", &["idle", "--connections", "10000", one], &[]),
        of_aper("10,000 sessions of one connection", &["idle", "--connections", "10000", own], &[]),
    ]);
    let entries = format!("--entries={ENTRIES}");
    let joins = match scale {
        Scale::Quick => "20",
        Scale::Full => "100",
    };
    let joining = ["joins", "--entries", ENTRIES, "--joins", joins];
    plan.push(of_aper("joins", &joining, std::slice::from_ref(&entries)));
    let cold = ["cold", "--idle", SLEEP_AFTER];
    plan.push(of_aper("cold start", &cold, &[entries, format!("--idle={SLEEP_AFTER}")]));
    plan.push(of_aper("fairness", &["fairness", "--seconds", seconds], &[]));
    plan
}

fn each(
    servers: &[Server],
    scenario: &'static str,
    arguments: &[&'static str],
) -> impl Iterator<Item = Measurement> {
    servers.iter().map(move |&server| Measurement {
        scenario,
        server,
        arguments: arguments.to_vec(),
        server_arguments: Vec::new(),
    })
}
